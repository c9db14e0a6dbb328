"""Look for our memes in partners' channels: what is seen there is published, nothing else is."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from pathlib import Path

from telethon import errors

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Meme, Partner, Sighting, Suggestion
from publisher.partners.matching import coarse_hash, match, near
from publisher.sentences import words
from publisher.telegram.errors import classify
from publisher.telegram.peers import find_peer
from publisher.telegram.reading import Seen, read_history

log = logging.getLogger(__name__)
FIRST_LOOK = 60
IDLE_LOOK = timedelta(days=1)


async def watch(services: Services, now: datetime) -> str:
    """Read what partners posted since the last look; then close what is past its horizon.

    A partner with nothing of ours before it is looked at once a day, so that no meme is ever
    offered that the partner had already.
    """
    found = closed = 0
    for settings in services.settings.partners:
        partner = ledger.partner_row(settings.handle)
        if is_due(partner, now):
            # A channel that could not be read says nothing of what is in it: no closing then.
            with one_of_many(partner.handle):
                found += await look(services, partner, now)
                closed += ledger.close_past_horizon(partner, now)
    named = [p.handle.lower() for p in services.settings.partners]
    for partner in Partner.select().where(Partner.handle.not_in(named)):
        closed += ledger.close_past_horizon(partner, now)
    if not found and not closed:
        return ""
    return words("published {found}, past the horizon {closed}", found=found, closed=closed)


def is_due(partner: Partner, now: datetime) -> bool:
    if partner.watched_at is None or now - partner.watched_at >= IDLE_LOOK:
        return True
    return bool(ledger.awaiting(partner))


async def look(services: Services, partner: Partner, now: datetime) -> int:
    """Take in new pictures of one channel, oldest first; how many of them were offers of ours."""
    peer = await find_peer(services.account, partner.handle, now)
    first = partner.watched_at is None
    limit = FIRST_LOOK if first else 500
    seen = await read_history(
        services.account, peer, after_id=partner.channel_message_id, limit=limit
    )
    found = 0
    for post in sorted(seen, key=lambda s: s.message_id):
        if post.photo is not None:
            picture = await picture_of(services, partner, post)
            found += await take_in(services, partner, post, picture) if picture else 0
        Partner.update(channel_message_id=post.message_id).where(Partner.id == partner.id).execute()
    Partner.update(watched_at=now).where(Partner.id == partner.id).execute()
    return found


async def picture_of(services: Services, partner: Partner, post: Seen) -> bytes | None:
    """None for one that Telegram shows and refuses to give: those behind it do not wait for it."""
    try:
        return await services.account.download(post.photo)
    except errors.RPCError as error:
        if classify(error).kind != "refused":
            raise
        log.warning("%s/%d: the picture is refused: %s", partner.handle, post.message_id, error)
        return None


async def take_in(services: Services, partner: Partner, post: Seen, picture: bytes) -> int:
    """Write down a picture of the partner's, and the offer that it is, if it is one."""
    try:
        hashed = await asyncio.to_thread(coarse_hash, picture)
    except ValueError as error:
        log.warning("%s/%d: %s", partner.handle, post.message_id, error)
        return 0
    best, score = await asyncio.to_thread(
        find_meme, services.media, hashed, picture, known_memes(partner)
    )
    Sighting.insert(
        partner=partner,
        message_id=post.message_id,
        at=post.at,
        text=post.text,
        hash=hashed,
        meme=best,
        score=score,
    ).on_conflict_ignore().execute()
    if best is None:
        return 0
    row = offered_before(partner, best, post.at)
    return int(row is not None and ledger.seen_published(row, post.message_id, post.at))


def offered_before(partner: Partner, meme: int, at: datetime) -> Suggestion | None:
    return (
        Suggestion.select()
        .where(
            (Suggestion.partner == partner)
            & (Suggestion.meme == meme)
            & (Suggestion.state == "sent")
            & (Suggestion.sent_at <= at)
            & (Suggestion.horizon_at >= at)
        )
        .first()
    )


def known_memes(partner: Partner) -> list[tuple[int, str]]:
    """Memes with their files, those first that wait for an answer of this partner."""
    rows = Meme.select(Meme.id, Meme.file).where(
        (Meme.file != "") & Meme.state.in_(("used", "queued", "ready"))
    )
    awaited = {s.meme_id for s in ledger.awaiting(partner)}
    return sorted(((m.id, m.file) for m in rows), key=lambda m: m[0] not in awaited)


def find_meme(
    media: Path, hashed: str, picture: bytes, memes: list[tuple[int, str]]
) -> tuple[int | None, float]:
    """The first meme that this picture is, and how surely; None when it is none of them."""
    for meme, file in memes:
        path = media / file
        if not path.exists() or not near(hashed, hash_of_file(path)):
            continue
        found = match(path, picture)
        if found.same:
            return meme, found.score
    return None, 0.0


def hash_of_file(path: Path) -> str:
    if path not in _hashes:
        _hashes[path] = coarse_hash(path)
    return _hashes[path]


_hashes: dict[Path, str] = {}
