"""Scenes with a stage, a street, a console, a handshake, and a brain that grows brighter."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from .cats import arm, paw
from .sheet import (
    BLACK_TO_WHITE,
    GREY_CAT,
    INK,
    LINE,
    WHITE_CAT,
    Point,
    Sheet,
    arc,
    smooth,
)


def stars(s: Sheet, box: tuple[float, float, float, float], count: int, seed: int) -> None:
    """Small stars of different brightness."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        x = random.uniform(box[0], box[2])
        y = random.uniform(box[1], box[3])
        s.disc(x, y, random.choice([1.2, 1.8, 2.6, 3.6], p=[0.45, 0.3, 0.17, 0.08]), "#ffffff")


def _head(s: Sheet, x: float, y: float, fill: str) -> None:
    s.blob(
        [
            (x - 105, y + 40),
            (x - 112, y - 30),
            (x - 118, y - 130),
            (x - 60, y - 92),
            (x, y - 100),
            (x + 60, y - 92),
            (x + 118, y - 130),
            (x + 112, y - 30),
            (x + 105, y + 40),
            (x + 50, y + 98),
            (x, y + 108),
            (x - 50, y + 98),
        ],
        fill,
    )


def _whiskers(s: Sheet, x: float, y: float, color: str) -> None:
    for side in (-1, 1):
        for dy in (-6, 18):
            s.stroke([(x + side * 66, y + 58 + dy / 2), (x + side * 138, y + 50 + dy)], 5, color)
    s.polygon([(x - 13, y + 40), (x + 13, y + 40), (x, y + 56)], "#ff9fb0", line=4)


