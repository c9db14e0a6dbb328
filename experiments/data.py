"""Posts and suggestions from CSV files or rows, checked; every fault named with its row and remedy.

Structural faults (no file, no header, a missing column) raise `BadInput` with all of them at once.
A faulty row is set aside, with its problem, and the rest is read: `Posts.problems` lists each.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from experiments.tables import Problem, open_table

ARMS = ("generated", "human")
POST_COLUMNS = (
    "post_id", "channel", "members", "slot_utc", "week", "pair_id", "arm", "status",
    "likes", "dislikes", "neutral", "views", "window_h",
)  # fmt: skip
SUGGESTION_COLUMNS = ("submission_id", "partner", "members", "arm", "accepted")
PENDING = frozenset({"planned", "claimed", "sending", "pending"})
LOST = frozenset(
    {"expired", "failed", "missed", "dropped", "cancelled", "deleted", "skipped", "rejected"}
)
STATUSES = frozenset({"published"}) | PENDING | LOST
ISO_WEEK = re.compile(r"(\d{4})-W(\d{2})")
WEEK_NUMBER = re.compile(r"\d{1,3}")
YEARS = range(2000, 2101)
LARGEST_COUNT = 1e12
FURTHER_COUNTS = ("forwards", "look")
_NUMBER = re.compile(r"[+-]?\d+(\.0*)?(e\+?\d{1,3})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Post:
    """One row. Counts are None where the cell is empty; `slot` is UTC or None."""

    row: int
    post_id: str
    channel: str
    members: float | None
    slot: datetime | None
    week: str
    pair_id: str
    arm: str
    status: str
    likes: float | None
    dislikes: float | None
    neutral: float | None
    views: float | None
    window_h: float | None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """likes / (likes + dislikes); None where unpublished, unmeasured or without either."""
        if self.status != "published" or self.likes is None or self.dislikes is None:
            return None
        reactions = self.likes + self.dislikes
        return self.likes / reactions if reactions > 0 else None

    def number(self, column: str) -> float | None:
        """An extra column as a number; None where absent, empty or no number."""
        try:
            value = float(self.extra.get(column, ""))
        except ValueError:
            return None
        return value if math.isfinite(value) else None


@dataclass(frozen=True)
class Suggestion:
    """One meme offered. `accepted` is None where the partner stayed silent (censored)."""

    row: int
    submission_id: str
    partner: str
    members: float | None
    arm: str
    accepted: bool | None
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Posts:
    """Sound rows, what was wrong with others, the age that counts, all pair ids and raw cells."""

    rows: list[Post]
    problems: list[Problem]
    window_h: float | None
    pair_ids: frozenset[str] = frozenset()
    table: list[tuple[int, dict[str, str]]] = field(default_factory=list)


@dataclass(frozen=True)
class Suggestions:
    rows: list[Suggestion]
    problems: list[Problem]
    table: list[tuple[int, dict[str, str]]] = field(default_factory=list)


def read_posts(source: Any, *, window_h: float | None = None, any_block: bool = False) -> Posts:
    """Read posts from a path, a list of mappings, or a data frame (anything with `to_dict`).

    `window_h`: the registered age; without it the commonest age of the file counts as such.
    `any_block`: pair_id names blocks of any make-up, which are not checked to be pairs.
    """
    table, problems = open_table(source, POST_COLUMNS)
    posts: list[Post] = []
    for row, cells in table:
        post, faults = _post(row, cells)
        problems.extend(faults)
        if post is not None:
            posts.append(post)
    if window_h is None:
        ages = Counter(post.window_h for post in posts if post.window_h is not None)
        window_h = max((count, age) for age, count in ages.items())[1] if ages else None
    posts, faults = _one_window(posts, window_h)
    problems.extend(faults)
    posts, faults = _drop_duplicates(posts, "post_id")
    problems.extend(faults)
    problems.extend(_doubtful_weeks(posts))
    if not any_block:
        posts, faults = _sound_pairs(posts)
        problems.extend(faults)
    pair_ids = frozenset(cells["pair_id"].strip() for _, cells in table) - {""}
    return Posts(posts, _ordered(problems), window_h, pair_ids, table)


def read_suggestions(source: Any) -> Suggestions:
    """Read suggestions from a path, a list of mappings, or a data frame."""
    table, problems = open_table(source, SUGGESTION_COLUMNS)
    rows: list[Suggestion] = []
    for row, cells in table:
        cell = _Cells(row, cells)
        for column in ("submission_id", "partner"):
            cell.text(column, required=True)
        arm = cell.choice("arm", frozenset(ARMS), "unknown_arm")
        members = cell.count("members")
        verdict = _yes_no(cells.get("accepted", ""))
        if verdict == "unclear":
            cell.fault("bad_accepted", column="accepted", value=cells.get("accepted", ""))
        problems.extend(cell.faults)
        if not cell.faults:
            rows.append(
                Suggestion(
                    row,
                    cell.text("submission_id"),
                    cell.text("partner"),
                    members,
                    arm,
                    {"yes": True, "no": False, "": None}[verdict],
                    {k: v for k, v in cells.items() if k not in SUGGESTION_COLUMNS},
                )
            )
    rows, faults = _drop_duplicates(rows, "submission_id")
    return Suggestions(rows, _ordered(problems + faults), table)


class _Cells:
    """Typed access to one row's cells; collects what is wrong with them."""

    def __init__(self, row: int, cells: Mapping[str, str]):
        self.row, self.cells, self.faults = row, cells, list[Problem]()

    def fault(self, code: str, **params: Any) -> None:
        self.faults.append(Problem(code, (self.row,), params=params))

    def text(self, column: str, *, required: bool = False) -> str:
        value = self.cells.get(column, "").strip()
        if required and not value:
            self.fault("empty_cell", column=column)
        return value

    def choice(self, column: str, allowed: frozenset[str], code: str) -> str:
        value = self.text(column).lower()
        if value not in allowed:
            self.fault(code, column=column, value=value, allowed=", ".join(sorted(allowed)))
        return value

    def count(self, column: str) -> float | None:
        """A non-negative whole number, or None where the cell is empty."""
        text = self.text(column)
        if not text:
            return None
        value = float(text) if _NUMBER.fullmatch(text) else math.nan
        if math.isnan(value):
            self.fault("not_a_count", column=column, value=_short(text))
        elif value > LARGEST_COUNT:
            self.fault("count_too_large", column=column, value=_short(text))
        elif value < 0:
            self.fault("negative_count", column=column, value=text)
        else:
            return value
        return None

    def hours(self, column: str) -> float | None:
        text = self.text(column)
        try:
            value = float(text) if text else None
        except ValueError:
            value = math.nan
        if value is not None and not (math.isfinite(value) and value > 0):
            self.fault("bad_window", column=column, value=text)
            return None
        return value

    def instant(self, column: str) -> datetime | None:
        text = self.text(column)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.year not in YEARS:
            self.fault("bad_time", column=column, value=_short(text))
            return None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def week(self, slot: datetime | None) -> str:
        """The week's label; that of `slot` where the cell is empty."""
        week = self.text("week").removesuffix(".0")
        week = week.upper() if ISO_WEEK.fullmatch(week.upper()) else week
        if not week and slot is not None:
            week = "{}-W{:02d}".format(*slot.isocalendar())
        if not week and not self.text("slot_utc"):
            self.fault("no_week")
        elif ISO_WEEK.fullmatch(week) and monday(week) is None:
            self.fault("bad_week", column="week", value=week)
        return week


