"""How many pairs, how many weeks: planning an experiment."""

import math
from dataclasses import dataclass

from scipy.stats import norm

from experiments.faults import refuse
from experiments.signflip import fewest_pairs
from experiments.verdict import SIGMA_ASSUMED

SMALLEST_EFFECT = 0.0001


@dataclass(frozen=True)
class Plan:
    """`weeks` is None without a rate of pairs a week."""

    effect: float
    sigma: float
    power: float
    alpha: float
    pairs: int
    weeks: int | None


def plan(
    effect: float,
    *,
    sigma: float = SIGMA_ASSUMED,
    power: float = 0.8,
    alpha: float = 0.05,
    pairs_per_week: float | None = None,
) -> Plan:
    """Pairs n = (z_{1−α/2} + z_power)² σ_d² / δ² for a difference δ of shares.

    Never fewer than `fewest_pairs`.

    Raises ValueError for an effect of zero or values out of range.
    """
    refuse(
        (
            (
                not SMALLEST_EFFECT <= abs(effect) < 1,
                "effect",
                {"least": SMALLEST_EFFECT, "value": effect},
            ),
            (not 0 < sigma <= 1, "up_to", {"name": "sigma", "low": 0, "high": 1, "value": sigma}),
            (
                not 0.5 <= power < 1,
                "from",
                {"name": "power", "low": 0.5, "high": 1, "value": power},
            ),
            (
                not 0 < alpha < 0.5,
                "between",
                {"name": "alpha", "low": 0, "high": 0.5, "value": alpha},
            ),
            (
                pairs_per_week is not None and not 0 < pairs_per_week < math.inf,
                "positive",
                {"name": "pairs per week", "value": pairs_per_week},
            ),
        )
    )
    z = float(norm.isf(alpha / 2) + norm.ppf(power))
    pairs = max(fewest_pairs(alpha), math.ceil(z**2 * sigma**2 / effect**2 - 1e-9))
    weeks = math.ceil(pairs / pairs_per_week) if pairs_per_week else None
    return Plan(effect, sigma, power, alpha, pairs, weeks)


def power_of(pairs: int, effect: float, sigma: float, alpha: float = 0.05) -> float:
    """Normal approximation of the power of one look at the end; 0 where none can reject."""
    if pairs < fewest_pairs(alpha):
        return 0.0
    shift = abs(effect) * math.sqrt(pairs) / sigma
    z = float(norm.isf(alpha / 2))
    return float(norm.sf(z - shift) + norm.cdf(-z - shift))
