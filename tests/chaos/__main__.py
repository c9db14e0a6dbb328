"""``python -m tests.chaos --kills 100 --seed 1``: kill a real daemon, then count the effects."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.episode import Episode, Zygote, run_episode


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the first episode; then upwards")
    parser.add_argument("--each", type=int, default=25, help="kills in one episode")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no episode after these")
    parser.add_argument("--keep", type=Path, help="where a failed episode's files are kept")
    return parser.parse_args()


def run(kills: int, seed: int, each: int, root: Path, minutes: float = 1e9) -> list[Episode]:
    """Episodes until `kills` kills are done or the time is over; one printed line each."""
    until = time.monotonic() + minutes * 60
    zygote = Zygote()
    episodes: list[Episode] = []
    try:
        while (left := kills - sum(e.killed for e in episodes)) > 0 and time.monotonic() < until:
            episode = run_episode(root, seed + len(episodes), min(each, left), zygote)
            episodes.append(episode)
            print(line(episode), flush=True)
            for found in episode.found:
                print(f"  VIOLATION (seed {episode.seed}): {found}", flush=True)
    finally:
        zygote.close()
    return episodes


def line(e: Episode) -> str:
    ends = ", ".join(f"{state} {n}" for state, n in sorted(e.ends.items()))
    return (
        f"seed {e.seed}, random_id «{e.mode}»: {e.killed} kills, {e.faults.total()} faults, "
        f"{e.seconds:.0f} s; {ends}; violations {len(e.found)}"
    )


def summary(episodes: list[Episode]) -> str:
    kills: Counter[str] = sum((e.kills for e in episodes), Counter())
    faults: Counter[str] = sum((e.faults for e in episodes), Counter())
    ends: Counter[str] = sum((e.ends for e in episodes), Counter())
    parts = [f"kills {kills.total()}: " + _listed(kills)]
    parts += [f"faults {faults.total()}: " + _listed(faults)]
    parts += [f"posts {ends.total()}: " + _listed(ends)]
    parts += [f"violations: {sum(len(e.found) for e in episodes)}"]
    failed = [str(e.seed) for e in episodes if e.found]
    return "\n".join(parts + ([f"failed seeds: {', '.join(failed)}"] if failed else []))


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.most_common())


def main() -> None:
    options = parse()
    # SIGTERM unwinds too, so that servers are ended and small disks unmounted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    began = time.monotonic()
    root = options.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    episodes = run(options.kills, options.seed, options.each, root, options.minutes)
    print(summary(episodes))
    print(f"{time.monotonic() - began:.0f} s; files of failed episodes: {root}")
    if any(e.found for e in episodes):
        sys.exit(1)


if __name__ == "__main__":
    main()
