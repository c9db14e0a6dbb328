"""memegen's folders are read as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from publisher.commands.make import templates as templates_command
from publisher.memes.memegen_import import import_memegen, read_memegen, save_template
from publisher.memes.render import render
from publisher.memes.templates import (
    TemplateError,
    check_templates,
    corners,
    load_templates,
    read_templates,
)

SIZE = (600, 900)
TWO_TURNED = """\
name: Daily Struggle
source: https://knowyourmeme.com/memes/daily-struggle
keywords:
  - buttons
text:
  - style: none
    color: black
    font: thin
    anchor_x: 0.085
    anchor_y: 0.085
    angle: 12.5
    scale_x: 0.32
    scale_y: 0.095
    align: left
    start: 0.0
    stop: 1.0
  - style: upper
    color: '#FFC10780'
    font: comic
    anchor_x: 0.04
    anchor_y: 0.82
    angle: 0.0
    scale_x: 0.92
    scale_y: 0.15
    align: center
    start: 0.0
    stop: 1.0
styles: []
example:
  - the dress is black and blue
  - sweating
overlay:
  - center_x: 0.5
    center_y: 0.5
    angle: 0.0
    scale: 0.25
"""


def folder(root: Path, name: str, config: str) -> Path:
    made = root / name
    made.mkdir()
    (made / "config.yml").write_text(config)
    Image.new("RGB", SIZE, "gray").save(made / "default.jpg")
    return made


def test_turned_boxes_styles_fonts_colours(tmp_path: Path) -> None:
    folder(tmp_path, "ds", TWO_TURNED)
    (template,) = import_memegen(tmp_path)
    first, second = template.boxes
    assert (template.id, template.name.en) == ("ds", "Daily Struggle")
    assert (first.case, first.font, first.align, first.outline) == ("", "sans", "left", 0)
    assert (second.case, second.font, second.color) == ("upper", "comic", "#FFC107")
    outer = corners(first.rect, first.angle, template.size)
    assert min(x for x, _ in outer) == pytest.approx(0.085 * SIZE[0], abs=0.01)
    assert min(y for _, y in outer) == pytest.approx(0.085 * SIZE[1], abs=0.01)
    assert template.example and template.example.ru[1] == "sweating"
    rendered = render(template, ["Встать", "я в семь утра"])
    assert rendered.boxes[1].lines == ("Я В СЕМЬ УТРА",)


def test_defaults_are_top_and_bottom(tmp_path: Path) -> None:
    one = folder(tmp_path, "plain", "name: Plain\nsource:\n")
    (template,) = import_memegen(one)
    assert [box.rect for box in template.boxes] == [(0, 0, 1, 0.2), (0, 0.8, 1, 0.2)]
    assert all(box.case == "upper" and box.font == "impact" for box in template.boxes)
    assert render(template, ["сверху", ""]).boxes[1].ink is None


def test_licence_is_found_given_or_left_open(tmp_path: Path) -> None:
    one = folder(tmp_path, "plain", "name: Plain")
    assert import_memegen(one)[0].licence == ""
    assert import_memegen(one, licence="CC0 1.0")[0].licence == "CC0 1.0"
    (tmp_path / "LICENSE.txt").write_text("\nThe MIT License\n\nCopyright\n")
    assert import_memegen(one)[0].licence == "The MIT License"


def test_saved_template_loads_again_if_it_has_a_licence(tmp_path: Path) -> None:
    folder(tmp_path, "ds", TWO_TURNED)
    (tmp_path / "out").mkdir()
    (licensed,) = import_memegen(tmp_path / "ds", licence="CC BY 4.0")
    saved = save_template(licensed, tmp_path / "out")
    loaded = load_templates(tmp_path / "out", default=None)["ds"]
    assert loaded.boxes == licensed.boxes and loaded.example == licensed.example
    with pytest.raises(FileExistsError):
        save_template(licensed, tmp_path / "out")
    (open_question,) = import_memegen(tmp_path / "ds")
    save_template(open_question, tmp_path / "other")
    assert load_templates(tmp_path / "other", default=None) == {}
    assert (saved / "LICENCE").read_text().startswith("CC BY 4.0")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("- just\n- a list", "must be a mapping"),
        ("name: [unclosed", "not valid YAML"),
        ("text: none", "text: must be a list"),
        ("text:\n  - anchor_x: wide", "text.0.anchor_x: 'wide' is no number"),
        ("text:\n  - anchor_x: .nan", "no number"),
        ("text:\n  - anchor_x: 0.5\n    scale_x: 0.9", "text.0.anchor_x: the box leaves"),
        ("text:\n  - scale_y: -1", "text.0"),
        ("text:\n  - font: papyrus", "no font 'papyrus'"),
        ("text:\n  - color: transparentish", "text.0.color"),
        ("text:\n  - align: diagonal", "text.0.align"),
        ("text: []\nname: " + "x" * 100_001, "more than 100,000 bytes"),
    ],
)
def test_bad_config_names_file_and_key(tmp_path: Path, config: str, words: str) -> None:
    folder(tmp_path, "bad", config)
    with pytest.raises(TemplateError) as caught:
        import_memegen(tmp_path)
    assert words in str(caught.value)
    assert "bad" in str(caught.value)


def test_one_bad_folder_is_reported_beside_the_good(tmp_path: Path) -> None:
    folder(tmp_path, "good", "name: Good")
    (folder(tmp_path, "bad", "name: Bad") / "default.jpg").write_bytes(b"\xff\xd8\xff")
    folder(tmp_path, "_test", "name: Hidden")
    templates, problems = read_memegen(tmp_path)
    assert [t.id for t in templates] == ["good"]
    assert len(problems) == 1 and "default.jpg" in str(problems[0])


def test_nothing_to_import(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"no folder with a config\.yml"):
        import_memegen(tmp_path)


def test_a_memegen_directory_is_used_in_place_once_its_licence_is_stated(tmp_path: Path) -> None:
    folder(tmp_path, "ds", TWO_TURNED)
    templates, problems = read_templates(tmp_path)
    assert templates == {} and "licence: missing" in str(problems[0])
    (tmp_path / "LICENCE").write_text("CC BY 4.0, photographs by the owner\n")
    assert check_templates(tmp_path, default=None) == []
    template = load_templates(tmp_path)["ds"]
    assert template.licence.startswith("CC BY 4.0")


def test_the_command_says_when_no_licence_is_stated_and_states_it(tmp_path: Path) -> None:
    folder(tmp_path, "ds", TWO_TURNED)
    told = CliRunner().invoke(templates_command, ["import", str(tmp_path)])
    assert told.exit_code == 0 and "нет лицензии: не используется" in told.output
    assert read_templates(tmp_path)[0] == {}
    given = CliRunner().invoke(
        templates_command, ["import", str(tmp_path), "--licence", "CC BY 4.0, by me"]
    )
    assert given.exit_code == 0 and "ds: полей 2, CC BY 4.0, by me" in given.output
    assert read_templates(tmp_path)[0]["ds"].licence == "CC BY 4.0, by me"


def test_the_command_tells_of_folders_it_cannot_use(tmp_path: Path) -> None:
    nothing = CliRunner().invoke(templates_command, ["import", str(tmp_path)])
    assert nothing.exit_code == 1 and "нет шаблонов для импорта" in nothing.output
    folder(tmp_path, "far", "text:\n  - anchor_x: 0.5\n    scale_x: 0.9")
    outside = CliRunner().invoke(templates_command, ["import", str(tmp_path)])
    assert outside.exit_code == 1 and "поле выходит за картинку" in outside.output


def test_a_file_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    folder(tmp_path, "good", "name: Good")
    spoilt = folder(tmp_path, "spoilt", "name: Spoilt")
    (spoilt / "config.yml").unlink()
    (spoilt / "config.yml").mkdir()
    ours = folder(tmp_path, "ours", "name: Ours")
    (ours / "template.toml").mkdir()
    (tmp_path / "LICENCE").write_text("CC0")
    found, problems = read_memegen(tmp_path)
    assert [t.id for t in found] == ["good", "ours"]
    assert "spoilt/config.yml: cannot be read: Is a directory" in str(problems[0])
    templates, problems = read_templates(tmp_path)
    assert list(templates) == ["good"] and len(problems) == 2
    assert all("cannot be read: Is a directory" in str(problem) for problem in problems)


def test_folders_whose_names_make_one_id_are_told(tmp_path: Path) -> None:
    folder(tmp_path, "Кот", "name: A")
    folder(tmp_path, "Пёс", "name: B")
    (tmp_path / "LICENCE").write_text("CC0")
    for found, problems in (
        read_memegen(tmp_path),
        (list(read_templates(tmp_path)[0].values()), read_templates(tmp_path)[1]),
    ):
        assert [t.name.ru for t in found] == ["A"]
        (problem,) = problems
        assert "Пёс: id: 'template' is the id of Кот too: rename one" in str(problem)


def _animated(path: Path) -> None:
    first, second = Image.new("RGB", (300, 200), "red"), Image.new("RGB", (300, 200), "green")
    first.save(path, save_all=True, append_images=[second])


def test_of_an_animation_the_first_picture_is_taken(tmp_path: Path) -> None:
    moving = folder(tmp_path, "moving", "name: Moving")
    (moving / "default.jpg").unlink()
    _animated(moving / "default.gif")
    both = folder(tmp_path, "both", "name: Both")
    _animated(both / "default.gif")
    (tmp_path / "LICENCE").write_text("CC0")
    templates, problems = read_templates(tmp_path)
    assert problems == []
    assert templates["both"].picture.name == "default.jpg"
    red, green, blue = render(templates["moving"], ["", ""]).image.getpixel((10, 10))
    assert red > 200 > green + blue
    save_template(templates["moving"], tmp_path / "saved")
    assert check_templates(tmp_path / "saved", default=None) == []


def test_angles_beyond_half_a_turn_and_black_by_number(tmp_path: Path) -> None:
    folder(
        tmp_path,
        "turned",
        "text:\n  - {angle: 340, anchor_x: 0.2, scale_x: 0.4, color: '#000000FF'}",
    )
    (template,) = import_memegen(tmp_path)
    assert template.boxes[0].angle == -20.0
    assert template.boxes[0].outline == 0.0
