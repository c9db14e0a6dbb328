"""Offers to the loopback Telegram's partners, by the stock client, from first word to end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from telethon.tl import types as tl

from jobs.replies import replies
from jobs.services import Services
from jobs.suggest import may_offer, suggest
from jobs.watch import watch
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Alert, Meme, Partner, Reply, Sighting, Suggestion
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.records import Channel, Message, Peer, User
from tests.conftest import Clock, picture

BOT = {"route": "bot", "inbox": "box_bot"}
CHAT = {"route": "chat", "inbox": "their_chat"}
NATIVE = {"route": "suggested_post"}


def with_partner(services: Services, **values: Any) -> None:
    """Name one partner, @their_channel, in the settings."""
    from publisher.settings.model import PartnerSettings

    given = {
        "handle": "their_channel",
        "members": 5000,
        "quiet_hours": ("00:00", "00:00"),
        "gap_minutes": 0,
        "daily_limit": 5,
        "consent": "a test",
        **values,
    }
    partner = PartnerSettings(**given)
    services.settings = services.settings.model_copy(update={"partners": (partner,)})


def add_box(server: LoopbackTelegram, manner: str, **changes: Any) -> tuple[User, Channel]:
    world = server.world
    admin = world.add_user("Админ")
    channel = world.add_channel("Их канал", creator=admin, username="their_channel", members=5000)
    bot = world.add_bot("Предложка", username="box_bot")
    server.partners.add(bot, channel, manner, **changes)
    return bot, channel


def add_memes(services: Services, count: int, origin: str = "generated") -> list[Meme]:
    """Memes that our own channel had already."""
    memes = []
    for seed in range(count):
        number = seed + (100 if origin == "human" else 0)
        file, digest = services.keep_picture(picture(number), origin)
        memes.append(
            Meme.create(
                origin=origin,
                template=f"template{seed}",
                language="ru",
                method="frame",
                file=file,
                sha256=digest,
                state="used",
                created_at=services.clock(),
            )
        )
    return memes


async def live(
    services: Services, server: LoopbackTelegram, clock: Clock, hours: float, step: float = 10
) -> None:
    """Let the world and our three jobs run, `step` minutes at a time; offers at the start only."""
    end = clock() + timedelta(hours=hours)
    while clock() < end:
        clock.forward(minutes=step)
        await server.advance(clock())
        await replies(services, clock())
        await watch(services, clock())


async def offer_one(services: Services, server: LoopbackTelegram, clock: Clock) -> Suggestion:
    await watch(services, clock())
    assert await suggest(services, clock()) == "sent 1"
    await server.advance(clock())
    return Suggestion.get()


def meanings() -> list[str]:
    return [r.meaning for r in Reply.select().order_by(Reply.id)]


def our_photos(server: LoopbackTelegram, bot: User) -> int:
    from publisher.sandbox.records import Peer

    messages = server.world.box(Peer("user", bot.id)).messages.values()
    return sum(m.media is not None and not m.out for m in messages)


async def test_polite_partner_receives_accepts_and_publishes(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "polite", accept_rate=1.0)
    with_partner(services, **BOT)
    (meme,) = add_memes(services, 1)
    row = await offer_one(services, telegram, clock)
    assert (row.state, row.outcome, row.members, row.arm) == ("sent", "pending", 5000, "generated")
    await live(services, telegram, clock, 4)
    assert meanings() == ["greeting", "receipt", "accepted"]
    row = Suggestion.get()
    assert row.outcome == "pending", "words are no publication"
    await live(services, telegram, clock, 8, step=60)
    row = Suggestion.get()
    assert (row.outcome, row.meaning) == ("published", "published")
    assert Sighting.get(Sighting.message_id == row.published_message_id).meme_id == meme.id
    assert our_photos(telegram, bot) == 1


async def test_a_picture_that_telegram_refuses_to_give_holds_up_no_other(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    add_box(telegram, "polite", accept_rate=1.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    before = Partner.get().channel_message_id
    telegram.faults.error("upload.getFile", "LOCATION_INVALID")
    await live(services, telegram, clock, 12, step=60)
    assert Partner.get().channel_message_id > before


async def test_accepted_but_never_published(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    add_box(telegram, "promising")
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 24 * 7 + 7, step=360)
    assert Suggestion.get().outcome == "approved_unpublished"


async def test_silence_is_censored_and_not_rejected(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    add_box(telegram, "silent", accept_rate=0.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 24 * 7 - 6, step=360)
    assert Suggestion.get().outcome == "pending"
    await live(services, telegram, clock, 13, step=360)
    assert (Suggestion.get().outcome, Reply.select().count()) == ("censored", 0)


@pytest.mark.parametrize(("signed", "label"), [(False, "🕶 Анонимно"), (True, "✍️ С подписью")])
async def test_confirm_first_presses_both_buttons(
    services: Services, telegram: LoopbackTelegram, clock: Clock, signed: bool, label: str
) -> None:
    add_box(telegram, "confirm", accept_rate=1.0)
    with_partner(services, **BOT, signed=signed)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 1)
    pressed = [r.action.get("button") for r in Reply.select() if r.action_state == "done"]
    assert pressed == ["✅ Отправить", label]
    assert meanings() == ["greeting", "confirm", "confirm", "receipt"]
    await live(services, telegram, clock, 12, step=60)
    assert Suggestion.get().outcome == "published"


async def test_rejection_with_its_reason(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    add_box(telegram, "polite", accept_rate=0.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 5)
    row = Suggestion.get()
    assert row.outcome == "rejected"
    assert row.outcome_reason


async def test_limit_keeps_the_same_offer_for_later(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "limited", accept_rate=1.0)
    with_partner(services, **BOT, daily_limit=3)
    add_memes(services, 4)
    await watch(services, clock())
    for _ in range(3):
        await suggest(services, clock())
        await live(services, telegram, clock, 0.5)
    third = Suggestion.select().order_by(Suggestion.id.desc()).get()
    assert (third.state, third.error_kind) == ("planned", "limit")
    assert third.next_try_at > clock()
    assert not may_offer(Partner.get(), services.settings.partners[0], clock())
    clock.forward(hours=26)
    await suggest(services, clock())
    await live(services, telegram, clock, 0.5)
    again = Suggestion.get_by_id(third.id)
    assert (again.state, again.meme_id, again.meaning) == ("sent", third.meme_id, "receipt")
    assert our_photos(telegram, bot) == 4


async def test_ban_stops_the_partner_and_tells_the_owner(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "banning")
    with_partner(services, **BOT)
    add_memes(services, 4)
    await watch(services, clock())
    for _ in range(4):
        await suggest(services, clock())
        await live(services, telegram, clock, 0.5)
    assert Partner.get().state == "stopped"
    assert Alert.select().where(Alert.code == "partner_stopped").count() == 1
    assert our_photos(telegram, bot) == 2
    ledger.resume_partner(Partner.get(), clock())
    assert Alert.select().where(Alert.cured_at.is_null()).count() == 0


async def test_joins_the_partner_when_asked_and_offers_again(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, channel = add_box(telegram, "subscribers", accept_rate=1.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 0.2)
    assert len(channel.members) == 2
    await suggest(services, clock())
    await live(services, telegram, clock, 0.5)
    assert Suggestion.get().meaning == "receipt"
    assert our_photos(telegram, bot) == 2


async def test_watermark_in_the_corner_is_seen_through(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    add_box(telegram, "watermark")
    with_partner(services, **BOT)
    add_memes(services, 2)
    row = await offer_one(services, telegram, clock)
    await live(services, telegram, clock, 12, step=60)
    assert Suggestion.get_by_id(row.id).outcome == "published"


async def test_a_chat_hears_only_what_is_said_to_us(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    world = telegram.world
    admin, passer = world.add_user("Марина"), world.add_user("Прохожий")
    channel = world.add_channel("Их канал", creator=admin, username="their_channel", members=5000)
    group = world.add_group("Чат", creator=admin, username="their_chat")
    world.join(group, passer)
    telegram.partners.add(admin, channel, "chat", group=group, accept_rate=1.0)
    with_partner(services, **CHAT)
    add_memes(services, 1)
    row = await offer_one(services, telegram, clock)
    assert row.caption.startswith("Здравствуйте!")
    box = Peer("channel", group.id)
    world.create(Message(0, box, box, passer.id, clock(), "Отклонено! Баян!"))
    await live(services, telegram, clock, 12, step=30)
    assert meanings() == ["accepted"]
    assert Suggestion.get().outcome == "published"


async def test_an_answer_in_a_busy_group_is_heard(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    world = telegram.world
    admin, passer = world.add_user("Марина"), world.add_user("Прохожий")
    world.add_channel("Их канал", creator=admin, username="their_channel", members=5000)
    group = world.add_group("Чат", creator=admin, username="their_chat")
    with_partner(services, **CHAT)
    add_memes(services, 1)
    row = await offer_one(services, telegram, clock)
    box = Peer("channel", group.id)

    def talk(count: int) -> None:
        for number in range(count):
            world.create(Message(0, box, box, passer.id, clock(), f"болтовня {number}"))

    talk(150)
    await replies(services, clock.forward(minutes=10))
    talk(50)
    answer = Message(0, box, box, admin.id, clock(), "Отклонено: баян", reply_to=row.message_id)
    world.create(answer)
    talk(150)
    await replies(services, clock.forward(minutes=10))
    assert (meanings(), Suggestion.get().outcome) == (["rejected"], "rejected")


def native_box(server: LoopbackTelegram, box: str, stars: int = 0) -> Channel:
    editor = server.world.add_user("Редактор")
    channel = server.world.add_channel(
        "Их канал", creator=editor, username="their_channel", monoforum=True, stars=stars
    )
    server.partners.add(editor, channel, "polite", box=box)
    return channel


@pytest.mark.parametrize(
    ("box", "outcome", "meaning"),
    [("approve", "published", "accepted"), ("reject", "rejected", "rejected")],
)
async def test_suggested_post(
    services: Services,
    telegram: LoopbackTelegram,
    clock: Clock,
    box: str,
    outcome: str,
    meaning: str,
) -> None:
    native_box(telegram, box)
    with_partner(services, **NATIVE)
    add_memes(services, 1)
    row = await offer_one(services, telegram, clock)
    assert row.caption == "", "a suggested post's caption would be published"
    await live(services, telegram, clock, 12, step=60)
    row = Suggestion.get()
    assert (row.outcome, row.meaning) == (outcome, meaning)


async def test_stars_are_never_paid(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    native_box(telegram, "approve", stars=25)
    with_partner(services, **NATIVE)
    add_memes(services, 1)
    await watch(services, clock())
    assert await suggest(services, clock()) == "failed 1"
    assert Partner.get().state == "stopped"
    assert "25 stars" in Alert.get(Alert.code == "partner_stopped").facts["reason"]
    assert not any("SendMedia" in name for name in telegram.calls)


async def test_a_partner_that_takes_no_messages_any_more_is_stopped_alone(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    channel = native_box(telegram, "approve")
    with_partner(services, **NATIVE)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    channel.linked_monoforum = None
    await replies(services, clock())
    assert (Partner.get().state, Suggestion.get().outcome) == ("stopped", "pending")
    assert "no direct messages" in Alert.get(Alert.code == "partner_stopped").facts["reason"]


async def test_unknown_words_go_to_the_owner(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "silent", accept_rate=0.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    await offer_one(services, telegram, clock)
    owner = next(u for u in telegram.world.users.values() if u.phone)
    telegram.world.say(bot, owner, "🙃🙃")
    await live(services, telegram, clock, 0.5)
    assert meanings() == ["unknown"]
    assert Alert.get(Alert.code == "partner_unclear").facts["text"] == "🙃🙃"
    assert Suggestion.get().outcome == "pending"


async def test_what_the_partner_posted_before_is_not_offered(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    _, channel = add_box(telegram, "polite")
    with_partner(services, **BOT)
    memes = add_memes(services, 2)
    telegram.world.post_as(channel, "смотрите", photo=picture(0))
    await watch(services, clock())
    await suggest(services, clock())
    assert Suggestion.get().meme_id == memes[1].id
    assert await suggest(services, clock()) == "", "nothing is left that they have not had"


async def test_a_lost_answer_is_found_and_not_sent_twice(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "polite")
    with_partner(services, **BOT)
    add_memes(services, 1)
    await watch(services, clock())
    telegram.faults.drop("messages.sendMedia", after=True)
    await suggest(services, clock())
    assert Suggestion.get().state == "sending"
    clock.forward(minutes=30)
    await suggest(services, clock())
    assert Suggestion.get().state == "sent"
    assert our_photos(telegram, bot) == 1


async def test_dry_run_offers_nothing(
    services: Services, telegram: LoopbackTelegram, clock: Clock
) -> None:
    bot, _ = add_box(telegram, "polite")
    with_partner(services, **BOT)
    add_memes(services, 1)
    await watch(services, clock())
    services.account.rehearsal = []
    await suggest(services, clock())
    assert our_photos(telegram, bot) == 0
    assert Suggestion.get().state in ("planned", "claimed")


def test_native_events_mean_what_they_are() -> None:
    from publisher.telegram.suggesting import suggested_event

    price = tl.StarsAmount(5, 0)
    approval = tl.MessageActionSuggestedPostApproval
    assert suggested_event(approval(rejected=True, reject_comment="нет"))[:2] == ("declined", "нет")
    assert suggested_event(approval(balance_too_low=True))[0] == "balance_too_low"
    assert suggested_event(approval())[0] == "approved"
    assert suggested_event(tl.MessageActionSuggestedPostSuccess(price))[0] == "paid_out"
    assert suggested_event(tl.MessageActionSuggestedPostRefund())[0] == "refunded"
    assert suggested_event(None)[0] == ""
