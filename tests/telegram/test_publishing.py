"""A post reaches its channel exactly once, whatever was interrupted; counted by the server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from telethon import errors

from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher.ledger import approvals, transitions
from publisher.ledger.models import Alert, Channel, Meme, Post, Slot
from publisher.sandbox import LoopbackTelegram
from publisher.telegram.peers import find_peer, input_peer
from publisher.telegram.sending import caption_units, send_uploaded_photo
from tests.conftest import NOON, Clock, make_post, picture


def created(server: LoopbackTelegram) -> list[int | None]:
    return [e.random_id for e in server.journal.entries if e.kind == "created" and e.media_sha256]


async def test_a_due_post_is_published_with_its_own_random_id(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    assert await publish(services, clock()) == "published 1"
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.message_id is not None) == ("published", True)
    assert created(telegram) == [post.random_id]
    assert Slot.get_by_id(post.slot_id).state == "published"
    assert await publish(services, clock.forward(minutes=1)) == ""
    assert created(telegram) == [post.random_id]


async def test_a_post_is_claimed_by_one_worker(services: Services, clock: Clock) -> None:
    post = make_post(services, NOON)
    assert transitions.claim(post, "user:a", clock())
    assert not transitions.claim(post, "user:b", clock())
    assert not transitions.begin_sending(post, "user:b", clock())


def at_upload(services: Services, number: int, act: Callable[[], object]) -> None:
    """Let the owner do something while the picture of the n-th post goes up."""
    upload, seen = services.account.upload, []

    async def between(data: bytes, name: str) -> object:
        seen.append(name)
        if len(seen) == number:
            act()
        return await upload(data, name)

    services.account.upload = between  # type: ignore[method-assign]


def pictures_sent(server: LoopbackTelegram) -> list[str | None]:
    return [e.media_sha256 for e in server.journal.created() if e.media_sha256]


async def test_a_meme_replaced_while_earlier_posts_are_sent_never_goes_out(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    first, second = (
        make_post(services, NOON - timedelta(minutes=2 - seed), seed=seed) for seed in (0, 1)
    )
    file, digest = services.keep_picture(picture(9), "human")
    fresh = Meme.create(
        origin="human", language="ru", method="human", file=file, sha256=digest, created_at=NOON
    )
    approval = approvals.ask(second, NOON, "publish", NOON)
    approvals.keep(approval, NOON)
    said = []
    at_upload(services, 1, lambda: said.append(approvals.replace(approval, fresh, NOON)))
    assert await publish(services, clock()) == "published 1, taken 1"
    assert said == ["replaced"]
    assert await publish(services, clock.forward(minutes=1)) == "published 1"
    assert pictures_sent(telegram) == [first.meme.sha256, digest]
    row = Post.get_by_id(second.id)
    assert (row.meme_id, row.state) == (fresh.id, "published")
    assert Meme.get_by_id(fresh.id).state == "used"
    assert Meme.get_by_id(second.meme_id).state == "refused"


@pytest.mark.parametrize("held", [{"paused": True}, {"state": "stopped"}, {"state": "restored"}])
@pytest.mark.parametrize("upload", [1, 2])
async def test_a_channel_held_while_posts_are_sent_gets_no_more_of_them(
    services: Services, telegram: LoopbackTelegram, clock: Clock, held: dict, upload: int
) -> None:
    """Of three due posts, during the upload of the first or of the second."""
    posts = [make_post(services, NOON - timedelta(minutes=9 - n), seed=n) for n in range(3)]
    at_upload(services, upload, lambda: Channel.update(**held).execute())
    await publish(services, clock())
    assert len(pictures_sent(telegram)) == upload - 1
    states = [Post.get_by_id(post.id).state for post in posts]
    assert states == ["published"] * (upload - 1) + ["planned"] * (4 - upload)
    Channel.update(paused=False, state="ok").execute()
    await publish(services, clock.forward(minutes=1))
    assert pictures_sent(telegram) == [post.meme.sha256 for post in posts]


async def test_nothing_leaves_while_the_owner_is_being_asked(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON - timedelta(minutes=5))
    approvals.ask(post, NOON + timedelta(minutes=10), "publish", NOON)
    assert not transitions.claim(post, "user:a", NOON)
    assert await publish(services, clock()) == ""
    assert not pictures_sent(telegram)
    assert await publish(services, clock.forward(minutes=10)) == "published 1"


@pytest.mark.parametrize("arrived", [True, False])
async def test_a_crash_while_sending_is_settled_without_a_double(
    services: Services, telegram: LoopbackTelegram, clock: Clock, arrived: bool
) -> None:
    post = make_post(services, NOON)
    transitions.claim(post, "user:dead", clock())
    transitions.begin_sending(post, "user:dead", clock())
    if arrived:
        account = services.account
        peer = await find_peer(account, "our_channel", clock())
        data = (services.media / post.meme.file).read_bytes()
        uploaded = await account.upload(data, "meme.jpg")
        await send_uploaded_photo(account, input_peer(peer), uploaded, post.caption, post.random_id)
    await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(post.id).state == "published"
    assert created(telegram) == [post.random_id]


async def test_the_right_one_of_two_pictures_with_one_caption_is_found(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    first, second = (
        make_post(services, NOON, seed=1),
        make_post(services, NOON + timedelta(minutes=1), seed=2),
    )
    await publish(services, clock.forward(minutes=2))
    ids = [Post.get_by_id(p.id).message_id for p in (first, second)]
    Post.update(state="sending", message_id=None, claimed_by="user:dead").execute()
    await reconcile(services, clock.forward(minutes=5))
    assert [Post.get_by_id(p.id).message_id for p in (first, second)] == ids
    assert len(created(telegram)) == 2


async def test_a_late_post_expires_and_a_lost_one_is_not_sent_late(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    never = make_post(services, NOON, seed=1)
    lost = make_post(services, NOON + timedelta(minutes=1), seed=2)
    transitions.claim(lost, "user:dead", clock())
    transitions.begin_sending(lost, "user:dead", clock())
    clock.forward(hours=3)
    await publish(services, clock())
    await reconcile(services, clock())
    assert {Post.get_by_id(p.id).state for p in (never, lost)} == {"expired"}
    assert created(telegram) == []


async def test_a_spoilt_picture_is_set_aside_and_the_queue_goes_on(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bad, good = (
        make_post(services, NOON, seed=1),
        make_post(services, NOON + timedelta(seconds=1), seed=2),
    )
    (services.media / bad.meme.file).write_bytes(b"no picture")
    for _ in range(12):
        await publish(services, clock.forward(minutes=2))
    assert Post.get_by_id(bad.id).state == "failed"
    assert "not a picture" in Post.get_by_id(bad.id).error
    assert Post.get_by_id(good.id).state == "published"
    assert [a.code for a in Alert.select()] == ["post_failed"]


async def test_a_lost_right_stops_the_channel_alone_and_is_told_once(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    world = telegram.world
    channel = world.by_username("our_channel")
    account = world.user_by_phone("79990001122")
    other = world.add_user("Другой")
    channel.creator = other.id
    world.save(channel)
    world.remove_admin(channel, account)
    post = make_post(services, NOON)
    for _ in range(3):
        await publish(services, clock.forward(minutes=1))
    assert Channel.get(Channel.handle == "our_channel").state == "stopped"
    assert [a.code for a in Alert.select()] == ["channel_stopped"]
    assert Post.get_by_id(post.id).state == "planned"
    assert created(telegram) == []


def test_captions_are_counted_in_utf16_units() -> None:
    assert caption_units("кот") == 3
    assert caption_units("🐈") == 2


async def test_the_server_refuses_a_second_send_of_a_random_id(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    await publish(services, clock())
    peer = await find_peer(services.account, "our_channel", clock())
    uploaded = await services.account.upload((services.media / post.meme.file).read_bytes(), "x")
    with pytest.raises(errors.RandomIdDuplicateError):
        await send_uploaded_photo(
            services.account, input_peer(peer), uploaded, "подпись", post.random_id
        )
    assert created(telegram) == [post.random_id]
