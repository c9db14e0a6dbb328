"""Templates of memegen (folders with `config.yml` and `default.*`) as templates of ours.

The format: https://github.com/jacebrowning/memegen. Text boxes are fractions of the picture; a
turned box is placed by the upper left corner of the upright rectangle around it. Overlays, extra
styles and animation are left out; of a GIF the first picture is taken.
"""

from __future__ import annotations

import json
import logging
import math
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml
from PIL import ImageColor
from pydantic import ValidationError

from publisher.sentences import sentence_of, words

from .pictures import PictureError, check_picture
from .template_model import (
    FILE,
    LICENCE_FILE,
    MAX_BYTES,
    MAX_PIXELS,
    Box,
    Example,
    Template,
    TemplateError,
    Words,
    check_areas,
    first_problem,
    same_id,
)

CONFIG = "config.yml"
MAX_CONFIG_BYTES = 100_000
OVERHANG = 0.06
"""How far (in pictures) a box may leave the picture and be moved back: memegen clips there."""

FONTS = {
    "thick": "impact",
    "titilliumweb": "impact",
    "impact": "impact",
    "thin": "sans",
    "titilliumweb-thin": "sans",
    "notosans": "bold",
    "comic": "comic",
    "kalam": "comic",
    "tiny": "ui-bold",
    "segoe": "ui-bold",
}
TOP_AND_BOTTOM: tuple[Mapping[str, object], ...] = ({}, {"anchor_y": 0.8})
DEFAULTS: dict[str, object] = {
    "style": "upper",
    "color": "white",
    "font": "thick",
    "anchor_x": 0.0,
    "anchor_y": 0.0,
    "angle": 0.0,
    "scale_x": 1.0,
    "scale_y": 0.2,
    "align": "center",
}

log = logging.getLogger(__name__)


def import_memegen(directory: Path, *, licence: str = "") -> list[Template]:
    """The templates in a memegen folder, or in the folders of one.

    `licence` names the pictures' licence; without it a LICENSE file beside them stands for it, and
    without that `Template.licence` stays empty: such a template can be rendered, but is refused by
    the loader until someone states its licence. Folders that cannot be read are logged. Raises
    TemplateError when there is no readable template at all.
    """
    templates, problems = read_memegen(directory, licence=licence)
    for problem in problems:
        log.warning("not imported: %s", problem)
    if not templates:
        if problems:
            raise problems[0]
        raise TemplateError(directory, "", words("no folder with a {file} here", file=CONFIG))
    return templates


def read_memegen(
    directory: Path, *, licence: str = ""
) -> tuple[list[Template], list[TemplateError]]:
    """What import_memegen reads, and what is wrong with the rest."""
    alone = (directory / CONFIG).is_file()
    folders = [directory] if alone else sorted(p.parent for p in directory.glob(f"*/{CONFIG}"))
    templates: dict[str, Template] = {}
    problems: list[TemplateError] = []
    for folder in folders:
        if folder.name.startswith("_") and not alone:
            continue
        try:
            template = read_memegen_folder(folder, licence=licence)
        except TemplateError as error:
            problems.append(error)
            continue
        if twin := templates.get(template.id):
            problems.append(same_id(template, twin))
        else:
            templates[template.id] = template
    return list(templates.values()), problems


def read_memegen_folder(folder: Path, *, licence: str = "") -> Template:
    """One memegen folder as a template. Raises TemplateError naming file and key."""
    try:
        return _read(folder, licence)
    except OSError as error:
        raise TemplateError.unreadable(error, folder) from error


def _read(folder: Path, licence: str) -> Template:
    file = folder / CONFIG
    config = _config(file)
    picture = _picture(folder)
    try:
        info = check_picture(picture, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, first_frame=True)
    except PictureError as error:
        raise TemplateError(picture, "", sentence_of(error)) from error
    size = (info.width, info.height)
    texts = config.get("text") or TOP_AND_BOTTOM
    if not isinstance(texts, list | tuple) or not all(isinstance(t, Mapping) for t in texts):
        raise TemplateError(file, "text", words("must be a list of boxes"))
    boxes = tuple(_box(file, index, text, size) for index, text in enumerate(texts))
    name = str(config.get("name") or folder.name)
    title = Words(ru=name, en=name)
    try:
        template = Template(
            id=re.sub(r"[^a-z0-9_-]+", "-", folder.name.lower()).strip("-_") or "template",
            name=title,
            pattern=title,
            picture=picture,
            size=size,
            licence=licence or _licence(folder),
            source=str(config.get("source") or ""),
            boxes=boxes,
            example=_example(config, len(boxes)),
        )
    except ValidationError as error:
        raise TemplateError(file, *first_problem(error)) from error
    check_areas(template, file)
    return template


def save_template(template: Template, into: Path) -> Path:
    """Write the template as a folder of ours under `into`; return the folder.

    Raises FileExistsError when a template of that id is there already.
    """
    folder = into / template.id
    folder.mkdir(parents=True)
    picture = folder / f"picture{template.picture.suffix.lower()}"
    shutil.copyfile(template.picture, picture)
    (folder / FILE).write_text(_toml(template, picture.name), encoding="utf-8")
    if template.licence:
        found = _licence_file(template.folder)
        text = found.read_text(encoding="utf-8", errors="replace") if found else ""
        (folder / LICENCE_FILE).write_text(
            f"{template.licence}\nSource: {template.source}\n\n{text}".rstrip() + "\n",
            encoding="utf-8",
        )
    return folder


def _config(file: Path) -> Mapping[str, object]:
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise TemplateError(file, "", words("more than {most:,} bytes", most=MAX_CONFIG_BYTES))
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TemplateError(file, "", words("no such file")) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise TemplateError(file, "", words("not valid YAML: {why}", why=error)) from error
    if not isinstance(config, Mapping):
        raise TemplateError(file, "", words("must be a mapping with name and text"))
    return config


