"""What people do wrong at the command line is told in one sentence, never in a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from publisher.cli import main
from publisher.memes.templates import load_templates
from tests.memes.test_templates_memegen import folder

NOT_HERE = "nothing.toml"


def publisher(*arguments: str, stdin: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, arguments, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


@pytest.mark.parametrize(
    "command",
    [
        ("render", "no_yes", "Созвон", "Письмо"),
        ("templates", "preview"),
        ("meme", "кот", "--mode", "frames"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out.jpg"
    result = publisher(*command, "--config", NOT_HERE, "--out", str(out))
    assert result.exit_code == 1
    assert f"Ошибка: не записать {out}: " in result.output


def test_a_sheet_of_an_unknown_format(tmp_path: Path) -> None:
    out = str(tmp_path / "sheet.xyz")
    result = publisher("templates", "preview", "--config", NOT_HERE, "--out", out)
    assert result.exit_code == 1
    assert "unknown file extension: .xyz" in result.output


def test_preview_leaves_out_what_cannot_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path, "tiny", "text:\n  - {scale_x: 0.01, scale_y: 0.01}")
    folder(tmp_path, "shown", "text:\n  - {}\nexample: [Пример на месте]")
    (tmp_path / "LICENCE").write_text("CC0")
    own = load_templates(tmp_path, default=None)
    assert sorted(own) == ["shown", "tiny"]
    monkeypatch.setattr("publisher.commands.make.load_templates", lambda *dirs: own)
    out = tmp_path / "sheet.png"
    result = publisher("templates", "preview", "--config", NOT_HERE, "--out", str(out))
    assert result.exit_code == 0
    assert "пропущено: шаблон tiny, поле text1" in result.output
    with Image.open(out) as sheet:
        assert sheet.width < 500  # one picture wide


def test_screen_reads_any_bytes_and_line_ends() -> None:
    lines = "\ufeffкот\r\n".encode() + b"\xd2\xff\xfe\n" + "дождь".encode()
    result = publisher("screen", "--kind", "topic", "--json", stdin=lines)
    assert result.exit_code == 0
    texts = [json.loads(line)["text"] for line in result.output.splitlines()]
    assert texts == ["кот", "\ufffd\ufffd\ufffd", "дождь"]


def test_a_topic_with_bytes_that_are_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.memes.make.open_for", lambda work: None)
    topic = os.fsdecode("кот".encode() + b"\xff")
    out = tmp_path / "memes"
    result = publisher(
        "meme", topic, "--mode", "frames", "--count", "1", "--config", NOT_HERE, "--out", str(out)
    )
    assert result.exit_code == 0
    assert len(json.loads((out / "memes.json").read_text(encoding="utf-8"))["chosen"]) == 1


def test_no_sheet_is_named_where_there_is_none(tmp_path: Path) -> None:
    out = tmp_path / "memes"
    result = publisher("meme", "42", "--config", NOT_HERE, "--out", str(out))
    assert result.exit_code == 1
    assert "в теме нет ни слова" in result.output and "sheet.png" not in result.output


def test_a_second_run_takes_the_first_ones_pictures_away_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.memes.make.open_for", lambda work: None)
    out = tmp_path / "memes"
    outside = tmp_path / "outside.jpg"
    run = ("meme", "--mode", "frames", "--config", NOT_HERE, "--out", str(out))
    assert publisher(*run, "кот", "--count", "4").exit_code == 0
    record = json.loads((out / "memes.json").read_text(encoding="utf-8"))
    record["chosen"] += [{"file": name} for name in ("../outside.jpg", "letter.txt", "", None, 7)]
    (out / "memes.json").write_text(json.dumps(record), encoding="utf-8")
    mine = {out / "letter.txt", out / "05-mine.jpg", outside}
    for file in mine:
        file.write_text("mine")
    assert publisher(*run, "дождь", "--count", "2").exit_code == 0
    named = {
        entry["file"]
        for entry in json.loads((out / "memes.json").read_text(encoding="utf-8"))["chosen"]
    }
    there = {file.name for file in out.iterdir()}
    assert there == {*named, "sheet.png", "memes.json", "letter.txt", "05-mine.jpg"}
    assert len(named) == 2 and all(file.read_text() == "mine" for file in mine)
    assert publisher(*run, "42").exit_code == 1
    assert {file.name for file in out.iterdir()} == {"memes.json", "letter.txt", "05-mine.jpg"}


@pytest.mark.parametrize("text", ["", "[]", '{"chosen": 1}', '{"chosen": [1]}', "\ud800"])
def test_a_record_that_cannot_be_read_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr("publisher.memes.make.open_for", lambda work: None)
    (tmp_path / "memes.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    run = ("meme", "кот", "--mode", "frames", "--count", "1", "--config", NOT_HERE)
    assert publisher(*run, "--out", str(tmp_path)).exit_code == 0
    assert len(json.loads((tmp_path / "memes.json").read_text(encoding="utf-8"))["chosen"]) == 1
