"""The noun phrase that an English topic or headline is about, by word lists and word order."""

from __future__ import annotations

import re
from functools import lru_cache

from publisher.memes.frames_kinds import (
    MAX_PHRASE,
    TopicPhrase,
    kinds_of_phrase,
    kinds_of_words,
    read_table,
)


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    return {left[0]: frozenset(words) for left, words in read_table("headlines.en.txt")}


def english_phrases(text: str) -> list[TopicPhrase]:
    segment = re.split(r"\s[—–-]\s|[:;,.!?…]\s|[:;,.!?…]$", text)[0]
    words = re.findall(r"[A-Za-z0-9][A-Za-z0-9'’+.\-]*", segment)
    if not words or len(words) > 30 or re.search(r"[А-Яа-яЁё]", segment):
        return []
    low = [word.lower().replace("’", "'") for word in words]
    verb = next(
        (
            i
            for i, word in enumerate(low)
            if i > 0
            and (word in _words()["takes_object"] or word in _words()["takes_subject"])
            and len(low) > 2
        ),
        None,
    )
    if verb is not None and not set(low[:verb]) & _words()["clause"]:
        return _headline(text, words, low, verb)
    if set(low) & _words()["clause"] or low[0] in _words()["prepositions"]:
        return []
    if len(" ".join(words)) > MAX_PHRASE + 4 or len(words) > 5:
        return []
    return [_topic(text, words)]


def _headline(text: str, words: list[str], low: list[str], verb: int) -> list[TopicPhrase]:
    after: list[str] = []
    for word, lower in zip(words[verb + 1 :], low[verb + 1 :], strict=True):
        if lower in _words()["prepositions"] or lower in _words()["clause"] or lower[0].isdigit():
            break
        after.append(word)
    found = []
    if low[verb] in _words()["takes_object"] and after:
        after = [word for word in after if word.lower() not in ("a", "an", "the", "all")]
        if low[verb] in _words()["ban"] and after:
            found.append(_topic(text, ["the", "ban", "on", *after], news=True))
        if after:
            found.append(_topic(text, after, news=True))
    before = [w for w in words[:verb] if w.lower() not in ("a", "an", "the")]
    if before and low[verb] in _words()["takes_subject"]:
        found.append(_topic(text, before, news=True))
    return [topic for topic in found if len(topic.phrase) <= MAX_PHRASE + 4]


def _topic(text: str, words: list[str], news: bool = False) -> TopicPhrase:
    low = [word.lower().replace("’", "'") for word in words]
    cut = next((i for i, w in enumerate(low) if i > 0 and w in _words()["prepositions"]), len(low))
    head = low[cut - 1]
    coordinated = "and" in low[1:-1]
    table = kinds_of_words("en")
    kinds = kinds_of_phrase(
        " ".join(low), (head, *[w for w in low if w != head]), "en", coordinated
    )
    gerund = head.endswith("ing") or low[0].endswith("ing")
    plural = (
        coordinated
        or head in _words()["plural"]
        or (
            head.endswith("s")
            and not head.endswith(("ss", "us", "is"))
            and "mass" not in table.get(head, ())
        )
    )
    shown = " ".join(_capitals(word, i == 0) for i, word in enumerate(words))
    mass = "mass" in table.get(head, ()) or gerund
    determined = low[0] in _words()["determiners"]
    proper = any(word[:1].isupper() and i > 0 for i, word in enumerate(words))
    timely = "time" in kinds or "mass" in kinds & {"mass"}
    bare = determined or plural or mass or proper or coordinated or timely
    return TopicPhrase(
        text=text,
        language="en",
        head=head,
        forms=(shown,) * 6,
        gender="plur" if plural else "neut",
        animate=bool(kinds & {"person", "animal"}),
        kinds=kinds - {"mass"},
        possessive=low[0] in _words()["determiners"],
        coordinated=coordinated,
        parts=_parts(words) if coordinated else (),
        article="" if bare else "the ",
        news=news,
    )


def _parts(words: list[str]) -> tuple[tuple[str, ...], ...]:
    at = next(i for i, word in enumerate(words) if word.lower() == "and")
    sides = (words[:at], words[at + 1 :])
    return tuple((" ".join(_capitals(w, i == 0) for i, w in enumerate(s)),) * 6 for s in sides)


def _capitals(word: str, first: bool) -> str:
    if word.lower() in _words()["capital"]:
        return word[:1].upper() + word[1:] if word.islower() and word != "iphone" else word
    if word.isupper() and 1 < len(word) <= 5:
        return word
    return word[:1].lower() + word[1:] if first and word[1:].islower() else word
