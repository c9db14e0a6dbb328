"""Users and channels: who they are, who takes part."""

from __future__ import annotations

from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import RpcFailure, bad, forbidden
from ..records import Channel, Peer, User
from ..rpc import Call, handles
from ..view import admin_rights


@handles(fn.users.GetUsersRequest)
def get_users(call: Call, request: Any) -> Any:
    view = call.view()
    found = []
    for given in request.id:
        try:
            found.append(view.user(call.user_of(given).id))
        except RpcFailure as error:
            if error.code != 400:
                raise
            found.append(tl.UserEmpty(getattr(given, "user_id", 0)))
    return found


@handles(fn.users.GetFullUserRequest)
def get_full_user(call: Call, request: Any) -> Any:
    user = call.user_of(request.id)
    view = call.view()
    view.user(user.id)
    bot_info = None
    if user.bot:
        bot_info = tl.BotInfo(user_id=user.id, description=user.about, commands=user.commands)
    full = tl.UserFull(
        user.id,
        tl.PeerSettings(),
        tl.PeerNotifySettings(),
        0,
        about=user.about or None,
        bot_info=bot_info,
    )
    return tl.users.UserFull(full, view.chats, view.users)


@handles(fn.contacts.ResolveUsernameRequest)
def resolve_username(call: Call, request: Any) -> Any:
    name = request.username.lstrip("@")
    if not name.replace("_", "").isalnum() or len(name) < 4:
        raise bad("USERNAME_INVALID")
    found = call.world.by_username(name)
    if found is None:
        raise bad("USERNAME_NOT_OCCUPIED")
    if isinstance(found, Channel) and call.user.id in found.banned:
        raise bad("CHANNEL_PRIVATE")
    view = call.view()
    peer = Peer("user" if isinstance(found, User) else "channel", found.id)
    return tl.contacts.ResolvedPeer(view.peer(peer), view.chats, view.users)


@handles(fn.channels.GetChannelsRequest)
def get_channels(call: Call, request: Any) -> Any:
    view = call.view()
    return tl.messages.Chats([view.channel(call.channel(given).id) for given in request.id])


@handles(fn.channels.GetFullChannelRequest)
def get_full_channel(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    view = call.view()
    view.channel(channel.id)
    box = call.box(Peer("channel", channel.id))
    admin = bool(channel.rights(call.user.id))
    full = tl.ChannelFull(
        channel.id,
        channel.about,
        read_inbox_max_id=box.next_id - 1,
        read_outbox_max_id=0,
        unread_count=0,
        chat_photo=tl.PhotoEmpty(0),
        notify_settings=tl.PeerNotifySettings(),
        bot_info=[],
        pts=box.pts,
        can_view_participants=(admin or channel.megagroup) or None,
        can_view_stats=(admin and channel.can_view_stats) or None,
        participants_count=view.members(channel),
        admins_count=len(channel.admins) + 1 if admin else None,
        available_reactions=allowed_reactions(channel),
        send_paid_messages_stars=channel.stars_per_message or None,
    )
    return tl.messages.ChatFull(full, view.chats, view.users)


def allowed_reactions(channel: Channel) -> Any:
    if channel.reactions is None:
        return tl.ChatReactionsAll()
    if not channel.reactions:
        return tl.ChatReactionsNone()
    return tl.ChatReactionsSome([tl.ReactionEmoji(emoji) for emoji in channel.reactions])


@handles(fn.channels.GetParticipantRequest)
def get_participant(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    user = call.user_of(request.participant)
    if channel.broadcast and user.id != call.user.id and not channel.rights(call.user.id):
        raise bad("CHAT_ADMIN_REQUIRED")
    if user.id in channel.banned or user.id not in channel.members:
        raise bad("USER_NOT_PARTICIPANT")
    view = call.view()
    view.channel(channel.id)
    view.user(user.id)
    return tl.channels.ChannelParticipant(
        _participant(channel, user, call.user), view.chats, view.users
    )


def _participant(channel: Channel, user: User, viewer: User) -> Any:
    date = channel.members[user.id]
    rights = channel.rights(user.id)
    if user.id == channel.creator:
        return tl.ChannelParticipantCreator(user.id, admin_rights(rights))
    if rights:
        own = user.id == viewer.id
        return tl.ChannelParticipantAdmin(
            user.id,
            channel.creator,
            date,
            admin_rights(rights),
            is_self=own or None,
            inviter_id=channel.creator if own else None,
        )
    if user.id == viewer.id:
        return tl.ChannelParticipantSelf(user.id, channel.creator, date)
    return tl.ChannelParticipant(user.id, date)


@handles(fn.channels.GetParticipantsRequest)
def get_participants(call: Call, request: Any) -> Any:
    """Real accounts only: the simulated crowd counts, but has no faces."""
    channel = call.channel(request.channel)
    if channel.broadcast and not channel.rights(call.user.id):
        raise bad("CHAT_ADMIN_REQUIRED")
    users = [call.world.users[i] for i in channel.members]
    kind = request.filter
    if isinstance(kind, tl.ChannelParticipantsAdmins):
        users = [u for u in users if channel.rights(u.id)]
    elif isinstance(kind, tl.ChannelParticipantsBots):
        users = [u for u in users if u.bot]
    elif isinstance(kind, tl.ChannelParticipantsSearch) and kind.q:
        users = [u for u in users if kind.q.lower() in (u.first_name + (u.username or "")).lower()]
    plain = isinstance(kind, tl.ChannelParticipantsRecent | tl.ChannelParticipantsSearch)
    view = call.view()
    count = view.members(channel) if plain and not getattr(kind, "q", "") else len(users)
    page = users[request.offset : request.offset + request.limit]
    for user in page:
        view.user(user.id)
    participants = [_participant(channel, user, call.user) for user in page]
    return tl.channels.ChannelParticipants(count, participants, view.chats, view.users)


@handles(fn.channels.JoinChannelRequest, bots=False)
def join_channel(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    if call.user.id in channel.members:
        raise bad("USER_ALREADY_PARTICIPANT")
    call.world.join(channel, call.user)
    return _channel_updates(call, channel)


@handles(fn.channels.LeaveChannelRequest)
def leave_channel(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    if channel.creator == call.user.id:
        raise bad("USER_CREATOR")
    if call.user.id not in channel.members:
        raise bad("USER_NOT_PARTICIPANT")
    call.world.leave(channel, call.user)
    return _channel_updates(call, channel)


def _channel_updates(call: Call, channel: Channel) -> Any:
    view = call.view()
    view.channel(channel.id)
    return view.updates([tl.UpdateChannel(channel.id)])


@handles(fn.stats.GetBroadcastStatsRequest, fn.stats.GetMessageStatsRequest, bots=False)
def get_stats(call: Call, request: Any) -> Any:
    """Statistics are not simulated: answered as for a channel too small to have them."""
    channel = call.channel(request.channel)
    if not channel.rights(call.user.id):
        raise forbidden("CHAT_ADMIN_REQUIRED")
    raise bad("BROADCAST_REQUIRED" if not channel.broadcast else "STATS_UNAVAILABLE")


@handles(fn.contacts.BlockRequest, fn.contacts.UnblockRequest, bots=False)
def block(call: Call, request: Any) -> bool:
    user = call.user_of(request.id)
    if isinstance(request, fn.contacts.BlockRequest):
        call.user.blocked.add(user.id)
    else:
        call.user.blocked.discard(user.id)
    call.world.save(call.user)
    return True
