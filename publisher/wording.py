"""What the owner and the readers are told, in both languages: `wording.toml` beside this file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from publisher.sentences import in_language, recalled


@cache
def table() -> dict[str, dict[str, str]]:
    """Code → language → text with {placeholders}."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {code: dict(texts) for code, texts in found.items()}


def say(code: str, language: str, /, **facts: Any) -> str:
    """The text for a code. Raises KeyError for an unknown code or a missing fact."""
    return table()[code][language].format(**facts)


def say_of(code: str, language: str, facts: Mapping[str, Any]) -> str:
    """The text for a code with facts from the ledger, which keeps what we say in English."""
    told = {
        name: in_language(recalled(fact), language) if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }
    return say(code, language, **told)
