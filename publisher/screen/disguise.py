"""Undoing disguises: one written word → the words it may stand for.

Undone are compatibility characters (full width, circled, mathematical), invisible and combining
characters, look-alike letters of the Latin, Cyrillic and Greek alphabets, small capitals, digits
and signs for letters, letters spelled apart, punctuation and spaces inside a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from publisher.screen.words import fold

_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰғɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "abcdeffghijklmnoprstuvwyz", strict=True))
_EMOJI_LETTERS = {
    chr(first + i): chr(ord("a") + i) for first in (0x1F150, 0x1F170, 0x1F1E6) for i in range(26)
}
_GREEK = dict(zip("αβεικνορτυχημπσςωγδλ", "abeikvoptuxnmпccwydл", strict=True))
_RARE = dict(zip("ѕјһӏүұӽӿҳԁԛԝєґїіөғ", "sjhlyyxxxdqwегiiof", strict=True))
_PLAIN = str.maketrans(_SMALL_CAPITALS | _EMOJI_LETTERS | _GREEK | _RARE)

_TO_CYRILLIC = str.maketrans(
    "abcehkmoptxyuinrjvgdlszfw0346891@$!|",
    "авсенкмортхуиипгйвгдлсзфшозчбвяиасии",
)
_DIGITS_AS_VOWELS = str.maketrans("34", "еа")
_SEEN_AS_CYRILLIC = str.maketrans("abcehkmoptxy0346", "авсенкмортхуозчб")
_TO_LATIN = str.maketrans(
    "авсенкмортхуигпйзблдфь013456789@$!|+€", "abcehkmoptxyirnjzbldfboieasbtbgasiite"
)
_ALL_SEEN_AS_CYRILLIC = re.compile(r"[abcehkmoptxy0346]+$")
_DIGIT_LETTERS = re.compile(r"(?=.*[^\W\d_])[\w@$!|+€]+$")

_CYRILLIC = re.compile(r"[а-я]")
_LATIN = re.compile(r"[a-z]")
_TOKEN = re.compile(r"[\w@$!|+€*#%&•]+")
_INSIDE = re.compile(r"(?<=[^\W\d_])[\-._·'’`~,/\\\"=:*]{1,3}(?=[^\W\d_])")
_APART = re.compile(r"(?<![\w*])(?:[\w@$][\s\-._·,*/|~]{1,3}){2,}[\w@$](?![\w*])")
_MASK = re.compile(r"[*#%&•@$_]+")
_VOWEL = re.compile(r"[аеиоуыэюяaeiouy]")


def plain(text: str) -> str:
    """`text` case folded, in plain letters, without invisible or combining characters."""
    folded = fold(text.translate(_PLAIN)).translate(_PLAIN)
    decomposed = unicodedata.normalize("NFD", folded.replace("й", "\0"))
    kept = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
    return kept.replace("\0", "й")


def readings(text: str) -> list[list[str]]:
    """The ways to read `text` (already `plain`), each a list of words.

    The first reading is the text as written; later ones join what is spelled apart.
    """
    joined_inside = _INSIDE.sub("", text)
    found = [_TOKEN.findall(version) for version in (text, joined_inside, joined(text))]
    return [found[0], *(words for words in found[1:] if words != found[0])]


def joined(text: str) -> str:
    """`text` with what is spelled apart by single letters put together: «у б и й с т в о»."""
    return _APART.sub(lambda match: re.sub(r"[^\w@$]", "", match.group()), text)


def spellings(token: str) -> Iterator[str]:
    """What the word `token` may stand for: itself, and itself in either alphabet."""
    core = token.strip("!|+€@$*#%&•_")
    yield core
    cyrillic, latin = bool(_CYRILLIC.search(token)), bool(_LATIN.search(token))
    coded = bool(re.search(r"[\d@$!|+€]", token)) and bool(_DIGIT_LETTERS.match(token))
    if cyrillic and (latin or coded):
        yield token.translate(_TO_CYRILLIC)
        if "3" in token or "4" in token:
            yield token.translate(_DIGITS_AS_VOWELS).translate(_TO_CYRILLIC)
    if latin and (cyrillic or coded):
        yield token.translate(_TO_LATIN)
    if latin and not cyrillic and _ALL_SEEN_AS_CYRILLIC.match(token):
        yield token.translate(_SEEN_AS_CYRILLIC)


def masked_pattern(token: str) -> re.Pattern[str] | None:
    """For a word with letters starred out, what the whole word may match; else None."""
    body = token.strip("!+|€")
    letters = re.sub(r"[*#%&•@$_]", "", body)
    holes = len(body) - len(letters)
    if not holes or not letters.isalpha() or not body[0].isalpha():
        return None
    if len(letters) < 2 and holes < 2:
        return None
    pattern = "".join(
        rf"\w{{1,{len(part) + 2}}}" if _MASK.fullmatch(part) else re.escape(part)
        for part in re.split(r"([*#%&•@$_]+)", body)
        if part
    )
    return re.compile(pattern)


def split_pairs(words: list[str]) -> Iterator[str]:
    """Neighbours that one word may have been split into: one of the two has no vowel, or is
    the first half of at most three letters followed by at most three."""
    for first, second in pairwise(words):
        if not (first.isalpha() and second.isalpha()):
            continue
        no_vowel = any(len(part) > 1 and not _VOWEL.search(part) for part in (first, second))
        if no_vowel or (len(first) <= 3 and len(second) <= 2 and len(first) > 1 < len(second)):
            yield first + second
