import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments import words
from experiments.analysis import analyse
from experiments.design import coin, other
from experiments.model import Model, post_rows
from tests.experiments.builders import START, pairs, post

SMALL = pairs(
    [((8, 2), (5, 5)), ((6, 4), (3, 7)), ((9, 1), (4, 6)), ((7, 3), (8, 2)), ((5, 5), (4, 6)),
     ((9, 1), (2, 8)), ((10, 0), (6, 4))]
)  # fmt: skip
DIFFERENCES = np.array([0.3, 0.3, 0.5, -0.1, 0.1, 0.7, 0.4])
EIGHT = tuple(str(week) for week in range(1, 9))


def many(effect: float, n: int, weeks: int = 8, seed: int = 0) -> list[dict]:
    rng = np.random.default_rng(seed)
    counts = []
    for _ in range(n):
        human, generated = np.clip(rng.normal([0.5, 0.5 + effect], 0.1), 0, 1)
        counts.append(tuple((round(1000 * y), 1000 - round(1000 * y)) for y in (generated, human)))
    return [row | {"views": 5000} for row in pairs(counts, [str(w) for w in range(1, weeks + 1)])]


def test_known_answer_exactly():
    """Seven differences by hand: 2^7 signs, two-sided; the interval by order statistics."""
    facts = analyse(SMALL).facts
    assert facts["pairs"] | {"lost_by_arm": 0} == {
        "planned": 7, "registered": None, "horizon": 56, "complete": 7, "incomplete": 0,
        "pending": 0, "invalid": 0, "lost_by_arm": 0,
    }  # fmt: skip
    assert facts["effect"] == pytest.approx(DIFFERENCES.mean(), abs=1e-12)
    reference = stats.permutation_test(
        (DIFFERENCES,), np.sum, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert facts["p_value"] == pytest.approx(reference.pvalue, abs=1e-12)
    assert facts["method"] == "sign_flip_exact"
    signs = 1 - 2 * ((np.arange(128)[:, None] >> np.arange(7)) & 1)

    def p_at(delta: float) -> float:
        d = DIFFERENCES - delta
        return float(np.mean(np.abs(signs @ d) >= abs(d.sum()) - 1e-12))

    low, high = facts["interval"]
    assert p_at(low - 1e-6) <= 0.05 < p_at(low + 1e-6)
    assert p_at(high + 1e-6) <= 0.05 < p_at(high - 1e-6)


def test_json_has_what_the_schema_promises():
    facts = json.loads(json.dumps(analyse(SMALL).facts, allow_nan=False))
    assert {"planned", "complete"} <= facts["pairs"].keys()
    assert {"look", "pairs", "alpha_spent", "rejected"} <= facts["looks"][0].keys()
    assert len(facts["always_valid"]["interval"]) == 2
    for name in ("avg_react", "weighted_avg_react", "avg_sug", "weighted_avg_sug"):
        for arm in ("generated", "human"):
            row = facts["metrics"][name][arm]
            assert {"value", "literal", "interval", "n", "excluded"} <= row.keys()
    assert facts["verdict"]["code"] == "not_yet_clear"
    assert {check["code"] for check in facts["checks"]} >= {"coins", "attrition", "novelty"}


@pytest.mark.parametrize(
    ("effect", "n", "code"),
    [
        (0.25, 80, "better"),
        (-0.25, 80, "worse"),
        (0.0, 400, "not_worse"),
    ],
)
def test_verdict_follows_the_truth(effect, n, code):
    found = analyse(many(effect, n))
    assert found.code == code
    for language in words.LANGUAGES:
        text = " ".join(found.facts["verdict"]["text"][language])
        assert "nan" not in text.lower() and "None" not in text and "{" not in text


def test_an_early_stop_hides_the_plain_interval():
    facts = analyse(many(0.25, 80)).facts
    assert facts["stopped"]["look"] < 8
    assert facts["interval_method"] == facts["shown_interval_method"] == "always_valid"
    assert facts["interval"] == facts["always_valid"]["interval"]
    codes = [item["code"] for item in facts["verdict"]["statements"]]
    assert "sure_stopped_early" in codes and "left_decided" in codes


def test_past_the_plan_only_the_always_valid_interval_decides():
    facts = analyse(many(0.0, 60, weeks=10), planned_weeks=6).facts
    assert facts["past_plan"] and len(facts["looks"]) == 6
    assert facts["interval_method"] == "always_valid"
    strong = analyse(many(0.02, 400, weeks=10, seed=3), planned_weeks=2).facts
    assert strong["verdict"]["code"] in ("better", "not_worse")


def test_between_looks_the_shown_interval_is_the_always_valid_one():
    facts = analyse(many(0.05, 40, weeks=3)).facts
    assert facts["looks_taken"] == 3
    assert facts["interval_method"] == "sign_flip"
    assert facts["shown_interval"] == facts["always_valid"]["interval"]


def test_incomplete_pairs_are_counted_by_arm_with_bounds_beside():
    rows = [
        *SMALL,
        post(20, "generated", 7, 3),
        post(20, "human", "", "", status="expired"),
        post(21, "generated", 0, 0),
        post(21, "human", 5, 5),
        post(22, "generated", 3, 1),
    ]
    facts = analyse(rows).facts
    assert facts["pairs"]["complete"] == 7 and facts["pairs"]["incomplete"] == 3
    assert facts["pairs"]["lost_by_arm"] == {"generated": 1, "human": 2}
    low = (DIFFERENCES.sum() + (0.7 - 1) + (0 - 0.5) + (0.75 - 1)) / 10
    high = (DIFFERENCES.sum() + 0.7 + (1 - 0.5) + 0.75) / 10
    assert facts["worst_case"] == [pytest.approx(low), pytest.approx(high)]
    reasons = {item["post_id"]: item["reason"] for item in facts["exclusions"]}
    assert reasons == {
        "20g": "twin_missing", "20h": "expired", "21g": "no_reactions", "21h": "twin_missing",
        "22g": "twin_missing",
    }  # fmt: skip


def test_what_is_still_to_come_is_pending_and_not_lost():
    now = datetime(2026, 9, 20, tzinfo=UTC)
    fresh = (now - timedelta(hours=10)).isoformat()
    old = (now - timedelta(hours=100)).isoformat()
    rows = [
        *SMALL,
        post(20, "generated", "", "", slot_utc=fresh),
        post(20, "human", 5, 5, slot_utc=old),
        post(21, "generated", "", "", slot_utc=old),
        post(21, "human", "", "", status="planned", slot_utc=old),
    ]
    facts = analyse(rows, as_of=now).facts
    assert (facts["pairs"]["pending"], facts["pairs"]["incomplete"]) == (1, 1)
    reasons = {item["post_id"]: item["reason"] for item in facts["exclusions"]}
    assert (reasons["21g"], reasons["21h"]) == ("no_snapshot", "stuck")


def test_a_week_that_is_not_over_is_no_look_yet():
    rows = list(post_rows(Model(channels=1, weeks=3), seed=1))
    during = analyse(rows, as_of=datetime(2026, 9, 24, tzinfo=UTC)).facts
    assert [look["look"] for look in during["looks"]] == [1, 2]
    assert during["pairs"]["complete"] == 21


def test_a_week_without_posts_is_a_look_by_the_calendar():
    rows = [
        row | {"week": "2026-W40" if row["week"] == "2" else "2026-W37"} for row in many(0, 20, 2)
    ]
    facts = analyse(rows).facts
    assert [look["look"] for look in facts["looks"]] == [1, 2, 3, 4]
    assert [look["pairs"] for look in facts["looks"]] == [10, 10, 10, 20]


def test_week_numbers_that_turn_with_the_year_go_by_time():
    names = {"1": "51", "2": "52", "3": "1", "4": "2"}
    rows = [row | {"week": names[row["week"]]} for row in many(0, 20, 4)]
    looks = analyse(rows).facts["looks"]
    assert [(look["look"], look["pairs"]) for look in looks] == [(1, 5), (2, 10), (3, 15), (4, 20)]


def test_a_pair_dropped_whole_is_lost_by_both_arms_and_still_assigned():
    rows = pairs([((8, 2), (5, 5))] * 20)
    gone = {"status": "dropped", "likes": "", "dislikes": "", "views": "", "window_h": ""}
    for number in (0, 2, 4, 6, 7):
        rows[number] |= gone
    facts = analyse(rows).facts
    assert not facts["problems"]
    assert (facts["pairs"]["incomplete"], facts["pairs"]["invalid"]) == (4, 0)
    checks = {check["code"]: check for check in facts["checks"]}
    assert (checks["split"]["generated"], checks["split"]["human"]) == (20, 20)
    assert checks["attrition"]["lost"] == {"generated": 4, "human": 1}


def test_attrition_that_depends_on_the_arm_raises_the_alarm():
    rows = many(0.2, 60)
    lost = [
        row | {"status": "failed", "likes": "", "dislikes": ""}
        if row["arm"] == "generated" and i < 40
        else row
        for i, row in enumerate(rows)
    ]
    facts = analyse(lost).facts
    assert facts["alarms"] == ["attrition"]
    assert not facts["verdict"]["trusted"]
    assert any(item["code"] == "change_alarm" for item in facts["verdict"]["statements"])


def test_coins_are_re_derived_when_the_secret_is_known():
    rows = []
    for pair in range(30):
        first = coin(b"s3cret", "autumn", f"p{pair}")
        for position, arm in enumerate((first, other(first))):
            at = (START + timedelta(days=2 * pair + position)).isoformat()
            rows.append(post(pair, arm, 5 + pair % 3, 4, slot_utc=at))
    honest = analyse(rows, experiment="autumn", secret=b"s3cret").facts
    assert honest["checks"][0] == {"code": "coins", "status": "ok", "checked": 30, "mismatches": []}
    forged = analyse(rows, experiment="autumn", secret=b"another").facts
    assert forged["checks"][0]["status"] == "alarm" and "coins" in forged["alarms"]


def test_new_channels_get_a_t_test_on_channel_means():
    rows = []
    for number, effect in enumerate((2, 1, 0)):
        rows += [
            row | {"channel": f"c{number}", "pair_id": f"{number}/{row['pair_id']}",
                   "post_id": f"{number}/{row['post_id']}"}
            for row in pairs([((5 + effect, 5 - effect), (5, 5))] * 3)
        ]  # fmt: skip
    facts = analyse(rows).facts["new_channels"]
    student = stats.ttest_1samp([0.2, 0.1, 0.0], 0)
    assert facts["p_value"] == pytest.approx(student.pvalue)
    assert facts["interval"] == pytest.approx(list(student.confidence_interval()))
    assert analyse(SMALL).facts["new_channels"]["reason"] == "fewer_than_two_channels"


def test_pairs_still_needed_is_the_registered_formula():
    facts = analyse(many(0.0, 30)).facts
    needed = int(np.ceil(2.8**2 * facts["sd"] ** 2 / 0.05**2))
    assert facts["verdict"]["pairs_needed"] == needed
    assert facts["verdict"]["pairs_still_needed"] == max(0, needed - 30)


def test_no_posts_at_all_is_a_sensible_answer():
    facts = analyse([]).facts
    assert facts["verdict"]["code"] == "not_yet_clear"
    assert facts["effect"] is None and facts["looks"] == []
    assert facts["verdict"]["weeks_left"] is None


@pytest.mark.parametrize("wrong", [{"planned_weeks": 0}, {"margin": 0}, {"alpha": 0.9}, {"B": 10}])
def test_impossible_arguments_are_refused(wrong):
    with pytest.raises(ValueError, match=r"must|needed"):
        analyse(SMALL, **wrong)


def test_last_weeks_state_and_a_fresh_run_agree():
    rows = many(0.06, 64)
    state = None
    for week in range(1, 9):
        seen = [row for row in rows if int(row["week"]) <= week]
        found = analyse(seen, state=state)
        state = found.looks_state
    assert found.facts == analyse(rows).facts


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.tuples(st.integers(0, 6), st.integers(0, 6)),
            st.tuples(st.integers(0, 6), st.integers(0, 6)),
        ),
        max_size=25,
    ),
    st.integers(1, 9),
)
def test_any_counts_give_finite_facts_and_words(counts, planned):
    found = analyse(pairs(counts, EIGHT), planned_weeks=planned, B=199)
    json.dumps(found.facts, allow_nan=False)
    complete = sum(sum(g) > 0 and sum(h) > 0 for g, h in counts)
    assert found.facts["pairs"]["complete"] == complete
    if complete:
        low, high = found.facts["interval"]
        assert (
            -1 <= low <= found.facts["effect"] + 1e-9 and found.facts["effect"] - 1e-9 <= high <= 1
        )
    for language in words.LANGUAGES:
        assert all("{" not in line for line in found.facts["verdict"]["text"][language])


