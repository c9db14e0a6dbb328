"""Which button is pressed: the one that goes on with the offer, and never a dear or wrong one."""

from __future__ import annotations

from typing import Any

import pytest

from publisher.partners.conversations import Action, Choice, choose_action, waiting_time
from publisher.partners.matching import coarse_hash
from publisher.partners.replies import read_rules


def action(text: str, *labels: str, **changes: Any) -> Action:
    given: dict[str, Any] = {
        "language": "ru",
        "signed": False,
        "partner": "their_channel",
        "may_join": True,
    }
    return choose_action("confirm", text, [Choice(t) for t in labels], **(given | changes))


def pressed(text: str, *labels: str, **changes: Any) -> str:
    found = action(text, *labels, **changes)
    return labels[found.button] if found.do == "press" else found.do


SEND = "Отправить мем на модерацию?"


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        (("💳 Оплатить и отправить", "Отправить бесплатно"), "Отправить бесплатно"),
        (("Отправить без очереди за 50 ⭐", "В общую очередь, да"), "В общую очередь, да"),
        (("💰 Оплатить", "❌ Отмена"), "ask_owner"),
        (("Поддержать канал донатом", "❌ Отмена"), "ask_owner"),
        (("🔔 Подписаться на рассылку", "❌ Отмена"), "ask_owner"),
        (("Удалить", "Отписаться"), "ask_owner"),
        (("Не отправлять", "Отправить"), "Отправить"),
        (("Don't send", "Send"), "Send"),
        (("Do not submit", "Go ahead"), "Go ahead"),
        (("Отправить жалобу", "Отправить мем"), "Отправить мем"),
        (("Отправить позже", "Отправить сейчас"), "Отправить сейчас"),
        (("Отправить ещё один", "Готово"), "Готово"),
        (("Да, и подписаться на спонсора", "Да", "Нет"), "Да"),
        (("✅ Да", "❌ Нет"), "✅ Да"),
        (("❌ Отмена", "Погнали"), "Погнали"),
        (("✍️ Отправить с подписью", "❌ Отмена"), "ask_owner"),
    ],
)
def test_the_button_that_goes_on(labels: tuple[str, ...], right: str) -> None:
    assert pressed(SEND, *labels) == right


@pytest.mark.parametrize(
    "question",
    [
        "Вы точно хотите отменить отправку?",
        "Вы уверены, что хотите удалить предложение?",
        "Подтвердите удаление поста",
        "Ваш мем будет удалён. Продолжить?",
        "Are you sure you want to withdraw your submission?",
        "Хотите получать новости канала?",
        "Отправить пост всем подписчикам платно?",
        "Отправить вне очереди за 100 ₽?",
        "Подтвердите, что вам есть 18",
    ],
)
def test_no_plain_yes_to_a_question_of_something_else(question: str) -> None:
    assert pressed(question, "✅ Да", "Нет") == "ask_owner"
    assert action(question).do == "ask_owner"


@pytest.mark.parametrize(
    ("question", "labels", "signed", "right"),
    [
        ("Указать вас автором?", ("Да", "Нет"), False, "Нет"),
        ("Указать вас автором?", ("Да", "Нет"), True, "Да"),
        ("Do you want to be credited?", ("Yes", "No"), False, "No"),
        ("Опубликовать анонимно?", ("Да", "Нет"), False, "Да"),
        ("Опубликовать анонимно?", ("Да", "Нет"), True, "ask_owner"),
        ("Отправить с указанием автора?", ("Да", "Нет"), False, "ask_owner"),
        ("How should we post it?", ("Unsigned", "Signed"), True, "Signed"),
        ("How should we post it?", ("Don't show my name", "Show my name"), True, "Show my name"),
        ("Указать ваше имя? да/нет", ("Да", "Нет"), True, "Да"),
        ("Выберите, как подписать пост", (), False, "ask_owner"),
        ("Публикуем от вашего имени или анонимно?", (), True, "say"),
        ("Как опубликовать?", ("Не анонимно", "Анонимно"), False, "Анонимно"),
    ],
)
def test_the_authorship_in_odd_words(
    question: str, labels: tuple[str, ...], signed: bool, right: str
) -> None:
    assert pressed(question, *labels, signed=signed) == right


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо, мем получен. Лимит на сегодня исчерпан, приходите завтра",
        "Thanks, your meme was received. You can send the next one in 3 hours.",
        "Предложение принято! На сегодня лимит исчерпан.",
    ],
)
def test_a_limit_for_the_next_offer_is_a_receipt_of_this(text: str) -> None:
    assert read_rules(text).meaning == "receipt"


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо за интерес! Лимит исчерпан, приходите завтра",
        "Предыдущий пост на модерации. Новый можно через час",
        "Мем не принят. Превышен лимит: 2 в день.",
        "Ваше сообщение не отправлено. Лимит исчерпан",
    ],
)
def test_a_limit_that_kept_this_offer_out_is_a_limit(text: str) -> None:
    assert read_rules(text).meaning == "rate_limited"


def test_a_wait_beyond_all_numbers_is_a_month() -> None:
    for number in (10**14, 10**30, 10**60):
        found = waiting_time(f"Подождите {number} дней")
        assert found is not None and found.days == 30


def test_a_picture_of_a_few_pixels_is_refused_in_words(tmp_path: Any) -> None:
    from PIL import Image

    path = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(path)
    with pytest.raises(ValueError, match=r"dot\.png: .*too few"):
        coarse_hash(path)
