"""What a job may use: settings, the ledger behind the models, Telegram, the child process."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from publisher.ledger.models import Alert
from publisher.sentences import words
from publisher.settings import Secrets, Settings
from publisher.telegram.account import TelegramAccount
from publisher.telegram.publishing import Publisher
from publisher.workers import Workers


def open_failures() -> list[str]:
    """Jobs whose failing was told and not yet cured, from before a restart."""
    return [
        alert.key.removeprefix("job:")
        for alert in Alert.select(Alert.key).where(
            Alert.key.startswith("job:") & Alert.cured_at.is_null()
        )
    ]


@dataclass
class Services:
    """`clock` gives aware UTC, real or simulated, and `sleep` waits by it; `simulated` says in
    words of each language what of the world is not real, empty for the real one; `feeds` maps a
    feed's address to the one to fetch; `worker` names this process in claims. In a dry run nothing
    outside changes: the ledger is a copy, sends are refused, files are not written.
    """

    settings: Settings
    secrets: Secrets
    clock: Callable[[], datetime]
    workers: Workers
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    user: TelegramAccount | None = None
    bot: TelegramAccount | None = None
    simulated: dict[str, str] = field(default_factory=dict)
    dry_run: bool = False
    feeds: Callable[[str], str] = field(default=lambda url: url)
    failing: set[str] = field(default_factory=lambda: set(open_failures()))
    worker: str = field(default_factory=lambda: f"user:{secrets.token_hex(4)}")

    @property
    def not_real(self) -> str:
        """`simulated` in the owner's language, "" for the real world."""
        return self.simulated.get(self.settings.language, "")

    @property
    def wants_bot(self) -> bool:
        """Whether there is to be a bot, connected or not."""
        return self.settings.bot.enabled and self.secrets.bot_token is not None

    @property
    def media(self) -> Path:
        return self.settings.state / "media"

    @property
    def publisher(self) -> Publisher:
        return Publisher(self.account, self.media, self.worker, self.clock)

    @property
    def account(self) -> TelegramAccount:
        """The user account. Raises RuntimeError when this process is not connected."""
        if self.user is None:
            raise RuntimeError(words("this job needs the user account; run: publisher login"))
        return self.user

    def keep_picture(self, jpeg: bytes, folder: str) -> tuple[str, str]:
        """Store a picture under its hash; its name relative to `media`, and its sha256."""
        digest = hashlib.sha256(jpeg).hexdigest()
        name = f"{folder}/{digest[:2]}/{digest}.jpg"
        path = self.media / name
        if not self.dry_run and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(jpeg)
            partial.replace(path)
        return name, digest
