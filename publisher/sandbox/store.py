"""Where records and blobs live: in memory, or written through to one SQLite file.

`put` marks, `commit` writes: the server commits before it answers, so that whatever a client
was told survives a kill of the process.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (kind TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, key));
"""
UPSERT = """
INSERT INTO record VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value
"""  # keeps the rowid, and so the order in which records were first written


class Store:
    """Records by (kind, key). Without a directory everything stays in memory."""

    def __init__(self, directory: Path | None) -> None:
        self._dirty: dict[tuple[str, str], Any] = {}
        self._blobs: dict[str, bytes] = {}
        self._db: sqlite3.Connection | None = None
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(directory / "server.db", isolation_level=None)
            # The page cache outlives the process; only a machine's crash could lose a commit.
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;" + SCHEMA)

    @property
    def persistent(self) -> bool:
        return self._db is not None

    def put(self, kind: str, key: object, value: Any) -> None:
        """Marks a record for the next commit; None deletes it."""
        if self._db is not None:
            self._dirty[kind, repr(key)] = value

    def commit(self) -> None:
        if self._db is None or not self._dirty:
            return
        dirty, self._dirty = self._dirty, {}
        self._db.execute("BEGIN")
        for (kind, key), value in dirty.items():
            if value is None:
                self._db.execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
            else:
                self._db.execute(UPSERT, (kind, key, pickle.dumps(value)))
        self._db.execute("COMMIT")

    def load(self, kind: str) -> Iterator[Any]:
        """Every record of a kind, in the order in which they were first written."""
        if self._db is not None:
            query = "SELECT value FROM record WHERE kind = ? ORDER BY rowid"
            for (value,) in self._db.execute(query, (kind,)).fetchall():
                yield pickle.loads(value)

    def put_blob(self, key: str, data: bytes) -> None:
        if self._db is None:
            self._blobs[key] = data
        else:
            self._db.execute(UPSERT, ("blob", key, data))

    def blob(self, key: str) -> bytes | None:
        if self._db is None:
            return self._blobs.get(key)
        query = "SELECT value FROM record WHERE kind = 'blob' AND key = ?"
        row = self._db.execute(query, (key,)).fetchone()
        return row[0] if row else None

    def close(self) -> None:
        if self._db is not None:
            self.commit()
            self._db.close()
            self._db = None
