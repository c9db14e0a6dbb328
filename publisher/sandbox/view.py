"""Records as one account sees them, in Telegram's own types.

A `View` collects whom its objects mention, since every answer carries those users and chats.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import types as tl

from .entities import mentions
from .records import Box, Change, Channel, Media, Message, Peer, User

if TYPE_CHECKING:
    from .audience import Audience
    from .world import World

FILE_REFERENCE = b"loopback-file-reference"
UPDATES: dict[tuple[str, str], Any] = {
    ("new", "user"): tl.UpdateNewMessage,
    ("new", "channel"): tl.UpdateNewChannelMessage,
    ("edit", "user"): tl.UpdateEditMessage,
    ("edit", "channel"): tl.UpdateEditChannelMessage,
}


class View:
    """What `viewer` (None: nobody signed in) sees of the world."""

    def __init__(self, world: World, audience: Audience, viewer: User | None, dc_id: int) -> None:
        self._world = world
        self._audience = audience
        self.viewer = viewer
        self._dc_id = dc_id
        self._users: dict[int, Any] = {}
        self._chats: dict[int, Any] = {}

    @property
    def users(self) -> list[Any]:
        return list(self._users.values())

    @property
    def chats(self) -> list[Any]:
        return list(self._chats.values())

    @property
    def viewer_id(self) -> int:
        return self.viewer.id if self.viewer else 0

    # People and places

    def peer(self, peer: Peer) -> Any:
        """The peer, with its user or chat added to what the answer carries."""
        if peer.kind == "user":
            self.user(peer.id)
            return tl.PeerUser(peer.id)
        self.channel(peer.id)
        return tl.PeerChannel(peer.id)

    def user(self, user_id: int) -> Any:
        if user_id not in self._users:
            user = self._world.users.get(user_id)
            self._users[user_id] = self._user(user) if user else tl.UserEmpty(user_id)
        return self._users[user_id]

    def _user(self, user: User) -> Any:
        own = user.id == self.viewer_id
        to_bot = self.viewer is not None and self.viewer.bot and not user.bot
        return tl.User(
            user.id,
            is_self=own or None,
            bot=user.bot or None,
            bot_info_version=1 if user.bot else None,
            bot_inline_placeholder="" if user.inline else None,
            bot_can_edit=None,
            access_hash=self._world.access_hash(self.viewer_id, "user", user.id),
            first_name=user.first_name,
            last_name=user.last_name or None,
            username=user.username,
            phone=user.phone if own else None,
            status=None if user.bot else tl.UserStatusRecently(),
            lang_code=(user.lang_code or None) if to_bot else None,  # bots alone are told
        )

    def channel(self, channel_id: int) -> Any:
        if channel_id not in self._chats:
            self._chats[channel_id] = self._channel(self._world.channels[channel_id])
            linked = self._world.channels[channel_id].linked_monoforum
            if linked is not None:
                self.channel(linked)
        return self._chats[channel_id]

    def _channel(self, channel: Channel) -> Any:
        viewer = self.viewer_id
        access_hash = self._world.access_hash(viewer, "channel", channel.id)
        if viewer in channel.banned:
            return tl.ChannelForbidden(
                channel.id,
                access_hash,
                channel.title,
                broadcast=channel.broadcast or None,
                megagroup=channel.megagroup or None,
            )
        rights = channel.rights(viewer)
        return tl.Channel(
            channel.id,
            channel.title,
            tl.ChatPhotoEmpty(),
            channel.date,
            creator=viewer == channel.creator or None,
            left=None if viewer in channel.members or channel.monoforum else True,
            broadcast=channel.broadcast or None,
            megagroup=(channel.megagroup or channel.monoforum) or None,
            monoforum=channel.monoforum or None,
            broadcast_messages_allowed=(channel.broadcast and channel.linked_monoforum is not None)
            or None,
            access_hash=access_hash,
            username=channel.username,
            admin_rights=admin_rights(rights) if rights else None,
            default_banned_rights=default_banned_rights(channel) if channel.megagroup else None,
            participants_count=self.members(channel) if viewer in channel.members else None,
            linked_monoforum_id=channel.linked_monoforum,
            send_paid_messages_stars=channel.stars_per_message or None,
        )

    def members(self, channel: Channel) -> int:
        crowd = self._audience.members(channel, self._world.now())
        return crowd + len(channel.members)

    # Messages

    def message(self, message: Message) -> Any:
        peer = self.peer(message.peer)
        from_id = None
        if message.sender is not None and not (message.box.kind == "user" and not message.out):
            from_id = self.peer(Peer("user", message.sender))
        elif message.sender is not None:
            self.user(message.sender)
        if message.via_bot:
            self.user(message.via_bot)
        own = message.out if message.box.kind == "user" else message.sender == self.viewer_id
        if message.action is not None:
            return tl.MessageService(
                message.id,
                peer,
                message.date,
                action=message.action,
                out=own or None,
                from_id=from_id,
                reply_to=self._reply(message),
                saved_peer_id=self._saved_peer(message),
            )
        channel = self._world.channels.get(message.box.id) if message.box.kind != "user" else None
        post = channel is not None and channel.broadcast
        counts = post or message.forward is not None
        return tl.Message(
            message.id,
            peer,
            message.date,
            message.text,
            out=(own or (post and message.real_author == self.viewer_id)) or None,
            mentioned=self._mentions_viewer(message) or None,
            post=post or None,
            silent=message.silent or None,
            from_id=from_id,
            fwd_from=self._forward(message),
            via_bot_id=message.via_bot,
            reply_to=self._reply(message),
            media=self.media(message.media),
            reply_markup=message.markup,
            entities=message.entities or None,
            views=self.views(message) if counts else None,
            forwards=self.forwards(message) if counts else None,
            edit_date=message.edit_date,
            post_author=message.author,
            grouped_id=message.grouped_id,
            reactions=self.reactions(message),
            saved_peer_id=self._saved_peer(message),
            suggested_post=message.suggested,
        )

    def _mentions_viewer(self, message: Message) -> bool:
        if self.viewer is None or message.sender in (None, self.viewer.id):
            return False
        return message.box.kind == "channel" and self._mentioned(message, self.viewer)

    def views(self, message: Message) -> int:
        crowd = self._audience.views(message, self._world.now())
        return message.base_views + crowd + len(message.seen_by)

    def forwards(self, message: Message) -> int:
        return message.base_forwards + self._audience.forwards(message, self._world.now())

    def reactions(self, message: Message) -> Any:
        """Counts by emoji of the simulated audience and of real accounts together."""
        counts = dict(self._audience.reactions(message, self._world.now()))
        for emoji in message.reactions.values():
            for one in emoji:
                counts[one] = counts.get(one, 0) + 1
        if not any(counts.values()):
            return None
        own = message.reactions.get(self.viewer_id, ())
        broadcast = message.box.kind == "channel" and self._world.channels[message.box.id].broadcast
        ranked = sorted(counts.items(), key=lambda item: -item[1])
        results = [
            tl.ReactionCount(
                tl.ReactionEmoji(emoji),
                count,
                chosen_order=own.index(emoji) + 1 if emoji in own else None,
            )
            for emoji, count in ranked
            if count
        ]
        return tl.MessageReactions(results, can_see_list=None if broadcast else True)

    def media(self, media_id: int | None) -> Any:
        media = self._world.media.get(media_id)
        if media is None:
            return None
        if media.kind == "photo":
            return tl.MessageMediaPhoto(photo=self.photo(media))
        return tl.MessageMediaDocument(document=self.document(media))

    def photo(self, media: Media) -> Any:
        return tl.Photo(
            media.id,
            self._world.access_hash(self.viewer_id, "media", media.id),
            FILE_REFERENCE,
            media.date,
            [tl.PhotoSize(*size) for size in media.sizes],
            self._dc_id,
        )

    def document(self, media: Media) -> Any:
        return tl.Document(
            media.id,
            self._world.access_hash(self.viewer_id, "media", media.id),
            FILE_REFERENCE,
            media.date,
            media.mime,
            media.size,
            self._dc_id,
            media.attributes,
            thumbs=[tl.PhotoSize(*size) for size in media.sizes] or None,
        )

    def _reply(self, message: Message) -> Any:
        return tl.MessageReplyHeader(reply_to_msg_id=message.reply_to) if message.reply_to else None

    def _saved_peer(self, message: Message) -> Any:
        if message.saved_peer is None:
            return None
        return self.peer(Peer("user", message.saved_peer))

    def _forward(self, message: Message) -> Any:
        forward = message.forward
        if forward is None:
            return None
        return tl.MessageFwdHeader(
            forward.date,
            from_id=self.peer(forward.peer),
            channel_post=forward.message_id if forward.peer.kind == "channel" else None,
            post_author=forward.author,
        )

    # Updates

    def update(self, box: Box, change: Change) -> list[Any]:
        """The TL updates of one entry of an update log; messages since deleted are left out."""
        kind = box.peer.kind
        if change.kind == "delete":
            ids = list(change.ids)
            if kind == "user":
                return [tl.UpdateDeleteMessages(ids, change.pts, change.count)]
            self.channel(box.peer.id)
            return [tl.UpdateDeleteChannelMessages(box.peer.id, ids, change.pts, change.count)]
        message = box.messages.get(change.ids[0])
        if message is None or not self.sees(message):
            return []
        return [UPDATES[change.kind, kind](self.message(message), change.pts, change.count)]

    def sees(self, message: Message) -> bool:
        """Whether the viewer may see a message of a box that is open to them.

        In a channel's direct messages everybody but its admins sees the own thread only; a bot
        in privacy mode sees of a group what is addressed to it.
        """
        if message.box.kind == "user":
            return True
        channel = self._world.channels[message.box.id]
        if channel.monoforum:
            parent = self._world.channels[channel.linked_monoforum or 0]
            own = message.saved_peer in (None, self.viewer_id)
            return own or "manage_direct_messages" in parent.rights(self.viewer_id)
        viewer = self.viewer
        if channel.broadcast or viewer is None or not viewer.bot or not viewer.privacy:
            return True
        return bool(channel.rights(viewer.id)) or self._addressed(message, viewer)

    def _addressed(self, message: Message, bot: User) -> bool:
        if message.sender == bot.id or message.action is not None:
            return True
        command = message.text.startswith("/") and "@" not in message.text.split()[0]
        return command or self._mentioned(message, bot)

    def _mentioned(self, message: Message, user: User) -> bool:
        replied = self._world.box(message.box).messages.get(message.reply_to or 0)
        answered = replied is not None and replied.sender == user.id
        return answered or mentions(message.text, user.username)

    def updates(self, updates: list[Any]) -> Any:
        return tl.Updates(updates, self.users, self.chats, self._world.now(), 0)


def admin_rights(rights: frozenset[str]) -> Any:
    return tl.ChatAdminRights(**{name: True for name in sorted(rights)})


def default_banned_rights(channel: Channel) -> Any:
    forever = channel.date + timedelta(days=0)
    return tl.ChatBannedRights(
        until_date=forever, send_messages=channel.read_only or None, change_info=True
    )
