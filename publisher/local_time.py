"""Moments as a person reads them: by the clock of a zone, with the zone's short name."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

RUSSIAN_NAMES = {"MSK": "МСК"}


def local_time(at: datetime, zone: str) -> str:
    """Day and minute, where the zone is named elsewhere."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def moment(at: datetime, zone: str, language: str) -> str:
    """`2026-03-02 15:00 MSK`; `UTC+5` for a zone that has no letters of its own."""
    name = at.astimezone(ZoneInfo(zone)).tzname() or zone
    if name[0] in "+-":
        hours, minutes = name[:3], name[3:]
        name = f"UTC{int(hours):+d}" + (f":{minutes}" if minutes else "")
    elif language == "ru":
        name = RUSSIAN_NAMES.get(name, name)
    return f"{local_time(at, zone)} {name}"
