"""Faults on order: errors, cut connections, slow replies, restarts.

A rule names methods by pattern and says when it fires: on the nth matching call, with a seeded
probability, at most so many times; before the method's effect or after it (the effect stands,
the reply is lost or late).
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from .errors import RpcFailure

if TYPE_CHECKING:
    from .mtproto import Connection
    from .server import LoopbackTelegram

Kind = Literal["error", "drop", "delay", "restart"]
KINDS = ("error", "drop", "delay", "restart")
CODES = {
    "FLOOD_WAIT": 420,
    "FLOOD_PREMIUM_WAIT": 420,
    "SLOWMODE_WAIT": 420,
    "FROZEN_METHOD_INVALID": 420,
    "AUTH_KEY_UNREGISTERED": 401,
    "AUTH_KEY_DUPLICATED": 406,
    "SESSION_REVOKED": 401,
    "USER_DEACTIVATED": 401,
    "CHAT_WRITE_FORBIDDEN": 403,
    "RANDOM_ID_DUPLICATE": 500,
    "INTERNAL": 500,
    "RPC_CALL_FAIL": 500,
    "RPC_MCGET_FAIL": 500,
    "WORKER_BUSY_TOO_LONG_RETRY": 500,
    "TIMEOUT": 503,
}


@dataclass
class Rule:
    method: str  # a pattern as of fnmatch: "messages.send*", "*"
    kind: Kind
    error: str = ""  # of kind "error": the name, e.g. FLOOD_WAIT_30
    code: int | None = None  # None: the code that Telegram uses with that name
    after: bool = False  # after the effect
    nth: int | None = None  # fires on that matching call only, counted from 1
    probability: float = 1.0
    times: int | None = None  # fires at most so often
    seconds: float = 0.0  # of a delay; of a restart: how long the server is away
    calls: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind == "error" and not self.error:
            raise ValueError("a rule of kind 'error' needs the error's name")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], not {self.probability}")

    @property
    def error_code(self) -> int:
        if self.code is not None:
            return self.code
        name = self.error.rstrip("0123456789").rstrip("_")
        return CODES.get(name, CODES.get(self.error, 400))


class Faults:
    """The rules in force. `log` tells what fired: (method, rule as a dict)."""

    def __init__(self, seed: int) -> None:
        self.refusing = False  # every new connection is closed at once
        self.rules: list[Rule] = []
        self.log: list[tuple[str, dict[str, Any]]] = []
        self._random = random.Random(seed)

    def add(self, method: str, kind: Kind, **fields: Any) -> Rule:
        """Adds a rule; the fields are those of `Rule`."""
        rule = Rule(method, kind, **fields)
        self.rules.append(rule)
        return rule

    def error(self, method: str, name: str, **fields: Any) -> Rule:
        return self.add(method, "error", error=name, **fields)

    def flood_wait(self, method: str, seconds: int, **fields: Any) -> Rule:
        return self.error(method, f"FLOOD_WAIT_{seconds}", **fields)

    def drop(self, method: str, **fields: Any) -> Rule:
        """Cuts the connection: before the effect, or with ``after=True`` instead of the reply."""
        return self.add(method, "drop", **fields)

    def delay(self, method: str, seconds: float, **fields: Any) -> Rule:
        return self.add(method, "delay", seconds=seconds, **fields)

    def clear(self) -> None:
        self.rules.clear()
        self.refusing = False

    def draw(self, method: str) -> Rule | None:
        """The first rule that fires on this call."""
        chosen = None
        for rule in self.rules:
            if not fnmatchcase(method, rule.method):
                continue
            rule.calls += 1
            if chosen is None and self._fires(rule):
                rule.fired += 1
                self.log.append((method, asdict(rule)))
                chosen = rule
        return chosen

    def _fires(self, rule: Rule) -> bool:
        if rule.times is not None and rule.fired >= rule.times:
            return False
        if rule.nth is not None and rule.calls != rule.nth:
            return False
        return rule.probability >= 1 or self._random.random() < rule.probability

    async def apply(self, rule: Rule, server: LoopbackTelegram, connection: Connection) -> None:
        """Does it: raises the error, waits, or cuts connections (ConnectionAbortedError)."""
        if rule.kind == "error":
            raise RpcFailure(rule.error_code, rule.error)
        if rule.kind == "delay":
            await asyncio.sleep(rule.seconds)
            return
        if rule.kind == "restart":
            server.restart_soon(rule.seconds)
        connection.close(abort=True)
        if not rule.after:
            raise ConnectionAbortedError
