"""Back from an old backup: what the channel has is not posted again, and nothing else is lost."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.runner import run_job
from jobs.services import Services
from publisher.archive import backup, restore
from publisher.ledger.database import open_ledger
from publisher.ledger.models import Alert, Block, Channel, Meme, Post, Slot
from publisher.memes.phash import picture_hash
from publisher.sandbox import LoopbackTelegram
from publisher.telegram.publishing import stop_channel
from tests.conftest import Clock, make_post, picture, settings_for
from tests.daemon.test_time import MORNING, arrived, live, one_round
from tests.telegram.test_survival import deliver

BACKUP_AT = MORNING + timedelta(hours=4)  # one post is out


def stocked(services: Services, now: datetime) -> None:
    """Twenty memes for each arm, no two of them alike."""
    for number in range(40):
        arm = ("human", "generated")[number % 2]
        file, digest = services.keep_picture(picture(number), arm)
        Meme.create(
            origin=arm,
            language="ru",
            method="human",
            file=file,
            sha256=digest,
            created_at=now,
            score=number,
        )


def pictures(server: LoopbackTelegram) -> Counter[str]:
    entries = server.journal.entries
    return Counter(e.media_sha256 for e in entries if e.kind == "created" and e.media_sha256)


def bring_back(services: Services, file: Path, now: datetime) -> str:
    Channel._meta.database.close()
    said = restore(services.settings, file, overwrite=True, now=now)
    open_ledger(services.settings.database.url, services.settings.root)
    return said


@pytest.mark.parametrize(
    ("back_at", "hashes"),
    [
        (datetime(2026, 3, 2, 15, 20, tzinfo=UTC), "none kept"),
        (datetime(2026, 3, 4, 7, 20, tzinfo=UTC), "none kept"),
        (datetime(2026, 3, 4, 11, 0, tzinfo=UTC), "kept"),
    ],
    ids=["at once, in a slot", "two days later, in a slot", "two days later, between"],
)
async def test_after_an_old_backup_no_picture_and_no_slot_is_posted_twice(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    tmp_path: Path,
    back_at: datetime,
    hashes: str,
) -> None:
    clock.now = MORNING
    stocked(services, clock())
    if hashes == "kept":
        for meme in Meme.select():
            jpeg = (services.media / meme.file).read_bytes()
            Meme.update(phash=picture_hash(jpeg)).where(Meme.id == meme.id).execute()
    await live(services, clock, BACKUP_AT)
    backup(services.settings, tmp_path / "old.tar")
    before = len(arrived(telegram))
    await live(services, clock, back_at)
    forgotten = len(arrived(telegram)) - before
    assert before == 1 and forgotten >= 1
    clock.now = back_at
    said = bring_back(services, tmp_path / "old.tar", clock())
    assert "compared with its history before anything is posted" in said

    telegram.faults.error("messages.getHistory", "INTERNAL", times=2)
    await run_job(services, "publish", clock())
    await one_round(services, clock)
    assert len(arrived(telegram)) == before + forgotten, "posted before the history was read"
    await live(services, clock, back_at + timedelta(days=2, hours=1))

    assert max(pictures(telegram).values()) == 1
    slots = Counter((at.date(), at.hour) for at in arrived(telegram))
    assert max(slots.values()) == 1
    assert len(arrived(telegram)) == before + forgotten + 4
    known = Post.select().where(Post.state == "published").count()
    told = Alert.get_or_none(Alert.code == "channel_unknown_posts")
    unknown = len(told.facts["messages"].split(", ")) if told else 0
    assert known + unknown == len(arrived(telegram))
    for block in Block.select().where(Block.coin.is_null(False)):
        assert all(slot.arm for slot in block.slots.order_by(Slot.at))


def in_config(services: Services, *channels: dict[str, object]) -> None:
    """Give the config copies of its channel with these changes, or none at all."""
    first = settings_for(services.settings.root).channels[0]
    given = tuple(first.model_copy(update=changes) for changes in channels)
    services.settings = services.settings.model_copy(update={"channels": given})


@pytest.mark.parametrize("then", [({"paused": True},), ()], ids=["paused", "not yet in config"])
@pytest.mark.parametrize("known", [True, False], ids=["planned before", "never planned"])
async def test_a_channel_that_posted_only_after_the_backup_repeats_nothing(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    tmp_path: Path,
    then: tuple[dict[str, object], ...],
    known: bool,
) -> None:
    clock.now = MORNING
    stocked(services, clock())
    in_config(services, *then)
    if known:
        await live(services, clock, MORNING + timedelta(minutes=30))
    backup(services.settings, tmp_path / "old.tar")
    in_config(services, {})
    await live(services, clock, MORNING + timedelta(days=2))
    forgotten = len(arrived(telegram))
    assert forgotten == 4
    bring_back(services, tmp_path / "old.tar", clock())
    assert Channel.get(Channel.handle == "our_channel").state == "restored"
    telegram.faults.error("messages.getHistory", "INTERNAL", times=2)
    await one_round(services, clock)
    assert len(arrived(telegram)) == forgotten, "posted before the history was read"
    await live(services, clock, MORNING + timedelta(days=4))
    assert len(arrived(telegram)) == forgotten + 4
    assert max(pictures(telegram).values()) == 1
    told = Alert.get(Alert.code == "channel_unknown_posts")
    assert len(told.facts["messages"].split(", ")) == forgotten


async def test_a_channel_named_only_after_the_restore_is_compared_too(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    clock.now = MORNING
    stocked(services, clock())
    backup(services.settings, tmp_path / "old.tar")
    await live(services, clock, MORNING + timedelta(days=2))
    in_config(services)
    bring_back(services, tmp_path / "old.tar", clock())
    assert not Channel.select().exists()
    await live(services, clock, clock() + timedelta(hours=1))
    in_config(services, {})
    await run_job(services, "plan", clock())
    assert Channel.get().state == "restored"
    await live(services, clock, MORNING + timedelta(days=4))
    assert max(pictures(telegram).values()) == 1


async def test_older_pictures_are_none_of_a_channel_without_posts(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    """What the owner posted there by hand before the backup is not told as lost."""
    clock.now = MORNING
    post = make_post(services, clock())
    await deliver(services, post)
    meme = post.meme
    post.delete_instance()
    Slot.delete().execute()
    Meme.update(state="ready").execute()
    clock.forward(hours=1)
    await run_job(services, "plan", clock())
    backup(services.settings, tmp_path / "b.tar")
    bring_back(services, tmp_path / "b.tar", clock.forward(hours=1))
    assert (await run_job(services, "reconcile", clock())).note == "audited 1"
    assert not Alert.select().exists()
    assert Meme.get_by_id(meme.id).state == "ready"


async def test_a_restored_channel_is_what_the_config_makes_of_it(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    """Stopped at the backup, it may post once compared; paused, not; left out, it is not asked."""
    clock.now = MORNING
    other = telegram.world.by_username("our_channel").creator
    for name in ("paused_one", "left_one"):
        telegram.world.add_channel(
            name, creator=telegram.world.users[other], username=name, members=9
        )
    in_config(services, {}, {"handle": "paused_one"}, {"handle": "left_one"})
    await run_job(services, "plan", clock())
    for row in Channel.select():
        stop_channel(row, "CHAT_WRITE_FORBIDDEN", clock())
    backup(services.settings, tmp_path / "b.tar")
    in_config(services, {}, {"handle": "paused_one", "paused": True})
    bring_back(services, tmp_path / "b.tar", clock())
    for name in ("plan", "reconcile", "plan"):
        assert (await run_job(services, name, clock.forward(minutes=5))).ok
    states = {c.handle: (c.state, c.reason) for c in Channel.select()}
    assert states == {
        "our_channel": ("ok", ""),
        "paused_one": ("gone", "paused in config.toml"),
        "left_one": ("restored", "to be compared with its history"),
    }
    assert Alert.get(Alert.key.startswith("channel:our_channel:")).cured_at is not None


async def test_a_channel_that_cannot_be_compared_is_told_once(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    clock.now = MORNING
    await live(services, clock, MORNING + timedelta(minutes=30))
    backup(services.settings, tmp_path / "old.tar")
    bring_back(services, tmp_path / "old.tar", clock())
    telegram.faults.error("messages.getHistory", "CHANNEL_PRIVATE", times=2)
    for _ in range(2):
        assert (await run_job(services, "reconcile", clock.forward(minutes=5))).ok
        [told] = Alert.select().where(Alert.key == "channel:our_channel")
        assert (told.code, told.facts["reason"]) == ("channel_stopped", "CHANNEL_PRIVATE")
        assert (Channel.get().state, told.cured_at) == ("restored", None)
    assert (await run_job(services, "reconcile", clock.forward(minutes=5))).ok
    assert Channel.get().state == "ok"
    assert Alert.get(Alert.key == "channel:our_channel").cured_at
