"""The daemon: APScheduler, Telethon and the watchdog in one asyncio loop.

It keeps no plan of its own: triggers come from config.toml, due work from the ledger, so that a
restart catches up by reading the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from telethon.errors import RPCError

from jobs.generate import stock
from jobs.runner import run_job
from jobs.services import Services
from jobs.table import JOBS
from publisher.bot import serve_bot
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.database import open_ledger
from publisher.ledger.migrations import migrate
from publisher.lock import sole_owner
from publisher.sentences import words
from publisher.settings import Secrets, Settings, parse_trigger
from publisher.telegram.account import SignInError, connect
from publisher.telegram.errors import WAY_TROUBLE
from publisher.telegram.governor import NotNow
from publisher.watchdog import Watchdog, notify, watchdog_seconds
from publisher.workers import Workers

log = logging.getLogger(__name__)

CATCH_UP = ("reconcile", "plan", "ingest", "assign", "publish")
FIRST_STOCK = ("collect", "topics", "generate", "assign")  # nothing that is due waits for these
GRACE_SECONDS = 8.0
MORE_TIME = 300_000_000  # microseconds until systemd takes a waiting start for a failed one
CLOCK_LOOK_SECONDS = 5.0
CLOCK_JUMP_SECONDS = 30.0
BOT_PAUSES = (5.0, 300.0)
BOT_IS_WELL = 600.0
BOT_ENDS_BEFORE_ALERT = 3
BOT_ALERT = "bot"


wall_clock = time.time


def utc_now() -> datetime:
    return datetime.now(UTC)


def open_settings_ledger(settings: Settings, secrets: Secrets, now: datetime) -> None:
    """Open the ledger that config.toml names and bring its schema up to date."""
    password = secrets.database_password
    found = open_ledger(
        settings.database.url, settings.root, password.get_secret_value() if password else None
    )
    migrate(found, settings.state / "backups", now)


async def connect_accounts(services: Services) -> None:
    """Sign the user account in, and the bot when there is a token.

    Raises SignInError, NotNow, telethon's errors, OSError.
    """
    await connect_user(services)
    if services.wants_bot:
        await connect_bot(services)


async def connect_user(services: Services) -> None:
    settings = services.settings
    api_hash = api_hash_of(services)
    check_api_keys(settings, api_hash)
    if services.user is None:
        services.user = await connect("user", settings, api_hash, services.clock, services.sleep)


def check_api_keys(settings: Settings, api_hash: str) -> None:
    """Raises SignInError where Telegram's own servers are to be asked without the keys to them."""
    if not settings.telegram.server and not (settings.telegram.api_id and api_hash):
        raise SignInError(
            words(
                "telegram.api_id in config.toml and TELEGRAM_API_HASH are needed; get them at "
                "https://my.telegram.org"
            )
        )


async def connect_bot(services: Services) -> None:
    token = services.secrets.bot_token
    assert token is not None
    services.bot = await connect(
        "bot",
        services.settings,
        api_hash_of(services),
        services.clock,
        services.sleep,
        bot_token=token.get_secret_value(),
    )


def api_hash_of(services: Services) -> str:
    found = services.secrets.api_hash
    return found.get_secret_value() if found else ""


@contextmanager
def logged(what: str) -> Iterator[None]:
    """Go on when the ledger does not take it."""
    try:
        yield
    except Exception:
        log.exception("the ledger does not take %s", what)


