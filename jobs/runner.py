"""Run one job and write down how it went; the same for the daemon, the demo and the command."""

from __future__ import annotations

import logging
from datetime import datetime

from jobs.services import Services
from jobs.table import JOBS
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import JobRun
from publisher.sentences import joined, sentence_of
from publisher.telegram.governor import AccountStopped, NotNow

log = logging.getLogger(__name__)
FAILURES_BEFORE_ALERT = 3
LONGEST_NOTE = 2000


async def run_job(services: Services, name: str, now: datetime) -> JobRun:
    """Run the job `name`. Whatever it raises is recorded and never leaves here.

    A run that found nothing to do is not recorded: most runs of `publish` are of that kind.
    """
    try:
        note, ok = await JOBS[name].run(services, now), True
    except (NotNow, AccountStopped) as wait:
        note, ok = sentence_of(wait), True
    except Exception as error:
        note, ok = joined(": ", [type(error).__name__, error]), False
        log.exception("job %s failed", name)
    kept = note if len(note) <= LONGEST_NOTE else note[:LONGEST_NOTE]
    run = JobRun(job=name, started_at=now, finished_at=services.clock(), ok=ok, note=kept)
    if note or not ok or name in services.failing:
        run.save()
    if not ok:
        services.failing.add(name)
        _tell_of_failures(name, note, services.clock())
    elif name in services.failing:
        services.failing.discard(name)
        cure_alert(f"job:{name}", services.clock())
    return run


def _tell_of_failures(name: str, note: str, now: datetime) -> None:
    last = JobRun.select().where(JobRun.job == name).order_by(JobRun.id.desc())
    runs = list(last.limit(FAILURES_BEFORE_ALERT))
    if len(runs) == FAILURES_BEFORE_ALERT and not any(run.ok for run in runs):
        raise_alert(f"job:{name}", "job_failing", {"job": name, "reason": note[:300]}, now)
