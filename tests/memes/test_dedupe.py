from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from publisher.embedding import embed
from publisher.memes.dedupe import dedupe
from publisher.memes.types import Caption


def caption(*texts: str, template: str = "no_yes") -> Caption:
    return Caption(template, texts, "ru", "human")


def angles(texts: Sequence[str]) -> np.ndarray:
    """A text is an angle in degrees, before a colon."""
    degrees = np.radians([float(text.split(":")[0]) for text in texts])
    return np.column_stack([np.cos(degrees), np.sin(degrees)]).astype(np.float32)


def test_equal_texts_count_on_any_template() -> None:
    posted = [caption("Ёлка — в марте!", "норма")]
    same = caption("елка  в марте", "НОРМА", template="before_after")
    result = dedupe([same], posted, embed)
    assert result.kept == []
    (found,) = result.duplicates
    assert (found.of, found.posted, found.similarity) == (posted[0], True, 1.0)


def test_nearness_is_judged_more_strictly_on_one_template() -> None:
    first, near = caption("0:а"), caption("25:б")
    assert dedupe([first, near], [], angles).kept == [first]
    elsewhere = caption("25:б", template="moon")
    assert dedupe([first, elsewhere], [], angles).kept == [first, elsewhere]
    closer = caption("15:в", template="moon")
    assert dedupe([first, closer], [], angles).kept == [first]


def test_the_first_stays_and_chains_do_not_grow() -> None:
    a, b, c = caption("0:а"), caption("25:б"), caption("50:в")
    result = dedupe([a, b, c], [], angles)
    assert result.kept == [a, c]
    assert (result.duplicates[0].caption, result.duplicates[0].of) == (b, a)
    assert not result.duplicates[0].posted


def test_nothing_in_nothing_out() -> None:
    assert dedupe([], [caption("0:а")], angles).kept == []


def test_with_real_embeddings_other_words_for_the_same_and_another_joke() -> None:
    posted = [caption("Купить абонемент в спортзал", "Купить шаурму рядом со спортзалом")]
    again = caption("Купить абонемент в спортзал", "Купить шаурму возле спортзала")
    other = caption("Лечь спать в десять", "Смотреть ролики про осьминогов до трёх")
    result = dedupe([again, other], posted, embed)
    assert result.kept == [other]
