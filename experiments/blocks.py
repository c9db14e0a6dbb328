"""Blocks that are not 1:1: a studentised permutation test within blocks.

With unequal blocks the plain permutation of a difference in means is not level α for equal means
and unequal spreads; studentised it is, in large samples (Chung & Romano 2013). Each block gives
d_b = mean(generated) − mean(human); the arms are permuted inside blocks at their own numbers; the
statistic is mean(d) over its standard error across blocks, compared by the equivalent and simpler
(Σd)² / Σd². With 1:1 blocks Σd² never changes and the test is the sign-flip test.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.data import Post
from experiments.faults import fault

Array = NDArray[Any]


@dataclass(frozen=True)
class BlockTest:
    """`left_out`: blocks without both arms."""

    effect: float
    p_value: float
    interval: tuple[float, float]
    blocks: int
    posts: int
    left_out: tuple[str, ...]
    vectors: int


def block_test(
    shares: Sequence[float],
    arms: Sequence[str],
    blocks: Sequence[str],
    *,
    seed: int = 1,
    vectors: int = 9999,
    alpha: float = 0.05,
) -> BlockTest:
    """Test of equal means within blocks and the interval that inverts it, by bisection.

    `shares`, `arms` ("generated"/"human") and `blocks`: (n,) of posts. Blocks weigh the same.
    Raises ValueError when no block has both arms, and for impossible options.
    """
    if not 0 < alpha < 0.5:
        raise fault("between", name="alpha", low=0, high=0.5, value=alpha)
    if vectors < 99:
        raise fault("least", name="vectors", least=99, value=vectors)
    if seed < 0:
        raise fault("negative", name="seed", value=seed)
    y = np.asarray(shares, dtype=float)
    generated = np.asarray(arms) == "generated"
    names = np.asarray(blocks)
    rng = np.random.default_rng(seed)
    sums = np.zeros((5, vectors + 1))
    used, posts, left_out = 0, 0, []
    for name in dict.fromkeys(names.tolist()):
        members = np.flatnonzero(names == name)
        own = generated[members]
        if own.all() or not own.any():
            left_out.append(str(name))
            continue
        a, c = _contrasts(y[members], own, vectors, rng)
        sums += np.stack([a, c, a * a, a * c, c * c])
        used, posts = used + 1, posts + len(members)
    if not used:
        raise fault("nothing")
    effect = float(sums[0, 0] / used)

    def p_at(delta: float) -> float:
        a, c, aa, ac, cc = sums
        spread = aa - 2 * delta * ac + delta**2 * cc
        statistic = np.divide(
            (a - delta * c) ** 2, spread, out=np.zeros_like(a), where=spread > 1e-300
        )
        return float(np.mean(statistic >= statistic[0] * (1 - 1e-11)))

    return BlockTest(
        effect=effect,
        p_value=p_at(0.0),
        interval=(_end(p_at, effect, -1.0, alpha), _end(p_at, effect, 1.0, alpha)),
        blocks=used,
        posts=posts,
        left_out=tuple(left_out),
        vectors=vectors,
    )


def compare_posts(posts: Iterable[Post], **options: Any) -> BlockTest:
    """The test over measured posts, their pair_id taken as the block's name."""
    measured = [
        (post.share, post.arm, post.pair_id)
        for post in posts
        if post.pair_id and post.share is not None
    ]
    shares, arms, blocks = zip(*measured, strict=True) if measured else ((), (), ())
    return block_test(shares, arms, blocks, **options)


def _contrasts(
    y: Array, generated: Array, vectors: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """(vectors + 1,) differences of means of y and of the true arm; row 0 as observed."""
    size, many = len(y), int(generated.sum())
    order = np.argsort(rng.random((vectors, size)), axis=1)
    chosen = np.zeros((vectors + 1, size))
    np.put_along_axis(chosen[1:], order[:, :many], 1.0, axis=1)
    chosen[0] = generated
    weights = chosen / many - (1 - chosen) / (size - many)
    return weights @ y, weights @ generated.astype(float)


def _end(p_at: Any, inside: float, outside: float, alpha: float) -> float:
    if p_at(outside) > alpha:
        return outside
    while abs(outside - inside) > 1e-10 and math.isfinite(inside):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_at(middle) > alpha else (inside, middle)
    return inside
