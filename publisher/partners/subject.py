"""Is a yes said of our offer, or of something else: a format, a new rule, a contact?

A reply may leave the offer unnamed («Одобрено!», «Берём на пятницу»). Then nothing else may be
named in the sentence either but places, times and people of a channel.
"""

from __future__ import annotations

import re
from functools import cache

import pymorphy3

OFFER = re.compile(
    r"\b(?:предложени[еяюи]|предложк[аиуе]|пост|мем|публикаци[яию]|картинк[аиуе]|материал|новость|"
    r"контент|работ[ау]|иде[яюи]|шутк[ауи]|прикол|заявк[аиу]|запись|видео|фото|изображение)"
    r"(?:а|у|ом|чик|ас)?\b|#\d|t\.me/|"
    r"\b(?:submission|suggestion|post|meme|picture|image|offer|proposal|entry|content|photo|video|"
    r"yours|it)\b"
)
OURS = re.compile(rf"\W*(?:ваш\w*|твой|тво[ею]|your|the|this)?\W?(?:{OFFER.pattern})")
WHEN = re.compile(r"\W*(?:$|(?:на|в|for|to|at|on|by) (?!провер|рассмотр|review))")
TAKEN = re.compile(
    r"\b(?:опубликовал|выложил|запостил|разместил|одобрил|выбрал|взял|забрал)[аи]? ([а-я]+)"
)
LOOSE = re.compile(r"\b(?:выбра|отобра|запланирова|scheduled|selected|chosen|picked)\w*")
ENGLISH = re.compile(
    r"\b(?:accepted|approved) (?!(?:for|and|by|to|as|with|today|now|thanks|thank)\b)[a-z]+"
)
ORDINARY = """
    публикация канал лента эфир отложка отложенный очередь план график расписание время день утро
    вечер ночь неделя сутки час минута понедельник вторник среда четверг пятница суббота
    воскресенье январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь
    выходной админ администратор администрация модератор модерация премодерация редактор редакция
    команда владелец привет спасибо решение статус вердикт результат подпись автор сторис паблик
    группа чат сообщество подборка рубрика ссылка раз начало конец ожидание ура класс огонь бомба
    круть топ отбор проверка выход печать размещение постинг завтра сегодня обед полдень кот
    поздравление лс мск число дата участие интерес терпение помощь закреп человек ок
"""


def another_matter(sentence: str) -> str:
    """What the sentence (as `replies.normalise` leaves it) names instead of our offer, or ""."""
    taken = TAKEN.search(sentence)
    if taken and not OFFER.match(taken[1]) and _is_other_noun(taken[1]):
        return taken[1]
    loose = LOOSE.search(sentence)
    if loose and not OFFER.search(sentence[: loose.start()]):
        after = sentence[loose.end() :]
        return "" if WHEN.match(after) or OURS.match(after) else loose[0]
    if OFFER.search(sentence):
        return ""
    if other := ENGLISH.search(sentence):
        return other[0]
    words = re.findall(r"[а-я]{3,}(?:-[а-я]+)*", sentence)
    return next((word for word in words if _is_other_noun(word)), "")


def _is_other_noun(word: str) -> bool:
    """A common noun in every reading that the dictionary holds likely."""
    readings = _analyzer().parse(word)
    likely = [r for r in readings if r.score >= 0.5 * readings[0].score]
    return all(
        r.tag.POS == "NOUN"
        and not {"Name", "Surn", "Patr", "Abbr", "Geox"} & r.tag.grammemes
        and r.normal_form.replace("ё", "е") not in _ordinary()
        for r in likely
    )


@cache
def _ordinary() -> frozenset[str]:
    return frozenset(ORDINARY.split())


@cache
def _analyzer() -> pymorphy3.MorphAnalyzer:
    return pymorphy3.MorphAnalyzer()
