"""What the owner and the readers are told, in both languages: `wording.toml` beside this file."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table() -> dict[str, dict[str, str]]:
    """Code → language → text with {placeholders}."""
    found = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {code: dict(texts) for code, texts in found.items()}


def say(code: str, language: str, /, **facts: Any) -> str:
    """The text for a code. Raises KeyError for an unknown code or a missing fact."""
    return table()[code][language].format(**facts)
