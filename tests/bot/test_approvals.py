"""Whatever an owner decides, and whenever: no slot changes its arm, and the report counts it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from jobs.approve import approve
from jobs.assign import next_meme
from jobs.publish import publish
from jobs.services import Services
from publisher.ledger import approvals, transitions
from publisher.ledger.models import Approval, Channel, Meme, Post, Slot, database
from publisher.ledger.restored import hold
from publisher.ledger.transitions import new_random_id
from tests.conftest import NOON, Clock, make_post

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


def wants_approval(services: Services, minutes: int, default: str = "publish") -> None:
    rule = {"approve": True, "approve_minutes": minutes, "approve_default": default}
    channel = services.settings.channels[0].model_copy(update=rule)
    services.settings = services.settings.model_copy(update={"channels": (channel,)})


async def test_a_post_drawn_in_time_is_decided_so_long_before_its_slot(services: Services) -> None:
    wants_approval(services, 30)
    post = make_post(services, NOON + timedelta(hours=2))
    assert approve(services, NOON) == 1
    assert Approval.get().deadline_at == post.due_at - timedelta(minutes=30)


@pytest.mark.parametrize("default", ["publish", "drop"])
@pytest.mark.parametrize(
    ("minutes", "due_in", "lives", "decided_in"),
    [(180, 120, 90, 15), (30, 31, 90, 15), (30, 5, 90, 15), (30, -80, 90, 5), (30, 1, 1, 1)],
)
async def test_a_post_drawn_after_its_deadline_is_not_decided_unseen(
    services: Services, minutes: int, due_in: int, lives: int, decided_in: int, default: str
) -> None:
    """After a standstill, or when approval is turned on late. It leaves in time all the same."""
    wants_approval(services, minutes, default)
    post = make_post(services, NOON + timedelta(minutes=due_in), minutes=lives)
    for minute in range(decided_in):
        await publish(services, NOON + timedelta(minutes=minute))
        assert (Approval.get().state, Post.get().state) == ("waiting", "planned")
        assert [a.post_id for a in approvals.untold()] == [post.id]
    services.publisher.clock = lambda: NOON
    await publish(services, max(NOON + timedelta(minutes=decided_in), post.due_at))
    ends = {"publish": ("default_kept", "published"), "drop": ("default_dropped", "dropped")}
    assert (Approval.get().state, Post.get().state) == ends[default]


async def test_a_post_that_died_waiting_is_neither_shown_nor_decided(services: Services) -> None:
    wants_approval(services, 30, "drop")
    make_post(services, NOON + timedelta(hours=2))
    approve(services, NOON)
    late = make_post(services, NOON - timedelta(hours=2), seed=2)
    await publish(services, NOON + timedelta(hours=5))
    assert [p.state for p in Post.select().order_by(Post.id)] == ["dropped", "expired"]
    assert not Approval.select().where(Approval.post == late).exists(), "asked too late for it"

    early = make_post(services, NOON + timedelta(hours=8), seed=3)
    asked = approvals.ask(early, NOON + timedelta(hours=7), "publish", NOON)
    transitions.failed(early, "fault", "no picture")
    assert not approvals.untold()
    assert approve(services, NOON + timedelta(hours=9)) == 0
    assert Approval.get_by_id(asked.id).state == "waiting"


def test_what_was_decided_unseen_is_told(ledger: Path) -> None:
    told, untold, dropped = (shown_post(number, "publish") for number in (0, 2, 4))
    Approval.update(told_at=NOON).where(Approval.id == told.id).execute()
    for approval in (told, untold):
        assert approvals.settle(approval, NOON) == "default_kept"
    approvals.drop(dropped, NOON)
    before = NOON + timedelta(days=1)
    assert approvals.approval_counts(before)["human"] == {
        "asked": 3, "dropped": 1, "replaced": 0, "by_default": 2, "unseen": 1,
    }  # fmt: skip
    rows = approvals.approval_rows(before)
    assert [(row["value"], row["status"]) for row in rows] == [
        ("1 + 0 / 3", "warn"),
        ("1 / 3", "warn"),
    ]
    own = {untold.post.slot_id}
    assert approvals.approval_counts(before, own)["human"]["dropped"] == 0
    assert approvals.approval_rows(before, set()) == []


def waiting(shown: int, due_in: float, deadline_in: float) -> Approval:
    """Shown and not decided in the backup; minutes from NOON."""
    approval = shown_post(shown, "publish")
    due = NOON + timedelta(minutes=due_in)
    Post.update(due_at=due, expires_at=due + timedelta(minutes=90)).where(
        Post.id == approval.post_id
    ).execute()
    deadline = NOON + timedelta(minutes=deadline_in)
    Approval.update(told_at=NOON - timedelta(hours=1), deadline_at=deadline).where(
        Approval.id == approval.id
    ).execute()
    return approval


def test_after_a_restore_the_owner_is_asked_anew_and_has_time_to_look(ledger: Path) -> None:
    early, late, gone = waiting(0, 120, 90), waiting(1, 10, -5), waiting(2, -300, -400)
    decided = shown_post(3, "publish")
    Approval.update(told_at=NOON).where(Approval.id == decided.id).execute()
    approvals.keep(decided, NOON)
    database.close()
    hold(ledger / "var" / "memegen.db", ["our_channel"], [], NOON)
    database.connect()
    assert [a.id for a in approvals.untold()] == [gone.id, late.id, early.id]
    left = {a.id: a.deadline_at - NOON for a in Approval.select()}
    assert left[early.id] == timedelta(minutes=90)
    assert left[late.id] == timedelta(minutes=15)
    assert left[gone.id] == timedelta(0)
    after = Approval.get_by_id(decided.id)
    assert (after.state, after.told_at) == ("kept", NOON)


def test_a_backup_from_before_there_were_approvals_is_restored(ledger: Path) -> None:
    database.drop_tables([Approval])
    database.close()
    hold(ledger / "var" / "memegen.db", ["our_channel"], [], NOON)
    database.connect()
    assert Channel.get().state == "restored"
