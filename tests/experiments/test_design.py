import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.design import (
    Pair,
    PlannedSlot,
    audit_coins,
    coin,
    other,
    pair_slots,
    plan_slots,
    secret_hash,
)

BERLIN = "Europe/Berlin"
EVERY_DAY = range(7)


def local(slot: PlannedSlot, zone: str) -> datetime:
    return slot.at.astimezone(ZoneInfo(zone))


def test_missing_local_time_moves_forward_by_the_gap():
    slots = plan_slots("c", ["02:30"], EVERY_DAY, BERLIN, date(2026, 3, 28), date(2026, 3, 30))
    assert [f"{local(s, BERLIN):%d %H:%M}" for s in slots] == ["28 02:30", "29 03:30", "30 02:30"]


def test_moved_slot_never_merges_with_the_one_already_there():
    slots = plan_slots(
        "c", ["02:30", "03:30"], EVERY_DAY, BERLIN, date(2026, 3, 29), date(2026, 3, 29)
    )
    assert [f"{local(s, BERLIN):%H:%M}" for s in slots] == ["03:30", "03:31"]


def test_doubled_local_time_is_taken_once_at_its_first_occurrence():
    slots = plan_slots("c", ["02:30"], EVERY_DAY, BERLIN, date(2026, 10, 25), date(2026, 10, 25))
    assert [s.at for s in slots] == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]


@given(
    zone=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo"]
    ),
    start=st.dates(date(2025, 1, 1), date(2027, 12, 1)),
    days=st.integers(0, 40),
    minutes=st.sets(st.integers(0, 1439), min_size=1, max_size=6),
)
def test_no_day_loses_or_doubles_a_slot(zone, start, days, minutes):
    times = [f"{m // 60:02d}:{m % 60:02d}" for m in minutes]
    slots = plan_slots("c", times, EVERY_DAY, zone, start, start + timedelta(days=days))
    assert len(slots) == len({s.at for s in slots}) == (days + 1) * len(times)
    assert slots == sorted(slots)


def test_days_off_and_weekdays_are_respected():
    slots = plan_slots(
        "c", ["9:00"], ["mon", "wed"], "UTC", date(2026, 11, 2), date(2026, 11, 15),
        holidays=[date(2026, 11, 4)],
    )  # fmt: skip
    assert [s.at.date() for s in slots] == [
        date(2026, 11, 2),
        date(2026, 11, 9),
        date(2026, 11, 11),
    ]


@pytest.mark.parametrize("wrong", ["24:00", "9", "9:60", "noon"])
def test_malformed_time_names_the_remedy(wrong):
    with pytest.raises(ValueError, match="HH:MM"):
        plan_slots("c", [wrong], EVERY_DAY, "UTC", date(2026, 1, 1), date(2026, 1, 2))


def test_pairs_share_channel_hour_and_day_type():
    slots = [
        *plan_slots(
            "a", ["9:00", "18:30"], EVERY_DAY, BERLIN, date(2026, 10, 12), date(2026, 11, 1)
        ),
        *plan_slots("b", ["9:00"], ["tue"], BERLIN, date(2026, 10, 12), date(2026, 11, 1)),
    ]
    holiday = date(2026, 10, 21)
    pairs, left = pair_slots(slots, BERLIN, [holiday])
    assert len(pairs) * 2 + len(left) == len(slots)
    for pair in pairs:
        first, second = local(pair.first, BERLIN), local(pair.second, BERLIN)
        assert pair.first.channel == pair.second.channel == pair.channel
        assert first.hour == second.hour and first < second
        weekend = [day.weekday() >= 5 or day.date() == holiday for day in (first, second)]
        assert weekend[0] == weekend[1]
    assert [s.channel for s in left].count("b") == 1


def test_neighbours_in_time_are_paired():
    slots = plan_slots("a", ["9:00"], range(5), "UTC", date(2026, 11, 2), date(2026, 11, 5))
    pairs, left = pair_slots(slots, "UTC")
    assert [(p.first.at.day, p.second.at.day) for p in pairs] == [(2, 3), (4, 5)]
    assert left == []


@given(cut=st.integers(0, 42), pause=st.booleans())
def test_extending_the_plan_never_remakes_a_pair(cut, pause):
    slots = plan_slots(
        "a", ["9:00", "13:00"], EVERY_DAY, BERLIN, date(2026, 3, 16), date(2026, 4, 5)
    )
    before, after = slots[:cut], slots[cut + (6 if pause else 0) :]
    first, left = pair_slots(before, BERLIN)
    second, rest = pair_slots([*before, *after], BERLIN, existing=first)
    used = [s for p in [*first, *second] for s in (p.first, p.second)]
    assert len(used) == len(set(used))
    assert sorted([*used, *rest]) == sorted({*before, *after})
    assert len({p.pair_id for p in [*first, *second]}) == len(first) + len(second)
    assert set(left) <= {*used, *rest}


def test_a_slot_waits_for_its_twin_no_longer_than_the_gap():
    early = PlannedSlot("a", datetime(2026, 9, 7, 9, tzinfo=UTC))
    late = [PlannedSlot("a", datetime(2026, 11, day, 9, tzinfo=UTC)) for day in (2, 3)]
    pairs, left = pair_slots([early, *late], "UTC")
    assert [(p.first, p.second) for p in pairs] == [(late[0], late[1])]
    assert left == [early]


def test_coin_is_the_documented_hmac_bit():
    digest = hmac.new(b"k", "опыт|p1".encode(), hashlib.sha256).digest()
    assert coin(b"k", "опыт", "p1") == ("human" if digest[0] & 1 else "generated")
    assert secret_hash(b"k") == hashlib.sha256(b"k").hexdigest()


def test_coin_is_fair_and_differs_between_secrets():
    arms = [coin(b"secret", "e", f"p{i}") for i in range(4000)]
    assert abs(arms.count("generated") - 2000) < 4 * 31.7
    again = [coin(b"another", "e", f"p{i}") for i in range(4000)]
    assert abs(sum(a == b for a, b in zip(arms, again, strict=True)) - 2000) < 4 * 31.7


def test_audit_names_exactly_the_wrong_pairs():
    truth = {f"p{i}": coin(b"s", "e", f"p{i}") for i in range(50)}
    assert audit_coins(b"s", "e", truth) == []
    forged = {**truth, "p7": other(truth["p7"]), "p9": other(truth["p9"])}
    found = audit_coins(b"s", "e", list(forged.items()))
    assert [(m.pair_id, m.derived) for m in found] == [("p7", truth["p7"]), ("p9", truth["p9"])]


def test_pair_ids_are_stable_names():
    slot = PlannedSlot("cats", datetime(2026, 11, 2, 9, tzinfo=UTC))
    twin = PlannedSlot("cats", datetime(2026, 11, 3, 9, tzinfo=UTC))
    assert pair_slots([twin, slot], "UTC")[0] == [Pair("cats:20261102T0900Z", "cats", slot, twin)]
