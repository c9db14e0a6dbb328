import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import sequential
from experiments.sequential import (
    always_valid,
    load_state,
    log_e,
    mixture_variance,
    save_state,
    spending,
    take_looks,
)
from experiments.signflip import sign_bits, sign_flip
from experiments.simulate import registered_methods


def weekly(d: np.ndarray, weeks: int) -> dict[int, list[tuple[str, float]]]:
    parts = np.array_split(np.arange(len(d)), weeks)
    return {week: [(f"p{i}", float(d[i])) for i in part] for week, part in enumerate(parts, 1)}


@pytest.mark.parametrize(
    ("t", "one_sided"),
    [(1 / 3, 0.0001), (2 / 3, 0.0060), (0.5, 0.0015), (0.75, 0.0096), (1.0, 0.0250)],
)
def test_spending_is_lan_demets_obrien_fleming(t, one_sided):
    """Cumulative α as rpact prints it for typeOfDesign = "asOF", three and four looks."""
    assert round(spending(t) / 2, 4) == one_sided


def test_looks_equal_the_definition_vector_by_vector():
    rng = np.random.default_rng(11)
    d = rng.normal(0.07, 0.3, 80)
    looks, _ = take_looks(weekly(d, 8), planned=8, seed=3, vectors=999)
    bits = sign_bits([f"p{i}" for i in range(80)], seed=3, vectors=999)
    signs = np.vstack([np.ones(80), 1 - 2.0 * bits.T])
    alive = list(range(1000))
    for k, look in enumerate(looks, 1):
        size = np.abs(signs[:, : 10 * k] @ d[: 10 * k])
        due = math.floor(spending(k / 8) * 1000 + 1e-9) - (1000 - len(alive))
        alive.sort(key=lambda vector: -size[vector])
        alive = alive[due:]
        assert look.retired == 1000 - len(alive)
        assert look.rejected == (0 not in alive)
        assert look.pairs == 10 * k


def test_one_look_is_the_sign_flip_test():
    for seed in range(12):
        d = np.random.default_rng(seed).normal(0.12, 0.3, 40)
        looks, _ = take_looks(weekly(d, 1), planned=1, seed=seed, vectors=499)
        sums = d.sum() - 2 * (sign_bits([f"p{i}" for i in range(40)], seed=seed, vectors=499).T @ d)
        p = (1 + np.count_nonzero(np.abs(sums) >= abs(d.sum()))) / 500
        assert looks[0].rejected == (p <= 0.05)


@given(st.lists(st.integers(-9, 9).map(lambda k: k / 20), min_size=1, max_size=12))
def test_one_look_at_few_pairs_is_decided_exactly(d):
    values = np.array(d)
    looks, state = take_looks(weekly(values, 1), planned=1, vectors=199)
    assert looks[0].rejected == (sign_flip(values).p_value <= 0.05)
    assert take_looks(weekly(values, 1), planned=1, vectors=199, state=state)[0] == looks


def test_the_state_carries_past_looks_and_spends_nothing_twice():
    d = np.random.default_rng(2).normal(0.05, 0.3, 64)
    table = weekly(d, 8)
    whole, final = take_looks(table, planned=8)
    state = None
    for week in range(1, 9):
        so_far = {k: table[k] for k in range(1, week + 1)}
        looks, state = take_looks(so_far, planned=8, state=state)
        again, same = take_looks(so_far, planned=8, state=state)
        assert (again, same) == (looks, state)
    assert looks == whole
    assert state == final


def test_a_late_pair_enters_at_the_next_look_and_changes_no_past_one():
    d = np.random.default_rng(4).normal(0.3, 0.2, 40)
    table = weekly(d, 4)
    late = table[1].pop()
    _, state = take_looks({1: table[1], 2: table[2]}, planned=4)
    table[1].append(late)
    looks, after = take_looks(table, planned=4, state=state)
    assert after["looks"][:2] == state["looks"]
    assert late[0] in after["looks"][2]["pairs"]
    assert [look.pairs for look in looks] == [9, 19, 30, 40]


def test_looks_past_the_plan_are_not_taken():
    d = np.random.default_rng(4).normal(0, 0.3, 50)
    looks, _ = take_looks(weekly(d, 10), planned=8)
    assert [look.look for look in looks] == list(range(1, 9))


def test_weeks_without_pairs_are_looks_without_spending_on_ties():
    looks, _ = take_looks({1: [], 2: [], 3: []}, planned=3)
    assert [(look.pairs, look.retired, look.rejected) for look in looks] == [(0, 0, False)] * 3


