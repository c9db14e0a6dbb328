"""Numbered steps from one schema to the next; a copy of the database is made before each.

A new database gets the present schema at once. Each function takes the open database; its
position in MIGRATIONS, counted from 1, is the version it starts from.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from peewee import Database, SqliteDatabase, fn

from publisher.ledger.database import LedgerError, copy_sqlite
from publisher.ledger.models import TABLES, SchemaVersion
from publisher.sentences import words

log = logging.getLogger(__name__)
Migration = Callable[[Database], None]

MIGRATIONS: tuple[Migration, ...] = ()


def migrate(
    database: Database,
    backups: Path,
    now: datetime,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> list[int]:
    """Bring the schema up to date; returns the versions arrived at, empty when nothing was due.

    Raises LedgerError for a database newer than this program.
    """
    newest = len(migrations) + 1
    if not database.table_exists(SchemaVersion._meta.table_name):
        with database.atomic():
            database.create_tables(TABLES)
            SchemaVersion.create(version=newest, applied_at=now)
        return [newest]
    version = schema_version()
    if version > newest:
        raise LedgerError(
            words(
                "the database has schema {version}, this program knows {newest}; "
                "install the newer program or restore the backup made before the migration",
                version=version,
                newest=newest,
            )
        )
    arrived = []
    for step, migration in enumerate(migrations[version - 1 :], start=version):
        _backup(database, backups / f"before-schema-{step + 1}-{now:%Y%m%dT%H%M%S}.db")
        with database.atomic():
            migration(database)
            SchemaVersion.create(version=step + 1, applied_at=now)
        arrived.append(step + 1)
        log.info("ledger migrated to schema %d", step + 1)
    return arrived


def schema_version() -> int:
    return SchemaVersion.select(fn.MAX(SchemaVersion.version)).scalar() or 0


def _backup(database: Database, target: Path) -> None:
    if isinstance(database, SqliteDatabase):
        copy_sqlite(Path(database.database), target)
    else:
        log.warning("this database is not SQLite: make your own backup before a migration")
