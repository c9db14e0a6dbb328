"""What the topics lexicon finds in a text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from publisher.screen.disguise import joined, spellings
from publisher.screen.phrases import Hit, load
from publisher.screen.words import Word, words

_CODED = re.compile(r"[^\W\d_]+\d+[^\W\d_]+|\d+[^\W\d_]{3,}")


@dataclass(frozen=True)
class Reading:
    """The grave words of a text, each with its kind, and the figures of speech."""

    strong: tuple[tuple[str, str], ...]
    weak: tuple[tuple[str, str], ...]
    figurative: tuple[str, ...]
    shown: tuple[tuple[str, str], ...] = ()
    """Words that a caption must not show, though a topic may hold them."""


def read(text: str) -> Reading:
    """Look `text` up, and, if letters are spelled apart in it, what they make together.

    A word that belongs to a figure of speech excuses the hits it is part of.
    """
    reading = _read(words(text))
    if (together := joined(text)) != text:
        hidden = _read(words(together))
        return Reading(
            reading.strong + hidden.strong,
            reading.weak + hidden.weak,
            reading.figurative,
            reading.shown + hidden.shown,
        )
    return reading


def _read(written: list[Word]) -> Reading:
    lexicon = load("topics_ru", "topics_en")
    hits = [hit for version in _versions(written) for hit in lexicon.find(version)]
    excused = {i for hit in hits if hit.kind == "figurative" for i in hit.places}
    serious = [hit for hit in hits if hit.kind != "figurative" and excused.isdisjoint(hit.places)]
    return Reading(
        strong=tuple(_terms(serious, "strong", written)),
        weak=tuple(_terms(serious, "weak", written)),
        figurative=tuple(
            dict.fromkeys(_phrase(hit, written) for hit in hits if hit.kind == "figurative")
        ),
        shown=tuple(_terms(serious, "caption", written)),
    )


def _versions(written: list[Word]) -> list[list[Word]]:
    """The words as written, and, where digits stand among letters, as what these may stand for:
    «п0гибли»."""
    meant = [
        [found for spelling in spellings(word.text) if (found := words(spelling))][1:]
        if _CODED.fullmatch(word.text)
        else []
        for word in written
    ]
    count = max(map(len, meant), default=0)
    return [
        written,
        *(
            [
                others[min(k, len(others) - 1)][0] if others else word
                for word, others in zip(written, meant, strict=True)
            ]
            for k in range(count)
        ),
    ]


def _terms(hits: list[Hit], level: str, written: list[Word]) -> list[tuple[str, str]]:
    return [(hit.kind, _phrase(hit, written)) for hit in hits if hit.level == level]


def _phrase(hit: Hit, written: list[Word]) -> str:
    return " ".join(written[i].text for i in hit.places)
