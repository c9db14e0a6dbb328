"""What was said in a partner's inbox, as rows of replies: what it means and what is to be done."""

from __future__ import annotations

import re
from typing import Any

from jobs.services import Services
from publisher.ledger.models import Partner, Reply, Suggestion
from publisher.partners.conversations import Action, Choice, choose_action
from publisher.partners.plain import normalise
from publisher.partners.replies import Meaning, Own, Reading, has_words, read_replies, read_rules
from publisher.settings.model import PartnerSettings
from publisher.telegram.suggesting import Heard

EVENTS: dict[str, tuple[Meaning, str]] = {
    "approved": ("accepted", "the channel approved the suggested post"),
    "declined": ("rejected", "the channel declined the suggested post"),
    "balance_too_low": ("precondition", "approved, but our balance of stars is too low"),
    "paid_out": ("published", "the suggested post stood its time and was paid out"),
    "refunded": ("rejected", "the suggested post was taken down and refunded"),
    "counter_offer": ("unknown", "the channel suggests other terms"),
}
TO_DO = ("press", "say", "join", "offer_again")
SEND = re.compile(
    r"\b(пришли(те)?|прислать|присыла\w+|отправ(ь|ьте|ить|ля\w+)|кида(й|йте|ть)|скин(ь|ьте|уть)|"
    r"шли(те)?|жд(ем|у)|повтори(те|ть)?|еще раз|снова|заново)\b|"
    r"\b(send|resend|submit|drop|share|upload|try|again)\b"
)
UNSETTLED = ("", "confirm", "greeting", "unknown", "precondition", "unsupported")


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
    plan = plan_of(action, heard)
    about = subject(partner, heard, reading.meaning, waiting)
    if reading.meaning in ("greeting", "unknown") and SEND.search(normalise(heard.text)):
        let_in = behind_wall(partner, heard, waiting)
        if let_in:
            about = next((s for s in let_in if not sent_again(partner, s)), let_in[-1])
            plan |= {"do": "offer_again", "because": "asked to send it after the condition was met"}
    return {
        "suggestion": about,
        "message_id": heard.message_id,
        "edited_at": heard.edited_at,
        "at": heard.edited_at or heard.at,
        "text": kept_words(partner, heard),
        "meaning": reading.meaning,
        "because": f"{reading.because} ({reading.score:.2f})",
        "action": plan,
        "action_state": "due" if plan["do"] in TO_DO else "",
    }


def behind_wall(partner: Partner, heard: Heard, waiting: list[Suggestion]) -> list[Suggestion]:
    """Offers that met a condition, which we fulfilled since, and that got no further."""
    joined = {
        reply.suggestion_id
        for reply in Reply.select().where(
            (Reply.partner == partner)
            & (Reply.meaning == "precondition")
            & Reply.action_state.in_(("doing", "pressed", "done"))
        )
        if reply.action["do"] == "join"
    }
    return [
        s
        for s in waiting
        if s.id in joined and s.meaning in UNSETTLED and (s.message_id or 0) < heard.message_id
    ]


def sent_again(partner: Partner, row: Suggestion | None = None) -> list[Reply]:
    """Replies after which an offer, or that one, was sent once more, a condition being met."""
    done = (Reply.partner == partner) & (Reply.action_state == "done")
    about = Reply.suggestion == row if row else Reply.suggestion.is_null(False)
    return [reply for reply in Reply.select().where(done & about) if sends_again(reply.action)]


def sends_again(plan: dict[str, Any]) -> bool:
    """Asked to by the partner, or behind a wall that has no button to pass it by."""
    return plan["do"] == "offer_again" or (plan["do"] == "join" and "button" not in plan)


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
