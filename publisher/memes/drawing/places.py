"""Landscapes and things one can stand in front of."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from .sheet import INK, LINE, SCALE, Point, Sheet, smooth


def iceberg() -> Image.Image:
    s = Sheet(1080, 1280)
    sea = 440
    s.gradient("#ffd6a5", "#a9def9", (0, 0, 1080, sea))
    s.disc(880, 150, 70, "#fff3b0")
    s.gradient("#2a9df4", "#03174a", (0, sea, 1080, 1280))
    for k in range(7):
        x = 40 + k * 170
        s.polygon(
            [(x, sea), (x + 60, sea), (x - 60, 1280), (x - 200, 1280)],
            "#2b93e0" if k % 2 else "#2389d6",
        )
    s.gradient("#03174a", "#03174a", (0, 1260, 1080, 1280))

    def depth(pen: ImageDraw.ImageDraw) -> None:
        for row in range(sea * SCALE, 1280 * SCALE, 6):
            shade = round(235 * ((row / SCALE - sea) / (1280 - sea)) ** 0.8)
            pen.rectangle((0, row, 1080 * SCALE, row + 6), fill=shade)

    s.through(depth, "#04123d")
    below = [
        (120, sea),
        (80, 600),
        (150, 760),
        (130, 880),
        (230, 1010),
        (280, 1130),
        (430, 1200),
        (540, 1245),
        (650, 1190),
        (790, 1120),
        (850, 980),
        (950, 860),
        (930, 720),
        (1000, 590),
        (960, sea),
    ]
    s.polygon(below, "#5cb8ee", line=LINE)
    s.polygon(
        [(120, sea), (80, 600), (150, 760), (130, 880), (230, 1010), (330, 700), (300, sea)],
        "#83cdf5",
    )
    s.polygon(
        [
            (960, sea),
            (1000, 590),
            (930, 720),
            (950, 860),
            (850, 980),
            (790, 1120),
            (740, 760),
            (800, sea),
        ],
        "#3d9bd6",
    )
    s.stroke([(330, 700), (230, 1010)], 5, "#a9def9")
    s.stroke([(740, 760), (790, 1120)], 5, "#2d83bb")
    s.polygon(below, None, line=LINE)
    above = [
        (160, sea),
        (250, 250),
        (350, 205),
        (430, 90),
        (520, 150),
        (610, 110),
        (720, 240),
        (800, 262),
        (920, sea),
    ]
    s.polygon(above, "#ffffff", line=LINE)
    s.polygon(
        [(610, 114), (720, 244), (800, 266), (910, sea - 4), (690, sea - 4), (650, 260)], "#d0ebff"
    )
    s.polygon(above, None, line=LINE)
    s.emoji("🐧", 545, 92, 130)
    wave: list[Point] = [(x, sea + 10 * math.sin(x / 38)) for x in range(-10, 1100, 6)]
    s.stroke(wave, 16, "#e7f7ff")
    for art, x, y, side in (
        ("🐟", 70, 900, 100),
        ("🐠", 1000, 1060, 110),
        ("🦑", 110, 1170, 140),
        ("🐟", 1010, 760, 70),
        ("🐡", 940, 1200, 110),
    ):
        s.emoji(art, x, y, side)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def scales() -> Image.Image:
    s = Sheet(1280, 1180)
    s.gradient("#d8f3dc", "#95d5b2")
    s.rays(640, 400, "#b7e4c7", count=26, radius=1200, alpha=0.8)
    s.rect((0, 1040, 1280, 1180), "#8d5a34")
    s.rect((0, 1034, 1280, 1046), INK)
    gold, dark = "#ffc93c", "#e0a100"
    s.polygon([(606, 250), (674, 250), (700, 960), (580, 960)], gold, line=LINE)
    s.polygon([(650, 256), (668, 256), (692, 954), (660, 954)], dark)
    s.blob(
        [(400, 1066), (430, 990), (540, 950), (640, 944), (740, 950), (850, 990), (880, 1066)], gold
    )
    s.rect((390, 1020, 890, 1072), gold, radius=18, line=LINE)
    left, right = (290.0, 150.0), (990.0, 320.0)
    s.stroke([left, right], 46)
    s.stroke([left, right], 28, gold)
    s.disc(640, 235, 58, gold, line=LINE)
    s.cat("😼", 640, 232, 84)
    for (x, y), floor in ((left, 610), (right, 870)):
        s.disc(x, y, 24, gold, line=LINE)
        for dx in (-250, 250):
            s.stroke([(x, y + 18), (x + dx, floor)], 8)
        bowl = [
            (x - 270, floor),
            (x + 270, floor),
            (x + 190, floor + 92),
            (x, floor + 120),
            (x - 190, floor + 92),
        ]
        s.polygon(bowl, gold, line=LINE)
        s.polygon(
            [
                (x + 60, floor + 6),
                (x + 258, floor + 6),
                (x + 184, floor + 86),
                (x + 60, floor + 106),
            ],
            dark,
        )
        s.polygon(bowl, None, line=LINE)
    # light: a card on a feather; heavy: an iron weight
    s.rect((70, 330, 510, 604), "#ffffff", radius=20, line=LINE)
    s.emoji("🪶", 500, 310, 180, angle=-30)
    s.ellipse((940, 426, 1040, 526), None, line=24)
    s.polygon([(800, 500), (1180, 500), (1226, 864), (754, 864)], "#343a40", line=LINE)
    s.polygon([(812, 512), (850, 512), (806, 852), (768, 852)], "#5c636a")
    s.rect((0, 0, 1280, 1180), None, line=10)
    return s.finished()


def crossroads() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#4cc3ff", "#fff3c4", (0, 0, 540, 640))
    s.rays(250, 330, "#fffbe0", count=18, radius=900, within=(0, 0, 540, 640), alpha=0.75)
    s.gradient("#241734", "#5b4a6b", (540, 0, 1080, 640))
    s.emoji("🏰", 270, 420, 340)
    s.emoji("🌈", 110, 240, 200)
    s.disc(440, 250, 56, "#ffd23f", line=LINE)
    s.emoji("🏚️", 812, 415, 400)
    for x, y, side in ((660, 250, 200), (960, 240, 230)):
        s.emoji("🌩️", x, y, side)
    s.emoji("🦇", 800, 250, 110)
    s.polygon([(0, 560), (540, 600), (540, 1280), (0, 1280)], "#7fd069")
    s.polygon([(540, 600), (1080, 560), (1080, 1280), (540, 1280)], "#4b5d45")
    s.dots("#92de7d", step=60, r=12, within=(0, 640, 540, 1280))
    s.dots("#425339", step=60, r=12, within=(540, 640, 1080, 1280))
    left = [(130, 1280), (360, 960), (372, 850), (316, 750), (252, 650), (250, 560)]
    inner = [(300, 560), (322, 640), (420, 735), (540, 792)]
    half = smooth(left, closed=False) + smooth(inner, closed=False)
    road = half + [(1080 - x, y) for x, y in reversed(half)]
    s.polygon(road, "#e9c98f", line=LINE)
    for art, x, y, side in (
        ("🌸", 80, 760, 100),
        ("🌻", 200, 880, 120),
        ("🦋", 120, 620, 80),
        ("🌷", 60, 980, 110),
        ("🥀", 1000, 780, 110),
        ("🪨", 880, 880, 130),
        ("💀", 990, 980, 100),
        ("🍄", 260, 770, 70),
    ):
        s.emoji(art, x, y, side)
    # seen from behind, already leaning to the right
    tail = smooth([(560, 1090), (650, 1110), (690, 1040), (660, 970)], closed=False)
    s.stroke(tail, 46)
    s.stroke(tail, 28, "#f4aa41")
    s.blob(
        [
            (450, 1150),
            (456, 1030),
            (500, 960),
            (560, 944),
            (620, 960),
            (650, 1030),
            (650, 1150),
            (550, 1172),
        ],
        "#f4aa41",
    )
    s.blob(
        [
            (470, 950),
            (462, 850),
            (470, 760),
            (520, 810),
            (560, 806),
            (600, 810),
            (650, 762),
            (656, 850),
            (646, 950),
            (560, 986),
        ],
        "#f4aa41",
    )
    for k in range(3):
        s.stroke([(530 + 30 * k, 825), (530 + 30 * k, 865 + (10 if k == 1 else 0))], 15, "#e27022")
        s.stroke([(516 + 4 * k, 1020 + 36 * k), (596 - 4 * k, 1020 + 36 * k)], 13, "#e27022")
    s.rect((534, 0, 546, 600), INK)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def stairs() -> Image.Image:
    s = Sheet(1200, 1280)
    s.gradient("#ffe5ec", "#ffc2d1")
    s.rays(950, 250, "#fff0f3", count=24, radius=1500, alpha=0.9)
    steps = (
        (0, 1080, "#7950f2"),
        (430, 880, "#9775fa"),
        (600, 690, "#9775fa"),
        (770, 490, "#7950f2"),
    )
    for x, top, color in steps:
        s.rect((x, top, 1300, 1400), color, line=LINE)
        s.rect((x + 9, top + 9, 1300, top + 44), "#d0bfff")
        s.stroke([(x, top + 46), (1200, top + 46)], 5)
    s.rect((585, 929, 615, 1400), "#9775fa")  # no edge behind the lettering of the steps between
    for x, y in ((480, 830), (650, 640)):
        s.emoji("🕸️", x + 20, y + 96, 110, alpha=0.9)
    s.emoji("🏆", 1080, 366, 260)
    light = "#f4aa41"
    # one enormous stride over the steps between
    back = [(430.0, 700.0), (330.0, 860.0), (190.0, 1010.0), (150.0, 1056.0)]
    front = [(500.0, 660.0), (640.0, 560.0), (770.0, 500.0), (850.0, 470.0)]
    for limb in (back, front):
        path = smooth(limb, closed=False)
        s.stroke(path, 86)
        s.stroke(path, 68, light)
    for x, y in ((190, 1056), (885, 462)):
        s.ellipse((x - 76, y - 36, x + 76, y + 30), light, line=LINE)
    tail = smooth([(400, 690), (300, 700), (230, 620), (270, 540)], closed=False)
    s.stroke(tail, 46)
    s.stroke(tail, 28, light)
    s.blob(
        [
            (370, 700),
            (400, 560),
            (450, 450),
            (530, 420),
            (590, 470),
            (590, 580),
            (560, 690),
            (470, 740),
        ],
        "#e03131",
    )
    for points in ([(560, 480), (660, 470), (740, 400)], [(420, 520), (350, 500), (290, 430)]):
        path = smooth([(float(a), float(b)) for a, b in points], closed=False)
        s.stroke(path, 66)
        s.stroke(path, 48, light)
    s.cat("😼", 540, 300, 310, angle=-8)
    for k, y in enumerate((330, 380, 430)):
        s.stroke([(120 + 20 * k, y), (260 + 14 * k, y - 36)], 11, "#ffffff")
    s.rect((0, 0, 1200, 1280), None, line=10)
    return s.finished()
