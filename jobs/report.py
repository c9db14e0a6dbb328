"""Last week's report: the ledger's rows into `experiments`, its files into the reports folder."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from peewee import JOIN, fn

from experiments import registration
from jobs.plan import experiment_secret, registration_dir
from jobs.services import Services
from publisher.ledger.alerts import raise_alert
from publisher.ledger.approvals import approval_rows
from publisher.ledger.models import (
    Alert,
    Block,
    Channel,
    Experiment,
    Item,
    MemberCount,
    Meme,
    Partner,
    Post,
    Reply,
    Slot,
    Snapshot,
    Source,
    Suggestion,
    Topic,
)
from publisher.sentences import words

if TYPE_CHECKING:
    from experiments.analysis import Analysis

Row = dict[str, Any]


async def report(services: Services, now: datetime) -> str:
    """Write the report of the last full ISO week, counted in the owner's zone."""
    week = week_before(now, services.settings.zone)
    _, end = week_range(week, services.settings.zone)
    experiment = Experiment.get_or_none(Experiment.name == services.settings.experiment.name)
    if experiment is None:
        return words("nothing is registered yet: run publisher job plan first")
    if end <= experiment.started_at:
        return words(
            "{week} ended before the experiment began; the first report is of {first}",
            week=week,
            first=iso_week(
                experiment.started_at.astimezone(ZoneInfo(services.settings.zone)).date()
            ),
        )
    posts = post_rows(services, experiment, end)
    slots = {int(row["post_id"]) for row in posts}
    began = experiment.started_at
    suggestions = suggestion_rows(end, began)
    facts = {
        "week": week,
        "language": services.settings.language,
        "notices": [services.simulated] if services.simulated else [],
        "memes": meme_rows(services, experiment, week, posts),
        "snapshots": snapshot_rows(end, slots),
        "growth": growth_rows(end),
        "partners": partner_rows(end, began),
        "data_quality": quality_rows(now) + approval_rows(end, slots),
        "registrations": registration.versions(registration_dir(services)),
    }
    out = services.settings.reports / week
    analysis = await asyncio.to_thread(
        build, services, experiment, posts, suggestions, facts, out, now
    )
    verdict = " ".join(analysis.facts["verdict"]["text"][services.settings.language])
    alert_facts = {"week": week, "verdict": verdict, "folder": str(out)}
    raise_alert(f"report:{week}", "report_ready", alert_facts, now)
    return f"{out}: {analysis.code}"


def build(
    services: Services,
    experiment: Experiment,
    posts: list[Row],
    suggestions: list[Row],
    facts: Row,
    out: Path,
    now: datetime,
) -> Analysis:
    # Heavy: not before the week's report needs them.
    from experiments.analysis import analyse
    from experiments.report import write_report

    registered, tests = experiment.registration, testing_plan(services, experiment)
    analysis = analyse(
        posts,
        suggestions,
        planned_weeks=tests["looks"],
        planned_pairs=tests["planned_pairs"],
        margin=registered["margin"],
        seed=tests["seed"],
        B=tests["vectors"],
        experiment=experiment.name,
        started=experiment.started_at.astimezone(ZoneInfo(services.settings.zone)).date(),
        window_h=float(registered["age_hours"]),
        secret=experiment_secret(services, experiment.name),
        state=earlier_state(services.settings.reports, facts["week"], experiment.name),
        as_of=now,
    )
    write_report(out, analysis, **facts)
    return analysis


def testing_plan(services: Services, experiment: Experiment) -> Row:
    """The registration's first version under this secret: its looks, vectors and horizon hold to
    the end.

    The level is spent over these looks; a plan made after some of them would spend it twice. A
    version under another secret belongs to an experiment that was lost.
    """
    own = (
        version.registration
        for version in registration.versions(registration_dir(services))
        if version.registration.secret_hash == experiment.secret_hash
    )
    first = next(own, None)
    return first.to_dict() if first else experiment.registration


def earlier_state(reports: Path, week: str, experiment: str) -> Row | None:
    """The looks already taken, from the newest report of the experiment before this week's."""
    from experiments.sequential import load_state

    for folder in sorted((p for p in reports.glob("*-W*") if p.name < week), reverse=True):
        state = load_state(folder / "looks.json")
        if state and state["experiment"] == experiment:
            return state
    return None


