"""Sending, editing, deleting and forwarding messages."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from .. import suggested
from ..entities import detected, units
from ..errors import RpcFailure, bad, forbidden
from ..records import Channel, Forward, Media, Message, Peer, User
from ..rpc import Call, handles
from .files import media_of

MAX_TEXT, MAX_CAPTION = 4096, 1024  # UTF-16 units
MAX_BUTTON_DATA, MAX_BUTTONS = 64, 100
EDIT_WINDOW = timedelta(hours=48)
MAX_ALBUM = 10


@handles(fn.messages.SendMessageRequest)
def send_message(call: Call, request: Any) -> Any:
    peer = writable_peer(call, request.peer)
    repeated = find_repeated(call, request.random_id)
    if repeated:
        return repeated
    text = checked_text(request.message, request.entities, MAX_TEXT, "MESSAGE_TOO_LONG")
    if not text.strip():
        raise bad("MESSAGE_EMPTY")
    message = deliver(call, peer, request, text, None)
    return sent(call, [message])


@handles(fn.messages.SendMediaRequest)
def send_media(call: Call, request: Any) -> Any:
    peer = writable_peer(call, request.peer)
    repeated = find_repeated(call, request.random_id)
    if repeated:
        return repeated
    text = checked_text(request.message, request.entities, MAX_CAPTION, "MEDIA_CAPTION_TOO_LONG")
    media = media_of(call, request.media)
    return sent(call, [deliver(call, peer, request, text, media)])


@handles(fn.messages.SendMultiMediaRequest)
def send_multi_media(call: Call, request: Any) -> Any:
    peer = writable_peer(call, request.peer)
    if not 1 <= len(request.multi_media) <= MAX_ALBUM:
        raise bad("MULTI_MEDIA_TOO_LONG")
    for single in request.multi_media:
        repeated = find_repeated(call, single.random_id)
        if repeated:
            return repeated
    ready: list[tuple[Any, str, Media]] = []
    for single in request.multi_media:
        text = checked_text(single.message, single.entities, MAX_CAPTION, "MEDIA_CAPTION_TOO_LONG")
        ready.append((single, text, media_of(call, single.media)))
    album = random.getrandbits(62)
    messages = []
    for single, text, media in ready:
        fields = {"entities": single.entities, "random_id": single.random_id, "grouped_id": album}
        messages.append(deliver(call, peer, request, text, media, **fields))
    return sent(call, messages)


@handles(fn.messages.UploadMediaRequest)
def upload_media(call: Call, request: Any) -> Any:
    call.peer(request.peer)
    return call.view().media(media_of(call, request.media).id)


@handles(fn.messages.ForwardMessagesRequest)
def forward_messages(call: Call, request: Any) -> Any:
    source = call.peer(request.from_peer)
    peer = writable_peer(call, request.to_peer)
    if not request.id or len(request.random_id) != len(request.id):
        raise bad("RANDOM_ID_INVALID" if request.id else "MESSAGE_IDS_EMPTY")
    box = call.box(source)
    originals = [box.messages.get(i) for i in request.id]
    if any(o is None or o.peer != source or o.action for o in originals):
        raise bad("MESSAGE_ID_INVALID")
    for random_id in request.random_id:
        repeated = find_repeated(call, random_id)
        if repeated:
            return repeated
    messages = []
    for original, random_id in zip(originals, request.random_id, strict=True):
        assert original is not None
        origin = original.forward or Forward(
            source if original.sender is None else Peer("user", original.sender),
            original.id,
            original.date,
            original.author,
        )
        text = "" if request.drop_media_captions and original.media else original.text
        fields = {
            "entities": original.entities,
            "random_id": random_id,
            "forward": None if request.drop_author else origin,
            "reply_markup": None,
        }
        media = call.world.media.get(original.media)
        messages.append(deliver(call, peer, request, text, media, **fields))
        original.base_forwards += 1
        call.world.save_message(original)
    return sent(call, messages)


def writable_peer(call: Call, given: Any) -> Peer:
    """The peer, if the caller may write there."""
    peer = call.peer(given)
    user = call.user
    if peer.kind == "user":
        _check_private(user, call.world.users[peer.id])
        return peer
    channel = call.world.channels[peer.id]
    if channel.monoforum:
        if user.bot:
            raise forbidden("CHAT_WRITE_FORBIDDEN")
        return peer
    if channel.broadcast:
        if "post_messages" not in channel.rights(user.id):
            raise bad("CHAT_ADMIN_REQUIRED")
    elif user.id not in channel.members or (channel.read_only and not channel.rights(user.id)):
        raise forbidden("CHAT_WRITE_FORBIDDEN")
    return peer


def _check_private(user: User, other: User) -> None:
    if user.bot and other.bot:
        raise bad("USER_IS_BOT")
    if user.bot and other.id not in user.started:
        raise bad("PEER_ID_INVALID")  # a bot cannot begin a conversation
    if user.id in other.blocked:
        raise forbidden("USER_IS_BLOCKED") if user.bot else bad("USER_BLOCKED")
    if other.id in user.blocked:
        raise bad("YOU_BLOCKED_USER")


def find_repeated(call: Call, random_id: int | None) -> Any:
    """For a random_id sent before: the error or the existing message, by the server's mode."""
    if not random_id:
        raise bad("RANDOM_ID_EMPTY")
    known = call.world.sent.get((call.user.id, random_id))
    if known is None:
        return None
    if call.server.random_id_mode == "error":
        raise RpcFailure(500, "RANDOM_ID_DUPLICATE")
    box = call.world.box(known[0])
    view = call.view()
    updates: list[Any] = [tl.UpdateMessageID(known[1], random_id)]
    change = next((c for c in box.log if c.kind == "new" and c.ids == (known[1],)), None)
    if change is not None:
        updates += view.update(box, change)
    return view.updates(updates)


