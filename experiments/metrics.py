"""The four metrics in both readings, for both arms, with intervals, exclusions and channels.

For channel i and an arm: x_i = mean over its posts with l + d > 0 of y = l / (l + d); m_i = members
when the experiment began; p_i = posts published, l_i = their likes. For partner i: a_i published
through the box of p_i offered (silence is not publication).

                      decides                      literal reading of the seed (never decides)
  avg_react           (1/N) Σ x_i                  (1/N) Σ l_i / p_i
  weighted_avg_react  Σ m_i x_i / Σ m_i            (M/P) Σ m_i l_i / p_i
  avg_sug             (1/N) Σ a_i / p_i            the same
  weighted_avg_sug    Σ m_i (a_i / p_i) / Σ m_i    the same

A unit with a zero denominator leaves the sums and is listed; with none left the value is None with
a reason. Intervals speak of these very channels (they are fixed, posts are the sample, taken as
independent: a mood that lasts from post to post makes them too narrow; differences inside pairs are
free of it).
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta, norm, t

from experiments.data import ARMS, Post, Suggestion

NAMES = ("avg_react", "weighted_avg_react", "avg_sug", "weighted_avg_sug")
THRESHOLD = 0.7


@dataclass(frozen=True)
class Unit:
    """A channel or partner in one arm: its value, sample size and variance of the value's mean."""

    name: str
    members: float | None
    values: tuple[float, ...] = ()
    likes: float = 0.0
    posts: int = 0
    accepted: int = 0
    offered: int = 0
    censored: int = 0


