"""config.toml → typed, frozen settings. Nothing here talks to the world."""

from publisher.settings.load import ConfigError, Problem, load_settings
from publisher.settings.model import (
    ChannelSettings,
    PartnerSettings,
    Settings,
    SourceSettings,
)
from publisher.settings.secrets import Secrets, load_secrets
from publisher.settings.triggers import parse_trigger

__all__ = [
    "ChannelSettings",
    "ConfigError",
    "PartnerSettings",
    "Problem",
    "Secrets",
    "Settings",
    "SourceSettings",
    "load_secrets",
    "load_settings",
    "parse_trigger",
]
