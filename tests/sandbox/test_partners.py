"""Partners of every manner, native suggested posts, and the demo's world."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import imagehash
import pytest
from PIL import Image
from telethon import TelegramClient, errors
from telethon.tl import functions as fn
from telethon.tl import types as tl

from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.demo_world import build_demo_world
from publisher.sandbox.partners import MANNERS, Manner
from publisher.sandbox.phrases import PHRASES, phrase
from publisher.sandbox.records import Channel

from .conftest import START, Clock, Connect, Place, photo_file, picture

BOT = "predlozhka_test_bot"


def partner(place: Place, manner: str | Manner, **changes: Any) -> Channel:
    world = place.server.world
    editor = world.add_user("Редактор")
    channel = world.add_channel("Партнёр", creator=editor, username="partner_test", members=500)
    bot = world.add_bot("Предложка", username=BOT)
    place.server.partners.add(bot, channel, manner, **changes)
    return channel


async def offer(client: TelegramClient, place: Place, count: int = 1) -> None:
    for number in range(count):
        await client.send_file(BOT, photo_file(number), caption="мой мем")
        await place.forward(seconds=5)


async def said(client: TelegramClient) -> list[str]:
    messages = await client.get_messages(BOT, limit=30)
    return [m.raw_text for m in reversed(messages) if not m.out]


def is_phrase(text: str, key: str, language: str = "ru") -> bool:
    starts = [variant.split("{")[0] for variant in PHRASES[key][language]]
    return any(text.startswith(start) for start in starts)


async def test_polite_greets_receipts_accepts_and_publishes(place: Place, connect: Connect) -> None:
    channel = partner(place, "polite", accept_rate=1.0)
    client = await connect(place.server, user=place.friend)
    await client.send_message(BOT, "/start")
    await place.forward(seconds=5)
    await offer(client, place)
    await place.forward(hours=4)
    await place.forward(hours=6)
    texts = await said(client)
    keys = ("greeting", "receipt", "accepted", "published")
    assert [is_phrase(t, k) for t, k in zip(texts, keys, strict=True)] == [True] * 4
    (post,) = place.server.world.messages(channel)
    assert post.text == "мой мем"
    assert post.date == START + timedelta(seconds=7, hours=8)


async def test_polite_rejects_with_a_reason(place: Place, connect: Connect) -> None:
    channel = partner(place, "polite", accept_rate=0.0, language="en")
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    await place.forward(days=2)
    texts = await said(client)
    assert is_phrase(texts[-1], "rejected", "en") and len(texts) == 2
    assert not place.server.world.messages(channel)


async def test_silent_says_nothing_and_may_publish(place: Place, connect: Connect) -> None:
    channel = partner(place, "silent", accept_rate=1.0)
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    await place.forward(days=2)
    assert await said(client) == []
    assert len(place.server.world.messages(channel)) == 1


async def test_confirm_asks_by_buttons_and_signs(place: Place, connect: Connect) -> None:
    channel = partner(place, "confirm", accept_rate=1.0)
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    (question,) = await client.get_messages(BOT, limit=1)
    assert [b.text for b in question.buttons[0]] == ["✅ Отправить", "❌ Отмена"]
    await place.forward(days=2)
    assert not place.server.world.messages(channel), "nothing happens without the button"
    await question.click(0)
    (question,) = await client.get_messages(BOT, limit=1)
    assert question.raw_text == phrase("authorship", "ru")
    await question.click(1)
    (question,) = await client.get_messages(BOT, limit=1)
    assert is_phrase(question.raw_text, "receipt") and not question.buttons
    await place.forward(days=2)
    (post,) = place.server.world.messages(channel)
    assert post.text == "мой мем\n\nПрислал(а): Друг"


async def test_confirm_can_be_cancelled(place: Place, connect: Connect) -> None:
    channel = partner(place, "confirm", accept_rate=1.0)
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    (question,) = await client.get_messages(BOT, limit=1)
    await question.click(1)
    await place.forward(days=2)
    assert not place.server.world.messages(channel)
    assert await said(client) == ["Отменено."]


async def test_limited_takes_two_a_day(place: Place, connect: Connect) -> None:
    partner(place, "limited", says_outcome=False)
    client = await connect(place.server, user=place.friend)
    await offer(client, place, 3)
    assert "не больше 2" in (await said(client))[-1]
    await place.forward(days=1)
    await offer(client, place)
    assert is_phrase((await said(client))[-1], "receipt")


async def test_banning_bans(place: Place, connect: Connect) -> None:
    partner(place, "banning")
    client = await connect(place.server, user=place.friend)
    await offer(client, place, 3)
    texts = await said(client)
    assert [is_phrase(t, "banned") for t in texts] == [False, True, True]


async def test_promising_accepts_and_never_publishes(place: Place, connect: Connect) -> None:
    channel = partner(place, "promising")
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    await place.forward(days=30)
    assert is_phrase((await said(client))[-1], "accepted")
    assert not place.server.world.messages(channel)


async def test_subscribers_only(place: Place, connect: Connect) -> None:
    channel = partner(place, "subscribers")
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    assert "@partner_test" in (await said(client))[-1]
    await client(fn.channels.JoinChannelRequest(channel.username))
    await offer(client, place)
    assert is_phrase((await said(client))[-1], "receipt")


async def test_the_watermark_is_in_a_corner_of_the_same_picture(
    place: Place, connect: Connect
) -> None:
    channel = partner(place, "watermark")
    client = await connect(place.server, user=place.friend)
    await offer(client, place)
    await place.forward(days=1)
    (post,) = place.server.world.messages(channel)
    assert post.media is not None
    published = Image.open(io.BytesIO(place.server.world.media.original(post.media)))
    sent = Image.open(io.BytesIO(picture(0, (640, 480))))
    assert published.size == sent.size and published.tobytes() != sent.tobytes()
    assert imagehash.phash(published) - imagehash.phash(sent) <= 8
    corner = (0, 0, 320, 240)  # the opposite quarter shows compression only
    assert imagehash.phash(published.crop(corner)) - imagehash.phash(sent.crop(corner)) <= 4


async def test_bots_want_pictures(place: Place, connect: Connect) -> None:
    partner(place, "polite")
    client = await connect(place.server, user=place.friend)
    await client.send_message(BOT, "а можно текстом?")
    await client.send_file(BOT, picture(), force_document=True)
    await place.forward(seconds=5)
    assert [is_phrase(t, "pictures_only") for t in await said(client)] == [True, True]


async def test_a_chat_partner_answers_in_the_group(place: Place, connect: Connect) -> None:
    world = place.server.world
    admin = world.add_user("Марина")
    channel = world.add_channel("Канал", creator=admin, username="chat_channel")
    group = world.add_group("Чат", creator=admin, username="chat_test")
    world.join(group, place.friend)
    place.server.partners.add(admin, channel, "chat", group=group, accept_rate=1.0)
    client = await connect(place.server, user=place.friend)
    sent = await client.send_file(
        "chat_test", photo_file(), caption="Здравствуйте! Может, подойдёт?"
    )
    await client.send_message("chat_test", "и просто слова")
    await place.forward(hours=1)
    replies = [m for m in await client.get_messages("chat_test", limit=9) if not m.out]
    assert [m.reply_to.reply_to_msg_id for m in replies] == [sent.id]
    assert is_phrase(replies[0].raw_text, "chat_accepted")
    await place.forward(days=1)
    assert len(world.messages(channel)) == 1


# Native suggested posts


def native(place: Place, box: str, **changes: Any) -> Channel:
    world = place.server.world
    editor = world.add_user("Редактор")
    channel = world.add_channel(
        "Рядом", creator=editor, username="native_test", monoforum=True, members=100
    )
    place.server.partners.add(editor, channel, "polite", box=box, **changes)
    return channel


async def suggest(client: TelegramClient, **fields: Any) -> Any:
    """Suggests a photo through the channel's direct messages; answers the box's peer."""
    full = await client(fn.channels.GetFullChannelRequest("native_test"))
    (channel,) = [c for c in full.chats if c.id == full.full_chat.id]
    (box,) = [c for c in full.chats if c.id == channel.linked_monoforum_id]
    peer = tl.InputPeerChannel(box.id, box.access_hash)
    file = await client.upload_file(picture(), file_name="meme.jpg")
    media = tl.InputMediaUploadedPhoto(file)
    await client(
        fn.messages.SendMediaRequest(
            peer, media, "предлагаю", suggested_post=tl.SuggestedPost(**fields)
        )
    )
    return peer


async def actions(client: TelegramClient, peer: Any) -> list[Any]:
    messages = await client.get_messages(peer, limit=20)
    return [m.action for m in reversed(messages) if m.action]


async def test_an_approved_suggestion_is_published_at_its_date(
    place: Place, connect: Connect
) -> None:
    channel = native(place, "approve")
    client = await connect(place.server, user=place.friend)
    date = START + timedelta(days=1)
    peer = await suggest(client, schedule_date=date)
    await place.forward(hours=4)
    (approval,) = await actions(client, peer)
    assert isinstance(approval, tl.MessageActionSuggestedPostApproval)
    assert (approval.rejected, approval.schedule_date) == (False, date)
    offered = next(m for m in await client.get_messages(peer, limit=5) if m.suggested_post)
    assert offered.suggested_post.accepted
    assert not place.server.world.messages(channel)
    await place.forward(days=1)
    (post,) = place.server.world.messages(channel)
    assert (post.text, post.date) == ("предлагаю", date)


async def test_a_rejection_has_its_comment(place: Place, connect: Connect) -> None:
    channel = native(place, "reject")
    client = await connect(place.server, user=place.friend)
    peer = await suggest(client)
    await place.forward(days=2)
    (answer,) = await actions(client, peer)
    assert answer.rejected and answer.reject_comment == "Спасибо, но это не наш формат."
    assert not place.server.world.messages(channel)


async def test_no_stars_no_post(place: Place, connect: Connect) -> None:
    channel = native(place, "balance_too_low")
    client = await connect(place.server, user=place.friend)
    peer = await suggest(client, price=tl.StarsAmount(50, 0))
    await place.forward(days=2)
    (answer,) = await actions(client, peer)
    assert answer.balance_too_low and answer.price.amount == 50
    assert not place.server.world.messages(channel)


@pytest.mark.parametrize("deleted", [False, True])
async def test_a_paid_post_is_settled_or_refunded_a_day_later(
    place: Place, connect: Connect, deleted: bool
) -> None:
    channel = native(place, "approve")
    client = await connect(place.server, user=place.friend)
    peer = await suggest(client, price=tl.StarsAmount(50, 0))
    await place.forward(hours=4)
    await place.forward(hours=6)
    (post,) = place.server.world.messages(channel)
    if deleted:
        place.server.world.delete(place.server.world.box(post.box), [post.id])
    await place.forward(days=2)
    last = (await actions(client, peer))[-1]
    wanted = (
        tl.MessageActionSuggestedPostRefund if deleted else tl.MessageActionSuggestedPostSuccess
    )
    assert isinstance(last, wanted)


async def test_only_admins_decide_and_threads_are_private(place: Place, connect: Connect) -> None:
    world = place.server.world
    world.add_channel("Моё", creator=place.owner, username="native_test", monoforum=True)
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    stranger = world.add_user("Чужой", phone="+70001112233")
    other = await connect(place.server, user=stranger)
    peer = await suggest(friend)
    theirs = await suggest(other)
    assert len(await friend.get_messages(peer, limit=9)) == 1
    assert len(await other.get_messages(theirs, limit=9)) == 1
    request = fn.messages.ToggleSuggestedPostApprovalRequest
    with pytest.raises(errors.ChatAdminRequiredError):
        await other(request(theirs, 2))
    full = await owner(fn.channels.GetFullChannelRequest("native_test"))
    box = next(c for c in full.chats if c.monoforum)
    mine = tl.InputPeerChannel(box.id, box.access_hash)
    assert len(await owner.get_messages(mine, limit=9)) == 2
    await owner(request(mine, 1, reject=True, reject_comment="нет"))
    assert (await actions(friend, peer))[0].reject_comment == "нет"
    assert await actions(other, theirs) == []
    with pytest.raises(errors.MessageIdInvalidError):
        await owner(request(mine, 1))


async def test_prices_and_dates_out_of_bounds(place: Place, connect: Connect) -> None:
    native(place, "approve")
    client = await connect(place.server, user=place.friend)
    with pytest.raises(errors.ScheduleDateInvalidError):
        await suggest(client, schedule_date=START + timedelta(days=60))
    with pytest.raises(errors.RPCError, match="SUGGESTED_POST_AMOUNT_INVALID"):
        await suggest(client, price=tl.StarsAmount(1, 0))


async def test_boxes_that_take_paid_messages_say_what_they_cost(
    place: Place, connect: Connect
) -> None:
    place.server.world.add_channel(
        "Платно", creator=place.owner, username="native_test", monoforum=True, stars=10
    )
    client = await connect(place.server, user=place.friend)
    with pytest.raises(errors.RPCError, match="ALLOW_PAYMENT_REQUIRED_10"):
        await suggest(client)


# The demo's world


async def test_the_demo_world_is_whole(clock: Clock, connect: Connect) -> None:
    server = LoopbackTelegram(clock=clock)
    items = {"novosti_sandbox": [(timedelta(hours=h), f"новость {h}", 900) for h in range(5)]}
    demo = build_demo_world(server, seed=3, start=clock.now, source_items=items)
    await server.start()
    try:
        client = await connect(server)
        await client.send_code_request(demo.phone)
        await client.sign_in(demo.phone, demo.code)
        for channel in demo.channels:
            rights = await client.get_permissions(channel.username, "me")
            assert rights.post_messages and not rights.is_creator
        for one in demo.partners:
            entity = await client.get_entity(one.handle)
            assert bool(getattr(entity, "linked_monoforum_id", None)) == (
                one.route == "suggested_post"
            )
        assert {p.manner for p in demo.partners} > {"polite", "silent", "confirm", "limited"}
        assert [p.route for p in demo.first_partners] == ["bot", "chat", "suggested_post"]
        await server.advance(clock.forward(hours=2, minutes=30))
        news = await client.get_messages("novosti_sandbox", limit=9)
        assert [m.raw_text for m in news] == ["новость 2", "новость 1", "новость 0"]
        assert news[0].views < news[2].views <= 900
        bot = await connect(server, bot=demo.app_bot)
        assert (await bot.get_me()).id == demo.app_bot.id
    finally:
        await server.stop()


def test_every_phrase_is_in_both_languages() -> None:
    assert all(set(variants) == {"ru", "en"} for variants in PHRASES.values())
    assert set(MANNERS) >= {"polite", "silent", "confirm", "limited", "banning", "promising"}
