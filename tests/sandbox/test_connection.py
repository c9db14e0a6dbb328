"""Reconnects, lost replies, salts, repeated queries, updates and catching up on them."""

from __future__ import annotations

import asyncio
import io
import os
import struct
from typing import Any

import pytest
from telethon import TelegramClient, errors, events
from telethon.network.mtprotostate import MTProtoState
from telethon.sessions import MemorySession
from telethon.tl import functions as fn
from telethon.tl import types as tl

from .conftest import Clock, Connect, Place, picture
from .test_posting import post


def hearing(client: TelegramClient) -> asyncio.Queue[str]:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def handler(event: events.NewMessage.Event) -> None:
        await heard.put(event.raw_text)

    client.add_event_handler(handler, events.NewMessage())
    return heard


async def next_of(heard: asyncio.Queue[str]) -> str:
    return await asyncio.wait_for(heard.get(), 5)


async def test_posts_reach_members_and_nobody_else(place: Place, connect: Connect) -> None:
    place.server.world.join(place.channel, place.friend)
    friend = await connect(place.server, user=place.friend)
    stranger = place.server.world.add_user("Чужой", phone="+70001112233")
    other = await connect(place.server, user=stranger)
    heard, unheard = hearing(friend), hearing(other)
    place.server.world.post_as(place.channel, "новость")
    assert await next_of(heard) == "новость"
    assert unheard.empty()


async def test_edits_and_deletions_are_told(place: Place, connect: Connect) -> None:
    friend = await connect(place.server, user=place.friend)
    owner = await connect(place.server, user=place.owner)
    told: asyncio.Queue[Any] = asyncio.Queue()

    async def edited(event: events.MessageEdited.Event) -> None:
        await told.put(("edited", event.raw_text))

    async def deleted(event: events.MessageDeleted.Event) -> None:
        await told.put(("deleted", event.deleted_ids))

    friend.add_event_handler(edited, events.MessageEdited())
    friend.add_event_handler(deleted, events.MessageDeleted())
    message = await owner.send_message("friend_x", "раз")
    await owner.edit_message("friend_x", message.id, "два")
    assert await asyncio.wait_for(told.get(), 5) == ("edited", "два")
    await owner.delete_messages("friend_x", [message.id])
    assert await asyncio.wait_for(told.get(), 5) == ("deleted", [1])


async def test_a_client_comes_back_after_a_cut_and_after_a_restart(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server, user=place.owner)
    for trouble in (place.server.drop_connections, place.server.restart):
        result = trouble()
        if result is not None:
            await result
        me = await asyncio.wait_for(client.get_me(), 5)
        assert me.id == place.owner.id


