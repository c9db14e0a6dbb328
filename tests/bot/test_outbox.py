"""The outbox: order, pace, what is dropped and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from peewee import OperationalError
from telethon import errors

from publisher.bot.account import ChatFlood
from publisher.bot.outbox import ANSWER, ASIDE, EDIT, FIRST, NOTICE, Entry, Outbox
from publisher.telegram.governor import NotNow
from tests.conftest import Clock


def outbox_of(clock: Clock, **more: Any) -> Outbox:
    return Outbox(clock, clock.sleep, per_second=1000, **more)


def saying(said: list[str], word: str, *failures: Exception) -> Callable[[], Any]:
    left = list(failures)

    async def act() -> None:
        if left:
            raise left.pop(0)
        said.append(word)

    return act


async def test_the_urgent_goes_first_and_edits_coalesce(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    for number in range(5):
        entry = Entry(1, EDIT, saying(said, f"edit {number}"), droppable=True, key=("edit", 1))
        outbox.put(entry)
    outbox.put(Entry(5, ASIDE, saying(said, "refusal"), droppable=True))
    outbox.put(Entry(2, NOTICE, saying(said, "notice")))
    outbox.put(Entry(3, ANSWER, saying(said, "answer")))
    outbox.put(Entry(4, FIRST, saying(said, "first")))
    await outbox.pump()
    assert said == ["first", "answer", "notice", "edit 4", "refusal"]


async def test_a_chat_is_paced_and_others_do_not_wait_for_it(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    for number in range(30):
        outbox.put(Entry(-5, NOTICE, saying(said, f"group {number}")))
    outbox.put(Entry(7, NOTICE, saying(said, "person")))
    await outbox.pump()
    assert "person" in said
    assert 4 <= len([s for s in said if "group" in s]) <= 5
    for _ in range(100):
        clock.forward(seconds=3)
        await outbox.pump()
    assert len(said) == 31


async def test_a_full_outbox_drops_only_what_may_be_dropped(clock: Clock) -> None:
    outbox, said = outbox_of(clock, limit=10), []
    kept = [outbox.put(Entry(n, NOTICE, saying(said, "x"), droppable=True)) for n in range(50)]
    assert sum(kept) == 10
    assert outbox.put(Entry(99, ANSWER, saying(said, "answer")))
    await outbox.pump()
    assert len(said) == 11
    assert outbox.dropped == 40


async def test_a_chats_flood_delays_that_chat_alone(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    flood = ChatFlood(1, clock() + timedelta(minutes=1))
    outbox.put(Entry(1, NOTICE, saying(said, "anna", flood)))
    outbox.put(Entry(2, NOTICE, saying(said, "boris")))
    await outbox.pump()
    assert said == ["boris"]
    clock.forward(seconds=61)
    await outbox.pump()
    assert said == ["boris", "anna"]


async def test_the_accounts_wait_closes_the_outbox_until_it_is_over(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    wait = NotNow(clock() + timedelta(minutes=5), "FLOOD_WAIT_300")
    outbox.put(Entry(1, NOTICE, saying(said, "anna", wait)))
    await outbox.pump()
    outbox.put(Entry(2, NOTICE, saying(said, "boris")))
    await outbox.pump()
    assert said == []
    clock.forward(minutes=6)
    await outbox.pump()
    assert sorted(said) == ["anna", "boris"]


async def test_unclear_ends_are_tried_again_and_known_ones_are_success(clock: Clock) -> None:
    outbox, said, ends = outbox_of(clock), [], []
    duplicate = errors.RandomIdDuplicateError(None)
    act = saying(said, "sent", TimeoutError(), ConnectionError(), duplicate)
    outbox.put(Entry(1, ANSWER, act, known=lambda: ends.append("known"), given_up=ends.append))
    for _ in range(10):
        await outbox.pump()
        clock.forward(seconds=10)
    assert (said, ends) == ([], ["known"])


async def test_what_is_refused_or_too_late_is_given_up_once(clock: Clock) -> None:
    outbox, ends = outbox_of(clock), []
    refused = errors.UserIsBlockedError(None)
    outbox.put(Entry(1, ANSWER, saying([], "x", refused), given_up=ends.append))
    late = Entry(2, ANSWER, saying([], "y"), until=clock(), given_up=ends.append)
    outbox.put(late)
    outbox.put(Entry(3, ANSWER, saying([], "z", KeyError("ours")), given_up=ends.append))
    for _ in range(3):
        await outbox.pump()
    assert len(ends) == 3
    assert "too late" in ends
    await asyncio.sleep(0)
    assert len(outbox) == 0


async def test_what_may_be_dropped_waits_for_its_chat_only_as_long_as_it_is_worth(
    clock: Clock,
) -> None:
    outbox, said = outbox_of(clock), []
    for number in range(4):
        outbox.put(Entry(1, NOTICE, saying(said, f"{number}")))
    soon, later = clock() + timedelta(seconds=0.3), clock() + timedelta(seconds=15)
    outbox.put(Entry(1, EDIT, saying(said, "edit"), droppable=True, until=soon))
    outbox.put(Entry(1, ASIDE, saying(said, "refusal"), droppable=True, until=later))
    await outbox.pump()
    assert said == ["0", "1", "2", "3"]
    assert outbox.dropped == 1
    clock.forward(seconds=2)
    await outbox.pump()
    assert said[4:] == ["refusal"]


async def test_what_is_withdrawn_is_not_said(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    outbox.put(Entry(1, NOTICE, saying(said, "notice"), key="a", given_up=said.append))
    outbox.put(Entry(2, NOTICE, saying(said, "other"), key="b"))
    assert outbox.withdraw("a")
    assert not outbox.withdraw("a")
    await outbox.pump()
    assert said == ["other"]
    assert not outbox.withdraw("b")


async def test_the_last_word_merged_into_a_passing_one_is_not_late_with_it(clock: Clock) -> None:
    outbox, said, ends = outbox_of(clock), [], []
    outbox.closed_until = clock() + timedelta(seconds=10)
    soon, later = clock() + timedelta(seconds=2), clock() + timedelta(minutes=20)
    key = ("edit", 1, 5)
    outbox.put(Entry(1, EDIT, saying(said, "place 3"), droppable=True, key=key, until=soon))
    last = Entry(1, EDIT, saying(said, "refused"), key=key, until=later, given_up=ends.append)
    outbox.put(last)
    outbox.put(Entry(1, EDIT, saying(said, "newest"), droppable=True, key=key, until=soon))
    for _ in range(15):
        await outbox.pump()
        clock.forward(seconds=1)
    assert (said, ends, outbox.dropped) == (["newest"], [], 0)


@pytest.mark.parametrize("first", ["limited", "endless"])
async def test_what_is_merged_waits_as_long_as_either_would(clock: Clock, first: str) -> None:
    outbox, said, ends = outbox_of(clock), [], []
    outbox.closed_until = clock() + timedelta(minutes=5)
    soon = clock() + timedelta(seconds=2)
    limits = [soon, None] if first == "limited" else [None, soon]
    for limit in limits:
        outbox.put(
            Entry(
                1,
                EDIT,
                saying(said, "x", errors.UserIsBlockedError(None)),
                key="k",
                until=limit,
                given_up=ends.append if limit else None,
            )
        )
    clock.forward(minutes=6)
    await outbox.pump()
    assert (said, ends) == ([], ["USER_IS_BLOCKED"])


def failing(times: int, ends: list[str], word: str) -> Callable[..., None]:
    """Writes to a ledger that is locked for so many tries."""
    left = [OperationalError("database is locked")] * times

    def write(*_: object) -> None:
        if left:
            raise left.pop()
        ends.append(word)

    return write


@pytest.mark.parametrize("how", ["refused", "late", "known"])
async def test_an_end_that_cannot_be_written_down_is_written_down_later(
    clock: Clock, how: str
) -> None:
    outbox, said, ends = outbox_of(clock), [], []
    errors_of = {"refused": errors.UserIsBlockedError, "known": errors.RandomIdDuplicateError}
    act = saying(said, "x", *(errors_of[how](None),) if how in errors_of else ())
    write, other = failing(20, ends, how), failing(10**6, ends, "never")
    until = clock() if how == "late" else None
    outbox.put(Entry(1, ANSWER, act, until=until, known=write, given_up=write))
    outbox.put(Entry(2, ANSWER, saying(said, "other")))
    await outbox.pump()
    assert (said, ends) == (["other"], [])
    outbox.put(Entry(3, ANSWER, saying(said, "y"), until=clock(), given_up=other))
    for _ in range(50):
        clock.forward(seconds=6)
        await outbox.pump()
    assert (said, ends) == (["other"], [how])


async def test_a_fault_at_an_end_ends_nothing_else(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []

    def fault(*_: object) -> None:
        raise KeyError("ours")

    outbox.put(Entry(1, ANSWER, saying(said, "x"), until=clock(), given_up=fault))
    outbox.put(Entry(2, ANSWER, saying(said, "other")))
    await outbox.pump()
    assert said == ["other"]


async def test_what_was_sent_and_not_written_down_is_neither_late_nor_failed(clock: Clock) -> None:
    """The server answers a repeated random_id with the message that is there."""
    outbox, ends = outbox_of(clock), []
    calls, write = [], failing(30, ends, "written")

    async def act() -> None:
        calls.append(1)
        write()

    until = clock() + timedelta(seconds=20)
    outbox.put(Entry(1, ANSWER, act, until=until, given_up=ends.append))
    for _ in range(60):
        await outbox.pump()
        clock.forward(seconds=6)
    assert ends == ["written"]
    assert len(calls) == 31


async def test_who_waits_again_leaves_the_key_to_whom_it_belongs_now(clock: Clock) -> None:
    outbox, said, failures = outbox_of(clock), [], [TimeoutError()]

    async def act() -> None:
        if failures:
            raise failures.pop()
        said.append("first")
        assert outbox.withdraw("k")

    outbox.put(Entry(1, FIRST, act, key="k"))
    await outbox.pump()
    outbox.put(Entry(2, EDIT, saying(said, "second"), key="k"))
    clock.forward(seconds=10)
    await outbox.pump()
    assert said == ["first"]


async def test_a_clock_set_back_holds_nothing_up(clock: Clock) -> None:
    outbox, said = outbox_of(clock), []
    for number in range(8):
        until = clock() + timedelta(minutes=20)
        outbox.put(Entry(7, NOTICE, saying(said, f"old {number}"), until=until))
    flood = NotNow(clock() + timedelta(minutes=2), "flood")
    outbox.put(Entry(8, EDIT, saying(said, "flooded", flood)))
    await outbox.pump()
    assert len(said) < 8 and outbox.closed_until
    began = clock.forward(hours=-3)
    outbox.put(Entry(9, NOTICE, saying(said, "new")))
    while len(said) < 10:
        assert clock.forward(seconds=5) < began + timedelta(minutes=5)
        await outbox.pump()
    assert "new" in said and "flooded" in said
