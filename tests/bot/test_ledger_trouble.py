"""The ledger is held by another or has no room: the bot goes on, and says nothing twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from peewee import OperationalError

from publisher.bot import Bot, service
from publisher.ledger.models import Wish, database
from publisher.telegram.account import SignInError
from tests.bot.conftest import Stage, until


@contextmanager
def held(stage: Stage) -> Iterator[None]:
    """The ledger held by another process, for longer than the bot waits for it."""
    database.execute_sql("PRAGMA busy_timeout = 20")
    path = stage.root / "var" / "memegen.db"
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def sending(stage: Stage, **answer: Any) -> Any:
    """Somebody whose meme is on its way, and takes two seconds for it."""
    await stage.start()
    anna = await stage.person()
    stage.server.faults.add("messages.sendMedia", "delay", seconds=1.0, times=1, **answer)
    await anna.say("кот и понедельник")
    await until(lambda: Wish.select().where(Wish.state == "sending").exists(), 60)
    return anna


@pytest.mark.parametrize("after", [False, True])
async def test_a_meme_sent_while_the_ledger_is_held_is_one_meme(stage: Stage, after: bool) -> None:
    anna = await sending(stage, after=after)
    with held(stage):
        await asyncio.sleep(4)
        assert Wish.get().state == "sending"
    await until(lambda: Wish.get().state == "answered", 15)
    assert stage._task and not stage._task.done()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    assert sum(m.photo is not None for m in anna.heard) == 1
    await anna.say("дедлайн")
    await until(lambda: sum(m.photo is not None for m in anna.heard) == 2, 60)


async def test_an_answer_given_up_while_the_ledger_is_held_ends_when_it_is_free(
    stage: Stage,
) -> None:
    stage.server.faults.error("messages.sendMedia", "USER_IS_BLOCKED", times=1, code=400)
    anna = await sending(stage)
    with held(stage):
        await asyncio.sleep(2)
        assert stage._task and not stage._task.done()
    await until(lambda: Wish.get().state == "failed", 15)
    await anna.say("/start")
    await anna.hears_text("Пришлите")


async def test_a_restart_while_an_end_is_unwritten_sends_nothing_twice(stage: Stage) -> None:
    anna = await sending(stage)
    with held(stage):
        await anna.hears_photo()
        await asyncio.sleep(0.5)
        await stage.stop()
    assert Wish.get().state == "sending"
    await stage.start()
    await until(lambda: Wish.get().state == "answered", 15)
    assert not any(m.photo for m in anna.heard)


async def test_who_waited_while_the_ledger_was_held_is_served(stage: Stage) -> None:
    """Topics are taken out of the queue one after another, and none can be begun."""
    anna = await sending(stage)
    assert stage.bot
    people = [anna, await stage.person("Боря"), await stage.person("Вера")]
    stage.bot.desk.busy.update(person.id for person in people)
    for person, topic in zip(people, ("дедлайн", "отпуск", "будильник"), strict=True):
        await person.say(topic)
    await until(lambda: len(stage.bot.desk.queue) == 3)
    with held(stage):
        stage.bot.desk.busy.clear()
        stage.bot.desk.on_work()
        await until(lambda: len(stage.bot.desk.queue) < 3)
        await asyncio.sleep(2)
    await until(lambda: all(w.state == "answered" for w in Wish.select()), 90)
    assert Wish.select().count() == 4
    photos = [sum(m.photo is not None for m in person.heard) for person in people]
    assert photos == [2, 1, 1]
    assert not stage.bot.desk.busy


async def test_a_round_that_is_cut_off_is_followed_by_the_next(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[BaseException] = [asyncio.CancelledError(), OperationalError("locked")]

    async def care(self: Bot, now: object) -> None:
        if rounds:
            raise rounds.pop()
        cared.set()

    cared = asyncio.Event()
    monkeypatch.setattr(service, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(Bot, "_care_once", care)
    await stage.start()
    await asyncio.wait_for(cared.wait(), 5)


async def test_a_bot_that_is_known_no_more_says_so(stage: Stage) -> None:
    await stage.start()
    await stage.stop()
    assert stage.services and stage.services.bot

    async def nobody() -> None:
        return None

    await stage.services.bot.client.connect()
    stage.services.bot.client.get_me = nobody
    with pytest.raises(SignInError, match="token"):
        await Bot(stage.services).start()