def test_swapping_the_arms_mirrors_the_analysis():
    rows = many(0.1, 40)
    swapped = [row | {"arm": other(row["arm"])} for row in rows]
    one, two = analyse(rows).facts, analyse(swapped).facts
    assert two["effect"] == pytest.approx(-one["effect"])
    assert two["p_value"] == one["p_value"]
    assert [-end for end in reversed(two["interval"])] == pytest.approx(one["interval"], abs=1e-9)


def test_labels_of_two_kinds_go_by_time_as_the_note_says():
    rows = pairs([((5, 5), (4, 6))] * 6, ("1", "2", "2026-W38"))
    facts = analyse(rows).facts
    assert [(look["look"], look["pairs"]) for look in facts["looks"]] == [(1, 2), (2, 4), (3, 6)]
    assert not facts["past_plan"]


def test_a_look_recorded_beyond_all_weeks_hides_no_pair():
    rows = [
        row | {"look": "99" if row["pair_id"] == "p0" else ""} for row in many(0.0, 12, weeks=2)
    ]
    facts = analyse(rows).facts
    assert facts["looks"][-1]["pairs"] == 12
    assert sum(week["pairs"] for week in facts["weeks"]) == 12


def said(facts) -> dict[str, str]:
    return {item["code"]: item["kind"] for item in facts["verdict"]["statements"]}


