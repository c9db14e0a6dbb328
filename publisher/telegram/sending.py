"""Raw sends that carry our own random_id, and what the server's answer says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from telethon.tl import functions, types

from publisher.telegram.account import TelegramAccount

CAPTION_LIMIT = 1024


def caption_units(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


async def send_uploaded_photo(
    account: TelegramAccount,
    peer: Any,
    uploaded: Any,
    caption: str,
    random_id: int,
    *,
    reply_markup: Any = None,
    suggested_post: Any = None,
    allow_paid_stars: int | None = None,
) -> int:
    """Send an uploaded photo; the message's id. `allow_paid_stars`: what it may cost.

    Raises what `TelegramAccount.call` raises, and LookupError when the answer names no message.
    """
    updates = await account.call(
        "send",
        functions.messages.SendMediaRequest(
            peer=peer,
            media=types.InputMediaUploadedPhoto(file=uploaded),
            message=caption,
            random_id=random_id,
            reply_markup=reply_markup,
            suggested_post=suggested_post,
            allow_paid_stars=allow_paid_stars,
        ),
    )
    return message_id_of(updates, random_id)


async def send_text(
    account: TelegramAccount,
    peer: Any,
    text: str,
    random_id: int,
    *,
    reply_markup: Any = None,
) -> int:
    """Send a text; the message's id. Raises as `send_uploaded_photo`."""
    updates = await account.call(
        "send",
        functions.messages.SendMessageRequest(
            peer=peer,
            message=text,
            random_id=random_id,
            reply_markup=reply_markup,
            no_webpage=True,
        ),
    )
    return message_id_of(updates, random_id)


async def send_file(
    account: TelegramAccount, peer: Any, path: Path, random_id: int, *, mime: str
) -> int:
    """Send a file as a document under its own name; the message's id.

    Raises as `send_uploaded_photo`, and OSError when the file cannot be read.
    """
    uploaded = await account.upload(path.read_bytes(), path.name)
    updates = await account.call(
        "send",
        functions.messages.SendMediaRequest(
            peer=peer,
            media=types.InputMediaUploadedDocument(
                file=uploaded,
                mime_type=mime,
                attributes=[types.DocumentAttributeFilename(path.name)],
                force_file=True,
            ),
            message="",
            random_id=random_id,
        ),
    )
    return message_id_of(updates, random_id)


NEW_MESSAGE = (types.UpdateNewMessage, types.UpdateNewChannelMessage)


def message_id_of(updates: Any, random_id: int) -> int:
    """The id the server gave the message with `random_id`.

    A server that knows the random_id already may answer with the existing message and without
    the id mapping; then the only new message in the answer is it. An answer may also tell of
    other people's messages, and one that maps other numbers says nothing about ours.
    Raises LookupError when it names no message: whether it arrived, the history tells.
    """
    if isinstance(updates, types.UpdateShortSentMessage):
        return int(updates.id)
    found = getattr(updates, "updates", None) or [getattr(updates, "update", None)]
    mapped = {u.random_id: u.id for u in found if isinstance(u, types.UpdateMessageID)}
    if random_id in mapped:
        return int(mapped[random_id])
    ids = [u.message.id for u in found if isinstance(u, NEW_MESSAGE)]
    if len(ids) == 1 and not mapped:
        return int(ids[0])
    raise LookupError(f"the answer {type(updates).__name__} names no message")