def escalation() -> Image.Image:
    s = Sheet(1080, 1280, "#fffaf0")
    x = 790
    tops = (0, 320, 640, 960)
    # calm
    s.gradient("#3a3f58", "#262a3d", (500, 0, 1080, 320))
    _head(s, x, 185, "#5b6078")
    s.emoji("🧠", x, 125, 110, alpha=0.75)
    for side in (-1, 1):
        s.stroke(arc(x + side * 46, 196, 24, 20, 160), 8, INK)
    _whiskers(s, x, 185, INK)
    s.emoji("💤", x + 190, 80, 110, recolor=BLACK_TO_WHITE)
    # awake
    s.gradient("#1d3f8a", "#152a5c", (500, 320, 1080, 640))
    s.glow(x, 460, 240, "#6ea8ff", 0.8)
    _head(s, x, 505, "#46609c")
    s.glow(x, 440, 110, "#ffe8f0", 0.9)
    s.emoji("🧠", x, 440, 135)
    for side in (-1, 1):
        s.disc(x + side * 46, 518, 25, "#ffffff", line=6)
        s.disc(x + side * 46, 518, 11, INK)
    _whiskers(s, x, 505, INK)
    # enlightened
    s.gradient("#6b1fb1", "#2f0b5e", (500, 640, 1080, 960))
    s.rays(x, 790, "#ff5ec4", count=20, radius=420, within=(500, 640, 1080, 960), alpha=0.55)
    s.glow(x, 780, 250, "#ffd0f5", 0.9)
    _head(s, x, 825, "#8a4bd0")
    s.glow(x, 755, 130, "#ffffff", 1.0)
    s.emoji("🧠", x, 755, 165)
    for side in (-1, 1):
        s.polygon([(x + side * 46, 830), (x + side * 330, 800), (x + side * 330, 905)], "#7df9ff")
        s.disc(x + side * 46, 838, 27, "#ffffff", line=6, ink="#7df9ff")
    _whiskers(s, x, 825, "#ffffff")
    # one with the universe
    s.gradient("#0b0221", "#31004a", (500, 960, 1080, 1280))
    s.rays(x, 1110, "#ffd23f", count=32, radius=460, within=(500, 960, 1080, 1280), alpha=0.85)
    s.rays(
        x, 1110, "#ff4d6d", count=32, radius=460, within=(500, 960, 1080, 1280), alpha=0.8, turn=0.1
    )
    s.glow(x, 1110, 330, "#fff3b0", 1.0)
    stars(s, (500, 960, 1080, 1280), 90, 3)
    for art, px, py, side in (
        ("🪐", 580, 1040, 150),
        ("🌟", 1010, 1030, 120),
        ("🌌", 1000, 1210, 110),
        ("🌍", 575, 1210, 120),
    ):
        s.emoji(art, px, py, side)
    _head(s, x, 1150, "#fff7d6")
    s.glow(x, 1075, 150, "#ffffff", 1.0)
    s.emoji("🧠", x, 1072, 200)
    for side in (-1, 1):
        s.glow(x + side * 48, 1162, 60, "#00e5ff", 1.0)
        s.disc(x + side * 48, 1162, 24, "#ffffff", line=6, ink="#00b8d9")
    _whiskers(s, x, 1150, "#b8860b")
    s.rect((0, 0, 500, 1280), "#fffaf0")
    for top in tops[1:]:
        s.rect((0, top - 5, 1080, top + 5), INK)
    s.rect((0, 1275, 1080, 1280), INK)
    s.rect((495, 0, 505, 1280), INK)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def nobody_me() -> Image.Image:
    s = Sheet(1080, 1280, "#ffffff")
    floor = 1050
    s.gradient("#3b0d2b", "#1a0616", (0, 520, 1080, 1280))
    s.gradient("#a3324a", "#7a1f38", (0, floor, 1080, 1280))

    def light(pen: ImageDraw.ImageDraw) -> None:
        pen.polygon(
            [(v[0] * 3, v[1] * 3) for v in ((500, 470), (580, 470), (860, 1090), (220, 1090))],
            fill=190,
        )

    s.through(light, "#fff3c4", (0, 520, 1080, 1280), blur=8)
    s.ellipse((215, 1020, 865, 1130), "#ffe9a8")
    # curtains
    for side in (-1, 1):
        edge = 0 if side < 0 else 1080
        for k in range(4):
            x0 = edge - side * 62 * k
            x1 = edge - side * 62 * (k + 1)
            color = "#d62839" if k % 2 == 0 else "#b01e30"
            s.polygon([(x0, 520), (x1, 520), (x1 + side * 20, 1090), (x0, 1090)], color, line=6)
    for k in range(9):
        s.ellipse((k * 120, 455, k * 120 + 120, 625), "#d62839" if k % 2 else "#b01e30", line=6)
    s.rect((0, 400, 1080, 520), "#ffffff")
    s.rect((0, 514, 1080, 526), INK)
    # the artist
    s.blob(
        [(400, 1080), (415, 960), (470, 900), (540, 885), (610, 900), (665, 960), (680, 1080)],
        "#7b5cff",
    )
    for x in (470, 540, 610):
        s.emoji("✨", x, 1000 - abs(x - 540) / 3, 54)
    arm(s, [(640, 960), (740, 900), (790, 780)], 54)
    paw(s, 795, 745, 52)
    arm(s, [(430, 970), (400, 1010), (450, 985)], 50)
    s.cat("😹", 540, 740, 360, angle=4)
    s.emoji("🎤", 455, 935, 170, angle=-70)
    for art, x, y, side in (("🎵", 300, 690, 110), ("🎶", 800, 620, 110), ("🎵", 300, 860, 80)):
        s.emoji(art, x, y, side, recolor=BLACK_TO_WHITE)
    # empty seats, one cricket
    for k in range(6):
        x = -40 + k * 200
        s.rect((x, 1150, x + 170, 1330), "#5c1227", radius=44, line=LINE)
        s.rect((x + 24, 1176, x + 146, 1330), "#7d1b36", radius=30)
    s.emoji("🦗", 845, 1140, 130, flip=True)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def _person(s: Sheet, x: float, shirt: str, *, lean: float = 0) -> None:
    """Shoulders about x down to the lower edge of a 1100 px sheet; `lean` moves the shoulders."""
    s.blob(
        [
            (x - 215, 1200),
            (x - 205 + lean / 2, 850),
            (x - 185 + lean, 690),
            (x - 100 + lean, 615),
            (x + lean, 596),
            (x + 100 + lean, 615),
            (x + 185 + lean, 690),
            (x + 205 + lean / 2, 850),
            (x + 215, 1200),
        ],
        shirt,
    )