def week_before(now: datetime, zone: str) -> str:
    return iso_week((now - timedelta(days=7)).astimezone(ZoneInfo(zone)).date())


def iso_week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def week_range(week: str, zone: str) -> tuple[datetime, datetime]:
    """First and one past the last instant (UTC) of an ISO week. Raises ValueError."""
    try:
        match = re.fullmatch(r"(\d{4})-W(\d{2})", week)
        monday = date.fromisocalendar(int(match[1]), int(match[2]), 1) if match else None
    except ValueError:
        monday = None
    if monday is None:
        raise ValueError(words("«{week}» is not a week; write it like 2026-W47", week=week))
    first, last = (
        datetime.combine(day, datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
        for day in (monday, monday + timedelta(days=7))
    )
    return first, last


def post_rows(services: Services, experiment: Experiment, before: datetime) -> list[Row]:
    """One row for each slot that has an arm, from the experiment's begin to `before`.

    A pair that began before it comes whole: its later slot is pending, not lost.
    """
    age = experiment.registration["age_hours"]
    own = (Block.experiment == experiment) | (
        Block.id.is_null() & (Slot.at >= experiment.started_at)
    )
    slots = (
        Slot.select(Slot, Block, Channel, Post, Meme, Topic, Snapshot)
        .join(Block, JOIN.LEFT_OUTER)
        .switch(Slot)
        .join(Channel)
        .switch(Slot)
        .join(Post, JOIN.LEFT_OUTER, on=(Post.slot == Slot.id), attr="post")
        .join(Meme, JOIN.LEFT_OUTER)
        .join(Topic, JOIN.LEFT_OUTER)
        .switch(Post)
        .join(
            Snapshot,
            JOIN.LEFT_OUTER,
            on=((Snapshot.post == Post.id) & (Snapshot.age_hours == age)),
            attr="snapshot",
        )
        .where(Slot.arm.is_null(False) & own & ((Slot.at < before) | (Block.first_at < before)))
        .order_by(Slot.at, Slot.id)
    )
    return [post_row(slot, services.settings.zone) for slot in slots]


def post_row(slot: Slot, zone: str) -> Row:
    post = getattr(slot, "post", None)
    post = post if post is not None and post.id else None
    taken = getattr(post, "snapshot", None) if post else None
    taken = taken if taken is not None and taken.id else None
    meme = post.meme if post else None
    return {
        "post_id": f"{slot.id}",
        "channel": slot.channel.handle,
        "members": slot.channel.began_members or "",
        "slot_utc": slot.at.isoformat(),
        "week": iso_week(slot.at.astimezone(ZoneInfo(zone)).date()),
        "pair_id": slot.block.pair_id if slot.block else "",
        "arm": slot.arm,
        "status": post.state if post else slot.state,
        "likes": taken.likes if taken else "",
        "dislikes": taken.dislikes if taken else "",
        "neutral": taken.neutral if taken else "",
        "views": taken.views if taken else "",
        "window_h": taken.age_hours if taken else "",
        "forwards": taken.forwards if taken else "",
        "template": meme.template if meme else "",
        "topic": meme.topic.title if meme and meme.topic else "",
        "meme_id": meme.id if meme else "",
        "message_id": post.message_id if post else "",
    }


def suggestion_rows(before: datetime, since: datetime) -> list[Row]:
    """Only what was truly sent, and since the experiment began.

    `accepted` is empty while pending and where the box was silent.
    """
    sent = (
        Suggestion.select(Suggestion, Partner)
        .join(Partner)
        .where((Suggestion.sent_at >= since) & (Suggestion.sent_at < before))
        .order_by(Suggestion.id)
    )
    said = {"published": "1", "rejected": "0", "approved_unpublished": "0"}
    return [
        {
            "submission_id": s.id,
            "partner": s.partner.handle,
            "members": s.members,
            "arm": s.arm,
            "accepted": said.get(s.outcome, ""),
            "outcome": s.outcome,
            "sent_utc": s.sent_at.isoformat(),
            "chosen_by": s.chosen_by,
            "propensity": s.propensity,
        }
        for s in sent
    ]


def meme_rows(
    services: Services, experiment: Experiment, week: str, posts: Iterable[Row]
) -> list[Row]:
    """The week's posts with their pictures."""
    rows = []
    for row in posts:
        if row["week"] != week or not row["meme_id"] or row["status"] != "published":
            continue
        meme = Meme.get_by_id(row["meme_id"])
        rows.append(
            {
                "post_id": row["post_id"],
                "image_path": services.media / meme.file if meme.file else None,
                "arm": row["arm"],
                "channel": row["channel"],
                "likes": row["likes"] if row["likes"] != "" else None,
                "dislikes": row["dislikes"] if row["dislikes"] != "" else None,
                "views": row["views"] if row["views"] != "" else None,
                "caption": " / ".join(meme.texts),
            }
        )
    return rows


def snapshot_rows(before: datetime, slots: set[int]) -> list[Row]:
    """Every age at which the posts of these slots (ids) were measured."""
    taken = (
        Snapshot.select(Snapshot, Post, Slot)
        .join(Post)
        .join(Slot)
        .where(Slot.at < before)
        .order_by(Snapshot.id)
    )
    return [
        {
            "post_id": str(s.post.slot_id),
            "arm": s.post.slot.arm,
            "age_h": s.age_hours,
            "likes": s.likes,
            "dislikes": s.dislikes,
            "views": s.views,
        }
        for s in taken
        if s.post.slot_id in slots
    ]


def growth_rows(before: datetime) -> list[Row]:
    counts = (
        MemberCount.select(MemberCount, Channel)
        .join(Channel)
        .where(MemberCount.at < before)
        .order_by(MemberCount.at)
    )
    return [
        {"date": c.at.date().isoformat(), "channel": c.channel.handle, "members": c.members}
        for c in counts
    ]


def partner_rows(before: datetime, since: datetime | None = None) -> list[Row]:
    """Offered, received, accepted, rejected, censored, for each partner offered anything."""
    sent = Suggestion.sent_at.is_null(False) if since is None else Suggestion.sent_at >= since
    rows = []
    for partner in Partner.select().order_by(Partner.handle):
        own = list(
            Suggestion.select().where(
                (Suggestion.partner == partner) & sent & (Suggestion.sent_at < before)
            )
        )
        if not own:
            continue
        last = Reply.select().where(Reply.partner == partner).order_by(Reply.id.desc()).first()
        outcomes = [s.outcome for s in own]
        rows.append(
            {
                "partner": partner.handle,
                "route": own[0].route,
                "offered": len(own),
                "received": sum(bool(s.meaning) for s in own),
                "accepted": outcomes.count("published"),
                "approved_unpublished": outcomes.count("approved_unpublished"),
                "rejected": outcomes.count("rejected"),
                "censored": outcomes.count("censored"),
                "pending": outcomes.count("pending"),
                "last_answer": last.text[:120] if last else "",
            }
        )
    return rows


def quality_rows(now: datetime) -> list[Row]:
    """What went wrong with the data, said before anyone asks."""
    late = Snapshot.select(fn.MAX(Snapshot.late_minutes)).scalar() or 0.0
    failing = Source.select().where(Source.error != "").count()
    items = Item.select().count()
    unclear = Post.select().where(Post.state == "sending").count()
    open_alerts = Alert.select().where(Alert.cured_at.is_null()).count()
    screened = Topic.select().where(Topic.ok == False).count()  # noqa: E712
    refused = Meme.select().where(Meme.state == "refused").count()

    def row(ru: str, en: str, value: object, warn: bool) -> Row:
        return {
            "name": {"ru": ru, "en": en},
            "value": str(value),
            "status": "warn" if warn else "ok",
        }

    return [
        row("посты с неизвестным исходом", "posts with unknown outcome", unclear, unclear > 0),
        row("самый поздний снимок, мин", "latest snapshot, min", f"{late:.0f}", late > 120),
        row("источники с ошибкой", "failing sources", failing, failing > 0),
        row("новостей собрано", "news items collected", items, items == 0),
        row("тем отсеяно как неуместные", "topics screened out", screened, False),
        row("кандидатов отвергнуто", "candidates refused", refused, False),
        row("открытых предупреждений", "open alerts", open_alerts, open_alerts > 0),
    ]
