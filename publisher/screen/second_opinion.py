"""Small classifiers beside the rules: does a topic sound grave, does a caption sound cruel?

Each is the sum of two: a support vector machine with a Gaussian kernel over the built-in sentence
embedding of the text as written and in lower case and the mean of its words' vectors learned from
news, and a linear classifier of its words and pairs of words. Trained by
`python -m publisher.screen.train` on the labelled texts. They always use the built-in embedding,
whatever model the rest of the house uses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from publisher.embedding import embed
from publisher.screen.news_vectors import news_vectors
from publisher.screen.words import fold, in_one_alphabet, words

Subject = Literal["topics", "captions"]
FOLDER = Path(__file__).parent / "opinions"
GAMMA = 0.5
TERMS_SHARE = 0.1
"""What the words count for beside the support vector machine."""
_NEWS = 1.2
"""The length of the mean of the words' vectors; a sentence embedding has the length 1."""
_BATCH = 1000
_CYRILLIC_DIGITS = str.maketrans("0346", "озчб")
_LATIN_DIGITS = str.maketrans("01345", "oieas")


@dataclass(frozen=True)
class Terms:
    """score = Σ weight · tf-idf + intercept, with tf-idf = (1 + log count) · idf of each known
    term, divided by their Euclidean norm."""

    places: Mapping[str, int]
    idf: np.ndarray
    weights: np.ndarray
    intercept: float

    def score(self, text: str) -> float:
        counts = Counter(term for term in terms_of(text) if term in self.places)
        if not counts:
            return self.intercept
        at = [self.places[term] for term in counts]
        values = (1 + np.log(list(counts.values()))) * self.idf[at]
        return float(values @ self.weights[at] / np.linalg.norm(values)) + self.intercept


@dataclass(frozen=True)
class Model:
    """distance = Σ weights · exp(−GAMMA ‖x·axes − support‖²) + intercept + TERMS_SHARE · score of
    the terms; the probability of a bad text is the logistic function of slope · distance + offset
    (Platt scaling)."""

    axes: np.ndarray
    """The principal axes of the features, shape (features, fewer): half the size, judged alike."""
    support: np.ndarray
    weights: np.ndarray
    intercept: float
    slope: float
    offset: float
    terms: Terms
    limits: tuple[float, ...]
    """The thresholds chosen in training; what each is for, the screen of that subject says."""


def terms_of(text: str) -> list[str]:
    """The words of `text` by their shortest lemmas, and the pairs of neighbours."""
    lemmas = [min(word.lemmas, key=lambda lemma: (len(lemma), lemma)) for word in words(text)]
    return lemmas + [f"{first} {second}" for first, second in pairwise(lemmas)]


def features(texts: Sequence[str]) -> np.ndarray:
    """Shape (n, 1324) float32: the embeddings as written and in lower case, the words' vectors."""
    # a final full stop alone would shift the embedding, a letter's double far more
    texts = [undisguised(text).strip().rstrip(".!…") for text in texts]
    both = embed([*texts, *map(fold, texts)])
    return np.hstack([both[: len(texts)], both[len(texts) :], _NEWS * news_vectors(texts)])


def undisguised(text: str) -> str:
    """`text` with words of two alphabets in one, and digits inside words as letters."""
    return re.sub(r"[^\W_]+", lambda match: _meant(match.group()), text)


def _meant(token: str) -> str:
    folded = fold(token)
    meant = in_one_alphabet(folded)
    if re.fullmatch(r"[^\W\d_]+\d{1,2}[^\W\d_]{2,}", meant):
        meant = meant.translate(_CYRILLIC_DIGITS if re.search("[а-я]", meant) else _LATIN_DIGITS)
    return token if meant == folded else meant


def probabilities(subject: Subject, texts: Sequence[str], rows: np.ndarray) -> np.ndarray:
    """For each text and row of its features the probability that it is grave (topics) or cruel
    (captions), shape (n,)."""
    known = model(subject)
    starts = range(0, len(rows), _BATCH)
    distance = np.concatenate(
        [_distance(rows[i : i + _BATCH], known) for i in starts] or [np.zeros(0)]
    )
    distance += TERMS_SHARE * np.array([known.terms.score(text) for text in texts])
    return 1 / (1 + np.exp(-(known.slope * distance + known.offset)))


def _distance(rows: np.ndarray, known: Model) -> np.ndarray:
    rows = rows @ known.axes
    squares = (
        (rows**2).sum(axis=1)[:, None]
        + (known.support**2).sum(axis=1)[None, :]
        - 2 * rows @ known.support.T
    )
    return np.exp(-GAMMA * squares) @ known.weights + known.intercept


def weights_file(subject: Subject) -> Path:
    return FOLDER / f"{subject}.npz"


@cache
def model(subject: Subject) -> Model:
    """The trained model of a subject."""
    with np.load(weights_file(subject)) as stored:
        intercept, slope, offset, terms_intercept = map(float, stored["scalars"])
        terms = str(stored["terms"]).split("\n")
        return Model(
            stored["axes"].astype(np.float32),
            stored["support"].astype(np.float32),
            stored["weights"].astype(np.float32),
            intercept,
            slope,
            offset,
            Terms(
                {term: place for place, term in enumerate(terms)},
                stored["idf"],
                stored["terms_weights"],
                terms_intercept,
            ),
            tuple(map(float, stored["thresholds"])),
        )
