"""What the bot has to say, in the order of its urgency and at the pace Telegram allows.

Every entry carries its own random_id or edits a known message, so that trying again is never
saying twice. The outbox is bounded: what may be lost (edits, "not so fast") is dropped when it
is full or its chat is closed; answers to accepted wishes wait, and the queue bounds those.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from peewee import InterfaceError, OperationalError
from telethon.errors import MessageNotModifiedError, RandomIdDuplicateError

from publisher.bot.account import ChatFlood
from publisher.bot.admission import Buckets
from publisher.telegram.errors import classify
from publisher.telegram.governor import AccountStopped, NotNow

log = logging.getLogger(__name__)

FIRST, ANSWER, NOTICE, EDIT, ASIDE = range(5)
"""`ASIDE`: to those whose request was not taken; never in the way of those whose was."""
WIDTH = 4
TOO_LATE = "too late"
RETRIES = 8
PRIVATE_MINUTE, GROUP_MINUTE = 60.0, 18.0
STOPPED_WAIT = timedelta(minutes=1)
UNWRITTEN = (OperationalError, InterfaceError, sqlite3.OperationalError)
"""The ledger or the session file is held by another or has no room: it passes."""
WRITE_AGAIN = timedelta(seconds=5)
LONG_AGO = datetime.min.replace(tzinfo=UTC)
CLOCK_SET = timedelta(seconds=5)


@dataclass
class Entry:
    """`act` makes the call. `given_up(reason)` is called once when it never will succeed; a
    random_id the server knows already ends as success, by `known`. `droppable` entries are tried
    once, and not at all when the outbox is full or their chat is busy beyond `until`; one with
    the key of another takes its place.

    What `act` does after the call, `known` and `given_up` may fail to write to the ledger: the act
    is then repeated, the others called again, until it is written."""

    chat: int
    urgency: int
    act: Callable[[], Awaitable[Any]]
    droppable: bool = False
    key: Hashable = None
    until: datetime | None = None
    known: Callable[[], None] | None = None
    given_up: Callable[[str], None] | None = None
    tries: int = 0
    withdrawn: bool = False


@dataclass
class Outbox:
    """`per_second` sends in all; `limit` entries, above which droppable ones are refused."""

    clock: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    per_second: float
    limit: int = 500
    sent: int = 0
    dropped: int = 0
    closed_until: datetime | None = None
    _ready: list[tuple[int, int, Entry]] = field(default_factory=list)
    _later: list[tuple[datetime, int, Entry]] = field(default_factory=list)
    _keyed: dict[Hashable, Entry] = field(default_factory=dict)
    _number: int = 0
    _next_at: datetime | None = None
    _unwritten: deque[Callable[[], None]] = field(default_factory=deque)
    _write_at: datetime = LONG_AGO
    _seen: datetime = LONG_AGO
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._private = Buckets(PRIVATE_MINUTE, burst=4)
        self._group = Buckets(GROUP_MINUTE, burst=4)
        self._slots = asyncio.Semaphore(WIDTH)

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)

    def put(self, entry: Entry) -> bool:
        """False when it was dropped at once."""
        if entry.key is not None:
            twin = self._keyed.get(entry.key)
            if twin:
                _take_over(twin, entry)
                return True
        if entry.droppable and len(self) >= self.limit:
            self.dropped += 1
            return False
        if entry.key is not None:
            self._keyed[entry.key] = entry
        self._push(entry)
        return True

    def withdraw(self, key: Hashable) -> bool:
        """Take back what was not sent yet; whether there was anything to take back."""
        entry = self._keyed.pop(key, None)
        if entry is None:
            return False
        entry.withdrawn = True
        return True

    async def pump(self) -> None:
        """Send all that may be sent now; ends when the rest has to wait."""
        self._mind_the_clock()
        while self._unwritten and self._write_at <= self.clock():
            self._end(self._unwritten.popleft())
        under_way: set[asyncio.Task[None]] = set()
        while (entry := self._next()) is not None:
            await self._slots.acquire()
            await self._pace()
            task = asyncio.create_task(self._send(entry))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.gather(*under_way)

    def _mind_the_clock(self) -> None:
        """What was counted by a clock that has been set back since is due as much earlier."""
        now = self.clock()
        back, self._seen = self._seen - now, now
        if back < CLOCK_SET:
            return
        self._later = [(until - back, number, entry) for until, number, entry in self._later]
        for *_, entry in (*self._ready, *self._later):
            entry.until = entry.until and entry.until - back
        self.closed_until = self.closed_until and self.closed_until - back
        self._next_at, self._write_at = None, LONG_AGO

    async def news(self, seconds: float) -> None:
        """Wait for something new to send, `seconds` of real time at most."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def _push(self, entry: Entry) -> None:
        self._number += 1
        heapq.heappush(self._ready, (entry.urgency, self._number, entry))
        self._news.set()

    def _delay(self, entry: Entry, until: datetime) -> None:
        self._number += 1
        heapq.heappush(self._later, (until, self._number, entry))

    def _next(self) -> Entry | None:
        now = self.clock()
        while self._later and self._later[0][0] <= now:
            self._push(heapq.heappop(self._later)[2])
        if self.closed_until and self.closed_until > now:
            return None
        while self._ready:
            entry = heapq.heappop(self._ready)[2]
            if entry.withdrawn:
                continue
            if entry.until and now >= entry.until:
                self._give_up(entry, TOO_LATE)
                continue
            lane = self._group if entry.chat < 0 else self._private
            wait = lane.wait(entry.chat, now) if entry.chat else 0
            turn = now + timedelta(seconds=wait)
            if wait and entry.droppable and (entry.until is None or turn >= entry.until):
                self._give_up(entry, "pace")
            elif wait:
                self._delay(entry, turn)
            else:
                if entry.chat:
                    lane.take(entry.chat, now)
                return entry
        return None

    async def _pace(self) -> None:
        now = self.clock()
        start = max(self._next_at or now, now)
        self._next_at = start + timedelta(seconds=1 / self.per_second)
        if start > now:
            await self.sleep((start - now).total_seconds())

    async def _send(self, entry: Entry) -> None:
        self._unkey(entry)
        entry.tries += 1
        try:
            if entry.withdrawn:
                return
            await entry.act()
            self.sent += 1
        except RandomIdDuplicateError:
            self._known(entry)
        except MessageNotModifiedError:
            pass
        except ChatFlood as flood:
            self._again(entry, flood.until, "flood")
        except NotNow as wait:
            self.closed_until = wait.until
            self._again(entry, wait.until, wait.reason)
        except AccountStopped as stop:
            self.closed_until = self.clock() + STOPPED_WAIT
            self._again(entry, self.closed_until, str(stop))
        except Exception as error:
            self._after_error(entry, error)
        finally:
            self._slots.release()

    def _known(self, entry: Entry) -> None:
        """The server has it and does not say under which id."""
        if entry.known:
            self._end(entry.known)

    def _after_error(self, entry: Entry, error: Exception) -> None:
        if type(error) is LookupError:
            self._known(entry)
            return
        if isinstance(error, UNWRITTEN):
            # It may have arrived: before that is known it is neither late nor failed.
            log.warning("an answer of the bot is not written down: %s", error)
            entry.until = None
            entry.tries -= 1
            self._again(entry, self.clock() + WRITE_AGAIN, type(error).__name__)
            return
        try:
            trouble = classify(error)
        except TypeError:
            log.exception("a fault of ours in an answer of the bot")
            self._give_up(entry, f"fault: {type(error).__name__}")
            return
        if trouble.kind == "unclear" and entry.tries < RETRIES:
            pause = timedelta(seconds=min(2**entry.tries, 60))
            self._again(entry, self.clock() + pause, trouble.name)
        else:
            self._give_up(entry, trouble.name)

    def _again(self, entry: Entry, until: datetime, reason: str) -> None:
        if entry.droppable or (entry.until and until >= entry.until):
            self._give_up(entry, reason)
        else:
            self._delay(entry, until)

    def _give_up(self, entry: Entry, reason: str) -> None:
        self._unkey(entry)
        self.dropped += 1
        if entry.given_up:
            self._end(partial(entry.given_up, reason))

    def _end(self, ending: Callable[[], None]) -> None:
        """What follows from an entry's end. What the ledger does not take now it takes later; a
        restart in between finds the entry under way and asks Telegram by its random_id."""
        try:
            ending()
        except UNWRITTEN as error:
            log.warning("the end of an answer of the bot is not written down: %s", error)
            self._unwritten.append(ending)
            self._write_at = self.clock() + WRITE_AGAIN
        except Exception:
            log.exception("a fault of ours after an answer of the bot")

    def _unkey(self, entry: Entry) -> None:
        if self._keyed.get(entry.key) is entry:
            del self._keyed[entry.key]


def _take_over(twin: Entry, entry: Entry) -> None:
    """The newer words in the older one's place, for as long as either is worth waiting for."""
    twin.act, twin.droppable = entry.act, entry.droppable and twin.droppable
    limits = [e.until for e in (twin, entry) if e.until]
    twin.until = max(limits) if len(limits) == 2 else None
    twin.known, twin.given_up = entry.known or twin.known, entry.given_up or twin.given_up