def monday(week: str) -> date | None:
    """The first day of an ISO week 2026-W47; None for any other label and for no such week."""
    match = ISO_WEEK.fullmatch(week)
    if not match or int(match[1]) not in YEARS:
        return None
    try:
        return date.fromisocalendar(int(match[1]), int(match[2]), 1)
    except ValueError:
        return None


def _is_no_count(text: str) -> bool:
    return bool(text) and not (_NUMBER.fullmatch(text) and 0 <= float(text) <= LARGEST_COUNT)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _post(row: int, cells: Mapping[str, str]) -> tuple[Post | None, list[Problem]]:
    cell = _Cells(row, cells)
    for column in ("post_id", "channel"):
        cell.text(column, required=True)
    arm = cell.choice("arm", frozenset(ARMS), "unknown_arm")
    status = cell.choice("status", STATUSES, "unknown_status")
    counts = {name: cell.count(name) for name in ("members", "likes", "dislikes", "neutral")}
    views = cell.count("views")
    slot = cell.instant("slot_utc")
    window = cell.hours("window_h")
    week = cell.week(slot)
    notes = []
    likes = counts["likes"]
    if likes is not None and views is not None and likes > views:
        if views > 0:
            cell.fault("likes_above_views", likes=int(likes), views=int(views))
        else:
            notes.append(Problem("views_not_counted", (row,), "note", {"likes": int(likes)}))
            views = None
    extra = {name: value for name, value in cells.items() if name not in POST_COLUMNS}
    for name in FURTHER_COUNTS:
        if _is_no_count(extra.get(name, "").strip()):
            shown = {"column": name, "value": _short(extra[name])}
            notes.append(Problem("cell_unread", (row,), "note", shown))
            extra[name] = ""
    if cell.faults:
        return None, cell.faults
    post = Post(
        row=row,
        post_id=cell.text("post_id"),
        channel=cell.text("channel"),
        slot=slot,
        week=week,
        pair_id=cell.text("pair_id"),
        arm=arm,
        status=status,
        views=views,
        window_h=window,
        extra=extra,
        **counts,
    )
    return post, notes


