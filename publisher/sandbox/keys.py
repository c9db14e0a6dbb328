"""Authorization keys, the sessions opened under them, and the queries asked in those."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import rsa
from telethon.crypto import AuthKey

from .handshake import Handshake, NewKey
from .records import User
from .store import Store

if TYPE_CHECKING:
    from .mtproto import Connection

REMEMBERED_SESSIONS = 16  # of one key, so that a query asked again is not executed again


@dataclass
class KeyState:
    """An authorization key as the server keeps it."""

    key: bytes
    salt: int
    user_id: int | None = None

    @property
    def auth_key(self) -> AuthKey:
        return AuthKey(self.key)


@dataclass
class Session:
    """A session of a key: its numbering, what it asked and what it was answered."""

    key_id: int
    id: int
    connection: Connection | None = None
    wants_updates: bool = True
    sent: int = 0
    last_msg_id: int = 0
    queries: OrderedDict[int, Query] = field(default_factory=OrderedDict)

    def next_msg_id(self, reply: bool) -> int:
        msg_id = int(time.time() * (1 << 32)) & ~3 | (1 if reply else 3)
        self.last_msg_id = max(msg_id, self.last_msg_id + 4) & ~3 | (1 if reply else 3)
        return self.last_msg_id

    def next_seq(self, content: bool) -> int:
        seq = self.sent * 2 + content
        self.sent += content
        return seq


@dataclass
class Query:
    """One RPC query: `done` is set once `answer` (a whole rpc_result) is known."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: bytes | None = None


class Keys:
    """All keys and sessions of a server."""

    def __init__(self, store: Store, rsa_key: rsa.PrivateKey) -> None:
        self.rsa = rsa_key
        self._store = store
        self._keys: dict[int, KeyState] = {}
        self._of_user: dict[int, set[int]] = {}
        self._sessions: dict[int, dict[int, Session]] = {}  # by key, then by session
        for key in store.load("auth_key"):
            self._index(key)

    def new_handshake(self) -> Handshake:
        return Handshake(self.rsa)

    def find(self, key_id: int) -> KeyState | None:
        return self._keys.get(key_id)

    def add(self, new: NewKey) -> None:
        self.save(KeyState(new.key, new.salt))
        self._store.commit()

    def make(self, user: User) -> bytes:
        """A key that no client exchanged, signed in as a user."""
        key = KeyState(b"\1" + os.urandom(255), salt=secrets.randbits(63), user_id=user.id)
        self.save(key)
        return key.key

    def save(self, key: KeyState) -> None:
        self._store.put("auth_key", self._index(key), key)

    def drop(self, key_id: int) -> None:
        """Forgets an authorization key: its client is told -404 and must begin anew."""
        if self._keys.pop(key_id, None):
            self._store.put("auth_key", key_id, None)
            self._store.commit()

    def drop_all(self) -> None:
        for key_id in list(self._keys):
            self.drop(key_id)

    def change_salts(self) -> None:
        """Makes every client's salt outdated, as happens every half hour on Telegram."""
        for key in self._keys.values():
            key.salt += 1
            self.save(key)
        self._store.commit()

    def sign_out(self, user: User) -> None:
        for key in list(self._keys.values()):
            if key.user_id == user.id:
                key.user_id = None
                self.save(key)

    def signed_in(self) -> set[int]:
        """Ids of the users who ever signed in."""
        return set(self._of_user)

    def _index(self, key: KeyState) -> int:
        key_id: int = key.auth_key.key_id
        self._keys[key_id] = key
        for owned in self._of_user.values():
            owned.discard(key_id)
        if key.user_id is not None:
            self._of_user.setdefault(key.user_id, set()).add(key_id)
        return key_id

    # Sessions

    def session(self, key_id: int, session_id: int) -> tuple[Session, bool]:
        """The session, and whether it is new."""
        sessions = self._sessions.setdefault(key_id, {})
        if session_id in sessions:
            return sessions[session_id], False
        for old in list(sessions.values())[: max(0, len(sessions) - REMEMBERED_SESSIONS)]:
            if old.connection is None or old.connection.closed:
                del sessions[old.id]
        session = sessions[session_id] = Session(key_id, session_id)
        return session, True

    def drop_session(self, key_id: int, session_id: int) -> bool:
        return self._sessions.get(key_id, {}).pop(session_id, None) is not None

    def forget_sessions(self) -> None:
        self._sessions.clear()

    def live_sessions(self, user: User) -> list[Session]:
        """The connected sessions of a user that want updates."""
        return [
            session
            for key_id in self._of_user.get(user.id, ())
            for session in self._sessions.get(key_id, {}).values()
            if session.wants_updates and session.connection and not session.connection.closed
        ]
