"""One analysis of an experiment: posts and suggestions in, a dictionary of facts out.

The facts are plain JSON values (never NaN), described in docs/report.md.
"""

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from scipy import stats

from experiments import boxes, checks, metrics, verdict, words
from experiments.data import (
    ARMS,
    Post,
    Posts,
    Suggestion,
    Suggestions,
    read_posts,
    read_suggestions,
)
from experiments.faults import refuse
from experiments.pairs import Pair, find_pairs, number_weeks, week_is_over, worst_case
from experiments.sequential import AlwaysValid, Look, always_valid, take_looks
from experiments.signflip import sign_flip

SCHEMA = "memegen-experiments/1"


@dataclass(frozen=True)
class Analysis:
    """`facts` are the JSON; `looks_state` is to be saved and given to next week's analysis."""

    facts: dict[str, Any]
    posts: Posts
    pairs: list[Pair]
    suggestions: Suggestions
    looks_state: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        return self.facts

    @property
    def code(self) -> str:
        return str(self.facts["verdict"]["code"])


def analyse(
    posts: Any,
    suggestions: Any = None,
    *,
    planned_weeks: int = 8,
    margin: float = 0.05,
    seed: int = 1,
    B: int = 9999,
    alpha: float = 0.05,
    as_of: datetime | None = None,
    experiment: str = "",
    planned_pairs: int | None = None,
    window_h: float | None = None,
    started: date | None = None,
    secret: bytes | None = None,
    state: Mapping[str, Any] | None = None,
) -> Analysis:
    """Analyse posts (path, rows or data frame) and, where given, suggestions.

    `planned_weeks` registered weekly looks; `margin` of "not worse"; `seed` and `B` of the sign
    vectors; `as_of` (UTC) tells posts still to be measured from lost ones, and an unfinished week
    from a due look; `planned_pairs` as registered (default: the file's pairs carried forward to the
    plan's end); `secret` re-derives the coins; `state` is last week's `looks_state`.

    Raises tables.BadInput when a file cannot be read at all, ValueError for impossible arguments
    or a state of another analysis.
    """
    _check_arguments(planned_weeks, margin, alpha, B, planned_pairs, window_h)
    if as_of is not None:
        as_of = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    read = read_posts(posts, window_h=window_h)
    offered = Suggestions([], [])
    if suggestions is not None:
        offered = read_suggestions(suggestions)
    weeks = number_weeks(read.rows, started)
    pairs = find_pairs(read, weeks, as_of)
    complete = [pair for pair in pairs if pair.state == "complete"]
    over = {label: number for label, number in weeks.items() if week_is_over(label, as_of)}
    elapsed = max(over.values(), default=0)
    planned_here = _planned_pairs(planned_pairs, read, elapsed, planned_weeks)
    looks, looks_state = take_looks(
        _new_pairs(complete, elapsed),
        experiment=experiment,
        planned=planned_weeks,
        seed=seed,
        vectors=B,
        alpha=alpha,
        state=state,
    )
    facts: dict[str, Any] = {
        "schema": SCHEMA,
        "experiment": experiment,
        "as_of": as_of.isoformat() if as_of else None,
        "started": started.isoformat() if started else None,
        "window_h": read.window_h,
        "planned_looks": planned_weeks,
        "looks_taken": len(looks),
        "past_plan": elapsed > planned_weeks,
        "margin": margin,
        "alpha": alpha,
        "seed": seed,
        "vectors": B,
        "pairs": _count_pairs(pairs, planned_pairs, planned_here),
        "pairs_per_week": len(complete) / max(weeks.values()) if complete else 0.0,
    }
    facts |= _effect(complete, seed, B, alpha)
    facts["looks"] = [dataclasses.asdict(look) for look in looks]
    facts["always_valid"] = _always(complete, planned_here, alpha)
    facts |= _valid_now(facts, looks)
    bounds = worst_case(pairs)
    facts["worst_case"] = list(bounds) if bounds else None
    facts["weeks"] = _by_week(complete, weeks, planned_here, alpha)
    facts["channels"] = _by_channel(read.rows, complete, alpha)
    facts["new_channels"] = new_channel_test(complete, alpha)
    settled = [row for row in offered.rows if not is_pending(row)]
    drawn = randomised(settled)
    facts["metrics"] = metrics.four_metrics(read.rows, settled, alpha=alpha)
    facts["secondary"] = metrics.secondary(read.rows)
    facts["boxes"] = boxes.compare(drawn, alpha=alpha)
    facts["offers"] = {
        "read": len(offered.rows),
        "pending": len(offered.rows) - len(settled),
        "not_random": len(settled) - len(drawn),
    }
    facts["checks"] = _checks(read.rows, pairs, complete, secret, experiment)
    facts["alarms"] = verdict.alarms(facts["checks"])
    facts["verdict"] = verdict.decide(facts)
    passed = facts["verdict"]["code"] in ("better", "not_worse")
    facts["pilot"] = metrics.pilot(facts["metrics"], passed)
    facts["exclusions"] = _exclusions(read.rows, pairs)
    facts["problems"] = [
        words.problem_facts(problem) | {"file": name}
        for name, found in (("posts", read.problems), ("suggestions", offered.problems))
        for problem in found
    ]
    facts["verdict"]["text"] = {
        language: words.verdict_lines(facts["verdict"], language) for language in words.LANGUAGES
    }
    return Analysis(facts, read, pairs, offered, looks_state)


