"""What a message wants: pure reading of its text."""

from __future__ import annotations

import re
from dataclasses import dataclass

COMMAND = re.compile(r"^/([a-z_]{1,32})(?:@(\w+))?(?:\s+|$)(.*)", re.IGNORECASE | re.DOTALL)


SMALL_TALK = {
    "start": "привет|здравствуй(те)?|добрый (день|вечер)|доброе утро|hi|hello|hey|good morning",
    "help": "помощь|помоги(те)?|что (ты )?умеешь|что делать|как (это )?работает|help( me)?"
    "|what can you do|how does (it|this) work",
    "thanks": "(большое )?спасибо( большое)?|благодарю|спс|thanks?( you)?( so much)?|thx",
}


@dataclass(frozen=True)
class Said:
    """`command` is empty for plain text; `rest` is what follows."""

    command: str
    rest: str


def read_message(text: str, username: str, *, private: bool, to_us: bool) -> Said | None:
    """What is said to the bot `username`; None for what is not said to it.

    In a group only commands, a mention of the bot, or an answer to it (`to_us`) count, and a
    command with another bot's name never does.
    """
    text = text.strip()
    command = COMMAND.match(text)
    if command:
        name, whom, rest = command.groups()
        if whom and whom.lower() != username.lower():
            return None
        return Said(name.lower(), rest.strip())
    mention = re.compile(rf"@{re.escape(username)}\b", re.IGNORECASE)
    if not private and not to_us and not mention.search(text):
        return None
    topic = " ".join(mention.sub(" ", text).split())
    return Said(small_talk(topic), topic)


def small_talk(text: str) -> str:
    """The command that a greeting, a thank-you or a question about the bot stands for; a meme
    about one is asked for by /meme."""
    words = " ".join(re.findall(r"\w+", text.lower()))
    return next((name for name, said in SMALL_TALK.items() if re.fullmatch(said, words)), "")


def language_of(code: str | None, text: str, default: str) -> str:
    """The person's language, from their app's; from their letters when it does not tell."""
    if code:
        return "ru" if code.split("-")[0].lower() in ("ru", "be", "kk", "uk") else "en"
    if re.search(r"[а-яё]", text, re.IGNORECASE):
        return "ru"
    return "en" if re.search(r"[a-z]", re.sub(r"[/@]\w+", "", text), re.IGNORECASE) else default
