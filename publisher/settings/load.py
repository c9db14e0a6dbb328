"""Read config.toml and say all that is wrong with it at once."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from publisher.sentences import joined, words
from publisher.settings.model import Settings
from publisher.validation import wanted

LONGEST_SHOWN = 60
SECRET_KEYS = {"api_hash", "bot_token", "token", "password", "secret"}


@dataclass(frozen=True)
class Problem:
    key: str
    message: str


class ConfigError(Exception):
    """All problems of a config file; says one line each: file, key, what and remedy."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.path, self.problems = path, tuple(problems)
        super().__init__(
            joined("\n", [joined(": ", [path, p.key, p.message]) for p in self.problems])
        )


def load_settings(path: Path) -> Settings:
    """Settings from a TOML file. Raises ConfigError naming every wrong key."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path, [Problem(words("(file)"), _unreadable(error))]) from error
    try:
        return Settings.model_validate_json(_as_json(raw | {"root": str(path.resolve().parent)}))
    except ValidationError as error:
        problems = [_problem(details, raw) for details in error.errors() if not _echo(details)]
        raise ConfigError(path, problems) from error


def _as_json(raw: dict[str, Any]) -> str:
    # JSON, because pydantic's strict mode takes lists for tuples only from there.
    return json.dumps(raw, default=str)


def _echo(details: Any) -> bool:
    """A list that only seems too short, because its wrong members were left out."""
    return details["type"] == "too_short" and bool(details["input"])


def _unreadable(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return words("no such file; copy config.toml from the project, or name yours with --config")
    if isinstance(error, OSError):
        return words("cannot be read: {why}", why=error.strerror or error)
    if isinstance(error, UnicodeDecodeError):
        return words("this is not text in UTF-8; save the file as UTF-8")
    where = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    if where is None:
        return words("not valid TOML: {why}", why=error)
    why, line, column = where.groups()
    return words(
        "line {line}, column {column}: not valid TOML: {why}", line=line, column=column, why=why
    )


def _problem(details: Any, raw: dict[str, Any]) -> Problem:
    location = details["loc"]
    key = _key(location) or words("(top level)")
    kind = details["type"]
    if kind == "extra_forbidden":
        return Problem(key, _unknown(location))
    if kind == "missing":
        return Problem(key, words("is missing; see config.toml's comments for what belongs here"))
    if kind == "value_error":
        return Problem(key, wanted(details))
    got = repr(details.get("input"))[:LONGEST_SHOWN]
    return Problem(key, words("{wanted}; got {got}", wanted=wanted(details), got=got))


def _key(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def _unknown(location: tuple[int | str, ...]) -> str:
    name = str(location[-1])
    if name in SECRET_KEYS:
        return words("a secret does not belong in config.toml; see «Secrets» in its comments")
    known = _fields(Settings, location[:-1])
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return words("unknown key; did you mean «{close}»?", close=close[0])
    return words("unknown key; known here: {known}", known=", ".join(sorted(known)))


def _fields(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return [name for name in model.model_fields if name != "root"]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)
