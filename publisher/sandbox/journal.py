"""The append-only record of everything that truly happened on the server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .store import Store


@dataclass(frozen=True)
class Entry:
    """One effect. `date` is the world's time, `real_time` the machine's, in seconds."""

    kind: str  # created | edited | deleted | reaction | joined | left | signed_in | ...
    chat: str  # "channel:1001" or "user:2001" (the box it lies in)
    message_id: int | None
    sender: int | None
    date: str
    real_time: float
    random_id: int | None = None
    text: str = ""
    media_sha256: str | None = None
    detail: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """A list of entries, kept in the store, and copied to a JSON Lines file if a path is given.

    Entries are committed together with the effects that they tell of.
    """

    def __init__(self, store: Store, path: Path | None = None) -> None:
        self._store = store
        self._path = path
        self.entries: list[Entry] = list(store.load("journal"))
        self._written = 0
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", encoding="utf-8")
            self.flush()

    def add(self, kind: str, chat: str, date: str, **fields: Any) -> Entry:
        fields = {"message_id": None, "sender": None} | fields
        entry = Entry(kind=kind, chat=chat, date=date, real_time=time.time(), **fields)
        self._store.put("journal", len(self.entries), entry)
        self.entries.append(entry)
        return entry

    def flush(self) -> None:
        """Appends what was committed since the last flush to the file."""
        if self._path is None or self._written == len(self.entries):
            return
        with self._path.open("a", encoding="utf-8") as file:
            for entry in self.entries[self._written :]:
                file.write(json.dumps(entry.as_dict(), ensure_ascii=False) + "\n")
        self._written = len(self.entries)

    def created(self, chat: str | None = None) -> list[Entry]:
        """Messages created, in one chat or in all."""
        return [e for e in self.entries if e.kind == "created" and chat in (None, e.chat)]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)
