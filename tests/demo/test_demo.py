"""The whole loop as a newcomer meets it: one command, then files that agree with the truth."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def demo(out: Path, effect: float) -> str:
    command = [sys.executable, "-m", "publisher", "demo", "--fast", "--out", str(out)]
    done = subprocess.run(
        [*command, "--effect", str(effect), "--config", str(ROOT / "config.toml")],
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def report_of(out: Path) -> dict[str, object]:
    (newest,) = sorted((out / "reports").glob("*-W*/report.json"))[-1:]
    found = json.loads(newest.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("large") / "demo"
    return out, demo(out, 0.4)


def test_a_large_effect_is_found(large: tuple[Path, str]) -> None:
    verdict = report_of(large[0])["verdict"]
    assert isinstance(verdict, dict) and verdict["code"] == "better"


def test_no_effect_is_not_yet_clear(tmp_path: Path) -> None:
    demo(tmp_path / "demo", 0.0)
    verdict = report_of(tmp_path / "demo")["verdict"]
    assert isinstance(verdict, dict) and verdict["code"] == "not_yet_clear"


def test_it_says_where_things_are_and_that_it_is_simulated(large: tuple[Path, str]) -> None:
    out, said = large
    assert "СИМУЛИРОВАНЫ" in said and "gallery.html" in said and "report.html" in said
    for page in [out / "gallery.html", *(out / "reports").glob("*/report*.html")]:
        word = "SIMULATED" if ".en." in page.name else "СИМУЛИРОВАН"
        assert word in page.read_text(encoding="utf-8"), page


def test_every_post_is_on_the_server_once_and_in_the_report(large: tuple[Path, str]) -> None:
    out, _ = large
    entries = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    sends = Counter(e["random_id"] for e in entries if e["kind"] == "created" and e["random_id"])
    assert set(sends.values()) == {1}
    rows = (out / "reports").glob("*-W*/posts.csv")
    published = sum(path.read_text().count(",published,") for path in rows)
    assert published >= 30


def test_a_person_who_asks_the_bot_gets_a_meme(large: tuple[Path, str]) -> None:
    chat = (large[0] / "bot.txt").read_text(encoding="utf-8").splitlines()
    assert chat[0] == "→ кот и понедельник"
    assert any(line.startswith("←") and line.endswith("[🖼]") for line in chat)


def test_every_generated_meme_has_a_picture_in_the_gallery(large: tuple[Path, str]) -> None:
    out, _ = large
    pictures = re.findall(r'src="([^"]+)"', (out / "gallery.html").read_text(encoding="utf-8"))
    assert len(pictures) > 30
    assert all((out / picture).is_file() for picture in pictures)
