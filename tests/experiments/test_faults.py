"""What the commands refuse is told in the language they were asked to speak."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from click.testing import CliRunner

from experiments.cli import main
from experiments.faults import FAULTS, Fault, fault, refuse


def test_every_fault_has_both_languages_with_the_same_facts() -> None:
    for code, texts in FAULTS.items():
        ru, en = (
            {name for _, name, _, _ in string.Formatter().parse(texts[language]) if name}
            for language in ("ru", "en")
        )
        assert ru == en, code


def test_faults_are_told_together_and_within_each_other() -> None:
    inner = fault("differs", name="seed", there=1, here=2)
    both = Fault(("no_name", {}), ("other_looks", {"what": inner}))
    assert str(both).startswith("experiment has no name; the saved looks belong to another")
    assert "seed is 1 there and 2 here" in str(both)
    assert "у эксперимента нет имени" in both.said("ru") and "seed: там 1" in both.said("ru")
    refuse([(False, "no_name", {})])
    with pytest.raises(Fault, match="no name; a new version needs a reason"):
        refuse([(True, "no_name", {}), (True, "no_reason", {})])


@pytest.mark.parametrize(
    ("command", "english", "russian"),
    [
        (["power", "--effect", "0"], "effect must lie in (-1, 1)", "effect: нужно от −1 до 1"),
        (["power", "--power", "2"], "power must be at least 0.5", "power: нужно не меньше 0.5"),
        (["simulate", "--rho", "2"], "rho must lie between 0 and 1", "rho: нужно больше 0"),
        (["simulate", "--runs", "0"], "--runs must be at least 1", "--runs: нужно не меньше 1"),
        (["analyse", "p.csv", "--margin", "2"], "margin must lie", "margin: нужно больше 0"),
        (["analyse", "p.csv", "--state", "bad.json"], "no saved state of looks",
         "не сохранённые взгляды"),
        (["analyse", "p.csv", "--registration", "bad.json"], "is no pre-registration",
         "не предрегистрация"),
    ],
)  # fmt: skip
def test_a_refusal_is_in_the_commands_language(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: list[str],
    english: str,
    russian: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    for language, told in (("en", english), ("ru", russian)):
        result = CliRunner().invoke(main, [*command, "--language", language])
        assert result.exit_code == 2 and told in result.output
