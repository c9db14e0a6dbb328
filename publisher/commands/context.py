"""What every command shares: the config file it reads, and how it says things and what went wrong
in the owner's language."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import sqlite3
import sys
import tomllib
from collections.abc import Callable, Coroutine
from functools import wraps
from pathlib import Path
from typing import IO, Any

import click
from peewee import OperationalError

from publisher.ledger.database import LedgerError
from publisher.lock import AlreadyRunning
from publisher.sentences import in_language, is_worded, words
from publisher.settings import ConfigError, Settings, load_settings
from publisher.telegram.account import SignInError
from publisher.telegram.governor import NotNow

VARIABLE = "MEMEGEN_CONFIG"
DEFAULT = Path("config.toml")
CONFIG = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT,
    envvar=VARIABLE,
    show_default=True,
    help="The configuration file.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Answer in JSON, for a program.")
LANGUAGES = ("ru", "en")


class Refusal(click.ClickException):
    """What a command will not or cannot do, said in the owner's language; exit code 1."""

    def __init__(self, said: str | BaseException) -> None:
        self.language = language()
        super().__init__(in_language(said, self.language))

    def show(self, file: IO[Any] | None = None) -> None:
        text = in_language(words("Error: {what}", what=self.message), self.language)
        click.echo(text, file=file or sys.stderr)


def plain_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Known troubles end in one sentence and not in a traceback: those of the place (config,
    ledger, session, network) with exit code 2, all others that were raised with a sentence with 1.
    Ctrl-C ends in one line, and a reader of the output that has gone in none; the exit codes are
    those of a program that SIGINT or SIGPIPE ended.
    """

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except KeyboardInterrupt:
            tell(words("interrupted"), err=True)
            sys.exit(128 + signal.SIGINT)
        except BrokenPipeError as error:
            if _no_one_reads():
                sys.exit(128 + signal.SIGPIPE)
            tell(error, err=True)
            sys.exit(2)
        except (
            ConfigError,
            LedgerError,
            SignInError,
            AlreadyRunning,
            ConnectionError,
            NotNow,
        ) as error:
            tell(error, err=True)
            sys.exit(2)
        except (OperationalError, sqlite3.OperationalError) as error:
            tell(words("{why}: is the disk full, or a file in use?", why=error), err=True)
            sys.exit(2)
        except Exception as error:
            if not is_worded(error):
                raise
            raise Refusal(error) from error

    return wrapped


def _no_one_reads() -> bool:
    """Whether the other end of a pipe that we write into is closed."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    poll.register(sys.stderr.fileno(), 0)
    return bool(poll.poll(0))


def tell(said: object, *, err: bool = False) -> None:
    """A line to the owner, in their language."""
    click.echo(in_language(said, language()), err=err)


def language() -> str:
    """What the command that runs was asked to speak, else what the owner speaks."""
    context = click.get_current_context(silent=True)
    given = context.params if context else {}
    config = given.get("config") or Path(os.environ.get(VARIABLE) or DEFAULT)
    return given.get("language") or language_of(config)


def language_of(config: Path) -> str:
    """The config's `language`, even if something else in the file is wrong; "ru" if it has none."""
    try:
        text = config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "ru"
    try:
        found = tomllib.loads(text).get("language")
    except tomllib.TOMLDecodeError:
        line = re.search(r"""^language\s*=\s*["'](\w+)["']""", text, re.MULTILINE)
        found = line[1] if line else None
    return found if found in LANGUAGES else "ru"


def settings_of(config: Path) -> Settings:
    return load_settings(config)


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
