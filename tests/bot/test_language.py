"""The language of a person's app decides how the bot speaks to them, whatever the letters."""

from __future__ import annotations

from typing import Any

import pytest

from publisher.ledger.models import Meme, Wish
from tests.bot.conftest import Stage, first
from tests.conftest import picture


@pytest.mark.parametrize("default", ["ru", "en"])
async def test_where_there_are_no_letters_the_app_tells(stage: Stage, default: str) -> None:
    await stage.start(language=default)
    for lang, hello, question in (
        ("ru", "Пришлите тему", "О чём мем?"),
        ("en-GB", "Send me a topic", "A meme about what?"),
        ("uk", "Пришлите тему", "О чём мем?"),
        ("de", "Send me a topic", "A meme about what?"),
    ):
        person = await stage.person(lang=lang)
        await person.say("/start")
        await person.hears_text(hello)
        await person.say("...")
        await person.hears_text(question)


async def test_nobody_knows_the_app_then_letters_tell_and_then_the_config(stage: Stage) -> None:
    await stage.start(language="en")
    anna = await stage.person(lang="")
    await anna.say("/start")
    await anna.hears_text("Send me a topic")
    await anna.say("Иванов мудак")
    await anna.hears_text("не шучу")


async def test_an_english_app_with_a_russian_topic(stage: Stage) -> None:
    """Spoken to in English, through notice, edits and buttons; the meme is of the topic's."""
    await stage.start(bot={"model": False, "per_person_minute": 20})
    bob = await stage.person("Bob", lang="en")
    await bob.say("дедлайн и кот")
    notice = await bob.hears_text("You are number 1 in the queue")
    photo = await bob.hears_photo()
    done = await first(bob.edits, lambda m: m.raw_text.startswith("Here it is"), 5)
    assert done.id == notice.id
    assert Meme.get(Meme.state == "bot").language == "ru"
    texts = [button.text for row in photo.buttons for button in row]
    assert texts == ["🔁 Another one", "🖼 Other template", "👍", "👎", "📮 Offer to the channel"]
    assert (await photo.click(text="👍")).message == "Thanks, noted!"
    assert "Passed on" in (await photo.click(text="📮 Offer to the channel")).message
    assert (await photo.click(text="🔁 Another one")).message == "On it."
    await bob.hears_photo()
    await bob.say("теракт, есть погибшие")
    await bob.hears_text("I do not joke about that")


async def test_a_russian_app_with_an_english_topic(stage: Stage) -> None:
    await stage.start()
    anna = await stage.person(lang="ru")
    await anna.say("coffee")
    await anna.hears_text("Вы 1-й в очереди")
    photo = await anna.hears_photo()
    assert (await photo.click(text="👎")).message == "Спасибо, учту!"


async def test_inline_in_the_persons_language(stage: Stage) -> None:
    await stage.start()
    for seed, (language, text) in enumerate([("ru", "кофе остыл"), ("en", "coffee is cold")]):
        shown(stage, seed, language, text)
    anna, bob = await stage.person(lang="ru"), await stage.person("Bob", lang="en")
    for person, query, more, found in (
        (anna, "", "Сделать новый мем", [1]),
        (bob, "", "Make a new one", [2]),
        (bob, "coffee", "Make a new one", [2]),
        (bob, "кофе", "Make a new one", [1]),
    ):
        results = await person.client.inline_query("meme_bot", query)
        assert results.switch_pm.text.startswith(more)
        assert [int(result.result.id) for result in results] == found


async def test_in_one_group_everybody_is_answered_in_their_own(stage: Stage) -> None:
    await stage.start(bot={"model": False, "per_person_minute": 20})
    anna, bob = await stage.person(lang="ru"), await stage.person("Bob", lang="en")
    world = stage.server.world
    group = world.add_group("Чат", creator=world.users[anna.id], username="our_chat")
    for user in (world.users[bob.id], world.by_username("meme_bot")):
        world.join(group, user)
    asked = {}
    for person in (anna, bob):
        there = await person.client.get_input_entity("our_chat")
        asked[person.id] = (await person.client.send_message(there, "/start@meme_bot")).id
    answers: dict[int, Any] = {}
    while len(answers) < 2:
        message = await anna.hears(lambda m: "/help" in m.raw_text)
        answers[message.reply_to_msg_id] = message.raw_text
    assert "Пришлите" in answers[asked[anna.id]]
    assert "Send me" in answers[asked[bob.id]]
    assert not Wish.select().exists()


def shown(stage: Stage, seed: int, language: str, text: str) -> None:
    file, digest = stage.services.keep_picture(picture(seed), "generated")
    Meme.create(
        origin="generated",
        language=language,
        method="frame",
        file=file,
        sha256=digest,
        texts=[text],
        state="used",
        created_at=stage.clock(),
    )
