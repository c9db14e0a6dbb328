"""The human arm's queue: warned of before it is empty, and an empty one is filled by nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jobs.assign import assign
from jobs.ingest import ingest
from jobs.plan import plan
from jobs.publish import publish
from jobs.services import Services
from publisher.ledger.models import Alert, Meme, Post, Slot
from publisher.settings.model import ChannelSettings
from tests.conftest import Clock, picture


def stock(services: Services, arm: str, count: int, language: str = "ru") -> None:
    for number in range(count):
        made = Meme.select().count()
        file, digest = services.keep_picture(picture(made), arm)
        Meme.create(
            origin=arm, language=language, method="frame", file=file, sha256=digest,
            created_at=services.clock(), score=number,
        )  # fmt: skip


def use(count: int) -> None:
    ready = Meme.select(Meme.id).where((Meme.origin == "human") & (Meme.state == "ready"))
    Meme.update(state="used").where(Meme.id.in_(ready.limit(count))).execute()


def warnings(open_only: bool = True) -> list[Alert]:
    found = Alert.select().where(Alert.code == "inbox_low")
    return [a for a in found if a.cured_at is None or not open_only]


async def test_the_owner_is_warned_two_days_before_once_and_until_it_is_refilled(
    services: Services, clock: Clock
) -> None:
    """Two slots a day, every second one human: a meme a day."""
    stock(services, "human", 3)
    await ingest(services, clock())
    assert not warnings(), "three days left"
    use(1)
    await ingest(services, clock.forward(hours=1))
    [alert] = warnings()
    assert (alert.facts["days"], alert.facts["language"]) == ("2.0", "ru")
    assert alert.facts["folder"].endswith("inbox")
    use(1)
    await ingest(services, clock.forward(hours=1))
    assert len(warnings(open_only=False)) == 1, "told once"
    stock(services, "human", 5)
    await ingest(services, clock.forward(hours=1))
    assert not warnings()
    use(6)
    await ingest(services, clock.forward(hours=1))
    assert len(warnings()) == 1, "told again when it runs low again"


async def test_the_warning_counts_what_the_human_arm_of_that_language_can_use(
    services: Services, clock: Clock
) -> None:
    stock(services, "generated", 50)
    stock(services, "human", 50, language="en")
    await ingest(services, clock())
    assert [a.facts["language"] for a in warnings()] == ["ru"]
    paused = services.settings.channels[0].model_copy(update={"paused": True})
    services.settings = services.settings.model_copy(update={"channels": (paused,)})
    await ingest(services, clock.forward(hours=1))
    assert not warnings(), "a channel that rests needs nothing"


async def test_what_is_laid_into_the_folder_ends_the_warning(
    services: Services, clock: Clock
) -> None:
    folder = services.settings.path(services.settings.inbox.folder)
    folder.mkdir(parents=True)
    await ingest(services, clock())
    assert len(warnings()) == 1
    for seed in range(3):
        (folder / f"{seed}.jpg").write_bytes(picture(seed))
    (folder / "broken.jpg").write_bytes(b"no picture")
    note = await ingest(services, clock.forward(minutes=15))
    assert note == "taken 3, refused 1"
    assert not warnings()
    assert "известного формата" in (folder / "refused" / "broken.jpg.reason.txt").read_text()


@pytest.mark.parametrize("empty", ["human", "generated"])
async def test_an_empty_arm_misses_its_slots_and_the_other_never_fills_them(
    services: Services, clock: Clock, empty: str
) -> None:
    """Three days, through assigning and publishing; memes that come too late change nothing."""
    clock.now = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    other = {"human": "generated", "generated": "human"}[empty]
    channel = ChannelSettings(handle="our_channel", times=("10:00", "18:00"), expire_minutes=30)
    services.settings = services.settings.model_copy(update={"channels": (channel,)})
    await plan(services, clock())
    stock(services, other, 20)
    end = clock() + timedelta(days=3)
    while clock() < end:
        await assign(services, clock())
        await publish(services, clock())
        clock.forward(minutes=20)
    past = list(
        Slot.select()
        .where((Slot.at < clock() - timedelta(hours=2)) & Slot.arm.is_null(False))
        .order_by(Slot.at)
    )
    by_arm = {arm: {(s.state, s.reason) for s in past if s.arm == arm} for arm in (empty, other)}
    assert by_arm == {empty: {("missed", "no_meme")}, other: {("published", "")}}
    count = {arm: sum(s.arm == arm for s in past) for arm in by_arm}
    assert min(count.values()) >= 2
    assert {p.meme.origin for p in Post.select()} == {other}
    assert all(p.slot.arm == other for p in Post.select())

    before = {p.id for p in Post.select()}
    stock(services, empty, 20)
    missed = [s.id for s in past if s.arm == empty]
    while clock() < end + timedelta(days=2):
        await assign(services, clock())
        await publish(services, clock())
        clock.forward(minutes=20)
    left = {(s.arm, s.state, s.reason) for s in Slot.select().where(Slot.id.in_(missed))}
    assert left == {(empty, "missed", "no_meme")}
    assert not Post.select().where(Post.slot.in_(missed)).exists()
    later = list(Post.select().where(Post.id.not_in(before)))
    assert {p.slot.arm for p in later} == {empty, other}, "both arms go on"
    assert all(p.slot.at > past[-1].at and p.meme.origin == p.slot.arm for p in later)
