"""Plain text out of what feeds carry."""

from __future__ import annotations

import html
import re
import unicodedata

MAX_RAW = 20_000
"""Longer markup is cut before it is read: a lead needs a few hundred characters."""

_DROPPED = re.compile(r"<(script|style|head|svg)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li|/?h\d|/?tr)\b[^>]*>?", re.IGNORECASE)
_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[a-zA-Z/!?][^>]*(?:>|\Z)", re.DOTALL)
_SPACE = re.compile(r"\s+")


def plain_text(markup: str, limit: int) -> str:
    """`markup` without tags, entities, control and invisible characters, in one line of at most
    `limit` characters, cut at a word."""
    text = markup[:MAX_RAW]
    for pattern, replacement in ((_DROPPED, " "), (_BREAK, " "), (_TAG, "")):
        text = pattern.sub(replacement, text)
    text = html.unescape(text)
    text = unicodedata.normalize("NFC", text)
    text = "".join(
        " " if char.isspace() else char
        for char in text
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cs", "Cn")
    )
    return cut(_SPACE.sub(" ", text).strip(), limit)


def cut(text: str, limit: int) -> str:
    """`text` within `limit` characters, ended with an ellipsis at a word where it was cut."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    space = head.rfind(" ")
    return (head[:space] if space > limit // 2 else head).rstrip(" ,;:—–-") + "…"


def is_readable(text: str) -> bool:
    """Whether `text` holds words: at least three letters, and few broken characters."""
    letters = sum(char.isalpha() for char in text)
    return letters >= 3 and letters >= 0.3 * len(text) and text.count("\ufffd") <= 0.05 * len(text)
