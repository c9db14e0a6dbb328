from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from publisher.llm import Completion, Model, ModelError, probe, way_to_captions
from publisher.llm.probing import _answers, _obedient, _verdict, _well_formed


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


class Writer:
    """An instruct model of a good size that answers everything alike, or nothing in time."""

    name, kind, parameters = "writer", "instruct", 1_500_000_000

    def __init__(self, path: Path, answer: str = "лечь спать | смотреть ролики") -> None:
        path.write_bytes(b"GGUF" + answer.encode())
        self.path, self.answer, self.asked = path, answer, 0

    def loglikelihood(self, prompt: str, texts: list[str]) -> list[tuple[float, int]]:
        return [(-1.0, 1), (-2.0, 1)]

    def chat(self, messages: list[dict[str, str]]) -> str:
        return messages[-1]["content"]

    def complete(self, prompt: str, *, n: int, budget_s: float, **_: object) -> list[Completion]:
        self.asked += 1
        english = prompt.isascii() or "“" in prompt
        answer = "going to bed | watching octopuses" if english else self.answer
        return [done(answer, "stop" if budget_s > 1 else "budget")] * n


def test_the_answer_is_kept_and_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer, cache = Writer(tmp_path / "writer.gguf"), tmp_path / "cache"
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: writer)
    first = probe(writer.path, cache)
    assert (first.mode, first.in_time, writer.asked) == ("free", True, 4)
    (kept,) = cache.iterdir()
    assert json.loads(kept.read_text())["mode"] == "free"
    assert probe(writer.path, cache) == first and writer.asked == 4
    assert probe(writer.path, cache, anew=True).mode == "free" and writer.asked == 8
    kept.write_text("{")
    assert probe(writer.path, cache).mode == "free" and writer.asked == 12


def test_another_file_in_the_same_place_is_probed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cache = tmp_path / "writer.gguf", tmp_path / "cache"
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: Writer(path))
    assert probe(path.with_name(Writer(path).path.name), cache).mode == "free"
    stat = path.stat()
    bad = Writer(path, "шорьки хливкие | варкалось у")  # as long, of the same time
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: bad)
    assert probe(path, cache).well_formed < 0.6


def test_a_probe_cut_short_says_so_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, cache = Writer(tmp_path / "writer.gguf"), tmp_path / "cache"
    monkeypatch.setattr("publisher.llm.probing.open_model", lambda path: writer)
    cut = probe(writer.path, cache, budget_s=0.5)
    assert (cut.mode, cut.in_time) == ("frames", False)
    assert cut.reason.startswith("too slow now: 0 of 32 drafts")
    assert not cache.exists()
    assert probe(writer.path, cache).mode == "free"


def test_the_way_is_told_by_the_header_or_probed_once(tmp_path: Path, model: Model) -> None:
    told: list[int] = []

    def tell() -> None:
        told.append(1)

    assert way_to_captions(model, tmp_path / "cache", tell=tell)[0] == "frames"
    assert told == [] and not (tmp_path / "cache").exists()
    writer = Writer(tmp_path / "writer.gguf")
    for _ in range(2):
        mode, reason = way_to_captions(writer, tmp_path / "cache", tell=tell)  # type: ignore[arg-type]
        assert mode == "free" and "well-formed 100%" in reason
    assert told == [1] and writer.asked == 4
    _answers.clear()
    assert way_to_captions(writer, tmp_path / "cache", tell=tell)[0] == "free"  # type: ignore[arg-type]
    assert told == [1] and writer.asked == 4


def test_a_file_that_is_no_model(gguf_file: Callable[[bytes], Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a GGUF"):
        probe(gguf_file(b"nothing"), cache=tmp_path)
