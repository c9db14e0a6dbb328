"""Faults drawn from a seed: of the server, the way there, the disk, the database, the clock."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from tests.chaos.world import EDITOR, HANDLES, World

SEND, UPLOAD, HISTORY = "messages.sendMedia", "upload.saveFilePart", "messages.getHistory"


def cut_before(world: World, dice: random.Random) -> str:
    world.server.ask("faults", method=dice.choice((SEND, UPLOAD)), kind="drop", times=1)
    return "cut before the effect"


def cut_after(world: World, dice: random.Random) -> str:
    world.server.ask("faults", method=SEND, kind="drop", after=True, times=1)
    return "cut after the effect"


def server_error(world: World, dice: random.Random) -> str:
    method = dice.choice((SEND, SEND, UPLOAD, HISTORY))
    name = dice.choice(("INTERNAL", "RPC_CALL_FAIL", "TIMEOUT"))
    after = method == SEND and dice.random() < 0.5
    world.server.ask(
        "faults", method=method, kind="error", error=name, after=after, times=dice.randint(1, 3)
    )
    return "RPC 500 after the effect" if after else "RPC 500"


def flood(world: World, dice: random.Random) -> str:
    method = dice.choice((SEND, SEND, UPLOAD, HISTORY))
    seconds = dice.randint(1, 4)  # Telethon itself counts them by the real clock
    world.server.ask("faults", method=method, kind="error", error=f"FLOOD_WAIT_{seconds}", times=1)
    return "FLOOD_WAIT"


def slow(world: World, dice: random.Random) -> str:
    after = dice.random() < 0.5
    seconds = dice.uniform(0.5, 5.0)
    world.server.ask("faults", method=SEND, kind="delay", seconds=seconds, after=after, times=1)
    return "slow reply"


def restart(world: World, dice: random.Random) -> str:
    after = dice.random() < 0.5
    away = dice.choice((0.0, 1.0, 7.0))
    world.server.ask("faults", method=SEND, kind="restart", seconds=away, after=after, times=1)
    return "server restart in a send"


def server_killed(world: World, dice: random.Random) -> str:
    world.server.kill()
    time.sleep(dice.uniform(0.0, 0.5))
    world.server.start()
    return "server killed"


def locked(world: World, dice: random.Random) -> str:
    seconds = dice.choice((1.0, 3.0, 6.5))

    def hold() -> None:
        with contextlib.suppress(sqlite3.OperationalError):
            other = sqlite3.connect(world.ledger, timeout=1, isolation_level=None)
            try:
                other.execute("BEGIN IMMEDIATE")
                time.sleep(seconds)
                other.execute("ROLLBACK")
            finally:
                other.close()

    threading.Thread(target=hold, daemon=True).start()
    return "database locked"


def spoilt(world: World, dice: random.Random) -> str:
    open_posts = world.rows(
        "SELECT m.file FROM post p JOIN meme m ON m.id = p.meme_id "
        "WHERE p.state IN ('planned', 'claimed', 'sending') ORDER BY p.due_at LIMIT 6"
    )
    if not open_posts:
        return "picture spoilt (none left)"
    path = world.media / dice.choice(open_posts)[0]
    if dice.random() < 0.3:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(b"\xff\xd8 no picture any more")
    return "picture spoilt"


def disk_full(world: World, dice: random.Random) -> str:
    if not world.mounted:
        return "disk full (skipped: only root can mount a small disk)"
    ballast = world.folder / "var" / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(2**16)):
            pass
    seconds = dice.uniform(0.5, 3.0)

    def free() -> None:
        time.sleep(seconds)
        ballast.unlink(missing_ok=True)

    threading.Thread(target=free, daemon=True).start()
    return "disk full"


def clock_step(world: World, dice: random.Random) -> str:
    """The daemon's clock alone is wrong, by up to an hour and a half, either way."""
    write_step(world.folder, dice.choice((-5400, -900, -60, 0, 60, 900, 5400)))
    return "clock step"


def right_lost(world: World, dice: random.Random) -> str:
    """One channel is closed to us for a while; the other is not."""
    channel = dice.choice(HANDLES)
    world.server.ask("remove_admin", channel=channel, user=EDITOR)
    seconds = dice.uniform(0.5, 4.0)

    def give_back() -> None:
        time.sleep(seconds)
        # The server may be dead at this moment: `mend` gives it back too.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            world.server.ask("add_admin", channel=channel, user=EDITOR)

    threading.Thread(target=give_back, daemon=True).start()
    return "right to post lost, given back"


def session_refused(world: World, dice: random.Random) -> str:
    """The server disowns the session once, in the middle of the work; then knows it again."""
    method = dice.choice((SEND, UPLOAD, HISTORY))
    name = dice.choice(("AUTH_KEY_UNREGISTERED", "SESSION_REVOKED"))
    world.server.ask("faults", method=method, kind="error", error=name, times=1)
    return "session refused, known again"


def write_step(folder: Path, seconds: float) -> None:
    partial = folder / "step.partial"
    partial.write_text(str(seconds))
    partial.replace(folder / "step")


Fault = Callable[[World, random.Random], str]
FAULTS: tuple[tuple[Fault, int], ...] = (
    (cut_before, 3),
    (cut_after, 5),
    (server_error, 4),
    (flood, 2),
    (slow, 3),
    (restart, 2),
    (server_killed, 1),
    (locked, 2),
    (spoilt, 1),
    (disk_full, 2),
    (clock_step, 2),
    (right_lost, 2),
    (session_refused, 1),
)


def inject(world: World, dice: random.Random) -> str:
    faults, weights = zip(*FAULTS, strict=True)
    fault: Fault = dice.choices(faults, weights)[0]
    return fault(world, dice)


def mend(world: World) -> None:
    """Everything works again, and the clock stands where the last post's time has come."""
    world.server.ask("clear_faults")
    for channel in HANDLES:
        world.server.ask("add_admin", channel=channel, user=EDITOR)
    (world.folder / "var" / "ballast").unlink(missing_ok=True)
    due = world.rows("SELECT max(due_at) FROM post WHERE state = 'planned'")[0][0]
    ahead = (
        datetime.fromisoformat(due) - world.clock().replace(tzinfo=None) if due else timedelta(0)
    )
    write_step(world.folder, max(0.0, ahead.total_seconds()))
