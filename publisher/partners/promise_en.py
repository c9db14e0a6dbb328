"""What an English yes is said of, by the places of its words: our offer, or "the results".

English nouns have no cases: a noun counts as the thing published unless a preposition stands
before it, or it is he who publishes ("the team approved it").
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

WORD = re.compile(r"[a-z][a-z'-]*|\d[\d:.,]*")
BE = frozenset(["is", "are", "was", "were", "be", "been", "got", "it's"])
GIVING = frozenset(["to", "with", "by", "past", "in", "into", "on", "onto", "at"])
TAKE = frozenset(["take", "taking", "took", "share", "sharing"])
"""Of a time too: "take a day off", "share a moment"."""
RUN = frozenset(["run", "running", "put", "putting"])


def other_thing(clause: str) -> str:
    """The word of a clause (as `plain.normalise` leaves it) that shows another thing, or ""."""
    words = WORD.findall(clause)
    verbs = [i for i, word in enumerate(words) if word in _listed("publishing")]
    if not verbs and BE.isdisjoint(words):
        return ""
    preposition = ""
    phrase: list[str] = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        if i - 1 in verbs and _is_no_publishing(before, word):
            return word
        if word == "about" and any(v < i for v in verbs) and _tells(words[i + 1 :]):
            return word
        if word in _listed("before_noun"):
            preposition, phrase = word, []
        elif before == "to" and word in _listed("publishing") and word not in _nouns():
            preposition = ""
        elif word in _listed("articles", "another"):
            phrase.append(word)
        elif word in _nouns():
            if preposition and _gets_it(preposition, word, words[:i]):
                return word
            if not preposition and _is_another(words, i, phrase, verbs):
                return word
            preposition, phrase = "", []
    return ""


def _is_another(words: list[str], place: int, phrase: list[str], verbs: list[int]) -> bool:
    """Is the noun at `place`, with the articles before it in `phrase`, no offer of ours?"""
    noun, after = words[place], words[place + 1 :]
    after_verb = any(verb < place for verb in verbs)
    if noun in _listed("offer", "offers"):
        return bool(verbs) and _is_anothers(phrase, noun, after_verb)
    if noun in _listed("who") and not after_verb:
        return any(a in BE and b in _listed("passive") for a, b in pairwise([noun, *after]))
    if noun in _listed("thing", "who"):
        return True
    if noun in _listed("named"):
        is_subject = bool(after) and (after[0] in BE or after[0] in _listed("passive"))
        return bool(phrase) or is_subject
    return noun in _listed("time") and bool(phrase) and words[place - len(phrase) - 1] in TAKE


def _is_anothers(phrase: list[str], offer: str, after_verb: bool) -> bool:
    """ "Our own post", "another one", "memes", and "a post" that will be posted."""
    if {"your", "this", "that"} & set(phrase):
        return False
    if offer in _listed("offers") or _listed("another") & set(phrase):
        return True
    return after_verb and bool({"a", "an"} & set(phrase))


def _gets_it(preposition: str, noun: str, before: list[str]) -> bool:
    """ "Share it with the mods"; but "approved by the mods" is a yes."""
    if preposition == "for":
        return noun in _listed("meal")
    if preposition in {"by", "of", "from"} and _is_offer_of(preposition, before):
        return noun in _listed("who")
    if preposition == "by" and RUN.isdisjoint(before):
        return False
    return preposition in GIVING and (noun in _listed("who") or noun == "list")


def _is_offer_of(preposition: str, before: list[str]) -> bool:
    """ "The post by the admin", not "approved by the admin"."""
    place = len(before) - 1 - before[::-1].index(preposition)
    return place > 0 and before[place - 1] in _listed("offer", "offers")


def _is_no_publishing(verb: str, after: str) -> bool:
    return after in _listed("not_it") or (
        verb in {"run", "running"} and after in _listed("particles")
    )


def _tells(after_about: list[str]) -> bool:
    """ "We'll post about it", not "in about an hour"."""
    return bool(after_about) and after_about[0] in {"your", "the", "it", "this"}


@cache
def _nouns() -> frozenset[str]:
    return _listed("offer", "offers", "time", "place", "thing", "named", "who", "meal")


@cache
def _listed(*names: str) -> frozenset[str]:
    return frozenset(" ".join(_words()[name] for name in names).split())


@cache
def _words() -> dict[str, str]:
    return tomllib.loads((Path(__file__).parent / "promise_en.toml").read_text(encoding="utf-8"))
