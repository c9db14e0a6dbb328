"""Fetch feeds and read source channels into items."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Item, Source, database
from publisher.sentences import words
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import Seen, read_history
from publisher.trends.feeds import FeedItem, fetch_feed

TITLE_LENGTH = 200
LEAD_LENGTH = 1000


async def collect(services: Services, now: datetime) -> str:
    """Every source once; a source that fails keeps its error and does not hold up the others."""
    new = failing = 0
    for settings in services.settings.sources:
        kind = "feed" if settings.feed else "channel"
        source, _ = Source.get_or_create(
            key=settings.key, defaults={"kind": kind, "language": settings.language}
        )
        read = read_feed if kind == "feed" else read_channel
        new += await read(services, source, now)
        failing += bool(Source.get_by_id(source.id).error)
    if not new and not failing:
        return ""
    return words("new items {new}, failing sources {failing}", new=new, failing=failing)


async def read_feed(services: Services, source: Source, now: datetime) -> int:
    url = services.feeds(source.key)
    local = url != source.key or url.startswith("file:")
    fetched = await fetch_feed(
        url, etag=source.etag, modified=source.modified, allow_private=local, now=now
    )
    if fetched.status == "error":
        note_error(source, fetched.error or "", now)
        return 0
    Source.update(
        etag=fetched.etag or "", modified=fetched.modified or "", error="", errors=0, fetched_at=now
    ).where(Source.id == source.id).execute()
    return store(source, (feed_row(item, source, now) for item in fetched.items))


def feed_row(item: FeedItem, source: Source, now: datetime) -> dict[str, object]:
    return {
        "source": source,
        "guid": item.guid[:500],
        "url": item.url,
        "title": item.title[:TITLE_LENGTH],
        "lead": item.lead[:LEAD_LENGTH],
        "language": source.language,
        "published_at": min(item.published_at, now),
        "fetched_at": now,
    }


async def read_channel(services: Services, source: Source, now: datetime) -> int:
    seen: list[Seen] | None = None
    with one_of_many(source.key):
        peer = await find_peer(services.account, source.key, now)
        seen = await read_history(services.account, peer, after_id=source.last_message_id)
    if seen is None:
        note_error(source, words("could not be read this time"), now)
        return 0
    newest = max((s.message_id for s in seen), default=source.last_message_id)
    Source.update(last_message_id=newest, error="", errors=0, fetched_at=now).where(
        Source.id == source.id
    ).execute()
    return store(source, (post_row(s, source, now) for s in seen if s.text.strip()))


def post_row(seen: Seen, source: Source, now: datetime) -> dict[str, object]:
    title, _, lead = seen.text.strip().partition("\n")
    return {
        "source": source,
        "guid": str(seen.message_id),
        "url": f"https://t.me/{source.key}/{seen.message_id}",
        "title": title[:TITLE_LENGTH],
        "lead": lead.strip()[:LEAD_LENGTH],
        "language": source.language,
        "published_at": min(seen.at, now),
        "fetched_at": now,
        "views": seen.views,
    }


def store(source: Source, rows: Iterable[dict[str, object]]) -> int:
    """Insert the items not known yet; how many."""
    before = Item.select().where(Item.source == source).count()
    with database.atomic():
        for row in rows:
            Item.insert(**row).on_conflict_ignore().execute()
    return Item.select().where(Item.source == source).count() - before


def note_error(source: Source, error: str, now: datetime) -> None:
    Source.update(error=error[:500], errors=Source.errors + 1, fetched_at=now).where(
        Source.id == source.id
    ).execute()