def distracted() -> Image.Image:
    s = Sheet(1280, 1100)
    s.gradient("#ffe0b5", "#ffc3a0")
    random = np.random.default_rng(11)
    for k in range(7):
        x = k * 190 - 30
        top = 120 + float(random.uniform(0, 170))
        color = ("#f4a9a8", "#f7c59f", "#c9b6e4", "#9fd8cb")[k % 4]
        s.rect((x, top, x + 196, 760), color, line=5, ink="#b98a7a")
        for row in range(4):
            for col in range(3):
                s.rect(
                    (
                        x + 26 + col * 52,
                        top + 40 + row * 84,
                        x + 58 + col * 52,
                        top + 90 + row * 84,
                    ),
                    "#fff1c9" if (row + col + k) % 3 else "#8fb8de",
                )
    s.gradient("#b9bcc8", "#8d91a2", (0, 740, 1280, 1100))
    s.rect((0, 736, 1280, 748), "#7a7e8e")
    # temptation, passing by with her tail up
    tail = smooth([(1180, 1000), (1262, 900), (1225, 780), (1272, 690)], closed=False)
    s.stroke(tail, 56)
    s.stroke(tail, 38, "#faf0e8")
    _person(s, 1060, "#f03e3e")
    s.cat("😽", 1060, 440, 390, fur=WHITE_CAT, flip=True)
    s.emoji("🎀", 1170, 290, 160, angle=-20)
    for x, y, side in ((880, 240, 100), (1232, 520, 80), (880, 560, 70), (1010, 190, 70)):
        s.emoji("💖", x, y, side)
    # duty, abandoned
    _person(s, 230, "#3b5bdb")
    s.polygon([(172, 606), (288, 606), (230, 680)], "#ffffff", line=7)
    s.cat("😾", 230, 430, 390, fur=GREY_CAT)
    s.emoji("💢", 84, 250, 140)
    # me, turned after temptation
    _person(s, 630, "#2f9e44", lean=46)
    s.cat("😻", 690, 400, 410, angle=-13)
    for k in range(3):
        s.stroke(arc(690, 400, 250 + 26 * k, 198 + 4 * k, 232 - 4 * k), 9, "#ffffff")
    s.rect((0, 0, 1280, 1100), None, line=10)
    return s.finished()


