"""Every sentence a report or an error says, by code, in Russian and English.

Numbers are written by the language's own rules; a missing number is a dash, never NaN.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from experiments.labels import FIELDS, LABELS
from experiments.phrases import CHECKS, PROBLEMS, REASONS, REMEDIES, STATEMENTS, VERDICTS
from experiments.tables import Problem

LANGUAGES = ("ru", "en")
DASH = "—"
_POINT_FIELDS = frozenset({"effect", "lower", "low", "high", "margin", "sigma"})
_ASSUMED = {"ru": "предположен", "en": "assumed"}


def number(value: float | None, language: str, digits: int = 2) -> str:
    """1234.5 → «1 234,5» or "1,234.5"; None → a dash."""
    if value is None:
        return DASH
    text = f"{value:,.{digits}f}"
    if float(value) < 0:
        text = "−" + text.lstrip("-")
    if not text.strip("−0.,"):
        text = text.lstrip("−")
    if language == "ru":
        return text.replace(",", "\u202f").replace(".", ",")
    return text


def points(value: float | None, language: str, *, sign: bool = False) -> str:
    """A difference of shares in percentage points: 0.051 → «+5,1 п. п.»."""
    if value is None:
        return DASH
    plus = "+" if sign and round(100 * value, 1) > 0 else ""
    unit = "п.\u00a0п." if language == "ru" else "pp"
    return f"{plus}{number(100 * value, language, 1)}\u00a0{unit}"


def span(interval: Any, language: str) -> str:
    """An interval of a difference in percentage points; no shares differ by more than 100, whatever
    a t-interval of few channels says."""
    if interval is None:
        return DASH
    low, high = (number(100 * min(1.0, max(-1.0, end)), language, 1) for end in interval)
    join, unit = ("…", "п.\u00a0п.") if language == "ru" else (" to ", "pp")
    return f"{low}{join}{high}\u00a0{unit}"


def percent(value: float | None, language: str, digits: int = 1) -> str:
    gap = "\u00a0" if language == "ru" else ""
    return DASH if value is None else f"{number(100 * value, language, digits)}{gap}%"


def p_value(value: float | None, language: str) -> str:
    if value is None:
        return DASH
    if value < 0.0001:
        return "< " + number(0.0001, language, 4)
    return number(value, language, 4 if value < 0.1 else 2)


def levels(alpha: float, language: str) -> dict[str, str]:
    """How the level is written: of an interval, of false alarms, and of the e-value."""

    def share(value: float) -> str:
        return percent(value, language, 0 if abs(100 * value - round(100 * value)) < 1e-9 else 1)

    return {
        "level": share(1 - alpha),
        "false_alarms": share(alpha),
        "threshold": number(1 / alpha, language, 0),
    }


def labels(language: str, alpha: float) -> dict[str, str]:
    """`experiments.labels.LABELS` in one language and at one level."""
    return {key: at_level(texts[language], language, alpha) for key, texts in LABELS.items()}


def at_level(text: str, language: str, alpha: float) -> str:
    for name, value in levels(alpha, language).items():
        text = text.replace("{" + name + "}", value)
    return text


def field_change(name: str, values: Sequence[Any], language: str) -> str:
    """A registered fact that was changed: «граница «не хуже» 0,05 → 0,08»."""
    old, new = (
        str(value).replace(".", ",") if language == "ru" and isinstance(value, float) else value
        for value in values
    )
    return f"{FIELDS[name][language]} {old} → {new}"


def verdict_title(code: str, language: str) -> str:
    return VERDICTS[code][language]


def statement(facts: Mapping[str, Any], language: str) -> str:
    """A statement of the verdict, in words."""
    said = STATEMENTS[facts["code"]][language].format(**_written(facts["params"], language))
    return said.replace("п..", "п.")


def verdict_lines(verdict: Mapping[str, Any], language: str) -> list[str]:
    """Title, then every statement."""
    return [
        verdict_title(verdict["code"], language),
        *(statement(item, language) for item in verdict["statements"]),
    ]


def reason(code: str | None, language: str) -> str:
    return REASONS.get(code or "", {}).get(language, code or DASH)


def check_name(code: str, language: str) -> str:
    return CHECKS[code][language]


def problem_text(facts: Mapping[str, Any], language: str) -> str:
    """Where, what, and what to do: one line."""
    rows = list(facts["rows"])
    where = ""
    if rows:
        shown = ", ".join(map(str, rows[:8])) + (f", … ({len(rows)})" if len(rows) > 8 else "")
        one = len(rows) == 1
        word = {"ru": "строка" if one else "строки", "en": "row" if one else "rows"}[language]
        where = f"{word} {shown}: "
    params = {
        name: number(value, language, 0) if isinstance(value, float) else value
        for name, value in facts["params"].items()
    }
    what = PROBLEMS[facts["code"]][language].format(**params)
    return f"{where}{what} {REMEDIES[facts['code']][language].format(**params)}"


def problem_facts(problem: Problem) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "code": problem.code,
        "severity": problem.severity,
        "rows": list(problem.rows),
        "params": dict(problem.params),
    }
    return facts | {"text": {lang: problem_text(facts, lang) for lang in LANGUAGES}}


def _written(params: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Parameters as text: shares in points, intervals as spans, lists of checks by name."""
    written: dict[str, Any] = levels(params["alpha"], language) if "alpha" in params else {}
    for name, value in params.items():
        if name == "interval":
            written[name] = span(value, language)
        elif name == "checks":
            written[name] = ", ".join(check_name(code, language) for code in value)
        elif name in ("effect", "then"):
            written[name] = points(value, language, sign=True)
        elif name in _POINT_FIELDS:
            written[name] = points(value, language)
        elif isinstance(value, float):
            written[name] = number(value, language, 1)
        else:
            written[name] = DASH if value is None else value
    if params.get("assumed"):
        written["sigma"] = f"{written['sigma']}, {_ASSUMED[language]}"
    return written