def test_few_pairs_are_never_enough_whatever_their_spread():
    """Two alike differences have hardly a spread, and tell nothing."""
    for differences in ([((51, 49), (50, 50)), ((52, 48), (50, 50))], [((9, 1), (1, 9))] * 4):
        facts = analyse(pairs(differences)).facts
        assert facts["verdict"]["sd_assumed"] and facts["verdict"]["pairs_needed"] == 342
        assert "left_weeks" in said(facts)
    for language, word in (("ru", "предположен"), ("en", "assumed")):
        assert word in facts["verdict"]["text"][language][-1]
    even = analyse(pairs([((9, 1), (1, 9))] * 7)).facts
    assert even["verdict"]["sd_assumed"]


def test_a_decision_that_later_pairs_turn_against_is_not_left_uncommented():
    rows = pairs([((9, 1), (1, 9))] * 20 + [((1, 9), (9, 1))] * 36, EIGHT)
    facts = analyse(rows).facts
    assert facts["verdict"]["code"] == "better" and facts["effect"] < 0
    assert said(facts)["change_turned"] == "change" and "left_turned" in said(facts)
    assert "left_decided" not in said(facts)
    text = " ".join(facts["verdict"]["text"]["en"]).replace("\u00a0", " ")
    assert "+72.4 pp at look 3" in text and "−22.9 pp" in text


