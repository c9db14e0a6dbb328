"""The bot: Telegram's events in, entries of the outbox out."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from telethon import events, utils

from jobs.services import Services
from publisher.bot import memes
from publisher.bot.account import bot_account
from publisher.bot.desk import Asker, Desk
from publisher.bot.outbox import Outbox
from publisher.bot.presses import Presses
from publisher.bot.sender import Place, Sender
from publisher.bot.talk import Said, language_of, read_message
from publisher.ledger.bans import is_banned
from publisher.ledger.models import Wish
from publisher.wording import say

log = logging.getLogger(__name__)

STALE = timedelta(minutes=20)
PAUSE_SECONDS = 1.0
CARE = timedelta(minutes=10)


class Bot:
    """One bot on one account. `start` listens; then either `serve` or calls of `tick` work."""

    def __init__(self, services: Services) -> None:
        assert services.bot is not None
        self.services = services
        self.account = bot_account(services.bot, services.clock, services.sleep)
        rule = services.settings.bot
        self.outbox = Outbox(services.clock, services.sleep, rule.sends_per_second)
        self.sender = Sender(self.account, self.outbox, services.media)
        self.username = ""
        self.id = 0
        self.desk = Desk(services, self.sender, signature="")
        self.presses = Presses(self.desk)
        self._wake = asyncio.Event()
        self.desk.on_work = self._wake.set
        self._cared_at: datetime | None = None

    async def start(self) -> None:
        """Learn who we are, take up what a restart left, listen."""
        client = self.account.client
        me = await client.get_me()
        self.id, self.username = me.id, me.username or ""
        self.desk.signature = f"@{self.username}"
        taken = self.desk.resume(self.services.clock())
        if taken:
            log.info("bot: %d wishes taken up again", taken)
        client.add_event_handler(self.on_message, events.NewMessage(incoming=True))
        client.add_event_handler(self.on_press, events.CallbackQuery())

    def stop(self) -> None:
        client = self.account.client
        client.remove_event_handler(self.on_message)
        client.remove_event_handler(self.on_press)

    async def serve(self) -> None:
        """Work until cancelled."""
        await self.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._send_for_ever())
                tasks.create_task(self._work_for_ever())
        finally:
            self.stop()

    async def tick(self, now: datetime) -> bool:
        """Do all that is due at `now`, without waiting for anything; False when nothing was."""
        worked = False
        await self.outbox.pump()
        while await self._work_once(now):
            worked = True
            await self.outbox.pump()
        return worked

    async def _send_for_ever(self) -> None:
        while True:
            await self.outbox.pump()
            await self.outbox.news(0.25)

    async def _work_for_ever(self) -> None:
        while True:
            try:
                worked = await self._work_once(self.services.clock())
            except Exception:
                log.exception("the bot's work failed; it goes on")
                worked = False
            if not worked:
                self._wake.clear()
                await _wait(self._wake, PAUSE_SECONDS)

    async def _work_once(self, now: datetime) -> bool:
        if self._cared_at is None or now - self._cared_at >= CARE:
            self._cared_at = now
            memes.forget(self.services, now)
        return await self.desk.work()

    # What people do

    async def on_message(self, event: Any) -> None:
        """Never waits for the network: what is to be said goes to the outbox."""
        message, now = event.message, self.services.clock()
        if message.date and now - message.date > STALE:
            return
        person = event.sender_id
        if person is None or person == self.id or is_banned(person, now):
            return
        private = bool(event.is_private)
        text = message.raw_text or ""
        said = read_message(text, self.username, private=private, to_us=self._to_us(event))
        if said is None:
            return
        asker = self._asker(event, text, private)
        self._answer(asker, said, now, private=private, has_media=message.media is not None)

    def _answer(
        self, asker: Asker, said: Said, now: datetime, *, private: bool, has_media: bool
    ) -> None:
        if said.command in ("start", "help"):
            if self.desk.may_pass(asker, now):
                code = "bot_hello" if said.command == "start" else "bot_help"
                limit = self.services.settings.bot.topic_chars
                text = say(code, asker.speaks, limit=limit, bot=self.username)
                self.sender.text(asker.place, text, asker.key, droppable=True)
        elif said.command not in ("", "meme"):
            if private and self.desk.may_pass(asker, now):
                limit = self.services.settings.bot.topic_chars
                text = say("bot_help", asker.speaks, limit=limit, bot=self.username)
                self.sender.text(asker.place, text, asker.key, droppable=True)
        elif said.rest:
            self.desk.ask(asker, said.rest, now)
        elif self.desk.may_pass(asker, now):
            code = "bot_only_text" if has_media and not said.command else "bot_no_topic"
            self.desk.refuse(asker, code)

    def _to_us(self, event: Any) -> bool:
        """Whether a message in a group mentions us or answers a message of ours."""
        if event.message.mentioned:
            return True
        answered = event.message.reply_to_msg_id
        if not answered or event.is_private:
            return False
        ours = (Wish.message_id == answered) | (Wish.notice_id == answered)
        return Wish.select().where((Wish.chat == event.chat_id) & ours).exists()

    def _asker(self, event: Any, text: str, private: bool) -> Asker:
        code = getattr(event.sender, "lang_code", None)
        speaks = language_of(code, text, self.services.settings.language)
        reply_to = None if private else event.message.id
        key = f"m:{event.chat_id}:{event.message.id}"
        return Asker(event.sender_id, place_of_event(event, reply_to), speaks, key)

    async def on_press(self, event: Any) -> None:
        now = self.services.clock()
        if is_banned(event.sender_id, now):
            return
        code = getattr(event.sender, "lang_code", None)
        speaks = language_of(code, "", self.services.settings.language)
        reply_to = None if event.is_private else event.message_id
        place = place_of_event(event, reply_to)
        asker = Asker(event.sender_id, place, speaks, f"c:{event.id}")
        self.presses.press(asker, event.id, event.data, now)


def place_of_event(event: Any, reply_to: int | None) -> Place:
    """The chat of an event, with the access hash the event brought."""
    peer = event.input_chat
    access_hash = getattr(peer, "access_hash", 0) or 0
    return Place(utils.get_peer_id(peer) if peer else event.chat_id, access_hash, reply_to)


async def _wait(wake: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(wake.wait(), seconds)
    except TimeoutError:
        return


async def serve_bot(services: Services) -> None:
    """Serve the public bot on `services.bot` until cancelled."""
    await Bot(services).serve()
