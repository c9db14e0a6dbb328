"""A template and its texts become a picture; every letter stays inside its box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor

from PIL import Image, ImageChops, ImageColor, ImageDraw

from publisher.sentences import words

from . import emoji, text_layout
from .fonts import cap_height, font
from .pictures import PictureError, jpeg
from .template_model import Area, Template, corners, picture_of
from .text_layout import EMOJI, EMOJI_SIDE, Layout, UnsupportedText, Word

__all__ = [
    "BoxReport",
    "RenderError",
    "Rendered",
    "TextDoesNotFit",
    "UnsupportedCharacters",
    "render",
]

REFERENCE_SIDE = 1280
"""min_px and max_px of boxes are meant for a picture whose longer side is this."""

SMALLEST_PICTURE = 800
"""Smaller pictures are enlarged so that lettering stays sharp."""

Rect = tuple[int, int, int, int]


class RenderError(ValueError):
    """These texts cannot be set on this template; the message says which and why."""


class TextDoesNotFit(RenderError):
    """A text too long for its box at the smallest readable size.

    `limit` is about how many characters of such a text would fit.
    """

    def __init__(self, template: str, box: str, limit: int, *, length: int, size_px: int) -> None:
        super().__init__(
            words(
                "template {template}, box {box}: {length} characters do not fit; at most about "
                "{limit} at the smallest readable size {size_px} px",
                template=template,
                box=box,
                length=length,
                limit=limit,
                size_px=size_px,
            )
        )
        self.template = template
        self.box = box
        self.limit = limit
        self.length = length
        self.size_px = size_px

    def __reduce__(self) -> tuple[object, ...]:
        return _does_not_fit, (self.template, self.box, self.limit, self.length, self.size_px)


def _does_not_fit(template: str, box: str, limit: int, length: int, size_px: int) -> TextDoesNotFit:
    return TextDoesNotFit(template, box, limit, length=length, size_px=size_px)


class UnsupportedCharacters(RenderError):
    """A text with characters that no font of ours draws."""


@dataclass(frozen=True)
class BoxReport:
    """How one text was set. Rectangles are (x0, y0, x1, y1) in px of the rendered picture.

    `rect` encloses the box (turned by `angle`), `ink` the letters; `ink` is None for no text.
    """

    name: str
    rect: Rect
    font: str
    font_size_px: int
    lines: tuple[str, ...]
    ink: Rect | None
    angle: float = 0.0


@dataclass(frozen=True)
class Rendered:
    """A finished meme: JPEG bytes, the same as an RGB image, and a report for each box."""

    jpeg: bytes
    image: Image.Image
    boxes: tuple[BoxReport, ...]


def render(
    template: Template,
    texts: Sequence[str],
    *,
    language: str = "ru",
    max_side: int = REFERENCE_SIDE,
    quality: int = 90,
) -> Rendered:
    """Set `texts`, one for each box in order, on the template's picture.

    Raises TextDoesNotFit, UnsupportedCharacters, or RenderError for a wrong number of texts or a
    box left empty.
    """
    if len(texts) != len(template.boxes):
        names = ", ".join(box.name for box in template.boxes)
        raise RenderError(
            words(
                "template {template} takes {wanted} texts ({names}), got {given}",
                template=template.id,
                wanted=len(template.boxes),
                names=names,
                given=len(texts),
            )
        )
    image = _background(template, language, max_side).copy()
    reports = tuple(
        _set_text(image, template.id, box, box.name, box.dressed(text), language, box.optional)
        for box, text in zip(template.boxes, texts, strict=True)
    )
    return Rendered(jpeg(image, quality), image, reports)


@lru_cache(maxsize=8)
def _background(template: Template, language: str, max_side: int) -> Image.Image:
    """The picture at its final size with the template's own lettering."""
    try:
        image = picture_of(template)
    except PictureError as error:
        raise RenderError(
            words(
                "template {template}: {picture}: {why}",
                template=template.id,
                picture=template.picture,
                why=error,
            )
        ) from error
    longest = max(image.size)
    target = min(max_side, max(longest, SMALLEST_PICTURE))
    if target != longest:
        size = tuple(max(1, round(side * target / longest)) for side in image.size)
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    for index, label in enumerate(template.labels):
        name = f"label {index + 1}"
        _set_text(image, template.id, label, name, label.text(language), language, False)
    return image


