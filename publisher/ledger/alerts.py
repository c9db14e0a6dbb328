"""What the owner must know, once while it lasts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from publisher.ledger.models import Alert


def raise_alert(key: str, code: str, facts: dict[str, Any], now: datetime) -> bool:
    """Write an alert unless one with this key is open; True when it is new."""
    open_one = Alert.select().where((Alert.key == key) & Alert.cured_at.is_null()).exists()
    if not open_one:
        Alert.create(key=key, code=code, facts=facts, raised_at=now)
    return not open_one


def cure_alert(key: str, now: datetime) -> bool:
    """Close the open alert with this key; True when there was one."""
    closed = (
        Alert.update(cured_at=now).where((Alert.key == key) & Alert.cured_at.is_null()).execute()
    )
    return closed > 0
