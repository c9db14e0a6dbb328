from __future__ import annotations

import numpy as np
import pytest

from publisher.screen.lexical import read
from publisher.screen.phrases import Lexicon, parse
from publisher.screen.second_opinion import grave_probabilities, undisguised
from publisher.screen.train import choose_thresholds, examples
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
    grave, light = grave_probabilities(["Ребёнок погиб в пожаре", "Кот украл сосиску"])
    assert 0 <= light < grave <= 1
    assert grave_probabilities([]).shape == (0,)


def test_thresholds_keep_the_recall_first() -> None:
    texts = ["Погибли трое", "Взрыв на площади", "Кофе подорожал", "Снег выпал"]
    bad = np.array([True, True, False, False])
    _, on_direct, on_bad, passed = choose_thresholds(
        [read(t) for t in texts], np.array([0.9, 0.6, 0.3, 0.1]), bad, bad
    )
    assert (on_direct, on_bad, passed) == (1, 1, 1)
