"""Every sentence of the code has its Russian, and both survive what sentences go through."""

from __future__ import annotations

import ast
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.sentences import (
    Sentence,
    in_language,
    is_worded,
    joined,
    recalled,
    russian,
    sentence_of,
    words,
)
from publisher.wording import say_of

ROOT = Path(__file__).parents[1]
SOURCES = [*ROOT.glob("publisher/**/*.py"), *ROOT.glob("jobs/**/*.py")]
FACTS_KEPT = "at most {most} here"


def said_in(source: Path) -> Iterator[tuple[int, str, set[str] | None]]:
    """Line, template and the names of the facts of each `words(…)` or `phrase(…)`."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if not any(node.module == "publisher.sentences" for node in imports):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id not in ("words", "phrase") or not node.args:
            continue
        template = node.args[0]
        if isinstance(template, ast.Constant) and isinstance(template.value, str):
            named = {keyword.arg for keyword in node.keywords}
            facts = None if None in named or node.func.id == "phrase" else named
            yield node.lineno, template.value, facts  # type: ignore[misc]
        else:
            # A sentence put together before it is translated never meets its translation.
            assert not isinstance(template, ast.JoinedStr | ast.BinOp), f"{source}:{node.lineno}"


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


USED = [
    (f"{source.relative_to(ROOT)}:{line}", template, facts)
    for source in SOURCES
    for line, template, facts in said_in(source)
]
PLAIN = re.compile(r"[\W\d_]*(\{[^}]*\}[\W\d_]*)*")
"""Nothing but placeholders and signs: the same in every language."""


def test_every_sentence_has_a_russian_text_with_the_same_placeholders() -> None:
    assert len(USED) > 100
    table = russian()
    for where, template, facts in USED:
        if facts is not None:
            assert placeholders(template) == facts, where
        if PLAIN.fullmatch(template):
            continue
        assert template in table, f"{where}: {template}"
        assert placeholders(table[template]) == placeholders(template), where


def test_no_translation_is_left_over() -> None:
    assert set(russian()) - {template for _, template, _ in USED} == set()


def test_what_is_russian_is_russian() -> None:
    for english, text in russian().items():
        assert re.search("[а-яё]", text), english
        assert '"' not in re.sub(r'"(https…|@name|…)"|= "[^"]*"', "", text), text


def test_a_sentence_is_english_text_that_is_said_in_russian_too() -> None:
    fault = ValueError(words("there is no token"))
    said = words("{wanted}; got {got}", wanted=words("is missing"), got=5)
    assert said == "is missing; got 5" and str(fault) == "there is no token"
    assert in_language(said, "ru") == "не хватает; здесь 5"
    assert in_language(said, "en") == "is missing; got 5"
    assert in_language(joined(": ", [Path("a.toml"), fault]), "ru") == "a.toml: нет токена"
    assert in_language(OSError("what the system says"), "ru") == "what the system says"
    assert is_worded(fault) and not is_worded(ValueError("there is no token"))


@given(st.text(), st.integers(), st.text())
def test_a_sentence_survives_another_process_whatever_its_facts(
    one: str, two: int, three: str
) -> None:
    inner = words("{wanted}; got {got}", wanted=three, got=ValueError(one))
    sentence = joined("; ", [inner, two, one])
    again = pickle.loads(pickle.dumps(ValueError(sentence)))
    assert sentence_of(again) == sentence == f"{three}; got {one}; {two}; {one}"
    assert in_language(again, "ru") == f"{three}; здесь {one}; {two}; {one}"
    assert isinstance(sentence_of(again), Sentence)


def test_a_missing_fact_is_told_where_the_sentence_is_made() -> None:
    with pytest.raises(KeyError):
        words(FACTS_KEPT)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ("to be compared with its history", "будет сверен со своей историей"),
        ("make_memes: ended by SIGKILL (exit -9)", "make_memes: убит сигналом SIGKILL (код -9)"),
        (
            "SignInError: account «user» is not signed in; run: publisher login",
            "SignInError: аккаунт «user» не вошёл; выполните: publisher login",
        ),
        ("FLOOD_WAIT_30", "FLOOD_WAIT_30"),
        ("made 2, retired 0; out of memory", "сделано 2, снято устаревших 0; не хватило памяти"),
        (
            "what became of it could not be seen: pace: not before 2026-03-02 12:00:00 UTC",
            "не удалось узнать, что с ним стало: соблюдаю темп: не раньше 2026-03-02 12:00:00 UTC",
        ),
        ("TypeError: what a library says", "TypeError: what a library says"),
    ],
)
def test_what_the_ledger_kept_in_english_is_said_in_russian(kept: str, said: str) -> None:
    assert recalled(kept) == kept and in_language(recalled(kept), "en") == kept
    assert in_language(recalled(kept), "ru") == said
    facts = {"job": "generate", "reason": kept}
    assert say_of("job_failing", "ru", facts).endswith(f"три раза подряд: {said}")
    assert say_of("job_failing", "en", facts).endswith(f"three times in a row: {kept}")


@given(st.text())
def test_any_text_that_is_not_ours_stays_as_it_is(text: str) -> None:
    assert recalled(text) == text == in_language(recalled(text), "en")
