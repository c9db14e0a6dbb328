"""Things seen on screens."""

from __future__ import annotations

from PIL import Image

from .scenes import stars
from .sheet import BLACK_TO_WHITE, INK, Sheet, smooth

FACE, LIGHT, DARK, DARKER = "#c6c6c6", "#ffffff", "#808080", "#1a1a1a"


def bevel(s: Sheet, box: tuple[float, float, float, float], *, sunk: bool = False) -> None:
    """A grey panel with the lit and shaded edges of old windows."""
    x0, y0, x1, y1 = box
    lit, shade = (DARK, LIGHT) if sunk else (LIGHT, DARK)
    s.rect(box, DARKER)
    s.rect((x0, y0, x1 - 4, y1 - 4), lit)
    s.rect((x0 + 5, y0 + 5, x1 - 4, y1 - 4), shade)
    s.rect((x0 + 5, y0 + 5, x1 - 9, y1 - 9), "#ffffff" if sunk else FACE)


def error_window() -> Image.Image:
    s = Sheet(1280, 960, "#0b7f7f")
    s.dots("#0f8d8d", step=26, r=2.4, within=(0, 0, 1280, 960))
    for k, (icon, y) in enumerate((("🗑️", 110), ("📁", 300), ("💾", 490))):
        s.emoji(icon, 90, y, 130)
        s.rect((40, y + 74, 140, y + 92), "#0b6d6d")
        del k
    bevel(s, (0, 880, 1280, 970))
    bevel(s, (10, 892, 190, 950))
    s.emoji("🐾", 50, 921, 52)
    s.rect((84, 912, 172, 930), DARKER)
    bevel(s, (1120, 892, 1270, 950), sunk=True)
    s.rect((1150, 912, 1240, 930), DARK)
    for shift in (48, 24):
        bevel(s, (170 + shift, 90 + shift, 1190 + shift, 770 + shift))
        s.gradient("#7b7b7b", "#a8a8a8", (181 + shift, 101 + shift, 1178 + shift, 181 + shift))
    bevel(s, (170, 90, 1190, 770))
    s.gradient("#0a1e8c", "#2f7fe0", (181, 101, 1179, 185), sideways=True)
    bevel(s, (1106, 112, 1168, 174))
    s.stroke([(1122, 128), (1148, 154)], 8, "#000000")
    s.stroke([(1148, 128), (1122, 154)], 8, "#000000")
    s.disc(322, 370, 100, "#e03131", line=8)
    s.stroke([(282, 330), (362, 410)], 26, "#ffffff")
    s.stroke([(362, 330), (282, 410)], 26, "#ffffff")
    for x in (250, 700):
        bevel(s, (x, 590, x + 410, 720))
    s.polygon(
        [(1092, 700), (1092, 840), (1124, 810), (1148, 866), (1176, 854), (1152, 800), (1194, 796)],
        "#ffffff",
        line=6,
    )
    return s.finished()