def checked_text(text: str, entities: Any, limit: int, error: str) -> str:
    text = text.rstrip()
    length = units(text)
    if length > limit:
        raise bad(error)
    for entity in entities or ():
        if entity.offset < 0 or entity.length < 0 or entity.offset + entity.length > length + 1:
            raise bad("ENTITY_BOUNDS_INVALID")
    return text


def checked_markup(user: User, markup: Any) -> Any:
    """Reply markup of bots; people's is ignored, as Telegram does."""
    if markup is None or not user.bot:
        return None
    if not isinstance(markup, tl.ReplyInlineMarkup):
        return markup
    buttons = [button for row in markup.rows for button in row.buttons]
    if len(buttons) > MAX_BUTTONS:
        raise bad("REPLY_MARKUP_TOO_LONG")
    for button in buttons:
        if not button.text.strip():
            raise bad("BUTTON_TEXT_INVALID")
        data = getattr(button.type, "data", None)
        if data is not None and not 1 <= len(data) <= MAX_BUTTON_DATA:
            raise bad("BUTTON_DATA_INVALID")
        url = getattr(button.type, "url", None)
        if url is not None and not url.startswith(("http://", "https://", "tg://")):
            raise bad("BUTTON_URL_INVALID")
    return markup


def deliver(
    call: Call, peer: Peer, request: Any, text: str, media: Media | None, **fields: Any
) -> Message:
    world, user = call.world, call.user
    if request.schedule_date:
        raise bad("SCHEDULE_DATE_INVALID")  # scheduled messages are not simulated
    given = {"entities": getattr(request, "entities", None)}
    given["random_id"] = getattr(request, "random_id", None)
    given["reply_markup"] = getattr(request, "reply_markup", None)
    given |= fields
    random_id = given["random_id"]
    content: dict[str, Any] = {
        "text": text,
        "media": media.id if media else None,
        "entities": detected(text, given["entities"] or []),
        "markup": given.get("markup") or checked_markup(user, given["reply_markup"]),
        "random_id": random_id,
        "reply_to": getattr(request.reply_to, "reply_to_msg_id", None),
        "silent": bool(request.silent),
        "grouped_id": given.get("grouped_id"),
        "forward": given.get("forward"),
        "via_bot": given.get("via_bot"),
    }
    if peer.kind == "user":
        message = world.create_private(user, world.users[peer.id], **content)
    else:
        channel = world.channels[peer.id]
        if channel.monoforum:
            message = _to_monoforum(call, channel, request, content)
        else:
            sender = None if channel.broadcast else user.id
            message = world.create(
                Message(0, peer, peer, sender, world.now(), real_author=user.id, **content)
            )
    world.remember(user, random_id, message)
    return message


def _to_monoforum(call: Call, channel: Channel, request: Any, content: dict[str, Any]) -> Message:
    world, user = call.world, call.user
    parent = world.channels[channel.linked_monoforum or 0]
    thread = user.id
    admin = "manage_direct_messages" in parent.rights(user.id)
    if admin:
        given = getattr(request.reply_to, "monoforum_peer_id", None)
        thread = call.user_of(given).id if given is not None else 0
        if thread not in channel.members:
            raise bad("REPLY_TO_MONOFORUM_PEER_INVALID")
    price = channel.stars_per_message
    if price and not admin and (getattr(request, "allow_paid_stars", None) or 0) < price:
        raise forbidden(f"ALLOW_PAYMENT_REQUIRED_{price}")
    offer = getattr(request, "suggested_post", None)
    if offer is not None:
        suggested.check_offer(world.now(), offer)
    peer = Peer("channel", channel.id)
    channel.members.setdefault(thread, world.now())
    world.save(channel)
    return world.create(
        Message(
            0,
            peer,
            peer,
            None if admin else user.id,
            world.now(),
            saved_peer=thread,
            suggested=offer,
            real_author=user.id,
            **content,
        )
    )


