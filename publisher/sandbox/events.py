"""What is due later: an agenda in the world's time, kept in the store.

An entry names an action and its arguments rather than holding a function, so that it survives
a restart of the server.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .store import Store


@dataclass(order=True, frozen=True)
class Event:
    due: datetime
    number: int
    action: str = field(compare=False)
    args: tuple[Any, ...] = field(compare=False)


class Agenda:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._heap: list[Event] = list(store.load("event"))
        heapq.heapify(self._heap)
        self._next = max((event.number for event in self._heap), default=0) + 1

    def add(self, due: datetime, action: str, *args: Any) -> None:
        event = Event(due, self._next, action, args)
        self._next += 1
        heapq.heappush(self._heap, event)
        self._store.put("event", event.number, event)

    def pop(self, now: datetime) -> Event | None:
        """The earliest event due by `now`, taken off the agenda."""
        if not self._heap or self._heap[0].due > now:
            return None
        event = heapq.heappop(self._heap)
        self._store.put("event", event.number, None)
        return event

    @property
    def next_due(self) -> datetime | None:
        return self._heap[0].due if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)
