"""A backup of a live ledger, and the way back, which never overwrites in silence."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.archive import backup, restore
from publisher.ledger.database import LedgerError, copy_sqlite, open_ledger
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
    assert set(states()) == {"our_channel", "closed_one", "left_us"}
    assert set(states().values()) == {"restored"}
    assert [run.job for run in JobRun.select()] == ["restore"]
    assert due_posts(NOON + timedelta(days=1)) == []
    assert (settings.state / "media" / "human" / "a.jpg").read_bytes() == b"a picture"
    database.close()
    kept = sqlite3.connect(aside)
    assert kept.execute("SELECT note FROM job_run").fetchall() == [("after the backup",)]
    kept.close()


def test_a_daily_copy_comes_back_as_a_backup_does(settings: Settings, tmp_path: Path) -> None:
    copy = settings.state / "backups" / "daily-2026-03-01.db"
    copy_sqlite(settings.state / "memegen.db", copy)
    JobRun.create(job="later", started_at=NOON, note="after the copy")
    Channel._meta.database.close()
    assert "0 posts and 1 memes" in restore(settings, copy, overwrite=True, now=NOON)
    open_ledger(settings.database.url, settings.root)
    assert set(states().values()) == {"restored"}
    assert [run.job for run in JobRun.select()] == ["restore"]
    assert (settings.state / "media" / "human" / "a.jpg").exists() and copy.exists()


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
    assert [run.job for run in JobRun.select()] == ["restore"]
    assert states()["our_channel"] == "restored"


def test_a_damaged_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "b.tar"
    for number in range(300):
        JobRun.create(job=f"job {number}", started_at=NOON, note="note " * 40)
    backup(settings, file)
    whole = file.read_bytes()
    with tarfile.open(file) as archive:
        ledger = archive.getmember("ledger.db")
    middle = ledger.offset_data + ledger.size // 2
    for broken, told in (
        (whole[: len(whole) // 2], "damaged"),
        (whole[:middle] + bytes(range(256)) * 16 + whole[middle + 4096 :], "damaged"),
        (whole[: ledger.offset_data] + bytes(4096) + whole[ledger.offset_data + 4096 :], "damaged"),
    ):
        file.write_bytes(broken)
        with pytest.raises(LedgerError, match=told):
            restore(settings, file, overwrite=True, now=NOON)
        assert states()["our_channel"] == "ok"
        assert JobRun.select().count() == 300
        assert not list(settings.state.glob("memegen.db.before-restore-*"))


def test_a_damaged_picture_is_told_and_the_rest_comes_back(
    settings: Settings, tmp_path: Path
) -> None:
    Meme.update(sha256=hashlib.sha256(b"a picture").hexdigest()).execute()
    backup(settings, tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    (tmp_path / "b.tar").write_bytes(whole.replace(b"a picture", b"a pixture"))
    Channel._meta.database.close()
    summary = restore(settings, tmp_path / "b.tar", overwrite=True, now=NOON)
    assert "1 pictures in the backup are damaged, the first is media/human/a.jpg" in summary


class SmallDisk:
    """A tmpfs of two megabytes with some of them taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
        if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root can mount a small disk")

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = SmallDisk(tmp_path / "disk")
    yield disk.folder
    disk.close()


def test_a_backup_that_finds_no_room_says_so_and_keeps_the_last_one(
    settings: Settings, small_disk: Path
) -> None:
    file = small_disk / "b.tar"
    backup(settings, file)
    before = file.read_bytes()
    (settings.state / "media" / "human" / "b.jpg").write_bytes(bytes(3 * 2**20))
    with pytest.raises(LedgerError, match=r"no backup was written: .*[Nn]o space left"):
        backup(settings, file)
    assert file.read_bytes() == before
    assert [p.name for p in small_disk.iterdir()] == ["b.tar"]
    (settings.state / "media" / "human" / "b.jpg").unlink()
    (small_disk / "ballast").write_bytes(bytes(2**20 + 2**19))
    with pytest.raises(LedgerError, match="no backup was written"):
        backup(settings, file)
    assert file.read_bytes() == before


def test_a_restore_that_finds_no_room_says_so_and_changes_nothing(
    settings: Settings, small_disk: Path, tmp_path: Path
) -> None:
    (settings.state / "media" / "human" / "b.jpg").write_bytes(bytes(3 * 2**20))
    backup(settings, tmp_path / "b.tar")
    there = settings.model_copy(update={"root": small_disk})
    with pytest.raises(LedgerError, match=r"could not be unpacked: .*[Nn]o space left"):
        restore(there, tmp_path / "b.tar", overwrite=False, now=NOON)
    assert list(there.state.iterdir()) == []


NOT_OURS = [b"", b"no archive", b"\x00" * 20480, b"SQLite format 3\x00" + b"\x01" * 8192]


@pytest.mark.parametrize("content", NOT_OURS)
def test_a_file_that_is_no_backup_changes_nothing(
    settings: Settings, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "b.tar").write_bytes(content)
    with pytest.raises(LedgerError, match="not a backup"):
        restore(settings, tmp_path / "b.tar", overwrite=True, now=NOON)
    assert states()["our_channel"] == "ok"
