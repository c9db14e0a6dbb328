"""One governor owns every wait of an account, and a restart forgets none."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from telethon import errors

from jobs.cure import cure
from jobs.publish import publish
from jobs.services import Services
from publisher.ledger.models import Account, Alert, Post
from publisher.sandbox import LoopbackTelegram
from publisher.settings.model import PaceSettings
from publisher.telegram.governor import AccountStopped, Governor, NotNow
from tests.conftest import NOON, Clock, make_post

PACE = PaceSettings(
    send_seconds=3, resolve_seconds=0, history_seconds=0, other_seconds=0, widen_factor=2
)


class Calls:
    """What reached Telegram, and when; `error` is what it answers."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.times = clock, list[datetime]()
        self.error: Exception | None = None

    async def __call__(self) -> str:
        self.times.append(self.clock())
        if self.error:
            raise self.error
        return "ok"


def governor(clock: Clock, pace: PaceSettings = PACE, name: str = "user") -> Governor:
    """As after a restart: all it knows is in the ledger."""
    return Governor(name, pace, clock, clock.sleep)


@pytest.mark.usefixtures("ledger")
async def test_a_flood_wait_is_obeyed_to_the_second_across_a_restart(clock: Clock) -> None:
    calls = Calls(clock)
    calls.error = errors.FloodWaitError(request=None, capture=43200)
    with pytest.raises(NotNow) as told:
        await governor(clock).call("send", calls)
    assert told.value.until == NOON + timedelta(hours=12)
    calls.error = None
    clock.now = NOON + timedelta(hours=12, seconds=-1)
    for kind in ("send", "resolve", "history", "other"):
        with pytest.raises(NotNow):
            await governor(clock).call(kind, calls)
    assert calls.times == [NOON]
    clock.now = NOON + timedelta(hours=12)
    assert await governor(clock).call("send", calls) == "ok"
    assert calls.times == [NOON, NOON + timedelta(hours=12)]


@pytest.mark.usefixtures("ledger")
async def test_sends_keep_their_distance_across_restarts_and_wider_after_a_flood(
    clock: Clock,
) -> None:
    calls = Calls(clock)
    for _ in range(4):
        await governor(clock).call("send", calls)
    assert [t - NOON for t in calls.times] == [timedelta(seconds=3 * i) for i in range(4)]
    calls.error = errors.FloodWaitError(request=None, capture=10)
    with pytest.raises(NotNow):
        await governor(clock).call("send", calls)
    calls.error = None
    clock.forward(minutes=1)
    calls.times.clear()
    for _ in range(3):
        await governor(clock).call("send", calls)
    assert [b - a for a, b in zip(calls.times, calls.times[1:], strict=False)] == [
        timedelta(seconds=6)
    ] * 2
    clock.forward(hours=PACE.widen_hours)
    calls.times.clear()
    for _ in range(2):
        await governor(clock).call("send", calls)
    assert calls.times[1] - calls.times[0] == timedelta(seconds=3)


@pytest.mark.usefixtures("ledger")
async def test_a_clock_set_back_leaves_no_wait_of_hours(clock: Clock) -> None:
    calls = Calls(clock)
    await governor(clock).call("send", calls)
    clock.forward(hours=-5)
    with pytest.raises(NotNow) as told:
        await governor(clock).call("send", calls)
    assert told.value.until - clock() <= timedelta(minutes=1)


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("error", "name"),
    [
        (errors.PeerFloodError(request=None), "PEER_FLOOD"),
        (errors.FrozenMethodInvalidError(request=None), "FROZEN_METHOD_INVALID"),
        (errors.SessionRevokedError(request=None), "SESSION_REVOKED"),
        (errors.AuthKeyUnregisteredError(request=None), "AUTH_KEY_UNREGISTERED"),
    ],
)
async def test_what_does_not_pass_by_waiting_stops_one_account_and_is_told_once(
    clock: Clock, error: Exception, name: str
) -> None:
    calls = Calls(clock)
    calls.error = error
    for _ in range(3):
        with pytest.raises(AccountStopped):
            await governor(clock).call("send", calls)
        clock.forward(hours=1)
    assert len(calls.times) == 1
    assert [a.facts for a in Alert.select()] == [{"account": "user", "reason": name}]
    calls.error = None
    assert await governor(clock, name="bot").call("send", calls) == "ok"
    governor(clock).cured()
    assert await governor(clock).call("send", calls) == "ok"
    assert [a.cured_at for a in Alert.select()] == [clock()]


async def test_a_revoked_session_keeps_the_posts_and_resumes_when_cured(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    telegram.faults.error("messages.sendMedia", "AUTH_KEY_UNREGISTERED", times=1)
    await publish(services, clock())
    await publish(services, clock.forward(minutes=6))
    assert Post.get_by_id(post.id).state == "planned"
    assert Account.get(Account.name == "user").state == "stopped"
    assert [a.code for a in Alert.select()] == ["account_stopped"]
    assert await cure(services, clock.forward(minutes=1)) == "user"
    assert await publish(services, clock.forward(minutes=6)) == "published 1"
    assert Alert.get().cured_at is not None


async def test_a_spam_limit_is_not_tried_again_for_a_day(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    make_post(services, NOON)
    telegram.faults.error("messages.sendMedia", "PEER_FLOOD", times=1)
    await publish(services, clock())
    assert await cure(services, clock.forward(hours=23)) == ""
    assert await cure(services, clock.forward(hours=2)) == "user"
