"""Offer memes to partners, each in its turn and within its manners."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from peewee import fn

from experiments import design
from jobs.hearing import sent_again
from jobs.plan import experiment_secret
from jobs.reconcile import likeliest
from jobs.services import Services
from jobs.trouble import one_of_many
from jobs.watch import find_meme
from publisher.embedding import embed
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Meme, Partner, Sighting, Suggestion, Topic
from publisher.ledger.restored import RESTORED, known_until
from publisher.partners import choice
from publisher.partners.matching import coarse_hash
from publisher.sentences import words
from publisher.settings.model import PartnerSettings
from publisher.telegram.reading import Seen, read_history
from publisher.telegram.recognising import print_of
from publisher.telegram.suggesting import NoInbox, Suggester, find_inbox
from publisher.wording import say

log = logging.getLogger(__name__)
Pool = dict[str, list[Meme]]
AUDIT_DEPTH = 2000


async def suggest(services: Services, now: datetime) -> str:
    """Settle unclear offers, then make the next one to each partner that may have it.

    After a restore each partner's inbox is first looked through for offers that the ledger lost.
    """
    ends: Counter[str] = Counter()
    if not services.settings.partners:
        return ""
    suggester = suggester_of(services)
    ledger.release_stale(now, services.worker)
    for one in services.settings.partners:
        partner = ledger.partner_row(one.handle)
        if partner.state == RESTORED:
            with one_of_many(partner.handle):
                ends["found after restore"] += await recall(services, partner, one, now)
    for row in ledger.unclear_ones(now, services.worker):
        settings = services.settings.partner(row.partner.handle)
        if settings is None or row.partner.state == RESTORED:
            continue
        with one_of_many(row.partner.handle):
            ends[await suggester.reconcile(row, settings)] += 1
    for settings in services.settings.partners:
        partner = ledger.partner_row(settings.handle)
        if not may_offer(partner, settings, now):
            continue
        with one_of_many(partner.handle):
            offer = ledger.due(partner, now)
            if offer is not None and shown_by(partner, offer.meme):
                ledger.failed(offer, "shown", words("the partner posted it meanwhile"))
                offer = None
            if offer is None and not ledger.has_open(partner):
                offer = await plan_next(services, partner, settings, now)
            if offer is not None:
                ends[await suggester.offer(offer, settings)] += 1
    return ", ".join(f"{state} {count}" for state, count in sorted(ends.items()) if count)


def shown_by(partner: Partner, meme: Meme) -> bool:
    """The partner posted the meme since the offer was planned."""
    seen = (Sighting.partner == partner) & (Sighting.meme == meme)
    return bool(Sighting.select().where(seen).exists())


def suggester_of(services: Services) -> Suggester:
    horizon = timedelta(days=services.settings.suggestions.horizon_days)
    return Suggester(services.account, services.media, services.worker, services.clock, horizon)


async def recall(
    services: Services, partner: Partner, settings: PartnerSettings, now: datetime
) -> int:
    """Write down our memes that stand in a partner's inbox and not in the ledger; how many."""
    try:
        inbox = await find_inbox(services.account, settings, now)
    except NoInbox as reason:
        ledger.stop_partner(partner, str(reason), now)
        return 0
    seen = await read_history(
        services.account, inbox.peer, after_id=last_known(services, settings), limit=AUDIT_DEPTH
    )
    horizon = timedelta(days=services.settings.suggestions.horizon_days)
    of_this = Suggestion.select(Suggestion.message_id).where(Suggestion.partner == partner)
    known = {row.message_id for row in of_this}  # by an earlier run that had to wait, too
    found = 0
    for message in reversed(seen):
        if not message.outgoing or message.photo is None or message.message_id in known:
            continue
        meme = await meme_in(services, message)
        if meme is None:
            log.info("%s/%d: a picture of no known meme", partner.handle, message.message_id)
            continue
        found += ledger.recall(
            partner,
            meme,
            message.message_id,
            message.at,
            horizon,
            members=settings.members,
            route=settings.route,
            caption=message.text,
        )
    ledger.recalled(partner, now)
    return found


