"""The inbox chat: what is forwarded there is queued or refused, by the stock client."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from telethon import utils
from telethon.tl import types

from publisher.ledger.models import Meme
from publisher.sandbox.records import Channel
from tests.bot.conftest import OWNER, Person, Stage
from tests.bot.test_console import named, recompressed
from tests.conftest import picture


async def channel_inbox(stage: Stage) -> tuple[Person, Any]:
    """The owner's private channel with the bot as its admin, named in `[inbox] chat`."""
    owner = await stage.person("Хозяин", id=OWNER)
    world = stage.server.world
    channel = world.add_channel("Мои мемы", creator=world.users[OWNER])
    world.add_admin(channel, world.by_username("meme_bot"))
    world.post_as(channel, "Сюда складываю картинки")
    await stage.start(inbox={"chat": marked(channel)})
    return owner, await found(owner, channel)


def marked(channel: Channel) -> int:
    return int(utils.get_peer_id(types.PeerChannel(channel.id)))


async def found(person: Person, channel: Channel) -> Any:
    """A chat without a public name is found in the list of one's chats."""
    await person.client.get_dialogs()
    person.heard.clear()
    return await person.client.get_input_entity(marked(channel))


async def test_pictures_in_the_channel_are_queued_or_refused_with_the_reason(stage: Stage) -> None:
    owner, there = await channel_inbox(stage)
    sent = await owner.client.send_file(there, named(picture(1)))
    answer = await owner.hears_text("в очереди 1-й (ru)")
    assert answer.reply_to_msg_id == sent.id
    assert Meme.get().texts == []

    await owner.client.send_file(there, named(picture(2)), caption="Monday is cancelled")
    await owner.hears_text("мем 2, в очереди 1-й (en)")
    meme = Meme.get(Meme.id == 2)
    assert (meme.origin, meme.state, meme.texts) == ("human", "ready", ["Monday is cancelled"])
    assert (stage.services.media / meme.file).is_file()

    await owner.client.send_file(there, named(recompressed(picture(1))))
    await owner.hears_text("такая картинка уже есть: мем 1")
    await owner.client.send_file(there, named(picture(3)), caption="ты мудак")
    await owner.hears_text("подпись не прошла проверку")
    await owner.client.send_file(there, named(moving(), "cat.gif"), force_document=True)
    await owner.hears_text("не картинка")
    await owner.client.send_file(there, named(picture(4)[:3000]), force_document=True)
    await owner.hears_text("повреждён или обрезан")
    assert Meme.select().count() == 2

    await owner.client.send_message(there, "просто слова")
    await owner.client.send_file(there, named(picture(5)))
    await owner.hears_text("в очереди 2-й (ru)")
    assert not owner.heard, "words are not answered, nor are the bot's own answers"


async def test_an_album_in_the_channel_is_answered_in_one_message(stage: Stage) -> None:
    owner, there = await channel_inbox(stage)
    files = [named(picture(seed)) for seed in (1, 2, 1)]
    await owner.client.send_file(there, files, caption=["дедлайн", "ты мудак", ""])
    lines = (await owner.hears_text("📥")).raw_text.splitlines()
    assert len(lines) == 3
    assert "1-й" in lines[0]
    assert "подпись не прошла проверку" in lines[1]
    assert "уже есть" in lines[2]
    assert Meme.select().count() == 1


async def test_forwarded_posts_of_another_channel_are_taken(stage: Stage) -> None:
    owner, there = await channel_inbox(stage)
    world = stage.server.world
    source = world.add_channel("Чужой", creator=world.users[OWNER], username="their_channel")
    posts = [
        world.post_as(source, text, photo=picture(seed)).id
        for seed, text in ((1, "котики"), (2, ""))
    ]
    await owner.client.forward_messages(there, posts, "their_channel")
    await owner.hears_text("в очереди 1-й")
    await owner.hears_text("в очереди 2-й")
    assert [meme.texts for meme in Meme.select().order_by(Meme.id)] == [["котики"], []]


async def test_a_private_chat_can_be_the_inbox(stage: Stage) -> None:
    """Somebody who picks memes for the owner, and is no owner."""
    helper = await stage.person("Helper", lang="en")
    await stage.start(inbox={"chat": helper.id})
    await helper.client.send_file("meme_bot", named(picture(1)), caption="кот устал")
    await helper.hears_text("number 1 in the queue (ru)")
    await helper.client.send_file("meme_bot", named(picture(1)))
    await helper.hears_text("this picture is there already: meme 1")
    await helper.say("/pause")
    await helper.hears_text("How to order a meme")
    assert Meme.select().count() == 1


async def test_pictures_of_a_stranger_elsewhere_are_no_memes(stage: Stage) -> None:
    await channel_inbox(stage)
    anna = await stage.person()
    await anna.client.send_file("meme_bot", named(picture(7)))
    await anna.hears_text("только текст")
    assert not Meme.select().exists()


def moving() -> bytes:
    out = io.BytesIO()
    frames = [Image.new("P", (64, 64), color) for color in range(3)]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()
