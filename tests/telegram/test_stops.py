"""What does not pass by waiting stops one channel or one account, is told once, and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from jobs.alert import alert
from jobs.cure import cure
from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher.ledger import transitions
from publisher.ledger.models import Account, Alert, Channel, Post
from publisher.sandbox import LoopbackTelegram
from publisher.settings.model import OwnerSettings
from publisher.telegram.account import connect
from publisher.telegram.client import make_client
from tests.conftest import CODE, NOON, PHONE, Clock, make_post
from tests.telegram.test_publishing import created
from tests.telegram.test_survival import deliver


@pytest.fixture
async def told(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> AsyncIterator[Services]:
    """Services with a bot whose owner is another person than the account that posts."""
    world = telegram.world
    owner = world.add_user("Хозяин", username="the_owner")
    bot = world.add_bot("Бот", username="our_bot")
    world.create_private(owner, bot, text="/start")
    services.settings = services.settings.model_copy(
        update={"owner": OwnerSettings(ids=(owner.id,))}
    )
    services.bot = await connect(
        "bot", services.settings, "x", clock, clock.sleep, bot_token=bot.token or ""
    )
    yield services
    await services.bot.client.disconnect()


def heard(telegram: LoopbackTelegram) -> list[str]:
    owner = telegram.world.by_username("the_owner")
    chat = f"user:{owner.id}"
    return [e.text for e in telegram.journal.entries if e.kind == "created" and e.chat == chat]


def second_channel(telegram: LoopbackTelegram) -> Channel:
    owner = telegram.world.user_by_phone(PHONE.lstrip("+"))
    telegram.world.add_channel("Второй", creator=owner, username="second", members=10)
    return Channel.get_or_create(handle="second")[0]


def post_in(services: Services, channel: Channel, seed: int, minutes: int = 600) -> Post:
    post = make_post(services, NOON + timedelta(seconds=seed), seed=seed, minutes=minutes)
    Post.update(channel=channel).where(Post.id == post.id).execute()
    return Post.get_by_id(post.id)


def lose_the_right(telegram: LoopbackTelegram) -> None:
    world = telegram.world
    channel = world.by_username("our_channel")
    channel.creator = world.add_user("Новый хозяин").id
    world.save(channel)
    world.remove_admin(channel, world.user_by_phone(PHONE.lstrip("+")))


async def test_a_lost_right_stops_that_channel_alone_and_ends_when_it_is_given_back(
    told: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    ours = make_post(told, NOON, minutes=600)
    second = second_channel(telegram)
    others = [post_in(told, second, seed) for seed in (2, 3)]
    lose_the_right(telegram)
    for _ in range(3):
        await publish(told, clock.forward(minutes=6))
        await reconcile(told, clock())
        assert await cure(told, clock()) == ""
        await alert(told, clock())
    assert {Post.get_by_id(p.id).state for p in others} == {"published"}
    assert Post.get_by_id(ours.id).state == "planned"
    assert {c.handle: c.state for c in Channel.select()} == {
        "our_channel": "stopped",
        "second": "ok",
    }
    assert Account.get(Account.name == "user").state == "ok"
    assert len(heard(telegram)) == 1 and "@our_channel" in heard(telegram)[0]

    world = telegram.world
    world.add_admin(world.by_username("our_channel"), world.user_by_phone(PHONE.lstrip("+")))
    assert await cure(told, clock.forward(minutes=15)) == "our_channel"
    await publish(told, clock())
    assert Post.get_by_id(ours.id).state == "published"
    assert len(created(telegram)) == 3 and len(heard(telegram)) == 1
    assert all(a.cured_at for a in Alert.select())


@pytest.mark.parametrize("when", ["before the send", "after the send"])
async def test_a_revoked_session_stops_the_account_until_somebody_signs_in(
    told: Services, telegram: LoopbackTelegram, clock: Clock, when: str
) -> None:
    """The server truly forgets the session; `publisher login` and a restart bring it back."""
    post = make_post(told, NOON, minutes=600)
    account = telegram.world.user_by_phone(PHONE.lstrip("+"))
    if when == "after the send":
        telegram.faults.drop("messages.sendMedia", after=True, times=1)
        await publish(told, clock())
        assert Post.get_by_id(post.id).state == "sending"
    telegram.sign_out(account)
    for _ in range(3):
        await publish(told, clock.forward(minutes=6))
        await reconcile(told, clock())
        assert await cure(told, clock()) == ""
        await alert(told, clock())
    assert Account.get(Account.name == "user").state == "stopped"
    assert Account.get(Account.name == "bot").state == "ok"
    assert len(heard(telegram)) == 1
    assert Post.get_by_id(post.id).state in ("planned", "sending")

    await told.account.client.disconnect()
    login = make_client(told.settings, "x", "user", bot=False)
    await login.connect()
    await login.send_code_request(PHONE)
    await login.sign_in(PHONE, CODE)
    await login.disconnect()
    told.user = await connect("user", told.settings, "x", clock, clock.sleep)
    assert Account.get(Account.name == "user").state == "ok"
    for _ in range(3):
        await publish(told, clock.forward(minutes=2))
        await reconcile(told, clock())
    assert Post.get_by_id(post.id).state == "published"
    assert created(telegram) == [post.random_id]
    await alert(told, clock())
    assert len(heard(telegram)) == 1


async def test_a_frozen_account_is_tried_once_a_day_and_told_once_until_it_thaws(
    told: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(told, NOON, minutes=6000)
    account = telegram.world.user_by_phone(PHONE.lstrip("+"))
    account.frozen = True
    for _ in range(60):
        await publish(told, clock.forward(hours=1))
        await cure(told, clock())
        await alert(told, clock())
    assert telegram.calls["contacts.resolveUsername"] == 3
    assert len(heard(telegram)) == 1 and "FROZEN" in heard(telegram)[0]
    account.frozen = False
    for _ in range(25):
        await cure(told, clock.forward(hours=1))
        await publish(told, clock())
    assert Post.get_by_id(post.id).state == "published"
    assert [bool(a.cured_at) for a in Alert.select()] == [True]
    assert Account.get(Account.name == "user").stopped_at is None


@pytest.mark.parametrize("how", [{"paused": True}, {"state": "stopped"}, {"state": "gone"}])
@pytest.mark.parametrize("arrived", [True, False])
async def test_what_was_under_way_when_a_channel_was_paused_is_looked_for_and_not_sent(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    how: dict[str, object],
    arrived: bool,
) -> None:
    post = make_post(services, NOON)
    if arrived:
        await deliver(services, post)
    else:
        transitions.claim(post, "user:dead", clock())
        transitions.begin_sending(post, "user:dead", clock())
    Channel.update(**how).execute()
    for _ in range(4):
        await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(post.id).state == ("published" if arrived else "sending")
    assert len(created(telegram)) == arrived
    await reconcile(services, clock.forward(hours=2))
    assert Post.get_by_id(post.id).state == ("published" if arrived else "expired")
    assert len(created(telegram)) == arrived
