"""A sheet to draw on: shapes with thick ink outlines, gradients, rays, OpenMoji art.

Coordinates and widths are px of the finished picture; everything is drawn SCALE times larger and
reduced at the end, which smooths the edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter

from .. import emoji

SCALE = 3
INK = "#15151f"
LINE = 9.0
"""Width of outlines: close to OpenMoji's at the sizes used here."""

Point = tuple[float, float]
Fur = tuple[tuple[int, int, int], tuple[int, int, int]]
"""Colours of a cat: in the light, in the shade."""

BLACK_TO_WHITE = {(0, 0, 0): (255, 255, 255)}
"""Recolouring for art on dark ground."""

CAT = ((244, 170, 65), (226, 112, 34))
GREY_CAT = ((150, 164, 184), (112, 126, 150))
WHITE_CAT = ((250, 240, 232), (228, 204, 196))
BLACK_CAT = ((84, 80, 104), (60, 56, 78))
PINK_CAT = ((255, 168, 190), (233, 120, 152))


class Sheet:
    """A picture in the making, `width` × `height` px."""

    def __init__(self, width: int, height: int, background: str = "white") -> None:
        self.width = width
        self.height = height
        self.image = Image.new("RGB", (width * SCALE, height * SCALE), background)

    @property
    def _pen(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def finished(self) -> Image.Image:
        return self.image.resize((self.width, self.height), Image.Resampling.LANCZOS)

    def rect(
        self,
        box: Sequence[float],
        fill: str | None,
        *,
        radius: float = 0,
        line: float = 0,
        ink: str = INK,
    ) -> None:
        """Rectangle (x0, y0, x1, y1), its outline drawn inwards."""
        self._pen.rounded_rectangle(
            [v * SCALE for v in box],
            radius * SCALE,
            fill=fill,
            outline=ink if line else None,
            width=round(line * SCALE),
        )

    def ellipse(
        self, box: Sequence[float], fill: str | None, *, line: float = 0, ink: str = INK
    ) -> None:
        self._pen.ellipse(
            [v * SCALE for v in box],
            fill=fill,
            outline=ink if line else None,
            width=round(line * SCALE),
        )

    def disc(
        self, x: float, y: float, r: float, fill: str | None, *, line: float = 0, ink: str = INK
    ) -> None:
        self.ellipse((x - r, y - r, x + r, y + r), fill, line=line, ink=ink)

    def polygon(
        self, points: Sequence[Point], fill: str | None, *, line: float = 0, ink: str = INK
    ) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        if fill:
            self._pen.polygon(scaled, fill=fill)
        if line:
            self.stroke([*points, points[0]], line, ink)

    def stroke(self, points: Sequence[Point], width: float, ink: str = INK) -> None:
        """A line through the points with round joints and ends."""
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        pen = self._pen
        pen.line(scaled, fill=ink, width=round(width * SCALE), joint="curve")
        r = width * SCALE / 2
        for x, y in scaled:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=ink)

    def blob(self, points: Sequence[Point], fill: str, *, line: float = LINE) -> None:
        """A closed smooth shape through the points."""
        self.polygon(smooth(points), fill, line=line)

    def gradient(
        self, top: str, bottom: str, box: Sequence[float] | None = None, *, sideways: bool = False
    ) -> None:
        """A linear gradient over `box` (the whole sheet without one)."""
        x0, y0, x1, y1 = box or (0, 0, self.width, self.height)
        size = (round((x1 - x0) * SCALE), round((y1 - y0) * SCALE))
        steps = np.linspace(0, 1, size[0] if sideways else size[1])[:, None]
        a, b = (np.array(ImageColor.getrgb(c)[:3]) for c in (top, bottom))
        ramp = (a + (b - a) * steps).round().astype(np.uint8)
        pixels = ramp[None, :, :] if sideways else ramp[:, None, :]
        patch = np.broadcast_to(pixels, (size[1], size[0], 3))
        self.image.paste(
            Image.fromarray(np.ascontiguousarray(patch)), (round(x0 * SCALE), round(y0 * SCALE))
        )

    def rays(
        self,
        x: float,
        y: float,
        color: str,
        *,
        count: int = 16,
        radius: float = 2000,
        within: Sequence[float] | None = None,
        alpha: float = 1.0,
        turn: float = 0.0,
    ) -> None:
        """A sunburst of `count` wedges about (x, y), cut to `within`."""

        def wedges(pen: ImageDraw.ImageDraw) -> None:
            step = 2 * math.pi / count
            for k in range(count):
                a, b = turn + k * step, turn + (k + 0.5) * step
                pen.polygon(
                    [
                        (x * SCALE, y * SCALE),
                        ((x + radius * math.cos(a)) * SCALE, (y + radius * math.sin(a)) * SCALE),
                        ((x + radius * math.cos(b)) * SCALE, (y + radius * math.sin(b)) * SCALE),
                    ],
                    fill=round(255 * alpha),
                )

        self.through(wedges, color, within)

    def dots(
        self, color: str, *, step: float, r: float, within: Sequence[float], alpha: float = 1.0
    ) -> None:
        """A halftone grid of dots, every second row shifted."""

        def grid(pen: ImageDraw.ImageDraw) -> None:
            for row, y in enumerate(np.arange(within[1], within[3] + step, step * 0.87)):
                for x in np.arange(within[0] - step, within[2] + step, step) + (row % 2) * step / 2:
                    box = [v * SCALE for v in (x - r, y - r, x + r, y + r)]
                    pen.ellipse(box, fill=round(255 * alpha))

        self.through(grid, color, within)

    def through(
        self,
        draw: Callable[[ImageDraw.ImageDraw], None],
        color: str,
        within: Sequence[float] | None = None,
        blur: float = 0,
    ) -> None:
        """Paint `color` through the grey mask that `draw` makes (in scaled px)."""
        mask = Image.new("L", self.image.size)
        draw(ImageDraw.Draw(mask))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * SCALE))
        if within:
            x0, y0, x1, y1 = (round(v * SCALE) for v in within)
            kept = Image.new("L", mask.size)
            kept.paste(mask.crop((x0, y0, x1, y1)), (x0, y0))
            mask = kept
        self.image.paste(ImageColor.getrgb(color)[:3], (0, 0), mask)

    def glow(self, x: float, y: float, r: float, color: str, alpha: float = 1.0) -> None:
        """Soft light about (x, y), gone at distance r."""
        side = 2 * round(r * SCALE)
        axis = np.linspace(-1, 1, side)
        distance = np.hypot(axis[:, None], axis[None, :])
        light = np.clip(1 - distance, 0, 1) ** 1.7 * 255 * alpha
        mask = Image.fromarray(light.astype(np.uint8))
        where = (round((x - r) * SCALE), round((y - r) * SCALE))
        patch = Image.new("RGB", mask.size, color)
        self.image.paste(patch, where, mask)

    def shadow(
        self,
        box: Sequence[float],
        *,
        radius: float = 20,
        blur: float = 14,
        alpha: float = 0.35,
        shift: Point = (0, 10),
    ) -> None:
        """A soft shadow of a rounded rectangle."""
        x, y = shift
        moved = [(v + (x, y, x, y)[k]) * SCALE for k, v in enumerate(box)]

        def shape(pen: ImageDraw.ImageDraw) -> None:
            pen.rounded_rectangle(moved, radius * SCALE, fill=round(255 * alpha))

        self.through(shape, "#000000", blur=blur)

    def emoji(
        self,
        sequence: str,
        x: float,
        y: float,
        side: float,
        *,
        angle: float = 0,
        flip: bool = False,
        recolor: dict[tuple[int, int, int], tuple[int, int, int]] | None = None,
        alpha: float = 1.0,
    ) -> None:
        """OpenMoji art about its centre (x, y), `side` px wide, turned counter-clockwise."""
        found = emoji.match(sequence, 0)
        if found is None:
            raise ValueError(f"OpenMoji has no {sequence!r}")
        art = emoji.draw(found[0], round(side * SCALE))
        if recolor:
            art = recolored(art, recolor)
        if flip:
            art = art.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if angle:
            art = (
                art.convert("RGBa")
                .rotate(angle, Image.Resampling.BICUBIC, expand=True)
                .convert("RGBA")
            )
        mask = art.getchannel("A")
        if alpha < 1:
            mask = mask.point(lambda v: round(v * alpha))
        where = (round(x * SCALE - art.width / 2), round(y * SCALE - art.height / 2))
        self.image.paste(art.convert("RGB"), where, mask)

    def cat(
        self,
        face: str,
        x: float,
        y: float,
        side: float,
        *,
        fur: Fur = CAT,
        angle: float = 0,
        flip: bool = False,
    ) -> None:
        """A cat's head, its fur in (light, shaded) colours."""
        recolor = None if fur == CAT else dict(zip(CAT, fur, strict=True))
        self.emoji(face, x, y, side, angle=angle, flip=flip, recolor=recolor)

    def paste(self, picture: Image.Image, box: Sequence[float]) -> None:
        """A picture stretched over `box`."""
        x0, y0, x1, y1 = (round(v * SCALE) for v in box)
        self.image.paste(picture.resize((x1 - x0, y1 - y0), Image.Resampling.LANCZOS), (x0, y0))


