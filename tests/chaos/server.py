"""The loopback Telegram as a process of its own, by the world's fast clock."""

from __future__ import annotations

import sys
from pathlib import Path

from publisher.sandbox import __main__ as sandbox
from tests.chaos.fastclock import FastClock


def main() -> None:
    vars(sandbox)["real_clock"] = FastClock(Path(sys.argv.pop(1)))
    sandbox.main()


if __name__ == "__main__":
    main()
