"""Count our channels' members once a day, and on the day the experiment begins."""

from __future__ import annotations

from datetime import datetime

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Channel, MemberCount
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import count_members


async def members(services: Services, now: datetime) -> str:
    """One count for each of our channels; the first is kept as the experiment's weight."""
    counted = []
    for channel in Channel.select().where(Channel.state == "ok"):
        with one_of_many(channel.handle):
            peer = await find_peer(services.account, channel.handle, now)
            number = await count_members(services.account, peer)
            MemberCount.create(channel=channel, at=now, members=number)
            if channel.began_members is None:
                Channel.update(began_members=number, title=peer.title).where(
                    Channel.id == channel.id
                ).execute()
            counted.append(f"{channel.handle} {number}")
    return ", ".join(counted)
