"""The world behind the server: who exists, who finds whom, and how it is built.

Nothing here knows MTProto. What happens to messages is in `effects`.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .effects import Clock, Effects
from .journal import Journal
from .records import POST_RIGHTS, Channel, Message, Peer, User
from .store import Store


class World(Effects):
    """Users, channels and messages, with the plain API that tests and demos build them by."""

    def __init__(self, store: Store, journal: Journal, clock: Clock, seed: int) -> None:
        super().__init__(store, journal, clock, seed)
        self._random = random.Random(seed)

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

    def messages(self, channel: Channel) -> list[Message]:
        """A channel's messages, oldest first."""
        return list(self.box(Peer("channel", channel.id)).messages.values())

    def access_hash(self, viewer: int, kind: str, id: int) -> int:
        """What `viewer` must show to address somebody: another number for each account."""
        digest = hashlib.sha256(f"{self.seed} {viewer} {kind} {id}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1

    def direct_message_admins(self, monoforum: Channel) -> set[int]:
        """Who reads all threads of a channel's direct messages."""
        parent = self.channels[monoforum.linked_monoforum or 0]
        return {
            user_id
            for user_id in {parent.creator, *parent.admins}
            if "manage_direct_messages" in parent.rights(user_id)
        }

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
