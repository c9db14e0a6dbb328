"""Cluster the latest items into topics, score and screen them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from jobs.services import Services
from publisher import trends
from publisher.embedding import embed
from publisher.ledger import transitions
from publisher.ledger.models import Item, Meme, Post, Source, Topic, database
from publisher.screen import Verdict
from publisher.sentences import words

PASSED = Verdict(ok=True, reason="ok", score=0.0)


async def topics(services: Services, now: datetime) -> str:
    """Bring topics up to date with the items; what turned sensitive is withdrawn."""
    rule = services.settings.topics
    window = timedelta(hours=rule.window_hours)
    items = latest_items(now - window)
    if not items or not any(item.topic_id is None for item in items):
        return ""
    found = await services.workers.run(
        find_in_child,
        [as_item(item) for item in items],
        now,
        window,
        recent_topics(now - timedelta(days=rule.repeat_days)),
        rule.blocklist,
        str(services.settings.path(rule.embedding)) if rule.embedding else None,
    )
    rows = {str(item.id): item for item in items}
    new = 0
    with database.atomic():
        for rejected in found.rejected:
            quarantine(rejected, items)
        for topic in found.topics:
            new += keep(topic, rows, now)
    withdrawn = withdraw_sensitive()
    return words(
        "topics {count}, new {new}, withdrawn {withdrawn}",
        count=len(found.topics),
        new=new,
        withdrawn=withdrawn,
    )


def find_in_child(
    items: list[trends.Item],
    now: datetime,
    window: timedelta,
    recent: list[trends.Topic],
    blocklist: tuple[str, ...],
    embedding: str | None,
) -> trends.Findings:
    return trends.find_topics(
        items,
        now,
        window=window,
        recent=recent,
        blocklist=blocklist,
        embed=partial(embed, model_path=embedding),
    )


def latest_items(since: datetime) -> list[Item]:
    return list(
        Item.select(Item, Source)
        .join(Source)
        .where((Item.published_at >= since) & (Item.quarantined == ""))
        .order_by(Item.published_at, Item.id)
    )


def as_item(item: Item) -> trends.Item:
    return trends.Item(
        id=str(item.id),
        source=item.source.key,
        title=item.title,
        lead=item.lead,
        language=item.language,
        published_at=item.published_at,
        views=item.views,
        url=item.url,
    )


def recent_topics(since: datetime) -> list[trends.Topic]:
    """Topics joked about lately: not to be joked about again."""
    used = Topic.select().where(Topic.used_at.is_null(False) & (Topic.used_at >= since))
    return [
        trends.Topic(
            title=t.title,
            items=(),
            score=t.score,
            parts={},
            language=t.language,
            verdict=PASSED,
            id=str(t.id),
        )
        for t in used
    ]


def keep(found: trends.Topic, rows: dict[str, Item], now: datetime) -> bool:
    """Write a topic down, over the row its items already have; True when it is new."""
    own = [rows[item.id] for item in found.items]
    known = next((item.topic_id for item in own if item.topic_id), None)
    repeats = found.repeat_of is not None and found.repeat_of != str(known)
    reason = found.verdict.reason if not found.verdict.ok else "repeat" if repeats else ""
    values = {
        "title": found.title,
        "language": found.language,
        "score": found.score,
        "parts": found.parts,
        "ok": found.verdict.ok and not repeats,
        "reason": reason,
        "terms": list(found.verdict.terms),
    }
    if known:
        Topic.update(**values).where(Topic.id == known).execute()
    else:
        known = Topic.create(found_at=now, **values).id
    Item.update(topic=known).where(Item.id.in_([item.id for item in own])).execute()
    return not any(item.topic_id for item in own)


def quarantine(rejected: trends.Rejected, items: list[Item]) -> None:
    """Set aside an item that cannot be used, with its reason."""
    if rejected.reason.startswith("older"):
        return
    for item in items:
        if item.title.startswith(rejected.title[:40]):
            Item.update(quarantined=rejected.reason).where(Item.id == item.id).execute()


def withdraw_sensitive() -> int:
    """Memes and posts on a topic that turned out to be no matter for jokes."""
    bad = Topic.select(Topic.id).where((Topic.ok == False) & (Topic.reason != "repeat"))  # noqa: E712
    withdrawn = (
        Meme.update(state="retired", refusal=words("its topic turned sensitive"))
        .where(Meme.topic.in_(bad) & (Meme.state == "ready"))
        .execute()
    )
    waiting = Post.select(Post).join(Meme).where(Meme.topic.in_(bad) & (Post.state == "planned"))
    for post in waiting:
        withdrawn += transitions.failed(post, "screen", words("its topic turned sensitive"))
    return withdrawn
