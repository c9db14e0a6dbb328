from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.suggest import is_quiet
from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Meme, Suggestion
from publisher.partners.choice import (
    FLOOR,
    Candidate,
    choose_uniformly,
    draw,
    posterior,
    thompson_probabilities,
    uniform,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def probabilities(counts: dict, candidates: list[Candidate]) -> np.ndarray:
    return thompson_probabilities(candidates, counts, "a", np.random.default_rng(1))


def test_what_was_published_before_is_preferred_and_nothing_is_starved() -> None:
    candidates = [Candidate(1, "good"), Candidate(2, "bad"), Candidate(3, "new")]
    p = probabilities({("a", "good"): (18, 20), ("a", "bad"): (0, 20)}, candidates)
    assert p.sum() == pytest.approx(1)
    assert p[0] > 0.6 > p[2] > p[1] >= FLOOR / 3


def test_one_partner_learns_from_another() -> None:
    elsewhere = {("b", "good"): (18, 20), ("b", "bad"): (1, 20)}
    good, bad = posterior(elsewhere, "a", "good"), posterior(elsewhere, "a", "bad")
    assert good[0] / sum(good) > bad[0] / sum(bad) + 0.2


def test_the_theme_counts() -> None:
    p = probabilities({}, [Candidate(1, "x", 0.8), Candidate(2, "x", 0.1)])
    assert p[0] > p[1]


@given(st.dictionaries(st.integers(), st.floats(0.01, 1), min_size=1), st.floats(0, 0.999))
def test_a_draw_is_one_of_them_with_its_own_probability(given_p: dict, u: float) -> None:
    total = sum(given_p.values())
    p = {key: value / total for key, value in given_p.items()}
    chosen = draw(p, u)
    assert p[chosen.meme] == pytest.approx(chosen.propensity)


def test_coins_are_fixed_by_the_secret() -> None:
    assert uniform(b"s", "a", 1) == uniform(b"s", "a", 1) != uniform(b"s", "a", 2)
    assert choose_uniformly([Candidate(1, ""), Candidate(2, "")], 0.99).meme == 2


def test_quiet_hours_span_midnight() -> None:
    assert is_quiet(time(23, 30), ("23:00", "09:00"))
    assert is_quiet(time(8, 59), ("23:00", "09:00"))
    assert not is_quiet(time(9, 0), ("23:00", "09:00"))
    assert not is_quiet(time(3, 0), ("00:00", "00:00"))


def plan(partner: str, meme: Meme) -> Suggestion | None:
    return ledger.plan(
        ledger.partner_row(partner),
        meme,
        timedelta(days=7),
        NOW,
        arm="human",
        members=10,
        route="bot",
        chosen_by="random",
        propensity=0.5,
    )


def test_a_meme_goes_to_one_partner_at_a_time(ledger: object) -> None:
    from publisher.ledger import suggestions

    meme = Meme.create(
        origin="human", language="ru", method="human", file="x", sha256="x", created_at=NOW
    )
    row = plan("first", meme)
    assert row is not None
    assert plan("first", meme) is None
    assert plan("second", meme) is None
    assert Suggestion.select().count() == 1
    suggestions.claim(row, "user:1", NOW)
    suggestions.begin_sending(row, "user:1", NOW)
    assert suggestions.sent(row, 5, timedelta(days=7), NOW - timedelta(days=8))
    assert plan("first", meme) is None, "never twice to one partner"
    assert plan("second", meme) is not None, "the horizon is over"
    assert suggestions.seen_published(row, 9, NOW)
    assert not suggestions.settle(row, "rejected", "", NOW), "what was seen stays seen"
