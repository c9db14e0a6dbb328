"""The report as a browser shows it: telephone, desktop, dark, print. Slow: starts Chromium."""

import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.analysis import analyse
from tests.experiments.test_report import FULL, SUGGESTIONS, full_report

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium"),
]
WIDTHS = {"phone": 390, "desktop": 1100}
DARK = "--blink-settings=preferredColorScheme=0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    found = analyse(FULL, SUGGESTIONS, experiment="autumn", started=date(2026, 9, 7))
    place = tmp_path_factory.mktemp("pages")
    full_report(place, found)
    for name, width in WIDTHS.items():
        # Headless windows are at least 500 px wide; a frame may be as narrow as a telephone.
        (place / f"{name}.html").write_text(
            "<!doctype html><body style='margin:0'>"
            f"<iframe id=f src=report.html style='border:0;width:{width}px;height:7000px'></iframe>"
            "<script>onload=()=>{const d=f.contentDocument.documentElement,"
            "b=[...d.querySelectorAll('.frame')].map(e=>[e.clientWidth,e.clientHeight,"
            "e.scrollWidth,e.scrollHeight].join(' '));"
            "document.title=`${d.scrollWidth} ${d.clientWidth} ${d.scrollHeight};${b}`}</script>"
        )
    return place


def chromium(folder: Path, page: str, *options: str) -> str:
    done = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}",
            *options, (folder / page).as_uri(),
        ],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout


def screenshot(folder: Path, page: str, name: str, width: int, *options: str) -> np.ndarray:
    path = folder / f"{name}.png"
    chromium(folder, page, f"--screenshot={path}", f"--window-size={width},7000", *options)
    keep = os.environ.get("REPORT_SCREENSHOTS")
    if keep:
        Path(keep).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, keep)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.mark.parametrize("name", WIDTHS)
def test_nothing_runs_over_the_edge(folder, name):
    dom = chromium(folder, f"{name}.html", "--dump-dom", "--window-size=1200,7000")
    scroll, client, height = map(int, re.search(r"<title>(\d+) (\d+) (\d+)", dom).groups())
    assert scroll == client == WIDTHS[name]
    assert height > 2000


@pytest.mark.parametrize("name", WIDTHS)
def test_no_picture_is_cut_by_its_frame(folder, name):
    dom = chromium(folder, f"{name}.html", "--dump-dom", "--window-size=1200,7000")
    frames = [
        tuple(map(int, box.split()))
        for box in re.search(r"<title>[^;]*;([^<]*)</title>", dom)[1].split(",")
    ]
    assert len(frames) > 6
    assert all((w, h) == (across, down) and w > 100 for w, h, across, down in frames), frames


@pytest.mark.parametrize("name", WIDTHS)
def test_light_page_shows_ink_on_paper(folder, name):
    pixels = screenshot(folder, f"{name}.html", name, 1200)[:, : WIDTHS[name]]
    assert pixels[5, 2].sum() > 3 * 225
    blue, orange = np.array([35, 100, 210]), np.array([196, 104, 26])
    for colour in (blue, orange):
        assert (np.abs(pixels - colour).sum(axis=2) < 12).sum() > 200


def test_dark_page_is_dark_with_light_text_in_the_figures(folder):
    pixels = screenshot(folder, "desktop.html", "dark", 1200, DARK)[:, :1100]
    assert pixels[5, 2].sum() < 3 * 45
    assert np.median(pixels) < 60
    assert (pixels.sum(axis=2) > 3 * 215).sum() > 2000


def test_printing_gives_a_document_of_few_pages(folder):
    path = folder / "report.pdf"
    chromium(folder, "report.html", f"--print-to-pdf={path}", "--no-pdf-header-footer")
    data = path.read_bytes()
    assert data[:4] == b"%PDF"
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 10
