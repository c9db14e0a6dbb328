"""Nothing of a person is kept beyond what limits need, neither in tables nor in what is left of
deleted rows; and what one person may do to another's."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import tarfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from publisher.archive import backup
from publisher.bot import buttons, memes
from publisher.ledger.database import copy_sqlite
from publisher.ledger.models import Ban, Meme, Partner, Sighting, Vote, Wish
from publisher.telegram.client import session_path
from tests.bot.conftest import OWNER, Person, Stage
from tests.conftest import picture

NAME, TOPIC = "Xenophanta", "quixotic samovar"


def traces(root: Path, needle: str) -> list[str]:
    """Files of the state folder in which a text is found, be it in a page nobody reads."""
    found = []
    for path in sorted(p for p in root.rglob("*") if p.is_file() and p.suffix != ".jpg"):
        if needle.encode() in path.read_bytes():
            found.append(path.name)
    return found


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        await asyncio.sleep(0.05)


async def test_nothing_is_left_of_a_person_after_a_day(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="publisher")
    await stage.start()
    bob = await stage.person(NAME, lang="en")
    stage.server.world.users[bob.id].username = "xenophanta_nick"
    await bob.say(TOPIC)
    photo = await bob.hears_photo()
    await photo.click(text="👍")
    await bob.say("my neighbour Xanthippov is an idiot")
    await bob.hears_text("I do not joke about that")
    assert Wish.get(Wish.state == "answered").topic == ""
    assert Vote.select().count() == 1
    copy_sqlite(stage.root / "var" / "memegen.db", stage.root / "var" / "backups" / "daily.db")

    stage.clock.forward(days=1, minutes=11)
    await until(lambda: not Wish.select().exists())
    assert not Vote.select().exists()
    assert not Meme.select().exists()
    assert not list((stage.root / "var" / "media").rglob("*.jpg"))
    await stage.stop()  # what Telethon writes it writes at the end
    for needle in (NAME, "xenophanta_nick", "Xanthippov", TOPIC, f"m:{bob.id}"):
        left = traces(stage.root, needle)
        assert not left, (needle, left)
    for needle in (NAME, TOPIC, "Xanthippov", str(bob.id)):
        assert needle not in "\n".join(r.getMessage() for r in caplog.records if ours(r))


async def test_copies_are_without_what_people_wrote_and_keep_what_the_channel_took_over(
    stage: Stage,
) -> None:
    await stage.start()
    made = {}
    for seed, state in enumerate(("bot", "offered", "considered", "ready", "used")):
        file, digest = stage.services.keep_picture(picture(seed), "bot")
        made[state] = Meme.create(
            origin="generated", language="ru", method="frame", file=file, sha256=digest,
            texts=[f"{TOPIC} {state}"], state=state, wished=f"en:{TOPIC}", prompt=f"about {TOPIC}",
            reasons={"topic": TOPIC, "novelty": 0.5}, created_at=stage.clock(),
        )  # fmt: skip
    there = stage.services.settings
    Sighting.create(
        partner=Partner.create(handle="p"),
        message_id=1,
        at=stage.clock(),
        hash="",
        meme=made["bot"],
    )
    Ban.create(person=987654321, at=stage.clock())
    backup(there, stage.root / "b.tar")
    await stage.stop()
    with tarfile.open(stage.root / "b.tar") as archive:
        pictures = {name for name in archive.getnames() if name.endswith(".jpg")}
        archive.extract("ledger.db", stage.root / "out", filter="data")
    assert pictures == {f"media/{made[state].file}" for state in ("ready", "used")}
    copy = sqlite3.connect(stage.root / "out" / "ledger.db")
    rows = copy.execute("SELECT state, texts, reasons, wished, prompt FROM meme ORDER BY id")
    assert rows.fetchall() == [
        (state, f'["{TOPIC} {state}"]', '{"novelty":0.5}', "", "") for state in ("ready", "used")
    ]
    assert copy.execute("SELECT meme_id FROM sighting").fetchall() == [(None,)]
    assert copy.execute("SELECT person FROM ban").fetchall() == [(987654321,)]
    assert not copy.execute("PRAGMA foreign_key_check").fetchall()
    copy.close()
    kept = (stage.root / "out" / "ledger.db").read_bytes().decode(errors="ignore")
    assert kept.count(TOPIC) == 2, "the texts of the two memes the channel took over"


def ours(record: logging.LogRecord) -> bool:
    return record.name.startswith(("publisher", "jobs")) and "sandbox" not in record.name


async def test_a_session_from_before_loses_the_people_it_remembers(stage: Stage) -> None:
    """Those of a stock session are deleted; the chats the bot is in stay known."""
    await stage.start()
    anna = await stage.person(NAME)
    group = stage.server.world.add_group(
        "Чат", creator=stage.server.world.users[anna.id], username="our_chat"
    )
    stage.server.world.join(group, stage.server.world.by_username("meme_bot"))
    there = await anna.client.get_input_entity("our_chat")
    await anna.client.send_message(there, "/start@meme_bot")
    await anna.hears_text("Пришлите тему")
    assert stage.services and stage.services.bot
    session = stage.services.bot.client.session
    rows = session._conn.execute("SELECT id FROM entities").fetchall()
    assert rows and all(number <= 0 for (number,) in rows)
    stock = "INSERT INTO entities VALUES (?, 1, 'xenophanta_nick', NULL, ?, 1)"
    session._conn.execute(stock, (anna.id, NAME))
    session.save()
    assert traces(session_path(stage.root / "var", "bot").parent, NAME)
    await stage.stop()
    await stage.start()
    assert not traces(session_path(stage.root / "var", "bot").parent, NAME)
    await anna.say("/start")
    await anna.hears_text("Пришлите тему")


async def test_what_a_flood_made_is_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memes, "NEWEST", 3)
    await stage.start()
    files = []
    for seed in range(6):
        file, digest = stage.services.keep_picture(picture(seed), "bot")
        files.append(stage.services.media / file)
        state = "offered" if seed == 0 else "bot"
        Meme.create(
            origin="generated", language="ru", method="frame", file=file, sha256=digest,
            state=state, wished=f"ru:{seed}", created_at=stage.clock() + timedelta(seconds=seed),
        )  # fmt: skip
    assert memes.forget(stage.services, stage.clock()) == 2
    assert [m.wished for m in Meme.select().order_by(Meme.id)] == ["ru:0", "ru:3", "ru:4", "ru:5"]
    assert [path.exists() for path in files] == [True, False, False, True, True, True]


async def test_bans_end_and_are_forgotten(stage: Stage) -> None:
    await stage.start()
    owner = await stage.person("Хозяин", id=OWNER)
    await owner.say("/ban 77 1")
    await owner.hears_text("77")
    stage.clock.forward(days=1, minutes=11)
    await until(lambda: not Ban.select().exists())


async def meme_of(stage: Stage, person: Person) -> Meme:
    await person.say(f"кот {person.id}")
    await person.hears_photo()
    wish = Wish.get(Wish.person == person.id)
    assert wish.meme is not None
    return wish.meme


async def test_a_made_up_button_reaches_nobody_elses_meme(stage: Stage) -> None:
    """A client can send any data with a press; the message and the presser it cannot make up."""
    bot = await stage.start(bot={"model": False, "per_person_minute": 20})
    anna, boris = await stage.person(), await stage.person("Борис")
    hers = await meme_of(stage, anna)
    await boris.say("дедлайн")
    photo = await boris.hears_photo()
    forged(stage, boris, photo.id, hers.id)
    for text in ("🔁 Ещё вариант", "👎", "📮 Предложить каналу"):
        shown = (await boris.client.get_messages("meme_bot", ids=photo.id)).click(text=text)
        assert "забыл" in (await shown).message
    assert not Vote.select().exists()
    assert Meme.get_by_id(hers.id).state == "bot"
    assert Wish.select().count() == 2
    del bot


def forged(stage: Stage, person: Person, message_id: int, meme_id: int) -> None:
    """Put another meme's buttons under a message, as a client of one's own making would."""
    from publisher.sandbox.records import Peer

    box = stage.server.world.box(Peer("user", person.id))
    box.messages[message_id].markup = buttons.under_meme(meme_id, "ru", offer=True)


async def test_nobody_but_the_owner_decides_by_a_made_up_button(stage: Stage) -> None:
    from publisher.bot.approval import DROP, NO, TAKE
    from publisher.sandbox.records import Peer
    from tests.conftest import make_post

    await stage.start(bot={"model": False, "per_person_minute": 20})
    post = make_post(stage.services, stage.clock() + timedelta(hours=1))
    anna = await stage.person()
    await anna.say("дедлайн")
    photo = await anna.hears_photo()
    Meme.update(state="offered").where(Meme.id == Wish.get().meme_id).execute()
    offered = Wish.get().meme_id
    box = stage.server.world.box(Peer("user", anna.id))
    rows = [[("x", buttons.data(DROP, post.id, post.meme_id))]]
    rows += [[("y", buttons.data(TAKE, offered))], [("n", buttons.data(NO, offered))]]
    box.messages[photo.id].markup = buttons.markup(rows)
    message = await anna.client.get_messages("meme_bot", ids=photo.id)
    await asyncio.gather(*(message.click(text=text) for text in ("x", "y", "n")))
    assert type(post).get_by_id(post.id).state == "planned"
    assert Meme.get_by_id(offered).state in ("offered", "considered")


async def test_nobody_is_shown_the_picture_that_had_the_memes_number_before(stage: Stage) -> None:
    """SQLite gives the numbers of deleted rows again; what was uploaded is remembered."""
    bot = await stage.start()
    anna, boris = await stage.person(), await stage.person("Боря")
    await anna.say("кот и понедельник")
    hers = await anna.hears_photo()
    first = {meme.id for meme in Meme.select()}
    assert memes.forget(stage.services, stage.clock() + timedelta(days=1, minutes=5)) == len(first)
    await boris.say("дедлайн и отпуск")
    his = await boris.hears_photo()
    assert Wish.get(Wish.person == boris.id).meme_id in first
    assert his.photo.id != hers.photo.id
    assert bot.desk.answered == 2