async def test_updates_go_to_the_session_a_client_came_back_with(
    place: Place, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """A stock client that reconnects first sends what it had sealed for its old session."""
    friend = await connect(place.server, user=place.friend)
    heard = hearing(friend)
    state, connection = friend._sender._state, friend._sender._connection
    before = state.id
    stale = sealed(state, tl.MsgsAck([1]))
    place.server.drop_connections()
    while connection._connected:
        await asyncio.sleep(0)
    connection._send_queue.put_nowait(stale)
    assert (await asyncio.wait_for(friend.get_me(), 5)).id == place.friend.id
    assert state.id != before
    place.server.world.say(place.owner, place.friend, "с возвращением")
    assert await next_of(heard) == "с возвращением"
    connection._send_queue.put_nowait(stale)
    await friend.get_me()
    place.server.world.say(place.owner, place.friend, "и ещё раз")
    assert await next_of(heard) == "и ещё раз"
    await asyncio.sleep(0.1)
    assert heard.empty()
    assert "wrong session ID" not in caplog.text


def sealed(state: MTProtoState, service: Any) -> bytes:
    buffer = io.BytesIO()
    state.write_data_as_message(buffer, bytes(service), content_related=False)
    packet: bytes = state.encrypt_message_data(buffer.getvalue())
    return packet


async def test_what_was_missed_offline_comes_with_the_difference(
    place: Place, connect: Connect
) -> None:
    session = MemorySession()
    place.server.world.join(place.channel, place.friend)
    friend = await connect(place.server, user=place.friend, session=session)
    place.server.world.post_as(place.channel, "до")
    place.server.world.say(place.owner, place.friend, "здравствуй")
    await friend.get_dialogs()
    heard = hearing(friend)
    await asyncio.sleep(0.05)
    while not heard.empty():
        heard.get_nowait()
    await friend.disconnect()
    place.clock.forward(minutes=1)
    place.server.world.say(place.owner, place.friend, "ты где")
    place.server.world.post_as(place.channel, "после")
    await friend.connect()
    await friend.catch_up()
    assert {await next_of(heard), await next_of(heard)} == {"ты где", "после"}


async def test_difference_in_slices(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.friend)
    before = await client(fn.updates.GetStateRequest())
    for number in range(130):
        place.server.world.say(place.owner, place.friend, str(number))
    pts, got = before.pts, []
    while True:
        part = await client(fn.updates.GetDifferenceRequest(pts, before.date, 0))
        got += [m.message for m in part.new_messages]
        if isinstance(part, tl.updates.Difference):
            break
        pts = part.intermediate_state.pts
    assert got == [str(n) for n in range(130)]
    after = await client(fn.updates.GetDifferenceRequest(part.state.pts, before.date, 0))
    assert isinstance(after, tl.updates.DifferenceEmpty)
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await client(fn.updates.GetDifferenceRequest(10_000, before.date, 0))


async def test_channel_difference(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    for number in range(5):
        place.server.world.post_as(place.channel, str(number))
    place.server.world.delete(place.server.world.box(_peer(place)), [1])
    request = fn.updates.GetChannelDifferenceRequest(
        peer, tl.ChannelMessagesFilterEmpty(), pts=1, limit=3
    )
    part = await client(request)
    assert [m.message for m in part.new_messages] == ["1", "2"] and not part.final
    request.pts = part.pts
    part = await client(request)
    assert [m.message for m in part.new_messages] == ["3", "4"] and part.final
    assert part.other_updates[0].messages == [1]


def _peer(place: Place) -> Any:
    return place.server.world.messages(place.channel)[0].box


async def test_a_changed_salt_is_taken_over(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    place.server.keys.change_salts()
    assert (await asyncio.wait_for(client.get_me(), 5)).id == place.owner.id


async def test_a_forgotten_key_is_told_apart_from_a_network_failure(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server, user=place.owner)
    place.server.keys.drop_all()
    with pytest.raises((errors.AuthKeyNotFound, ConnectionError)):
        await asyncio.wait_for(client.get_me(), 5)


async def test_a_query_sent_twice_is_executed_once(place: Place, connect: Connect) -> None:
    """The same message id in the same session: answered again, not done again."""
    client = await connect(place.server, user=place.owner)
    sender = client._sender
    request = bytes(fn.messages.SendMessageRequest(tl.InputPeerSelf(), "раз", random_id=1))
    msg_id = sender._state._get_new_msg_id()
    message = struct.pack("<qii", msg_id, sender._state._get_seq_no(True), len(request)) + request
    for _ in range(3):
        await sender._connection.send(sender._state.encrypt_message_data(message))
    await client.get_me()
    assert len(place.server.journal.created()) == 1
    assert place.server.calls["messages.sendMessage"] == 1


async def test_a_message_id_from_the_past_is_refused_with_the_right_time(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server, user=place.owner)
    client._sender._state.time_offset = -3600
    client._sender._state._last_msg_id = 0
    assert (await asyncio.wait_for(client.get_me(), 5)).id == place.owner.id
    assert abs(client._sender._state.time_offset) < 5


async def test_garbage_closes_that_connection_alone(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    for junk in (b"GET / HTTP/1.1\r\n\r\n" * 8, os.urandom(64), b"\xef\x7f\xff\xff\xff"):
        reader, writer = await asyncio.open_connection(*place.server.address)
        writer.write(junk)
        await writer.drain()
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
    assert await client.get_me()


async def test_a_tampered_packet_is_not_executed(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    state: MTProtoState = client._sender._state
    request = bytes(fn.messages.SendMessageRequest(tl.InputPeerSelf(), "раз", random_id=1))
    head = struct.pack("<qii", state._get_new_msg_id(), 1, len(request))
    packet = bytearray(state.encrypt_message_data(head + request))
    packet[-1] ^= 1
    await client._sender._connection.send(bytes(packet))
    await asyncio.wait_for(client.get_me(), 5)
    assert not place.server.journal.created()


async def test_faults_before_the_effect(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    place.server.faults.error("messages.sendMedia", "PEER_FLOOD", times=1)
    with pytest.raises(errors.PeerFloodError):
        await post(client, peer, "мем", 1)
    assert not place.server.journal.created()
    place.server.faults.drop("messages.sendMedia", times=1)
    await post(client, peer, "мем", 1)  # Telethon reconnects and asks again by itself
    place.server.faults.flood_wait("messages.sendMedia", 30, nth=1)
    with pytest.raises(errors.FloodWaitError) as caught:
        await post(client, peer, "второй", 2)
    assert caught.value.seconds == 30
    assert len(place.server.journal.created()) == 1
    assert [name for name, _ in place.server.faults.log] == ["messages.sendMedia"] * 3


async def test_a_reply_lost_after_the_effect_makes_a_duplicate_random_id(
    place: Place, connect: Connect
) -> None:
    place.server.random_id_mode = "existing"
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    place.server.faults.drop("messages.sendMedia", after=True, times=1)
    result = await post(client, peer, "мем", 1)
    assert any(getattr(u, "random_id", None) == 1 for u in result.updates)
    assert len(place.server.journal.created()) == 1
    assert place.server.calls["messages.sendMedia"] == 2


async def test_slow_replies_restarts_and_refused_connections(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server, user=place.owner)
    place.server.faults.delay("users.getUsers", 5, times=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.get_me(), 0.2)
    place.server.faults.add("help.getNearestDc", "restart", times=1, seconds=0.1)
    await asyncio.wait_for(client(fn.help.GetNearestDcRequest()), 5)
    place.server.faults.refusing = True
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await connect(place.server, connection_retries=1)


async def test_probable_faults_follow_the_seed(clock: Clock) -> None:
    from publisher.sandbox.faults import Faults

    def fired(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.error("messages.*", "RPC_CALL_FAIL", probability=0.3)
        return [faults.draw("messages.sendMedia") is not None for _ in range(200)]

    assert fired(1) == fired(1) != fired(2)
    assert 40 < sum(fired(1)) < 80


@pytest.mark.parametrize(
    "rule", [{"kind": "explode"}, {"kind": "error"}, {"kind": "drop", "probability": 2}]
)
def test_impossible_rules_are_refused(rule: dict[str, Any]) -> None:
    from publisher.sandbox.faults import Faults

    with pytest.raises(ValueError):
        Faults(1).add("*", **rule)


async def test_a_frozen_account_reads_but_does_not_write(place: Place, connect: Connect) -> None:
    client = await connect(place.server, user=place.owner)
    peer = await client.get_input_entity("kotiki_test")
    place.owner.frozen = True
    with pytest.raises(errors.FrozenMethodInvalidError):
        await post(client, peer, "мем", 1, picture())
    await client.get_messages(peer, limit=1)
