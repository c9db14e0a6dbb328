"""Is this picture our meme, or another meme on the same template?

Partners put a name into a corner, frame, crop, resize and compress pictures. A perceptual hash
tells which of our memes a picture may be; it cannot tell memes of one template apart. So their
picture is laid over ours (`alignment`) and compared block by block: where the drawing or the
lettering differs, blocks that have something to show do not correlate. Differences are borne in
one corner, where names are put, and nowhere else.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image, ImageOps
from scipy import ndimage

from publisher.partners.alignment import Overlay, frame_of, grey, overlay, without_frame
from publisher.sentences import words

Picture = Path | str | bytes

HASH_SIDE = 8
LEAST_SIDE = 16
NEAR = 24
"""Bits of 64: unrelated pictures are about 32 apart, altered copies below 20."""

BLOCK = 10
SHARPNESS = 0.8
INK = 10.0
"""Standard deviation in a block, of 255, from which there is something to compare."""
ALIKE = 0.6
NOISE = 16.0
REFERENCE = 2451
"""Blocks of a 4:3 picture; the limits below are for so many."""
ELSEWHERE = 5.0
REPLACED_IN_CORNER = 70.0
DIFFERENT_IN_CORNER = 110.0
CORNER_HEIGHT, CORNER_WIDTH = 0.16, 0.75
LEAST_AGREEMENT = 0.8
RESIDUAL_FRAME = 0.06


@dataclass(frozen=True)
class Match:
    """`score`: the share of comparable blocks that agree, in [0, 1]."""

    same: bool
    score: float
    because: str


def open_picture(picture: Picture) -> Image.Image:
    """Raises ValueError when it is no picture that can be read."""
    try:
        found = Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture)
        if found.format == "JPEG":
            found.draft("L", (1024, 1024))
        upright = ImageOps.exif_transpose(found).convert("RGB")
        if min(upright.size) < LEAST_SIDE:
            raise ValueError(
                words(
                    "{width} × {height} pixels are too few to compare",
                    width=upright.width,
                    height=upright.height,
                )
            )
        return upright
    except Exception as error:
        name = words("the picture") if isinstance(picture, bytes) else picture
        raise ValueError(
            words("{file}: not a readable picture: {why}", file=name, why=error)
        ) from error


def coarse_hash(picture: Picture) -> str:
    """16 hex digits of the picture without its frame. Raises ValueError."""
    return str(imagehash.phash(without_frame(grey(open_picture(picture))), HASH_SIDE))


def near(first: str, second: str) -> bool:
    """Whether two pictures may be one; says nothing about two memes of one template."""
    return bool(imagehash.hex_to_hash(first) - imagehash.hex_to_hash(second) <= NEAR)


def match(ours: Picture, theirs: Picture) -> Match:
    """Whether `theirs` shows our picture, whatever was done to it. Raises ValueError."""
    laid = overlay(grey(open_picture(ours)), grey(open_picture(theirs)))
    if laid is None:
        return Match(False, 0.0, words("nothing alike at any place or size"))
    return judge(laid)


def judge(laid: Overlay) -> Match:
    """Count the blocks that differ, in the corner that has most of them and elsewhere."""
    comparable, different, replaced = compare_blocks(laid)
    seen = int(comparable.sum())
    scale = REFERENCE / comparable.size
    if seen * scale < REFERENCE / 50:
        return Match(False, 0.0, words("too little to compare"))
    score = 1 - float(different.sum()) / seen
    corner = _worst_corner(different)
    elsewhere = float((different & ~corner).sum()) * scale
    inside = float((different & corner).sum()) * scale
    gone = float((replaced & corner).sum()) * scale
    because = words(
        "{elsewhere:.0f} of {all} blocks differ, in one corner {inside:.0f} more ({gone:.0f} over "
        "something of ours)",
        elsewhere=elsewhere,
        all=REFERENCE,
        inside=inside,
        gone=gone,
    )
    same = (
        elsewhere <= ELSEWHERE
        and gone <= REPLACED_IN_CORNER
        and inside <= DIFFERENT_IN_CORNER
        and score >= LEAST_AGREEMENT
    )
    return Match(same, score, because)


def compare_blocks(laid: Overlay) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each block: something to compare, not alike, not alike where ours had something.

    Boolean arrays of one shape. Alike is the correlation of grey values within the block, so that
    brightness and contrast do not matter.
    """
    ours = _blocks(ndimage.gaussian_filter(laid.ours, SHARPNESS))
    theirs = _blocks(ndimage.gaussian_filter(laid.theirs, SHARPNESS))
    inside = _blocks(_without_residual_frame(laid).astype(np.float32)).mean(-1) > 0.95
    ours = ours - ours.mean(-1, keepdims=True)
    theirs = theirs - theirs.mean(-1, keepdims=True)
    spread, other = np.sqrt((ours**2).mean(-1)), np.sqrt((theirs**2).mean(-1))
    correlation = ((ours * theirs).mean(-1) + NOISE) / (spread * other + NOISE)
    comparable = inside & (np.maximum(spread, other) > INK)
    different = comparable & (correlation < ALIKE)
    return comparable, different, different & (spread > INK)


def _blocks(values: np.ndarray) -> np.ndarray:
    """Shape (rows, columns, BLOCK²)."""
    rows, columns = values.shape[0] // BLOCK, values.shape[1] // BLOCK
    cut = values[: rows * BLOCK, : columns * BLOCK]
    return cut.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(rows, columns, -1)


def _without_residual_frame(laid: Overlay) -> np.ndarray:
    """Where theirs has pixels that are no frame: one too uneven to be cut before, or its edge."""
    valid = laid.valid.copy()
    rows, columns = np.flatnonzero(valid.any(1)), np.flatnonzero(valid.any(0))
    if not rows.size or not columns.size:
        return valid
    y0, y1, x0, x1 = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    top, bottom, left, right = frame_of(laid.theirs[y0:y1, x0:x1], RESIDUAL_FRAME)
    kept = np.zeros_like(valid)
    kept[
        y0 + top + 2 * (top > 0) : y1 - bottom - 2 * (bottom > 0),
        x0 + left + 2 * (left > 0) : x1 - right - 2 * (right > 0),
    ] = True
    return np.asarray(valid & kept)


def _worst_corner(different: np.ndarray) -> np.ndarray:
    """The corner that holds most of the differences, as a mask."""
    rows, columns = different.shape
    y = (np.arange(rows) + 0.5)[:, None] / rows
    x = (np.arange(columns) + 0.5)[None, :] / columns
    corners = [
        (up < CORNER_HEIGHT) & (aside < CORNER_WIDTH) for up in (y, 1 - y) for aside in (x, 1 - x)
    ]
    return max(corners, key=lambda corner: int((different & corner).sum()))
