"""The commands as a person or a program meets them: output, exit codes, files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from publisher.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]

FEED = """<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>t</title>
<item><guid>1</guid><title>Кот неделю катался в метро</title><link>https://a.example/1</link>
<description>Пассажиры кормили его сосисками.</description>
<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate></item>
<item><guid>2</guid><title>Автобус попал в аварию, есть погибшие</title>
<link>https://a.example/2</link><description>На месте работают врачи.</description>
<pubDate>Mon, 02 Mar 2026 11:00:00 GMT</pubDate></item></channel></rss>"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the shipped configuration, as a new owner has it."""
    shutil.copy(ROOT / "config.toml", tmp_path / "config.toml")
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def publisher(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.mark.parametrize("name", [*COMMANDS])
def test_every_command_explains_itself(name: str) -> None:
    result = publisher(name, "--help")
    assert result.exit_code == 0 and len(result.output.splitlines()) > 4


def test_a_wrong_config_is_one_line_a_fault_and_exit_2(home: Path) -> None:
    text = (home / "config.toml").read_text().replace('"Europe/Moscow"', '"Europe/Moskow"', 1)
    (home / "config.toml").write_text(text + "\n[nonsense]\nx = 1\n")
    result = publisher("status")
    assert result.exit_code == 2
    assert "zone: неизвестный часовой пояс" in result.output and "Europe/Moscow" in result.output
    assert "nonsense: неизвестный ключ" in result.output
    assert "Traceback" not in result.output
    (home / "config.toml").write_text(text.replace('"ru"', '"en"', 1) + "\n[nonsense]\nx = 1\n")
    result = publisher("status")
    assert result.exit_code == 2 and "nonsense: unknown key" in result.output
    assert "zone: unknown zone" in result.output


def test_check_names_what_is_missing_and_what_to_do(home: Path) -> None:
    result = publisher("check", "--json")
    found = {f["what"]: f for f in json.loads(result.output)}
    assert result.exit_code == 1
    assert found["config"]["found"] == "config.toml, 2 channels", "for a program: English"
    assert found["config"]["ok"] and found["model"]["ok"] and found["fonts"]["ok"]
    assert found["templates"]["ok"] and found["database"]["ok"]
    assert not found["inbox"]["ok"] and "mkdir" in found["inbox"]["remedy"]
    assert not found["session"]["ok"] and "api_id" in found["session"]["found"]


SHIPPED = {
    "channels": "@kotiki_i_kod, @dedlain_segodnya",
    "sources": "http://feeds.sandbox.invalid/city_ru.xml, "
    "http://feeds.sandbox.invalid/tech_ru.xml, "
    "http://feeds.sandbox.invalid/news_ru.xml, http://feeds.sandbox.invalid/tech_en.xml, "
    "@novosti_sandbox, @tech_sandbox",
    "partners": "@memy_dlya_svoih, @chatik_memy_kanal, @smeshnoe_ryadom",
}
OWN = """
[owner]
ids = [123456789]
[[channels]]
handle = "@my_channel"
times = ["10:00"]
[[sources]]
feed = "https://news.example/rss"
[[sources]]
channel = "@some_news"
"""


def test_check_names_what_of_the_shipped_config_is_to_be_replaced(home: Path) -> None:
    (home / "inbox").mkdir()
    result = publisher("check", "--offline", "--json")
    wrong = {f["what"]: f for f in json.loads(result.output) if not f["ok"]}
    assert result.exit_code == 1 and wrong.keys() == {"owner", *SHIPPED}
    assert "nobody is told of alerts" in wrong["owner"]["found"]
    assert "owner.ids" in wrong["owner"]["remedy"]
    for what, names in SHIPPED.items():
        assert wrong[what]["found"] == f"of the demo, not yours: {names}"
        assert f"[[{what}]]" in wrong[what]["remedy"]
    said = publisher("check", "--offline").output
    assert "✗ owner: owner.ids пуст, о тревогах никто не узнает  → впишите" in said
    assert f"✗ partners: из демо, не ваши: {SHIPPED['partners']}  → " in said


def test_check_of_an_owners_own_config_is_content(home: Path) -> None:
    (home / "inbox").mkdir()
    (home / "config.toml").write_text(OWN)
    result = publisher("check", "--offline", "--json")
    found = {f["what"]: f["found"] for f in json.loads(result.output)}
    assert result.exit_code == 0, found
    assert found["owner"] == "1 named" and found["sources"] == "2 named"
    assert found["partners"] == "none: memes are offered to nobody"
    config = OWN[: OWN.index("[[sources]]")]
    (home / "config.toml").write_text(config)
    lacking = "none, and no memes.evergreen: there is nothing to make memes of"
    assert lacking in publisher("check", "--offline", "--json").output
    (home / "config.toml").write_text(config + '[memes]\nevergreen = ["кот"]\n')
    assert "нет: темы только из memes.evergreen" in publisher("check", "--offline").output


def test_status_speaks_to_people_and_to_programs(home: Path) -> None:
    assert publisher("job", "plan").output.startswith("слоты +")
    state = json.loads(publisher("status", "--json").output)
    assert len(state["next"]) == 6 and state["pairs"]["assigned"] == 0
    assert "Дальше" in publisher("status").output


def test_a_dry_run_changes_nothing(home: Path) -> None:
    publisher("job", "plan")
    before = json.loads(publisher("status", "--json").output)["pairs"]
    inbox = home / "inbox"
    inbox.mkdir()
    Image.new("RGB", (400, 300), "red").save(inbox / "a.png")
    result = publisher("job", "ingest", "--dry-run")
    assert "взято 1" in result.output
    assert (inbox / "a.png").exists() and not (home / "var" / "media").exists()
    after = json.loads(publisher("status", "--json").output)
    assert after["pairs"] == before and after["memes"] == []


def test_the_inbox_takes_a_picture_and_refuses_what_is_none(home: Path) -> None:
    inbox = home / "inbox"
    inbox.mkdir()
    Image.new("RGB", (400, 300), "red").save(inbox / "a.png")
    Image.new("RGB", (400, 300), "red").save(inbox / "b.png")
    (inbox / "c.jpg").write_bytes(b"not a picture")
    assert "взято 1, отказано 2" in publisher("job", "ingest").output
    reasons = {p.name: p.read_text() for p in (inbox / "refused").glob("*.txt")}
    assert "та же картинка, что у мема" in reasons["b.png.reason.txt"]
    assert reasons["c.jpg.reason.txt"].strip()


def test_a_job_that_needs_telegram_says_what_to_do(home: Path) -> None:
    result = publisher("job", "publish")
    assert result.exit_code == 2
    assert "нужны telegram.api_id" in result.output and "my.telegram.org" in result.output
    assert "нужны telegram.api_id" in publisher("login", "--phone", "+79990000000").output


def test_render_reports_its_boxes(home: Path) -> None:
    result = publisher("render", "no_yes", "Созвон", "Письмо", "--out", "m.jpg", "--json")
    drawn = json.loads(result.output)
    assert [b["name"] for b in drawn["boxes"]] == ["no", "yes"]
    assert Image.open(home / "m.jpg").size == (drawn["width"], drawn["height"])
    wrong = publisher("render", "no_yes", "я" * 2000, "x", "--out", "n.jpg")
    assert wrong.exit_code == 1
    assert "шаблон no_yes, поле no: 2000 символов не помещаются" in wrong.output
    assert not (home / "n.jpg").exists()
    unknown = publisher("render", "nope", "x", "--out", "n.jpg")
    assert unknown.exit_code == 1
    assert "нет шаблона «nope»; есть: announcement, before_after" in unknown.output


def test_templates_are_listed_and_checked(home: Path) -> None:
    listed = json.loads(publisher("templates", "list", "--json").output)
    assert len(listed) >= 24 and all(t["licence"] for t in listed)
    assert publisher("templates", "check").exit_code == 0


def test_topics_of_a_feed_file_have_items_and_verdicts(home: Path) -> None:
    (home / "feed.xml").write_text(FEED)
    result = publisher("topics", "--feed", "feed.xml", "--feed", "absent.xml", "--json")
    found = json.loads(result.stdout)
    verdicts = {t["title"]: t["verdict"]["ok"] for t in found["topics"]}
    assert verdicts == {
        "Кот неделю катался в метро": True,
        "Автобус попал в аварию, есть погибшие": False,
    }
    assert found["topics"][0]["items"][0]["url"].startswith("https://a.example/")
    assert "absent.xml" in found["errors"]


def test_screen_judges_lines(home: Path) -> None:
    text = "Убийственная жара в городе\nВ аварии погибли люди\n\n"
    result = publisher("screen", "--kind", "topic", "--json", stdin=text)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["ok"] for line in lines] == [True, False]
    assert lines[1]["reason"] and 0 <= lines[1]["score"] <= 1


