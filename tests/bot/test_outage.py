"""The network goes and comes back: the bot is heard from again, and hears what it missed."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from telethon import errors
from telethon.tl import functions

from jobs.alert import alert
from publisher.ledger.alerts import raise_alert
from publisher.ledger.models import Alert
from publisher.telegram.account import SignInError
from publisher.telegram.governor import NotNow
from tests.bot.conftest import OWNER, Stage, until


@dataclass
class Way:
    """The bot's way to the server, and nobody else's; cut, Telethon gives up within a second."""

    client: Any

    def __post_init__(self) -> None:
        self.port = self.client.session.port
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.nowhere = free.getsockname()[1]

    async def cut(self) -> None:
        sender = self.client._sender
        sender._retries, sender._delay = 1, 0.05
        self.client.session._port = sender._connection._port = self.nowhere
        sender._connection._writer.transport.abort()
        await until(lambda: not self.client.is_connected())

    def mend(self) -> None:
        self.client.session._port = self.port


def tasks_of(name: str) -> int:
    return sum(name in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_an_idle_bot_comes_back_and_answers_what_it_missed(stage: Stage) -> None:
    bot = await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    loops = tasks_of("_update_loop")
    way = Way(bot.account.client)
    await way.cut()
    await anna.say("/help")
    await asyncio.sleep(1.5)
    assert not anna.heard
    way.mend()
    await anna.hears_text("Как заказать", seconds=20)
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    await asyncio.sleep(1)
    assert bot.account.client.is_connected()
    assert tasks_of("_update_loop") == loops
    assert not anna.heard


async def test_what_was_said_in_a_short_outage_is_answered(stage: Stage) -> None:
    """Telethon reconnects by itself and does not ask for what it missed."""
    bot = await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    way = Way(bot.account.client)
    client = bot.account.client
    client._sender._delay = 0.5
    client._sender._connection._port = way.nowhere
    client._sender._connection._writer.transport.abort()
    await anna.say("/help")
    await asyncio.sleep(0.3)
    client._sender._connection._port = way.port
    await anna.hears_text("Как заказать", seconds=10)
    assert client.is_connected()


async def test_an_alert_that_reconnects_leaves_the_bot_its_ears(stage: Stage) -> None:
    bot = await stage.start()
    owner, anna = await stage.person("Хозяин", id=OWNER), await stage.person()
    await owner.say("/start")
    await owner.hears()
    assert stage.services
    for number in range(2):
        way = Way(bot.account.client)
        await way.cut()
        way.mend()
        raise_alert(f"k{number}", "channel_stopped", {"channel": "c", "reason": "r"}, stage.clock())
        calls = bot.account.call("other", functions.help.GetConfigRequest())
        await asyncio.gather(alert(stage.services, stage.clock()), calls)
        assert Alert.select().where(Alert.told_at.is_null()).count() == 0
        await asyncio.sleep(1)
        assert bot.account.client.is_connected()
        await anna.say("/start")
        await anna.hears_text("Пришлите")


async def test_a_call_of_the_bot_connects_anew(stage: Stage) -> None:
    bot = await stage.start()
    way = Way(bot.account.client)
    await way.cut()
    way.mend()
    assert await bot.account.call("other", functions.help.GetConfigRequest())


async def test_a_connection_half_made_is_made_anew(stage: Stage) -> None:
    """The server takes the connection and says nothing: without an update loop nothing is heard."""
    bot = await stage.start()
    anna = await stage.person()
    way = Way(bot.account.client)
    await way.cut()
    stage.server.faults.add("help.getConfig", "delay", seconds=60.0, times=1)
    way.mend()
    await asyncio.sleep(1)
    await anna.say("/start")
    await anna.hears_text("Пришлите", seconds=30)


async def test_a_bot_connected_and_deaf_is_connected_anew(stage: Stage) -> None:
    bot = await stage.start()
    anna = await stage.person()
    bot.account.client._updates_handle.cancel()
    await anna.say("/start")
    await anna.hears_text("Пришлите")


async def test_a_wrong_clock_makes_no_message_old(stage: Stage) -> None:
    stage.ahead = timedelta(hours=1)
    await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    stage.ahead = timedelta(hours=3)  # set while the bot is at work
    await asyncio.sleep(2)
    await anna.say("/help")
    await anna.hears_text("Как заказать")


async def test_a_message_of_half_an_hour_ago_is_not_answered_by_any_clock(stage: Stage) -> None:
    await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    await stage.stop()
    await anna.say("/help")
    stage.clock.forward(minutes=30)
    stage.ahead = timedelta(hours=-2)
    await stage.start()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    assert not anna.heard


async def test_pings_that_a_full_disk_ended_are_sent_again(stage: Stage) -> None:
    """Without them a way that fell silent is never given up."""
    client = (await stage.start()).account.client
    client._keepalive_handle.cancel()
    await until(client._keepalive_handle.done)
    await until(lambda: client.is_connected() and not client._keepalive_handle.done())


@pytest.mark.parametrize("refusal", ["FLOOD_WAIT_2", "INTERNAL"])
async def test_what_the_server_would_not_tell_at_first_is_asked_for_again(
    stage: Stage, refusal: str
) -> None:
    bot = await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    rule = stage.server.faults.error("updates.getDifference", refusal, times=1)
    way = Way(bot.account.client)
    await way.cut()
    await anna.say("/help")
    way.mend()
    await anna.hears_text("Как заказать", seconds=25)
    assert rule.fired == 1 and rule.calls <= 4


async def test_a_wait_met_in_connecting_is_kept(stage: Stage) -> None:
    """Also by the next process."""
    bot = await stage.start()
    way = Way(bot.account.client)
    await way.cut()
    rule = stage.server.faults.error("help.getConfig", "FLOOD_WAIT_4")
    way.mend()
    await until(lambda: rule.fired)
    with pytest.raises(NotNow):
        await bot.account.call("other", functions.help.GetConfigRequest())
    await stage.stop()
    with pytest.raises(NotNow):
        await stage.start()
    assert rule.fired == 1
    stage.server.faults.clear()
    await asyncio.sleep(4)
    anna = await stage.person()
    await stage.start()
    await anna.say("/start")
    await anna.hears_text("Пришлите")


async def test_a_bot_signed_out_while_it_serves_ends(stage: Stage) -> None:
    """For the daemon to sign it in anew."""
    bot = await stage.start()
    for method in ("updates.getDifference", "users.getUsers"):
        stage.server.faults.error(method, "SESSION_REVOKED")
    way = Way(bot.account.client)
    await way.cut()
    way.mend()
    assert stage._task
    with pytest.raises(ExceptionGroup) as ended:
        await asyncio.wait_for(stage._task, 20)
    assert isinstance(ended.value.exceptions[0], SignInError)
    stage._task = None


@pytest.mark.parametrize("refusal", ["", "INTERNAL"])
async def test_a_start_that_failed_forgets_nothing_missed(stage: Stage, refusal: str) -> None:
    await stage.start()
    anna = await stage.person()
    await anna.say("/start")
    await anna.hears_text("Пришлите")
    await stage.stop()
    await anna.say("/help")
    stage.server.faults.refusing = not refusal
    if refusal:
        stage.server.faults.error("help.getConfig", refusal, times=1)
    with pytest.raises((OSError, errors.RPCError)):
        await stage.start()
    stage.server.faults.clear()
    await stage.start()
    await anna.hears_text("Как заказать")
