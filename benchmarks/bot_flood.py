"""A flood on the bot: many people, many messages each, within a minute, over the loopback server.

    python -m benchmarks.bot_flood [--people 1000] [--messages 20] [--seconds 60] [--model]

The server and the crowd run in a process of their own, so that what is measured is the daemon's:
the lag of its event loop, its memory, whether the channel's posts go out on time meanwhile, how
long people wait. The daemon is the real one, with its scheduler, its publishing job and a ledger
of some months; memes are made in its child process. All share this machine's cores. The crowd
writes through the server to the bot's stock client; one ordinary person, a stock client too,
asks once in the middle of it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil

TOPICS = (
    "дедлайн", "кот", "понедельник", "отпуск", "созвон", "кофе", "будильник", "зарплата",
    "обновление", "доставка еды", "дача", "ремонт", "пробки", "лифт", "самокат", "погода",
    "экзамен", "сериал", "пельмени", "домофон", "очередь", "маршрутка", "принтер", "пароль",
)  # fmt: skip
PHONE, CODE = "+79990001122", "12345"
ORDINARY = "+79990003344"
POST_EVERY = 5
PUBLISH_EVERY = 2
SHOWN, OLD = 300, 2000
"""Memes in the ledger before: published ones with pictures, and older ones."""


def crowd(
    pipe: Connection, people: int, messages: int, seconds: float, seed: int, drain: float
) -> None:
    """The server's process."""
    asyncio.run(_crowd(pipe, people, messages, seconds, seed, drain))


async def _crowd(
    pipe: Connection, people: int, messages: int, seconds: float, seed: int, drain: float
) -> None:
    from publisher.sandbox import LoopbackTelegram

    server = LoopbackTelegram(seed=seed)
    await server.start()
    world = server.world
    owner = world.add_user("Владелец", phone=PHONE, code=CODE)
    world.add_channel("Канал", creator=owner, username="our_channel", members=1000)
    bot = world.add_bot("Бот", username="meme_bot", inline=True)
    world.add_user("Обычный", phone=ORDINARY, code=CODE)
    mob = [world.add_user(f"Н{n}") for n in range(people)]
    pipe.send((server.address, server.dc_id, server.public_key_pem, bot.token))
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, pipe.recv)
    dice = random.Random(seed)
    plan = sorted((dice.uniform(0, seconds), user) for user in mob * messages)
    ordinary = asyncio.create_task(ordinary_person(server, seconds / 2, drain))
    began, worst = time.monotonic(), 0.0
    for at, user in plan:
        delay = at - (time.monotonic() - began)
        if delay > 0:
            await asyncio.sleep(delay)
        else:
            worst = max(worst, -delay)
            await asyncio.sleep(0)
        world.say(user, bot, f"{dice.choice(TOPICS)} и {dice.choice(TOPICS)} {dice.randrange(50)}")
    sent = time.monotonic() - began
    pipe.send(("sent", len(plan), sent, worst))
    waited = await ordinary
    await loop.run_in_executor(None, pipe.recv)
    pipe.send((waited, replies(world, mob)))
    await server.stop()


async def ordinary_person(server: Any, after: float, patience: float) -> tuple[float, float] | None:
    """Seconds until the notice and until the meme; None when it never came."""
    from telethon import TelegramClient, events
    from telethon.crypto import rsa
    from telethon.sessions import MemorySession

    rsa.add_key(server.public_key_pem.encode(), old=False)
    session = MemorySession()
    session.set_dc(server.dc_id, *server.address)
    client = TelegramClient(session, 1, "x")
    await client.connect()
    await client.send_code_request(ORDINARY)
    await client.sign_in(ORDINARY, CODE)
    heard: list[tuple[float, bool]] = []

    async def on_new(event: Any) -> None:
        heard.append((time.monotonic(), event.message.photo is not None))

    client.add_event_handler(on_new, events.NewMessage(incoming=True))
    await asyncio.sleep(after)
    asked = time.monotonic()
    await client.send_message("meme_bot", "бабушкин пирог")
    while time.monotonic() < asked + patience and not any(photo for _, photo in heard):
        await asyncio.sleep(0.1)
    await client.disconnect()
    photos = [at for at, photo in heard if photo]
    return (heard[0][0] - asked, photos[0] - asked) if photos else None


def replies(world: Any, mob: list[Any]) -> dict[str, int]:
    """How many of the crowd heard what."""
    counts = {"answered at all": 0, "got a picture": 0, "messages to them": 0}
    for user in mob:
        from publisher.sandbox.records import Peer

        box = world.box(Peer("user", user.id)).messages.values()
        got = [m for m in box if not m.out]
        counts["messages to them"] += len(got)
        counts["answered at all"] += bool(got)
        counts["got a picture"] += any(m.media for m in got)
    return counts


