"""The noun phrase that a Russian topic or headline is about, by pymorphy3's tags."""

from __future__ import annotations

import re
from functools import lru_cache

from publisher.memes import inflect
from publisher.memes.frames_kinds import MAX_PHRASE, TopicPhrase, kinds_of_phrase, read_table
from publisher.memes.inflect import NounPhrase

_PREPOSITION_CASES = {"к": "datv", "ко": "datv", "о": "loct", "об": "loct", "с": "ablt"}
_WORD = re.compile(r"[A-Za-zА-Яа-яЁё0-9][A-Za-zА-Яа-яЁё0-9+.\-]*(?<!\.)|[«»“”\"—–:;,!?()…/&%№]")


@lru_cache(maxsize=1)
def actions() -> dict[str, tuple[str, str]]:
    """Headline verb → the noun that it becomes, and whose genitive that noun takes."""
    return {
        verb: (left[0], left[1]) for left, verbs in read_table("headlines.ru.txt") for verb in verbs
    }


def russian_phrases(text: str) -> list[TopicPhrase]:
    segment = re.split(r"\s[—–-]\s|[:;.!?…]\s|[:;.!?…]$", text)[0]
    tokens = [token for token in _WORD.findall(segment) if token not in '«»“”"()…']
    if not tokens or len(tokens) > 30:
        return []
    if any(token in ",;:!?&%№" for token in tokens):
        cut = next(i for i, token in enumerate(tokens) if token in ",;:!?&%№")
        tokens = tokens[:cut]
    if not tokens or (not re.search(r"[А-Яа-яЁё]", segment) and len(tokens) > 3):
        return []
    verb = next((i for i, token in enumerate(tokens) if _is_verb(token, i)), None)
    if verb is not None:
        found = _headline(text, tokens, verb)
    else:
        phrase = _whole(tokens)
        found = [_topic(text, phrase)] if phrase else []
    return [topic for topic in found if len(topic.phrase) <= MAX_PHRASE]


def _is_verb(token: str, at: int) -> bool:
    """Whether it makes a sentence of the topic; «кофе утром» is none, «дома хорошо» is one."""
    parts = [parse.tag.POS for parse in inflect.parses(token)]
    if parts[0] in ("ADVB", "COMP"):
        return at == 0 and "ADJF" not in parts
    return parts[0] in ("VERB", "INFN", "PRED", "GRND", "PRTS", "NPRO")


def _whole(tokens: list[str]) -> NounPhrase | None:
    """All of a verbless topic as one phrase, shortened from the right while it is too long."""
    for at, token in enumerate(tokens):
        if token.lower() in ("и", "или") and 0 < at < len(tokens) - 1:
            left = inflect.noun_phrase(tokens[:at])
            right = inflect.noun_phrase(tokens[at + 1 :])
            if left and right:
                return inflect.coordinate(left, right, token.lower())
            return None
    if not tokens or not tokens[0][0].isalpha() or _is_function_word(tokens[0]):
        return None
    words = list(tokens)
    while words:
        phrase = inflect.noun_phrase(words)
        if phrase is None:
            return None
        if len(phrase.text) <= MAX_PHRASE:
            return phrase
        words = words[:-1]
        while words and _is_function_word(words[-1]):
            words = words[:-1]
    return None


def _is_function_word(token: str) -> bool:
    return inflect.parses(token)[0].tag.POS in ("PREP", "CONJ", "PRCL", "INTJ", "NPRO")


