from __future__ import annotations

import numpy as np
import pytest

from publisher.screen.lexical import read
from publisher.screen.phrases import Lexicon, parse
from publisher.screen.second_opinion import features, probabilities, terms_of, undisguised
from publisher.screen.train import choose_thresholds, examples
from publisher.screen.verdict import Verdict
from publisher.screen.words import language_of, words


def test_lexicon_syntax() -> None:
    lexicon = Lexicon(parse("[death strong]\nкот .. спать|ушёл_домой\nпогиб* # comment\n", "x"))
    found = lambda text: [hit.places for hit in lexicon.find(words(text))]  # noqa: E731
    assert found("Коты очень сладко спят") == [(0, 3)]
    assert found("кот раз два три четыре спал") == []
    assert found("кот ушёл домой") == [(0, 1, 2)]
    assert found("погибли") == [(0,)]


@pytest.mark.parametrize("text", ["слово до раздела", "[death strong]\n..\n"])
def test_a_broken_lexicon_names_file_and_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"names:\d"):
        parse(text, "names")


def test_words_in_all_their_forms() -> None:
    assert "ракета" in words("ракетами")[0].lemmas
    assert {"bury", "crash"} <= words("buries")[0].lemmas | words("crashes")[0].lemmas
    assert words("пoгиб")[0].text == "погиб"


@pytest.mark.parametrize(
    ("disguised", "meant"),
    [
        ("Пoгиб шахтёp", "погиб шахтер"),  # Latin o, p
        ("BЗPЫB", "взрыв"),  # most letters Latin, one that only Cyrillic has
        ("взopвaли м0ст", "взорвали мост"),
        ("h0stage cr1sis", "hostage crisis"),
        ("iPhone 15, B2B и 5G", "iPhone 15, B2B и 5G"),
        ("Windows-машина", "Windows-машина"),
    ],
)
def test_letters_doubles_are_read_as_they_are_meant(disguised: str, meant: str) -> None:
    assert undisguised(disguised) == meant


def test_language() -> None:
    assert language_of("Новый iPhone подорожал") == "ru"
    assert language_of("The new phone") == "en"


def test_figures_of_speech_excuse_only_their_own_words() -> None:
    reading = read("Взрыв эмоций на концерте, взрыв газа в доме")
    assert reading.figurative and reading.strong


def test_labelled_sets_are_as_large_and_as_mixed_as_promised() -> None:
    for name in ("headlines", "captions"):
        whole = examples(name)
        texts = [example.text for example in whole]
        assert len(whole) >= 300 and len(set(texts)) == len(texts)
        assert {e.language for e in whole} == {"ru", "en"}
        assert {e.part for e in whole} == {"train", "held_out"}
        assert {e.label for e in whole} in ({"grave", "harmless"}, {"bad", "harmless"})


def test_probabilities() -> None:
    texts = ["Соседа наконец похоронили, можно шуметь", "Кот украл сосиску"]
    cruel, light = probabilities("captions", texts, features(texts))
    assert 0 <= light < cruel <= 1
    assert probabilities("captions", [], features([])).shape == (0,)


def test_terms_are_lemmas_and_neighbours() -> None:
    assert terms_of("Коты спали. Cats") == ["кот", "спать", "cat", "кот спать", "спать cat"]
    assert terms_of("") == []


def test_thresholds_keep_the_recall_first() -> None:
    scores = np.array([0.9, 0.4, 0.5, 0.1])
    bad = np.array([True, True, False, False])
    verdicts = lambda limit: [Verdict(s < limit, "ok" if s < limit else "doubt", s) for s in scores]  # noqa: E731
    grid = [0.2, 0.45, 0.6]
    assert choose_thresholds(grid, verdicts, bad, bad, 0.98, 0.1) == (0.2, 1, 1, 0.5)
    assert choose_thresholds(grid, verdicts, bad, bad, 0.0, 0.1) == (0.6, 0.5, 0.5, 1)
