"""Things written on paper and boards."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .sheet import GREY_CAT, INK, LINE, SCALE, Point, Sheet, smooth


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
    s.emoji("🐾", 888, 905, 110, angle=-18, alpha=0.8)
    s.emoji("📌", 1010, 1150, 120)
    return s.finished()


def comparison_table() -> Image.Image:
    s = Sheet(1200, 1280, "#fff8ea")
    s.gradient("#4dabf7", "#1c7ed6", (0, 0, 600, 470))
    s.gradient("#ff8787", "#e03131", (600, 0, 1200, 470))
    s.rays(300, 170, "#a5d8ff", count=18, within=(0, 0, 600, 470), alpha=0.6)
    s.rays(900, 170, "#ffc9c9", count=18, within=(600, 0, 1200, 470), alpha=0.6)
    s.cat("😼", 300, 175, 310)
    s.cat("😾", 900, 175, 310, fur=GREY_CAT)
    s.rect((0, 320, 600, 480), "#1864ab")
    s.rect((600, 320, 1200, 480), "#a61e1e")
    s.rect((0, 480, 600, 880), "#e7f5ff")
    s.rect((600, 480, 1200, 880), "#fff0f0")
    s.rect((0, 880, 600, 1280), "#d6ecfd")
    s.rect((600, 880, 1200, 1280), "#ffe0e0")
    for y in (320, 480, 880):
        s.rect((0, y - 5, 1200, y + 5), INK)
    s.rect((594, 0, 606, 1280), INK)
    star = []
    for k in range(24):
        r = 92 if k % 2 else 72
        star.append((600 + r * np.cos(k * np.pi / 12), 170 + r * np.sin(k * np.pi / 12)))
    s.polygon([(float(x), float(y)) for x, y in star], "#ffd23f", line=LINE)
    s.stroke([(562, 140), (582, 200), (602, 140)], 14)
    s.stroke(
        smooth(
            [(650, 150), (630, 138), (616, 154), (634, 170), (650, 186), (634, 203), (612, 192)],
            closed=False,
        ),
        14,
    )
    s.rect((0, 0, 1200, 1280), None, line=10)
    return s.finished()


def pie_chart() -> Image.Image:
    s = Sheet(1200, 1280)
    s.gradient("#f8f9ff", "#e3e8ff")
    for k in range(1, 13):
        s.stroke([(0, k * 100), (1200, k * 100)], 2, "#d5dbf5")
        s.stroke([(k * 100, 0), (k * 100, 1280)], 2, "#d5dbf5")
    s.rect((0, 0, 1200, 240), "#364fc7")
    s.rect((0, 234, 1200, 246), INK)
    x, y, r = 600, 590, 310
    s.disc(x + 12, y + 22, r + 6, "#b3bce0")
    s.disc(x, y, r, "#ff922b", line=LINE)
    wedge: list[Point] = [(x, y)]
    for angle in np.radians(np.linspace(-78, -38, 30)):
        wedge.append((x + r * float(np.cos(angle)), y + r * float(np.sin(angle))))
    shift = (34.0, -46.0)
    s.polygon([(x, y), *wedge[1:]], "#f1f3ff", line=LINE)
    s.polygon([(px + shift[0], py + shift[1]) for px, py in wedge], "#38d9a9", line=LINE)
    s.stroke([(430, 400), (390, 450)], 16, "#ffc078")
    s.stroke([(372, 480), (352, 540)], 16, "#ffc078")
    s.cat("😹", 545, 672, 320)
    for top, color in ((944, "#ff922b"), (1112, "#38d9a9")):
        s.rect((50, top, 1150, top + 146), "#ffffff", radius=28, line=8)
        s.rect((82, top + 33, 162, top + 113), color, radius=16, line=8)
    s.rect((0, 0, 1200, 1280), None, line=10)
    return s.finished()


def _rosette(s: Sheet, x: float, y: float) -> None:
    for dx, color in ((-46, "#c92a2a"), (46, "#c92a2a")):
        s.polygon(
            [
                (x + dx - 40, y + 40),
                (x + dx + 40, y + 40),
                (x + dx * 1.9 + 34, y + 200),
                (x + dx * 1.7, y + 170),
                (x + dx * 1.9 - 44, y + 204),
            ],
            color,
            line=7,
        )
    points = []
    for k in range(32):
        r = 108 if k % 2 else 92
        points.append(
            (x + r * float(np.cos(k * np.pi / 16)), y + r * float(np.sin(k * np.pi / 16)))
        )
    s.polygon(points, "#e03131", line=7)
    s.disc(x, y, 74, "#ffd23f", line=7)
    s.cat("😺", x, y + 2, 118)


def diploma() -> Image.Image:
    s = Sheet(1280, 1000)
    s.gradient("#fffaf0", "#fff0d2")
    speckle(s, (0, 0, 1280, 1000), 2.5, 9)
    s.rect((0, 0, 1280, 1000), None, line=36, ink="#b8862b")
    s.rect((0, 0, 1280, 1000), None, line=8)
    s.rect((36, 36, 1244, 964), None, line=5)
    s.rect((54, 54, 1226, 946), None, line=10, ink="#2b6e5a")
    s.rect((72, 72, 1208, 928), None, line=3, ink="#b8862b")
    for x, y in ((64, 64), (1216, 64), (64, 936), (1216, 936)):
        s.disc(x, y, 58, "#fff6e2", line=8, ink="#2b6e5a")
        s.emoji("🐾", x, y, 88)
    for k in range(40):
        for y in (90, 910):
            s.disc(150 + k * 25.1, y, 5, "#b8862b")
    for side in (-1, 1):
        path = smooth(
            [
                (640 + side * 430, 200),
                (640 + side * 380, 160),
                (640 + side * 340, 200),
                (640 + side * 380, 226),
                (640 + side * 420, 190),
            ],
            closed=False,
        )
        s.stroke(path, 7, "#b8862b")
    s.stroke([(250, 470), (1030, 470)], 4, "#b8862b")
    s.polygon([(640, 458), (660, 470), (640, 482), (620, 470)], "#b8862b")
    s.stroke([(860, 850), (1120, 850)], 4)
    s.stroke(
        smooth(
            [
                (880, 836),
                (910, 770),
                (930, 840),
                (960, 780),
                (975, 836),
                (1010, 800),
                (1030, 838),
                (1100, 812),
            ],
            closed=False,
        ),
        6,
        "#1c4fd6",
    )
    s.emoji("🐾", 1120, 790, 74, angle=-20)
    _rosette(s, 225, 730)
    return s.finished()