def last_known(services: Services, settings: PartnerSettings) -> int:
    """The newest message in a partner's inbox that the ledger knew when it was backed up; 0 for
    none. Other partners may share the inbox.
    """
    until = known_until()
    if until is None:
        return 0
    sharing = [
        p.handle.lower()
        for p in services.settings.partners
        if p.handle == settings.handle or (p.inbox and p.inbox == settings.inbox)
    ]
    known = (
        Suggestion.select(fn.MAX(Suggestion.message_id))
        .join(Partner)
        .where(Partner.handle.in_(sharing) & (Suggestion.sent_at <= until))
    )
    return known.scalar() or 0


async def meme_in(services: Services, message: Seen) -> Meme | None:
    """The meme that a message of ours shows."""
    picture = await services.account.download(message.photo)
    try:
        theirs, hashed = print_of(picture), await asyncio.to_thread(coarse_hash, picture)
    except (OSError, ValueError):
        return None
    memes = {m.id: m for m in likeliest(services, theirs, Meme.state.in_(CHANNELS_OWN))}
    files = [(m.id, m.file) for m in memes.values()]
    best, _ = await asyncio.to_thread(find_meme, services.media, hashed, picture, files)
    return memes[best] if best is not None else None


CHANNELS_OWN = ("ready", "queued", "used", "retired")


def may_offer(partner: Partner, settings: PartnerSettings, now: datetime) -> bool:
    """Manners: not when stopped or asked to wait, at night, too soon, or beyond the day's limit.

    A partner whose channel was never watched gets nothing: what it has posted is not known.
    """
    if partner.state != "ok" or partner.watched_at is None:
        return False
    if partner.backoff_until and partner.backoff_until > now:
        return False
    zone = ZoneInfo(settings.zone)
    if is_quiet(now.astimezone(zone).time(), settings.quiet_hours):
        return False
    midnight = datetime.combine(now.astimezone(zone).date(), time.min, zone)
    sent = list(
        Suggestion.select(Suggestion.sending_at)
        .where(
            (Suggestion.partner == partner)
            & (Suggestion.sending_at >= min(midnight, now - timedelta(days=1)))
            & Suggestion.state.in_(("sending", "sent"))
        )
        .order_by(Suggestion.sending_at)
    )
    today = [s for s in sent if s.sending_at >= midnight]
    twice = [r for r in sent_again(partner) if r.action_at and r.action_at >= midnight]
    if len(today) + len(twice) >= settings.daily_limit:
        return False
    return not sent or now - sent[-1].sending_at >= timedelta(minutes=settings.gap_minutes)


def is_quiet(local: time, hours: tuple[str, str]) -> bool:
    """Whether a local time lies in quiet hours, which may span midnight; equal ends: never."""
    start, end = (time.fromisoformat(text) for text in hours)
    if start <= end:
        return start <= local < end
    return local >= start or local < end


async def plan_next(
    services: Services, partner: Partner, settings: PartnerSettings, now: datetime
) -> Suggestion | None:
    """Choose a meme and write the suggestion; None when there is nothing to offer.

    Whether the offer is in the randomised share, its arm and its meme follow from the
    experiment's secret, the partner and the number of the offer. Both arms' memes are known
    before the coin; with one arm empty the offer takes no part in the comparison.
    """
    horizon = timedelta(days=services.settings.suggestions.horizon_days)
    pool = offerable(partner, settings, now, horizon)
    number = Suggestion.select().where(Suggestion.partner == partner).count()
    experiment = services.settings.experiment.name
    secret = experiment_secret(services, experiment)
    name = f"box|{partner.handle}|{number}"
    share = services.settings.suggestions.random_share
    comparable = bool(pool["generated"] and pool["human"])
    in_share = comparable and choice.uniform(secret, name, "share") < share
    if not in_share and not pool["generated"]:
        return None
    greedy = await thompson(services, partner, settings, pool["generated"], secret, name)
    if in_share:
        arm = design.coin(secret, experiment, name)
        memes = pool[arm]
        drawn = choice.choose_uniformly(
            [choice.Candidate(m.id, m.template) for m in memes],
            choice.uniform(secret, name, "meme"),
        )
        chosen_by, meme_id = "random", drawn.meme
    else:
        probabilities, u = greedy, choice.uniform(secret, name, "meme")
        drawn = choice.draw(probabilities, u)
        chosen_by, meme_id = "thompson", drawn.meme
    meme = next(m for arm in pool.values() for m in arm if m.id == meme_id)
    mixed = share if comparable else 0.0
    at_random = 0.5 / len(pool[meme.origin]) if comparable else 0.0
    propensity = mixed * at_random + (1 - mixed) * greedy.get(meme.id, 0.0)
    return ledger.plan(
        partner,
        meme,
        horizon,
        now,
        arm=meme.origin,
        members=settings.members,
        route=settings.route,
        chosen_by=chosen_by,
        propensity=propensity,
        caption=caption_for(services, settings),
    )


