"""The stock Telethon client, for the server that config.toml names, and what it lacks."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import rsa
from telethon import TelegramClient, errors
from telethon.crypto import rsa as telethon_rsa
from telethon.sessions import SQLiteSession
from telethon.tl import types
from telethon.tl.functions.updates import GetDifferenceRequest

from publisher.sentences import words
from publisher.settings.model import ServerSettings, Settings
from publisher.telegram.errors import Trouble, classify

ASK_AGAIN_SECONDS = 5


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


class Client(TelegramClient):
    """Counts how often Telethon reconnected by itself, and how many tries to connect in a row
    ended with the server not knowing our key.

    A key forgotten under a request is to that request a connection that was closed.
    """

    reconnects = 0
    key_unknown = 0

    async def connect(self) -> None:
        try:
            await super().connect()
        except errors.AuthKeyNotFound:
            self.key_unknown += 1
            # The connection is being closed yet, which would ruin the next one.
            with suppress(errors.AuthKeyNotFound):
                await self._sender.disconnected
            raise
        self.key_unknown = 0

    async def _handle_auto_reconnect(self) -> None:
        self.reconnects += 1
        await super()._handle_auto_reconnect()

    async def __call__(self, request: Any, *args: Any, **more: Any) -> Any:
        try:
            return await super().__call__(request, *args, **more)
        except errors.AuthKeyNotFound as error:
            raise ConnectionError(words("the connection was closed under the request")) from error

    def catches_up(self, wanted: bool) -> None:
        """Whether connecting asks for what was missed."""
        self._catch_up = wanted

    def drop_key(self) -> None:
        """Forget the key: connecting makes another, by which nobody is signed in yet."""
        self._sender.auth_key.key = None
        self.session.auth_key = None
        self.session.save()


class BotClient(Client):
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


def session_path(state: Path, name: str) -> Path:
    return state / "sessions" / f"{name}.session"


def make_client(settings: Settings, api_hash: str, name: str, *, bot: bool) -> Client:
    """A client for the server that config.toml names; not yet connected.

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
    return (BotClient if bot else Client)(
        stored,
        telegram.api_id or 1,
        api_hash or "unused",
        flood_sleep_threshold=0,
        request_retries=0,
        raise_last_call_error=True,
        connection_retries=3,
        retry_delay=1,
        timeout=10,
        # A client of the other kind goes to Telegram's own servers instead of to that address.
        use_ipv6=":" in (stored.server_address or ""),
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
