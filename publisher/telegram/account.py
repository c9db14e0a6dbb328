"""A signed-in Telethon client with its governor: the only way any code talks to Telegram."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telethon import errors, events
from telethon.tl import types
from telethon.tl.functions.updates import (
    GetChannelDifferenceRequest,
    GetDifferenceRequest,
    GetStateRequest,
)

from publisher.sentences import words
from publisher.settings.model import Settings
from publisher.telegram.client import ASK_AGAIN_SECONDS, BotClient, Client, make_client
from publisher.telegram.errors import AskedTwice, classify
from publisher.telegram.governor import CallKind, Governor, NotNow

log = logging.getLogger(__name__)

HEARD = 5000
"""Events a bot has not looked at yet; of more than these the oldest are forgotten."""
PAST_GOVERNOR = {
    request.CONSTRUCTOR_ID
    for request in (GetDifferenceRequest, GetChannelDifferenceRequest, GetStateRequest)
}
"""What is asked without the governor; Telethon owns the waits for these."""
KEY_TRIES = 2
"""How often in a row a server must say that it does not know our key (-404) to be believed: it
says so in passing too, while it restarts."""


class SignInError(Exception):
    """Not signed in, or cannot be; says what to do."""


class BotKeyForgotten(SignInError, ConnectionError):
    """The bot is to be signed in anew, by its token; to any other work the way is closed till
    then."""


@dataclass
class TelegramAccount:
    """`name` is also the session file's name and the key of the account's row in the ledger."""

    name: str
    client: Client
    governor: Governor
    timeout_seconds: float
    rehearsal: list[str] | None = None
    heard: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    """A bot's events, from the first after connecting on, the missed ones among them."""
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, kind: CallKind, request: Any) -> Any:
        """One raw request through the governor, with a time limit.

        In a rehearsal a send is noted and not made: NotNow. Raises NotNow, AccountStopped,
        telethon's errors, asyncio.TimeoutError, and for a send AskedTwice.
        """
        if kind == "send" and self.rehearsal is not None:
            self.rehearsal.append(describe(request))
            raise NotNow(self.governor.clock(), words("dry run"))
        ask = self._ask_once if kind == "send" else self._ask
        return await self.governor.call(
            kind, lambda: asyncio.wait_for(ask(request), self.timeout_seconds)
        )

    async def _ask_once(self, request: Any) -> Any:
        """As `_ask`, but a refusal proves only for a request that left once that nothing happened.

        When the connection breaks, Telethon sends what was under way again by itself.
        """
        before = self.client.reconnects
        try:
            return await self._ask(request)
        except errors.RPCError as error:
            if self.client.reconnects == before or classify(error).kind in ("there", "unclear"):
                raise
            raise AskedTwice(error) from error

    async def _ask(self, request: Any) -> Any:
        return await self._connected(lambda: self.client(request))

    async def _connected(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """Telethon cancels what was under way when it gives a connection up: to us that is a
        failure of the network, for a cancelled task would end with its caller."""
        try:
            await self.reconnect()
            return await make()
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            raise ConnectionError(words("the connection was closed under the request")) from error

    async def reconnect(self) -> bool:
        """Telethon gives a connection up for good after a few tries; begin anew. Whether that was
        needed. Raises OSError, asyncio.TimeoutError, NotNow, telethon's errors; where the server
        does not know our key, AuthKeyNotFound, and for a bot BotKeyForgotten.

        It leaves the loop that reads updates alive then, and two of them ruin each other: so first
        disconnect, which also writes down how far they were read, for a bot to catch up from. The
        same when connecting ends halfway: connected without that loop, nothing is heard. And the
        same without the loop of pings, which a full disk ends: a way that fell silent would never
        be given up.

        Telethon also remembers floods, by the machine's clock and until it ends: they are the
        governor's business, but for `PAST_GOVERNOR`.
        """
        for number in self.client._flood_waited_requests.keys() - PAST_GOVERNOR:
            del self.client._flood_waited_requests[number]
        async with self.connecting:
            loops = self.client._updates_handle, self.client._keepalive_handle
            if self.client.is_connected() and all(loop and not loop.done() for loop in loops):
                return False
            self.governor.may_connect()
            await self._disconnect()
            try:
                await asyncio.wait_for(self.client.connect(), self.timeout_seconds)
            except BaseException as error:
                await self._disconnect()
                self.governor.not_connected(error)
                if isinstance(error, errors.AuthKeyNotFound):
                    self._key_unknown()
                raise
            return True

    def _key_unknown(self) -> None:
        if self.client.key_unknown < KEY_TRIES:
            raise ConnectionError(words("the server does not know our key just now")) from None
        if isinstance(self.client, BotClient):
            raise BotKeyForgotten(
                words("the server does not know the bot's key any more")
            ) from None

    async def _disconnect(self) -> None:
        try:
            await self.client.disconnect()
        except sqlite3.Error as error:
            log.warning("%s: how far updates were read is not written down: %s", self.name, error)

    async def me(self) -> Any:
        """Who we are, or None when nobody is signed in. Past the governor: also a stopped account
        may be asked. Raises telethon's errors, NotNow, OSError, asyncio.TimeoutError."""
        return await asyncio.wait_for(self._connected(self.client.get_me), self.timeout_seconds)

    async def telegram_time(self) -> datetime:
        """Telegram's own clock, to the second. Past the governor. Raises as `me` does."""
        asked = self._ask(GetStateRequest())
        return (await asyncio.wait_for(asked, self.timeout_seconds)).date

    async def find_user(self, person: int) -> types.TypeInputPeer:
        """A user by id, asked for where the session does not know them; a bot knows those who
        wrote to it. Raises as `call`."""

        def request() -> Any:
            return self._connected(lambda: self.client.get_input_entity(person))

        try:
            return await self.governor.call(
                "other", lambda: asyncio.wait_for(request(), self.timeout_seconds)
            )
        except ValueError:
            return types.InputPeerUser(person, 0)

    async def upload(self, data: bytes, name: str) -> Any:
        """Upload a file's parts; an uploaded file is no effect until it is sent."""

        def request() -> Any:
            return self._connected(lambda: self.client.upload_file(data, file_name=name))

        return await self.governor.call(
            "other", lambda: asyncio.wait_for(request(), self.timeout_seconds * 2)
        )

    async def download(self, media: Any) -> bytes:
        """A message's photo as bytes."""

        def request() -> Any:
            return self._connected(lambda: self.client.download_media(media, file=bytes))

        found = await self.governor.call(
            "download", lambda: asyncio.wait_for(request(), self.timeout_seconds * 2)
        )
        if not isinstance(found, bytes):
            raise OSError(words("the photo could not be downloaded"))
        return found


def describe(request: Any) -> str:
    """A send in one line, for a dry run."""
    peer = getattr(request, "peer", None)
    whom = getattr(peer, "channel_id", None) or getattr(peer, "user_id", None)
    text = getattr(request, "message", "") or ""
    return f"{type(request).__name__} to {whom}: {text[:80]!r}"


class Heard(asyncio.Queue[Any]):
    """Events in their order, `HEARD` at most."""

    async def hear(self, event: Any) -> None:
        if self.qsize() >= HEARD:
            self.get_nowait()
        self.put_nowait(event)


async def connect(
    name: str,
    settings: Settings,
    api_hash: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
    *,
    bot_token: str = "",
    must_be_signed_in: bool = True,
) -> TelegramAccount:
    """Connect the account `name`; a bot signs itself in by its token.

    Raises SignInError when nobody signed in before, the server has forgotten the account's key, or
    the bot's token is refused, NotNow while a FLOOD_WAIT that connecting met lasts, telethon's
    errors, OSError when out of reach.
    """
    governor = Governor(name, settings.telegram.pace, clock, sleep)
    governor.may_connect()
    heard = Heard()
    client = _client_heard(settings, api_hash, name, bot_token, heard)
    timeout = settings.telegram.request_timeout_seconds
    try:
        known = await find_server(client, timeout * 2, sleep)
        signed_in = known and await is_signed_in(client)
        if bot_token and not signed_in:
            if not known:
                client.drop_key()
            await _close(client)
            await sign_bot_in(settings, api_hash, name, bot_token)
            client = _client_heard(settings, api_hash, name, bot_token, heard)
            await asyncio.wait_for(client.connect(), timeout * 2)
        elif not known:
            raise SignInError(
                words(
                    "account «{name}»: the server does not know its key any more; "
                    "run: publisher login",
                    name=name,
                )
            )
        elif must_be_signed_in and not signed_in:
            raise SignInError(
                words("account «{name}» is not signed in; run: publisher login", name=name)
            )
        governor.signed_in()
    except BaseException as error:
        await _close(client)
        governor.not_connected(error)
        raise
    return TelegramAccount(name, client, governor, timeout, heard=heard)


def _client_heard(
    settings: Settings, api_hash: str, name: str, bot_token: str, heard: Heard
) -> Client:
    client = make_client(settings, api_hash, name, bot=bool(bot_token))
    if bot_token:
        # Before connecting: what was missed is told at once, to nobody if nobody listens yet.
        for kind in (events.NewMessage(incoming=True), events.CallbackQuery, events.InlineQuery):
            client.add_event_handler(heard.hear, kind)
    return client


async def _close(client: Client) -> None:
    if client.is_connected():
        await client.disconnect()
    else:
        # Disconnecting would write over how far updates were read, which was not read yet.
        client.session.close()


async def find_server(
    client: Client, timeout: float, sleep: Callable[[float], Awaitable[None]]
) -> bool:
    """Connect; whether the server knows our key, or we had none. It is asked again before it is
    believed that it does not.

    Raises OSError, asyncio.TimeoutError, telethon's errors.
    """
    for tries_left in reversed(range(KEY_TRIES)):
        try:
            # A server that takes every connection and answers none would hold us up for ever.
            await asyncio.wait_for(client.connect(), timeout)
            return True
        except errors.AuthKeyNotFound:
            if tries_left:
                await sleep(ASK_AGAIN_SECONDS)
    return False


async def make_key_anew(client: Client, timeout: float) -> None:
    """Connect with a new key in place of one that the server has forgotten."""
    client.drop_key()
    await asyncio.wait_for(client.connect(), timeout)


async def sign_bot_in(settings: Settings, api_hash: str, name: str, token: str) -> None:
    """By a client of its own that reads no updates: Telethon closes one that does and is not signed
    in. How far they were read stays, so that what was missed is asked for."""
    client = make_client(settings, api_hash, name, bot=True)
    client.catches_up(False)
    read = list(client.session.get_update_states())
    timeout = settings.telegram.request_timeout_seconds
    try:
        await asyncio.wait_for(client.connect(), timeout * 2)
        await asyncio.wait_for(client.sign_in(bot_token=token), timeout * 2)
    except (errors.AccessTokenInvalidError, errors.AccessTokenExpiredError) as error:
        raise SignInError(
            words("account «{name}»: Telegram refuses its token: {why}", name=name, why=error)
        ) from error
    finally:
        await client.disconnect()
        for chat, state in read:
            client.session.set_update_state(chat, state)
        client.session.save()
        client.session.close()


async def is_signed_in(client: Client) -> bool:
    """Telethon's own question takes every refusal for a no, a FLOOD_WAIT too. A client that reads
    updates may be closed under ours when it learns first that it is signed out."""
    try:
        await client(GetStateRequest())
    except (errors.UnauthorizedError, errors.AuthKeyError):
        return False
    except asyncio.CancelledError:
        if isinstance(client._updates_error, errors.UnauthorizedError | errors.AuthKeyError):
            return False
        raise
    return True
