"""Is this picture our meme?"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps

Picture = Path | str | bytes


@dataclass(frozen=True)
class Match:
    same: bool
    score: float
    because: str


def open_picture(picture: Picture) -> Image.Image:
    """Raises ValueError when it is no picture."""
    try:
        found = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)
        return ImageOps.exif_transpose(found).convert("RGB")
    except Exception as error:
        raise ValueError(f"not a readable picture: {error}") from error


def coarse_hash(picture: Picture) -> str:
    return str(imagehash.phash(trim(open_picture(picture)), 8))


def near(first: str, second: str) -> bool:
    return imagehash.hex_to_hash(first) - imagehash.hex_to_hash(second) <= 24


def trim(picture: Image.Image) -> Image.Image:
    return picture


def match(ours: Picture, theirs: Picture) -> Match:
    a = imagehash.phash(trim(open_picture(ours)), 16)
    b = imagehash.phash(trim(open_picture(theirs)), 16)
    score = 1 - float(np.count_nonzero(a.hash != b.hash)) / 256
    return Match(score > 0.85, score, "perceptual hash")
