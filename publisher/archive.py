"""One file that holds the ledger, the media and the experiment's secret; and the way back."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

from peewee import PeeweeException

from publisher.ledger.database import LedgerError, copy_sqlite, sqlite_path
from publisher.ledger.restored import hold
from publisher.sentences import joined, words
from publisher.settings import Settings

LEDGER, MEDIA, ABOUT = "ledger.db", "media", "about.json"
SQLITE = b"SQLite format 3\0"
WISHES = f"{MEDIA}/bot/"
"""Pictures made for people who wrote to the bot; backups have those that the channel took over."""


def backup(settings: Settings, file: Path) -> str:
    """Write the backup and check that its ledger opens; the summary for a person.

    A backup that is there already is replaced only by a whole one. Raises LedgerError when the
    database is not SQLite, the copy is damaged, or there is no room for it.
    """
    source = _database(settings)
    partial = file.with_name(file.name + ".partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)  # it holds the experiment's secret
        about = _pack(settings, source, partial)
        partial.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(
            words("{file}: no backup was written: {why}", file=file, why=error)
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return words(
        "{file}: {posts} posts, {memes} memes, verified",
        file=file,
        posts=about["posts"],
        memes=about["memes"],
    )


def _pack(settings: Settings, source: Path, partial: Path) -> dict[str, int]:
    with tempfile.TemporaryDirectory(dir=partial.parent) as folder:
        copy = Path(folder) / LEDGER
        copy_sqlite(source, copy)
        about = _about(copy)
        Path(folder, ABOUT).write_text(json.dumps(about))
        with tarfile.open(partial, "w") as archive:
            archive.add(copy, LEDGER)
            archive.add(Path(folder, ABOUT), ABOUT)
            media = settings.state / MEDIA
            if media.is_dir():
                files = {f"{MEDIA}/{file}" for file in _pictures(copy)}
                archive.add(media, MEDIA, filter=lambda entry: _ours(entry, files))
            for secret in sorted(settings.state.glob("*.secret")):
                archive.add(secret, secret.name)
    return about


def _pictures(ledger: Path) -> set[str]:
    with closing(sqlite3.connect(ledger)) as copy:
        return {file for (file,) in copy.execute("SELECT file FROM meme WHERE file != ''")}


def _ours(entry: tarfile.TarInfo, pictures: set[str]) -> tarfile.TarInfo | None:
    wished = entry.isfile() and entry.name.startswith(WISHES)
    return None if wished and entry.name not in pictures else entry


def restore(settings: Settings, file: Path, *, overwrite: bool, now: datetime) -> str:
    """Unpack a backup in the ledger's place; channels and partners wait until they were compared.

    Raises LedgerError when a ledger is there and `overwrite` is not given, when the file is no
    backup of ours or a damaged one, and when there is no room; nothing has changed then.
    """
    target = _database(settings)
    if target.exists() and not overwrite:
        raise LedgerError(
            words("{file} is there already; --overwrite puts it aside first", file=target)
        )
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=settings.state) as name:
        folder = Path(name)
        try:
            _unpack(file, folder)
            about = _about(folder / LEDGER)
            # Closed before the file moves: an open write-ahead log would stay behind.
            handles = [c.handle for c in settings.channels], [p.handle for p in settings.partners]
            hold(folder / LEDGER, *handles, now)
            damaged = _damaged_pictures(folder)
        except (tarfile.TarError, EOFError, sqlite3.DatabaseError, PeeweeException) as error:
            raise LedgerError(
                words("{file} is not a backup of ours, or damaged: {why}", file=file, why=error)
            ) from error
        except OSError as error:
            raise LedgerError(
                words("{file} could not be unpacked: {why}", file=file, why=error)
            ) from error
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = _put_aside(target, now)
        _drop_old_log(target)
        (folder / LEDGER).replace(target)
        _merge(folder / MEDIA, settings.state / MEDIA)
        for secret in folder.glob("*.secret"):
            secret.replace(settings.state / secret.name)
    told = [words("restored {posts} posts and {memes} memes", **about)]
    if aside:
        told.append(words("the ledger that was here is {aside}", aside=aside))
    if damaged:
        told.append(
            words(
                "{count} pictures in the backup are damaged, the first is {first}",
                count=len(damaged),
                first=damaged[0],
            )
        )
    promise = words(
        "Every channel is compared with its history before anything is posted, every partner with "
        "what it was sent before anything is offered."
    )
    return joined(". ", [joined("; ", told), promise])


def _unpack(file: Path, folder: Path) -> None:
    """A backup, or one of the daily copies, which are the ledger alone."""
    with file.open("rb") as start:
        alone = start.read(len(SQLITE)) == SQLITE
    if alone:
        shutil.copyfile(file, folder / LEDGER)
        return
    with tarfile.open(file) as archive:
        archive.extractall(folder, filter="data")


def _database(settings: Settings) -> Path:
    if not settings.database.url.startswith("sqlite"):
        raise LedgerError(
            words("this database is not SQLite: use its own tools (pg_dump) for backups")
        )
    return sqlite_path(settings.database.url, settings.root)


def _about(ledger: Path) -> dict[str, int]:
    """Counts, from a ledger that is whole. Raises sqlite3.DatabaseError."""
    with closing(sqlite3.connect(ledger)) as copy:
        found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        return {
            "posts": copy.execute("SELECT count(*) FROM post").fetchone()[0],
            "memes": copy.execute("SELECT count(*) FROM meme").fetchone()[0],
            "schema": copy.execute("SELECT max(version) FROM schema_version").fetchone()[0],
        }


def _damaged_pictures(folder: Path) -> list[str]:
    """Pictures of the backup that are not what its ledger knows them as."""
    with closing(sqlite3.connect(folder / LEDGER)) as copy:
        rows = copy.execute("SELECT file, sha256 FROM meme WHERE sha256 != ''").fetchall()
    files = [(folder / MEDIA / file, digest) for file, digest in rows]
    return [
        str(path.relative_to(folder))
        for path, digest in files
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() != digest
    ]


def _put_aside(target: Path, now: datetime) -> Path | None:
    """A second name for the present ledger; the first is never without one in between."""
    if not target.exists():
        return None
    aside = target.with_name(f"{target.name}.before-restore-{now:%Y%m%dT%H%M%S}")
    # The write-ahead log belongs to its database: fold it in before the name is another's.
    with closing(sqlite3.connect(target)) as live:
        live.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try:
        aside.hardlink_to(target)
    except OSError:  # a file system without such links
        shutil.copy2(target, aside)
    return aside


def _drop_old_log(target: Path) -> None:
    """A write-ahead log left by another database would be replayed into this one."""
    for rest in ("-wal", "-shm"):
        target.with_name(target.name + rest).unlink(missing_ok=True)


def _merge(source: Path, target: Path) -> None:
    for path in source.rglob("*") if source.is_dir() else ():
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
