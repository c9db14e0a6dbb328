"""Sentences that stand in the code in English and are said in Russian too.

As with gettext the English text is the key, at the place where it is raised; the Russian is in
`sentences.ru.toml` beside this file. What was not said with `words` stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

LEAST_OF_ITS_OWN = 12
"""Letters of a template beside its placeholders by which it is known again."""


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


class Twofold(str):
    """An English text that brings its Russian along."""

    russian: str

    def __new__(cls, english: str, russian: str) -> Twofold:
        made = super().__new__(cls, english)
        made.russian = russian
        return made

    def __reduce__(self) -> tuple[type[Twofold], tuple[str, str]]:
        return Twofold, (str(self), self.russian)


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
    if language == "ru" and isinstance(text, Twofold):
        return text.russian
    if language == "en" or not isinstance(text, Sentence):
        return str(text)
    facts = {
        name: in_language(fact, language) if isinstance(fact, str) else fact
        for name, fact in text.facts.items()
    }
    return russian().get(text.template, text.template).format(**facts)


def recalled(text: str) -> str:
    """A sentence of ours that was kept as plain English, as one that is said in both languages;
    also after "what it is about: ", and several in a row. Any other text is given back.
    """
    if isinstance(text, Sentence | Twofold):
        return text
    if text in russian() and "{" not in text:
        return Sentence(text, {})
    for pattern, template in _patterns():
        if found := pattern.fullmatch(text):
            facts = {k: in_language(recalled(v), "ru") for k, v in found.groupdict().items()}
            return Twofold(text, _without_formats(russian()[template]).format(**facts))
    about, _, rest = text.partition(": ")
    if rest and isinstance(told := recalled(rest), Sentence | Twofold):
        return joined(": ", [about, told])
    parts = [recalled(part) for part in text.split("; ")] if "; " in text else []
    return joined("; ", parts) if any(isinstance(p, Sentence | Twofold) for p in parts) else text


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """What each sentence looks like when it was said in English, the most telling first; those
    with hardly a word of their own are like too much else."""
    found = []
    for template in russian():
        parts = list(Formatter().parse(template))
        own = "".join(literal for literal, *_ in parts)
        if len(own) >= LEAST_OF_ITS_OWN:
            form = "".join(
                re.escape(literal) + (f"(?P<{name}>.*?)" if name else "")
                for literal, name, *_ in parts
            )
            found.append((len(own), re.compile(form, re.DOTALL), template))
    return [(pattern, template) for _, pattern, template in sorted(found, key=lambda f: -f[0])]


def _without_formats(template: str) -> str:
    return "".join(
        literal.replace("{", "{{").replace("}", "}}") + (f"{{{name}}}" if name else "")
        for literal, name, *_ in Formatter().parse(template)
    )


@cache
def russian() -> dict[str, str]:
    """English template → Russian template with the same placeholders."""
    text = Path(__file__).with_name("sentences.ru.toml").read_text(encoding="utf-8")
    return {str(english): str(said) for english, said in tomllib.loads(text).items()}


def _lasting(fact: Any) -> Any:
    # Errors may hold what cannot go to another process.
    return sentence_of(fact) if isinstance(fact, BaseException) else fact
