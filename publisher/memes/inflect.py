"""Russian inflection with pymorphy3: noun phrases in any case, prepositions that sound right."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pymorphy3

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
VOWELS = "аеёиоуыэюя"

# «со», «во», «ко» are wanted before these clusters only: «со школой», but «с зарплатой».
_SO = re.compile(rf"(?:[сзшж](?![{VOWELS}ьъ])[а-яё]|щ|вс|вт|мн|льд|льв)", re.IGNORECASE)
_VO = re.compile(rf"(?:[вф](?![{VOWELS}ьъ])[а-яё]|льд|мн)", re.IGNORECASE)
_KO = re.compile(r"(?:вт|вс|мн|дн[её]м|сн[ау]$)", re.IGNORECASE)
_OB = re.compile(r"[аэиоу]", re.IGNORECASE)
_PREPOSITION = re.compile(r"(?:(?<=\s)|^|(?<=[«(]))(с|в|к|о|из|над|под)(\s+)$", re.IGNORECASE)


@lru_cache(maxsize=1)
def morph() -> Any:
    """The analyser, loaded once a process (about 0.1 s, 15 MB)."""
    return pymorphy3.MorphAnalyzer()


@lru_cache(maxsize=20_000)
def parses(word: str) -> tuple[Any, ...]:
    return tuple(morph().parse(word.lower()))


@dataclass(frozen=True)
class NounPhrase:
    """A phrase in all six cases. Gender is "masc", "femn", "neut" or "plur" (which has none)."""

    forms: tuple[str, str, str, str, str, str]
    gender: str
    animate: bool
    head: str  # lemma of the head noun
    lemmas: tuple[str, ...]  # lemmas of all its words
    possessive: bool = False
    parts: tuple[tuple[str, ...], ...] = ()  # the forms of «А» and of «Б» in «А и Б»

    @property
    def text(self) -> str:
        return self.forms[0]

    def case(self, case: str) -> str:
        return self.forms[CASES.index(case)]


def fix_preposition(before: str, after: str) -> str:
    """`before` with its last word, if a preposition, in the form that `after` calls for.

    «думаю о » + «ипотеке» → «думаю об »; «с » + «школой» → «со ».
    """
    match = _PREPOSITION.search(before)
    if not match or not after:
        return before
    word = match.group(1)
    low = word.lower()
    suffix = ""
    if low == "о" and _OB.match(after):
        suffix = "б"
    elif (
        (low == "с" and _SO.match(after))
        or (low == "в" and _VO.match(after))
        or (low == "к" and _KO.match(after))
        or (
            low in ("из", "над", "под") and after.lower().startswith(("мн", "льд", "всех", "всего"))
        )
    ):
        suffix = "о"
    return before[: match.start(1)] + word + suffix + match.group(2)


def agree(gender: str, variants: tuple[str, ...]) -> str:
    """One of four written forms (masc, femn, neut, plur), or of two (singular, plural)."""
    if len(variants) == 2:
        return variants[1] if gender == "plur" else variants[0]
    return variants[("masc", "femn", "neut", "plur").index(gender)]


def restore_case(source: str, word: str, proper: bool) -> str:
    """Give `word` (lower case, as pymorphy3 writes) the capitals of `source`."""
    if len(source) > 1 and source.isupper():
        return word.upper()
    if proper and source[:1].isupper():
        return "-".join(part[:1].upper() + part[1:] for part in word.split("-"))
    return word


def is_proper(parse: Any) -> bool:
    return any(mark in parse.tag for mark in ("Name", "Surn", "Patr", "Geox", "Orgn", "Trad"))


def is_person_name(parse: Any) -> bool:
    return any(mark in parse.tag for mark in ("Name", "Surn", "Patr"))


def _modifier_forms(word: str, gender: str, animate: bool, case: str) -> list[str] | None:
    """Six forms of an adjective, participle, pronoun or ordinal found in `case`, or None."""
    number = "plur" if gender == "plur" else "sing"
    for parse in parses(word):
        if parse.tag.POS not in ("ADJF", "PRTF") or parse.tag.number != number:
            continue
        if number == "sing" and parse.tag.gender not in (gender, None):
            continue
        if parse.tag.case != case and "Fixd" not in parse.tag:
            continue
        forms = []
        for target in CASES:
            wanted = {target, number}
            if number == "sing":
                wanted.add(gender)
            if target == "accs" and gender in ("masc", "plur"):
                wanted.add("anim" if animate else "inan")
            inflected = parse.inflect(wanted)
            if inflected is None:
                inflected = parse.inflect({target, number})
            if inflected is None:
                forms.append(word)
                continue
            forms.append(inflected.word)
        return [restore_case(word, form, proper=False) for form in forms]
    return None


def _noun_forms(word: str, parse: Any, capital: bool) -> list[str] | None:
    number = parse.tag.number or "sing"
    forms = []
    for case in CASES:
        inflected = parse if "Fixd" in parse.tag else parse.inflect({case, number})
        if inflected is None:
            return None
        forms.append(restore_case(word, inflected.word, capital))
    return forms


def _is_latin(word: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9+.\-]*", word))


def noun_phrase(words: list[str], case: str = "nomn") -> NounPhrase | None:
    """Read `words` as modifiers, head noun, unchanging tail, the head standing in `case`.

    The first reading wins in which a noun in `case` is preceded by agreeing modifiers only.
    A word in Latin letters is an indeclinable masculine noun. Returns None when no reading fits.
    """
    if not words:
        return None
    lead = 0
    while lead < len(words) - 1 and _may_modify(words[lead]):
        lead += 1
    for at in range(lead, -1, -1):
        word, modifiers, tail = words[at], words[:at], words[at + 1 :]
        if _is_latin(word):
            phrase = _assemble(modifiers, word, None, tail, case)
            if phrase:
                return phrase
            continue
        nouns = [p for p in parses(word) if p.tag.POS == "NOUN" and p.tag.case == case]
        if not nouns and not tail:  # «выходные», «коммунальные»: an adjective that is a noun
            nouns = [
                p for p in parses(word) if p.tag.POS in ("ADJF", "PRTF") and p.tag.case == case
            ]
        for parse in nouns:
            phrase = _assemble(modifiers, word, parse, tail, case)
            if phrase:
                return phrase
    return None


def _may_modify(word: str) -> bool:
    return any(p.tag.POS in ("ADJF", "PRTF") for p in parses(word))


def _assemble(
    modifiers: list[str], word: str, parse: Any, tail: list[str], case: str
) -> NounPhrase | None:
    words = [*modifiers, *tail]
    if parse is None:
        gender, animate, head, noun = "masc", False, word.lower(), [word] * 6
    else:
        if parse.tag.POS == "NOUN" and parse.score < 0.02:
            return None
        gender = "plur" if parse.tag.number == "plur" else str(parse.tag.gender or "masc")
        animate = "anim" in parse.tag
        capital = is_proper(parse) or (bool(modifiers) and word[:1].isupper())
        forms = _noun_forms(word, parse, capital)
        if forms is None:
            return None
        head, noun = parse.normal_form, forms
    columns = []
    for modifier in modifiers:
        column = _modifier_forms(modifier, gender, animate, case)
        if column is None:
            return None
        columns.append(column)
    columns.append(noun)
    if animate:
        names = _names_beside(tail, gender, case, is_person_name(parse))
        columns += names
        tail = tail[len(names) :]
    ending = "".join(" " + _tail_word(item) for item in tail)
    forms6 = tuple(" ".join(column[i] for column in columns) + ending for i in range(6))
    lemmas = tuple(parses(item)[0].normal_form for item in words)
    return NounPhrase(
        forms=forms6,  # type: ignore[arg-type]
        gender=gender,
        animate=animate,
        head=head,
        lemmas=(head, *lemmas),
        possessive=any("Apro" in parses(item)[0].tag for item in modifiers),
    )


def _names_beside(tail: list[str], gender: str, case: str, named: bool) -> list[list[str]]:
    """Six forms of each name that follows its bearer in the same case: «Иван Петров».

    A word that may be a genitive («жена Петрова») is a name only where it agrees in gender with a
    man or with a name.
    """
    columns = []
    for word in tail:
        nouns = [p for p in parses(word) if "NOUN" in p.tag and "anim" in p.tag]
        standing = [p for p in nouns if (p.tag.case, p.tag.number) == (case, "sing")]
        if any(p.tag.case == "gent" for p in nouns):
            agreeing = named or gender == "masc"
            standing = [
                p for p in standing if agreeing and is_person_name(p) and p.tag.gender == gender
            ]
        forms = _noun_forms(word, standing[0], True) if standing and word[:1].isupper() else None
        if forms is None:
            break
        columns.append(forms)
    return columns


def _tail_word(word: str) -> str:
    if _is_latin(word) or any(is_proper(p) for p in parses(word)[:1]) or word.isupper():
        return word
    return word if word[:1].islower() else word[:1].lower() + word[1:]


def coordinate(left: NounPhrase, right: NounPhrase, conjunction: str) -> NounPhrase:
    """«мой кот и понедельник»: each inflects, together they are plural."""
    forms = tuple(f"{a} {conjunction} {b}" for a, b in zip(left.forms, right.forms, strict=True))
    return NounPhrase(
        forms=forms,  # type: ignore[arg-type]
        gender="plur" if conjunction == "и" else right.gender,
        animate=left.animate and right.animate,
        head=left.head,
        lemmas=left.lemmas + right.lemmas,
        possessive=left.possessive or right.possessive,
        parts=(left.forms, right.forms),
    )
