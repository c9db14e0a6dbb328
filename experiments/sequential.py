"""Looking every week without lying: registered looks, and an interval valid at any time.

Registered looks: a permutation O'Brien–Fleming boundary. Of B + 1 sign vectors fixed for the whole
experiment, the observed one among them, look k retires the surviving ones with the largest |S_k|
until ⌊α*(t_k)(B + 1)⌋ are retired in all, with t_k = k / planned looks and the Lan–DeMets spending
α*(t) = 4[1 − Φ(z_{1−α/4}/√t)]. The observed vector is retired with probability at most α under the
null whatever the data, because the vectors are exchangeable. Vectors tied at the cut all survive.

Between looks and past the plan: a normal mixture of exponential supermartingales,
E = √(η/(η+V)) exp(S²/(2(η+V))), S = Σd, V = Σd² (Robbins 1970; for symmetric differences cosh x ≤
exp(x²/2) makes it an e-process). It rejects at E ≥ 1/α at any time, as often as one likes.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from experiments.faults import Fault, fault
from experiments.signflip import EXACT_PAIRS, TIE, Floats, flipped_sums, sign_flip

STATE_SCHEMA = "memegen-looks/1"


@dataclass(frozen=True)
class Look:
    """One registered look. `alpha_spent` is α*(t), cumulative; `pairs` are those in it."""

    look: int
    t: float
    pairs: int
    effect: float | None
    alpha_spent: float
    retired: int
    rejected: bool


@dataclass(frozen=True)
class AlwaysValid:
    """The e-process at one time. `p_value` = min(1, 1/E)."""

    pairs: int
    effect: float
    interval: tuple[float, float]
    e_value: float
    p_value: float


def spending(t: float, alpha: float = 0.05) -> float:
    """α*(t) = 4[1 − Φ(z_{1−α/4}/√t)], 0 < t ≤ 1; α*(1) = α."""
    return float(4 * norm.sf(norm.isf(alpha / 4) / math.sqrt(t)))


def take_looks(
    new_pairs: Mapping[int, Sequence[tuple[str, float]]],
    *,
    experiment: str = "",
    planned: int,
    seed: int = 1,
    vectors: int = 9999,
    alpha: float = 0.05,
    state: Mapping[str, Any] | None = None,
) -> tuple[list[Look], dict[str, Any]]:
    """Take the looks 1…max(new_pairs), at most `planned`, and return them with the new state.

    `new_pairs`: look number → (pair_id, difference) of the pairs that became complete for it. A
    look without new pairs is a look all the same. With a `state` from last week its looks stand as
    they were taken (their pairs, their retired vectors): nothing is spent twice, and a pair that
    came late enters at the first look after. Raises ValueError when the state belongs to another
    experiment or other vectors.
    """
    done = _past_looks(state, experiment, planned, seed, vectors, alpha)
    known = dict(pair for pairs in new_pairs.values() for pair in pairs)
    schedule = _schedule(new_pairs, done, planned, known)
    ids = [pair_id for pairs in schedule for pair_id in pairs]
    d = np.array([known[pair_id] for pair_id in ids], dtype=np.float64)
    stops = np.cumsum([len(pairs) for pairs in schedule], dtype=int)
    flipped = flipped_sums(d[:, None], ids, stops, seed=seed, vectors=vectors)
    alive = np.ones(vectors + 1, dtype=bool)
    looks, records = [], list(done)
    for number, (pairs, stop, sums) in enumerate(zip(schedule, stops, flipped, strict=True), 1):
        spent = spending(number / planned, alpha)
        if number <= len(done):
            retired = np.array(done[number - 1]["retired"], dtype=int)
        else:
            total = float(d[:stop].sum())
            size = np.abs(total - 2 * sums[:, 0])
            allowed = math.floor(spent * (vectors + 1) + 1e-9) - int((~alive).sum())
            retired = _retire(size, alive, allowed, TIE * float(np.abs(d[:stop]).sum()))
            if planned == 1 and 0 < stop <= EXACT_PAIRS:
                retired = _exactly(retired, sign_flip(d[:stop], alpha=alpha).p_value <= alpha)
            records.append({"look": number, "pairs": pairs, "retired": retired.tolist()})
        alive[retired] = False
        looks.append(
            Look(
                look=number,
                t=number / planned,
                pairs=int(stop),
                effect=float(d[:stop].mean()) if stop else None,
                alpha_spent=spent,
                retired=int((~alive).sum()),
                rejected=not alive[0],
            )
        )
    new_state = {
        "schema": STATE_SCHEMA,
        "experiment": experiment,
        "planned": planned,
        "seed": seed,
        "vectors": vectors,
        "alpha": alpha,
        "looks": records,
    }
    return looks, new_state


def _schedule(
    new_pairs: Mapping[int, Sequence[tuple[str, float]]],
    done: Sequence[Mapping[str, Any]],
    planned: int,
    known: Mapping[str, float],
) -> list[list[str]]:
    """Pair ids that enter at each look: as recorded for past looks, else as given."""
    schedule = [[pair for pair in record["pairs"] if pair in known] for record in done]
    entered = {pair for pairs in schedule for pair in pairs}
    last = min(max(new_pairs, default=0), planned)
    for number in range(len(done) + 1, last + 1):
        due = [
            pair
            for look in sorted(new_pairs)
            if look <= number
            for pair, _ in new_pairs[look]
            if pair not in entered
        ]
        entered.update(due)
        schedule.append(due)
    return schedule


def _retire(size: Floats, alive: np.ndarray, allowed: int, tie: float) -> np.ndarray:
    """Indices of at most `allowed` surviving vectors with the largest size, ties kept whole."""
    survivors = np.flatnonzero(alive)
    if allowed <= 0 or len(survivors) <= allowed:
        return np.array([], dtype=int)
    first_kept = np.partition(size[survivors], len(survivors) - allowed - 1)[
        len(survivors) - allowed - 1
    ]
    return survivors[size[survivors] > first_kept + tie]


def _exactly(retired: np.ndarray, rejected: bool) -> np.ndarray:
    """A single look at few pairs is decided by all 2^n vectors, not by the sampled ones."""
    others = retired[retired != 0]
    return np.concatenate([[0], others]).astype(int) if rejected else others


def _past_looks(
    state: Mapping[str, Any] | None,
    experiment: str,
    planned: int,
    seed: int,
    vectors: int,
    alpha: float,
) -> list[dict[str, Any]]:
    if state is None:
        return []
    expected = {
        "schema": STATE_SCHEMA,
        "experiment": experiment,
        "planned": planned,
        "seed": seed,
        "vectors": vectors,
        "alpha": alpha,
    }
    wrong = [
        ("differs", {"name": name, "there": state.get(name), "here": value})
        for name, value in expected.items()
        if state.get(name) != value
    ]
    if wrong:
        raise fault("other_looks", what=Fault(*wrong))
    looks = state.get("looks")
    if not isinstance(looks, list) or not all(_is_record(look, vectors) for look in looks):
        raise fault("spoiled_looks")
    return list(looks)


def _is_record(look: Any, vectors: int) -> bool:
    if not isinstance(look, dict):
        return False
    pairs, retired = look.get("pairs"), look.get("retired")
    return (
        isinstance(pairs, list)
        and all(isinstance(pair, str) for pair in pairs)
        and isinstance(retired, list)
        and all(isinstance(index, int) and 0 <= index <= vectors for index in retired)
    )


def save_state(state: Mapping[str, Any], path: Path) -> None:
    """Write the looks' state, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
    draft.replace(path)