def recolored(
    art: Image.Image, colors: dict[tuple[int, int, int], tuple[int, int, int]]
) -> Image.Image:
    """The art with pixels near each old colour moved to the new one."""
    pixels = np.asarray(art).astype(np.int16)
    out = pixels.copy()
    for old, new in colors.items():
        near = np.abs(pixels[..., :3] - np.array(old)).max(axis=2) < 22
        out[near, :3] = pixels[near, :3] + (np.array(new) - np.array(old))
    return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8), "RGBA")


def smooth(points: Sequence[Point], steps: int = 14, closed: bool = True) -> list[Point]:
    """Catmull-Rom spline through the points."""
    p = [np.array(q, dtype=float) for q in points]
    count = len(p)
    out: list[Point] = []
    for k in range(count if closed else count - 1):
        if closed:
            a, b, c, d = p[k - 1], p[k], p[(k + 1) % count], p[(k + 2) % count]
        else:
            a, b, c, d = p[max(0, k - 1)], p[k], p[k + 1], p[min(count - 1, k + 2)]
        for t in np.arange(steps) / steps:
            q = 0.5 * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - 3 * c + d - a) * t**3
            )
            out.append((float(q[0]), float(q[1])))
    if not closed:
        out.append((float(p[-1][0]), float(p[-1][1])))
    return out


def arc(x: float, y: float, r: float, start: float, end: float, steps: int = 40) -> list[Point]:
    """Points of a circle's arc, degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, steps))
    return [(x + r * math.cos(a), y + r * math.sin(a)) for a in angles]
