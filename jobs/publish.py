"""Send what is due."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from jobs.approve import approve
from jobs.services import Services
from publisher.ledger import transitions


async def publish(services: Services, now: datetime) -> str:
    """Settle approvals, expire what is too late, then send each due post, oldest first."""
    approve(services, now)
    if not transitions.anything_due(now):
        return ""
    transitions.put_in_doubt(now)
    for post in transitions.overdue_posts(now):
        transitions.expired(post, "its time passed before it could be sent")
    ends: Counter[str] = Counter()
    for post in transitions.due_posts(now):
        ends[await services.publisher.publish(post)] += 1
    return ", ".join(f"{state} {count}" for state, count in sorted(ends.items()))
