"""Bring posts whose outcome is unknown to an end, and look for posts the ledger gave up."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from jobs.plan import standing
from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger import transitions
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Channel, Meme, Post, Slot
from publisher.ledger.restored import RESTORED, known_until
from publisher.telegram.errors import CHANNEL_TROUBLE, telegram_name
from publisher.telegram.peers import find_peer
from publisher.telegram.publishing import HISTORY_DEPTH, time_that_counts
from publisher.telegram.reading import Seen, read_history
from publisher.telegram.recognising import Print, print_kept, print_of_meme, same_words

LOOK_BACK = timedelta(days=2)
AUDIT_DEPTH = 2000
CLOCKS_APART = timedelta(minutes=2)
IDS_TOLD = 100


async def reconcile(services: Services, now: datetime) -> str:
    """Free claims of the dead, settle unclear sends, and believe the server in the end."""
    ends: Counter[str] = Counter()
    for post in transitions.stale_claims(now, services.worker):
        ends["freed"] += transitions.release(post)
    for channel in Channel.select().where(Channel.state == RESTORED):
        # One that left the config is compared when it comes back.
        if services.settings.channel(channel.handle):
            with one_of_many(channel.handle):
                try:
                    ends += await audit(services, channel, now)
                except CHANNEL_TROUBLE as error:
                    facts = {"channel": channel.handle, "reason": telegram_name(error)}
                    raise_alert(f"channel:{channel.handle}", "channel_stopped", facts, now)
                    raise
    for post in transitions.unclear_posts(now, services.worker):
        if post.channel.state != RESTORED:
            ends[await services.publisher.reconcile(post)] += 1
    for channel in Channel.select().where(Channel.state.in_(("ok", "stopped"))):
        posts = given_up_after_sending(services.account.name, channel, now)
        if posts:
            with one_of_many(channel.handle):
                try:
                    ends["found late"] += await find_late(services, channel, posts)
                except CHANNEL_TROUBLE:
                    transitions.closed_to_us(posts, now)
                    raise
    return ", ".join(f"{state} {count}" for state, count in sorted(ends.items()) if count)


def given_up_after_sending(account: str, channel: Channel, now: datetime) -> list[Post]:
    """Expired or failed posts for which a request had left: they may be there after all. Days in
    which the channel or the account was stopped do not count."""
    return list(
        Post.select(Post, Channel, Meme)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where(
            (Post.channel == channel)
            & Post.state.in_(("expired", "failed"))
            & Post.sending_at.is_null(False)
            & (Post.next_try_at.is_null() | transitions.looked_for_again(now))
            & (Post.sending_at > time_that_counts(account, channel, now) - LOOK_BACK)
        )
    )


async def find_late(services: Services, channel: Channel, posts: list[Post]) -> int:
    """Look for given-up posts in one reading of their channel; how many were there."""
    peer = await find_peer(services.account, channel.handle, services.clock())
    seen = await read_history(services.account, peer, limit=HISTORY_DEPTH)
    return len(await publish_found(services, posts, seen))


async def publish_found(services: Services, posts: list[Post], seen: list[Seen]) -> set[int]:
    """Mark those of `posts` that stand in the channel as published; their message ids."""
    prints: dict[int, Print | None] = {}
    ids = set()
    for post in posts:
        found = await services.publisher.match(post, seen, prints)
        if found and transitions.found_in_channel(post, found.message_id, found.at):
            ids.add(found.message_id)
    return ids


async def audit(services: Services, channel: Channel, now: datetime) -> Counter[str]:
    """Compare a channel with a ledger that came back from a backup, then let it post again.

    What the channel has and the ledger calls open or given up becomes published. Photos of ours
    newer than anything the ledger knows and not among its posts are told to the owner by their
    message ids: they were posted after the backup was made. Their slots and memes, which the
    ledger takes for unused, are not used again.
    """
    posts = list(
        Post.select(Post, Channel, Meme)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where((Post.channel == channel) & (Post.state != "published") & (Post.due_at <= now))
        .order_by(Post.due_at)
    )
    known = {p.message_id for p in Post.select(Post.message_id).where(Post.channel == channel)}
    newest = max((i for i in known if i), default=0)
    peer = await find_peer(services.account, channel.handle, now)
    seen = await read_history(services.account, peer, limit=AUDIT_DEPTH)
    found = await publish_found(services, posts, seen)
    rule = services.settings.channel(channel.handle)
    captions = {p.caption for p in Post.select(Post.caption).where(Post.channel == channel)}
    captions = (captions | {rule.caption if rule else ""}) - {""}
    strange = [
        s
        for s in reversed(seen)
        if s.photo is not None
        and (s.outgoing or any(same_words(s.text, caption) for caption in captions))
        and s.message_id > newest
        and s.message_id not in found
        and ours_since(channel, s.at)
    ]
    for message in strange:
        await take_out_of_use(services, channel, message)
    if strange:
        ids = [message.message_id for message in strange]
        more = [f"+{len(ids) - IDS_TOLD}"] if len(ids) > IDS_TOLD else []
        told = ", ".join([*map(str, ids[:IDS_TOLD]), *more])
        facts = {"channel": channel.handle, "messages": told}
        raise_alert(f"audit:{channel.handle}:{ids[-1]}", "channel_unknown_posts", facts, now)
    newest = max((s.message_id for s in seen), default=0)
    state, reason = standing(services, channel.handle)
    Channel.update(state=state, reason=reason, audited_message_id=newest).where(
        (Channel.id == channel.id) & (Channel.state == RESTORED)
    ).execute()
    # It may have been stopped when the backup was made; a stop from now on is news.
    cure_alert(f"channel:{channel.handle}", now)
    return Counter({"audited": 1, "found after restore": len(found), "unknown": len(strange)})


async def take_out_of_use(services: Services, channel: Channel, message: Seen) -> None:
    """Neither the slot that a forgotten post filled nor the meme it showed is used again."""
    rule = services.settings.channel(channel.handle)
    patience = timedelta(minutes=rule.expire_minutes if rule else 90)
    slot = (
        Slot.select()
        .where(
            (Slot.channel == channel)
            & (Slot.state == "planned")
            & (Slot.at <= message.at + CLOCKS_APART)
            & (Slot.at > message.at - patience)
        )
        .order_by(Slot.at.desc())
        .first()
    )
    if slot:
        reason = f"message {message.message_id} filled it before the ledger was restored"
        transitions.move(Slot, slot.id, ("planned",), state="missed", reason=reason)
    theirs = await services.publisher.print_of_message(message)
    # At worst one is spared that was not posted.
    likely = likeliest(services, theirs, Meme.state == "ready") if theirs else []
    if likely:
        transitions.move(Meme, likely[0].id, ("ready",), state="used")


def likeliest(services: Services, theirs: Print, which: Any) -> list[Meme]:
    """The memes that a picture may be, of those that `which` says, the most like it first."""
    likely: list[tuple[float, int, Meme]] = []
    for meme in Meme.select().where(which & (Meme.file != "")):
        kept = print_kept(meme)
        if kept and kept.apart(theirs) is None:
            continue
        ours = print_of_meme(meme, services.media)
        distance = ours.apart(theirs) if ours else None
        if distance is not None:
            likely.append((distance, meme.id, meme))
    return [meme for _, _, meme in sorted(likely, key=lambda one: one[:2])]


def ours_since(channel: Channel, at: datetime) -> bool:
    """Whether what was posted then may have been lost from the ledger; what is older than its
    first post there, and than the backup, is none of its own.
    """
    first = Post.select().where(Post.channel == channel).order_by(Post.due_at).first()
    begun = [moment for moment in (first and first.due_at, known_until()) if moment]
    return not begun or min(begun) <= at