def _set_text(
    image: Image.Image,
    template: str,
    area: Area,
    name: str,
    text: str,
    language: str,
    optional: bool,
) -> BoxReport:
    frame = _frame(area, image.size)
    tokens = _words(template, area, name, text)
    if not tokens:
        if not optional:
            raise RenderError(
                words(
                    "template {template}, box {box}: the text is empty", template=template, box=name
                )
            )
        return BoxReport(name, _enclosing(area, image.size), area.font, 0, (), None, area.angle)
    scale = max(image.size) / REFERENCE_SIDE
    smallest = max(8, round(area.min_px * scale))
    largest = max(smallest, round(area.max_px * scale))
    width, height = frame
    while True:
        layout = None
        if len(text) <= text_layout.MAX_CHARACTERS and largest >= smallest:
            layout = text_layout.fit(
                tokens,
                area.font,
                width=width,
                height=height,
                smallest=smallest,
                largest=largest,
                line_spacing=area.line_spacing,
                outline=area.outline,
                language=language,
            )
        if layout is None:
            limit = _limit(tokens, area, width, height, smallest)
            raise TextDoesNotFit(template, name, limit, length=len(text), size_px=smallest)
        lettering = _lettering(layout, area, width, height)
        if lettering is not None:
            break
        largest = layout.size - 1
    ink = _stamp(image, lettering, area)
    return BoxReport(
        name,
        _enclosing(area, image.size),
        area.font,
        layout.size,
        layout.texts,
        ink,
        area.angle,
    )


def _words(template: str, area: Area, name: str, text: str) -> list[Word]:
    if len(text) > text_layout.MAX_CHARACTERS:
        text = text[: text_layout.MAX_CHARACTERS]
    try:
        return text_layout.words_of(area.cased(text), area.font)
    except UnsupportedText as error:
        raise UnsupportedCharacters(
            words("template {template}, box {box}: {why}", template=template, box=name, why=error)
        ) from error


def _limit(tokens: Sequence[Word], area: Area, width: int, height: int, size: int) -> int:
    """About how many characters of such a text fit at `size` px: full lines, a little ragged."""
    character = text_layout.average_character(tokens) * size / text_layout.REFERENCE
    lines = max(1, floor((height / size - 1 - 2 * area.outline) / area.line_spacing) + 1)
    room = floor(0.85 * lines * (width - 2 * area.outline * size) / character)
    length = sum(len(word.text) + 1 for word in tokens) - 1
    return max(1, min(room, length - 1))


def _frame(area: Area, size: tuple[int, int]) -> tuple[int, int]:
    """Width and height in px to set the text in, before turning."""
    if area.angle % 90:
        return floor(area.rect[2] * size[0]) - 4, floor(area.rect[3] * size[1]) - 4
    x0, y0, x1, y1 = _enclosing(area, size)
    return (y1 - y0, x1 - x0) if area.angle % 180 else (x1 - x0, y1 - y0)


def _enclosing(area: Area, size: tuple[int, int]) -> Rect:
    """The upright rectangle in whole px around the turned box, within the picture."""
    points = corners(area.rect, area.angle, size)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if area.angle % 90:
        rect = floor(min(xs)), floor(min(ys)), ceil(max(xs)), ceil(max(ys))
    else:
        rect = round(min(xs)), round(min(ys)), round(max(xs)), round(max(ys))
    return max(0, rect[0]), max(0, rect[1]), min(size[0], rect[2]), min(size[1], rect[3])


@dataclass(frozen=True)
class _Lettering:
    """A text as masks of the frame's size: outline, letters; and its emoji, if any."""

    outline: Image.Image | None
    letters: Image.Image
    emoji: Image.Image | None


