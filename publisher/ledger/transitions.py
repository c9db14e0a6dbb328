"""The only ways a post changes its state.

    planned ► claimed ► sending ► published
       ▲ │        │         │
       │ │        │         └──► planned    (the server said no; nothing was sent)
       │ └────────┴──► expired, failed      (nothing was sent)
       │          └──► sending              (too late, and a request had left before)
       └── claimed by a worker that died

Each is one conditional UPDATE: it holds only if the row still is where the caller thinks, and
the answer says whether it did. From `sending` there is no way back without an answer from the
server: the outcome is unknown until reconciled. What was given up as expired or failed and is
found on the server after all becomes published: the server's word is the last one.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from publisher.ledger.models import Approval, Block, Channel, Meme, Post, Slot, database

LEASE = timedelta(minutes=2)
LONGEST_BACKOFF = timedelta(minutes=30)
CLOSED_BACKOFF = timedelta(hours=1)
OPEN = ("planned", "claimed", "sending")


def new_random_id() -> int:
    """A non-zero signed 64-bit number, by which Telegram knows a send that was sent before."""
    return secrets.randbelow(2**63 - 1) + 1


def move(model: Any, row_id: int, states: tuple[str, ...], **values: Any) -> bool:
    """Change a row that is in one of `states`; False when it was not, or not any more."""
    changed = (
        model.update(**values).where((model.id == row_id) & (model.state.in_(states))).execute()
    )
    return changed == 1


def anything_due(now: datetime) -> bool:
    """Whether any post's time has come that is not sent: the cheap question of every minute."""
    waiting = Post.state.in_(("planned", "claimed")) & (Post.due_at <= now)
    return bool(Post.select(Post.id).where(waiting).exists())


def tried_again(now: datetime, longest: timedelta = LONGEST_BACKOFF) -> Any:
    """Whether a post's back-off is over; one that is too long was counted by a wrong clock."""
    return (Post.next_try_at <= now) | (Post.next_try_at > now + longest)


def looked_for_again(now: datetime) -> Any:
    """The same for a look into its channel, which waits longer where the channel is closed."""
    return tried_again(now, CLOSED_BACKOFF)


def closed_to_us(posts: list[Post], now: datetime) -> None:
    """The next look for given-up posts whose channel did not let us in."""
    Post.update(next_try_at=now + CLOSED_BACKOFF).where(
        Post.id.in_([post.id for post in posts]) & Post.state.in_(("expired", "failed"))
    ).execute()


def free_to_go() -> Any:
    """Whether a post's channel is neither stopped nor paused, and no owner is being asked."""
    channels = Channel.select(Channel.id).where(
        (Channel.state == "ok") & (Channel.paused == False)  # noqa: E712
    )
    asked = Approval.select(Approval.post).where(Approval.state == "waiting")
    return Post.channel.in_(channels) & Post.id.not_in(asked)


def due_posts(now: datetime, limit: int = 20) -> list[Post]:
    """Posts whose time has come and which nothing holds back."""
    ready = Post.next_try_at.is_null() | tried_again(now)
    return list(
        Post.select(Post, Channel, Meme)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where(
            (Post.state == "planned")
            & (Post.due_at <= now)
            & (Post.expires_at > now)
            & ready
            & free_to_go()
        )
        .order_by(Post.due_at, Post.id)
        .limit(limit)
    )


def as_loaded(post: Post) -> Any:
    """Whether a post still has the meme it was loaded with, and may still leave.

    Posts are loaded together and sent one after another: by its turn a post may have got another
    meme, or its channel been paused. Then it waits for the next run, which reads it anew.
    """
    return (Post.id == post.id) & (Post.meme == post.meme_id) & free_to_go()


def claim(post: Post, worker: str, now: datetime) -> bool:
    """planned ► claimed, by exactly one worker, if it is as it was loaded."""
    return (
        Post.update(state="claimed", claimed_by=worker, claimed_at=now)
        .where(as_loaded(post) & (Post.state == "planned"))
        .execute()
        == 1
    )


def begin_sending(post: Post, worker: str, now: datetime) -> bool:
    """claimed ► sending, durable before the request leaves, if it is as it was loaded."""
    return (
        Post.update(state="sending", sending_at=now, attempts=Post.attempts + 1)
        .where(as_loaded(post) & (Post.state == "claimed") & (Post.claimed_by == worker))
        .execute()
        == 1
    )


def published(post: Post, message_id: int, at: datetime) -> bool:
    """The server has it."""
    with database.atomic():
        done = move(
            Post,
            post.id,
            ("sending", "expired", "failed"),
            state="published",
            message_id=message_id,
            published_at=at,
            error="",
            error_kind="",
            next_try_at=None,
        )
        if done:
            Slot.update(state="published", reason="").where(Slot.id == post.slot_id).execute()
            Meme.update(state="used").where(Meme.id == post.meme_id).execute()
    return done


def found_in_channel(post: Post, message_id: int, at: datetime) -> bool:
    """The server has it, though a restored ledger may not even know that it was sent."""
    with database.atomic():
        Post.update(state="sending").where(
            (Post.id == post.id) & Post.state.in_(("planned", "claimed"))
        ).execute()
        return published(post, message_id, at)


