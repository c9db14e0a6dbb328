"""A signed-in Telethon client with its governor: the only way any code talks to Telegram."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import rsa
from telethon import TelegramClient, errors, events
from telethon.crypto import rsa as telethon_rsa
from telethon.sessions import SQLiteSession
from telethon.tl import types
from telethon.tl.functions.updates import (
    GetChannelDifferenceRequest,
    GetDifferenceRequest,
    GetStateRequest,
)

from publisher.sentences import words
from publisher.settings.model import ServerSettings, Settings
from publisher.telegram.errors import Trouble, classify
from publisher.telegram.governor import CallKind, Governor, NotNow

log = logging.getLogger(__name__)

HEARD = 5000
"""Events a bot has not looked at yet; of more than these the oldest are forgotten."""
PAST_GOVERNOR = {
    request.CONSTRUCTOR_ID
    for request in (GetDifferenceRequest, GetChannelDifferenceRequest, GetStateRequest)
}
"""What is asked without the governor; Telethon owns the waits for these."""
ASK_AGAIN_SECONDS = 5


class SignInError(Exception):
    """Not signed in, or cannot be; says what to do."""


@dataclass
class TelegramAccount:
    """`name` is also the session file's name and the key of the account's row in the ledger."""

    name: str
    client: TelegramClient
    governor: Governor
    timeout_seconds: float
    rehearsal: list[str] | None = None
    heard: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    """A bot's events, from the first after connecting on, the missed ones among them."""
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def call(self, kind: CallKind, request: Any) -> Any:
        """One raw request through the governor, with a time limit.

        In a rehearsal a send is noted and not made: NotNow. Raises NotNow, AccountStopped,
        telethon's errors, asyncio.TimeoutError.
        """
        if kind == "send" and self.rehearsal is not None:
            self.rehearsal.append(describe(request))
            raise NotNow(self.governor.clock(), words("dry run"))
        return await self.governor.call(
            kind, lambda: asyncio.wait_for(self._ask(request), self.timeout_seconds)
        )

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
        needed. Raises OSError, asyncio.TimeoutError, NotNow, telethon's errors.

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
                raise
            return True

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
            "other", lambda: asyncio.wait_for(request(), self.timeout_seconds * 2)
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


