"""Inline buttons, and what their data mean: a letter and a number, `a:17`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from telethon import Button
from telethon.tl import types

from publisher.wording import say

AGAIN, OTHER, LIKE, DISLIKE, OFFER = "a", "t", "u", "d", "o"


def data(action: str, *numbers: int) -> bytes:
    return ":".join([action, *map(str, numbers)]).encode()


def parse(raw: bytes) -> tuple[str, tuple[int, ...]] | None:
    """None for what no button of ours carries."""
    match = re.fullmatch(rb"([a-z]+)((?::\d{1,18})+)", raw)
    if not match:
        return None
    return match[1].decode(), tuple(int(n) for n in match[2].decode()[1:].split(":"))


def markup(rows: Sequence[Sequence[tuple[str, bytes]]]) -> types.ReplyInlineMarkup:
    """Rows of (text, data)."""
    return types.ReplyInlineMarkup(
        [types.KeyboardButtonRow([Button.inline(text, raw) for text, raw in row]) for row in rows]
    )


def under_meme(meme_id: int, language: str, *, offer: bool) -> types.ReplyInlineMarkup:
    """The buttons of a meme; `offer` when there is an owner to offer it to."""
    change = [
        (say("bot_again", language), data(AGAIN, meme_id)),
        (say("bot_other", language), data(OTHER, meme_id)),
    ]
    judge = [("👍", data(LIKE, meme_id)), ("👎", data(DISLIKE, meme_id))]
    if offer:
        judge.append((say("bot_offer", language), data(OFFER, meme_id)))
    return markup([change, judge])
