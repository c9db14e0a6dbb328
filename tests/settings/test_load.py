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


CHANNEL = '[[channels]]\nhandle = "@one_channel"\ntimes = ["10:00"]\n'
OWNED = "[owner]\nids = [1]\n"


@pytest.mark.parametrize(
    ("minutes", "hours", "refused"), [(180, 2.0, True), (120, 2.0, True), (106, 2.0, True),
                                      (105, 2.0, False), (0, 0.25, False), (1, 0.25, True)]
)  # fmt: skip
def test_a_deadline_before_anything_could_be_shown_is_refused(
    tmp_path: Path, minutes: int, hours: float, refused: bool
) -> None:
    experiment = f"[experiment]\nassign_hours = {hours}\n"
    approve = f"approve = true\napprove_minutes = {minutes}\n"
    text = OWNED + experiment + CHANNEL.replace("@one", "@two") + CHANNEL + approve
    if refused:
        said = problems(tmp_path, text)["(top level)"]
        assert f"channels[1].approve_minutes: {minutes}" in said
        assert "channels[0]" not in said and "experiment.assign_hours" in said
    else:
        (tmp_path / "config.toml").write_text(text, encoding="utf-8")
        assert load_settings(tmp_path / "config.toml").channels[1].approve_minutes == minutes


def test_the_remedies_for_a_deadline_too_early_are_right(tmp_path: Path) -> None:
    approve = CHANNEL + "approve = true\napprove_minutes = "
    said = problems(tmp_path, OWNED + approve + "180\n")["(top level)"]
    assert "at most 105" in said and "assign_hours = 3.25" in said
    said = problems(tmp_path, OWNED + approve + "1440\n")["(top level)"]
    assert "at most 105" in said and "assign_hours = " not in said, "24 h is the most there is"
    said = problems(tmp_path, OWNED + "[experiment]\nassign_hours = 0.1\n" + approve + "5\n")
    assert "at most" not in said["(top level)"] and "assign_hours = 0.34" in said["(top level)"]
    short = "[experiment]\nassign_hours = 0.1\n"
    said = problems(tmp_path, OWNED + short + approve + "1440\n")["(top level)"]
    assert "write 15 here and experiment.assign_hours = 2.0" in said
    rests = "approve = false\napprove_minutes = 1440\n"
    (tmp_path / "config.toml").write_text(CHANNEL + rests, encoding="utf-8")
    assert load_settings(tmp_path / "config.toml").channels[0].approve_minutes == 1440


def test_approval_needs_somebody_who_is_shown_the_posts(tmp_path: Path) -> None:
    approve = CHANNEL + "approve = true\n"
    assert "owner.ids" in problems(tmp_path, approve)["(top level)"]
    said = problems(tmp_path, OWNED + "[bot]\nenabled = false\n" + approve)["(top level)"]
    assert "bot.enabled" in said and "channels[0].approve" in said