def offerable(
    partner: Partner, settings: PartnerSettings, now: datetime, horizon: timedelta
) -> Pool:
    """Memes of each arm that this partner may be offered: our own channels had them first."""
    taken = ledger.taken_memes(partner, now - horizon)
    fresh = now - timedelta(days=FRESH_DAYS)
    memes = (
        Meme.select()
        .where(
            (Meme.state == "used")
            & (Meme.language == settings.language)
            & (Meme.file != "")
            & (Meme.created_at > fresh)
        )
        .order_by(Meme.id)
    )
    pool: Pool = {"generated": [], "human": []}
    for meme in memes:
        if meme.id not in taken and meme.origin in pool:
            pool[meme.origin].append(meme)
    return pool


FRESH_DAYS = 60


async def thompson(
    services: Services,
    partner: Partner,
    settings: PartnerSettings,
    memes: list[Meme],
    secret: bytes,
    name: str,
) -> dict[int, float]:
    """The probability of each generated meme; empty when there are none."""
    if not memes:
        return {}
    themes = await theme_similarity(services, settings, memes)
    candidates = [choice.Candidate(m.id, m.template, themes.get(m.id, 0.0)) for m in memes]
    rng = np.random.default_rng(int(choice.uniform(secret, name, "thompson") * 2**53))
    p = choice.thompson_probabilities(candidates, past(), partner.handle, rng)
    return {c.meme: float(x) for c, x in zip(candidates, p, strict=True)}


async def theme_similarity(
    services: Services, settings: PartnerSettings, memes: list[Meme]
) -> dict[int, float]:
    """Cosine of each meme's words with the nearest of the partner's themes."""
    if not settings.themes:
        return {}
    topics = {t.id: t.title for t in Topic.select().where(Topic.id << [m.topic_id for m in memes])}
    words = [" ".join([topics.get(m.topic_id, ""), *m.texts]).strip() for m in memes]
    model = services.settings.topics.embedding
    path = str(services.settings.path(model)) if model else None
    vectors = await services.workers.run(embed, [*settings.themes, *words], path)
    themes, texts = np.split(vectors, [len(settings.themes)])
    return {m.id: float(s) for m, s in zip(memes, (texts @ themes.T).max(axis=1), strict=True)}


def past() -> dict[tuple[str, str], tuple[int, int]]:
    """(partner, template) → published and settled, of generated memes."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    rows = (
        Suggestion.select(Suggestion, Partner, Meme)
        .join(Partner)
        .switch(Suggestion)
        .join(Meme)
        .where((Suggestion.outcome != "pending") & (Suggestion.arm == "generated"))
    )
    for row in rows:
        key = (row.partner.handle, row.meme.template)
        yes, settled = counts.get(key, (0, 0))
        counts[key] = (yes + (row.outcome == "published"), settled + 1)
    return counts


def caption_for(services: Services, settings: PartnerSettings) -> str:
    """The partner's own caption from config; else a courteous line where a person reads it."""
    if settings.caption or settings.route != "chat":
        return settings.caption
    channels = services.settings.channels
    ours = next((c for c in channels if c.language == settings.language), channels[0])
    return say("suggestion_caption", settings.language, channel=ours.handle)
