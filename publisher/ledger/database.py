"""Opening the ledger, and copying it while it is in use."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from peewee import Database, SqliteDatabase
from playhouse.db_url import connect as connect_url

from publisher.ledger.models import database
from publisher.sentences import words

WAL_LIMIT = 16 * 2**20
PRAGMAS: dict[str, Any] = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "journal_size_limit": WAL_LIMIT,
    "secure_delete": 1,
}
WISHED = "state IN ('bot', 'offered', 'considered')"
PEOPLE = (
    ("vote", "DELETE FROM vote"),
    ("wish", "DELETE FROM wish"),
    (
        "sighting",
        f"UPDATE sighting SET meme_id = NULL WHERE meme_id IN (SELECT id FROM meme WHERE {WISHED})",
    ),
    ("meme", f"DELETE FROM meme WHERE {WISHED}"),
    (
        "meme",
        "UPDATE meme SET wished = '', prompt = '', reasons = json_remove(reasons, '$.topic') "
        "WHERE wished != ''",
    ),
)
"""What copies of the ledger are without, by table: those who wrote to the bot, their votes, memes
made for them and, of such memes that the channel took over, the wish. Bans are the owner's and
stay: a restored ledger without them would let the banned in again."""


class LedgerError(Exception):
    """The ledger cannot be used; says where it is and what to do."""


def open_ledger(url: str, root: Path, password: str | None = None) -> Database:
    """Connect to the database at `url` and bind the models to it.

    A relative SQLite path counts from `root`. `password` goes into a server's URL.
    """
    if url.startswith("sqlite"):
        path = sqlite_path(url, root)
        path.parent.mkdir(parents=True, exist_ok=True)
        found: Database = SqliteDatabase(str(path), pragmas=PRAGMAS)
    else:
        found = connect_url(_with_password(url, password), unquote_password=True)
    database.initialize(found)
    try:
        found.connect(reuse_if_open=True)
    except Exception as error:
        raise LedgerError(
            words("{url}: {why}; see [database] in config.toml", url=url, why=error)
        ) from error
    return found


def sqlite_path(url: str, root: Path) -> Path:
    path = Path(url.split("://", 1)[1].lstrip("/") if ":///" in url else url)
    if url.startswith("sqlite:////"):
        path = Path("/") / path
    return path if path.is_absolute() else (root / path).resolve()


def _with_password(url: str, password: str | None) -> str:
    parts = urlsplit(url)
    if not password or parts.password or "@" not in parts.netloc:
        return url
    user, host = parts.netloc.rsplit("@", 1)
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


@contextmanager
def relaxed() -> Iterator[None]:
    """Commits in here do not wait for the disk: they outlive the process, and the machine's power
    failing takes the last of them along. For what may be lost so; the next commit outside makes
    them as durable as itself. Inside a transaction the transaction decides.
    """
    found = database.obj
    if not isinstance(found, SqliteDatabase) or found.in_transaction():
        yield
        return
    found.execute_sql("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        found.execute_sql(f"PRAGMA synchronous = {PRAGMAS['synchronous']}")


def empty_log() -> None:
    """Fold the write-ahead log into the database and empty it: what was deleted is nowhere then.

    Nothing for a database server.
    """
    if isinstance(database.obj, SqliteDatabase):
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a live SQLite database by its online backup, without `PEOPLE`, and check the copy.

    Raises LedgerError when the copy does not pass `PRAGMA integrity_check`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    live, copy = sqlite3.connect(source), sqlite3.connect(partial)
    try:
        live.backup(copy)
        _without_people(copy)
        verdict = copy.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        live.close()
        copy.close()
    if verdict != "ok":
        raise LedgerError(
            words(
                "{file}: the copy is damaged ({verdict}); look at the disk",
                file=partial,
                verdict=verdict,
            )
        )
    partial.replace(target)


def _without_people(copy: sqlite3.Connection) -> None:
    """Copies outlive by far what may be kept of a person."""
    there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master")}
    copy.execute("PRAGMA secure_delete = ON")
    with copy:
        for table, statement in PEOPLE:
            if table in there:
                copy.execute(statement)
