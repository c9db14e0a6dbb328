"""Above the clouds: a launch, and the moon over a roof."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .scenes import stars
from .sheet import INK, LINE, SCALE, Sheet, smooth


def rocket() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#0b1437", "#3b2b7a", (0, 0, 1080, 700))
    s.gradient("#3b2b7a", "#ff8c5a", (0, 700, 1080, 1280))
    stars(s, (0, 0, 1080, 760), 190, 21)
    s.disc(890, 350, 96, "#fff3c4")
    for x, y, r in ((860, 320, 20), (920, 370, 26), (878, 390, 12)):
        s.disc(x, y, r, "#e9d8a0")
    s.glow(540, 960, 520, "#ffd08a", 0.9)
    # flame
    for spread, length, color in (
        (120, 1130, "#ff5d2e"),
        (82, 1070, "#ffb02e"),
        (44, 1000, "#fff3b0"),
    ):
        s.blob(
            [
                (540 - spread, 800),
                (540 - spread * 0.8, 900),
                (540, length),
                (540 + spread * 0.8, 900),
                (540 + spread, 800),
                (540, 780),
            ],
            color,
            line=LINE if spread == 120 else 0.01,
        )
    # body
    for side in (-1, 1):
        s.polygon(
            [
                (540 + side * 96, 640),
                (540 + side * 220, 790),
                (540 + side * 214, 850),
                (540 + side * 100, 800),
            ],
            "#e03131",
            line=LINE,
        )
    s.blob(
        [
            (540, 210),
            (620, 320),
            (662, 470),
            (660, 640),
            (630, 806),
            (450, 806),
            (420, 640),
            (418, 470),
            (460, 320),
        ],
        "#f8f9fa",
    )
    shade = smooth(
        [
            (540, 222),
            (612, 326),
            (652, 472),
            (650, 640),
            (622, 798),
            (560, 798),
            (590, 640),
            (596, 470),
            (572, 320),
        ]
    )
    s.polygon(shade, "#ced4da")
    nose = [
        p
        for p in smooth(
            [
                (540, 210),
                (620, 320),
                (662, 470),
                (660, 640),
                (630, 806),
                (450, 806),
                (420, 640),
                (418, 470),
                (460, 320),
            ]
        )
        if p[1] <= 345
    ]
    s.polygon(sorted(nose, key=lambda p: p[0]), "#e03131", line=LINE)
    s.rect((444, 770, 636, 820), "#495057", radius=14, line=LINE)
    s.disc(540, 500, 100, "#adb5bd", line=LINE)
    s.disc(540, 500, 78, "#a5d8ff", line=LINE)
    s.cat("🙀", 540, 506, 132)
    s.emoji("🐾", 540, 680, 96)
    # smoke
    puffs = (
        (540, 1180, 150),
        (390, 1200, 130),
        (690, 1200, 130),
        (240, 1230, 130),
        (840, 1230, 130),
        (100, 1260, 120),
        (980, 1260, 120),
        (320, 1290, 130),
        (760, 1290, 130),
        (540, 1300, 150),
    )
    for x, y, r in puffs:
        s.disc(x, y, r + LINE, INK)
    for x, y, r in puffs:
        s.disc(x, y, r, "#e9ecef")
    for x, y, r in puffs:
        s.disc(x - r * 0.18, y - r * 0.2, r * 0.7, "#ffffff")
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def _craters(side: int, seed: int) -> np.ndarray:
    """Height of a cratered ground, side × side."""
    random = np.random.default_rng(seed)
    ground = np.zeros((side, side))
    for octave in (4, 8, 16, 32, 64):
        noise = random.normal(0, 1, (octave, octave))
        layer = Image.fromarray(noise.astype(np.float32)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
        ground += np.asarray(layer) * 14 / octave
    for _ in range(420):
        r = float(np.clip(random.pareto(1.6) * 9 + 5, 5, 110))
        cx, cy = (float(v) for v in random.uniform(0, side, 2))
        x0, x1 = int(max(0, cx - 2 * r)), int(min(side, cx + 2 * r))
        y0, y1 = int(max(0, cy - 2 * r)), int(min(side, cy + 2 * r))
        if x1 <= x0 or y1 <= y0:
            continue
        d = np.hypot(np.arange(x0, x1)[None, :] - cx, np.arange(y0, y1)[:, None] - cy) / r
        bowl = np.where(d < 1, (d**2 - 1) * 0.28, 0.0) + 0.22 * np.exp(-((d - 1) ** 2) / 0.03)
        ground[y0:y1, x0:x1] += bowl * r * 0.55
    return ground


def moon() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#050a1c", "#1d2a55")
    stars(s, (0, 420, 1080, 1150), 150, 31)
    stars(s, (0, 0, 1080, 40), 14, 32)
    for x in (0, 1030):
        stars(s, (x, 0, x + 50, 420), 12, 33 + x)
    side = 1500
    height = _craters(side, 12)
    maria = np.asarray(
        Image.fromarray(np.random.default_rng(5).normal(0, 1, (5, 5)).astype(np.float32)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
    )
    slope_y, slope_x = np.gradient(height)
    axis = np.linspace(-1, 1, side)
    across, down = axis[None, :], axis[:, None]
    r2 = across**2 + down**2
    z = np.sqrt(np.clip(1 - r2, 0, 1))
    facing = np.clip(0.55 * z - 0.42 * across - 0.38 * down + 0.22 * (slope_x + slope_y), 0, 1.3)
    albedo = 0.9 - 0.2 * np.clip(maria, -0.2, 1.2)
    shade = np.clip(22 + 235 * facing**0.85 * albedo, 0, 255)
    pixels = np.stack([shade, shade * 0.985, shade * 0.93], axis=2).astype(np.uint8)
    disc = np.clip((1 - np.sqrt(r2)) * side / 4, 0, 1) * 255
    s.glow(640, 820, 760, "#6d86c9", 0.55)
    size = round(820 * SCALE)
    where = (round(230 * SCALE), round(465 * SCALE))
    s.image.paste(
        Image.fromarray(pixels).resize((size, size), Image.Resampling.BICUBIC),
        where,
        Image.fromarray(disc.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC),
    )
    # a roof, and the thinker on it
    s.polygon(
        [(0, 1280), (0, 1190), (330, 1040), (700, 1210), (1080, 1150), (1080, 1280)], "#060912"
    )
    s.rect((120, 960, 200, 1160), "#060912")
    s.rect((108, 950, 212, 984), "#060912")
    s.polygon(
        smooth(
            [
                (266, 1090),
                (270, 1010),
                (300, 950),
                (330, 930),
                (322, 880),
                (330, 820),
                (356, 850),
                (388, 850),
                (414, 822),
                (420, 882),
                (410, 930),
                (436, 980),
                (446, 1090),
            ]
        ),
        "#060912",
    )
    s.stroke(
        smooth([(430, 1080), (490, 1090), (520, 1040), (506, 990)], closed=False), 24, "#060912"
    )
    return s.finished()
