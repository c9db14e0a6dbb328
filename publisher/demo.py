"""Simulated weeks of a channel: the daemon's jobs and triggers, driven by a simulated clock.

What is not real is the Telegram server, its audience and its partners; each output says so. The
next fire time is asked of each job's APScheduler trigger, the clock jumps there, the server
delivers what became due, the job runs. Nothing here knows what a job does.
"""

from __future__ import annotations

import asyncio
import heapq
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from jobs.runner import run_job
from jobs.services import Services
from jobs.table import JOBS
from publisher import daemon
from publisher.demo_bot import show_bot
from publisher.demo_inbox import fill_inbox
from publisher.gallery import write_gallery
from publisher.ledger.models import Channel, Meme, Post
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox import records as sandbox
from publisher.sandbox.audience import Quality
from publisher.sandbox.demo_world import DemoWorld, build_demo_world
from publisher.sandbox.news.feeds import SOURCES, channel_posts
from publisher.sandbox.news.server import FeedServer
from publisher.sentences import is_worded, words
from publisher.settings import Secrets, Settings, parse_trigger
from publisher.settings.model import PartnerSettings, ServerSettings
from publisher.telegram.client import make_client
from publisher.wording import say
from publisher.workers import Workers

START = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)
"""Monday, 2 March 2026, midnight in Moscow."""
LAST_REPORT = timedelta(days=2, hours=10)
"""After the last week: until Wednesday's report, when its posts have reached their age."""

DEMO_MARGIN = 0.005
"""Half a point: with no effect a demo is to end in "not yet clear", seldom in "not worse"."""


@dataclass(frozen=True)
class DemoPlan:
    """`effect` is added to a generated meme's true like share; `fast` makes fewer memes a time."""

    out: Path
    weeks: int
    seed: int
    effect: float
    fast: bool = False


@dataclass
class SimulatedClock:
    """Time that passes only when told to."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def jump(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


@dataclass
class Progress:
    """One line a simulated day."""

    tell: Callable[[str], None]
    days: int
    began: float = field(default_factory=time.monotonic)

    def day(self, number: int, now: datetime) -> None:
        published = Post.select().where(Post.state == "published").count()
        made = Meme.select().where((Meme.origin == "generated") & (Meme.file != "")).count()
        spent = time.monotonic() - self.began
        self.tell(
            f"{now:%Y-%m-%d}  день/day {number}/{self.days}  посты/posts {published}  "
            f"мемы/memes {made}  {spent:.0f} s"
        )


async def run_demo(settings: Settings, plan: DemoPlan, tell: Callable[[str], None]) -> str:
    """Run the simulation into `plan.out`; the closing words for a person.

    Raises FileExistsError when the folder holds something that is not a demo's.
    """
    began = time.monotonic()
    out = clear_folder(plan.out)
    clock = SimulatedClock(START)
    server = LoopbackTelegram(seed=plan.seed, clock=clock, journal_path=out / "journal.jsonl")
    await server.start()
    world = build_demo_world(server, seed=plan.seed, start=START, source_items=source_items())
    feeds = FeedServer(clock, START)
    feeds.start()
    services = demo_services(settings, plan, out, clock, server, world, feeds)
    tell(services.not_real)
    try:
        await sign_in(services, world)
        await daemon.connect_accounts(services)
        # A bot may write only to those who wrote to it: the owner presses Start.
        await services.account.client.send_message(world.app_bot.username, "/start")
        server.audience.quality = quality_of(plan.effect)
        await show_bot(services, server, world, out, tell)
        await fill_inbox(services, plan.weeks, tell)
        await simulate(services, server, clock, plan.weeks, tell)
        gallery = write_gallery(services, out)
    finally:
        services.workers.close()
        await daemon.disconnect_accounts(services)
        feeds.stop()
        await server.stop()
    return closing_words(services, out, gallery, time.monotonic() - began)


def clear_folder(out: Path) -> Path:
    """An empty folder; an earlier demo's content is deleted, anything else is not touched."""
    out = out.resolve()
    try:
        if out.exists() and any(out.iterdir()):
            if not (out / ".demo").exists():
                raise FileExistsError(
                    words("{out} is not empty and not a demo's; name another with --out", out=out)
                )
            shutil.rmtree(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / ".demo").touch()
    except OSError as error:
        if is_worded(error):
            raise
        why = error.strerror or error
        raise OSError(words("cannot write {file}: {why}", file=out, why=why)) from error
    return out


