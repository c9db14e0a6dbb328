"""The loopback Telegram as a process of its own: ``python -m publisher.sandbox --help``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .control import Control, ManualClock
from .demo_world import build_demo_world
from .server import LoopbackTelegram, real_clock
from .world_file import WorldFileError, load_world


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m publisher.sandbox", description="A loopback Telegram on 127.0.0.1."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free one")
    parser.add_argument("--control-port", type=int, default=0, help="0 (default): any free one")
    parser.add_argument("--state", type=Path, help="directory that lets the server be restarted")
    parser.add_argument("--journal", type=Path, help="also write the journal to this JSONL file")
    parser.add_argument("--world", type=Path, help="JSON file saying who exists")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--random-id", choices=("error", "existing"), default="error")
    parser.add_argument("--clock", help="a fixed start (ISO 8601) moved by `advance`; else real")
    return parser.parse_args(arguments)


async def serve(options: argparse.Namespace) -> None:
    clock: Any = real_clock
    if options.clock:
        clock = ManualClock(datetime.fromisoformat(options.clock).astimezone(UTC))
    server = LoopbackTelegram(
        options.host,
        options.port,
        seed=options.seed,
        clock=clock,
        state_path=options.state,
        random_id_mode=options.random_id,
        journal_path=options.journal,
    )
    if not server.world.users:
        if options.world:
            load_world(server, options.world)
        else:
            build_demo_world(server, seed=options.seed, start=server.world.now())
    await server.start()
    control = Control(server)
    control_port = await control.start(options.host, options.control_port)
    key_path = options.state / "public.pem" if options.state else None
    about = {
        "host": server.address[0],
        "port": server.address[1],
        "dc_id": server.dc_id,
        "public_key_path": str(key_path) if key_path else None,
        "public_key": server.public_key_pem,
        "control_port": control_port,
    }
    print(json.dumps(about), flush=True)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, control.stopping.set)
    await control.stopping.wait()
    await control.close()
    await server.stop()


def main() -> None:
    try:
        asyncio.run(serve(parse()))
    except (WorldFileError, OSError, ValueError) as error:
        sys.exit(f"sandbox: {error}")


if __name__ == "__main__":
    main()
