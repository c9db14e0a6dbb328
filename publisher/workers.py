"""The child process for heavy work: model, rendering, embeddings.

A crash in native code, the kernel wanting memory back, or a hang ends the child, never the
daemon; an idle child is let go, so that the daemon at rest is small. Functions must be top-level
and their arguments picklable.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pebble import ProcessExpired, ProcessPool

from publisher.sentences import joined, words

log = logging.getLogger(__name__)
T = TypeVar("T")

START_SECONDS = 120.0
"""For a child to start and import what it needs, before the work's own time limit begins."""

END_SECONDS = 5.0
PR_SET_PDEATHSIG = 1
FIRST_FOR_OOM = "500"


class WorkerDied(Exception):
    """The child ended in the middle of the work: a native crash, or the kernel wanted memory."""


class WorkerHung(Exception):
    """The work took longer than its time limit and was ended with its process."""


def _settle(threads: int) -> None:
    """What the child does first: it is the one to end when memory is short or the daemon dies."""
    os.nice(5)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if threads:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(FIRST_FOR_OOM)
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Workers:
    """One spawned child, started on the first call and let go after `idle_seconds` of rest.

    It does one thing at a time. After any accident the child is replaced together with the pipes
    and locks it shared, which a process that was killed may leave in any state.
    """

    def __init__(self, idle_seconds: float = 600.0, threads: int = 0) -> None:
        self.idle_seconds, self.threads = idle_seconds, threads
        self._pool: ProcessPool | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._busy = 0
        self.deaths = 0

    @property
    def running(self) -> bool:
        return self._pool is not None

    async def run(
        self, function: Callable[..., T], *args: Any, timeout_seconds: float = 600.0
    ) -> T:
        """`function(*args)` in the child; the time limit counts from when the child took it.

        Raises WorkerDied, WorkerHung, or what the function raised.
        """
        self._rest(cancel=True)
        self._busy += 1
        try:
            async with self._turn:
                return await self._run(function, args, timeout_seconds)
        finally:
            self._busy -= 1
            self._rest()

    async def _run(self, function: Callable[..., T], args: tuple[Any, ...], seconds: float) -> T:
        try:
            return await _result(self._ready().schedule(function, args=args), seconds)
        except (ProcessExpired, BrokenProcessPool, MemoryError) as error:
            self._let_go()
            self.deaths += 1
            raise WorkerDied(joined(": ", [function.__name__, _what_ended(error)])) from error
        except WorkerHung as error:
            self._let_go()
            self.deaths += 1
            raise WorkerHung(joined(": ", [function.__name__, error])) from None
        except asyncio.CancelledError:
            self._let_go()
            raise

    def _ready(self) -> ProcessPool:
        """The pool with its child. One whose child died at rest is broken for ever: a new one."""
        if self._pool and not self._pool.active:
            log.warning("the child ended while it had nothing to do")
            self._let_go()
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
            self._idle = loop.call_later(self.idle_seconds, self._let_go)

    def _let_go(self) -> threading.Thread | None:
        """End the child beside the event loop: one that hangs takes seconds to be ended."""
        pool, self._pool = self._pool, None
        if pool is None:
            return None
        pool.stop()
        ending = threading.Thread(target=pool.join, name="child's end", daemon=True)
        ending.start()
        return ending

    def close(self) -> None:
        """End the child and wait until it ended; the next call starts a new one."""
        if self._idle:
            self._idle.cancel()
            self._idle = None
        if ending := self._let_go():
            ending.join(END_SECONDS)


async def _result(future: Future[T], seconds: float) -> T:
    """Raises WorkerHung after `seconds` of work; by a clock that nobody sets, unlike pebble's."""
    done = asyncio.wrap_future(future)
    began = time.monotonic()
    try:
        while not (future.running() or future.done()):
            if time.monotonic() - began > START_SECONDS:
                raise WorkerHung(words("not begun after {seconds:.0f} s", seconds=START_SECONDS))
            await asyncio.wait({done}, timeout=0.05)
        await asyncio.wait({done}, timeout=seconds)
        if not done.done():
            raise WorkerHung(words("over {seconds:.0f} s of work", seconds=seconds))
        return done.result()
    finally:
        done.cancel()


def _what_ended(error: BaseException) -> str:
    if isinstance(error, ProcessExpired):
        code = error.exitcode
        with suppress(ValueError):
            name = signal.Signals(-code).name
            return words("ended by {signal} (exit {code})", signal=name, code=code)
        return words("ended with exit {code}", code=code)
    if isinstance(error, MemoryError):
        return words("out of memory")
    why = f"{type(error).__name__} {error}".strip()
    return words("the child could not be used: {why}", why=why)
