"""What the server remembers: users, channels, media and messages, as plain records.

TL objects appear inside records only where Telegram itself hands back what a client sent
(entities, reply markup, service actions).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

POST_RIGHTS = frozenset({"post_messages", "edit_messages", "delete_messages"})
ALL_RIGHTS = POST_RIGHTS | {
    "change_info",
    "ban_users",
    "invite_users",
    "pin_messages",
    "add_admins",
    "manage_direct_messages",
}
DEFAULT_REACTIONS = ("👍", "👎", "❤", "🔥", "😁", "🤔", "🤯", "😢", "🎉", "🤩", "💩", "🙏", "🤡")


PeerKind = Literal["user", "channel"]
PEER_KINDS: tuple[PeerKind, ...] = ("user", "channel")


class Peer(NamedTuple):
    """A place messages lie in: a user's box or a channel's."""

    kind: PeerKind
    id: int


@dataclass
class User:
    id: int
    first_name: str
    last_name: str = ""
    username: str | None = None
    phone: str | None = None
    code: str | None = None
    password: str | None = None
    lang_code: str = "ru"
    bot: bool = False
    token: str | None = None
    inline: bool = False
    privacy: bool = True  # a bot that hears in groups only what is addressed to it
    about: str = ""
    commands: list[Any] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)  # users whose messages are refused
    started: set[int] = field(default_factory=set)  # users who wrote to this bot
    frozen: bool = False


@dataclass
class Channel:
    """A broadcast channel, a supergroup (`megagroup`) or a channel's direct messages."""

    id: int
    title: str
    date: datetime
    creator: int
    username: str | None = None
    about: str = ""
    megagroup: bool = False
    monoforum: bool = False
    linked_monoforum: int | None = None
    stars_per_message: int = 0
    admins: dict[int, frozenset[str]] = field(default_factory=dict)
    members: dict[int, datetime] = field(default_factory=dict)
    banned: set[int] = field(default_factory=set)
    crowd: int = 0  # simulated members when the channel was made
    reactions: tuple[str, ...] | None = None  # allowed ones; None: all, (): none
    can_view_stats: bool = False
    read_only: bool = False

    @property
    def broadcast(self) -> bool:
        return not self.megagroup and not self.monoforum

    def rights(self, user_id: int) -> frozenset[str]:
        return ALL_RIGHTS if user_id == self.creator else self.admins.get(user_id, frozenset())


@dataclass
class Media:
    """A stored photo or document; its bytes lie in the store under `blob(size)`."""

    id: int
    kind: Literal["photo", "document"]
    date: datetime
    sha256: str  # of what was uploaded
    mime: str
    sizes: list[tuple[str, int, int, int]]  # type, width, height, bytes; the largest last
    size: int = 0
    attributes: list[Any] = field(default_factory=list)


@dataclass
class Message:
    id: int
    box: Peer  # where it lies
    peer: Peer  # with whom (private) or the channel itself
    sender: int | None  # None: the channel speaks
    date: datetime
    text: str = ""
    out: bool = False
    entities: list[Any] = field(default_factory=list)
    media: int | None = None
    markup: Any = None
    action: Any = None
    reply_to: int | None = None
    forward: Forward | None = None
    grouped_id: int | None = None
    via_bot: int | None = None
    author: str | None = None
    edit_date: datetime | None = None
    silent: bool = False
    saved_peer: int | None = None  # in a channel's direct messages: whose thread
    suggested: Any = None
    twin: tuple[Peer, int] | None = None  # the same message in the other person's box
    base_views: int = 0  # there from the start
    final_views: int | None = None  # where the audience's views end, instead of a draw
    seen_by: set[int] = field(default_factory=set)
    base_forwards: int = 0
    reactions: dict[int, tuple[str, ...]] = field(default_factory=dict)
    reaction_dates: dict[int, datetime] = field(default_factory=dict)
    random_id: int | None = None
    real_author: int | None = None  # who really posted, behind an anonymous channel


@dataclass(frozen=True)
class Forward:
    """Where a forwarded message first stood."""

    peer: Peer
    message_id: int
    date: datetime
    author: str | None = None


@dataclass(frozen=True)
class Change:
    """One entry of a box's update log; `pts` is the count after it."""

    pts: int
    count: int
    kind: Literal["new", "edit", "delete"]
    ids: tuple[int, ...]
    date: datetime


@dataclass
class Box:
    """The messages of one user's private chats, or of one channel, and their update log."""

    peer: Peer
    next_id: int = 1
    pts: int = 1
    messages: dict[int, Message] = field(default_factory=dict)
    by_peer: dict[Peer, list[int]] = field(default_factory=dict)
    log: list[Change] = field(default_factory=list)
    read_up_to: dict[Peer, int] = field(default_factory=dict)
