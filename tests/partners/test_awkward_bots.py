"""Bots of other hands, by the stock client: they repeat themselves, edit, and mean older offers."""

from __future__ import annotations

from typing import Any

from telethon import Button, events

from jobs.watch import watch
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Alert, Partner, Reply, Suggestion
from publisher.sandbox import LoopbackTelegram
from tests.conftest import picture
from tests.partners.conftest import Box
from tests.partners.test_conversations import meanings

YES_NO = [[Button.inline("✅ Да", b"yes"), Button.inline("Нет", b"no")]]


async def test_the_same_question_for_ever_is_answered_twice(box: Box) -> None:
    async def ask(event: Any) -> None:
        await event.respond("Отправить этот пост на модерацию?", buttons=YES_NO)

    box.on(events.NewMessage, func=lambda e: e.photo)(ask)
    box.on(events.CallbackQuery)(ask)
    await box.live(offers=True)
    await box.live(rounds=6)
    assert box.pressed == [b"yes", b"yes"]
    assert Alert.get(Alert.code == "partner_unclear").facts["text"].startswith("Отправить этот")
    assert Alert.select().where(Alert.code == "partner_unclear").count() == 1


async def test_the_same_question_in_words_is_answered_twice(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.text != "/start")
    async def ask(event: Any) -> None:
        await event.respond("Отправить этот пост на модерацию? Ответьте да или нет")

    await box.live(offers=True)
    await box.live(rounds=6)
    assert box.heard == ["/start", "Да", "Да"]


async def test_a_second_step_that_changes_only_the_buttons(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def ask(event: Any) -> None:
        buttons = [[Button.inline("✅ Отправить", b"yes"), Button.inline("❌ Отмена", b"no")]]
        await event.respond("Отправить ваш мем?", buttons=buttons)

    @box.on(events.CallbackQuery)
    async def go_on(event: Any) -> None:
        if event.data == b"yes":
            names = [Button.inline("Анонимно", b"hidden"), Button.inline("С подписью", b"named")]
            await event.edit(buttons=[names])
        else:
            await event.edit(buttons=None)
        await event.answer()

    await box.live(offers=True)
    await box.live(rounds=5)
    assert box.pressed == [b"yes", b"hidden"]
    assert box.heard == ["/start"], "buttons taken away are no new question"


async def test_an_answer_to_an_offer_long_settled_is_about_that_one(box: Box) -> None:
    await box.live(offers=True)
    first = Suggestion.get()
    ledger.settle(first, "censored", "not seen in time", box.clock())
    await box.live(offers=True)
    await box.client.send_message(
        box.owner.id, "К сожалению, ваш мем отклонён: баян.", reply_to=box.photos[0]
    )
    await box.live()
    outcomes = [s.outcome for s in Suggestion.select().order_by(Suggestion.id)]
    assert outcomes == ["censored", "pending"]
    assert Reply.get().suggestion_id == first.id


async def test_a_word_to_stop_is_heard_when_no_offer_waits(box: Box) -> None:
    await box.live(offers=True)
    ledger.settle(Suggestion.get(), "rejected", "баян", box.clock())
    await box.client.send_message(box.owner.id, "Больше не присылайте нам мемы.")
    await box.live(minutes=61)
    assert Partner.get().state == "stopped"
    await box.live(offers=True)
    assert len(box.photos) == 1


async def test_what_was_said_between_two_offers_is_read(box: Box) -> None:
    await box.live(offers=True)
    ledger.settle(Suggestion.get(), "rejected", "баян", box.clock())
    await box.client.send_message(box.owner.id, "Больше не присылайте нам мемы.")
    await box.live(offers=True)
    assert Partner.get().state == "stopped"


async def test_nothing_is_pressed_when_no_offer_waits(box: Box) -> None:
    await box.live(offers=True)
    ledger.settle(Suggestion.get(), "rejected", "баян", box.clock())
    await box.client.send_message(box.owner.id, "Предложить ещё один мем?", buttons=YES_NO)
    await box.live(rounds=2, minutes=61)
    assert (meanings(), box.pressed) == (["confirm"], [])


async def test_a_limit_for_the_next_one_sends_this_one_once(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def answer(event: Any) -> None:
        await event.reply(
            "✅ Ваш мем отправлен на модерацию. Следующее предложение можно отправить через 2 часа."
        )

    await box.live(offers=True)
    await box.live(rounds=2, minutes=70)
    row = Suggestion.get()
    assert (row.state, row.meaning, row.attempts) == ("sent", "receipt", 1)


async def test_an_endless_limit_does_not_end_the_listening(box: Box) -> None:
    await box.live(offers=True)
    await box.client.send_message(box.owner.id, "Лимит. Подождите 99999999999999 дней")
    await box.live()
    assert (Reply.get().meaning, Reply.get().action["wait_seconds"]) == (
        "rate_limited",
        30 * 86400,
    )


async def test_a_picture_with_buttons_alone_is_shown_to_the_owner_by_them(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def echo(event: Any) -> None:
        await event.respond(file=event.photo, buttons=YES_NO)

    await box.live(offers=True)
    await box.live()
    assert Alert.get(Alert.code == "partner_unclear").facts["text"] == "[✅ Да] [Нет]"
    assert box.pressed == []


async def test_a_sponsor_named_by_a_button_alone_is_not_mistaken_for_the_partner(box: Box) -> None:
    @box.on(events.NewMessage, func=lambda e: e.photo)
    async def ask(event: Any) -> None:
        buttons = [
            [Button.url("Спонсор", "https://t.me/sponsor_channel")],
            [Button.inline("Проверить подписку", b"check")],
        ]
        text = "Чтобы предложить пост, сначала подпишитесь на канал"
        await event.respond(text, buttons=buttons)

    await box.live(offers=True)
    await box.live()
    assert box.pressed == []
    assert Alert.select().where(Alert.code == "partner_unclear").count() == 1


async def test_an_offer_put_off_is_dropped_when_the_partner_has_posted_it(
    box: Box, telegram: LoopbackTelegram
) -> None:
    await box.live(offers=True)
    row = Suggestion.get()
    ledger.offer_again(row, box.clock(), "the limit")
    channel = next(c for c in telegram.world.channels.values() if c.username == "their_channel")
    telegram.world.post_as(channel, "смотрите", photo=picture(int(row.meme.template[8:])))
    box.clock.forward(days=1)
    await watch(box.services, box.clock())
    await box.live(offers=True)
    kept = Suggestion.get_by_id(row.id)
    assert (kept.state, kept.error_kind) == ("failed", "shown")
    memes = [s.meme_id for s in Suggestion.select().where(Suggestion.state == "sent")]
    assert row.meme_id not in memes
