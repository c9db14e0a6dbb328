"""Write down what posts have gathered at their fixed ages."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Channel, Post, Snapshot
from publisher.sentences import words
from publisher.settings.model import ReactionSettings
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import Seen, read_messages

AGES_HOURS = (1, 6, 24, 48, 72)


def latest(age_hours: int) -> timedelta:
    """How late a snapshot may be and still speak for its age: a quarter of it."""
    return timedelta(hours=age_hours / 4)


async def snapshot(services: Services, now: datetime) -> str:
    """Take every snapshot that is due and not too late; a missed one stays missing."""
    ages = sorted({*AGES_HOURS, services.settings.experiment.age_hours})
    due: dict[int, list[tuple[Post, int]]] = defaultdict(list)
    for age in ages:
        for post in posts_due(age, now):
            due[post.channel_id].append((post, age))
    taken = gone = 0
    for work in due.values():
        seen: dict[int, Seen] | None = None
        with one_of_many(handle := work[0][0].channel.handle):
            peer = await find_peer(services.account, handle, now)
            ids = sorted({post.message_id or 0 for post, _ in work})
            seen = await read_messages(services.account, peer, ids)
        for post, age in work:
            if seen is None:
                break
            found = seen.get(post.message_id or 0)
            if found is None:
                gone += 1
                continue
            record(post, age, found, services.settings.reactions, now)
            taken += 1
    if not taken and not gone:
        return ""
    return words("taken {taken}, deleted messages {gone}", taken=taken, gone=gone)


def posts_due(age_hours: int, now: datetime) -> list[Post]:
    age = timedelta(hours=age_hours)
    done = Snapshot.select(Snapshot.post).where(Snapshot.age_hours == age_hours)
    return list(
        Post.select(Post, Channel)
        .join(Channel)
        .where(
            (Post.state == "published")
            & Post.message_id.is_null(False)
            & (Post.published_at <= now - age)
            & (Post.published_at >= now - age - latest(age_hours))
            & Post.id.not_in(done)
            & (Channel.state != "stopped")
        )
    )


def record(
    post: Post, age_hours: int, seen: Seen, meanings: ReactionSettings, now: datetime
) -> None:
    likes = sum(n for emoji, n in seen.reactions.items() if emoji in meanings.positive)
    dislikes = sum(n for emoji, n in seen.reactions.items() if emoji in meanings.negative)
    late = now - post.published_at - timedelta(hours=age_hours)
    Snapshot.insert(
        post=post,
        age_hours=age_hours,
        taken_at=now,
        late_minutes=late.total_seconds() / 60,
        views=seen.views,
        forwards=seen.forwards,
        reactions=seen.reactions,
        likes=likes,
        dislikes=dislikes,
        neutral=sum(seen.reactions.values()) - likes - dislikes,
    ).on_conflict_ignore().execute()
