"""Words of a text with their possible lemmas, Russian and English."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

_WORD = re.compile(r"[^\W_]+")
_WILL = re.compile(r"['’]ll\b")
"""Without it "I'll" would be ill, and "he'll" hell."""
_CYRILLIC = re.compile(r"[а-яё]")
_LATIN = re.compile(r"[a-z]")

LATIN_TO_CYRILLIC = str.maketrans("abcehkmoptxy3", "авсенкмортхуз")
CYRILLIC_TO_LATIN = str.maketrans("авсеёнкмортхуі", "abceehkmoptxyi")


@dataclass(frozen=True)
class Word:
    text: str
    """As matched: case folded, ё as е, in one alphabet."""
    lemmas: frozenset[str]


def fold(text: str) -> str:
    """Compatibility forms composed, invisible and combining characters dropped, case folded."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return "".join(
        char for char in text if unicodedata.category(char) not in ("Cf", "Mn", "Me", "Co", "Cs")
    )


def words(text: str) -> list[Word]:
    """The words of `text` in order; a word that mixes alphabets is read in its main one."""
    plain = _WILL.sub(" will", fold(text)).replace("'", "").replace("’", "")
    return [_word(match) for match in _WORD.findall(plain)]


def in_one_alphabet(token: str) -> str:
    """The word `token` (case folded) in the alphabet that it is meant in: the one that holds a
    letter without a double in the other, else the one of most letters."""
    cyrillic, latin = _CYRILLIC.findall(token), _LATIN.findall(token)
    if not (cyrillic and latin):
        return token
    only_cyrillic = any(ord(letter) not in CYRILLIC_TO_LATIN for letter in cyrillic)
    only_latin = any(ord(letter) not in LATIN_TO_CYRILLIC for letter in latin)
    if only_cyrillic == only_latin:
        only_cyrillic = len(cyrillic) >= len(latin)
    return token.translate(LATIN_TO_CYRILLIC if only_cyrillic else CYRILLIC_TO_LATIN)


def language_of(text: str) -> str:
    """ "ru" or "en": the alphabet that most letters of `text` belong to."""
    folded = text.casefold()
    return "ru" if len(_CYRILLIC.findall(folded)) >= len(_LATIN.findall(folded)) else "en"


@lru_cache(maxsize=50_000)
def _word(token: str) -> Word:
    token = in_one_alphabet(token)
    lemmas = _russian(token) if _CYRILLIC.search(token) else _english(token)
    return Word(token, frozenset(lemmas))


def _russian(token: str) -> set[str]:
    if len(token) > 40:
        return {token}
    parses = _analyzer().parse(token)
    best = parses[0].score
    return {p.normal_form.replace("ё", "е") for p in parses if p.score >= 0.15 * best}


def _english(token: str) -> set[str]:
    """Every base that the endings -s, -es, -ies, -ed, -ing allow; no dictionary."""
    found = {token}
    for ending, replacements in _ENDINGS:
        if token.endswith(ending) and len(token) > len(ending) + 2:
            stem = token[: -len(ending)]
            found |= {stem + replacement for replacement in replacements}
            if len(stem) > 3 and stem[-1] == stem[-2] and ending in ("ed", "ing"):
                found.add(stem[:-1])
    return found


_ENDINGS = (("ies", ("y",)), ("es", ("", "e")), ("s", ("",)), ("ed", ("", "e")), ("ing", ("", "e")))


@cache
def _analyzer() -> MorphAnalyzer:
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer()
