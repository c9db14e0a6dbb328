"""Photographs, all CC0, from scikit-image's data, enlarged and trimmed.

The originals lie beside this module; their photographers are named in each template's LICENCE.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

ORIGINALS = Path(__file__).parent / "originals"


def _enlarged(
    name: str, crop: tuple[int, int, int, int], size: tuple[int, int], *, seed: int, grain: float
) -> Image.Image:
    """A part of the photograph, enlarged, sharpened, with a film grain that hides the scaling."""
    with Image.open(ORIGINALS / name) as original:
        picture = original.convert("RGB").crop(crop)
    picture = picture.resize(size, Image.Resampling.BICUBIC)
    picture = picture.filter(ImageFilter.UnsharpMask(radius=4, percent=130, threshold=2))
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
    picture = _enlarged("chelsea.png", (10, 0, 370, 300), (1200, 1000), seed=3, grain=3.5)
    picture = ImageEnhance.Color(picture).enhance(1.18)
    return _shaded(ImageEnhance.Contrast(picture).enhance(1.08), 0, 0.42, 0.75)


def coffee() -> Image.Image:
    picture = _enlarged("coffee.png", (40, 0, 520, 400), (1200, 1000), seed=4, grain=3.0)
    return _shaded(ImageEnhance.Contrast(picture).enhance(1.05), 0.3, 0.3, 0.5)


def documentary() -> Image.Image:
    picture = _enlarged("camera.png", (0, 32, 512, 480), (1200, 1050), seed=5, grain=7.0)
    picture = ImageEnhance.Contrast(picture).enhance(1.1)
    return _shaded(picture, 0.2, 0.45, 0.7)
