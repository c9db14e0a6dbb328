"""The only ways a suggestion, and a partner, change their state.

    planned ► claimed ► sending ► sent            the way there, as a post's
       ▲ │        │         │       │
       │ └────────┴──► failed       │             nothing was sent, nothing will be
       ├────────────────────┘       │             the server said no; nothing was sent
       └────────────────────────────┘             the partner's limit: the same offer, later

A sent suggestion's `outcome` is apart from it:

    pending ► published | approved_unpublished | rejected | censored

`published` is written by the watch alone, for what was seen in the partner's channel, and is the
last word whatever was said before. A partner's words never make it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Meme, Partner, Reply, Sighting, Suggestion, database
from publisher.ledger.restored import PARTNER_WAITS, RESTORED, first_state
from publisher.ledger.transitions import LEASE, move, new_random_id

OPEN = ("planned", "claimed", "sending")
SAID_YES = ("accepted", "published")
TRIES_AT_LIMIT = 3
ANSWERS_FIRST = timedelta(hours=1)


def partner_row(handle: str) -> Partner:
    row, _ = Partner.get_or_create(handle=handle.lower(), defaults={"state": first_state()})
    return row


def plan(
    partner: Partner, meme: Meme, horizon: timedelta, now: datetime, **values: Any
) -> Suggestion | None:
    """A new suggestion, or None when the meme may not go to this partner.

    It may not when this partner had it before, by us or on its own, or when another partner has
    it under consideration. The row is written first and the rules read after, in one
    transaction, so that two processes cannot both pass.
    """
    with database.atomic() as transaction:
        row = Suggestion.create(
            partner=partner, meme=meme, random_id=new_random_id(), created_at=now, **values
        )
        others = taken_memes(partner, now - horizon, Suggestion.id != row.id)
        if meme.id in others:
            transaction.rollback()
            return None
    return row


def recall(
    partner: Partner, meme: Meme, message_id: int, at: datetime, horizon: timedelta, **values: Any
) -> bool:
    """Write down an offer that stands in the partner's inbox and that a restored ledger lost.

    How it was chosen went with the ledger: it is in no comparison. False when the message is
    known, or this partner is known to have had the meme.
    """
    with database.atomic():
        own = list(Suggestion.select().where(Suggestion.partner == partner))
        same = [row for row in own if row.meme_id == meme.id]
        if message_id in {row.message_id for row in own} or "sent" in {row.state for row in same}:
            return False
        known = same[-1] if same else None
        if known is None:
            known = Suggestion.create(
                partner=partner,
                meme=meme,
                arm=meme.origin,
                chosen_by=RESTORED,
                propensity=0.0,
                random_id=new_random_id(),
                created_at=at,
                **values,
            )
        Suggestion.update(state="sending", sending_at=at).where(Suggestion.id == known.id).execute()
        sent(known, message_id, horizon, at)
        shown = (
            Sighting.select()
            .where(
                (Sighting.partner == partner)
                & (Sighting.meme == meme)
                & Sighting.at.between(at, at + horizon)
            )
            .first()
        )
        if shown:
            seen_published(known, shown.message_id, shown.at)
    return True


def recalled(partner: Partner, now: datetime) -> None:
    """All that the partner was sent is known: offers go on once its answers were read too."""
    wait = max(now + ANSWERS_FIRST, partner.backoff_until or now)
    Partner.update(state="ok", reason="", inbox_read_at=None, backoff_until=wait).where(
        (Partner.id == partner.id) & (Partner.state == RESTORED)
    ).execute()


def taken_memes(partner: Partner, since: datetime, extra: Any = True) -> set[int]:
    """Memes that may not be offered to this partner now."""
    at_this_one = Suggestion.partner == partner
    elsewhere = Suggestion.state.in_(OPEN) | (Suggestion.sent_at > since)
    offered = Suggestion.select(Suggestion.meme).where(
        extra & (Suggestion.state != "failed") & (at_this_one | elsewhere)
    )
    shown = Sighting.select(Sighting.meme).where(
        (Sighting.partner == partner) & Sighting.meme.is_null(False)
    )
    return {row.meme_id for query in (offered, shown) for row in query if row.meme_id}


def due(partner: Partner, now: datetime) -> Suggestion | None:
    """The planned suggestion for this partner whose time has come."""
    ready = Suggestion.next_try_at.is_null() | (Suggestion.next_try_at <= now)
    return (
        Suggestion.select(Suggestion, Partner, Meme)
        .join(Partner)
        .switch(Suggestion)
        .join(Meme)
        .where((Suggestion.partner == partner) & (Suggestion.state == "planned") & ready)
        .order_by(Suggestion.id)
        .first()
    )


def has_open(partner: Partner) -> bool:
    return (
        Suggestion.select()
        .where((Suggestion.partner == partner) & Suggestion.state.in_(OPEN))
        .exists()
    )


def claim(row: Suggestion, worker: str, now: datetime) -> bool:
    return move(
        Suggestion, row.id, ("planned",), state="claimed", claimed_by=worker, claimed_at=now
    )


def begin_sending(row: Suggestion, worker: str, now: datetime) -> bool:
    """claimed ► sending, durable before the request leaves."""
    changed = (
        Suggestion.update(state="sending", sending_at=now, attempts=Suggestion.attempts + 1)
        .where(
            (Suggestion.id == row.id)
            & (Suggestion.state == "claimed")
            & (Suggestion.claimed_by == worker)
        )
        .execute()
    )
    return changed == 1


def sent(row: Suggestion, message_id: int, horizon: timedelta, at: datetime) -> bool:
    return move(
        Suggestion,
        row.id,
        ("sending", "failed"),
        state="sent",
        message_id=message_id,
        sent_at=at,
        horizon_at=at + horizon,
        next_try_at=None,
        error="",
        error_kind="",
    )


def not_sent(row: Suggestion, kind: str, error: str, next_try_at: datetime) -> bool:
    """claimed or sending ► planned: it is certain that the server did not take it."""
    return move(
        Suggestion,
        row.id,
        ("claimed", "sending"),
        state="planned",
        claimed_by="",
        claimed_at=None,
        next_try_at=next_try_at,
        error_kind=kind,
        error=error[:500],
    )


def unclear(row: Suggestion, kind: str, error: str, next_try_at: datetime) -> bool:
    """Stay in `sending`: the outcome is unknown; look again at `next_try_at`."""
    return move(
        Suggestion,
        row.id,
        ("sending",),
        next_try_at=next_try_at,
        error_kind=kind,
        error=error[:500],
    )


def failed(row: Suggestion, kind: str, error: str) -> bool:
    return move(Suggestion, row.id, OPEN, state="failed", error_kind=kind, error=error[:500])


def release_stale(now: datetime, worker: str) -> int:
    """claimed ► planned for claims whose worker is certainly gone."""
    gone = _gone(worker) | (Suggestion.claimed_at < now - LEASE)
    return (
        Suggestion.update(state="planned", claimed_by="", claimed_at=None)
        .where((Suggestion.state == "claimed") & gone)
        .execute()
    )


def unclear_ones(now: datetime, worker: str) -> list[Suggestion]:
    """Suggestions in `sending` that nobody is sending at this moment."""
    asleep = Suggestion.next_try_at.is_null() & (
        _gone(worker) | (Suggestion.sending_at < now - LEASE)
    )
    return list(
        Suggestion.select(Suggestion, Partner, Meme)
        .join(Partner)
        .switch(Suggestion)
        .join(Meme)
        .where((Suggestion.state == "sending") & ((Suggestion.next_try_at <= now) | asleep))
        .order_by(Suggestion.sending_at)
    )


def _gone(worker: str) -> Any:
    session = worker.split(":", 1)[0]
    return Suggestion.claimed_by.startswith(session + ":") & (Suggestion.claimed_by != worker)


def offer_again(row: Suggestion, until: datetime, reason: str) -> bool:
    """sent ► planned: the partner's limit kept the meme out; the same offer in the same arm later.

    A new message, so a new random_id. After three such answers the offer ends as censored.
    """
    if row.attempts >= TRIES_AT_LIMIT:
        return settle(row, "censored", reason, until)
    changed = (
        Suggestion.update(
            state="planned",
            random_id=new_random_id(),
            claimed_by="",
            claimed_at=None,
            sending_at=None,
            sent_at=None,
            horizon_at=None,
            message_id=None,
            meaning="",
            next_try_at=until,
            error_kind="limit",
            error=reason[:500],
        )
        .where(
            (Suggestion.id == row.id)
            & (Suggestion.state == "sent")
            & (Suggestion.outcome == "pending")
        )
        .execute()
    )
    return changed == 1


def heard(row: Suggestion, meaning: str) -> None:
    """Keep the furthest thing the partner said: a late receipt does not undo an acceptance."""
    rank = {"": 0, "confirm": 1, "receipt": 2, "accepted": 3, "published": 4, "rejected": 5}
    weaker = [said for said, place in rank.items() if place < rank.get(meaning, 0)]
    others = [said for said in ("greeting", "unknown", "precondition", "unsupported")]
    Suggestion.update(meaning=meaning).where(
        (Suggestion.id == row.id) & Suggestion.meaning.in_(weaker + others)
    ).execute()


def settle(row: Suggestion, outcome: str, reason: str, at: datetime) -> bool:
    """pending ► rejected, approved_unpublished or censored, once."""
    changed = (
        Suggestion.update(outcome=outcome, outcome_reason=reason[:500], outcome_at=at)
        .where((Suggestion.id == row.id) & (Suggestion.outcome == "pending"))
        .execute()
    )
    return changed == 1


def seen_published(row: Suggestion, message_id: int, at: datetime) -> bool:
    """Our meme stands in the partner's channel: the last word, unless it was written already."""
    changed = (
        Suggestion.update(
            outcome="published",
            outcome_reason="",
            outcome_at=at,
            published_message_id=message_id,
        )
        .where((Suggestion.id == row.id) & (Suggestion.outcome != "published"))
        .execute()
    )
    return changed == 1


