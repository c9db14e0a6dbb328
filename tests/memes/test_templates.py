"""Templates as data: what ships is sound, what is unsound is refused with file and key."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from publisher.memes.preview import contact_sheet, template_sheet
from publisher.memes.render import RenderError, render
from publisher.memes.templates import (
    FILE,
    LICENCE_FILE,
    SHIPPED,
    Template,
    TemplateError,
    check_templates,
    load_templates,
    read_template,
    read_templates,
)

BOXES = {
    "no_yes": ("no", "yes"),
    "expectation_reality": ("expectation", "reality"),
    "escalation": ("level1", "level2", "level3", "level4"),
    "before_after": ("before", "after"),
    "nobody_me": ("who", "action"),
    "dialogue": ("first", "second", "third"),
    "list_of_four": ("title", "item1", "item2", "item3", "item4"),
    "distracted": ("me", "temptation", "duty"),
    "reaction_cat": ("line",),
    "announcement": ("title", "text"),
    "comparison_table": ("left_title", "right_title", "left1", "right1", "left2", "right2"),
    "two_buttons": ("left", "right", "who"),
    "rocket": ("top", "bottom"),
    "coffee": ("top", "bottom"),
    "moon": ("line", "author"),
    "documentary": ("subject", "fact"),
    "pie_chart": ("title", "big", "small"),
    "iceberg": ("visible", "hidden"),
    "scales": ("light", "heavy"),
    "crossroads": ("bright", "gloomy", "who"),
    "messenger": ("contact", "theirs", "mine", "again"),
    "notification": ("app", "text", "reaction"),
    "diploma": ("to", "achievement"),
    "forecast": ("title", "day1", "day2", "day3"),
    "error_window": ("title", "message", "left", "right"),
    "handshake": ("left", "right", "common"),
    "loading": ("title", "status"),
    "stairs": ("start", "skipped", "goal"),
}

SOUND = """
licence = "CC0 1.0"
[name]
ru = "Проба"
en = "Sample"
[pattern]
ru = "Так"
en = "So"
[[boxes]]
name = "line"
rect = [0.1, 0.1, 0.8, 0.4]
max_chars = 40
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / FILE).write_text(SOUND)
    (folder / LICENCE_FILE).write_text("Public domain\n")
    Image.new("RGB", (640, 480), "teal").save(folder / "picture.png")
    return folder


def test_shipped_templates_are_the_agreed_ones_and_all_sound() -> None:
    templates, problems = read_templates(SHIPPED)
    assert problems == []
    assert {name: tuple(b.name for b in t.boxes) for name, t in templates.items()} == BOXES
    assert check_templates() == []


@pytest.mark.parametrize("template", load_templates().values(), ids=lambda t: t.id)
def test_shipped_template_is_documented_and_of_telegram_size(template: Template) -> None:
    assert max(template.size) <= 1280 and min(template.size) >= 900
    assert template.example and template.themes and template.credit
    assert template.pattern.ru != template.pattern.en
    licence = (template.folder / LICENCE_FILE).read_text()
    assert "creativecommons.org" in licence
    if "SA" in template.licence:
        assert "OpenMoji" in licence


