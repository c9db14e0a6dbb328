"""What the child's accidents leave behind: a failed run, an alert, and work that goes on."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator

import pytest

from jobs import generate as generation
from jobs.alert import alert
from jobs.runner import run_job
from jobs.services import Services
from publisher.ledger.models import Alert, Meme, Topic
from publisher.memes.make import Candidate, Made, MakeRequest
from publisher.memes.types import Caption
from tests.conftest import NOON, Clock, picture

POISON = "отравленная тема"


def end_on_poison(request: MakeRequest) -> Made:
    """Native code that one topic, and no other, brings down."""
    if request.topic.startswith(POISON):
        how = request.topic.removeprefix(POISON).strip()
        if how == "падение":
            ctypes.string_at(0)
        if how == "память":
            os.kill(os.getpid(), signal.SIGKILL)
        if how == "ошибка":
            raise IndexError("list index out of range")
        time.sleep(600)
    caption = Caption("coffee", (request.topic, "низ"), "ru", "frame")
    return Made((Candidate(caption, picture(len(request.topic))),), (), (), 0.1)


@pytest.fixture
def topics(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Services]:
    monkeypatch.setattr(generation, "make_memes", end_on_poison)
    rule = services.settings.memes.model_copy(update={"stock": 2, "topics_per_run": 4})
    services.settings = services.settings.model_copy(update={"memes": rule})
    yield services


def topic(title: str, score: float) -> Topic:
    return Topic.create(title=title, language="ru", score=score, ok=True, found_at=NOON)


@pytest.mark.parametrize(
    ("how", "reason"), [("падение", "SIGSEGV"), ("память", "SIGKILL"), ("петля", "over 1 s")]
)
async def test_a_topic_that_ends_the_child_does_not_keep_the_others_from_their_turn(
    topics: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch, how: str, reason: str
) -> None:
    run = topics.workers.run

    async def within_a_second(function: object, *args: object, timeout_seconds: float) -> object:
        return await run(function, *args, timeout_seconds=1.0)

    monkeypatch.setattr(topics.workers, "run", within_a_second)
    poison = topic(f"{POISON} {how}", 9.0)
    good = topic("дедлайн", 1.0)
    ended = await run_job(topics, "generate", clock())
    assert not ended.ok and ended.id is not None
    assert f"«{POISON} {how}»" in ended.note and reason in ended.note and "made 1" in ended.note
    assert [m.topic_id for m in Meme.select()] == [good.id]
    assert reason in Topic.get_by_id(poison.id).note
    [raised] = Alert.select().where(Alert.code == "worker_died")
    assert reason in raised.facts["reason"]
    topic("отпуск", 0.5)
    again = await run_job(topics, "generate", clock.forward(hours=6))
    assert again.ok and "made 1" in again.note
    await alert(topics, clock())
    assert Alert.get_by_id(raised.id).told_at == clock()


async def test_a_topic_that_the_code_cannot_take_does_not_keep_the_others_from_their_turn(
    topics: Services, clock: Clock
) -> None:
    poison = topic(f"{POISON} ошибка", 9.0)
    good = topic("дедлайн", 1.0)
    ended = await run_job(topics, "generate", clock())
    assert not ended.ok and "list index out of range" in ended.note and "made 1" in ended.note
    assert [m.topic_id for m in Meme.select()] == [good.id]
    assert "list index out of range" in Topic.get_by_id(poison.id).note
    assert not Alert.select().where(Alert.code == "worker_died").exists()


async def test_a_model_that_always_dies_does_not_use_up_every_topic(
    topics: Services, clock: Clock
) -> None:
    for number in range(4):
        topic(f"{POISON} падение", 9.0 - number)
    ended = await run_job(topics, "generate", clock())
    assert not ended.ok
    assert Topic.select().where(Topic.used_at.is_null()).count() == 2
