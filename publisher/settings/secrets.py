"""Secrets come from the environment or from systemd's credentials, never from config.toml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

NAMES = {
    "api_hash": "TELEGRAM_API_HASH",
    "bot_token": "TELEGRAM_BOT_TOKEN",
    "database_password": "DATABASE_PASSWORD",
}


@dataclass(frozen=True)
class Secrets:
    """Values print as asterisks; `get_secret_value()` is called only where one is used."""

    api_hash: SecretStr | None = None
    bot_token: SecretStr | None = None
    database_password: SecretStr | None = None


def load_secrets(environ: Mapping[str, str] = os.environ) -> Secrets:
    """Read each secret from `$CREDENTIALS_DIRECTORY/<name>`, else from its variable."""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    found: dict[str, SecretStr] = {}
    for name, variable in NAMES.items():
        path = Path(folder, name) if folder else None
        value = path.read_text().strip() if path and path.is_file() else environ.get(variable, "")
        if value:
            found[name] = SecretStr(value)
    return Secrets(**found)
