"""Bring posts whose outcome is unknown to an end, and look for posts the ledger gave up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from jobs.services import Services
from publisher.ledger import transitions
from publisher.ledger.models import Channel, Meme, Post
from publisher.telegram.governor import AccountStopped, NotNow

LOOK_BACK = timedelta(days=2)


async def reconcile(services: Services, now: datetime) -> str:
    """Free claims of the dead, settle unclear sends, and believe the server in the end."""
    ends: Counter[str] = Counter()
    for post in transitions.stale_claims(now, services.worker):
        ends["freed"] += transitions.release(post)
    for post in transitions.unclear_posts(now, services.worker):
        ends[await services.publisher.reconcile(post)] += 1
    for post in given_up_after_sending(now):
        try:
            found = await services.publisher.find_in_channel(post)
        except (NotNow, AccountStopped):
            break
        if found:
            ends["found late"] += transitions.published(post, found.message_id, found.at)
    return ", ".join(f"{state} {count}" for state, count in sorted(ends.items()))


def given_up_after_sending(now: datetime) -> list[Post]:
    """Expired or failed posts for which a request had left: they may be there after all."""
    return list(
        Post.select(Post, Channel, Meme)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where(
            Post.state.in_(("expired", "failed"))
            & Post.sending_at.is_null(False)
            & (Post.sending_at > now - LOOK_BACK)
            & (Channel.state == "ok")
        )
    )
