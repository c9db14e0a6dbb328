"""Partners' suggestion bots, chats and boxes: characters that live in the server.

A `Manner` is data: which of the things a real suggestion box does this one does, and after how
long. What a character does goes through the same effects as everybody's messages, with delays
on the server's agenda, in the world's time.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont
from telethon.tl import types as tl

from . import suggested
from .phrases import phrase
from .records import Channel, Message, Peer, User

if TYPE_CHECKING:
    from .server import LoopbackTelegram

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Manner:
    """How a partner treats a suggestion."""

    replies: bool = True  # False: no word, ever
    confirm: bool = False  # asks by buttons, then "anonymous or signed?"
    must_join: bool = False  # takes suggestions of subscribers only
    daily_limit: int | None = None  # suggestions of one person in 24 hours
    ban_after: int | None = None  # suggestions of one person, then a ban
    accept_rate: float = 0.7
    says_outcome: bool = True  # tells what was decided
    says_published: bool = False
    publishes: bool = True  # False: accepts and never publishes
    watermark: bool = False  # puts its name into a corner and compresses again
    answers_like_a_person: bool = False
    receipt_after: timedelta = timedelta(seconds=2)
    decides_after: timedelta = timedelta(hours=3)
    publishes_after: timedelta = timedelta(hours=5)


MANNERS: dict[str, Manner] = {
    "polite": Manner(says_published=True),
    "silent": Manner(replies=False, says_outcome=False, accept_rate=0.4),
    "confirm": Manner(confirm=True),
    "limited": Manner(daily_limit=2),
    "banning": Manner(ban_after=1, accept_rate=0.0, says_outcome=False),
    "promising": Manner(accept_rate=1.0, publishes=False),
    "watermark": Manner(watermark=True, accept_rate=1.0),
    "subscribers": Manner(must_join=True),
    "chat": Manner(answers_like_a_person=True, decides_after=timedelta(minutes=20)),
}
# What a native box does with an offer: approve, reject with a comment, or find no stars.
BOXES = ("approve", "reject", "balance_too_low", "by_taste")


@dataclass
class Character:
    """A partner at work. `user_id` speaks (bot or person); posts go to `channel_id`."""

    user_id: int
    channel_id: int
    manner: Manner
    language: str = "ru"
    group_id: int | None = None  # a chat partner's group; None: a private chat
    box: str | None = None  # one of BOXES: decides on native suggested posts
    seen: dict[int, list[datetime]] = field(default_factory=dict)
    banned: set[int] = field(default_factory=set)


Taste = Callable[[Channel, Message], float]


class Partners:
    """All characters of a server."""

    def __init__(self, server: LoopbackTelegram) -> None:
        self._server = server
        self._world = server.world
        self._all: dict[int, Character] = {
            c.user_id: c for c in self._world.store.load("character")
        }
        # Added to the acceptance rate for a message: the true effect that tests and demo set.
        self.taste: Taste = lambda channel, message: 0.0

    def add(
        self,
        user: User,
        channel: Channel,
        manner: str | Manner = "polite",
        *,
        language: str = "ru",
        group: Channel | None = None,
        box: str | None = None,
        **changes: Any,
    ) -> Character:
        """Gives a bot or a person the manner of a partner; `changes` override its fields."""
        if box is not None and box not in BOXES:
            raise ValueError(f"box must be one of {', '.join(BOXES)}, not {box!r}")
        base = MANNERS[manner] if isinstance(manner, str) else manner
        character = Character(
            user.id,
            channel.id,
            replace(base, **changes),
            language,
            group_id=group.id if group else None,
            box=box,
        )
        self._all[user.id] = character
        self._save(character)
        self._world.store.commit()
        return character

    def get(self, user_id: int) -> Character | None:
        return self._all.get(user_id)

    # What happens to characters

    def heard(self, message: Message) -> None:
        """A new message lies in some box: whoever it is meant for will see to it."""
        if message.action is not None:
            return
        for character in self._addressed(message):
            due = self._world.now() + character.manner.receipt_after
            self._server.schedule(due, "partner_reads", character.user_id, message.box, message.id)

    def _addressed(self, message: Message) -> list[Character]:
        if message.box.kind == "user":
            character = self._all.get(message.box.id)
            heard = character is not None and not message.out and character.group_id is None
            return [character] if character and heard else []
        found = []
        for character in self._all.values():
            in_group = character.group_id == message.box.id and message.sender != character.user_id
            channel = self._world.channels[character.channel_id]
            offered = character.box is not None and channel.linked_monoforum == message.box.id
            if in_group or (offered and message.suggested is not None and message.sender):
                found.append(character)
        return found

    def reads(self, user_id: int, box: Peer, message_id: int) -> None:
        character = self._all[user_id]
        message = self._world.box(box).messages.get(message_id)
        if message is None:
            return
        if character.box is not None and message.suggested is not None:
            due = self._world.now() + character.manner.decides_after
            self._server.schedule(due, "partner_decides_offer", user_id, box, message_id)
            return
        if message.text.startswith("/start"):
            self._say(character, message, "greeting", title=self._channel(character).title)
            return
        media = self._world.media.get(message.media)
        if media is None or media.kind != "photo":
            if not character.manner.answers_like_a_person:
                self._say(character, message, "pictures_only")
            return
        self._take(character, message)

    def _take(self, character: Character, message: Message) -> None:
        manner, sender, now = character.manner, message.sender or 0, self._world.now()
        channel = self._channel(character)
        earlier = character.seen.setdefault(sender, [])
        if sender in character.banned:
            self._say(character, message, "banned")
            return
        if manner.must_join and sender not in channel.members:
            self._say(character, message, "join_first", channel=channel.username)
            return
        recent = [date for date in earlier if now - date < DAY]
        if manner.daily_limit is not None and len(recent) >= manner.daily_limit:
            self._say(character, message, "limit", limit=manner.daily_limit)
            return
        earlier.append(now)
        if manner.ban_after is not None and len(earlier) > manner.ban_after:
            character.banned.add(sender)
            self._save(character)
            self._say(character, message, "banned")
            return
        self._save(character)
        if manner.confirm:
            self._say(
                character, message, "confirm", markup=self._buttons(
                    character, message, ("confirm_yes", b"yes"), ("confirm_no", b"no")
                ),
            )  # fmt: skip
            return
        if not manner.answers_like_a_person:
            self._say(character, message, "receipt")
        self._decide_later(character, message, signed=False)

    def pressed(self, bot: User, user: User, message: Message, data: bytes) -> Any:
        """Answers a button press on one of a character's messages (`message`: the presser's)."""
        character = self._all[bot.id]
        own = (
            self._world.box(message.twin[0]).messages.get(message.twin[1]) if message.twin else None
        )
        kind, _, number = data.decode().partition(":")
        box = Peer("user", bot.id)
        meme = self._world.box(box).messages.get(int(number or 0))
        toast = ""
        if own is not None and meme is not None:
            toast = self._press(character, own, meme, kind)
        return tl.messages.BotCallbackAnswer(0, native_ui=True, message=toast or None)

    def _press(self, character: Character, own: Message, meme: Message, kind: str) -> str:
        language = character.language
        if kind == "yes":
            markup = self._buttons(
                character, meme, ("anonymous", b"anonymous"), ("signed", b"signed")
            )
            self._world.edit(own, text=phrase("authorship", language), markup=markup)
        elif kind == "no":
            self._world.edit(own, text=phrase("cancelled", language), markup=None)
        else:
            self._world.edit(own, text=phrase("receipt", language), markup=None)
            self._decide_later(character, meme, signed=kind == "signed")
        return ""

    def _buttons(self, character: Character, meme: Message, *keys: tuple[str, bytes]) -> Any:
        row = [
            tl.KeyboardInlineButton(
                phrase(key, character.language),
                tl.InlineButtonTypeCallback(data + b":" + str(meme.id).encode()),
            )
            for key, data in keys
        ]
        return tl.ReplyInlineMarkup([tl.KeyboardInlineButtonRow(row)])

    # Decisions

    def _decide_later(self, character: Character, message: Message, signed: bool) -> None:
        due = self._world.now() + character.manner.decides_after
        self._server.schedule(
            due, "partner_decides", character.user_id, message.box, message.id, signed
        )

    def likes(self, character: Character, message: Message) -> bool:
        """The seeded coin of one suggestion: the same however often it is asked for."""
        rate = character.manner.accept_rate + self.taste(self._channel(character), message)
        coin = random.Random(f"{self._world.seed} {character.user_id} {message.id}").random()
        return coin < rate

    def decides(self, user_id: int, box: Peer, message_id: int, signed: bool) -> None:
        character = self._all[user_id]
        message = self._world.box(box).messages.get(message_id)
        if message is None:
            return
        manner, person = character.manner, character.manner.answers_like_a_person
        accepted = self.likes(character, message)
        if manner.says_outcome and accepted:
            self._say(character, message, "chat_accepted" if person else "accepted")
        elif manner.says_outcome:
            reason = phrase("reason", character.language, message_id)
            key = "chat_rejected" if person else "rejected"
            self._say(character, message, key, reason=reason)
        if accepted and manner.publishes:
            due = self._world.now() + manner.publishes_after
            self._server.schedule(due, "partner_publishes", user_id, box, message_id, signed)

    def publishes(self, user_id: int, box: Peer, message_id: int, signed: bool) -> None:
        character = self._all[user_id]
        message = self._world.box(box).messages.get(message_id)
        if message is None:
            return
        channel = self._channel(character)
        media_id = message.media
        if character.manner.watermark and media_id is not None:
            marked = watermark(self._world.media.original(media_id), f"@{channel.username}")
            media_id = self._world.media.add_photo(marked, self._world.now()).id
        text = message.text
        if signed and message.sender:
            name = self._world.users[message.sender].first_name
            text = f"{text}\n\n{phrase('signature', character.language, name=name)}".strip()
        peer = Peer("channel", channel.id)
        post = Message(0, peer, peer, None, self._world.now(), text, media=media_id)
        self._world.create(post)
        if character.manner.says_published:
            self._say(character, message, "published", channel=channel.username, post=post.id)

    def decides_offer(self, user_id: int, box: Peer, message_id: int) -> None:
        """A native suggested post: approval, rejection with a comment, or no stars."""
        character = self._all[user_id]
        message = self._world.box(box).messages.get(message_id)
        if message is None or message.suggested.accepted or message.suggested.rejected:
            return
        verdict = character.box
        if verdict == "by_taste":
            verdict = "approve" if self.likes(character, message) else "reject"
        if verdict == "approve":
            date = message.suggested.schedule_date
            date = date or self._world.now() + character.manner.publishes_after
            suggested.approve(self._server, message, date)
        elif verdict == "reject":
            comment = phrase("reject_comment", character.language)
            suggested.reject(self._server, message, comment)
        else:
            suggested.balance_too_low(self._server, message)

    # Small things

    def _say(
        self, character: Character, message: Message, key: str, markup: Any = None, **fields: Any
    ) -> None:
        if not character.manner.replies:
            return
        text = phrase(key, character.language, message.id, **fields)
        speaker = self._world.users[character.user_id]
        if message.box.kind == "channel":
            self._world.create(
                Message(
                    0, message.box, message.peer, speaker.id, self._world.now(), text,
                    reply_to=message.id,
                )
            )  # fmt: skip
            return
        listener = self._world.users[message.sender or 0]
        self._world.create_private(speaker, listener, text=text, markup=markup, reply_to=message.id)

    def _channel(self, character: Character) -> Channel:
        return self._world.channels[character.channel_id]

    def _save(self, character: Character) -> None:
        self._world.store.put("character", character.user_id, character)


def watermark(picture: bytes, text: str, quality: int = 70) -> bytes:
    """The picture with a half-transparent text in its lower right corner, compressed again."""
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    font = ImageFont.load_default(max(12, image.width // 28))
    width, height = draw.textbbox((0, 0), text, font=font)[2:]
    margin = max(4, image.width // 60)
    place = (image.width - width - margin, image.height - height - margin)
    ink, edge = (255, 255, 255, 170), (0, 0, 0, 150)
    draw.text(place, text, font=font, fill=ink, stroke_width=1, stroke_fill=edge)
    out = io.BytesIO()
    Image.alpha_composite(image, layer).convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()
