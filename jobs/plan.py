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

from experiments import design, registration
from jobs.services import Services
from publisher.ledger.models import Block, Channel, Experiment, Slot, database
from publisher.settings import ChannelSettings

HORIZON_DAYS = 10


async def plan(services: Services, now: datetime) -> str:
    """Register the experiment on the first run; then plan ten days ahead and pair what is new.

    A slot already planned that the schedule no longer holds is dropped as long as its pair has
    no coin; with a coin it stays, for the assignment is not to be undone.
    """
    experiment = registered(services, now)
    added = dropped = paired = 0
    for channel in sync_channels(services):
        settings = services.settings.channel(channel.handle)
        assert settings is not None
        slots = wanted_slots(settings, now)
        with database.atomic():
            dropped += drop_unwanted(channel, slots, now)
            added += add_slots(channel, slots)
            paired += pair_new_slots(experiment, channel, settings)
    return f"slots +{added} −{dropped}, pairs +{paired}"


def sync_channels(services: Services) -> list[Channel]:
    """Channel rows for the config's channels; one that left the config is paused, not forgotten."""
    wanted = {c.handle.lower(): c for c in services.settings.channels}
    for row in Channel.select():
        settings = wanted.get(row.handle.lower())
        if settings is None and row.state != "gone":
            Channel.update(state="gone", reason="not in config.toml").where(
                Channel.id == row.id
            ).execute()
        if settings is not None and row.state == "gone":
            Channel.update(state="ok", reason="").where(Channel.id == row.id).execute()
    rows = []
    for handle, settings in wanted.items():
        row, _ = Channel.get_or_create(handle=handle)
        if not settings.paused:
            rows.append(row)
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
    times = {slot.at for slot in wanted}
    future = Slot.select().where(
        (Slot.channel == channel) & (Slot.state == "planned") & (Slot.at > now)
    )
    dropped = 0
    for slot in future:
        if slot.at in times or (slot.block and slot.block.coin):
            continue
        block = slot.block
        slot.delete_instance()
        dropped += 1
        if block:
            Slot.update(block=None).where(Slot.block == block).execute()
            block.delete_instance()
    return dropped


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
    return Experiment.create(
        name=wanted.experiment, started_at=now, simulated=bool(services.simulated), **values
    )


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
        secret_hash=design.secret_hash(experiment_secret(services)),
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


def experiment_secret(services: Services) -> bytes:
    """The experiment's secret, drawn once, kept beside the ledger, readable by its owner only.

    In a simulation it follows from the seed, so that the run can be repeated.
    """
    name = services.settings.experiment.name
    if services.simulated:
        return hashlib.sha256(f"{name}|{services.settings.experiment.seed}".encode()).digest()
    path = services.settings.state / f"{name}.secret"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return bytes.fromhex(path.read_text().strip())
