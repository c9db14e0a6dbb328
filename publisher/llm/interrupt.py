"""Ctrl-C while llama.cpp computes."""

from __future__ import annotations

import signal
import threading
from types import FrameType


class HeldInterrupt:
    """Holds Ctrl-C back while native code may call Python, and raises it at the end.

    An exception in a callback of ctypes is printed and lost, KeyboardInterrupt too. What computes
    asks `came` and stops. Another handler than Python's own is left in force, and threads other
    than the main one never get the signal.
    """

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> HeldInterrupt:
        self._ours = (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        )
        if self._ours:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self.came:
            raise KeyboardInterrupt

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.came = True
