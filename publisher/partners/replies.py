"""What a partner's reply means."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

Meaning = Literal[
    "receipt", "accepted", "published", "rejected", "rate_limited", "blocked",
    "confirm", "greeting", "precondition", "unsupported", "unknown",
]  # fmt: skip
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)


@dataclass(frozen=True)
class Reading:
    """`because` names the rule or the nearest example; `score` in [0, 1], 1 for a rule."""

    meaning: Meaning
    because: str
    score: float


def normalise(text: str) -> str:
    """Lower case without markup, zero-width characters and doubled spaces; ё as е."""
    plain = html.unescape(re.sub(r"<[^<>]{1,200}>", " ", text))
    plain = unicodedata.normalize("NFKC", plain).replace("\ufe0f", "")
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf" or c == "\u200d")
    return re.sub(r"\s+", " ", plain.casefold().replace("ё", "е")).strip()


def read_rules(text: str) -> Reading:
    return Reading("unknown", "no rule", 0.0)


def read_replies(texts: list[str], embedding: str | None = None) -> list[Reading]:
    """The meaning of each reply: rules first, then the nearest labelled examples."""
    return [read_rules(text) for text in texts]
