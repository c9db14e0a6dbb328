"""Sending, editing, deleting; Telegram's checks and error names; files up and down."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telethon import TelegramClient, errors
from telethon.tl import functions as fn
from telethon.tl import types as tl

from publisher.sandbox.entities import detected, units
from publisher.sandbox.rpc import method_name

from .conftest import Connect, Place, photo_file, picture


async def post(
    client: TelegramClient, peer: Any, caption: str, random_id: int, data: bytes | None = None
) -> Any:
    """A photo by the raw request, as the publisher sends it."""
    file = await client.upload_file(data or picture(), file_name="meme.jpg")
    media = tl.InputMediaUploadedPhoto(file)
    return await client(fn.messages.SendMediaRequest(peer, media, caption, random_id=random_id))


async def test_a_photo_post_is_there_once_with_everything(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    data = picture(7, (640, 480))
    result = await post(client, peer, "подпись", 77, data)
    ids = [u.id for u in result.updates if isinstance(u, tl.UpdateMessageID)]
    (message,) = await client.get_messages(peer, limit=5)
    assert [message.id] == ids
    assert (message.raw_text, message.views, message.post) == ("подпись", 0, True)
    assert message.date == place.clock.now
    assert await client.download_media(message, bytes) == data
    preview = await client.download_media(message, bytes, thumb="m")
    assert preview.startswith(b"\xff\xd8") and len(preview) < len(data)
    (entry,) = place.server.journal.created()
    assert (entry.random_id, entry.message_id, entry.sender) == (77, message.id, place.owner.id)
    assert entry.media_sha256 == hashlib.sha256(data).hexdigest()


async def test_two_hundred_posts_with_photos(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    for number in range(200):
        await post(client, peer, f"мем {number}", 1000 + number, picture(number))
    history = await client.get_messages(peer, limit=None)
    assert [m.raw_text for m in reversed(history)] == [f"мем {n}" for n in range(200)]
    assert len({e.media_sha256 for e in place.server.journal.created()}) == 200


async def test_random_id_repeated_is_an_error_in_one_mode(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    await post(client, peer, "раз", 5)
    # Telethon retries what it takes for a server error, and in the end raises a bare ValueError.
    with pytest.raises(ValueError, match="unsuccessful"):
        await post(client, peer, "раз", 5)
    assert len(place.server.journal.created()) == 1


async def test_random_id_repeated_gives_the_existing_message_in_the_other(
    place: Place, connect: Connect
) -> None:
    place.server.random_id_mode = "existing"
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    first = await post(client, peer, "раз", 5)
    second = await post(client, peer, "раз", 5)
    ids = [[u.id for u in r.updates if hasattr(u, "random_id")] for r in (first, second)]
    assert ids[0] == ids[1] != []
    assert len(place.server.journal.created()) == 1


async def test_captions_are_counted_in_utf16_units(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    await post(client, peer, "😀" * 512, 1)
    with pytest.raises(errors.MediaCaptionTooLongError):
        await post(client, peer, "😀" * 512 + "а", 2)
    assert len(place.server.journal.created()) == 1


@given(st.text(max_size=50))
def test_utf16_length_is_that_of_the_encoded_text(text: str) -> None:
    clean = text.encode("utf-16-le", "ignore").decode("utf-16-le")
    assert units(clean) == sum(2 if ord(c) > 0xFFFF else 1 for c in clean)


def test_entities_are_found_beside_those_that_are_given() -> None:
    text = "😀 /meme@some_bot про @kotiki и #котов: https://a.example/x?y=1."
    found = detected(text, [tl.MessageEntityBold(0, 2)])
    names = [type(e).__name__.removeprefix("MessageEntity") for e in found]
    assert names == ["Bold", "BotCommand", "Mention", "Hashtag", "Url"]
    wide = text.encode("utf-16-le")
    spans = [wide[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le") for e in found]
    assert spans[1:] == ["/meme@some_bot", "@kotiki", "#котов", "https://a.example/x?y=1"]
    assert detected("и/или, a@b.example, #123, 1/2", []) == []


async def test_texts_empty_and_too_long(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    request = fn.messages.SendMessageRequest
    with pytest.raises(errors.MessageEmptyError):
        await client(request(tl.InputPeerSelf(), "   ", random_id=1))
    with pytest.raises(errors.MessageTooLongError):
        await client(request(tl.InputPeerSelf(), "а" * 4097, random_id=2))
    await client(request(tl.InputPeerSelf(), "а" * 4096, random_id=3))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"not a picture", errors.ImageProcessFailedError),
        (picture(size=(2100, 100)), errors.PhotoInvalidDimensionsError),
        (picture(size=(9000, 1200)), errors.PhotoInvalidDimensionsError),
        (picture()[:200], errors.ImageProcessFailedError),
    ],
)
async def test_bad_pictures(
    place: Place, connect: Connect, data: bytes, error: type[Exception]
) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    with pytest.raises(error):
        await post(client, peer, "", 1, data)
    assert not place.server.journal.created()


async def test_big_pictures_and_png_become_jpeg_of_1280(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    await post(client, peer, "", 1, picture(size=(2000, 1000), format="PNG"))
    (message,) = await client.get_messages(peer, limit=1)
    largest = message.photo.sizes[-1]
    assert (largest.w, largest.h) == (1280, 640)
    data = await client.download_media(message, bytes)
    assert data.startswith(b"\xff\xd8") and len(data) == largest.size


async def test_several_megabytes_up_and_down(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    data = os.urandom(11 * 1024 * 1024 + 137)  # above 10 MB Telethon uses big-file parts
    await client.send_file("me", data, force_document=True, attributes=[])
    assert place.server.calls["upload.saveBigFilePart"] > 10
    (message,) = await client.get_messages("me", limit=1)
    assert message.document.size == len(data)
    assert await client.download_media(message, bytes) == data


async def test_albums(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    files = [photo_file(n) for n in range(3)]
    sent = await client.send_file("kotiki_test", files, caption=["один", "", "три"])
    assert len({m.grouped_id for m in sent}) == 1 and sent[0].grouped_id
    assert [m.raw_text for m in sent] == ["один", "", "три"]


async def test_rights_in_channels_and_groups(place: Place, connect: Connect) -> None:
    world = place.server.world
    group = world.add_group("Чат", creator=place.owner, username="chat_test")
    friend = await connect(place.server, user=place.friend)
    channel_peer = await friend.get_input_entity("kotiki_test")
    with pytest.raises(errors.ChatAdminRequiredError):
        await post(friend, channel_peer, "", 1)
    with pytest.raises(errors.ChatWriteForbiddenError):
        await friend.send_message("chat_test", "пустите")
    world.join(group, place.friend)
    await friend.send_message("chat_test", "спасибо")
    world.add_admin(place.channel, place.friend)
    await post(friend, channel_peer, "я админ", 2)
    world.remove_admin(place.channel, place.friend)
    with pytest.raises(errors.ChatAdminRequiredError):
        await post(friend, channel_peer, "уже нет", 3)
    world.ban(place.channel, place.friend)
    with pytest.raises(errors.ChannelPrivateError):
        await friend.get_messages(channel_peer, limit=1)
    assert [e.text for e in place.server.journal.created()] == ["спасибо", "я админ"]


async def test_addresses_that_do_not_fit(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    with pytest.raises(errors.UsernameNotOccupiedError):
        await client(fn.contacts.ResolveUsernameRequest("nobody_here"))
    with pytest.raises(errors.PeerIdInvalidError):
        await client.send_message(tl.InputPeerUser(place.friend.id, 1), "не тот хеш")
    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(tl.InputPeerChannel(place.channel.id, 1), limit=1)
    # An access hash of one account is no good for another.
    friend = await connect(place.server, user=place.friend)
    theirs = await friend.get_input_entity("kotiki_test")
    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(theirs, limit=1)


async def test_private_channels_are_closed_to_strangers(place: Place, connect: Connect) -> None:
    private = place.server.world.add_channel("Тайный", creator=place.owner)
    client = await connect(place.server, user=place.friend)
    access_hash = place.server.world.access_hash(place.friend.id, "channel", private.id)
    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(tl.InputPeerChannel(private.id, access_hash), limit=1)


async def test_editing(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    await post(client, peer, "было", 1)
    (message,) = await client.get_messages(peer, limit=1)
    with pytest.raises(errors.MessageNotModifiedError):
        await client.edit_message(peer, message.id, "было")
    edited = await client.edit_message(peer, message.id, "стало")
    assert edited.raw_text == "стало" and edited.edit_date == place.clock.now
    assert edited.photo is not None
    with pytest.raises(errors.MessageIdInvalidError):
        await client.edit_message(peer, 999, "нет такого")
    assert [e.kind for e in place.server.journal if e.message_id] == ["created", "edited"]


async def test_people_edit_their_own_messages_only(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    await owner.send_message("friend_x", "моё")
    (theirs,) = await friend.get_messages("owner_x", limit=1)
    with pytest.raises(errors.MessageAuthorRequiredError):
        await friend.edit_message("owner_x", theirs.id, "чужое")
    (mine,) = await owner.get_messages("friend_x", limit=1)
    await owner.edit_message("friend_x", mine.id, "моё, исправил")
    (theirs,) = await friend.get_messages("owner_x", limit=1)
    assert theirs.raw_text == "моё, исправил"


async def test_deleting_for_both_and_in_channels(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    sent = await owner.send_message("friend_x", "ой")
    await owner.delete_messages("friend_x", [sent.id], revoke=True)
    assert not await friend.get_messages("owner_x", limit=5)
    peer = await owner.get_input_entity("kotiki_test")
    await post(owner, peer, "удалят", 1)
    with pytest.raises(errors.MessageDeleteForbiddenError):
        await friend.delete_messages("kotiki_test", [1])
    result = await owner.delete_messages(peer, [1])
    assert result[0].pts_count == 1
    assert place.server.journal.entries[-1].kind == "deleted"


async def test_forwarding_names_the_source(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    await post(client, peer, "мем", 1)
    forwarded = await client.forward_messages("me", 1, peer)
    assert forwarded.fwd_from.channel_post == 1
    assert forwarded.fwd_from.from_id.channel_id == place.channel.id
    (original,) = await client.get_messages(peer, limit=1)
    assert (original.forwards, forwarded.photo.id) == (1, original.photo.id)


async def test_bots_may_not_do_what_only_people_may(place: Place, connect: Connect) -> None:
    bot = await connect(place.server, bot=place.bot)
    with pytest.raises(errors.BotMethodInvalidError):
        await bot.get_messages("kotiki_test", limit=1)
    other = place.server.world.add_bot("Другой", username="other_test_bot")
    with pytest.raises(errors.UserIsBotError):
        await bot.send_message(tl.InputPeerUser(other.id, 0), "коллега")
    with pytest.raises(errors.PeerIdInvalidError):
        await bot.send_message(tl.InputPeerUser(place.friend.id, 0), "можно познакомиться?")


async def test_an_unknown_method_is_an_error_with_a_name_in_the_log(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server, user=place.owner)
    with pytest.raises(errors.MethodInvalidError):
        await client(fn.messages.GetStickersRequest("😀", 0))
    assert place.server.unknown_methods == ["messages.getStickers"]
    assert await client.get_me()


def test_method_names_are_telegrams() -> None:
    assert method_name(fn.messages.SendMediaRequest) == "messages.sendMedia"
    assert method_name(fn.PingRequest) == "ping"
