"""A clock that runs faster than the machine's, the same in every process of one world.

Back-offs of half a minute pass in half a second, so that many kills fit in an hour. Two files in
the world's folder say it: `clock.json` when and how fast, `step` by how much the daemon's own
clock is wrong.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


class FastClock:
    """Aware UTC. `stepped`: this process sees the clock's steps."""

    def __init__(self, folder: Path, *, stepped: bool = False) -> None:
        about = json.loads((folder / "clock.json").read_text())
        self.real: float = about["real"]
        self.start = datetime.fromisoformat(about["start"])
        self.speed: float = about["speed"]
        self.step = folder / "step" if stepped else None

    def __call__(self) -> datetime:
        passed = (time.time() - self.real) * self.speed
        return self.start + timedelta(seconds=passed + self._step())

    def _step(self) -> float:
        try:
            return float(self.step.read_text()) if self.step else 0.0
        except (FileNotFoundError, ValueError):
            return 0.0

    def sleeper(self) -> Callable[[float], Awaitable[None]]:
        async def sleep(seconds: float) -> None:
            await asyncio.sleep(seconds / self.speed)

        return sleep


def write_clock(folder: Path, start: datetime, speed: float) -> FastClock:
    about = {"real": time.time(), "start": start.astimezone(UTC).isoformat(), "speed": speed}
    (folder / "clock.json").write_text(json.dumps(about))
    return FastClock(folder)
