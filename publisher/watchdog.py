"""systemd's readiness and watchdog messages, fed only while the event loop truly answers."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Mapping


def notify(message: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send a line to systemd (sd_notify(3)); False when nobody listens."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as channel:
        try:
            channel.connect(address)
            channel.send(message.encode())
        except OSError:
            return False
    return True


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """The interval systemd set, or None when it does not watch this process."""
    microseconds = environ.get("WATCHDOG_USEC")
    ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 1e6 if microseconds and ours else None


class Watchdog:
    """A thread that asks the event loop a question and feeds systemd when it answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, interval_seconds: float) -> None:
        self.loop, self.interval = loop, interval_seconds
        self.fed = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2)

    def _watch(self) -> None:
        pause = self.interval / 3
        while not self._stop.wait(pause):
            answered = threading.Event()
            try:
                self.loop.call_soon_threadsafe(answered.set)
            except RuntimeError:
                return
            if answered.wait(pause):
                self.fed += 1
                notify("WATCHDOG=1")
