"""For the commands that open the ledger."""

from __future__ import annotations

from pathlib import Path

from jobs.services import Services
from publisher import daemon
from publisher.settings import load_secrets, load_settings
from publisher.workers import Workers


def services_of(config: Path) -> Services:
    """Services with the ledger open and no account connected."""
    settings, secrets = load_settings(config), load_secrets()
    daemon.open_settings_ledger(settings, secrets, daemon.utc_now())
    workers = Workers(settings.model.idle_minutes * 60, settings.model.threads)
    return Services(settings, secrets, daemon.utc_now, workers)
