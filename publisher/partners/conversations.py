"""What is done about a reply: from its meaning, its buttons and who stands behind it to an action.

Nothing here sends: the answer is a plan, which the job writes into the ledger and then carries
out. Where the table has no safe answer the owner is asked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from publisher.partners.replies import Meaning, normalise

Do = Literal["nothing", "press", "say", "join", "wait", "stop", "ask_owner"]


@dataclass(frozen=True)
class Choice:
    """A button as it is read: its words, and whether pressing it leads out of the conversation."""

    text: str
    leads_away: bool = False


@dataclass(frozen=True)
class Action:
    """`button` is an index for press, `text` the words for say, `wait` how long to stay away."""

    do: Do
    button: int = -1
    text: str = ""
    wait: timedelta | None = None
    because: str = ""


YES = re.compile(
    r"\b(да|ок|ага|верно|отправ\w*|подтвержда\w*|подтверд\w*|опубликовать|предложить|"
    r"готово|все верно|соглас\w*|yes|yep|ok|confirm|send|submit|publish|sure|agree|accept)\b"
    r"|✅|👍|☑|✔"
)
NO = re.compile(
    r"\b(нет|не надо|отмен\w*|назад|удалить|измен\w*|заново|помощь|правила|пожалова\w*|no|nope|"
    r"cancel|back|edit|delete|discard|help|rules|report|restart)\b|❌|✖|🚫|⬅|◀"
)
ANONYMOUS = re.compile(
    r"анон|без подписи|без автора|не указ|скрыть|инкогнито|anon|unsigned|without|hide"
)
SIGNED = re.compile(
    r"с подписью|подписа|от (моего|своего) имени|с автор|указать (автор|имя|ник)|с именем|"
    r"показать|публично|signed|with (my )?(name|credit|signature)|credit|as me|show"
)
CHECK = re.compile(r"проверить|подписал|готово|я в деле|check|subscribed|joined|done|i['’]?m in")
OFFER = re.compile(r"предлож|прислать|отправить (мем|пост)|suggest|submit|send (a )?(meme|post)")


def choose_action(
    meaning: Meaning,
    text: str,
    buttons: Sequence[Choice],
    *,
    language: str,
    signed: bool,
    partner: str,
    may_join: bool,
) -> Action:
    """The action for a reply in a partner's inbox. `partner`: the channel's handle without @."""
    wait = waiting_time(text)
    if meaning == "blocked":
        return Action("stop", because="the partner closed its box to us")
    if meaning == "rate_limited":
        return Action("wait", wait=wait or timedelta(hours=24), because="the partner's limit")
    if meaning == "confirm":
        return _confirm(text, buttons, language, signed)
    if meaning == "precondition":
        return _precondition(text, buttons, partner, may_join)
    if meaning in ("unsupported", "unknown"):
        return Action("ask_owner", because=f"{meaning} reply")
    return Action("nothing")


def _confirm(text: str, buttons: Sequence[Choice], language: str, signed: bool) -> Action:
    """Press what goes on with the offer; with the wish for a signature where it is asked."""
    inside = [(i, normalise(b.text)) for i, b in enumerate(buttons) if not b.leads_away]
    wanted, other = (SIGNED, ANONYMOUS) if signed else (ANONYMOUS, SIGNED)
    if any(SIGNED.search(t) for _, t in inside) or any(ANONYMOUS.search(t) for _, t in inside):
        for index, label in inside:
            if wanted.search(label):
                return Action("press", button=index, because="the authorship as configured")
        for index, label in inside:
            if YES.search(label) and not NO.search(label) and not other.search(label):
                return Action("press", button=index, because="goes on with the offer")
    for index, label in inside:
        if YES.search(label) and not NO.search(label):
            return Action("press", button=index, because="confirms the offer")
    left = [i for i, label in inside if not NO.search(label)]
    if len(inside) == 2 and len(left) == 1:
        return Action("press", button=left[0], because="the only button that is no refusal")
    if inside:
        return Action("ask_owner", because="none of the buttons is plain")
    asked = normalise(text)
    if ANONYMOUS.search(asked) and SIGNED.search(asked):
        words = {
            ("ru", True): "С подписью",
            ("ru", False): "Анонимно",
            ("en", True): "Signed",
            ("en", False): "Anonymous",
        }
        return Action("say", text=words[language, signed], because="the authorship as configured")
    if "?" in text or re.search(r"\b(да|yes)\b", asked):
        said = {"ru": "Да", "en": "Yes"}[language]
        return Action("say", text=said, because="confirms the offer in words")
    return Action("ask_owner", because="a confirmation without buttons")


def _precondition(text: str, buttons: Sequence[Choice], partner: str, may_join: bool) -> Action:
    """Join the partner's own channel and no other; sponsors' channels are the owner's affair."""
    named = {h.lower() for h in re.findall(r"@([A-Za-z][A-Za-z0-9_]{3,31})", text)}
    named |= {h.lower() for h in re.findall(r"t\.me/([A-Za-z][A-Za-z0-9_]{3,31})", text)}
    strangers = named - {partner.lower()}
    away = [b for b in buttons if b.leads_away]
    asks_to_join = re.search(r"подпи[сш]|вступ|subscrib|join|member|follow", normalise(text))
    if not may_join or strangers or not asks_to_join or len(away) > 1:
        return Action("ask_owner", because="a condition that only the owner can meet")
    check = next((i for i, b in enumerate(buttons) if CHECK.search(normalise(b.text))), -1)
    return Action("join", button=check, because="the partner's own channel, named in config")


UNITS = (
    (re.compile(r"(\d+)\s*(сек|sec|s\b)"), timedelta(seconds=1)),
    (re.compile(r"(\d+)\s*(мин|min|m\b)"), timedelta(minutes=1)),
    (re.compile(r"(\d+)\s*(час|ч\b|hour|h\b|hr)"), timedelta(hours=1)),
    (re.compile(r"(\d+)\s*(дн|день|дня|сут|day|d\b)"), timedelta(days=1)),
    (re.compile(r"(\d+)\s*(недел|week)"), timedelta(weeks=1)),
)
WORDS = (
    (re.compile(r"через час|in an hour|раз в час|once an hour"), timedelta(hours=1)),
    (re.compile(r"полчаса|half an hour"), timedelta(minutes=30)),
    (re.compile(r"через (день|сутки)|завтра|tomorrow|in a day|сегодня|today"), timedelta(hours=24)),
    (re.compile(r"через неделю|next week|in a week|недел"), timedelta(days=7)),
)
LONGEST = timedelta(days=30)
AFTER = re.compile(r"через|подожд|осталось|повтор|снова|in |wait|again|left|after|next|следующ")


def waiting_time(text: str) -> timedelta | None:
    """How long a limit asks to wait, if it says so; «2 мема в день» is no waiting time."""
    asked = normalise(text)
    if AFTER.search(asked):
        part = asked[AFTER.search(asked).start() :]  # type: ignore[union-attr]
        found = [int(m[1]) * unit for pattern, unit in UNITS for m in pattern.finditer(part)]
        total = sum(found, timedelta(0))
        if found and total > timedelta(0):
            return min(total, LONGEST)
    return next((time for pattern, time in WORDS if pattern.search(asked)), None)
