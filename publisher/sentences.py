"""Sentences that stand in the code in English and are said in Russian too.

As with gettext the English text is the key, at the place where it is raised; the Russian is in
`sentences.ru.toml` beside this file. What was not said with `words` stays as it is.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any


class Sentence(str):
    """An English sentence that remembers how it was put together."""

    template: str
    facts: dict[str, Any]

    def __new__(cls, template: str, facts: dict[str, Any]) -> Sentence:
        made = super().__new__(cls, template.format(**facts))
        made.template, made.facts = template, facts
        return made

    def __reduce__(self) -> tuple[type[Sentence], tuple[str, dict[str, Any]]]:
        return Sentence, (self.template, self.facts)


def words(template: str, /, **facts: Any) -> Sentence:
    """`template` with its {placeholders} filled; among the facts may be such sentences again, and
    errors, which stand for what they say."""
    return Sentence(template, {name: _lasting(fact) for name, fact in facts.items()})


def phrase(template: str) -> str:
    """`template` itself, for `words` to say later."""
    return template


def joined(separator: str, parts: Iterable[Any]) -> Sentence:
    """Sentences, errors and other values in a row; each is said in its language."""
    facts = {f"part{number}": _lasting(part) for number, part in enumerate(parts)}
    return Sentence(separator.join(f"{{{name}}}" for name in facts), facts)


def sentence_of(error: BaseException) -> str:
    """What an error says: the sentence it was raised with, else its text."""
    return next((a for a in error.args if isinstance(a, Sentence)), None) or str(error)


def is_worded(error: BaseException) -> bool:
    """Whether an error was raised with a sentence, which is to be said to a person."""
    return isinstance(sentence_of(error), Sentence)


def in_language(said: object, language: str) -> str:
    """A sentence or an error in "ru" or "en"; what is not ours, as it is."""
    text = sentence_of(said) if isinstance(said, BaseException) else said
    if language == "en" or not isinstance(text, Sentence):
        return str(text)
    facts = {
        name: in_language(fact, language) if isinstance(fact, Sentence) else fact
        for name, fact in text.facts.items()
    }
    return russian().get(text.template, text.template).format(**facts)


@cache
def russian() -> dict[str, str]:
    """English template → Russian template with the same placeholders."""
    text = Path(__file__).with_name("sentences.ru.toml").read_text(encoding="utf-8")
    return {str(english): str(said) for english, said in tomllib.loads(text).items()}


def _lasting(fact: Any) -> Any:
    # Errors may hold what cannot go to another process.
    return sentence_of(fact) if isinstance(fact, BaseException) else fact
