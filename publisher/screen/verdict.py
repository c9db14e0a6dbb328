"""What the screen answers, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass

REASONS: dict[str, dict[str, str]] = {
    "ok": {"ru": "ничего запретного не найдено", "en": "nothing objectionable found"},
    "death": {"ru": "тема о смерти", "en": "it is about death"},
    "violence": {"ru": "тема о насилии", "en": "it is about violence"},
    "disaster": {"ru": "тема о бедствии или аварии", "en": "it is about a disaster or accident"},
    "war": {"ru": "тема о войне", "en": "it is about war"},
    "illness": {"ru": "тема о болезни", "en": "it is about illness"},
    "children": {"ru": "тема о беде с детьми", "en": "it is about children in trouble"},
    "crime": {"ru": "тема о преступлении", "en": "it is about crime"},
    "terror": {"ru": "тема о терроре", "en": "it is about terror"},
    "suicide": {"ru": "тема о самоубийстве", "en": "it is about suicide"},
    "politics": {
        "ru": "тема об остром политическом конфликте",
        "en": "it is about a heated political conflict",
    },
    "religion": {"ru": "может оскорбить верующих", "en": "it may offend believers"},
    "blocklist": {"ru": "слово из списка владельца", "en": "a word of the owner's blocklist"},
    "doubt": {
        "ru": "похоже на тяжёлую тему: в сомнении не шутим",
        "en": "it resembles a grave subject: in doubt, no joke",
    },
    "slur": {"ru": "оскорбление группы людей", "en": "a slur"},
    "obscenity": {"ru": "нецензурное слово", "en": "an obscenity"},
    "sexual": {"ru": "сексуальное содержание", "en": "sexual content"},
    "personal_data": {"ru": "личные данные", "en": "personal data"},
    "link": {"ru": "ссылка", "en": "a link"},
    "insult": {"ru": "оскорбление человека", "en": "an insult to a person"},
    "threat": {"ru": "угроза", "en": "a threat"},
    "instruction": {
        "ru": "текст пытается командовать моделью",
        "en": "the text tries to instruct the model",
    },
    "unreadable": {"ru": "текст испорчен или спрятан", "en": "the text is broken or hidden"},
    "empty": {"ru": "текста нет", "en": "there is no text"},
}
"""Reason code → explanation by language. The codes are stable: they stand in the ledger."""


@dataclass(frozen=True)
class Verdict:
    """The answer about one topic or caption."""

    ok: bool
    reason: str
    """A key of REASONS; "ok" exactly when `ok`."""
    score: float
    """0 (surely harmless) to 1 (surely not to be used)."""
    terms: tuple[str, ...] = ()
    """The words that decided, as read by the screen."""

    def explain(self, language: str = "ru") -> str:
        """One line for the owner; `language` is "ru" or "en"."""
        text = REASONS[self.reason]["en" if language == "en" else "ru"]
        return f"{text}: {', '.join(self.terms)}" if self.terms else text
