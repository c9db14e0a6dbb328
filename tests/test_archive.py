"""A backup of a live ledger, and the way back, which never overwrites in silence."""

from __future__ import annotations

import sqlite3
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.archive import backup, restore
from publisher.ledger.database import LedgerError, open_ledger
from publisher.ledger.models import Channel, JobRun, Meme
from publisher.ledger.transitions import due_posts
from publisher.settings import Settings
from tests.conftest import NOON, settings_for


@pytest.fixture
def settings(ledger: Path) -> Settings:
    """A ledger with two channels and a meme, its picture and the experiment's secret."""
    found = settings_for(ledger)
    for handle, state in (("our_channel", "ok"), ("closed_one", "stopped"), ("left_us", "gone")):
        Channel.create(handle=handle, state=state)
    picture = found.state / "media" / "human" / "a.jpg"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"a picture")
    (found.state / "experiment.secret").write_text("secret")
    Meme.create(
        origin="human",
        language="ru",
        method="human",
        file="human/a.jpg",
        sha256="",
        created_at=NOON,
    )
    return found


def states() -> dict[str, str]:
    return {channel.handle: channel.state for channel in Channel.select()}


def test_a_ledger_is_backed_up_while_it_is_written(settings: Settings, tmp_path: Path) -> None:
    stop = threading.Event()
    path = settings.state / "memegen.db"

    def write() -> None:
        there = sqlite3.connect(path, timeout=30, isolation_level=None)
        while not stop.is_set():
            there.execute(
                "INSERT INTO job_run (job, started_at, note) VALUES ('x', ?, '')",
                (str(NOON),),
            )
        there.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        summary = backup(settings, tmp_path / "copies" / "b.tar")
    finally:
        stop.set()
        writer.join()
    assert "0 posts, 1 memes, verified" in summary
    file = tmp_path / "copies" / "b.tar"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in file.parent.iterdir()] == ["b.tar"]
    with tarfile.open(file) as archive:
        names = set(archive.getnames())
        archive.extract("ledger.db", tmp_path, filter="data")
    assert {"ledger.db", "about.json", "media/human/a.jpg", "experiment.secret"} <= names
    assert not {n for n in names if "session" in n}
    copy = sqlite3.connect(tmp_path / "ledger.db")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    copy.close()


def test_restore_does_not_overwrite_in_silence(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "b.tar")
    JobRun.create(job="later", started_at=NOON, note="after the backup")
    with pytest.raises(LedgerError, match="--overwrite"):
        restore(settings, tmp_path / "b.tar", overwrite=False, now=NOON)
    assert JobRun.select().count() == 1
    assert states()["our_channel"] == "ok"


def test_after_a_restore_channels_are_held_and_the_old_ledger_is_kept(
    settings: Settings, tmp_path: Path
) -> None:
    backup(settings, tmp_path / "b.tar")
    JobRun.create(job="later", started_at=NOON, note="after the backup")
    (settings.state / "media" / "human" / "a.jpg").unlink()
    Channel._meta.database.close()
    summary = restore(settings, tmp_path / "b.tar", overwrite=True, now=NOON)
    aside = next(settings.state.glob("memegen.db.before-restore-*"))
    assert str(aside) in summary
    database = open_ledger(settings.database.url, settings.root)
    assert states() == {"our_channel": "restored", "closed_one": "restored", "left_us": "gone"}
    assert JobRun.select().count() == 0
    assert due_posts(NOON + timedelta(days=1)) == []
    assert (settings.state / "media" / "human" / "a.jpg").read_bytes() == b"a picture"
    database.close()
    kept = sqlite3.connect(aside)
    assert kept.execute("SELECT note FROM job_run").fetchall() == [("after the backup",)]
    kept.close()


def test_a_log_left_by_a_lost_database_is_not_replayed(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "b.tar")
    JobRun.create(job="later", started_at=NOON, note="only in the log")
    log = settings.state / "memegen.db-wal"
    kept = log.read_bytes()
    Channel._meta.database.close()
    (settings.state / "memegen.db").unlink()
    log.write_bytes(kept)
    restore(settings, tmp_path / "b.tar", overwrite=False, now=NOON)
    open_ledger(settings.database.url, settings.root)
    assert JobRun.select().count() == 0
    assert states()["our_channel"] == "restored"


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x00" * 20480])
def test_a_file_that_is_no_backup_changes_nothing(
    settings: Settings, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "b.tar").write_bytes(content)
    with pytest.raises(LedgerError, match="not a backup"):
        restore(settings, tmp_path / "b.tar", overwrite=True, now=NOON)
    assert states()["our_channel"] == "ok"
