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
    verb = _verb(low)
    if verb is not None and not set(low[:verb]) & _words()["clause"]:
        return _headline(text, words, low, verb)
    if set(low) & _words()["clause"] or low[0] in _words()["prepositions"]:
        return []
    words = _without_adverbs(words)
    if not words or len(" ".join(words)) > MAX_PHRASE + 4 or len(words) > 5:
        return []
    return [_topic(text, words)]


def _verb(low: list[str]) -> int | None:
    """Where a headline's verb stands. «weekend plans», «my coffee breaks» have none."""
    if len(low) < 3:
        return None
    for i, word in enumerate(low[1:], start=1):
        if word in _words()["takes_subject"]:
            return i
        if word in _words()["takes_object"] and i + 1 < len(low):
            return i
    return None


def _without_adverbs(words: list[str]) -> list[str]:
    """Without «again», «finally», «this morning» at either end."""
    low = [word.lower() for word in words]
    first, last = 0, len(low)
    while first < last and low[first] in _words()["adverbs"]:
        first += 1
    while last > first + 1:
        if low[last - 1] in _words()["adverbs"]:
            last -= 1
        elif low[last - 2] in _words()["when"] and low[last - 1] in _words()["times"]:
            last -= 2
        else:
            break
    if "and" in low[first : first + 1] or "and" in low[last - 1 : last]:
        return words  # half of «today and tomorrow» says less than the whole
    return words[first:last]


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
        after = _without_adverbs(after)
        if after:
            found.append(_topic(text, after, news=True))
    before = [w for w in words[:verb] if w.lower() not in ("a", "an", "the")]
    before = _without_adverbs(before)
    if before and low[verb] in _words()["takes_subject"]:
        found.append(_topic(text, before, news=True))
    return [topic for topic in found if len(topic.phrase) <= MAX_PHRASE + 4]


def _topic(text: str, words: list[str], news: bool = False) -> TopicPhrase:
    low = [word.lower().replace("’", "'") for word in words]
    gerund = _is_gerund(low)
    cut = next((i for i, w in enumerate(low) if i > 0 and w in _words()["prepositions"]), len(low))
    head = low[cut - 1]
    coordinated = "and" in low[1:-1]
    kinds = kinds_of_phrase(
        " ".join(low), (head, *[w for w in low if w != head]), "en", coordinated
    )
    plural = coordinated or (not gerund and _is_plural(head))
    bare = gerund or plural or _stands_bare(words[:cut], low[:cut])
    return TopicPhrase(
        text=text,
        language="en",
        head=head,
        forms=(_shown(words),) * 6,
        gender="plur" if plural else "neut",
        animate=bool(kinds & {"person", "animal"}),
        kinds=kinds - {"mass"},
        possessive=low[0] in _words()["determiners"],
        coordinated=coordinated,
        parts=_parts(words) if coordinated else (),
        article="" if bare else "the ",
        news=news,
    )


def _is_gerund(low: list[str]) -> bool:
    """Whether a phrase names a doing («working from home», «reading books») and not a thing
    («a reading lamp», «the meeting with my boss»).

    A bare countable noun in the singular is never an object, so before one the -ing belongs to it.
    """
    lists = _words()
    first, rest = low[0], low[1:]
    if not _is_ing(first):
        return False
    if not rest or rest[0] in lists["prepositions"]:
        return not _is_thing(first)
    if rest[0] in lists["determiners"] or rest[0] in lists["particles"]:
        return True
    if first in lists["ing_transitive"]:
        return _is_plural(rest[-1]) or _is_uncountable(rest[-1])
    return first not in lists["ing_modifiers"]


def _is_thing(ing: str) -> bool:
    """«A meeting», but not «painting», which is known as something to do."""
    doing = "activity" in kinds_of_words("en").get(ing, ())
    return ing in _words()["ing_nouns"] and not doing


def _is_ing(word: str) -> bool:
    return word.endswith("ing")


def _is_plural(noun: str) -> bool:
    if noun in _words()["plural"]:
        return True
    ends_as_one = noun.endswith(("ss", "us", "is", "'s")) or noun in _words()["singular"]
    return noun.endswith("s") and not ends_as_one and not _is_uncountable(noun)


def _is_uncountable(noun: str) -> bool:
    return (
        noun in _words()["uncountable"]
        or "mass" in kinds_of_words("en").get(noun, ())
        or noun.endswith(("ness", "ism"))
        or (_is_ing(noun) and not _is_thing(noun))
    )


def _stands_bare(words: list[str], low: list[str]) -> bool:
    """Whether a singular phrase goes without «the»: it has a determiner, is uncountable or a
    name, or is a day, as in «Monday morning»."""
    lists, head = _words(), low[-1]
    if low[0] in lists["determiners"] or _is_uncountable(head) or head in lists["names"]:
        return True
    owner = low[0].removesuffix("'s")
    if owner != low[0] and (owner in lists["names"] or words[0][:1].isupper()):
        return True
    if head in lists["days"] or (low[0] in lists["days"] and head in lists["parts_of_day"]):
        return True
    if len(words) == 1:
        return head in lists["capital"] and head not in lists["things"]
    return _is_name(words)


def _shown(words: list[str]) -> str:
    """Words as they stand within a sentence; «Parking Ticket» is written small, «New York» not."""
    if _is_name(words):
        return " ".join(words)
    title = _is_title(words)
    return " ".join(_capitals(word, i == 0 or title) for i, word in enumerate(words))


def _is_name(words: list[str]) -> bool:
    head = words[-1].lower()
    common = head in kinds_of_words("en") or head in _words()["ing_nouns"]
    return _is_title(words) and (not common or head in _words()["capital"])


def _is_title(words: list[str]) -> bool:
    """Whether all words begin with a capital, except «of» and the like."""
    small = _words()["prepositions"]
    return len(words) > 1 and all(w[:1].isupper() or w in small for w in words)


def _parts(words: list[str]) -> tuple[tuple[str, ...], ...]:
    at = [word.lower() for word in words].index("and", 1)
    return tuple((_shown(side),) * 6 for side in (words[:at], words[at + 1 :]))


def _capitals(word: str, within: bool) -> str:
    if word.lower() in _words()["capital"]:
        return word[:1].upper() + word[1:] if word.islower() and word != "iphone" else word
    if word.isupper() and 1 < len(word) <= 5:
        return word
    return word[:1].lower() + word[1:] if within and word[1:].islower() else word
