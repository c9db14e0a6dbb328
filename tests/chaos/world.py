"""One world: a loopback Telegram in a process of its own, and a ledger full of posts to come."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import OperationalError
from PIL import Image
from telethon import TelegramClient
from telethon.sessions import MemorySession

from publisher.ledger.database import open_ledger
from publisher.ledger.migrations import migrate
from publisher.ledger.models import Block, Channel, Experiment, Meme, Post, Slot
from publisher.ledger.transitions import new_random_id
from publisher.memes.phash import picture_hash
from publisher.settings import load_settings
from publisher.telegram.client import make_client
from tests.chaos.fastclock import FastClock, write_clock

PHONE, CODE = "79990001122", "12345"
EDITOR = "owner_of_all"
BOT, TOKEN = "chaos_bot", "1000:chaos"
ASKER = "79990003344"
HANDLES = ("chaos_one", "chaos_two")
SPEED = 60.0
START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
CAPTION = "подпись"

WORLD = {
    "users": [
        {"name": "Владелец", "username": "founder", "phone": ASKER, "code": CODE},
        {"name": "Редактор", "username": EDITOR, "phone": PHONE, "code": CODE},
    ],
    "bots": [{"name": "Бот", "username": BOT, "token": TOKEN}],
    "channels": [
        {
            "title": handle,
            "username": handle,
            "creator": "founder",
            "admins": [EDITOR],
            "members": 100,
        }
        for handle in HANDLES
    ],
}

CONFIG = """
state_dir = "var"
reports_dir = "reports"
[database]
url = "sqlite:///var/memegen.db"
[telegram]
request_timeout_seconds = 3.0
[telegram.server]
address = "127.0.0.1"
port = {port}
dc_id = {dc}
public_key = \"\"\"
{key}\"\"\"
[telegram.pace]
send_seconds = 24.0
resolve_seconds = 6.0
history_seconds = 1.0
other_seconds = 0.5
widen_hours = 0.2
[bot]
enabled = true
{channels}
[jobs]
publish = "every 1s"
reconcile = "every 1s"
cure = "every 1s"
alert = "every 5s"
assign = "every 7s"
plan = "every 9s"
"""
CHANNEL = """
[[channels]]
handle = "{handle}"
times = ["10:00", "18:00"]
weekdays = ["sat"]
"""
QUIET: tuple[str, ...] = (
    "collect",
    "topics",
    "ingest",
    "generate",
    "snapshot",
    "suggest",
    "replies",
    "watch",
)
QUIET += ("members", "report", "housekeeping")


class Server:
    """The loopback Telegram's process; `stop` and `start` keep its port and its state."""

    def __init__(self, folder: Path, mode: str, seed: int) -> None:
        self.folder, self.mode, self.seed = folder, mode, seed
        self.port = self.control_port = 0
        self.about: dict[str, Any] = {}
        (folder / "world.json").write_text(json.dumps(WORLD))
        self.process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.chaos.server", str(self.folder)]
        command += ["--state", str(self.folder / "server"), "--random-id", self.mode]
        command += ["--world", str(self.folder / "world.json"), "--seed", str(self.seed)]
        command += ["--port", str(self.port), "--control-port", str(self.control_port)]
        with (self.folder / "server.log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the server did not start, see {self.folder / 'server.log'}")
        self.about = json.loads(line)
        self.port, self.control_port = self.about["port"], self.about["control_port"]

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait()

    def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self.control_port), timeout=30) as there:
            there.sendall(json.dumps({"op": op, **fields}).encode() + b"\n")
            answer = json.loads(there.makefile().readline())
        if not answer["ok"]:
            raise RuntimeError(f"{op}: {answer['error']}")
        return answer

    def close(self) -> None:
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass
class World:
    folder: Path
    clock: FastClock
    server: Server
    mounted: bool
    assignment: list[tuple[Any, ...]] = field(default_factory=list)

    @property
    def daemon_clock(self) -> FastClock:
        """As the daemon sees it, wrong when it was stepped."""
        return FastClock(self.folder, stepped=True)

    @property
    def ledger(self) -> Path:
        return self.folder / "var" / "memegen.db"

    @property
    def media(self) -> Path:
        return self.folder / "var" / "media"

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the ledger from outside, whatever its daemon does, once the disk allows it."""
        until = time.monotonic() + 20
        while True:
            there = sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True, timeout=20)
            try:
                return there.execute(query, values).fetchall()
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
            finally:
                there.close()

    def close(self) -> None:
        self.server.close()
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.folder / "var")], check=False)


def build_world(
    folder: Path,
    seed: int,
    posts: int,
    mode: str,
    *,
    start: datetime = START,
    speed: float = SPEED,
    lead: timedelta = timedelta(minutes=1),
    gap: timedelta = timedelta(seconds=30),
) -> World:
    """A server, a signed-in account and `posts` posts: the first after `lead`, then each `gap`."""
    dice = random.Random(seed)
    folder.mkdir(parents=True)
    state = folder / "var"
    state.mkdir(mode=0o700)
    mounted = _small_disk(state)
    clock = write_clock(folder, start, speed)
    server = Server(folder, mode, seed)
    channels = "".join(CHANNEL.format(handle=handle) for handle in HANDLES)
    text = CONFIG.format(
        port=server.port,
        dc=server.about["dc_id"],
        key=server.about["public_key"],
        channels=channels,
    )
    text += "".join(f'{name} = "every 9d"\n' for name in QUIET)
    (folder / "config.toml").write_text(text)
    asyncio.run(_sign_in(folder))
    found = World(folder, clock, server, mounted)
    _fill_ledger(found, dice, [clock() + lead + gap * number for number in range(posts)])
    found.assignment = assignment(found)
    return found


def _small_disk(state: Path) -> bool:
    """A disk that can be filled; only root may mount one."""
    if os.geteuid():
        return False
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", str(state)]
    return subprocess.run(mount, check=False, capture_output=True).returncode == 0


async def _sign_in(folder: Path) -> None:
    settings = load_settings(folder / "config.toml")
    client = make_client(settings, "x", "user", bot=False)
    await client.connect()
    await client.send_code_request(PHONE)
    await client.sign_in(PHONE, CODE)
    await client.disconnect()


async def bot_answers(world: World, seconds: float) -> bool:
    """Whether a person who writes to the bot hears from it within so many real seconds."""
    client = TelegramClient(MemorySession(), 1, "x", flood_sleep_threshold=0)
    client.session.set_dc(world.server.about["dc_id"], "127.0.0.1", world.server.port)
    await client.connect()
    await client.send_code_request(ASKER)
    await client.sign_in(ASKER, CODE)
    try:
        asked = await client.send_message(BOT, "/help")
        for _ in range(int(seconds * 5)):
            async for message in client.iter_messages(BOT, min_id=asked.id, limit=1):
                return bool(message.text)
            await asyncio.sleep(0.2)
        return False
    finally:
        await client.disconnect()


def _fill_ledger(world: World, dice: random.Random, dues: list[datetime]) -> None:
    database = open_ledger("sqlite:///var/memegen.db", world.folder)
    migrate(database, world.folder / "var" / "backups", world.clock())
    with database.atomic():
        experiment = Experiment.create(
            name="chaos",
            registration={},
            version=1,
            digest="",
            secret_hash="",
            started_at=world.clock(),
        )
        for times in zip(dues[::2], dues[1::2], strict=False):
            _add_pair(world, experiment, times, dice)
    database.close()


def feed(world: World, dice: random.Random) -> None:
    """Two more posts when the coming minute has fewer, so that every kill meets work.

    Like any other process that writes, it may find the disk full or the ledger locked.
    """
    now = world.daemon_clock()
    near = "SELECT count(*) FROM post WHERE state = 'planned' AND due_at <= ?"
    if world.rows(near, str((now + timedelta(minutes=1)).replace(tzinfo=None)))[0][0] >= 2:
        return
    database = open_ledger("sqlite:///var/memegen.db", world.folder)
    try:
        with database.atomic():
            times = (now + timedelta(seconds=5), now + timedelta(seconds=20))
            _add_pair(world, Experiment.get(), times, dice)
    except (OSError, OperationalError):
        return
    finally:
        database.close()
    world.assignment += assignment(world)[len(world.assignment) :]


def _add_pair(
    world: World, experiment: Experiment, times: Sequence[datetime], dice: random.Random
) -> None:
    pair = Block.select().count()
    channel, _ = Channel.get_or_create(handle=HANDLES[pair % len(HANDLES)])
    arms = dice.sample(("human", "generated"), 2)
    block = Block.create(
        pair_id=f"chaos|{pair}",
        experiment=experiment,
        channel=channel,
        first_at=times[0],
        second_at=times[1],
        coin=arms[0],
        assigned_at=world.clock(),
    )
    for at, arm in zip(times, arms, strict=True):
        _add_post(world, channel, block, at, arm, dice)


def _add_post(
    world: World, channel: Channel, block: Block, at: datetime, arm: str, dice: random.Random
) -> None:
    jpeg = _picture(dice)
    digest = hashlib.sha256(jpeg).hexdigest()
    file = world.media / f"{arm}/{digest}.jpg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(jpeg)
    meme = Meme.create(
        origin=arm,
        language="ru",
        method="human",
        file=str(file.relative_to(world.media)),
        sha256=digest,
        phash=picture_hash(jpeg),
        state="queued",
        created_at=at,
    )
    slot = Slot.create(channel=channel, at=at, block=block, arm=arm, state="assigned")
    patience = timedelta(minutes=dice.choice((20, 90, 600)))
    Post.create(
        slot=slot,
        channel=channel,
        meme=meme,
        random_id=new_random_id(),
        caption=CAPTION,
        due_at=at,
        expires_at=at + patience,
    )


def _picture(dice: random.Random, side: int = 192) -> bytes:
    """Posts share a half of their picture, as memes on one template do."""
    small = Image.new("RGB", (12, 12))
    template = random.Random(dice.randrange(3))
    cells = [tuple(template.randrange(256) for _ in range(3)) for _ in range(72)]
    cells += [tuple(dice.randrange(256) for _ in range(3)) for _ in range(72)]
    small.putdata(cells)
    buffer = io.BytesIO()
    small.resize((side, side), Image.Resampling.NEAREST).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def assignment(world: World) -> list[tuple[Any, ...]]:
    """What no crash may change: pairs, coins, arms, and which meme stands in which slot."""
    return world.rows(
        "SELECT p.id, p.random_id, p.due_at, s.at, s.arm, s.channel_id, m.id, m.origin, m.sha256, "
        "b.pair_id, b.coin FROM post p JOIN slot s ON s.id = p.slot_id "
        "JOIN meme m ON m.id = p.meme_id JOIN block b ON b.id = s.block_id ORDER BY p.id"
    )
