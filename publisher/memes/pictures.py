"""Pictures from outside: is it one, is it safe to decode, and as Telegram wants it."""

from __future__ import annotations

import struct
import warnings
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from publisher.sentences import words

MAX_PIXELS = 40_000_000
MAX_BYTES = 20_000_000
MAX_SIDE = 1280
MAX_ASPECT = 20
"""Telegram refuses photos longer than this many times their width."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
STILL = ("JPEG", "MPO", "PNG", "WEBP", "BMP")

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError)


class PictureError(ValueError):
    """A picture that cannot be used; the message says why and what would help, `code` which of
    `strip`, `bytes`, `pixels`, `format`, `animated`, `missing`, `damaged` it is."""

    def __init__(self, message: str, code: str = "damaged") -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[PictureError], tuple[str, str]]:
        return PictureError, (self.args[0], self.code)


@dataclass(frozen=True)
class PictureInfo:
    """What a decodable picture is: format by content, size in px after EXIF orientation."""

    format: str
    width: int
    height: int
    bytes: int


def check_picture(
    picture: Path | bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    first_frame: bool = False,
) -> PictureInfo:
    """Decode the whole picture and describe it; with `first_frame` an animation may stand for its
    first picture.

    Raises PictureError for what is not a still picture of a known format, is damaged, is larger
    than `max_bytes`, or would decode to more than `max_pixels` (checked before decoding).
    """
    image, size = _decoded(picture, max_pixels, max_bytes, first_frame)
    return PictureInfo(image.format or "", *ImageOps.exif_transpose(image).size, size)


def normalise(
    picture: Path | bytes,
    *,
    max_side: int = MAX_SIDE,
    quality: int = 90,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """The picture as a JPEG for Telegram: upright, RGB on white, ≤ max_side px, no metadata."""
    image = open_picture(picture, max_pixels=max_pixels, max_bytes=max_bytes)
    if max(image.size) > MAX_ASPECT * min(image.size):
        width, height = image.size
        raise PictureError(
            words(
                "{width}×{height} px is too narrow a strip: at most {most}:1",
                width=width,
                height=height,
                most=MAX_ASPECT,
            ),
            "strip",
        )
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return jpeg(image, quality)


def open_picture(
    picture: Path | bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    first_frame: bool = False,
) -> Image.Image:
    """The picture decoded, upright, RGB, on white where it was transparent.

    Raises PictureError as check_picture does.
    """
    image, _ = _decoded(picture, max_pixels, max_bytes, first_frame)
    image = ImageOps.exif_transpose(image)
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def jpeg(image: Image.Image, quality: int = 90) -> bytes:
    """The RGB image as JPEG bytes with full colour resolution (sharp lettering), no metadata."""
    out = BytesIO()
    bare = Image.new("RGB", image.size)
    bare.paste(image)
    bare.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def _decoded(
    picture: Path | bytes, max_pixels: int, max_bytes: int, first_frame: bool
) -> tuple[Image.Image, int]:
    try:
        size = len(picture) if isinstance(picture, bytes) else picture.stat().st_size
        if size > max_bytes:
            raise PictureError(
                words("{size:,} bytes: more than the {most:,} allowed", size=size, most=max_bytes),
                "bytes",
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            source = BytesIO(picture) if isinstance(picture, bytes) else picture
            image = Image.open(source, formats=FORMATS)
        _check_header(image, max_pixels, first_frame)
        image.load()
    except Image.DecompressionBombError as error:
        raise PictureError(
            words("decodes to far more than {most:,} pixels", most=max_pixels), "pixels"
        ) from error
    except Image.UnidentifiedImageError as error:
        raise PictureError(
            words("not a picture of a known format (use JPEG, PNG or WebP)"), "format"
        ) from error
    except PictureError:
        raise
    except FileNotFoundError as error:
        raise PictureError(words("no such file: {file}", file=error.filename), "missing") from error
    except _BROKEN as error:
        raise PictureError(words("damaged or cut short: {why}", why=error), "damaged") from error
    return image, size


def _check_header(image: Image.Image, max_pixels: int, first_frame: bool) -> None:
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise PictureError(
            words(
                "{width}×{height} px is more than the {most:,} pixels allowed",
                width=image.width,
                height=image.height,
                most=max_pixels,
            ),
            "pixels",
        )
    if first_frame and image.format in (*STILL, "GIF"):
        return
    if image.format not in STILL or (image.format != "MPO" and getattr(image, "n_frames", 1) > 1):
        raise PictureError(
            words(
                "{format} is animated or not a photo: use JPEG, PNG or WebP", format=image.format
            ),
            "animated",
        )
