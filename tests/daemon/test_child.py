"""The real `publisher run` with the real model; its child is killed, crashed, stopped and idle.

The daemon is the one that runs in production: signals come from outside, as the kernel's do.
What it tells the owner is read from the server's journal.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from publisher.settings import load_settings
from publisher.telegram.client import make_client
from tests.chaos.world import CODE, World, build_world
from tests.daemon.test_daemon import ended, start, wait_until

pytestmark = pytest.mark.slow

OWNER_PHONE = "79990003344"
BUDGET = 5.0
LIMIT = BUDGET * 3 + 60
MODEL = f"""
[owner]
ids = [{{owner}}]
[model]
budget_seconds = {BUDGET}
idle_minutes = {{idle}}
[memes]
stock = 1
per_topic = 1
topics_per_run = 3
evergreen = ["дедлайн", "кот и понедельник", "отпуск", "будильник", "совещание", "ремонт"]
"""


class Owner:
    """What reached the owner's chat, and the way to have generation run again."""

    def __init__(self, world: World, number: int, token: str) -> None:
        self.world, self.number, self.token = world, number, token
        self.daemon: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        self.daemon = start(self.world, TELEGRAM_BOT_TOKEN=self.token)
        self.wait(lambda: self.memes() == 1)

    def wait(self, true: Any) -> None:
        assert self.daemon
        wait_until(true, self.daemon)

    def memes(self) -> int:
        ready = "SELECT count(*) FROM meme WHERE origin = 'generated' AND state = 'ready'"
        return int(self.world.rows(ready)[0][0])

    def use_up_the_stock(self) -> None:
        with closing(sqlite3.connect(self.world.ledger, timeout=20)) as there, there:
            there.execute("UPDATE meme SET state = 'retired' WHERE origin = 'generated'")

    def heard(self) -> list[str]:
        entries = self.world.server.ask("journal")["entries"]
        chat = f"user:{self.number}"
        return [e["text"] for e in entries if e["kind"] == "created" and e["chat"] == chat]

    def child(self) -> psutil.Process | None:
        assert self.daemon
        for process in psutil.Process(self.daemon.pid).children():
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if "spawn_main" in " ".join(process.cmdline()):
                    return process
        return None

    def child_at_work(self) -> psutil.Process:
        """The child in the middle of a generation: it burns the processor."""
        found: list[psutil.Process] = []

        def burns() -> bool:
            if self.memes():
                self.use_up_the_stock()
            child = self.child()
            if child is None:
                return False
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                before = child.cpu_times().user
                time.sleep(0.15)
                if child.cpu_times().user - before >= 0.04:
                    found.append(child)
            return bool(found)

        self.wait(burns)
        return found[0]

    def strike(self, number: signal.Signals, seconds: float) -> psutil.Process:
        """Send a signal into a generation; once more if that had just come to its end."""
        before = len(self.failures())
        for _ in range(5):
            child = self.child_at_work()
            child.send_signal(number)
            until = time.monotonic() + seconds
            self.wait(lambda until=until: len(self.failures()) > before or time.monotonic() > until)
            if len(self.failures()) > before:
                return child
        raise AssertionError(f"{number.name} ended no generation")

    def failures(self) -> list[str]:
        query = "SELECT note FROM job_run WHERE job = 'generate' AND NOT ok ORDER BY id"
        return [note for (note,) in self.world.rows(query)]


def build(folder: Path, idle: float) -> Owner:
    world = build_world(folder, seed=1, posts=0, mode="error", start=datetime.now(UTC), speed=1.0)
    token = world.server.ask("add_bot", name="Бот", username="meme_bot")["token"]
    people = world.server.ask("world")["users"]
    owner = next(u["id"] for u in people if u["username"] == "founder")
    config = world.folder / "config.toml"
    text = config.read_text().replace("[bot]\nenabled = false", "[bot]\nenabled = true")
    text = text.replace('generate = "every 9d"', 'generate = "every 2s"')
    text = text.replace('alert = "every 5s"', 'alert = "every 1s"')
    before, jobs, after = text.partition("[jobs]")
    config.write_text(before + MODEL.format(owner=owner, idle=idle) + jobs + after)
    asyncio.run(say_hello(world))
    return Owner(world, owner, token)


async def say_hello(world: World) -> None:
    """The owner writes to the bot first; a bot may not."""
    settings = load_settings(world.folder / "config.toml")
    client = make_client(settings, "x", "owner", bot=False)
    await client.connect()
    await client.send_code_request(OWNER_PHONE)
    await client.sign_in(OWNER_PHONE, CODE)
    await client.send_message("meme_bot", "/start")
    await client.disconnect()


@pytest.fixture
def owner(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Owner]:
    found = build(tmp_path / "world", idle=getattr(request, "param", 10.0))
    yield found
    if found.daemon and found.daemon.poll() is None:
        found.daemon.kill()
        found.daemon.communicate()
    found.world.close()


def test_a_crash_a_kill_and_a_hang_are_recorded_told_and_survived(owner: Owner) -> None:
    owner.begin()
    assert owner.daemon
    for number, kept, told, seconds in (
        (signal.SIGSEGV, "SIGSEGV", "SIGSEGV", 20.0),
        (signal.SIGKILL, "SIGKILL", "SIGKILL", 20.0),
        (signal.SIGSTOP, f"over {LIMIT:.0f} s", f"дольше {LIMIT:.0f} с", LIMIT + 60),
    ):
        child = owner.strike(number, seconds)
        assert kept in owner.failures()[-1]
        owner.wait(lambda told=told: any(told in text for text in owner.heard()))
        owner.wait(lambda: owner.memes() >= 1)
        replaced = owner.child()
        assert replaced and replaced.pid != child.pid
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert sum("⚠️" in text for text in owner.heard()) == 3
    set_aside = owner.world.rows("SELECT note FROM topic WHERE note LIKE 'set aside:%'")
    assert len(set_aside) == 3
    assert ended(owner.daemon)[0] == 0


@pytest.mark.parametrize("owner", [0.05], indirect=True)
def test_the_idle_model_is_unloaded_and_loaded_again_on_need(owner: Owner) -> None:
    owner.begin()
    assert owner.daemon
    owner.wait(lambda: owner.child() is None)
    at_rest = psutil.Process(owner.daemon.pid).memory_info().rss
    working = owner.child_at_work()
    owner.wait(lambda: owner.memes() >= 1)
    owner.wait(lambda: owner.child() is None)
    assert not working.is_running() or working.status() == psutil.STATUS_ZOMBIE
    assert at_rest < 400 * 2**20, "the daemon at rest holds a model"
    assert owner.failures() == []
    assert ended(owner.daemon)[0] == 0


@pytest.mark.parametrize("owner", [10.0], indirect=True)
def test_the_kernel_takes_the_model_at_rest_and_nothing_is_lost(owner: Owner) -> None:
    owner.begin()
    assert owner.daemon
    child = owner.child()
    assert child
    child.kill()
    child.wait(10)
    owner.use_up_the_stock()
    owner.wait(lambda: owner.memes() >= 1)
    assert owner.failures() == []
    assert ended(owner.daemon)[0] == 0
