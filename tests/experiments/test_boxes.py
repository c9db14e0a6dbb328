import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from experiments.analysis import randomised
from experiments.boxes import (
    cochran_mantel_haenszel,
    compare,
    exact_stratified,
    large_enough,
    odds_ratio,
    stratified_test,
    wilson,
)
from experiments.data import read_suggestions

# Bickel, Hammel & O'Connell (1975), as R's UCBAdmissions: men admitted, rejected; women likewise.
BERKELEY = [
    (512, 313, 89, 19), (353, 207, 17, 8), (120, 205, 202, 391),
    (138, 279, 131, 244), (53, 138, 94, 299), (22, 351, 24, 317),
]  # fmt: skip
CELL = st.integers(0, 6)
TABLES = st.lists(st.tuples(CELL, CELL, CELL, CELL), min_size=1, max_size=3)


def test_berkeley_as_r_prints_it():
    """mantelhaen.test(UCBAdmissions, correct = FALSE) and its common odds ratio."""
    statistic, p_value = cochran_mantel_haenszel(BERKELEY)
    assert statistic == pytest.approx(1.5246, abs=5e-5)
    assert p_value == pytest.approx(0.2169, abs=5e-5)
    found = odds_ratio(BERKELEY)
    assert found["odds_ratio"] == pytest.approx(0.9046968, abs=5e-8)
    assert found["odds_interval"] == pytest.approx([0.7719074, 1.0603298], abs=5e-8)


@given(st.tuples(CELL, CELL, CELL, CELL).filter(lambda t: sum(t) > 0))
def test_one_stratum_is_fisher(table):
    a, b, c, d = table
    fisher = stats.fisher_exact([[a, b], [c, d]]).pvalue
    assert exact_stratified([table]) == pytest.approx(fisher, abs=1e-9)


@given(TABLES.filter(lambda ts: all(sum(t) for t in ts)))
def test_exact_test_enumerates_all_tables_with_the_margins(tables):
    spreads = []
    for a, b, c, d in tables:
        low, high = max(0, (a + b) + (a + c) - (a + b + c + d)), min(a + b, a + c)
        values = range(low, high + 1)
        mass = [stats.hypergeom.pmf(k, a + b + c + d, a + c, a + b) for k in values]
        spreads.append(list(zip(values, mass, strict=True)))
    total: dict[int, float] = {}
    for combo in itertools.product(*spreads):
        key = sum(k for k, _ in combo)
        total[key] = total.get(key, 0.0) + float(np.prod([m for _, m in combo]))
    observed = total[sum(t[0] for t in tables)]
    expected = sum(m for m in total.values() if m <= observed * (1 + 1e-7))
    assert exact_stratified(tables) == pytest.approx(min(1, expected), abs=1e-9)


def test_the_method_follows_the_size():
    assert large_enough(BERKELEY)
    assert stratified_test(BERKELEY)["method"] == "cmh"
    small = [(3, 1, 1, 3), (2, 2, 0, 4)]
    assert stratified_test(small)["method"] == "exact_stratified"
    assert stratified_test(small)["p_value"] == pytest.approx(exact_stratified(small))
    one = stratified_test([(3, 1, 1, 3)])
    assert one["method"] == "boschloo"
    assert one["p_value"] == pytest.approx(stats.boschloo_exact([[3, 1], [1, 3]]).pvalue)


def test_partners_with_one_outcome_or_one_arm_say_nothing():
    found = stratified_test([(3, 0, 4, 0), (0, 0, 2, 2)])
    assert (found["p_value"], found["reason"]) == (None, "no_informative_strata")


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (3, 17)])
def test_wilson_agrees_with_scipy(k, n):
    limits = stats.binomtest(k, n).proportion_ci(0.95, "wilson")
    assert wilson(k, n) == pytest.approx((limits.low, limits.high), abs=1e-9)


def test_silence_is_counted_apart():
    rows = [
        {"submission_id": str(i), "partner": "x", "members": 1, "arm": arm, "accepted": accepted}
        for i, (arm, accepted) in enumerate(
            [("generated", 1), ("generated", ""), ("generated", 0), ("human", ""), ("human", 1)]
        )
    ]
    found = compare(read_suggestions(rows).rows)
    generated = found["partners"][0]["generated"]
    assert (generated["accepted"], generated["rejected"], generated["censored"]) == (1, 1, 1)
    assert generated["bounds"] == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    assert found["answered"]["risk_difference"] == pytest.approx(1 / 2 - 1)
    assert found["risk_difference"] == pytest.approx(1 / 3 - 1 / 2)
    assert compare([]) is None


def test_only_offers_that_a_coin_chose_compare_the_arms() -> None:
    rows = [
        {"submission_id": n, "partner": "p", "members": 10, "arm": arm, "accepted": yes}
        | {"chosen_by": by}
        for n, (arm, yes, by) in enumerate(
            [("generated", 1, "random"), ("human", 0, "random"), ("generated", 1, "thompson")]
        )
    ]
    kept = randomised(read_suggestions(rows).rows)
    assert [row.submission_id for row in kept] == ["0", "1"]
