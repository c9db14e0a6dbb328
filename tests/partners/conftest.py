"""A partner's bot of another hand, driven by the stock client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telethon import TelegramClient, events
from telethon.crypto import AuthKey, rsa
from telethon.sessions import MemorySession

from jobs.replies import replies
from jobs.services import Services
from jobs.suggest import suggest
from jobs.watch import watch
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.records import User
from tests.conftest import Clock
from tests.partners.test_conversations import BOT, add_memes, with_partner


class Box:
    """A partner's bot that says what a test makes it say."""

    def __init__(
        self, services: Services, server: LoopbackTelegram, clock: Clock, client: TelegramClient
    ) -> None:
        self.services, self.server, self.clock, self.client = services, server, clock, client
        self.pressed: list[bytes] = []
        self.heard: list[str] = []
        self.photos: list[int] = []
        client.add_event_handler(self._note, events.NewMessage(incoming=True))
        client.add_event_handler(self._press, events.CallbackQuery())

    async def _note(self, event: events.NewMessage.Event) -> None:
        (self.photos if event.photo else self.heard).append(event.id if event.photo else event.text)

    async def _press(self, event: events.CallbackQuery.Event) -> None:
        self.pressed.append(event.data)

    def on(self, kind: type, **filters: Any) -> Any:
        return self.client.on(kind(**filters))

    @property
    def owner(self) -> User:
        return next(u for u in self.server.world.users.values() if u.phone)

    async def live(self, *, rounds: int = 1, minutes: float = 5, offers: bool = False) -> None:
        for _ in range(rounds):
            await self.server.advance(self.clock.forward(minutes=minutes))
            if offers:
                await suggest(self.services, self.clock())
            await asyncio.sleep(0.1)
            await replies(self.services, self.clock())
            await asyncio.sleep(0.05)
            await watch(self.services, self.clock())


@pytest.fixture
async def box(services: Services, telegram: LoopbackTelegram, clock: Clock) -> AsyncIterator[Box]:
    world = telegram.world
    admin = world.add_user("Админ")
    world.add_channel("Их канал", creator=admin, username="their_channel", members=500)
    bot = world.add_bot("Предложка", username="box_bot")
    session = MemorySession()
    session.set_dc(telegram.dc_id, *telegram.address)
    rsa.add_key(telegram.public_key_pem, old=False)
    session.auth_key = AuthKey(telegram.signed_in_key(bot))
    client = TelegramClient(session, 1, "hash", retry_delay=0.05, request_retries=1)
    await client.connect()
    with_partner(services, **BOT)
    add_memes(services, 3)
    await watch(services, clock())
    yield Box(services, telegram, clock, client)
    await client.disconnect()