def four_metrics(
    posts: Sequence[Post], suggestions: Sequence[Suggestion], *, alpha: float = 0.05
) -> dict[str, dict[str, Any]]:
    """name → arm → {value, literal, interval, lower, n, posts, excluded, reason, units}.

    `interval` is two-sided 1 − α; `lower` is the one-sided bound at 1 − α/4 (Bonferroni over the
    four metrics), which supports "at least 0.7".
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
    for arm in ARMS:
        channels = channel_units(posts, arm)
        partners = partner_units(suggestions, arm)
        for name in NAMES:
            units = channels if name.endswith("react") else partners
            found[name][arm] = _metric(name, units, alpha)
    return found


def channel_units(posts: Sequence[Post], arm: str) -> list[Unit]:
    members = starting_members(posts)
    groups: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        if post.arm == arm and post.status == "published" and post.likes is not None:
            groups[post.channel].append(post)
    names = sorted({post.channel for post in posts})
    return [
        Unit(
            name=name,
            members=members.get(name),
            values=tuple(post.share for post in groups[name] if post.share is not None),
            likes=sum(post.likes or 0 for post in groups[name]),
            posts=len(groups[name]),
        )
        for name in names
    ]


def partner_units(suggestions: Sequence[Suggestion], arm: str) -> list[Unit]:
    groups: dict[str, list[Suggestion]] = defaultdict(list)
    for item in suggestions:
        groups[item.partner].append(item)
    return [
        Unit(
            name=name,
            members=next((item.members for item in group if item.members is not None), None),
            accepted=sum(item.accepted is True for item in group if item.arm == arm),
            offered=sum(item.arm == arm for item in group),
            censored=sum(item.accepted is None for item in group if item.arm == arm),
        )
        for name, group in sorted(groups.items())
    ]


def starting_members(posts: Sequence[Post]) -> dict[str, float]:
    """Members of each channel at its earliest post that knows them: m_i."""
    known = [post for post in posts if post.members is not None]
    known.sort(key=lambda post: (post.slot is None, post.slot.timestamp() if post.slot else 0.0))
    first: dict[str, float] = {}
    for post in known:
        first.setdefault(post.channel, post.members or 0.0)
    return first


def _metric(name: str, units: Sequence[Unit], alpha: float) -> dict[str, Any]:
    weighted, react = name.startswith("weighted"), name.endswith("react")
    excluded, used = [], []
    for unit in units:
        reason = _why_excluded(unit, weighted, react)
        if reason:
            excluded.append({"unit": unit.name, "reason": reason})
        else:
            used.append(unit)
    result: dict[str, Any] = {
        "value": None,
        "literal": _literal(units, weighted) if react else None,
        "interval": None,
        "lower": None,
        "n": len(used),
        "posts": sum(len(unit.values) if react else unit.offered for unit in used),
        "excluded": excluded,
        "reason": None,
        "units": [_unit_facts(unit, react, alpha) for unit in units],
    }
    if not used:
        result["reason"] = "no_units"
        return result
    raw = np.array([unit.members if weighted else 1.0 for unit in used], dtype=float)
    weights = raw / raw.sum()
    means = np.array([_mean(unit, react) for unit in used])
    result["value"] = float(weights @ means)
    if not react:
        result["literal"] = result["value"]
    bounds: Callable[[float], tuple[float, float]]
    if react:
        result["method"], bounds, lower = _share_bounds(weights, means, [u.values for u in used])
    else:
        result["method"] = "mover_clopper_pearson" if len(used) > 1 else "clopper_pearson"
        bounds = _count_bounds(weights, means, used)

        def lower(tail: float) -> float:
            return bounds(tail)[0]

        result["bounds_censored"] = [
            result["value"],
            float(sum(w * (u.accepted + u.censored) / u.offered for w, u in _zip(weights, used))),
        ]
        known = [(w, u) for w, u in _zip(weights, used) if u.offered > u.censored]
        total = sum(w for w, _ in known)
        result["value_answered"] = (
            float(sum(w * u.accepted / (u.offered - u.censored) for w, u in known) / total)
            if known
            else None
        )
    result["interval"] = list(bounds(alpha / 2))
    result["lower"] = lower(alpha / 4)
    return result


def _zip(weights: np.ndarray, units: Sequence[Unit]) -> list[tuple[float, Unit]]:
    return list(zip(weights.tolist(), units, strict=True))


def _why_excluded(unit: Unit, weighted: bool, react: bool) -> str:
    if react and not unit.values:
        return "no_reactions" if unit.posts else "no_posts"
    if not react and not unit.offered:
        return "nothing_offered"
    if weighted and not unit.members:
        return "members_unknown"
    return ""


def _mean(unit: Unit, react: bool) -> float:
    return float(np.mean(unit.values)) if react else unit.accepted / unit.offered


def _literal(units: Sequence[Unit], weighted: bool) -> float | None:
    rows = [unit for unit in units if unit.posts and (unit.members or not weighted)]
    if not rows:
        return None
    if not weighted:
        return float(np.mean([unit.likes / unit.posts for unit in rows]))
    members, posts = sum(unit.members or 0 for unit in rows), sum(unit.posts for unit in rows)
    return members / posts * sum((u.members or 0) * u.likes / u.posts for u in rows)


def _unit_facts(unit: Unit, react: bool, alpha: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"unit": unit.name, "members": unit.members}
    if react:
        return facts | {
            "value": float(np.mean(unit.values)) if unit.values else None,
            "posts": len(unit.values),
            "published": unit.posts,
            "likes": unit.likes,
        }
    offered = unit.offered
    return facts | {
        "value": unit.accepted / offered if offered else None,
        "interval": list(clopper_pearson(unit.accepted, offered, alpha)) if offered else None,
        "accepted": unit.accepted,
        "offered": offered,
        "censored": unit.censored,
    }


def _share_bounds(
    weights: np.ndarray, means: np.ndarray, samples: Sequence[Sequence[float]]
) -> tuple[str, Callable[[float], tuple[float, float]], Callable[[float], float]]:
    """Welch–Satterthwaite t of Σ w_i x_i; Hoeffding where the spread cannot be estimated.

    A channel with one post borrows the pooled variance within channels. Last, the one-sided lower
    bound that may support a claim: Student's misses too often where shares lean towards 1, so it is
    the lesser of Student's and of Korn and Graubard's (1998), Clopper–Pearson at the effective
    sample size x(1 − x)/variance · (z/t)².
    """
    sizes = np.array([len(sample) for sample in samples])
    squares = np.array(
        [np.square(np.asarray(s) - m).sum() for s, m in zip(samples, means, strict=True)]
    )
    value = float(weights @ means)
    freedom = int(sizes.sum() - len(sizes))
    pooled = float(squares.sum() / freedom) if freedom else 0.0
    if pooled <= 1e-12:
        scale = math.sqrt(float(np.sum(weights**2 / sizes)) / 2)

        def hoeffding(tail: float) -> tuple[float, float]:
            half = scale * math.sqrt(-math.log(tail))
            return max(0.0, value - half), min(1.0, value + half)

        return "hoeffding", hoeffding, lambda tail: hoeffding(tail)[0]
    variances = np.where(sizes > 1, squares / np.maximum(sizes - 1, 1), pooled)
    parts = weights**2 * variances / sizes
    own = sizes > 1
    divisor = np.where(own, np.maximum(sizes - 1, 1), freedom)
    degrees = float(parts.sum() ** 2 / np.sum(parts**2 / divisor))
    error = math.sqrt(float(parts.sum()))

    def student(tail: float) -> tuple[float, float]:
        half = float(t.isf(tail, degrees)) * error
        return max(0.0, value - half), min(1.0, value + half)

    def lower(tail: float) -> float:
        size = value * (1 - value) / error**2 * float(norm.isf(tail) / t.isf(tail, degrees)) ** 2
        skewed = float(beta.ppf(tail, size * value, size * (1 - value) + 1))
        return min(student(tail)[0], skewed)

    return "welch_t", student, lower


def _count_bounds(
    weights: np.ndarray, means: np.ndarray, units: Sequence[Unit]
) -> Callable[[float], tuple[float, float]]:
    """MOVER (Zou & Donner 2008) over Clopper–Pearson limits of each partner."""

    def bounds(tail: float) -> tuple[float, float]:
        value = float(weights @ means)
        limits = np.array([clopper_pearson(u.accepted, u.offered, 2 * tail) for u in units])
        down = math.sqrt(float(np.sum((weights * (means - limits[:, 0])) ** 2)))
        up = math.sqrt(float(np.sum((weights * (limits[:, 1] - means)) ** 2)))
        return max(0.0, value - down), min(1.0, value + up)

    return bounds


def clopper_pearson(successes: int, trials: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact two-sided 1 − α limits of a proportion; trials ≥ 1."""
    low = float(beta.ppf(alpha / 2, successes, trials - successes + 1)) if successes else 0.0
    high = 1.0
    if successes < trials:
        high = float(beta.isf(alpha / 2, successes + 1, trials - successes))
    return low, high


