"""Memes that the bot has at hand: made for a wish today, or published by the channel before.

A meme made for a wish is a `Meme` in state `bot`, forgotten after a day unless its person offered
it to the channel. What waits for a slot is never shown here: the channel's readers, and the
experiment, are to see it first.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from peewee import JOIN, fn

from jobs.generate import Texts, write_down
from jobs.services import Services
from publisher.ledger.models import Meme, Topic
from publisher.memes.make import Made

KEPT = timedelta(days=1)
OFFER_KEPT = timedelta(days=7)
NEWEST = 3000
"""Memes made for wishes that are kept at most, whatever a flood asks for."""
STOCK = 300
STOCK_FOR = timedelta(minutes=1)
READY = 20


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
        meme = write_down(
            candidate,
            language,
            now,
            file=file,
            sha256=digest,
            state="bot",
            reasons={**candidate.reasons, "topic": topic},
            wished=topic_key(topic, language),
        )
        kept.append(meme)
    return kept


def on_topic(key: str, not_these: Collection[int], other_than: str = "") -> Meme | None:
    """A meme made for this topic today, with another template when that is asked for."""
    query = Meme.select().where(
        (Meme.wished == key) & (Meme.file != "") & Meme.id.not_in(list(not_these))
    )
    if other_than:
        query = query.where(Meme.template != other_than)
    return query.order_by(Meme.id).first()


def texts_on(key: str) -> Texts:
    """What memes made for this topic today say."""
    rows = Meme.select(Meme.template, Meme.texts).where(Meme.wished == key)
    return tuple((meme.template, tuple(meme.texts)) for meme in rows)


def channel_stock(language: str) -> list[Meme]:
    """The latest memes the channel published or let go."""
    return list(
        Meme.select(Meme, Topic)
        .join(Topic, JOIN.LEFT_OUTER)
        .where(
            Meme.state.in_(("used", "retired")) & (Meme.language == language) & (Meme.file != "")
        )
        .order_by(Meme.id.desc())
        .limit(STOCK)
    )


@dataclass
class Stock:
    """What the channel has shown, read again every minute: a flood asks for it with each word."""

    _read: dict[str, tuple[datetime, list[tuple[Meme, set[str]]]]] = field(default_factory=dict)

    def any_of(
        self, language: str, not_these: Collection[int], seed: str, now: datetime
    ) -> Meme | None:
        """One of the newest memes the channel has shown, of few, so that few are uploaded."""
        shown = [meme for meme, _ in self._memes(language, now) if meme.id not in not_these]
        return random.Random(seed).choice(shown[:READY]) if shown else None

    def search(self, topic: str, language: str, count: int, now: datetime) -> list[Meme]:
        """Memes whose texts share words with the topic, the best first.

        Words are compared by their first five letters, which is enough for Russian endings.
        Without a topic: the newest.
        """
        wanted = stems(topic)
        found = []
        for meme, own in self._memes(language, now):
            score = len(wanted & own)
            if score or not wanted:
                found.append((-score, -meme.id, meme))
        return [meme for _, _, meme in sorted(found, key=lambda row: row[:2])[:count]]

    def _memes(self, language: str, now: datetime) -> list[tuple[Meme, set[str]]]:
        """With the stems of their words and of their topic's."""
        at, known = self._read.get(language, (None, []))
        if at is None or not timedelta(0) <= now - at < STOCK_FOR:
            known = [
                (meme, stems(" ".join(map(str, (*meme.texts, meme.topic and meme.topic.title)))))
                for meme in channel_stock(language)
            ]
            self._read[language] = (now, known)
        return known


def stems(text: str) -> set[str]:
    return {w[:5] for w in re.findall(r"\w{3,}", text.lower().replace("ё", "е"))}


def forget(services: Services, now: datetime) -> int:
    """Delete memes made for wishes more than a day ago, or before the newest `NEWEST`, pictures
    too; those offered to the channel have a week to be decided on."""
    newest = Meme.select(Meme.id).where(Meme.state == "bot").order_by(Meme.id.desc())
    last = newest.offset(NEWEST).limit(1).scalar() or 0
    made = (Meme.state == "bot") & ((Meme.created_at < now - KEPT) | (Meme.id <= last))
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