def two_buttons() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#8ecae6", "#5fa8d3", (0, 0, 1080, 640))
    s.polygon([(0, 60), (1080, 0), (1080, 560), (0, 600)], "#c9ced6", line=LINE)
    s.polygon([(0, 60), (1080, 0), (1080, 40), (0, 104)], "#e6e9ee")
    for x, y in ((45, 120), (1035, 72), (45, 550), (1035, 510)):
        s.disc(x, y, 17, "#8d939e", line=5)
        s.stroke([(x - 8, y - 8), (x + 8, y + 8)], 5)
    for x0 in (80, 560):
        s.rect((x0, 110, x0 + 440, 330), "#fffdf3", radius=16, line=LINE)
    for x in (300, 780):
        s.ellipse((x - 160, 400, x + 160, 590), "#7c828d", line=LINE)
        s.ellipse((x - 130, 370, x + 130, 540), "#a01522", line=LINE)
        s.ellipse((x - 130, 345, x + 130, 510), "#e5383b", line=LINE)
        s.ellipse((x - 84, 366, x + 20, 416), "#ff8086")
    s.gradient("#ff9f68", "#e85d3f", (0, 640, 1080, 1280))
    s.rays(540, 980, "#ffbf8f", count=24, within=(0, 640, 1080, 1280), alpha=0.7)
    s.rect((0, 634, 1080, 646), INK)
    s.blob(
        [(190, 1340), (225, 1150), (380, 1065), (540, 1045), (700, 1065), (855, 1150), (890, 1340)],
        "#4dabf7",
    )
    s.cat("🙀", 540, 880, 470)
    for x, y, side, angle in (
        (285, 800, 96, 20),
        (800, 790, 96, -20),
        (250, 960, 80, 20),
        (838, 950, 80, -20),
        (330, 690, 70, 10),
        (750, 690, 70, -10),
    ):
        s.emoji("💧", x, y, side, angle=angle)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def _limb(s: Sheet, a: Point, b: Point, width: float, color: str) -> None:
    s.stroke([a, b], width + 2 * LINE)
    s.stroke([a, b], width, color)


def _stripes(s: Sheet, a: Point, b: Point, width: float, color: str) -> None:
    """Three tabby stripes over the limb from a to b."""
    along = np.array(b) - np.array(a)
    across = np.array([-along[1], along[0]]) / np.hypot(*along) * width / 2
    for share in (0.42, 0.54, 0.66):
        middle = np.array(a) + along * share
        start, end = middle - across, middle - across * 0.1
        s.stroke([(start[0], start[1]), (end[0], end[1])], 20, color)


def _arm(s: Sheet, shoulder: Point, wrist: Point, hand: Point, color: str) -> None:
    """An arm and its fist with one outline around both."""
    s.stroke([shoulder, wrist], 210 + 2 * LINE)
    s.disc(*hand, 138 + LINE, INK)
    s.stroke([shoulder, wrist], 210, color)
    s.disc(*hand, 138, color)


def handshake() -> Image.Image:
    s = Sheet(1280, 1000)
    s.gradient("#4361ee", "#3a0ca3")
    s.rays(640, 430, "#4cc9f0", count=28, radius=1200, alpha=0.55)
    s.glow(640, 430, 420, "#fff3b0", 0.95)
    orange, grey = "#f4aa41", "#96a4b8"
    # two arms rise to the middle and clasp
    _arm(s, (1330, 960), (735, 440), (715, 425), grey)
    _stripes(s, (1330, 960), (735, 440), -210, "#707e96")
    _arm(s, (-50, 960), (545, 440), (565, 425), orange)
    _stripes(s, (-50, 960), (545, 440), 210, "#e27022")
    for k in range(4):
        y = 356 + 58 * k
        _limb(s, (640, y), (752 - 10 * abs(k - 1), y + 8), 50, orange)
    s.polygon([(540, 330), (650, 336), (650, 552), (540, 540)], orange)
    _limb(s, (716, 322), (600, 300), 62, grey)
    s.polygon([(700, 292), (760, 306), (756, 336), (708, 350)], grey)
    for x, sleeve, y in ((-1, "#e03131", 0), (1, "#2b8a3e", 0)):
        edge = 640 + x * 640
        s.polygon(
            [
                (edge + x * 80, 1100),
                (edge + x * 80, 700 + y),
                (edge - x * 60, 690),
                (edge - x * 236, 890),
                (edge - x * 60, 1100),
            ],
            sleeve,
            line=LINE + 2,
        )
    for angle in range(-52, 53, 26):
        a = math.radians(angle - 90)
        s.stroke(
            [
                (640 + 190 * math.cos(a), 400 + 190 * math.sin(a)),
                (640 + 246 * math.cos(a), 400 + 246 * math.sin(a)),
            ],
            13,
            "#ffffff",
        )
    s.rect((0, 0, 1280, 1000), None, line=10)
    return s.finished()