def _headline(text: str, tokens: list[str], verb: int) -> list[TopicPhrase]:
    lemma = next(
        (p.normal_form for p in inflect.parses(tokens[verb]) if p.normal_form in actions()),
        inflect.parses(tokens[verb])[0].normal_form,
    )
    if inflect.parses(tokens[verb])[0].tag.POS not in ("VERB", "PRTS"):
        return []
    objects = [
        phrase
        for at in range(verb + 1, len(tokens))
        if _free(tokens, at) and (phrase := _chunk(tokens, at, "accs"))
    ]
    before = (_chunk(tokens[:verb], at, "nomn") for at in range(verb) if _free(tokens, at))
    subject = next((phrase for phrase in before if phrase), None) or _chunk(
        tokens, verb + 1, "nomn"
    )
    about = [
        phrase
        for at in range(verb + 1, len(tokens) - 1)
        if (case := _PREPOSITION_CASES.get(tokens[at].lower()))
        and (phrase := _chunk(tokens, at + 1, case))
    ]
    found: list[NounPhrase] = []
    if lemma in actions():
        noun, role = actions()[lemma]
        patient = (objects[0] if objects else None) if role == "object" else subject
        if patient and (action := _action(noun, patient)):
            found.append(action)
    found += objects[:1] or about[:1]
    if subject:
        found.append(subject)
    topics = [_topic(text, phrase, news=True) for phrase in found]
    unnamed = [topic for topic in topics if not _is_named(topic)]
    unique = {topic.phrase: topic for topic in unnamed}
    return sorted(unique.values(), key=lambda topic: not topic.kinds)[:3]


def _action(noun: str, patient: NounPhrase) -> NounPhrase | None:
    whole = inflect.noun_phrase([noun, *patient.case("gent").split()])
    if whole and len(whole.text) <= MAX_PHRASE:
        return whole
    bare = patient.case("gent").split()
    for end in range(len(bare), 0, -1):  # «повышение ключевой ставки до 21 %» is too long
        candidate = inflect.noun_phrase([noun, *bare[:end]])
        if candidate and len(candidate.text) <= MAX_PHRASE:
            last = inflect.parses(bare[end - 1])[0]
            if last.tag.POS == "NOUN":
                return candidate
    return None


def _free(tokens: list[str], at: int) -> bool:
    """Whether a phrase can begin at `at`: nothing to its left governs it or belongs to it."""
    if at == 0:
        return True
    return inflect.parses(tokens[at - 1])[0].tag.POS not in ("ADJF", "PRTF", "PREP", "NUMR")


def _chunk(tokens: list[str], start: int, case: str) -> NounPhrase | None:
    """The phrase in `case` that begins at `start`: modifiers, noun, genitives, one «на …»."""
    end = start
    while end < len(tokens) and inflect.parses(tokens[end])[0].tag.POS in ("ADJF", "PRTF"):
        end += 1
    if end >= len(tokens) or _is_function_word(tokens[end]) or tokens[end][0].isdigit():
        return None
    head_at = end
    end += 1
    while end < len(tokens) and _is_genitive(tokens[end]):
        end += 1
    if (
        end + 1 < len(tokens)
        and tokens[end].lower() in ("на", "для", "без")
        and ("NOUN" in {p.tag.POS for p in inflect.parses(tokens[end + 1])})
    ):
        longer = inflect.noun_phrase(tokens[start : end + 2], case)
        if longer and len(longer.text) <= 18 and case == "nomn":
            return longer
    while end > head_at:
        phrase = inflect.noun_phrase(tokens[start:end], case)
        if phrase is None:
            return None
        if len(phrase.text) <= MAX_PHRASE:
            return phrase
        end -= 1
    return None


def _is_genitive(token: str) -> bool:
    if _is_function_word(token):
        return False
    return any(
        p.tag.POS in ("NOUN", "ADJF", "PRTF") and p.tag.case == "gent" and p.score > 0.1
        for p in inflect.parses(token)
    )


def _is_named(topic: TopicPhrase) -> bool:
    head = topic.phrase.split()[0]
    return any(inflect.is_person_name(p) for p in inflect.parses(head)[:1])


def _topic(text: str, phrase: NounPhrase, news: bool = False) -> TopicPhrase:
    return TopicPhrase(
        text=text,
        language="ru",
        head=phrase.head,
        forms=phrase.forms,
        gender=phrase.gender,
        animate=phrase.animate,
        kinds=kinds_of_phrase(phrase.text, phrase.lemmas, "ru", bool(phrase.parts)),
        possessive=phrase.possessive,
        coordinated=bool(phrase.parts),
        parts=phrase.parts,
        news=news,
    )
