"""Slots, pairs, coins and arms as the jobs write them into the ledger."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiments import design, registration
from jobs.assign import assign
from jobs.plan import experiment_secret, plan, planned_pairs, registration_dir
from jobs.publish import publish
from jobs.runner import run_job
from jobs.services import Services
from jobs.snapshot import snapshot
from publisher.ledger.models import Alert, Block, Channel, Experiment, Meme, Post, Slot, Snapshot
from publisher.sandbox import LoopbackTelegram
from publisher.settings.model import ChannelSettings
from publisher.telegram.publishing import stop_channel
from tests.conftest import Clock, picture


def stock(services: Services, arm: str, count: int, now: datetime) -> None:
    for number in range(count):
        file, digest = services.keep_picture(picture(hash((arm, number)) % 10_000), arm)
        Meme.create(
            origin=arm,
            language="ru",
            method="frame",
            file=file,
            sha256=digest,
            created_at=now,
            score=number,
        )


def with_channel(services: Services, **changes: object) -> None:
    channel = services.settings.channels[0].model_copy(update=changes)
    services.settings = services.settings.model_copy(update={"channels": (channel,)})


async def test_the_registration_is_written_before_any_coin(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    written = registration_dir(services) / "registration-v1.json"
    row = Experiment.get()
    assert written.exists() and row.version == 1
    assert row.secret_hash == design.secret_hash(experiment_secret(services, row.name))
    assert Block.select().where(Block.coin.is_null(False)).count() == 0
    assert row.registration["planned_pairs"] == planned_pairs(services) == 56


async def test_a_change_of_the_registered_is_a_new_version(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    experiment = services.settings.experiment.model_copy(update={"margin": 0.1})
    services.settings = services.settings.model_copy(update={"experiment": experiment})
    await plan(services, clock())
    await plan(services, clock())
    assert Experiment.get().version == 2
    assert (registration_dir(services) / "registration-v2.json").exists()
    assert not (registration_dir(services) / "registration-v3.json").exists()


def versions(services: Services) -> list[registration.Registration]:
    return [w.registration for w in registration.versions(registration_dir(services))]


def set_margin(services: Services, margin: float) -> None:
    experiment = services.settings.experiment.model_copy(update={"margin": margin})
    services.settings = services.settings.model_copy(update={"experiment": experiment})


def forget_experiment() -> None:
    """A ledger begun anew, or from before the registration."""
    for table in (Slot, Block, Experiment):
        table.delete().execute()


async def test_a_ledger_that_lost_the_experiment_takes_up_its_registration(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    first = Experiment.get()
    forget_experiment()
    clock.forward(days=1, hours=1)
    for _ in range(2):
        assert "pairs" in await plan(services, clock.forward(hours=1))
    row = Experiment.get()
    assert (row.version, row.digest, row.registration) == (1, first.digest, first.registration)
    assert row.started_at.date() == first.started_at.date()
    assert len(versions(services)) == 1 and Slot.select().exists()


async def test_a_ledger_that_lost_the_experiment_and_another_config_is_a_new_version(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    forget_experiment()
    set_margin(services, 0.1)
    for _ in range(2):
        await plan(services, clock.forward(days=1))
    first, second = versions(services)
    assert (second.version, second.margin) == (2, 0.1) and "begun anew" in second.reason
    assert second.started == first.started and second.secret_hash == first.secret_hash


async def test_another_secret_under_the_same_name_begins_on_its_own_day(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    forget_experiment()
    (services.settings.state / f"{services.settings.experiment.name}.secret").unlink()
    for _ in range(2):
        await plan(services, clock.forward(days=3))
    first, second = versions(services)
    assert second.secret_hash != first.secret_hash and "begun anew" in second.reason
    assert second.started == "2026-03-05" and Experiment.get().started_at.day == 5


async def test_a_restored_ledger_older_than_the_last_version(
    services: Services, clock: Clock
) -> None:
    """The same config takes the last version; one of before the last is one more version."""
    await plan(services, clock())
    old = dict(Experiment.select().dicts().get())
    set_margin(services, 0.1)
    await plan(services, clock.forward(days=1))
    Experiment.update(**old).execute()
    await plan(services, clock.forward(days=1))
    assert Experiment.get().version == 2 and len(versions(services)) == 2
    Experiment.update(**old).execute()
    set_margin(services, old["registration"]["margin"])
    for _ in range(2):
        await plan(services, clock.forward(days=1))
    assert Experiment.get().version == 3
    third = versions(services)[2]
    assert third.margin == old["registration"]["margin"] and "restored" in third.reason


async def test_lost_reports_get_the_registration_back_from_the_ledger(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    set_margin(services, 0.1)
    await plan(services, clock())
    second = versions(services)[1]
    shutil.rmtree(services.settings.reports)
    await plan(services, clock.forward(days=1))
    assert versions(services) == [second]
    shutil.rmtree(services.settings.reports)
    set_margin(services, 0.15)
    for _ in range(2):
        await plan(services, clock.forward(days=1))
    assert [(v.version, v.margin) for v in versions(services)] == [(2, 0.1), (3, 0.15)]
    assert versions(services)[1].reason == "config.toml was changed"


async def test_a_row_that_could_not_be_written_is_written_the_next_day(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Experiment, "create", full)
    assert not (await run_job(services, "plan", clock())).ok
    monkeypatch.undo()
    assert (await run_job(services, "plan", clock.forward(days=1))).ok
    row = Experiment.get()
    assert (row.version, row.registration["started"]) == (1, "2026-03-02")
    assert row.started_at == datetime(2026, 3, 2, tzinfo=UTC)


async def test_a_registration_cut_short_is_not_taken_for_one(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment_secret(services, services.settings.experiment.name)
    monkeypatch.setattr(Path, "write_text", full_disk)
    monkeypatch.setattr(os, "fsync", full_disk)
    assert not (await run_job(services, "plan", clock())).ok
    monkeypatch.undo()
    assert (await run_job(services, "plan", clock())).ok
    assert len(versions(services)) == 1


def full_disk(*args: object, **kwargs: object) -> None:
    raise OSError(28, "No space left on device")


async def test_a_secret_cut_short_is_never_used(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "write_text", full_disk)
    monkeypatch.setattr(os, "fsync", full_disk)
    assert not (await run_job(services, "plan", clock())).ok
    monkeypatch.undo()
    assert (await run_job(services, "plan", clock())).ok
    path = services.settings.state / f"{Experiment.get().name}.secret"
    assert len(experiment_secret(services, Experiment.get().name)) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.glob("*.secret*")] == [path.name]


@pytest.mark.parametrize(
    "text",
    ["", "abcd", "zz" * 32, "ab" * 33, "ü" * 64],
    ids=["empty", "short", "no digits", "long", "no ASCII"],
)
async def test_a_file_that_is_no_secret_is_refused_with_what_to_do(
    services: Services, clock: Clock, text: str
) -> None:
    path = services.settings.state / f"{services.settings.experiment.name}.secret"
    path.write_text(text)
    run = await run_job(services, "plan", clock())
    assert not run.ok and str(path) in run.note and "from a backup" in run.note
    assert not Experiment.select().exists()
    assert not registration_dir(services).exists()


async def test_a_channel_stopped_again_after_a_pause_is_told_again(
    services: Services, clock: Clock
) -> None:
    await plan(services, clock())
    for reason in ("CHAT_WRITE_FORBIDDEN", "CHANNEL_PRIVATE"):
        stop_channel(Channel.get(), reason, clock())
        assert Alert.get(Alert.cured_at.is_null()).facts["reason"] == reason
        with_channel(services, paused=True)
        await plan(services, clock.forward(hours=1))
        assert not Alert.select().where(Alert.cured_at.is_null()).exists()
        with_channel(services, paused=False)
        await plan(services, clock.forward(hours=1))
        assert Channel.get().state == "ok"
        assert not Alert.select().where(Alert.cured_at.is_null()).exists()
    assert Alert.select().where(Alert.code == "channel_stopped").count() == 2


async def test_planning_again_changes_nothing(services: Services, clock: Clock) -> None:
    await plan(services, clock())
    before = [(s.channel_id, s.at, s.block_id) for s in Slot.select().order_by(Slot.id)]
    assert await plan(services, clock()) == "slots +0 −0, pairs +0"
    assert [(s.channel_id, s.at, s.block_id) for s in Slot.select().order_by(Slot.id)] == before


async def test_a_moved_slot_is_dropped_unless_its_coin_is_drawn(
    services: Services, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    await plan(services, clock())
    stock(services, "human", 3, clock())
    stock(services, "generated", 3, clock())
    await assign(services, clock())
    drawn = {s.at for s in Slot.select().where(Slot.arm.is_null(False))}
    assert len(drawn) == 2
    with_channel(services, times=("11:00", "18:00"))
    await plan(services, clock())
    future = {s.at for s in Slot.select()}
    assert drawn <= future
    ten_in_moscow = {at for at in future if at.hour == 7}
    assert ten_in_moscow == drawn
    assert any(at.hour == 8 for at in future)
    assert Block.select().where(Block.coin.is_null(False)).count() == 1


@pytest.mark.parametrize(
    ("start", "days"),
    [
        (datetime(2026, 3, 27, 0, 0, tzinfo=UTC), 11),
        (datetime(2026, 10, 23, 0, 0, tzinfo=UTC), 11),
    ],
)
async def test_a_change_of_clocks_neither_loses_nor_doubles_a_slot(
    services: Services, clock: Clock, start: datetime, days: int
) -> None:
    clock.now = start
    with_channel(services, zone="Europe/Berlin", times=("02:30", "19:00"))
    await plan(services, clock())
    slots = list(Slot.select().order_by(Slot.at))
    assert len(slots) == days * 2
    zone = services.settings.zone_of("our_channel")
    assert {s.at.astimezone(zone).strftime("%H:%M") for s in slots[1::2]} == {"19:00"}


async def test_the_coin_decides_and_can_be_derived_again(services: Services, clock: Clock) -> None:
    await plan(services, clock())
    stock(services, "human", 12, clock())
    stock(services, "generated", 12, clock())
    for _ in range(9):
        await assign(services, clock.forward(days=1))
    blocks = list(Block.select().where(Block.coin.is_null(False)))
    assert len(blocks) >= 8
    name = Experiment.get().name
    coins = {b.pair_id: b.coin for b in blocks}
    assert design.audit_coins(experiment_secret(services, name), name, coins) == []
    for block in blocks:
        arms = [s.arm for s in block.slots.order_by(Slot.at)]
        assert sorted(arms) == ["generated", "human"] and arms[0] == block.coin


async def test_an_arm_without_a_meme_misses_its_slot_and_the_owner_hears(
    services: Services, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    await plan(services, clock())
    stock(services, "human", 5, clock())
    await assign(services, clock.forward(minutes=55))
    pair = list(Slot.select().where(Slot.arm.is_null(False)).order_by(Slot.arm))
    assert [(s.arm, s.state) for s in pair] == [("generated", "missed"), ("human", "assigned")]
    assert pair[0].reason == "no_meme"
    assert Post.select().count() == 1
    assert "no_meme" in {a.code for a in Alert.select()}


async def test_a_machine_asleep_over_a_pair_records_it_as_assigned_and_missed(
    services: Services, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    await plan(services, clock())
    stock(services, "human", 9, clock())
    stock(services, "generated", 9, clock())
    clock.forward(days=1, hours=8)
    await assign(services, clock())
    past = list(Slot.select().where(Slot.at < clock() - timedelta(hours=2)))
    assert past and {s.state for s in past} == {"missed"} and {s.reason for s in past} == {"late"}
    assert all(s.arm for s in past)


async def test_snapshots_are_taken_at_their_ages_and_a_missed_one_stays_missing(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
    await plan(services, clock())
    stock(services, "human", 3, clock())
    stock(services, "generated", 3, clock())
    await assign(services, clock())
    clock.now = Post.select().order_by(Post.due_at).first().due_at
    await publish(services, clock())
    await snapshot(services, clock.forward(hours=1, minutes=5))
    await snapshot(services, clock())
    clock.forward(hours=20)
    await snapshot(services, clock())
    clock.forward(hours=28)
    await snapshot(services, clock())
    assert [s.age_hours for s in Snapshot.select().order_by(Snapshot.id)] == [1, 48]
    first = Snapshot.get(Snapshot.age_hours == 1)
    assert first.late_minutes == pytest.approx(5, abs=0.1)


def test_channels_of_two_zones_have_their_own_noon() -> None:
    def noon(zone: str) -> datetime:
        channel = ChannelSettings(handle="some_channel", times=("12:00",), zone=zone)
        day = datetime(2026, 3, 2, tzinfo=UTC).date()
        return design.plan_slots("c", channel.times, channel.weekdays, zone, day, day)[0].at

    assert noon("Asia/Yekaterinburg") == noon("Europe/Moscow") - timedelta(hours=2)
