"""Topic phrases and the kinds they belong to, read from `frames/kinds.<language>.txt`."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).parent / "frames"
FORMS = frozenset(
    {"event", "thing", "place", "person", "animal", "activity", "rule", "time", "abstract"}
)
FEELINGS = frozenset({"bad", "good"})
MAX_PHRASE = 26  # characters; frames are written for about 22


@dataclass(frozen=True)
class TopicPhrase:
    """A topic as frames use it.

    `forms` holds the six Russian cases (English: six times the phrase); `gender` is "masc",
    "femn", "neut" or "plur"; `kinds` are those of `frames/kinds.*.txt`, empty when unknown.
    A topic without a usable noun phrase is not `inflectable`: it can only be quoted.
    """

    text: str
    language: str
    head: str
    forms: tuple[str, ...]
    gender: str
    animate: bool
    kinds: frozenset[str]
    inflectable: bool = True
    possessive: bool = False
    coordinated: bool = False
    parts: tuple[tuple[str, ...], ...] = ()  # six forms of each of «мой кот» and «понедельник»
    article: str = ""  # English: "the " where a sentence needs one
    news: bool = False  # drawn out of a longer headline

    @property
    def phrase(self) -> str:
        return self.forms[0] if self.forms else self.text

    @property
    def number(self) -> str:
        return "plur" if self.gender == "plur" else "sing"

    @property
    def kind(self) -> str:
        """The first form that it is known to have, "any" when none is known."""
        return next((kind for kind in sorted(self.kinds & FORMS)), "any")


def read_table(name: str) -> list[tuple[list[str], list[str]]]:
    """Lines «left words: right words» of a data file, without comments, in NFC."""
    text = unicodedata.normalize("NFC", (DATA / name).read_text(encoding="utf-8"))
    rows = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            left, _, right = line.partition(":")
            rows.append((left.split(), right.split()))
    return rows


@lru_cache(maxsize=4)
def kinds_of_words(language: str) -> dict[str, frozenset[str]]:
    """Lemma (with е for ё) → kinds."""
    table: dict[str, set[str]] = {}
    for kinds, words in read_table(f"kinds.{language}.txt"):
        for word in words:
            table.setdefault(fold(word), set()).update(kinds)
    return {word: frozenset(kinds) for word, kinds in table.items()}


def fold(lemma: str) -> str:
    return lemma.lower().replace("ё", "е")


def kinds_of_phrase(
    text: str, lemmas: tuple[str, ...], language: str, coordinated: bool
) -> frozenset[str]:
    """Kinds of a phrase; `lemmas` begin with its head. «работа_из_дома» in the table is a phrase.

    All come from the head if it is known: «запрет самокатов» is a rule, not a vehicle. The other
    words count when the head says nothing («выпадение снега»), or only when («утро понедельника»),
    and for the feeling when the head has none. «А и Б» is of no kind.
    """
    if coordinated or not lemmas:
        return frozenset()
    table = kinds_of_words(language)
    whole = table.get(fold(text).replace(" ", "_"))
    head = table.get(fold(lemmas[0]), frozenset()) if whole is None else whole
    others: frozenset[str] = frozenset()
    for lemma in lemmas[1:]:
        others |= table.get(fold(lemma), frozenset())
    forms = head & FORMS
    fields = head - FORMS - FEELINGS
    if not fields and forms <= {"time", "abstract"}:
        fields = others - FORMS - FEELINGS
    feelings = head & FEELINGS or others & FEELINGS
    if len(feelings) != 1:
        feelings = frozenset()
    return fields | forms | feelings
