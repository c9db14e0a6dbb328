"""A documented model of channels and their posts, for simulation, calibration and examples.

Channel c has a base share u_c ~ N(base, channel_sd²), its hour h a shift v_ch ~ N(0, hour_sd²),
both shared by the two posts of a pair. A post of arm a has a mean share

    μ = clip(u_c + v_ch + [a = generated](effect + channel_effect_c), 0.02, 0.98),

its own share π ~ Beta(μκ, (1 − μ)κ) with κ = (1 − ρ)/ρ (ρ: how alike the reactions under one
post are, beyond its mean), and N = 1 + Poisson(λ_c e^{τz − τ²/2}) reactions, z ~ N(0, 1):
heavy-tailed for large τ. Likes are Binomial(N, π). Coins decide which post comes first, so the
order carries no information and is not drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.faults import refuse

Array = NDArray[Any]
CLIP = 0.02


@dataclass(frozen=True)
class Model:
    """Parameters of the simulation; shares in [0, 1], effect as a difference of shares."""

    channels: int = 3
    weeks: int = 8
    pairs_per_week: int = 7
    effect: float = 0.0
    rho: float = 0.1
    base: float = 0.65
    channel_sd: float = 0.08
    hour_sd: float = 0.04
    hours: int = 4
    reactions: float = 40.0
    tail: float = 0.7
    rho_generated: float | None = None
    reactions_ratio: float = 1.0
    channel_effect: float = 0.0

    def __post_init__(self) -> None:
        least = [("channels", self.channels), ("weeks", self.weeks)]
        least.append(("pairs per week", self.pairs_per_week))
        open_ranges = [("rho", self.rho, 0), ("effect", self.effect, -1), ("base", self.base, 0)]
        refuse(
            [
                *((v < 1, "least", {"name": n, "least": 1, "value": v}) for n, v in least),
                *(
                    (not low < v < 1, "between", {"name": n, "low": low, "high": 1, "value": v})
                    for n, v, low in open_ranges
                ),
            ]
        )

    @property
    def pairs(self) -> int:
        return self.channels * self.weeks * self.pairs_per_week

    def with_effect(self, effect: float) -> "Model":
        return replace(self, effect=effect)


@dataclass(frozen=True)
class Draw:
    """Likes and reactions of both arms, (pairs, runs); `week` and `channel` of each pair, from 0.

    `truth`: (runs,) expected mean difference given the drawn channels and hours.
    """

    week: Array
    channel: Array
    likes: dict[str, Array]
    reactions: dict[str, Array]
    truth: Array

    @property
    def differences(self) -> Array:
        shares = {arm: self.likes[arm] / self.reactions[arm] for arm in self.likes}
        return shares["generated"] - shares["human"]


def draw(model: Model, runs: int, rng: np.random.Generator) -> Draw:
    """`runs` independent experiments of the model, pairs in order of week."""
    per_week = model.channels * model.pairs_per_week
    week = np.repeat(np.arange(model.weeks), per_week)
    channel = np.tile(np.repeat(np.arange(model.channels), model.pairs_per_week), model.weeks)
    hour = np.tile(np.arange(model.pairs_per_week) % model.hours, model.channels * model.weeks)
    base = model.base + model.channel_sd * rng.standard_normal((model.channels, runs))
    shift = model.hour_sd * rng.standard_normal((model.channels, model.hours, runs))
    # Channel effects sum to zero: the mean effect stays what was asked for.
    own = np.linspace(-1, 1, model.channels) if model.channels > 1 else np.zeros(1)
    extra = model.channel_effect * own
    level = (base[channel] + shift[channel, hour]).clip(CLIP, 1 - CLIP)
    size = model.reactions * np.exp(0.4 * rng.standard_normal((model.channels, runs)))
    likes, reactions, means = {}, {}, {}
    for arm in ("generated", "human"):
        generated = arm == "generated"
        mean = level + (model.effect + extra[channel])[:, None] if generated else level
        means[arm] = mean.clip(CLIP, 1 - CLIP)
        rho = model.rho_generated if generated and model.rho_generated else model.rho
        kappa = (1 - rho) / rho
        share = rng.beta(means[arm] * kappa, (1 - means[arm]) * kappa)
        z = rng.standard_normal(level.shape)
        rate = size[channel] * np.exp(model.tail * z - model.tail**2 / 2)
        count = 1 + rng.poisson(rate * (model.reactions_ratio if generated else 1.0))
        likes[arm], reactions[arm] = rng.binomial(count, share), count
    truth = (means["generated"] - means["human"]).mean(axis=0)
    return Draw(week, channel, likes, reactions, truth)


def post_rows(
    model: Model, seed: int, *, start: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """One simulated experiment as rows of posts.csv (the arms' order by a seeded coin)."""
    rng = np.random.default_rng(seed)
    drawn = draw(model, 1, rng)
    start = start or datetime(2026, 9, 7, 9, tzinfo=UTC)
    for pair, (week, channel) in enumerate(zip(drawn.week, drawn.channel, strict=True)):
        place = pair % (model.channels * model.pairs_per_week) % model.pairs_per_week
        first = start + timedelta(weeks=int(week), hours=14 * 24 / 7 * 3 * place / 6)
        arms = ["generated", "human"] if rng.random() < 0.5 else ["human", "generated"]
        for position, arm in enumerate(arms):
            at = first + timedelta(hours=position * 5)
            likes, total = int(drawn.likes[arm][pair, 0]), int(drawn.reactions[arm][pair, 0])
            yield {
                "post_id": f"{pair}-{arm}",
                "channel": f"channel{channel + 1}",
                "members": 1000 * (int(channel) + 1),
                "slot_utc": at.isoformat(),
                "week": "{}-W{:02d}".format(*at.isocalendar()),
                "pair_id": f"pair{pair}",
                "arm": arm,
                "status": "published",
                "likes": likes,
                "dislikes": total - likes,
                "neutral": 0,
                "views": 12 * total + 30,
                "window_h": 48,
            }
