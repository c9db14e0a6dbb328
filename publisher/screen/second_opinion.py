"""A small classifier beside the lexicon: does a text sound like a grave subject?

Logistic regression over the built-in sentence embedding of the text as written and in lower
case (512 numbers each) and its hashed lemmas; trained by `python -m publisher.screen.train` on
the labelled headlines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from publisher.embedding import embed
from publisher.screen.words import fold, words

WEIGHTS = Path(__file__).parent / "second_opinion.npz"
HASHED = 4096
LEMMAS_WEIGHT = 0.7
"""How much the hashed lemmas count beside the embeddings; chosen by cross-validation."""


@dataclass(frozen=True)
class Thresholds:
    """At which probability of a grave subject a topic is refused."""

    weak: float
    """... when it holds an ambiguous word (an explosion, a battle, to die)."""
    figurative: float
    """... when its ambiguous words all belong to known figures of speech."""
    plain: float
    """... when the lexicon finds nothing in it."""


def features(texts: Sequence[str]) -> np.ndarray:
    """Shape (n, 1024 + HASHED) float32: two embeddings, then the hashed lemmas."""
    # a final full stop alone would shift the embedding
    texts = [text.strip().rstrip(".!…") for text in texts]
    lemmas = [" ".join(min(word.lemmas) for word in words(text)) for text in texts]
    hashed = _hasher().transform(lemmas).toarray().astype(np.float32)
    both = embed([*texts, *map(fold, texts)])
    return np.hstack([both[: len(texts)], both[len(texts) :], LEMMAS_WEIGHT * hashed])


def grave_probabilities(texts: Sequence[str]) -> np.ndarray:
    """Probability of a grave subject for each text, shape (n,)."""
    coefficients, intercept = _weights()
    batches = [texts[i : i + 1000] for i in range(0, len(texts), 1000)]
    logits = [features(batch) @ coefficients + intercept for batch in batches]
    return 1 / (1 + np.exp(-np.concatenate(logits))) if logits else np.zeros(0)


@cache
def thresholds() -> Thresholds:
    """The thresholds chosen in training."""
    with np.load(WEIGHTS) as stored:
        return Thresholds(*map(float, stored["thresholds"]))


@cache
def _weights() -> tuple[np.ndarray, float]:
    with np.load(WEIGHTS) as stored:
        return stored["coefficients"].astype(np.float32), float(stored["intercept"])


@cache
def _hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(n_features=HASHED, norm="l2", lowercase=False)
