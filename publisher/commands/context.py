"""What every command shares: the config file it reads and how it says what went wrong."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import Any

import click

from jobs.services import Services
from publisher import daemon
from publisher.ledger.database import LedgerError
from publisher.settings import ConfigError, Settings, load_secrets, load_settings
from publisher.telegram.account import SignInError
from publisher.workers import Workers

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
            daemon.AlreadyRunning,
            ConnectionError,
        ) as error:
            click.echo(str(error), err=True)
            sys.exit(2)

    return wrapped


def settings_of(config: Path) -> Settings:
    return load_settings(config)


def services_of(config: Path) -> Services:
    """Services with the ledger open and no account connected."""
    settings, secrets = load_settings(config), load_secrets()
    daemon.open_settings_ledger(settings, secrets, daemon.utc_now())
    workers = Workers(settings.model.idle_minutes * 60, settings.model.threads)
    return Services(settings, secrets, daemon.utc_now, workers)


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
