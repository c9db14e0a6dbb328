"""Is a yes said of our offer, and of nothing else: a format, a new rule, somebody else's meme?

Words that make a yes doubtful are without number, those that a plain yes is made of are few: a
clause that says yes may hold nothing but these (`yes_words.toml`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pymorphy3

from publisher.partners import promise_en, promise_ru

OFFER = re.compile(
    r"\b(?:предложени[еяюи]|предложк[аиуе]|пост|мем|публикаци[яию]|картинк[аиуе]|материал|новость|"
    r"контент|работ[ау]|иде[яюи]|шутк[ауи]|прикол|заявк[аиу]|запись|видео|фото|изображение)"
    r"(?:а|у|ом|чик|ас)?\b|#\d|t\.me/|"
    r"\b(?:submission|suggestion|post|meme|picture|image|offer|proposal|entry|content|photo|video|"
    r"yours|it)\b"
)
OURS = re.compile(rf"\W*(?:ваш\w*|твой|тво[ею]|your|the|this)?\W?(?:{OFFER.pattern})")
WHEN = re.compile(r"\W*(?:$|(?:на|в|for|to|at|on|by) (?!провер|рассмотр|review))")
LOOSE = re.compile(r"\b(?:выбра|отобра|запланирова|scheduled|selected|chosen|picked)\w*")
ASIDE = re.compile(
    r"https?://\S+|\bt\.me/|[@#]\w+|\bno ?\d+|\bтолько что\b|"
    r"\b(?:если (?:что|захот|хот|(?:есть|будут) вопрос)|if you (?:want|like|wish|have any))[^.!?]*"
)
"""What may stand beside a yes without meaning anything for it."""
CHOSEN_FOR = re.compile(
    r"(\b(?:выбра|отобра|одобр)\w*\b[^.!?]{0,40}?)\bдля (?=(?:публикации|размещения)\b)"
)
"""«Выбран для публикации»; but «предложение для публикации принято» has merely arrived."""
SIGNED = re.compile(
    r"\b(админ\w*|модератор\w*|редактор\w*|admin|moderator|mod|editor) [а-яa-z]+\W*$"
)
WORD = re.compile(r"[а-яa-z][а-яa-z'-]*")
CLAUSE = re.compile(r"[,—–()«»\"]|:(?!\d\d)|\s-\s")
TURN = re.compile(
    r"\b(?:если|когда|как только|а|хоть|хотя|только|лишь|кроме|иначе|чтобы|пока|при|бы|не|нет|раз|"
    r"после(?! (?:обеда|работы|ужина|завтрака|полудня|\d{1,2}[:.]\d\d))|"
    r"вместо|без|будто|якобы|почти|"
    r"if|when|once|unless|until|after(?! (?:lunch|dinner|work|noon|breakfast))|before|only|"
    r"provided|not|no|never|would|as soon as|because|though)\b|n't\b"
)
"""What makes the clause beside a yes matter for it."""
COUNT = re.compile(
    r"\b(?:одобрен|опубликован|принят|выложен|размещен)[оы]?\W* \d+\W*$|"
    r"\b\d+ (?:approved|published|accepted|posted)\b"
)
"""Statistics: «одобрено 31»."""


def another_matter(sentence: str, says_yes: Callable[[str], bool], every_word: bool = False) -> str:
    """What the sentence (as `replies.normalise` leaves it) names besides our offer, or "".

    `says_yes` tells which clauses of it hold the yes: these are read word by word, the others
    only for what may turn the yes, unless `every_word` is to be read.
    """
    loose = LOOSE.search(sentence)
    alone = loose and not says_yes(LOOSE.sub(" ", sentence))
    if loose and alone and not OFFER.search(sentence[: loose.start()]):
        after = sentence[loose.end() :]
        if not (WHEN.match(after) or OURS.match(after)):
            return loose[0]
    clauses = [c for c in CLAUSE.split(SIGNED.sub(r"\1", sentence)) if c.strip()]
    if not any(map(says_yes, clauses)):
        clauses = [" ".join(clauses)]
    if taken := promise_ru.merely_taken(sentence):
        return taken
    for clause in clauses:
        if thing := promise_ru.other_thing(clause) or promise_en.other_thing(clause):
            return thing
        if not says_yes(clause) and len(clauses) > 1:
            if turn := TURN.search(clause):
                return turn[0]
            if not every_word:
                continue
        if count := COUNT.search(clause):
            return count[0]
        elif word := next((w for w in WORD.findall(clause) if not _is_of_a_yes(w)), ""):
            return word
    return ""


def without_asides(plain: str) -> str:
    """A whole reply without links, names and idle offers («если хотите, …»)."""
    return ASIDE.sub(" ", CHOSEN_FOR.sub(r"\1", plain))


@cache
def _is_of_a_yes(word: str) -> bool:
    forms = {word.strip("'-")} | {
        reading.normal_form.replace("ё", "е") for reading in _analyzer().parse(word)
    }
    exact, stems = _yes_words()
    return not forms.isdisjoint(exact) or word.startswith(stems)


@cache
def _yes_words() -> tuple[frozenset[str], tuple[str, ...]]:
    """Whole words, and beginnings of words."""
    text = (Path(__file__).parent / "yes_words.toml").read_text(encoding="utf-8")
    listed = " ".join(tomllib.loads(text).values()).split()
    return (
        frozenset(word for word in listed if not word.endswith("*")),
        tuple(word[:-1] for word in listed if word.endswith("*")),
    )


@cache
def _analyzer() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()
