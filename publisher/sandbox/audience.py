"""Simulated subscribers: who see, react, forward, join and leave.

Everything is a function of the seed, the post and its age, so it can be asked for in any order
and never needs a tick. For post j of channel i, published at local hour h:

- final views V ~ round(members * reach * LogNormal(0, reach_sigma) * hour factor), at most the
  members; at age t hours, floor(V * (1 - exp(-(t / view_hours)^0.7)));
- reactors R ~ Binomial(V, react_rate * LogNormal(0, react_sigma)), arriving by the same curve
  with `react_hours`;
- like probability p_j ~ Beta with mean mu_j = like_share + channel effect + hour effect +
  quality(channel, message), clipped to [0.02, 0.98], and intra-post correlation rho
  (alpha + beta = 1 / rho - 1). Each reactor likes with probability p_j, independently;
- a liker leaves 👍 with probability 1 - other, else one of the other positive emoji; the same
  holds for dislikers. So likes / (likes + dislikes) has mean mu_j whether the others count or
  not. Emoji that the channel does not allow become 👍 or 👎, or nothing if those are barred.

`quality` is the only thing that can tell posts apart: the demo gives a function that knows the
ledger's arms, the server knows nothing of them.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from .records import Channel, Message

if TYPE_CHECKING:
    from .world import World

Quality = Callable[[Channel, Message], float]
CURVE = 0.7  # exponent of the stretched exponential by which views and reactions arrive
CACHED_POSTS = 20_000


@dataclass(frozen=True)
class Crowd:
    """Parameters of one channel's subscribers."""

    reach: float = 0.35  # share of members who see a post in the end
    reach_sigma: float = 0.25
    view_hours: float = 5.0
    react_rate: float = 0.08  # reactors as a share of views
    react_sigma: float = 0.3
    react_hours: float = 6.0
    like_share: float = 0.6
    channel_effect: float = 0.0
    hour_effect: float = 0.05  # added at the peak hour, taken away twelve hours from it
    peak_hour: float = 20.0
    utc_offset: float = 3.0
    rho: float = 0.1
    other: float = 0.15
    positive: tuple[str, ...] = ("😁", "❤", "🔥")
    negative: tuple[str, ...] = ("💩", "😢")
    forward_rate: float = 0.01
    joins_a_day: float = 0.002  # as a share of the members at the start
    leaves_a_day: float = 0.0015


@dataclass(frozen=True)
class Truth:
    """What the model drew for one post; tests hold estimates against it."""

    mean: float  # mu_j
    probability: float  # p_j
    views: int
    reactors: int
    forwards: int


def neutral(channel: Channel, message: Message) -> float:
    return 0.0


