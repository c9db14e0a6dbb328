"""What the topics lexicon finds in a text."""

from __future__ import annotations

from dataclasses import dataclass

from publisher.screen.phrases import Hit, load
from publisher.screen.words import Word, words


@dataclass(frozen=True)
class Reading:
    """The grave words of a text, each with its kind, and the figures of speech."""

    strong: tuple[tuple[str, str], ...]
    weak: tuple[tuple[str, str], ...]
    figurative: tuple[str, ...]


def read(text: str) -> Reading:
    """Look `text` up. A word that belongs to a figure of speech excuses the hits it is part of."""
    text_words = words(text)
    hits = load("topics_ru", "topics_en").find(text_words)
    excused = {i for hit in hits if hit.kind == "figurative" for i in hit.places}
    serious = [hit for hit in hits if hit.kind != "figurative" and excused.isdisjoint(hit.places)]
    return Reading(
        strong=tuple(_terms(serious, "strong", text_words)),
        weak=tuple(_terms(serious, "weak", text_words)),
        figurative=tuple(
            dict.fromkeys(_phrase(hit, text_words) for hit in hits if hit.kind == "figurative")
        ),
    )


def _terms(hits: list[Hit], level: str, text_words: list[Word]) -> list[tuple[str, str]]:
    return [(hit.kind, _phrase(hit, text_words)) for hit in hits if hit.level == level]


def _phrase(hit: Hit, text_words: list[Word]) -> str:
    return " ".join(text_words[i].text for i in hit.places)
