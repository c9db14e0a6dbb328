"""Run one job and write down how it went; the same for the daemon, the demo and the command."""

from __future__ import annotations

import logging
from datetime import datetime

from jobs.services import Services
from jobs.table import JOBS
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import JobRun
from publisher.telegram.governor import AccountStopped, NotNow

log = logging.getLogger(__name__)
FAILURES_BEFORE_ALERT = 3


async def run_job(services: Services, name: str, now: datetime) -> JobRun:
    """Run the job `name`. Whatever it raises is recorded and never leaves here."""
    run = JobRun.create(job=name, started_at=now)
    try:
        note, ok = await JOBS[name].run(services, now), True
    except (NotNow, AccountStopped) as wait:
        note, ok = str(wait), True
    except Exception as error:
        note, ok = f"{type(error).__name__}: {error}", False
        log.exception("job %s failed", name)
    run.finished_at, run.ok, run.note = services.clock(), ok, note[:2000]
    if ok and not note and name in ("publish", "assign", "alert", "snapshot", "replies"):
        run.delete_instance()
    else:
        run.save()
    _tell_of_failures(name, ok, note, services.clock())
    return run


def _tell_of_failures(name: str, ok: bool, note: str, now: datetime) -> None:
    key = f"job:{name}"
    if ok:
        cure_alert(key, now)
        return
    last = JobRun.select().where(JobRun.job == name).order_by(JobRun.id.desc())
    runs = list(last.limit(FAILURES_BEFORE_ALERT))
    if len(runs) == FAILURES_BEFORE_ALERT and not any(run.ok for run in runs):
        raise_alert(key, "job_failing", {"job": name, "reason": note[:300]}, now)
