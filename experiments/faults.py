"""What an argument or a saved file is refused for: by code, in Russian and English."""

from collections.abc import Iterable, Mapping
from typing import Any

FAULTS = {
    "least": {"ru": "{name}: нужно не меньше {least}, а не {value}",
              "en": "{name} must be at least {least}, not {value}"},
    "between": {"ru": "{name}: нужно больше {low} и меньше {high}, а не {value}",
                "en": "{name} must lie between {low} and {high}, not {value}"},
    "up_to": {"ru": "{name}: нужно больше {low} и не больше {high}, а не {value}",
              "en": "{name} must be above {low} and at most {high}, not {value}"},
    "from": {"ru": "{name}: нужно не меньше {low} и меньше {high}, а не {value}",
             "en": "{name} must be at least {low} and below {high}, not {value}"},
    "positive": {"ru": "{name}: нужно число больше нуля, а не {value}",
                 "en": "{name} must be a number above zero, not {value}"},
    "effect": {"ru": "effect: нужно от −1 до 1 и не ближе {least} к нулю, а не {value}",
               "en": "effect must lie in (-1, 1), {least} or more from 0, not {value}"},
    "negative": {"ru": "{name}: не может быть отрицательным: {value}",
                 "en": "{name} must not be negative: {value}"},
    "nothing": {"ru": "ни в одном блоке нет вышедших постов обеих сторон: сравнивать нечего",
                "en": "no block has published posts of both arms: nothing to compare"},
    "no_name": {"ru": "у эксперимента нет имени", "en": "experiment has no name"},
    "no_reason": {"ru": "новой версии нужна причина", "en": "a new version needs a reason"},
    "registration": {
        "ru": "{path} — не предрегистрация: {why}; верните её из копии отчётов, а если копии нет, "
              "уберите файл",
        "en": "{path} is no pre-registration: {why}; put it back from a copy of the reports, or, "
              "if there is none, move it away",
    },
    "other_looks": {
        "ru": "сохранённые взгляды — от другого анализа: {what}. Взглянуть заново нельзя: "
              "зарегистрируйте новую версию или возьмите сохранённые значения",
        "en": "the saved looks belong to another analysis: {what}. A look cannot be taken again: "
              "register a new version, or use the saved values",
    },
    "differs": {"ru": "{name}: там {there!r}, здесь {here!r}",
                "en": "{name} is {there!r} there and {here!r} here"},
    "spoiled_looks": {
        "ru": "это не сохранённые взгляды: содержимое испорчено. Верните файл из отчёта за "
              "прошлую неделю",
        "en": "this is no saved state of looks: what it holds is spoiled. Put it back from the "
              "report of the week before",
    },
    "no_looks": {"ru": "{path} — не сохранённые взгляды: {why}",
                 "en": "{path} is no saved state of looks: {why}"},
    "no_folder": {"ru": "папку {path} не создать: {why}",
                  "en": "the folder {path} cannot be made: {why}"},
}  # fmt: skip

Told = tuple[str, Mapping[str, Any]]


class Fault(ValueError):
    """One fault or several, each its code in `FAULTS` and the facts; its own text is English."""

    def __init__(self, *told: Told) -> None:
        super().__init__(*told)
        self.told = told

    def __str__(self) -> str:
        return self.said("en")

    def said(self, language: str) -> str:
        def worded(fact: Any) -> Any:
            return fact.said(language) if isinstance(fact, Fault) else fact

        return "; ".join(
            FAULTS[code][language].format(**{name: worded(fact) for name, fact in facts.items()})
            for code, facts in self.told
        )


def fault(code: str, **facts: Any) -> Fault:
    return Fault((code, facts))


def refuse(checks: Iterable[tuple[bool, str, Mapping[str, Any]]]) -> None:
    """Raises Fault with every check that is wrong: (whether it is, its code, its facts)."""
    told = [(code, facts) for wrong, code, facts in checks if wrong]
    if told:
        raise Fault(*told)
