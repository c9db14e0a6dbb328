"""What `publisher status`, /status and /why say of posts: to whom, in whose time and words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jobs.services import Services
from publisher.bot.why import why_text
from publisher.ledger import approvals, transitions
from publisher.ledger.alerts import raise_alert
from publisher.ledger.models import Account, Block, Channel, Experiment, Meme, Post, Slot
from publisher.local_time import local_time, moment
from publisher.settings import Secrets
from publisher.state import state_of, state_text
from publisher.wording import say_of
from publisher.workers import Workers
from tests.conftest import NOON, Clock, make_post, settings_for

APPROVED = {"handle": "our_channel", "times": ["10:00"], "approve": True}
TELLING = ("generated", "human", "генерирован", "человечес", "gemma", "Котам", "frame", "0.73")
OWNER = {"ids": [1]}


@pytest.fixture
def watched(ledger: Path, clock: Clock) -> Services:
    settings = settings_for(ledger, channels=[APPROVED], owner=OWNER)
    return Services(settings, Secrets(), clock, Workers())


def telling_post(services: Services, hours: float, arm: str = "generated", seed: int = 1) -> Post:
    """A post whose meme says in every way which arm it is of."""
    post = make_post(services, NOON + timedelta(hours=hours), seed=seed, arm=arm)
    Meme.update(
        texts=["дедлайн"], template="moon", model="gemma", prompt="Котам смешно", method="frame",
        score=0.73, reasons={"fit": 0.5, "rank": 0.73, "model": "", "prompt": ""},
    ).where(Meme.id == post.meme_id).execute()  # fmt: skip
    return Post.get_by_id(post.id)


def paired(first: Post, second: Post) -> None:
    experiment = Experiment.create(
        name="e", registration={}, version=1, digest="", secret_hash="", started_at=NOON
    )
    block = Block.create(
        pair_id="p", experiment=experiment, channel=Channel.get(), coin=first.slot.arm,
        first_at=first.due_at, second_at=second.due_at,
    )  # fmt: skip
    Slot.update(block=block).execute()


def said_of(services: Services, post: Post) -> str:
    """Everything the owner can read about a post, in both languages."""
    state = state_of(services, NOON)
    texts = [state_text(state, language) for language in ("ru", "en")]
    texts = ["\n".join(line for line in text.splitlines() if "@our_channel" in line and
                       f"#{post.id}" in line) for text in texts]  # fmt: skip
    fresh = Post.get_by_id(post.id)
    texts += [why_text(fresh, language, services.settings) for language in ("ru", "en")]
    mine = [row for row in state["next"] if row["post"] == post.id]
    return "\n".join([*texts, str(mine)])


def is_blind(services: Services, post: Post) -> bool:
    said = said_of(services, post)
    assert f"#{post.id}" in said
    return not [word for word in TELLING if word in said.replace("generated-vs-human", "")]


def test_arm_coin_and_origin_are_hidden_while_the_owner_can_decide(watched: Services) -> None:
    post = telling_post(watched, 3)
    assert is_blind(watched, post), "not asked yet"
    approval = approvals.ask(post, NOON + timedelta(hours=2), "publish", NOON)
    assert is_blind(watched, post), "waiting"
    assert "сторона: —" in why_text(post, "ru", watched.settings)
    assert "the pair's coin: —" in why_text(post, "en", watched.settings)
    approvals.keep(approval, NOON)
    assert is_blind(watched, post), "it can still be dropped"


@pytest.mark.parametrize("end", ["dropped", "out"])
def test_what_has_left_or_was_dropped_is_told(watched: Services, end: str) -> None:
    post = telling_post(watched, 3)
    approval = approvals.ask(post, NOON + timedelta(hours=2), "publish", NOON)
    if end == "dropped":
        approvals.drop(approval, NOON)
    else:
        Post.update(state="sending").execute()
        transitions.published(post, 7, NOON)
    assert "gemma" in why_text(Post.get(), "ru", watched.settings)


def test_the_other_of_a_pair_does_not_tell(watched: Services) -> None:
    """Who knows one arm of a pair knows the other."""
    first, second = telling_post(watched, 3), telling_post(watched, 27, "human", seed=2)
    paired(first, second)
    asked = [approvals.ask(post, post.due_at, "publish", NOON) for post in (first, second)]
    approvals.keep(asked[0], NOON)
    assert is_blind(watched, first) and is_blind(watched, second)
    approvals.keep(asked[1], NOON)
    Post.update(state="published").where(Post.id == first.id).execute()
    assert is_blind(watched, Post.get_by_id(second.id))
    assert "gemma" not in why_text(Post.get_by_id(first.id), "ru", watched.settings)


def test_where_nothing_is_approved_nothing_is_hidden(ledger: Path, clock: Clock) -> None:
    services = Services(settings_for(ledger), Secrets(), clock, Workers())
    post = telling_post(services, 3)
    assert not is_blind(services, post)
    assert state_of(services, NOON)["next"][0]["arm"] == "generated"


def test_both_lists_have_the_numbers_that_why_asks_for(watched: Services) -> None:
    ahead, out = telling_post(watched, 3), telling_post(watched, -30, seed=2)
    Post.update(state="published").where(Post.id == out.id).execute()
    Slot.create(channel=Channel.get(), at=NOON + timedelta(days=1))
    for language in ("ru", "en"):
        lines = state_text(state_of(watched, NOON), language).splitlines()
        numbers = [re.findall(r"#(\d+)", line) for line in lines if line.startswith("  ")]
        assert numbers == [[str(ahead.id)], [], [str(out.id)]]


def test_times_are_the_owner_s_and_the_zone_is_named_once(ledger: Path, clock: Clock) -> None:
    settings = settings_for(ledger, zone="Asia/Yekaterinburg")
    services = Services(settings, Secrets(), clock, Workers())
    post = telling_post(services, 3)
    Account.create(name="user", wait_until=NOON + timedelta(hours=1))
    for language in ("ru", "en"):
        text = state_text(state_of(services, NOON), language)
        assert "2026-03-02 20:00" in text and "→ 2026-03-02 18:00" in text
        assert text.count("UTC+5") == 1 and text.count("UTC") == 1
        why = why_text(post, language, settings)
        assert "2026-03-02 20:00 UTC+5" in why and why.count("UTC") == 1
    assert state_of(services, NOON)["next"][0]["at"] == "2026-03-02T15:00:00+00:00", "for programs"


@pytest.mark.parametrize(
    ("zone", "ru", "en"),
    [
        ("Europe/Moscow", "2026-03-02 15:00 МСК", "2026-03-02 15:00 MSK"),
        ("UTC", "2026-03-02 12:00 UTC", "2026-03-02 12:00 UTC"),
        ("Asia/Kathmandu", "2026-03-02 17:45 UTC+5:45", "2026-03-02 17:45 UTC+5:45"),
        ("America/Caracas", "2026-03-02 08:00 UTC-4", "2026-03-02 08:00 UTC-4"),
        ("Europe/Berlin", "2026-03-02 13:00 CET", "2026-03-02 13:00 CET"),
    ],
)
def test_a_moment_names_its_zone_shortly(zone: str, ru: str, en: str) -> None:
    assert (moment(NOON, zone, "ru"), moment(NOON, zone, "en")) == (ru, en)
    assert local_time(datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "Europe/Berlin") == (
        "2026-07-02 00:30"
    )


CODES = re.compile(
    r"\b(generated|human|planned|assigned|claimed|sending|published|failed|expired|dropped|missed|"
    r"ok|stopped|gone|restored|paused|user|frame|free|fit|rank|similarity|novelty|MB)\b"
)


def test_russian_messages_have_no_codes_in_them(ledger: Path, clock: Clock) -> None:
    services = Services(settings_for(ledger), Secrets(), clock, Workers())
    for number, state in enumerate(("published", "failed", "expired")):
        post = telling_post(services, -number - 1, seed=number)
        Post.update(state=state).where(Post.id == post.id).execute()
    ahead = telling_post(services, 2, "human", seed=9)
    for number, (state, paused) in enumerate(
        [("ok", False), ("stopped", False), ("gone", False), ("restored", False), ("ok", True)]
    ):
        Channel.create(handle=f"channel_{number}", state=state, paused=paused)
    for name, state in (("user", "ok"), ("bot", "stopped")):
        Account.create(name=name, state=state)
    for origin in ("human", "generated"):
        Meme.create(
            origin=origin, language="ru", method="human", file="", sha256="", created_at=NOON
        )
    raise_alert("k", "no_meme", {"channel": "our_channel", "arm": "generated"}, NOON)
    said = state_text(state_of(services, NOON), "ru")
    for post in (ahead, *Post.select()):
        said += "\n" + why_text(post, "ru", services.settings)
    assert not CODES.findall(said), said
    assert "нет мема (генерированные)" in said
    english = state_text(state_of(services, NOON), "en")
    assert "No meme for @our_channel (generated)" in english


def test_an_alert_speaks_of_arms_and_accounts_in_words() -> None:
    facts = {"channel": "c", "arm": "human"}
    assert "нет мема (человеческие)" in say_of("no_meme", "ru", facts)
    stopped = {"account": "user", "reason": "r"}
    assert "user" not in say_of("account_stopped", "ru", stopped)
    assert "own" in say_of("account_stopped", "en", stopped | {"account": "own"})


def test_why_leaves_out_reasons_that_are_no_numbers(watched: Services) -> None:
    post = telling_post(watched, -3)
    Post.update(state="published").execute()
    reasons = {"fit": 0.5, "model": "", "prompt": "", "faults": ["a"], "odd": 2, "rank": None}
    Meme.update(reasons=reasons).execute()
    fresh = Post.get_by_id(post.id)
    assert "(к теме 0.5, odd 2)" in why_text(fresh, "ru", watched.settings)
    assert "(fit 0.5, odd 2)" in why_text(fresh, "en", watched.settings)
    Meme.update(reasons={"model": ""}, score=0.0).execute()
    assert "()" not in why_text(Post.get_by_id(post.id), "ru", watched.settings)
