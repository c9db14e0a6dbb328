"""A refusal is no proof when the request left twice; what had left is looked for in the end."""

from __future__ import annotations

from datetime import timedelta

import pytest
from telethon import errors
from telethon.extensions import BinaryReader

from jobs.alert import alert
from jobs.cure import cure
from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from jobs.suggest import suggest
from jobs.watch import watch
from publisher.daemon import Daemon
from publisher.ledger import transitions
from publisher.ledger.approvals import ask, replace
from publisher.ledger.models import Account, Alert, Channel, Meme, Post, Suggestion
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.records import Peer
from publisher.settings.model import ServerSettings
from publisher.telegram.client import make_client
from publisher.telegram.errors import classify
from tests.conftest import NOON, PHONE, Clock, make_post
from tests.partners.test_conversations import BOT, add_box, add_memes, our_photos, with_partner
from tests.telegram.test_publishing import created
from tests.telegram.test_stops import heard, told
from tests.telegram.test_survival import deliver

__all__ = ["told"]

REFUSALS = [
    "FLOOD_WAIT_120",
    "CHAT_WRITE_FORBIDDEN",
    "CHANNEL_PRIVATE",
    "FILE_PARTS_INVALID",
    "PEER_FLOOD",
    "AUTH_KEY_UNREGISTERED",
]


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_of_the_second_transmission_does_not_undo_the_first(
    services: Services, telegram: LoopbackTelegram, clock: Clock, refusal: str
) -> None:
    """The effect stands, the answer is lost, Telethon sends again by itself and is refused."""
    post = make_post(services, NOON)
    telegram.faults.drop("messages.sendMedia", after=True, nth=1)
    telegram.faults.error("messages.sendMedia", refusal, times=1)
    await publish(services, clock())
    assert telegram.calls["messages.sendMedia"] == 2
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.error_kind) == ("sending", "unclear")
    for _ in range(10):
        await cure(services, clock.forward(minutes=20))
        await publish(services, clock())
        await reconcile(services, clock())
    assert Post.get_by_id(post.id).state == "published"
    assert created(telegram) == [post.random_id]