def sent(call: Call, messages: list[Message]) -> Any:
    """The Updates that answer a send: the new ids, then the caller's own new messages."""
    view = call.view()
    updates: list[Any] = [
        tl.UpdateMessageID(m.id, m.random_id) for m in messages if m.random_id is not None
    ]
    return view.updates(updates + own_changes(call, view))


def own_changes(call: Call, view: Any) -> list[Any]:
    mine = Peer("user", call.user.id)
    updates = []
    for box, change in call.changes:
        if box.peer.kind == "channel" or box.peer == mine:
            updates += view.update(box, change)
    return updates


@handles(fn.messages.EditMessageRequest)
def edit_message(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    message = call.box(peer).messages.get(request.id)
    if message is None or message.peer != peer or message.action:
        raise bad("MESSAGE_ID_INVALID")
    _check_may_edit(call, message)
    edit(call, message, request)
    view = call.view()
    return view.updates(own_changes(call, view))


def edit(call: Call, message: Message, request: Any) -> None:
    """Applies an edit request to a message that the caller may edit."""
    changed: dict[str, Any] = {}
    limit, error = (MAX_TEXT, "MESSAGE_TOO_LONG")
    if message.media or request.media:
        limit, error = (MAX_CAPTION, "MEDIA_CAPTION_TOO_LONG")
    if request.message is not None:
        changed["text"] = checked_text(request.message, request.entities, limit, error)
        changed["entities"] = detected(changed["text"], request.entities or [])
        if not changed["text"].strip() and not (message.media or request.media):
            raise bad("MESSAGE_EMPTY")
    if request.media is not None:
        changed["media"] = media_of(call, request.media).id
    if request.reply_markup is not None or message.markup is not None:
        changed["markup"] = checked_markup(call.user, request.reply_markup)
    if all(_same(getattr(message, name), value) for name, value in changed.items()):
        raise bad("MESSAGE_NOT_MODIFIED")
    call.world.edit(message, **changed)


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return bool(old == new)


def _check_may_edit(call: Call, message: Message) -> None:
    user = call.user
    if message.box.kind == "channel":
        channel = call.world.channels[message.box.id]
        if channel.broadcast:
            own = message.real_author == user.id and "post_messages" in channel.rights(user.id)
            if not own and "edit_messages" not in channel.rights(user.id):
                raise bad("CHAT_ADMIN_REQUIRED")
            return
    if message.sender != user.id:
        raise forbidden("MESSAGE_AUTHOR_REQUIRED")
    if not user.bot and call.world.now() - message.date > EDIT_WINDOW:
        raise bad("MESSAGE_EDIT_TIME_EXPIRED")


@handles(fn.messages.DeleteMessagesRequest)
def delete_messages(call: Call, request: Any) -> Any:
    box = call.world.box(Peer("user", call.user.id))
    count = call.world.delete(box, request.id, both=bool(request.revoke) or call.user.bot)
    return tl.messages.AffectedMessages(box.pts, count)


@handles(fn.channels.DeleteMessagesRequest)
def delete_channel_messages(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    box = call.box(Peer("channel", channel.id))
    if "delete_messages" not in channel.rights(call.user.id):
        foreign = [
            i for i in request.id if i in box.messages and not _own(box.messages[i], call.user)
        ]
        if foreign:
            raise forbidden("MESSAGE_DELETE_FORBIDDEN")
    count = call.world.delete(box, request.id)
    return tl.messages.AffectedMessages(box.pts, count)


def _own(message: Message, user: User) -> bool:
    return user.id in (message.sender, message.real_author)


@handles(fn.messages.ToggleSuggestedPostApprovalRequest, bots=False)
def toggle_suggested_post(call: Call, request: Any) -> Any:
    channel = call.channel(request.peer)
    parent = call.world.channels.get(channel.linked_monoforum or 0)
    if not channel.monoforum or parent is None:
        raise bad("PEER_ID_INVALID")
    if "manage_direct_messages" not in parent.rights(call.user.id):
        raise bad("CHAT_ADMIN_REQUIRED")
    message = call.box(Peer("channel", channel.id)).messages.get(request.msg_id)
    if message is None or message.suggested is None:
        raise bad("MESSAGE_ID_INVALID")
    if request.reject:
        suggested.reject(call.server, message, request.reject_comment or "")
    else:
        suggested.approve(call.server, message, request.schedule_date)
    view = call.view()
    return view.updates(own_changes(call, view))


@handles(fn.messages.SetTypingRequest)
def set_typing(call: Call, request: Any) -> bool:
    call.peer(request.peer)
    return True


@handles(fn.messages.SaveDraftRequest, bots=False)
def save_draft(call: Call, request: Any) -> bool:
    call.peer(request.peer)
    return True
