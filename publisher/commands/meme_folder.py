"""The folder that `publisher meme` fills: pictures, their sheet, and the record of what led to
each."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from publisher.memes.make import Made, MakeRequest
from publisher.memes.preview import contact_sheet

RECORD, SHEET = "memes.json", "sheet.png"
_PICTURE = re.compile(r"\d{2}-[^/\\\0]+\.jpg")


def keep_memes(
    made: Made, request: MakeRequest, out: Path
) -> tuple[list[tuple[Path, str]], dict[str, Any]]:
    """Write pictures, sheet and record in place of the last run's; the pictures with their
    templates, and the record. Raises OSError."""
    clear_last_run(out)
    pictures = []
    for number, candidate in enumerate(made.chosen, start=1):
        path = out / f"{number:02d}-{candidate.caption.template}.jpg"
        path.write_bytes(candidate.jpeg or b"")
        pictures.append((path, candidate.caption.template))
    if pictures:
        contact_sheet(pictures, out / SHEET)
    record = dataclasses.asdict(made)
    for entry in (*record["chosen"], *record["refused"]):
        entry.pop("jpeg")
    for entry, (path, _) in zip(record["chosen"], pictures, strict=True):
        entry["file"] = path.name
    record["request"] = dataclasses.asdict(request)
    text = json.dumps(record, ensure_ascii=False, indent=2)
    (out / RECORD).write_text(text, encoding="utf-8")
    return pictures, record


def clear_last_run(out: Path) -> None:
    """Delete the pictures that the record in `out` names, and their sheet; nothing else."""
    named = _named(out / RECORD)
    for name in named:
        (out / name).unlink(missing_ok=True)
    if named:
        (out / SHEET).unlink(missing_ok=True)


def _named(record: Path) -> list[str]:
    """Pictures that a record names; none when there is no record of ours."""
    try:
        chosen = json.loads(record.read_text(encoding="utf-8"))["chosen"]
        names = [entry.get("file") for entry in chosen]
    except (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return []
    return [name for name in names if isinstance(name, str) and _PICTURE.fullmatch(name)]
