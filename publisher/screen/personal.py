"""Personal data and links in a text."""

from __future__ import annotations

import re
import unicodedata

_EMAIL = re.compile(
    r"[\w.+-]+\s?(?:@|\(at\)|\[at\]|\(собака\)|\[собака\])\s?[\w-]+\s?"
    r"(?:\.|\(dot\)|\[dot\]|\(точка\))\s?[a-zа-я]{2,}",
    re.IGNORECASE,
)
_HANDLE = re.compile(r"(?<![\w.@])@[a-zA-Z]\w{3,}")
_DIGITS = re.compile(r"(?<![\w.,/])\+?\(?\d(?:[\s\-().\u2010-\u2015]{0,2}\d){9,18}(?![\w/])")
_CARD = re.compile(r"\d{4}([ -]\d{4}){3}")
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .,]\d{3})+$")
_PAPERS = re.compile(
    r"паспорт\D{0,20}\d{2}\s?\d{2}\s?(?:№\s?)?\d{6}|passport\D{0,20}\d{7,9}"
    r"|\d{3}-\d{3}-\d{3}[ -]\d{2}(?!\d)|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)|снилс\D{0,10}\d{6,}"
    r"|инн\D{0,10}\d{10,12}",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?:\b(?:ул|пер|пр-т|пр|наб|б-р|ш)\.|\b[Уу]лиц[аеуы]|\b[Пп]роспект[еу]?|\b[Пп]ереул(?:ок|ке)"
    r"|\b[Бб]ульвар[е]?|\b[Шш]оссе|\b[Нн]абережн(?:ая|ой))"
    r"\s+[А-ЯЁ][\w-]+(?:\s[А-ЯЁ][\w-]+)?,?\s*(?:д(?:ом|\.)?\s*)?\d+"
    r"|\b[А-ЯЁ][\w-]+,?\s+\d+\w?,?\s*(?:кв|квартира)\.?\s*\d+"
    r"|\b(?:д|дом)\.?\s*\d+\w?,?\s*(?:к(?:орп)?\.?\s*\d+,?\s*)?(?:кв|квартира)\.?\s*\d+"
    r"|\b\d{1,5}\s+(?:[NSEW]\.?\s)?[A-Z][a-z]+(?:\s[A-Z][a-z]+)?\s"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Boulevard|Blvd|Drive|Dr|Court|Ct)\b"
)
_TOP_LEVEL = (
    "com|ru|net|org|io|me|рф|su|info|biz|xyz|link|site|online|shop|club|tv|co|uk|de|fr|ua|by|kz"
    "|app|dev|ai|ly|gg|store|top|pro|cc"
)
_LINK = re.compile(
    r"\w+://\S|\bwww\s?\.\s?\w|\bt\s?\.\s?me\s?/|\btg://"
    rf"|(?<![\w@])[a-zа-я0-9][a-zа-я0-9-]*\.(?:{_TOP_LEVEL})(?![\w-]|\.\w)"
    r"|\w\s*[(\[]\s*(?:dot|точка)\s*[)\]]\s*\w"
    r"|\w+ (?:точка (?:ру|ком|рф|нет|орг)|dot (?:com|org|net|io))(?!\w| bubble| boom| crash| era)",
    re.IGNORECASE,
)
_NOT_LINK = frozenset({"asp.net", "vb.net", "socket.io", "github.io", "d.co", "ado.net"})


def find_personal_data(text: str) -> str | None:
    """The first personal datum in `text`: a phone, card or document number, e-mail, address,
    or account name; None when there is none."""
    text = unicodedata.normalize("NFKC", text)
    for pattern in (_EMAIL, _PAPERS, _ADDRESS, _HANDLE):
        if match := pattern.search(text):
            return match.group().strip()
    for match in _DIGITS.finditer(text):
        if _is_number_of_someone(match.group()):
            return match.group().strip()
    return None


def find_link(text: str) -> str | None:
    """The first web address in `text`, plain or spelled out; None when there is none."""
    text = unicodedata.normalize("NFKC", text)
    for match in _LINK.finditer(text):
        if match.group().casefold() not in _NOT_LINK:
            return match.group().strip()
    return None


def _is_number_of_someone(written: str) -> bool:
    """A phone or card number, rather than a quantity."""
    digits = re.sub(r"\D", "", written)
    plus = written.startswith("+")
    if _CARD.fullmatch(written.strip()):
        return True
    if len(digits) >= 13:
        return (plus and len(digits) <= 15) or _luhn(digits)
    if plus or (len(digits) == 11 and digits[0] in "78"):
        return set(digits[1:]) != {"0"}
    if _THOUSANDS.match(written) or len(set(digits)) == 1 or digits.endswith("0000000"):
        return False
    return bool(re.search(r"\D", written)) or digits[0] == "9"


def _luhn(digits: str) -> bool:
    values = [int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(v - 9 if v > 9 else v for v in values) % 10 == 0
