"""What tests of several rooms share: a ledger in a folder, a loopback Telegram with our channel."""

from __future__ import annotations

import asyncio
import io
import json
import random
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from jobs.services import Services
from publisher.ledger.database import open_ledger
from publisher.ledger.migrations import migrate
from publisher.ledger.models import Channel, Meme, Post, Slot
from publisher.ledger.transitions import new_random_id
from publisher.sandbox import LoopbackTelegram
from publisher.settings import Secrets, Settings
from publisher.settings.model import PaceSettings, ServerSettings, TelegramSettings
from publisher.telegram.account import connect
from publisher.telegram.client import make_client
from publisher.workers import Workers

# A shell's background job is started with Ctrl-C ignored, and what it starts inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PHONE, CODE = "+79990001122", "12345"


@dataclass
class Clock:
    """Simulated time; sleeping passes it."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def forward(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Path]:
    """A fresh ledger bound to the models; the folder it is in."""
    database = open_ledger("sqlite:///var/memegen.db", tmp_path)
    migrate(database, tmp_path / "var" / "backups", clock())
    yield tmp_path
    database.close()


@pytest.fixture
async def telegram(clock: Clock) -> AsyncIterator[LoopbackTelegram]:
    """A loopback Telegram where the owner has the channel @our_channel."""
    server = LoopbackTelegram(seed=1, clock=clock)
    await server.start()
    owner = server.world.add_user("Владелец", phone=PHONE, code=CODE)
    server.world.add_channel("Наш канал", creator=owner, username="our_channel", members=1000)
    yield server
    await server.stop()


def settings_for(
    root: Path, server: LoopbackTelegram | None = None, **sections: object
) -> Settings:
    """Small settings with one channel, pointed at a loopback server when there is one."""
    there = None
    if server:
        host, port = server.address
        there = ServerSettings(
            address=host, port=port, dc_id=server.dc_id, public_key=server.public_key_pem
        )
    pace = PaceSettings(send_seconds=0, resolve_seconds=0, history_seconds=0, other_seconds=0)
    telegram = TelegramSettings(server=there, pace=pace, request_timeout_seconds=5.0)
    given = {
        "channels": [{"handle": "our_channel", "times": ["10:00", "18:00"], "caption": "подпись"}],
        **sections,
    }
    loaded = Settings.model_validate_json(json.dumps(given))
    return loaded.model_copy(update={"root": root, "telegram": telegram})


@pytest.fixture
async def services(
    ledger: Path, telegram: LoopbackTelegram, clock: Clock
) -> AsyncIterator[Services]:
    """Services with a ledger and the user account signed in to the loopback Telegram."""
    settings = settings_for(ledger, telegram)
    found = Services(
        settings=settings,
        secrets=Secrets(api_hash=SecretStr("x")),
        clock=clock,
        workers=Workers(),
        sleep=clock.sleep,
    )
    client = make_client(settings, "x", "user", bot=False)
    await client.connect()
    await client.send_code_request(PHONE)
    await client.sign_in(PHONE, CODE)
    await client.disconnect()
    found.user = await connect("user", settings, "x", clock, clock.sleep)
    yield found
    found.workers.close()
    await found.user.client.disconnect()


def picture(seed: int, side: int = 480) -> bytes:
    """A JPEG with large random blocks: pictures of different seeds differ to a perceptual hash."""
    dice = random.Random(seed)
    small = Image.new("RGB", (12, 12))
    small.putdata([tuple(dice.randrange(256) for _ in range(3)) for _ in range(144)])
    buffer = io.BytesIO()
    small.resize((side, side), Image.Resampling.NEAREST).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def make_post(
    services: Services, due: datetime, *, seed: int = 1, arm: str = "human", minutes: int = 90
) -> Post:
    """A planned post with its slot and its meme's picture on disk."""
    channel, _ = Channel.get_or_create(handle="our_channel")
    file, digest = services.keep_picture(picture(seed), arm)
    meme = Meme.create(
        origin=arm,
        language="ru",
        method="human",
        file=file,
        sha256=digest,
        state="queued",
        created_at=due,
    )
    slot = Slot.create(channel=channel, at=due, arm=arm, state="assigned")
    return Post.create(
        slot=slot,
        channel=channel,
        meme=meme,
        random_id=new_random_id(),
        caption="подпись",
        due_at=due,
        expires_at=due + timedelta(minutes=minutes),
    )
