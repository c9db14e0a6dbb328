"""Topics as people and feeds send them, made safe to work with: a topic is data, never an order."""

from __future__ import annotations

import re
import unicodedata

from publisher.memes import inflect
from publisher.sentences import words

MAX_TOPIC = 300  # characters; a long headline has about 120
LONGEST_IN_PROMPT = 120
_LATIN_LIKE, _CYRILLIC_LIKE = "ABCEHKMOPTXYaceopxy", "АВСЕНКМОРТХУасеорху"
_MAX_WORD = 45
_ORDER = re.compile(
    r"<\|?[a-z_/]+\|?>|\[/?inst\]|###|```"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:previous|above|prior|all|instructions?|rules|prompts?)\b"
    r"|\b(?:system|developer) prompt\b|\byou are now\b|\bact as\b|\bpretend (?:to be|you are)\b"
    r"|\b(?:игнорируй|забудь|отмени|не обращай внимания на)(?:те)?\b.{0,40}"
    r"\b(?:инструкц|правил|предыдущ|выше|промпт|указани|ограничени)"
    r"|\bсистемн\w+ (?:промпт|инструкц|сообщени)|\bты теперь\b|\bты больше не\b|\bведи себя как\b"
    r"|\bпредставь,? что ты\b|\bотвечай только\b|\bпокажи (?:свой |свои )?(?:промпт|инструкц)",
    re.IGNORECASE,
)
_REQUEST_RU = re.compile(
    r"^(?:(?:сделай|придумай|напиши|создай|нарисуй|хочу|давай|можно|нужен)(?:те)?\s+)?(?:мне\s+)?"
    r"(?:мем\w*|шутк\w+|прикол\w*|картинк\w+)\s+(про|об|обо|о|на тему|по теме)\s+(.+)$",
    re.IGNORECASE,
)
_REQUEST_EN = re.compile(
    r"^(?:(?:please\s+)?(?:make|create|write|give|draw|do)\s+)?(?:me\s+)?(?:an?\s+|some\s+)?"
    r"(?:funny\s+)?(?:memes?|jokes?)\s+(?:about|on|of)\s+(.+)$",
    re.IGNORECASE,
)


class TopicError(ValueError):
    """A topic that nothing should be made of; the message says why, `code` names the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[TopicError], tuple[str, str]]:
        return TopicError, (self.code, self.args[0])


def clean_topic(text: str, language: str) -> str:
    """The topic as plain one-line text: no control, zero-width or direction marks, no stray marks.

    «сделай мем про дедлайн» becomes «дедлайн». Raises TopicError for a topic that is empty,
    endless, in another script, turned about, without a known word, or that gives orders to the
    model: a topic is data.
    """
    if re.search(r"[\u202d\u202e].*\w", text):
        raise TopicError(
            "direction", words("the topic turns the direction of reading: write it plainly")
        )
    plain = _one_line(text).replace("{", "(").replace("}", ")").strip(" .,;")
    plain = re.sub(r"\w+", _one_alphabet, plain)
    letters = [c for c in plain if c.isalpha()]
    if not letters:
        raise TopicError("empty", words("no word in the topic: write one, or a headline"))
    if len(plain) > MAX_TOPIC:
        raise TopicError(
            "endless",
            words("the topic is longer than {most} characters: shorten it", most=MAX_TOPIC),
        )
    longest = max(re.split(r"[\s/-]+", plain), key=len)
    if len(longest) > _MAX_WORD or re.search(r"(\w)\1{4,}", plain):
        raise TopicError("endless", words("not a word: {word}…", word=longest[:20]))
    if any(not re.match(r"[A-Za-zА-Яа-яЁё]", unicodedata.normalize("NFD", c)) for c in letters):
        raise TopicError("script", words("only topics in Cyrillic or Latin letters are understood"))
    if _ORDER.search(plain):
        raise TopicError(
            "order", words("the topic reads as an instruction to the model, not as a topic")
        )
    if language == "ru" and _no_words(plain):
        raise TopicError("nonsense", words("no word that is known: {words}", words=plain[:40]))
    return _without_request(plain, language)


def _one_alphabet(match: re.Match[str]) -> str:
    """A Russian word in which Latin letters stand for the like: «ипoтeка»."""
    word = match.group()
    latin = re.findall(r"[A-Za-z]", word)
    if not latin or not re.search(r"[А-Яа-яЁё]", word) or set(latin) - set(_LATIN_LIKE):
        return word
    return word.translate(str.maketrans(_LATIN_LIKE, _CYRILLIC_LIKE))


def _no_words(text: str) -> bool:
    """Whether two or more small Russian words are all unknown: «ыва фыва». One may be new."""
    words = re.findall(r"\w+", text)
    return len(words) > 1 and all(
        re.fullmatch(r"[а-яё]{3,}", word) and not inflect.morph().word_is_known(word)
        for word in words
    )


def topic_for_prompt(topic: str) -> str:
    """The topic as one line of at most 120 characters that cannot end its quotes in a prompt.

    Quotes, brackets, separators and line breaks become spaces. Raises ValueError for a
    topic without letters.
    """
    text = " ".join(re.sub(r"[|<>«»„“”\"`{}\[\]\\#*]+", " ", _one_line(topic)).split())
    if len(text) > LONGEST_IN_PROMPT:
        text = text[:LONGEST_IN_PROMPT].rsplit(" ", 1)[0]
    if not any(c.isalnum() for c in text):
        raise ValueError(f"the topic {topic[:40]!r} has no letters: give a word or a headline")
    return text


def _one_line(text: str) -> str:
    """Compatibility forms composed; no control, zero-width, direction or combining marks."""
    plain = unicodedata.normalize("NFKC", text[: MAX_TOPIC * 10])
    plain = "".join(c if unicodedata.category(c) not in ("Cc", "Zl", "Zp") else " " for c in plain)
    marks = ("Cf", "Mn", "Me", "Co", "Cs", "Cn")
    return " ".join("".join(c for c in plain if unicodedata.category(c) not in marks).split())


def _without_request(text: str, language: str) -> str:
    if language != "ru":
        request = _REQUEST_EN.match(text)
        return request.group(1) if request else text
    request = _REQUEST_RU.match(text)
    if not request:
        return text
    preposition, rest = request.group(1).lower(), request.group(2)
    case = {"про": "accs", "о": "loct", "об": "loct", "обо": "loct"}.get(preposition)
    phrase = inflect.noun_phrase(rest.split(), case) if case else None
    return phrase.text if phrase else rest
