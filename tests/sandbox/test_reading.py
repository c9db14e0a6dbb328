"""History, search, dialogs, views, reactions, participants."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from telethon import errors
from telethon.tl import functions as fn
from telethon.tl import types as tl

from publisher.sandbox.mtproto import rpc_result

from .conftest import START, Connect, Place, picture


def fill(place: Place, count: int) -> None:
    for number in range(count):
        place.clock.now = START + timedelta(minutes=number)
        place.server.world.post_as(place.channel, f"пост {number + 1}")


async def test_history_by_every_offset(place: Place, connect: Connect) -> None:
    fill(place, 250)
    client = await connect(place.server, user=place.owner)
    everything = await client.get_messages("kotiki_test", limit=None)
    assert [m.id for m in everything] == list(range(250, 0, -1))
    assert everything.total == 250
    older = await client.get_messages("kotiki_test", limit=3, offset_id=10)
    assert [m.id for m in older] == [9, 8, 7]
    newer = await client.get_messages("kotiki_test", limit=3, min_id=100, reverse=True)
    assert [m.id for m in newer] == [101, 102, 103]
    dated = await client.get_messages(
        "kotiki_test", limit=2, offset_date=START + timedelta(minutes=50)
    )
    assert [m.id for m in dated] == [50, 49]
    some = await client.get_messages("kotiki_test", ids=[1, 999, 3])
    assert [m and m.id for m in some] == [1, None, 3]


async def test_searching(place: Place, connect: Connect) -> None:
    fill(place, 12)
    place.server.world.post_as(place.channel, "с картинкой", photo=picture())
    client = await connect(place.server, user=place.owner)
    found = await client.get_messages("kotiki_test", search="Пост 1", limit=None)
    assert [m.id for m in found] == [12, 11, 10, 1]
    photos = await client.get_messages(
        "kotiki_test", filter=tl.InputMessagesFilterPhotos(), limit=None
    )
    assert [m.id for m in photos] == [13]


async def test_dialogs_and_what_is_unread(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    await owner.send_message("friend_x", "раз")
    place.clock.forward(minutes=1)
    await owner.send_message("friend_x", "два")
    (dialog,) = await friend.get_dialogs()
    assert (dialog.unread_count, dialog.message.raw_text, dialog.id) == (2, "два", place.owner.id)
    await friend.send_read_acknowledge("owner_x")
    (dialog,) = await friend.get_dialogs()
    assert dialog.unread_count == 0
    fill(place, 2)
    assert {d.name for d in await owner.get_dialogs()} == {"Друг", "Котики"}


async def test_one_account_counts_as_one_view(place: Place, connect: Connect) -> None:
    place.server.world.post_as(place.channel, "смотрите")
    client = await connect(place.server, user=place.friend)
    peer = await client.get_input_entity("kotiki_test")
    for increment, expected in ((False, 0), (True, 1), (True, 1)):
        answer = await client(fn.messages.GetMessagesViewsRequest(peer, [1], increment))
        assert answer.views[0].views == expected


async def test_reactions_that_are_allowed_and_those_that_are_not(
    place: Place, connect: Connect
) -> None:
    place.server.world.post_as(place.channel, "мем")
    client = await connect(place.server, user=place.friend)
    peer = await client.get_input_entity("kotiki_test")

    async def react(message: int, *emoji: str) -> None:
        reactions = [tl.ReactionEmoji(one) for one in emoji]
        await client(fn.messages.SendReactionRequest(peer, message, reaction=reactions))

    await react(1, "👍")
    with pytest.raises(errors.ReactionInvalidError):
        await react(1, "❤")
    with pytest.raises(errors.MessageNotModifiedError):
        await react(1, "👍")
    with pytest.raises(errors.MsgIdInvalidError):
        await react(9, "👍")
    (message,) = await client.get_messages(peer, limit=1)
    (result,) = message.reactions.results
    assert (result.reaction.emoticon, result.count, result.chosen_order) == ("👍", 1, 1)
    await react(1, "👎")
    await react(1)
    (message,) = await client.get_messages(peer, limit=1)
    assert message.reactions is None
    full = await client(fn.channels.GetFullChannelRequest(peer))
    allowed = full.full_chat.available_reactions
    assert [r.emoticon for r in allowed.reactions] == ["👍", "👎"]


async def test_participants_are_for_admins(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    peer = await friend.get_input_entity("kotiki_test")
    with pytest.raises(errors.ChatAdminRequiredError):
        await friend(
            fn.channels.GetParticipantsRequest(peer, tl.ChannelParticipantsRecent(), 0, 10, 0)
        )
    with pytest.raises(errors.UserNotParticipantError):
        await friend(fn.channels.GetParticipantRequest(peer, tl.InputPeerSelf()))
    await friend(fn.channels.JoinChannelRequest(peer))
    mine = await friend(fn.channels.GetParticipantRequest(peer, tl.InputPeerSelf()))
    assert isinstance(mine.participant, tl.ChannelParticipantSelf)
    people = await owner.get_participants("kotiki_test")
    assert {p.id for p in people} == {place.owner.id, place.friend.id}
    permissions = await owner.get_permissions("kotiki_test", "me")
    assert permissions.is_creator and permissions.post_messages
    await friend(fn.channels.LeaveChannelRequest(peer))
    with pytest.raises(errors.UserNotParticipantError):
        await friend.get_permissions("kotiki_test", "me")
    full = await owner(fn.channels.GetFullChannelRequest("kotiki_test"))
    assert full.full_chat.participants_count == 1001


async def test_statistics_are_refused_not_hung(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner)
    friend = await connect(place.server, user=place.friend)
    request = fn.stats.GetBroadcastStatsRequest
    with pytest.raises(errors.ChatAdminRequiredError):
        await friend(request(await friend.get_input_entity("kotiki_test")))
    with pytest.raises(errors.RPCError):
        await owner(request(await owner.get_input_entity("kotiki_test")))


def test_long_answers_are_gzipped_and_short_ones_are_not() -> None:
    packed = rpc_result(1, b"abcd" * 1000)
    assert len(packed) < 500 and gzip.decompress(packed[packed.index(b"\x1f\x8b") :])
    assert rpc_result(1, b"abcd") == packed[:4] + (1).to_bytes(8, "little") + b"abcd"