@dataclass
class Watch:
    """The event loop's lag and the process's memory, sampled."""

    lags: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    children: list[float] = field(default_factory=list)
    heard: int = 0
    outbox: int = 0

    async def run(self, bot: Any, server: int) -> None:
        """`server`: the process id of the server, which is not the daemon's child."""
        process = psutil.Process()
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.02)
            self.lags.append(time.perf_counter() - before - 0.02)
            self.heard = max(self.heard, bot.account.heard.qsize())
            self.outbox = max(self.outbox, len(bot.outbox))
            if len(self.lags) % 25 == 0:
                self.memory.append(process.memory_info().rss / 2**20)
            if len(self.lags) % 500 == 0:
                await asyncio.to_thread(self._look_at_children, process, server)

    def _look_at_children(self, process: psutil.Process, server: int) -> None:
        for child in process.children():
            with suppress(psutil.NoSuchProcess):
                if child.pid != server:
                    self.children.append(child.memory_info().rss / 2**20)


async def flood(options: argparse.Namespace, root: Path) -> None:
    from publisher import daemon
    from publisher.bot import Bot
    from publisher.ledger.models import Post, Wish
    from publisher.telegram.account import make_client

    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=crowd,
        args=(
            there,
            options.people,
            options.messages,
            options.seconds,
            options.seed,
            options.drain,
        ),
        daemon=True,
    )
    process.start()
    loop = asyncio.get_running_loop()
    address, dc_id, key, token = await loop.run_in_executor(None, here.recv)
    services = make_services(root, address, dc_id, key, token, options.model)
    client = make_client(services.settings, "x", "user", bot=False)
    await client.connect()
    await client.send_code_request(PHONE)
    await client.sign_in(PHONE, CODE)
    await client.disconnect()
    furnish(services)
    bots: list[Any] = []

    async def serve(services: Any) -> None:
        bots.append(Bot(services))
        await bots[0].serve()

    daemon.serve_bot = serve
    running, watch = daemon.Daemon(services), Watch()
    beginning = asyncio.create_task(running.begin())
    await beginning
    while not (bots and bots[0].username):
        await asyncio.sleep(0.1)
    bot = bots[0]
    await warm_up(services)
    rest = psutil.Process().memory_info().rss / 2**20
    posts = plan_posts(services, options.seconds)
    watching = asyncio.create_task(watch.run(bot, process.pid or 0))
    load = os.getloadavg()[0]
    here.send("go")
    sent = await loop.run_in_executor(None, here.recv)
    during = len(watch.lags)
    end = time.monotonic() + options.drain
    while time.monotonic() < end:
        open_ = Wish.select().where(Wish.state.in_(("waiting", "working", "sending"))).count()
        if not open_ and bot.account.heard.empty() and not len(bot.outbox):
            break
        await asyncio.sleep(0.5)
    here.send("end")
    waited, heard = await loop.run_in_executor(None, here.recv)
    report(options, sent, watch, during, rest, waited, heard, posts, load, bot, root)
    watching.cancel()
    await running.shut_down(beginning)
    process.join(20)
    assert Post.select().count() == len(posts)


def make_services(
    root: Path, address: tuple[str, int], dc_id: int, key: str, token: str, model: bool
) -> Any:
    from pydantic import SecretStr

    from jobs.services import Services
    from publisher.ledger.database import open_ledger
    from publisher.ledger.migrations import migrate
    from publisher.settings import Secrets, Settings
    from publisher.settings.model import PaceSettings, ServerSettings, TelegramSettings
    from publisher.workers import Workers

    def now() -> datetime:
        return datetime.now(UTC)

    settings = Settings.model_validate_json(
        '{"channels": [{"handle": "our_channel", "times": ["10:00"], "paused": false}],'
        f' "jobs": {{"publish": "every {PUBLISH_EVERY}s"}},'
        f' "bot": {{"model": {str(model).lower()}}}}}'
    )
    server = ServerSettings(address=address[0], port=address[1], dc_id=dc_id, public_key=key)
    pace = PaceSettings(send_seconds=1, resolve_seconds=0, history_seconds=0, other_seconds=0)
    telegram = TelegramSettings(server=server, pace=pace)
    settings = settings.model_copy(update={"root": root, "telegram": telegram})
    migrate(open_ledger(settings.database.url, root), root / "backups", now())
    secrets = Secrets(api_hash=SecretStr("x"), bot_token=SecretStr(token))
    return Services(settings, secrets, now, Workers(idle_seconds=600))


async def warm_up(services: Any) -> None:
    """Start the child before the clock runs: the model's loading is measured elsewhere."""
    from publisher.memes.make import MakeRequest, make_memes

    request = MakeRequest("кофе", count=1, use_model=services.settings.bot.model, budget_s=30)
    await services.workers.run(make_memes, request)


