"""Bots: commands, inline buttons and their answers, inline mode."""

from __future__ import annotations

import asyncio

import pytest
from telethon import Button, errors, events
from telethon.tl import functions as fn
from telethon.tl import types as tl

from .conftest import Connect, Place, photo_file


async def test_a_button_its_answer_and_the_edit(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)

    async def start(event: events.NewMessage.Event) -> None:
        await event.respond("Ещё?", buttons=[[Button.inline("Да", b"yes")]], file=photo_file())

    async def pressed(event: events.CallbackQuery.Event) -> None:
        assert event.sender_id == place.friend.id
        await event.answer("готово", alert=True)
        await event.edit("Держите")

    bot.add_event_handler(start, events.NewMessage(pattern="/start"))
    bot.add_event_handler(pressed, events.CallbackQuery(data=b"yes"))
    async with friend.conversation("some_test_bot", timeout=5) as talk:
        await talk.send_message("/start")
        answer = await talk.get_response()
        assert answer.raw_text == "Ещё?" and answer.photo
        result = await answer.click(data=b"yes")
        assert (result.message, result.alert) == ("готово", True)
    (edited,) = await friend.get_messages("some_test_bot", limit=1)
    assert edited.raw_text == "Держите" and not edited.buttons


async def test_a_silent_bot_and_made_up_data(place: Place, connect: Connect, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("publisher.sandbox.handlers.bots.ANSWER_TIMEOUT", 0.1)
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)
    await friend.send_message("some_test_bot", "/start")
    await bot.send_message(place.friend.id, "?", buttons=[Button.inline("Да", b"yes")])
    peer = await friend.get_input_entity("some_test_bot")
    (message,) = await friend.get_messages(peer, limit=1)
    with pytest.raises(errors.BotResponseTimeoutError):
        await friend(fn.messages.GetBotCallbackAnswerRequest(peer, message.id, data=b"yes"))
    with pytest.raises(errors.DataInvalidError):
        await friend(fn.messages.GetBotCallbackAnswerRequest(peer, message.id, data=b"no"))


async def test_a_bot_is_told_the_language_of_an_app_and_people_are_not(
    place: Place, connect: Connect
) -> None:
    english = place.server.world.add_user("Bob", phone="+70001112233", lang_code="en")
    unknown = place.server.world.add_user("X", phone="+70001112234", lang_code="")
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)
    told: asyncio.Queue[str | None] = asyncio.Queue()

    async def hear(event: events.NewMessage.Event) -> None:
        await told.put(event.sender.lang_code)

    bot.add_event_handler(hear, events.NewMessage(incoming=True))
    friend.add_event_handler(hear, events.NewMessage(incoming=True))
    for user, code in ((place.friend, "ru"), (english, "en"), (unknown, None)):
        place.server.world.say(user, place.bot, "привет")
        assert await asyncio.wait_for(told.get(), 5) == code
    place.server.world.say(english, place.friend, "привет")
    assert await asyncio.wait_for(told.get(), 5) is None


async def test_buttons_telegram_would_refuse(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)
    await friend.send_message("some_test_bot", "/start")

    async def offer(button: tl.KeyboardInlineButton) -> None:
        markup = tl.ReplyInlineMarkup([tl.KeyboardInlineButtonRow([button])])
        peer = tl.InputPeerUser(place.friend.id, 0)
        request = fn.messages.SendMessageRequest(peer, "?", reply_markup=markup)
        await bot(request)

    with pytest.raises(errors.ButtonDataInvalidError):
        await offer(tl.KeyboardInlineButton("Да", tl.InlineButtonTypeCallback(b"x" * 65)))
    with pytest.raises(errors.ButtonUrlInvalidError):
        await offer(tl.KeyboardInlineButton("Да", tl.InlineButtonTypeUrl("javascript:1")))
    await offer(tl.KeyboardInlineButton("Да", tl.InlineButtonTypeCallback(b"x" * 64)))


async def test_commands_show_in_the_bots_profile(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)
    commands = [tl.BotCommand("meme", "Сделать мем")]
    await bot(fn.bots.SetBotCommandsRequest(tl.BotCommandScopeDefault(), "", commands))
    full = await friend(fn.users.GetFullUserRequest("some_test_bot"))
    assert [c.command for c in full.full_user.bot_info.commands] == ["meme"]
    with pytest.raises(errors.RPCError):
        await friend(fn.bots.SetBotCommandsRequest(tl.BotCommandScopeDefault(), "", commands))