@given(st.integers(1, 7), st.integers(1, 8))
def test_few_pairs_can_never_reject(n, weeks):
    d = np.full(n, 0.5)
    looks, _ = take_looks(weekly(d, weeks), planned=weeks, vectors=999)
    if n < 5:
        assert not any(look.rejected for look in looks)


def test_a_state_of_another_experiment_is_refused(tmp_path):
    _, state = take_looks({1: [("a", 0.1)]}, planned=8, experiment="one")
    with pytest.raises(ValueError, match="experiment is 'one' there and 'two' here"):
        take_looks({1: [("a", 0.1)]}, planned=8, experiment="two", state=state)
    save_state(state, tmp_path / "looks.json")
    assert load_state(tmp_path / "looks.json") == state
    assert load_state(tmp_path / "none.json") is None
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"bad\.json"):
        load_state(tmp_path / "bad.json")


def test_block_simulation_takes_the_same_looks_as_the_library(monkeypatch):
    rng = np.random.default_rng(21)
    d = rng.normal(0.06, 0.3, (48, 30))
    week = np.repeat(np.arange(6), 8)
    found = registered_methods(d, week, 6, 499, 0.05, np.random.default_rng(77))
    flips = np.random.default_rng(77).integers(0, 2, size=(499, 48))
    monkeypatch.setattr(
        "experiments.signflip.sign_bits",
        lambda ids, **_: np.array([flips[:, int(name[1:])] for name in ids], dtype=np.uint8),
    )
    for run in range(30):
        looks, _ = take_looks(weekly(d[:, run], 6), planned=6, vectors=499)
        stop = next((look.look for look in looks if look.rejected), 0)
        one = sign_flip(d[:, run], [f"p{i}" for i in range(48)], vectors=499)
        assert found["stop_look"][run] == stop
        assert found["p_value"][run] == pytest.approx(one.p_value)
        assert (found["low"][run], found["high"][run]) == pytest.approx(one.interval)
        assert found["lower"][run] == pytest.approx(one.lower)


@settings(max_examples=60)
@given(st.lists(st.floats(-0.95, 0.95), min_size=1, max_size=40), st.integers(1, 500))
def test_always_valid_interval_holds_all_that_is_not_rejected(d, planned):
    values = np.array(d)
    found = always_valid(values, planned_pairs=planned)
    eta = mixture_variance(planned)
    grid = np.linspace(-1, 1, 4001)
    shifted = values[None] - grid[:, None]
    accepted = grid[log_e(shifted.sum(1), np.square(shifted).sum(1), eta) < math.log(20)]
    low, high = found.interval
    assert low <= found.effect <= high or not -1 <= found.effect <= 1
    if len(accepted):
        assert accepted.min() >= low - 1e-9
        assert accepted.max() <= high + 1e-9
        assert low >= accepted.min() - 5e-4 - 1e-9 or low == -1
        assert high <= accepted.max() + 5e-4 + 1e-9 or high == 1


def test_e_value_is_the_mixture_of_the_definition():
    """E is the integral of exp(λS − λ²V/2) over λ ~ N(0, 1/η)."""
    d = np.random.default_rng(6).normal(0.1, 0.25, 60)
    found = always_valid(d, planned_pairs=100)
    eta = 0.2**2 * 50 / 8.212
    lam = np.linspace(-60, 60, 400001) / math.sqrt(eta) / 10
    density = np.exp(-(lam**2) * eta / 2) * math.sqrt(eta / (2 * math.pi))
    total, squares = d.sum(), np.square(d).sum()
    integral = np.trapezoid(np.exp(lam * total - lam**2 * squares / 2) * density, lam)
    assert found.e_value == pytest.approx(integral, rel=1e-6)
    assert found.p_value == pytest.approx(min(1, 1 / integral), rel=1e-6)


def test_ends_of_the_always_valid_interval_have_e_of_twenty():
    d = np.random.default_rng(6).normal(0.1, 0.25, 60)
    for end in always_valid(d, planned_pairs=100).interval:
        shifted = d - end
        value = log_e(shifted.sum(), np.square(shifted).sum(), mixture_variance(100))
        assert math.exp(value) == pytest.approx(20, rel=1e-9)


def test_module_constants_are_those_of_the_document():
    assert mixture_variance(224) == pytest.approx(0.04 * 112 / 8.212)
    assert sequential.STATE_SCHEMA == "memegen-looks/1"
