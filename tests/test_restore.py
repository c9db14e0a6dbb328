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
from tests.conftest import Clock, picture
from tests.daemon.test_time import MORNING, arrived, live, one_round

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
