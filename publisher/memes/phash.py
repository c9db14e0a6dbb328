"""The perceptual hash of a picture: 256 bits, so that two texts on one template differ."""

from __future__ import annotations

import io

import imagehash
from PIL import Image

SIDE = 16


def picture_hash(picture: bytes) -> str:
    """64 hex digits; the Hamming distance of two is the number of bits that differ."""
    return str(imagehash.phash(Image.open(io.BytesIO(picture)), SIDE))


def distance(first: str, second: str) -> int:
    """Bits that differ, 0 to 256."""
    return imagehash.hex_to_hash(first) - imagehash.hex_to_hash(second)