class BotSession(SQLiteSession):
    """Keeps the bot's own id and the chats it is in, and nobody who wrote to it: a stock session
    writes down every person's id, name, username and phone for ever. A bot needs none of it."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        cursor = self._cursor()
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.execute("DELETE FROM entities WHERE id > 0")
        cursor.close()
        self.save()

    def _entities_to_rows(self, tlo: Any) -> list[tuple[Any, ...]]:
        return [row for row in super()._entities_to_rows(tlo) or () if row[0] <= 0]


class BotClient(TelegramClient):
    """Asks for what it missed also when Telethon reconnected by itself, and again when the server
    would not say; a stock client does neither before the next message comes, or in a quarter of
    an hour."""

    _again: asyncio.TimerHandle | None = None

    async def _handle_auto_reconnect(self) -> None:
        await super()._handle_auto_reconnect()
        await self.catch_up()

    async def __call__(self, request: Any, *args: Any, **more: Any) -> Any:
        try:
            return await super().__call__(request, *args, **more)
        except errors.RPCError as error:
            if request.CONSTRUCTOR_ID == GetDifferenceRequest.CONSTRUCTOR_ID:
                self._ask_later(classify(error))
            raise

    def _ask_later(self, trouble: Trouble) -> None:
        if trouble.kind in ("wait", "unclear"):
            if self._again:
                self._again.cancel()
            seconds = max(trouble.seconds + 1, ASK_AGAIN_SECONDS)
            too_long = types.UpdatesTooLong()
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(seconds, self._updates_queue.put_nowait, too_long)


class Heard(asyncio.Queue[Any]):
    """Events in their order, `HEARD` at most."""

    async def hear(self, event: Any) -> None:
        if self.qsize() >= HEARD:
            self.get_nowait()
        self.put_nowait(event)


def session_path(state: Path, name: str) -> Path:
    return state / "sessions" / f"{name}.session"


def make_client(settings: Settings, api_hash: str, name: str, *, bot: bool) -> TelegramClient:
    """A stock client for the server that config.toml names; not yet connected.

    Retries and flood waits are the ledger's and the governor's, so Telethon's own are off.
    """
    telegram = settings.telegram
    session = session_path(settings.state, name)
    session.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    old_mask = os.umask(0o077)
    try:
        stored = (BotSession if bot else SQLiteSession)(str(session))
    finally:
        os.umask(old_mask)
    if telegram.server:
        use_server(stored, telegram.server, settings.path)
    return (BotClient if bot else TelegramClient)(
        stored,
        telegram.api_id or 1,
        api_hash or "unused",
        flood_sleep_threshold=0,
        request_retries=0,
        raise_last_call_error=True,
        connection_retries=3,
        retry_delay=1,
        timeout=10,
        catch_up=bot,
        device_model="MemeGen",
        app_version="0.1",
    )


def use_server(session: SQLiteSession, server: ServerSettings, path: Callable[[str], Path]) -> None:
    """Point a session at any MTProto server: address, DC id and RSA public key.

    The key is PEM text or, by `path`, a file of it. Raises OSError when the file is not there.
    """
    given = server.public_key
    pem = given if "-----BEGIN" in given else path(given).read_text()
    telethon_rsa.add_key(_pkcs1(pem), old=False)
    there = (session.dc_id, session.server_address, session.port)
    if there != (server.dc_id, server.address, server.port):
        session.set_dc(server.dc_id, server.address, server.port)
        session.save()


def _pkcs1(pem: str) -> bytes:
    if "BEGIN RSA PUBLIC KEY" in pem:
        return pem.encode()
    key = rsa.PublicKey.load_pkcs1_openssl_pem(pem.encode())
    return key.save_pkcs1()


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

    Raises SignInError when nobody signed in before, or the bot's token is refused, NotNow while a
    FLOOD_WAIT that connecting met lasts, telethon's RPCError, OSError when out of reach.
    """
    governor = Governor(name, settings.telegram.pace, clock, sleep)
    governor.may_connect()
    client = make_client(settings, api_hash, name, bot=bool(bot_token))
    heard = Heard()
    if bot_token:
        # Before connecting: what was missed is told at once, to nobody if nobody listens yet.
        for kind in (events.NewMessage(incoming=True), events.CallbackQuery, events.InlineQuery):
            client.add_event_handler(heard.hear, kind)
    timeout = settings.telegram.request_timeout_seconds
    try:
        # A server that takes every connection and answers none would hold us up for ever.
        await asyncio.wait_for(client.connect(), timeout * 2)
        signed_in = await is_signed_in(client)
        if bot_token and not signed_in:
            await sign_bot_in(client, name, bot_token)
        elif must_be_signed_in and not signed_in:
            raise SignInError(
                words("account «{name}» is not signed in; run: publisher login", name=name)
            )
    except BaseException as error:
        if client.is_connected():
            await client.disconnect()
        else:
            # Disconnecting would write over how far updates were read, which was not read yet.
            client.session.close()
        governor.not_connected(error)
        raise
    return TelegramAccount(name, client, governor, timeout, heard=heard)


async def sign_bot_in(client: TelegramClient, name: str, token: str) -> None:
    try:
        await client.sign_in(bot_token=token)
    except (errors.AccessTokenInvalidError, errors.AccessTokenExpiredError) as error:
        raise SignInError(
            words("account «{name}»: Telegram refuses its token: {why}", name=name, why=error)
        ) from error


async def is_signed_in(client: TelegramClient) -> bool:
    """Telethon's own question takes every refusal for a no, a FLOOD_WAIT too."""
    try:
        await client(GetStateRequest())
    except (errors.UnauthorizedError, errors.AuthKeyError):
        return False
    return True
