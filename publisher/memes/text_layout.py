"""A text set into a rectangle: whole words, balanced lines, the largest size that fits.

Everything here measures; nothing draws. Sizes and rectangles are in pixels.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import pyphen

from publisher.sentences import words

from . import emoji
from .fonts import FALLBACK, coverage, font

EMOJI = "emoji"
EMOJI_SIDE = 1.22
"""Side of an emoji's square in font sizes."""

REFERENCE = 200
"""Widths are measured once at this size and scaled."""

MAX_CHARACTERS = 1000
"""Longer texts are refused before any measuring: no box of ours holds them."""

BREAK_AFTER = "-‐–—/…"


class UnsupportedText(ValueError):
    """Characters that no font of ours can draw."""

    def __init__(self, characters: Sequence[str]) -> None:
        named = ", ".join(f"{c!r} (U+{ord(c):04X} {_name(c)})" for c in characters[:8])
        more = len(characters) - 8
        all_named = (
            words("{named} and {count} more", named=named, count=more) if more > 0 else named
        )
        super().__init__(words("no font can draw {characters}", characters=all_named))
        self.characters = tuple(characters)


def _name(character: str) -> str:
    return unicodedata.name(character, "unnamed")


@dataclass(frozen=True)
class Run:
    """Neighbouring characters drawn with one font, or one emoji."""

    text: str
    font: str

    @property
    def width(self) -> float:
        """Advance at REFERENCE px."""
        return _width(self.text, self.font)


@lru_cache(maxsize=8192)
def _width(text: str, font_name: str) -> float:
    if font_name == EMOJI:
        return EMOJI_SIDE * REFERENCE
    return font(font_name, REFERENCE).getlength(text)


@dataclass(frozen=True)
class Word:
    """A word that stays on one line; `joined` means no space before it."""

    runs: tuple[Run, ...]
    joined: bool = False
    hyphen: bool = False

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    @property
    def width(self) -> float:
        return sum(run.width for run in self.runs)


@dataclass(frozen=True)
class Layout:
    """Lines of runs at a font size; the size is in px, widths are advances in px."""

    lines: tuple[tuple[Run, ...], ...]
    size: int

    def width(self, line: tuple[Run, ...]) -> float:
        return sum(run.width for run in line) * self.size / REFERENCE

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple("".join(run.text for run in line) for line in self.lines)


def words_of(text: str, font_name: str) -> list[Word]:
    """The text as words ready to set, cleaned of what cannot be seen.

    Zero-width, bidirectional and other control characters and loose combining marks are removed;
    white space becomes single spaces. Raises UnsupportedText for letters no font has.
    """
    words: list[Word] = []
    runs: list[Run] = []
    unsupported: dict[str, None] = {}
    text = unicodedata.normalize("NFC", text)
    position = 0
    while position < len(text):
        found = emoji.match(text, position)
        if found:
            runs.append(Run(found[0], EMOJI))
            position = found[1]
            continue
        character = text[position]
        position += 1
        if character.isspace() and character not in "\u00a0\u202f":
            _close(words, runs)
            continue
        if unicodedata.category(character) in ("Cf", "Cc", "Mn", "Me"):
            continue
        character = " " if character in "\u00a0\u202f" else character
        chosen = _font_for(character, font_name)
        if chosen is None:
            unsupported[character] = None
        elif runs and runs[-1].font == chosen:
            runs[-1] = Run(runs[-1].text + character, chosen)
        else:
            runs.append(Run(character, chosen))
    if unsupported:
        raise UnsupportedText(tuple(unsupported))
    _close(words, runs)
    return words


def _close(words: list[Word], runs: list[Run]) -> None:
    if any(run.text.strip() for run in runs):
        words.append(Word(tuple(runs)))
    runs.clear()


def _font_for(character: str, font_name: str) -> str | None:
    for name in (font_name, FALLBACK):
        if ord(character) in coverage(name):
            return name
    return None


