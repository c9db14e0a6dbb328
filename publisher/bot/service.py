"""The bot: Telegram's events in, entries of the outbox out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from telethon import errors, events, utils

from jobs.services import Services
from publisher.bot import approval, buttons, memes
from publisher.bot.account import bot_account
from publisher.bot.admission import Buckets
from publisher.bot.approval import ApprovalDesk
from publisher.bot.console import Console
from publisher.bot.desk import Asker, Desk, meme_language
from publisher.bot.inbox import Inbox
from publisher.bot.inline import RESULTS, answer_inline
from publisher.bot.outbox import Outbox
from publisher.bot.presses import Presses
from publisher.bot.sender import Place, Sender
from publisher.bot.talk import Said, language_of, read_message
from publisher.ledger import bans, wishes
from publisher.ledger.bans import is_banned
from publisher.ledger.database import empty_log
from publisher.ledger.models import Vote, Wish
from publisher.sentences import words
from publisher.telegram.account import SignInError
from publisher.telegram.errors import classify
from publisher.telegram.governor import AccountStopped, NotNow
from publisher.wording import say

log = logging.getLogger(__name__)

STALE = timedelta(minutes=20)
PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
CARE = timedelta(seconds=30)
FORGET = timedelta(minutes=10)
COMPARE_CLOCKS = timedelta(minutes=10)
BACKGROUND = 50
INLINE_MINUTE = 30.0


class Bot:
    """One bot on one account. `start` once; then either `serve` or calls of `tick` do the work."""

    def __init__(self, services: Services) -> None:
        assert services.bot is not None
        rule = services.settings.bot
        self.services = services
        self.account = bot_account(services.bot, services.clock, services.sleep)
        self.outbox = Outbox(services.clock, services.sleep, rule.sends_per_second)
        self.sender = Sender(self.account, self.outbox, services.media)
        self.desk = Desk(services, self.sender, signature="")
        self.presses = Presses(self.desk)
        self.approvals = ApprovalDesk(services, self.sender)
        self.console = Console(services, self.sender, self.desk, self.approvals)
        self.inbox = Inbox(services, self.sender)
        self.inline = Buckets(INLINE_MINUTE, burst=10)
        self.username, self.id = "", 0
        self._wake = asyncio.Event()
        self.desk.on_work = self._wake.set
        self._due: dict[str, datetime] = {}
        self._pause = PAUSE_SECONDS
        self._lost = False
        self._ahead = timedelta(0)
        self._background: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Learn who we are and take up what a restart left; the dictionaries that reading a topic
        needs are loaded here, for the first who asks would hold up everybody by that."""
        await asyncio.to_thread(self.desk.read_topic, "мем про кота и понедельник", "ru")
        me = await self._myself()
        self.id, self.username = me.id, me.username or ""
        self.desk.signature = f"@{self.username}"
        await self._compare_clocks(self.services.clock())
        taken = self.desk.resume(self.services.clock())
        if taken:
            log.info("bot: %d wishes taken up again", taken)

    async def _myself(self) -> Any:
        me = await self.account.me()
        if me is None:
            raise SignInError(words("Telegram does not know the bot any more; look at its token"))
        return me

    async def serve(self) -> None:
        """Work until cancelled. Raises SignInError when Telegram does not know the bot."""
        await self.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (self._stay, self._listen, self._send, self._work, self._care):
                    tasks.create_task(_for_ever(work))
        finally:
            for task in self._background:
                task.cancel()

    async def tick(self, now: datetime) -> bool:
        """Do all that is due at `now`, without waiting for anything to come; whether there was
        anything. For a driver with a clock of its own."""
        worked = not self.account.heard.empty()
        while not self.account.heard.empty():
            self.hear(self.account.heard.get_nowait())
        if self._background:
            await asyncio.gather(*self._background)
        await self._care_once(now)
        await self.outbox.pump()
        while await self.desk.work():
            worked = True
            await self.outbox.pump()
        return worked

    async def _stay(self) -> None:
        """Connected: who says nothing would else never learn that nothing can be heard."""
        await asyncio.sleep(self._pause)
        longer, self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS), PAUSE_SECONDS
        try:
            if await self.account.reconnect():
                self._pause = longer
                await self._myself()
                log.info("the bot is connected again")
            await self._compare_clocks(self.services.clock())
        except SignInError:
            raise
        except Exception as error:
            name = type(error).__name__
            ours = not isinstance(error, OSError | NotNow)
            log.warning("the bot cannot connect: %s: %s", name, error, exc_info=ours)
            self._pause = longer

    async def _compare_clocks(self, now: datetime) -> None:
        """How far ours is ahead of Telegram's, by which messages are dated: a wrong clock is no
        reason to take every message for an old one."""
        if not self._is_due("clocks", COMPARE_CLOCKS, now):
            return
        try:
            self._ahead = now - await self.account.telegram_time()
        except (OSError, errors.RPCError) as error:
            log.warning("the bot does not know Telegram's time: %s", type(error).__name__)

    async def _listen(self) -> None:
        self.hear(await self.account.heard.get())
        await asyncio.sleep(0)

    async def _send(self) -> None:
        await self.outbox.pump()
        await self.outbox.news(0.25)

    async def _work(self) -> None:
        if self._lost:
            self._take_up()
        try:
            worked = await self.desk.work()
        except Exception:
            self._lost = True
            raise
        if not worked:
            self._wake.clear()
            await _wait(self._wake, PAUSE_SECONDS)

    def _take_up(self) -> None:
        """Put back what left the queue while the ledger took nothing: there it is open yet."""
        still_open = wishes.open_wishes()
        waiting = {wish.id for wish in self.desk.queue.in_order()}
        self.desk.busy.clear()
        self.desk.busy.update(wish.person for wish in still_open if wish.state == "sending")
        for wish in still_open:
            if wish.state != "sending" and wish.id not in waiting:
                wishes.put_back(wish)
                if self.desk.queue.add(wish.person, wish) is None:
                    self.desk.end(wish, "refused", "bot_full", self.services.clock())
        self._lost = False

    async def _care(self) -> None:
        await self._care_once(self.services.clock())
        await asyncio.sleep(PAUSE_SECONDS)

    async def _care_once(self, now: datetime) -> None:
        if self._is_due("approvals", CARE, now):
            await self.approvals.care(now)
        if self._is_due("forget", FORGET, now):
            memes.forget(self.services, now)
            Vote.delete().where(Vote.at < now - memes.KEPT).execute()
            bans.forget(now)
            if wishes.forget(now) or Wish.select().exists():
                empty_log()  # it holds topics that are blank in the ledger by now

    def _is_due(self, what: str, every: timedelta, now: datetime) -> bool:
        wait = self._due.get(what, now) - now
        # A longer wait was counted by a clock that has been set back since.
        due = not timedelta(0) < wait <= every
        if due:
            self._due[what] = now + every
        return due

    # What people do

    def hear(self, event: Any) -> None:
        """Take one event. Never waits for the network and never raises: what is to be said goes
        to the outbox."""
        try:
            if isinstance(event, events.NewMessage.Event):
                self._on_message(event, self.services.clock())
            elif isinstance(event, events.CallbackQuery.Event):
                self._on_press(event, self.services.clock())
            elif isinstance(event, events.InlineQuery.Event):
                self._on_inline(event, self.services.clock())
        except Exception:
            self._lost = True
            log.exception("the bot could not take a message; it goes on")

    def _on_message(self, event: Any, now: datetime) -> None:
        message, settings = event.message, self.services.settings
        if message.date and now - self._ahead - message.date > STALE:
            return
        if event.chat_id == settings.inbox.chat and message.media is not None:
            self._later(self.inbox.take(self._asker(event, private=False), message))
            return
        person, private = event.sender_id, bool(event.is_private)
        if person is None or person == self.id or is_banned(person, now):
            return
        to_us = not private and self._to_us(event)
        said = read_message(message.raw_text or "", self.username, private=private, to_us=to_us)
        if said is None:
            return
        asker = self._asker(event, private=private)
        if private and person in settings.owner.ids and message.media is not None:
            self._later(self.inbox.take(asker, message))
        elif private and self.console.answers(person, said.command):
            self._later(self.console.run(asker, said.command, said.rest, now))
        else:
            self._answer(asker, said, now, private=private, media=message.media is not None)

    def _answer(
        self, asker: Asker, said: Said, now: datetime, *, private: bool, media: bool
    ) -> None:
        if said.command in ("", "meme") and said.rest:
            self.desk.ask(asker, said.rest, now)
        elif said.command not in ("", "meme", "start", "help", "thanks") and not private:
            return
        elif self.desk.may_pass(asker, now):
            codes = {"start": "bot_hello", "meme": "bot_no_topic", "thanks": "bot_welcome"}
            code = codes.get(said.command, "bot_help")
            if not said.command:
                code = "bot_only_text" if media else "bot_no_topic"
            limit = self.services.settings.bot.topic_chars
            text = say(code, asker.speaks, limit=limit, bot=self.username)
            self.sender.text(asker.place, text, asker.key, droppable=True)

    def _to_us(self, event: Any) -> bool:
        """Whether a message in a group mentions us or answers a message of ours."""
        if event.message.mentioned:
            return True
        answered = event.message.reply_to_msg_id
        if not answered:
            return False
        ours = (Wish.message_id == answered) | (Wish.notice_id == answered)
        return Wish.select().where((Wish.chat == event.chat_id) & ours).exists()

    def _asker(self, event: Any, *, private: bool) -> Asker:
        settings = self.services.settings
        code = getattr(event.sender, "lang_code", None)
        # What the owner's side writes or forwards tells the meme's language, not the writer's.
        ours = event.sender_id in settings.owner.ids or event.chat_id == settings.inbox.chat
        letters = "" if ours else event.message.raw_text or ""
        speaks = language_of(code, letters, settings.language)
        place = place_of(event, None if private else event.message.id)
        return Asker(event.sender_id or 0, place, speaks, f"m:{event.chat_id}:{event.message.id}")

    def _on_press(self, event: Any, now: datetime) -> None:
        if is_banned(event.sender_id, now):
            return
        code = getattr(event.sender, "lang_code", None)
        speaks = language_of(code, "", self.services.settings.language)
        place = place_of(event, None if event.is_private else event.message_id)
        asker = Asker(event.sender_id, place, speaks, f"c:{event.id}")
        found = buttons.parse(event.data)
        if found and found[0] in approval.ACTIONS:
            if event.sender_id in self.services.settings.owner.ids:
                text = self.approvals.press(asker, event.message_id, *found, now)
                self.sender.answer_press(event.id, text[:190])
            return
        self.presses.press(asker, event.id, event.data, now)

    def _on_inline(self, event: Any, now: datetime) -> None:
        if is_banned(event.sender_id, now) or not self.inline.take(event.sender_id, now):
            return
        code = getattr(event.sender, "lang_code", None)
        speaks = language_of(code, event.text, self.services.settings.language)
        text = event.text[: self.services.settings.bot.topic_chars]
        found = self.desk.stock.search(text, meme_language(text, speaks), RESULTS, now)
        answer_inline(self.sender, event.id, found, speaks, self.desk.signature)

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """The owner's slower things, beside everything else; a bounded number of them."""
        if len(self._background) >= BACKGROUND:
            work.close()
            return
        task = asyncio.create_task(_guarded(work))
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Round after round: what a round raises ends that round alone. So does a cancelling that is
    not ours, by which a task would else be gone without a word. Signed out, there is no next."""
    pause = PAUSE_SECONDS
    while True:
        try:
            await work()
            pause = PAUSE_SECONDS
        except SignInError:
            raise
        except (Exception, asyncio.CancelledError):
            task = asyncio.current_task()
            if task and task.cancelling():
                raise
            log.exception("the bot: %s failed; it goes on", work.__name__.strip("_"))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def _guarded(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (NotNow, AccountStopped) as wait:
        log.info("for the owner, not now: %s", wait)
    except Exception as error:
        try:
            log.warning("for the owner: %s", classify(error).name)
        except TypeError:
            log.exception("a fault of ours in the owner's console; the bot goes on")


def place_of(event: Any, reply_to: int | None) -> Place:
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
    """Serve the bot on `services.bot` until cancelled."""
    await Bot(services).serve()
