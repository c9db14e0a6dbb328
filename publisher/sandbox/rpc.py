"""The table of methods the server knows, and what each handler is given.

A handler is a plain (or async) function of a `Call` and the request; it answers a TL object,
a bool, a list of TL objects, or `Ints`, or raises `RpcFailure`.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import types as tl
from telethon.tl.tlobject import TLObject, TLRequest

from .errors import RpcFailure, bad
from .records import Box, Change, Channel, Peer, User
from .view import View

if TYPE_CHECKING:
    from .keys import KeyState, Session
    from .server import LoopbackTelegram
    from .world import World

VECTOR, BOOL_TRUE, BOOL_FALSE = 0x1CB5C415, 0x997275B5, 0xBC799737
Handler = Callable[["Call", Any], Any | Awaitable[Any]]


@dataclass(frozen=True)
class Method:
    handler: Handler
    anonymous: bool  # callable before signing in
    bots: bool
    users: bool


METHODS: dict[type, Method] = {}


def handles(
    *requests: type, anonymous: bool = False, bots: bool = True, users: bool = True
) -> Callable[[Handler], Handler]:
    """Registers a handler; `bots` and `users` say which accounts may call it."""

    def register(handler: Handler) -> Handler:
        for request in requests:
            METHODS[request] = Method(handler, anonymous, bots, users)
        return handler

    return register


def method_name(request: TLRequest | type) -> str:
    """``messages.sendMedia`` for ``SendMediaRequest``."""
    kind = request if isinstance(request, type) else type(request)
    name = kind.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    group = kind.__module__.rpartition(".")[2]
    return name if group == "functions" else f"{group}.{name}"


class Ints(list[int]):
    """A result of type Vector<int>."""


def serialise(result: Any) -> bytes:
    if isinstance(result, bool):
        return struct.pack("<I", BOOL_TRUE if result else BOOL_FALSE)
    if isinstance(result, Ints):
        return struct.pack(f"<Ii{len(result)}i", VECTOR, len(result), *result)
    if isinstance(result, list):
        return struct.pack("<Ii", VECTOR, len(result)) + b"".join(bytes(x) for x in result)
    return bytes(result)


@dataclass
class Call:
    """One call of a method: by whom, in which session, and the changes it made."""

    server: LoopbackTelegram
    session: Session
    key: KeyState
    changes: list[tuple[Box, Change]]

    @property
    def world(self) -> World:
        return self.server.world

    @property
    def user(self) -> User:
        user = self.user_or_none
        if user is None:
            raise RpcFailure(401, "AUTH_KEY_UNREGISTERED")
        return user

    @property
    def user_or_none(self) -> User | None:
        return self.world.users.get(self.key.user_id or 0)

    def view(self) -> View:
        return self.server.view(self.user_or_none)

    # Who is meant

    def peer(self, given: TLObject) -> Peer:
        """An InputPeer, checked as Telegram checks it."""
        match given:
            case tl.InputPeerSelf() | tl.InputUserSelf():
                return Peer("user", self.user.id)
            case tl.InputPeerUser() | tl.InputUser():
                return Peer("user", self._known_user(given.user_id, given.access_hash).id)
            case tl.InputPeerChannel() | tl.InputChannel():
                return Peer("channel", self.channel(given).id)
            case tl.InputPeerUserFromMessage() | tl.InputUserFromMessage():
                if given.user_id in self.world.users:
                    return Peer("user", given.user_id)
        raise bad("PEER_ID_INVALID")

    def user_of(self, given: TLObject) -> User:
        peer = self.peer(given)
        if peer.kind != "user":
            raise bad("USER_ID_INVALID")
        return self.world.users[peer.id]

    def channel(self, given: TLObject) -> Channel:
        """A channel by InputChannel or InputPeerChannel: known, the hash right, not banned."""
        if not isinstance(given, tl.InputChannel | tl.InputPeerChannel):
            raise bad("CHANNEL_INVALID")
        channel = self.world.channels.get(given.channel_id)
        if channel is None or not self._hash_fits("channel", channel.id, given.access_hash):
            raise bad("CHANNEL_INVALID")
        if self.user.id in channel.banned:
            raise bad("CHANNEL_PRIVATE")
        readable = channel.username or channel.monoforum or self.user.id in channel.members
        if not readable:
            raise bad("CHANNEL_PRIVATE")
        return channel

    def box(self, peer: Peer) -> Box:
        """Where the caller's messages with a peer lie."""
        return self.world.box(peer if peer.kind == "channel" else Peer("user", self.user.id))

    def _known_user(self, user_id: int, access_hash: int) -> User:
        user = self.world.users.get(user_id)
        if user is None or not self._hash_fits("user", user_id, access_hash):
            raise bad("PEER_ID_INVALID")
        return user

    def _hash_fits(self, kind: str, id: int, given: int) -> bool:
        if given == 0 and self.user.bot:
            return True  # bots address whom they have met without a hash
        return given == self.world.access_hash(self.user.id, kind, id)