class Audience:
    """The subscribers of all channels. Only broadcast channels with a crowd have any."""

    def __init__(self, world: World, seed: int, quality: Quality = neutral) -> None:
        self.quality = quality
        self.default = Crowd()
        self._world = world
        self._seed = seed
        self._crowds: dict[int, Crowd] = {}
        self._drawn: OrderedDict[tuple[int, int, float], tuple[Truth, list[str]]] = OrderedDict()
        self._flow: dict[int, tuple[list[int], list[int]]] = {}

    def set_crowd(self, channel: Channel, crowd: Crowd) -> None:
        self._crowds[channel.id] = crowd
        self._drawn.clear()
        self._flow.pop(channel.id, None)

    def crowd(self, channel: Channel) -> Crowd:
        return self._crowds.get(channel.id, self.default)

    # What has come by now

    def views(self, message: Message, now: datetime) -> int:
        channel = self._channel(message)
        if channel is None:
            return 0
        final = message.final_views
        if final is None:
            final = self._draw(channel, message)[0].views
        return math.floor(final * _arrived(message, now, self.crowd(channel).view_hours))

    def forwards(self, message: Message, now: datetime) -> int:
        channel = self._channel(message)
        if channel is None:
            return 0
        final = self._draw(channel, message)[0].forwards
        return math.floor(final * _arrived(message, now, self.crowd(channel).view_hours))

    def reactions(self, message: Message, now: datetime) -> dict[str, int]:
        """Counts by emoji. Reactions that were there never go away."""
        channel = self._channel(message)
        if channel is None or channel.reactions == ():
            return {}
        truth, emoji = self._draw(channel, message)
        share = _arrived(message, now, self.crowd(channel).react_hours)
        arrived = min(math.floor(truth.reactors * share), self.views(message, now))
        counts: dict[str, int] = {}
        for one in emoji[:arrived]:
            if one:
                counts[one] = counts.get(one, 0) + 1
        return counts

    def members(self, channel: Channel, now: datetime) -> int:
        """The simulated members: those at the start, and those who joined and did not leave."""
        return max(0, channel.crowd + self.joined(channel, now) - self.left(channel, now))

    def joined(self, channel: Channel, now: datetime) -> int:
        return self._flowed(channel, now, 0)

    def left(self, channel: Channel, now: datetime) -> int:
        return self._flowed(channel, now, 1)

    def truth(self, message: Message) -> Truth:
        channel = self._channel(message)
        if channel is None:
            raise ValueError(f"message {message.id} in {message.box} has no audience")
        return self._draw(channel, message)[0]

    # Draws

    def _channel(self, message: Message) -> Channel | None:
        if message.box.kind != "channel" or message.action is not None:
            return None
        channel = self._world.channels[message.box.id]
        return channel if channel.broadcast and channel.crowd else None

    def _generator(self, *what: object) -> np.random.Generator:
        digest = hashlib.sha256(repr((self._seed, *what)).encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "big"))

    def _draw(self, channel: Channel, message: Message) -> tuple[Truth, list[str]]:
        """The post's truth, and its reactors' emoji in order of arrival."""
        crowd = self.crowd(channel)
        rhythm = _rhythm(crowd, message.date)
        mean = crowd.like_share + crowd.channel_effect + crowd.hour_effect * rhythm
        mean = min(max(mean + self.quality(channel, message), 0.02), 0.98)
        key = (channel.id, message.id, mean)
        if key not in self._drawn:
            self._drawn[key] = self._draw_post(channel, message, crowd, mean, rhythm)
            if len(self._drawn) > CACHED_POSTS:
                self._drawn.popitem(last=False)
        return self._drawn[key]

    def _draw_post(
        self, channel: Channel, message: Message, crowd: Crowd, mean: float, rhythm: float
    ) -> tuple[Truth, list[str]]:
        post = (channel.id, message.id)
        size = self._generator("size", *post)
        members = self.members(channel, message.date)
        reach = crowd.reach * size.lognormal(0, crowd.reach_sigma) * (1 + 0.15 * rhythm)
        views = min(members, round(members * reach))
        rate = min(0.9, crowd.react_rate * size.lognormal(0, crowd.react_sigma))
        reactors = int(size.binomial(views, rate))
        forwards = int(size.binomial(views, crowd.forward_rate))
        weight = 1 / crowd.rho - 1 if crowd.rho else math.inf
        probability = mean
        if math.isfinite(weight):
            taste = self._generator("taste", *post)
            probability = float(taste.beta(mean * weight, (1 - mean) * weight))
        emoji = self._emoji(channel, crowd, probability, reactors, post)
        return Truth(mean, probability, views, reactors, forwards), emoji

    def _emoji(
        self,
        channel: Channel,
        crowd: Crowd,
        probability: float,
        reactors: int,
        post: tuple[int, int],
    ) -> list[str]:
        draw = self._generator("reactors", *post)
        likes = draw.random(reactors) < probability
        others = draw.random(reactors) < crowd.other
        picks = draw.integers(0, 1 << 16, reactors)
        allowed = channel.reactions
        chosen = []
        for like, other, pick in zip(likes, others, picks, strict=True):
            choices = crowd.positive if like else crowd.negative
            emoji = "👍" if like else "👎"
            if other and choices:
                rare = choices[int(pick) % len(choices)]
                emoji = rare if allowed is None or rare in allowed else emoji
            chosen.append(emoji if allowed is None or emoji in allowed else "")
        return chosen

    def _flowed(self, channel: Channel, now: datetime, which: int) -> int:
        """Joins (0) or leaves (1) since the channel's date; within a day they come evenly."""
        age = (now - channel.date) / timedelta(days=1)
        if age <= 0 or not channel.crowd:
            return 0
        totals = self._flow.setdefault(channel.id, ([0], [0]))
        crowd = self.crowd(channel)
        while len(totals[0]) <= age + 1:
            draw = self._generator("flow", channel.id, len(totals[0]))
            rates = crowd.joins_a_day, crowd.leaves_a_day
            for total, rate in zip(totals, rates, strict=True):
                total.append(total[-1] + int(draw.poisson(channel.crowd * rate)))
        day = int(age)
        before, after = totals[which][day : day + 2]
        return math.floor(before + (after - before) * (age - day))


def _arrived(message: Message, now: datetime, hours: float) -> float:
    """The share of a post's views or reactions that has come by `now`."""
    age = (now - message.date) / timedelta(hours=1)
    return 1 - math.exp(-((age / hours) ** CURVE)) if age > 0 else 0.0


def _rhythm(crowd: Crowd, date: datetime) -> float:
    """1 at the peak hour of the day, -1 twelve hours later."""
    hour = date.hour + date.minute / 60 + crowd.utc_offset
    return math.cos(2 * math.pi * (hour - crowd.peak_hour) / 24)
