"""Pairs of posts: which are complete, which wait, which are lost, and in which weekly look."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np

from experiments.data import ARMS, ISO_WEEK, LOST, PENDING, WEEK_NUMBER, Post, Posts, monday


@dataclass(frozen=True)
class Pair:
    """A pair as analysed. `difference` is generated minus human; None unless complete."""

    pair_id: str
    state: str
    look: int
    week: str
    channel: str
    first_arm: str
    generated: Post | None
    human: Post | None
    difference: float | None
    missing: tuple[tuple[str, str], ...] = ()


def find_pairs(posts: Posts, weeks: dict[str, int], as_of: datetime | None = None) -> list[Pair]:
    """All pairs of the file, in order of look and time.

    `state`: "complete" (both published, both with likes or dislikes at the registered age),
    "pending" (a post still to come or to be measured), "incomplete" (lost for good, `missing` tells
    arm and reason), "invalid" (set aside as bad input).
    """
    groups: dict[str, list[Post]] = defaultdict(list)
    for post in posts.rows:
        if post.pair_id:
            groups[post.pair_id].append(post)
    found = [_pair(pair_id, group, posts, weeks, as_of) for pair_id, group in groups.items()]
    found += [
        Pair(pair_id, "invalid", 0, "", "", "", None, None, None)
        for pair_id in sorted(posts.pair_ids - groups.keys())
    ]
    return sorted(found, key=lambda pair: (pair.look, _when(pair), pair.pair_id))


def _pair(
    pair_id: str, group: list[Post], posts: Posts, weeks: dict[str, int], as_of: datetime | None
) -> Pair:
    by_arm = {post.arm: post for post in group}
    group = sorted(group, key=lambda post: (post.slot is None, post.slot or datetime.max, post.row))
    missing, waiting = [], False
    for arm in ARMS:
        reason = why_missing(by_arm.get(arm), posts.window_h, as_of)
        if reason == "pending":
            waiting = True
        elif reason:
            missing.append((arm, reason))
    state = "incomplete" if missing else "pending" if waiting else "complete"
    shares = {arm: post.share for arm, post in by_arm.items()}
    difference = None
    if state == "complete":
        difference = (shares["generated"] or 0.0) - (shares["human"] or 0.0)
    last = max(group, key=lambda post: weeks[post.week])
    # No pair can have entered at a look that the file does not reach.
    recorded = min(max(_recorded_look(post) for post in group), max(weeks.values()))
    return Pair(
        pair_id=pair_id,
        state=state,
        look=max(weeks[last.week], recorded),
        week=last.week,
        channel=group[0].channel,
        first_arm=group[0].arm,
        generated=by_arm.get("generated"),
        human=by_arm.get("human"),
        difference=difference,
        missing=tuple(missing),
    )


def why_missing(post: Post | None, window_h: float | None, as_of: datetime | None) -> str:
    """ "" when measured, "pending" when it may yet be, else the reason why it never will."""
    if post is None:
        return "row_missing"
    if post.share is not None:
        return ""
    due = None
    if as_of is not None and post.slot is not None:
        due = post.slot + timedelta(hours=window_h or 0.0) <= as_of
    if post.status in PENDING:
        return "stuck" if due else "pending"
    if post.status in LOST:
        return post.status
    if post.likes is None or post.dislikes is None:
        return "pending" if due is False else "no_snapshot"
    return "no_reactions"


def _recorded_look(post: Post) -> int:
    return int(post.number("look") or 0)


def _when(pair: Pair) -> float:
    slots = [post.slot for post in (pair.generated, pair.human) if post and post.slot]
    return min(slots).timestamp() if slots else 0.0


def number_weeks(posts: Sequence[Post], started: date | None = None) -> dict[str, int]:
    """Week label → look number, 1 for the first week of the experiment.

    ISO labels (2026-W47) and whole numbers count by the calendar, so that a week without posts is a
    look too; other labels, labels of both kinds, and numbers that jump back in time (52, 1), go in
    order of time.
    """
    labels = {post.week for post in posts}
    earliest: dict[str, datetime] = {}
    for post in posts:
        moment = post.slot or datetime.max.replace(tzinfo=UTC)
        earliest[post.week] = min(earliest.get(post.week, moment), moment)
    ordered = sorted(labels, key=lambda label: (earliest[label], label))
    known = {label: value for label in ordered if (value := _ordinal(label)) is not None}
    year_turned = any(early - late >= 40 for early, late in pairwise(known.values()))
    kinds = {bool(ISO_WEEK.fullmatch(label)) for label in labels}
    if len(known) == len(labels) and len(kinds) < 2 and not year_turned:
        iso = True in kinds
        if started is not None and iso:
            first = _monday_number(started)
        else:
            first = min(known.values(), default=1)
        return {label: max(1, value - first + 1) for label, value in known.items()}
    return {label: number for number, label in enumerate(ordered, 1)}


def week_is_over(label: str, as_of: datetime | None) -> bool:
    """Whether the week (ISO label, UTC) has ended by `as_of`; others count as ended."""
    first = monday(label)
    if as_of is None or first is None:
        return True
    end = first + timedelta(days=7)
    return as_of >= datetime(end.year, end.month, end.day, tzinfo=UTC)


def _ordinal(label: str) -> int | None:
    first = monday(label)
    if first is not None:
        return _monday_number(first)
    return int(label) if WEEK_NUMBER.fullmatch(label) else None


def _monday_number(day: date) -> int:
    return (day.toordinal() - 1) // 7


def worst_case(pairs: Sequence[Pair]) -> tuple[float, float] | None:
    """Limits of the effect if every lost share were 0 or 1; None without a settled pair."""
    low, high = [], []
    for pair in pairs:
        if pair.state == "pending":
            continue
        sides = [post.share if post else None for post in (pair.generated, pair.human)]
        generated = (sides[0], sides[0]) if sides[0] is not None else (0.0, 1.0)
        human = (sides[1], sides[1]) if sides[1] is not None else (0.0, 1.0)
        low.append(generated[0] - human[1])
        high.append(generated[1] - human[0])
    return (float(np.mean(low)), float(np.mean(high))) if low else None
