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
from publisher.sentences import phrase

Do = Literal["nothing", "press", "say", "join", "wait", "stop", "ask_owner"]


@dataclass(frozen=True)
class Choice:
    """A button as it is read: its words, and whether pressing it leads out of the conversation."""

    text: str
    leads_away: bool = False
    url: str = ""


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
NOT_ANONYMOUS = re.compile(r"\bне (анон|инког)|\bnot (be )?anon|n't (hide|be anon)|not hide")
NEGATED = re.compile(r"\bне\b|n't\b|\b(not|never)\b")
FORWARD = re.compile(
    r"\b(отправ(ит|ля|к)|опублик|публиков|предложить|предлагаем|размест|publish|send|submit\b|post\b)"
)
PRICE = re.compile(
    r"\b(оплат|заплат|плат(ить|н)|стоит \d|стоимост|цена\b|донат|купить|премиум|"
    r"pay|paid\b|buy\b|purchas|donat|premium|price|costs?\b)|"
    r"\d ?(⭐|звезд|руб|р\b|₽|\$|€|stars?\b|usd\b|xtr\b)|[$€] ?\d"
)
UNDO = re.compile(
    r"\b(удал|отмен|отозв|отзыв|стереть|сотр|снять|сброс|очист|заново|прекрат|отказ|"
    r"delet|remov|cancel|withdraw|discard|clear|reset|start over)"
)
OTHER = re.compile(
    r"\b(подписаться|подписк|подпишусь|отпис|рассылк|новост|уведомлен|возраст|18\b|"
    r"subscri|unsubscri|follow|newsletter|news\b|notif)"
)
ASTRAY = re.compile(
    rf"{OTHER.pattern}|💳|💰|💎|💵|⭐|\b(без|вне) очереди|"
    r"\b((поддерж|жалоб|правил|предпросмотр)\w*|срочно|позже|потом|еще|друг(ой|ое|ую|у)|"
    r"нов(ый|ое|ую)|"
    r"later|another|again|more|new|skip|priority|support|complain|preview|rules)\b"
)
"""Labels that may hold a yes and do something else than to go on with this offer."""
ASKS_NAME = re.compile(
    r"(указ|подпис|показ|упом|добав)\w*[^.!?]{0,25}(автор|имя\b|ник\b|подпись|\bвас\b|\bтебя\b)|"
    r"\bcredit|mention you|your (name|nick\w*|username)"
)
"""A question that is answered with yes by those who want their name shown."""
EITHER = re.compile(
    r"\b(?:как (?!автор)|(?:или|либо|выбери(?:те)?|how|or|choose|select)\b)|(?<!да)/"
)
LINK = re.compile(r"(?:t\.me/|domain=)(\+|[A-Za-z][A-Za-z0-9_]{3,31})")
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
        return Action("stop", because=phrase("the partner closed its box to us"))
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
    """Press what goes on with the offer; with the wish for a signature where it is asked.

    Never what costs money, takes the offer back, subscribes to something or does yet another
    thing, and no plain yes to a question of these: then the owner is asked.
    """
    asked, question = normalise(text), question_in(text)
    wanted = "signed" if signed else "anonymous"
    inside = [(i, normalise(b.text)) for i, b in enumerate(buttons) if not b.leads_away]
    if PRICE.search(question):
        return Action("ask_owner", because="it is asked for money")
    safe = [
        (i, t) for i, t in inside if not (ASTRAY.search(t) or PRICE.search(t) or UNDO.search(t))
    ]
    for index, label in safe:
        if authorship(label) == wanted:
            return Action("press", button=index, because="the authorship as configured")
    safe = [(i, t) for i, t in safe if not (authorship(t) or refuses(t))]
    aside = of_another_matter(question)
    named = name_asked(question)
    plain = not any(authorship(label) for _, label in inside)
    if not aside and plain and named not in ("", wanted):
        return _no_name(question, named, inside, language)
    for index, label in safe:
        if YES.search(label) and (not aside or FORWARD.search(label)):
            return Action("press", button=index, because="confirms the offer")
    if aside:
        return Action("ask_owner", because="a yes to another matter")
    refusals = sum(refuses(label) for _, label in inside)
    if (len(inside), len(safe), refusals) == (2, 1, 1):
        return Action("press", button=safe[0][0], because="the only button that is no refusal")
    if inside:
        return Action("ask_owner", because="none of the buttons is plain")
    either = EITHER.search(question) and ANONYMOUS.search(question)
    if either or (ANONYMOUS.search(asked) and SIGNED.search(asked)):
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


