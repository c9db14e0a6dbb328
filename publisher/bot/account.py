"""The bot's account: a flood in one chat is that chat's, two at once are the account's.

A user account is silent as a whole after a FLOOD_WAIT. A bot talks to many: Telegram answers
FLOOD_WAIT for one chat that gets too much as well as for the bot as a whole and does not say
which. So the first wait closes the chat that met it; another chat meeting one while it lasts
shows that the bot itself is meant, and then the governor stops it, in the ledger, for as long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from telethon import errors, utils
from telethon.tl import types

from publisher.settings.model import PaceSettings
from publisher.telegram.account import TelegramAccount
from publisher.telegram.governor import CallKind, Governor

log = logging.getLogger(__name__)

UNPACED = PaceSettings(send_seconds=0, resolve_seconds=0, history_seconds=0, other_seconds=0)
"""The bot's pace is the outbox's: in memory, for it is a matter of seconds."""


class ChatFlood(Exception):
    """This chat takes nothing until `until`; the call had no effect."""

    def __init__(self, chat: int, until: datetime) -> None:
        super().__init__(f"one chat: flood until {until:%H:%M:%S} UTC")
        self.chat, self.until = chat, until


@dataclass
class BotAccount(TelegramAccount):
    """Raises ChatFlood beside what every account raises."""

    floods: dict[int, datetime] = field(default_factory=dict)

    async def call(self, kind: CallKind, request: Any) -> Any:
        peer = getattr(request, "peer", None)
        ours = peer is None or isinstance(peer, types.InputPeerSelf)
        chat = 0 if ours else utils.get_peer_id(peer)
        now = self.governor.clock()
        if self.floods.get(chat, now) > now:
            raise ChatFlood(chat, self.floods[chat])

        async def attempt() -> Any:
            try:
                return await asyncio.wait_for(self._ask(request), self.timeout_seconds)
            except errors.FloodWaitError as error:
                self._one_chats(chat, error)
                raise

        return await self.governor.call(kind, attempt)

    def _one_chats(self, chat: int, error: errors.FloodWaitError) -> None:
        """Raises ChatFlood, unless the wait is the account's."""
        now = self.governor.clock()
        self.floods = {c: until for c, until in self.floods.items() if until > now}
        if not chat or any(other != chat for other in self.floods):
            return
        until = now + timedelta(seconds=error.seconds)
        self.floods[chat] = until
        log.warning("one chat: FLOOD_WAIT_%d", error.seconds)
        raise ChatFlood(chat, until) from error


def bot_account(
    account: TelegramAccount,
    clock: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]],
) -> BotAccount:
    """The connected account, in the way a bot needs it."""
    governor = Governor(account.name, UNPACED, clock, sleep)
    return BotAccount(
        account.name,
        account.client,
        governor,
        account.timeout_seconds,
        heard=account.heard,
        connecting=account.connecting,
    )
