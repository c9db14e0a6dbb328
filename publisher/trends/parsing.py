"""Items out of the bytes of a feed."""

from __future__ import annotations

import calendar
import hashlib
import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser

from publisher.screen.words import language_of
from publisher.sentences import words
from publisher.trends.clean import is_readable, plain_text
from publisher.trends.items import MAX_LEAD, MAX_TITLE, FeedItem, Rejected

MAX_ENTRIES = 2000
FUTURE_GRACE = timedelta(minutes=10)
"""Clocks differ; a later date than this is a mistake and counts as no date."""
_ENTITY_LIMIT = 50


class FeedError(Exception):
    """A feed that cannot be read; the message says why."""


def parse_feed(
    body: bytes, headers: Mapping[str, str], now: datetime
) -> tuple[str, tuple[FeedItem, ...], tuple[Rejected, ...]]:
    """(feed title, items, entries left out) of an RSS or Atom document.

    Dates become UTC; a missing, impossible or future one becomes `now`, undated. Entries without
    a readable title or with a guid seen before are left out with a reason. Raises FeedError when
    the document is no feed.
    """
    if not body.strip():
        raise FeedError(words("the answer is empty"))
    if body[:200_000].count(b"<!ENTITY") > _ENTITY_LIMIT or b"\0" * 16 in body[:4096]:
        raise FeedError(words("the document is no feed: entity definitions or binary data"))
    try:
        parsed = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-type": headers.get("content-type", "application/xml")},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:
        raise FeedError(
            words("the document cannot be parsed ({why})", why=f"{type(error).__name__}: {error}")
        ) from error
    if not parsed.entries and (parsed.bozo or not parsed.version):
        reason = parsed.get("bozo_exception")
        why = reason or words("no entries")
        raise FeedError(words("the document is no RSS or Atom feed ({why})", why=why))
    items: list[FeedItem] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for entry in parsed.entries[:MAX_ENTRIES]:
        item = _item(entry, now)
        reason = _fault(item, seen)
        if reason:
            rejected.append(Rejected(item.title or item.guid[:80], reason))
        else:
            seen.add(item.guid)
            items.append(item)
    if len(parsed.entries) > MAX_ENTRIES:
        left = len(parsed.entries) - MAX_ENTRIES
        rejected.append(Rejected("", f"{left} entries beyond the first {MAX_ENTRIES}"))
    return plain_text(str(parsed.feed.get("title", "")), MAX_TITLE), tuple(items), tuple(rejected)


def _fault(item: FeedItem, seen: set[str]) -> str | None:
    if not item.title:
        return "no title"
    if not is_readable(item.title):
        return "unreadable title"
    if item.guid in seen:
        return "duplicate guid"
    return None


def _item(entry: Mapping[str, Any], now: datetime) -> FeedItem:
    title = plain_text(str(entry.get("title") or ""), MAX_TITLE)
    lead = plain_text(_lead(entry), MAX_LEAD)
    url = str(entry.get("link") or "")[:2000]
    published, dated = _date(entry, now)
    guid = str(entry.get("id") or url or "")
    if not guid or len(guid) > 500:
        guid = hashlib.sha256(f"{guid}\n{title}\n{lead}".encode()).hexdigest()
    return FeedItem(
        guid=guid,
        url=url if url.startswith(("http://", "https://")) else "",
        title=title,
        lead="" if lead == title else lead,
        published_at=published,
        language=language_of(f"{title} {lead[:300]}"),
        dated=dated,
    )


def _lead(entry: Mapping[str, Any]) -> str:
    summary = entry.get("summary")
    if summary:
        return str(summary)
    contents = entry.get("content") or []
    return str(contents[0].get("value", "")) if contents else ""


def _date(entry: Mapping[str, Any], now: datetime) -> tuple[datetime, bool]:
    """feedparser gives times in UTC; a time without a zone is taken as UTC."""
    for key in ("published_parsed", "updated_parsed", "created_parsed"):
        stamp = entry.get(key)
        if stamp:
            try:
                moment = datetime.fromtimestamp(calendar.timegm(stamp), UTC)
            except (ValueError, OverflowError, OSError):
                continue
            if datetime(1995, 1, 1, tzinfo=UTC) <= moment <= now + FUTURE_GRACE:
                return min(moment, now), True
    return now, False
