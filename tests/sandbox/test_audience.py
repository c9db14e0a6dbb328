"""The simulated subscribers: monotone, repeatable, and true to their parameters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.sandbox import LoopbackTelegram
from publisher.sandbox.audience import Audience, Crowd
from publisher.sandbox.records import Channel, Message, Peer

from .conftest import START, Clock

HOURS = st.floats(0, 400, allow_nan=False)


def audience(crowd: Crowd | None = None, seed: int = 1, members: int = 4000) -> Any:
    server = LoopbackTelegram(clock=Clock(), seed=seed)
    owner = server.world.add_user("Хозяин", id=1)
    channel = server.world.add_channel("Канал", creator=owner, members=members, id=77)
    if crowd is not None:
        server.audience.set_crowd(channel, crowd)
    return server, channel


def post(channel: Channel, number: int = 1, date: datetime = START) -> Message:
    peer = Peer("channel", channel.id)
    return Message(number, peer, peer, None, date)


def later(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@settings(max_examples=60, deadline=None)
@given(ages=st.lists(HOURS, min_size=2, max_size=6), number=st.integers(1, 10**6))
def test_nothing_ever_goes_down_with_age_and_reactions_stay_within_views(
    ages: list[float], number: int
) -> None:
    server, channel = SHARED
    message = post(channel, number)
    crowd: Audience = server.audience
    before: dict[str, int] = {}
    views = forwards = 0
    for hours in sorted(ages):
        now = later(hours)
        counts = crowd.reactions(message, now)
        assert all(counts.get(emoji, 0) >= count for emoji, count in before.items())
        assert sum(counts.values()) <= crowd.views(message, now) <= channel.crowd
        assert crowd.views(message, now) >= views and crowd.forwards(message, now) >= forwards
        before, views = counts, crowd.views(message, now)
        forwards = crowd.forwards(message, now)


SHARED = audience()


def test_a_new_post_has_no_views_and_an_old_one_all(clock: Clock) -> None:
    server, channel = audience()
    message = post(channel)
    truth = server.audience.truth(message)
    assert server.audience.views(message, START) == 0
    assert server.audience.views(message, later(0.5)) > 0
    assert server.audience.views(message, later(1000)) in (truth.views, truth.views - 1)


def test_the_same_seed_gives_the_same_crowd_in_any_order() -> None:
    first, channel = audience(seed=5)
    second, same = audience(seed=5)
    other, _ = audience(seed=6)
    numbers = list(range(1, 40))
    now = later(48)
    forwards = [first.audience.reactions(post(channel, n), now) for n in numbers]
    backwards = [second.audience.reactions(post(same, n), now) for n in reversed(numbers)]
    assert forwards == backwards[::-1]
    assert forwards != [other.audience.reactions(post(channel, n), now) for n in numbers]


def shares(server: LoopbackTelegram, channel: Channel, numbers: range) -> Any:
    found = []
    for number in numbers:
        counts = server.audience.reactions(post(channel, number), later(48))
        likes, dislikes = counts.get("👍", 0), counts.get("👎", 0)
        if likes + dislikes:
            found.append(likes / (likes + dislikes))
    return np.array(found)


@pytest.mark.parametrize("effect", [0.0, 0.1, -0.15])
def test_the_true_effect_is_recovered_from_many_posts(effect: float) -> None:
    server, channel = audience(Crowd(rho=0.1))
    server.audience.quality = lambda channel, message: effect * (message.id % 2)
    treated = shares(server, channel, range(1, 6001, 2))
    plain = shares(server, channel, range(2, 6001, 2))
    error = np.sqrt(treated.var() / treated.size + plain.var() / plain.size)
    assert abs(treated.mean() - plain.mean() - effect) < 4 * error < 0.02


@pytest.mark.parametrize("rho", [0.02, 0.1, 0.3])
def test_posts_vary_by_the_intra_post_correlation(rho: float) -> None:
    """Var p = rho * mu * (1 - mu) for a beta-binomial with that correlation."""
    server, channel = audience(Crowd(rho=rho, hour_effect=0, like_share=0.6))
    drawn = [server.audience.truth(post(channel, n)).probability for n in range(1, 3001)]
    assert np.mean(drawn) == pytest.approx(0.6, abs=0.03)
    assert np.var(drawn) == pytest.approx(rho * 0.6 * 0.4, rel=0.15)


def test_hour_and_channel_effects_move_the_mean() -> None:
    server, channel = audience(Crowd(like_share=0.6, hour_effect=0.05, channel_effect=-0.1))
    evening = START.replace(hour=17)  # 20 h in the crowd's zone
    morning = START.replace(hour=5)
    assert server.audience.truth(post(channel, 1, evening)).mean == pytest.approx(0.55)
    assert server.audience.truth(post(channel, 1, morning)).mean == pytest.approx(0.45)


def test_only_allowed_emoji_appear() -> None:
    server, channel = audience(Crowd(other=0.5))
    channel.reactions = ("👍", "👎", "🔥")
    seen: set[str] = set()
    for number in range(1, 50):
        seen |= set(server.audience.reactions(post(channel, number), later(48)))
    assert seen == {"👍", "👎", "🔥"}
    channel.reactions = ()
    assert server.audience.reactions(post(channel, 1), later(48)) == {}


def test_members_join_and_leave_at_their_rates() -> None:
    server, channel = audience(Crowd(joins_a_day=0.01, leaves_a_day=0.004))
    now = START + timedelta(days=100)
    joined, left = server.audience.joined(channel, now), server.audience.left(channel, now)
    assert joined == pytest.approx(4000, rel=0.06) and left == pytest.approx(1600, rel=0.1)
    assert server.audience.members(channel, now) == 4000 + joined - left
    series = [server.audience.joined(channel, START + timedelta(hours=h)) for h in range(200)]
    assert series == sorted(series)


def test_groups_and_channels_without_a_crowd_have_no_audience() -> None:
    server, channel = audience(members=0)
    assert server.audience.views(post(channel), later(48)) == 0
    with pytest.raises(ValueError, match="no audience"):
        server.audience.truth(post(channel))
