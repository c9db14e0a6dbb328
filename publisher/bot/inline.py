"""`@bot topic` in any chat: memes the channel has published, found by their words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from telethon import utils
from telethon.tl import functions, types

from publisher.bot.outbox import FIRST, Entry
from publisher.bot.sender import Sender
from publisher.ledger.models import Meme
from publisher.wording import say

RESULTS = 8
NEW_UPLOADS = 4
"""In one answer; the rest are there the next time somebody asks."""
CACHE_SECONDS = 60
PATIENCE = timedelta(seconds=10)


def answer_inline(
    sender: Sender, query_id: int, found: list[Meme], language: str, signature: str
) -> None:
    """Put the answer to a query on its way; worthless after a few seconds."""

    async def act() -> None:
        photos = await _photos(sender, found)
        results = [
            types.InputBotInlineResultPhoto(
                id=str(meme_id),
                type="photo",
                photo=photo,
                send_message=types.InputBotInlineMessageMediaAuto(message=signature),
            )
            for meme_id, photo in photos
        ]
        await sender.account.call(
            "other",
            functions.messages.SetInlineBotResultsRequest(
                query_id=query_id,
                results=results,
                cache_time=CACHE_SECONDS,
                gallery=True,
                switch_pm=types.InlineBotSwitchPM(say("bot_inline_more", language), "inline"),
            ),
        )

    until = sender.outbox.clock() + PATIENCE
    sender.outbox.put(Entry(0, FIRST, act, droppable=True, until=until))


async def _photos(sender: Sender, found: list[Meme]) -> list[tuple[int, Any]]:
    """Photos Telegram has already, and a few more put there now."""
    ready, uploads = [], 0
    for meme in found:
        photo = sender.photos.get(meme.file)
        if photo is None and uploads < NEW_UPLOADS:
            uploads += 1
            photo = await _upload(sender, meme)
        if photo is not None:
            ready.append((meme.id, photo))
    return ready


async def _upload(sender: Sender, meme: Meme) -> types.InputPhoto | None:
    path = sender.media / meme.file
    if not path.is_file():
        return None
    uploaded = await sender.account.upload(path.read_bytes(), "meme.jpg")
    kept = await sender.account.call(
        "other",
        functions.messages.UploadMediaRequest(
            peer=types.InputPeerSelf(), media=types.InputMediaUploadedPhoto(uploaded)
        ),
    )
    sender.keep_photo(meme.file, kept.photo)
    return utils.get_input_photo(kept.photo)
