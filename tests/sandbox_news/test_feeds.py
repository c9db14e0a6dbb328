import re
from calendar import timegm
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta, timezone

import feedparser
import pytest

from publisher.sandbox.news.feeds import (
    LATEST,
    SOURCES,
    WEEKS,
    Item,
    channel_posts,
    feed_xml,
    load_items,
)

START = datetime(2026, 3, 2, tzinfo=UTC)
FEEDS = [name for name, source in SOURCES.items() if source.format != "telegram"]
CHANNELS = [name for name, source in SOURCES.items() if source.format == "telegram"]


def stories() -> dict[str, list[Item]]:
    grouped = defaultdict(list)
    for item in load_items():
        grouped[item.story].append(item)
    return grouped


def test_four_weeks_without_a_silent_day() -> None:
    days = Counter(int(item.offset_hours // 24) for item in load_items())
    assert set(days) == set(range(7 * WEEKS))
    assert min(days.values()) >= 4


def test_stories_are_told_more_than_once_and_agree_on_their_kind() -> None:
    grouped = stories()
    assert len(grouped) >= 110
    for story, items in grouped.items():
        assert 2 <= len(items) <= 4, story
        assert len({item.kind for item in items}) == 1, story
        assert len({item.title for item in items}) == len(items), story
        assert items[-1].offset_hours - items[0].offset_hours <= 48, story
    several = [len({item.source for item in items}) > 1 for items in grouped.values()]
    assert sum(several) >= 0.95 * len(grouped)


def test_about_a_seventh_of_the_stories_is_sensitive() -> None:
    kinds = Counter(items[0].kind for items in stories().values())
    assert set(kinds) == {"harmless", "sensitive"}
    assert 0.10 <= kinds["sensitive"] / kinds.total() <= 0.20


def test_harmless_traps_and_each_week_have_their_share() -> None:
    harmless = " ".join(item.title for item in load_items() if item.kind == "harmless").lower()
    for trap in ("убийственная жара", "взрыв скидок", "killer feature", "мёртвый сезон"):
        assert trap in harmless
    weeks = {int(i.offset_hours // 168) for i in load_items() if i.kind == "sensitive"}
    assert weeks == set(range(WEEKS))


def test_each_item_is_well_formed() -> None:
    for item in load_items():
        words = item.title + item.text
        assert item.source in SOURCES, item
        assert 0 <= item.offset_hours < WEEKS * 168, item
        assert bool(re.search("[а-яё]", words)) == (item.language == "ru"), item
        assert 10 <= len(item.title) <= 120 and 10 <= len(item.text) <= 400, item
        assert (item.views > 0) == (item.source in CHANNELS), item
        assert not set('"<>\t') & set(words), item


@pytest.mark.parametrize("source", FEEDS)
def test_feedparser_reads_back_what_was_published(source: str) -> None:
    now = START + timedelta(hours=400)
    parsed = feedparser.parse(feed_xml(source, now, START))
    assert not parsed.bozo
    assert parsed.version == ("atom10" if SOURCES[source].format == "atom" else "rss20")
    assert parsed.feed.title == SOURCES[source].title
    assert parsed.feed.language == SOURCES[source].language
    due = [i for i in load_items() if i.source == source and i.offset_hours <= 400]
    expected = due[::-1][:LATEST]
    assert [e.title for e in parsed.entries] == [i.title for i in expected]
    assert [e.summary for e in parsed.entries] == [i.text for i in expected]
    for entry, item in zip(parsed.entries, expected, strict=True):
        when = datetime.fromtimestamp(timegm(entry.published_parsed), UTC)
        assert abs(when - START - timedelta(hours=item.offset_hours)) < timedelta(seconds=1)
    assert len({e.id for e in parsed.entries}) == len(parsed.entries)


@pytest.mark.parametrize("source", FEEDS)
def test_a_feed_grows_and_its_ids_stay(source: str) -> None:
    seen: dict[str, str] = {}
    for hours in range(0, WEEKS * 168 + 1, 12):
        entries = feedparser.parse(feed_xml(source, START + timedelta(hours=hours), START)).entries
        assert len(entries) <= LATEST
        for entry in entries:
            assert seen.setdefault(entry.id, entry.title) == entry.title
    assert len(seen) == sum(item.source == source for item in load_items())


def test_a_feed_before_its_first_item_is_empty_and_valid() -> None:
    parsed = feedparser.parse(feed_xml("tech_en", START, START))
    assert not parsed.bozo and parsed.entries == []


def test_the_zone_of_now_does_not_matter() -> None:
    now = START + timedelta(hours=100)
    elsewhere = now.astimezone(timezone(timedelta(hours=3)))
    assert feed_xml("news_ru", elsewhere, START) == feed_xml("news_ru", now, START)


@pytest.mark.parametrize("source", CHANNELS)
def test_channel_posts(source: str) -> None:
    posts = channel_posts(source)
    hours = [post[0] for post in posts]
    assert hours == sorted(hours) and len(posts) > 30
    for _, text, views in posts:
        title, _, lead = text.partition("\n\n")
        assert title and lead and views > 0


def test_wrong_calls_say_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"unknown source 'radio'.*news_ru"):
        feed_xml("radio", START, START)
    with pytest.raises(ValueError, match="channel_posts"):
        feed_xml("tech_sandbox", START, START)
    with pytest.raises(ValueError, match="feed_xml"):
        channel_posts("news_ru")
    with pytest.raises(ValueError, match="time zone"):
        feed_xml("news_ru", START.replace(tzinfo=None), START)
