"""Reading templates: ours (`template.toml`, picture, `LICENCE`) and memegen's (`config.yml`).

docs/templates.md tells the keys. One unusable template never takes the others along.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from publisher.sentences import joined, sentence_of, words

from .memegen_import import CONFIG, read_memegen_folder
from .pictures import PictureError, check_picture
from .render import RenderError, render
from .template_model import (
    FILE,
    LANGUAGES,
    LICENCE_FILE,
    MAX_BYTES,
    MAX_PIXELS,
    Area,
    Box,
    Example,
    Label,
    Template,
    TemplateError,
    Words,
    check_areas,
    corners,
    first_problem,
    picture_of,
    same_id,
)

__all__ = [
    "FILE",
    "LICENCE_FILE",
    "SHIPPED",
    "Area",
    "Box",
    "Example",
    "Label",
    "Template",
    "TemplateError",
    "Words",
    "check_templates",
    "corners",
    "load_templates",
    "picture_of",
    "read_template",
    "read_templates",
]

SHIPPED = Path(__file__).parent / "templates"

log = logging.getLogger(__name__)


def read_template(folder: Path) -> Template:
    """The template in `folder`, ours or memegen's. Raises TemplateError naming file and key."""
    try:
        return _read(folder)
    except OSError as error:
        raise TemplateError.unreadable(error, folder) from error


def _read(folder: Path) -> Template:
    file = folder / FILE
    if not file.exists() and (folder / CONFIG).exists():
        template = read_memegen_folder(folder)
        if not template.licence:
            raise TemplateError(
                folder,
                "licence",
                words(
                    "missing: put a {file} file here or in {parent}, whose first line names the "
                    "licence of the pictures",
                    file=LICENCE_FILE,
                    parent=folder.parent,
                ),
            )
        return template
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TemplateError(file, "", words("no such file")) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TemplateError(file, "", words("not valid TOML: {why}", why=error)) from error
    data.setdefault("id", folder.name)
    picture = folder / str(data.get("picture", "picture.png"))
    if picture.parent != folder:
        raise TemplateError(file, "picture", words("must be a file of the template's own folder"))
    _check_licence(file, data)
    try:
        info = check_picture(picture, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES, first_frame=True)
        data |= {"picture": picture, "size": (info.width, info.height)}
        template = Template.model_validate(data)
    except PictureError as error:
        raise TemplateError(picture, "picture", sentence_of(error)) from error
    except ValidationError as error:
        raise TemplateError(file, *first_problem(error)) from error
    check_areas(template, file)
    return template


def _check_licence(file: Path, data: dict[str, object]) -> None:
    if not str(data.get("licence", "")).strip():
        raise TemplateError(
            file, "licence", words("missing: a template without a licence is not used")
        )
    text = file.parent / LICENCE_FILE
    if not text.is_file() or not text.read_text(encoding="utf-8", errors="replace").strip():
        raise TemplateError(text, "", words("missing: put the picture's licence and credit there"))


def read_templates(*dirs: Path) -> tuple[dict[str, Template], list[TemplateError]]:
    """All templates in the folders of `dirs` by id, and what is wrong with the others.

    A later directory's template replaces an earlier one with the same id; two of one directory
    are told.
    """
    templates: dict[str, Template] = {}
    problems: list[TemplateError] = []
    for folder in _folders(dirs, problems):
        try:
            template = read_template(folder)
        except TemplateError as error:
            problems.append(error)
            continue
        twin = templates.get(template.id)
        if twin and twin.folder.parent == folder.parent:
            problems.append(same_id(template, twin))
        else:
            templates[template.id] = template
    return templates, problems


def _folders(dirs: Iterable[Path], problems: list[TemplateError]) -> Iterable[Path]:
    for directory in dirs:
        if not directory.is_dir():
            problems.append(TemplateError(directory, "", words("no such directory of templates")))
            continue
        found = {path.parent for name in (FILE, CONFIG) for path in directory.glob(f"*/{name}")}
        yield from sorted(folder for folder in found if not folder.name.startswith("_"))


def load_templates(*dirs: Path, default: Path | None = SHIPPED) -> dict[str, Template]:
    """The shipped templates and those in `dirs`, by id; unusable ones are logged and left out."""
    templates, problems = read_templates(*([default] if default else []), *dirs)
    for problem in problems:
        log.warning("template left out: %s", problem)
    return templates


def check_templates(*dirs: Path, default: Path | None = SHIPPED) -> list[str]:
    """Everything wrong with the templates there, one line each; an empty list when all is well.

    Beyond what loading demands, labels and examples must render in both languages.
    """
    templates, problems = read_templates(*([default] if default else []), *dirs)
    lines = [sentence_of(problem) for problem in problems]
    for template in templates.values():
        for language in LANGUAGES:
            try:
                _render_once(template, language)
            except RenderError as error:
                lines.append(joined(": ", [template.folder, error]))
    return lines


def _render_once(template: Template, language: str) -> None:
    letter = "A" if language == "en" else "Ж"
    plain = (letter,) * len(template.boxes)
    texts = template.example.of(language) if template.example else plain
    render(template, texts, language=language)
