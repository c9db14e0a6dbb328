"""Many experiments at once: how often each method is right, on the documented model.

The registered methods are computed here for whole blocks of simulated experiments by matrix
products of shared sign vectors; tests hold them equal to `signflip` and `sequential`, one by one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2, norm

from experiments.model import Array, Model, draw
from experiments.sequential import log_e, mixture_variance, spending

BLOCK = 250
SLACK = 1e-9


@dataclass(frozen=True)
class Outcome:
    """Shares of runs, each in [0, 1], and their number.

    `stop`: mean look of the decision. `not_worse`: the verdict "not worse" at some look, by the
    one-sided bound at the last and the always-valid limit at those before.
    """

    model: Model
    runs: int
    vectors: int
    one_look: float
    boundary: float
    always_valid: float
    either: float
    peeking: float
    pooled: float
    pooled_peeking: float
    coverage: float
    coverage_always: float
    not_worse: float
    stop: float
    sd: float
    pooled_critical: float
    pooled_adjusted: float | None
    rejected_by_look: tuple[float, ...]


def simulate(
    model: Model,
    *,
    runs: int = 2000,
    seed: int = 1,
    vectors: int = 1999,
    alpha: float = 0.05,
    margin: float = 0.05,
    pooled_critical: float | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Run the model `runs` times, in blocks with fresh sign vectors, and count.

    `pooled_critical`: the value that the pooled chi-square must exceed to hold its level here (from
    a run under no effect); gives its size-adjusted power. `progress` is told the runs just done.
    """
    collected: dict[str, list[Array]] = {}
    for number, begin in enumerate(range(0, runs, BLOCK)):
        size = min(BLOCK, runs - begin)
        rng = np.random.default_rng([seed, number])
        drawn = draw(model, size, rng)
        d = drawn.differences
        found = registered_methods(d, drawn.week, model.weeks, vectors, alpha, rng)
        found["covered"] = (found["low"] <= drawn.truth) & (drawn.truth <= found["high"])
        found |= _any_time(d, drawn.truth, model.pairs, alpha)
        found["not_worse"] = _not_worse(d, drawn.week, model, found["lower"], margin, alpha)
        found |= _pooled(drawn.likes, drawn.reactions, drawn.week, model.weeks, alpha)
        found["sd"] = d.std(axis=0, ddof=1)
        for name, values in found.items():
            collected.setdefault(name, []).append(values)
        progress(size)
    table = {name: np.concatenate(parts) for name, parts in collected.items()}
    decided = table["stop_look"] > 0
    statistic = table["pooled_statistic"]
    return Outcome(
        model=model,
        runs=runs,
        vectors=vectors,
        one_look=_mean(table["p_value"] <= alpha + SLACK),
        boundary=_mean(decided),
        always_valid=_mean(table["always_rejects"]),
        either=_mean(decided | table["always_rejects"]),
        peeking=_mean(table["peeked"]),
        pooled=_mean(statistic > chi2.isf(alpha, 1)),
        pooled_peeking=_mean(table["pooled_peeked"]),
        coverage=_mean(table["covered"]),
        coverage_always=_mean(table["always_covers"]),
        not_worse=_mean(table["not_worse"]),
        stop=_mean(np.where(decided, table["stop_look"], model.weeks)),
        sd=_mean(table["sd"]),
        pooled_critical=float(np.quantile(statistic, 1 - alpha)),
        pooled_adjusted=None if pooled_critical is None else _mean(statistic > pooled_critical),
        rejected_by_look=tuple(
            _mean(decided & (table["stop_look"] <= look)) for look in range(1, model.weeks + 1)
        ),
    )


def registered_methods(
    d: Array, week: Array, weeks: int, vectors: int, alpha: float, rng: np.random.Generator
) -> dict[str, Array]:
    """Sign-flip test at the end, its interval, the boundary over the weeks, and plain peeking.

    `d`: (pairs, runs), pairs in order of `week` (from 0). Each result is (runs,): p_value, low,
    high, stop_look (0: never), peeked.
    """
    pairs, runs = d.shape
    flips = np.zeros((vectors + 1, pairs), dtype=np.float64)
    flips[1:] = rng.integers(0, 2, size=(vectors, pairs))
    minus = np.zeros((vectors + 1, runs))
    alive = np.ones((vectors + 1, runs), dtype=bool)
    stop = np.zeros(runs, dtype=int)
    peeked = np.zeros(runs, dtype=bool)
    p_value = np.ones(runs)
    for look in range(1, weeks + 1):
        mine = week == look - 1
        minus += flips[:, mine] @ d[mine]
        so_far = d[week < look]
        tie = 1e-11 * np.abs(so_far).sum(axis=0)
        size = np.abs(so_far.sum(axis=0) - 2 * minus)
        p_value = (size >= size[0] - tie).mean(axis=0)
        peeked |= p_value <= alpha + SLACK
        allowed = math.floor(spending(look / weeks, alpha) * (vectors + 1) + SLACK)
        _retire(size, alive, allowed, tie)
        stop = np.where((stop == 0) & ~alive[0], look, stop)
    low, high, lower = _invert(minus, flips.sum(axis=1), d, alpha)
    return {
        "p_value": p_value,
        "low": low,
        "high": high,
        "lower": lower,
        "stop_look": stop,
        "peeked": peeked,
    }


