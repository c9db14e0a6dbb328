"""Reactions of real accounts, on top of the simulated audience's."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import DEFAULT_REACTIONS, Message, Peer
from ..rpc import Call, handles
from ..view import FILE_REFERENCE, View

MAX_EACH = 1  # reactions one account without Premium may leave on a message


@handles(fn.messages.SendReactionRequest)
def send_reaction(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    message = _message(call, peer, request.msg_id)
    emoji = tuple(getattr(r, "emoticon", "") for r in request.reaction or ())
    allowed = _allowed(call, peer)
    if any(one not in allowed for one in emoji):
        raise bad("REACTION_INVALID")
    if len(emoji) > MAX_EACH:
        raise bad("REACTIONS_TOO_MANY")
    if message.reactions.get(call.user.id, ()) == emoji:
        raise bad("MESSAGE_NOT_MODIFIED")
    call.world.react(message, call.user, emoji)
    twin = message.twin and call.world.box(message.twin[0]).messages.get(message.twin[1])
    if twin:
        call.world.react(twin, call.user, emoji)
    call.server.push_reactions(message, call.session)
    view = call.view()
    return view.updates([_update(view, peer, message)])


def _allowed(call: Call, peer: Peer) -> tuple[str, ...]:
    if peer.kind == "user":
        return DEFAULT_REACTIONS
    allowed = call.world.channels[peer.id].reactions
    return DEFAULT_REACTIONS if allowed is None else allowed


def _message(call: Call, peer: Peer, number: int) -> Message:
    message = call.box(peer).messages.get(number)
    if message is None or message.peer != peer or message.action:
        raise bad("MSG_ID_INVALID")
    return message


def _update(view: View, peer: Peer, message: Message) -> Any:
    reactions = view.reactions(message) or tl.MessageReactions([])
    return tl.UpdateMessageReactions(view.peer(peer), message.id, reactions)


@handles(fn.messages.GetMessagesReactionsRequest, bots=False)
def get_messages_reactions(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    view = call.view()
    messages = [call.box(peer).messages.get(number) for number in request.id]
    return view.updates([_update(view, peer, m) for m in messages if m is not None])


@handles(fn.messages.GetMessageReactionsListRequest, bots=False)
def get_reactions_list(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    message = _message(call, peer, request.id)
    if peer.kind == "channel" and call.world.channels[peer.id].broadcast:
        raise bad("BROADCAST_FORBIDDEN")
    wanted = getattr(request.reaction, "emoticon", None)
    view = call.view()
    found = [
        tl.MessagePeerReaction(
            view.peer(Peer("user", user_id)),
            message.reaction_dates[user_id],
            tl.ReactionEmoji(emoji),
            my=user_id == call.user.id or None,
        )
        for user_id, all_of_user in message.reactions.items()
        for emoji in all_of_user
        if wanted in (None, emoji)
    ]
    return tl.messages.MessageReactionsList(
        len(found), found[: request.limit], view.chats, view.users
    )


@handles(fn.messages.GetAvailableReactionsRequest, bots=False)
def get_available_reactions(call: Call, request: Any) -> Any:
    now = call.world.now()
    empty = tl.Document(0, 0, FILE_REFERENCE, now, "application/x-tgsticker", 0, 2, [])
    found = [
        tl.AvailableReaction(emoji, emoji, empty, empty, empty, empty, empty)
        for emoji in DEFAULT_REACTIONS
    ]
    return tl.messages.AvailableReactions(1, found)
