"""Catching up: states and differences (https://core.telegram.org/api/updates)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import Box, Change, Peer
from ..rpc import Call, handles
from ..view import View
from .reading import state

SLICE = 100


@handles(fn.updates.GetStateRequest)
def get_state(call: Call, _: Any) -> Any:
    return state(call)


@handles(fn.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    box = call.world.box(Peer("user", call.user.id))
    if request.pts < 1 or request.pts > box.pts:
        raise bad("PERSISTENT_TIMESTAMP_INVALID")
    view = call.view()
    missed = _missed(box, request.pts)
    messages, others = _split(view, box, missed[:SLICE])
    if len(missed) <= SLICE:
        others += [
            tl.UpdateChannelTooLong(box.peer.id, pts=box.pts)
            for box in _changed_channels(call, request.date)
            if view.channel(box.peer.id)
        ]
    if not missed and not others:
        return tl.updates.DifferenceEmpty(call.world.now(), 0)
    parts: tuple[Any, ...] = messages, [], others, view.chats, view.users
    if len(missed) > SLICE:
        between = tl.updates.State(missed[SLICE - 1].pts, 0, missed[SLICE - 1].date, 0, 0)
        return tl.updates.DifferenceSlice(*parts, between)
    return tl.updates.Difference(*parts, state(call))


@handles(fn.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    channel = call.channel(request.channel)
    box = call.box(Peer("channel", channel.id))
    if request.pts < 1 or request.pts > box.pts:
        raise bad("PERSISTENT_TIMESTAMP_INVALID")
    missed = _missed(box, request.pts)
    if not missed:
        return tl.updates.ChannelDifferenceEmpty(box.pts, final=True, timeout=30)
    limit = max(1, min(request.limit, SLICE))
    view = call.view()
    view.channel(channel.id)
    messages, others = _split(view, box, missed[:limit])
    final = len(missed) <= limit
    pts = box.pts if final else missed[limit - 1].pts
    return tl.updates.ChannelDifference(
        pts, messages, others, view.chats, view.users, final=final or None, timeout=30
    )


def _changed_channels(call: Call, since: datetime | None) -> list[Box]:
    """Boxes of the caller's channels in which something happened since."""
    boxes = [
        call.world.boxes.get(Peer("channel", channel.id))
        for channel in call.world.channels.values()
        if call.user.id in channel.members
    ]
    return [b for b in boxes if b and b.log and (since is None or b.log[-1].date >= since)]


def _missed(box: Box, pts: int) -> list[Change]:
    found: list[Change] = []
    for change in reversed(box.log):
        if change.pts <= pts:
            break
        found.append(change)
    return found[::-1]


def _split(view: View, box: Box, changes: list[Change]) -> tuple[list[Any], list[Any]]:
    """New messages apart from everything else, as the difference types want them."""
    messages, others = [], []
    for change in changes:
        for update in view.update(box, change):
            if change.kind == "new":
                messages.append(update.message)
            else:
                others.append(update)
    return messages, others