async def test_inline_mode_sends_what_was_chosen(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)

    async def query(event: events.InlineQuery.Event) -> None:
        photo = event.builder.photo(photo_file(), text="мем про котов", id="photo")
        text = event.builder.article("текст", text=f"про {event.text}", id="text")
        await event.answer([photo, text], cache_time=0)

    bot.add_event_handler(query, events.InlineQuery())
    results = await asyncio.wait_for(friend.inline_query("some_test_bot", "котов"), 5)
    assert [r.result.id for r in results] == ["photo", "text"]
    sent = await results[0].click("me")
    assert (sent.raw_text, sent.via_bot_id) == ("мем про котов", place.bot.id)
    assert await friend.download_media(sent, bytes)
    sent = await results[1].click("me")
    assert sent.raw_text == "про котов"


async def test_buttons_under_inline_messages(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)

    async def query(event: events.InlineQuery.Event) -> None:
        button = Button.inline("Ещё", b"more")
        await event.answer([event.builder.article("мем", text="один", buttons=button)])

    async def pressed(event: events.CallbackQuery.Event) -> None:
        assert event.via_inline
        await event.answer("сейчас")
        await event.edit("два")

    bot.add_event_handler(query, events.InlineQuery())
    bot.add_event_handler(pressed, events.CallbackQuery(data=b"more"))
    (result,) = await friend.inline_query("some_test_bot", "котов")
    sent = await result.click("me")
    answer = await sent.click(0)
    assert answer.message == "сейчас"
    async with asyncio.timeout(5):
        while (await friend.get_messages("me", limit=1))[0].raw_text != "два":
            await asyncio.sleep(0.01)


async def test_inline_mode_must_be_switched_on(place: Place, connect: Connect) -> None:
    place.bot.inline = False
    friend = await connect(place.server, user=place.friend)
    with pytest.raises(errors.BotInlineDisabledError):
        await friend.inline_query("some_test_bot", "котов")


async def test_a_bot_in_a_group_hears_and_answers(place: Place, connect: Connect) -> None:
    group = place.server.world.add_group("Чат", creator=place.owner, username="chat_test")
    for one in (place.friend, place.bot):
        place.server.world.join(group, one)
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)

    async def meme(event: events.NewMessage.Event) -> None:
        await event.reply("вот", buttons=[Button.inline("Ещё", b"more")])

    async def pressed(event: events.CallbackQuery.Event) -> None:
        await event.answer(f"в чате {event.chat_id}")

    bot.add_event_handler(meme, events.NewMessage(pattern="/meme"))
    bot.add_event_handler(pressed, events.CallbackQuery())
    async with friend.conversation("chat_test", timeout=5, exclusive=False) as talk:
        asked = await talk.send_message("/meme коты")
        answer = await talk.get_response()
        assert answer.reply_to.reply_to_msg_id == asked.id
        result = await answer.click(0)
    assert result.message == f"в чате -100{group.id}"


async def test_bots_in_groups_hear_only_what_is_addressed_to_them(
    place: Place, connect: Connect
) -> None:
    group = place.server.world.add_group("Чат", creator=place.owner, username="chat_test")
    for one in (place.friend, place.bot):
        place.server.world.join(group, one)
    friend = await connect(place.server, user=place.friend)
    bot = await connect(place.server, bot=place.bot)
    heard: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()

    async def hear(event: events.NewMessage.Event) -> None:
        await heard.put((event.raw_text, bool(event.message.mentioned)))

    bot.add_event_handler(hear, events.NewMessage(incoming=True))
    own = await bot.send_message("chat_test", "всем привет")
    texts = ["просто разговор", "/meme", "/meme@other_test_bot", "@some_test_bot, мем!"]
    for text in texts:
        await friend.send_message("chat_test", text)
    await friend.send_message("chat_test", "ответ", reply_to=own.id)
    got = [await asyncio.wait_for(heard.get(), 5) for _ in range(3)]
    assert got == [("/meme", False), ("@some_test_bot, мем!", True), ("ответ", True)]
    assert heard.empty()
