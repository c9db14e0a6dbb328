"""What the bot says, as entries of the outbox."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from telethon import errors, utils
from telethon.tl import functions, types

from publisher.bot.account import BotAccount
from publisher.bot.outbox import ANSWER, ASIDE, EDIT, FIRST, NOTICE, Entry, Outbox
from publisher.ledger.models import Meme
from publisher.ledger.wishes import random_id_of
from publisher.telegram.sending import message_id_of

PHOTOS = 500
PATIENCE = timedelta(minutes=20)
ASIDE_PATIENCE = timedelta(seconds=15)
EDIT_PATIENCE = timedelta(seconds=2)
"""Later than this the words are about something that has passed."""


@dataclass(frozen=True)
class Place:
    """Where an answer goes: `chat` is a marked id."""

    chat: int
    access_hash: int
    reply_to: int | None = None

    @property
    def peer(self) -> types.TypeInputPeer:
        number, kind = utils.resolve_id(self.chat)
        if kind is types.PeerUser:
            return types.InputPeerUser(number, self.access_hash)
        if kind is types.PeerChat:
            return types.InputPeerChat(number)
        return types.InputPeerChannel(number, self.access_hash)

    @property
    def reply(self) -> types.InputReplyToMessage | None:
        return types.InputReplyToMessage(self.reply_to) if self.reply_to else None


@dataclass
class Sender:
    account: BotAccount
    outbox: Outbox
    media: Path
    photos: OrderedDict[str, types.InputPhoto] = field(default_factory=OrderedDict)
    """By the picture's file, which is named by its content; a meme's id may come again."""

    def text(
        self,
        place: Place,
        text: str,
        key: str,
        *,
        urgency: int = NOTICE,
        droppable: bool = False,
        random_id: int | None = None,
        markup: Any = None,
        slot: Hashable = None,
        on_sent: Callable[[int], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> bool:
        """Say `text` once for ever for this `key`; False when it was dropped. `on_lost`: it will
        not be known under which id, if at all, it was said. `slot` is the outbox's key."""
        number = random_id or random_id_of("text", key)

        async def act() -> None:
            updates = await self.account.call(
                "send",
                functions.messages.SendMessageRequest(
                    peer=place.peer,
                    message=text,
                    random_id=number,
                    reply_to=place.reply,
                    reply_markup=markup,
                    no_webpage=True,
                ),
            )
            if on_sent:
                on_sent(message_id_of(updates, number))

        until = self.outbox.clock() + (ASIDE_PATIENCE if urgency == ASIDE else PATIENCE)
        return self.outbox.put(
            Entry(
                place.chat,
                urgency,
                act,
                droppable,
                key=slot,
                until=until,
                known=on_lost,
                given_up=(lambda _: on_lost()) if on_lost else None,
            )
        )

    def edit(self, place: Place, message_id: int, text: str, *, must: bool = False) -> None:
        """The latest text counts. A busy chat gets none, unless the text is an answer: `must`."""

        async def act() -> None:
            await self.account.call(
                "send",
                functions.messages.EditMessageRequest(peer=place.peer, id=message_id, message=text),
            )

        key = ("edit", place.chat, message_id)
        until = self.outbox.clock() + (PATIENCE if must else EDIT_PATIENCE)
        self.outbox.put(Entry(place.chat, EDIT, act, droppable=not must, key=key, until=until))

    def photo(
        self,
        place: Place,
        meme: Meme,
        random_id: int,
        caption: str,
        markup: Any,
        *,
        until: datetime,
        urgency: int = ANSWER,
        droppable: bool = False,
        on_sent: Callable[[int | None], None],
        on_failed: Callable[[str], None],
    ) -> bool:
        """Send a meme under its own random_id; its picture is uploaded once, then referred to."""

        async def act() -> None:
            try:
                updates = await self._send_photo(place, meme, random_id, caption, markup)
            except errors.FileReferenceExpiredError:
                self.photos.pop(meme.file, None)
                updates = await self._send_photo(place, meme, random_id, caption, markup)
            self._remember(meme.file, updates)
            on_sent(message_id_of(updates, random_id))

        return self.outbox.put(
            Entry(
                place.chat,
                urgency,
                act,
                droppable,
                until=until,
                known=lambda: on_sent(None),
                given_up=on_failed,
            )
        )

    async def _send_photo(
        self, place: Place, meme: Meme, random_id: int, caption: str, markup: Any
    ) -> Any:
        media: Any
        if meme.file in self.photos:
            media = types.InputMediaPhoto(self.photos[meme.file])
        else:
            picture = (self.media / meme.file).read_bytes()
            media = types.InputMediaUploadedPhoto(await self.account.upload(picture, "meme.jpg"))
        return await self.account.call(
            "send",
            functions.messages.SendMediaRequest(
                peer=place.peer,
                media=media,
                message=caption,
                random_id=random_id,
                reply_to=place.reply,
                reply_markup=markup,
            ),
        )

    def _remember(self, file: str, updates: Any) -> None:
        for update in getattr(updates, "updates", ()):
            photo = getattr(getattr(getattr(update, "message", None), "media", None), "photo", None)
            if isinstance(photo, types.Photo):
                self.keep_photo(file, photo)

    def keep_photo(self, file: str, photo: types.Photo) -> None:
        """So that it need not be uploaded again."""
        self.photos[file] = utils.get_input_photo(photo)
        self.photos.move_to_end(file)
        if len(self.photos) > PHOTOS:
            self.photos.popitem(last=False)

    def answer_press(self, query_id: int, text: str = "", *, alert: bool = False) -> None:
        """The little notice that a pressed button shows; worthless when late."""

        async def act() -> None:
            await self.account.call(
                "other",
                functions.messages.SetBotCallbackAnswerRequest(
                    query_id=query_id, cache_time=0, message=text or None, alert=alert
                ),
            )

        until = self.outbox.clock() + timedelta(seconds=20)
        self.outbox.put(Entry(0, FIRST, act, droppable=True, until=until))