def load_state(path: Path) -> dict[str, Any] | None:
    """The saved state, or None before the first look. Raises ValueError when it is unreadable."""
    if not path.exists():
        return None
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise fault("no_looks", path=path, why=error) from error
    if not isinstance(state, dict) or state.get("schema") != STATE_SCHEMA:
        raise fault("no_looks", path=path, why=f"≠ {STATE_SCHEMA}")
    return state


def mixture_variance(planned_pairs: int) -> float:
    """η = 0.2² (n_plan / 2) / 8.212: the mixture is tightest near half the plan."""
    return 0.2**2 * (max(planned_pairs, 1) / 2) / 8.212


def log_e(total: Floats | float, squares: Floats | float, eta: float) -> Any:
    """log E of the mixture; arrays broadcast."""
    return 0.5 * np.log(eta / (eta + squares)) + np.square(total) / (2 * (eta + squares))


def always_valid(
    differences: Sequence[float] | Floats, *, planned_pairs: int, alpha: float = 0.05
) -> AlwaysValid:
    """{δ in [−1, 1] : E(d − δ) < 1/α}, its ends by root finding; (n,) differences, n ≥ 1.

    In w = n(δ − mean)², log E rises to a single maximum at w = (n − 1)(η + Σ(d − mean)²) and falls
    beyond. Where an end of [−1, 1] lies beyond with E < 1/α, the interval goes to that end.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or d.size == 0:
        raise ValueError("always_valid needs a non-empty one-dimensional array of differences")
    n, mean = d.size, float(d.mean())
    eta, threshold = mixture_variance(planned_pairs), -math.log(alpha)
    spread = float(np.square(d - mean).sum())

    def excess(w: float) -> float:
        return float(log_e(math.sqrt(n * w), spread + w, eta)) - threshold

    top = (n - 1) * (eta + spread)
    low, high = -1.0, 1.0
    if top > 0 and excess(top) > 0:
        half = math.sqrt(float(brentq(excess, 0.0, top, xtol=1e-15, rtol=1e-14)) / n)
        low = mean - half if excess(n * (-1 - mean) ** 2) >= 0 else -1.0
        high = mean + half if excess(n * (1 - mean) ** 2) >= 0 else 1.0
    log_value = float(log_e(float(d.sum()), float(np.square(d).sum()), eta))
    return AlwaysValid(
        pairs=n,
        effect=mean,
        interval=(max(-1.0, low), min(1.0, high)),
        e_value=math.exp(min(log_value, 700.0)),
        p_value=math.exp(min(0.0, -log_value)),
    )
