"""Tell the owner what was raised and not yet told."""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from telethon.errors import RandomIdDuplicateError, RPCError

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Alert
from publisher.ledger.wishes import random_id_of
from publisher.sentences import words
from publisher.telegram.account import TelegramAccount
from publisher.telegram.errors import classify
from publisher.telegram.sending import send_file, send_text
from publisher.wording import say_of

REPORT_FILES = {"report.html": "text/html", "report.md": "text/markdown", "posts.csv": "text/csv"}

log = logging.getLogger(__name__)

PAUSE = timedelta(minutes=15)


async def alert(services: Services, now: datetime) -> str:
    """Send each new alert to every owner's chat through the bot; to the log when there is none, or
    none yet.

    An alert's random_id follows from the alert and the owner, so that a repeat is no second one.
    """
    told = 0
    rested = Alert.tried_at.is_null() | (Alert.tried_at < now - PAUSE)
    untold = Alert.select().where(Alert.told_at.is_null() & rested).order_by(Alert.id)
    for row in untold.limit(20):
        Alert.update(tried_at=now).where(Alert.id == row.id).execute()
        text = say_of(row.code, services.settings.language, row.facts)
        if await deliver(services, row, text):
            Alert.update(told_at=now).where(Alert.id == row.id).execute()
            told += 1
    return words("told {count}", count=told) if told else ""


async def deliver(services: Services, row: Alert, text: str) -> bool:
    if services.bot is None or not services.settings.owner.ids:
        log.warning("for the owner: %s", text)
        return not (services.wants_bot and services.settings.owner.ids)
    reached = refused = 0
    for owner in services.settings.owner.ids:
        key = f"{row.id}|{row.raised_at}|{owner}".encode()
        random_id = int.from_bytes(hashlib.sha256(key).digest()[:8], "big", signed=True) or 1
        with one_of_many(f"owner {owner}"):
            try:
                peer = await services.bot.find_user(owner)
                with suppress(RandomIdDuplicateError):
                    await send_text(services.bot, peer, text, random_id)
                if row.code == "report_ready":
                    await send_report(services.bot, peer, Path(row.facts["folder"]), random_id)
                reached += 1
            except RPCError as error:
                refused += classify(error).kind == "refused"
                raise
    # One who blocked the bot is no reason to tell the others again and again.
    return reached > 0 and reached + refused == len(services.settings.owner.ids)


async def send_report(bot: TelegramAccount, peer: Any, folder: Path, key: int) -> int:
    """A week's report as files; how many there were. `key` makes a repeat no second sending."""
    sent = 0
    for name, mime in REPORT_FILES.items():
        if (folder / name).is_file():
            random_id = random_id_of("report", key, name)
            with suppress(RandomIdDuplicateError):
                await send_file(bot, peer, folder / name, random_id, mime=mime)
            sent += 1
    return sent
