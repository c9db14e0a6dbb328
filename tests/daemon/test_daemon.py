"""The real `publisher run`, in a process of its own, against a server in another."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from apscheduler.schedulers import base as schedulers
from apscheduler.triggers import interval
from peewee import OperationalError
from pydantic import SecretStr

from publisher import daemon
from publisher.daemon import Daemon
from publisher.ledger.models import Alert, Post
from publisher.sandbox import LoopbackTelegram
from publisher.settings import Secrets
from publisher.telegram.account import SignInError
from publisher.watchdog import Watchdog
from publisher.wording import say
from publisher.workers import Workers
from tests.chaos.audit import violations
from tests.chaos.world import World, build_world
from tests.conftest import Clock, Services, make_post, settings_for

PATIENCE = 180.0


def by_the_machines_clock(folder: Path, posts: int, gap: float) -> World:
    """Posts from half a minute ago on, a second apart at least when they are late."""
    found = build_world(
        folder,
        seed=1,
        posts=posts,
        mode="error",
        start=datetime.now(UTC),
        speed=1.0,
        lead=timedelta(seconds=-30),
        gap=timedelta(seconds=gap),
    )
    config = found.folder / "config.toml"
    config.write_text(config.read_text().replace("send_seconds = 24.0", "send_seconds = 1.0"))
    return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Six posts: three due already, one now, two to come."""
    found = by_the_machines_clock(tmp_path / "world", posts=6, gap=12)
    yield found
    found.close()


@pytest.fixture
def busy_world(tmp_path: Path) -> Iterator[World]:
    """A post every second."""
    found = by_the_machines_clock(tmp_path / "world", posts=90, gap=1)
    yield found
    found.close()


class Systemd:
    """Listens where systemd would; a full socket would hold the daemon up."""

    def __init__(self, path: Path) -> None:
        self.address, self.lines = str(path), list[str]()
        self.fed_at = 0.0
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.address)
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self) -> None:
        while (line := self.socket.recv(4096).decode()) != "end":
            self.lines.append(line)
            if line == "WATCHDOG=1":
                self.fed_at = time.monotonic()

    def heard(self) -> list[str]:
        """What came since the last question."""
        lines, self.lines = self.lines, []
        return lines

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
            there.sendto(b"end", self.address)
        self.thread.join()
        self.socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    found = Systemd(tmp_path / "notify")
    yield found
    found.close()


