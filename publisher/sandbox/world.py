"""The world behind the server: who exists, and every effect on what they see.

Each change of a message goes through `create`, `edit` or `delete`: they keep the update logs,
the journal and the store in step and tell the listeners. Nothing here knows MTProto.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .journal import Journal
from .media import MediaStore
from .records import (
    POST_RIGHTS,
    Box,
    Change,
    Channel,
    Media,
    Message,
    Peer,
    User,
)
from .store import Store

Clock = Callable[[], datetime]
Listener = Callable[[Box, Change], None]


class World:
    """Users, channels and messages, with the plain API that tests and demos build them by."""

    def __init__(self, store: Store, journal: Journal, clock: Clock, seed: int) -> None:
        self.store = store
        self.journal = journal
        self.clock = clock
        self.seed = seed
        self.media = MediaStore(store)
        self.users: dict[int, User] = {u.id: u for u in store.load("user")}
        self.channels: dict[int, Channel] = {c.id: c for c in store.load("channel")}
        self.boxes: dict[Peer, Box] = {}
        self.sent: dict[tuple[int, int], tuple[Peer, int]] = dict(store.load("random_id"))
        self.listeners: list[Listener] = []
        self.moment: datetime | None = None
        self._random = random.Random(seed)
        self._load_boxes()

    def now(self) -> datetime:
        """The world's time; while a due event runs, the time at which it was due."""
        return self.moment or self.clock().astimezone(UTC)

    # Building

    def add_user(
        self,
        first_name: str,
        *,
        username: str | None = None,
        phone: str | None = None,
        code: str = "12345",
        password: str | None = None,
        lang_code: str = "ru",
        id: int | None = None,
    ) -> User:
        """A person. With a phone they can sign in with `code` (and `password`, if given)."""
        user = User(
            id or self._free_id(self.users, 5_000_000),
            first_name,
            username=username,
            phone=phone.lstrip("+") if phone else None,
            code=code,
            password=password,
            lang_code=lang_code,
        )
        return self._add_user(user)

    def add_bot(
        self,
        first_name: str,
        *,
        username: str,
        token: str | None = None,
        inline: bool = False,
        about: str = "",
        id: int | None = None,
    ) -> User:
        """A bot; its token is made up when none is given."""
        if id is None and token is not None:
            id = int(token.partition(":")[0])
        id = id or self._free_id(self.users, 7_000_000)
        secret = hashlib.sha256(f"{self.seed} {id}".encode()).hexdigest()[:35]
        user = User(
            id,
            first_name,
            username=username,
            bot=True,
            token=token or f"{id}:{secret}",
            inline=inline,
            about=about,
        )
        return self._add_user(user)

    def add_channel(
        self,
        title: str,
        *,
        creator: User,
        username: str | None = None,
        about: str = "",
        members: int = 0,
        reactions: Iterable[str] | None = None,
        monoforum: bool = False,
        stars: int = 0,
        megagroup: bool = False,
        date: datetime | None = None,
        id: int | None = None,
    ) -> Channel:
        """A broadcast channel, or a supergroup. `members` are simulated; `reactions` None: all.

        With `monoforum` the channel takes direct messages and suggested posts.
        """
        channel = Channel(
            id or self._free_id(self.channels, 1_000_000_000),
            title,
            date or self.now(),
            creator.id,
            username=username,
            about=about,
            megagroup=megagroup,
            crowd=members,
            reactions=None if reactions is None else tuple(reactions),
            stars_per_message=stars,
        )
        channel.members[creator.id] = channel.date
        if monoforum:
            box = Channel(
                self._free_id(self.channels, 2_000_000_000),
                title,
                channel.date,
                creator.id,
                monoforum=True,
                linked_monoforum=channel.id,
                stars_per_message=stars,
            )
            channel.linked_monoforum = box.id
            self.channels[box.id] = box
            self.save(box)
        self.channels[channel.id] = channel
        self.save(channel)
        self.store.commit()
        return channel

    def add_group(
        self,
        title: str,
        *,
        creator: User,
        username: str | None = None,
        members: int = 0,
        id: int | None = None,
    ) -> Channel:
        """A supergroup, where every member may write."""
        return self.add_channel(
            title, creator=creator, username=username, members=members, megagroup=True, id=id
        )

    def add_admin(self, channel: Channel, user: User, rights: Iterable[str] = POST_RIGHTS) -> None:
        channel.admins[user.id] = frozenset(rights)
        self.join(channel, user)

    def remove_admin(self, channel: Channel, user: User) -> None:
        channel.admins.pop(user.id, None)
        self.save(channel)
        self.store.commit()

    def join(self, channel: Channel, user: User) -> None:
        channel.members.setdefault(user.id, self.now())
        self.save(channel)
        self._note("joined", Peer("channel", channel.id), sender=user.id)

    def leave(self, channel: Channel, user: User) -> None:
        if channel.members.pop(user.id, None) is not None:
            channel.admins.pop(user.id, None)
            self.save(channel)
            self._note("left", Peer("channel", channel.id), sender=user.id)

    def ban(self, channel: Channel, user: User) -> None:
        channel.banned.add(user.id)
        self.leave(channel, user)
        self.save(channel)
        self.store.commit()

    def post_as(
        self,
        channel: Channel,
        text: str = "",
        *,
        photo: bytes | None = None,
        views: int = 0,
        final_views: int | None = None,
        date: datetime | None = None,
    ) -> Message:
        """Publishes in a channel as the channel itself.

        `views` are there from the start; `final_views` is what the audience's views grow to.
        """
        media = self.media.add_photo(photo, self.now()).id if photo is not None else None
        peer = Peer("channel", channel.id)
        message = Message(
            0,
            peer,
            peer,
            None,
            date or self.now(),
            text,
            media=media,
            base_views=views,
            final_views=final_views,
        )
        self.create(message)
        self.store.commit()
        return message

    def say(
        self,
        sender: User,
        receiver: User,
        text: str = "",
        *,
        photo: bytes | None = None,
        markup: Any = None,
        reply_to: int | None = None,
    ) -> Message:
        """Writes from one user to another; answers the sender's copy."""
        media = self.media.add_photo(photo, self.now()).id if photo is not None else None
        message = self.create_private(
            sender, receiver, text=text, media=media, markup=markup, reply_to=reply_to
        )
        self.store.commit()
        return message

    # Looking up

    def user_by_phone(self, phone: str) -> User | None:
        digits = "".join(c for c in phone if c.isdigit())
        return next((u for u in self.users.values() if u.phone == digits and digits), None)

    def user_by_token(self, token: str) -> User | None:
        return next((u for u in self.users.values() if u.bot and u.token == token), None)

    def by_username(self, username: str) -> User | Channel | None:
        wanted = username.lstrip("@").lower()
        everyone: list[User | Channel] = [*self.users.values(), *self.channels.values()]
        return next((e for e in everyone if e.username and e.username.lower() == wanted), None)

    def box(self, peer: Peer) -> Box:
        if peer not in self.boxes:
            self.boxes[peer] = Box(peer)
        return self.boxes[peer]

    def messages(self, channel: Channel) -> list[Message]:
        """A channel's messages, oldest first."""
        return list(self.box(Peer("channel", channel.id)).messages.values())

    def access_hash(self, viewer: int, kind: str, id: int) -> int:
        """What `viewer` must show to address somebody: another number for each account."""
        digest = hashlib.sha256(f"{self.seed} {viewer} {kind} {id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    # Effects

    def create(self, message: Message) -> Message:
        """Puts a message into its box, numbers it, and tells everybody."""
        box = self.box(message.box)
        message.id = box.next_id
        box.next_id += 1
        box.messages[message.id] = message
        box.by_peer.setdefault(message.peer, []).append(message.id)
        self._changed(box, "new", (message.id,))
        if message.box.kind == "channel" or message.out:
            self._note_message("created", message)
        self._tell(box)
        return message

    def create_private(self, sender: User, receiver: User, **fields: Any) -> Message:
        """A private message: one copy in each box. Answers the sender's."""
        date = fields.pop("date", None) or self.now()
        reply_to = fields.pop("reply_to", None)
        own_box, other_box = Peer("user", sender.id), Peer("user", receiver.id)
        if receiver.bot:
            receiver.started.add(sender.id)
            self.save(receiver)
        own = Message(0, own_box, other_box, sender.id, date, out=True, reply_to=reply_to, **fields)
        self.create(own)
        if receiver.id != sender.id:
            replied = self.box(own_box).messages.get(reply_to or 0)
            other_reply = replied.twin[1] if replied and replied.twin else None
            copy = replace(
                own,
                box=other_box,
                peer=own_box,
                out=False,
                reply_to=other_reply,
                twin=(own_box, own.id),
                random_id=None,
            )
            # The copy's id must be known before its listeners answer it.
            copy.id = self.box(other_box).next_id
            own.twin = (other_box, copy.id)
            self.save_message(own)
            self.create(copy)
        return own

    def edit(self, message: Message, **fields: Any) -> None:
        """Changes a message, and its copy in the other person's box."""
        for one in filter(None, (message, self.twin(message))):
            for name, value in fields.items():
                setattr(one, name, value)
            one.edit_date = self.now()
            box = self.box(one.box)
            self._changed(box, "edit", (one.id,))
            if one is message:
                self._note_message("edited", one)
            self._tell(box)

    def delete(self, box: Box, ids: Iterable[int], both: bool = False) -> int:
        """Removes messages of a box (with their copies, when `both`); answers how many."""
        gone = [box.messages[i] for i in ids if i in box.messages]
        twins: dict[Peer, list[int]] = {}
        for message in gone:
            if both and message.twin:
                twins.setdefault(message.twin[0], []).append(message.twin[1])
            self._note_message("deleted", message)
            del box.messages[message.id]
            box.by_peer[message.peer].remove(message.id)
            self.store.put("message", (message.box, message.id), None)
        if gone:
            self._changed(box, "delete", tuple(m.id for m in gone), len(gone))
            self._tell(box)
        for peer, other_ids in twins.items():
            self.delete(self.box(peer), other_ids)
        return len(gone)

    def react(self, message: Message, user: User, emoji: tuple[str, ...]) -> None:
        message.reactions.pop(user.id, None)
        if emoji:
            message.reactions[user.id] = emoji
            message.reaction_dates[user.id] = self.now()
        self.save_message(message)
        self._note(
            "reaction", message.box, message_id=message.id, sender=user.id, detail="".join(emoji)
        )

    def remember(self, user: User, random_id: int | None, message: Message) -> None:
        if random_id:
            self.sent[user.id, random_id] = (message.box, message.id)
            entry = ((user.id, random_id), (message.box, message.id))
            self.store.put("random_id", entry[0], entry)

    def twin(self, message: Message) -> Message | None:
        """The same private message in the other person's box."""
        if message.twin is None:
            return None
        return self.box(message.twin[0]).messages.get(message.twin[1])

    def direct_message_admins(self, monoforum: Channel) -> set[int]:
        """Who reads all threads of a channel's direct messages."""
        parent = self.channels[monoforum.linked_monoforum or 0]
        return {
            user_id
            for user_id in {parent.creator, *parent.admins}
            if "manage_direct_messages" in parent.rights(user_id)
        }

    def save(self, record: User | Channel | Media) -> None:
        self.store.put(type(record).__name__.lower(), record.id, record)

    def save_message(self, message: Message) -> None:
        self.store.put("message", (message.box, message.id), message)

    # Inside

    def _add_user(self, user: User) -> User:
        self.users[user.id] = user
        self.save(user)
        self.store.commit()
        return user

    def _free_id(self, taken: dict[int, Any], base: int) -> int:
        while True:
            candidate = base + self._random.randrange(1_000_000)
            if candidate not in taken:
                return candidate

    def _changed(self, box: Box, kind: Any, ids: tuple[int, ...], count: int = 1) -> None:
        box.pts += count
        change = Change(box.pts, count, kind, ids, self.now())
        box.log.append(change)
        self.store.put("change", (box.peer, change.pts), (box.peer, change))
        self.save_box(box)
        for i in ids:
            if i in box.messages:
                self.save_message(box.messages[i])

    def save_box(self, box: Box) -> None:
        if self.store.persistent:
            head = replace(box, messages={}, by_peer={}, log=[])
            self.store.put("box", box.peer, head)

    def _tell(self, box: Box) -> None:
        change = box.log[-1]
        for listener in self.listeners:
            listener(box, change)

    def _note_message(self, kind: str, message: Message) -> None:
        media = self.media.get(message.media)
        self._note(
            kind,
            message.box if message.box.kind == "channel" else message.peer,
            message_id=message.id,
            sender=message.sender or message.real_author,
            random_id=message.random_id,
            text=message.text,
            media_sha256=media.sha256 if media else None,
            detail=type(message.action).__name__ if message.action else "",
        )

    def _note(self, kind: str, chat: Peer, **fields: Any) -> None:
        self.journal.add(kind, f"{chat.kind}:{chat.id}", self.now().isoformat(), **fields)

    def _load_boxes(self) -> None:
        for head in self.store.load("box"):
            self.boxes[head.peer] = head
        for message in sorted(self.store.load("message"), key=lambda m: m.id):
            box = self.box(message.box)
            box.messages[message.id] = message
            box.by_peer.setdefault(message.peer, []).append(message.id)
        for peer, change in self.store.load("change"):
            self.box(peer).log.append(change)