def _no_name(question: str, named: str, inside: Sequence[tuple[int, str]], language: str) -> Action:
    """A question of yes or no about the name, and a yes is not as configured.

    A no is safe where nothing but the name is asked for: «Указать вас автором?»
    """
    because = "the authorship as configured"
    if named == "signed" and not FORWARD.search(question):
        no = [i for i, label in inside if re.search(r"\b(нет|no|nope)\b", label)]
        if len(no) == 1:
            return Action("press", button=no[0], because=because)
        if not inside:
            return Action("say", text={"ru": "Нет", "en": "No"}[language], because=because)
    return Action("ask_owner", because="a yes is not the authorship as configured")


def question_in(text: str) -> str:
    """What is asked: sentences with a question mark, else those that ask to confirm, else all.

    A question of a word or three («Продолжить?») is of what was said before it.
    """
    plain = normalise(text)
    sentences = re.findall(r"[^.!?]+[.!?]*", plain)
    asked = [s for s in sentences if "?" in s]
    asked = asked or [s for s in sentences if re.search(r"подтверд|уверен|confirm|sure", s)]
    question = "".join(asked)
    if len(re.findall(r"\w+", question)) > 3:
        return question
    return plain[: plain.rfind(asked[-1]) + len(asked[-1])] if asked else plain


def of_another_matter(question: str) -> bool:
    """It is asked to take the offer back, to subscribe or how old one is, before anything else."""
    forward = FORWARD.search(question)
    before = question[: forward.start()] if forward else question
    return bool(UNDO.search(before) or OTHER.search(before))


def name_asked(question: str) -> str:
    """What a yes to the question would be: `anonymous`, `signed`, or neither."""
    if EITHER.search(question) or (ANONYMOUS.search(question) and SIGNED.search(question)):
        return ""
    asked = ASKS_NAME.search(question) and not ANONYMOUS.search(question)
    return "signed" if asked else authorship(question)


def authorship(words: str) -> str:
    """`anonymous`, `signed`, or nothing."""
    if NOT_ANONYMOUS.search(words):
        return "signed"
    named = SIGNED.search(words)
    if ANONYMOUS.search(words) or (named and NEGATED.search(words)):
        return "anonymous"
    return "signed" if named else ""


def refuses(label: str) -> bool:
    return bool(NO.search(label) or NEGATED.search(label))


def _precondition(text: str, buttons: Sequence[Choice], partner: str, may_join: bool) -> Action:
    """Join the partner's own channel and no other; sponsors' channels are the owner's affair."""
    told = " ".join([text, *(b.url for b in buttons)])
    named = {h.lower() for h in re.findall(r"@([A-Za-z][A-Za-z0-9_]{3,31})", told)}
    named |= {h.lower() for h in LINK.findall(told)}
    strangers = named - {partner.lower()}
    away = [b for b in buttons if b.leads_away]
    asks_to_join = re.search(r"подпи[сш]|вступ|subscrib|join|member|follow", normalise(text))
    if not may_join or strangers or not asks_to_join or len(away) > 1:
        return Action("ask_owner", because="a condition that only the owner can meet")
    labels = [(i, normalise(b.text)) for i, b in enumerate(buttons) if not b.leads_away]
    check = next((i for i, t in labels if CHECK.search(t) and not PRICE.search(t)), -1)
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
        found = [
            min(int(m[1][:6]) * unit, LONGEST)
            for pattern, unit in UNITS
            for m in pattern.finditer(part)
        ]
        total = sum(found, timedelta(0))
        if found and total > timedelta(0):
            return min(total, LONGEST)
    return next((time for pattern, time in WORDS if pattern.search(asked)), None)
