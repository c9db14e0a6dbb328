"""Photographs, all CC0, from scikit-image's data, enlarged and trimmed.

The originals lie beside this module; their photographers are named in each template's LICENCE.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

ORIGINALS = Path(__file__).parent / "originals"


def _enlarged(
    name: str, crop: tuple[int, int, int, int], size: tuple[int, int], *, seed: int, grain: float
) -> Image.Image:
    """A part of the photograph, enlarged, sharpened, with a film grain that hides the scaling."""
    with Image.open(ORIGINALS / name) as original:
        picture = original.convert("RGB").crop(crop)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.UnsharpMask(radius=4, percent=70, threshold=2))
    noise = np.random.default_rng(seed).normal(0, grain, (size[1], size[0], 1))
    pixels = np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels)


def _shaded(picture: Image.Image, top: float, bottom: float, strength: float) -> Image.Image:
    """Darken towards the top and bottom edges, over these shares of the height."""
    rows = np.linspace(0, 1, picture.height)
    shade = np.ones(picture.height)
    if top:
        shade *= 1 - strength * np.clip(1 - rows / top, 0, 1) ** 1.3
    if bottom:
        shade *= 1 - strength * np.clip(1 - (1 - rows) / bottom, 0, 1) ** 1.3
    pixels = np.asarray(picture) * shade[:, None, None]
    return Image.fromarray(pixels.astype(np.uint8))


def reaction_cat() -> Image.Image:
    photo = _enlarged("chelsea.png", (10, 0, 370, 300), (1200, 1000), seed=3, grain=3.5)
    photo = ImageEnhance.Contrast(ImageEnhance.Color(photo).enhance(1.18)).enhance(1.08)
    picture = Image.new("RGB", (1200, 1260), "white")
    picture.paste(photo, (0, 260))
    return picture


def coffee() -> Image.Image:
    picture = _enlarged("coffee.png", (40, 0, 520, 400), (1200, 1000), seed=4, grain=3.0)
    return _shaded(ImageEnhance.Contrast(picture).enhance(1.05), 0.3, 0.3, 0.5)


def documentary() -> Image.Image:
    picture = _enlarged("camera.png", (0, 32, 512, 480), (1200, 1050), seed=5, grain=7.0)
    picture = ImageEnhance.Contrast(picture).enhance(1.1)
    return _viewfinder(_shaded(picture, 0.25, 0.5, 0.85))


def _viewfinder(picture: Image.Image) -> Image.Image:
    """What the cameraman's own viewfinder would add: corner marks and a recording light."""
    big = picture.resize((picture.width * 2, picture.height * 2), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(big)
    w, h, edge, arm = big.width, big.height, 56, 130
    for x, dx in ((edge, arm), (w - edge, -arm)):
        for y, dy in ((edge, arm), (h - edge, -arm)):
            pen.line([(x + dx, y), (x, y), (x, y + dy)], fill="white", width=12, joint="curve")
    pen.ellipse((110, 112, 166, 168), fill="#ff3b30")
    pen.rounded_rectangle((w - 270, 112, w - 130, 168), 10, outline="white", width=8)
    pen.rectangle((w - 130, 128, w - 118, 152), fill="white")
    for k in range(2):
        pen.rectangle((w - 256 + k * 40, 126, w - 226 + k * 40, 154), fill="white")
    return big.resize(picture.size, Image.Resampling.LANCZOS)
