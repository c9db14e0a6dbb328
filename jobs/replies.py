"""Read what partners answer, write down what it means, and do what the conversation asks."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger import suggestions as ledger
from publisher.ledger.alerts import raise_alert
from publisher.ledger.models import Partner, Peer, Reply, Suggestion
from publisher.ledger.restored import RESTORED
from publisher.partners.conversations import Action, Choice, choose_action
from publisher.partners.replies import Meaning, Own, Reading, has_words, read_replies, read_rules
from publisher.settings.model import PartnerSettings
from publisher.telegram.peers import find_peer
from publisher.telegram.suggesting import Heard, NoInbox, find_inbox, join, listen, press, say_to

log = logging.getLogger(__name__)

TRIES = 3
SAME_STEP, STEPS = 2, 8
SOON, LATER, SELDOM = timedelta(0), timedelta(hours=1), timedelta(hours=6)
DAY = timedelta(days=1)
EVENTS: dict[str, tuple[Meaning, str]] = {
    "approved": ("accepted", "the channel approved the suggested post"),
    "declined": ("rejected", "the channel declined the suggested post"),
    "balance_too_low": ("precondition", "approved, but our balance of stars is too low"),
    "paid_out": ("published", "the suggested post stood its time and was paid out"),
    "refunded": ("rejected", "the suggested post was taken down and refunded"),
    "counter_offer": ("unknown", "the channel suggests other terms"),
}


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


def known(partner: Partner, heard: Heard) -> bool:
    """Read before: the same words, and no buttons but those it had then."""
    shown = labels_of(heard)
    return any(
        not shown or row.action.get("buttons", shown) == shown
        for row in Reply.select().where(
            (Reply.partner == partner)
            & (Reply.message_id == heard.message_id)
            & Reply.text.in_((words_of(heard), f"{words_of(heard)}\n{shown}"))
        )
    )


def words_of(heard: Heard) -> str:
    """What is kept of it; an event without words is kept by its name, a picture by its buttons."""
    return heard.text or (f"[{heard.event}]" if heard.event else labels_of(heard))


def labels_of(heard: Heard) -> str:
    return " ".join(f"[{b.text}]" for b in heard.buttons)


def kept_words(partner: Partner, heard: Heard) -> str:
    """`words_of`, told from what was kept of the message when it had other buttons."""
    words = words_of(heard)
    before = Reply.select().where(
        (Reply.partner == partner) & (Reply.message_id == heard.message_id) & (Reply.text == words)
    )
    return f"{words}\n{labels_of(heard)}" if heard.buttons and before.exists() else words


async def read_all(
    services: Services, settings: PartnerSettings, heard: list[Heard]
) -> list[Reading]:
    """Events mean what they are; words go by rules, and what is left to the embedding."""
    own = [Own(r.pattern, r.meaning) for r in settings.replies]
    readings = [
        Reading(*EVENTS[one.event], 1.0) if one.event else read_rules(one.text, own)
        for one in heard
    ]
    open_ones = [
        i
        for i, r in enumerate(readings)
        if r.score == 0 and not heard[i].event and has_words(heard[i].text)
    ]
    if open_ones:
        model = services.settings.topics.embedding
        path = str(services.settings.path(model)) if model else None
        texts = [heard[i].text for i in open_ones]
        found = await services.workers.run(read_replies, texts, path)
        for index, reading in zip(open_ones, found, strict=True):
            readings[index] = reading
    return readings


def row_for(
    partner: Partner,
    settings: PartnerSettings,
    heard: Heard,
    reading: Reading,
    waiting: list[Suggestion],
) -> dict[str, Any]:
    """A reply's row, with what is to be done about it."""
    buttons = [Choice(b.text, bool(b.url), b.url) for b in heard.buttons]
    action = choose_action(
        reading.meaning,
        heard.text,
        buttons,
        language=settings.language,
        signed=settings.signed,
        partner=partner.handle,
        may_join=settings.join,
    )
    about = subject(partner, heard, reading.meaning, waiting)
    return {
        "suggestion": about,
        "message_id": heard.message_id,
        "edited_at": heard.edited_at,
        "at": heard.edited_at or heard.at,
        "text": kept_words(partner, heard),
        "meaning": reading.meaning,
        "because": f"{reading.because} ({reading.score:.2f})",
        "action": plan_of(action, heard),
        "action_state": "due" if action.do in ("press", "say", "join") else "",
    }


