"""Back from an old backup: partners are offered nothing that they were offered before."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from jobs.runner import run_job
from jobs.services import Services
from jobs.suggest import may_offer
from publisher.archive import backup
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import JobRun, Meme, Partner, Reply, Suggestion
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.records import Peer, User
from publisher.telegram.sending import send_text
from tests.conftest import PHONE, Clock
from tests.partners.test_conversations import BOT, add_box, add_memes, with_partner
from tests.test_restore import bring_back


@pytest.fixture
def box(services: Services, telegram: LoopbackTelegram) -> User:
    """The bot of a partner who says nothing; memes of both arms, which our channel has had."""
    bot, _ = add_box(telegram, "silent", accept_rate=0.0)
    with_partner(services, **BOT)
    add_memes(services, 14)
    add_memes(services, 4, "human")
    return bot


def offered(server: LoopbackTelegram, bot: User) -> Counter[str]:
    """How often each picture came to the partner's bot."""
    messages = server.world.box(Peer("user", bot.id)).messages.values()
    media = [server.world.media.get(m.media) for m in messages if not m.out]
    return Counter(one.sha256 for one in media if one)


async def make_offers(
    services: Services, server: LoopbackTelegram, clock: Clock, rounds: int
) -> None:
    """The daemon's rounds, two hours apart; each makes one offer where it may."""
    for _ in range(rounds):
        clock.forward(hours=2)
        await server.advance(clock())
        for name in ("suggest", "replies", "watch"):
            assert (await run_job(services, name, clock())).ok


