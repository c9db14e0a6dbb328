"""What can happen to messages: every change of what people see goes through here.

`create`, `edit` and `delete` keep the update logs, the journal and the store in step and tell
the listeners. Nothing here knows MTProto.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .journal import Journal
from .media import MediaStore
from .records import Box, Change, Channel, Media, Message, Peer, User
from .store import Store

Clock = Callable[[], datetime]
Listener = Callable[[Box, Change], None]


class Effects:
    """The records of a world and the effects on them."""

    def __init__(self, store: Store, journal: Journal, clock: Clock, seed: int) -> None:
        self.store = store
        self.journal = journal
        self.clock = clock
        self.seed = seed
        self.moment: datetime | None = None
        self.media = MediaStore(store)
        self.users: dict[int, User] = {u.id: u for u in store.load("user")}
        self.channels: dict[int, Channel] = {c.id: c for c in store.load("channel")}
        self.boxes: dict[Peer, Box] = {}
        self.sent: dict[tuple[int, int], tuple[Peer, int]] = dict(store.load("random_id"))
        self.listeners: list[Listener] = []
        self._load_boxes()

    def now(self) -> datetime:
        """The world's time; while a due event runs, the time at which it was due."""
        return self.moment or self.clock().astimezone(UTC)

    def box(self, peer: Peer) -> Box:
        if peer not in self.boxes:
            self.boxes[peer] = Box(peer)
        return self.boxes[peer]

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
        if receiver.bot and sender.id not in receiver.started:
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

    def save(self, record: User | Channel | Media) -> None:
        self.store.put(type(record).__name__.lower(), record.id, record)

    def save_message(self, message: Message) -> None:
        self.store.put("message", (message.box, message.id), message)

    # Inside

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
