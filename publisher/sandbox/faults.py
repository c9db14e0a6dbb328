"""Faults (placeholder until the rules are in)."""

from __future__ import annotations

from typing import Any


class Faults:
    def __init__(self, seed: int) -> None:
        self.refusing = False

    def draw(self, method: str) -> Any:
        return None

    async def apply(self, fault: Any, server: Any, connection: Any) -> None:
        pass
