"""What native code may do to its process, the daemon's process survives."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import time
from collections.abc import AsyncIterator

import psutil
import pytest

from publisher.workers import WorkerDied, WorkerHung, Workers


def segfault() -> None:
    ctypes.string_at(0)


def killed_for_memory() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    time.sleep(600)


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
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie"


async def test_what_the_function_raises_comes_back_as_it_is(workers: Workers) -> None:
    with pytest.raises(ValueError, match="нет"):
        await workers.run(refuse, "нет")
    assert workers.deaths == 0 and workers.running


async def test_an_idle_child_is_let_go_and_comes_back_on_need() -> None:
    workers = Workers(idle_seconds=0.2)
    child = await workers.run(os.getpid)
    for _ in range(100):
        await asyncio.sleep(0.1)
        if not workers.running:
            break
    assert not workers.running
    assert not psutil.pid_exists(child)
    assert await workers.run(os.getpid) != child
    workers.close()


async def test_a_busy_child_is_not_taken_for_idle() -> None:
    workers = Workers(idle_seconds=0.1)
    await workers.run(os.getpid)
    assert await workers.run(time.sleep, 1.0) is None
    assert workers.deaths == 0
    workers.close()
