"""A button is pressed once more only where the bot cannot have had the press; walls are passed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from telethon import Button, events

from jobs.suggest import may_offer
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Alert, Partner, Reply, Suggestion
from publisher.sandbox.handlers import bots
from publisher.telegram.governor import NotNow
from tests.partners.conftest import Box
from tests.partners.test_conversations import meanings, with_partner

PRESS = "messages.getBotCallbackAnswer"
QUESTION = "Отправить этот мем на модерацию?"
SENT = "✅ Мем отправлен на модерацию. Спасибо!"
BUTTONS = [[Button.inline("✅ Отправить", b"yes"), Button.inline("❌ Отмена", b"no")]]
WALL = "Чтобы предлагать мемы, подпишитесь на наш канал и нажмите «Проверить»."
CHECK = [
    [Button.url("Подписаться", "https://t.me/their_channel")],
    [Button.inline("Проверить", b"check")],
]


def asks(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def ask(event: Any) -> None:
        await event.reply(QUESTION, buttons=BUTTONS)


def alerts() -> int:
    return Alert.select().where(Alert.code == "partner_unclear").count()


async def settles_by_edit(event: Any) -> None:
    await event.edit(SENT)
    await event.answer()


async def settles_by_taking_the_buttons(event: Any) -> None:
    await event.edit(buttons=None)
    await event.answer()


async def settles_by_a_word(event: Any) -> None:
    await event.respond(SENT)
    await event.answer()


async def settles_by_deleting(event: Any) -> None:
    await event.delete()
    await event.answer()


@pytest.mark.parametrize(
    "settle",
    [settles_by_edit, settles_by_taking_the_buttons, settles_by_a_word, settles_by_deleting],
)
async def test_a_press_whose_answer_was_lost_is_not_repeated(box: Box, settle: Any) -> None:
    asks(box)
    box.on(events.CallbackQuery)(settle)
    box.server.faults.error(PRESS, "TIMEOUT", after=True)
    await box.live(offers=True)
    await box.live(rounds=5)
    assert box.pressed == [b"yes"]
    assert alerts() == 0
    assert Reply.get(Reply.meaning == "confirm").action_state == "done"


async def test_a_press_is_not_repeated_after_a_death_in_the_middle(box: Box) -> None:
    asks(box)
    box.on(events.CallbackQuery)(settles_by_edit)
    await box.live(offers=True)
    Reply.update(action_state="doing", action_at=box.clock()).execute()
    await box.live(rounds=3)
    assert box.pressed == [b"yes"]
    assert Reply.get(Reply.meaning == "confirm").action_state == "done"


async def test_a_press_that_did_not_arrive_is_repeated(box: Box) -> None:
    asks(box)
    box.on(events.CallbackQuery)(settles_by_edit)
    box.server.faults.error(PRESS, "TIMEOUT", times=1)
    await box.live(offers=True)
    await box.live(rounds=3)
    assert box.pressed == [b"yes"]
    assert Suggestion.get().meaning == "receipt"


async def test_a_press_is_repeated_after_a_while_only(box: Box) -> None:
    asks(box)
    box.on(events.CallbackQuery)(settles_by_edit)
    box.server.faults.error(PRESS, "TIMEOUT", times=1)
    await box.live(offers=True)
    await box.live(rounds=3, minutes=0.2)
    assert box.pressed == []
    await box.live(rounds=2, minutes=2)
    assert box.pressed == [b"yes"]


async def test_words_said_before_the_press_are_no_answer_to_it(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def ask(event: Any) -> None:
        await event.reply(QUESTION, buttons=BUTTONS)
        await event.reply("Привет! Присылайте мемы сюда.")

    box.on(events.CallbackQuery)(settles_by_edit)
    box.server.faults.error(PRESS, "TIMEOUT", times=1)
    await box.live(offers=True)
    await box.live(rounds=3)
    assert box.pressed == [b"yes"]


async def test_presses_that_lead_nowhere_end_and_are_told_once(box: Box) -> None:
    asks(box)
    box.on(events.CallbackQuery)(lambda event: event.answer())
    box.server.faults.error(PRESS, "TIMEOUT", after=True)
    await box.live(offers=True)
    await box.live(rounds=8)
    assert len(box.pressed) == 3
    assert (alerts(), Suggestion.get().outcome) == (1, "pending")


async def test_a_bot_that_never_answers_a_press_is_told_once(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bots, "ANSWER_TIMEOUT", 0.1)
    asks(box)
    await box.live(offers=True)
    await box.live(rounds=3)
    assert (box.pressed, alerts()) == ([b"yes"], 0), "it has the press and may be slow"
    await box.live(rounds=6, minutes=10)
    assert (box.pressed, alerts()) == ([b"yes"], 1)
    row = Suggestion.get()
    assert (row.meaning, row.outcome) == ("confirm", "pending")
    await box.live(offers=True)
    await box.live(rounds=6, minutes=10)
    assert (len(box.pressed), alerts()) == (2, 1), "the same silence is told once"


@pytest.mark.parametrize("settle", [settles_by_edit, settles_by_taking_the_buttons])
async def test_a_bot_that_answers_late_is_no_trouble(
    box: Box, settle: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bots, "ANSWER_TIMEOUT", 0.1)
    asks(box)
    held: list[Any] = []
    box.on(events.CallbackQuery)(lambda event: _hold(held, event))
    await box.live(offers=True)
    await box.live()
    await settle(held[0])
    await box.live(rounds=6, minutes=10)
    assert (box.pressed, alerts()) == ([b"yes"], 0)


async def _hold(held: list[Any], event: Any) -> None:
    held.append(event)


async def test_a_wait_of_the_governor_is_no_try(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    asks(box)
    await box.live(offers=True)

    async def wait(*_: Any) -> str:
        raise NotNow(box.clock() + timedelta(hours=1), "FLOOD_WAIT_3600")

    Reply.update(action_state="due", tries=0).where(Reply.meaning == "confirm").execute()
    monkeypatch.setattr("jobs.replies.press", wait)
    await box.live(rounds=5)
    found = Reply.get(Reply.meaning == "confirm")
    assert (found.tries, found.action_state, alerts()) == (0, "due", 0)


class Wall:
    """Takes pictures of those who passed the check, once they joined and pressed."""

    def __init__(self, box: Box, thanks: str, way: str, always: bool = False) -> None:
        self.open, self.taken, self.photos = False, 0, 0
        self.thanks, self.way, self.always = thanks, way, always
        box.on(events.NewMessage, func=lambda e: e.photo)(self.photo)
        box.on(events.CallbackQuery)(self.check)

    async def photo(self, event: Any) -> None:
        self.photos += 1
        if self.open and not self.always:
            self.taken += 1
            await event.respond("Мем получен, отправлен на модерацию.")
        else:
            await event.respond(WALL, buttons=CHECK)

    async def check(self, event: Any) -> None:
        self.open = True
        if self.way == "popup":
            await event.answer(self.thanks, alert=True)
            return
        await (event.edit(self.thanks) if self.way == "edit" else event.respond(self.thanks))
        await event.answer()


@pytest.mark.parametrize("way", ["message", "edit", "popup"])
@pytest.mark.parametrize(
    "thanks",
    [
        "Спасибо за подписку! Пришлите мем ещё раз.",
        "Thanks for subscribing! Send your meme again.",
    ],
)
async def test_after_the_wall_the_offer_is_sent_once_more(box: Box, way: str, thanks: str) -> None:
    wall = Wall(box, thanks, way)
    await box.live(offers=True)
    await box.live(rounds=4, offers=True)
    first = Suggestion.select().order_by(Suggestion.id).get()
    assert (first.state, first.meaning, first.attempts) == ("sent", "receipt", 2)
    assert (wall.photos - wall.taken, alerts()) == (1, 0)


async def test_the_wall_is_passed_once(box: Box) -> None:
    wall = Wall(box, "Спасибо за подписку! Пришлите мем ещё раз.", "message", always=True)
    await box.live(offers=True)
    for _ in range(8):
        await box.live(offers=bool(ledger.has_open(Partner.get())))
    assert wall.photos == 2
    row = Suggestion.get()
    assert (row.state, row.outcome, alerts()) == ("sent", "pending", 1)


async def test_an_invitation_without_a_wall_sends_nothing_again(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def thank(event: Any) -> None:
        await event.respond("Привет! Пришлите мем ещё раз.")

    await box.live(offers=True)
    await box.live(rounds=4)
    assert (len(box.photos), meanings()) == (1, ["greeting"])


async def test_the_sending_before_the_wall_counts_for_the_gap_and_the_day(box: Box) -> None:
    with_partner(box.services, route="bot", inbox="box_bot", daily_limit=2, gap_minutes=30)
    Wall(box, "Спасибо за подписку! Пришлите мем ещё раз.", "message")
    await box.live(offers=True)
    await box.live(rounds=3, offers=True)
    assert (Suggestion.get().state, len(box.photos)) == ("planned", 1)
    await box.live(rounds=2, minutes=20, offers=True)
    assert (Suggestion.get().meaning, len(box.photos)) == ("receipt", 2)
    box.clock.forward(minutes=40)
    assert not may_offer(Partner.get(), box.services.settings.partners[0], box.clock())
