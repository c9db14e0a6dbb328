"""Back up, forget what retention says, keep the write-ahead log short."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from peewee import SqliteDatabase

from jobs.services import Services
from publisher.ledger.database import copy_sqlite, empty_log, sqlite_path
from publisher.ledger.models import Alert, Item, JobRun, Meme, Post, Suggestion, Wish, database
from publisher.sentences import words


async def housekeeping(services: Services, now: datetime) -> str:
    """Daily care; posts, snapshots and suggestions are kept for ever, for they are the evidence."""
    rule = services.settings.retention
    items = Item.delete().where(Item.fetched_at < now - timedelta(days=rule.items_days)).execute()
    runs = (
        JobRun.delete()
        .where(JobRun.started_at < now - timedelta(days=rule.job_runs_days))
        .execute()
    )
    Wish.delete().where(Wish.asked_at < now - timedelta(days=1)).execute()
    Alert.delete().where(Alert.cured_at < now - timedelta(days=90)).execute()
    pictures = forget_pictures(services, now - timedelta(days=rule.media_days))
    backup(services, now)
    return words(
        "forgot {items} items, {runs} job runs, {pictures} pictures",
        items=items,
        runs=runs,
        pictures=pictures,
    )


def forget_pictures(services: Services, before: datetime) -> int:
    """Delete old pictures that nothing still to come refers to; their rows and hashes stay."""
    busy = Post.select(Post.meme).where(Post.state.in_(("planned", "claimed", "sending")))
    offered = Suggestion.select(Suggestion.meme).where(Suggestion.outcome == "pending")
    old = Meme.select().where(
        (Meme.created_at < before)
        & (Meme.file != "")
        & Meme.state.in_(("used", "retired", "refused"))
        & Meme.id.not_in(busy)
        & Meme.id.not_in(offered)
    )
    forgotten = 0
    for meme in old:
        shared = Meme.select().where((Meme.file == meme.file) & (Meme.id != meme.id)).exists()
        if not services.dry_run and not shared:
            (services.media / meme.file).unlink(missing_ok=True)
        Meme.update(file="").where(Meme.id == meme.id).execute()
        forgotten += 1
    return forgotten


def backup(services: Services, now: datetime) -> None:
    """A verified copy of the database each day; the oldest ones go."""
    if services.dry_run or not isinstance(database.obj, SqliteDatabase):
        return
    folder = services.settings.state / "backups"
    source = sqlite_path(services.settings.database.url, services.settings.root)
    copy_sqlite(source, folder / f"daily-{now:%Y-%m-%d}.db")
    for old in sorted(folder.glob("daily-*.db"))[: -services.settings.retention.backups]:
        Path(old).unlink()
    empty_log()
