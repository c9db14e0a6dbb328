"""What small models get wrong in Russian and a dictionary can see: words that are none, adjectives
that do not agree with their nouns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from publisher.memes import inflect

_WORD = re.compile(r"[а-яё]+(?:-[а-яё]+)*", re.IGNORECASE)
_SHORTEST = 3


def bad_russian(texts: Sequence[str], topic: str = "") -> str:
    """The first thing wrong, in words, or ""; the words of the topic count as known."""
    given = {word.lower() for word in _WORD.findall(topic)}
    for text in texts:
        for part in re.split(r"[^\w\s-]+|\d+", text):
            words = [word.lower() for word in _WORD.findall(part)]
            for word in words:
                if len(word) >= _SHORTEST and word not in given and not _known(word):
                    return f"no word: «{word}»"
            for first, second in pairwise(words):
                if _disagree(first, second):
                    return f"«{first} {second}» do not agree"
    return ""


def _known(word: str) -> bool:
    return all(inflect.morph().word_is_known(part) for part in word.split("-"))


def _disagree(first: str, second: str) -> bool:
    """Whether an adjective stands before a noun in no form that the two share."""
    adjectives, nouns = inflect.parses(first), inflect.parses(second)
    if adjectives[0].tag.POS != "ADJF" or nouns[0].tag.POS != "NOUN":
        return False
    if "Anum" in adjectives[0].tag:  # «первое сентября»
        return False
    return not any(
        _agree(a.tag, n.tag)
        for a in adjectives
        for n in nouns
        if a.tag.POS == "ADJF" and n.tag.POS == "NOUN"
    )


def _agree(adjective: Any, noun: Any) -> bool:
    if "Fixd" in noun or (noun.gender is None and noun.number == "sing"):
        return True
    if adjective.animacy and noun.animacy and adjective.animacy != noun.animacy:
        return False
    same = adjective.number == noun.number and (
        adjective.number == "plur" or adjective.gender == noun.gender or "ms-f" in noun
    )
    return same and (adjective.case == noun.case or noun.case in ("gen2", "loc2", "voct"))
