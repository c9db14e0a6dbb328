"""Approval before the slot: ask for each new post of a channel that wants it, settle the overdue.

Not a job with a trigger of its own: `publish` runs it first, so that no post of such a channel
leaves without, and the bot runs it so that the owner is asked as early as possible.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.services import Services
from publisher.ledger import approvals
from publisher.ledger.models import Post
from publisher.settings.model import TIME_TO_LOOK


def approve(services: Services, now: datetime) -> int:
    """Begin approvals and apply defaults; how many rows changed."""
    wanting = {c.handle.lower(): c for c in services.settings.channels if c.approve}
    changed = 0
    if wanting:
        for post in approvals.unasked_posts(list(wanting), now):
            rule = wanting[post.channel.handle.lower()]
            deadline = deadline_of(post, timedelta(minutes=rule.approve_minutes), now)
            approvals.ask(post, deadline, rule.approve_default, now)
            changed += 1
    for approval in approvals.overdue(now):
        approvals.settle(approval, now)
        changed += 1
    return changed


def deadline_of(post: Post, ahead: timedelta, now: datetime) -> datetime:
    """So long before the slot; later for a post drawn too late for that, as after a standstill.

    Such a one waits for the owner's look beyond its slot if need be, but leaves in time.
    """
    look = min(TIME_TO_LOOK, (post.expires_at - now) / 2)
    return max(post.due_at - ahead, now + look)
