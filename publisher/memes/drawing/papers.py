"""Things written on paper and boards."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .sheet import INK, LINE, SCALE, Sheet, smooth


def speckle(s: Sheet, box: tuple[int, int, int, int], strength: float, seed: int) -> None:
    """Grain over a part of the sheet, as of paper or cork."""
    random = np.random.default_rng(seed)
    x0, y0, x1, y1 = (v * SCALE for v in box)
    part = np.asarray(s.image.crop((x0, y0, x1, y1))).astype(np.float32)
    coarse = random.normal(0, strength, ((y1 - y0) // 6 + 1, (x1 - x0) // 6 + 1))
    grain = np.kron(coarse, np.ones((6, 6)))[: y1 - y0, : x1 - x0, None]
    s.image.paste(Image.fromarray(np.clip(part + grain, 0, 255).astype(np.uint8)), (x0, y0))


def list_of_four() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#c98f5a", "#a9703f")
    for k in range(9):
        y = k * 150
        s.stroke([(0, y), (1080, y + 8)], 5, "#8f5c32")
    speckle(s, (0, 0, 1080, 1280), 5, 1)
    s.shadow((80, 90, 985, 1220), radius=26, blur=22, alpha=0.5, shift=(10, 18))
    s.rect((72, 80, 980, 1216), "#fffdf3", radius=26, line=LINE)
    s.rect((82, 90, 970, 310), "#ffd8d0", radius=20)
    s.rect((82, 250, 970, 312), "#ffd8d0")
    for k in range(4):
        s.stroke([(110, 515 + k * 200), (945, 515 + k * 200)], 4, "#b9d3ea")
    s.stroke([(76, 312), (976, 312)], 6, "#e8505b")
    for k in range(9):
        x = 150 + k * 94
        s.disc(x, 132, 20, "#6d4a2d", line=5)
        s.stroke(
            smooth([(x, 130), (x - 16, 80), (x, 46), (x + 12, 80)], closed=False), 11, "#60646f"
        )
    for k in range(4):
        y = 372 + k * 200
        s.rect((122, y, 216, y + 94), "white", radius=16, line=8)
        if k < 3:
            s.stroke([(140, y + 46), (166, y + 76), (222, y - 8)], 15, "#2f9e44")
    # the odd one out, ringed in red
    ring = [
        (100, 1010),
        (230, 944),
        (560, 938),
        (870, 950),
        (972, 1040),
        (900, 1140),
        (560, 1166),
        (220, 1160),
        (92, 1090),
        (130, 990),
        (300, 930),
    ]
    s.stroke(smooth(ring, closed=False), 10, "#e03131")
    s.emoji("✏️", 960, 330, 240, angle=20)
    s.emoji("❗", 172, 1018, 110)
    return s.finished()


def announcement() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#d9a066", "#c58a4e")
    speckle(s, (0, 0, 1080, 1280), 16, 7)
    s.rect((0, 0, 1080, 1280), None, line=34, ink="#7a4a24")
    s.rect((28, 28, 1052, 1252), None, line=6)
    s.rect((0, 0, 1080, 1280), None, line=6)
    s.shadow((130, 110, 960, 1110), radius=6, blur=18, alpha=0.5, shift=(8, 16))
    s.rect((120, 100, 960, 980), "#fffdf5", radius=4, line=7)
    # tear-off strips, one already taken
    for k in range(8):
        x0 = 120 + k * 105
        if k == 5:
            continue
        drop = 14 if k % 3 == 1 else 0
        s.polygon(
            [(x0, 976), (x0 + 105, 976), (x0 + 105 + drop / 2, 1150 + drop), (x0 + drop / 2, 1150)],
            "#fffdf5",
            line=5,
        )
        for n in range(3):
            y = 1010 + n * 38
            s.stroke([(x0 + 26 + drop / 4, y), (x0 + 80 + drop / 4, y)], 7, "#9aa0ac")
    s.rect((125, 960, 955, 982), "#fffdf5")
    s.stroke([(124, 978), (956, 978)], 4, "#c9c4b4")
    s.stroke([(200, 372), (880, 372)], 7, "#c92a2a")
    s.stroke([(200, 388), (880, 388)], 3, "#c92a2a")
    for x, y, color in ((170, 150, "#e03131"), (910, 150, "#1c7ed6")):
        s.disc(x + 6, y + 10, 30, "#cfc8b8")
        s.disc(x, y, 30, color, line=7)
        s.disc(x - 9, y - 10, 9, "#ffffff")
    s.emoji("🐾", 830, 880, 130, angle=-18, alpha=0.8)
    s.emoji("📌", 1010, 1150, 120)
    return s.finished()
