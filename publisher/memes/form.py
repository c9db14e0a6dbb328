"""What can be counted in a caption without knowing what it says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_FIRST = {"i", "me", "my", "i'm", "we", "я", "мы", "мне", "меня", "мой", "моя", "мои", "моё", "у"}
_SECOND = {"you", "your", "ты", "вы", "тебе", "твой", "твоя", "вам", "ваш"}
_WHEN = {"when", "когда", "if", "если"}
_BEG = {"upvote", "upvotes", "vote", "like", "likes", "meme", "memes", "лайк", "мем", "мемы"}
# A text that ends with one of these was broken off.
_HANGING = frozenset(
    re.findall(
        r"\w+",
        "и а но или что чтобы как если когда в во на с со к ко по за из у о об от до для без при"
        " над под не ни the a an and or but to of in on at for with by from that if when your my",
    )
)
_OPENERS = {"(": ")", "«": "»", "„": "“", "[": "]"}

NAMES = (
    "characters",
    "log characters",
    "words",
    "boxes",
    "letters a word",
    "longest box",
    "shortest box",
    "share of the last box",
    "exclamation marks",
    "question marks",
    "commas",
    "full stops",
    "ellipses",
    "apostrophes",
    "quotes",
    "colons",
    "digits",
    "capitals",
    "different words",
    "long words",
    "first person",
    "second person",
    "when or if",
    "asks for votes",
    "other symbols",
    "faults",
)


def features(texts: Sequence[str]) -> np.ndarray:
    """The numbers of `NAMES` for one caption, shape (len(NAMES),) float64."""
    whole = " ".join(texts)
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", whole.casefold())
    length, count = max(len(whole), 1), max(len(words), 1)
    lengths = [len(text) for text in texts] or [0]
    own = set(words)
    return np.array(
        [
            len(whole),
            np.log1p(len(whole)),
            len(words),
            len(texts),
            sum(map(len, words)) / count,
            max(lengths),
            min(lengths),
            lengths[-1] / length,
            whole.count("!"),
            whole.count("?"),
            whole.count(","),
            whole.count("."),
            whole.count("...") + whole.count("…"),
            whole.count("'") + whole.count("’"),
            sum(whole.count(mark) for mark in '"«»“”'),
            whole.count(":"),
            sum(map(str.isdigit, whole)),
            sum(map(str.isupper, whole)) / length,
            len(own) / count,
            sum(len(word) >= 8 for word in words) / count,
            bool(own & _FIRST),
            bool(own & _SECOND),
            bool(own & _WHEN),
            bool(own & _BEG),
            sum(not (c.isalnum() or c.isspace() or c in ".,!?:;'\"-") for c in whole),
            len(faults(texts)),
        ],
        dtype=np.float64,
    )


def faults(texts: Sequence[str]) -> list[str]:
    """What is outwardly wrong with a caption, in words; empty when nothing is."""
    found = []
    for number, text in enumerate(texts, 1):
        words = re.findall(r"\w+", text.casefold())
        if not words:
            found.append(f"text {number} has no words")
            continue
        if words[-1] in _HANGING and text.rstrip()[-1].isalpha():
            found.append(f"text {number} breaks off at “{words[-1]}”")
        if any(a == b and len(a) > 2 for a, b in pairwise(words)):
            found.append(f"text {number} says a word twice running")
        if any(text.count(a) != text.count(b) for a, b in _OPENERS.items()):
            found.append(f"text {number} has an unclosed bracket or quote")
        if re.search(r"[.,!?]{4,}|[,;:]\s*$", text):
            found.append(f"text {number} has stray punctuation")
        if re.search(r"[а-яё][a-z]|[a-z][а-яё]", text.casefold()):
            found.append(f"text {number} mixes alphabets in a word")
    folded = [re.sub(r"\W+", "", text.casefold()) for text in texts]
    if len(set(folded)) < len(folded):
        found.append("two texts are the same")
    return found
