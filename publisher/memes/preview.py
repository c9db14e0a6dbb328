"""Contact sheets: many pictures on one, each with a line beneath."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from .fonts import font
from .pictures import open_picture
from .render import render
from .template_model import Template

GAP = 16
LABEL_SIZE = 20
BACKGROUND = "#20232b"


def contact_sheet(
    pictures: Sequence[tuple[Path | Image.Image, str]],
    out: Path,
    *,
    columns: int = 4,
    cell: int = 420,
) -> Path:
    """Save one picture with all of `pictures`, each within cell × cell px over its label.

    The format follows the suffix of `out`. Raises ValueError for no pictures, PictureError for a
    file that is none.
    """
    if not pictures:
        raise ValueError("a contact sheet of no pictures")
    columns = max(1, min(columns, len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    face = font("ui", LABEL_SIZE)
    strip = 2 * LABEL_SIZE
    size = (
        columns * (cell + GAP) + GAP,
        rows * (cell + strip + GAP) + GAP,
    )
    sheet = Image.new("RGB", size, BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    for index, (picture, label) in enumerate(pictures):
        image = open_picture(picture) if isinstance(picture, Path) else picture.convert("RGB")
        small = ImageOps.contain(image, (cell, cell), Image.Resampling.LANCZOS)
        x = GAP + (index % columns) * (cell + GAP)
        y = GAP + (index // columns) * (cell + strip + GAP)
        sheet.paste(small, (x + (cell - small.width) // 2, y + (cell - small.height) // 2))
        middle = (x + cell / 2, y + cell + strip / 2)
        pen.text(middle, _shortened(label, cell), font=face, fill="white", anchor="mm")
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(out, quality=88)
    return out


def _shortened(label: str, width: int) -> str:
    face = font("ui", LABEL_SIZE)
    label = " ".join(label.split())
    if face.getlength(label) <= width:
        return label
    while label and face.getlength(label + "…") > width:
        label = label[:-1]
    return label + "…"


def template_sheet(
    templates: Iterable[Template], out: Path, *, language: str = "ru", columns: int = 4
) -> Path:
    """A contact sheet of templates, each with its example caption (bare without one)."""
    pictures: list[tuple[Path | Image.Image, str]] = []
    for template in templates:
        label = f"{template.id}: {template.name.of(language)}"
        if template.example:
            texts = template.example.of(language)
            pictures.append((render(template, texts, language=language).image, label))
        else:
            pictures.append((template.picture, label))
    return contact_sheet(pictures, out, columns=columns)