def test_a_report_before_anything_happened_says_so(home: Path) -> None:
    assert "ещё не зарегистрирован: сначала выполните publisher job plan" in (
        publisher("report").output
    )
    for week in ("last", "2026-W99"):
        result = publisher("report", "--week", week)
        assert result.exit_code == 1 and f"«{week}» — не неделя" in result.output
        assert "2026-W47" in result.output


def test_a_backup_comes_back(home: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "publisher", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    run("job", "plan")
    assert "проверено" in run("backup", "b.tar").stdout
    refused = run("restore", "b.tar")
    assert refused.returncode == 2 and "уже есть; --overwrite" in refused.stderr
    assert "сверю каждый канал" in run("restore", "b.tar", "--overwrite").stdout
    assert list((home / "var").glob("memegen.db.before-restore-*"))
    held = json.loads(run("status", "--json").stdout)["channels"]
    assert {c["state"] for c in held} == {"restored"}


def test_a_demo_never_writes_over_what_is_not_a_demos(home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "thesis.txt").write_text("precious")
    result = publisher("demo", "--fast", "--out", "mine")
    assert result.exit_code == 1 and "не от демо; назовите другую: --out" in result.output
    assert (home / "mine" / "thesis.txt").read_text() == "precious"


@pytest.mark.parametrize("out", ["config.toml/demo", "/proc/demo"])
def test_a_demo_that_cannot_be_written_says_so(home: Path, out: str) -> None:
    result = publisher("demo", "--fast", "--out", out)
    assert result.exit_code == 1 and result.exception.__class__ is SystemExit
    assert f"Ошибка: не записать {(home / out).resolve()}: " in result.output


def test_the_unit_is_clean_for_systemd(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not on this machine")
    text = (ROOT / "systemd" / "publisher.service").read_text()
    unit = tmp_path / "publisher.service"
    # The program is elsewhere on a developer's machine; everything else is verified as it ships.
    unit.write_text(text.replace("/opt/memegen/.venv/bin/publisher", "/bin/true"))
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")
