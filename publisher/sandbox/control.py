"""A line-JSON TCP service beside the server, for tests in another process.

One request a line: ``{"op": "journal", "since": 10}``; one answer a line: ``{"ok": true, ...}``
or ``{"ok": false, "error": "..."}``. docs/sandbox.md lists the operations.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .records import Channel, User

if TYPE_CHECKING:
    from .server import LoopbackTelegram


class ManualClock:
    """A clock that stands until it is set; real time passes it by."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


class Control:
    """Serves one server's control port."""

    def __init__(self, server: LoopbackTelegram) -> None:
        self._server = server
        self._listener: asyncio.Server | None = None
        self.stopping = asyncio.Event()
        self.operations: dict[str, Callable[..., Any]] = {
            "journal": self._journal,
            "faults": self._faults,
            "clear_faults": self._clear_faults,
            "fired": lambda: {"fired": self._server.faults.log},
            "refuse": self._refuse,
            "drop": lambda: self._server.drop_connections(),
            "restart": self._server.restart,
            "advance": self._advance,
            "world": self._world,
            "calls": lambda: {"calls": self._server.calls},
            "unknown_methods": lambda: {"methods": self._server.unknown_methods},
            "add_user": self._add_user,
            "add_bot": self._add_bot,
            "add_channel": self._add_channel,
            "post": self._post,
            "sign_out": self._sign_out,
            "freeze": self._freeze,
            "remove_admin": self._remove_admin,
            "add_admin": self._add_admin,
            "stop": lambda: self.stopping.set(),
        }

    async def start(self, host: str, port: int) -> int:
        self._listener = await asyncio.start_server(self._serve, host, port)
        return int(self._listener.sockets[0].getsockname()[1])

    async def close(self) -> None:
        if self._listener is not None:
            self._listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            operation = self.operations.get(request.pop("op", ""))
            if operation is None:
                return {"ok": False, "error": f"op must be one of {', '.join(self.operations)}"}
            result = operation(**request)
            if asyncio.iscoroutine(result):
                result = await result
            self._server.commit()
            return {"ok": True, **(result or {})}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    # Operations

    def _journal(self, since: int = 0) -> dict[str, Any]:
        entries = self._server.journal.entries[since:]
        return {"entries": [entry.as_dict() for entry in entries], "next": since + len(entries)}

    def _faults(self, **rule: Any) -> dict[str, Any]:
        return {"rule": asdict(self._server.faults.add(**rule))}

    def _clear_faults(self) -> None:
        self._server.faults.clear()

    def _refuse(self, on: bool = True) -> None:
        self._server.faults.refusing = on

    async def _advance(self, now: str) -> dict[str, Any]:
        moment = datetime.fromisoformat(now).astimezone(UTC)
        clock = self._server.world.clock
        if isinstance(clock, ManualClock):
            clock.now = max(clock.now, moment)
        count = await self._server.advance(moment)
        due = self._server.next_due
        return {"events": count, "next_due": due.isoformat() if due else None}

    def _world(self) -> dict[str, Any]:
        world = self._server.world
        return {
            "now": world.now().isoformat(),
            "users": [
                {"id": u.id, "name": u.first_name, "username": u.username, "phone": u.phone,
                 "code": u.code, "bot": u.bot, "token": u.token}
                for u in world.users.values()
            ],
            "channels": [
                {"id": c.id, "title": c.title, "username": c.username, "messages": [
                    {"id": m.id, "text": m.text, "date": m.date.isoformat()}
                    for m in world.messages(c)
                ]}
                for c in world.channels.values()
            ],
        }  # fmt: skip

    def _add_user(self, name: str, **fields: Any) -> dict[str, Any]:
        return {"id": self._server.world.add_user(name, **fields).id}

    def _add_bot(self, name: str, **fields: Any) -> dict[str, Any]:
        bot = self._server.world.add_bot(name, **fields)
        return {"id": bot.id, "token": bot.token}

    def _add_channel(self, title: str, creator: str, **fields: Any) -> dict[str, Any]:
        owner = self._user(creator)
        return {"id": self._server.world.add_channel(title, creator=owner, **fields).id}

    def _post(
        self, channel: str, text: str = "", views: int = 0, photo: str | None = None
    ) -> dict[str, Any]:
        picture = base64.b64decode(photo) if photo else None
        post = self._server.world.post_as(self._channel(channel), text, views=views, photo=picture)
        return {"id": post.id}

    def _sign_out(self, user: str) -> None:
        self._server.sign_out(self._user(user))

    def _freeze(self, user: str, on: bool = True) -> None:
        record = self._user(user)
        record.frozen = on
        self._server.world.save(record)

    def _remove_admin(self, channel: str, user: str) -> None:
        self._server.world.remove_admin(self._channel(channel), self._user(user))

    def _add_admin(self, channel: str, user: str) -> None:
        self._server.world.add_admin(self._channel(channel), self._user(user))

    def _user(self, name: str) -> User:
        found = self._server.world.by_username(name) or self._server.world.user_by_phone(name)
        if not isinstance(found, User):
            raise ValueError(f"no user {name!r} by username or phone")
        return found

    def _channel(self, name: str) -> Channel:
        found = self._server.world.by_username(name)
        if not isinstance(found, Channel):
            raise ValueError(f"no channel {name!r}")
        return found
