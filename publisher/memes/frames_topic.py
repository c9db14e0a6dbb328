"""What a topic is, for frames: a short noun phrase that inflects, and the kinds it belongs to."""

from __future__ import annotations

import re
import unicodedata

from publisher.memes import inflect
from publisher.memes.frames_english import english_phrases
from publisher.memes.frames_kinds import FEELINGS, FORMS, TopicPhrase, fold, kinds_of_words
from publisher.memes.frames_russian import russian_phrases


def topic_phrase(text: str, language: str) -> TopicPhrase | None:
    """The noun phrase that a topic or headline is about, or None when there is none to inflect.

    >>> topic_phrase("Мэрия запретила самокаты на тротуарах", "ru").phrase
    'запрет самокатов'
    """
    found = topic_phrases(text, language)
    return found[0] if found else None


def topic_phrases(text: str, language: str) -> list[TopicPhrase]:
    """All usable readings, the best first: the headline's event, then what it happened to."""
    clean = unicodedata.normalize("NFC", " ".join(text.split()))
    if not clean:
        return []
    return russian_phrases(clean) if language == "ru" else english_phrases(clean)


def only_known_words(text: str, language: str) -> bool:
    """Whether a topic of up to three words holds none that `frames/kinds.*.txt` does not list."""
    words = re.findall(r"[\w\-]+", text.lower())
    table = kinds_of_words(language)
    return 0 < len(words) <= 3 and all(
        (inflect.parses(word)[0].normal_form if language == "ru" else word).replace("ё", "е")
        in table
        for word in words
    )


def quoted(text: str, language: str) -> TopicPhrase:
    """A topic that can only be quoted as it is; kinds come from the words it contains."""
    words = re.findall(r"[\w\-]+", text.lower())
    table = kinds_of_words(language)
    kinds: set[str] = set()
    for word in words:
        lemma = inflect.parses(word)[0].normal_form if language == "ru" else word
        kinds |= table.get(fold(lemma), frozenset())
    return TopicPhrase(
        text=text,
        language=language,
        head="",
        forms=(),
        gender="neut",
        animate=False,
        kinds=frozenset(kinds - FORMS - FEELINGS),
        inflectable=False,
    )