def not_sent(post: Post, kind: str, error: str, next_try_at: datetime) -> bool:
    """claimed or sending ► planned: it is certain that the server did not take it."""
    return move(
        Post,
        post.id,
        ("claimed", "sending"),
        state="planned",
        claimed_by="",
        claimed_at=None,
        next_try_at=next_try_at,
        error_kind=kind,
        error=error[:500],
    )


def unclear(post: Post, kind: str, error: str, next_try_at: datetime) -> bool:
    """Stay in `sending`: the outcome is unknown; look again at `next_try_at`."""
    return move(
        Post,
        post.id,
        ("sending",),
        next_try_at=next_try_at,
        error_kind=kind,
        error=error[:500],
    )


def release(post: Post, worker: str = "") -> bool:
    """claimed ► planned, untouched: it was not this one's turn. With `worker`, its claims only."""
    whose = (Post.claimed_by == worker) if worker else (Post.id == post.id)
    return (
        Post.update(state="planned", claimed_by="", claimed_at=None)
        .where((Post.id == post.id) & (Post.state == "claimed") & whose)
        .execute()
        == 1
    )


def failed(post: Post, kind: str, error: str) -> bool:
    """Set aside with its reason; the queue goes on."""
    return _give_up(post, "failed", kind, error)


def expired(post: Post, reason: str) -> bool:
    """Too late to be worth publishing."""
    return _give_up(post, "expired", "late", reason)


def _give_up(post: Post, state: str, kind: str, reason: str) -> bool:
    with database.atomic():
        done = move(Post, post.id, OPEN, state=state, error_kind=kind, error=reason[:500])
        if done:
            Slot.update(state=state, reason=reason[:500]).where(Slot.id == post.slot_id).execute()
            # A meme that never left may be used again; one that did may yet turn up.
            if Post.get_by_id(post.id).sending_at is None:
                Meme.update(state="ready").where(
                    (Meme.id == post.meme_id) & (Meme.state == "queued")
                ).execute()
    return done


def overdue_posts(now: datetime) -> list[Post]:
    """Posts never sent whose time has passed; `sending` ones are the reconciler's."""
    return list(
        Post.select().where((Post.state.in_(("planned", "claimed"))) & (Post.expires_at <= now))
    )


def put_in_doubt(now: datetime) -> int:
    """planned or claimed ► sending, for overdue posts for which a request had left before: what
    became of them the channel tells, and not the clock."""
    return int(
        Post.update(state="sending", next_try_at=now)
        .where(
            Post.state.in_(("planned", "claimed"))
            & (Post.expires_at <= now)
            & Post.sending_at.is_null(False)
        )
        .execute()
    )


def stale_claims(now: datetime, worker: str) -> list[Post]:
    """Claims whose worker is certainly gone: a namesake's from before a restart, or past lease.

    A worker's name is `session:nonce`; one process holds a session, so another nonce is dead.
    """
    session = worker.split(":", 1)[0]
    gone = (Post.claimed_by.startswith(session + ":")) & (Post.claimed_by != worker)
    return list(
        Post.select().where((Post.state == "claimed") & (gone | (Post.claimed_at < now - LEASE)))
    )


def unclear_posts(now: datetime, worker: str) -> list[Post]:
    """Posts in `sending` that nobody is sending at this moment."""
    session = worker.split(":", 1)[0]
    gone = (Post.claimed_by.startswith(session + ":")) & (Post.claimed_by != worker)
    left = Post.next_try_at.is_null() & (gone | (Post.sending_at < now - LEASE))
    due = looked_for_again(now) | left
    return list(
        Post.select(Post, Channel, Meme)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where((Post.state == "sending") & due)
        .order_by(Post.sending_at)
    )


def assign_block(
    block: Block,
    coin: str,
    memes: dict[str, Meme | None],
    plans: list[dict[str, Any]],
    at: datetime,
) -> bool:
    """Write a block's coin, its slots' arms and their posts, all or nothing, once for ever.

    `plans` holds for each slot: slot, arm, caption, expires_at, too_late. A slot whose arm has
    no meme, or whose time has passed, is missed by that arm; the other arm never fills it.
    """
    with database.atomic():
        drawn = (
            Block.update(coin=coin, assigned_at=at)
            .where((Block.id == block.id) & (Block.coin.is_null()))
            .execute()
        )
        if drawn != 1:
            return False
        for plan in plans:
            fill_slot(plan["slot"], plan["arm"], memes[plan["arm"]], plan)
    return True


def fill_slot(slot: Slot, arm: str, meme: Meme | None, plan: dict[str, Any]) -> bool:
    """planned ► assigned with its post, or ► missed when the arm has no meme.

    A slot missed before its coin was drawn is told its arm.
    """
    if move(Slot, slot.id, ("missed",), arm=arm):
        return False
    missing = "late" if plan["too_late"] else "" if meme else "no_meme"
    if meme is None or missing:
        return move(Slot, slot.id, ("planned",), arm=arm, state="missed", reason=missing)
    if not move(Slot, slot.id, ("planned",), arm=arm, state="assigned"):
        return False
    Post.create(
        slot=slot,
        channel=slot.channel_id,
        meme=meme,
        random_id=new_random_id(),
        caption=plan["caption"],
        due_at=slot.at,
        expires_at=plan["expires_at"],
    )
    Meme.update(state="queued").where(Meme.id == meme.id).execute()
    return True
