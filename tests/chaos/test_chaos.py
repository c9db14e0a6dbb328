"""A hundred kills for CI; `make chaos N=1000` for long runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.__main__ import run, summary


@pytest.mark.slow
def test_a_hundred_kills_break_no_promise(tmp_path: Path) -> None:
    episodes = run(kills=100, seed=7000, each=25, root=tmp_path, minutes=6)
    print(summary(episodes))
    assert [(e.seed, e.found) for e in episodes if e.found] == []
    assert sum(e.killed for e in episodes) >= 50
