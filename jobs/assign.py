"""Fix both arms' memes of a pair, then draw its coin.

That is done hours before the first slot, so that an owner can look at the posts and nothing that
happens near the slot bears on the draw. While an arm has no meme, a pair is put off as long as
there is time: whichever arm it is, for nobody looks at the coin before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from experiments import design
from jobs.plan import experiment_secret
from jobs.services import Services
from publisher.ledger import transitions
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Block, Channel, Experiment, Meme, Slot
from publisher.sentences import words
from publisher.settings import parse_trigger
from publisher.settings.model import TIME_TO_LOOK

ARMS: tuple[design.Arm, design.Arm] = ("generated", "human")
Memes = dict[str, Meme | None]
"""Of each arm the meme for a pair, or None where the arm has none."""
LAST_CALL = timedelta(minutes=5)
"""A run of this job nearer to a slot than that waits no longer."""


async def assign(services: Services, now: datetime) -> str:
    """Assign every pair whose first slot is near, and every slot that found no twin.

    A channel whose ledger came back from a backup waits until its history was read: its slots may
    be filled and its memes posted already.
    """
    horizon = now + timedelta(hours=services.settings.experiment.assign_hours)
    pairs = singles = 0
    due = (
        Block.select(Block, Channel, Experiment)
        .join(Channel)
        .switch(Block)
        .join(Experiment)
        .where(Block.coin.is_null() & (Block.first_at <= horizon) & (Channel.state != "restored"))
        .order_by(Block.first_at, Block.id)
    )
    held: set[str] = set()
    for block in due:
        language = channel_language(services, block.channel)
        memes: Memes = {arm: next_meme(arm, language, now) for arm in ARMS}
        if None in memes.values() and can_wait(services, block.channel, block.first_at, now):
            held.add(language)
        else:
            pairs += assign_pair(services, block, memes, now)
    for slot in lonely_slots(horizon):
        singles += assign_single(services, slot, held, now)
    if not pairs and not singles:
        return ""
    return words("pairs {pairs}, single slots {singles}", pairs=pairs, singles=singles)


def assign_pair(services: Services, block: Block, memes: Memes, now: datetime) -> bool:
    slots = list(
        Slot.select(Slot, Channel).join(Channel).where(Slot.block == block).order_by(Slot.at)
    )
    experiment = block.experiment.name
    first = design.coin(experiment_secret(services, experiment), experiment, block.pair_id)
    arms = {block.first_at: first, block.second_at: design.other(first)}
    plans = [plan_for(services, slot, arms[slot.at], now) for slot in slots]
    done = transitions.assign_block(block, first, memes, plans, now)
    if done:
        warn_if_missing(services, memes, block.channel.handle, now)
    return done


def assign_single(services: Services, slot: Slot, held: set[str], now: datetime) -> bool:
    """A slot outside any pair: its arm by a coin of its own; it takes no part in the test.

    As long as it can wait it takes no meme of a language in `held`: a pair waits for one.
    """
    name = design.name_pair(design.PlannedSlot(slot.channel.handle, slot.at))
    experiment = services.settings.experiment.name
    arm = design.coin(experiment_secret(services, experiment), experiment, f"single|{name}")
    language = channel_language(services, slot.channel)
    meme = next_meme(arm, language, now)
    if (meme is None or language in held) and can_wait(services, slot.channel, slot.at, now):
        return False
    return transitions.fill_slot(slot, arm, meme, plan_for(services, slot, arm, now))


def can_wait(services: Services, channel: Channel, first_at: datetime, now: datetime) -> bool:
    """Whether a meme may yet come: the slot is further away than its post needs, for the owner's
    look where there is one, and this job runs again before half of the time to expire is over.
    """
    settings = services.settings
    rule = settings.channel(channel.handle)
    if rule is None:
        return False
    needed = timedelta(minutes=rule.approve_minutes) + TIME_TO_LOOK if rule.approve else LAST_CALL
    again = parse_trigger(settings.jobs.assign, settings.zone, now).get_next_fire_time(now, now)
    too_late = first_at + timedelta(minutes=rule.expire_minutes / 2)
    return first_at - now > needed and again is not None and again < too_late


def lonely_slots(horizon: datetime) -> list[Slot]:
    return list(
        Slot.select(Slot, Channel)
        .join(Channel)
        .where(
            (Slot.state == "planned")
            & Slot.block.is_null()
            & (Slot.at <= horizon)
            & (Channel.state != "restored")
        )
    )


def plan_for(services: Services, slot: Slot, arm: str, now: datetime) -> dict[str, Any]:
    channel = services.settings.channel(slot.channel.handle)
    expires = slot.at + timedelta(minutes=channel.expire_minutes if channel else 90)
    return {
        "slot": slot,
        "arm": arm,
        "caption": channel.caption if channel else "",
        "expires_at": expires,
        "too_late": expires <= now,
    }


def channel_language(services: Services, channel: Channel) -> str:
    settings = services.settings.channel(channel.handle)
    return settings.language if settings else services.settings.language


def next_meme(arm: str, language: str, now: datetime) -> Meme | None:
    """Human memes in the order they came; of the generated ones the best-ranked."""
    ready = Meme.select().where(
        (Meme.origin == arm) & (Meme.state == "ready") & (Meme.language == language)
    )
    order = (Meme.created_at, Meme.id) if arm == "human" else (Meme.score.desc(), Meme.id)
    return ready.order_by(*order).first()


def warn_if_missing(services: Services, memes: Memes, channel: str, now: datetime) -> None:
    """The owner who is to judge the other post of the pair is not told which arm lacks one."""
    rule = services.settings.channel(channel)
    judged = rule is not None and rule.approve and any(memes.values())
    for arm, meme in memes.items():
        key = f"no_meme:{channel}:{arm}"
        if meme is None and judged:
            raise_alert(key, "no_meme_blind", {"channel": channel}, now)
        elif meme is None:
            raise_alert(key, "no_meme", {"channel": channel, "arm": arm}, now)
        else:
            cure_alert(key, now)
