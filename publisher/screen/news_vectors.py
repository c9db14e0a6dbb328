"""What a word means in the news: word vectors learned from a billion words of Russian news.

They are Navec's (300 dimensions, 250,000 words, some of them English names), which the package
`natasha` carries as a file; the package itself is not imported.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from publisher.embedding import EmbeddingError
from publisher.screen.words import Word
from publisher.screen.words import words as words_in
from publisher.sentences import words

if TYPE_CHECKING:
    from navec import Navec

SIZE = 300
_FILE = "data/emb/navec_news_v1_1B_250K_300d_100q.tar"


def news_vectors(texts: Sequence[str]) -> np.ndarray:
    """For each text the mean direction of its known words, shape (n, 300) float32, rows of length
    1 (zeros where no word is known)."""
    return np.array([_mean(words_in(text)) for text in texts], np.float32).reshape(len(texts), SIZE)


def _mean(read: Sequence[Word]) -> np.ndarray:
    known = [vector for word in read if (vector := _vector(word)) is not None]
    if not known:
        return np.zeros(SIZE, np.float32)
    mean = np.mean(known, axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-6)


@lru_cache(maxsize=50_000)
def _vector(word: Word) -> np.ndarray | None:
    """The vector of the word as it stands, else of its first known lemma."""
    vectors = _news()
    for form in (word.text, *sorted(word.lemmas)):
        if form in vectors:
            vector: np.ndarray = vectors[form]
            return vector / np.linalg.norm(vector)
    return None


@cache
def _news() -> Navec:
    """Raises EmbeddingError when the package that carries them is missing."""
    from navec import Navec

    package = find_spec("natasha")
    if package is None or not package.submodule_search_locations:
        raise EmbeddingError(words("the news vectors are not installed; install natasha"))
    return Navec.load(Path(package.submodule_search_locations[0]) / _FILE)
