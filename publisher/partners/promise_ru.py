"""What a Russian yes is said of, by the grammar of its clause: our offer, or «расписание».

A meme is published as the object of «опубликуем», or as the subject of «выйдет» and of «одобрен»:
a noun in that place that names no offer makes the yes another's. So does what is handed to
somebody, put where nobody reads it, or taken in order to do something with it.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pymorphy3

WORD = re.compile(r"[а-яa-z][а-яa-z'-]*|\d[\d:.,]*")
TOOK = re.compile(r"\bвзял[аи]?\b")
INTO = frozenset({"в", "во", "на", "к", "ко", "у"})


def merely_taken(sentence: str) -> str:
    """«Взял», and nothing that says what for: no offer, no channel, no time, no other promise."""
    if not (took := TOOK.search(sentence)):
        return ""
    for word in WORD.findall(sentence):
        lemma, tag = _lemma(word), _parse(word)[0].tag
        if lemma in _listed("offer", "time", "place") or word[0].isdigit():
            return ""
        if (lemma in _listed("publishing") and lemma != "взять") or "ADVB" in tag or "NPRO" in tag:
            return ""
    return took[0]


@dataclass
class _Phrase:
    """What was gathered before a noun: its preposition, adjectives, or the noun it belongs to."""

    preposition: str = ""
    of: str = ""
    words: set[str] = field(default_factory=set)


def other_thing(clause: str) -> str:
    """The word of a clause (as `plain.normalise` leaves it) that shows another thing, or ""."""
    words = WORD.findall(clause)
    verb = next((i for i, word in enumerate(words) if _is_verb(word)), -1)
    if verb < 0:
        return ""
    phrase = _Phrase()
    for i, word in enumerate(words):
        tag = _parse(word)[0].tag
        if i == verb:
            continue
        if word[0].isdigit():
            phrase = _Phrase(words={"number"})
        elif "PREP" in tag:
            phrase = _Phrase(preposition=word)
        elif tag.POS in {"ADJF", "PRTF"} and not _is_person(word):
            phrase.words.add("лучший" if "Supr" in tag else _lemma(word))
        elif tag.POS == "NOUN" or _is_person(word):
            if _names_another(words, verb, i, phrase):
                return word
            phrase = _Phrase(of=_lemma(word))
        elif i > verb and _turns_the_verb(words[verb], word, phrase.preposition):
            return word
        elif tag.POS != "CONJ":
            if _stands_for_another(phrase):
                return word
            phrase = _Phrase()
    return words[-1] if _stands_for_another(phrase) else ""


def _stands_for_another(phrase: _Phrase) -> bool:
    """«Публикуем своё», «ваши данные»: adjectives that no noun followed."""
    named = phrase.words - _listed("ours")
    return not phrase.preposition and bool(
        named & _listed("another") or (named and phrase.words & _listed("ours"))
    )


def _turns_the_verb(verb: str, word: str, preposition: str) -> bool:
    """«Взял посмотреть», «кину тебе», «беру на себя»."""
    if "INFN" in _parse(word)[0].tag:
        return not _is_verb(word)
    if preposition:
        return preposition == "на" and word == "себя"
    return _is_handed(verb, word)


def _names_another(words: list[str], verb: int, place: int, phrase: _Phrase) -> bool:
    """Is the noun at `place` what the verb is about, and no offer of ours?"""
    noun = words[place]
    lemma = _lemma(noun)
    if phrase.preposition:
        return phrase.preposition in INTO and _is_person(noun)
    if _is_handed(words[verb], noun):
        return True
    belongs = any("gent" in reading.tag for reading in _nouns(noun))
    if belongs and phrase.of and phrase.of not in _listed("time"):
        return phrase.of in _listed("offer") and _is_person(noun)
    if lemma in _listed("offer"):
        if phrase.words & _listed("ours"):
            return False
        if "number" in phrase.words and _nouns(noun, "plur"):
            return True
        objects = [r for r in _nouns(noun) if _is_object(words[verb], r, place > verb)]
        many = bool(objects) and all(r.tag.number == "plur" for r in objects)
        return many or bool(phrase.words & _listed("another"))
    if lemma in _listed("time") or noun in _listed("time"):
        return False
    if lemma in _listed("exclaimed") and place < verb:
        return False
    return any(_is_object(words[verb], reading, place > verb) for reading in _nouns(noun))


def _is_object(verb: str, noun: Any, after: bool) -> bool:
    """May the reading of a noun be what the verb publishes?"""
    is_object = "accs" in noun.tag or ("gent" in noun.tag and _is_person(noun.word))
    if _is_spoken(verb):
        return is_object
    for reading in _parse(verb):
        tag = reading.tag
        lemma = reading.normal_form.replace("ё", "е")
        if "PRTS" in tag and lemma in _listed("publishing"):
            return "nomn" in noun.tag and _agree(tag, noun.tag)
        if lemma in _listed("publishing"):
            return is_object and (after or "1per" in tag)
        if lemma in _listed("appearing"):
            return "nomn" in noun.tag and _agree(tag, noun.tag)
    return False


def _agree(verb: Any, noun: Any) -> bool:
    return verb.number == noun.number and (
        not verb.gender or verb.number == "plur" or verb.gender == noun.gender
    )


def _is_handed(verb: str, word: str) -> bool:
    """«Кину тебе», «поставим вам лайк»: to one person, not to the readers."""
    return (
        "datv" in _parse(word)[0].tag
        and _lemma(word) not in _listed("audience")
        and any(r.normal_form in _listed("handing") for r in _parse(verb))
    )


def _is_verb(word: str) -> bool:
    return _is_spoken(word) or any(
        reading.tag.POS in {"VERB", "INFN", "PRTS"}
        and reading.normal_form.replace("ё", "е") in _listed("publishing", "appearing")
        for reading in _parse(word)
    )


def _is_spoken(word: str) -> bool:
    return word.startswith(tuple(_listed("spoken")))


def _is_person(word: str) -> bool:
    """Of the words that are nowhere; «лс» is no noun to the dictionary."""
    nowhere = _listed("nowhere")
    return word in nowhere or any(r.normal_form in nowhere for r in _nouns(word))


def _nouns(word: str, *grammemes: str) -> list[Any]:
    return [r for r in _parse(word) if {"NOUN", *grammemes} <= r.tag.grammemes]


def _lemma(word: str) -> str:
    lemma: str = _parse(word)[0].normal_form
    return lemma.replace("ё", "е")


@lru_cache(maxsize=4096)
def _parse(word: str) -> list[Any]:
    return list(_analyzer().parse(word))


@cache
def _listed(*names: str) -> frozenset[str]:
    return frozenset(" ".join(_words()[name] for name in names).split())


@cache
def _words() -> dict[str, str]:
    return tomllib.loads((Path(__file__).parent / "promise_ru.toml").read_text(encoding="utf-8"))


@cache
def _analyzer() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()
