"""How a reply is respelled, what a yes is said of, and which questions are no answer."""

from __future__ import annotations

import pytest

from publisher.partners.plain import normalise
from publisher.partners.replies import YES, read_replies, read_rules


@pytest.mark.parametrize(
    "text",
    [
        "Опубликуем завтра результаты отбора",  # the object
        "Выложу ссылки",
        "Опубликовали результаты",
        "Скоро выйдет рубрика",  # the subject
        "Утверждено расписание публикаций",
        "Публикуем наш мем сегодня",  # another's offer
        "Опубликуем мемы завтра",
        "Опубликуем фото автора",
        "На этой неделе публикуем лучшее",
        "Взял посмотреть",  # taken to do something with it
        "Беру на себя",
        "Поставим вам лайк",  # handed to somebody
        "Закину в редакцию сегодня",
        "We'll post a link tomorrow",
        "The schedule will be posted tomorrow",
        "We approved the schedule",
        "Featured author of the week",
        "We'll post memes tomorrow",
        "I'll share mine tomorrow",
        "I'll share it with the mods later",
        "We'll run it by the admins",
        "I'll put it on the list",
        "We'll put you on the schedule",
        "Taking a day off today",
        "We're running late today",
        "We'll post soon about your submission",
        "We're going live tonight",
    ],
)
def test_a_promise_about_another_thing_is_no_yes(text: str) -> None:
    assert read_rules(text).meaning not in YES


@pytest.mark.parametrize(
    "text",
    [
        "Выложу вечером в канал",
        "Завтра опубликуем ваш мем в нашем канале",
        "Запостим сегодня вечером с указанием автора",
        "Залью твою картинку завтра",
        "Редакция одобрила ваш мем",
        "Наши модераторы одобрили пост",
        "Админ выложил твой мем",
        "Возьмём эту картинку на завтра",
        "Опубликуем через пару часов",
        "Мы выбрали вашу картинку для публикации",
        "Ваше сообщение опубликовано",
        "Модерация пройдена, ждите пост",
        "Мем одобрен, выйдет после 20:00",
        "Пост одобрен. Он будет опубликован автоматически.",
        "We'll share it with our subscribers on Monday",
        "Approved by the mods, goes up tomorrow",
        "The team approved your meme",
        "Our admin posted your meme",
        "We'll publish your submission in the next few hours",
        "Added to the publishing schedule for tomorrow",
        "I'll drop it in the channel tonight",
        "We have decided to publish your meme",
    ],
)
def test_a_promise_about_our_offer_stays_a_yes(text: str) -> None:
    assert read_rules(text).meaning in YES


@pytest.mark.parametrize(
    "text",
    [
        "Did your last post get published?",
        "Хочешь стать админом?",
        "Напомни, мы это уже публиковали?",
        "А где взял?",
    ],
)
def test_a_question_that_asks_no_consent_is_no_answer(text: str) -> None:
    assert read_rules(text).meaning == "unknown"


def test_a_refusal_in_a_question_still_refuses() -> None:
    assert read_rules("Отклонено. Попробуете ещё?").meaning == "rejected"
    assert read_rules("Ваш пост отклонён, хотите узнать почему?").meaning == "rejected"


def test_nearness_makes_of_questions_alone_only_a_confirmation() -> None:
    readings = read_replies(["Are you a bot?", "Do I know you?", "А ты кто такой?"])
    assert {r.meaning for r in readings} <= {"unknown", "confirm"}


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Дякую, беремо! Завтра опублікуємо", "accepted"),
        ("Якщо схвалять, опублікуємо", "receipt"),
        ("Ваш допис не схвалено адміністратором", "rejected"),
        ("Спочатку підпишіться на канал", "precondition"),
        ("Надішліть свій мем сюди", "greeting"),
        ("опубликованно, спасибо!!", "published"),
        ("yep its going up tmrw morning", "accepted"),
    ],
)
def test_ukrainian_and_misspelled_words_are_known(text: str, meaning: str) -> None:
    assert read_rules(text).meaning == meaning


def test_ukrainian_words_are_told_by_their_letters() -> None:
    assert normalise("Дякую, схвалено") == "дякую, схвалено"
    assert normalise("Дякую, мій мем схвалено") == "спасибо, мій мем одобрено"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Хотите добавить подпись или отправляем так?", "confirm"),
        ("Как подписать автора, чтобы отправить пост?", "confirm"),
        ("Подпишитесь на канал, чтобы отправить мем", "precondition"),
        ("Подписывайтесь сначала на канал", "precondition"),
        ("Нажмите ✅ чтобы предложить пост, или ❌ чтобы отменить", "confirm"),
        ("Ваш мем одобрили, скоро появится в ленте", "accepted"),
        ("НЕ СПЕШИ! осталось ждать 4 мин", "rate_limited"),
        ("One post every 24 hours, please", "rate_limited"),
        ("Your quota of 5 pending posts is full", "rate_limited"),
        ("Вы получили перманентный бан", "blocked"),
        ("The admin has blocked you. Reason: advertising", "blocked"),
        ("Your submissions are no longer welcome here", "blocked"),
        ("За спам вы получите бан", "unknown"),
        ("Публикация ожидает подтверждения администратора", "receipt"),
        ("Ticket #9921 created. We will respond as soon as possible", "receipt"),
        ("Команда не распознана, нажмите /start", "unsupported"),
        ("Не волнуйтесь, мем получен", "receipt"),
        ("Не знаю", "unknown"),
        ("Пригласите 3 друзей, чтобы отправить предложение", "precondition"),
        ("Опубликуем за репост нашего канала у вас", "precondition"),
    ],
)
def test_words_of_bots_are_told_apart(text: str, meaning: str) -> None:
    assert read_rules(text).meaning == meaning
