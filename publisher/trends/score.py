"""What makes a story worth a meme: breadth, speed, freshness, memeability.

Each part is in [0, 1]; the score is their weighted mean.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

import numpy as np

from publisher.embedding import embed as built_in_embed
from publisher.screen.lexical import read
from publisher.trends.items import Cluster, Item
from publisher.trends.similarity import Embed, vectors


@dataclass(frozen=True)
class Weights:
    """What each part counts."""

    breadth: float = 0.3
    speed: float = 0.2
    freshness: float = 0.2
    memeability: float = 0.3


USUAL = Weights()
HALF_LIFE = timedelta(hours=12)
REPEAT_THRESHOLD = 0.5
MIN_BASELINE = 4
"""A source's baseline is known from this many of its items on."""
MIN_AGE_H = 0.5

EVERYDAY = (
    "коты и собаки ведут себя смешно",
    "работа в офисе, начальник и созвоны",
    "зарплата, цены и деньги до получки",
    "погода, снег, жара и дождь",
    "соседи и ремонт",
    "еда, кофе, рецепты и доставка",
    "учёба, студенты и экзамены",
    "интернет, соцсети и мессенджеры",
    "нейросети и роботы заменяют людей",
    "отпуск, дача и выходные",
    "транспорт, пробки и метро",
    "сериалы, игры и музыка",
    "скидки и маркетплейсы",
    "новый смартфон",
    "странный рекорд",
    "cats and dogs do something silly",
    "office work, the boss and meetings",
    "prices, rent and money till payday",
    "weather, snow and heat",
    "food, coffee and delivery",
    "students and exams",
    "internet, apps and social media",
    "robots and AI replace people",
    "holidays and weekends",
    "traffic and public transport",
    "series, games and music",
    "sales and online shopping",
    "a new phone",
    "an odd world record",
)
DRY = (
    "назначение чиновника на должность",
    "заседание комитета и повестка",
    "отчётность компании за квартал",
    "котировки акций и облигаций",
    "тендер и государственный контракт",
    "соглашение о сотрудничестве подписано",
    "результаты матча и турнирная таблица",
    "поправки в закон и постановление",
    "визит делегации",
    "an official is appointed",
    "the committee meets on the agenda",
    "the company reports quarterly results",
    "shares and bonds",
    "a government contract is awarded",
    "a cooperation agreement is signed",
    "match results and league table",
    "an amendment to the act",
    "a delegation visits",
)

_SITE_NAME = re.compile(r"\s+[|–—-]\s+[\w .&'’«»\"]{2,30}$")
_OPENING = re.compile(
    r"^(?:срочно|молния|видео|фото|опрос|эксклюзив|обновлено|breaking(?: news)?|watch|video|photos?"
    r"|exclusive|update[d]?|live|report)\s*[:!—–-]\s*",
    re.IGNORECASE,
)


def breadth(cluster: Cluster) -> float:
    """1 − 2^−(sources − 1): 0 for one source, 0.5 for two, 0.75 for three."""
    return 1 - 2.0 ** (1 - len({item.source for item in cluster.items}))


def freshness(cluster: Cluster, now: datetime, half_life: timedelta = HALF_LIFE) -> float:
    """2^−(age of the newest item / half-life)."""
    age = max(timedelta(0), now - cluster.items[-1].published_at)
    return float(2.0 ** -(age / half_life))


@dataclass(frozen=True)
class Baseline:
    """What is usual of a source: items in all, and median views an hour where it tells views."""

    items: int
    views_per_hour: float | None


def baselines(items: Sequence[Item], now: datetime) -> dict[str, Baseline]:
    """The baseline of each source from all of its items."""
    rates: dict[str, list[float]] = defaultdict(list)
    counts: Counter[str] = Counter()
    for item in items:
        counts[item.source] += 1
        if item.views is not None:
            rates[item.source].append(_views_per_hour(item, now))
    return {
        source: Baseline(
            count, median(rates[source]) if len(rates[source]) >= MIN_BASELINE else None
        )
        for source, count in counts.items()
    }


def _views_per_hour(item: Item, now: datetime) -> float:
    hours = max(MIN_AGE_H, (now - item.published_at) / timedelta(hours=1))
    return (item.views or 0) / hours


def speed(cluster: Cluster, known: Mapping[str, Baseline], now: datetime) -> float:
    """Mean over the sources of how far they exceed their own habit.

    Where views are known: log2(best item's views an hour / the source's median), a factor of 8
    giving 1. Else by coverage: a source that gives this story a quarter of all its items, and more
    than one, gives 1. A source without a baseline counts 0.
    """
    values = []
    for source in sorted({item.source for item in cluster.items}):
        mine = [item for item in cluster.items if item.source == source]
        base = known.get(source, Baseline(0, None))
        if base.items < MIN_BASELINE:
            values.append(0.0)
        elif base.views_per_hour is not None and any(item.views is not None for item in mine):
            best = max(_views_per_hour(item, now) for item in mine if item.views is not None)
            ratio = best / max(base.views_per_hour, 1e-9)
            values.append(float(np.clip(np.log2(max(ratio, 1e-9)) / 3, 0, 1)))
        else:
            values.append(min(1.0, 4 * (len(mine) - 1) / base.items))
    return sum(values) / len(values)


def memeability(titles: Sequence[str], embed: Embed = built_in_embed) -> list[float]:
    """How everyday, rather than dry, each title is.

    0.5 + 1.25 · (greatest similarity to an everyday theme − greatest to a dry one), plus 0.1 for a
    figure of speech that the screen knows, held to [0, 1].
    """
    if not titles:
        return []
    rows = embed([*titles, *EVERYDAY, *DRY])
    n, everyday = len(titles), len(titles) + len(EVERYDAY)
    liking = (rows[:n] @ rows[n:everyday].T).max(axis=1)
    boredom = (rows[:n] @ rows[everyday:].T).max(axis=1)
    return [
        float(np.clip(0.5 + 1.25 * (like - bore) + 0.1 * bool(read(title).figurative), 0, 1))
        for title, like, bore in zip(titles, liking, boredom, strict=True)
    ]


def score(parts: Mapping[str, float], weights: Weights = USUAL) -> float:
    """Weighted mean of the parts."""
    named = vars(weights)
    return sum(named[name] * parts[name] for name in named) / sum(named.values())


def topic_title(cluster: Cluster, embed: Embed = built_in_embed) -> str:
    """The title most similar to the others (the shorter of equals), without site name or rubric."""
    titles = list(dict.fromkeys(clean_title(item.title) for item in cluster.items))
    if len(titles) < 3:
        return min(titles, key=lambda title: (len(title) < 15, len(title)))
    rows = embed(titles)
    centrality = rows @ rows.sum(axis=0)
    best = max(range(len(titles)), key=lambda i: (round(float(centrality[i]), 4), -len(titles[i])))
    return titles[best]


def clean_title(title: str) -> str:
    """`title` without a site's name at its end and a rubric at its beginning."""
    shorter = _OPENING.sub("", _SITE_NAME.sub("", title)).strip()
    return shorter[:1].upper() + shorter[1:] if len(shorter) >= 10 else title


def repeats(
    title: str,
    recent: Sequence[str],
    embed: Embed = built_in_embed,
    threshold: float = REPEAT_THRESHOLD,
) -> int | None:
    """Index of the recent title that `title` repeats (the most similar one), or None."""
    if not recent:
        return None
    titles = [title, *recent]
    similarity = vectors(titles, [""] * len(titles), embed).between(0, range(1, len(titles)))
    best = int(similarity.argmax())
    return best if similarity[best] >= threshold else None
