"""How alike two items are, in meaning and in spelling.

similarity = MEANING · (cos(embeddings of the titles) + cos(embeddings of title + lead)) / 2
+ (1 − MEANING) · cos(character 3-5-gram counts of title + lead, log-damped). The vectors depend
on their item alone, not on the rest of the batch, so a pair's similarity never changes as items
come and go. Measured in `benchmarks/trends.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from publisher.embedding import embed as built_in_embed

Embed = Callable[[Sequence[str]], np.ndarray]

MEANING = 0.6
MEANT_CHARS = 200
"""The lead's part that is embedded."""
SPELLED_CHARS = 600
"""The lead's part whose n-grams are counted."""


@dataclass(frozen=True)
class Vectors:
    """Unit rows for n items: `meaning` (n, 2d) dense, `spelling` (n, 2**18) sparse."""

    meaning: np.ndarray
    spelling: csr_matrix

    def between(self, one: int, others: Sequence[int]) -> np.ndarray:
        """Similarity of item `one` to each of `others`, shape (len(others),), in [-1, 1]."""
        chosen = list(others)
        meaning = self.meaning[chosen] @ self.meaning[one]
        spelling = (self.spelling[chosen] @ self.spelling[one].T).toarray().ravel()
        return MEANING * meaning + (1 - MEANING) * spelling


def vectors(titles: Sequence[str], leads: Sequence[str], embed: Embed = built_in_embed) -> Vectors:
    """The vectors of items given by title and lead (an empty lead is allowed)."""
    texts = [
        f"{title}. {lead}" if lead else title for title, lead in zip(titles, leads, strict=True)
    ]
    short = [text[: len(title) + MEANT_CHARS] for title, text in zip(titles, texts, strict=True)]
    long = [text[: len(title) + SPELLED_CHARS] for title, text in zip(titles, texts, strict=True)]
    rows = embed([*titles, *short]) / np.sqrt(2, dtype=np.float32)
    return Vectors(np.hstack([rows[: len(titles)], rows[len(titles) :]]), spelling_of(long))


def spelling_of(texts: Sequence[str]) -> csr_matrix:
    """Unit rows of log-damped character 3-5-gram counts, hashed; shape (n, 2**18)."""
    from sklearn.preprocessing import normalize

    counts = _hasher().transform(texts)
    counts.data = np.log1p(counts.data)
    return normalize(counts)


@cache
def _hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=2**18, alternate_sign=False, norm=None
    )