def randomised(offered: Sequence[Suggestion]) -> list[Suggestion]:
    """Offers whose arm a coin chose: the only ones that compare the arms without bias.

    An extra column `chosen_by` tells them ("random"); without it every offer counts as such.
    """
    return [row for row in offered if _extra(row, "chosen_by") in ("random", "")]


def is_pending(offer: Suggestion) -> bool:
    """Whether an extra column `outcome` says "pending": no answer yet, which is no silence."""
    return offer.accepted is None and _extra(offer, "outcome") == "pending"


def _extra(offer: Suggestion, column: str) -> str:
    return offer.extra.get(column, "").strip().lower()


def new_channel_test(complete: Sequence[Pair], alpha: float = 0.05) -> dict[str, Any]:
    """For channels not yet owned: t-test on the channels' mean differences, N − 1 freedom."""
    groups: dict[str, list[float]] = defaultdict(list)
    for pair in complete:
        groups[pair.channel].append(pair.difference or 0.0)
    means = [float(np.mean(values)) for values in groups.values()]
    result: dict[str, Any] = {
        "channels": len(means),
        "effect": float(np.mean(means)) if means else None,
        "interval": None,
        "p_value": None,
        "t": None,
        "reason": None,
    }
    if len(means) < 2:
        return result | {"reason": "fewer_than_two_channels"}
    if np.ptp(means) <= checks.NO_SPREAD:
        return result | {"reason": "no_variation"}
    test = stats.ttest_1samp(means, 0.0)
    interval = test.confidence_interval(1 - alpha)
    return result | {
        "interval": [float(interval.low), float(interval.high)],
        "p_value": float(test.pvalue),
        "t": float(test.statistic),
    }


def _check_arguments(
    planned_weeks: int,
    margin: float,
    alpha: float,
    vectors: int,
    planned_pairs: int | None,
    window_h: float | None,
) -> None:
    refuse(
        (
            (
                planned_weeks < 1,
                "least",
                {"name": "planned weeks", "least": 1, "value": planned_weeks},
            ),
            (
                not 0 < margin < 1,
                "between",
                {"name": "margin", "low": 0, "high": 1, "value": margin},
            ),
            (
                not 0 < alpha < 0.5,
                "between",
                {"name": "alpha", "low": 0, "high": 0.5, "value": alpha},
            ),
            (vectors < 99, "least", {"name": "vectors", "least": 99, "value": vectors}),
            (
                planned_pairs is not None and planned_pairs < 1,
                "least",
                {"name": "planned pairs", "least": 1, "value": planned_pairs},
            ),
            (
                window_h is not None and not 0 < window_h < math.inf,
                "positive",
                {"name": "age in hours", "value": window_h},
            ),
        )
    )


