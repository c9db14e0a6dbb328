"""Pre-registration: what will be tested, written down and hashed before the first post.

`registration-v1.json` is the first; a later change is `registration-v2.json` and so on. An older
version is never overwritten, and every report after names all versions and what changed.
"""

import dataclasses
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

from experiments.faults import fault

SCHEMA = "memegen-registration/1"


@dataclass(frozen=True)
class Registration:
    """The registered facts of an experiment. `started` is an ISO date (UTC) of its first day."""

    experiment: str
    hypothesis: str
    started: str
    secret_hash: str
    metric: str = "share of positive reactions, likes / (likes + dislikes)"
    age_hours: int = 48
    looks: int = 8
    planned_pairs: int = 0
    margin: float = 0.05
    alpha: float = 0.05
    seed: int = 1
    vectors: int = 9999
    exclusions: tuple[str, ...] = (
        "a post never published",
        "a post without positive or negative reactions at the registered age",
        "a post whose partner in the pair is excluded",
    )
    reactions: Mapping[str, str] = field(
        default_factory=lambda: {"👍": "positive", "👎": "negative"}
    )
    version: int = 1
    reason: str = ""

    def __post_init__(self) -> None:
        wrong = [
            text
            for bad, text in (
                (not self.experiment, "experiment has no name"),
                (self.looks < 1, f"looks must be at least 1, not {self.looks}"),
                (not 0 < self.margin < 1, f"margin must lie in (0, 1), not {self.margin}"),
                (not 0 < self.alpha < 1, f"alpha must lie in (0, 1), not {self.alpha}"),
                (self.planned_pairs < 0, f"planned_pairs is negative: {self.planned_pairs}"),
                (self.version < 1, f"version must be at least 1, not {self.version}"),
                (self.version > 1 and not self.reason, "a new version needs a reason"),
            )
            if bad
        ]
        if wrong:
            raise ValueError("pre-registration: " + "; ".join(wrong))

    def to_dict(self) -> dict[str, Any]:
        return {"schema": SCHEMA, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Written:
    """A registration on disk: its file and the SHA-256 of that file's bytes."""

    path: Path
    sha256: str
    registration: Registration


def write(registration: Registration, directory: Path) -> Written:
    """Write the registration beside its earlier versions; the same again is a no-op.

    Raises FileExistsError when another text is already registered under this version (make it a
    new version with a reason), ValueError when an earlier version is missing.
    """
    earlier = registration.version - 1
    if earlier and not _path(directory, earlier).exists():
        raise ValueError(f"version {registration.version} has no version {earlier} before it")
    return put_back(registration, directory)


def put_back(registration: Registration, directory: Path) -> Written:
    """Write a registration of before whose file was lost, though earlier ones may be lost too.

    Raises FileExistsError as `write` does.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = _path(directory, registration.version)
    body = json.dumps(registration.to_dict(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    if not path.exists():
        draft = path.with_name(path.name + ".partial")
        with draft.open("w", encoding="utf-8") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    elif path.read_text(encoding="utf-8") != body:
        raise FileExistsError(
            f"{path} already registers something else: raise `version` and give a `reason`"
        )
    return Written(path, _hash(path), registration)


def read(path: Path) -> Written:
    """Raises ValueError, naming the file, when it is no registration this version reads."""
    try:
        return Written(path, _hash(path), from_dict(json.loads(path.read_text(encoding="utf-8"))))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise fault("registration", path=path, why=error) from error


def from_dict(facts: Mapping[str, Any]) -> Registration:
    """The way back from `to_dict`. Raises KeyError, TypeError or ValueError."""
    own = dict(facts)
    if own.pop("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    own["exclusions"] = tuple(own["exclusions"])
    for name, kind in get_type_hints(Registration).items():
        number = kind in (int, float)
        fits = (int, float) if kind is float else kind if number or kind is str else object
        value = own.get(name, "" if kind is str else 0)
        if not isinstance(value, fits) or (number and isinstance(value, bool)):
            raise ValueError(f"{name} is {value!r}, not of type {kind.__name__}")
    try:
        date.fromisoformat(own["started"][:10])
    except ValueError:
        raise ValueError(f"started is {own['started']!r}, no date like 2026-09-07") from None
    return Registration(**own)


def versions(directory: Path) -> list[Written]:
    """All versions in the folder, oldest first."""
    return [read(_path(directory, number)) for number in _numbers(directory)]


def latest(directory: Path) -> int:
    """The number of the newest version in the folder; 0 when there is none."""
    return max(_numbers(directory), default=0)


def _path(directory: Path, version: int) -> Path:
    return directory / f"registration-v{version}.json"


def _numbers(directory: Path) -> list[int]:
    names = (path.name for path in directory.glob("registration-v*.json"))
    found = (re.fullmatch(r"registration-v([1-9]\d*)\.json", name) for name in names)
    return sorted(int(match[1]) for match in found if match)


def changes(old: Registration, new: Registration) -> dict[str, tuple[Any, Any]]:
    """Fields that differ, without version and reason: name to (old, new)."""
    before, after = old.to_dict(), new.to_dict()
    return {
        name: (before[name], after[name])
        for name in before
        if name not in ("version", "reason") and before[name] != after[name]
    }


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
