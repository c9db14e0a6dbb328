"""History, search, dialogs, views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import Box, Message, Peer
from ..rpc import Call, handles
from ..view import View

MAX_PAGE = 100


def given_date(date: datetime | None) -> datetime | None:
    """A date of a request; clients write "none" as zero."""
    return date if date is not None and date.timestamp() > 0 else None


@handles(fn.messages.GetHistoryRequest, bots=False)
def get_history(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    found = _visible(call, peer)
    return _page(call, peer, found, request, given_date(request.offset_date))


@handles(fn.messages.SearchRequest, bots=False)
def search(call: Call, request: Any) -> Any:
    if isinstance(request.peer, tl.InputPeerEmpty):
        raise bad("SEARCH_QUERY_EMPTY" if not request.q else "PEER_ID_INVALID")
    peer = call.peer(request.peer)
    words = request.q.lower()
    author = call.peer(request.from_id) if request.from_id else None
    first, last = given_date(request.min_date), given_date(request.max_date)
    thread = call.peer(request.saved_peer_id) if request.saved_peer_id else None
    found = [
        message
        for message in _visible(call, peer)
        if words in message.text.lower()
        and (author is None or message.sender == author.id)
        and (thread is None or message.saved_peer == thread.id)
        and (first is None or message.date >= first)
        and (last is None or message.date <= last)
        and _passes(call, message, request.filter)
    ]
    return _page(call, peer, found, request, None)


def _passes(call: Call, message: Message, kind: Any) -> bool:
    media = call.world.media.get(message.media)
    if isinstance(kind, tl.InputMessagesFilterPhotos):
        return media is not None and media.kind == "photo"
    if isinstance(kind, tl.InputMessagesFilterDocument):
        return media is not None and media.kind == "document"
    if isinstance(kind, tl.InputMessagesFilterPhotoVideo):
        return media is not None
    return True


def _visible(call: Call, peer: Peer) -> list[Message]:
    """The messages with a peer that the caller may see, oldest first."""
    box = call.box(peer)
    view = call.view()
    found = [box.messages[i] for i in box.by_peer.get(peer, ())]
    return [message for message in found if view.sees(message)]


def _page(call: Call, peer: Peer, found: list[Message], request: Any, before: Any) -> Any:
    """One page, newest first, by Telegram's offsets (https://core.telegram.org/api/offsets)."""
    newest = found[::-1]
    start = 0
    if request.offset_id:
        start = sum(message.id >= request.offset_id for message in newest)
    elif before is not None:
        start = sum(message.date >= before for message in newest)
    start = max(0, start + request.add_offset)
    page = [
        message
        for message in newest[start : start + min(max(request.limit, 0), MAX_PAGE)]
        if (not request.max_id or message.id < request.max_id) and message.id > request.min_id
    ]
    return messages_answer(call, peer, page, len(found))


def messages_answer(call: Call, peer: Peer, page: Sequence[Message], count: int) -> Any:
    view = call.view()
    view.peer(peer)
    shown = [view.message(message) for message in page]
    if peer.kind == "channel":
        pts = call.box(peer).pts
        return tl.messages.ChannelMessages(pts, count, shown, [], view.chats, view.users)
    if len(page) < count:
        return tl.messages.MessagesSlice(count, shown, [], view.chats, view.users)
    return tl.messages.Messages(shown, [], view.chats, view.users)


@handles(fn.channels.GetMessagesRequest)
def get_channel_messages(call: Call, request: Any) -> Any:
    peer = Peer("channel", call.channel(request.channel).id)
    return _by_ids(call, peer, call.box(peer), request.id)


@handles(fn.messages.GetMessagesRequest)
def get_messages(call: Call, request: Any) -> Any:
    peer = Peer("user", call.user.id)
    return _by_ids(call, peer, call.world.box(peer), request.id)


def _by_ids(call: Call, peer: Peer, box: Box, ids: list[Any]) -> Any:
    if not ids:
        raise bad("MESSAGE_IDS_EMPTY")
    view = call.view()
    if peer.kind == "channel":
        view.peer(peer)
    shown = []
    for given in ids[:MAX_PAGE]:
        number = getattr(given, "id", 0)
        if isinstance(given, tl.InputMessageReplyTo):
            asked = box.messages.get(number)
            number = asked.reply_to or 0 if asked else 0
        message = box.messages.get(number)
        seen = message is not None and view.sees(message)
        shown.append(view.message(message) if message and seen else tl.MessageEmpty(number, None))
    if peer.kind == "channel":
        return tl.messages.ChannelMessages(box.pts, len(shown), shown, [], view.chats, view.users)
    return tl.messages.Messages(shown, [], view.chats, view.users)


