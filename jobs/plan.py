"""Plan slots from the channels' schedules and pair them inside the registered experiment."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from peewee import JOIN

from experiments import design, registration
from jobs.services import Services
from publisher.ledger.models import Block, Channel, Experiment, Slot, database
from publisher.settings import ChannelSettings

HORIZON_DAYS = 10


async def plan(services: Services, now: datetime) -> str:
    """Register the experiment on the first run; then plan ten days ahead and pair what is new.

    A slot already planned that the schedule no longer holds is dropped as long as its pair has
    no coin; with a coin it stays, for the assignment is not to be undone. A channel that is
    paused or left the config keeps only such slots, and their posts expire.
    """
    experiment = registered(services, now)
    added = dropped = paired = 0
    active = sync_channels(services)
    for channel in Channel.select().where(Channel.id.not_in([c.id for c in active])):
        with database.atomic():
            dropped += drop_unwanted(channel, [], now)
    for channel in active:
        settings = services.settings.channel(channel.handle)
        assert settings is not None
        slots = wanted_slots(settings, now)
        with database.atomic():
            dropped += drop_unwanted(channel, slots, now)
            added += add_slots(channel, slots)
            paired += pair_new_slots(experiment, channel, settings)
    return f"slots +{added} −{dropped}, pairs +{paired}"


def sync_channels(services: Services) -> list[Channel]:
    """Rows of the channels that post: those of the config that are not paused in it.

    The others are `gone`, not forgotten: nothing is sent there until they come back.
    """
    wanted = {c.handle.lower(): c for c in services.settings.channels}
    for handle in wanted:
        Channel.get_or_create(handle=handle)
    rows = []
    for row in Channel.select().order_by(Channel.id):
        settings = wanted.get(row.handle.lower())
        if settings and not settings.paused:
            rows.append(row)
            state, reason = ("ok", "") if row.state == "gone" else (row.state, row.reason)
        elif row.state == "restored":
            continue  # to be compared with its history first
        else:
            state = "gone"
            reason = "paused in config.toml" if settings else "not in config.toml"
        Channel.update(state=state, reason=reason).where(
            (Channel.id == row.id) & (Channel.state == row.state)
        ).execute()
    return rows


def wanted_slots(channel: ChannelSettings, now: datetime) -> list[design.PlannedSlot]:
    today = now.astimezone(ZoneInfo(channel.zone)).date()
    slots = design.plan_slots(
        channel.handle.lower(),
        channel.times,
        channel.weekdays,
        channel.zone,
        today,
        today + timedelta(days=HORIZON_DAYS),
        [date.fromisoformat(day) for day in channel.holidays],
    )
    return [slot for slot in slots if slot.at > now]


def drop_unwanted(channel: Channel, wanted: list[design.PlannedSlot], now: datetime) -> int:
    """Delete future slots without a coin that are not wanted; a twin left over is free again."""
    times = {slot.at for slot in wanted}
    future = (
        Slot.select(Slot, Block)
        .join(Block, JOIN.LEFT_OUTER)
        .where((Slot.channel == channel) & (Slot.state == "planned") & (Slot.at > now))
    )
    unwanted = [
        slot for slot in future if slot.at not in times and not (slot.block and slot.block.coin)
    ]
    blocks = {slot.block_id for slot in unwanted if slot.block_id}
    Slot.delete().where(Slot.id.in_([slot.id for slot in unwanted])).execute()
    Slot.update(block=None).where(Slot.block.in_(list(blocks))).execute()
    Block.delete().where(Block.id.in_(list(blocks))).execute()
    return len(unwanted)


def add_slots(channel: Channel, wanted: list[design.PlannedSlot]) -> int:
    have = {slot.at for slot in Slot.select(Slot.at).where(Slot.channel == channel)}
    new = [slot for slot in wanted if slot.at not in have]
    for slot in new:
        Slot.create(channel=channel, at=slot.at)
    return len(new)


def pair_new_slots(experiment: Experiment, channel: Channel, settings: ChannelSettings) -> int:
    free = Slot.select().where(
        (Slot.channel == channel) & Slot.block.is_null() & (Slot.state == "planned")
    )
    rows = {slot.at: slot for slot in free}
    pairs, _ = design.pair_slots(
        [design.PlannedSlot(channel.handle, at) for at in rows],
        settings.zone,
        [date.fromisoformat(day) for day in settings.holidays],
    )
    for pair in pairs:
        block = Block.create(
            pair_id=pair.pair_id,
            experiment=experiment,
            channel=channel,
            first_at=pair.first.at,
            second_at=pair.second.at,
        )
        for planned in (pair.first, pair.second):
            Slot.update(block=block).where(Slot.id == rows[planned.at].id).execute()
    return len(pairs)


def registered(services: Services, now: datetime) -> Experiment:
    """The experiment's row; the first call writes the pre-registration, before any coin.

    A change of what was registered becomes a new version with its reason.
    """
    settings = services.settings
    row = Experiment.get_or_none(Experiment.name == settings.experiment.name)
    started = row.started_at if row else now
    wanted = _registration(services, started)
    if row and _facts(row.registration) == _facts(wanted.to_dict()):
        return row
    if row:
        wanted = replace(wanted, version=row.version + 1, reason="config.toml was changed")
    written = registration.write(wanted, registration_dir(services))
    values = {
        "registration": wanted.to_dict(),
        "version": wanted.version,
        "digest": written.sha256,
        "secret_hash": wanted.secret_hash,
    }
    if row:
        Experiment.update(**values).where(Experiment.id == row.id).execute()
        return Experiment.get_by_id(row.id)
    with database.atomic():
        row = Experiment.create(
            name=wanted.experiment, started_at=now, simulated=bool(services.simulated), **values
        )
        # Pairs planned for an earlier experiment whose coin is not drawn belong to the new one.
        Block.update(experiment=row).where(Block.coin.is_null()).execute()
    return row


def registration_dir(services: Services) -> Path:
    return services.settings.reports / "registration" / services.settings.experiment.name


def _facts(registered: dict[str, Any]) -> dict[str, Any]:
    """What was registered, as JSON has it, without the version and its reason."""
    facts = json.loads(json.dumps(registered))
    return {name: value for name, value in facts.items() if name not in ("version", "reason")}


def _registration(services: Services, started: datetime) -> registration.Registration:
    s = services.settings
    meanings = {e: "positive" for e in s.reactions.positive}
    meanings |= {e: "negative" for e in s.reactions.negative}
    return registration.Registration(
        experiment=s.experiment.name,
        hypothesis=s.experiment.hypothesis,
        started=started.astimezone(UTC).date().isoformat(),
        secret_hash=design.secret_hash(experiment_secret(services, s.experiment.name)),
        age_hours=s.experiment.age_hours,
        looks=s.experiment.planned_weeks,
        planned_pairs=planned_pairs(services),
        margin=s.experiment.margin,
        seed=s.experiment.seed,
        reactions=meanings,
    )


def planned_pairs(services: Services) -> int:
    """Half the slots of a week, over the planned weeks."""
    week = sum(len(c.times) * len(c.weekdays) for c in services.settings.channels if not c.paused)
    return week * services.settings.experiment.planned_weeks // 2


def experiment_secret(services: Services, name: str) -> bytes:
    """The experiment's secret, drawn once, kept beside the ledger, readable by its owner only.

    In a simulation it follows from the seed, so that the run can be repeated.
    """
    if services.simulated:
        return hashlib.sha256(f"{name}|{services.settings.experiment.seed}".encode()).digest()
    path = services.settings.state / f"{name}.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return bytes.fromhex(path.read_text().strip())