def _picture(folder: Path) -> Path:
    found = [p for p in folder.iterdir() if p.stem == "default" and p.suffix != ".img"]
    found.sort(key=lambda p: (p.suffix.lower() == ".gif", p.name))  # a still one is sharper
    if not found:
        raise TemplateError(folder, "", words("no picture default.jpg or default.png"))
    return found[0]


def _box(file: Path, index: int, text: Mapping[str, object], size: tuple[int, int]) -> Box:
    key = f"text.{index}"
    values = DEFAULTS | {name: value for name, value in text.items() if value is not None}
    numbers = {}
    for name in ("anchor_x", "anchor_y", "scale_x", "scale_y", "angle"):
        no_number = words("{value!r} is no number", value=values[name])
        try:
            numbers[name] = float(str(values[name]))
        except ValueError as error:
            raise TemplateError(file, f"{key}.{name}", no_number) from error
        if not math.isfinite(numbers[name]):
            raise TemplateError(file, f"{key}.{name}", no_number)
    font_name = str(values["font"])
    if font_name not in FONTS:
        problem = words(
            "no font {name!r}; there are {known}", name=font_name, known=", ".join(FONTS)
        )
        raise TemplateError(file, f"{key}.font", problem)
    color = str(values["color"])
    color = color[:7] if re.fullmatch(r"#[0-9a-fA-F]{8}", color) else color
    style = str(values["style"])
    try:
        return Box(
            name=f"text{index + 1}",
            rect=_rect(file, key, numbers, size),
            angle=math.remainder(numbers["angle"], 360),
            align=str(values["align"]),
            font=FONTS[font_name],
            color=color,
            outline=0.0 if _is_black(color) else 0.07,
            case={"upper": "upper", "lower": "lower"}.get(style, ""),
            min_px=26,
            max_px=140,
            max_chars=_guess_limit(numbers),
            optional=True,
        )
    except ValidationError as error:
        where, what = first_problem(error)
        raise TemplateError(file, f"{key}.{where}", what) from error


def _is_black(color: str) -> bool:
    """Black letters are not outlined in black; a colour that is none is for the box to tell."""
    try:
        return ImageColor.getrgb(color)[:3] == (0, 0, 0)
    except ValueError:
        return False


def _rect(
    file: Path, key: str, numbers: Mapping[str, float], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """Our rectangle (turned about its middle) for a box of theirs (placed by its outer corner)."""
    width, height = numbers["scale_x"] * size[0], numbers["scale_y"] * size[1]
    turn = math.radians(numbers["angle"])
    outer = (
        width * abs(math.cos(turn)) + height * abs(math.sin(turn)),
        width * abs(math.sin(turn)) + height * abs(math.cos(turn)),
    )
    middle = []
    for axis, name in enumerate(("anchor_x", "anchor_y")):
        start = numbers[name] * size[axis]
        end = start + outer[axis]
        slack = OVERHANG * size[axis]
        if start < -slack or end > size[axis] + slack or outer[axis] > size[axis] + slack:
            share = f"{start / size[axis]:.2f} … {end / size[axis]:.2f}"
            problem = words("the box leaves the picture: {share}", share=share)
            raise TemplateError(file, f"{key}.{name}", problem)
        middle.append(min(max((start + end) / 2, outer[axis] / 2), size[axis] - outer[axis] / 2))
    shrink = min(1.0, size[0] / outer[0], size[1] / outer[1]) if min(outer) > 0 else 1.0
    if shrink < 1.0:
        width, height = width * shrink, height * shrink
        middle = [
            min(max(middle[k], outer[k] * shrink / 2), size[k] - outer[k] * shrink / 2)
            for k in (0, 1)
        ]
    return (
        round((middle[0] - width / 2) / size[0], 6),
        round((middle[1] - height / 2) / size[1], 6),
        width / size[0],
        height / size[1],
    )


def _guess_limit(numbers: Mapping[str, float]) -> int:
    """About how many characters read well in a box of this share of the picture."""
    return min(120, max(12, round(500 * numbers["scale_x"] * numbers["scale_y"])))


def _example(config: Mapping[str, object], count: int) -> Example | None:
    lines = config.get("example")
    if not isinstance(lines, list) or len(lines) != count or not all(lines):
        return None
    texts = tuple(str(line) for line in lines)
    return Example(ru=texts, en=texts)


def _licence_file(folder: Path) -> Path | None:
    for place in (folder, folder.parent):
        for path in sorted(place.iterdir()):
            if re.fullmatch(r"(LICEN[SC]E|COPYING)(\.\w+)?", path.name, re.I) and path.is_file():
                return path
    return None


def _licence(folder: Path) -> str:
    found = _licence_file(folder)
    if found is None:
        return ""
    lines = found.read_text(encoding="utf-8", errors="replace").split("\n")
    first = next((line.strip() for line in lines if line.strip()), "")
    return first[:80]


def _toml(template: Template, picture: str) -> str:
    def quoted(value: object) -> str:
        return json.dumps(value, ensure_ascii=False)

    lines = [f"{key} = {quoted(getattr(template, key))}" for key in ("id", "licence", "source")]
    lines.insert(1, f"picture = {quoted(picture)}")
    for table in ("name", "pattern", "example"):
        both = getattr(template, table)
        if both is not None:
            lines += ["", f"[{table}]"]
            lines += [f"{k} = {quoted(v)}" for k, v in both.model_dump(mode="json").items()]
    for box in template.boxes:
        lines += ["", "[[boxes]]"]
        values = box.model_dump(mode="json", exclude_defaults=True)
        lines += [f"{key} = {quoted(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
