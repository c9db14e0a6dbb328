"""What the owner and the readers are told, in both languages: `wording.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from publisher.sentences import in_language, recalled

NAMED = ("arm", "account")
"""Facts of alerts that are codes with a word of their own."""


@cache
def table() -> dict[str, dict[str, str]]:
    """Code → language → text with {placeholders}."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {code: dict(texts) for code, texts in found.items()}


def say(code: str, language: str, /, **facts: Any) -> str:
    """The text for a code. Raises KeyError for an unknown code or a missing fact."""
    return table()[code][language].format(**facts)


def word(kind: str, code: str, language: str) -> str:
    """The ledger's code for a thing of this kind ("arm", "state", …), as it is said."""
    known = table().get(f"{kind}_{code}")
    return known[language] if known else code


def say_of(code: str, language: str, facts: Mapping[str, Any]) -> str:
    """The text for a code with facts from the ledger, which keeps what we say in English."""
    told = {
        name: in_language(recalled(fact), language) if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }
    named = {kind: word(kind, told[kind], language) for kind in NAMED if kind in told}
    return say(code, language, **told | named)
