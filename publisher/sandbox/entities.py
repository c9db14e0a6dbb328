"""What Telegram's server finds in a text by itself: mentions, commands, hashtags, links."""

from __future__ import annotations

import re
from typing import Any

from telethon.tl import types as tl

PATTERNS: tuple[tuple[Any, re.Pattern[str]], ...] = (
    (tl.MessageEntityUrl, re.compile(r"\bhttps?://[^\s<>«»\"]*[^\s<>«»\".,:;!?)]", re.I)),
    (tl.MessageEntityBotCommand, re.compile(r"(?<![\w/@])/[A-Za-z0-9_]{1,64}(@\w{4,32})?")),
    (tl.MessageEntityMention, re.compile(r"(?<![\w@/])@[A-Za-z]\w{3,31}")),
    (tl.MessageEntityHashtag, re.compile(r"(?<![\w#])#(?=\w*[^\W\d])\w{1,256}")),
)


def detected(text: str, given: list[Any]) -> list[Any]:
    """The client's entities and those found beside them, by offset in UTF-16 units."""
    found = list(given)
    for kind, pattern in PATTERNS:
        for match in pattern.finditer(text):
            offset, length = units(text[: match.start()]), units(match.group())
            if not any(e.offset < offset + length and offset < e.offset + e.length for e in found):
                found.append(kind(offset, length))
    return sorted(found, key=lambda entity: (entity.offset, -entity.length))


def units(text: str) -> int:
    """Length in UTF-16 units, by which Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def mentions(text: str, username: str | None) -> bool:
    """Whether ``@username`` or ``/command@username`` stands in a text."""
    return bool(username) and re.search(rf"@{username}\b", text, re.I) is not None
