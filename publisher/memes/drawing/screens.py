"""Things seen on screens."""

from __future__ import annotations

from PIL import Image

from .sheet import Sheet

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
        [(1010, 660), (1010, 800), (1042, 770), (1066, 826), (1094, 814), (1070, 760), (1112, 756)],
        "#ffffff",
        line=6,
    )
    return s.finished()