def _drop_duplicates(rows: list[Any], key: str) -> tuple[list[Any], list[Problem]]:
    """Of identical rows the first is kept; rows that disagree are all set aside."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for item in rows:
        groups[getattr(item, key)].append(item)
    kept, problems = [], []
    for name, group in groups.items():
        if len(group) == 1:
            kept.append(group[0])
            continue
        first = _without_row(group[0])
        same = all(_without_row(item) == first for item in group)
        if same:
            kept.append(group[0])
        problems.append(
            Problem(
                "duplicate_same" if same else "duplicate_differs",
                tuple(item.row for item in group),
                params={"column": key, "value": name, "kept": group[0].row},
            )
        )
    return kept, problems


def _without_row(item: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(item).items() if name != "row"}


def _one_window(posts: list[Post], window_h: float | None) -> tuple[list[Post], list[Problem]]:
    wrong = [post for post in posts if post.window_h is not None and post.window_h != window_h]
    kept = [post for post in posts if post.window_h is None or post.window_h == window_h]
    groups: dict[float, list[int]] = defaultdict(list)
    for post in wrong:
        groups[post.window_h or 0.0].append(post.row)
    problems = [
        Problem("mixed_window", tuple(rows), params={"value": age, "expected": window_h})
        for age, rows in sorted(groups.items())
    ]
    ageless = tuple(post.row for post in kept if post.window_h is None and post.share is not None)
    if ageless:
        problems.append(Problem("window_unknown", ageless, "note", {"expected": window_h}))
    return kept, problems


def _doubtful_weeks(posts: list[Post]) -> list[Problem]:
    """Labels that are no calendar weeks, and those more than a week from the post's time."""
    odd = [p for p in posts if not ISO_WEEK.fullmatch(p.week) and not WEEK_NUMBER.fullmatch(p.week)]
    kinds = {bool(ISO_WEEK.fullmatch(post.week)) for post in posts}
    if len(kinds) > 1:
        odd = [post for post in posts if not ISO_WEEK.fullmatch(post.week)]
    found = [("week_label", odd)]
    far = [p for p in posts if p.slot and (day := monday(p.week)) and _weeks_off(day, p.slot) > 1]
    found.append(("week_disagrees", far))
    return [
        Problem(code, tuple(p.row for p in rows), "note", {"value": rows[0].week})
        for code, rows in found
        if rows
    ]


def _weeks_off(day: date, slot: datetime) -> int:
    own = slot.date() - timedelta(days=slot.weekday())
    return abs((own - day).days) // 7


def _sound_pairs(posts: list[Post]) -> tuple[list[Post], list[Problem]]:
    """Set aside whole pairs that are no pair of one channel and two arms."""
    members: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        if post.pair_id:
            members[post.pair_id].append(post)
    problems, bad = [], set()
    for pair_id, group in members.items():
        rows = tuple(post.row for post in group)
        if len(group) > 2:
            code = "pair_too_many"
        elif len(group) == 2 and group[0].arm == group[1].arm:
            code = "pair_one_arm"
        elif len({post.channel for post in group}) > 1:
            code = "pair_two_channels"
        else:
            continue
        bad.add(pair_id)
        problems.append(
            Problem(code, rows, params={"pair": pair_id, "size": len(group), "arm": group[0].arm})
        )
    return [post for post in posts if post.pair_id not in bad], problems


def _ordered(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.rows[:1] or (0,), problem.code))


def _yes_no(text: str) -> str:
    value = text.strip().lower()
    if value in ("1", "1.0", "true", "yes", "да"):
        return "yes"
    if value in ("0", "0.0", "false", "no", "нет"):
        return "no"
    return "" if value in ("", "nan", "none", "censored") else "unclear"