def test_zero_outside_at_the_last_look_without_a_crossing_is_not_too_early():
    """Earlier looks spent a part of the level: the plain p is below it, the plan decides not."""
    rng = np.random.default_rng(61)
    share = np.clip(rng.normal(0.0, 0.3, 56) + 0.082, -1, 1)
    worse = pairs([((500, 500), (500 + int(500 * d), 500 - int(500 * d))) for d in share], EIGHT)
    facts = analyse(worse).facts
    assert facts["p_value"] < 0.05 and not facts["looks"][-1]["rejected"]
    assert facts["verdict"]["code"] == "not_yet_clear"
    assert "sure_end_uncrossed" in said(facts) and "sure_before_boundary" not in said(facts)


def offer(number: int, **changes: object) -> dict[str, object]:
    return {
        "submission_id": number, "partner": "@x", "members": 10,
        "arm": ("generated", "human")[number % 2], "accepted": "1" if number % 3 else "",
    } | changes  # fmt: skip


def test_offers_outside_the_comparison_are_counted_and_pending_ones_are_no_silence():
    offers = [offer(number, chosen_by="thompson") for number in range(4)]
    offers += [offer(number, chosen_by=" Random ") for number in range(4, 10)]
    offers += [offer(number, accepted="", outcome="pending") for number in range(10, 13)]
    facts = analyse(SMALL, offers).facts
    assert facts["offers"] == {"read": 13, "pending": 3, "not_random": 4}
    partner = facts["boxes"]["partners"][0]
    assert sum(partner[arm]["offered"] for arm in ("generated", "human")) == 6
    metric = facts["metrics"]["avg_sug"]
    assert sum(metric[arm]["posts"] for arm in ("generated", "human")) == 10


def test_no_interval_is_shown_beyond_what_shares_can_differ() -> None:
    assert words.span((-0.526, 1.333), "en") == "−52.6 to 100.0\u00a0pp"
    assert words.span((-1.2, 0.5), "ru") == "−100,0…50,0\u00a0п.\u00a0п."
