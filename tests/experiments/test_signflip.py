import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.signflip import flipped_sums, sign_bits, sign_flip

SHARES = st.lists(
    st.integers(-60, 60).map(lambda k: k / 60), min_size=1, max_size=9
)  # twelfths and the like: many ties


def brute_p(d: np.ndarray) -> float:
    signs = np.array(list(itertools.product([1, -1], repeat=len(d))))
    return float(np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-9))


def test_darwins_maize_as_fisher_counted_it():
    """Fisher, The Design of Experiments (1935), §21: 1726 of 32,768 arrangements."""
    eighths = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48])
    found = sign_flip(eighths / 1000)
    assert found.exact
    assert found.p_value == pytest.approx(1726 / 32768, abs=1e-12)
    assert found.effect == pytest.approx(314 / 15000)


@given(SHARES)
def test_p_value_counts_every_arrangement(d):
    assert sign_flip(d).p_value == pytest.approx(brute_p(np.array(d)), abs=1e-12)


def test_p_value_agrees_with_scipy():
    d = np.random.default_rng(3).normal(0.05, 0.3, 12)
    exact = stats.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip(d).p_value == pytest.approx(exact.pvalue, abs=1e-12)
    greater = stats.permutation_test(
        (d,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="greater",
        vectorized=False,
    )  # fmt: skip
    assert sign_flip(d).p_greater == pytest.approx(greater.pvalue, abs=1e-12)


@settings(max_examples=60)
@given(st.lists(st.floats(-0.9, 0.9), min_size=6, max_size=10), st.sampled_from([0.05, 0.1, 0.2]))
def test_interval_is_where_the_test_stops_rejecting(d, alpha):
    values = np.array(d)
    found = sign_flip(values, alpha=alpha)
    for end, outward in zip(found.interval, (-1, 1), strict=True):
        if abs(end) < 1:
            assert brute_p(values - end - outward * 1e-7) <= alpha + 1e-12
            assert brute_p(values - end + outward * 1e-7) > alpha or np.ptp(values) < 1e-6
    assert found.interval[0] <= found.effect <= found.interval[1]


@given(st.lists(st.floats(-0.9, 0.9), min_size=6, max_size=10))
def test_one_sided_bound_is_where_the_one_sided_test_stops_rejecting(d):
    values = np.array(d)
    bound = sign_flip(values).lower
    signs = np.array(list(itertools.product([1, -1], repeat=len(d))))

    def p_greater(delta: float) -> float:
        shifted = values - delta
        return float(np.mean(signs @ shifted >= shifted.sum() - 1e-12))

    assert p_greater(bound - 1e-7) <= 0.05
    assert p_greater(bound + 1e-7) > 0.05


@pytest.mark.parametrize("n", [1, 2, 5])
def test_too_few_pairs_exclude_nothing(n):
    assert sign_flip([0.4] * n).interval == (-1.0, 1.0)


def test_equal_differences_give_a_point():
    found = sign_flip([0.25] * 16)
    assert found.interval == (pytest.approx(0.25), pytest.approx(0.25))
    assert found.p_value == pytest.approx(2 / 2**16)


def test_monte_carlo_is_near_the_exact_answer():
    d = np.random.default_rng(8).normal(0.1, 0.3, 16)
    exact = sign_flip(d)
    flipped = next(
        iter(
            flipped_sums(
                np.column_stack([d, np.ones(16)]), [str(i) for i in range(16)], [16],
                seed=4, vectors=9999,
            )
        )
    )  # fmt: skip
    sums = d.sum() - 2 * flipped[:, 0]
    share = np.mean(np.abs(sums) >= abs(d.sum()) - 1e-12)
    assert share == pytest.approx(exact.p_value, abs=4 * (exact.p_value / 9999) ** 0.5 + 2e-4)


def test_large_samples_agree_with_student():
    d = np.random.default_rng(5).normal(0.02, 0.3, 2000)
    found = sign_flip(d)
    student = stats.ttest_1samp(d, 0)
    assert not found.exact
    assert found.p_value == pytest.approx(student.pvalue, abs=0.01)
    assert found.interval == pytest.approx(tuple(student.confidence_interval()), abs=1.5e-3)


def test_a_pairs_signs_depend_on_its_name_and_the_seed_alone():
    names = [f"p{i}" for i in range(40)]
    d = np.random.default_rng(1).normal(0, 0.3, 40)
    order = np.random.default_rng(2).permutation(40)
    one = sign_flip(d, names, vectors=999)
    two = sign_flip(d[order], [names[i] for i in order], vectors=999)
    assert one.p_value == two.p_value
    assert one.interval == pytest.approx(two.interval, abs=1e-12)
    assert sign_flip(d, names, vectors=999, seed=2) != one
    bits = sign_bits(names, seed=1, vectors=4000)
    assert abs(bits.mean() - 0.5) < 0.01
    assert abs(np.corrcoef(bits)[np.triu_indices(40, 1)]).max() < 0.08


def test_sums_at_stops_are_running_sums():
    columns = np.random.default_rng(0).normal(size=(700, 2))
    ids = [str(i) for i in range(700)]
    stops = [0, 10, 300, 700]
    found = list(flipped_sums(columns, ids, stops, seed=9, vectors=50))
    bits = sign_bits(ids, seed=9, vectors=50)
    for stop, sums in zip(stops, found, strict=True):
        assert sums[1:] == pytest.approx(bits[:stop].T.astype(float) @ columns[:stop], abs=1e-9)
        assert not sums[0].any()


@pytest.mark.parametrize("wrong", [[], [float("nan")], [[0.1]]])
def test_impossible_differences_are_refused(wrong):
    with pytest.raises(ValueError, match="sign_flip"):
        sign_flip(wrong)
