"""A server that does not know the authorization key any more (-404), in passing or for good."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import SecretStr
from telethon import errors
from telethon.tl import functions

from jobs.alert import alert
from jobs.cure import cure
from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher import daemon
from publisher.commands import operate
from publisher.daemon import Daemon
from publisher.ledger.models import Account, Alert, Post
from publisher.sandbox import LoopbackTelegram
from publisher.telegram.account import SignInError, connect
from publisher.telegram.errors import classify
from tests.conftest import CODE, NOON, PHONE, Clock, make_post
from tests.telegram.test_publishing import created
from tests.telegram.test_stops import heard, told

__all__ = ["told"]


def forget_keys_of(telegram: LoopbackTelegram, phone: str = PHONE) -> None:
    """As a server that lost its memory: the keys are gone, and the connections."""
    person = telegram.world.user_by_phone(phone.lstrip("+"))
    for key in list(telegram.keys._of_user.get(person.id, ())):
        telegram.keys.drop(key)
    telegram.drop_connections()


def unknown_for(telegram: LoopbackTelegram, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The next `times` connections with a key are told that it is not known."""
    find, left = telegram.keys.find, [times]

    def found(key_id: int) -> object:
        left[0] -= 1
        return None if left[0] >= 0 else find(key_id)

    monkeypatch.setattr(telegram.keys, "find", found)


async def sign_in_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the owner does: `publisher login`."""
    monkeypatch.setattr(operate, "_ask", lambda question, **_: CODE)
    await operate._login(services.settings, PHONE)


def test_a_key_that_is_not_known_is_the_accounts_trouble() -> None:
    trouble = classify(errors.AuthKeyNotFound())
    assert (trouble.kind, trouble.name) == ("account", "AUTH_KEY_NOT_FOUND")


async def test_a_forgotten_key_stops_the_account_until_somebody_signs_in(
    told: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posts = [make_post(told, NOON, minutes=600)]
    forget_keys_of(telegram)
    for _ in range(4):
        await publish(told, clock.forward(minutes=6))
        await reconcile(told, clock())
        assert await cure(told, clock()) == ""
        await alert(told, clock())
    row = Account.get(Account.name == "user")
    assert (row.state, row.reason) == ("stopped", "AUTH_KEY_NOT_FOUND")
    assert Account.get(Account.name == "bot").state == "ok"
    assert len(heard(telegram)) == 1 and "AUTH_KEY_NOT_FOUND" in heard(telegram)[0]
    assert {Post.get_by_id(p.id).state for p in posts} == {"planned"}

    await told.account.client.disconnect()
    with pytest.raises(SignInError, match="publisher login"):
        await connect("user", told.settings, "x", clock, clock.sleep)
    await sign_in_again(told, monkeypatch)
    told.user = await connect("user", told.settings, "x", clock, clock.sleep)
    await publish(told, clock.forward(minutes=6))
    assert created(telegram) == [p.random_id for p in posts]
    await alert(told, clock())
    assert len(heard(telegram)) == 1
    assert not Alert.select().where(Alert.cured_at.is_null())


async def test_a_key_unknown_in_passing_stops_nothing(
    services: Services, telegram: LoopbackTelegram, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = make_post(services, NOON)
    unknown_for(telegram, monkeypatch, 1)
    telegram.drop_connections()
    for _ in range(3):
        await publish(services, clock.forward(minutes=6))
        await reconcile(services, clock())
    assert Post.get_by_id(post.id).state == "published"
    assert created(telegram) == [post.random_id]
    assert not Alert.select()


async def test_a_key_forgotten_under_a_send_leaves_its_outcome_open(
    services: Services, telegram: LoopbackTelegram, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request had its effect; sent again, it met a server that knew the key no more."""
    post = make_post(services, NOON)
    rule = telegram.faults.drop("messages.sendMedia", after=True, times=1)
    publishing = asyncio.create_task(publish(services, clock()))
    while not rule.fired:
        await asyncio.sleep(0.01)
    forget_keys_of(telegram)
    await publishing
    assert Post.get_by_id(post.id).state == "sending"
    await reconcile(services, clock.forward(minutes=6))
    await reconcile(services, clock.forward(minutes=6))
    assert Account.get().state == "stopped"

    await services.account.client.disconnect()
    await sign_in_again(services, monkeypatch)
    services.user = await connect("user", services.settings, "x", clock, clock.sleep)
    await reconcile(services, clock.forward(hours=80))
    assert Post.get_by_id(post.id).state == "published"
    assert created(telegram) == [post.random_id]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_start_believes_the_second_time_that_its_key_is_not_known(
    services: Services,
    telegram: LoopbackTelegram,
    monkeypatch: pytest.MonkeyPatch,
    times: int,
) -> None:
    await services.account.client.disconnect()
    services.user = None
    unknown_for(telegram, monkeypatch, times)
    if times == 1:
        await Daemon(services).connect()
        await services.account.me()
    else:
        with pytest.raises(SignInError, match="publisher login"):
            await Daemon(services).connect()
        services.user = await connect(
            "user", services.settings, "x", services.clock, services.sleep
        )


async def test_login_keeps_a_session_that_was_unknown_in_passing(
    services: Services, telegram: LoopbackTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.account.client.disconnect()
    monkeypatch.setattr("publisher.telegram.account.ASK_AGAIN_SECONDS", 0)
    unknown_for(telegram, monkeypatch, 1)

    def nobody_is_asked(question: str, **_: object) -> str:
        raise AssertionError(question)

    monkeypatch.setattr(operate, "_ask", nobody_is_asked)
    await operate._login(services.settings, PHONE)


def heard_by(services: Services) -> int:
    return services.bot.heard.qsize() if services.bot else 0


async def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("how", ["forgotten", "signed out"])
async def test_a_bot_whose_session_is_gone_signs_itself_in_and_misses_nothing(
    services: Services, telegram: LoopbackTelegram, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    person = telegram.world.add_user("Человек", username="somebody")
    bot = telegram.world.add_bot("Бот", username="our_bot")
    services.secrets = replace(services.secrets, bot_token=SecretStr(bot.token or ""))
    served: list[Services] = []

    async def serve(services: Services) -> None:
        served.append(services)
        assert services.bot
        while True:
            # As the bot's own round does: any trouble but being signed out is waited for.
            try:
                await services.bot.reconnect()
                if await services.bot.me() is None:
                    raise SignInError("signed out")
            except SignInError:
                raise
            except OSError:
                pass
            await asyncio.sleep(0.05)

    monkeypatch.setattr(daemon, "serve_bot", serve)
    keeping = asyncio.create_task(Daemon(services).keep_bot())
    await until(lambda: len(served) == 1)
    telegram.world.create_private(person, bot, text="до")
    await until(lambda: heard_by(services) == 1)
    if how == "forgotten":
        for key in list(telegram.keys._of_user[bot.id]):
            telegram.keys.drop(key)
    else:
        telegram.sign_out(bot)
    telegram.drop_connections()
    telegram.world.create_private(person, bot, text="тем временем")
    await until(lambda: len(served) == 2)
    assert services.bot
    assert await services.bot.call("other", functions.help.GetConfigRequest())
    assert (await services.bot.me()).username == "our_bot"
    await until(lambda: heard_by(services) == 1)
    assert Account.get(Account.name == "bot").state == "ok"
    keeping.cancel()
    await asyncio.wait({keeping})
    await services.bot.client.disconnect()
