"""Suggestion boxes: arms compared within partners, silence counted apart."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import boschloo_exact, chi2, hypergeom, norm

from experiments.data import Suggestion
from experiments.metrics import clopper_pearson

Tables = Sequence[tuple[int, int, int, int]]
"""Strata of (generated accepted, generated not, human accepted, human not)."""


def compare(suggestions: Sequence[Suggestion], *, alpha: float = 0.05) -> dict[str, Any] | None:
    """Stratified comparison of acceptance by arm; None without suggestions.

    Published through the box counts as acceptance; refusal and silence do not (`answered` repeats
    the test over the answered ones alone). The Cochran–Mantel–Haenszel test where its normal
    approximation holds (Mantel & Fleiss 1980), else the exact conditional test over strata; with
    one small partner alone, Boschloo's unconditional test.
    """
    if not suggestions:
        return None
    partners = sorted({item.partner for item in suggestions})
    tables = {name: _table([s for s in suggestions if s.partner == name]) for name in partners}
    answered = [item for item in suggestions if item.accepted is not None]
    seen = [_table([s for s in answered if s.partner == name]) for name in partners]
    return {
        **stratified_test(list(tables.values()), alpha=alpha),
        "answered": stratified_test(seen, alpha=alpha),
        "partners": [_partner(name, suggestions, alpha) for name in partners],
    }


def stratified_test(tables: Tables, *, alpha: float = 0.05) -> dict[str, Any]:
    """{method, p_value, statistic, odds_ratio, odds_interval, risk_difference, strata}."""
    useful = [table for table in tables if _informative(table)]
    result: dict[str, Any] = {
        "method": None,
        "p_value": None,
        "statistic": None,
        "odds_ratio": None,
        "odds_interval": None,
        "risk_difference": _risk_difference(tables),
        "strata": len(useful),
        "reason": None,
    }
    if not useful:
        return result | {"reason": "no_informative_strata"}
    result |= odds_ratio(useful, alpha)
    statistic, p_value = cochran_mantel_haenszel(useful)
    result["statistic"] = statistic
    if large_enough(useful):
        return result | {"method": "cmh", "p_value": p_value}
    if len(useful) == 1 and sum(useful[0]) <= 200:
        a, b, c, d = useful[0]
        exact = boschloo_exact([[a, c], [b, d]])
        return result | {"method": "boschloo", "p_value": float(exact.pvalue)}
    return result | {"method": "exact_stratified", "p_value": exact_stratified(useful)}


def cochran_mantel_haenszel(tables: Tables) -> tuple[float, float]:
    """(χ², p) with one degree of freedom and no continuity correction."""
    difference = variance = 0.0
    for a, b, c, d in tables:
        n, generated, accepted = a + b + c + d, a + b, a + c
        if n < 2:
            continue
        difference += a - generated * accepted / n
        variance += generated * (n - generated) * accepted * (n - accepted) / (n**2 * (n - 1))
    if variance <= 0:
        return 0.0, 1.0
    statistic = difference**2 / variance
    return float(statistic), float(chi2.sf(statistic, 1))


def large_enough(tables: Tables) -> bool:
    """Mantel–Fleiss: Σ expected lies more than 5 from both its extremes."""
    expected = lowest = highest = 0.0
    for a, b, c, d in tables:
        n, generated, accepted = a + b + c + d, a + b, a + c
        expected += generated * accepted / n
        lowest += max(0, generated + accepted - n)
        highest += min(generated, accepted)
    return min(expected - lowest, highest - expected) > 5


def exact_stratified(tables: Tables) -> float:
    """Two-sided exact conditional p: the total of generated acceptances given all margins.

    Its null distribution is the convolution of the strata's hypergeometric ones; outcomes no
    likelier than the observed one count (as R's mantelhaen.test(exact=TRUE)).
    """
    distribution, shift = np.ones(1), 0
    for a, b, c, d in tables:
        n, generated, accepted = a + b + c + d, a + b, a + c
        low, high = max(0, generated + accepted - n), min(generated, accepted)
        mass = hypergeom.pmf(np.arange(low, high + 1), n, accepted, generated)
        distribution, shift = np.convolve(distribution, mass), shift + low
    observed = distribution[sum(table[0] for table in tables) - shift]
    return float(min(1.0, distribution[distribution <= observed * (1 + 1e-7)].sum()))


def odds_ratio(tables: Tables, alpha: float = 0.05) -> dict[str, Any]:
    """Mantel–Haenszel odds ratio, Robins–Breslow–Greenland interval; None where undefined."""
    r = s = pr = ps_qr = qs = 0.0
    for a, b, c, d in tables:
        n = a + b + c + d
        p, q, x, y = (a + d) / n, (b + c) / n, a * d / n, b * c / n
        r, s = r + x, s + y
        pr, ps_qr, qs = pr + p * x, ps_qr + p * y + q * x, qs + q * y
    if r == 0 or s == 0:
        return {"odds_ratio": None, "odds_interval": None}
    error = float(np.sqrt(pr / (2 * r**2) + ps_qr / (2 * r * s) + qs / (2 * s**2)))
    half = float(norm.isf(alpha / 2)) * error
    return {
        "odds_ratio": r / s,
        "odds_interval": [float(r / s * np.exp(-half)), float(r / s * np.exp(half))],
    }


def wilson(successes: int, trials: int, alpha: float = 0.05) -> tuple[float, float]:
    """Wilson's score limits of a proportion; trials ≥ 1."""
    z = float(norm.isf(alpha / 2))
    centre = (successes + z**2 / 2) / (trials + z**2)
    half = (
        z / (trials + z**2) * float(np.sqrt(successes * (trials - successes) / trials + z**2 / 4))
    )
    return max(0.0, centre - half), min(1.0, centre + half)


def _risk_difference(tables: Tables) -> float | None:
    """Mantel–Haenszel weighted difference of acceptance, generated minus human."""
    top = bottom = 0.0
    for a, b, c, d in tables:
        generated, human = a + b, c + d
        if generated and human:
            weight = generated * human / (generated + human)
            top += weight * (a / generated - c / human)
            bottom += weight
    return top / bottom if bottom else None


def _informative(table: tuple[int, int, int, int]) -> bool:
    a, b, c, d = table
    return min(a + b, c + d, a + c, b + d) > 0


def _table(items: Sequence[Suggestion]) -> tuple[int, int, int, int]:
    counts = Counter((item.arm, item.accepted is True) for item in items)
    return (
        counts["generated", True],
        counts["generated", False],
        counts["human", True],
        counts["human", False],
    )


def _partner(name: str, suggestions: Sequence[Suggestion], alpha: float) -> dict[str, Any]:
    mine = [item for item in suggestions if item.partner == name]
    facts: dict[str, Any] = {"partner": name}
    for arm in ("generated", "human"):
        items = [item for item in mine if item.arm == arm]
        accepted = sum(item.accepted is True for item in items)
        silent = sum(item.accepted is None for item in items)
        facts[arm] = {
            "offered": len(items),
            "accepted": accepted,
            "rejected": len(items) - accepted - silent,
            "censored": silent,
            "rate": accepted / len(items) if items else None,
            "wilson": list(wilson(accepted, len(items), alpha)) if items else None,
            "exact": list(clopper_pearson(accepted, len(items), alpha)) if items else None,
            "bounds": (
                [accepted / len(items), (accepted + silent) / len(items)] if items else None
            ),
        }
    return facts
