"""The child process for heavy work: model, rendering, embeddings.

A crash in native code or a hang ends the child, never the daemon; an idle child is let go, so
that the daemon at rest is small. Functions must be top-level and their arguments picklable.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

log = logging.getLogger(__name__)
T = TypeVar("T")


class WorkerDied(Exception):
    """The child ended in the middle of the work: a native crash, or the kernel wanted memory."""


class WorkerHung(Exception):
    """The work took longer than its time limit and was ended with its process."""


def _settle(threads: int) -> None:
    os.nice(5)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if threads:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))


class Workers:
    """One spawned child, started on the first call and let go after `idle_seconds` of rest."""

    def __init__(self, idle_seconds: float = 600.0, threads: int = 0) -> None:
        self.idle_seconds, self.threads = idle_seconds, threads
        self._pool: ProcessPool | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._busy = 0
        self.deaths = 0

    @property
    def running(self) -> bool:
        return self._pool is not None

    async def run(
        self, function: Callable[..., T], *args: Any, timeout_seconds: float = 600.0
    ) -> T:
        """`function(*args)` in the child.

        Raises WorkerDied, WorkerHung, or what the function raised.
        """
        self._rest(cancel=True)
        self._busy += 1
        try:
            future = self._ready().schedule(function, args=args, timeout=timeout_seconds)
            return await asyncio.wrap_future(future)
        except ProcessExpired as error:
            self.deaths += 1
            raise WorkerDied(f"{function.__name__}: {error} (exit {error.exitcode})") from error
        except (FutureTimeout, TimeoutError) as error:
            self.deaths += 1
            raise WorkerHung(f"{function.__name__}: over {timeout_seconds:.0f} s") from error
        finally:
            self._busy -= 1
            self._rest()

    def _ready(self) -> ProcessPool:
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1,
                initializer=_settle,
                initargs=(self.threads,),
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool

    def _rest(self, *, cancel: bool = False) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if not cancel and not self._busy:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self.idle_seconds, self.close)

    def close(self) -> None:
        """End the child; the next call starts a new one."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if self._pool:
            pool, self._pool = self._pool, None
            pool.stop()
            pool.join(timeout=5)
