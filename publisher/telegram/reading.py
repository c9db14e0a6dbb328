"""Reading channels: history, what a post has gathered, members, rights. All polled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from telethon import errors
from telethon.tl import functions, types

from publisher.ledger.models import Peer
from publisher.telegram.account import TelegramAccount
from publisher.telegram.peers import input_channel, input_peer

PAGE = 100


@dataclass(frozen=True)
class Seen:
    """A message as the server shows it; counts are what it has gathered until now."""

    message_id: int
    at: datetime
    text: str
    views: int
    forwards: int
    reactions: dict[str, int] = field(hash=False)
    photo: Any = field(hash=False, repr=False)
    outgoing: bool
    edited_at: datetime | None
    message: Any = field(hash=False, repr=False)


async def read_history(
    account: TelegramAccount, peer: Peer, *, after_id: int = 0, limit: int = PAGE
) -> list[Seen]:
    """The newest `limit` messages with ids above `after_id`, newest first."""
    seen: list[Seen] = []
    offset = 0
    while len(seen) < limit:
        page = await account.call(
            "history",
            functions.messages.GetHistoryRequest(
                peer=input_peer(peer),
                offset_id=offset,
                offset_date=None,
                add_offset=0,
                limit=min(PAGE, limit - len(seen)),
                max_id=0,
                min_id=after_id,
                hash=0,
            ),
        )
        fresh = [m for m in page.messages if m.id > after_id and (not offset or m.id < offset)]
        seen += [_seen(m) for m in fresh if not isinstance(m, types.MessageEmpty)]
        if len(fresh) < PAGE:
            break
        offset = min(m.id for m in fresh)
    return seen


async def read_messages(
    account: TelegramAccount, peer: Peer, ids: Sequence[int]
) -> dict[int, Seen]:
    """The messages still there, by id; at most 100 ids a call."""
    found: dict[int, Seen] = {}
    for start in range(0, len(ids), PAGE):
        wanted = [types.InputMessageID(i) for i in ids[start : start + PAGE]]
        page = await account.call(
            "history",
            functions.channels.GetMessagesRequest(channel=input_channel(peer), id=wanted),
        )
        for message in page.messages:
            if isinstance(message, types.Message):
                found[message.id] = _seen(message)
    return found


async def count_members(account: TelegramAccount, peer: Peer) -> int:
    """Members of a channel. Raises telethon's errors; 0 is a true zero."""
    full = await account.call(
        "other", functions.channels.GetFullChannelRequest(input_channel(peer))
    )
    if full.full_chat.participants_count is not None:
        return int(full.full_chat.participants_count)
    part = await account.call(
        "other",
        functions.channels.GetParticipantsRequest(
            channel=input_channel(peer),
            filter=types.ChannelParticipantsRecent(),
            offset=0,
            limit=1,
            hash=0,
        ),
    )
    return int(part.count)


@dataclass(frozen=True)
class Rights:
    may_post: bool
    reason: str


async def post_rights(account: TelegramAccount, peer: Peer) -> Rights:
    """Whether this account may post in the channel, and if not, why in Telegram's words."""
    try:
        found = await account.call(
            "other", functions.channels.GetChannelsRequest([input_channel(peer)])
        )
    except errors.RPCError as error:
        return Rights(False, str(error.message))
    chat = next((c for c in found.chats if c.id == peer.tg_id), None)
    if not isinstance(chat, types.Channel):
        return Rights(False, "CHANNEL_PRIVATE")
    rights = chat.admin_rights
    if chat.creator or (rights and rights.post_messages):
        return Rights(True, "")
    return Rights(False, "CHAT_ADMIN_REQUIRED")


def _seen(message: Any) -> Seen:
    reactions: dict[str, int] = {}
    for result in getattr(getattr(message, "reactions", None), "results", None) or ():
        emoji = getattr(result.reaction, "emoticon", None)
        if emoji:
            plain = emoji.replace("\ufe0f", "")
            reactions[plain] = reactions.get(plain, 0) + int(result.count)
    media = getattr(message, "media", None)
    photo = media.photo if isinstance(media, types.MessageMediaPhoto) else None
    return Seen(
        message_id=message.id,
        at=message.date,
        text=getattr(message, "message", "") or "",
        views=int(getattr(message, "views", 0) or 0),
        forwards=int(getattr(message, "forwards", 0) or 0),
        reactions=reactions,
        photo=photo,
        outgoing=bool(getattr(message, "out", False)),
        edited_at=getattr(message, "edit_date", None),
        message=message,
    )
