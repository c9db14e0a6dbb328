"""Whatever an owner decides, and whenever: no slot changes its arm, and the report counts it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from jobs.assign import next_meme
from publisher.ledger import approvals, transitions
from publisher.ledger.models import Approval, Channel, Meme, Post, Slot, database
from publisher.ledger.transitions import new_random_id
from tests.conftest import NOON, Clock

ARMS = ("human", "generated")
decisions = st.lists(
    st.tuples(st.sampled_from(["keep", "drop", "replace", "settle", "publish"]), st.integers(0, 3)),
    max_size=12,
)


def meme(arm: str) -> Meme:
    return Meme.create(
        origin=arm, language="ru", method="frame", file="", sha256="", created_at=NOON
    )


def shown_post(number: int, default: str) -> Approval:
    channel, _ = Channel.get_or_create(handle="our_channel")
    arm, due = ARMS[number % 2], NOON + timedelta(hours=number + 1)
    slot = Slot.create(channel=channel, at=due, arm=arm, state="assigned")
    own = meme(arm)
    Meme.update(state="queued").where(Meme.id == own.id).execute()
    post = Post.create(
        slot=slot, channel=channel, meme=own, random_id=new_random_id(), due_at=due,
        expires_at=due + timedelta(hours=1),
    )  # fmt: skip
    return approvals.ask(post, due - timedelta(minutes=15), default, NOON)


@pytest.mark.usefixtures("ledger")
@hypothesis(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(decided=decisions, default=st.sampled_from(["publish", "drop"]))
def test_no_decision_changes_an_arm(decided: list[tuple[str, int]], default: str) -> None:
    with database.atomic() as transaction:
        asked = [shown_post(number, default) for number in range(4)]
        for arm in ARMS:
            for _ in range(3):
                meme(arm)
        for what, number in decided:
            act(what, Approval.get_by_id(asked[number].id))
        for number, approval in enumerate(asked):
            post = Post.get_by_id(approval.post_id)
            assert post.slot.arm == ARMS[number % 2] == post.meme.origin
            assert post.state in ("planned", "dropped", "published")
            assert (post.state == "dropped") == (post.slot.state == "dropped")
        counted = approvals.approval_counts(NOON + timedelta(days=1))
        for arm in ARMS:
            mine = Post.select().join(Slot).where(Slot.arm == arm)
            dropped = mine.where(Post.state == "dropped").count()
            assert counted.get(arm, {}).get("dropped", 0) == dropped
        transaction.rollback()


def act(what: str, approval: Approval) -> None:
    post = Post.get_by_id(approval.post_id)
    match what:
        case "keep":
            approvals.keep(approval, NOON)
        case "drop":
            approvals.drop(approval, NOON)
        case "settle":
            approvals.settle(approval, NOON)
        case "replace":
            if other := next_meme(approval.arm, "ru", NOON):
                approvals.replace(approval, other, NOON)
        case "publish":
            if transitions.claim(post, "user:1", NOON):
                transitions.begin_sending(post, "user:1", NOON)
                transitions.published(post, 1, NOON)


def test_a_meme_of_the_other_arm_is_refused(ledger: Path, clock: Clock) -> None:
    approval = shown_post(0, "publish")
    with pytest.raises(ValueError, match="of arm generated"):
        approvals.replace(approval, meme("generated"), clock())
    assert Post.get().meme.origin == "human"
