"""Pictures from outside are checked before they are decoded, and made fit for Telegram."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from publisher.memes.pictures import PictureError, check_picture, normalise


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_upright_by_exif_and_free_of_it() -> None:
    image = Image.new("RGB", (400, 200), "red")
    image.paste("blue", (0, 0, 200, 200))
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(image, "JPEG", exif=exif, quality=95)
    assert (check_picture(data).width, check_picture(data).height) == (200, 400)
    with Image.open(io.BytesIO(normalise(data))) as upright:
        assert upright.size == (200, 400)
        assert not upright.getexif() and upright.info.get("icc_profile") is None
        assert np.asarray(upright)[50, 100, 2] > 200


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb_jpeg_of_telegram_size(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    data = encoded(Image.new(mode, (3000, 1500)), kind)
    with Image.open(io.BytesIO(normalise(data))) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (1280, 640))


def test_transparency_lies_on_white() -> None:
    clear = encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)))
    with Image.open(io.BytesIO(normalise(clear))) as picture:
        assert picture.getpixel((25, 25)) == (255, 255, 255)


def test_refusals_say_why(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    cases = {
        "animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "WEBP is animated": encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
        "not a picture": b"%PDF-1.7 hello",
        "damaged": encoded(Image.effect_noise((300, 300), 90), "JPEG")[:4000],
        "8×8000 px is too narrow": encoded(Image.new("RGB", (8, 8000))),
        "more than the 40,000,000 pixels": encoded(Image.new("1", (9000, 9000))),
        "far more than": encoded(Image.new("1", (20000, 20000))),
    }
    for words, data in cases.items():
        with pytest.raises(PictureError) as caught:
            normalise(data)
        assert words in str(caught.value)
    with pytest.raises(PictureError, match="more than the 10 allowed"):
        check_picture(cases["not a picture"], max_bytes=10)
    with pytest.raises(PictureError, match="no such file"):
        check_picture(tmp_path / "none.jpg")


@given(st.binary(max_size=400), st.integers(0, 3000), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_any_bytes_are_a_picture_or_a_picture_error(noise: bytes, at: int, kind: str) -> None:
    whole = encoded(Image.linear_gradient("L").resize((64, 64)), kind)
    spoilt = whole[: at % len(whole)] + noise + whole[at % len(whole) + len(noise) :]
    for data in (noise, spoilt):
        try:
            normalise(data)
        except PictureError as error:
            assert str(error)
