"""One process for each state folder, hence for each Telegram session file."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from publisher.sentences import words


class AlreadyRunning(Exception):
    """Another process holds this state folder; one process for each session file."""


@contextmanager
def sole_owner(state: Path) -> Iterator[None]:
    """Hold the state folder's lock. Raises AlreadyRunning when another process has it."""
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(state / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                words(
                    "{state}: another publisher is at work here; stop it first "
                    "(systemctl stop publisher)",
                    state=state,
                )
            ) from error
        yield