def _retire(size: Array, alive: Array, allowed: int, tie: Array) -> None:
    """Retire, run by run, the largest surviving sizes until `allowed` are retired in all."""
    remaining = np.where(alive, size, -1.0)
    # With r retired before (they sort first as −1), the first kept is the (allowed − r)-th from
    # the top; r differs from run to run only through ties.
    budget = allowed - (~alive).sum(axis=0)
    for count in np.unique(budget[budget > 0]):
        columns = np.flatnonzero(budget == count)
        place = len(size) - count - 1
        kept = np.partition(remaining[:, columns], place, axis=0)[place]
        alive[:, columns] &= ~(remaining[:, columns] > kept + tie[columns])


def _invert(minus: Array, counts: Array, d: Array, alpha: float) -> tuple[Array, Array, Array]:
    """Two-sided interval and one-sided lower bound of each run, (runs,) each."""
    pairs, runs = d.shape
    rank = math.floor(alpha * len(minus) + SLACK)
    all_minus, no_minus = counts == pairs, counts == 0
    partial = ~(all_minus | no_minus)
    flipped, many = minus[partial], counts[partial][:, None]
    one = flipped / many
    two = (d.sum(axis=0) - flipped) / (pairs - many)
    low, high, lower = np.full(runs, -1.0), np.full(runs, 1.0), np.full(runs, -1.0)
    two_sided = rank - int((~partial).sum())
    if two_sided >= 0:
        low = np.partition(np.minimum(one, two), two_sided, axis=0)[two_sided]
        high = -np.partition(-np.maximum(one, two), two_sided, axis=0)[two_sided]
    one_sided = rank - int(no_minus.sum())
    if one_sided >= 0:
        means = np.vstack([one, np.tile(d.mean(axis=0), (int(all_minus.sum()), 1))])
        lower = np.partition(means, one_sided, axis=0)[one_sided]
    return low, high, lower


def _not_worse(
    d: Array, week: Array, model: Model, lower: Array, margin: float, alpha: float
) -> Array:
    said = lower > -margin
    eta = mixture_variance(model.pairs)
    for look in range(1, model.weeks):
        shifted = d[week < look] + margin
        total = shifted.sum(axis=0)
        value = log_e(total, np.square(shifted).sum(axis=0), eta)
        said |= (total > 0) & (value >= -math.log(alpha))
    return said


def _any_time(d: Array, truth: Array, planned: int, alpha: float) -> dict[str, Array]:
    """The e-process looked at after every single pair, for no effect and for the truth."""
    eta, threshold = mixture_variance(planned), -math.log(alpha)
    at_zero = log_e(d.cumsum(axis=0), np.square(d).cumsum(axis=0), eta)
    centred = d - truth
    at_truth = log_e(centred.cumsum(axis=0), np.square(centred).cumsum(axis=0), eta)
    return {
        "always_rejects": (at_zero >= threshold).any(axis=0),
        "always_covers": (at_truth < threshold).all(axis=0),
    }


def _pooled(
    likes: dict[str, Array], reactions: dict[str, Array], week: Array, weeks: int, alpha: float
) -> dict[str, Array]:
    """The naive test: all reactions of each arm in one 2 × 2 chi-square, at the end and weekly."""
    peeked = np.zeros(likes["human"].shape[1], dtype=bool)
    statistic = np.zeros(len(peeked))
    for look in range(1, weeks + 1):
        seen = week < look
        a, b = (likes[arm][seen].sum(axis=0) for arm in ("generated", "human"))
        n, m = (reactions[arm][seen].sum(axis=0) for arm in ("generated", "human"))
        share = (a + b) / (n + m)
        variance = share * (1 - share) * (1 / n + 1 / m)
        statistic = np.divide(
            (a / n - b / m) ** 2, variance, out=np.zeros_like(share), where=variance > 0
        )
        peeked |= statistic > chi2.isf(alpha, 1)
    return {"pooled_statistic": statistic, "pooled_peeked": peeked}


def _mean(values: Any) -> float:
    return float(np.mean(values))


def error(share: float, runs: int) -> float:
    """Half the 95 % Monte-Carlo interval of a share counted over `runs`."""
    return float(norm.isf(0.025)) * math.sqrt(max(share * (1 - share), 1e-9) / runs)
