"""Posts the owner sees before their slot, and what came of it.

    waiting ► kept, dropped                      (the owner)
    waiting ► default_kept, default_dropped      (nobody answered by the deadline)

A post may be replaced by another meme of the same arm any number of times while it waits, or be
dropped: then the slot is missed by its arm. No decision changes an arm. A waiting post does not
leave; one that expires or fails meanwhile stays `waiting` and is decided by nobody.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from publisher.ledger.models import Approval, Channel, Meme, Post, Slot, database
from publisher.ledger.transitions import move
from publisher.sentences import words

DROPPED = ("dropped", "default_dropped")


def ask(post: Post, deadline: datetime, default: str, now: datetime) -> Approval:
    """The post's approval, begun if there is none."""
    found, _ = Approval.get_or_create(
        post=post,
        defaults={
            "arm": post.slot.arm,
            "first_meme": post.meme_id,
            "deadline_at": deadline,
            "default": default,
            "asked_at": now,
        },
    )
    return found


def unasked_posts(channels: list[str], now: datetime) -> list[Post]:
    """Planned posts of these channels (lower-case handles) without an approval, still in time."""
    asked = Approval.select(Approval.post)
    return list(
        Post.select(Post, Slot, Channel)
        .join(Slot)
        .switch(Post)
        .join(Channel)
        .where(
            (Post.state == "planned")
            & (Post.expires_at > now)
            & Post.id.not_in(asked)
            & Channel.handle.in_(channels)
        )
        .order_by(Post.due_at)
    )


def overdue(now: datetime) -> list[Approval]:
    return list(
        Approval.select(Approval, Post)
        .join(Post)
        .where(
            (Approval.state == "waiting")
            & (Approval.deadline_at <= now)
            & (Post.state == "planned")
        )
    )


def untold() -> list[Approval]:
    """Those the owner was not shown yet."""
    return list(
        Approval.select(Approval, Post, Channel, Meme)
        .join(Post)
        .join(Channel)
        .switch(Post)
        .join(Meme)
        .where(
            (Approval.state == "waiting") & Approval.told_at.is_null() & (Post.state == "planned")
        )
        .order_by(Approval.deadline_at)
    )


def settle(approval: Approval, now: datetime) -> str:
    """Nobody answered in time: the default."""
    if approval.default == "drop":
        return drop(approval, now, state="default_dropped")
    return _decide(approval, "default_kept", now)


def keep(approval: Approval, now: datetime) -> str:
    return _decide(approval, "kept", now)


def drop(approval: Approval, now: datetime, *, state: str = "dropped") -> str:
    """Take the post out: its slot is missed by its arm, its meme is refused. `late` when the post
    is under way or out."""
    with database.atomic():
        gone = move(
            Post, approval.post_id, ("planned",), state="dropped", error=words("not approved")
        )
        if not gone:
            return "late"
        post = Post.get_by_id(approval.post_id)
        Slot.update(state="dropped", reason=words("not approved")).where(
            Slot.id == post.slot_id
        ).execute()
        _refuse(post.meme_id)
        return _decide(approval, state, now, states=("waiting", "kept", "default_kept"))


def replace(approval: Approval, meme: Meme, now: datetime) -> str:
    """Put another ready meme of the same arm in the post's place. `late` when a request for the
    post has left before, whatever came of it."""
    if meme.origin != approval.arm:
        raise ValueError(f"meme {meme.id} is of arm {meme.origin}, the slot is {approval.arm}'s")
    with database.atomic():
        old = Post.get_by_id(approval.post_id).meme_id
        if not move(Meme, meme.id, ("ready",), state="queued"):
            return "gone"
        # One for which a request had left may yet be found in the channel, by its picture.
        unsent = Post.update(meme=meme).where(
            (Post.id == approval.post_id) & (Post.state == "planned") & Post.sending_at.is_null()
        )
        if not unsent.execute():
            Meme.update(state="ready").where(Meme.id == meme.id).execute()
            return "late"
        _refuse(old)
        Approval.update(replaced=Approval.replaced + 1, told_at=now).where(
            Approval.id == approval.id
        ).execute()
    return "replaced"


def _refuse(meme_id: int) -> None:
    Meme.update(state="refused", refusal="not approved by the owner").where(
        Meme.id == meme_id
    ).execute()


def _decide(
    approval: Approval, state: str, now: datetime, states: tuple[str, ...] = ("waiting",)
) -> str:
    return state if move(Approval, approval.id, states, state=state, decided_at=now) else "late"


def approval_counts(
    before: datetime, slots: Container[int] | None = None
) -> dict[str, dict[str, int]]:
    """By arm: asked, dropped, replaced (posts whose meme was), by_default, unseen (decided by
    default and never shown). Of slots before then, and of these slots (ids) when given."""
    rows = (
        Approval.select(Approval, Post)
        .join(Post)
        .where((Post.due_at < before) & (Approval.state != "waiting"))
    )
    names = ("asked", "dropped", "replaced", "by_default", "unseen")
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        if slots is not None and row.post.slot_id not in slots:
            continue
        by_default = row.state.startswith("default")
        arm = counts.setdefault(row.arm, dict.fromkeys(names, 0))
        arm["asked"] += 1
        arm["dropped"] += row.state in DROPPED
        arm["replaced"] += row.replaced > 0 and row.state not in DROPPED
        arm["by_default"] += by_default
        arm["unseen"] += by_default and row.told_at is None
    return counts


def approval_rows(before: datetime, slots: Container[int] | None = None) -> list[dict[str, Any]]:
    """For the report's data quality: what approval removed, by arm. Empty when nothing was asked.

    A removal is a warning: the comparison then is between what passed the owner's eye. So is what
    was decided without it.
    """
    rows = []
    for arm, c in sorted(approval_counts(before, slots).items()):
        removed = c["dropped"] + c["replaced"]
        rows.append(
            {
                "name": {
                    "ru": f"одобрение хозяина, «{arm}»: снято или заменено",
                    "en": f"owner's approval, “{arm}”: dropped or replaced",
                },
                "value": f"{c['dropped']} + {c['replaced']} / {c['asked']}",
                "status": "warn" if removed else "ok",
            }
        )
        if c["unseen"]:
            rows.append(
                {
                    "name": {
                        "ru": f"одобрение хозяина, «{arm}»: решено само, хозяину не показано",
                        "en": f"owner's approval, “{arm}”: decided by default, never shown",
                    },
                    "value": f"{c['unseen']} / {c['asked']}",
                    "status": "warn",
                }
            )
    return rows