def close_past_horizon(partner: Partner, now: datetime) -> int:
    """What was not seen within its horizon: approved_unpublished if the partner had said yes,
    else censored. Nobody said no.
    """
    over = (
        (Suggestion.partner == partner)
        & (Suggestion.state == "sent")
        & (Suggestion.outcome == "pending")
        & (Suggestion.horizon_at <= now)
    )
    said_yes = Suggestion.meaning.in_(SAID_YES)
    ends = (("approved_unpublished", said_yes), ("censored", ~said_yes))
    return sum(
        Suggestion.update(outcome=outcome, outcome_reason="not seen in time", outcome_at=now)
        .where(over & which)
        .execute()
        for outcome, which in ends
    )


def awaiting(partner: Partner) -> list[Suggestion]:
    """Sent and still without an outcome, oldest first."""
    return list(
        Suggestion.select(Suggestion, Meme)
        .join(Meme)
        .where(
            (Suggestion.partner == partner)
            & (Suggestion.state == "sent")
            & (Suggestion.outcome == "pending")
        )
        .order_by(Suggestion.sent_at)
    )


def keep_replies(
    partner: Partner, rows: Iterable[dict[str, Any]], cursor: int, at: datetime
) -> list[Reply]:
    """Write what was heard and how far it was read, all or nothing; the rows that were new."""
    new = []
    with database.atomic():
        for values in rows:
            known = Reply.select().where(
                (Reply.partner == partner)
                & (Reply.message_id == values["message_id"])
                & (Reply.text == values["text"])
            )
            if not known.exists():
                new.append(Reply.create(partner=partner, **values))
        Partner.update(
            inbox_message_id=max(cursor, partner.inbox_message_id), inbox_read_at=at
        ).where(Partner.id == partner.id).execute()
    return new


