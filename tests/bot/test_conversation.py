"""Conversations of people with the bot, by the stock client on the loopback Telegram."""

from __future__ import annotations

from publisher.ledger.models import Meme, Wish
from tests.bot.conftest import Stage


async def test_start_and_help_in_the_persons_language(stage: Stage) -> None:
    await stage.start()
    anna = await stage.person(lang="ru")
    await anna.say("/start")
    await anna.hears_text("Пришлите тему")
    await anna.say("/help")
    message = await anna.hears_text("/meme ТЕМА")
    assert "@meme_bot" in message.raw_text


async def test_a_topic_gets_a_place_an_estimate_and_a_meme_with_buttons(stage: Stage) -> None:
    await stage.start()
    anna = await stage.person()
    await anna.say("дедлайн и кот")
    notice = await anna.hears_text("Вы 1-й в очереди")
    assert "ждать" in notice.raw_text
    photo = await anna.hears_photo()
    assert [len(row) for row in photo.buttons] == [2, 3]
    wish = Wish.get()
    assert (wish.state, wish.topic, wish.notice_id) == ("answered", "", notice.id + 0)
    assert Meme.select().where(Meme.state == "bot").count() >= 1
