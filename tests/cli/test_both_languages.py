"""What goes wrong is said in the owner's language, whatever part of the program found it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from publisher.cli import main

CHANNEL = '[[channels]]\nhandle = "@one_channel"\ntimes = ["10:00"]\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("MEMEGEN_CONFIG", raising=False)
    return tmp_path


def publisher(*arguments: str, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(main, arguments, input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def config(home: Path, language: str, rest: str = CHANNEL) -> None:
    (home / "config.toml").write_text(f'language = "{language}"\n{rest}', encoding="utf-8")


FAULTS = [
    ('zone = "Europe/Moskow"', "zone: unknown zone", "zone: неизвестный часовой пояс"),
    ('state_dir = 5', "state_dir: should be a string", "state_dir: должна быть строка"),
    ('lang = "ru"', "did you mean «language»?", "может быть, «language»?"),
    ('api_hash = "0"', "a secret does not belong", "секретам не место"),
    ('[telegram]\napi_id = "5"', "api_id: should be an integer; got '5'",
     "api_id: должно быть целое число; здесь '5'"),
    ("[telegram]\nrequest_timeout_seconds = 101", "at most 100; got 101",
     "не больше 100; здесь 101"),
    ("[experiment]\nmargin = 0.0", "margin: should be greater than 0",
     "margin: должно быть больше 0"),
    ("[bot]\nqueue = 0", "queue: should be at least 1", "queue: должно быть не меньше 1"),
    ('[bot]\nenabled = "yes"', "enabled: should be true or false",
     "enabled: должно быть true или false"),
    ('[model]\nmode = "fast"', "mode: should be one of 'auto', 'free', 'frames'",
     "mode: должно быть одно из: 'auto', 'free', 'frames'"),
    ('[owner]\nids = 7', "owner.ids: should be a list", "owner.ids: должен быть список"),
    ('[experiment]\nname = "A B"', "should match the pattern", "должно подходить под образец"),
    ("[[partners]]\nmembers = 5", "partners[0].handle: is missing",
     "partners[0].handle: не хватает"),
    ('[jobs]\nplan = "sometimes"', "five crontab fields", "пять полей crontab"),
    ('[[channels]]\nhandle = "@two_channel"\ntimes = []', "items here: 0, at least 1",
     "здесь элементов: 0, нужно не меньше 1"),
    ('[[sources]]\nfeed = "gopher://x"', "is not an address", "не адрес"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "english", "russian"), FAULTS)
def test_a_fault_of_the_config_is_said_in_its_language(
    home: Path, fault: str, english: str, russian: str
) -> None:
    # A key of the top level goes before the first section, a section after it.
    rest = f"{CHANNEL}{fault}\n" if fault.startswith("[") else f"{fault}\n{CHANNEL}"
    for language, expected in (("en", english), ("ru", russian)):
        config(home, language, rest)
        for command in (("status",), ("check", "--offline")):
            assert expected in publisher(*command).output


def test_a_file_that_is_no_toml_is_told_with_its_line(home: Path) -> None:
    for language, expected in (("en", "line 2, column "), ("ru", "строка 2, столбец ")):
        config(home, language, "zone = Europe/Moscow\n")
        result = publisher("status")
        assert result.exit_code == 2 and expected in result.output
    result = publisher("status", "--config", "absent.toml")
    assert result.exit_code == 2 and "нет такого файла" in result.output


def test_a_wrong_language_is_told_in_russian_the_default(home: Path) -> None:
    config(home, "de")
    assert "language: должно быть одно из: 'ru', 'en'; здесь 'de'" in publisher("status").output


def test_check_says_what_it_finds_and_the_remedy(home: Path) -> None:
    said = {
        "en": ["✓ config: config.toml, 1 channels", "inbox is not there  → mkdir ",
               "no model file at ", "→ see model.path in config.toml", "api_id in config.toml and"],
        "ru": ["✓ config: config.toml, каналов: 1", "inbox — нет такой папки  → mkdir ",
               "нет файла модели ", "→ см. model.path в config.toml", "нужны telegram.api_id"],
    }  # fmt: skip
    for language, lines in said.items():
        config(home, language, f'{CHANNEL}[model]\npath = "absent.gguf"\n')
        result = publisher("check")
        assert result.exit_code == 1
        for line in lines:
            assert line in result.output


def test_restore_over_a_ledger_that_is_there(home: Path) -> None:
    config(home, "ru")
    assert (
        "постов 0, мемов 0, проверено"
        in (publisher("job", "plan") and publisher("backup", "b.tar")).output
    )
    for language, expected in (
        ("en", "is there already; --overwrite"),
        ("ru", "уже есть; --overwrite"),
    ):
        config(home, language)
        result = publisher("restore", "b.tar")
        assert result.exit_code == 2 and expected in result.output
    (home / "no.tar").write_text("no backup")
    config(home, "ru")
    assert (
        "не наша копия, или она повреждена" in publisher("restore", "no.tar", "--overwrite").output
    )


def test_what_cannot_be_drawn(home: Path) -> None:
    said = {
        "en": ("Error: template no_yes, box no: 900 characters do not fit; at most about ",
               "Error: no template «nope»; there are: announcement",
               "Error: template no_yes takes 2 texts (no, yes), got 1",
               "Error: template no_yes, box yes: the text is empty"),
        "ru": ("Ошибка: шаблон no_yes, поле no: 900 символов не помещаются; ",
               "Ошибка: нет шаблона «nope»; есть: announcement",
               "Ошибка: шаблону no_yes нужно текстов: 2 (no, yes), а дано 1",
               "Ошибка: шаблон no_yes, поле yes: текст пуст"),
    }  # fmt: skip
    attempts = (["no_yes", "я" * 900, "x"], ["nope", "x"], ["no_yes", "x"], ["no_yes", "x", " "])
    for language, sentences in said.items():
        config(home, language)
        for attempt, sentence in zip(attempts, sentences, strict=True):
            result = publisher("render", *attempt, "--out", "m.jpg")
            assert result.exit_code == 1 and sentence in result.output
    assert not (home / "m.jpg").exists()


def test_a_language_that_is_asked_for_goes_before_the_owners(home: Path) -> None:
    config(home, "ru")
    asked = ("render", "nope", "x", "--out", "m.jpg", "--language", "en")
    assert "no template «nope»" in publisher(*asked).output
    (home / "config.toml").unlink()
    assert "no template «nope»" in publisher(*asked).output
    assert "нет шаблона «nope»" in publisher(*asked[:-2]).output


def test_templates_that_cannot_be_used(home: Path) -> None:
    (home / "own" / "empty").mkdir(parents=True)
    (home / "own" / "empty" / "template.toml").write_text("x = 1\n", encoding="utf-8")
    said = {
        "en": ("licence: missing: a template without a licence", "not imported: ",
               "must be a mapping with name and text", "no template to import in own"),
        "ru": ("licence: не хватает: шаблон без лицензии", "не взято: ",
               "должны быть ключи name и text", "в own нет шаблонов для импорта"),
    }  # fmt: skip
    (home / "own" / "theirs").mkdir()
    (home / "own" / "theirs" / "config.yml").write_text("[]", encoding="utf-8")
    for language, (unlicensed, left, mapping, none) in said.items():
        config(home, language)
        checked = publisher("templates", "check", "own")
        assert checked.exit_code == 1 and unlicensed in checked.output
        imported = publisher("templates", "import", "own")
        assert imported.exit_code == 1 and none in imported.output
        assert left in imported.output and mapping in imported.output


def test_a_topic_that_is_refused_and_a_model_that_is_not_there(home: Path) -> None:
    said = {
        "en": ("topic refused (empty): no word in the topic", "0 memes in "),
        "ru": ("тема отклонена (empty): в теме нет ни слова", "мемов 0 за "),
    }
    for language, sentences in said.items():
        config(home, language)
        result = publisher("meme", "42", "--out", "memes")
        assert result.exit_code == 1
        assert all(sentence in result.output for sentence in sentences)
    (home / "bad.gguf").write_bytes(b"no model at all")
    for language, absent, wrong in (
        ("en", "Error: no model file at absent.gguf", "is not a GGUF file"),
        ("ru", "Ошибка: нет файла модели absent.gguf", "не файл GGUF"),
    ):
        config(home, language)
        assert absent in publisher("models", "check", "absent.gguf").output
        assert wrong in publisher("models", "check", "bad.gguf").output


def test_jobs_say_what_they_did_and_the_inbox_what_it_refused(home: Path) -> None:
    for language, did, nothing, why in (
        ("en", "taken 0, refused 1", "nothing to do", "not a picture of a known format"),
        ("ru", "взято 0, отказано 1", "делать нечего", "не картинка известного формата"),
    ):
        config(home, language)
        (home / "inbox").mkdir(exist_ok=True)
        assert nothing in publisher("job", "ingest").output
        (home / "inbox" / f"{language}.jpg").write_bytes(b"no picture")
        assert did in publisher("job", "ingest").output
        reason = home / "inbox" / "refused" / f"{language}.jpg.reason.txt"
        assert why in reason.read_text(encoding="utf-8")


def test_what_matching_finds(home: Path) -> None:
    (home / "none.png").write_bytes(b"no picture")
    for language, why in (("en", "not a readable picture"), ("ru", "картинка не читается")):
        config(home, language)
        result = publisher("partners", "match", "none.png", "none.png")
        assert result.exit_code == 1 and why in result.output


def test_feeds_that_cannot_be_read(home: Path) -> None:
    (home / "page.xml").write_text("<html>no feed</html>", encoding="utf-8")
    for language, absent, page in (
        ("en", "no such file: absent.xml", "the document is no RSS or Atom feed"),
        ("ru", "нет такого файла: absent.xml", "документ — не лента RSS или Atom"),
    ):
        config(home, language)
        result = publisher("topics", "--feed", "absent.xml", "--feed", "page.xml")
        assert absent in result.output and page in result.output
