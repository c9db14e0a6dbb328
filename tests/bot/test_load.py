"""What a crowd may and may not do to the others, with the stock client and a crowd behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from publisher.bot.desk import Asker, Desk
from publisher.bot.sender import Place
from publisher.ledger import wishes
from publisher.ledger.database import relaxed
from publisher.ledger.models import Meme, Wish, database
from publisher.telegram import account
from tests.bot.conftest import Stage, first
from tests.conftest import Clock, picture


def asker(person: int, number: int) -> Asker:
    return Asker(person, Place(person, 0), "ru", f"m:{person}:{number}")


def idle(stage: Stage, **rule: Any) -> Any:
    """A bot that hears and sends, and makes nothing yet."""
    return stage.start(bot={"model": False, "per_person": 1, **rule})


async def never(self: Desk) -> bool:
    return False


async def test_in_a_full_queue_a_quiet_person_finds_room_among_the_loud(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "work", never)
    bot = await idle(stage, queue=5)
    now = stage.clock()
    for person in range(1, 6):
        for number in range(12):
            bot.desk.ask(asker(person, number), f"кот {person}", now)
    assert len(bot.desk.queue) == 5
    anna, boris = await stage.person(), await stage.person("Борис")
    await anna.say("дедлайн")
    await anna.hears_text("в очереди")
    assert Wish.select().where(Wish.state == "refused").count() == 1
    assert Wish.get(Wish.state == "refused").person in range(1, 6)

    for number in range(12):
        bot.desk.ask(asker(boris.id, number), "…", now)  # as loud as they are: not served
    await boris.say("понедельник")
    await asyncio.sleep(0.3)
    assert not [m for m in boris.heard if "в очереди" in m.raw_text]
    assert Wish.select().where(Wish.state == "waiting").count() == 5


async def test_who_is_too_fast_is_told_once_and_for_how_long(stage: Stage) -> None:
    await idle(stage, per_person_minute=2)
    anna = await stage.person()
    for number in range(12):
        await anna.say(f"??? {number}")
    await anna.hears_text("О чём мем?")
    await anna.hears_text("подождите 30 с")
    await asyncio.sleep(0.3)
    assert not [m for m in anna.heard if "подождите" in m.raw_text]
    stage.clock.forward(seconds=61)
    await anna.say("/help")
    await anna.hears_text("Как заказать мем")
    assert not Wish.select().exists()


async def test_a_full_queue_gives_what_is_ready(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "work", never)
    bot = await idle(stage, queue=1)
    file, digest = stage.services.keep_picture(picture(1), "generated")
    Meme.create(
        origin="generated", language="ru", method="frame", file=file, sha256=digest,
        state="used", created_at=stage.clock(),
    )  # fmt: skip
    bot.desk.ask(asker(1, 1), "кот", stage.clock())
    anna, bob = await stage.person(), await stage.person("Bob", lang="en")
    await anna.say("дедлайн")
    assert "готовый мем, не по вашей теме" in (await anna.hears_photo(5)).raw_text
    await bob.say("deadline")
    await bob.hears_text("the queue is full")


async def test_a_queue_longer_than_the_deadline_is_closed_at_the_door(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "work", never)
    bot = await idle(stage, queue=100, deadline_minutes=2)
    bot.desk.seconds = 30.0
    for person in range(1, 9):
        bot.desk.ask(asker(person, 1), f"кот {person}", stage.clock())
    assert len(bot.desk.queue) == 3
    anna = await stage.person()
    await anna.say("дедлайн")
    await anna.hears_text("Очередь длиннее 2 минут")


async def test_a_meme_that_overtakes_its_notice_leaves_it_unsaid(stage: Stage) -> None:
    """An outbox held up by the bot's own wait: first the meme leaves, then nothing stale."""
    bot = await stage.start()
    anna = await stage.person()
    bot.outbox.closed_until = stage.clock() + timedelta(seconds=20)
    await anna.say("дедлайн")
    await wait_for(lambda: Wish.select().where(Wish.state == "sending").exists())
    assert not anna.heard
    bot.outbox.closed_until = None
    await anna.hears_photo()
    await asyncio.sleep(0.5)
    assert not anna.heard
    assert not bot.desk.notices.under_way


async def test_a_notice_that_arrives_late_is_edited_when_it_has(stage: Stage) -> None:
    bot = await stage.start()
    anna = await stage.person()
    stage.server.faults.delay("messages.sendMessage", 1.0, times=1)
    bot.desk.services.workers = Broken()  # type: ignore[assignment]
    await anna.say("дедлайн")
    notice = await anna.hears_text("в очереди")
    told = await first(anna.edits, lambda m: "это моя вина" in m.raw_text, 10)
    assert told.id == notice.id
    assert not anna.heard


class Broken:
    """A child that cannot do anything."""

    async def run(self, *args: Any, **more: Any) -> Any:
        raise RuntimeError("broken")


async def test_memes_that_cannot_be_kept_block_nobody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await stage.start()
    anna = await stage.person()

    def full_disk(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("publisher.bot.memes.keep_made", full_disk)
    await anna.say("дедлайн")
    await first(anna.edits, lambda m: "это моя вина" in m.raw_text, 60)
    assert not bot.desk.busy
    monkeypatch.undo()
    await anna.say("понедельник")
    await anna.hears_photo()


async def test_of_more_events_than_fit_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(account, "HEARD", 3)
    heard = account.Heard()
    for number in range(5):
        await heard.hear(number)
    assert [heard.get_nowait() for _ in range(3)] == [2, 3, 4]
    assert heard.empty()


async def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < end, "waited too long"
        await asyncio.sleep(0.05)


def test_wishes_do_not_wait_for_the_disk_and_all_else_does(ledger: Path, clock: Clock) -> None:
    def synchronous() -> int:
        return int(database.execute_sql("PRAGMA synchronous").fetchone()[0])

    FULL, NORMAL = 2, 1
    assert synchronous() == FULL
    with relaxed():
        assert synchronous() == NORMAL
    with database.atomic(), relaxed():
        Meme.select().count()
    assert synchronous() == FULL
    said: list[str] = []
    database.connection().set_trace_callback(said.append)
    wish = wishes.add_wish(
        "m:1:1", clock(), person=1, chat=1, topic="кот", language="ru", speaks="ru"
    )
    assert wish and wishes.begin(wish)
    writes = [n for n, line in enumerate(said) if line.startswith(("INSERT", "UPDATE"))]
    for number in writes:
        before = [line for line in said[:number] if "synchronous" in line]
        assert "NORMAL" in before[-1]
    assert len(writes) == 2
    assert synchronous() == FULL
    with pytest.raises(RuntimeError), relaxed():
        raise RuntimeError
    assert synchronous() == FULL