def _lettering(layout: Layout, area: Area, width: int, height: int) -> _Lettering | None:
    """Draw the lines on a sheet larger than the frame; None when their ink is larger than it."""
    size = layout.size
    margin = 2 * size
    sheet = (width + 2 * margin, height + 2 * margin)
    stroke = max(1, round(area.outline * size)) if area.outline else 0
    letters = Image.new("L", sheet)
    outline = Image.new("L", sheet) if stroke else None
    with_emoji = any(run.font == EMOJI for line in layout.lines for run in line)
    colours = Image.new("RGBA", sheet) if with_emoji else None
    line_height = area.line_spacing * size
    block = cap_height(area.font, size) + (len(layout.lines) - 1) * line_height
    baseline: float = margin + cap_height(area.font, size) + stroke
    if area.valign == "middle":
        baseline += (height - 2 * stroke - block) / 2
    elif area.valign == "bottom":
        baseline += height - 2 * stroke - block
    for index, line in enumerate(layout.lines):
        x: float = margin + stroke
        spare = width - 2 * stroke - layout.width(line)
        x += {"left": 0.0, "center": spare / 2, "right": spare}[area.align]
        y = round(baseline + index * line_height)
        for run in line:
            if run.font == EMOJI and colours is not None:
                _draw_emoji(colours, run.text, x, y, area.font, size)
            else:
                _draw_letters(letters, outline, run.text, run.font, x, y, size, stroke)
            x += run.width * size / text_layout.REFERENCE
    return _cut_to_frame(letters, outline, colours, margin, width, height)


def _draw_letters(
    letters: Image.Image,
    outline: Image.Image | None,
    text: str,
    font_name: str,
    x: float,
    y: int,
    size: int,
    stroke: int,
) -> None:
    face = font(font_name, size)
    ImageDraw.Draw(letters).text((x, y), text, font=face, fill=255, anchor="ls")
    if outline is not None:
        ImageDraw.Draw(outline).text(
            (x, y), text, font=face, fill=255, anchor="ls", stroke_width=stroke, stroke_fill=255
        )


def _draw_emoji(
    colours: Image.Image, sequence: str, x: float, y: int, font_name: str, size: int
) -> None:
    side = round(EMOJI_SIDE * size)
    top = round(y - cap_height(font_name, size) / 2 - side / 2)
    colours.alpha_composite(emoji.draw(sequence, side), (round(x), top))


def _cut_to_frame(
    letters: Image.Image,
    outline: Image.Image | None,
    colours: Image.Image | None,
    margin: int,
    width: int,
    height: int,
) -> _Lettering | None:
    """The frame's part of the sheet, moved so that all ink is in it; None when it is too large."""
    ink = _ink(letters, outline, colours)
    if ink is None:
        left = top = margin
    elif ink[2] - ink[0] > width or ink[3] - ink[1] > height:
        return None
    else:
        left = max(ink[2] - width, min(margin, ink[0]))
        top = max(ink[3] - height, min(margin, ink[1]))
    cut = (left, top, left + width, top + height)
    return _Lettering(
        outline.crop(cut) if outline else None,
        letters.crop(cut),
        colours.crop(cut) if colours else None,
    )


def _ink(*layers: Image.Image | None) -> Rect | None:
    together: Image.Image | None = None
    for layer in layers:
        if layer is None:
            continue
        mask = layer.getchannel("A") if layer.mode == "RGBA" else layer
        together = mask if together is None else ImageChops.lighter(together, mask)
    return together.getbbox() if together else None


def _stamp(image: Image.Image, lettering: _Lettering, area: Area) -> Rect | None:
    """Put the lettering on the image, turned about the box's middle; return where its ink is."""
    outline, letters, colours = (
        _turned(layer, area.angle)
        for layer in (lettering.outline, lettering.letters, lettering.emoji)
    )
    assert letters is not None
    x, y, width, height = area.rect
    if area.angle % 90:
        left = round((x + width / 2) * image.width - letters.width / 2)
        top = round((y + height / 2) * image.height - letters.height / 2)
    else:
        left, top = _enclosing(area, image.size)[:2]
    where = (left, top)
    if outline is not None:
        image.paste(ImageColor.getrgb(area.outline_color), where, outline)
    image.paste(ImageColor.getrgb(area.color), where, letters)
    if colours is not None:
        image.paste(colours.convert("RGB"), where, colours.getchannel("A"))
    ink = _ink(letters, outline, colours)
    return None if ink is None else (ink[0] + left, ink[1] + top, ink[2] + left, ink[3] + top)


def _turned(layer: Image.Image | None, angle: float) -> Image.Image | None:
    if layer is None or angle == 0:
        return layer
    quarter = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180}
    quarter[270] = Image.Transpose.ROTATE_270
    if angle % 360 in quarter:
        return layer.transpose(quarter[int(angle % 360)])
    premultiplied = layer.convert("RGBa") if layer.mode == "RGBA" else layer
    turned = premultiplied.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    return turned.convert("RGBA") if layer.mode == "RGBA" else turned