def start(world: World, **environ: str) -> subprocess.Popen[str]:
    config = str(world.folder / "config.toml")
    return subprocess.Popen(
        [sys.executable, "-m", "publisher", "run", "--config", config],
        env=os.environ | environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_until(true: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.1)


def published(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM post WHERE state = 'published'")[0][0])


def ended(running: subprocess.Popen[str]) -> tuple[int, float]:
    """SIGTERM's exit code, and the seconds it took."""
    began = time.monotonic()
    running.send_signal(signal.SIGTERM)
    running.communicate(timeout=60)
    return running.returncode, time.monotonic() - began


def test_run_publishes_ends_cleanly_and_picks_up_from_the_ledger(
    world: World, systemd: Systemd
) -> None:
    watched = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "1500000"}
    first = start(world, **watched)
    wait_until(lambda: published(world) >= 3, first)

    second = start(world)
    said, _ = second.communicate(timeout=PATIENCE)
    assert second.returncode == 2 and "здесь уже работает другой publisher" in said

    code, seconds = ended(first)
    assert code == 0 and seconds < 15
    lines = systemd.heard()
    assert "STOPPING=1" in lines
    assert any("READY=1" in line for line in lines) and lines.count("WATCHDOG=1") >= 1

    third = start(world)
    wait_until(lambda: published(world) == 6, third)
    assert ended(third)[0] == 0
    assert violations(world) == []


@pytest.mark.slow
def test_a_daemon_whose_loop_stands_still_is_not_fed(busy_world: World, systemd: Systemd) -> None:
    """Another process holds the ledger: the loop waits for it, while every thread lives on."""
    running = start(busy_world, NOTIFY_SOCKET=systemd.address, WATCHDOG_USEC="600000")
    wait_until(lambda: published(busy_world) >= 5, running)
    assert time.monotonic() - systemd.fed_at < 1.0
    longest = 0.0
    with closing(sqlite3.connect(busy_world.ledger, timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + 4.0
        while time.monotonic() < until:
            time.sleep(0.1)
            longest = max(longest, time.monotonic() - systemd.fed_at)
        other.execute("ROLLBACK")
    assert longest > 2.0
    before = published(busy_world)
    wait_until(lambda: time.monotonic() - systemd.fed_at < 0.5, running)
    wait_until(lambda: published(busy_world) > before, running)
    assert ended(running)[0] == 0


def services_of(ledger: Path) -> Services:
    return Services(settings_for(ledger), Secrets(), daemon.utc_now, Workers())


async def test_sigterm_ends_a_start_that_gets_no_answer(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(services: Services) -> None:
        await asyncio.sleep(600)

    monkeypatch.setattr(daemon, "connect_user", never)
    running = asyncio.create_task(Daemon(services_of(ledger)).run())
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 5)


async def test_a_start_without_sign_in_says_what_to_do(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(services: Services) -> None:
        raise SignInError("run: publisher login")

    monkeypatch.setattr(daemon, "connect_user", refused)
    with pytest.raises(SignInError, match="publisher login"):
        await Daemon(services_of(ledger)).run()


async def test_a_start_waits_for_a_server_out_of_reach(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, systemd: Systemd
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    services = services_of(ledger)
    services.sleep = sleep
    answers = iter([ConnectionError("nobody there")] * 5 + [None])

    async def connect(services: Services) -> None:
        if answer := next(answers):
            raise answer

    monkeypatch.setattr(daemon, "connect_user", connect)
    await Daemon(services).connect()
    assert slept == [5, 10, 20, 40, 60]
    await asyncio.sleep(0.2)
    told = [line for line in systemd.heard() if "EXTEND_TIMEOUT_USEC" in line]
    assert len(told) == 5, "systemd would end a start that waits"


async def test_a_job_that_can_leave_no_record_does_not_end_the_daemon(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(daemon, "run_job", full)
    await Daemon(services_of(ledger)).job("publish")


async def test_a_job_is_never_run_beside_itself(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first stock's jobs, and the trigger table's, which may be due meanwhile."""
    at_work: list[str] = []
    most: dict[str, int] = {}
    ran: list[str] = []

    async def slow(services: Services, name: str, now: datetime) -> None:
        at_work.append(name)
        most[name] = max(most.get(name, 0), at_work.count(name))
        await asyncio.sleep(0.1)
        at_work.remove(name)
        ran.append(name)

    monkeypatch.setattr(daemon, "run_job", slow)
    found = Daemon(services_of(ledger))
    names = ("collect", "topics", "generate", "assign")
    await asyncio.gather(found.fill_first_stock(), *map(found.job, names))
    assert sorted(ran) == sorted(names * 2)
    assert most == dict.fromkeys(names, 1)


async def until(true: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


class Served:
    """A bot that ends as told, then lives; when it was begun, by the pauses slept before."""

    def __init__(self, services: Services, monkeypatch: pytest.MonkeyPatch, *ends: object) -> None:
        self.ends, self.begun, self.slept = list(ends), 0, list[float]()
        self.alive = asyncio.Event()
        services.sleep = self.sleep
        monkeypatch.setattr(daemon, "serve_bot", self.serve)
        monkeypatch.setattr(daemon, "connect_bot", self.connect)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def connect(self, services: Services) -> None:
        services.bot = None

    async def serve(self, services: Services) -> None:
        self.begun += 1
        end = self.ends.pop(0) if self.ends else None
        if isinstance(end, BaseException):
            raise end
        if end != "returns":
            self.alive.set()
            await asyncio.sleep(600)


async def test_a_bot_that_ends_is_begun_anew_and_the_owner_is_told(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_of(ledger)
    ill = ExceptionGroup("unhandled", [OperationalError("database or disk is full")])
    cut_off = asyncio.CancelledError()
    served = Served(services, monkeypatch, ConnectionError("gone"), "returns", cut_off, ill)
    monkeypatch.setattr(daemon, "BOT_IS_WELL", 0.3)
    found = Daemon(services)
    keeping = asyncio.create_task(found.keep_bot())
    await asyncio.wait_for(served.alive.wait(), 5)
    assert (served.begun, served.slept) == (5, [5, 10, 20, 40])
    [told] = Alert.select()
    assert (told.code, told.facts["job"], told.cured_at) == ("job_failing", "bot", None)
    assert "bot" in say(told.code, "ru", **told.facts)
    await asyncio.sleep(0.6)
    assert Alert.get().cured_at
    keeping.cancel()
    await asyncio.wait({keeping})
    assert keeping.cancelled()


@pytest.mark.parametrize("refusal", ["FLOOD_WAIT_7", "INTERNAL"])
@pytest.mark.parametrize("method", ["help.getConfig", "updates.getState"])
async def test_a_start_that_is_refused_waits_as_told(
    services: Services, telegram: LoopbackTelegram, clock: Clock, method: str, refusal: str
) -> None:
    """And does not take the refusal for an account that is not signed in."""
    await services.account.client.disconnect()
    services.user, began = None, clock()
    rule = telegram.faults.error(method, refusal, times=1)
    await Daemon(services).connect()
    assert rule.fired == 1
    assert services.account.client.is_connected()
    assert clock() - began >= timedelta(seconds=7 if "FLOOD" in refusal else 5)


async def test_posts_do_not_wait_for_a_bot_that_cannot_connect(
    services: Services, telegram: LoopbackTelegram, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = telegram.world.add_bot("Бот", username="our_bot")
    token = SecretStr(bot.token or "")
    services.secrets = replace(services.secrets, bot_token=token)
    telegram.faults.flood_wait("auth.importBotAuthorization", 3600, times=1)

    async def serve(services: Services) -> None:
        await asyncio.sleep(600)

    monkeypatch.setattr(daemon, "serve_bot", serve)
    post = make_post(services, clock())
    found = Daemon(services)
    running = asyncio.create_task(found.run())
    await until(lambda: Post.get_by_id(post.id).state == "published")
    assert services.bot is None
    clock.forward(hours=1)
    await until(lambda: services.bot is not None)
    found.stop()
    await asyncio.wait_for(running, 15)


async def test_a_bot_that_was_signed_out_is_signed_in_by_its_token(
    services: Services, telegram: LoopbackTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = telegram.world.add_bot("Бот", username="our_bot")
    token = SecretStr(bot.token or "")
    services.secrets = replace(services.secrets, bot_token=token)
    served: list[object] = []

    async def serve(services: Services) -> None:
        served.append(services.bot)
        if len(served) < 2:
            raise ExceptionGroup("unhandled", [SignInError("signed out")])
        await asyncio.sleep(600)

    monkeypatch.setattr(daemon, "serve_bot", serve)
    keeping = asyncio.create_task(Daemon(services).keep_bot())
    await until(lambda: len(served) == 2)
    first, second = served
    assert second is services.bot and second is not first
    assert not first.client.is_connected() and second.client.is_connected()
    keeping.cancel()
    await asyncio.wait({keeping})
    await second.client.disconnect()


async def test_a_bot_is_begun_anew_also_when_the_ledger_takes_nothing(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("database or disk is full")

    services = services_of(ledger)
    served = Served(services, monkeypatch, *[OperationalError("database or disk is full")] * 8)
    monkeypatch.setattr(daemon, "raise_alert", full)
    monkeypatch.setattr(daemon, "cure_alert", full)
    monkeypatch.setattr(daemon, "BOT_IS_WELL", 0.1)
    keeping = asyncio.create_task(Daemon(services).keep_bot())
    await asyncio.wait_for(served.alive.wait(), 5)
    assert served.slept == [5, 10, 20, 40, 80, 160, 300, 300]
    await asyncio.sleep(0.3)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.wait({keeping})


async def test_systemd_is_fed_only_while_the_loop_answers(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    watchdog = Watchdog(asyncio.get_running_loop(), 0.3)
    watchdog.start()
    await asyncio.sleep(1.0)
    assert systemd.heard().count("WATCHDOG=1") >= 2
    time.sleep(0.3)
    systemd.heard()
    time.sleep(1.5)
    assert systemd.heard() == []
    await asyncio.sleep(1.0)
    assert "WATCHDOG=1" in systemd.heard()
    watchdog.stop()


class Wrong:
    """The machine's clock as the daemon and its scheduler see it, off by `seconds`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        outer = self

        class Datetime(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return datetime.now(tz) + timedelta(seconds=outer.seconds)

        for module in (daemon, schedulers, interval):
            monkeypatch.setattr(module, "datetime", Datetime)
        monkeypatch.setattr(daemon, "wall_clock", lambda: time.time() + self.seconds)
        monkeypatch.setattr(daemon, "CLOCK_LOOK_SECONDS", 0.2)


@pytest.mark.parametrize("hours", [-30, 30])
async def test_a_clock_that_is_set_silences_no_job(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    ran: list[str] = []

    async def note(services: Services, name: str, now: datetime) -> None:
        ran.append(name)

    async def connected(services: Services) -> None:
        return None

    monkeypatch.setattr(daemon, "run_job", note)
    monkeypatch.setattr(daemon, "connect_user", connected)
    clock = Wrong(monkeypatch)
    services = services_of(ledger)
    jobs = services.settings.jobs.model_copy(update={"publish": "every 1s", "cure": "every 1s"})
    services.settings = services.settings.model_copy(update={"jobs": jobs})
    found = Daemon(services)
    running = asyncio.create_task(found.run())
    await asyncio.sleep(1.5)
    assert {"publish", "cure"} <= set(ran)
    clock.seconds = hours * 3600
    await asyncio.sleep(1.5)
    ran.clear()
    await asyncio.sleep(2.5)
    assert ran.count("publish") >= 2 and ran.count("cure") >= 2
    found.stop()
    await asyncio.wait_for(running, 15)


async def test_a_clock_that_is_set_is_caught_up_with(
    ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a day's sleep the plan is made at once, not at its hour."""
    ran: list[str] = []

    async def note(services: Services, name: str, now: datetime) -> None:
        ran.append(name)

    monkeypatch.setattr(daemon, "run_job", note)
    clock = Wrong(monkeypatch)
    found = Daemon(services_of(ledger))
    found.schedule()
    found.scheduler.start()
    watching = asyncio.create_task(found.watch_clock())
    await asyncio.sleep(0.5)
    assert ran == []
    clock.seconds = 86400
    await asyncio.sleep(1.5)
    assert set(daemon.CATCH_UP) <= set(ran)
    watching.cancel()
    found.scheduler.shutdown(wait=False)
