"""Usernames are resolved once and kept: resolving is what gets accounts limited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from telethon.tl import functions, types

from publisher.ledger.models import Peer
from publisher.telegram.account import TelegramAccount


async def find_peer(account: TelegramAccount, handle: str, now: datetime) -> Peer:
    """The kept peer for a username, resolved on the first need.

    Raises telethon's UsernameNotOccupiedError and what the governor raises.
    """
    known = Peer.get_or_none((Peer.account == account.name) & (Peer.handle == handle.lower()))
    return known or await resolve(account, handle, now)


async def resolve(account: TelegramAccount, handle: str, now: datetime) -> Peer:
    """Ask the server who a username is, and keep the answer."""
    found = await account.call("resolve", functions.contacts.ResolveUsernameRequest(handle))
    row = _row(found)
    Peer.delete().where((Peer.account == account.name) & (Peer.handle == handle.lower())).execute()
    return Peer.create(account=account.name, handle=handle.lower(), resolved_at=now, **row)


def _row(found: Any) -> dict[str, Any]:
    if isinstance(found.peer, types.PeerUser):
        user = next(u for u in found.users if u.id == found.peer.user_id)
        return {
            "kind": "user",
            "tg_id": user.id,
            "access_hash": user.access_hash or 0,
            "title": user.first_name or "",
        }
    chat = next(c for c in found.chats if c.id == found.peer.channel_id)
    return {
        "kind": "channel",
        "tg_id": chat.id,
        "access_hash": chat.access_hash or 0,
        "title": chat.title,
        "linked_id": getattr(chat, "linked_monoforum_id", None),
    }


def input_peer(peer: Peer) -> Any:
    if peer.kind == "user":
        return types.InputPeerUser(peer.tg_id, peer.access_hash)
    return types.InputPeerChannel(peer.tg_id, peer.access_hash)


def input_channel(peer: Peer) -> types.InputChannel:
    return types.InputChannel(peer.tg_id, peer.access_hash)
