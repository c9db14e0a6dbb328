"""Rows of posts.csv for tests, from the shares wanted."""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from experiments.data import POST_COLUMNS

START = datetime(2026, 9, 7, 9, tzinfo=UTC)
Row = dict[str, Any]


def post(pair: int, arm: str, likes: Any, dislikes: Any, **changes: Any) -> Row:
    """A published post of the pair; generated goes first in even pairs."""
    second = (arm == "human") == (pair % 2 == 0)
    at = START + timedelta(days=2 * pair + int(second))
    row: Row = {
        "post_id": f"{pair}{arm[0]}",
        "channel": "cats",
        "members": 1000,
        "slot_utc": at.isoformat(),
        "week": "1",
        "pair_id": f"p{pair}",
        "arm": arm,
        "status": "published",
        "likes": likes,
        "dislikes": dislikes,
        "neutral": 0,
        "views": 1000,
        "window_h": 48,
    }
    return row | changes


def pairs(
    counts: Iterable[tuple[tuple[int, int], tuple[int, int]]], weeks: Sequence[str] = ("1",)
) -> list[Row]:
    """((likes, dislikes) generated, the same human) for each pair; weeks in equal parts."""
    items = list(counts)
    rows = []
    for pair, (generated, human) in enumerate(items):
        week = weeks[pair * len(weeks) // len(items)]
        rows.append(post(pair, "generated", *generated, week=week))
        rows.append(post(pair, "human", *human, week=week))
    return rows


def write_csv(
    path: Path, rows: Sequence[Row], *, separator: str = ",", encoding: str = "utf-8"
) -> Path:
    columns = list(dict.fromkeys([*POST_COLUMNS, *(key for row in rows for key in row)]))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path
