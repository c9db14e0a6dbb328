"""A hundred kills for CI; `make chaos N=1000` for long runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import run, summary

KILLS, SEED, EACH = 100, 7000, 25
MINUTES = 30.0
"""Several times what it takes on two quiet cores; over it the test fails, whatever it found."""


@pytest.mark.slow
def test_a_hundred_kills_break_no_promise(tmp_path: Path) -> None:
    episodes = run(kills=KILLS, seed=SEED, each=EACH, root=tmp_path, minutes=MINUTES)
    print(summary(episodes))
    found = [f"seed {e.seed}: {promise}" for e in episodes for promise in e.found]
    assert not found, "replay with: make chaos N=25 SEED=…\n" + "\n".join(found)
    killed = sum(e.killed for e in episodes)
    seeds = ", ".join(str(e.seed) for e in episodes)
    assert killed >= KILLS, f"{killed} of {KILLS} kills in {MINUTES:.0f} minutes (seeds {seeds})"
    assert all(e.ends["published"] for e in episodes), "an episode published nothing at all"
