"""The verdict: a code, and what we know, how sure, what would change it, what is left.

Every statement is a code with parameters; `experiments.words` says it in Russian and English.
"""

import math
from collections.abc import Sequence
from typing import Any

from experiments.checks import NO_SPREAD
from experiments.signflip import fewest_pairs

SIGMA_ASSUMED = 0.33
Z_POWER = 1.96 + 0.84

CODES = ("better", "not_worse", "worse", "not_yet_clear")


def pairs_needed(sigma: float, effect: float) -> int:
    """(1.96 + 0.84)² σ_d² / δ²: pairs for 80 % power at a two-sided 5 %."""
    return math.ceil(Z_POWER**2 * sigma**2 / effect**2 - 1e-9)


def decide(facts: dict[str, Any]) -> dict[str, Any]:
    """Verdict from the facts of `experiments.analysis` (pairs, effect, looks, intervals, checks).

    better / worse: a registered look crossed its boundary, or, past the plan, the always-valid
    interval excludes zero. not_worse: the lower limit lies above −margin: the one-sided 95 % bound
    at the planned end, the always-valid limit at any other time. Else not_yet_clear.
    """
    complete, effect = facts["pairs"]["complete"], facts["effect"]
    stopped, past = facts["stopped"], facts["past_plan"]
    at_end = facts["looks_taken"] == facts["planned_looks"] and not past
    always = facts["always_valid"]
    margin = facts["margin"]
    code, known = "not_yet_clear", "know_nothing"
    if effect is not None:
        known = "know_effect"
        lower = facts["one_sided"]["lower"] if at_end else always["interval"][0]
        crossed = stopped is not None or (
            past and (always["interval"][0] > 0 or always["interval"][1] < 0)
        )
        direction = stopped["effect"] if stopped else effect
        if crossed:
            code = "better" if direction > 0 else "worse"
        elif lower > -margin:
            code = "not_worse"
    fewest = fewest_pairs(facts["alpha"])
    assumed = complete < fewest or facts["sd"] <= NO_SPREAD
    sigma = SIGMA_ASSUMED if assumed else facts["sd"]
    needed = max(fewest, pairs_needed(sigma, margin))
    still = 0 if code in ("better", "worse") else max(0, needed - complete)
    rate = facts["pairs_per_week"]
    weeks = math.ceil(still / rate) if rate else None
    statements = [_say("known", known, effect=effect, interval=facts["shown_interval"], n=complete)]
    statements += _sureness(code, facts, at_end)
    statements += _changes(code, facts, still)
    statements.append(_left(code, facts, still, weeks, sigma, assumed))
    for item in statements:
        item["params"]["alpha"] = facts["alpha"]
    return {
        "code": code,
        "statements": statements,
        "sd_used": sigma,
        "sd_assumed": assumed,
        "pairs_needed": needed,
        "pairs_still_needed": still,
        "weeks_left": weeks,
        "trusted": not facts["alarms"],
    }


def _say(kind: str, code: str, **params: Any) -> dict[str, Any]:
    return {"kind": kind, "code": code, "params": params}


def _sureness(code: str, facts: dict[str, Any], at_end: bool) -> list[dict[str, Any]]:
    stopped, margin, past = facts["stopped"], facts["margin"], facts["past_plan"]
    complete, planned = facts["pairs"]["complete"], facts["planned_looks"]
    if complete == 0:
        return [_say("sure", "sure_nothing", planned=facts["pairs"]["planned"])]
    said = []
    if stopped:
        said.append(_say("sure", "sure_boundary", look=stopped["look"], planned=planned))
        if stopped["look"] < planned:
            said.append(_say("sure", "sure_stopped_early"))
    elif code in ("better", "worse"):
        said.append(_say("sure", "sure_always_valid", e=facts["always_valid"]["e_value"]))
    elif code == "not_worse":
        name = "sure_margin_end" if at_end else "sure_margin_always"
        lower = facts["one_sided"]["lower"] if at_end else facts["always_valid"]["interval"][0]
        said.append(_say("sure", name, lower=lower, margin=margin))
    else:
        interval = facts["shown_interval"]
        name = "sure_end_uncrossed" if at_end else "sure_before_boundary"
        if interval[0] <= 0 <= interval[1]:
            name = "sure_zero_inside"
        said.append(_say("sure", name, look=facts["looks_taken"], planned=planned))
    fewest = fewest_pairs(facts["alpha"])
    if complete < fewest:
        said.append(_say("sure", "sure_too_few", n=complete, fewest=fewest))
    if past and not stopped:
        said.append(_say("sure", "sure_past_plan", planned=planned))
    return said


def _changes(code: str, facts: dict[str, Any], still: int) -> list[dict[str, Any]]:
    said = []
    if facts["alarms"]:
        said.append(_say("change", "change_alarm", checks=facts["alarms"]))
    if _turned(facts):
        then = facts["stopped"]
        params = {"look": then["look"], "then": then["effect"], "effect": facts["effect"]}
        said.append(_say("change", "change_turned", **params))
    worst = facts["worst_case"]
    if facts["pairs"]["incomplete"] and worst and code in ("better", "not_worse", "worse"):
        floor = 0.0 if code != "not_worse" else -facts["margin"]
        holds = worst[1] < 0 if code == "worse" else worst[0] > floor
        name = "change_worst_holds" if holds else "change_worst_breaks"
        said.append(
            _say("change", name, low=worst[0], high=worst[1], n=facts["pairs"]["incomplete"])
        )
    if code == "not_yet_clear":
        said.append(_say("change", "change_more_pairs" if still else "change_small_effect"))
    elif not facts["alarms"] and not said:
        said.append(_say("change", "change_replication"))
    return said


def _left(
    code: str,
    facts: dict[str, Any],
    still: int,
    weeks: int | None,
    sigma: float,
    assumed: bool,
) -> dict[str, Any]:
    looks_left = max(0, facts["planned_looks"] - facts["looks_taken"])
    if code in ("better", "worse"):
        return _say("left", "left_turned" if _turned(facts) else "left_decided")
    params = {"still": still, "margin": facts["margin"], "looks": looks_left}
    params |= {"sigma": sigma, "assumed": assumed}
    if still == 0:
        return _say("left", "left_looks" if looks_left else "left_enough", **params)
    if weeks is None:
        return _say("left", "left_no_rate", **params)
    name = "left_not_worse" if code == "not_worse" else "left_weeks"
    return _say("left", name, weeks=weeks, **params)


def _turned(facts: dict[str, Any]) -> bool:
    """Whether the pairs since the look that decided have turned the difference round."""
    return facts["stopped"] is not None and facts["stopped"]["effect"] * facts["effect"] < 0


def alarms(checks: Sequence[dict[str, Any]]) -> list[str]:
    return [check["code"] for check in checks if check["status"] == "alarm"]
