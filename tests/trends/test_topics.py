from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.trends import Cluster, Item, cluster, find_topics, repeats, topic_title
from publisher.trends import score as scoring

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def item(
    id: str,
    title: str,
    lead: str = "",
    *,
    source: str = "a",
    hours: float = 1,
    language: str = "ru",
    views: int | None = None,
) -> Item:
    return Item(id, source, title, lead, language, NOW - timedelta(hours=hours), views)


COFFEE = [
    item("1", "Кофе подорожал на треть за месяц", "Чашка капучино стоит 340 рублей", hours=5),
    item("2", "Кофе подорожал на треть", "Капучино теперь 340 рублей", source="b", hours=4),
    item("3", "Цены на кофе выросли на треть", "Капучино подорожал до 340", source="c", hours=3),
]
SNOW = [
    item("4", "В Москве выпал первый снег", "Коммунальщики вышли на улицы", hours=4.5),
    item("5", "Первый снег выпал в Москве", "Коммунальщики на улицах", source="b", hours=2),
]


def by_letters(texts: Sequence[str]) -> np.ndarray:
    """A cheap stand-in for the embedding, so that properties can be tried many times."""
    rows = (
        np.array(
            [[text.casefold().count(c) for c in "абвгдеклмнопрст"] for text in texts],
            dtype=np.float32,
        ).reshape(len(texts), 15)
        + 0.01
    )
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_stories_are_told_apart() -> None:
    found = cluster([*SNOW, *COFFEE])
    assert [[i.id for i in group.items] for group in found] == [["1", "2", "3"], ["4", "5"]]


def test_a_story_does_not_reach_over_its_window() -> None:
    late = item("9", COFFEE[0].title, COFFEE[0].lead, hours=-100)
    assert len(cluster([COFFEE[0], late], window=timedelta(hours=48))) == 2


def test_languages_do_not_mix() -> None:
    same = item("8", COFFEE[0].title, COFFEE[0].lead, language="en")
    assert len(cluster([COFFEE[0], same])) == 2


titles = st.lists(
    st.sampled_from(
        [
            "кот украл рыбу",
            "кот утащил рыбу",
            "снег в москве",
            "в москве снег",
            "дорога стала платной",
            "робот сварил кофе",
            "кофе сварил робот",
        ]
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40, deadline=None)
@given(titles, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_later_items_change_nothing(
    chosen: list[str], random: object
) -> None:
    items = [item(str(i), title, hours=len(chosen) - i) for i, title in enumerate(chosen)]
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = cluster(items, embed=by_letters)
    assert cluster(shuffled, embed=by_letters) == whole
    assert sorted(i.id for group in whole for i in group.items) == sorted(i.id for i in items)
    first = {i.id for i in items[:-1]}
    kept = [Cluster(tuple(i for i in g.items if i.id in first)) for g in whole]
    assert cluster(items[:-1], embed=by_letters) == [g for g in kept if g.items]


def test_breadth_and_freshness() -> None:
    assert scoring.breadth(Cluster((COFFEE[0],))) == 0
    assert scoring.breadth(Cluster(tuple(COFFEE))) == 0.75
    assert scoring.breadth(Cluster((COFFEE[0], COFFEE[0]))) == 0
    assert scoring.freshness(Cluster((item("1", "t", hours=12),)), NOW) == pytest.approx(0.5)


def test_speed_is_against_the_sources_own_habit() -> None:
    usual = [item(str(i), "t", hours=2, views=100, source="big") for i in range(5)]
    hit = item("hit", "t", hours=2, views=800, source="big")
    known = scoring.baselines([*usual, hit], NOW)
    assert scoring.speed(Cluster((hit,)), known, NOW) == pytest.approx(1)
    assert scoring.speed(Cluster((usual[0],)), known, NOW) == 0
    assert scoring.speed(Cluster((item("x", "t", source="new"),)), known, NOW) == 0
    feed = [item(str(i), "t", source="feed") for i in range(8)]
    known = scoring.baselines(feed, NOW)
    assert scoring.speed(Cluster(tuple(feed[:2])), known, NOW) == pytest.approx(0.5)


def test_everyday_beats_dry() -> None:
    everyday, dry = scoring.memeability(
        ["Кот украл сосиску у соседей", "Комитет утвердил повестку заседания"]
    )
    assert everyday > dry + 0.1


def test_title_is_the_typical_one_without_site_and_rubric() -> None:
    assert topic_title(Cluster(tuple(COFFEE))) in {i.title for i in COFFEE}
    alone = item("1", "Срочно: кофе подорожал на треть | Новости дня")
    assert topic_title(Cluster((alone,))) == "Кофе подорожал на треть"


def test_repeats() -> None:
    recent = ["В Москве выпал первый снег", "Кофе подорожал на треть за месяц"]
    assert repeats("Кофе подорожал на треть", recent) == 1
    assert repeats("Енот сбежал из зоопарка", recent) is None
    assert repeats("что угодно", []) is None


def test_topics_are_scored_screened_and_checked_for_repeats() -> None:
    grave = item("6", "В ДТП под Тверью погибли три человека", hours=1)
    first = find_topics([*COFFEE, *SNOW, grave], NOW)
    assert [t.verdict.ok for t in first.topics].count(False) == 1
    coffee = next(t for t in first.topics if "офе" in t.title)
    assert coffee.parts.keys() == {"breadth", "speed", "freshness", "memeability"}
    assert list(first.topics) == sorted(first.topics, key=lambda t: -t.score)
    again = find_topics(COFFEE, NOW, recent=[coffee])
    assert again.topics[0].repeat_of == coffee.id
    blocked = find_topics(COFFEE, NOW, blocklist=["кофе"])
    assert blocked.topics[0].verdict.reason == "blocklist"


def test_unusable_items_are_named() -> None:
    found = find_topics(
        [
            COFFEE[0],
            COFFEE[0],
            item("b", ""),
            item("c", "!!! 12"),
            item("d", "Будущее", hours=-1),
            item("e", "Старое дело", hours=90),
            item("f", "\x00\x01\x02 \ufffd\ufffd\ufffd\ufffd abc"),
            item("g", "слово " * 2_000_000),
        ],
        NOW,
    )
    assert sorted(r.reason for r in found.rejected) == [
        "from the future",
        "no title",
        "older than the window",
        "seen twice",
        "unreadable title",
        "unreadable title",
    ]
    assert all(len(topic.title) <= 300 for topic in found.topics)
    assert find_topics([], NOW).topics == ()


def test_naive_times_are_utc() -> None:
    naive = Item("1", "a", "Кофе подорожал", "", "ru", datetime(2026, 11, 23, 11, 0))
    assert find_topics([naive], NOW).topics[0].items[0].published_at.tzinfo is UTC
