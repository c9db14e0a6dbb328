"""Commands that are cut short: Ctrl-C, and a reader that has seen enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PUBLISHER = (sys.executable, "-m", "publisher")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("command", "sign"),
    [
        (("meme", "ипотека", "--count", "50"), "… подбираю"),
        (("models", "check"), "…"),
    ],
)
def test_ctrl_c_ends_a_command_that_computes(
    tmp_path: Path, command: tuple[str, ...], sign: str
) -> None:
    process = subprocess.Popen(
        [*PUBLISHER, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith(sign):
        assert line, "it ended before it computed"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    *progress, last = err.splitlines()
    assert (process.returncode, out, last) == (130, "", "прервано")
    assert all(line.startswith("… ") for line in progress)
    assert not list(tmp_path.glob("memes/*.jpg"))


@pytest.mark.parametrize(
    "command",
    [
        ("templates", "list"),
        ("templates", "list", "--json"),
        ("screen", "--kind", "topic"),
        ("check", "--offline"),
    ],
)
def test_a_reader_that_has_gone_is_no_trouble(tmp_path: Path, command: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*PUBLISHER, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input="котики\n" * 3,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
