"""What the owner must know, once while it lasts."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from publisher.ledger.models import Alert


def raise_alert(key: str, code: str, facts: dict[str, Any], now: datetime) -> bool:
    """Write an alert unless one with this key is open; True when it is new."""
    open_one = Alert.select().where((Alert.key == key) & Alert.cured_at.is_null()).exists()
    if not open_one:
        Alert.create(key=key, code=code, facts=facts, raised_at=now)
    return not open_one


def cure_alert(key: str, now: datetime) -> bool:
    """Close the open alerts with this key, and those of its parts, `key:…`; True when there were
    any."""
    return bool(Alert.update(cured_at=now).where(_open(key)).execute())


def in_trouble_since(*keys: str, over_since: datetime) -> datetime | None:
    """When the oldest of the alerts with these keys, or of their parts, was raised, of those that
    are open or were cured after `over_since`."""
    lasting = Alert.cured_at.is_null() | (Alert.cured_at > over_since)
    these = reduce(or_, map(_of, keys)) & lasting
    first = Alert.select().where(these).order_by(Alert.raised_at).first()
    return first.raised_at if first else None


def _of(key: str) -> Any:
    return (Alert.key == key) | Alert.key.startswith(f"{key}:")


def _open(key: str) -> Any:
    return _of(key) & Alert.cured_at.is_null()
