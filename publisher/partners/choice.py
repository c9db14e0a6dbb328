"""Which meme goes to which partner.

A fixed share of offers is randomised: an arm by coin, a meme of that arm uniformly; only these
compare generated memes with human ones. The rest are chosen among generated memes by Thompson
sampling over templates, with partners shrunk towards each other, theme similarity, and a uniform
floor. Every choice logs the probability it had.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

FLOOR = 0.1
DRAWS = 400
STRENGTH = 6.0
THEME_WEIGHT = 3.0
Counts = Mapping[tuple[str, str], tuple[int, int]]
"""(partner, kind of meme) → (published, settled)."""


@dataclass(frozen=True)
class Candidate:
    """`kind` is what is learned about, the template; `theme` is a cosine in [-1, 1]."""

    meme: int
    kind: str
    theme: float = 0.0


@dataclass(frozen=True)
class Chosen:
    meme: int
    propensity: float


def uniform(secret: bytes, *names: object) -> float:
    """A number in [0, 1) that the secret and the names fix: HMAC-SHA256, its first 8 bytes."""
    message = "|".join(str(name) for name in names).encode()
    digest = hmac.new(secret, message, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def choose_uniformly(candidates: Sequence[Candidate], u: float) -> Chosen:
    """`u` in [0, 1). Raises ValueError without candidates."""
    if not candidates:
        raise ValueError("no candidates")
    index = min(int(u * len(candidates)), len(candidates) - 1)
    return Chosen(candidates[index].meme, 1 / len(candidates))


def draw(probabilities: Mapping[int, float], u: float) -> Chosen:
    """The meme on which `u` in [0, 1) falls when the probabilities are laid end to end."""
    memes, p = list(probabilities), np.array(list(probabilities.values()))
    index = min(int(np.searchsorted(np.cumsum(p), u, side="right")), len(memes) - 1)
    return Chosen(memes[index], float(p[index]))


def thompson_probabilities(
    candidates: Sequence[Candidate], counts: Counts, partner: str, rng: np.random.Generator
) -> np.ndarray:
    """Probability of each candidate, shape (n,), each ≥ FLOOR/n.

    For each draw the success rate of each kind at this partner comes from its beta posterior; the
    theme moves its log-odds by THEME_WEIGHT × (similarity − mean similarity); the best wins.
    Raises ValueError without candidates.
    """
    if not candidates:
        raise ValueError("no candidates")
    kinds = sorted({c.kind for c in candidates})
    shapes = np.array([posterior(counts, partner, kind) for kind in kinds])
    rates = rng.beta(shapes[:, 0], shapes[:, 1], size=(DRAWS, len(kinds)))
    column = np.array([kinds.index(c.kind) for c in candidates])
    theme = np.array([c.theme for c in candidates])
    odds = logit(np.clip(rates[:, column], 1e-6, 1 - 1e-6))
    scores = expit(odds + THEME_WEIGHT * (theme - theme.mean()))
    # Memes of one kind share their draw: a tie goes to one of them at random, not to the first.
    scores = scores + rng.uniform(0, 1e-6, scores.shape)
    wins = np.bincount(scores.argmax(axis=1), minlength=len(candidates)) / DRAWS
    return FLOOR / len(candidates) + (1 - FLOOR) * wins


def posterior(counts: Counts, partner: str, kind: str) -> tuple[float, float]:
    """Beta shapes of a kind's rate at a partner.

    The partner's prior is the kind's rate over all partners plus the partner's own rate over all
    kinds minus the grand rate (on the log-odds scale), each itself shrunk to the grand rate and
    worth STRENGTH offers.
    """
    grand = _rate(counts.values(), 0.3)
    of_kind = _rate((v for (_, k), v in counts.items() if k == kind), grand)
    of_partner = _rate((v for (p, _), v in counts.items() if p == partner), grand)
    prior = float(expit(logit(of_kind) + logit(of_partner) - logit(grand)))
    yes, settled = counts.get((partner, kind), (0, 0))
    return STRENGTH * prior + yes, STRENGTH * (1 - prior) + settled - yes


def _rate(pairs: object, prior: float) -> float:
    yes = settled = 0
    for one, both in pairs:  # type: ignore[attr-defined]
        yes, settled = yes + one, settled + both
    return (yes + STRENGTH * prior) / (settled + STRENGTH)
