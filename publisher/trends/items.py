"""Words of this room: items, clusters of them, topics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from publisher.screen import Verdict

MAX_TITLE = 300
MAX_LEAD = 1000


@dataclass(frozen=True)
class FeedItem:
    """One entry of a feed, cleaned. Times are UTC; `dated` is False when the feed gave none."""

    guid: str
    url: str
    title: str
    lead: str
    published_at: datetime
    language: str
    dated: bool = True


@dataclass(frozen=True)
class Rejected:
    """An entry left out, and why."""

    title: str
    reason: str


@dataclass(frozen=True)
class Item:
    """One entry of a feed or one post of a source channel."""

    id: str
    source: str
    title: str
    lead: str
    language: str
    published_at: datetime
    views: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Cluster:
    """Items about one story, oldest first. `id` is the id of its first item."""

    items: tuple[Item, ...]

    @property
    def id(self) -> str:
        return self.items[0].id


@dataclass(frozen=True)
class Topic:
    """A cluster worth naming, with its score, the score's parts and the screen's verdict."""

    title: str
    items: tuple[Item, ...]
    score: float
    parts: dict[str, float]
    language: str
    verdict: Verdict
    id: str = ""
    repeat_of: str | None = None
    """Id of the recent topic that this one repeats."""


@dataclass(frozen=True)
class Findings:
    """What `find_topics` made of the items: topics by falling score, and what it left out."""

    topics: tuple[Topic, ...]
    rejected: tuple[Rejected, ...] = field(default=())
