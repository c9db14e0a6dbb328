"""Who is let in, and in which order: token buckets, and a bounded queue fair between people.

Pure: no clock, no network, no ledger.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Container, Hashable, Iterator
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


class Buckets:
    """A token bucket for each key: `burst` tokens, `per_minute` coming back.

    At most `keep` keys are remembered; the one longest untouched is forgotten first, which only
    ever is in that key's favour.
    """

    def __init__(self, per_minute: float, burst: float, keep: int = 20_000) -> None:
        self.per_second, self.burst, self.keep = per_minute / 60, burst, keep
        self._levels: OrderedDict[Hashable, tuple[float, datetime]] = OrderedDict()

    def wait(self, key: Hashable, now: datetime) -> float:
        """Seconds until `take` would succeed; 0 when it would now."""
        missing = 1 - self._level(key, now)
        return max(missing, 0) / self.per_second if missing > 1e-9 else 0.0

    def take(self, key: Hashable, now: datetime) -> bool:
        """Take a token if there is one."""
        level = self._level(key, now)
        enough = level >= 1 - 1e-9
        self._levels[key] = (level - 1 if enough else level, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self.keep:
            self._levels.popitem(last=False)
        return enough

    def _level(self, key: Hashable, now: datetime) -> float:
        if key not in self._levels:
            return self.burst
        level, at = self._levels[key]
        if now < at:  # the clock was set back: what passes from here on counts
            self._levels[key] = (level, now)
        passed = max((now - at).total_seconds(), 0)
        return min(self.burst, level + passed * self.per_second)

    def __len__(self) -> int:
        return len(self._levels)


class Noise:
    """How often each key was turned away of late; half as much every `half_life` seconds.

    At most `keep` keys are remembered, those heard last.
    """

    def __init__(self, half_life: float = 300.0, keep: int = 20_000) -> None:
        self.half_life, self.keep = half_life, keep
        self._levels: OrderedDict[Hashable, tuple[float, datetime]] = OrderedDict()

    def add(self, key: Hashable, now: datetime) -> None:
        self._levels[key] = (self.level(key, now) + 1, now)
        self._levels.move_to_end(key)
        if len(self._levels) > self.keep:
            self._levels.popitem(last=False)

    def level(self, key: Hashable, now: datetime) -> float:
        if key not in self._levels:
            return 0.0
        level, at = self._levels[key]
        passed = max((now - at).total_seconds(), 0)
        return float(level * 0.5 ** (passed / self.half_life))

    def __len__(self) -> int:
        return len(self._levels)


class FairQueue(Generic[T]):
    """At most `limit` items, `per_person` of one person's; people are served in turn.

    Who has had an item taken goes to the end of the round, so that a hundred requests of one
    person delay another person's first by one.
    """

    def __init__(self, limit: int, per_person: int) -> None:
        self.limit, self.per_person = limit, per_person
        self._lines: OrderedDict[int, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def waiting(self, person: int) -> int:
        return len(self._lines.get(person, ()))

    @property
    def full(self) -> bool:
        return self._count >= self.limit

    def add(self, person: int, item: T) -> int | None:
        """The item's place, from 1; None when there is no room for it."""
        if self.full or self.waiting(person) >= self.per_person:
            return None
        line = self._lines.setdefault(person, deque())
        line.append(item)
        self._count += 1
        return self._place(person, len(line) - 1)

    def pop(self, busy: Container[int] = ()) -> tuple[int, T] | None:
        """The next item in turn, of nobody who is `busy`."""
        for person in self._lines:
            if person not in busy:
                return person, self._take(person, 0)
        return None

    def take_all(
        self, wanted: Callable[[T], bool], busy: Container[int] = ()
    ) -> list[tuple[int, T]]:
        """Out of their turn, at most one for each person not `busy`: what shares one work."""
        found = []
        for person in list(self._lines):
            at = next((i for i, item in enumerate(self._lines[person]) if wanted(item)), None)
            if at is not None and person not in busy:
                found.append((person, self._take(person, at)))
        return found

    def give_way(
        self, noise: Callable[[int], float] = lambda _: 0.0, too_loud: float = 1.0
    ) -> T | None:
        """Make room for somebody who has nothing here: take out the last item of the longest
        line or, when nobody has two, that of the noisiest who is `too_loud`; else None."""
        person = max(self._lines, key=lambda p: len(self._lines[p]), default=None)
        if person is not None and len(self._lines[person]) < 2:
            person = max(self._lines, key=noise)
            if noise(person) < too_loud:
                return None
        if person is None:
            return None
        return self._take(person, len(self._lines[person]) - 1, turn=False)

    def remove(self, wanted: Callable[[T], bool]) -> list[T]:
        """Take out every item that is `wanted`."""
        gone = []
        for person in list(self._lines):
            for at in reversed(range(len(self._lines[person]))):
                if wanted(self._lines[person][at]):
                    gone.append(self._take(person, at, turn=False))
        return gone

    def in_order(self) -> Iterator[T]:
        """The items as they would be taken, were nobody busy and nothing added."""
        longest = max((len(line) for line in self._lines.values()), default=0)
        for turn in range(longest):
            for line in self._lines.values():
                if turn < len(line):
                    yield line[turn]

    def _place(self, person: int, turn: int) -> int:
        before = sum(min(len(line), turn) for line in self._lines.values())
        for other, line in self._lines.items():
            if other == person:
                break
            before += len(line) > turn
        return before + 1

    def _take(self, person: int, at: int, *, turn: bool = True) -> T:
        line = self._lines[person]
        item = line[at]
        del line[at]
        self._count -= 1
        if not line:
            del self._lines[person]
        elif turn:
            self._lines.move_to_end(person)
        return item