def _planned_pairs(registered: int | None, read: Posts, elapsed: int, planned: int) -> int:
    if registered:
        return registered
    seen = len(read.pair_ids)
    return max(1, round(seen * planned / min(elapsed, planned))) if elapsed else max(1, seen)


def _new_pairs(complete: Sequence[Pair], elapsed: int) -> dict[int, list[tuple[str, float]]]:
    looks: dict[int, list[tuple[str, float]]] = {n: [] for n in range(1, elapsed + 1)}
    for pair in complete:
        if pair.look <= elapsed:
            looks[pair.look].append((pair.pair_id, pair.difference or 0.0))
    return looks


def _count_pairs(pairs: Sequence[Pair], registered: int | None, used: int) -> dict[str, Any]:
    states = [pair.state for pair in pairs]
    missing = [(arm, reason) for pair in pairs for arm, reason in pair.missing]
    return {
        "planned": len(pairs),
        "registered": registered,
        "horizon": used,
        **{
            state: states.count(state) for state in ("complete", "incomplete", "pending", "invalid")
        },
        "lost_by_arm": {arm: sum(lost == arm for lost, _ in missing) for arm in ARMS},
    }


def _effect(complete: Sequence[Pair], seed: int, vectors: int, alpha: float) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "effect": None,
        "sd": None,
        "interval": None,
        "p_value": None,
        "method": None,
        "one_sided": {"lower": None, "level": 1 - alpha, "p_greater": None},
    }
    if not complete:
        return facts
    d = np.array([pair.difference for pair in complete], dtype=float)
    ids = [pair.pair_id for pair in complete]
    test = sign_flip(d, ids, seed=seed, vectors=vectors, alpha=alpha)
    return {
        "effect": test.effect,
        "sd": float(d.std(ddof=1)) if len(d) > 1 else None,
        "interval": list(test.interval),
        "p_value": test.p_value,
        "method": "sign_flip_exact" if test.exact else "sign_flip_monte_carlo",
        "one_sided": {"lower": test.lower, "level": 1 - alpha, "p_greater": test.p_greater},
    }


def _always(complete: Sequence[Pair], planned: int, alpha: float) -> dict[str, Any]:
    if not complete:
        return {"interval": None, "e_value": None, "p_value": None, "planned_pairs": planned}
    found = always_valid(_differences(complete), planned_pairs=planned, alpha=alpha)
    return _always_facts(found) | {"planned_pairs": planned}


def _always_facts(found: AlwaysValid) -> dict[str, Any]:
    return {"interval": list(found.interval), "e_value": found.e_value, "p_value": found.p_value}


def _valid_now(facts: dict[str, Any], looks: Sequence[Look]) -> dict[str, Any]:
    """Which interval may be shown: the plain one is not after an early stop or past the plan."""
    crossed = next((look for look in looks if look.rejected), None)
    early = crossed is not None and crossed.look < facts["planned_looks"]
    plain = not early and not facts["past_plan"]
    at_end = facts["looks_taken"] == facts["planned_looks"]
    always = facts["always_valid"]["interval"]
    interval = facts["interval"] if plain else always
    return {
        "stopped": dataclasses.asdict(crossed) if crossed else None,
        "stopped_early": early,
        "interval": interval,
        "interval_method": None if interval is None else "sign_flip" if plain else "always_valid",
        "shown_interval": interval if at_end else always,
        "shown_interval_method": (
            None if interval is None else "sign_flip" if plain and at_end else "always_valid"
        ),
    }


