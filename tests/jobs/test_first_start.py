"""An empty state, slots minutes away, pictures in the inbox: no pair is thrown away meanwhile."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from jobs.assign import assign
from jobs.generate import stock as generated_in_stock
from jobs.plan import plan
from jobs.runner import run_job
from jobs.services import Services
from publisher import daemon
from publisher.daemon import CATCH_UP, Daemon
from publisher.ledger.models import Alert, Block, Channel, Meme, Post, Slot
from publisher.settings import Secrets
from publisher.workers import Workers
from tests.conftest import NOON, Clock, picture, settings_for
from tests.jobs.test_experiment_jobs import stock, with_channel

SOON = ("15:08", "15:35", "17:00")  # Moscow: 8, 35 and 120 minutes after NOON
MISSING = ["generated", "human"]


def states() -> set[tuple[str, str]]:
    return {(s.state, s.reason) for s in Slot.select()}


def drawn() -> list[datetime]:
    return [b.first_at for b in Block.select().where(Block.coin.is_null(False))]


async def test_the_first_pairs_wait_for_their_memes(services: Services, clock: Clock) -> None:
    with_channel(services, times=SOON)
    inbox = services.settings.path(services.settings.inbox.folder)
    inbox.mkdir()
    for seed in range(8):
        (inbox / f"{seed}.jpg").write_bytes(picture(seed))
    assert CATCH_UP.index("ingest") < CATCH_UP.index("assign")
    for name in CATCH_UP:
        assert (await run_job(services, name, clock())).ok
    assert Meme.select().where(Meme.origin == "human").count() == 8
    assert states() == {("planned", "")} and not drawn()
    assert not Alert.select().where(Alert.code == "no_meme").exists()

    stock(services, "generated", 8, clock())
    await assign(services, clock.forward(minutes=2))
    assert drawn() == [NOON + timedelta(minutes=8), NOON + timedelta(hours=2)]
    assert states() == {("planned", ""), ("assigned", "")}
    assert not Alert.select().where(Alert.code == "no_meme").exists()
    counted = sorted(p.slot.arm for p in Post.select())
    assert counted == ["generated", "generated", "human", "human"]


@pytest.mark.parametrize("empty", MISSING)
@pytest.mark.parametrize(
    ("rule", "least"),
    [({}, 5), ({"approve": True, "approve_minutes": 20}, 35)],
    ids=["no approval", "approval"],
)
async def test_a_pair_is_put_off_as_long_as_there_is_time_and_no_longer(
    services: Services, clock: Clock, empty: str, rule: dict[str, object], least: int
) -> None:
    """Whatever its coin will be: both arms' memes are fixed before it."""
    with_channel(services, times=("16:00",), **rule)
    await plan(services, clock())
    other = MISSING[1 - MISSING.index(empty)]
    stock(services, other, 3, clock())
    slot = Slot.select().order_by(Slot.at).first()
    await assign(services, slot.at - timedelta(minutes=least + 1))
    assert not drawn() and states() == {("planned", "")}
    assert not Alert.select().exists()
    await assign(services, slot.at - timedelta(minutes=least))
    pair = Block.get(Block.coin.is_null(False)).slots
    found = {s.arm: (s.state, s.reason) for s in pair}
    assert found == {empty: ("missed", "no_meme"), other: ("assigned", "")}
    told = {"channel": slot.channel.handle} | ({} if rule else {"arm": empty})
    assert [a.facts for a in Alert.select()] == [told], "who judges the other post is not told"


async def test_a_pair_put_off_gets_the_coin_it_would_have_had(
    services: Services, clock: Clock
) -> None:
    with_channel(services, times=("16:00",))
    await plan(services, clock())
    block = Block.select().order_by(Block.first_at).first()
    await assign(services, clock())
    for arm in MISSING:
        stock(services, arm, 3, clock())
    await assign(services, clock.forward(minutes=20))
    late = Block.get_by_id(block.id).coin
    Post.delete().execute()
    Slot.update(state="planned", arm=None).where(Slot.block == block).execute()
    Block.update(coin=None, assigned_at=None).where(Block.id == block.id).execute()
    Meme.update(state="ready").execute()
    await assign(services, NOON)
    assert late == Block.get_by_id(block.id).coin


async def test_a_slot_outside_the_pairs_takes_no_meme_that_a_pair_waits_for(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_channel(services, times=("16:00", "16:30"))
    await plan(services, clock())
    alone = Slot.create(channel=Channel.get(), at=clock() + timedelta(minutes=80), state="planned")
    monkeypatch.setattr("jobs.assign.design.coin", lambda *_: "generated")
    stock(services, "generated", 1, clock())
    await assign(services, clock())
    assert Slot.get_by_id(alone.id).state == "planned" and not Post.select().exists()
    stock(services, "human", 1, clock())
    await assign(services, clock())
    assert len(drawn()) == 1 and Slot.get_by_id(alone.id).state == "planned"


async def test_a_pair_is_not_put_off_beyond_the_job_s_next_run(
    services: Services, clock: Clock
) -> None:
    """A post that would be too late a minute after its slot is drawn by the last run before it."""
    with_channel(services, times=("16:00",), expire_minutes=1)
    await plan(services, clock())
    stock(services, "human", 3, clock())
    slot = Slot.select().order_by(Slot.at).first()
    await assign(services, slot.at - timedelta(minutes=11))
    assert not drawn()
    await assign(services, slot.at - timedelta(minutes=9))
    assert len(drawn()) == 1


async def test_a_lonely_slot_waits_too(services: Services, clock: Clock) -> None:
    with_channel(services, times=("16:00",))
    await plan(services, clock())
    Slot.update(block=None).execute()
    slot = Slot.select().order_by(Slot.at).first()
    await assign(services, slot.at - timedelta(minutes=6))
    assert Slot.get_by_id(slot.id).state == "planned"
    await assign(services, slot.at - timedelta(minutes=5))
    assert (Slot.get_by_id(slot.id).state, Slot.get_by_id(slot.id).reason) == ("missed", "no_meme")


@pytest.mark.parametrize("stocked", [False, True], ids=["nothing in stock", "stocked"])
async def test_a_start_without_generated_memes_makes_some(
    ledger: Path, monkeypatch: pytest.MonkeyPatch, stocked: bool
) -> None:
    """After what is due, and beside the jobs of the trigger table, which do not wait for it."""
    ran: list[str] = []
    services = Services(settings_for(ledger), Secrets(), daemon.utc_now, Workers())
    if stocked:
        Meme.create(
            origin="generated", language="ru", method="frame", file="", sha256="", created_at=NOON
        )
        assert generated_in_stock("ru") == 1
    found = Daemon(services)

    async def note(services: Services, name: str, now: datetime) -> None:
        ran.append(name + (" beside the others" if found.scheduler.running else ""))

    async def connected(services: Services) -> None:
        return None

    monkeypatch.setattr(daemon, "run_job", note)
    monkeypatch.setattr(daemon, "connect_user", connected)
    running = asyncio.create_task(found.run())
    until = time.monotonic() + 5
    while len(ran) < len(CATCH_UP) + (0 if stocked else 4) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    found.stop()
    await asyncio.wait_for(running, 15)
    assert ran[: len(CATCH_UP)] == list(CATCH_UP)
    made = [f"{name} beside the others" for name in ("collect", "topics", "generate", "assign")]
    assert ran[len(CATCH_UP) :] == ([] if stocked else made)
