"""From items to topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from publisher.embedding import embed as built_in_embed
from publisher.screen import Verdict, screen_topics
from publisher.trends import score as scoring
from publisher.trends.clean import cut, is_readable, plain_text
from publisher.trends.cluster import THRESHOLD, WINDOW, cluster
from publisher.trends.items import (
    MAX_LEAD,
    MAX_TITLE,
    Cluster,
    Findings,
    Item,
    Rejected,
    Topic,
)
from publisher.trends.similarity import Embed, vectors

MAX_ITEMS = 10_000
SURE = 0.8
LEAD_SCREENED = 300
_SCREENED = 5
"""Items of a cluster that are screened beside its most typical one: the newest."""


def find_topics(
    items: Sequence[Item],
    now: datetime,
    *,
    window: timedelta = WINDOW,
    threshold: float = THRESHOLD,
    recent: Sequence[Topic] = (),
    blocklist: Sequence[str] = (),
    weights: scoring.Weights = scoring.USUAL,
    embed: Embed = built_in_embed,
) -> Findings:
    """Group `items` of the last `window` into topics, score and screen them.

    Topics come by falling score. One that repeats a topic of `recent` carries its id in
    `repeat_of`; one that may not be joked about carries the verdict that says why. Items that
    cannot be used (no readable title, from the future, older than the window, seen twice, beyond
    the newest MAX_ITEMS) are left out with a reason.
    """
    usable, rejected = _usable(items, now, window)
    clusters = cluster(usable, window=window, threshold=threshold, embed=embed)
    embed = _remembering(embed, [scoring.clean_title(item.title) for item in usable])
    titles = [scoring.topic_title(group, embed) for group in clusters]
    known = scoring.baselines(usable, now)
    liking = scoring.memeability(titles, embed)
    verdicts = _verdicts(clusters, titles, blocklist)
    repeated = _repeated(titles, recent, embed)
    topics = []
    for group, title, like, verdict, repeat in zip(
        clusters, titles, liking, verdicts, repeated, strict=True
    ):
        parts = {
            "breadth": scoring.breadth(group),
            "speed": scoring.speed(group, known, now),
            "freshness": scoring.freshness(group, now),
            "memeability": like,
        }
        topics.append(
            Topic(
                title=title,
                items=group.items,
                score=scoring.score(parts, weights),
                parts=parts,
                language=group.items[0].language,
                verdict=verdict,
                id=group.id,
                repeat_of=repeat,
            )
        )
    topics.sort(key=lambda topic: (-topic.score, topic.id))
    return Findings(tuple(topics), tuple(rejected))


def _remembering(embed: Embed, texts: Sequence[str]) -> Embed:
    """`embed` that already knows `texts`: one call for all of them instead of one for each
    cluster."""
    rows = dict(zip(texts, embed(texts), strict=True))

    def remembered(wanted: Sequence[str]) -> np.ndarray:
        if all(text in rows for text in wanted):
            return np.array([rows[text] for text in wanted])
        return embed(wanted)

    return remembered


def _usable(
    items: Sequence[Item], now: datetime, window: timedelta
) -> tuple[list[Item], list[Rejected]]:
    kept: list[Item] = []
    rejected: list[Rejected] = []
    seen: set[tuple[str, str]] = set()
    for raw in items:
        item = _cleaned(raw)
        reason = _fault(item, now, window, seen)
        if reason:
            rejected.append(Rejected(cut(item.title, 80) or item.id[:80], reason))
        else:
            seen.add((item.source, item.id))
            kept.append(item)
    if len(kept) > MAX_ITEMS:
        kept.sort(key=lambda item: (item.published_at, item.source, item.id))
        rejected += [
            Rejected(cut(item.title, 80), f"beyond the newest {MAX_ITEMS} items")
            for item in kept[:-MAX_ITEMS]
        ]
        kept = kept[-MAX_ITEMS:]
    return kept, rejected


def _cleaned(item: Item) -> Item:
    published = item.published_at
    published = (
        published.replace(tzinfo=UTC) if published.tzinfo is None else published.astimezone(UTC)
    )
    return replace(
        item,
        published_at=published,
        title=plain_text(item.title, MAX_TITLE),
        lead=plain_text(item.lead, MAX_LEAD),
    )


def _fault(item: Item, now: datetime, window: timedelta, seen: set[tuple[str, str]]) -> str | None:
    if not item.title:
        return "no title"
    if not is_readable(item.title):
        return "unreadable title"
    if (item.source, item.id) in seen:
        return "seen twice"
    if item.published_at > now:
        return "from the future"
    if now - item.published_at > window:
        return "older than the window"
    return None


def _verdicts(
    clusters: Sequence[Cluster], titles: Sequence[str], blocklist: Sequence[str]
) -> list[Verdict]:
    """The verdict on each cluster's own title with its lead; refused too when one of its newest
    items is refused with a score of SURE or more."""
    texts: list[str] = []
    spans: list[tuple[int, int]] = []
    for group, title in zip(clusters, titles, strict=True):
        own = next(
            (i for i in group.items if scoring.clean_title(i.title) == title), group.items[0]
        )
        chosen = dict.fromkeys(_screened_text(i) for i in (own, *group.items[-_SCREENED:]))
        spans.append((len(texts), len(texts) + len(chosen)))
        texts += chosen
    verdicts = screen_topics(texts, blocklist)
    return [
        next(
            (v for v in verdicts[start + 1 : stop] if not v.ok and v.score >= SURE),
            verdicts[start],
        )
        if verdicts[start].ok
        else verdicts[start]
        for start, stop in spans
    ]


def _screened_text(item: Item) -> str:
    return f"{item.title}. {item.lead[:LEAD_SCREENED]}" if item.lead else item.title


def _repeated(titles: Sequence[str], recent: Sequence[Topic], embed: Embed) -> list[str | None]:
    if not recent or not titles:
        return [None] * len(titles)
    every = [*titles, *(topic.title for topic in recent)]
    known = vectors(every, [""] * len(every), embed)
    places = range(len(titles), len(every))
    found: list[str | None] = []
    for index in range(len(titles)):
        similarity = known.between(index, places)
        best = int(np.argmax(similarity))
        found.append(recent[best].id if similarity[best] >= scoring.REPEAT_THRESHOLD else None)
    return found
