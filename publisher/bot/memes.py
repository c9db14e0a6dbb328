"""Memes that the bot has at hand: made for a wish today, or published by the channel before.

A meme made for a wish is a `Meme` in state `bot`, forgotten after a day unless its person offered
it to the channel. What waits for a slot is never shown here: the channel's readers, and the
experiment, are to see it first.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path

from peewee import fn

from jobs.services import Services
from publisher.ledger.models import Meme
from publisher.memes.make import Made

KEPT = timedelta(days=1)
OFFER_KEPT = timedelta(days=7)
STOCK = 300


def topic_key(topic: str, language: str) -> str:
    """What makes two topics the same: letters and digits, in lower case, ё as е."""
    plain = " ".join(re.findall(r"\w+", topic.lower().replace("ё", "е")))
    return f"{language}:{plain}"[:255]


def keep_made(
    services: Services, made: Made, topic: str, language: str, now: datetime
) -> list[Meme]:
    """Write the chosen memes down for a day."""
    kept = []
    for candidate in made.chosen:
        assert candidate.jpeg is not None
        file, digest = services.keep_picture(candidate.jpeg, "bot")
        caption = candidate.caption
        kept.append(
            Meme.create(
                origin="generated",
                template=caption.template,
                texts=list(caption.texts),
                language=language,
                method=caption.method,
                provenance=caption.source,
                model=caption.model,
                prompt=caption.prompt,
                seed=caption.seed,
                file=file,
                sha256=digest,
                phash=candidate.phash,
                licence="see template",
                score=candidate.score,
                reasons={**candidate.reasons, "topic": topic},
                state="bot",
                wished=topic_key(topic, language),
                created_at=now,
            )
        )
    return kept


def on_topic(key: str, not_these: Collection[int], other_than: str = "") -> Meme | None:
    """A meme made for this topic today, with another template when that is asked for."""
    query = Meme.select().where(
        (Meme.wished == key) & (Meme.file != "") & Meme.id.not_in(list(not_these))
    )
    if other_than:
        query = query.where(Meme.template != other_than)
    return query.order_by(Meme.id).first()


def ready_made(language: str, not_these: Collection[int], seed: str) -> Meme | None:
    """Any meme the channel has shown already."""
    shown = [meme for meme in channel_stock(language) if meme.id not in not_these]
    return random.Random(seed).choice(shown) if shown else None


def channel_stock(language: str) -> list[Meme]:
    """The latest memes the channel published or let go."""
    return list(
        Meme.select()
        .where(
            Meme.state.in_(("used", "retired")) & (Meme.language == language) & (Meme.file != "")
        )
        .order_by(Meme.id.desc())
        .limit(STOCK)
    )


def search(topic: str, language: str, count: int) -> list[Meme]:
    """Published memes whose texts share words with the topic, the best first.

    Words are compared by their first five letters, which is enough for Russian endings. Without
    a topic: the newest.
    """
    wanted = stems(topic)
    found = []
    for meme in channel_stock(language):
        own = stems(
            " ".join(map(str, meme.texts)) + " " + str(meme.topic.title if meme.topic else "")
        )
        score = len(wanted & own)
        if score or not wanted:
            found.append((-score, -meme.id, meme))
    return [meme for _, _, meme in sorted(found, key=lambda row: row[:2])[:count]]


def stems(text: str) -> set[str]:
    return {w[:5] for w in re.findall(r"\w{3,}", text.lower().replace("ё", "е"))}


def forget(services: Services, now: datetime) -> int:
    """Delete memes made for wishes more than a day ago, pictures too; those offered to the
    channel have a week to be decided on."""
    made = (Meme.state == "bot") & (Meme.created_at < now - KEPT)
    offered = Meme.state.in_(("offered", "considered")) & (Meme.created_at < now - OFFER_KEPT)
    old = list(Meme.select().where(made | offered))
    for meme in old:
        others = Meme.select(fn.COUNT(Meme.id)).where(
            (Meme.file == meme.file) & (Meme.id != meme.id)
        )
        if meme.file and not others.scalar():
            Path(services.media / meme.file).unlink(missing_ok=True)
        meme.delete_instance()
    return len(old)
