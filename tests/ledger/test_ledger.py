"""Times, migrations with their backup, and the states of a post."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from peewee import Database

from publisher.ledger import transitions
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.database import LedgerError, copy_sqlite, open_ledger, sqlite_path
from publisher.ledger.migrations import migrate, schema_version
from publisher.ledger.models import Alert, Channel, Meme, Post, Slot
from tests.conftest import NOON, Clock


def test_times_come_back_aware_and_naive_ones_are_refused(ledger: Path) -> None:
    moscow = timezone(timedelta(hours=3))
    Alert.create(key="a", code="c", raised_at=datetime(2026, 3, 2, 15, 0, tzinfo=moscow))
    assert Alert.get().raised_at == NOON
    assert Alert.get().raised_at.tzinfo is UTC
    with pytest.raises(ValueError, match="without a zone"):
        Alert.create(key="b", code="c", raised_at=datetime(2026, 3, 2))


def test_the_database_is_durable_and_guards_its_references(ledger: Path) -> None:
    database: Database = Post._meta.database.obj
    assert database.execute_sql("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert database.execute_sql("PRAGMA synchronous").fetchone()[0] == 2
    assert database.execute_sql("PRAGMA foreign_keys").fetchone()[0] == 1


def test_a_migration_makes_a_copy_first_and_runs_once(ledger: Path, clock: Clock) -> None:
    Alert.create(key="before", code="c", raised_at=clock())
    database: Database = Post._meta.database.obj

    def add_column(db: Database) -> None:
        db.execute_sql("ALTER TABLE alert ADD COLUMN colour TEXT")

    backups = ledger / "backups"
    assert migrate(database, backups, clock(), (add_column,)) == [2]
    assert migrate(database, backups, clock(), (add_column,)) == []
    assert schema_version() == 2
    (copy,) = backups.glob("before-schema-2-*.db")
    with sqlite3.connect(copy) as old:
        assert old.execute("SELECT key FROM alert").fetchall() == [("before",)]
        assert "colour" not in {row[1] for row in old.execute("PRAGMA table_info(alert)")}


def test_a_failed_migration_leaves_the_schema_as_it_was(ledger: Path, clock: Clock) -> None:
    database: Database = Post._meta.database.obj

    def broken(db: Database) -> None:
        db.execute_sql("ALTER TABLE alert ADD COLUMN colour TEXT")
        raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        migrate(database, ledger / "backups", clock(), (broken,))
    assert schema_version() == 1
    columns = {row[1] for row in database.execute_sql("PRAGMA table_info(alert)")}
    assert "colour" not in columns


def test_a_newer_database_is_refused_with_the_remedy(ledger: Path, clock: Clock) -> None:
    database: Database = Post._meta.database.obj
    migrate(database, ledger / "backups", clock(), (lambda db: None,))
    with pytest.raises(LedgerError, match="install the newer program"):
        migrate(database, ledger / "backups", clock())


def test_a_database_that_cannot_be_opened_names_the_key(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(LedgerError, match="database"):
        open_ledger("sqlite:///folder.db", tmp_path)


def test_sqlite_paths(tmp_path: Path) -> None:
    assert sqlite_path("sqlite:///var/x.db", tmp_path) == tmp_path / "var" / "x.db"
    assert sqlite_path("sqlite:////srv/x.db", tmp_path) == Path("/srv/x.db")


def test_a_live_database_is_copied_whole(ledger: Path, clock: Clock) -> None:
    for number in range(50):
        Alert.create(key=str(number), code="c", raised_at=clock())
    copy_sqlite(ledger / "var" / "memegen.db", ledger / "copy.db")
    with sqlite3.connect(ledger / "copy.db") as copy:
        assert copy.execute("SELECT count(*) FROM alert").fetchone() == (50,)


def test_an_alert_is_raised_once_while_it_lasts(ledger: Path, clock: Clock) -> None:
    assert raise_alert("k", "c", {}, clock())
    assert not raise_alert("k", "c", {}, clock())
    assert cure_alert("k", clock())
    assert raise_alert("k", "c", {}, clock())


ACTIONS = (
    "claim",
    "claim_other",
    "sending",
    "published",
    "not_sent",
    "unclear",
    "release",
    "failed",
    "expired",
)
ALLOWED = {
    ("planned", "claimed"),
    ("claimed", "planned"),
    ("claimed", "sending"),
    ("sending", "published"),
    ("sending", "planned"),
    ("planned", "failed"),
    ("claimed", "failed"),
    ("sending", "failed"),
    ("planned", "expired"),
    ("claimed", "expired"),
    ("sending", "expired"),
    ("expired", "published"),
    ("failed", "published"),
}


@given(actions=st.lists(st.sampled_from(ACTIONS), max_size=12))
@settings(max_examples=60, deadline=None)
def test_a_post_moves_only_along_the_drawn_arrows(
    tmp_path_factory: pytest.TempPathFactory, actions: list[str]
) -> None:
    """Any order of events: published is final, and the random_id never changes."""
    root = tmp_path_factory.mktemp("ledger")
    database = open_ledger("sqlite:///x.db", root)
    migrate(database, root / "b", NOON)
    channel = Channel.create(handle="c")
    slot = Slot.create(channel=channel, at=NOON, state="assigned", arm="human")
    meme = Meme.create(
        origin="human", language="ru", method="human", file="f", sha256="s", created_at=NOON
    )
    post = Post.create(
        slot=slot,
        channel=channel,
        meme=meme,
        random_id=transitions.new_random_id(),
        due_at=NOON,
        expires_at=NOON,
    )
    steps = {
        "claim": lambda p: transitions.claim(p, "user:a", NOON),
        "claim_other": lambda p: transitions.claim(p, "user:b", NOON),
        "sending": lambda p: transitions.begin_sending(p, "user:a", NOON),
        "published": lambda p: transitions.published(p, 7, NOON),
        "not_sent": lambda p: transitions.not_sent(p, "k", "e", NOON),
        "unclear": lambda p: transitions.unclear(p, "k", "e", NOON),
        "release": lambda p: transitions.release(p),
        "failed": lambda p: transitions.failed(p, "k", "e"),
        "expired": lambda p: transitions.expired(p, "late"),
    }
    for action in actions:
        before = Post.get_by_id(post.id)
        moved = steps[action](before)
        after = Post.get_by_id(post.id)
        assert after.random_id == post.random_id
        if before.state != after.state:
            assert moved and (before.state, after.state) in ALLOWED
        if after.state in ("published", "expired", "failed"):
            assert Slot.get_by_id(slot.id).state == after.state
    database.close()