def demo_services(
    settings: Settings,
    plan: DemoPlan,
    out: Path,
    clock: SimulatedClock,
    server: LoopbackTelegram,
    world: DemoWorld,
    feeds: FeedServer,
) -> Services:
    """The given settings, pointed at the simulated world and at the demo's folder."""
    host, port = server.address
    there = ServerSettings(
        address=host, port=port, dc_id=server.dc_id, public_key=server.public_key_pem
    )
    experiment = settings.experiment.model_copy(
        update={"planned_weeks": plan.weeks, "seed": plan.seed, "margin": DEMO_MARGIN}
    )
    settings = hurried(settings) if plan.fast else settings
    settings = settings.model_copy(
        update={
            "root": out,
            "state_dir": "var",
            "reports_dir": "reports",
            "telegram": settings.telegram.model_copy(update={"server": there}),
            "experiment": experiment,
            "inbox": settings.inbox.model_copy(update={"folder": "inbox"}),
            "partners": settings.partners + strangers(settings, world),
            "owner": settings.owner.model_copy(update={"ids": (world.owner.id,)}),
        }
    )
    daemon.open_settings_ledger(settings, Secrets(), clock())
    return Services(
        settings=settings,
        secrets=Secrets(api_hash=SecretStr("demo"), bot_token=SecretStr(world.bot_token)),
        clock=clock,
        workers=Workers(idle_seconds=3600, threads=settings.model.threads),
        sleep=clock.sleep,
        simulated={
            language: say("simulated", language, effect=plan.effect) for language in ("ru", "en")
        },
        feeds=feeds.address_of,
    )


HURRIED = {
    "collect": "every 3h",
    "topics": "10 */6 * * *",
    "ingest": "every 3h",
    "assign": "every 30m",
    "publish": "every 5m",
    "reconcile": "every 15m",
    "snapshot": "every 30m",
    "suggest": "every 2h",
    "replies": "every 1h",
    "watch": "40 */6 * * *",
    "cure": "every 1h",
    "alert": "every 30m",
}


def hurried(settings: Settings) -> Settings:
    """The small version: the same jobs more seldom, more memes a topic and less time to weigh."""
    return settings.model_copy(
        update={
            "jobs": settings.jobs.model_copy(update=HURRIED),
            "memes": settings.memes.model_copy(update={"stock": 6, "per_topic": 6}),
            "model": settings.model.model_copy(update={"budget_seconds": 8.0}),
        }
    )


def strangers(settings: Settings, world: DemoWorld) -> tuple[PartnerSettings, ...]:
    """The world's partners that the settings do not name: bots of other manners.

    They are offered memes in our language, whichever one their bots answer in.
    """
    return tuple(
        PartnerSettings(
            handle=partner.channel.username or "",
            route="bot",
            inbox=partner.handle,
            members=partner.members,
            language=settings.language,
            consent=f"simulated: a bot whose manner is {partner.manner}",
        )
        for partner in world.partners
        if partner.route == "bot" and settings.partner(partner.channel.username or "") is None
    )


async def sign_in(services: Services, world: DemoWorld) -> None:
    """As `publisher login` does: by phone and code."""
    client = make_client(services.settings, "demo", "user", bot=False)
    await client.connect()
    await client.send_code_request(world.phone)
    await client.sign_in(world.phone, world.code)
    await client.disconnect()


def source_items() -> dict[str, Iterable[tuple[timedelta, str, int]]]:
    """What the world's source channels will say, and when."""
    return {
        handle: [(timedelta(hours=at), text, views) for at, text, views in channel_posts(handle)]
        for handle, source in SOURCES.items()
        if source.format == "telegram"
    }


def quality_of(effect: float) -> Quality:
    """What the simulated audience likes better: `effect` for a generated meme's message."""

    def quality(channel: sandbox.Channel, message: sandbox.Message) -> float:
        handle = (channel.username or "").lower()
        post = (
            Post.select(Post, Meme)
            .join(Meme)
            .switch(Post)
            .join(Channel)
            .where((Post.message_id == message.id) & (Channel.handle == handle))
            .first()
        )
        return effect if post and post.meme.origin == "generated" else 0.0

    return quality


async def simulate(
    services: Services,
    server: LoopbackTelegram,
    clock: SimulatedClock,
    weeks: int,
    tell: Callable[[str], None],
) -> None:
    """Run every job at every instant its trigger names, in the table's order within one."""
    settings, end = services.settings, START + timedelta(weeks=weeks) + LAST_REPORT
    triggers = {
        name: parse_trigger(getattr(settings.jobs, name), settings.zone, START) for name in JOBS
    }
    order = {name: number for number, name in enumerate(JOBS)}
    due: list[tuple[datetime, int, str]] = []
    for name, trigger in triggers.items():
        first = trigger.get_next_fire_time(None, START)
        heapq.heappush(due, (first.astimezone(UTC), order[name], name))
    for name in (*daemon.CATCH_UP, "members"):
        await run_job(services, name, clock())
    progress, day = Progress(tell, weeks * 7 + 2), 0
    while due and due[0][0] <= end:
        moment, _, name = heapq.heappop(due)
        clock.jump(moment)
        await server.advance(clock())
        await run_job(services, name, clock())
        following = triggers[name].get_next_fire_time(moment, moment)
        heapq.heappush(due, (following.astimezone(UTC), order[name], name))
        if moment >= START + timedelta(days=day + 1):
            day += 1
            progress.day(day, moment)


def closing_words(services: Services, out: Path, gallery: Path, seconds: float) -> str:
    reports = sorted(services.settings.reports.glob("*-W*/report.html"))
    posts = Post.select().where(Post.state == "published").count()
    lines = [
        "",
        f"{posts} постов опубликовано / posts published, {seconds / 60:.1f} min",
        "Отчёты / reports:",
        *(f"  {path}" for path in reports),
        f"Мемы / memes: {gallery}",
        f"Всё / everything: {out}",
        services.not_real,
    ]
    return "\n".join(lines)
