"""Whom the bot does not answer."""

from __future__ import annotations

from datetime import datetime

from publisher.ledger.models import Ban


def is_banned(person: int, now: datetime) -> bool:
    return (
        Ban.select()
        .where((Ban.person == person) & (Ban.until.is_null() | (Ban.until > now)))
        .exists()
    )


def ban(person: int, now: datetime, until: datetime | None = None) -> None:
    Ban.insert(person=person, at=now, until=until).on_conflict_replace().execute()


def lift(person: int) -> bool:
    return Ban.delete().where(Ban.person == person).execute() == 1


def banned(now: datetime) -> list[Ban]:
    """Bans in force, the latest first."""
    forget(now)
    return list(Ban.select().order_by(Ban.at.desc()))


def forget(now: datetime) -> int:
    """Delete bans that ended."""
    return Ban.delete().where(Ban.until <= now).execute()
