"""What the owner must not know while they judge: which arm a post is of."""

from __future__ import annotations

from peewee import JOIN

from publisher.ledger.models import Approval, Post, Slot
from publisher.settings import Settings


def blinded(settings: Settings, slot: Slot) -> bool:
    """Whether its post, or the other one of its pair, still waits for the owner's approval: who
    knows one arm of a pair knows both.
    """
    channel = settings.channel(slot.channel.handle)
    if channel is None or not channel.approve:
        return False
    together = Slot.block == slot.block_id if slot.block_id else Slot.id == slot.id
    undecided = Approval.state.is_null() | (Approval.state == "waiting")
    waiting = (
        Post.select(Post.id)
        .join(Slot)
        .switch(Post)
        .join(Approval, JOIN.LEFT_OUTER)
        .where(together & Post.state.in_(("planned", "claimed")) & undecided)
    )
    return bool(waiting.exists())
