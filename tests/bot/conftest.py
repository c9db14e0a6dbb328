"""A bot on the loopback Telegram, and people who write to it by the stock client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from telethon import TelegramClient, events
from telethon.crypto import rsa as telethon_rsa
from telethon.sessions import MemorySession

from jobs.services import Services
from publisher.bot import Bot
from publisher.ledger.database import open_ledger
from publisher.ledger.migrations import migrate
from publisher.sandbox import LoopbackTelegram
from publisher.settings import Secrets
from publisher.telegram.account import connect
from publisher.telegram.client import session_path
from publisher.workers import Workers
from tests.conftest import Clock, settings_for

OWNER = 4242
CODE = "12345"


@dataclass
class Running(Clock):
    """A clock that runs by itself as well."""

    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self.began)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def clock() -> Clock:
    return Running()


@dataclass
class Person:
    """A stock client signed in as a person, and what the bot said to it."""

    id: int
    client: TelegramClient
    bot: str
    heard: list[Any] = field(default_factory=list)
    edits: list[Any] = field(default_factory=list)

    async def say(self, text: str, **more: Any) -> Any:
        return await self.client.send_message(self.bot, text, **more)

    async def hears(
        self, wanted: Callable[[Any], bool] = lambda message: True, seconds: float = 10.0
    ) -> Any:
        """The first message heard that is wanted; taken off the list."""
        return await first(self.heard, wanted, seconds)

    async def hears_text(self, part: str, seconds: float = 10.0) -> Any:
        return await self.hears(lambda m: part in (m.raw_text or ""), seconds)

    async def hears_photo(self, seconds: float = 90.0) -> Any:
        return await self.hears(lambda m: m.photo is not None, seconds)


async def until(true: Callable[[], Any], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not in {seconds} s"
        await asyncio.sleep(0.02)


async def first(where: list[Any], wanted: Callable[[Any], bool], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for message in where:
            if wanted(message):
                where.remove(message)
                return message
        await asyncio.sleep(0.02)
    raise AssertionError(f"not heard in {seconds} s; heard {[m.raw_text for m in where]}")


@dataclass
class Stage:
    """Everything of one conversation test."""

    server: LoopbackTelegram
    clock: Clock
    root: Path
    ahead: timedelta = timedelta(0)  # the bot's clock, of Telegram's
    people: list[Person] = field(default_factory=list)
    sections: dict[str, Any] = field(default_factory=dict)
    services: Services | None = None
    bot: Bot | None = None
    _task: asyncio.Task[None] | None = None

    async def person(self, name: str = "Аня", *, id: int | None = None, lang: str = "ru") -> Person:
        world = self.server.world
        phone = f"+7999{len(self.people):07d}"
        user = world.add_user(name, phone=phone, code=CODE, lang_code=lang, id=id)
        client = stock_client(self.server)
        await client.connect()
        await client.send_code_request(phone)
        await client.sign_in(phone, CODE)
        found = Person(user.id, client, "meme_bot")

        async def on_new(event: Any) -> None:
            found.heard.append(event.message)

        async def on_edit(event: Any) -> None:
            found.edits.append(event.message)

        client.add_event_handler(on_new, events.NewMessage(incoming=True))
        client.add_event_handler(on_edit, events.MessageEdited())
        self.people.append(found)
        return found

    async def start(self, **sections: Any) -> Bot:
        """Start (or, after `stop`, restart) the bot."""
        self.sections = {"owner": {"ids": [OWNER]}, "bot": {"model": False}} | sections
        settings = settings_for(self.root, self.server, **self.sections)
        token = self.server.world.by_username("meme_bot").token
        services = Services(
            settings=settings,
            secrets=Secrets(api_hash=SecretStr("x"), bot_token=SecretStr(token)),
            clock=lambda: self.clock() + self.ahead,
            workers=WORKERS,
            sleep=self.clock.sleep,
        )
        services.bot = await connect(
            "bot", settings, "x", self.clock, self.clock.sleep, bot_token=token
        )
        self.services, self.bot = services, Bot(services)
        self._task = asyncio.create_task(self.bot.serve())
        for _ in range(200):
            if self.bot.username or self._task.done():
                break
            await asyncio.sleep(0.02)
        if self._task.done():
            self._task.result()
        return self.bot

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError, BaseExceptionGroup):
                await self._task
            self._task = None
        if self.services and self.services.bot:
            await self.services.bot.client.disconnect()


WORKERS = Workers(idle_seconds=60)


def stock_client(server: LoopbackTelegram) -> TelegramClient:
    telethon_rsa.add_key(server.public_key_pem.encode(), old=False)
    session = MemorySession()
    session.set_dc(server.dc_id, *server.address)
    return TelegramClient(session, 1, "x", connection_retries=1)


@pytest.fixture
async def stage(tmp_path: Path, clock: Clock) -> AsyncIterator[Stage]:
    server = LoopbackTelegram(seed=1, clock=clock)
    await server.start()
    server.world.add_bot("Мемобот", username="meme_bot", inline=True)
    database = open_ledger("sqlite:///var/memegen.db", tmp_path)
    migrate(database, tmp_path / "var" / "backups", clock())
    found = Stage(server, clock, tmp_path)
    yield found
    await found.stop()
    for person in found.people:
        await person.client.disconnect()
    await server.stop()
    database.close()
    session_path(tmp_path / "var", "bot").unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def one_child() -> Any:
    yield
    WORKERS.close()
