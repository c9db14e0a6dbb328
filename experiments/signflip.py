"""The sign-flip test of paired differences, and its interval.

Under the null hypothesis that the coin changed nothing, the sign of every pair's difference is a
fair coin itself. With M sign vectors, the observed one (all +1) among them,

    p = #{ |Σ s_b d_b| ≥ |Σ d_b| } / M,

all M = 2^n vectors for n ≤ 16 (exact), else M = B + 1 with B seeded ones: the usual
(1 + #)/(B + 1).

The interval inverts that very test over d − δ, without a grid. For a vector s, the condition
|Σ s_b (d_b − δ)| ≥ |Σ (d_b − δ)| factors into

    (n₋ δ − Σ₋ d) (n₊ δ − Σ₊ d) ≤ 0,

so s counts exactly for δ between the mean of d over its flipped pairs and the mean over the others,
and that segment always holds the mean of all. p(δ) is therefore the share of segments covering δ,
falls on both sides of the mean, and {δ : p(δ) > α} ends at order statistics of the segment ends.
One-sided, the vector counts for δ ≥ the mean over its flipped pairs.
"""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT_PAIRS = 16
VECTORS = 9999
TIE = 1e-11
_CHUNK = 256


@dataclass(frozen=True)
class SignFlip:
    """Result of the test; the differences are in shares (0.05 is five points)."""

    effect: float
    p_value: float
    p_greater: float
    interval: tuple[float, float]
    lower: float
    exact: bool
    vectors: int


def sign_flip(
    differences: Sequence[float] | Floats,
    pair_ids: Sequence[str] | None = None,
    *,
    seed: int = 1,
    vectors: int = VECTORS,
    alpha: float = 0.05,
) -> SignFlip:
    """Test of mean zero, two-sided 1 − α interval and one-sided 1 − α lower bound.

    `differences`: (n,) generated minus human. `pair_ids` name the pairs, so that a pair keeps its
    signs whatever the order (default: its position). Ends of the interval that no level α test can
    reject are −1 and 1, the limits of a difference of shares. Raises ValueError without data or
    with a value that is not finite.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or d.size == 0:
        raise ValueError("sign_flip needs a non-empty one-dimensional array of differences")
    if not np.isfinite(d).all():
        raise ValueError("sign_flip: a difference is not finite")
    exact = d.size <= EXACT_PAIRS
    columns = np.column_stack([d, np.ones_like(d)])
    if exact:
        flipped = _enumerate(columns)
    else:
        ids = pair_ids if pair_ids is not None else [str(index) for index in range(d.size)]
        flipped = next(iter(flipped_sums(columns, ids, [d.size], seed=seed, vectors=vectors)))
    return _from_flipped(d, flipped, exact, alpha)


def fewest_pairs(alpha: float = 0.05) -> int:
    """The sign-flip test of fewer pairs cannot reject: its smallest p is 2 / 2ⁿ."""
    return 1 + math.ceil(-math.log2(alpha) - 1e-9)


def flipped_sums(
    columns: Floats, pair_ids: Sequence[str], stops: Iterable[int], *, seed: int, vectors: int
) -> Iterable[Floats]:
    """For each stop k, sums over the flipped ones among the first k pairs, for every vector.

    `columns`: (n, m). Yields (vectors + 1, m) arrays; row 0 is the observed vector, which flips
    nothing. Memory is bounded by one chunk of 256 pairs, whatever n.
    """
    total = np.zeros((vectors + 1, columns.shape[1]))
    done = 0
    for stop in stops:
        while done < stop:
            until = min(stop, done + _CHUNK)
            bits = sign_bits(pair_ids[done:until], seed=seed, vectors=vectors)
            total[1:] += bits.T.astype(np.float64) @ columns[done:until]
            done = until
        yield total.copy()


def sign_bits(pair_ids: Sequence[str], *, seed: int, vectors: int) -> NDArray[np.uint8]:
    """(pairs, vectors) of 0 and 1; 1 flips the pair in that vector.

    A pair's row is the leading bits of SHAKE-128("seed|pair_id"): it depends on nothing else, so
    that vectors stay fixed while pairs arrive, and can be re-derived in any language.
    """
    size = (vectors + 7) // 8
    packed = b"".join(
        hashlib.shake_128(f"{seed}|{pair_id}".encode()).digest(size) for pair_id in pair_ids
    )
    rows = np.frombuffer(packed, dtype=np.uint8).reshape(len(pair_ids), size)
    return np.unpackbits(rows, axis=1, count=vectors)


def _enumerate(columns: Floats) -> Floats:
    """Sums over every subset of the rows, (2^n, m); row 0 is the empty subset."""
    sums = np.zeros((1, columns.shape[1]))
    for row in columns:
        sums = np.concatenate([sums, sums + row])
    return sums


def _from_flipped(d: Floats, flipped: Floats, exact: bool, alpha: float) -> SignFlip:
    n, total = d.size, float(d.sum())
    size = len(flipped)
    sums = total - 2 * flipped[:, 0]
    tie = TIE * float(np.abs(d).sum())
    minus = flipped[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_minus = flipped[:, 0] / minus
        mean_plus = (total - flipped[:, 0]) / (n - minus)
    one_sided = np.where(minus == 0, -np.inf, mean_minus)
    whole = (minus == 0) | (minus == n)
    low = np.where(whole, -np.inf, np.fmin(mean_minus, mean_plus))
    high = np.where(whole, np.inf, np.fmax(mean_minus, mean_plus))
    rank = math.floor(alpha * size + 1e-9)
    return SignFlip(
        effect=total / n,
        p_value=float(np.count_nonzero(np.abs(sums) >= abs(total) - tie) / size),
        p_greater=float(np.count_nonzero(sums >= total - tie) / size),
        interval=(
            max(-1.0, float(np.partition(low, rank)[rank])),
            min(1.0, -float(np.partition(-high, rank)[rank])),
        ),
        lower=max(-1.0, float(np.partition(one_sided, rank)[rank])),
        exact=exact,
        vectors=size - 1,
    )
