"""The weekly report as the job writes it, when the owner changes the experiment on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experiments import design
from jobs.assign import assign
from jobs.plan import experiment_secret, plan
from jobs.report import report
from jobs.services import Services
from publisher.ledger.models import Block, Experiment, Post, Slot, Snapshot
from tests.conftest import Clock
from tests.jobs.test_experiment_jobs import stock

MONDAY = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


async def live_a_week(services: Services, clock: Clock) -> None:
    """Seven days of posts with reactions, as if all had gone well."""
    for _ in range(7):
        await plan(services, clock())
        stock(services, "human", 2, clock())
        stock(services, "generated", 2, clock())
        for _ in range(12):
            await assign(services, clock())
            clock.forward(hours=2)
    waiting = Post.select(Post, Slot).join(Slot).where(Post.state != "published")
    for post in list(waiting.where(Slot.at < clock())):
        Post.update(state="published").where(Post.id == post.id).execute()
        Slot.update(state="published").where(Slot.id == post.slot_id).execute()
        Snapshot.create(
            post=post,
            age_hours=48,
            likes=20 + post.id % 7,
            dislikes=5,
            neutral=0,
            views=500,
            forwards=1,
            taken_at=clock(),
            late_minutes=0.0,
        )


async def report_of(services: Services, clock: Clock) -> dict:
    """The report job two days into the new week; what its report.json says."""
    said = await report(services, clock() + timedelta(days=2))
    return json.loads((Path(said.rsplit(":", 1)[0]) / "report.json").read_text())


def change(services: Services, **changes: object) -> None:
    experiment = services.settings.experiment.model_copy(update=changes)
    services.settings = services.settings.model_copy(update={"experiment": experiment})


async def test_looks_changed_on_the_way_are_told_and_not_followed(
    services: Services, clock: Clock
) -> None:
    clock.now = MONDAY
    await live_a_week(services, clock)
    first = await report_of(services, clock)
    assert first["planned_looks"] == 8 and len(first["looks"]) == 1
    change(services, planned_weeks=4, seed=77, margin=0.1)
    await live_a_week(services, clock)
    second = await report_of(services, clock)
    assert [v["version"] for v in second["report"]["registrations"]] == [1, 2]
    assert second["report"]["registrations"][1]["changed"]["looks"] == [8, 4]
    assert (second["planned_looks"], second["seed"], second["margin"]) == (8, first["seed"], 0.1)
    assert second["looks"][0] == first["looks"][0]
    assert len(second["looks"]) == 2 and second["pairs"]["complete"] == 14


async def test_an_experiment_with_a_new_name_begins_with_nothing(
    services: Services, clock: Clock
) -> None:
    clock.now = MONDAY
    await live_a_week(services, clock)
    first = await report_of(services, clock)
    change(services, name="spring")
    await live_a_week(services, clock)
    second = await report_of(services, clock)
    assert (first["experiment"], second["experiment"]) == ("generated-vs-human", "spring")
    # Friday's two slots are paired with Monday's: drawn before the new name, counted for neither.
    assert first["pairs"]["complete"] == second["pairs"]["complete"] == 6
    assert len(second["looks"]) == 1 and not second["alarms"]
    for name in ("generated-vs-human", "spring"):
        experiment = Experiment.get(Experiment.name == name)
        coins = {
            b.pair_id: b.coin
            for b in Block.select().where(
                (Block.experiment == experiment) & Block.coin.is_null(False)
            )
        }
        assert coins and not design.audit_coins(experiment_secret(services, name), name, coins)
