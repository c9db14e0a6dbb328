"""Questions to bots that wait for an answer: button presses and inline queries."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from .records import User


class Queries:
    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], asyncio.Future[Any]] = {}

    def ask(self, user: User, bot: User) -> tuple[int, asyncio.Future[Any]]:
        """A fresh query id and the future of its answer."""
        query_id = random.getrandbits(62)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[bot.id, query_id] = future
        future.add_done_callback(lambda _: self._waiting.pop((bot.id, query_id), None))
        return query_id, future

    def answer(self, bot: User, query_id: int, answer: Any) -> bool:
        """False when the query is unknown, answered already or too old."""
        future = self._waiting.get((bot.id, query_id))
        if future is None or future.done():
            return False
        future.set_result(answer)
        return True