async def test_a_refusal_of_the_only_transmission_is_still_believed(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    telegram.faults.error("messages.sendMedia", "CHAT_WRITE_FORBIDDEN", times=1)
    await publish(services, clock())
    assert Post.get_by_id(post.id).state == "planned"
    assert Channel.get().state == "stopped"


async def test_an_overdue_post_for_which_a_request_had_left_is_looked_for(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    there, lost = (
        make_post(services, NOON, seed=1),
        make_post(services, NOON + timedelta(seconds=1), seed=2),
    )
    await deliver(services, there)
    Post.update(sending_at=clock(), state="planned").execute()
    await publish(services, clock.forward(hours=3))
    assert {p.state for p in Post.select()} == {"sending"}
    await reconcile(services, clock())
    assert Post.get_by_id(there.id).state == "published"
    assert Post.get_by_id(lost.id).state == "expired"
    assert created(telegram) == [there.random_id]


async def test_what_was_sent_is_found_while_the_account_may_not_send(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON, minutes=20)
    await deliver(services, post)
    services.account.governor.stop("PEER_FLOOD")
    sent = telegram.calls["messages.sendMedia"]
    await reconcile(services, clock.forward(minutes=30))
    assert Post.get_by_id(post.id).state == "published"
    assert Account.get().state == "stopped" and telegram.calls["messages.sendMedia"] == sent


async def test_a_stopped_account_uploads_nothing(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    services.account.governor.stop("PEER_FLOOD")
    await publish(services, clock())
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.sending_at) == ("planned", None)
    assert "upload.saveFilePart" not in telegram.calls


@pytest.mark.parametrize("what", ["account", "channel"])
async def test_days_of_a_stop_do_not_count_against_what_waits_to_be_looked_for(
    services: Services, telegram: LoopbackTelegram, clock: Clock, what: str
) -> None:
    waiting, given_up = (
        make_post(services, NOON, seed=1),
        make_post(services, NOON + timedelta(seconds=1), seed=2),
    )
    for post in (waiting, given_up):
        await deliver(services, post)
    Post.update(state="expired").where(Post.id == given_up.id).execute()
    person = telegram.world.user_by_phone(PHONE.lstrip("+"))
    refusals = {"account": "AUTH_KEY_UNREGISTERED", "channel": "CHANNEL_PRIVATE"}
    telegram.faults.error("*", refusals[what])
    for _ in range(80):
        await reconcile(services, clock.forward(hours=1))
        await cure(services, clock())
    assert Post.get_by_id(waiting.id).state == "sending"
    telegram.faults.clear()
    assert person and await cure(services, clock.forward(hours=1))
    await reconcile(services, clock.forward(hours=1))
    assert {p.state for p in Post.select()} == {"published"}
    assert {a.code for a in Alert.select()} == {f"{what}_stopped"}


async def test_a_post_for_which_a_request_had_left_keeps_its_meme(
    services: Services, clock: Clock
) -> None:
    post, spare = make_post(services, NOON), make_post(services, NOON + timedelta(days=1), seed=2)
    other = spare.meme
    Meme.update(state="ready").where(Meme.id == other.id).execute()
    approval = ask(post, clock(), "keep", clock())
    transitions.claim(post, "user:1", clock())
    Post.update(state="planned", sending_at=clock()).where(Post.id == post.id).execute()
    assert replace(approval, other, clock()) == "late"
    assert Post.get_by_id(post.id).meme_id == post.meme_id
    assert Meme.get_by_id(other.id).state == "ready"


FLAPPING = [
    "USER_BANNED_IN_CHANNEL",
    "CHAT_SEND_PHOTOS_FORBIDDEN",
    "CHAT_RESTRICTED",
    "AUTH_KEY_UNREGISTERED",
]


@pytest.mark.parametrize("refusal", FLAPPING)
async def test_a_send_refused_for_ever_is_told_once_until_one_succeeds(
    told: Services, telegram: LoopbackTelegram, clock: Clock, refusal: str
) -> None:
    """Whatever else is asked answers as if all were well."""
    post = make_post(told, NOON, minutes=6000)
    # The bot's own messages are sendMessage; only pictures are refused.
    rule = telegram.faults.error("messages.sendMedia", refusal)
    for _ in range(8):
        await publish(told, clock.forward(minutes=8))
        await alert(told, clock())
        assert await cure(told, clock.forward(minutes=8))
    assert rule.fired == 8
    assert len(heard(telegram)) == 1 and refusal in heard(telegram)[0]
    telegram.faults.clear()
    await publish(told, clock.forward(minutes=8))
    assert Post.get_by_id(post.id).state == "published"
    assert not Alert.select().where(Alert.cured_at.is_null())
    assert (Channel.get().state, Channel.get().reason) == ("ok", "")
    assert Account.get(Account.name == "user").stopped_at is None

    again = make_post(told, clock(), seed=2)
    telegram.faults.error("messages.sendMedia", refusal)
    await publish(told, clock())
    await alert(told, clock())
    assert Post.get_by_id(again.id).state == "planned"
    assert len(heard(telegram)) == 2


@pytest.mark.parametrize(("address", "six"), [("::1", True), ("127.0.0.1", False)])
async def test_a_servers_address_is_kept_in_either_family(
    services: Services, address: str, six: bool
) -> None:
    """Telethon goes to Telegram's own servers when address and family disagree."""
    server = services.settings.telegram.server
    assert isinstance(server, ServerSettings)
    there = server.model_copy(update={"address": address, "port": 1})
    telegram = services.settings.telegram.model_copy(update={"server": there})
    settings = services.settings.model_copy(update={"telegram": telegram})
    client = make_client(settings, "x", "other", bot=False)
    assert client._use_ipv6 is six
    with pytest.raises(OSError):
        await client.connect()
    assert (client.session.server_address, client.session.port) == (address, 1)
    client.session.close()


async def test_of_two_equal_pictures_the_accounts_own_is_the_post(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    """The answer was lost, and an administrator posted the same picture by hand."""
    post = make_post(services, NOON)
    world = telegram.world
    picture = (services.media / post.meme.file).read_bytes()
    ours = await deliver(services, post)
    clock.forward(seconds=30)
    world.post_as(world.by_username("our_channel"), post.caption, photo=picture)
    await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(post.id).message_id == ours


UNREADABLE = [
    errors.TypeNotFoundError(0x12345678, b""),
    errors.BadMessageError(None, 20),
    errors.InvalidBufferError(b"\x53\xfe\xff\xff"),
    errors.SecurityError("wrong"),
]


@pytest.mark.parametrize("error", UNREADABLE, ids=lambda e: type(e).__name__)
def test_an_answer_that_cannot_be_read_is_unclear(error: Exception) -> None:
    assert classify(error).kind == "unclear"


async def test_a_start_whose_first_answer_cannot_be_read_tries_again(
    services: Services, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.account.client.disconnect()
    services.user, read, left = None, BinaryReader.tgread_object, [1]

    def garbled(reader: BinaryReader) -> object:
        if left[0]:
            obj = read(reader)
            if type(obj).__name__ == "Config":
                left[0] -= 1
                raise errors.TypeNotFoundError(0x12345678, b"")
            return obj
        return read(reader)

    monkeypatch.setattr(BinaryReader, "tgread_object", garbled)
    began = clock()
    await Daemon(services).connect()
    assert left == [0] and services.account.client.is_connected()
    assert clock() - began >= timedelta(seconds=5)


async def test_a_post_deleted_before_it_was_found_ends_with_what_the_server_said(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON, minutes=20)
    message = await deliver(services, post)
    world = telegram.world
    world.delete(world.box(Peer("channel", world.by_username("our_channel").id)), [message])
    await reconcile(services, clock.forward(minutes=5))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.error_kind) == ("sending", "there")
    telegram.faults.error("messages.getHistory", "INTERNAL", times=1)
    for _ in range(8):
        await reconcile(services, clock.forward(minutes=8))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.error_kind) == ("failed", "there")
    assert "the server knows it" in stored.error
    assert created(telegram) == [post.random_id]


@pytest.mark.parametrize("step", ["the way to the partner", "the offer"])
async def test_a_connection_that_breaks_costs_no_offer(
    services: Services, telegram: LoopbackTelegram, clock: Clock, step: str
) -> None:
    bot, _ = add_box(telegram, "polite")
    with_partner(services, **BOT)
    add_memes(services, 1)
    await watch(services, clock())
    method = "messages.sendMessage" if step == "the way to the partner" else "messages.sendMedia"
    telegram.faults.drop(method, after=True, nth=1)
    telegram.faults.error(method, "CHAT_WRITE_FORBIDDEN", times=1)
    await suggest(services, clock())
    assert Suggestion.get().state == ("sending" if step == "the offer" else "planned")
    telegram.faults.clear()
    for _ in range(3):
        await suggest(services, clock.forward(minutes=30))
    assert Suggestion.get().state == "sent"
    assert our_photos(telegram, bot) == 1
    assert not Alert.select()
