"""What native code may do to its process, the daemon's process survives."""

from __future__ import annotations

import asyncio
import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from publisher.workers import WorkerDied, WorkerHung, Workers


def segfault() -> None:
    ctypes.string_at(0)


def killed_for_memory() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    time.sleep(600)


def fill_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
    bytearray(2**32)


def crash_while_answering() -> bytes:
    """The answer is larger than a pipe: the process ends with half of it written."""
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    return bytes(2**28)


def own_oom_score() -> str:
    with open("/proc/self/oom_score_adj") as file:
        return file.read().strip()


async def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.05)


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def refuse(word: str) -> None:
    raise ValueError(word)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    found = Workers(idle_seconds=300)
    yield found
    found.close()


@pytest.mark.parametrize("end", [segfault, killed_for_memory])
async def test_a_child_that_dies_is_told_and_replaced(workers: Workers, end: object) -> None:
    first = await workers.run(os.getpid)
    with pytest.raises(WorkerDied, match=end.__name__):
        await workers.run(end)
    second = await workers.run(os.getpid)
    assert os.getpid() not in (first, second) and first != second
    assert workers.deaths == 1


async def test_a_child_that_hangs_is_ended_while_the_loop_goes_on(workers: Workers) -> None:
    child = await workers.run(os.getpid)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.02)

    ticking = asyncio.create_task(tick())
    with pytest.raises(WorkerHung, match="over 1 s"):
        await workers.run(hang, timeout_seconds=1)
    ticking.cancel()
    assert ticks >= 20
    assert await workers.run(os.getpid) != child
    await until(lambda: gone(child))


async def test_what_the_function_raises_comes_back_as_it_is(workers: Workers) -> None:
    with pytest.raises(ValueError, match="нет"):
        await workers.run(refuse, "нет")
    assert workers.deaths == 0 and workers.running


async def test_an_idle_child_is_let_go_and_comes_back_on_need() -> None:
    workers = Workers(idle_seconds=0.2)
    child = await workers.run(os.getpid)
    await until(lambda: not workers.running and gone(child))
    assert await workers.run(os.getpid) != child
    workers.close()


async def test_a_busy_child_is_not_taken_for_idle() -> None:
    workers = Workers(idle_seconds=0.1)
    await workers.run(os.getpid)
    assert await workers.run(time.sleep, 1.0) is None
    assert workers.deaths == 0
    workers.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
async def test_a_child_killed_at_rest_costs_nothing(
    workers: Workers, number: signal.Signals
) -> None:
    """The kernel that wants memory takes the largest process: the model at rest."""
    child = await workers.run(os.getpid)
    os.kill(child, number)
    await until(lambda: gone(child))
    await asyncio.sleep(0.5)
    assert await workers.run(os.getpid) not in (child, os.getpid())
    assert workers.deaths == 0


async def test_a_child_stopped_at_rest_is_replaced(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.workers.START_SECONDS", 1.0)
    child = await workers.run(os.getpid)
    os.kill(child, signal.SIGSTOP)
    with pytest.raises(WorkerHung, match="not begun after 1 s"):
        await workers.run(os.getpid)
    monkeypatch.undo()
    assert await workers.run(os.getpid) != child
    await until(lambda: gone(child))


async def test_a_child_that_dies_in_the_middle_of_its_answer_spoils_no_later_one(
    workers: Workers,
) -> None:
    with pytest.raises(WorkerDied, match="SIGALRM"):
        await workers.run(crash_while_answering, timeout_seconds=20)
    for _ in range(3):
        assert await asyncio.wait_for(workers.run(os.getpid), 30) != os.getpid()


async def test_memory_that_runs_out_in_the_child_is_an_accident_of_the_child(
    workers: Workers,
) -> None:
    with pytest.raises(WorkerDied, match="fill_memory: out of memory"):
        await workers.run(fill_memory)
    assert await workers.run(os.getpid) != os.getpid()


async def test_a_child_that_cannot_be_started_is_tried_again(workers: Workers) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 4, hard))
    try:
        with pytest.raises((WorkerDied, OSError)):
            await workers.run(os.getpid)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert await workers.run(os.getpid) != os.getpid()


async def test_work_is_done_in_turn(workers: Workers) -> None:
    """Work that waits for its turn does not use its time limit up."""
    long = asyncio.create_task(workers.run(time.sleep, 1.5, timeout_seconds=10))
    await asyncio.sleep(0.1)
    pid = await workers.run(os.getpid, timeout_seconds=0.5)
    assert long.done() and pid != os.getpid()


async def test_the_child_is_the_first_to_go_when_memory_is_short(workers: Workers) -> None:
    assert await workers.run(own_oom_score) == "500"
    assert own_oom_score() != "500"


PARENT = """
import asyncio, os, time
from publisher.workers import Workers
from tests.test_workers import hang

async def main():
    workers = Workers()
    print(await workers.run(os.getpid), flush=True)
    await workers.run(hang)

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_a_daemon_that_is_killed_leaves_no_child_behind(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environ = os.environ | {"PYTHONPATH": os.getcwd()}
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environ)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    await asyncio.sleep(0.5)
    parent.kill()
    parent.communicate()
    await until(lambda: gone(child), 5)