@handles(fn.messages.GetMessagesViewsRequest, bots=False)
def get_messages_views(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    box = call.box(peer)
    view = call.view()
    view.peer(peer)
    answers = []
    for number in request.id[:MAX_PAGE]:
        message = box.messages.get(number)
        if message is None:
            answers.append(tl.MessageViews())
            continue
        if request.increment and call.user.id not in message.seen_by:
            message.seen_by.add(call.user.id)
            call.world.save_message(message)
        answers.append(tl.MessageViews(views=view.views(message), forwards=view.forwards(message)))
    return tl.messages.MessageViews(answers, view.chats, view.users)


@handles(fn.messages.ReadHistoryRequest, bots=False)
def read_history(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    box = call.box(peer)
    _mark_read(call, box, peer, request.max_id)
    return tl.messages.AffectedMessages(box.pts, 0)


@handles(fn.channels.ReadHistoryRequest, bots=False)
def read_channel_history(call: Call, request: Any) -> bool:
    peer = Peer("channel", call.channel(request.channel).id)
    _mark_read(call, call.world.box(Peer("user", call.user.id)), peer, request.max_id)
    return True


def _mark_read(call: Call, box: Box, peer: Peer, max_id: int) -> None:
    top = max(call.box(peer).by_peer.get(peer, [0]) or [0])
    read = min(max_id or top, top)
    box.read_up_to[peer] = max(read, box.read_up_to.get(peer, 0))
    call.world.save_box(box)


# Dialogs


@handles(fn.messages.GetDialogsRequest, bots=False)
def get_dialogs(call: Call, request: Any) -> Any:
    peers = sorted(_dialog_peers(call), key=lambda item: item[1].date, reverse=True)
    count = len(peers)
    before = given_date(request.offset_date)
    if before is not None:
        peers = [p for p in peers if p[1].date < before]
    if request.folder_id:
        peers, count = [], 0
    page = peers[: min(max(request.limit, 0), MAX_PAGE)]
    view = call.view()
    dialogs = [_dialog(call, view, peer, top) for peer, top in page]
    shown = [view.message(top) for _, top in page]
    if len(page) < count:
        return tl.messages.DialogsSlice(count, dialogs, shown, view.chats, view.users)
    return tl.messages.Dialogs(dialogs, shown, view.chats, view.users)


@handles(fn.messages.GetPinnedDialogsRequest, bots=False)
def get_pinned_dialogs(call: Call, _: Any) -> Any:
    return tl.messages.PeerDialogs([], [], [], [], state(call))


@handles(fn.messages.GetPeerDialogsRequest, bots=False)
def get_peer_dialogs(call: Call, request: Any) -> Any:
    view = call.view()
    dialogs, shown = [], []
    for given in request.peers:
        peer = call.peer(getattr(given, "peer", given))
        found = _visible(call, peer)
        dialogs.append(_dialog(call, view, peer, found[-1] if found else None))
        if found:
            shown.append(view.message(found[-1]))
    return tl.messages.PeerDialogs(dialogs, shown, view.chats, view.users, state(call))


def _dialog_peers(call: Call) -> list[tuple[Peer, Message]]:
    own = call.world.box(Peer("user", call.user.id))
    tops = [(peer, own.messages[ids[-1]]) for peer, ids in own.by_peer.items() if ids]
    for channel in call.world.channels.values():
        if call.user.id in channel.members:
            peer = Peer("channel", channel.id)
            found = _visible(call, peer)
            if found:
                tops.append((peer, found[-1]))
    return tops


def _dialog(call: Call, view: View, peer: Peer, top: Message | None) -> Any:
    box = call.box(peer)
    own = call.world.box(Peer("user", call.user.id))
    read = own.read_up_to.get(peer, 0)
    unread = sum(i > read and not box.messages[i].out for i in box.by_peer.get(peer, ()))
    return tl.Dialog(
        view.peer(peer),
        top_message=top.id if top else 0,
        read_inbox_max_id=read,
        read_outbox_max_id=0,
        unread_count=unread,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=tl.PeerNotifySettings(),
        pts=box.pts if peer.kind == "channel" else None,
    )


def state(call: Call) -> Any:
    """The caller's update state."""
    box = call.world.box(Peer("user", call.user.id))
    return tl.updates.State(box.pts, 0, call.world.now(), 0, 0)
