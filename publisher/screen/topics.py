"""Whether a topic may be joked about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from publisher.screen import disguise, second_opinion
from publisher.screen.captions import bad_word, blocklist_hit
from publisher.screen.lexical import Reading, read
from publisher.screen.people import find_addressed_insult
from publisher.screen.verdict import Verdict

MAX_CHARS = 3000
"""A headline and its lead are shorter; what follows is not read."""

_FLAG = 0.3
"""How far apart a find of the lexicon moves two texts; embeddings have the length 1."""

_TURNED = re.compile("[\u202d\u202e]")
"""Marks that turn the direction of reading; those that only frame a foreign word are harmless."""

_INSTRUCTION = re.compile(
    r"(?:ignore|disregard|forget|override) (?:all |any |the |your |my )*(?:previous|prior|above"
    r"|earlier"
    r"|preceding)? ?(?:instructions?|prompts?|rules)|system prompt|you are now (?:a|an|in)\b"
    r"|(?:игнорируй|забудь|отмени|не учитывай|проигнорируй)\w* (?:все |всё |твои |эти "
    r"|мои )*(?:предыдущие|прежние"
    r"|прошлые|вышестоящие)? ?(?:инструкци|указани|правил|команд)|системн\w+ (?:промпт|подсказк)"
    r"|ты теперь (?:не )?(?:модель|бот|ассистент|dan)|<\|?(?:im_start|im_end|system|user|assistant)"
    r"|\[/?inst\]|</?start_of_turn|### ?(?:instruction|system)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Thresholds:
    """From which probability of a grave subject a topic is refused."""

    strong: float
    """... when it holds one telling word, which can be meant as a figure ("bloodbath at the box
    office")."""
    weak: float
    """... when it holds an ambiguous word (an explosion, a battle, to die)."""
    figurative: float
    """... when its ambiguous words all belong to known figures of speech."""
    plain: float
    """... when the lexicon finds nothing in it."""


LINE_WORDS = 16
"""A text of as many words or more is a title with its lead. That says more than a line does, so
it is believed as it stands; a lone line is judged sternly, because it may hide what happened."""
WITH_LEAD = Thresholds(strong=0.0, weak=0.4, figurative=0.8, plain=0.5)

_NEVER_EXCUSED = frozenset({"children", "slur", "suicide"})
"""Subjects on which no classifier is asked whether a telling word was only meant as a figure."""


def screen_topic(text: str, language: str | None = None, blocklist: Sequence[str] = ()) -> Verdict:
    """Judge a topic by its title, or title and lead in one text. See `screen_topics`."""
    return screen_topics([text], blocklist)[0]


def screen_topics(texts: Sequence[str], blocklist: Sequence[str] = ()) -> list[Verdict]:
    """Judge many topics at once, in order.

    A topic is refused when it holds a word of the owner's `blocklist`, an obscenity or sexual
    content, an insult to a person, or a word of the lexicon that no figure of speech excuses;
    ambiguous words and silence of the lexicon are decided by a classifier (`second_opinion`).
    Both languages are read in every text.
    """
    cut = [text[:MAX_CHARS] for text in texts]
    readings = [read(text) for text in cut]
    probabilities = second_opinion.probabilities("topics", cut, features(cut, readings))
    return [
        _judge(text, reading, float(p), blocklist)
        for text, reading, p in zip(cut, readings, probabilities, strict=True)
    ]


def features(texts: Sequence[str], readings: Sequence[Reading]) -> np.ndarray:
    """What the classifier of topics sees, shape (n, 1027): the sentence embeddings, and whether
    the lexicon found grave words, ambiguous ones, figures of speech."""
    found = [(bool(r.strong), bool(r.weak), bool(r.figurative)) for r in readings]
    flags = _FLAG * np.array(found, dtype=np.float32).reshape(len(texts), 3)
    return np.hstack([second_opinion.features(texts), flags])


def _judge(text: str, reading: Reading, probability: float, blocklist: Sequence[str]) -> Verdict:
    if not text.strip():
        return Verdict(False, "empty", 1.0)
    plain = disguise.plain(text)
    broken = "\0" in text or text.count("\ufffd") > 2 or _TURNED.search(text)
    if broken or not any(char.isalpha() for char in plain):
        return Verdict(False, "unreadable", 1.0)
    if hit := blocklist_hit(text, blocklist):
        return Verdict(False, "blocklist", 1.0, hit)
    if match := _INSTRUCTION.search(plain):
        return Verdict(False, "instruction", 1.0, (match.group(),))
    if found := bad_word(plain):
        return Verdict(False, found[0], 1.0, (found[1],))
    if insult := find_addressed_insult(plain, text):
        return Verdict(False, "insult", 1.0, (insult,))
    line = Thresholds(*second_opinion.model("topics").limits)
    return decide(reading, probability, line if len(text.split()) < LINE_WORDS else WITH_LEAD)


def decide(reading: Reading, probability: float, thresholds: Thresholds) -> Verdict:
    """The verdict on what the lexicon read and what the classifier thinks."""
    if reading.strong:
        kind = reading.strong[0][0]
        terms = tuple(dict.fromkeys(term for _, term in reading.strong))
        grave = not _NEVER_EXCUSED.isdisjoint(kind for kind, _ in reading.strong)
        if probability < thresholds.strong and len(terms) == 1 and not grave:
            return Verdict(True, "ok", round(probability, 4))
        return Verdict(False, kind, max(0.95, probability), terms)
    if reading.weak:
        kind = reading.weak[0][0]
        terms = tuple(dict.fromkeys(term for _, term in reading.weak))
        ok = probability < thresholds.weak
        return Verdict(ok, "ok" if ok else kind, round(probability, 4), () if ok else terms)
    limit = thresholds.figurative if reading.figurative else thresholds.plain
    ok = probability < limit
    return Verdict(ok, "ok" if ok else "doubt", round(probability, 4))
