"""Words that are none, adjectives that do not agree."""

import pytest

from publisher.memes.corpus import load_corpus
from publisher.memes.grammar import bad_russian


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Написать заявление наипотеку", "no word: «наипотеку»"),
        ("Я люблю этот кота", "«этот кота» do not agree"),
        ("Кот зашёл в моя комнату", "«моя комнату» do not agree"),
        ("Открыть новое портфель", "«новое портфель» do not agree"),
        ("Кот посмотрел на меня. Он понял.", ""),
        ("Мой кот и большая миска", ""),
        ("большой, кота не видно", ""),
        ("Главный — начальник", ""),
        ("новый айфон, старая клавиатура", ""),
        ("в прошлом году, на краю света", ""),
    ],
)
def test_faults_a_dictionary_can_see(text: str, reason: str) -> None:
    assert bad_russian([text]) == reason


def test_words_of_the_topic_are_known() -> None:
    assert bad_russian(["опять шмякодявр"]) == "no word: «шмякодявр»"
    assert bad_russian(["опять шмякодявр"], "шмякодявр") == ""


def test_what_people_wrote_is_nearly_always_right() -> None:
    ours = [example for example in load_corpus() if example.language == "ru"]
    wrong = [example.texts for example in ours if "agree" in bad_russian(example.texts)]
    assert len(wrong) <= 0.01 * len(ours), wrong