def messenger() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#bfe3c0", "#8cc7b5")
    for k, art in enumerate(("🐾", "🐟", "🧶", "🥛", "🐭") * 10):
        s.emoji(art, 60 + (k % 6) * 196 + (k // 6 % 2) * 90, 190 + (k // 6) * 140, 84, alpha=0.13)
    s.rect((0, 0, 1080, 150), "#ffffff")
    s.stroke([(0, 152), (1080, 152)], 4, "#c9d1d9")
    s.stroke([(66, 46), (38, 75), (66, 104)], 9, "#2b7de9")
    s.disc(158, 75, 54, "#ffd8a8")
    s.cat("😼", 158, 74, 98)
    for dy in (-22, 0, 22):
        s.disc(1030, 75 + dy, 7, "#2b7de9")
    bubbles = (
        ((40, 200, 850, 500), "#ffffff"),
        ((230, 540, 1040, 800), "#dcf8c6"),
        ((40, 840, 850, 1110), "#ffffff"),
    )
    for box, color in bubbles:
        x0, _, x1, y1 = box
        s.shadow(box, radius=44, blur=6, alpha=0.22, shift=(0, 4))
        s.rect(box, color, radius=44)
        corner = x1 if color != "#ffffff" else x0
        out = 26 if color != "#ffffff" else -26
        s.polygon([(corner, y1 - 60), (corner + out, y1), (corner - 2 * out, y1)], color)
    for dx in (0, 22):
        s.stroke([(960 + dx, 768), (972 + dx, 780), (996 + dx, 754)], 6, "#34a853")
    s.rect((0, 1150, 1080, 1280), "#ffffff")
    s.stroke([(0, 1150), (1080, 1150)], 3, "#c9d1d9")
    s.rect((120, 1172, 900, 1258), "#eef1f4", radius=43)
    s.emoji("📎", 62, 1215, 76)
    s.disc(990, 1215, 50, "#2b7de9")
    s.polygon([(970, 1188), (1018, 1215), (970, 1242), (978, 1217)], "#ffffff")
    return s.finished()


def notification() -> Image.Image:
    s = Sheet(1080, 1280)
    s.gradient("#2b1055", "#ff7e5f", (0, 0, 1080, 870))
    stars(s, (0, 0, 1080, 420), 110, 5)
    s.emoji("🌙", 950, 150, 170, angle=-20)
    s.polygon(
        [
            (0, 870),
            (0, 640),
            (190, 500),
            (360, 650),
            (520, 540),
            (760, 700),
            (930, 590),
            (1080, 690),
            (1080, 870),
        ],
        "#4a1f5e",
    )
    s.polygon(
        [(0, 870), (0, 740), (260, 650), (480, 760), (720, 680), (1080, 800), (1080, 870)],
        "#331447",
    )
    s.rect((440, 26, 640, 66), "#0a0612", radius=20)
    s.shadow((50, 372, 1030, 800), radius=46, blur=20, alpha=0.5, shift=(0, 14))
    s.rect((50, 372, 1030, 800), "#f6f2fb", radius=46)
    s.rect((86, 404, 186, 504), "#ff4d6d", radius=24)
    s.emoji("🔔", 136, 454, 92)
    s.disc(184, 408, 24, "#e03131", line=5, ink="#ffffff")
    s.rect((0, 864, 1080, 876), INK)
    s.gradient("#ffd23f", "#ff9f1c", (0, 876, 1080, 1280))
    s.rays(900, 1090, "#ffe58a", count=24, within=(0, 876, 1080, 1280), alpha=0.7)
    s.cat("🙀", 890, 1086, 350, angle=-5)
    s.rect((0, 0, 1080, 1280), None, line=10)
    return s.finished()


def forecast() -> Image.Image:
    s = Sheet(1280, 1100)
    s.gradient("#1971c2", "#74c0fc")
    s.rays(640, 1100, "#a5d8ff", count=30, radius=1500, alpha=0.28)
    s.rect((0, 0, 1280, 190), "#0b2f5b")
    s.rect((0, 184, 1280, 196), "#ffd23f")
    s.emoji("🌍", 100, 95, 150)
    cards = (
        (40, "#fff3bf", "#ffd43b", "🌤️", "😸"),
        (447, "#dee2e6", "#adb5bd", "🌧️", "😿"),
        (854, "#8f86b8", "#4b3f72", "🌪️", "🙀"),
    )
    for x, top, bottom, sky, face in cards:
        s.shadow((x, 240, x + 386, 1060), radius=36, blur=14, alpha=0.4)
        s.rect((x, 240, x + 386, 1060), "#ffffff", radius=36, line=9)
        s.gradient(top, bottom, (x + 20, 260, x + 366, 730))
        s.emoji(sky, x + 193, 370, 300)
        s.cat(face, x + 193, 606, 250)
        s.rect((x + 9, 728, x + 377, 738), INK)
    s.emoji("⚡", 1188, 400, 130)
    s.rect((0, 0, 1280, 1100), None, line=10)
    return s.finished()


def loading() -> Image.Image:
    s = Sheet(1280, 960)
    s.gradient("#1b1035", "#3d1a78")
    stars(s, (0, 220, 1280, 620), 110, 8)
    s.glow(640, 480, 460, "#7b3fe4", 0.8)
    bar = (100.0, 480.0, 1180.0, 620.0)
    s.rect(bar, "#0d0820", radius=70, line=12, ink="#ffffff")
    s.gradient("#ff5ec4", "#ffd23f", (170, 504, 1090, 596), sideways=True)
    s.disc(170, 550, 46, "#ff5ec4")
    for k in range(11):
        x = 190 + k * 84
        s.polygon([(x, 504), (x + 36, 504), (x + 6, 596), (x - 30, 596)], "#ffffff")
    s.rect((1086, 500, 1098, 600), "#0d0820")
    # the one who waits has fallen asleep on the bar
    s.blob(
        [(300, 486), (310, 400), (380, 340), (500, 320), (620, 345), (690, 420), (700, 486)],
        "#f4aa41",
    )
    for x, lean in ((470, -8), (530, 0), (590, 8)):
        s.stroke(smooth([(x, 338), (x + lean, 370), (x + lean, 402)], closed=False), 16, "#e27022")
    tail = smooth([(690, 470), (780, 500), (800, 580), (770, 660)], closed=False)
    s.stroke(tail, 50)
    s.stroke(tail, 32, "#f4aa41")
    s.cat("😸", 330, 380, 260, angle=14)
    s.emoji("💤", 190, 250, 150, recolor=BLACK_TO_WHITE)
    return s.finished()