def furnish(services: Any) -> None:
    """A ledger of some months: what a bot that serves looks things up in."""
    from publisher.ledger.models import Meme, Topic, database

    now, dice = services.clock(), random.Random(7)
    pictures = [services.keep_picture(picture(1000 + n), "generated") for n in range(20)]
    with database.atomic():
        for number in range(SHOWN + OLD):
            words = dice.choice(TOPICS), dice.choice(TOPICS)
            topic = Topic.create(
                title=" и ".join(words), language="ru", score=0.5, ok=True, found_at=now
            )
            shown = number >= OLD
            file, digest = pictures[number % 20] if shown else ("", "")
            Meme.create(
                origin="generated", topic=topic, template="no_yes", language="ru", method="frame",
                texts=[f"{words[0]} завтра, номер {number}", f"{words[1]} уже сегодня"],
                file=file, sha256=digest, state="used" if shown else "retired",
                score=0.5, reasons={"fits": 0.5}, created_at=now - timedelta(days=1 + number % 50),
            )  # fmt: skip


def picture(seed: int) -> bytes:
    """A JPEG of a meme's weight."""
    import io

    from PIL import Image

    buffer = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (160, 160, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((800, 800)).save(buffer, "JPEG")
    return buffer.getvalue()


def plan_posts(services: Any, seconds: float) -> list[Any]:
    """A post of the channel every few seconds, in the ledger."""
    from publisher.ledger.models import Channel, Meme, Post, Slot
    from publisher.ledger.transitions import new_random_id

    channel, _ = Channel.get_or_create(handle="our_channel")
    posts = []
    for number in range(int(seconds // POST_EVERY)):
        due = services.clock() + timedelta(seconds=number * POST_EVERY + 2)
        file, digest = services.keep_picture(picture(number), "human")
        meme = Meme.create(
            origin="human", language="ru", method="human", file=file, sha256=digest, created_at=due
        )
        slot = Slot.create(channel=channel, at=due, arm="human", state="assigned")
        posts.append(
            Post.create(
                slot=slot,
                channel=channel,
                meme=meme,
                random_id=new_random_id(),
                due_at=due,
                expires_at=due + timedelta(minutes=90),
            )
        )
    return posts


def report(
    options: argparse.Namespace,
    sent: tuple[str, int, float, float],
    watch: Watch,
    during: int,
    rest: float,
    waited: tuple[float, float] | None,
    heard: dict[str, int],
    posts: list[Any],
    load: float,
    bot: Any,
    root: Path,
) -> None:
    from publisher.ledger.models import Post, Wish

    lags = np.array(watch.lags) * 1000
    _, count, took, behind = sent
    print(f"{options.people} people × {options.messages} messages: {count} sent in {took:.0f} s")
    print(f"  (crowd at most {behind:.1f} s behind its plan; {os.cpu_count()} cores for the server"
          f" with the crowd, the daemon and its child; load before: {load:.1f})")  # fmt: skip
    for name, part in (("flood", lags[:during]), ("whole run", lags)):
        p50, p99 = np.percentile(part, [50, 99])
        print(f"loop lag, {name}: median {p50:.1f} ms, p99 {p99:.0f} ms, max {part.max():.0f} ms")
    print(f"memory: {rest:.0f} MB at rest, {max(watch.memory):.0f} MB at most; "
          f"its child {max(watch.children, default=0):.0f} MB at most")  # fmt: skip
    disk = sum(p.stat().st_size for p in root.rglob("*") if p.is_file() and "bot" in p.parts)
    print(f"on disk for the wishes: {disk / 2**20:.0f} MB of pictures")
    print(f"backlog at most: {watch.heard} events, {watch.outbox} messages to send")
    late = [
        (p.published_at - p.due_at).total_seconds() if p.published_at else float("inf")
        for p in Post.select().where(Post.id.in_([p.id for p in posts]))
    ]
    print(f"the channel's posts: {len(late)}, latest {max(late):.1f} s after its time "
          f"(the publishing job runs every {PUBLISH_EVERY} s)")  # fmt: skip
    states: dict[str, int] = {}
    for wish in Wish.select():
        states[wish.state] = states.get(wish.state, 0) + 1
    served = Wish.select().where(Wish.state == "answered")
    waits = [(w.answered_at - w.asked_at).total_seconds() for w in served]
    print(f"wishes: {states}; refused at the door or given what was ready: {bot.desk.refused}")
    if waits:
        print(f"served: median {np.median(waits):.0f} s, slowest {max(waits):.0f} s")
    print(f"seconds a meme: {bot.desk.seconds:.2f}; sent {bot.outbox.sent}, dropped "
          f"{bot.outbox.dropped}")  # fmt: skip
    print(f"the crowd: {heard}")
    told = f"told its place after {waited[0]:.1f} s, meme after {waited[1]:.1f} s" if waited else ""
    print(f"the ordinary person: {told or f'no meme within {options.drain:.0f} s'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--drain", type=float, default=1200, help="seconds to serve the rest in")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", action="store_true", help="with the language model")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="bot-flood-"))
    try:
        asyncio.run(flood(options, root))
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
