"""Native suggested posts: offers in a channel's direct messages and what becomes of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from telethon.tl import types as tl

from .errors import bad
from .records import Message, Peer

if TYPE_CHECKING:
    from .server import LoopbackTelegram

SOONEST, LATEST = timedelta(minutes=5), timedelta(days=31)
STARS_MIN, STARS_MAX = 5, 100_000


def check_offer(now: datetime, offer: Any) -> None:
    """The limits Telegram puts on price and date of a suggested post."""
    amount = getattr(offer.price, "amount", 0) if offer.price else 0
    if offer.price is not None and not STARS_MIN <= amount <= STARS_MAX:
        raise bad("SUGGESTED_POST_AMOUNT_INVALID")
    if offer.schedule_date and not SOONEST <= offer.schedule_date - now <= LATEST:
        raise bad("SCHEDULE_DATE_INVALID")


def approve(server: LoopbackTelegram, message: Message, date: datetime | None = None) -> None:
    """Accepts an offer: the answer now, the post in the channel at its date."""
    offer = _open_offer(message)
    date = date or offer.schedule_date
    accepted = tl.SuggestedPost(accepted=True, price=offer.price, schedule_date=date)
    server.world.edit(message, suggested=accepted)
    _answer(
        server,
        message,
        tl.MessageActionSuggestedPostApproval(schedule_date=date, price=offer.price),
    )
    server.schedule(date or server.world.now(), "publish_suggestion", message.box.id, message.id)


def reject(server: LoopbackTelegram, message: Message, comment: str = "") -> None:
    offer = _open_offer(message)
    declined = tl.SuggestedPost(rejected=True, price=offer.price, schedule_date=offer.schedule_date)
    server.world.edit(message, suggested=declined)
    action = tl.MessageActionSuggestedPostApproval(rejected=True, reject_comment=comment or None)
    _answer(server, message, action)


def balance_too_low(server: LoopbackTelegram, message: Message) -> None:
    """The channel accepted, but the sender has not the stars; the offer stays open."""
    offer = _open_offer(message)
    action = tl.MessageActionSuggestedPostApproval(balance_too_low=True, price=offer.price)
    _answer(server, message, action)


def publish(server: LoopbackTelegram, monoforum_id: int, message_id: int) -> Message | None:
    """Puts an approved offer into the channel; answers the post."""
    world = server.world
    monoforum = world.channels[monoforum_id]
    message = world.box(Peer("channel", monoforum_id)).messages.get(message_id)
    if message is None or not message.suggested.accepted:
        return None
    peer = Peer("channel", monoforum.linked_monoforum or 0)
    post = Message(
        0, peer, peer, None, world.now(), message.text, entities=message.entities,
        media=message.media,
    )  # fmt: skip
    world.create(post)
    if message.suggested.price is not None:
        due = world.now() + timedelta(days=1)
        server.schedule(due, "settle_suggestion", monoforum_id, message_id, post.id)
    return post


def settle(server: LoopbackTelegram, monoforum_id: int, message_id: int, post_id: int) -> None:
    """A day after a paid post: the price is paid out, or refunded if the post is gone."""
    monoforum = server.world.channels[monoforum_id]
    message = server.world.box(Peer("channel", monoforum_id)).messages.get(message_id)
    if message is None:
        return
    parent = server.world.box(Peer("channel", monoforum.linked_monoforum or 0))
    if post_id in parent.messages:
        _answer(server, message, tl.MessageActionSuggestedPostSuccess(message.suggested.price))
    else:
        _answer(server, message, tl.MessageActionSuggestedPostRefund())


def _open_offer(message: Message) -> Any:
    offer = message.suggested
    if offer is None or offer.accepted or offer.rejected:
        raise bad("MESSAGE_ID_INVALID")
    return offer


def _answer(server: LoopbackTelegram, message: Message, action: Any) -> None:
    service = replace(
        Message(0, message.box, message.peer, None, server.world.now()),
        action=action,
        reply_to=message.id,
        saved_peer=message.saved_peer,
    )
    server.world.create(service)
