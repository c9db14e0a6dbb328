"""Phrases of the lexicon files and where a text contains them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from publisher.screen.words import Word, words

FOLDER = Path(__file__).parent / "lexicon"
GAP = 3
"""How many words `..` may stand for at most."""


@dataclass(frozen=True)
class Slot:
    """One place of a phrase: words in any form, beginnings of words."""

    exact: frozenset[str]
    stems: tuple[str, ...]
    gap: int

    def matches(self, word: Word) -> bool:
        return (
            word.text in self.exact
            or not self.exact.isdisjoint(word.lemmas)
            or (bool(self.stems) and word.text.startswith(self.stems))
        )


@dataclass(frozen=True)
class Phrase:
    kind: str
    level: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True)
class Hit:
    kind: str
    level: str
    places: tuple[int, ...]
    """Which words of the text the phrase's places are."""


class Lexicon:
    """Phrases indexed by what can open them."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._exact: dict[str, list[Phrase]] = defaultdict(list)
        self._stems: dict[str, list[tuple[str, Phrase]]] = defaultdict(list)
        for phrase in phrases:
            for word in phrase.slots[0].exact:
                self._exact[word].append(phrase)
            for stem in phrase.slots[0].stems:
                self._stems[stem[:2]].append((stem, phrase))

    def find(self, text: Sequence[Word]) -> list[Hit]:
        return [
            Hit(phrase.kind, phrase.level, places)
            for start, word in enumerate(text)
            for phrase in self._openers(word)
            if (places := _places(phrase.slots, text, start)) is not None
        ]

    def _openers(self, word: Word) -> Iterator[Phrase]:
        for form in word.lemmas | {word.text}:
            yield from self._exact.get(form, ())
        for stem, phrase in self._stems.get(word.text[:2], ()):
            if word.text.startswith(stem):
                yield phrase


def _places(slots: Sequence[Slot], text: Sequence[Word], start: int) -> tuple[int, ...] | None:
    places = [start]
    for slot in slots[1:]:
        first = places[-1] + 1
        nearest = next(
            (
                place
                for place in range(first, min(first + slot.gap + 1, len(text)))
                if slot.matches(text[place])
            ),
            None,
        )
        if nearest is None:
            return None
        places.append(nearest)
    return tuple(places)


def parse(text: str, name: str) -> list[Phrase]:
    """Phrases of a lexicon file. Raises ValueError naming file and line."""
    phrases: list[Phrase] = []
    kind = level = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.split("#", 1)[0].strip().casefold()
        if not line:
            continue
        if line.startswith("["):
            kind, _, level = line.strip("[]").partition(" ")
        elif not kind:
            raise ValueError(f"{name}:{number}: a phrase before the first [section]")
        else:
            expanded = [_slots(variant) for variant in _variants(line)]
            if not all(expanded):
                raise ValueError(f"{name}:{number}: no word in {raw!r}")
            phrases += [Phrase(kind, level, slots) for slots in expanded]
    return phrases


def _variants(line: str) -> list[str]:
    """The lines that `line` stands for: each option of several words (a_b) gets its own."""
    parts = line.split()
    for i, part in enumerate(parts):
        long = [option for option in part.split("|") if "_" in option]
        if long:
            short = "|".join(option for option in part.split("|") if "_" not in option)
            chosen = [option.replace("_", " ") for option in long] + ([short] if short else [])
            return [
                variant
                for option in chosen
                for variant in _variants(" ".join([*parts[:i], option, *parts[i + 1 :]]))
            ]
    return [line]


def _slots(line: str) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    gap = 0
    for part in line.split():
        if part == "..":
            gap = GAP
            continue
        options = [option for option in part.replace("ё", "е").split("|") if option.strip("*")]
        if options:
            slots.append(
                Slot(
                    frozenset(option for option in options if not option.endswith("*")),
                    tuple(option[:-1] for option in options if option.endswith("*")),
                    gap,
                )
            )
        gap = 0
    return tuple(slots)


@cache
def load(*names: str) -> Lexicon:
    """The named lexicon files (without .txt) as one."""
    return Lexicon(
        [
            phrase
            for name in names
            for phrase in parse((FOLDER / f"{name}.txt").read_text(encoding="utf-8"), name)
        ]
    )


@cache
def blocklist_lexicon(entries: tuple[str, ...]) -> Lexicon:
    """The owner's words and phrases; each word counts in all its forms, stem* by beginning."""
    phrases = []
    for entry in entries:
        slots = tuple(
            Slot(
                word.lemmas | {word.text} if not stem else frozenset(),
                (word.text,) if stem else (),
                0,
            )
            for part in entry.split()
            for word, stem in [(w, part.endswith("*")) for w in words(part)]
        )
        if slots:
            phrases.append(Phrase("blocklist", "strong", slots))
    return Lexicon(phrases)
