"""Checks of the experiment itself: coins, lost posts, balance, carry-over, drift.

Each check is {code, status, p_value, ...}: "ok", "warn" (look at it), "alarm" (do not trust the
verdict before it is explained) or "skipped" with the reason. Thresholds are strict, because many
checks are made every week.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.stats import binomtest, chi2_contingency, linregress, ttest_ind

from experiments.data import ARMS, Post
from experiments.design import audit_coins

ALARM = 0.001
WARN = 0.01
NO_SPREAD = 1e-12


def coins(firsts: Mapping[str, str], secret: bytes | None, experiment: str) -> dict[str, Any]:
    """`firsts`: pair_id → arm of its first slot. Re-derives every coin when the secret is known."""
    if secret is None:
        return {"code": "coins", "status": "skipped", "reason": "secret_not_published"}
    wrong = audit_coins(secret, experiment, firsts)
    return {
        "code": "coins",
        "status": "alarm" if wrong else "ok",
        "checked": len(firsts),
        "mismatches": [item.pair_id for item in wrong],
    }


def order(firsts: Mapping[str, str]) -> dict[str, Any]:
    """Generated goes first in half of the pairs: an exact binomial test of the coin."""
    return _binomial("order", sum(arm == "generated" for arm in firsts.values()), len(firsts))


def attrition(lost_by_arm: Mapping[str, int], due_by_arm: Mapping[str, int]) -> dict[str, Any]:
    """Posts lost to the estimate, by arm; alarm where one arm loses more (p < 0.001)."""
    lost = {arm: lost_by_arm.get(arm, 0) for arm in ARMS}
    check = _binomial("attrition", lost["generated"], lost["generated"] + lost["human"])
    return check | {"lost": lost, "due": {arm: due_by_arm.get(arm, 0) for arm in ARMS}}


def split(posts: Sequence[Post]) -> dict[str, Any]:
    """Sample ratio: as many slots assigned to one arm as to the other, within pairs."""
    count = Counter(post.arm for post in posts if post.pair_id)
    return _binomial("split", count["generated"], count["generated"] + count["human"])


def balance(posts: Sequence[Post]) -> list[dict[str, Any]]:
    """Arms against hour, weekday, topic and template of the published posts."""
    published = [post for post in posts if post.status == "published"]
    keys = {
        "hour": lambda post: str(post.slot.hour) if post.slot else "",
        "weekday": lambda post: str(post.slot.weekday()) if post.slot else "",
        "topic": lambda post: post.extra.get("topic", "").strip(),
        "template": lambda post: post.extra.get("template", "").strip(),
    }
    return [
        _balance(name, [(key(post), post.arm) for post in published]) for name, key in keys.items()
    ]


def _balance(name: str, values: Sequence[tuple[str, str]]) -> dict[str, Any]:
    check: dict[str, Any] = {"code": f"balance_{name}"}
    table = Counter((value, arm) for value, arm in values if value)
    levels = sorted({value for value, _ in table})
    counts = np.array([[table[level, arm] for arm in ARMS] for level in levels])
    if len(levels) == 0 or (counts.sum(axis=0) == 0).any():
        return check | {"status": "skipped", "reason": "not_recorded"}
    # Rare levels together: the chi-square needs about five expected in a cell.
    common = counts[counts.sum(axis=1) >= 10]
    rare = counts[counts.sum(axis=1) < 10].sum(axis=0)
    rows = np.vstack([common, rare]) if rare.sum() else common
    if len(rows) < 2:
        return check | {"status": "skipped", "reason": "too_few"}
    p_value = float(chi2_contingency(rows, correction=False).pvalue)
    status = "warn" if p_value < ALARM else "ok"
    return check | {"status": status, "p_value": p_value, "levels": len(rows)}


def carry_over(posts: Sequence[Post]) -> dict[str, Any]:
    """Does a post fare otherwise after a generated one than after a human one?

    Only slots whose predecessor in the channel belongs to another pair (its coin is independent);
    shares are centred within channel and own arm; Welch's t.
    """
    check: dict[str, Any] = {"code": "carry_over"}
    channels: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        if post.slot is not None and post.status == "published":
            channels[post.channel].append(post)
    cells: dict[tuple[str, str], list[tuple[str, float]]] = defaultdict(list)
    for group in channels.values():
        group.sort(key=lambda post: (post.slot.timestamp() if post.slot else 0.0, post.row))
        for before, after in pairwise(group):
            if after.share is not None and (not after.pair_id or before.pair_id != after.pair_id):
                cells[after.channel, after.arm].append((before.arm, after.share))
    residuals: dict[str, list[float]] = {arm: [] for arm in ARMS}
    for pairs in cells.values():
        if {arm for arm, _ in pairs} == set(ARMS):
            centre = float(np.mean([share for _, share in pairs]))
            for arm, share in pairs:
                residuals[arm].append(share - centre)
    if min(map(len, residuals.values())) < 5:
        return check | {"status": "skipped", "reason": "too_few"}
    return check | _compare(residuals["generated"], residuals["human"])


def _compare(one: Sequence[float], two: Sequence[float]) -> dict[str, Any]:
    difference = float(np.mean(one) - np.mean(two))
    if np.var(one) + np.var(two) <= NO_SPREAD:
        return {"status": "skipped", "reason": "no_variation"}
    p_value = float(ttest_ind(one, two, equal_var=False).pvalue)
    return {
        "status": "warn" if p_value < WARN else "ok",
        "p_value": p_value,
        "difference": difference,
        "posts": len(one) + len(two),
    }


def novelty(weeks: Sequence[int], differences: Sequence[float]) -> dict[str, Any]:
    """Does the effect drift over the weeks? Slope of the difference a week."""
    check: dict[str, Any] = {"code": "novelty"}
    if len(differences) < 8 or len(set(weeks)) < 2:
        return check | {"status": "skipped", "reason": "too_few"}
    if np.ptp(differences) <= NO_SPREAD:
        return check | {"status": "skipped", "reason": "no_variation"}
    fit = linregress(weeks, differences)
    p_value = float(fit.pvalue)
    return check | {
        "status": "warn" if p_value < WARN else "ok",
        "p_value": p_value,
        "slope_per_week": float(fit.slope),
    }


def members_steady(posts: Sequence[Post]) -> dict[str, Any]:
    """Weights are members at the beginning: tell when a channel has since changed by half."""
    seen: dict[str, list[float]] = defaultdict(list)
    for post in posts:
        if post.members is not None:
            seen[post.channel].append(post.members)
    moved = [name for name, m in seen.items() if min(m) > 0 and max(m) / min(m) > 1.5]
    return {"code": "members", "status": "warn" if moved else "ok", "channels": sorted(moved)}


def _binomial(code: str, successes: int, trials: int) -> dict[str, Any]:
    if trials == 0:
        return {"code": code, "status": "skipped", "reason": "too_few", "p_value": None}
    p_value = float(binomtest(successes, trials, 0.5).pvalue)
    return {
        "code": code,
        "status": "alarm" if p_value < ALARM else "ok",
        "p_value": p_value,
        "generated": successes,
        "human": trials - successes,
    }
