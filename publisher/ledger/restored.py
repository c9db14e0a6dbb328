"""A ledger that came back from a backup, and what it must not do before it was compared.

Channels and partners in `restored` are sent nothing: what went to them after the backup was made
is not in the ledger, and would go to them again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from peewee import SqliteDatabase

from publisher.ledger.models import Channel, JobRun, Partner
from publisher.sentences import phrase

RESTORED = "restored"
CHANNEL_WAITS = phrase("to be compared with its history")
PARTNER_WAITS = phrase("to be compared with what it was sent")


def hold(ledger: Path, channels: Iterable[str], partners: Iterable[str], now: datetime) -> None:
    """Hold every channel and partner that this closed ledger knows, and those named besides.

    Partners that were stopped stay so. The restore is written down as a run of `restore` that
    ended at the last moment this ledger knows of, or at none.
    """
    database = SqliteDatabase(str(ledger))
    with (
        database.bind_ctx((Channel, Partner, JobRun), bind_refs=False, bind_backrefs=False),
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
