"""Trouble that must cost neither a post nor the posts behind it."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image, ImageDraw
from telethon.tl import functions

from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher.ledger import transitions
from publisher.ledger.models import Alert, Channel, Meme, Post
from publisher.memes.phash import picture_hash
from publisher.sandbox import LoopbackTelegram
from publisher.telegram.peers import find_peer, input_peer
from publisher.telegram.publishing import Publisher
from publisher.telegram.sending import send_uploaded_photo
from tests.conftest import NOON, Clock, make_post, picture
from tests.telegram.test_publishing import created


async def deliver(services: Services, post: Post) -> int:
    """What a daemon did that died before it could write the answer down."""
    now = services.clock()
    transitions.claim(post, "user:dead", now)
    transitions.begin_sending(post, "user:dead", now)
    peer = await find_peer(services.account, "our_channel", now)
    data = (services.media / post.meme.file).read_bytes()
    uploaded = await services.account.upload(data, "meme.jpg")
    return await send_uploaded_photo(
        services.account, input_peer(peer), uploaded, post.caption, post.random_id
    )


def with_picture(services: Services, post: Post, jpeg: bytes) -> Post:
    file, digest = services.keep_picture(jpeg, "generated")
    Meme.update(file=file, sha256=digest, phash=picture_hash(jpeg)).where(
        Meme.id == post.meme_id
    ).execute()
    return Post.get_by_id(post.id)


def template_with(text: str) -> bytes:
    """Memes on one template: the same large picture, another line of text."""
    image = Image.open(io.BytesIO(picture(3, 640))).convert("RGB")
    ImageDraw.Draw(image).text((40, 560), text, fill="white", font_size=40, stroke_width=3)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


@pytest.mark.parametrize("error", [ConnectionError("no route"), TimeoutError(), OSError("gone")])
async def test_a_server_out_of_reach_costs_no_post(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    async def upload(data: bytes, name: str) -> None:
        raise error

    post = make_post(services, NOON)
    with monkeypatch.context() as patched:
        patched.setattr(services.account, "upload", upload)
        for _ in range(5):
            await publish(services, clock.forward(minutes=10))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.error_kind) == ("planned", "unclear")
    assert await publish(services, clock.forward(minutes=10)) == "published 1"
    assert created(telegram) == [post.random_id]


async def test_a_connection_that_telethon_gave_up_is_made_anew(
    services: Services, clock: Clock
) -> None:
    make_post(services, NOON)
    await services.account.client.disconnect()
    assert await publish(services, clock()) == "published 1"


async def test_callers_at_once_reconnect_once_and_leave_one_loop_of_updates(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, connected = services.account.client, 0
    connect = client.connect

    async def counted() -> None:
        nonlocal connected
        connected += 1
        await connect()

    monkeypatch.setattr(client, "connect", counted)
    old = client._updates_handle
    # What Telethon does at the end of its tries: the loop of updates stays.
    await client._sender._disconnect(error=ConnectionError("gave up"))
    assert not client.is_connected() and not old.done()
    request = functions.help.GetConfigRequest
    await asyncio.gather(*(services.account.call("other", request()) for _ in range(5)))
    assert connected == 1
    assert old.done() and not client._updates_handle.done()


async def asked_in_vain(services: Services, telegram: LoopbackTelegram) -> asyncio.Task[Any]:
    """A request under way that the server leaves without an answer."""
    telegram.faults.add("help.getConfig", "delay", seconds=60.0, times=1)
    call = services.account.call("other", functions.help.GetConfigRequest())
    asked = asyncio.create_task(call)
    await asyncio.sleep(0.3)
    return asked


async def test_what_telethon_cancels_is_a_failure_of_the_network(
    services: Services, telegram: LoopbackTelegram
) -> None:
    asked = await asked_in_vain(services, telegram)
    await services.account.client.disconnect()
    with pytest.raises(ConnectionError):
        await asked
    assert await services.account.call("other", functions.help.GetConfigRequest())


async def test_who_is_cancelled_in_a_request_is_cancelled(
    services: Services, telegram: LoopbackTelegram
) -> None:
    asked = await asked_in_vain(services, telegram)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked


@pytest.mark.parametrize("stage", ["_picture", "_send"])
async def test_a_fault_of_ours_with_one_post_does_not_stop_the_next(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    bad = make_post(services, NOON, seed=1)
    good = make_post(services, NOON + timedelta(seconds=1), seed=2)
    sound = getattr(Publisher, stage)

    def poisoned(self: Publisher, post: Post, *rest: object) -> object:
        if post.id == bad.id:
            raise TypeError("a fault of ours")
        return sound(self, post, *rest)

    monkeypatch.setattr(Publisher, stage, poisoned)
    await publish(services, clock.forward(minutes=1))
    assert Post.get_by_id(good.id).state == "published"
    for _ in range(12):
        await publish(services, clock.forward(minutes=9))
        await reconcile(services, clock())
    ended = Post.get_by_id(bad.id)
    if stage == "_picture":
        assert (ended.state, ended.error_kind) == ("failed", "fault")
        assert [a.code for a in Alert.select()] == ["post_failed"]
        assert created(telegram) == [good.random_id]
    else:
        # Nobody knew whether it had left: it was looked for, and sent by its own number.
        assert ended.state == "published"
        assert created(telegram) == [good.random_id, bad.random_id]


async def test_two_memes_on_one_template_are_not_taken_for_each_other(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    texts = ["понедельник", "пятница"]
    posts = [
        with_picture(services, make_post(services, NOON, seed=9), template_with(texts[0])),
        with_picture(
            services, make_post(services, NOON + timedelta(seconds=1)), template_with(texts[1])
        ),
    ]
    second = await deliver(services, posts[1])
    transitions.claim(posts[0], "user:dead", clock())
    transitions.begin_sending(posts[0], "user:dead", clock())
    await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(posts[1].id).message_id == second
    assert Post.get_by_id(posts[0].id).message_id not in (None, second)
    assert created(telegram) == [posts[1].random_id, posts[0].random_id]


@pytest.mark.parametrize("hours", [-6, 6])
async def test_a_clock_that_was_wrong_hides_no_post(
    services: Services, telegram: LoopbackTelegram, clock: Clock, hours: int
) -> None:
    post = make_post(services, NOON)
    message = await deliver(services, post)
    Post.update(sending_at=NOON + timedelta(hours=hours)).execute()
    await reconcile(services, clock.forward(hours=8))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.message_id) == ("published", message)


async def test_a_picture_spoilt_after_the_send_is_known_by_its_hash(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = with_picture(services, make_post(services, NOON), picture(5))
    other = with_picture(services, make_post(services, NOON + timedelta(seconds=1)), picture(6))
    messages = [await deliver(services, p) for p in (post, other)]
    for found in (post, other):
        (services.media / found.meme.file).write_bytes(b"spoilt")
    await reconcile(services, clock.forward(hours=3))
    assert [Post.get_by_id(p.id).message_id for p in (post, other)] == messages


async def test_a_lost_post_whose_picture_is_spoilt_does_not_wait_for_its_expiry(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON, minutes=600)
    transitions.claim(post, "user:dead", clock())
    transitions.begin_sending(post, "user:dead", clock())
    (services.media / post.meme.file).write_bytes(b"spoilt")
    await reconcile(services, clock.forward(minutes=5))
    assert Post.get_by_id(post.id).state == "sending"
    await reconcile(services, clock.forward(minutes=6))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.error_kind) == ("failed", "picture")
    assert created(telegram) == []


async def test_a_meme_that_may_have_left_is_not_used_again(
    services: Services, clock: Clock
) -> None:
    never, lost = (
        make_post(services, NOON, seed=1),
        make_post(services, NOON + timedelta(seconds=1), seed=2),
    )
    transitions.claim(lost, "user:dead", clock())
    transitions.begin_sending(lost, "user:dead", clock())
    clock.forward(hours=3)
    await publish(services, clock())
    await reconcile(services, clock())
    assert [Meme.get_by_id(p.meme_id).state for p in (never, lost)] == ["ready", "queued"]


async def test_what_can_never_be_looked_for_ends_with_its_reason(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    post = make_post(services, NOON)
    transitions.claim(post, "user:dead", clock())
    transitions.begin_sending(post, "user:dead", clock())
    telegram.faults.error("messages.getHistory", "INTERNAL")
    for _ in range(4):
        await reconcile(services, clock.forward(hours=16))
    stored = Post.get_by_id(post.id)
    assert stored.state == "failed" and "could not be seen" in stored.error


async def test_a_restored_channel_is_compared_before_anything_is_posted(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    """Four posts went out after the backup; the ledger that came back knows three of them."""
    before, after, expired, sending, forgotten = (
        make_post(services, NOON + timedelta(minutes=i), seed=i) for i in range(5)
    )
    ids = {}
    for post in (before, after, expired, sending, forgotten):
        clock.forward(minutes=1)
        ids[post.id] = await deliver(services, post)
    transitions.published(before, ids[before.id], NOON)
    clean = {"claimed_by": "", "claimed_at": None, "sending_at": None, "attempts": 0}
    Post.update(state="planned", **clean).where(Post.id == after.id).execute()
    Post.update(state="expired", error="late", **clean).where(Post.id == expired.id).execute()
    unknown = ids.pop(forgotten.id)
    forgotten.delete_instance()
    still_open = make_post(services, NOON + timedelta(minutes=9), seed=9)
    Channel.update(state="restored").execute()
    clock.forward(minutes=10)
    assert await publish(services, clock()) == ""
    telegram.faults.error("messages.getHistory", "INTERNAL", times=1)
    await reconcile(services, clock())
    assert Channel.get().state == "restored"
    assert Post.get_by_id(still_open.id).state == "planned"
    note = await reconcile(services, clock.forward(minutes=3))
    assert note == "audited 1, found after restore 3, unknown 1"
    assert {p: Post.get_by_id(p).message_id for p in ids} == ids
    assert {Post.get_by_id(p).state for p in ids} == {"published"}
    alert = Alert.get(Alert.code == "channel_unknown_posts")
    assert alert.facts == {"channel": "our_channel", "messages": str(unknown)}
    assert Channel.get().state == "ok"
    assert await publish(services, clock.forward(minutes=1)) == "published 1"
    assert len(created(telegram)) == 6