def pilot(metrics: dict[str, dict[str, Any]], ab_passed: bool) -> dict[str, Any]:
    """Both lines of the pilot verdict for the generated arm.

    document: any of the four ≥ 0.7 as a point estimate, or the A/B test passed.
    supported: any of the four with its Bonferroni lower bound ≥ 0.7.
    """
    arm = {name: metrics[name]["generated"] for name in NAMES}
    by_point = [n for n in NAMES if arm[n]["value"] is not None and arm[n]["value"] >= THRESHOLD]
    by_bound = [n for n in NAMES if arm[n]["lower"] is not None and arm[n]["lower"] >= THRESHOLD]
    return {
        "threshold": THRESHOLD,
        "document": {
            "passed": bool(by_point) or ab_passed,
            "metrics": by_point,
            "ab_passed": ab_passed,
        },
        "supported": {"passed": bool(by_bound), "metrics": by_bound},
    }


def secondary(posts: Sequence[Post]) -> dict[str, dict[str, Any]]:
    """arm → likes per 1,000 views, views, forwards and top-decile share of posts.

    The top decile is taken over all measured posts by likes per view (by share of likes where views
    are unknown); a tie at its edge counts in.
    """
    measured = [p for p in posts if p.status == "published" and p.likes is not None]
    viewed = [post for post in measured if post.views]
    by_views = len(viewed) == len(measured) and bool(viewed)
    score = {
        post.row: (post.likes or 0) / (post.views or 1) if by_views else post.share
        for post in measured
    }
    ranked = sorted((value for value in score.values() if value is not None), reverse=True)
    edge = ranked[max(1, math.ceil(len(ranked) / 10)) - 1] if ranked else None
    result = {}
    for arm in ARMS:
        mine = [post for post in measured if post.arm == arm]
        seen = [post for post in mine if post.views]
        views = sum(post.views or 0 for post in seen)
        forwards = [n for n in (post.number("forwards") for post in mine) if n is not None]
        scores = [score[post.row] for post in mine if score[post.row] is not None]
        result[arm] = {
            "posts": len(mine),
            "likes": sum(post.likes or 0 for post in mine),
            "dislikes": sum(post.dislikes or 0 for post in mine),
            "neutral": sum(post.neutral or 0 for post in mine),
            "views": views if seen else None,
            "likes_per_1000_views": (
                1000 * sum(post.likes or 0 for post in seen) / views if views else None
            ),
            "forwards": sum(forwards) if forwards else None,
            "forwards_per_post": sum(forwards) / len(forwards) if forwards else None,
            "top_decile": (
                sum(value >= edge for value in scores if value is not None) / len(scores)
                if scores and edge is not None
                else None
            ),
        }
    return result
