"""A ledger that came back from a backup, and what it must not do before it was compared.

Channels and partners in `restored` are sent nothing: what went to them after the backup was made
is not in the ledger, and would go to them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from peewee import SqliteDatabase

from publisher.ledger.models import Approval, Channel, JobRun, Partner, Post
from publisher.sentences import phrase
from publisher.settings.model import TIME_TO_LOOK

RESTORED = "restored"
CHANNEL_WAITS = phrase("to be compared with its history")
PARTNER_WAITS = phrase("to be compared with what it was sent")


def hold(ledger: Path, channels: Iterable[str], partners: Iterable[str], now: datetime) -> None:
    """Hold every channel and partner that this closed ledger knows, and those named besides.

    Partners that were stopped stay so, and what waits for approval is asked anew. The restore is
    written down as a run of `restore` that ended at the last moment this ledger knows of, or at
    none.
    """
    database = SqliteDatabase(str(ledger))
    with (
        database.bind_ctx(
            (Channel, Partner, JobRun, Approval, Post), bind_refs=False, bind_backrefs=False
        ),
        database.connection_context(),
        database.atomic(),
    ):
        last = JobRun.select().order_by(JobRun.id.desc()).first()
        for handle in channels:
            Channel.get_or_create(handle=handle.lower())
        for handle in partners:
            Partner.get_or_create(handle=handle.lower())
        Channel.update(state=RESTORED, reason=CHANNEL_WAITS).execute()
        Partner.update(state=RESTORED, reason=PARTNER_WAITS).where(Partner.state == "ok").execute()
        known = min(last.started_at, now) if last else None
        JobRun.create(job="restore", started_at=now, finished_at=known, ok=True)
        _ask_anew(now)


def _ask_anew(now: datetime) -> None:
    """The owner's answers after the backup are forgotten, and so is what they were shown.

    They get the time to look that a post has which was drawn late.
    """
    if not Approval.table_exists():
        return
    waiting = Approval.select(Approval, Post).join(Post).where(Approval.state == "waiting")
    for approval in waiting:
        look = min(TIME_TO_LOOK, max(approval.post.expires_at - now, timedelta(0)) / 2)
        deadline = max(approval.deadline_at, now + look)
        Approval.update(told_at=None, asked_at=now, deadline_at=deadline).where(
            Approval.id == approval.id
        ).execute()


def first_state() -> str:
    """The state of a channel or partner that the ledger sees for the first time.

    A ledger that was restored may only have forgotten it.
    """
    return RESTORED if _restores() else "ok"


def known_until() -> datetime | None:
    """The last moment before all restores; None when that is not known."""
    ends = [run.finished_at for run in _restores()]
    return min(ends) if ends and all(ends) else None


def _restores() -> list[JobRun]:
    return list(JobRun.select().where(JobRun.job == "restore"))
