"""Other MTProto servers answer a send, and a repeated one, in their own ways."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from telethon.tl import types as tl

from jobs.publish import publish
from jobs.reconcile import reconcile
from jobs.services import Services
from publisher.ledger import transitions
from publisher.ledger.models import Post
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.handlers import sending
from publisher.telegram.publishing import Publisher
from publisher.telegram.sending import message_id_of
from tests.conftest import NOON, Clock, make_post
from tests.telegram.test_publishing import created
from tests.telegram.test_survival import deliver

Shape = Callable[[Any, int, int, Any], Any]


def with_updates(call: Any, updates: list[Any]) -> Any:
    return call.view().updates(updates)


def short_sent(call: Any, message: int, random_id: int, new: Any) -> Any:
    return tl.UpdateShortSentMessage(message, pts=1, pts_count=1, date=None, out=True)


def of_another(call: Any, message: int, random_id: int, new: Any) -> Any:
    """What somebody else posted meanwhile, and the number of another send of ours."""
    other = tl.UpdateMessageID(message + 7, random_id + 1)
    return with_updates(call, [other, new])


SHAPES: dict[str, Shape] = {
    "id and message": lambda call, m, r, new: with_updates(call, [tl.UpdateMessageID(m, r), new]),
    "id alone": lambda call, m, r, new: with_updates(call, [tl.UpdateMessageID(m, r)]),
    "message alone": lambda call, m, r, new: with_updates(call, [new]),
    "short id": lambda call, m, r, new: tl.UpdateShort(tl.UpdateMessageID(m, r), date=None),
    "short message": lambda call, m, r, new: tl.UpdateShort(new, date=None),
    "short sent message": short_sent,
    "nothing": lambda call, m, r, new: with_updates(call, []),
    "too long": lambda call, m, r, new: tl.UpdatesTooLong(),
    "of another": of_another,
}


def new_message(call: Any, number: int, channel: Any) -> Any:
    box = call.world.box(channel)
    change = next(c for c in box.log if c.kind == "new" and c.ids == (number,))
    return call.view().update(box, change)[0]


@pytest.fixture(params=list(SHAPES))
def shape(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shape:
    """The server answers each send, first or repeated, in this shape."""
    found = SHAPES[request.param]

    def sent(call: Any, messages: list[Any]) -> Any:
        message = messages[0]
        update = new_message(call, message.id, message.box)
        return found(call, message.id, message.random_id, update)

    def repeated(call: Any, random_id: int) -> Any:
        known = call.world.sent.get((call.user.id, random_id))
        if known is None:
            return None
        return found(call, known[1], random_id, new_message(call, known[1], known[0]))

    monkeypatch.setattr(sending, "sent", sent)
    monkeypatch.setattr(sending, "find_repeated", repeated)
    return found


def on_server(telegram: LoopbackTelegram, post: Post) -> list[int | None]:
    return [e.message_id for e in telegram.journal.entries if e.random_id == post.random_id]


async def test_a_post_ends_published_under_its_own_id(
    services: Services, telegram: LoopbackTelegram, clock: Clock, shape: Shape
) -> None:
    first = make_post(services, NOON, seed=1)
    second = make_post(services, NOON + timedelta(seconds=1), seed=2)
    await publish(services, clock.forward(minutes=1))
    for _ in range(3):
        await reconcile(services, clock.forward(minutes=2))
    for post in (first, second):
        stored = Post.get_by_id(post.id)
        assert (stored.state, [stored.message_id]) == ("published", on_server(telegram, post))
    assert created(telegram) == [first.random_id, second.random_id]


async def test_a_send_repeated_after_a_crash_is_known_by_any_answer(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    shape: Shape,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The history does not show it yet, so that it is sent again with its own number."""
    post = make_post(services, NOON)
    monkeypatch.setattr("tests.telegram.test_survival.send_uploaded_photo", ignoring_the_answer)
    await deliver(services, post)
    looked = Publisher.find_in_channel
    monkeypatch.setattr(Publisher, "find_in_channel", not_there_yet)
    await reconcile(services, clock.forward(minutes=3))
    monkeypatch.setattr(Publisher, "find_in_channel", looked)
    for _ in range(3):
        await reconcile(services, clock.forward(minutes=3))
    stored = Post.get_by_id(post.id)
    assert (stored.state, [stored.message_id]) == ("published", on_server(telegram, post))
    assert created(telegram) == [post.random_id]


async def ignoring_the_answer(*args: Any, **rest: Any) -> int:
    from publisher.telegram.sending import send_uploaded_photo

    try:
        return await send_uploaded_photo(*args, **rest)
    except LookupError:
        return 0


async def not_there_yet(self: Publisher, post: Post) -> None:
    return None


def test_an_answer_about_others_names_no_message_of_ours() -> None:
    message = tl.Message(7, peer_id=tl.PeerChannel(1), date=None, message="")
    new = tl.UpdateNewChannelMessage(message, 1, 1)
    edited = tl.UpdateEditChannelMessage(message, 1, 1)
    for updates in ([tl.UpdateMessageID(9, 5), new], [edited], [new, new], []):
        answer = tl.Updates(updates, [], [], None, 0)
        with pytest.raises(LookupError, match="names no message"):
            message_id_of(answer, 6)
    assert message_id_of(tl.Updates([new], [], [], None, 0), 6) == 7


@pytest.mark.parametrize(
    "caption", ["подпись\n", "  подпись", "две\n\n\nстроки ", "ё\u0435\u0308", "#тег  @канал"]
)
async def test_a_caption_that_the_server_trims_is_known_again(
    services: Services, telegram: LoopbackTelegram, clock: Clock, caption: str
) -> None:
    post = make_post(services, NOON)
    Post.update(caption=caption).execute()
    post = Post.get_by_id(post.id)
    message = await deliver(services, post)
    await reconcile(services, clock.forward(minutes=3))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.message_id) == ("published", message)


async def test_a_server_whose_history_shows_no_picture_files(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    """The send is repeated with its number; the server's word that it has it is enough."""
    post = make_post(services, NOON)
    message = await deliver(services, post)
    telegram.faults.error("upload.getFile", "LOCATION_INVALID")
    for _ in range(4):
        await reconcile(services, clock.forward(minutes=3))
    stored = Post.get_by_id(post.id)
    assert (stored.state, stored.message_id) == ("published", message)
    assert created(telegram) == [post.random_id]


async def test_without_picture_files_nothing_is_guessed(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    """Two unsettled posts with one caption and one message: it could be either's."""
    there = make_post(services, NOON, seed=1)
    lost = make_post(services, NOON + timedelta(seconds=1), seed=2)
    message = await deliver(services, there)
    transitions.claim(lost, "user:dead", clock())
    transitions.begin_sending(lost, "user:dead", clock())
    telegram.faults.error("upload.getFile", "LOCATION_INVALID")
    for _ in range(6):
        await reconcile(services, clock.forward(minutes=3))
    assert Post.get_by_id(there.id).message_id == message
    assert [Post.get_by_id(lost.id).message_id] == on_server(telegram, lost)
    assert created(telegram) == [there.random_id, lost.random_id]