def _by_week(
    complete: Sequence[Pair], weeks: Mapping[str, int], planned: int, alpha: float
) -> list[dict[str, Any]]:
    labels = {number: label for label, number in weeks.items()}
    rows = []
    for number in range(1, max(weeks.values(), default=0) + 1):
        mine = [pair for pair in complete if pair.look == number]
        so_far = [pair for pair in complete if pair.look <= number]
        row: dict[str, Any] = {
            "look": number,
            "week": labels.get(number),
            "pairs": len(mine),
            "pairs_so_far": len(so_far),
            "effect": float(_differences(mine).mean()) if mine else None,
            "effect_so_far": None,
            "interval": None,
        }
        if so_far:
            found = always_valid(_differences(so_far), planned_pairs=planned, alpha=alpha)
            row |= {"effect_so_far": found.effect, "interval": list(found.interval)}
        rows.append(row)
    return rows


def _by_channel(
    posts: Sequence[Post], complete: Sequence[Pair], alpha: float
) -> list[dict[str, Any]]:
    members = metrics.starting_members(posts)
    rows = []
    for name in sorted({post.channel for post in posts}):
        d = _differences([pair for pair in complete if pair.channel == name])
        row: dict[str, Any] = {
            "channel": name,
            "members": members.get(name),
            "pairs": d.size,
            "effect": float(d.mean()) if d.size else None,
            "interval": None,
        }
        if d.size:
            row["interval"] = list(sign_flip(d, vectors=1999, alpha=alpha).interval)
        for arm in ARMS:
            shares = [p.share for p in posts if p.channel == name and p.arm == arm]
            known = [share for share in shares if share is not None]
            row[arm] = float(np.mean(known)) if known else None
            row[f"{arm}_posts"] = len(known)
        rows.append(row)
    return rows


def _checks(
    posts: Sequence[Post],
    pairs: Sequence[Pair],
    complete: Sequence[Pair],
    secret: bytes | None,
    experiment: str,
) -> list[dict[str, Any]]:
    whole = [pair for pair in pairs if pair.generated and pair.human]
    timed = [
        pair
        for pair in whole
        if pair.generated
        and pair.human
        and pair.generated.slot
        and pair.human.slot
        and pair.generated.slot != pair.human.slot
    ]
    firsts = {pair.pair_id: pair.first_arm for pair in timed}
    settled = [pair for pair in pairs if pair.state in ("complete", "incomplete")]
    lost = [arm for pair in settled for arm, _ in pair.missing]
    found = [
        checks.coins(firsts, secret, experiment),
        checks.order(firsts),
        checks.split(posts),
        checks.attrition({arm: lost.count(arm) for arm in ARMS}, dict.fromkeys(ARMS, len(settled))),
        *checks.balance(posts),
        checks.carry_over(posts),
        checks.novelty([pair.look for pair in complete], _differences(complete).tolist()),
        checks.members_steady(posts),
    ]
    return found


def _exclusions(posts: Sequence[Post], pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """Every sound post that is not in the estimate, with its reason."""
    rows = []
    for pair in pairs:
        if pair.state == "complete":
            continue
        own = dict(pair.missing)
        for arm, post in (("generated", pair.generated), ("human", pair.human)):
            reason = own.get(arm) or ("pending" if pair.state == "pending" else "twin_missing")
            if post is not None:
                rows.append(_exclusion(post, reason))
    rows += [_exclusion(post, "not_paired") for post in posts if not post.pair_id]
    return sorted(rows, key=lambda row: row["row"])


def _exclusion(post: Post, reason: str) -> dict[str, Any]:
    return {
        "row": post.row,
        "post_id": post.post_id,
        "pair_id": post.pair_id,
        "arm": post.arm,
        "reason": reason,
    }


def _differences(pairs: Sequence[Pair]) -> np.ndarray:
    return np.array([pair.difference for pair in pairs if pair.difference is not None], dtype=float)
