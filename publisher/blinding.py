"""What the owner must not know while they judge: which arm a post is of."""

from __future__ import annotations

from publisher.ledger.models import Post, Slot
from publisher.settings import Settings


def blinded(settings: Settings, slot: Slot) -> bool:
    """Whether its post, or the other one of its pair, can still be approved, replaced or dropped:
    who knows one arm of a pair knows both.
    """
    channel = settings.channel(slot.channel.handle)
    if channel is None or not channel.approve:
        return False
    together = Slot.block == slot.block_id if slot.block_id else Slot.id == slot.id
    open_ones = Post.select(Post.id).join(Slot)
    return bool(open_ones.where(together & Post.state.in_(("planned", "claimed"))).exists())
