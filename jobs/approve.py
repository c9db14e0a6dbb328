"""Approval before the slot: ask for each new post of a channel that wants it, settle the overdue.

Not a job with a trigger of its own: `publish` runs it first, so that no post of such a channel
leaves without, and the bot runs it so that the owner is asked as early as possible.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.services import Services
from publisher.ledger import approvals


def approve(services: Services, now: datetime) -> int:
    """Begin approvals and apply defaults; how many rows changed."""
    wanting = {c.handle.lower(): c for c in services.settings.channels if c.approve}
    changed = 0
    if wanting:
        for post in approvals.unasked_posts(list(wanting)):
            rule = wanting[post.channel.handle.lower()]
            deadline = post.due_at - timedelta(minutes=rule.approve_minutes)
            approvals.ask(post, deadline, rule.approve_default, now)
            changed += 1
    for approval in approvals.overdue(now):
        approvals.settle(approval, now)
        changed += 1
    return changed
