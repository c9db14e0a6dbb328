"""Starts `publisher run` again and again without importing it again.

The daemon's modules are imported once; each start is a fork that then does exactly what the
command does, with a fast clock, a log file, and perhaps a step of the send path at which the
process kills itself. One JSON line asks, one answers.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.chaos.fastclock import FastClock


class KillAt(logging.Handler):
    """SIGKILLs this very process at the n-th record that says `label`."""

    def __init__(self, label: str, nth: int) -> None:
        super().__init__(logging.DEBUG)
        self.label, self.left = label, nth

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self.label:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def run_daemon(folder: Path, kill_at: str, nth: int) -> None:
    """`publisher run --config folder/config.toml` by the world's clock."""
    from jobs.services import Services
    from publisher import daemon
    from publisher.cli import main

    clock = FastClock(folder, stepped=True)
    vars(daemon)["utc_now"] = clock
    vars(daemon)["Services"] = functools.partial(Services, sleep=clock.sleeper())
    if kill_at:
        steps = logging.getLogger("publisher.steps")
        steps.setLevel(logging.DEBUG)
        steps.addHandler(KillAt(kill_at, nth))
    main(["run", "--config", str(folder / "config.toml")], standalone_mode=True)


def start(order: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        random.seed()
        log = os.open(
            Path(order["folder"]) / "daemon.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
        )
        for stream in (1, 2):
            os.dup2(log, stream)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        run_daemon(Path(order["folder"]), order.get("kill_at", ""), order.get("nth", 1))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        logging.exception("the daemon fell")
    finally:
        sys.stdout.flush()
        os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    """The exit status as `os.waitstatus_to_exitcode` gives it, or None while it runs."""
    until = time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= until:
            return None
        time.sleep(0.01)


def main() -> None:
    import publisher.commands.operate  # noqa: F401  (what a start needs, imported once)

    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any]
        if order["op"] == "start":
            answer = {"pid": start(order)}
        else:
            answer = {"code": wait(order["pid"], order["seconds"])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
