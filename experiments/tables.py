"""Tables of text cells from CSV files of any habit, rows or data frames; the faults of a file."""

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
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
    told = _SEPARATOR_LINE.match(text)
    text = text[told.end() :] if told else text
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        raise BadInput(name, [Problem("no_table", (row,))])
    header = next((line for line in text.splitlines() if line.strip()), "")
    separator = told[1] if told else max(",;\t", key=header.count)
    if separator != ",":
        problems.append(Problem("separator", (1,), "note", {"separator": repr(separator)}))
    rows = _split(name, text, separator)
    if not rows:
        raise BadInput(name, [Problem("empty_file", params={"columns": ",".join(columns)})])
    names = _names(rows[0][1])
    _require_columns(name, names, columns, rows)
    if len(rows) == 1:
        problems.append(Problem("no_rows", (), "note"))
    table = []
    for number, cells, own in rows[1:]:
        problem = _row_problem(cells, own, names, separator)
        if problem:
            code, params = problem
            severity = "note" if code == "header_again" else "error"
            problems.append(Problem(code, (number,), severity, params))
        else:
            table.append((number, dict(zip(names, cells, strict=True))))
    return table, problems


def _split(name: str, text: str, separator: str) -> list[tuple[int, list[str], list[str]]]:
    """(row number, cells, the file's own lines of that row) of every row that is not blank."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=separator)
    rows, number, begin = [], 0, 0
    try:
        for number, cells in enumerate(reader, 1):
            if any(map(str.strip, cells)):
                rows.append((number, cells, lines[begin : reader.line_num]))
            begin = reader.line_num
    except csv.Error as error:
        limit = csv.field_size_limit()
        problem = Problem("cell_too_long", (number + 1,), params={"limit": limit})
        raise BadInput(name, [problem]) from error
    return rows


def _names(cells: Sequence[str]) -> list[str]:
    return [cell.strip().lower() for cell in cells]


def _row_problem(
    cells: list[str], own: list[str], names: list[str], separator: str
) -> tuple[str, dict[str, Any]] | None:
    """Why the row is no row of data; a quote out of place makes one row of several lines."""
    fault = _quote_fault(own, separator)
    if fault.startswith("unexpected end"):
        return "open_quote", {"lines": len(own) - 1}
    if len(own) > 1 and (fault or len(cells) != len(names)):
        return "loose_quote", {"lines": len(own) - 1}
    if len(cells) != len(names):
        return "ragged_row", {"has": len(cells), "needs": len(names)}
    return ("header_again", {}) if _names(cells) == names else None


def _quote_fault(own: list[str], separator: str) -> str:
    """What a strict reader says of the row's quotes, "" when it is content."""
    try:
        list(csv.reader(own, delimiter=separator, strict=True))
    except csv.Error as error:
        return str(error)
    return ""


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
        return _decode_lines(raw)


def _decode_lines(raw: bytes) -> tuple[str, list[Problem]]:
    """Windows-1251; in a file put together of two, line by line, each in its own encoding."""
    texts, other, letters = [], [], False
    for number, line in enumerate(raw.splitlines(keepends=True), 1):
        try:
            texts.append(line.decode("utf-8"))
            letters = letters or not line.isascii()
        except UnicodeDecodeError:
            texts.append(line.decode("cp1251", errors="replace"))
            other.append(number)
    if letters:
        return "".join(texts), [Problem("mixed_encoding", tuple(other), "note")]
    return "".join(texts), [Problem("encoding", (1,), "note", {"encoding": "Windows-1251"})]


def _require_columns(
    name: str, present: Iterable[str], columns: tuple[str, ...], records: Sequence[Any]
) -> None:
    names = list(present)
    missing = [column for column in columns if column not in names]
    doubled = sorted({column for column in names if column and names.count(column) > 1})
    problems = [Problem("missing_column", (1,), params={"column": column}) for column in missing]
    problems += [Problem("doubled_column", (1,), params={"column": column}) for column in doubled]
    if problems and records:
        raise BadInput(name, problems)
