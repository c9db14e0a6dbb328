"""Token buckets and the fair queue, as properties."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from publisher.bot.admission import Buckets, FairQueue, Noise

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
people = st.integers(min_value=1, max_value=6)


@given(gaps=st.lists(st.floats(0, 90), max_size=80), per_minute=st.sampled_from([1.0, 2.0, 7.5]))
def test_nobody_passes_more_often_than_the_bucket_allows(
    gaps: list[float], per_minute: float
) -> None:
    buckets, now, passed = Buckets(per_minute, burst=3), NOON, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        promised = buckets.wait("anna", now) == 0
        taken = buckets.take("anna", now)
        assert taken == promised
        passed += taken
    allowed = 3 + (now - NOON).total_seconds() * per_minute / 60
    assert passed <= allowed + 1e-6
    wait = buckets.wait("anna", now)
    assert buckets.take("anna", now + timedelta(seconds=wait + 1e-3))


def test_buckets_are_bounded_and_a_clock_set_back_harms_nobody() -> None:
    buckets = Buckets(2, burst=2, keep=100)
    for person in range(1000):
        buckets.take(person, NOON)
    assert len(buckets) == 100
    assert buckets.take(999, NOON - timedelta(hours=1))


@given(asked=st.lists(people, max_size=60))
def test_places_are_those_in_which_people_are_served(asked: list[int]) -> None:
    queue: FairQueue[int] = FairQueue(limit=20, per_person=4)
    for number, person in enumerate(asked):
        room = len(queue) < 20 and queue.waiting(person) < 4
        place = queue.add(person, number)
        assert (place is not None) == room
        if place is not None:
            assert list(queue.in_order())[place - 1] == number
    expected, served = list(queue.in_order()), []
    while found := queue.pop():
        served.append(found[1])
    assert served == expected
    assert len(queue) == 0


@given(asked=st.lists(people, min_size=1, max_size=60))
def test_between_two_turns_of_a_person_everybody_waiting_has_one(asked: list[int]) -> None:
    queue: FairQueue[int] = FairQueue(limit=100, per_person=100)
    for number, person in enumerate(asked):
        queue.add(person, number)
    order = []
    while found := queue.pop():
        order.append(found[0])
    for person in set(order):
        turns = [i for i, p in enumerate(order) if p == person]
        for a, b in pairwise(turns):
            later = set(order[b:])
            assert (later - {person}) <= set(order[a:b]) | {person}


def test_busy_people_are_passed_over_and_twins_taken_along() -> None:
    queue: FairQueue[str] = FairQueue(limit=10, per_person=3)
    for person, item in [(1, "cat"), (2, "dog"), (3, "cat"), (2, "cat"), (4, "fox")]:
        queue.add(person, item)
    assert queue.pop(busy={1}) == (2, "dog")
    assert queue.take_all(lambda item: item == "cat", busy={1}) == [(3, "cat"), (2, "cat")]
    assert queue.remove(lambda item: item == "fox") == ["fox"]
    assert queue.pop(busy={1}) is None
    assert queue.pop() == (1, "cat")


@given(asked=st.lists(people, max_size=40), served=st.integers(0, 40))
def test_the_count_is_always_right(asked: list[int], served: int) -> None:
    queue: FairQueue[int] = FairQueue(limit=15, per_person=3)
    inside = sum(queue.add(person, n) is not None for n, person in enumerate(asked))
    for _ in range(served):
        inside -= queue.pop() is not None
    assert len(queue) == inside == len(list(queue.in_order())) <= 15


def test_who_has_many_gives_way_to_who_has_none() -> None:
    queue: FairQueue[str] = FairQueue(limit=3, per_person=3)
    for item in ("a1", "a2", "a3"):
        queue.add(1, item)
    assert queue.add(2, "b1") is None
    assert queue.give_way() == "a3"
    assert queue.add(2, "b1") == 2
    assert queue.give_way() == "a2"
    assert queue.add(3, "c1") == 3
    assert queue.give_way() is None


def test_when_nobody_has_many_the_loud_give_way_to_the_quiet() -> None:
    queue: FairQueue[str] = FairQueue(limit=3, per_person=3)
    for person in (1, 2, 3):
        queue.add(person, f"{person}")
    noise = {1: 2.0, 2: 9.0, 3: 0.0}
    assert queue.give_way(lambda person: noise[person], too_loud=10) is None
    assert queue.give_way(lambda person: noise[person], too_loud=3) == "2"
    assert queue.add(4, "4") == 3
    assert FairQueue[str](limit=3, per_person=3).give_way(lambda _: 9.0, 1) is None


@given(gaps=st.lists(st.floats(0, 600), min_size=1, max_size=50))
def test_noise_adds_up_and_fades(gaps: list[float]) -> None:
    noise, now = Noise(half_life=60), NOON
    for gap in gaps:
        now += timedelta(seconds=gap)
        before = noise.level("anna", now)
        noise.add("anna", now)
        assert noise.level("anna", now) <= before + 1 + 1e-9
    level = noise.level("anna", now)
    assert 1 - 1e-9 <= level <= len(gaps) + 1e-9
    assert abs(noise.level("anna", now + timedelta(seconds=60)) - level / 2) < 1e-9
    assert noise.level("anna", now - timedelta(hours=1)) == level
    assert noise.level("boris", now) == 0


def test_noise_is_bounded() -> None:
    noise = Noise(keep=100)
    for person in range(1000):
        noise.add(person, NOON)
    assert len(noise) == 100


def test_tokens_come_back_by_a_clock_set_back() -> None:
    buckets = Buckets(2, burst=1)
    buckets.take("anna", NOON)
    before = NOON - timedelta(hours=1)
    assert buckets.wait("anna", before) == 30
    assert buckets.take("anna", before + timedelta(seconds=30))
