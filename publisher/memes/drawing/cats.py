"""Scenes played by cats."""

from __future__ import annotations

from PIL import Image

from .sheet import CAT, GREY_CAT, INK, LINE, Fur, Point, Sheet, smooth


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
    s.cat("😾", 330, 300, 560, angle=-11)
    arm(s, [(60, 640), (70, 520), (95, 440)], 92)
    s.rect((0, 598, 560, 720), "#ffd95a")
    s.rays(290, 900, "#fff3b0", count=18, within=(0, 600, 560, 1200), alpha=0.8, turn=0.1)
    paw(s, 108, 392, 92)
    s.cat("😻", 262, 885, 570, angle=7)
    arm(s, [(430, 1240), (440, 1130), (448, 1090)], 86)
    paw(s, 450, 1050, 88)
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


def before_after() -> Image.Image:
    s = Sheet(1280, 1100)
    s.gradient("#b8f2c8", "#5fd394", (0, 0, 640, 830))
    s.rays(320, 430, "#e3ffe9", count=18, within=(0, 0, 640, 830), alpha=0.8)
    s.gradient("#5a2a82", "#d9480f", (640, 0, 1280, 830))
    s.rays(960, 430, "#3b1a5a", count=22, within=(640, 0, 1280, 830), alpha=0.5, turn=0.1)
    # before: combed, tied, at an orderly desk
    s.blob(
        [(130, 860), (150, 700), (230, 640), (320, 625), (410, 640), (490, 700), (510, 860)],
        "#4dabf7",
    )
    s.polygon([(270, 628), (370, 628), (320, 700)], "#ffffff", line=7)
    s.polygon([(300, 668), (340, 668), (358, 790), (320, 830), (282, 790)], "#e03131", line=7)
    s.cat("😺", 320, 430, 470)
    s.emoji("🪴", 90, 640, 190)
    s.emoji("☕", 556, 690, 170)
    # after: the same one, a working day later
    s.blob(
        [(770, 860), (780, 730), (860, 650), (960, 630), (1060, 650), (1140, 720), (1160, 860)],
        "#3c7fb8",
    )
    s.polygon([(905, 640), (1005, 634), (950, 705)], "#e9ecef", line=7)
    s.polygon([(940, 676), (978, 670), (1050, 760), (1040, 815), (990, 790)], "#b02a2a", line=7)
    s.cat("🙀", 960, 440, 500, angle=-5)
    for x, y, turn in ((880, 262, 12), (925, 250, 2), (975, 248, -8), (1020, 250, -20)):
        tip = (x - 3 * turn, y - 92)
        s.stroke(smooth([(x, y + 22), (x + 20, y - 34), tip], closed=False), 12)
    for x, y, side, art, angle in (
        (725, 240, 150, "📄", 24),
        (1205, 300, 150, "📄", -18),
        (715, 520, 130, "☕", 30),
        (1215, 560, 130, "☕", -24),
        (1180, 740, 130, "🔥", 0),
        (740, 750, 120, "🔥", 0),
    ):
        s.emoji(art, x, y, side, angle=angle)
    s.rect((0, 830, 640, 1100), "#fff8ea")
    s.rect((640, 830, 1280, 1100), "#fff8ea")
    s.rect((0, 825, 1280, 837), INK)
    s.rect((634, 0, 646, 1100), INK)
    s.disc(640, 460, 92, "#ffd23f", line=LINE)
    s.polygon(
        [(586, 436), (640, 436), (640, 400), (704, 460), (640, 520), (640, 484), (586, 484)],
        "#15151f",
    )
    s.rect((24, 24, 300, 124), "#2f9e44", radius=18, line=LINE)
    s.rect((980, 24, 1256, 124), "#c92a2a", radius=18, line=LINE)
    s.rect((0, 0, 1280, 1100), None, line=10)
    return s.finished()


def bubble(s: Sheet, box: tuple[float, float, float, float], tail: list[Point]) -> None:
    """A speech bubble; `tail` are its root, tip and root."""
    s.rect(box, "#ffffff", radius=60, line=LINE)
    s.polygon(tail, "#ffffff", line=LINE)
    x0, y0, x1, y1 = box
    s.rect((x0 + LINE, y0 + LINE, x1 - LINE, y1 - LINE), "#ffffff", radius=52)


def dialogue() -> Image.Image:
    s = Sheet(1200, 1280)
    rows = (
        (0, 424, "#ffd6a5", "#ffe9cc"),
        (424, 848, "#a8d8ff", "#d3ecff"),
        (848, 1280, "#ffadad", "#ffd0d0"),
    )
    for top, bottom, color, dots in rows:
        s.rect((0, top, 1200, bottom), color)
        s.dots(dots, step=44, r=11, within=(0, top, 1200, bottom))
    shoulders = ((220, 424, "#7b5cff"), (980, 848, "#2f9e44"), (250, 1280, "#7b5cff"))
    for x, floor, shirt in shoulders:
        s.blob(
            [
                (x - 190, floor + 60),
                (x - 165, floor - 60),
                (x - 60, floor - 105),
                (x + 60, floor - 105),
                (x + 165, floor - 60),
                (x + 190, floor + 60),
            ],
            shirt,
        )
        if floor == 424:
            s.rect((0, 424, 1200, 520), "#a8d8ff")
            s.dots("#d3ecff", step=44, r=11, within=(0, 424, 1200, 848))
        elif floor == 848:
            s.rect((0, 848, 1200, 940), "#ffadad")
            s.dots("#ffd0d0", step=44, r=11, within=(0, 848, 1200, 1280))
    s.cat("😺", 220, 200, 350)
    s.cat("😸", 980, 624, 350, fur=GREY_CAT, flip=True)
    s.cat("😼", 250, 1050, 390)
    s.emoji("✨", 420, 900, 90)
    bubble(s, (440, 50, 1150, 360), [(452, 190), (404, 280), (470, 262)])
    bubble(s, (50, 474, 760, 784), [(748, 614), (796, 704), (730, 686)])
    bubble(s, (480, 898, 1150, 1220), [(492, 1040), (444, 1130), (510, 1112)])
    for y in (424, 848):
        s.rect((0, y - 6, 1200, y + 6), INK)
    s.rect((0, 0, 1200, 1280), None, line=10)
    return s.finished()
