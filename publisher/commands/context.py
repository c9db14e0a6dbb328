"""What every command shares: the config file it reads and how it says what went wrong."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import click
from peewee import OperationalError

from publisher.ledger.database import LedgerError
from publisher.lock import AlreadyRunning
from publisher.settings import ConfigError, Settings, load_settings
from publisher.telegram.account import SignInError
from publisher.telegram.governor import NotNow

CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("config.toml"),
    envvar="MEMEGEN_CONFIG",
    show_default=True,
    help="The configuration file.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for a program.")


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Known troubles end in one sentence and exit code 2, not in a traceback."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (
            ConfigError,
            LedgerError,
            SignInError,
            AlreadyRunning,
            ConnectionError,
            NotNow,
        ) as error:
            click.echo(str(error), err=True)
            sys.exit(2)
        except (OperationalError, sqlite3.OperationalError) as error:
            click.echo(f"{error}: is the disk full, or a file in use?", err=True)
            sys.exit(2)

    return wrapped


def settings_of(config: Path) -> Settings:
    return load_settings(config)


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
