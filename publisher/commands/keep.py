"""Backup and restore of the ledger and the media."""

from __future__ import annotations

from pathlib import Path

import click

from publisher import archive, daemon
from publisher.commands.context import CONFIG, plain_errors, settings_of, tell
from publisher.lock import sole_owner


@click.command()
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@plain_errors
def backup(config: Path, file: Path) -> None:
    """Copy the live ledger and the media into FILE (.tar), and verify the copy."""
    summary = archive.backup(settings_of(config), file)
    tell(summary)


@click.command()
@CONFIG
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--overwrite", is_flag=True, help="Put the present ledger aside and replace it.")
@plain_errors
def restore(config: Path, file: Path, overwrite: bool) -> None:
    """Bring a backup back: a .tar, or a daily copy (var/backups/daily-*.db).

    The present ledger is never lost: with --overwrite it is moved aside. After a restore the
    daemon first compares every channel's history, and every partner's inbox, with the ledger
    before it posts or offers anything there.
    """
    settings = settings_of(config)
    with sole_owner(settings.state):
        tell(archive.restore(settings, file, overwrite=overwrite, now=daemon.utc_now()))
