"""Tables of text cells from CSV files of any habit, rows or data frames; the faults of a file."""

import csv
import io
import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

_SEPARATOR_LINE = re.compile(r"sep=([,;\t])\r?\n", re.IGNORECASE)

Table = list[tuple[int, dict[str, str]]]
"""Rows with their numbers as a spreadsheet shows them, cells by column."""


@dataclass(frozen=True)
class Problem:
    """A fault of the input. `rows` are line numbers as a spreadsheet shows them (header is 1).

    `severity` is "error" (the rows are set aside) or "note" (read nevertheless).
    `params` fill the texts of `experiments.words`.
    """

    code: str
    rows: tuple[int, ...] = ()
    severity: str = "error"
    params: Mapping[str, Any] = field(default_factory=dict)


class BadInput(ValueError):
    """The file cannot be analysed at all; `problems` say why, all at once."""

    def __init__(self, source: str, problems: list[Problem]):
        super().__init__(f"{source}: " + ", ".join(problem.code for problem in problems))
        self.source, self.problems = source, problems


def open_table(source: Any, columns: tuple[str, ...]) -> tuple[Table, list[Problem]]:
    """The table and what was odd about it, from a path, mappings or a frame with `to_dict`.

    Raises BadInput, with every reason at once, when there is no table with these columns.
    """
    if isinstance(source, str | Path):
        return _read_csv(Path(source), columns)
    records = source.to_dict("records") if hasattr(source, "to_dict") else list(source)
    _require_columns("rows", {key for record in records[:1] for key in record}, columns, records)
    table = [
        (number, {str(key): _as_text(value) for key, value in record.items()})
        for number, record in enumerate(records, 2)
    ]
    return table, []


def _as_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _read_csv(path: Path, columns: tuple[str, ...]) -> tuple[Table, list[Problem]]:
    name = str(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise BadInput(name, [Problem("unreadable", params={"why": why})]) from error
    text, problems = _decode(raw)
    if "\0" in text:
        raise BadInput(name, [Problem("no_table", params={"why": "zero bytes"})])
    told = _SEPARATOR_LINE.match(text)
    text = text[told.end() :] if told else text
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = told[1] if told else max(",;\t", key=header.count)
    if separator != ",":
        problems.append(Problem("separator", (1,), "note", {"separator": repr(separator)}))
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise BadInput(name, [Problem("no_table", params={"why": str(error)})]) from error
    rows = [(number, cells) for number, cells in enumerate(lines, 1) if any(map(str.strip, cells))]
    if not rows:
        raise BadInput(name, [Problem("empty_file", params={"columns": ",".join(columns)})])
    names = [cell.strip().lower() for cell in rows[0][1]]
    _require_columns(name, names, columns, lines)
    if len(rows) == 1:
        problems.append(Problem("no_rows", (), "note"))
    if _ends_inside_quotes(text, separator):
        number, cells = rows.pop()
        swallowed = sum(cell.count("\n") for cell in cells)
        problems.append(Problem("open_quote", (number,), params={"lines": swallowed}))
    table = []
    for number, cells in rows[1:]:
        if len(cells) != len(names):
            problems.append(
                Problem("ragged_row", (number,), params={"has": len(cells), "needs": len(names)})
            )
            continue
        table.append((number, dict(zip(names, cells, strict=True))))
    return table, problems


def _ends_inside_quotes(text: str, separator: str) -> bool:
    """Whether a quote is never closed: its cell then holds all the lines that follow."""
    try:
        deque(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 0)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def _decode(raw: bytes) -> tuple[str, list[Problem]]:
    if raw[:3] == b"\xef\xbb\xbf":
        try:
            return raw[3:].decode("utf-8"), [Problem("bom", (1,), "note")]
        except UnicodeDecodeError:
            raw = raw[3:]
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = raw.decode("utf-16", errors="replace")
        return text, [Problem("encoding", (1,), "note", {"encoding": "UTF-16"})]
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError:
        text = raw.decode("cp1251", errors="replace")
        return text, [Problem("encoding", (1,), "note", {"encoding": "Windows-1251"})]


def _require_columns(
    name: str, present: Iterable[str], columns: tuple[str, ...], records: list[Any]
) -> None:
    names = list(present)
    missing = [column for column in columns if column not in names]
    doubled = sorted({column for column in names if column and names.count(column) > 1})
    problems = [Problem("missing_column", (1,), params={"column": column}) for column in missing]
    problems += [Problem("doubled_column", (1,), params={"column": column}) for column in doubled]
    if problems and records:
        raise BadInput(name, problems)
