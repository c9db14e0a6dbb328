"""A reply's text as the rules read it: lower case, no markup, one spelling."""

from __future__ import annotations

import html
import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

LONGEST = 4000
SHORT = re.compile(
    r"\b(?:(?:can|won|don|didn|doesn|isn|wasn|aren|couldn|wouldn|haven|hasn)t|(?:that|it)s|"
    r"(?:you|they)re|(?:you|we)ve|ive|im|"
    r"ill(?= (?:put|post|publish|share|run|drop|take|use|add)))\b",
    re.IGNORECASE,
)
"""English words that people write without their apostrophe."""
DOUBLED = re.compile(
    r"\b((?:опубликова|одобре|отклоне|выложе|размеще|отправле|получе|утвержде)н)н([оаы]?)\b",
    re.IGNORECASE,
)
"""«Опубликованно», as many write it."""
UKRAINIAN = re.compile(r"[іїєґ]", re.IGNORECASE)


def normalise(text: str) -> str:
    """Lower case without markup, zero-width characters and doubled spaces; ё as е.

    Common Ukrainian words become Russian ones, where letters show that a text is Ukrainian.
    """
    plain = re.sub(r"<[^<>]{1,200}>", " ", html.unescape(text[:LONGEST]))
    plain = unicodedata.normalize("NFKC", plain).replace("\ufe0f", "")
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf" or c == "\u200d")
    plain = re.sub(r"\bt\.me/\S+", "t.me/", plain)
    plain = plain.replace("’", "'").replace("`", "'").replace("*", "")
    plain = re.sub(r"(?<!\w)_+|_+(?!\w)", " ", plain)
    plain = DOUBLED.sub(r"\1\2", SHORT.sub(_in_full, plain))
    lines = [re.sub(r"\s+", " ", line).strip() for line in plain.splitlines()]
    joined = ". ".join(line.rstrip(".") for line in lines if line)
    return _respelled(joined.casefold()).replace("ё", "е")


def _in_full(short: re.Match[str]) -> str:
    word = short[0]
    ending = next(e for e in ("t", "s", "re", "ve", "m", "ll") if word.lower().endswith(e))
    return f"{word[: -len(ending)]}'{word[-len(ending) :]}"


def _respelled(plain: str) -> str:
    words = _words()
    known = words["slang"] | (words["ukrainian"] if UKRAINIAN.search(plain) else {})
    return re.sub(r"[\w']+", lambda word: known.get(word[0], word[0]), plain)


@cache
def _words() -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "plain.toml").read_text(encoding="utf-8"))
