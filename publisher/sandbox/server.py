"""The loopback Telegram itself: sockets, keys, dispatch of methods, pushed updates."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import rsa
from telethon.tl import functions as fn
from telethon.tl import types as tl
from telethon.tl.tlobject import TLRequest

from . import handshake
from .actions import ACTIONS
from .audience import Audience
from .errors import RpcFailure
from .events import Agenda
from .faults import Faults
from .handlers import load as load_handlers
from .handlers.inline import Offers, inline_message_id
from .journal import Journal
from .keys import Keys, Session
from .mtproto import Connection, rpc_error, rpc_result
from .partners import Partners
from .queries import Queries
from .records import Box, Change, Message, User
from .rpc import METHODS, Call, method_name, serialise
from .srp import Challenge
from .store import Store
from .view import View
from .world import World

log = logging.getLogger(__name__)
TICK = 0.2  # real seconds
FROZEN_METHODS = ("messages.send", "messages.forward", "channels.join", "contacts.resolve")


def real_clock() -> datetime:
    return datetime.now(UTC)


class LoopbackTelegram:
    """An MTProto server for tests, rehearsals and the demo.

    `clock` gives the time that people see (aware, UTC); `state_path` is a directory that lets
    the server survive its own death; `random_id_mode` says what a repeated random_id gets: the
    error RANDOM_ID_DUPLICATE, or the existing message. A `live` server (the default with the
    real clock) runs what is due by itself; otherwise call `advance`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        seed: int = 1,
        clock: Callable[[], datetime] = real_clock,
        state_path: str | Path | None = None,
        random_id_mode: Literal["error", "existing"] = "error",
        journal_path: str | Path | None = None,
        dc_id: int = 2,
        live: bool | None = None,
    ) -> None:
        load_handlers()
        self.host, self._port, self.dc_id = host, port, dc_id
        self.random_id_mode = random_id_mode
        directory = Path(state_path) if state_path is not None else None
        self.store = Store(directory)
        self.journal = Journal(self.store, Path(journal_path) if journal_path else None)
        self.world = World(self.store, self.journal, clock, seed)
        self.faults = Faults(seed)
        self.audience = Audience(self.world, seed)
        self.agenda = Agenda(self.store)
        self.partners = Partners(self)
        self.unknown_methods: list[str] = []
        self.calls: dict[str, int] = {}
        self.keys = Keys(self.store, self._load_key(directory))
        self._connections: set[Connection] = set()
        self._listener: asyncio.Server | None = None
        self._live = clock is real_clock if live is None else live
        self._ticker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._call: Call | None = None
        self.queries = Queries()
        self.inline_offers: dict[int, Offers] = {}
        self.codes: dict[str, tuple[int, datetime | None, int]] = {}
        self.half_signed: dict[int, int] = {}
        self.challenges: dict[int, Challenge] = {}
        self.banned_phones: set[int] = set()
        self.world.listeners.append(self._on_change)

    # Life

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self._port

    @property
    def public_key_pem(self) -> str:
        return handshake.public_pem(self.keys.rsa)

    async def start(self) -> None:
        self._listener = await asyncio.start_server(self._accept, self.host, self._port)
        self._port = self._listener.sockets[0].getsockname()[1]
        if self._live:
            self._ticker = asyncio.create_task(self._tick())

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._close_sockets()
        self.commit()
        self.store.close()

    async def restart(self, away: float = 0.0) -> None:
        """Drops every connection and session, and listens again after `away` seconds."""
        await self._close_sockets()
        await asyncio.sleep(away)
        await self.start()

    def restart_soon(self, away: float = 0.0) -> None:
        task = asyncio.get_running_loop().create_task(self.restart(away))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def drop_connections(self) -> None:
        for connection in list(self._connections):
            connection.close(abort=True)

    async def _close_sockets(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.drop_connections()
        self.keys.forget_sessions()
        await asyncio.sleep(0)

    def signed_in_key(self, user: User) -> bytes:
        """A new authorization key that is signed in already, for clients by the hundred.

        Give it to a stock client as ``session.auth_key = AuthKey(key)``; it then spends no time
        on the key exchange.
        """
        key = self.keys.make(user)
        self.commit()
        return key

    def sign_out(self, user: User) -> None:
        """Ends every session of a user, as the user would from another device."""
        self.keys.sign_out(user)
        self.commit()

    def commit(self) -> None:
        self.store.commit()
        self.journal.flush()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.refusing:
            writer.transport.abort()
            return
        connection = Connection(self, reader, writer)
        self._connections.add(connection)
        try:
            await connection.serve()
        except asyncio.CancelledError:
            connection.close(abort=True)  # the loop is ending
        finally:
            self._connections.discard(connection)

    def _load_key(self, directory: Path | None) -> rsa.PrivateKey:
        if directory is None:
            return handshake.process_key()
        path = directory / "private.pem"
        if not path.exists():
            path.write_bytes(handshake.process_key().save_pkcs1())
            path.chmod(0o600)
        (directory / "public.pem").write_text(
            handshake.public_pem(key := rsa.PrivateKey.load_pkcs1(path.read_bytes()))
        )
        return key

    # Time

    def schedule(self, due: datetime, action: str, *args: object) -> None:
        """Puts one of `actions.ACTIONS` on the agenda."""
        self.agenda.add(due, action, *args)

    async def advance(self, now: datetime | None = None) -> int:
        """Runs everything due by `now` (the clock's time if not given); answers how many."""
        count = self._run_due(now or self.world.clock())
        self.commit()
        await asyncio.sleep(0)
        return count

    @property
    def next_due(self) -> datetime | None:
        """When the world will next do something by itself."""
        return self.agenda.next_due

    def _run_due(self, now: datetime) -> int:
        count = 0
        while event := self.agenda.pop(now):
            self.world.moment = event.due
            try:
                ACTIONS[event.action](self, *event.args)
            except Exception:
                log.exception("%s%s failed", event.action, event.args)
            finally:
                self.world.moment = None
            count += 1
        return count

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            await self.advance()

    # Methods

    async def answer(
        self, connection: Connection, session: Session, msg_id: int, request: TLRequest
    ) -> bytes | None:
        """Runs one query; None when the connection was cut before it had an effect."""
        wraps = fn.InvokeWithLayerRequest, fn.InitConnectionRequest, fn.InvokeWithoutUpdatesRequest
        while isinstance(request, wraps):
            if isinstance(request, fn.InvokeWithoutUpdatesRequest):
                session.wants_updates = False
            request = request.query
        name = method_name(request)
        self.calls[name] = self.calls.get(name, 0) + 1
        try:
            self._run_due(self.world.clock())
            fault = self.faults.draw(name)
            if fault is not None and not fault.after:
                await self.faults.apply(fault, self, connection)
            result = serialise(await self._run(session, request, name))
            self.commit()
            if fault is not None and fault.after:
                await self.faults.apply(fault, self, connection)
        except RpcFailure as error:
            self.commit()
            return rpc_error(msg_id, error.code, error.name)
        except ConnectionAbortedError:
            return None  # cut before the effect
        except Exception:
            log.exception("%s failed on %s", name, request)
            self.commit()
            return rpc_error(msg_id, 500, "INTERNAL_SERVER_ERROR")
        return rpc_result(msg_id, result, compress=name != "upload.getFile")

    async def _run(self, session: Session, request: TLRequest, name: str) -> object:
        method = METHODS.get(type(request))
        if method is None:
            log.warning("unknown method %s", name)
            self.unknown_methods.append(name)
            raise RpcFailure(400, "METHOD_INVALID")
        key = self.keys.find(session.key_id)
        if key is None:
            raise RpcFailure(401, "AUTH_KEY_UNREGISTERED")
        call = Call(self, session, key, [])
        if not method.anonymous:
            if call.user.bot and not method.bots:
                raise RpcFailure(400, "BOT_METHOD_INVALID")
            if not call.user.bot and not method.users:
                raise RpcFailure(400, "USER_BOT_REQUIRED")
            if call.user.frozen and name.startswith(FROZEN_METHODS):
                raise RpcFailure(420, "FROZEN_METHOD_INVALID")
        self._call = call
        try:
            result = method.handler(call, request)
        finally:
            self._call = None
        return await result if inspect.isawaitable(result) else result

    # Bots

    def press(self, bot: User, user: User, message: Message, query_id: int, data: bytes) -> None:
        """Tells a bot that somebody pressed one of its buttons."""
        if self.partners.get(bot.id) is not None:
            answer = self.partners.pressed(bot, user, message, data)
            self.queries.answer(bot, query_id, answer)
            return
        if message.via_bot == bot.id:
            inline_id = inline_message_id(self, bot, message)
            self.push_to(
                bot,
                lambda view: tl.UpdateInlineBotCallbackQuery(
                    query_id, user.id, inline_id, chat_instance=message.box.id, data=data
                ),
                user,
            )
            return
        peer, message_id = message.peer, message.id
        if message.box.kind == "user":
            peer = message.box
            if message.twin:
                message_id = message.twin[1]
        self.push_to(
            bot,
            lambda view: tl.UpdateBotCallbackQuery(
                query_id, user.id, view.peer(peer), message_id, chat_instance=peer.id, data=data
            ),
            user,
        )

    def push_to(self, user: User, build: Callable[[View], object], about: User) -> None:
        """Pushes an update without pts to every session of a user."""
        for session in self.keys.live_sessions(user):
            view = self.view(user)
            view.user(about.id)
            self._push(session, view.updates([build(view)]))

    # Updates

    def view(self, viewer: User | None) -> View:
        return View(self.world, self.audience, viewer, self.dc_id)

    def _on_change(self, box: Box, change: Change) -> None:
        if change.kind == "new":
            self.partners.heard(box.messages[change.ids[0]])
        own = None
        if self._call is not None:
            self._call.changes.append((box, change))
            own = self._call.session
        for user in self._followers(box):
            sessions = [s for s in self.keys.live_sessions(user) if s is not own]
            if sessions:
                view = self.view(user)
                updates = view.update(box, change)
                for session in sessions if updates else ():
                    self._push(session, view.updates(updates))

    def push_reactions(self, message: Message, own: Session | None) -> None:
        """Tells those who follow a chat that reactions on a message changed."""
        for user in self._followers(self.world.box(message.box)):
            for session in self.keys.live_sessions(user):
                if session is not own:
                    view = self.view(user)
                    reactions = view.reactions(message) or tl.MessageReactions([])
                    update = tl.UpdateMessageReactions(
                        view.peer(message.peer), message.id, reactions
                    )
                    self._push(session, view.updates([update]))

    def _push(self, session: Session, updates: object) -> None:
        if session.connection is not None:
            session.connection.push(session, updates)

    def _followers(self, box: Box) -> list[User]:
        """Who, of those ever signed in, gets the updates of a box."""
        if box.peer.kind == "user":
            ids = {box.peer.id}
        else:
            channel = self.world.channels[box.peer.id]
            ids = set(channel.members)
            if channel.monoforum:
                ids |= self.world.direct_message_admins(channel)
        return [self.world.users[i] for i in ids & self.keys.signed_in()]
