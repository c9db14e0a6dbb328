"""Tell the owner what was raised and not yet told."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from datetime import datetime

from telethon.errors import RandomIdDuplicateError
from telethon.tl import types

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Alert
from publisher.telegram.sending import send_text
from publisher.wording import say

log = logging.getLogger(__name__)


async def alert(services: Services, now: datetime) -> str:
    """Send each new alert to every owner's chat through the bot; to the log when there is none.

    An alert's random_id follows from the alert and the owner, so that a repeat is no second one.
    """
    told = 0
    for row in Alert.select().where(Alert.told_at.is_null()).order_by(Alert.id).limit(20):
        text = say(row.code, services.settings.language, **row.facts)
        if await deliver(services, row, text):
            Alert.update(told_at=now).where(Alert.id == row.id).execute()
            told += 1
    return f"told {told}" if told else ""


async def deliver(services: Services, row: Alert, text: str) -> bool:
    if services.bot is None or not services.settings.owner.ids:
        log.warning("for the owner: %s", text)
        return True
    reached = 0
    for owner in services.settings.owner.ids:
        key = f"{row.id}|{row.raised_at}|{owner}".encode()
        random_id = int.from_bytes(hashlib.sha256(key).digest()[:8], "big", signed=True) or 1
        with one_of_many(f"owner {owner}"):
            peer = await owner_peer(services, owner)
            with suppress(RandomIdDuplicateError):
                await send_text(services.bot, peer, text, random_id)
            reached += 1
    return reached == len(services.settings.owner.ids)


async def owner_peer(services: Services, owner: int) -> types.TypeInputPeer:
    """A bot knows those who wrote to it; anyone else it may not write to first."""
    assert services.bot is not None
    try:
        return await services.bot.client.get_input_entity(owner)
    except ValueError:
        return types.InputPeerUser(owner, 0)
