"""The jobs by name: the daemon, the demo and `publisher job` all run from this table.

Their triggers are config.toml's [jobs], key by key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from jobs.alert import alert
from jobs.assign import assign
from jobs.collect import collect
from jobs.cure import cure
from jobs.generate import generate
from jobs.housekeeping import housekeeping
from jobs.ingest import ingest
from jobs.members import members
from jobs.plan import plan
from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.replies import replies
from jobs.report import report
from jobs.services import Services
from jobs.snapshot import snapshot
from jobs.suggest import suggest
from jobs.topics import topics
from jobs.watch import watch


@dataclass(frozen=True)
class Job:
    """`run(services, now)` answers with a note of what it did, empty for nothing."""

    run: Callable[[Services, datetime], Awaitable[str]]
    telegram: bool
    about: str


# The order is that of the day: what fires at one instant runs in it.
JOBS: dict[str, Job] = {
    "reconcile": Job(reconcile, True, "settle posts whose outcome is unknown"),
    "collect": Job(collect, True, "fetch feeds and source channels"),
    "topics": Job(topics, False, "cluster items into topics, score and screen them"),
    "ingest": Job(ingest, False, "take human memes from the inbox folder"),
    "generate": Job(generate, False, "make memes on the best topics"),
    "plan": Job(plan, False, "plan slots and pair them; register the experiment"),
    "assign": Job(assign, False, "fix both arms' memes of a pair, then draw its coin"),
    "publish": Job(publish, True, "send what is due"),
    "snapshot": Job(snapshot, True, "write down reactions and views at their ages"),
    "members": Job(members, True, "count the channels' members"),
    "suggest": Job(suggest, True, "offer memes to partners"),
    "replies": Job(replies, True, "read what partners answer"),
    "watch": Job(watch, True, "look for our memes in partners' channels"),
    "report": Job(report, False, "write last week's report"),
    "cure": Job(cure, True, "see whether what was stopped works again"),
    "alert": Job(alert, True, "tell the owner"),
    "housekeeping": Job(housekeeping, False, "back up, forget what is old, bound the WAL"),
}
