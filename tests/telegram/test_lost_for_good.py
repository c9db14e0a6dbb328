"""Looking for what was sent ends where it is in vain, and not before a real look was had."""

from __future__ import annotations

from datetime import timedelta

import pytest

from jobs.plan import sync_channels
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Alert, Channel, Post
from publisher.sandbox import LoopbackTelegram
from publisher.telegram.publishing import stop_channel
from tests.conftest import NOON, Clock, make_post
from tests.telegram.test_survival import deliver

LOOKS = ("contacts.resolveUsername", "messages.getHistory", "channels.getChannels")


def looks(telegram: LoopbackTelegram) -> int:
    return sum(telegram.calls[name] for name in LOOKS if name in telegram.calls)


def open_alerts() -> list[str]:
    return [a.key for a in Alert.select().where(Alert.cured_at.is_null())]


@pytest.mark.parametrize("state", ["sending", "expired"])
async def test_a_channel_lost_for_good_is_looked_at_each_hour_and_then_no_more(
    services: Services, telegram: LoopbackTelegram, clock: Clock, state: str
) -> None:
    post = make_post(services, NOON)
    await deliver(services, post)
    Post.update(state=state).where(Post.id == post.id).execute()
    stop_channel(Channel.get(), "CHANNEL_PRIVATE", clock())
    telegram.faults.error("*", "CHANNEL_PRIVATE")
    clock.forward(minutes=5)
    before = looks(telegram)
    for _ in range(36):
        await reconcile(services, clock.forward(minutes=5))
    assert 3 <= looks(telegram) - before <= 4
    clock.forward(days=12)
    await reconcile(services, clock())
    assert Post.get_by_id(post.id).state == state
    clock.forward(days=4)
    await reconcile(services, clock())
    assert Post.get_by_id(post.id).state == ("failed" if state == "sending" else "expired")
    before = looks(telegram)
    await reconcile(services, clock.forward(hours=2))
    assert looks(telegram) == before


async def test_a_channel_that_left_the_config_stays_gone_and_its_post_ends(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    await deliver(services, post)
    stop_channel(Channel.get(), "CHANNEL_PRIVATE", clock())
    assert open_alerts() == ["channel:our_channel:CHANNEL_PRIVATE"]
    services.settings = services.settings.model_copy(update={"channels": ()})
    sync_channels(services)
    assert Channel.get().state == "gone" and open_alerts() == []
    telegram.faults.error("*", "CHANNEL_PRIVATE")
    for _ in range(4):
        await reconcile(services, clock.forward(hours=10))
        assert Channel.get().state == "gone" and open_alerts() == []
        assert Post.get_by_id(post.id).state == "sending"
    await reconcile(services, clock.forward(hours=11))
    assert Post.get_by_id(post.id).state == "failed"


def test_only_a_channel_that_may_post_is_stopped(services: Services, clock: Clock) -> None:
    make_post(services, NOON)
    for state in ("gone", "restored"):
        Channel.update(state=state).execute()
        stop_channel(Channel.get(), "CHANNEL_PRIVATE", clock())
        assert Channel.get().state == state and open_alerts() == []


@pytest.mark.parametrize("what", ["account:user", "channel:our_channel"])
@pytest.mark.parametrize("first", ["FLOOD_WAIT_120", "INTERNAL", "drop"])
async def test_the_first_look_after_a_long_stop_may_fail(
    services: Services, telegram: LoopbackTelegram, clock: Clock, what: str, first: str
) -> None:
    """The stop ended through another post; this one's days begin with that."""
    waiting, given_up = (make_post(services, NOON + timedelta(seconds=i), seed=i) for i in (1, 2))
    for post in (waiting, given_up):
        await deliver(services, post)
    Post.update(state="expired").where(Post.id == given_up.id).execute()
    raise_alert(f"{what}:SOMETHING", "stopped", {}, clock())
    clock.forward(days=5)
    assert cure_alert(what, clock())
    if first == "drop":
        telegram.faults.drop("messages.getHistory")
    else:
        telegram.faults.error("messages.getHistory", first)
    await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(waiting.id).state == "sending"
    telegram.faults.clear()
    for _ in range(3):
        await reconcile(services, clock.forward(minutes=20))
    assert {p.state for p in Post.select()} == {"published"}


@pytest.mark.parametrize("fault", ["FLOOD_WAIT_120", "drop"])
async def test_a_look_that_was_not_had_ends_nothing(
    services: Services, telegram: LoopbackTelegram, clock: Clock, fault: str
) -> None:
    """The machine was off for days, and nothing was stopped."""
    post = make_post(services, NOON)
    await deliver(services, post)
    if fault == "drop":
        rule = telegram.faults.drop("messages.getHistory")
    else:
        rule = telegram.faults.error("messages.getHistory", fault)
    for _ in range(3):
        await reconcile(services, clock.forward(days=2))
    assert Post.get_by_id(post.id).state == "sending" and rule.fired >= 3
    telegram.faults.clear()
    await reconcile(services, clock.forward(minutes=30))
    assert Post.get_by_id(post.id).state == "published"