def begin_action(reply: Reply, now: datetime) -> bool:
    """due ► doing, by exactly one worker, durable before anything is done."""
    changed = (
        Reply.update(action_state="doing", action_at=now, tries=Reply.tries + 1)
        .where((Reply.id == reply.id) & (Reply.action_state == "due"))
        .execute()
    )
    return changed == 1


def end_action(reply: Reply, state: str) -> bool:
    """doing ► done, failed, or due again when it is certain that nothing happened."""
    changed = (
        Reply.update(action_state=state)
        .where((Reply.id == reply.id) & (Reply.action_state == "doing"))
        .execute()
    )
    return changed == 1


def due_actions(partner: Partner, now: datetime) -> list[Reply]:
    """Actions not done, those that a dead worker began among them."""
    stale = (Reply.action_state == "doing") & (Reply.action_at < now - LEASE)
    return list(
        Reply.select()
        .where((Reply.partner == partner) & ((Reply.action_state == "due") | stale))
        .order_by(Reply.id)
    )


def back_off(partner: Partner, until: datetime, reason: str) -> None:
    """No offers to this partner before `until`; never shortens a wait."""
    Partner.update(backoff_until=until, reason=reason[:500]).where(
        (Partner.id == partner.id)
        & (Partner.backoff_until.is_null() | (Partner.backoff_until < until))
    ).execute()


def stop_partner(partner: Partner, reason: str, now: datetime) -> None:
    """No more offers until the owner says so; what was planned is dropped."""
    with database.atomic():
        Partner.update(state="stopped", reason=reason[:500]).where(
            Partner.id == partner.id
        ).execute()
        Suggestion.update(state="failed", error_kind="stopped", error=reason[:500]).where(
            (Suggestion.partner == partner) & Suggestion.state.in_(("planned", "claimed"))
        ).execute()
        facts = {"partner": partner.handle, "reason": reason}
        raise_alert(f"partner:{partner.handle}", "partner_stopped", facts, now)


def resume_partner(partner: Partner, now: datetime) -> None:
    """The owner settled it with the partner; what a restored ledger may not know is compared."""
    this, state = Partner.id == partner.id, first_state()
    Partner.update(backoff_until=None).where(this).execute()
    Partner.update(reason="").where(this & (Partner.state == "ok")).execute()
    Partner.update(state=state, reason=PARTNER_WAITS if state == RESTORED else "").where(
        this & (Partner.state == "stopped")
    ).execute()
    cure_alert(f"partner:{partner.handle}", now)
