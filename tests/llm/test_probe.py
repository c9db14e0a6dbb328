from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.llm import Completion, Model, ModelError, embedded_model_path, probe
from publisher.llm.probing import _obedient, _verdict, _well_formed


def done(text: str, finish: str = "stop") -> Completion:
    return Completion(text, 5, -5.0, finish)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "language", "well", "obedient"),
    [
        ("лечь спать | смотреть ролики", "ru", True, True),
        ("going to bed | watching octopuses", "en", True, True),
        ("going to bed | watching octopuses", "ru", False, False),
        ("лечь спать и смотреть ролики", "ru", True, False),
        ("варкалось хливкие | шорьки пырялись", "ru", False, True),
        ("да да да да | нет нет нет", "ru", False, True),
        ("писать отчёт | двигать окно туда-сюда", "ru", False, True),
        ("", "ru", False, False),
    ],
)
def test_drafts_are_judged(text: str, language: str, well: bool, obedient: bool) -> None:
    assert _well_formed(done(text), language) is well
    assert _obedient(done(text), language) is obedient
    assert not _well_formed(done(text, "length"), language)
    assert not _obedient(done(text, "budget"), language)


class Known:
    """A model of which only kind and size are asked."""

    def __init__(self, kind: str, parameters: float) -> None:
        self.kind, self.parameters = kind, parameters


@pytest.mark.parametrize(
    ("kind", "parameters", "shares", "mode"),
    [
        ("instruct", 1.5e9, (0.9, 0.9, 0.9), "free"),
        ("instruct", 1.5e9, (0.9, 0.3, 0.9), "frames"),
        ("instruct", 1.5e9, (0.3, 0.9, 0.9), "frames"),
        ("instruct", 7e9, (0.9, 0.9, 0.5), "frames"),
        ("instruct", 0.3e9, (1.0, 1.0, 1.0), "frames"),
        ("base", 0.27e9, (1.0, 1.0, 1.0), "frames"),
        ("base", 7e9, (0.9, 0.9, 0.9), "free"),
    ],
)
def test_verdict(
    kind: str, parameters: float, shares: tuple[float, float, float], mode: str
) -> None:
    given, reason = _verdict(Known(kind, parameters), *shares)  # type: ignore[arg-type]
    assert given == mode
    assert reason


def test_the_answer_is_kept_and_read_back(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: model)
    first = probe(cache=tmp_path, budget_s=2)
    assert (first.mode, first.kind) == ("frames", "base")
    (kept,) = tmp_path.iterdir()
    assert json.loads(kept.read_text())["mode"] == "frames"
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: pytest.fail("asked again"))
    assert probe(embedded_model_path(), cache=tmp_path) == first


def test_a_kept_answer_that_cannot_be_read_is_made_anew(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: model)
    probe(cache=tmp_path, budget_s=0)
    (kept,) = tmp_path.iterdir()
    kept.write_text("{")
    assert probe(cache=tmp_path, budget_s=0).well_formed == 0
    assert json.loads(kept.read_text())["kind"] == "base"


def test_a_file_that_is_no_model(gguf_file: Callable[[bytes], Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a GGUF"):
        probe(gguf_file(b"nothing"), cache=tmp_path)
