"""Telegram's methods, one module for each group; importing a module fills `rpc.METHODS`."""

from __future__ import annotations

import importlib

MODULES = (
    "auth",
    "people",
    "files",
    "sending",
    "reading",
    "reactions",
    "updates",
    "bots",
    "inline",
)


def load() -> None:
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
