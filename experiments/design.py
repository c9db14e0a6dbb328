"""Slots, randomised pairs and the coin that orders the two arms of a pair.

Both arms' memes are fixed before the coin is drawn; the coin is HMAC-SHA256 of the pair's name
under a secret whose hash is published with the pre-registration, so that nobody can choose it and
everybody can re-derive it once the secret is published after the end.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Arm = Literal["generated", "human"]
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_GAP = timedelta(days=8)


@dataclass(frozen=True, order=True)
class PlannedSlot:
    """A channel and the instant (UTC, aware) at which it is to post."""

    channel: str
    at: datetime


@dataclass(frozen=True)
class Pair:
    """Two slots inside which the two arms are randomised; `first` is the earlier one."""

    pair_id: str
    channel: str
    first: PlannedSlot
    second: PlannedSlot


@dataclass(frozen=True)
class CoinMismatch:
    """A pair whose recorded first arm is not the one its coin gives."""

    pair_id: str
    recorded: str
    derived: Arm


def plan_slots(
    channel: str,
    cron_times: Sequence[str],
    weekdays: Iterable[int | str],
    zone: str,
    start: date,
    end: date,
    holidays: Iterable[date] = (),
) -> list[PlannedSlot]:
    """Slots of a channel from `start` to `end`, both days included, in order of time.

    `cron_times` are local "HH:MM"; `weekdays` are 0 (Monday) to 6 or "mon" to "sun";
    `holidays` are the channel's days off: no slot is planned on them (days on which it posts but
    which are no working days are `pair_slots`' business).

    Each (day, time) gives exactly one slot, on a day of 23 or 25 hours too:
    - a local time that occurs twice is taken at its first occurrence, once;
    - a local time that does not exist moves forward by the gap (02:30 becomes 03:30); where another
      slot of the channel already stands there, to the next free minute.

    Raises ValueError for a malformed time, an unknown weekday, or an end before the start, and
    zoneinfo.ZoneInfoNotFoundError for an unknown zone.
    """
    if end < start:
        raise ValueError(f"the plan of {channel} ends ({end}) before it starts ({start})")
    local_zone = ZoneInfo(zone)
    times = sorted({_parse_time(text) for text in cron_times})
    days = {_parse_weekday(day) for day in weekdays}
    off = set(holidays)
    exact: set[datetime] = set()
    moved: list[datetime] = []
    for offset in range((end - start).days + 1):
        day = start + timedelta(days=offset)
        if day.weekday() not in days or day in off:
            continue
        for moment in times:
            local = datetime.combine(day, moment, tzinfo=local_zone)
            instant = local.astimezone(UTC)
            exists = instant.astimezone(local_zone).replace(tzinfo=None) == local.replace(
                tzinfo=None
            )
            if exists:
                exact.add(instant)
            else:
                moved.append(instant)
    for instant in moved:
        while instant in exact:
            instant += timedelta(minutes=1)
        exact.add(instant)
    return [PlannedSlot(channel, instant) for instant in sorted(exact)]


def pair_slots(
    slots: Iterable[PlannedSlot],
    zone: str,
    holidays: Iterable[date] = (),
    *,
    existing: Iterable[Pair] = (),
    max_gap: timedelta = MAX_GAP,
) -> tuple[list[Pair], list[PlannedSlot]]:
    """New pairs, and the slots left over, in order of time.

    A pair has one channel, one local hour and one day type (weekend: Saturday, Sunday and
    `holidays`); its slots are neighbours in time among those alike, at most `max_gap` apart.
    Slots of `existing` pairs are taken: those pairs are never re-made, so that the plan may be
    extended week by week, a channel added or paused. A left-over slot waits for its twin until
    `max_gap` has passed; then it stays single, outside the test.
    """
    local_zone = ZoneInfo(zone)
    free_days = set(holidays)
    taken = {slot for pair in existing for slot in (pair.first, pair.second)}
    alike: dict[tuple[str, int, bool], list[PlannedSlot]] = defaultdict(list)
    for slot in sorted(set(slots) - taken):
        local = slot.at.astimezone(local_zone)
        weekend = local.weekday() >= 5 or local.date() in free_days
        alike[slot.channel, local.hour, weekend].append(slot)

    pairs: list[Pair] = []
    left: list[PlannedSlot] = []
    for group in alike.values():
        waiting: PlannedSlot | None = None
        for slot in group:
            if waiting is None:
                waiting = slot
            elif slot.at - waiting.at > max_gap:
                left.append(waiting)
                waiting = slot
            else:
                pairs.append(Pair(name_pair(waiting), slot.channel, waiting, slot))
                waiting = None
        if waiting is not None:
            left.append(waiting)
    pairs.sort(key=lambda pair: (pair.first.at, pair.channel))
    left.sort(key=lambda slot: (slot.at, slot.channel))
    return pairs, left


def name_pair(first: PlannedSlot) -> str:
    """The pair's id: its channel and the UTC minute of its first slot; unique and stable."""
    return f"{first.channel}:{first.at.astimezone(UTC):%Y%m%dT%H%MZ}"


def coin(secret: bytes, experiment: str, pair_id: str) -> Arm:
    """The arm of the pair's FIRST slot; the second slot gets the other one.

    The lowest bit of the first byte of HMAC-SHA256(key=secret, "experiment|pair_id" in UTF-8):
    0 is "generated", 1 is "human".
    """
    digest = hmac.new(secret, f"{experiment}|{pair_id}".encode(), hashlib.sha256).digest()
    return "human" if digest[0] & 1 else "generated"


def other(arm: Arm) -> Arm:
    return "human" if arm == "generated" else "generated"


def secret_hash(secret: bytes) -> str:
    """SHA-256 of the secret, in hexadecimal: what the pre-registration publishes."""
    return hashlib.sha256(secret).hexdigest()


def audit_coins(
    secret: bytes, experiment: str, assignments: Mapping[str, str] | Iterable[tuple[str, str]]
) -> list[CoinMismatch]:
    """Pairs whose recorded first arm differs from the coin's; empty when all agree.

    `assignments`: pair_id and the arm recorded for the pair's first slot.
    """
    rows = assignments.items() if isinstance(assignments, Mapping) else assignments
    derived = ((pair_id, arm, coin(secret, experiment, pair_id)) for pair_id, arm in rows)
    return [CoinMismatch(*row) for row in derived if row[1] != row[2]]


def _parse_time(text: str) -> time:
    try:
        hours, minutes = text.split(":")
        return time(int(hours), int(minutes))
    except ValueError:
        raise ValueError(
            f"{text!r} is no time of day; write it as HH:MM, for example 09:30"
        ) from None


def _parse_weekday(day: int | str) -> int:
    if isinstance(day, str) and day.lower()[:3] in DAY_NAMES:
        return DAY_NAMES.index(day.lower()[:3])
    if isinstance(day, int) and 0 <= day <= 6:
        return day
    raise ValueError(f"{day!r} is no weekday; write 0 (Monday) to 6, or mon to sun")
