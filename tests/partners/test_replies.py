from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.partners.conversations import Choice, choose_action, waiting_time
from publisher.partners.replies import (
    MEANINGS,
    YES,
    Example,
    Own,
    examples,
    nearest,
    normalise,
    read_rules,
    traps,
)


def test_the_labelled_set_is_read_as_labelled() -> None:
    labelled = examples()
    readings = [read_rules(e.text) for e in labelled]
    wrong = [e for e, r in zip(labelled, readings, strict=True) if r.meaning != e.meaning]
    assert len(wrong) <= len(labelled) * 0.02
    assert {e.language for e in labelled} == {"ru", "en"}
    assert {e.meaning for e in labelled} == set(MEANINGS)


@pytest.mark.parametrize("text", traps())
def test_a_yes_to_something_else_or_taken_back_is_no_acceptance(text: str) -> None:
    assert read_rules(text).meaning not in YES


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Ваш пост одобрен! Он будет опубликован в нашей группе.", "accepted"),
        ("Спасибо за участие! Ваш мем одобрен", "accepted"),
        ("Одобрено! Правила канала — в закрепе", "accepted"),
        ("Approved! No edits needed.", "accepted"),
        ("Мем одобрен, но выйдет позже", "accepted"),
        ("Approved, but it will go out tomorrow", "accepted"),
        ("Ваш мем опубликован! Осталось 1 из 2 на сегодня", "published"),
        ("Одобрено, оплатите размещение", "precondition"),
        ("Опубликуем за 500 рублей", "precondition"),
        ("Ваше предложение принято и отправлено на модерацию", "receipt"),
        ("Ваше предложение принято", "accepted"),
        ("Ваше предложение не принято", "rejected"),
        ("пока не опубликовано", "receipt"),
        ("будет опубликовано, если одобрят", "receipt"),
        ("<b>Ваше предложение</b>\n\n<i>отклонено</i>", "rejected"),
        ("ВАШ МЕМ ОДОБРЕН!!!", "accepted"),
        ("Ваш пост отправлен на модерацию! Подпишитесь на канал @mems", "receipt"),
        ("", "unknown"),
        ("🎲", "unknown"),
    ],
)
def test_words_that_are_easily_mistaken(text: str, meaning: str) -> None:
    assert read_rules(text).meaning == meaning


@pytest.mark.parametrize(
    "doubt",
    [
        "{} — если решат модераторы",
        "Ещё не решено. {}?",
        "{} после проверки модератором, если подойдёт",
        "Пост отправлен на модерацию. Если он понравится, вам ответят: «{}»",
        "If the moderators like it, you will hear: {}",
        "{} (pending review)",
    ],
)
def test_acceptance_in_doubt_is_none(doubt: str) -> None:
    words = [e.text.strip(" .!✅🎉") for e in examples() if e.meaning in YES]
    taken = [w for w in words if read_rules(doubt.format(w)).meaning in YES]
    assert not taken


@given(st.text(max_size=300))
def test_any_text_has_a_meaning(text: str) -> None:
    reading = read_rules(text)
    assert reading.meaning in MEANINGS
    assert 0 <= reading.score <= 1
    assert normalise(normalise(text)) is not None


def test_a_partners_own_pattern_comes_first() -> None:
    own = [Own("в копилку", "receipt")]
    assert read_rules("Одобрено и в копилку", own).meaning == "receipt"


def test_nearness_never_makes_an_acceptance() -> None:
    labelled = [Example("a", "accepted", "en"), Example("b", "rejected", "en")]
    assert nearest(np.array([0.99, 0.1]), labelled).meaning == "unknown"
    assert nearest(np.array([0.1, 0.99]), labelled).meaning == "rejected"
    assert nearest(np.array([0.1, 0.3]), labelled).meaning == "unknown"


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        (
            "Следующее предложение можно отправить через 3 ч. 25 мин.",
            timedelta(hours=3, minutes=25),
        ),
        ("Слишком часто! Подождите 30 минут", timedelta(minutes=30)),
        ("Не так быстро, попробуйте через час", timedelta(hours=1)),
        ("Лимит: не больше 2 мемов в день. Приходите завтра!", timedelta(hours=24)),
        ("You can send your next meme in 5 hours", timedelta(hours=5)),
        ("Please wait 10 minutes.", timedelta(minutes=10)),
        ("Лимит исчерпан", None),
    ],
)
def test_how_long_a_limit_asks_to_wait(text: str, wait: timedelta | None) -> None:
    assert waiting_time(text) == wait


def act(meaning: str, text: str, *labels: str, signed: bool = False, join: bool = True) -> object:
    buttons = [Choice(label.removesuffix("→"), label.endswith("→")) for label in labels]
    action = choose_action(
        meaning,  # type: ignore[arg-type]
        text,
        buttons,
        language="ru",
        signed=signed,
        partner="mems",
        may_join=join,
    )
    return action.do, labels[action.button] if action.button >= 0 else action.text


def test_actions() -> None:
    assert act("confirm", "Отправить?", "❌ Отмена", "✅ Да") == ("press", "✅ Да")
    assert act("confirm", "Отправить?", "Нет", "Конечно") == ("press", "Конечно")
    assert act("confirm", "Как?", "С подписью", "Анонимно") == ("press", "Анонимно")
    assert act("confirm", "Как?", "С подписью", "Анонимно", signed=True) == ("press", "С подписью")
    assert act("confirm", "Категория?", "Котики", "Работа", "Политика") == ("ask_owner", "")
    assert act("confirm", "Отправить? (да/нет)") == ("say", "Да")
    assert act("precondition", "Подпишитесь на @mems", "Проверить") == ("join", "Проверить")
    assert act("precondition", "Подпишитесь на @mems", join=False)[0] == "ask_owner"
    assert act("precondition", "Подпишитесь на спонсоров: @sponsor, @mems")[0] == "ask_owner"
    assert act("precondition", "Оплатите 50 звёзд")[0] == "ask_owner"
    assert act("blocked", "Вы в бане")[0] == "stop"
    assert act("receipt", "Спасибо")[0] == "nothing"
    assert act("unknown", "???")[0] == "ask_owner"
