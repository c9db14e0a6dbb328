"""Read what partners answer, write down what it means, and do what the conversation asks."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta

from jobs.hearing import known, read_all, row_for, sends_again, sent_again
from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger import suggestions as ledger
from publisher.ledger.alerts import raise_alert
from publisher.ledger.models import Partner, Peer, Reply, Suggestion
from publisher.ledger.restored import RESTORED
from publisher.settings.model import PartnerSettings
from publisher.telegram.governor import AccountStopped, NotNow
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import read_history
from publisher.telegram.suggesting import (
    CROWD_DEPTH,
    Heard,
    NoInbox,
    find_inbox,
    hear,
    join,
    listen,
    press,
    say_to,
)

log = logging.getLogger(__name__)

TRIES = 3
SAME_STEP, STEPS = 2, 8
SOON, LATER, SELDOM = timedelta(0), timedelta(hours=1), timedelta(hours=6)
DAY = timedelta(days=1)
PRESS_AGAIN_AFTER = timedelta(minutes=2)
SEEN_WITHIN = timedelta(minutes=30)
"""What a press brings about is seen by then, if ever."""


async def replies(services: Services, now: datetime) -> str:
    """Listen where an answer may be expected, and carry out what is due.

    After a restore not before it is known again what was offered: an answer would be taken for
    one to the offers that the ledger still knows.
    """
    counts: Counter[str] = Counter()
    for settings in services.settings.partners:
        partner = Partner.get_or_none(Partner.handle == settings.handle.lower())
        if partner is None or partner.state == RESTORED:
            continue
        with one_of_many(partner.handle):
            try:
                if is_due(partner, now):
                    counts += await hear_partner(services, partner, settings, now)
                for reply in ledger.due_actions(partner, now):
                    await carry_out(services, partner, settings, reply, now)
                for reply in pressed(partner):
                    await see_effect(services, settings, reply, now)
            except NoInbox as reason:
                ledger.stop_partner(partner, str(reason), now)
    return ", ".join(f"{meaning} {count}" for meaning, count in sorted(counts.items()))


def is_due(partner: Partner, now: datetime) -> bool:
    """Each time for two hours after an offer, hourly for two days, then four times a day.

    Hourly too when no offer waits: a ban or a word to stop may come at any time.
    """
    last = (
        Suggestion.select(Suggestion.sent_at)
        .where(
            (Suggestion.partner == partner)
            & (Suggestion.state == "sent")
            & (Suggestion.outcome == "pending")
        )
        .order_by(Suggestion.sent_at.desc())
        .first()
    )
    if last is None:
        if not partner.inbox_message_id:
            return False
        gap = LATER
    else:
        age = now - last.sent_at
        gap = SOON if age < timedelta(hours=2) else LATER if age < timedelta(days=2) else SELDOM
    return partner.inbox_read_at is None or now - partner.inbox_read_at >= gap


async def inbox_of(services: Services, settings: PartnerSettings, now: datetime) -> Peer:
    if settings.route == "suggested_post":
        return (await find_inbox(services.account, settings, now)).peer
    assert settings.inbox is not None
    return await find_peer(services.account, settings.inbox, now)


async def hear_partner(
    services: Services, partner: Partner, settings: PartnerSettings, now: datetime
) -> Counter[str]:
    waiting = ledger.awaiting(partner)
    inbox = await inbox_of(services, settings, now)
    heard, cursor = await listen(
        services.account,
        inbox,
        after_id=partner.inbox_message_id,
        since_id=read_from(partner, waiting),
        offers=[s.message_id for s in waiting if s.message_id],
    )
    new = [one for one in heard if not known(partner, one)]
    readings = await read_all(services, settings, new)
    rows = [
        row_for(partner, settings, one, reading, waiting)
        for one, reading in zip(new, readings, strict=True)
    ]
    if not waiting:  # nothing of ours hangs on what they ask now
        rows = [row | {"action_state": ""} for row in rows]
    kept = ledger.keep_replies(partner, rows, cursor, now)
    for reply in kept:
        take_to_heart(partner, settings, reply, now)
    return Counter(reply.meaning for reply in kept)


def read_from(partner: Partner, waiting: list[Suggestion]) -> int:
    """The oldest offer that waits, or the first message not read yet, whichever was before.

    What was said in an inbox before the first offer ever is no answer.
    """
    unread = partner.inbox_message_id + 1
    first = min((s.message_id or 0 for s in waiting), default=unread)
    return min(first, unread) if partner.inbox_message_id else first


def take_to_heart(partner: Partner, settings: PartnerSettings, reply: Reply, now: datetime) -> None:
    """What a reply changes in the ledger; what it asks to be done is done afterwards."""
    row = reply.suggestion
    if row is not None:
        ledger.heard(row, reply.meaning)
    plan = reply.action
    if plan["do"] == "stop":
        ledger.stop_partner(partner, reply.text[:200] or plan["because"], now)
    if plan["do"] == "wait":
        until = now + timedelta(seconds=plan["wait_seconds"])
        ledger.back_off(partner, until, reply.text)
        if row is not None:
            ledger.offer_again(row, until, reply.text)
    if plan["do"] == "ask_owner":
        ask_owner(partner, reply, now)
    if (
        reply.meaning == "rejected"
        and row is not None
        and ledger.settle(row, "rejected", reply.text, reply.at)
    ):
        after_rejection(partner, now)


def after_rejection(partner: Partner, now: datetime) -> None:
    """Two refusals in a row: half a day of rest, then a day, two, four, at most a week."""
    last = (
        Suggestion.select(Suggestion.outcome)
        .where((Suggestion.partner == partner) & (Suggestion.outcome != "pending"))
        .order_by(Suggestion.outcome_at.desc(), Suggestion.id.desc())
        .limit(10)
    )
    row = 0
    for suggestion in last:
        if suggestion.outcome != "rejected":
            break
        row += 1
    if row >= 2:
        rest = min(timedelta(hours=12) * 2 ** (row - 2), timedelta(days=7))
        ledger.back_off(partner, now + rest, f"{row} refusals in a row")


def ask_owner(partner: Partner, reply: Reply, now: datetime) -> None:
    facts = {"partner": partner.handle, "text": reply.text[:300], "reply": reply.id}
    raise_alert(f"reply:{partner.handle}:{reply.id}", "partner_unclear", facts, now)


async def carry_out(
    services: Services, partner: Partner, settings: PartnerSettings, reply: Reply, now: datetime
) -> None:
    """Press, say or join what a reply asks for, or let the offer be sent once more.

    A press that may or may not have reached the bot is repeated at most twice, after a while, and
    only while the bot shows no sign of it: some take each press for an offer of its own. Words are
    said with a steady random_id, so never twice. A try that was put off is none.
    """
    if reply.action_state == "doing":
        ledger.end_action(reply, "due")
    if reply.tries and reply.action.get("data"):
        if now - reply.action_at < PRESS_AGAIN_AFTER:
            return
        if await answered(services, settings, reply, now):
            close(reply, "done")
            return
    if reply.tries >= TRIES or in_circles(reply, now):
        told = failed_before(reply, now)
        close(reply, "failed")
        if not told:
            ask_owner(partner, reply, now)
        return
    if not ledger.begin_action(reply, now):
        return
    plan, end, shown = reply.action, "due", ""
    try:
        inbox = await inbox_of(services, settings, now)
        if plan["do"] == "join":
            await join(services.account, await find_peer(services.account, partner.handle, now))
        if plan["do"] == "say":
            await say_to(services.account, inbox, plan["text"], f"reply|{reply.id}")
        if "button" in plan:
            shown = await press_button(services, reply, inbox)
        if sends_again(plan):
            end = send_again(partner, settings, reply, now)
        else:
            end = "pressed" if plan.get("data") and not shown else "done"
    except (NotNow, AccountStopped):
        Reply.update(tries=Reply.tries - 1).where(Reply.id == reply.id).execute()
        raise
    finally:
        ledger.end_action(reply, end)
    if shown:
        await hear_words(services, partner, settings, reply, shown, now)


def close(reply: Reply, state: str) -> None:
    Reply.update(action_state=state).where(Reply.id == reply.id).execute()


def send_again(partner: Partner, settings: PartnerSettings, reply: Reply, now: datetime) -> str:
    """The condition is met: the same offer once more, within the limits; how the action ends.

    A second time the owner is told. What was sent after the reply was said is sent again already.
    """
    row = reply.suggestion
    if row is None or (row.message_id or 0) > reply.message_id:
        return "done"
    if sent_again(partner, row):
        ask_owner(partner, reply, now)
        return "failed"
    gap = timedelta(minutes=settings.gap_minutes)
    ledger.offer_again(row, max(now, (row.sending_at or now) + gap), reply.text)
    return "done"


def in_circles(reply: Reply, now: datetime) -> bool:
    """The conversation leads nowhere: the same question again, or too many in all."""
    taken = [r for r in about_the_same(reply, now) if r.action_state in ("pressed", "done")]
    step = (reply.action.get("button"), reply.action.get("text"))
    same = [r for r in taken if (r.action.get("button"), r.action.get("text")) == step]
    return len(taken) >= STEPS or len([r for r in same if r.text == reply.text]) >= SAME_STEP


def failed_before(reply: Reply, now: datetime) -> bool:
    """The owner was told already that it leads nowhere with this offer."""
    return any(r.action_state == "failed" for r in about_the_same(reply, now))


def about_the_same(reply: Reply, now: datetime) -> list[Reply]:
    """Other replies to the message by which this offer was sent; of a day when it is to none."""
    row = reply.suggestion
    since = Reply.message_id > row.message_id if row and row.message_id else Reply.at > now - DAY
    return list(
        Reply.select().where(
            (Reply.partner == reply.partner_id)
            & (Reply.id != reply.id)
            & (Reply.suggestion == row if row else Reply.suggestion.is_null())
            & since
        )
    )


async def press_button(services: Services, reply: Reply, inbox: Peer) -> str:
    """Press the planned button; the words that pop up in answer.

    How far the inbox was read before the first press is kept: an answer stands after it.
    """
    plan = reply.action
    if plan["data"] is None:
        await say_to(services.account, inbox, plan["button"], f"reply|{reply.id}")
        return ""
    if "read_to" not in plan:
        read_to = Partner.get_by_id(reply.partner_id).inbox_message_id
        Reply.update(action=plan | {"read_to": read_to}).where(Reply.id == reply.id).execute()
    return await press(services.account, inbox, reply.message_id, bytes.fromhex(plan["data"]))


async def hear_words(
    services: Services,
    partner: Partner,
    settings: PartnerSettings,
    reply: Reply,
    shown: str,
    now: datetime,
) -> None:
    """What a press made pop up is a reply too."""
    heard = Heard(reply.message_id, now, now, shown, None)
    (reading,) = await read_all(services, settings, [heard])
    waiting = [reply.suggestion] if reply.suggestion else []
    row = row_for(partner, settings, heard, reading, waiting) | {"suggestion": reply.suggestion}
    for kept in ledger.keep_replies(partner, [row], partner.inbox_message_id, now):
        take_to_heart(partner, settings, kept, now)


def pressed(partner: Partner) -> list[Reply]:
    """Buttons pressed without a word in answer, oldest first."""
    mine = (Reply.partner == partner) & (Reply.action_state == "pressed")
    return list(Reply.select().where(mine).order_by(Reply.id))


async def see_effect(
    services: Services, settings: PartnerSettings, reply: Reply, now: datetime
) -> None:
    """A press is done once something came of it; of one without effect the owner is told once.

    It is not repeated: the bot has it, be it slow or away, and would take it twice.
    """
    late = now - reply.action_at >= SEEN_WITHIN
    if spoken_since(reply) or (late and await answered(services, settings, reply, now)):
        close(reply, "done")
    elif late:
        told = told_of_silence(reply)
        close(reply, "failed")
        if not told:
            ask_owner(reply.partner, reply, now)


def spoken_since(reply: Reply) -> bool:
    """Something was heard of the offer, or of the message, after the press."""
    newer = (Reply.message_id == reply.message_id) & (Reply.id > reply.id)
    of_offer = (Reply.suggestion == reply.suggestion_id) & (
        Reply.message_id > reply.action["read_to"]
    )
    return bool(
        Reply.select().where((Reply.partner == reply.partner_id) & (newer | of_offer)).exists()
    )


def told_of_silence(reply: Reply) -> bool:
    """The owner knows already that this partner's question leads nowhere."""
    same = (Reply.partner == reply.partner_id) & (Reply.text == reply.text)
    return bool(Reply.select().where(same & (Reply.action_state == "failed")).exists())


async def answered(
    services: Services, settings: PartnerSettings, reply: Reply, now: datetime
) -> bool:
    """The bot acted on a press: the message is gone or without that button, or it said more.

    What it said counts when it replies to the message or the offer; else before our next message,
    and in a group not at all.
    """
    inbox, plan = await inbox_of(services, settings, now), reply.action
    seen = await read_history(
        services.account, inbox, after_id=reply.message_id - 1, limit=CROWD_DEPTH
    )
    this = next((s for s in seen if s.message_id == reply.message_id), None)
    shown = hear(this) if this else None
    if shown is None or plan["data"] not in [b.data.hex() for b in shown.buttons if b.data]:
        return True
    about = {reply.message_id, reply.suggestion.message_id if reply.suggestion else None}
    read_to = plan.get("read_to", reply.message_id)
    between_us = inbox.kind != "channel"
    for one in sorted(seen, key=lambda s: s.message_id):
        said = hear(one) if one.message_id > read_to else None
        if one.outgoing and one.message_id > read_to:
            between_us = False
        if said and (said.reply_to in about if said.reply_to else between_us):
            return True
    return False
