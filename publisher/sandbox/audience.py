"""Simulated subscribers (placeholder until the model is in)."""

from __future__ import annotations

from datetime import datetime

from .records import Channel, Message


class Audience:
    def members(self, channel: Channel, now: datetime) -> int:
        return channel.crowd

    def views(self, message: Message, now: datetime) -> int:
        return 0

    def forwards(self, message: Message, now: datetime) -> int:
        return 0

    def reactions(self, message: Message, now: datetime) -> dict[str, int]:
        return {}
