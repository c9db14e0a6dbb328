"""Laying one picture over another: scale and shift found by correlation, then refined.

A partner's copy of a picture may be resized, framed and cropped: each axis is a scale and a
shift. Correlation over all shifts at several scales finds the place roughly (normalised over the
overlap: Padfield 2012, "Masked object registration in the Fourier domain"), least squares on the
pixels' differences brings it below a pixel (Lucas & Kanade 1981, robust weights).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import fft, ndimage

COARSE, MIDDLE, FINE = 64, 160, 576
SOURCE = 768
STEP = 1.035
LEAST_OVERLAP = 0.55
STARTS = 3
CLIP = 60.0
FLAT = 7.0
FRAME = 0.12


@dataclass(frozen=True)
class Placement:
    """Our pixel (x, y) lies at (x·sx + tx, y·sy + ty) of theirs, all as fractions of the sides:
    0 is the left or upper edge, 1 the right or lower one.
    """

    sx: float
    tx: float
    sy: float
    ty: float


@dataclass(frozen=True)
class Overlay:
    """Both pictures on our grid, shape (h, w), 0–255, and where theirs has a pixel."""

    ours: np.ndarray
    theirs: np.ndarray
    valid: np.ndarray
    placement: Placement


def shade(picture: Image.Image, longer: int) -> np.ndarray:
    """Grey values with the longer side of `longer` pixels, float32."""
    ratio = longer / max(picture.size)
    size = (max(8, round(picture.width * ratio)), max(8, round(picture.height * ratio)))
    return resized(picture, size)


def resized(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """Grey values at a size (width, height), float32."""
    shrinks = size[0] < picture.width
    how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.asarray(picture.resize(size, how), dtype=np.float32)


def grey(picture: Image.Image) -> Image.Image:
    """Grey and no larger than needed here."""
    small = picture.convert("L")
    small.thumbnail((SOURCE, SOURCE), Image.Resampling.BOX, reducing_gap=None)
    return small


def overlay(ours: Image.Image, theirs: Image.Image) -> Overlay | None:
    """Theirs laid over ours as well as it can be; None when no place looks alike at all.

    Both are pictures by `grey`. An even frame is no part of theirs; where our own picture has
    even margins they go too, and the rest is laid as a crop.
    """
    theirs = without_frame(theirs)
    best: tuple[float, Placement] | None = None
    for start in _starts(ours, theirs):
        placement, error = _refine(ours, theirs, start, MIDDLE, 8)
        if best is None or error < best[0]:
            best = (error, placement)
    if best is None:
        return None
    placement, _ = _refine(ours, theirs, best[1], FINE, 4)
    mine = shade(ours, FINE)
    laid, valid = _lay(_their_shade(theirs, mine, placement), mine.shape, placement)
    return Overlay(mine, laid, valid, placement)


def _starts(ours: Image.Image, theirs: Image.Image) -> list[Placement]:
    """The best few rough places."""
    mine = shade(ours, COARSE)
    height, width = mine.shape
    across, down = width / theirs.width, height / theirs.height
    lowest, highest = min(across, down) * 0.74, max(across, down) * 1.2
    count = int(np.ceil(np.log(highest / lowest) / np.log(STEP))) + 1
    found = []
    for scale in np.geomspace(lowest, highest, count):
        size = (max(8, round(theirs.width * scale)), max(8, round(theirs.height * scale)))
        other = resized(theirs, size)
        score, dy, dx = _best_shift(mine, other)
        place = Placement(width / size[0], -dx / size[0], height / size[1], -dy / size[1])
        found.append((score, place))
    found.sort(key=lambda one: -one[0])
    return [place for score, place in found[:STARTS] if score > 0.2]


def without_frame(picture: Image.Image) -> Image.Image:
    """The picture less an even frame, and less the frame's soft edge."""
    top, bottom, left, right = frame_of(np.asarray(picture, dtype=np.float32), FRAME)
    soft = 2
    box = (
        left + soft * (left > 0),
        top + soft * (top > 0),
        picture.width - right - soft * (right > 0),
        picture.height - bottom - soft * (bottom > 0),
    )
    return picture.crop(box)


def frame_of(values: np.ndarray, most: float) -> tuple[int, int, int, int]:
    """Even rows and columns at the top, bottom, left and right, at most that share of a side."""
    height, width = values.shape

    def peel(lines: np.ndarray) -> int:
        base = np.median(lines[0])
        even = np.percentile(np.abs(lines - base), 97, axis=1) < FLAT
        return int(np.argmin(np.append(even, False)))

    down, across = max(1, round(height * most)), max(1, round(width * most))
    return (
        peel(values[:down]),
        peel(values[::-1][:down]),
        peel(values.T[:across]),
        peel(values.T[::-1][:across]),
    )


