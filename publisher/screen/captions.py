"""Whether a caption may be shown to people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from publisher.screen import disguise, personal, second_opinion
from publisher.screen.lexical import read
from publisher.screen.people import find_addressed_insult, find_threat
from publisher.screen.phrases import FOLDER, blocklist_lexicon
from publisher.screen.verdict import Verdict
from publisher.screen.words import words

MAX_CHARS = 4000
"""A longer text is no caption."""

GRAVE = 0.9
"""The score of a grave word: what else the rules find is sure."""
_KINDS = ("slur", "obscenity", "sexual", "insult")
_NEVER_LIGHT = frozenset({"death", "terror", "suicide"})
"""Grave subjects of which a caption may not even carry an ambiguous word; of the others only
an unambiguous one refuses it (a meme may say that a deadline attacks)."""
_NEVER_EXCUSED = frozenset({"terror", "suicide", "war", "children", "slur"})
"""Grave subjects on which no classifier is asked whether it was only meant as a figure."""
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class WordLists:
    """The compiled captions lexicon."""

    kinds: dict[str, re.Pattern[str]]
    """What a single word begins with, by kind."""
    phrases: dict[str, re.Pattern[str]]
    """What several words begin with, by kind; between them single spaces."""
    allowed: re.Pattern[str]
    masked: tuple[str, ...]


@dataclass(frozen=True)
class Thresholds:
    """From which probability of cruelty a caption is refused."""

    telling: float
    """... when it holds a grave word, of those that can be meant as a figure («я умер»)."""
    plain: float
    """... when the rules find nothing in it."""


def screen_caption(
    texts: str | Sequence[str], language: str | None = None, blocklist: Sequence[str] = ()
) -> Verdict:
    """Judge a caption: one text, or the texts of a template's boxes. See `screen_captions`."""
    return screen_captions([texts], blocklist)[0]


def screen_captions(
    captions: Sequence[str | Sequence[str]], blocklist: Sequence[str] = ()
) -> list[Verdict]:
    """Judge many captions at once, in order: by rules, then by a classifier.

    What the rules of `screen_words` refuse is refused, except that a grave word may turn out to
    be a figure of speech. Both languages are read in every caption.
    """
    wholes = [_whole(texts) for texts in captions]
    cut = [whole[:MAX_CHARS] for whole in wholes]
    probabilities = second_opinion.probabilities("captions", cut, second_opinion.features(cut))
    thresholds = Thresholds(*second_opinion.model("captions").limits)
    return [
        decide(screen_words(whole, blocklist), float(p), thresholds)
        for whole, p in zip(wholes, probabilities, strict=True)
    ]


def decide(by_rules: Verdict, probability: float, thresholds: Thresholds) -> Verdict:
    """The verdict on what the rules found and what the classifier thinks."""
    if by_rules.ok:
        ok = probability < thresholds.plain
        return Verdict(ok, "ok" if ok else "doubt", round(probability, 4))
    figurative = by_rules.score == GRAVE and by_rules.reason not in _NEVER_EXCUSED
    if figurative and probability < thresholds.telling:
        return Verdict(True, "ok", round(probability, 4))
    return by_rules


def screen_words(texts: str | Sequence[str], blocklist: Sequence[str] = ()) -> Verdict:
    """Judge a caption by rules only: under a millisecond, no model, and stricter on grave words.

    `blocklist` holds the owner's words and phrases, found in all their forms (`stem*` by
    beginning).
    """
    whole = _whole(texts)
    if not whole.strip():
        return Verdict(False, "empty", 1.0)
    if len(whole) > MAX_CHARS or _BIDI.search(whole) or {"\0", "\ufffd"} & set(whole):
        return Verdict(False, "unreadable", 1.0)
    text = disguise.plain(whole)
    if hit := blocklist_hit(whole, blocklist):
        return Verdict(False, "blocklist", 1.0, hit)
    if found := bad_word(text):
        return Verdict(False, found[0], 1.0, (found[1],))
    for reason, term in (
        ("threat", find_threat(text)),
        ("personal_data", personal.find_personal_data(whole)),
        ("link", personal.find_link(whole)),
        ("insult", find_addressed_insult(text, whole)),
    ):
        if term:
            return Verdict(False, reason, 1.0, (term,))
    reading = read(whole)
    grave = [
        *reading.strong,
        *reading.shown,
        *(hit for hit in reading.weak if hit[0] in _NEVER_LIGHT),
    ]
    if grave:
        kind = next((kind for kind, _ in grave if kind in _NEVER_EXCUSED), grave[0][0])
        return Verdict(False, kind, GRAVE, tuple(dict.fromkeys(term for _, term in grave)))
    return Verdict(True, "ok", 0.0)


def _whole(texts: str | Sequence[str]) -> str:
    return texts if isinstance(texts, str) else "\n".join(texts)


def blocklist_hit(text: str, blocklist: Sequence[str]) -> tuple[str, ...] | None:
    """The words of the owner's list that `text` contains; None when there are none."""
    if not blocklist:
        return None
    read = words(text)
    hits = blocklist_lexicon(tuple(blocklist)).find(read)
    return tuple(dict.fromkeys(read[i].text for hit in hits for i in hit.places)) or None


def bad_word(text: str) -> tuple[str, str] | None:
    """(kind, word) of the first obscenity, slur, sexual word or grave insult in `text`, which
    is already in plain letters; None when there is none."""
    lists = word_lists()
    text = lists.allowed.sub(" ", text)
    readings = disguise.readings(text)
    for reading in readings:
        for token in reading:
            if kind := _kind_of(token, lists):
                return kind, token
        together = " ".join(reading)
        for kind, pattern in lists.phrases.items():
            if match := pattern.search(together):
                return kind, match.group()
    for joined in disguise.split_pairs(readings[0]):
        if joined in lists.masked:
            return "obscenity", joined
    return None


def _kind_of(token: str, lists: WordLists) -> str | None:
    for spelling in disguise.spellings(token):
        for kind, pattern in lists.kinds.items():
            if pattern.match(spelling):
                return kind
    mask = disguise.masked_pattern(token)
    if mask and any(mask.fullmatch(word) for word in lists.masked):
        return "obscenity"
    return None


@cache
def word_lists() -> WordLists:
    """The captions lexicon, compiled."""
    sections: dict[str, list[str]] = {}
    for raw in (FOLDER / "captions.txt").read_text(encoding="utf-8").splitlines():
        line = raw.strip()
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            current.append(line)
    alone, together = (
        {kind: [line for line in sections[kind] if (" " in line) == several] for kind in _KINDS}
        for several in (False, True)
    )
    return WordLists(
        kinds={
            kind: re.compile("(?:" + "|".join(map(_stretched, lines)) + ")")
            for kind, lines in alone.items()
        },
        phrases={
            kind: re.compile(r"\b(?:" + "|".join(map(_stretched, lines)).replace("$", r"\b") + ")")
            for kind, lines in together.items()
            if lines
        },
        allowed=re.compile(r"\b(?:" + "|".join(sections["allow"]).replace("$", r"\b") + ")"),
        masked=tuple(word for line in sections["masked"] for word in line.split()),
    )


def _stretched(pattern: str) -> str:
    """`pattern` with every letter and class standing for one or more of itself."""

    def stretch(match: re.Match[str]) -> str:
        part = match.group()
        return part if part.startswith(("\\", "(")) else part + "+"

    return re.sub(r"\\.|\(\?<?[!=:]|\[[^\]]*\](?![*+?{])|[a-zа-я](?![*+?{])", stretch, pattern)
