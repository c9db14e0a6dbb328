"""`publisher train ranker`: what it learns from, when it writes."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from jobs.generate import request_for
from publisher.cli import main
from publisher.commands.connected import services_of
from publisher.commands.train import rows
from publisher.ledger.models import Channel, Meme, Post, Slot, Snapshot
from publisher.memes.preference import FILE, load_preference
from publisher.settings import Settings

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copy(ROOT / "config.toml", tmp_path / "config.toml")
    monkeypatch.chdir(tmp_path)
    for name in ("TELEGRAM_API_HASH", "TELEGRAM_BOT_TOKEN", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    return services_of(tmp_path / "config.toml").settings


def train(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", "ranker", *arguments])


def post(channel: Channel, number: int, texts: list[str], likes: int, dislikes: int) -> None:
    at = NOW + timedelta(hours=number)
    meme = Meme.create(
        origin="generated", template="no_yes", texts=texts, language="ru", method="frame",
        file="", sha256="", created_at=at,
    )  # fmt: skip
    made = Post.create(
        slot=Slot.create(channel=channel, at=at), channel=channel, meme=meme, random_id=number,
        state="published", due_at=at, expires_at=at,
    )  # fmt: skip
    Snapshot.create(
        post=made, age_hours=48, taken_at=at, late_minutes=0.0, views=500, forwards=0,
        likes=likes, dislikes=dislikes, neutral=0,
    )  # fmt: skip


def posts(*, liked: bool) -> None:
    """120 posts of two channels of which one likes everything more; long captions are liked more
    when `liked`."""
    random = np.random.default_rng(3)
    first, second = (Channel.create(handle=name) for name in ("one", "two"))
    for number in range(120):
        length = int(random.integers(2, 12))
        share = (length / 24 if liked else random.random() / 2) + 0.4 * (number % 2)
        likes = round(40 * share)
        text = " ".join(["кот"] * length)
        post(second if number % 2 else first, number, [text, "да"], likes, 40 - likes)


def test_too_few_posts(settings: Settings) -> None:
    told = train()
    assert told.exit_code == 0, told.output
    assert "постов с итогом: 0; нужно 80" in told.output
    assert "ничего не записано" in told.output
    assert not (settings.state / FILE).exists()


def test_a_channels_own_level_is_no_merit_of_a_caption(settings: Settings) -> None:
    posts(liked=True)
    values = np.array([row.value for row in rows(settings)])
    assert len(values) == 120
    assert abs(values[::2].mean()) < 0.01 and abs(values[1::2].mean()) < 0.01


def test_a_taste_is_learned_tried_and_written(settings: Settings) -> None:
    posts(liked=True)
    tried = json.loads(train("--dry-run", "--json").stdout)
    assert tried["promoted"] and tried["auc"] > 0.7 and tried["written"] == ""
    assert not (settings.state / FILE).exists()
    told = train()
    assert told.exit_code == 0 and "следующие мемы будут ранжированы" in told.output
    assert load_preference(settings.state / FILE).rows == 120
    again = train()
    assert "постов после нынешней модели 0" in again.output and "ничего не записано" in again.output


def test_chance_is_not_written(settings: Settings) -> None:
    posts(liked=False)
    told = train()
    assert "не доказано, что лучше случая" in told.output
    assert not (settings.state / FILE).exists()


def test_the_daemon_hands_on_taste_templates_blocklist_and_cache(settings: Settings) -> None:
    config = settings.root / "config.toml"
    text = config.read_text().replace("templates = []", 'templates = ["mine"]')
    config.write_text(text.replace("blocklist = []", 'blocklist = ["трактор"]'))
    services = services_of(config)
    before = request_for(services, "кот", "ru", NOW)
    assert before.template_dirs == (str(settings.root / "mine"),)
    assert before.blocklist == ("трактор",)
    assert before.cache == str(settings.state / "models") and before.preference is None
    settings.state.mkdir(exist_ok=True)
    (settings.state / FILE).write_bytes(b"")
    assert request_for(services, "кот", "ru", NOW).preference == str(settings.state / FILE)
