"""Scenes played by cats."""

from __future__ import annotations

from PIL import Image

from .sheet import CAT, GREY_CAT, INK, LINE, Point, Sheet, smooth

Fur = tuple[tuple[int, int, int], tuple[int, int, int]]


def _hex(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def paw(s: Sheet, x: float, y: float, r: float, fur: Fur = CAT, *, toes_up: bool = True) -> None:
    """A raised paw seen from its pads."""
    s.disc(x, y, r, _hex(fur[0]), line=LINE)
    sign = -1 if toes_up else 1
    for dx in (-0.62, -0.22, 0.22, 0.62):
        s.disc(x + dx * r, y + sign * (0.72 - 0.35 * abs(dx)) * r, r * 0.24, _hex(fur[0]), line=7)
        s.disc(x + dx * r, y + sign * (0.70 - 0.35 * abs(dx)) * r, r * 0.11, "#ff9fb0")
    s.ellipse((x - 0.4 * r, y - 0.18 * r, x + 0.4 * r, y + 0.48 * r), "#ff9fb0", line=5)


def arm(s: Sheet, points: list[Point], width: float, fur: Fur = CAT) -> None:
    """A limb along a smooth line."""
    path = smooth(points, closed=False)
    s.stroke(path, width + 2 * LINE)
    s.stroke(path, width, _hex(fur[0]))


def no_yes() -> Image.Image:
    s = Sheet(1200, 1200, "#fff8ea")
    s.gradient("#ff8d7e", "#e8505b", (0, 0, 560, 600))
    s.rays(290, 330, "#ffb199", count=18, within=(0, 0, 560, 600), alpha=0.55)
    s.gradient("#ffe066", "#ffbe3d", (0, 600, 560, 1200))
    s.rays(290, 900, "#fff3b0", count=18, within=(0, 600, 560, 1200), alpha=0.8, turn=0.1)
    s.rect((560, 0, 1200, 600), "#fff8ea")
    s.rect((560, 600, 1200, 1200), "#fff8ea")
    s.cat("😾", 320, 300, 560, angle=-11)
    arm(s, [(60, 640), (70, 520), (95, 440)], 92)
    s.rect((0, 598, 560, 720), "#ffd95a")
    s.rays(290, 900, "#fff3b0", count=18, within=(0, 600, 560, 1200), alpha=0.8, turn=0.1)
    paw(s, 108, 392, 92)
    s.cat("😻", 270, 890, 590, angle=7)
    arm(s, [(470, 1240), (480, 1130), (490, 1090)], 86)
    paw(s, 492, 1050, 88)
    for x, y, side in ((470, 690, 100), (84, 700, 80), (75, 1110, 90)):
        s.emoji("✨", x, y, side)
    s.emoji("💢", 500, 110, 130)
    s.rect((0, 594, 1200, 606), INK)
    s.rect((554, 0, 566, 1200), INK)
    s.rect((0, 0, 1200, 1200), None, line=10)
    return s.finished()


def expectation_reality() -> Image.Image:
    s = Sheet(1280, 1100)
    left, right = (0, 0, 640, 1100), (640, 0, 1280, 1100)
    s.gradient("#4cc3ff", "#c9f1ff", left)
    s.rays(320, 480, "#fff7c2", count=20, within=left, alpha=0.7)
    s.gradient("#6b7488", "#3f4658", right)
    s.rect((0, 690, 640, 1100), "#7fd069")
    s.ellipse((-140, 640, 780, 900), "#7fd069")
    s.ellipse((0, 660, 640, 900), "#8fe07a")
    s.rect((640, 690, 1280, 1100), "#4a4a52")
    s.disc(540, 210, 70, "#ffd23f", line=LINE)
    # the plan: a crowned winner on a podium
    s.rect((200, 640, 440, 800), "#ffd23f", radius=10, line=LINE)
    s.emoji("🥇", 320, 720, 130)
    s.cat("😸", 320, 470, 400)
    s.emoji("👑", 322, 262, 200, angle=4)
    s.emoji("🏆", 520, 560, 210, angle=-10)
    for x, y in ((90, 330), (120, 590), (560, 370)):
        s.emoji("✨", x, y, 90)
    # what came: the same cat, wet, in a box under the rain
    for k in range(26):
        x = 660 + (k * 97) % 600
        y = 170 + (k * 151) % 560
        s.stroke([(x, y), (x - 14, y + 46)], 5, "#9fc6e8")
    s.emoji("🌧️", 960, 235, 330)
    s.ellipse((690, 770, 1230, 850), "#5d7f9e", line=6)
    s.cat("😿", 960, 560, 380, angle=-6, fur=((206, 140, 66), (176, 92, 40)))
    s.polygon([(770, 620), (1150, 620), (1120, 815), (800, 815)], "#b98550", line=LINE)
    s.polygon([(770, 620), (700, 680), (735, 700), (790, 650)], "#d7a46c", line=7)
    s.polygon([(1150, 620), (1220, 680), (1185, 700), (1130, 650)], "#d7a46c", line=7)
    s.rect((0, 850, 640, 1100), "#fff8ea")
    s.rect((640, 850, 1280, 1100), "#fff8ea")
    s.rect((0, 845, 1280, 857), INK)
    s.rect((0, 0, 640, 110), "#ee9b00")
    s.rect((640, 0, 1280, 110), "#33415c")
    s.rect((0, 104, 1280, 116), INK)
    s.rect((634, 0, 646, 1100), INK)
    s.rect((0, 0, 1280, 1100), None, line=10)
    return s.finished()


def dialogue_furs() -> tuple[Fur, Fur]:
    """Who speaks first and who answers."""
    return CAT, GREY_CAT
