"""config.toml: the shipped one works, a wrong one is told whole, secrets never show."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.settings import ConfigError, Settings, load_secrets, load_settings, parse_trigger

SHIPPED = Path(__file__).parents[2] / "config.toml"


def problems(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    assert all(str(path) in line for line in str(caught.value).splitlines())
    return {p.key: p.message for p in caught.value.problems}


def test_the_shipped_file_loads_and_names_every_key() -> None:
    settings = load_settings(SHIPPED)
    text = SHIPPED.read_text(encoding="utf-8")
    assert len(settings.channels) == 2
    for name in Settings.model_fields:
        if name == "root":
            continue
        field = Settings.model_fields[name].annotation
        inner = getattr(field, "model_fields", None)
        assert name in text
        for key in inner or ():
            assert key in text, f"{name}.{key} is not in config.toml"


def test_every_problem_is_told_at_once_with_its_key_and_remedy(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
lang = "ru"
zone = "Europe/Moskow"
[telegram]
api_hash = "do-not-print-me"
api_id = "5"
[[channels]]
handle = "@a"
times = ["25:00"]
[jobs]
report = "30 9 * * 1"
publish = "sometimes"
[[sources]]
feed = "gopher://x"
[[partners]]
handle = "@partner"
route = "pigeon"
members = 10
consent = "yes"
""",
    )
    assert "«language»" in found["lang"]
    assert "Europe/Moscow" in found["zone"]
    assert "secret" in found["telegram.api_hash"]
    assert "integer" in found["telegram.api_id"]
    assert "@my_channel" in found["channels[0].handle"]
    assert "HH:MM" in found["channels[0].times[0]"]
    assert "mon" in found["jobs.report"]
    assert "every 10m" in found["jobs.publish"]
    assert "https://" in found["sources[0]"]
    assert "bot" in found["partners[0].route"]
    assert "do-not-print-me" not in " ".join(found.values())


def test_a_broken_or_absent_file_is_one_clear_line(tmp_path: Path) -> None:
    assert "line 1" in problems(tmp_path, "this is not toml")["(file)"]
    with pytest.raises(ConfigError, match="--config"):
        load_settings(tmp_path / "nowhere.toml")


def test_twins_are_refused(tmp_path: Path) -> None:
    channel = '[[channels]]\nhandle = "@twin_one"\ntimes = ["10:00"]\n'
    assert "twin_one" in problems(tmp_path, channel * 2)["(top level)"]


def test_secrets_come_from_credentials_first_and_never_print(tmp_path: Path) -> None:
    (tmp_path / "api_hash").write_text("from-the-folder\n")
    found = load_secrets(
        {
            "CREDENTIALS_DIRECTORY": str(tmp_path),
            "TELEGRAM_API_HASH": "from-the-environment",
            "TELEGRAM_BOT_TOKEN": "1:token",
        }
    )
    assert found.api_hash and found.api_hash.get_secret_value() == "from-the-folder"
    assert found.bot_token and found.bot_token.get_secret_value() == "1:token"
    assert "from-the-folder" not in repr(found) and "1:token" not in repr(found)


@pytest.mark.parametrize("text", ["every 0m", "* * *", "61 * * * *", "0 9 * * 1-5", "every x"])
def test_bad_triggers_are_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"every 10m|longer|weekdays"):
        parse_trigger(text, "UTC")
