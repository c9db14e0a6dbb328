import numpy as np
import pytest
from scipy import stats

from experiments.data import read_posts, read_suggestions
from experiments.metrics import clopper_pearson, four_metrics, pilot, secondary
from tests.experiments.builders import post


def make_posts():
    rows = [
        post(0, "generated", 8, 2, members=1000),
        post(1, "generated", 3, 3, members=1200),
        post(2, "generated", 0, 0, members=1200),
        post(3, "generated", 9, 1, channel="dogs", members=3000),
        post(4, "generated", 5, 0, channel="dogs", members=3000, status="expired"),
        post(5, "human", 2, 8),
        post(6, "human", 0, 0, channel="dogs", members=3000),
        post(7, "generated", 4, 1, channel="birds", members=""),
    ]
    return read_posts(rows).rows


SUGGESTIONS = read_suggestions(
    [
        {"submission_id": str(i), "partner": partner, "members": members, "arm": arm, "accepted": a}
        for i, (partner, members, arm, a) in enumerate(
            [("x", 100, "generated", 1), ("x", 100, "generated", 0), ("x", 100, "generated", ""),
             ("x", 100, "generated", 1), ("y", 300, "generated", 0), ("y", 300, "human", 1)]
        )
    ]
).rows  # fmt: skip


def test_values_by_hand():
    found = four_metrics(make_posts(), SUGGESTIONS)
    cats, dogs, birds = (0.8 + 0.5) / 2, 0.9, 0.8
    react = found["avg_react"]["generated"]
    assert react["value"] == pytest.approx((cats + dogs + birds) / 3)
    assert react["literal"] == pytest.approx((11 / 3 + 9 + 4) / 3)
    assert (react["n"], react["posts"], react["excluded"]) == (3, 4, [])
    weighted = found["weighted_avg_react"]["generated"]
    assert weighted["value"] == pytest.approx((1000 * cats + 3000 * dogs) / 4000)
    assert weighted["literal"] == pytest.approx(4000 / 4 * (1000 * 11 / 3 + 3000 * 9))
    assert weighted["excluded"] == [{"unit": "birds", "reason": "members_unknown"}]
    assert found["avg_sug"]["generated"]["value"] == pytest.approx((2 / 4 + 0) / 2)
    assert found["weighted_avg_sug"]["generated"]["value"] == pytest.approx(100 * 0.5 / 400)


def test_a_zero_denominator_leaves_the_sums_and_is_listed():
    human = four_metrics(make_posts(), SUGGESTIONS)["avg_react"]["human"]
    assert human["value"] == pytest.approx(0.2)
    assert {"unit": "dogs", "reason": "no_reactions"} in human["excluded"]
    assert {"unit": "birds", "reason": "no_posts"} in human["excluded"]


def test_nothing_left_is_no_number_and_no_pass():
    empty = four_metrics([], [])
    for by_arm in empty.values():
        for row in by_arm.values():
            assert row["value"] is None and row["interval"] is None and row["lower"] is None
            assert row["reason"] == "no_units"
    verdict = pilot(empty, ab_passed=False)
    assert not verdict["document"]["passed"] and not verdict["supported"]["passed"]


def test_silence_is_shown_apart_with_both_bounds():
    row = four_metrics([], SUGGESTIONS)["avg_sug"]["generated"]
    assert row["bounds_censored"] == [pytest.approx(0.25), pytest.approx((3 / 4 + 0) / 2)]
    assert row["value_answered"] == pytest.approx((2 / 3 + 0) / 2)
    assert [unit["censored"] for unit in row["units"]] == [1, 0]


def test_one_channel_interval_is_student():
    shares = np.array([0.6, 0.7, 0.75, 0.9, 0.55])
    rows = [
        post(i, "generated", round(100 * y), round(100 * (1 - y))) for i, y in enumerate(shares)
    ]
    row = four_metrics(read_posts(rows).rows, [])["avg_react"]["generated"]
    student = stats.ttest_1samp(shares, 0).confidence_interval(0.95)
    assert row["interval"] == pytest.approx([student.low, student.high])
    bound = stats.ttest_1samp(shares, 0, alternative="greater").confidence_interval(1 - 0.05 / 4)
    assert row["lower"] <= bound.low
    size = 0.7 * 0.3 / (shares.var(ddof=1) / 5)
    size *= (stats.norm.isf(0.0125) / stats.t.isf(0.0125, 4)) ** 2
    skewed = stats.beta.ppf(0.0125, 0.7 * size, 0.3 * size + 1)
    assert row["lower"] == pytest.approx(min(bound.low, skewed))


def test_the_bound_that_supports_a_claim_holds_where_shares_lean_to_one():
    rng = np.random.default_rng(4)
    truth, missed, student = 0.85, 0, 0
    for _ in range(400):
        shares = rng.beta(3 * truth, 3 * (1 - truth), 10)
        likes = np.round(1000 * shares).astype(int)
        rows = [post(i, "generated", n, 1000 - n, views="") for i, n in enumerate(likes)]
        row = four_metrics(read_posts(rows).rows, [])["avg_react"]["generated"]
        missed += row["lower"] > truth
        error = stats.sem(likes / 1000) * stats.t.isf(0.0125, 9)
        student += likes.mean() / 1000 - error > truth
    assert missed / 400 < 0.045 < student / 400


def test_equal_shares_have_an_honest_interval_not_a_point():
    rows = [post(i, "generated", 9, 1) for i in range(4)]
    row = four_metrics(read_posts(rows).rows, [])["avg_react"]["generated"]
    assert row["method"] == "hoeffding"
    assert row["interval"][0] < 0.3 and row["lower"] < 0.7


def test_one_partner_interval_is_clopper_pearson():
    rows = [s for s in SUGGESTIONS if s.partner == "x"]
    row = four_metrics([], rows)["avg_sug"]["generated"]
    exact = stats.binomtest(2, 4).proportion_ci(0.95, "exact")
    assert row["interval"] == pytest.approx([exact.low, exact.high])


@pytest.mark.parametrize(("k", "n"), [(0, 5), (5, 5), (3, 17), (1, 1)])
def test_clopper_pearson_agrees_with_scipy(k, n):
    exact = stats.binomtest(k, n).proportion_ci(0.95, "exact")
    assert clopper_pearson(k, n) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_both_lines_of_the_pilot_can_differ():
    rows = [post(i, "generated", *c) for i, c in enumerate([(9, 1), (6, 4), (7, 3)])]
    verdict = pilot(four_metrics(read_posts(rows).rows, []), ab_passed=False)
    assert verdict["document"] == {
        "passed": True, "metrics": ["avg_react", "weighted_avg_react"], "ab_passed": False,
    }  # fmt: skip
    assert verdict["supported"] == {"passed": False, "metrics": []}


def test_secondary_metrics_by_hand():
    rows = [post(i, "generated", i, 1, views=100, forwards=2) for i in range(5)]
    rows += [post(i + 5, "human", 10 + i, 1, views=100) for i in range(5)]
    found = secondary(read_posts(rows).rows)
    assert found["generated"]["likes_per_1000_views"] == pytest.approx(1000 * 10 / 500)
    assert found["generated"]["forwards_per_post"] == 2
    assert found["human"]["forwards"] is None
    assert (found["generated"]["top_decile"], found["human"]["top_decile"]) == (0, 0.2)