def _best_shift(first: np.ndarray, second: np.ndarray) -> tuple[float, int, int]:
    """Highest correlation over the overlap, and by how much `second` is moved down and right."""
    shape = [
        fft.next_fast_len(a + b, real=True) for a, b in zip(first.shape, second.shape, strict=True)
    ]

    def spectrum(values: np.ndarray) -> np.ndarray:
        return np.asarray(fft.rfft2(values, shape))

    # Values around zero keep the differences of sums exact.
    a, b = first - first.mean(), second - second.mean()
    ones_a, ones_b = spectrum(np.ones_like(a)), spectrum(np.ones_like(b)).conj()
    f_a, f_a2 = spectrum(a), spectrum(a * a)
    f_b, f_b2 = spectrum(b).conj(), spectrum(b * b).conj()

    def over(x: np.ndarray) -> np.ndarray:
        return np.asarray(fft.irfft2(x, shape))

    n = np.maximum(np.round(over(ones_a * ones_b)), 1)
    sum_a, sum_b = over(f_a * ones_b), over(ones_a * f_b)
    spread_a = np.maximum(over(f_a2 * ones_b) - sum_a**2 / n, 1e-3)
    spread_b = np.maximum(over(ones_a * f_b2) - sum_b**2 / n, 1e-3)
    score = (over(f_a * f_b) - sum_a * sum_b / n) / np.sqrt(spread_a * spread_b)
    score[n < LEAST_OVERLAP * first.size] = -1
    dy, dx = np.unravel_index(int(np.argmax(score)), score.shape)
    best = float(score[dy, dx])
    down = int(dy) - (shape[0] if dy >= first.shape[0] else 0)
    right = int(dx) - (shape[1] if dx >= first.shape[1] else 0)
    return best, down, right


def _their_shade(theirs: Image.Image, mine: np.ndarray, place: Placement) -> np.ndarray:
    """Theirs at the scale at which it lies on our grid."""
    height, width = mine.shape
    size = (max(8, round(width / place.sx)), max(8, round(height / place.sy)))
    return resized(theirs, size)


def _lay(
    theirs: np.ndarray, shape: tuple[int, ...], place: Placement
) -> tuple[np.ndarray, np.ndarray]:
    """Theirs sampled on our grid, and where it has pixels."""
    height, width = shape
    x = ((np.arange(width) + 0.5) / width * place.sx + place.tx) * theirs.shape[1] - 0.5
    y = ((np.arange(height) + 0.5) / height * place.sy + place.ty) * theirs.shape[0] - 0.5
    inside_x = (x >= 0) & (x <= theirs.shape[1] - 1)
    inside_y = (y >= 0) & (y <= theirs.shape[0] - 1)
    return _sample(theirs, y, x), np.outer(inside_y, inside_x)


def _sample(values: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Bilinear at the grid of rows `y` and columns `x`; the axes are independent."""
    rows, across = _between(values.shape[0], y), _between(values.shape[1], x)
    low, high, part = rows
    taken = values[low] * (1 - part)[:, None] + values[high] * part[:, None]
    low, high, part = across
    return np.asarray(taken[:, low] * (1 - part) + taken[:, high] * part)


def _between(size: int, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    at = np.clip(at, 0, size - 1)
    low = np.minimum(at.astype(int), max(size - 2, 0))
    return low, np.minimum(low + 1, size - 1), (at - low).astype(np.float32)


def _refine(
    ours: Image.Image, theirs: Image.Image, place: Placement, longer: int, rounds: int
) -> tuple[Placement, float]:
    """Least squares in scales, shifts, brightness and contrast; the error that is left."""
    mine = ndimage.gaussian_filter(shade(ours, longer), 1.0)
    other = ndimage.gaussian_filter(_their_shade(theirs, mine, place), 1.0)
    height, width = mine.shape
    u = ((np.arange(width) + 0.5) / width)[None, :]
    v = ((np.arange(height) + 0.5) / height)[:, None]
    error = np.inf
    for _ in range(rounds):
        laid, valid = _lay(other, mine.shape, place)
        if valid.mean() < LEAST_OVERLAP * 0.9:
            return place, np.inf
        down, right = np.gradient(laid)
        right, down = right * width / place.sx, down * height / place.sy
        terms = [right * u, right + 0 * u, down * v, down + 0 * v, laid, np.ones_like(laid)]
        columns = np.stack([t[valid] for t in terms], axis=1).astype(np.float64)
        target = mine[valid].astype(np.float64)
        residual = target - columns[:, 4]
        residual -= np.median(residual)
        apart = np.abs(residual)
        error = float(np.minimum(apart, CLIP).mean())
        spread = max(1.4826 * float(np.median(apart)), 2.0)
        weight = 1 / (1 + (residual / (2 * spread)) ** 2)
        weighted = columns * weight[:, None]
        normal = columns.T @ weighted + np.diag([1.0, 1.0, 1.0, 1.0, 1e-6, 1e-6])
        solved = np.linalg.solve(normal, weighted.T @ target)
        gain = solved[4] if abs(solved[4]) > 0.2 else 1.0
        step = solved[:4] / gain
        step = np.clip(step, -0.05, 0.05)
        place = Placement(
            place.sx + step[0], place.tx + step[1], place.sy + step[2], place.ty + step[3]
        )
        if not (0.5 < place.sx < 2 and 0.5 < place.sy < 2):
            return place, np.inf
        if np.abs(step).max() < 1e-4:
            break
    return place, error
