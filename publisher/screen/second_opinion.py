"""A small classifier beside the lexicon: does a text sound like a grave subject?

A support vector machine with a Gaussian kernel over the built-in sentence embedding of the text
as written and in lower case; trained by `python -m publisher.screen.train` on the labelled
headlines. It always uses the built-in embedding, whatever model the rest of the house uses.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from publisher.embedding import embed
from publisher.screen.words import fold, in_one_alphabet

WEIGHTS = Path(__file__).parent / "second_opinion.npz"
GAMMA = 0.7
_BATCH = 1000
_CYRILLIC_DIGITS = str.maketrans("0346", "озчб")
_LATIN_DIGITS = str.maketrans("01345", "oieas")


@dataclass(frozen=True)
class Thresholds:
    """At which probability of a grave subject a topic is refused."""

    weak: float
    """... when it holds an ambiguous word (an explosion, a battle, to die)."""
    figurative: float
    """... when its ambiguous words all belong to known figures of speech."""
    plain: float
    """... when the lexicon finds nothing in it."""


@dataclass(frozen=True)
class Model:
    """distance = Σ weights · exp(−GAMMA ‖x − support‖²) + intercept; the probability of a grave
    subject is the logistic function of slope · distance + offset (Platt scaling)."""

    support: np.ndarray
    weights: np.ndarray
    intercept: float
    slope: float
    offset: float
    thresholds: Thresholds


def features(texts: Sequence[str]) -> np.ndarray:
    """Shape (n, 1024) float32: the embeddings as written and in lower case."""
    # a final full stop alone would shift the embedding, a letter's double far more
    texts = [undisguised(text).strip().rstrip(".!…") for text in texts]
    both = embed([*texts, *map(fold, texts)])
    return np.hstack([both[: len(texts)], both[len(texts) :]])


def undisguised(text: str) -> str:
    """`text` with words of two alphabets in one, and digits inside words as letters."""
    return re.sub(r"[^\W_]+", lambda match: _meant(match.group()), text)


def _meant(token: str) -> str:
    folded = fold(token)
    meant = in_one_alphabet(folded)
    if re.fullmatch(r"[^\W\d_]+\d{1,2}[^\W\d_]{2,}", meant):
        meant = meant.translate(_CYRILLIC_DIGITS if re.search("[а-я]", meant) else _LATIN_DIGITS)
    return token if meant == folded else meant


def grave_probabilities(texts: Sequence[str]) -> np.ndarray:
    """Probability of a grave subject for each text, shape (n,)."""
    batches = [texts[i : i + _BATCH] for i in range(0, len(texts), _BATCH)]
    return np.concatenate(
        [_probabilities(features(batch), model()) for batch in batches] or [np.zeros(0)]
    )


def _probabilities(rows: np.ndarray, known: Model) -> np.ndarray:
    squares = (
        (rows**2).sum(axis=1)[:, None]
        + (known.support**2).sum(axis=1)[None, :]
        - 2 * rows @ known.support.T
    )
    distance = np.exp(-GAMMA * squares) @ known.weights + known.intercept
    return 1 / (1 + np.exp(-(known.slope * distance + known.offset)))


@cache
def model() -> Model:
    """The trained model."""
    with np.load(WEIGHTS) as stored:
        intercept, slope, offset = map(float, stored["scalars"])
        return Model(
            stored["support"].astype(np.float32),
            stored["weights"].astype(np.float32),
            intercept,
            slope,
            offset,
            Thresholds(*map(float, stored["thresholds"])),
        )
