"""Whether a topic may be joked about."""

from __future__ import annotations

import re
from collections.abc import Sequence

from publisher.screen import disguise, second_opinion
from publisher.screen.captions import bad_word, blocklist_hit
from publisher.screen.lexical import Reading, read
from publisher.screen.second_opinion import Thresholds
from publisher.screen.verdict import Verdict

MAX_CHARS = 3000
"""A headline and its lead are shorter; what follows is not read."""

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


def screen_topic(text: str, language: str | None = None, blocklist: Sequence[str] = ()) -> Verdict:
    """Judge a topic by its title, or title and lead in one text. See `screen_topics`."""
    return screen_topics([text], blocklist)[0]


def screen_topics(texts: Sequence[str], blocklist: Sequence[str] = ()) -> list[Verdict]:
    """Judge many topics at once, in order.

    A topic is refused when it holds a word of the owner's `blocklist`, an obscenity or sexual
    content, or a word of the lexicon that no figure of speech excuses; ambiguous words and
    silence of the lexicon are decided by a classifier (`second_opinion`). Both languages are
    read in every text.
    """
    cut = [text[:MAX_CHARS] for text in texts]
    probabilities = second_opinion.grave_probabilities(cut)
    return [_judge(text, float(p), blocklist) for text, p in zip(cut, probabilities, strict=True)]


def _judge(text: str, probability: float, blocklist: Sequence[str]) -> Verdict:
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
    return decide(read(text), probability, second_opinion.model().thresholds)


def decide(reading: Reading, probability: float, thresholds: Thresholds) -> Verdict:
    """The verdict on what the lexicon read and what the classifier thinks."""
    if reading.strong:
        kind = reading.strong[0][0]
        terms = tuple(dict.fromkeys(term for _, term in reading.strong))
        return Verdict(False, kind, max(0.95, probability), terms)
    if reading.weak:
        kind = reading.weak[0][0]
        terms = tuple(dict.fromkeys(term for _, term in reading.weak))
        ok = probability < thresholds.weak
        return Verdict(ok, "ok" if ok else kind, round(probability, 4), () if ok else terms)
    limit = thresholds.figurative if reading.figurative else thresholds.plain
    ok = probability < limit
    return Verdict(ok, "ok" if ok else "doubt", round(probability, 4))
