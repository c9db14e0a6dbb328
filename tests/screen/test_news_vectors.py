from __future__ import annotations

import numpy as np
import pytest

from publisher.screen.news_vectors import SIZE, news_vectors


def test_related_words_of_the_news_are_near() -> None:
    fire, blaze, cake = news_vectors(["пожар", "возгорание", "пирожное"])
    assert fire @ blaze > fire @ cake + 0.1


def test_a_text_is_the_mean_of_its_known_words() -> None:
    vectors = news_vectors(["Спасатели ищут туриста", "туриста СПАСАТЕЛИ ищут", "ыъыъы", ""])
    assert vectors.shape == (4, SIZE) and vectors.dtype == np.float32
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-6)
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)
    assert not vectors[2:].any()
    assert news_vectors([]).shape == (0, SIZE)
