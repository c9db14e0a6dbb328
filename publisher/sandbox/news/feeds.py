"""The invented news as its sources would publish it: RSS, Atom and Telegram posts.

`items.jsonl` holds one item a line: source, offset_hours (from the start of the simulation),
language, title, text, story (items of one story share it), kind (`sensitive` stories must be
screened out, `harmless` ones may be memed) and, for Telegram channels, views (the final count).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from xml.etree import ElementTree

ITEMS = Path(__file__).with_name("items.jsonl")
WEEKS = 4
LATEST = 30
"""Entries that a feed shows at once."""
ATOM = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Source:
    title: str
    language: str  # "ru" | "en"
    format: Literal["rss", "atom", "telegram"]


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "news_ru": Source("Обычные новости", "ru", "rss"),
        "tech_ru": Source("Техника и люди", "ru", "rss"),
        "city_ru": Source("Наш город", "ru", "rss"),
        "tech_en": Source("The Daily Gadget", "en", "atom"),
        "novosti_sandbox": Source("Новости песочницы", "ru", "telegram"),
        "tech_sandbox": Source("Техника песочницы", "ru", "telegram"),
    }
)


@dataclass(frozen=True)
class Item:
    source: str  # a key of SOURCES
    offset_hours: float  # 0 to 672, from the start of the simulation
    language: str  # "ru" | "en"
    title: str
    text: str
    story: str
    kind: Literal["harmless", "sensitive"]
    views: int = 0  # final count of a Telegram post; 0 for feeds


@lru_cache
def load_items(path: Path = ITEMS) -> tuple[Item, ...]:
    """Every item, in the order of publication."""
    with path.open(encoding="utf-8") as lines:
        items = [Item(**json.loads(line)) for line in lines]
    return tuple(sorted(items, key=lambda item: item.offset_hours))


def feed_xml(source_id: str, now: datetime, start: datetime) -> bytes:
    """The feed as fetched at `now`, newest entry first, when the simulation began at `start`.

    Raises ValueError for a source that has no feed and for a time without a zone.
    """
    source = _source(source_id)
    if source.format == "telegram":
        raise ValueError(f"{source_id} is a Telegram channel; see channel_posts")
    if now.tzinfo is None or start.tzinfo is None:
        raise ValueError("now and start need a time zone, for example UTC")
    published = [
        (f"{_site(source_id)}/{number}", start + timedelta(hours=item.offset_hours), item)
        for number, item in enumerate(_items_of(source_id), start=1)
    ]
    due = [entry for entry in published if entry[1] <= now]
    latest = due[: -LATEST - 1 : -1]
    updated = latest[0][1] if latest else start
    build = _rss if source.format == "rss" else _atom
    return ElementTree.tostring(
        build(source, _site(source_id), updated, latest), encoding="utf-8", xml_declaration=True
    )


def channel_posts(source_id: str) -> list[tuple[float, str, int]]:
    """Each post of a Telegram channel: hours from the start, text, final number of views.

    Raises ValueError for a source that is not a Telegram channel.
    """
    if _source(source_id).format != "telegram":
        raise ValueError(f"{source_id} is a feed, not a Telegram channel; see feed_xml")
    return [
        (item.offset_hours, f"{item.title}\n\n{item.text}", item.views)
        for item in _items_of(source_id)
    ]


_Entry = tuple[str, datetime, Item]


def _source(source_id: str) -> Source:
    if source_id not in SOURCES:
        raise ValueError(f"unknown source {source_id!r}; there are {', '.join(SOURCES)}")
    return SOURCES[source_id]


def _items_of(source_id: str) -> list[Item]:
    return [item for item in load_items() if item.source == source_id]


def _site(source_id: str) -> str:
    return f"https://{source_id.replace('_', '-')}.example"


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _rss(
    source: Source, site: str, updated: datetime, entries: list[_Entry]
) -> ElementTree.Element:
    rss = ElementTree.Element("rss", version="2.0")
    channel = ElementTree.SubElement(rss, "channel")
    _text(channel, "title", source.title)
    _text(channel, "link", site)
    _text(channel, "description", source.title)
    _text(channel, "language", source.language)
    _text(channel, "lastBuildDate", format_datetime(updated.astimezone(UTC), usegmt=True))
    for link, when, item in entries:
        entry = ElementTree.SubElement(channel, "item")
        _text(entry, "title", item.title)
        _text(entry, "link", link)
        _text(entry, "description", item.text)
        _text(entry, "guid", link)
        _text(entry, "pubDate", format_datetime(when.astimezone(UTC), usegmt=True))
    return rss


def _atom(
    source: Source, site: str, updated: datetime, entries: list[_Entry]
) -> ElementTree.Element:
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": source.language})
    _text(feed, "id", site)
    _text(feed, "title", source.title)
    _text(feed, "updated", updated.astimezone(UTC).isoformat())
    author = ElementTree.SubElement(feed, "author")
    _text(author, "name", source.title)
    ElementTree.SubElement(feed, "link", rel="self", href=f"{site}/feed")
    for link, when, item in entries:
        entry = ElementTree.SubElement(feed, "entry")
        _text(entry, "id", link)
        _text(entry, "title", item.title)
        ElementTree.SubElement(entry, "link", href=link)
        _text(entry, "published", when.astimezone(UTC).isoformat())
        _text(entry, "updated", when.astimezone(UTC).isoformat())
        _text(entry, "summary", item.text)
    return feed
