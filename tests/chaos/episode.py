"""One episode: a world, a number of kills with faults between, a quiet end, the audit."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.audit import violations
from tests.chaos.faults import inject, locked, mend, write_step
from tests.chaos.world import TOKEN, World, bot_answers, build_world, feed

STEPS = {
    "claimed": 2,
    "uploaded": 2,
    "sending": 5,
    "sent": 5,
    "published": 2,
    "reconciled": 4,
    "resending": 4,
}
SETTLING = ("reconciled", "resending")
FIRST_POSTS = 6  # those that follow are planned as they are needed
ASLEEP = 0.25  # of the lives that end at random
RESTART = 0.25  # real seconds until a daemon that ended by itself is started again
PATIENCE = 4.0  # real seconds until a step that does not come is a kill at random
AWAY = 25.0  # real seconds without a server in the last life: longer than Telethon tries
ANSWER = 30.0  # real seconds, of which Telethon needs some to see that the server is back
SETTLE = 150.0  # real seconds for the quiet end: two and a half simulated hours


@dataclass
class Episode:
    seed: int
    mode: str
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        return self.kills.total()


class Zygote:
    """The process that forks daemons."""

    def __init__(self) -> None:
        environ = os.environ | {
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "TELEGRAM_BOT_TOKEN": TOKEN,
        }
        environ.pop("NOTIFY_SOCKET", None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        )
        self._read()

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the process that forks daemons died")
        return dict(json.loads(line))

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return self._read()

    def start(self, folder: Path, kill_at: str = "", nth: int = 1) -> int:
        order = {"folder": str(folder), "kill_at": kill_at, "nth": nth}
        return int(self.ask(op="start", **order)["pid"])

    def wait(self, pid: int, seconds: float) -> int | None:
        code = self.ask(op="wait", pid=pid, seconds=seconds)["code"]
        return None if code is None else int(code)

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(10)


def run_episode(root: Path, seed: int, kills: int, zygote: Zygote) -> Episode:
    """Everything that happens follows from `seed`, but for the instants at which it happens."""
    began = time.monotonic()
    dice = random.Random(seed)
    episode = Episode(seed, dice.choice(("error", "existing")))
    world = build_world(root / f"seed-{seed}", seed, posts=FIRST_POSTS, mode=episode.mode)
    try:
        while episode.killed < kills:
            if dice.random() < 0.4:
                write_step(world.folder, 0)
            feed(world, dice)
            if dice.random() < 0.6:
                episode.faults[inject(world, dice)] += 1
            one_life(world, dice, zygote, episode)
        mend(world)
        episode.found += settle(world, zygote)
        episode.found += violations(world)
        episode.ends.update(state for (state,) in world.rows("SELECT state FROM post"))
    finally:
        episode.seconds = time.monotonic() - began
        if episode.found:
            keep(world)
        world.close()
        if not episode.found:
            shutil.rmtree(world.folder, ignore_errors=True)
    return episode


def keep(world: World) -> None:
    """The ledger (its small disk goes with the world) and the server's journal, to look at."""
    shutil.copytree(world.folder / "var", world.folder / "var-kept", dirs_exist_ok=True)
    entries = world.server.ask("journal")["entries"]
    (world.folder / "journal.json").write_text(json.dumps(entries, indent=1))


def one_life(world: World, dice: random.Random, zygote: Zygote, episode: Episode) -> None:
    """The daemon starts, and dies at a step of the send path or at some instant."""
    label = drawn_label(world, dice)
    if label:
        pid = zygote.start(world.folder, label, dice.randint(1, 2))
        code = zygote.wait(pid, PATIENCE)
    else:
        pid = zygote.start(world.folder)
        code = zygote.wait(pid, dice.uniform(0.05, 1.5))
        if code is None and dice.random() < ASLEEP:
            sleep_through(pid, dice)
            episode.faults["daemon asleep"] += 1
        if code is None:
            code = zygote.wait(pid, dice.uniform(0.0, 1.5))
    if code is None:
        os.kill(pid, signal.SIGKILL)
        code = zygote.wait(pid, 30)
        label = ""
    if code == -signal.SIGKILL:
        episode.kills[label or "at random"] += 1
    else:
        episode.faults[f"the daemon ended by itself ({code})"] += 1
        time.sleep(RESTART)


def sleep_through(pid: int, dice: random.Random) -> None:
    """Stop the daemon for up to three simulated minutes, longer than a claim's lease."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(dice.uniform(0.3, 3.0))
    os.kill(pid, signal.SIGCONT)


def drawn_label(world: World, dice: random.Random) -> str:
    """A step that can come: none is reconciled where nothing is unclear."""
    unclear = world.rows("SELECT count(*) FROM post WHERE state = 'sending'")[0][0]
    if dice.random() < 0.35:
        return ""
    weights = [w if unclear or label not in SETTLING else 0 for label, w in STEPS.items()]
    return dice.choices(list(STEPS), weights)[0]


def settle(world: World, zygote: Zygote) -> list[str]:
    """Let the daemon bring everything to its end after a last outage, ask its bot, end it politely.

    The outage meets a daemon at work that nothing restarts afterwards.
    """
    pid = zygote.start(world.folder)
    zygote.wait(pid, 3.0)
    world.server.kill()
    locked(world, random.Random(0))
    time.sleep(AWAY)
    world.server.start()
    until = time.monotonic() + SETTLE
    quiet = 0
    while quiet < 4 and time.monotonic() < until:
        if zygote.wait(pid, 0.7) is not None:
            pid = zygote.start(world.folder)
        open_posts = world.rows(
            "SELECT count(*) FROM post WHERE state IN ('planned', 'claimed', 'sending')"
        )[0][0]
        quiet = quiet + 1 if not open_posts else 0
    found = [] if asyncio.run(bot_answers(world, ANSWER)) else ["the bot answers nobody"]
    os.kill(pid, signal.SIGTERM)
    code = zygote.wait(pid, 15)
    if code is None:
        os.kill(pid, signal.SIGKILL)
        zygote.wait(pid, 30)
        return [*found, "SIGTERM did not end the daemon within 15 s"]
    return found if code == 0 else [*found, f"after SIGTERM the daemon ended with {code}"]