def test_sound_folder_is_read(folder: Path) -> None:
    template = read_template(folder)
    assert (template.id, template.size) == ("sample", (640, 480))
    assert load_templates(folder.parent, default=None) == {"sample": template}


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('licence = "CC0 1.0"', "", "licence", "without a licence"),
        ("[0.1, 0.1, 0.8, 0.4]", "[0.5, 0.1, 0.8, 0.4]", "boxes.0", "leaves the picture"),
        ("[0.1, 0.1, 0.8, 0.4]", "[0.1, 0.1, 0.0, 0.4]", "boxes.0", "no rectangle"),
        ("[0.1, 0.1, 0.8, 0.4]", "[nan, 0.1, 0.2, 0.4]", "boxes.0", "no rectangle"),
        ("max_chars = 40", "max_chars = 40\nangle = 80.0", "boxes.line", "leaves the picture"),
        ("max_chars = 40", 'max_chars = 40\nfont = "arial"', "boxes.0.font", "no font 'arial'"),
        ("max_chars = 40", 'max_chars = 40\ncolor = "oxblood"', "boxes.0.color", "oxblood"),
        ("max_chars = 40", "max_chars = 40\nmin_px = 99", "boxes.0", "below min_px"),
        ("max_chars = 40", "max_chars = 40\nsize = 3", "boxes.0.size", "unknown key"),
        ('ru = "Так"', "", "pattern.ru", "is missing"),
        ("[[boxes]]", '[example]\nru = ["a", "b"]\nen = ["a"]\n[[boxes]]', "example.ru", "2 texts"),
        ("[[boxes]]", "[[boxes]", "", "not valid TOML"),
        ('licence = "CC0 1.0"', 'licence = "x"\npicture = "../p.png"', "picture", "own folder"),
        ('licence = "CC0 1.0"', 'licence = "x"\npicture = "no.png"', "picture", "no such file"),
    ],
)
def test_unsound_template_names_file_and_key(
    folder: Path, old: str, new: str, key: str, words: str
) -> None:
    (folder / FILE).write_text(SOUND.replace(old, new, 1))
    with pytest.raises(TemplateError) as caught:
        read_template(folder)
    assert caught.value.key == key
    assert words in str(caught.value)
    assert "sample" in str(caught.value)


def test_licence_text_must_lie_beside_the_picture(folder: Path) -> None:
    (folder / LICENCE_FILE).unlink()
    with pytest.raises(TemplateError, match="LICENCE"):
        read_template(folder)


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "bomb"])
def test_bad_picture_is_refused(folder: Path, damage: str) -> None:
    picture = folder / "picture.png"
    if damage == "cut":
        picture.write_bytes(picture.read_bytes()[:-200])
    elif damage == "empty":
        picture.write_bytes(b"")
    elif damage == "text":
        picture.write_text("<html>not found</html>")
    else:
        Image.new("1", (20_000, 20_000)).save(picture)
    with pytest.raises(TemplateError, match=r"picture\.png"):
        read_template(folder)


def test_a_bad_folder_does_not_take_the_good_ones_along(folder: Path) -> None:
    bad = folder.parent / "bad"
    shutil.copytree(folder, bad)
    (bad / FILE).write_text("licence = 3 3")
    templates, problems = read_templates(folder.parent, folder.parent / "nowhere")
    assert list(templates) == ["sample"]
    assert sorted(p.file.name for p in problems) == ["nowhere", FILE]
    assert list(load_templates(folder.parent, default=None)) == ["sample"]


def test_a_later_directory_replaces_a_template_of_the_same_id(folder: Path) -> None:
    own = folder.parent / "own" / "moon"
    shutil.copytree(folder, own)
    templates = load_templates(folder.parent / "own")
    assert len(templates) == len(BOXES)
    assert templates["moon"].name.en == "Sample"


def test_contact_sheets(folder: Path, tmp_path: Path) -> None:
    template = read_template(folder)
    out = template_sheet([template], tmp_path / "deep" / "sheet.jpg")
    assert Image.open(out).format == "JPEG"
    pictures: list[tuple[Path | Image.Image, str]] = [
        (template.picture, "подпись " * 30),
        (Image.new("L", (9, 900)), ""),
    ] * 3
    with Image.open(contact_sheet(pictures, tmp_path / "s.png", columns=4, cell=100)) as sheet:
        assert sheet.size == (4 * 116 + 16, 2 * 156 + 16)
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([], tmp_path / "none.png")


def test_check_finds_labels_and_examples_that_do_not_fit(folder: Path) -> None:
    label = '[[labels]]\nru = "{}"\nen = "Label"\nrect = [0.0, 0.0, 0.2, 0.1]\n'
    (folder / FILE).write_text(SOUND + label.format("Безлимитнейшество и прочее"))
    assert read_template(folder)
    (problem,) = check_templates(folder.parent, default=None)
    assert "label 1" in problem and "do not fit" in problem


def test_a_picture_that_vanishes_later_is_a_render_error(folder: Path) -> None:
    template = read_template(folder)
    template.picture.unlink()
    with pytest.raises(RenderError, match="no such file"):
        render(template, ["текст"])
