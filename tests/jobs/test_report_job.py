"""The weekly report as the job writes it, whatever the owner changes or drops on the way."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from experiments import cli, design
from jobs.assign import assign
from jobs.plan import experiment_secret, plan
from jobs.report import report
from jobs.services import Services
from publisher.ledger import approvals
from publisher.ledger.models import (
    Block,
    Experiment,
    Meme,
    Partner,
    Post,
    Slot,
    Snapshot,
    Suggestion,
)
from publisher.ledger.transitions import new_random_id
from publisher.sentences import in_language
from tests.conftest import Clock
from tests.jobs.test_experiment_jobs import stock

MONDAY = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


def nothing() -> None:
    pass


async def live_a_week(
    services: Services, clock: Clock, owner: Callable[[], None] = nothing
) -> None:
    """Seven days of posts with reactions, as if all that the owner leaves had gone well."""
    for _ in range(7):
        await plan(services, clock())
        stock(services, "human", 2, clock())
        stock(services, "generated", 2, clock())
        for _ in range(12):
            await assign(services, clock())
            clock.forward(hours=2)
    owner()
    waiting = Post.select(Post, Slot).join(Slot).where(Post.state == "planned")
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


def drop(posts: list[Post], clock: Clock) -> None:
    for post in posts:
        approval = approvals.ask(post, post.due_at, "publish", clock())
        assert approvals.drop(approval, clock()) == "dropped"


def planned_pairs_posts() -> dict[str, dict[str, Post]]:
    """Pair → arm → its planned post."""
    found: dict[str, dict[str, Post]] = {}
    for post in Post.select(Post, Slot, Block).join(Slot).join(Block).order_by(Slot.at):
        found.setdefault(post.slot.block.pair_id, {})[post.slot.arm] = post
    return found


async def test_what_the_owner_dropped_is_lost_by_its_arm_and_read_again_from_the_table(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two pairs the generated post, of a third both."""
    clock.now = MONDAY

    def owner() -> None:
        first, second, third, *_ = planned_pairs_posts().values()
        drop([first["generated"], second["generated"], *third.values()], clock)

    await live_a_week(services, clock, owner)
    facts = await report_of(services, clock)
    assert facts["problems"] == []
    assert (facts["pairs"]["incomplete"], facts["pairs"]["invalid"]) == (3, 0)
    checks = {check["code"]: check for check in facts["checks"]}
    assert checks["attrition"]["lost"] == {"generated": 3, "human": 1}
    assert checks["split"]["generated"] == checks["split"]["human"] == facts["pairs"]["planned"]
    reasons = [e["reason"] for e in facts["exclusions"]]
    assert reasons.count("dropped") == 4

    monkeypatch.chdir(services.settings.reports / facts["report"]["week"])
    command = shlex.split(facts["report"]["recompute"])[3:]
    again = CliRunner().invoke(cli.main, command)
    assert again.exit_code == 0, again.output
    read = json.loads(again.stdout)
    for name in ("pairs", "effect", "looks", "worst_case", "metrics", "exclusions", "problems"):
        assert read[name] == facts[name], name
    for language, words in (("ru", "снят хозяином"), ("en", "dropped by the owner")):
        said = CliRunner().invoke(cli.main, ["analyse", "posts.csv", "--language", language])
        assert said.exit_code == 0 and said.output.count(words) == 4


def offer(clock: Clock, outcomes: list[str]) -> None:
    """Offers of generated memes to one partner, sent yesterday."""
    at = clock() - timedelta(days=1)
    partner, _ = Partner.get_or_create(handle="partner_one")
    for outcome in outcomes:
        Suggestion.create(
            partner=partner, meme=Meme.get(Meme.origin == "generated"), arm="generated",
            members=500, route="bot", chosen_by="random", propensity=0.5,
            random_id=new_random_id(), state="sent", outcome=outcome, outcome_at=at,
            created_at=at, sent_at=at, message_id=1,
        )  # fmt: skip


async def test_a_new_experiment_is_not_judged_by_what_happened_before_it(
    services: Services, clock: Clock
) -> None:
    """Offers, snapshots and approvals of the first are none of the second's."""
    clock.now = MONDAY

    def owner() -> None:
        drop([pair["human"] for pair in list(planned_pairs_posts().values())[:1]], clock)
        offer(clock, ["published"] * 8)

    await live_a_week(services, clock, owner)
    first = await report_of(services, clock)
    assert first["metrics"]["avg_sug"]["generated"]["value"] == 1
    assert first["pilot"]["document"]["passed"]
    assert [p["offered"] for p in first["report"]["partners"]] == [8]
    assert any("approval" in q["name"]["en"] for q in first["report"]["data_quality"])

    change(services, name="spring")
    await live_a_week(services, clock)
    second = await report_of(services, clock)
    assert second["metrics"]["avg_sug"]["generated"]["value"] is None
    assert second["boxes"] is None
    assert second["report"]["partners"] == []
    assert not any("approval" in q["name"]["en"] for q in second["report"]["data_quality"])
    measured = second["secondary"]
    assert {a["arm"]: a["posts"] for a in second["report"]["ages"]} == {
        arm: measured[arm]["posts"] for arm in measured
    }

    await live_a_week(services, clock, lambda: offer(clock, ["published", "rejected"]))
    third = await report_of(services, clock)
    assert third["metrics"]["avg_sug"]["generated"]["value"] == 0.5
    assert [p["offered"] for p in third["report"]["partners"]] == [2]


async def test_a_week_before_the_experiment_is_told_from_a_report(
    services: Services, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
    await plan(services, clock())
    said = await report(services, clock())
    assert said == ("2026-W09 ended before the experiment began; the first report is of 2026-W10")
    assert in_language(said, "ru") == (
        "2026-W09 закончилась до начала эксперимента; первый отчёт — за 2026-W10"
    )
    assert not list(services.settings.reports.glob("*-W*"))