def first_of(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def disconnect_accounts(services: Services) -> None:
    for account in filter(None, (services.user, services.bot)):
        await account.client.disconnect()


class Daemon:
    """Runs until `stop()`; every job runs through `run_job`, which never raises."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.scheduler = AsyncIOScheduler(
            timezone=services.settings.zone,
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self.stopping = asyncio.Event()
        self.running: set[asyncio.Task[Any]] = set()
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.bot: asyncio.Task[None] | None = None
        self.clock_watch: asyncio.Task[None] | None = None
        self.connected = False

    async def run(self) -> None:
        """Connect, catch up, then work the trigger table until told to stop.

        Raises SignInError when nobody signed in.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        interval = watchdog_seconds()
        watchdog = Watchdog(loop, interval) if interval else None
        if watchdog:
            watchdog.start()
        beginning = asyncio.create_task(self.begin())
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({beginning, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if beginning.done():
                beginning.result()
            await stopped
        finally:
            stopped.cancel()
            notify("STOPPING=1")
            await self.shut_down(beginning)
            if watchdog:
                watchdog.stop()

    async def connect(self) -> None:
        """Telegram out of reach, or telling us to wait, is no reason to end: a restart would find
        it so too."""
        pause = 5
        while True:
            try:
                return await connect_user(self.services)
            except (RPCError, NotNow, *WAY_TROUBLE) as error:
                log.warning("Telegram is out of reach (%s); again in %d s", error, pause)
                notify(f"STATUS=Telegram is out of reach\nEXTEND_TIMEOUT_USEC={MORE_TIME}")
            await self.services.sleep(pause)
            pause = min(pause * 2, 60)

    async def begin(self) -> None:
        await self.connect()
        self.connected = True
        notify("READY=1\nSTATUS=at work")
        log.info("ready")
        if self.services.wants_bot:
            self.bot = asyncio.create_task(self.keep_bot())
        for name in CATCH_UP:
            if not self.stopping.is_set():
                await self.job(name)
        if not self.stopping.is_set():
            self.schedule()
            self.scheduler.start()
            self.clock_watch = asyncio.create_task(self.watch_clock())
        await self.fill_first_stock()

    async def fill_first_stock(self) -> None:
        """Make memes at once where the generated arm has none, as at the first start of all."""
        channels = [c for c in self.services.settings.channels if not c.paused]
        empty = False
        with logged("a look at the stock"):
            empty = not all(stock(channel.language) for channel in channels)
        for name in FIRST_STOCK if empty else ():
            if not self.stopping.is_set():
                await self.job(name)

    async def keep_bot(self) -> None:
        """Serve the bot, and begin anew when it ends: after 5 s, then twice as long each time, up
        to 5 minutes, until it was well for a while. The owner is told at the third end in a row.

        It connects here and not before everything else: posts do not wait for the bot."""
        ends, pause = 0, BOT_PAUSES[0]
        while True:
            serving = asyncio.create_task(self.serve_bot())
            try:
                done, _ = await asyncio.wait({serving}, timeout=BOT_IS_WELL)
                if not done:
                    ends, pause = 0, BOT_PAUSES[0]
                    self.bot_is_well()
                    await asyncio.wait({serving})
            finally:
                serving.cancel()
            error = first_of(None if serving.cancelled() else serving.exception())
            ends += 1
            log.error("the bot ended; again in %.0f s", pause, exc_info=error)
            if ends >= BOT_ENDS_BEFORE_ALERT:
                self.bot_is_ill(error)
            if isinstance(error, SignInError):
                await self.sign_bot_out()
            await self.services.sleep(pause)
            pause = min(pause * 2, BOT_PAUSES[1])

    async def serve_bot(self) -> None:
        if self.services.bot is None:
            await connect_bot(self.services)
        await serve_bot(self.services)

    async def sign_bot_out(self) -> None:
        """Its token signs it in again, unless that is refused too."""
        bot, self.services.bot = self.services.bot, None
        if bot:
            with logged("the bot's session"):
                await bot.client.disconnect()

    def bot_is_well(self) -> None:
        with logged("what was told of the bot"):
            cure_alert(BOT_ALERT, self.services.clock())

    def bot_is_ill(self, error: BaseException | None) -> None:
        reason = f"{type(error).__name__}: {error}"[:300] if error else words("it just ended")
        with logged("the bot's ends"):
            facts = {"job": "bot", "reason": reason}
            raise_alert(BOT_ALERT, "job_failing", facts, self.services.clock())

    def schedule(self) -> None:
        """Every job at its next time by the clock as it is now."""
        settings = self.services.settings
        for name in JOBS:
            trigger = parse_trigger(getattr(settings.jobs, name), settings.zone)
            self.scheduler.add_job(self.job, trigger, args=[name], id=name, replace_existing=True)

    async def watch_clock(self) -> None:
        """When the clock was set, or the machine slept, plan every job's next time anew.

        The scheduler remembers times: after a clock was set back it would be silent for as long.
        """
        drift = wall_clock() - time.monotonic()
        while True:
            await asyncio.sleep(CLOCK_LOOK_SECONDS)
            jump = wall_clock() - time.monotonic() - drift
            drift += jump
            if abs(jump) >= CLOCK_JUMP_SECONDS:
                log.warning("the clock jumped by %+.0f s; every job's next time is new", jump)
                self.schedule()
                for name in CATCH_UP:
                    self.scheduler.modify_job(name, next_run_time=datetime.now(UTC))

    async def job(self, name: str) -> None:
        """Run it in its turn: never beside itself, whoever began it."""
        task = asyncio.current_task()
        if task:
            self.running.add(task)
        try:
            async with self.turns[name]:
                await run_job(self.services, name, self.services.clock())
        except Exception:
            # Not even its record could be written: a full disk, a database held by another.
            log.exception("job %s left no record", name)
        finally:
            if task:
                self.running.discard(task)

    def stop(self) -> None:
        self.stopping.set()

    async def shut_down(self, beginning: asyncio.Task[None]) -> None:
        """Let running jobs end for a few seconds, then leave them; the ledger knows the rest."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        for task in filter(None, (self.bot, self.clock_watch)):
            task.cancel()
        if not self.connected:
            beginning.cancel()
        left = {task for task in (beginning, *self.running) if not task.done()}
        if left:
            _, late = await asyncio.wait(left, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)
        self.services.workers.close()
        await disconnect_accounts(self.services)
        log.info("stopped")


async def run_daemon(settings: Settings, secrets: Secrets) -> None:
    """`publisher run`. Raises AlreadyRunning, SignInError, LedgerError, OSError."""
    with sole_owner(settings.state):
        open_settings_ledger(settings, secrets, utc_now())
        idle = settings.model.idle_minutes * 60
        workers = Workers(idle, settings.model.threads)
        await Daemon(Services(settings, secrets, utc_now, workers)).run()