async def test_no_meme_is_offered_twice_after_an_old_backup(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    await make_offers(services, telegram, clock, 3)
    backup(services.settings, tmp_path / "old.tar")
    before = sum(offered(telegram, box).values())
    await make_offers(services, telegram, clock, 4)
    forgotten = sum(offered(telegram, box).values()) - before
    assert (before, forgotten) == (2, 4)
    bring_back(services, tmp_path / "old.tar", clock())
    assert Partner.get().state == "restored"

    telegram.faults.error("messages.getHistory", "INTERNAL", times=2)
    await make_offers(services, telegram, clock, 1)
    assert Partner.get().state == "restored"
    assert sum(offered(telegram, box).values()) == before + forgotten, "offered before it was read"
    await make_offers(services, telegram, clock, 12)
    assert Partner.get().state == "ok"
    found = Suggestion.select().where(Suggestion.chosen_by == "restored")
    assert found.count() == forgotten
    assert {s.state for s in found} == {"sent"} and all(s.horizon_at > s.sent_at for s in found)
    now = offered(telegram, box)
    assert sum(now.values()) >= before + forgotten + 4
    assert max(now.values()) == 1


async def test_what_a_ledger_without_the_partner_forgot_is_found(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 4)
    bring_back(services, tmp_path / "old.tar", clock())
    assert (Partner.get().handle, Partner.get().state) == ("their_channel", "restored")
    await make_offers(services, telegram, clock, 4)
    now = offered(telegram, box)
    assert sum(now.values()) == Suggestion.select().count() > 4
    assert max(now.values()) == 1


async def test_an_offer_under_way_at_the_backup_is_recognised_and_not_sent_again(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    """Planned then, sent and shown by the partner since."""
    await make_offers(services, telegram, clock, 2)
    row = Suggestion.get()
    kept = {name: getattr(row, name) for name in ("state", "message_id", "sent_at", "sending_at")}
    blank = {"state": "planned", "message_id": None, "sent_at": None, "sending_at": None}
    Suggestion.update(**blank).execute()
    backup(services.settings, tmp_path / "old.tar")
    Suggestion.update(**kept).execute()
    bring_back(services, tmp_path / "old.tar", clock())
    assert "found after restore 1" in (await run_job(services, "suggest", clock())).note
    (found,) = Suggestion.select()
    assert (found.state, found.message_id) == ("sent", kept["message_id"])
    assert found.chosen_by == row.chosen_by
    assert sum(offered(telegram, box).values()) == 1


async def test_a_meme_the_partner_showed_meanwhile_is_published(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    add_box(telegram, "polite", accept_rate=1.0)
    with_partner(services, **BOT)
    add_memes(services, 1)
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 8)
    assert Suggestion.get().outcome == "published"
    bring_back(services, tmp_path / "old.tar", clock())
    assert (await run_job(services, "watch", clock())).ok, "the picture is seen before the inbox is"
    await make_offers(services, telegram, clock, 1)
    assert Suggestion.get().outcome == "published"


async def test_other_things_of_ours_in_the_inbox_are_no_offers(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    await make_offers(services, telegram, clock, 3)
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 1)
    last = Suggestion.select().order_by(Suggestion.id.desc()).get().meme
    await send_text(services.account, await services.account.client.get_input_entity("box_bot"),
                    "/start", 77)  # fmt: skip
    bring_back(services, tmp_path / "old.tar", clock())
    Meme.delete().where(Meme.id == last.id).execute()
    assert (await run_job(services, "suggest", clock())).ok
    assert Partner.get().state == "ok"
    assert not Suggestion.select().where(Suggestion.chosen_by == "restored").exists()


async def test_a_stopped_partner_stays_stopped_and_is_compared_when_resumed(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    await make_offers(services, telegram, clock, 3)
    ledger.stop_partner(Partner.get(), "asked to", clock())
    backup(services.settings, tmp_path / "old.tar")
    ledger.resume_partner(Partner.get(), clock())
    assert Partner.get().state == "ok"
    await make_offers(services, telegram, clock, 2)
    bring_back(services, tmp_path / "old.tar", clock())
    assert (Partner.get().state, Partner.get().reason) == ("stopped", "asked to")
    ledger.resume_partner(Partner.get(), clock())
    assert Partner.get().state == "restored"
    await make_offers(services, telegram, clock, 4)
    assert Partner.get().state == "ok"
    assert max(offered(telegram, box).values()) == 1


async def test_a_partner_without_an_inbox_holds_up_nobody_else(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    admin = telegram.world.add_user("Админ второй")
    telegram.world.add_channel("Закрытый", creator=admin, username="closed_one", members=10)
    open_one = services.settings.partners[0]
    closed = {"handle": "closed_one", "route": "suggested_post", "inbox": None}
    both = (open_one.model_copy(update=closed), open_one)
    services.settings = services.settings.model_copy(update={"partners": both})
    backup(services.settings, tmp_path / "old.tar")
    bring_back(services, tmp_path / "old.tar", clock())
    await make_offers(services, telegram, clock, 3)
    assert {p.handle: p.state for p in Partner.select()} == {
        "closed_one": "stopped",
        "their_channel": "ok",
    }
    assert sum(offered(telegram, box).values()) > 0


async def test_answers_given_since_the_backup_are_read_before_the_next_offer(
    services: Services, telegram: LoopbackTelegram, clock: Clock, tmp_path: Path
) -> None:
    """The partner asked us to stop after the backup was made."""
    bot, _ = add_box(telegram, "banning")
    with_partner(services, **BOT)
    add_memes(services, 8)
    await make_offers(services, telegram, clock, 1)
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 6)
    assert Partner.get().state == "stopped"
    before = offered(telegram, bot)
    bring_back(services, tmp_path / "old.tar", clock())
    partner = Partner.get()
    assert not may_offer(partner, services.settings.partners[0], clock())
    await make_offers(services, telegram, clock, 6)
    assert offered(telegram, bot) == before
    assert Partner.get().state == "stopped"


async def test_two_partners_with_one_box_get_nothing_twice(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    """Whose an offer in a shared inbox was cannot be seen: it counts as both's."""
    admin = telegram.world.add_user("Админ второй")
    telegram.world.add_channel("Второй", creator=admin, username="second_one", members=10)
    first = services.settings.partners[0]
    both = (first, first.model_copy(update={"handle": "second_one"}))
    services.settings = services.settings.model_copy(update={"partners": both})
    await make_offers(services, telegram, clock, 2)
    backup(services.settings, tmp_path / "old.tar")
    before = sum(offered(telegram, box).values())
    await make_offers(services, telegram, clock, 2)
    lost = sum(offered(telegram, box).values()) - before
    assert lost == 4
    bring_back(services, tmp_path / "old.tar", clock())
    await make_offers(services, telegram, clock, 1)
    found = Suggestion.select().where(Suggestion.chosen_by == "restored")
    assert Counter(s.partner.handle for s in found) == {"their_channel": lost, "second_one": lost}


def test_a_restore_is_written_down_with_the_last_moment_known(
    services: Services, clock: Clock, tmp_path: Path
) -> None:
    at = clock()
    JobRun.create(job="plan", started_at=at, finished_at=at, ok=True)
    backup(services.settings, tmp_path / "old.tar")
    bring_back(services, tmp_path / "old.tar", clock.forward(days=3))
    run = JobRun.get(JobRun.job == "restore")
    assert (run.started_at, run.finished_at, run.ok) == (at + timedelta(days=3), at, True)


async def test_an_answer_to_a_forgotten_offer_is_not_taken_for_one_to_another(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    """It comes before the inbox was compared."""
    await make_offers(services, telegram, clock, 2)
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 1)
    assert Suggestion.select().where(Suggestion.state == "sent").count() == 2
    person = telegram.world.user_by_phone(PHONE.lstrip("+"))
    telegram.world.create_private(box, person, text="Нет, не подходит, отклонено")
    bring_back(services, tmp_path / "old.tar", clock())
    for name in ("replies", "suggest", "replies"):
        assert (await run_job(services, name, clock.forward(minutes=10))).ok
    assert Reply.select().count() == 1
    assert {row.outcome for row in Suggestion.select()} == {"pending"}


async def test_a_wait_on_the_way_through_an_inbox_loses_nothing_read_so_far(
    services: Services, telegram: LoopbackTelegram, clock: Clock, box: User, tmp_path: Path
) -> None:
    backup(services.settings, tmp_path / "old.tar")
    await make_offers(services, telegram, clock, 5)
    bring_back(services, tmp_path / "old.tar", clock())
    Partner.update(watched_at=clock()).execute()
    rule = telegram.faults.flood_wait("upload.getFile", 60, nth=3)
    assert (await run_job(services, "suggest", clock())).ok
    assert (Partner.get().state, Suggestion.select().count(), rule.calls) == ("restored", 2, 3)
    assert (await run_job(services, "suggest", clock.forward(minutes=2))).ok
    assert (Partner.get().state, Suggestion.select().count(), rule.calls) == ("ok", 4, 5)
