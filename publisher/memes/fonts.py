"""The fonts that ship, by the short names that templates use."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import ImageFont

FONT_DIR = Path(__file__).parent / "fonts"

FONTS: dict[str, str] = {
    "impact": "Oswald-Bold.ttf",
    "sans": "Rubik-Medium.ttf",
    "bold": "Rubik-Bold.ttf",
    "comic": "BalsamiqSans-Bold.ttf",
    "hand": "Caveat-Bold.ttf",
    "serif": "Literata-SemiBold.ttf",
    "ui": "Inter-Medium.otf",
    "ui-bold": "Inter-Bold.otf",
}

FALLBACK = "ui-bold"
"""Widest coverage of signs (arrows, currencies, Greek): asked when a font lacks a letter."""


@lru_cache(maxsize=256)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """The font `name` at `size` px. KeyError when no such font ships."""
    return ImageFont.truetype(str(FONT_DIR / FONTS[name]), size)


@lru_cache(maxsize=len(FONTS))
def coverage(name: str) -> frozenset[int]:
    """Code points that the font `name` has a glyph for."""
    with TTFont(FONT_DIR / FONTS[name], lazy=True) as face:
        return frozenset(face.getBestCmap())


@lru_cache(maxsize=256)
def cap_height(name: str, size: int) -> float:
    """Height of a capital letter in px: what the eye centres a line by."""
    return -font(name, size).getbbox("Н", anchor="ls")[1]
