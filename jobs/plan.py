"""Plan slots from the channels' schedules and pair them inside the registered experiment."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from peewee import JOIN

from experiments import design, registration
from jobs.services import Services
from publisher.ledger.alerts import cure_alert
from publisher.ledger.models import Block, Channel, Experiment, Slot, database
from publisher.ledger.restored import RESTORED, first_state
from publisher.sentences import words
from publisher.settings import ChannelSettings

HORIZON_DAYS = 10
SECRET_BYTES = 32


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
    return words(
        "slots +{added} −{dropped}, pairs +{paired}", added=added, dropped=dropped, paired=paired
    )


def sync_channels(services: Services) -> list[Channel]:
    """Rows of the channels that post: those of the config that are not paused in it.

    The others are `gone`, not forgotten: nothing is sent there until they come back. What a
    restored ledger has not yet compared with its history stays held, in the config or not.
    """
    for channel in services.settings.channels:
        Channel.get_or_create(handle=channel.handle.lower(), defaults={"state": first_state()})
    rows = []
    for row in Channel.select().order_by(Channel.id):
        state, reason = standing(services, row.handle)
        if state == "ok":
            rows.append(row)
        if row.state == RESTORED or (state == "ok" and row.state != "gone"):
            continue
        changed = (
            Channel.update(state=state, reason=reason)
            .where((Channel.id == row.id) & (Channel.state == row.state))
            .execute()
        )
        if changed:
            # Should it be stopped again, the owner is told again; one that is gone needs nothing.
            cure_alert(f"channel:{row.handle}", services.clock())
    return rows


def standing(services: Services, handle: str) -> tuple[str, str]:
    """What config.toml makes of a channel that nothing else holds: its state and the reason."""
    settings = services.settings.channel(handle)
    if settings is None:
        return "gone", words("not in config.toml")
    return ("gone", words("paused in config.toml")) if settings.paused else ("ok", "")


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

    A change of what was registered becomes a new version with its reason. What is registered
    already under this name and secret holds for a ledger that does not know of it.
    """
    folder = registration_dir(services)
    row = Experiment.get_or_none(Experiment.name == services.settings.experiment.name)
    wanted = _registration(services, row.started_at if row else now)
    if row and row.version == registration.latest(folder) and _same(row.registration, wanted):
        return row
    last = next(reversed(registration.versions(folder)), None)
    if row is None and last and last.registration.secret_hash == wanted.secret_hash:
        wanted = replace(wanted, started=last.registration.started)
    written = _written(folder, wanted, last, row)
    values = {
        "registration": written.registration.to_dict(),
        "version": written.registration.version,
        "digest": written.sha256,
        "secret_hash": written.registration.secret_hash,
    }
    if row:
        Experiment.update(**values).where(Experiment.id == row.id).execute()
        return Experiment.get_by_id(row.id)
    with database.atomic():
        row = Experiment.create(
            name=wanted.experiment,
            started_at=_begin(wanted.started, now),
            simulated=bool(services.simulated),
            **values,
        )
        # Pairs planned for an earlier experiment whose coin is not drawn belong to the new one.
        Block.update(experiment=row).where(Block.coin.is_null()).execute()
    return row


def _written(
    folder: Path,
    wanted: registration.Registration,
    last: registration.Written | None,
    row: Experiment | None,
) -> registration.Written:
    """The last version if it says what is wanted, else one more; `last` is that of the folder."""
    if row and (last is None or last.registration.version < row.version):
        last = registration.put_back(registration.from_dict(row.registration), folder)
    if last is None:
        return registration.write(wanted, folder)
    if _same(last.registration.to_dict(), wanted):
        return last
    if row is None or not _same(row.registration, last.registration):
        reason = "the ledger was restored or begun anew"
    elif row.secret_hash != wanted.secret_hash:
        reason = "the secret was drawn anew"
    else:
        reason = "config.toml was changed"
    version = last.registration.version + 1
    return registration.write(replace(wanted, version=version, reason=reason), folder)


def _begin(started: str, now: datetime) -> datetime:
    """Now on the registered first day; for a ledger begun later, that day's first moment."""
    if now.astimezone(UTC).date().isoformat() == started:
        return now
    return datetime.combine(date.fromisoformat(started), time.min, UTC)


def registration_dir(services: Services) -> Path:
    return services.settings.reports / "registration" / services.settings.experiment.name


def _same(registered: dict[str, Any], wanted: registration.Registration) -> bool:
    """Whether all facts are equal, as JSON has them; the version and its reason are none."""
    one, two = (
        json.loads(json.dumps({**facts, "version": 0, "reason": ""}))
        for facts in (registered, wanted.to_dict())
    )
    return bool(one == two)


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

    In a simulation it follows from the seed, so that the run can be repeated. Raises ValueError
    when the file holds anything but such a secret.
    """
    if services.simulated:
        return hashlib.sha256(f"{name}|{services.settings.experiment.seed}".encode()).digest()
    path = services.settings.state / f"{name}.secret"
    if not path.exists():
        draw_secret(path)
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        raise ValueError(
            words(
                "{file} is not a secret of {bytes} bytes in hexadecimal digits: put it back from a "
                "backup; if there is none, move it away, and a new one is drawn and registered",
                file=path,
                bytes=SECRET_BYTES,
            )
        )
    return secret


def draw_secret(path: Path) -> None:
    """Write a new secret, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(SECRET_BYTES))
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
