"""What a template is: a picture, the boxes for its texts, how its joke works, and whose it is.

Rectangles are fractions of the picture; sizes of lettering are px on a picture whose longer side
is 1280 px.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image, ImageColor
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from publisher.sentences import joined, words
from publisher.validation import wanted

from .fonts import FONTS
from .pictures import open_picture

FILE = "template.toml"
LICENCE_FILE = "LICENCE"
LANGUAGES = ("ru", "en")
MAX_PIXELS = 16_000_000
MAX_BYTES = 8_000_000


class TemplateError(ValueError):
    """A template that cannot be used: which file, which key, and what is wrong with it."""

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(joined(": ", [file, key, problem] if key else [file, problem]))
        self.file = file
        self.key = key
        self.problem = problem

    @classmethod
    def unreadable(cls, error: OSError, folder: Path) -> TemplateError:
        """What the system would not read in `folder`, such as a file without permission."""
        return cls(
            Path(error.filename or folder),
            "",
            words("cannot be read: {why}", why=error.strerror or error),
        )

    def __reduce__(self) -> tuple[type[TemplateError], tuple[Path, str, str]]:
        return TemplateError, (self.file, self.key, self.problem)


def _known_font(name: str) -> str:
    if name not in FONTS:
        raise ValueError(
            words("no font {name!r}; there are {known}", name=name, known=", ".join(FONTS))
        )
    return name


def _known_color(name: str) -> str:
    ImageColor.getrgb(name)
    return name


Color = Annotated[str, AfterValidator(_known_color)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Record):
    """One text in both languages."""

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        return self.en if language == "en" else self.ru


class Area(_Record):
    """A rectangle for lettering and how the letters look.

    `rect` is (x, y, width, height) as fractions of the picture, turned by `angle` degrees
    counter-clockwise about its middle. `outline` is the stroke's width in font sizes.
    """

    rect: tuple[float, float, float, float]
    angle: float = Field(default=0.0, ge=-180, le=180)
    align: Literal["left", "center", "right"] = "center"
    valign: Literal["top", "middle", "bottom"] = "middle"
    font: Annotated[str, AfterValidator(_known_font)] = "bold"
    color: Color = "#141414"
    outline: float = Field(default=0.0, ge=0, le=0.2)
    outline_color: Color = "#000000"
    case: Literal["", "upper", "lower"] = ""
    min_px: int = Field(default=30, ge=12, le=400)
    max_px: int = Field(default=90, ge=12, le=400)
    line_spacing: float = Field(default=1.14, ge=0.8, le=2)

    def cased(self, text: str) -> str:
        """The text in the letter case that this area wants."""
        return {"upper": text.upper(), "lower": text.lower()}.get(self.case, text)

    @model_validator(mode="after")
    def _sound(self) -> Area:
        x, y, width, height = self.rect
        if not all(map(math.isfinite, self.rect)) or width <= 0 or height <= 0:
            raise ValueError(
                words("rect {rect} is no rectangle [x, y, width, height]", rect=list(self.rect))
            )
        upright = self.angle == 0
        if upright and (x < 0 or y < 0 or x + width > 1.0001 or y + height > 1.0001):
            raise ValueError(
                words("rect {rect} leaves the picture: it must lie in 0 … 1", rect=list(self.rect))
            )
        if self.max_px < self.min_px:
            raise ValueError(
                words("max_px {most} is below min_px {least}", most=self.max_px, least=self.min_px)
            )
        return self


class Box(Area):
    """Where one text of a caption goes; `prefix` and `suffix` are set around it."""

    name: str = Field(min_length=1)
    max_chars: int = Field(ge=1, le=300)
    optional: bool = False
    prefix: str = ""
    suffix: str = ""

    def dressed(self, text: str) -> str:
        """The text with what belongs around it, unless it is there already."""
        bare = text.strip()
        if not bare:
            return ""
        before = "" if self.prefix and bare.startswith(self.prefix.strip()) else self.prefix
        after = "" if self.suffix and bare.endswith(self.suffix.strip()) else self.suffix
        return f"{before}{bare}{after}"


class Label(Area):
    """Lettering that belongs to the template, in both languages."""

    ru: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def text(self, language: str) -> str:
        return self.en if language == "en" else self.ru


class Example(_Record):
    """A caption that shows the template at its best, in each language."""

    ru: tuple[str, ...]
    en: tuple[str, ...]

    def of(self, language: str) -> tuple[str, ...]:
        return self.en if language == "en" else self.ru


class Template(_Record):
    """A template ready to render. `size` is the picture's (width, height) in px."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)
    name: Words
    pattern: Words
    picture: Path
    size: tuple[int, int]
    licence: str
    credit: str = ""
    source: str = ""
    themes: tuple[str, ...] = ()
    boxes: tuple[Box, ...] = Field(min_length=1)
    labels: tuple[Label, ...] = ()
    example: Example | None = None

    @property
    def folder(self) -> Path:
        return self.picture.parent


def corners(
    rect: tuple[float, float, float, float], angle: float, size: tuple[int, int]
) -> list[tuple[float, float]]:
    """The four corners in px of `rect` (fractions of `size`) turned about its middle."""
    x, y, width, height = (
        rect[0] * size[0],
        rect[1] * size[1],
        rect[2] * size[0],
        rect[3] * size[1],
    )
    middle_x, middle_y = x + width / 2, y + height / 2
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [
        (middle_x + dx * cos + dy * sin, middle_y - dx * sin + dy * cos)
        for dx in (-width / 2, width / 2)
        for dy in (-height / 2, height / 2)
    ]


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Key and message of the first thing that pydantic found wrong."""
    first = error.errors(include_url=False, include_input=False)[0]
    message, others = wanted(first), error.error_count() - 1
    if others:
        message = words("{message} (and {count} more)", message=message, count=others)
    return ".".join(map(str, first["loc"])), message


def same_id(template: Template, twin: Template) -> TemplateError:
    """Why `template` is left out beside `twin`, which was read before it."""
    problem = words(
        "{id!r} is the id of {twin} too: rename one", id=template.id, twin=twin.folder.name
    )
    return TemplateError(template.folder, "id", problem)


def check_areas(template: Template, file: Path) -> None:
    """Raise TemplateError for names that repeat, an example that has not one text for each box,
    or an area that leaves the picture when turned.
    """
    names = [box.name for box in template.boxes]
    if len(set(names)) < len(names):
        raise TemplateError(file, "boxes", words("names repeat: {names}", names=", ".join(names)))
    for language in LANGUAGES if template.example else ():
        texts = template.example.of(language) if template.example else ()
        if len(texts) != len(template.boxes):
            problem = words(
                "{texts} texts for {boxes} boxes", texts=len(texts), boxes=len(template.boxes)
            )
            raise TemplateError(file, f"example.{language}", problem)
    areas: list[tuple[str, Area]] = [(f"boxes.{box.name}", box) for box in template.boxes]
    areas += [(f"labels.{index}", label) for index, label in enumerate(template.labels)]
    for key, area in areas:
        for x, y in corners(area.rect, area.angle, template.size):
            if not (-1 <= x <= template.size[0] + 1 and -1 <= y <= template.size[1] + 1):
                raise TemplateError(
                    file,
                    key,
                    words("turned by {angle}°, a corner leaves the picture", angle=area.angle),
                )


def picture_of(template: Template) -> Image.Image:
    """The template's picture, decoded, upright, RGB; of an animation the first."""
    return open_picture(
        template.picture, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, first_frame=True
    )
