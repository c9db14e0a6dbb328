"""A server, people on it, and stock clients that connect to it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image
from telethon import TelegramClient
from telethon.crypto import AuthKey, rsa
from telethon.sessions import MemorySession

from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.records import Channel, User

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PHONE, CODE = "+79991112233", "54321"


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now


@dataclass
class Place:
    """The world of most tests."""

    server: LoopbackTelegram
    clock: Clock
    owner: User
    friend: User
    bot: User
    channel: Channel

    async def forward(self, **delta: float) -> None:
        await self.server.advance(self.clock.forward(**delta))


Connect = Callable[..., Awaitable[TelegramClient]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


def furnish(server: LoopbackTelegram, clock: Clock) -> Place:
    world = server.world
    owner = world.add_user("Хозяин", username="owner_x", phone=PHONE, code=CODE)
    friend = world.add_user("Друг", username="friend_x", phone="+79994445566", code="11111")
    bot = world.add_bot("Бот", username="some_test_bot", inline=True)
    channel = world.add_channel(
        "Котики", creator=owner, username="kotiki_test", members=1000, reactions=("👍", "👎")
    )
    return Place(server, clock, owner, friend, bot, channel)


@pytest.fixture
async def place(clock: Clock) -> AsyncIterator[Place]:
    server = LoopbackTelegram(clock=clock)
    place = furnish(server, clock)
    await server.start()
    yield place
    await server.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects stock clients: ``await connect(server, user=..., bot=..., session=...)``.

    Those given a user or a bot start with a signed-in key, unless ``exchange=True``.
    """
    clients = []

    async def connect(
        server: LoopbackTelegram,
        *,
        user: User | None = None,
        bot: User | None = None,
        session: Any = None,
        exchange: bool = False,
        **options: Any,
    ) -> TelegramClient:
        session = session if session is not None else MemorySession()
        session.set_dc(server.dc_id, *server.address)
        rsa.add_key(server.public_key_pem, old=False)
        someone = user or bot
        if someone is not None and not exchange and not session.auth_key:
            session.auth_key = AuthKey(server.signed_in_key(someone))
        options = {"retry_delay": 0.05, "request_retries": 1, "flood_sleep_threshold": 0} | options
        client = TelegramClient(session, 1, "hash", **options)
        clients.append(client)
        await client.connect()
        if user is not None and not await client.is_user_authorized():
            await client.send_code_request(f"+{user.phone}")
            await client.sign_in(f"+{user.phone}", user.code)
        if bot is not None and exchange:
            await client.sign_in(bot_token=bot.token)
        return client

    yield connect
    for client in clients:
        await client.disconnect()


def picture(seed: int = 0, size: tuple[int, int] = (96, 64), format: str = "JPEG") -> bytes:
    """A small picture, another one for each seed."""
    pixels = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize(size).save(out, format)
    return out.getvalue()


def photo_file(seed: int = 0, size: tuple[int, int] = (640, 480)) -> io.BytesIO:
    """A picture with a name, which Telethon's friendly methods need to send it as a photo."""
    file = io.BytesIO(picture(seed, size))
    file.name = "meme.jpg"
    return file
