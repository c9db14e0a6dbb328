"""The owner's console, approvals and inbox, by the stock client on the loopback Telegram."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from jobs.alert import alert
from jobs.ingest import ingest
from jobs.publish import publish
from publisher.bot import approval
from publisher.ledger import transitions
from publisher.ledger.alerts import raise_alert
from publisher.ledger.approvals import approval_rows
from publisher.ledger.database import copy_sqlite
from publisher.ledger.models import (
    Alert,
    Approval,
    Channel,
    Item,
    Meme,
    Post,
    Slot,
    Source,
    Topic,
    database,
)
from publisher.ledger.restored import hold
from publisher.local_time import local_time
from tests.bot.conftest import OWNER, Person, Stage, first, until
from tests.conftest import NOON, make_post, picture

CHANNEL = {"handle": "our_channel", "times": ["10:00", "18:00"], "caption": "подпись"}
WANTS_APPROVAL = CHANNEL | {"approve": True, "approve_minutes": 30}


async def owner_of(stage: Stage, **sections: Any) -> Person:
    await stage.start(**sections)
    owner = await stage.person("Хозяин", id=OWNER)
    await owner.say("/help")
    await owner.hears_text("Пульт хозяина")
    return owner


def ready_meme(stage: Stage, seed: int, arm: str) -> Meme:
    file, digest = stage.services.keep_picture(picture(seed), arm)
    return Meme.create(
        origin=arm,
        language="ru",
        method="human",
        file=file,
        sha256=digest,
        created_at=stage.clock(),
    )


async def test_only_owners_command(stage: Stage) -> None:
    await stage.start()
    Channel.create(handle="our_channel")
    anna = await stage.person()
    await anna.say("/pause")
    await anna.hears_text("Как заказать мем")
    assert not Channel.get().paused


async def test_pause_stops_the_channel_and_resume_goes_on(stage: Stage) -> None:
    owner = await owner_of(stage)
    post = make_post(stage.services, stage.clock())
    await owner.say("/pause @our_channel")
    await owner.hears_text("На паузе: @our_channel")
    assert transitions.due_posts(stage.clock()) == []
    await owner.say("/resume")
    await owner.hears_text("Снова в работе: @our_channel")
    assert [p.id for p in transitions.due_posts(stage.clock())] == [post.id]
    await owner.say("/pause @nobody_here")
    await owner.hears_text("Нет такого канала: @nobody_here. Есть: @our_channel")


async def test_status_tells_slots_memory_and_the_bot(stage: Stage) -> None:
    owner = await owner_of(stage)
    make_post(stage.services, stage.clock() + timedelta(hours=1))
    await owner.say("/status")
    text = (await owner.hears_text("Дальше")).raw_text
    assert "@our_channel" in text
    assert "Память" in text
    assert "Бот: в очереди 0" in text


async def test_what_needs_attention_is_said_in_words(stage: Stage) -> None:
    owner = await owner_of(stage)
    raise_alert("inbox:ru", "inbox_low", {"language": "ru", "days": "1.0", "folder": "in"}, NOON)
    raise_alert("r", "report_ready", {"week": "1", "verdict": "", "folder": "."}, NOON)
    await owner.say("/status")
    text = (await owner.hears_text("Требует внимания")).raw_text
    assert "хватит примерно на 1.0 дн." in text
    assert text.count("Требует внимания") == 1


async def test_the_owner_is_helped_with_what_is_not_there(stage: Stage) -> None:
    owner = await owner_of(stage)
    for said, answer in (
        ("/report", "Отчётов ещё нет"),
        ("/what", "Пульт хозяина"),
        ("привет", "Пульт хозяина"),
        ("спасибо", "Пожалуйста"),
        ("/why", "/why 12"),
    ):
        await owner.say(said)
        await owner.hears_text(answer)


async def test_why_tells_how_a_meme_came_to_be(stage: Stage) -> None:
    owner = await owner_of(stage)
    post = make_post(stage.services, stage.clock(), arm="generated")
    topic = Topic.create(
        title="Котам запретили дедлайны", language="ru", score=0.7, ok=True, found_at=stage.clock()
    )
    source = Source.create(key="http://feed", kind="feed", language="ru")
    Item.create(
        source=source,
        guid="1",
        url="http://feed/1",
        title="Котам запретили",
        language="ru",
        published_at=stage.clock(),
        fetched_at=stage.clock(),
        topic=topic,
    )
    Meme.update(topic=topic, prompt="<b>prompt</b>", model="gemma", reasons={"a": 0.5}).execute()
    Post.update(message_id=77, state="published").execute()
    for asked in (str(post.id), "https://t.me/our_channel/77", "@our_channel/77"):
        await owner.say(f"/why {asked}")
        text = (await owner.hears_text("Котам запретили дедлайны")).raw_text
        assert "http://feed/1" in text
        assert "<b>prompt</b>" in text
    await owner.say("/why 999")
    await owner.hears_text("Нет такого поста")


async def test_preview_keeps_replaces_and_drops_within_the_arm(stage: Stage) -> None:
    owner = await owner_of(stage)
    post = make_post(stage.services, stage.clock() + timedelta(hours=1), arm="generated")
    ready_meme(stage, 2, "human")
    await owner.say("/preview")
    shown = await owner.hears_photo()
    assert "generated" not in shown.raw_text

    answer = await shown.click(text="🔄 Заменить")
    assert "нет" in answer.message
    other = ready_meme(stage, 3, "generated")
    await shown.click(text="🔄 Заменить")
    again = await owner.hears_photo()
    assert Post.get().meme_id == other.id
    assert Slot.get().arm == "generated"
    assert Meme.get_by_id(post.meme_id).state == "refused"

    await shown.click(text="🗑 Снять")  # a stale button does nothing
    assert Post.get().state == "planned"
    await again.click(text="🗑 Снять")
    await first(owner.edits, lambda m: "Снят" in m.raw_text, 10)
    assert (Post.get().state, Slot.get().state, Slot.get().arm) == (
        "dropped",
        "dropped",
        "generated",
    )
    [row] = approval_rows(stage.clock() + timedelta(days=1))
    assert (row["value"], row["status"]) == ("1 + 0 / 1", "warn")


@pytest.mark.parametrize(("default", "state"), [("publish", "planned"), ("drop", "dropped")])
async def test_approval_is_asked_and_the_deadline_applies_the_default(
    stage: Stage, default: str, state: str
) -> None:
    channel = CHANNEL | {"approve": True, "approve_minutes": 30, "approve_default": default}
    owner = await owner_of(stage, channels=[channel])
    make_post(stage.services, stage.clock() + timedelta(hours=2))
    stage.clock.forward(minutes=1)
    shown = await owner.hears_text("На одобрение")
    assert "human" not in shown.raw_text
    deadline = local_time(Approval.get().deadline_at, "Europe/Moscow")
    assert f"Решите до {deadline} МСК; иначе" in shown.raw_text
    stage.clock.forward(minutes=1)
    await asyncio.sleep(1.5)
    assert not [m for m in owner.heard if m.photo], "asked once"

    stage.clock.forward(minutes=100)
    await publish(stage.services, stage.clock())
    assert Post.get().state == state
    kept = "default_kept" if default == "publish" else "default_dropped"
    assert Approval.get().state == kept


async def test_an_approved_post_is_published_whatever_the_default(stage: Stage) -> None:
    channel = CHANNEL | {"approve": True, "approve_default": "drop"}
    owner = await owner_of(stage, channels=[channel])
    make_post(stage.services, stage.clock() + timedelta(hours=2))
    stage.clock.forward(minutes=1)
    shown = await owner.hears_text("На одобрение")
    await shown.click(text="✅ Оставить")
    stage.clock.forward(minutes=118)
    await publish(stage.services, stage.clock() - timedelta(minutes=5))
    assert (Approval.get().state, Post.get().state) == ("kept", "planned")


async def test_after_a_restore_what_was_decided_is_shown_and_decided_again(stage: Stage) -> None:
    owner = await owner_of(stage, channels=[WANTS_APPROVAL])
    make_post(stage.services, stage.clock() + timedelta(hours=3))
    stage.clock.forward(minutes=1)
    shown = await owner.hears_text("На одобрение")
    await until(lambda: Approval.get().told_at)
    backup = stage.root / "old.db"
    copy_sqlite(stage.root / "var" / "memegen.db", backup)
    await shown.click(text="✅ Оставить")
    assert Approval.get().state == "kept"
    await stage.stop()
    hold(backup, ["our_channel"], [], stage.clock())
    database.close()
    for rest in ("", "-wal", "-shm"):
        (stage.root / "var" / f"memegen.db{rest}").unlink(missing_ok=True)
    backup.replace(stage.root / "var" / "memegen.db")
    database.connect()
    assert Approval.get().state == "waiting"
    await stage.start(channels=[WANTS_APPROVAL])
    again = await owner.hears_text("На одобрение")
    await again.click(text="✅ Оставить")
    assert Approval.get().state == "kept"


async def test_status_and_why_do_not_tell_the_arm_of_what_waits(stage: Stage) -> None:
    owner = await owner_of(stage, channels=[WANTS_APPROVAL])
    post = make_post(stage.services, stage.clock() + timedelta(hours=3), arm="generated")
    stage.clock.forward(minutes=1)
    shown = await owner.hears_text("На одобрение")
    for asked in ("/status", f"/why #{post.id}"):
        await owner.say(asked)
        text = (await owner.hears_text(f"#{post.id}")).raw_text
        assert "generated" not in text and "МСК" in text and " UTC" not in text
        assert [line for line in text.splitlines() if "—" in line]
    await shown.click(text="✅ Оставить")
    await owner.say(f"/why {post.id}")
    assert "сторона: —" in (await owner.hears_text("сторона:")).raw_text, "it can still be dropped"
    Post.update(state="published", message_id=7).where(Post.id == post.id).execute()
    await owner.say(f"/why {post.id}")
    await owner.hears_text("сторона: генерированные")


async def test_pictures_go_to_the_queue_or_back_with_the_reason(stage: Stage) -> None:
    owner = await owner_of(stage)
    await owner.client.send_file("meme_bot", named(picture(1)), caption="дедлайн наступил")
    await owner.hears_text("в очереди 1-й (ru)")
    meme = Meme.get()
    assert (meme.origin, meme.state, meme.texts) == ("human", "ready", ["дедлайн наступил"])
    assert (stage.services.media / meme.file).is_file()

    await owner.client.send_file("meme_bot", named(recompressed(picture(1))))
    await owner.hears_text("такая картинка уже есть: мем 1")
    await owner.client.send_file("meme_bot", named(picture(2)), caption="ты мудак")
    await owner.hears_text("подпись не прошла проверку")
    await owner.client.send_file("meme_bot", b"%PDF-1.4 nothing", force_document=True)
    await owner.hears_text("не картинка")
    assert Meme.select().count() == 1
    await owner.client.send_file("meme_bot", named(picture(3)), caption="Спасибо!")
    await owner.hears_text("в очереди 2-й (ru)")


async def test_an_album_is_answered_in_one_message(stage: Stage) -> None:
    owner = await owner_of(stage)
    files = [named(picture(seed)) for seed in (1, 2, 1)]
    await owner.client.send_file("meme_bot", files)
    lines = (await owner.hears_text("📥")).raw_text.splitlines()
    assert len(lines) == 3
    assert "1-й" in lines[0]
    assert "2-й" in lines[1]
    assert "уже есть" in lines[2]
    assert Meme.select().count() == 2


async def test_a_strangers_picture_is_no_meme_of_ours(stage: Stage) -> None:
    await stage.start()
    anna = await stage.person()
    await anna.client.send_file("meme_bot", named(picture(1)))
    await anna.hears_text("только текст")
    assert not Meme.select().exists()


async def test_the_report_comes_as_files(stage: Stage) -> None:
    owner = await owner_of(stage)
    folder = stage.services.settings.reports / "2026-W09"
    folder.mkdir(parents=True)
    for name in ("report.html", "report.md", "posts.csv"):
        (folder / name).write_text(f"# {name}")
    await owner.say("/report")
    names = {(await owner.hears(lambda m: m.file is not None)).file.name for _ in range(3)}
    assert names == {"report.html", "report.md", "posts.csv"}
    await owner.hears_text("# report.md")
    await owner.say("/report 2020-W01")
    await owner.hears_text("Отчёта 2020-W01 нет. Есть: 2026-W09")

    facts = {"week": "2026-W09", "verdict": "не ясно.", "folder": str(folder)}
    raise_alert("report:2026-W09", "report_ready", facts, stage.clock())
    await alert(stage.services, stage.clock())
    await owner.hears_text("Отчёт за 2026-W09")
    again = {(await owner.hears(lambda m: m.file is not None)).file.name for _ in range(3)}
    assert again == names


async def test_the_owner_hears_that_human_memes_run_out_and_answers_with_pictures(
    stage: Stage,
) -> None:
    owner = await owner_of(stage)
    for seed in (1, 2):
        ready_meme(stage, seed, "human")
    await ingest(stage.services, stage.clock())
    await alert(stage.services, stage.clock())
    await owner.hears_text("Человеческих мемов (ru) хватит примерно на 2.0 дн.")
    await owner.client.send_file("meme_bot", named(picture(3)))
    await owner.hears_text("в очереди 3-й")
    await ingest(stage.services, stage.clock.forward(minutes=15))
    assert Alert.get(Alert.code == "inbox_low").cured_at is not None


async def test_ban_and_unban(stage: Stage) -> None:
    owner = await owner_of(stage)
    anna = await stage.person()
    await owner.say(f"/ban {anna.id} 2")
    banned = (await owner.hears_text(f"{anna.id} не слушаю")).raw_text
    assert banned.endswith("МСК.")
    await anna.say("/start")
    await owner.say("/ban")
    await owner.hears_text(str(anna.id))
    assert not anna.heard
    await owner.say(f"/unban {anna.id}")
    await owner.hears_text("снова слушаю")
    await anna.say("/start")
    await anna.hears_text("Пришлите тему")


def recompressed(jpeg: bytes) -> bytes:
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(out, "JPEG", quality=80)
    return out.getvalue()


def named(data: bytes, name: str = "picture.jpg") -> io.BytesIO:
    file = io.BytesIO(data)
    file.name = name
    return file


async def test_what_waits_for_approval_was_shown_when_it_arrived(stage: Stage) -> None:
    """Not when it was put on its way: a restart would lose it, and the default decide unseen."""
    owner = await owner_of(stage, channels=[WANTS_APPROVAL])
    stage.server.faults.flood_wait("messages.sendMedia", 600)
    make_post(stage.services, stage.clock() + timedelta(hours=1))
    offered = ready_meme(stage, 2, "generated")
    Meme.update(state="offered", wished="ru:кот").where(Meme.id == offered.id).execute()
    for _ in range(2):
        await stage.bot.approvals.care(stage.clock())
    await until(lambda: stage.server.faults.rules[0].fired)
    assert len(stage.bot.outbox) <= 2
    assert Approval.get().told_at is None
    assert Meme.get_by_id(offered.id).state == "offered"
    await stage.stop()
    stage.server.faults.clear()
    await stage.start(channels=[WANTS_APPROVAL])
    await owner.hears_text("На одобрение")
    await owner.hears_text("предлагает каналу")
    await until(lambda: Approval.get().told_at is not None)
    await until(lambda: Meme.get_by_id(offered.id).state == "considered")
    stage.bot.approvals.resting.clear()
    await stage.bot.approvals.care(stage.clock())
    assert len(stage.bot.outbox) == 0


async def test_what_did_not_arrive_is_shown_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approval, "SHOWN_AGAIN", timedelta(0))
    owner = await owner_of(stage, channels=[WANTS_APPROVAL])
    rule = stage.server.faults.error("messages.sendMedia", "PEER_ID_INVALID", code=400, times=1)
    make_post(stage.services, stage.clock() + timedelta(hours=1))
    await stage.bot.approvals.care(stage.clock())
    await until(lambda: rule.fired and not stage.bot.outbox._ready)
    await asyncio.sleep(0.5)
    assert Approval.get().told_at is None
    await stage.bot.approvals.care(stage.clock())
    await owner.hears_text("На одобрение")


async def test_an_owner_the_server_does_not_answer_about_holds_up_nothing(stage: Stage) -> None:
    bot = await stage.start(channels=[WANTS_APPROVAL])
    bot.account.timeout_seconds = stage.services.bot.timeout_seconds = 1.0
    stage.server.faults.add("users.getUsers", "delay", seconds=600.0)
    make_post(stage.services, stage.clock() + timedelta(hours=1))
    raise_alert("k", "channel_stopped", {"channel": "c", "reason": "r"}, stage.clock())
    await asyncio.wait_for(bot.approvals.care(stage.clock()), 5)
    await asyncio.wait_for(alert(stage.services, stage.clock()), 5)
    assert Approval.get().told_at is None and Alert.get().told_at is None


async def test_a_clock_set_back_does_not_put_off_what_the_owner_is_shown(stage: Stage) -> None:
    bot = await stage.start()
    now = stage.clock()
    assert bot._is_due("x", timedelta(seconds=30), now)
    assert not bot._is_due("x", timedelta(seconds=30), now + timedelta(seconds=20))
    assert bot._is_due("x", timedelta(seconds=30), now - timedelta(hours=1))
    assert not bot._is_due("x", timedelta(seconds=30), now - timedelta(minutes=59, seconds=50))


async def test_alerts_wait_for_a_bot_that_is_not_connected_yet(stage: Stage) -> None:
    owner = await owner_of(stage)
    raise_alert("k", "channel_stopped", {"channel": "c", "reason": "r"}, stage.clock())
    bot, stage.services.bot = stage.services.bot, None
    await alert(stage.services, stage.clock())
    assert Alert.get().told_at is None
    stage.services.bot = bot
    await alert(stage.services, stage.clock() + timedelta(minutes=16))
    await owner.hears_text("остановлен")
    assert Alert.get().told_at


async def test_an_owner_out_of_reach_is_no_reason_to_tell_another_again(stage: Stage) -> None:
    owner = await owner_of(stage, owner={"ids": [OWNER, 777]})
    raise_alert("k", "channel_stopped", {"channel": "c", "reason": "r"}, stage.clock())
    await alert(stage.services, stage.clock())
    await owner.hears_text("остановлен")
    assert Alert.get().told_at
