"""Key exchange, transports, and signing in and out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from telethon import errors, events
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.password import check_prime_and_good
from telethon.tl import functions as fn

from publisher.sandbox.handshake import DH_G, DH_PRIME, new_key

from .conftest import CODE, PHONE, Connect, Place


def test_the_dh_prime_is_one_that_clients_know_as_good() -> None:
    check_prime_and_good(DH_PRIME.to_bytes(256, "big"), DH_G)


def test_a_new_rsa_key_has_2048_bits_and_works() -> None:
    key = new_key()
    assert key.n.bit_length() == 2048
    assert pow(pow(12345, key.e, key.n), key.d, key.n) == 12345


@pytest.mark.parametrize(
    "connection",
    [
        ConnectionTcpFull,
        ConnectionTcpAbridged,
        ConnectionTcpIntermediate,
        ConnectionTcpObfuscated,
    ],
)
async def test_every_transport_carries_a_sign_in(
    place: Place, connect: Connect, connection: type
) -> None:
    client = await connect(place.server, user=place.owner, exchange=True, connection=connection)
    me = await client.get_me()
    assert (me.id, me.phone, me.bot) == (place.owner.id, PHONE[1:], False)


async def test_a_wrong_code_is_refused_and_the_right_one_still_works(
    place: Place, connect: Connect
) -> None:
    client = await connect(place.server)
    await client.send_code_request(PHONE)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(PHONE, "00000")
    assert not await client.is_user_authorized()
    me = await client.sign_in(PHONE, CODE)
    assert me.first_name == "Хозяин"


async def test_codes_expire(place: Place, connect: Connect) -> None:
    client = await connect(place.server)
    await client.send_code_request(PHONE)
    place.clock.now += timedelta(minutes=11)
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(PHONE, CODE)


async def test_five_wrong_codes_spend_the_code(place: Place, connect: Connect) -> None:
    client = await connect(place.server)
    await client.send_code_request(PHONE)
    for _ in range(5):
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(PHONE, "00000")
    with pytest.raises(errors.PhoneCodeExpiredError):
        await client.sign_in(PHONE, CODE)


@pytest.mark.parametrize(
    ("phone", "error"),
    [("+123", errors.PhoneNumberInvalidError), ("+79990000000", errors.PhoneNumberUnoccupiedError)],
)
async def test_phones_that_cannot_sign_in(
    place: Place, connect: Connect, phone: str, error: type[Exception]
) -> None:
    client = await connect(place.server)
    with pytest.raises(error):
        await client.send_code_request(phone)


async def test_two_step_verification(place: Place, connect: Connect) -> None:
    place.owner.password = "корова и сено"
    client = await connect(place.server)
    await client.send_code_request(PHONE)
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in(PHONE, CODE)
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="корова")
    me = await client.sign_in(password="корова и сено")
    assert me.id == place.owner.id


async def test_bot_tokens(place: Place, connect: Connect) -> None:
    client = await connect(place.server)
    with pytest.raises(errors.AccessTokenInvalidError):
        await client.sign_in(bot_token="1:wrong")
    me = await client.sign_in(bot_token=place.bot.token)
    assert (me.bot, me.username) == (True, "some_test_bot")


async def test_nobody_signed_in_gets_auth_key_unregistered(place: Place, connect: Connect) -> None:
    client = await connect(place.server)
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await client(fn.contacts.ResolveUsernameRequest("kotiki_test"))


async def test_signing_out_here_and_from_elsewhere(place: Place, connect: Connect) -> None:
    first = await connect(place.server, user=place.owner)
    second = await connect(place.server, user=place.owner)
    assert await first.log_out()
    assert await second.get_me()
    place.server.sign_out(place.owner)
    with pytest.raises(errors.AuthKeyUnregisteredError):
        await second.get_dialogs()


async def test_two_people_and_a_bot_at_once(place: Place, connect: Connect) -> None:
    owner = await connect(place.server, user=place.owner, exchange=True)
    friend = await connect(place.server, user=place.friend, exchange=True)
    bot = await connect(place.server, bot=place.bot, exchange=True)
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def friend_hears(event: events.NewMessage.Event) -> None:
        await heard.put(("friend", event.raw_text))

    async def bot_hears(event: events.NewMessage.Event) -> None:
        await heard.put(("bot", event.raw_text))
        await event.respond("слышу")

    friend.add_event_handler(friend_hears, events.NewMessage(incoming=True))
    bot.add_event_handler(bot_hears, events.NewMessage(incoming=True))
    await asyncio.gather(
        owner.send_message("friend_x", "привет"), friend.send_message("some_test_bot", "бот!")
    )
    got = {await asyncio.wait_for(heard.get(), 5) for _ in range(3)}
    assert got == {("friend", "привет"), ("bot", "бот!"), ("friend", "слышу")}