def plan_of(action: Action, heard: Heard) -> dict[str, Any]:
    plan: dict[str, Any] = {"do": action.do, "because": action.because}
    plan["buttons"] = labels_of(heard)
    if action.button >= 0:
        button = heard.buttons[action.button]
        plan["button"] = button.text
        plan["data"] = button.data.hex() if button.data is not None else None
    if action.text:
        plan["text"] = action.text
    if action.wait:
        plan["wait_seconds"] = int(action.wait.total_seconds())
    return plan


def subject(
    partner: Partner, heard: Heard, meaning: Meaning, waiting: list[Suggestion]
) -> Suggestion | None:
    """Which offer is spoken of: the one replied to, be it settled long ago; else the last one
    sent before it was said.

    A verdict without a sign of which it is, while several offers wait for one, is nobody's.
    """
    if heard.reply_to is not None:
        direct = Suggestion.get_or_none(
            (Suggestion.partner == partner)
            & (Suggestion.state == "sent")
            & (Suggestion.message_id == heard.reply_to)
        )
        if direct is not None:
            return direct
    before = [
        s for s in waiting if s.sent_at <= heard.at and (s.message_id or 0) < heard.message_id
    ]
    if not before or (meaning in ("accepted", "published", "rejected") and len(before) > 1):
        return None
    return before[-1]


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
    """Press, say or join what a reply asks for.

    A press that may or may not have reached the bot is repeated at most twice: bots take a second
    press of a button for the first; words are said with a steady random_id, so never twice.
    """
    if reply.action_state == "doing":
        ledger.end_action(reply, "due")
    if reply.tries >= TRIES or in_circles(reply, now):
        told = failed_before(reply, now)
        Reply.update(action_state="failed").where(Reply.id == reply.id).execute()
        if not told:
            ask_owner(partner, reply, now)
        return
    if not ledger.begin_action(reply, now):
        return
    plan, done = reply.action, False
    try:
        inbox = await inbox_of(services, settings, now)
        if plan["do"] == "join":
            await join(services.account, await find_peer(services.account, partner.handle, now))
        if plan["do"] == "say":
            await say_to(services.account, inbox, plan["text"], f"reply|{reply.id}")
        if "button" in plan:
            await press_button(services, partner, settings, reply, inbox, now)
        done = True
    finally:
        ledger.end_action(reply, "done" if done else "due")
    if plan["do"] == "join" and reply.suggestion is not None and "button" not in plan:
        ledger.offer_again(reply.suggestion, now, "joined the partner's channel as asked")


def in_circles(reply: Reply, now: datetime) -> bool:
    """The conversation leads nowhere: the same question again, or too many in all."""
    taken = [r for r in about_the_same(reply, now) if r.action_state == "done"]
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


async def press_button(
    services: Services,
    partner: Partner,
    settings: PartnerSettings,
    reply: Reply,
    inbox: Peer,
    now: datetime,
) -> None:
    """Press the planned button; the words that pop up in answer are a reply too."""
    plan = reply.action
    if plan["data"] is None:
        await say_to(services.account, inbox, plan["button"], f"reply|{reply.id}")
        return
    shown = await press(services.account, inbox, reply.message_id, bytes.fromhex(plan["data"]))
    if not shown:
        return
    heard = Heard(reply.message_id, now, now, shown, None)
    (reading,) = await read_all(services, settings, [heard])
    row = row_for(partner, settings, heard, reading, []) | {"suggestion": reply.suggestion}
    for kept in ledger.keep_replies(partner, [row], partner.inbox_message_id, now):
        take_to_heart(partner, settings, kept, now)
