"""The only ways a wish changes its state.

    waiting ► working ► sending ► answered
       ▲         │         │
       └─────────┘         └────► failed      (the chat is closed to us)
       waiting, working ► refused, expired, failed

`sending` is written, with the meme, before the answer leaves: after a restart the same answer is
sent again under the same random_id, which Telegram takes only once. The random_id follows from
the message that asked, so that a wish lost with the machine's power and asked again has it too;
therefore no commit here waits for the disk, which in a flood would hold up everything else.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from peewee import IntegrityError, fn

from publisher.ledger.database import relaxed
from publisher.ledger.models import Meme, Wish, database
from publisher.ledger.transitions import move

KEPT = timedelta(days=1)
OPEN = ("waiting", "working", "sending")


def random_id_of(*key: object) -> int:
    """The random_id that belongs to a key: the same key never sends twice. Never zero."""
    digest = hashlib.sha256("|".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True) or 1


@relaxed()
def add_wish(key: str, now: datetime, **values: Any) -> Wish | None:
    """A new wish in `waiting`; None when this message or press was seen before."""
    try:
        with database.atomic():
            return Wish.create(
                key=key,
                asked_at=now,
                notice_random_id=random_id_of("notice", key),
                random_id=random_id_of("meme", key),
                **values,
            )
    except IntegrityError:
        return None


@relaxed()
def begin(wish: Wish) -> bool:
    """waiting ► working"""
    return move(Wish, wish.id, ("waiting",), state="working")


@relaxed()
def put_back(wish: Wish) -> bool:
    """working ► waiting: who worked on it is gone."""
    return move(Wish, wish.id, ("working",), state="waiting")


@relaxed()
def begin_sending(wish: Wish, meme: Meme) -> bool:
    """waiting or working ► sending, written before the answer leaves.

    Power lost before it reaches the disk may repeat the answer: under the random_id that follows
    from the message that asked, so the person still gets one.
    """
    wish.meme = meme
    return move(Wish, wish.id, ("waiting", "working"), state="sending", meme=meme)


@relaxed()
def answered(wish: Wish, message_id: int | None, now: datetime) -> bool:
    """sending ► answered; None when the server has it and does not say under which id."""
    return move(
        Wish,
        wish.id,
        ("sending",),
        state="answered",
        message_id=message_id,
        answered_at=now,
        topic="",
    )


@relaxed()
def ended(wish: Wish, state: str, reason: str, now: datetime) -> bool:
    """An open wish ► refused, expired or failed, with the reason."""
    return move(Wish, wish.id, OPEN, state=state, error=reason[:300], answered_at=now, topic="")


@relaxed()
def noticed(wish: Wish, message_id: int) -> None:
    """Remember the message that is edited as the work goes on."""
    wish.notice_id = message_id
    Wish.update(notice_id=message_id).where(Wish.id == wish.id).execute()


def open_wishes() -> list[Wish]:
    """Wishes without an answer, oldest first."""
    return list(Wish.select().where(Wish.state.in_(OPEN)).order_by(Wish.asked_at, Wish.id))


@relaxed()
def forget(now: datetime) -> int:
    """Delete wishes of more than a day ago: no limit needs them any more."""
    return Wish.delete().where(Wish.asked_at < now - KEPT).execute()


def asked_since(person: int, since: datetime) -> int:
    return Wish.select().where((Wish.person == person) & (Wish.asked_at >= since)).count()


def loudest(since: datetime, count: int) -> list[tuple[int, int]]:
    """(person, wishes) of those who asked most."""
    number = fn.COUNT(Wish.id)
    rows = (
        Wish.select(Wish.person, number)
        .where(Wish.asked_at >= since)
        .group_by(Wish.person)
        .order_by(number.desc(), Wish.person)
        .limit(count)
    )
    found: list[tuple[int, int]] = list(rows.tuples())  # type: ignore[arg-type]
    return found


def seen_memes(person: int) -> set[int]:
    """Memes this person was sent, as long as their wishes are kept."""
    rows = Wish.select(Wish.meme).where((Wish.person == person) & Wish.meme.is_null(False))
    return {wish.meme_id for wish in rows if wish.meme_id}