def tie_short(words: Sequence[Word], font_name: str) -> list[Word]:
    """Words of one letter joined to the word after them by a space that does not break."""
    out: list[Word] = []
    for word in words:
        if out and len(out[-1].text.rsplit(" ", 1)[-1]) == 1 and out[-1].text[-1].isalpha():
            out[-1] = Word(_merged((*out[-1].runs, Run(" ", font_name), *word.runs)))
        else:
            out.append(word)
    return out


@lru_cache(maxsize=2)
def _hyphenation(language: str) -> pyphen.Pyphen:
    return pyphen.Pyphen(lang={"ru": "ru_RU"}.get(language, "en_US"), left=3, right=3)


def split_long(words: Sequence[Word], language: str, widest: float) -> list[Word]:
    """Words wider than `widest` (at REFERENCE px) cut at hyphens, dashes, syllables and emoji."""
    out: list[Word] = []
    for word in words:
        if word.width <= widest:
            out.append(word)
            continue
        for index, part in enumerate(_before_emoji(word.runs)):
            piece = Word(part, joined=index > 0 or word.joined)
            plain = len(part) == 1 and part[0].font != EMOJI
            out.extend(_pieces(piece, language) if plain else [piece])
    return out


def _before_emoji(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    parts: list[tuple[Run, ...]] = []
    for run in runs:
        if parts and run.font != EMOJI:
            parts[-1] += (run,)
        else:
            parts.append((run,))
    return parts


def _pieces(word: Word, language: str) -> list[Word]:
    run = word.runs[0]
    parts: list[tuple[str, bool]] = []
    for chunk in _cut_after(run.text, BREAK_AFTER):
        syllables = _hyphenation(language).inserted(chunk, "\u00ad").split("\u00ad")
        parts += [(syllable, True) for syllable in syllables[:-1]] + [(syllables[-1], False)]
    return [
        Word((replace(run, text=part),), joined=index > 0 or word.joined, hyphen=hyphen)
        for index, (part, hyphen) in enumerate(parts)
    ]


def _cut_after(text: str, signs: str) -> list[str]:
    chunks, start = [], 0
    for index in range(1, len(text) - 1):
        if text[index] in signs and text[index + 1] not in signs:
            chunks.append(text[start : index + 1])
            start = index + 1
    return [*chunks, text[start:]]


def fit(
    words: Sequence[Word],
    font_name: str,
    *,
    width: float,
    height: float,
    smallest: int,
    largest: int,
    line_spacing: float,
    outline: float,
    language: str,
) -> Layout | None:
    """The layout at the largest size in [smallest, largest] that fits width × height, or None.

    Whole words first; long words are cut only when that is the way to fit at all, or makes the
    text at least 1.4 times larger where whole words leave it near the smallest size, and then it
    grows no further, so that few words are cut. Words of one letter stay with the next word where
    that costs little size.
    """
    frame = _Frame(font_name, width, height, line_spacing, outline)
    whole = frame.largest(words, smallest, largest)
    if whole is not None and whole >= 1.35 * smallest:
        tied = tie_short(words, font_name)
        tied_size = frame.largest(tied, smallest, largest)
        if tied_size is not None and tied_size >= 0.8 * whole:
            return frame.layout(tied, tied_size)
        return frame.layout(words, whole)
    cut = split_long(words, language, 0.6 * width * REFERENCE / smallest)
    enough = max(1.6 * smallest, 1.4 * (whole or 0))
    ceiling = min(largest, math.ceil(enough))
    size = frame.largest(cut, smallest, ceiling) if len(cut) > len(words) else None
    if size is not None and (whole is None or size >= 1.4 * whole):
        return frame.layout(cut, size)
    return None if whole is None else frame.layout(words, whole)


@dataclass(frozen=True)
class _Frame:
    font: str
    width: float
    height: float
    line_spacing: float
    outline: float

    def largest(self, words: Sequence[Word], smallest: int, largest: int) -> int | None:
        if self._line_count(words, smallest) is None:
            return None
        low, high = smallest, max(smallest, largest)
        while low < high:
            middle = (low + high + 1) // 2
            if self._line_count(words, middle) is None:
                high = middle - 1
            else:
                low = middle
        return low

    def _line_count(self, words: Sequence[Word], size: int) -> int | None:
        """Fewest lines at this size; None when the text does not fit."""
        room = self._room(size)
        lines, used = 1, 0.0
        for index, word in enumerate(words):
            alone = word.width + (self._hyphen if word.hyphen else 0.0)
            if alone > room:
                return None
            gap = self._gap(words, index) if used else 0.0
            if used and used + gap + alone > room:
                lines, used = lines + 1, word.width
            else:
                used += gap + word.width
        return lines if self._block_height(lines, size) <= self.height else None

    def _room(self, size: int) -> float:
        """Width for a line at REFERENCE px."""
        return (self.width - 2 * self.outline * size) * REFERENCE / size

    def _block_height(self, lines: int, size: int) -> float:
        return size * ((lines - 1) * self.line_spacing + 1.0 + 2 * self.outline)

    @property
    def _hyphen(self) -> float:
        return _width("-", self.font)

    def _gap(self, words: Sequence[Word], index: int) -> float:
        return 0.0 if words[index].joined else _width(" ", self.font)

    def layout(self, words: Sequence[Word], size: int) -> Layout:
        lines = self._line_count(words, size) or 1
        starts = _balanced(self._costs(words, size), len(words), lines)
        ends = [*starts[1:], len(words)]
        return Layout(
            tuple(self._line(words, a, b) for a, b in zip(starts, ends, strict=True)), size
        )

    def _costs(self, words: Sequence[Word], size: int) -> list[list[float]]:
        """costs[a][n]: how bad a line of words a … a+n is; the list ends where it overflows."""
        room = self._room(size)
        table = []
        for start in range(len(words)):
            row, used = [], 0.0
            for end in range(start, len(words)):
                used += words[end].width + (self._gap(words, end) if end > start else 0.0)
                full = used + (self._hyphen if words[end].hyphen else 0.0)
                if full > room:
                    row.append(math.inf)
                    if used > room:
                        break
                    continue
                row.append(((room - full) / room) ** 2 + _penalty(words, start, end))
            table.append(row)
        return table

    def _line(self, words: Sequence[Word], start: int, end: int) -> tuple[Run, ...]:
        runs: list[Run] = []
        for index in range(start, end):
            if index > start and not words[index].joined:
                runs.append(Run(" ", self.font))
            runs.extend(words[index].runs)
        if words[end - 1].hyphen:
            runs.append(Run("-", self.font))
        return _merged(runs)


def _penalty(words: Sequence[Word], start: int, end: int) -> float:
    last_line = end == len(words) - 1
    penalty = 0.0
    if start > 0 and words[start].text in ("—", "–", "-"):
        penalty += 1.0
    if not last_line and words[end].hyphen:
        penalty += 0.3
    if not last_line and len(words[end].text) <= 2 and words[end].text.isalpha():
        penalty += 0.15
    return penalty


def _balanced(costs: list[list[float]], count: int, lines: int) -> list[int]:
    """Where each of `lines` lines starts so that the summed cost is least."""
    best = [[math.inf] * (count + 1) for _ in range(lines + 1)]
    came = [[0] * (count + 1) for _ in range(lines + 1)]
    best[0][0] = 0.0
    for line in range(1, lines + 1):
        for start in range(count):
            if best[line - 1][start] == math.inf:
                continue
            for offset, cost in enumerate(costs[start]):
                end = start + offset + 1
                if best[line - 1][start] + cost < best[line][end]:
                    best[line][end] = best[line - 1][start] + cost
                    came[line][end] = start
    starts, end = [], count
    for line in range(lines, 0, -1):
        end = came[line][end]
        starts.append(end)
    return starts[::-1]


def _merged(runs: Sequence[Run]) -> tuple[Run, ...]:
    out: list[Run] = []
    for run in runs:
        if out and out[-1].font == run.font != EMOJI:
            out[-1] = Run(out[-1].text + run.text, run.font)
        else:
            out.append(run)
    return tuple(out)


def average_character(words: Sequence[Word]) -> float:
    """Mean advance of the text's characters, spaces included, at REFERENCE px."""
    characters = sum(len(word.text) + 1 for word in words)
    return (sum(word.width for word in words) + 0.25 * REFERENCE * len(words)) / characters
