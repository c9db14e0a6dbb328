"""Whatever the texts: an error that names the box, or ink that stays in it."""

from __future__ import annotations

import io
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from publisher.memes import text_layout
from publisher.memes.fonts import FONTS, coverage
from publisher.memes.render import RenderError, TextDoesNotFit, UnsupportedCharacters, render
from publisher.memes.templates import Box, Template, Words, load_templates

TEMPLATES = load_templates()
GOLDEN = Path(__file__).parent / "golden"
SAMPLE = Words(ru="проба", en="sample")
NEEDED = "АБВГДЕЁЖЗИЙабвгдеёжзийыьъэюяABCXYZabcxyz0123456789«»„“”’—–…№₽%!?.,:;()+-×→€$&@#/"

ALPHABET = st.one_of(
    st.sampled_from("абвгдежзийклмнопрстуфхцчшщъыьэюяАБЁё ,.!?—-«»"),
    st.sampled_from("Wijgy ÅÇ|_/\\\n\t\u00a0"),
    st.sampled_from(["😀", "👨‍👩‍👧‍👦", "🇷🇺", "1️⃣", "👩🏽‍💻", "❤️", "©", "™️", "\u200d", "\ufe0f"]),
    st.characters(),
)
TEXTS = st.one_of(
    st.lists(ALPHABET, max_size=50).map("".join),
    st.lists(st.text("абвгдеёжзиклмн", min_size=1, max_size=14), max_size=14).map(" ".join),
)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blank") / "picture.png"
    Image.new("RGB", (1280, 900), "#3f9b6b").save(path)
    return path


def template(picture: Path, **box: object) -> Template:
    given = {"name": "line", "rect": (0.3, 0.3, 0.4, 0.3), "max_chars": 60} | box
    return Template(
        id="blank",
        name=SAMPLE,
        pattern=SAMPLE,
        picture=picture,
        size=(1280, 900),
        licence="CC0",
        boxes=(Box.model_validate(given),),
    )


def ink_of(image: Image.Image, picture: Path) -> tuple[int, int, int, int] | None:
    with Image.open(picture) as bare:
        return ImageChops.difference(image, bare.convert("RGB")).getbbox()


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=TEXTS,
    font=st.sampled_from(sorted(FONTS)),
    align=st.sampled_from(["left", "center", "right"]),
    valign=st.sampled_from(["top", "middle", "bottom"]),
    outline=st.sampled_from([0.0, 0.06, 0.2]),
    angle=st.sampled_from([0.0, 0.0, 7.5, -12.0, 90.0, 180.0, -90.0, 45.0]),
    width=st.floats(0.04, 0.55),
    height=st.floats(0.05, 0.6),
    case=st.sampled_from(["", "upper", "lower"]),
)
def test_ink_never_leaves_the_box(
    blank: Path,
    text: str,
    font: str,
    align: str,
    valign: str,
    outline: float,
    angle: float,
    width: float,
    height: float,
    case: str,
) -> None:
    made = template(
        blank,
        rect=(0.5 - width / 2, 0.5 - height / 2, width, height),
        font=font,
        align=align,
        valign=valign,
        outline=outline,
        outline_color="#ff00ff",
        color="#ffffff",
        angle=angle,
        case=case,
    )
    try:
        rendered = render(made, [text])
    except RenderError as error:
        assert "box line" in str(error)
        return
    (report,) = rendered.boxes
    x0, y0, x1, y1 = report.rect
    ink = ink_of(rendered.image, blank)
    assert ink is not None and report.ink is not None
    assert x0 <= ink[0] and y0 <= ink[1] and ink[2] <= x1 and ink[3] <= y1
    assert report.ink[0] <= ink[0] and report.ink[3] >= ink[3]
    assert report.font_size_px >= 30
    assert len(report.lines) >= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("абвгдеёжзи", min_size=1, max_size=9), min_size=1, max_size=12))
def test_words_stay_whole_and_in_order(blank: Path, words: list[str]) -> None:
    report = render(template(blank, rect=(0.1, 0.1, 0.8, 0.8)), [" ".join(words)]).boxes[0]
    assert " ".join(report.lines).split() == words


@pytest.mark.parametrize("name", FONTS)
def test_every_font_has_what_russian_memes_need(name: str) -> None:
    for character in NEEDED:
        assert ord(character) in coverage(name) | coverage("ui-bold"), character
    assert {ord(c) for c in "ЁёЙйЩщЪъ«»—…"} <= coverage(name)


def test_larger_text_for_shorter_words(blank: Path) -> None:
    sizes = [
        render(template(blank, max_px=200), [text]).boxes[0].font_size_px
        for text in ("Да", "Да ладно", "Да ладно, не может такого быть", "Да ладно вам " * 6)
    ]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) > 2


def test_lines_are_balanced(blank: Path) -> None:
    made = template(blank, rect=(0.05, 0.4, 0.9, 0.18), max_px=60)
    lines = render(made, ["Сказали созвон на пять минут, а у них уже открыта презентация"])
    lengths = [len(line) for line in lines.boxes[0].lines]
    assert len(lengths) == 2 and min(lengths) / max(lengths) > 0.8


def test_no_line_ends_with_a_lone_preposition_or_begins_with_a_dash(blank: Path) -> None:
    made = template(blank, rect=(0.3, 0.2, 0.3, 0.6), max_px=60)
    for text in ("Лежу и смотрю в потолок с утра", "Работа — это не волк, а понедельник"):
        lines = render(made, [text]).boxes[0].lines
        assert not any(line.endswith((" в", " с", " и", " а")) for line in lines)
        assert not any(line.startswith("—") for line in lines)


def test_long_words_break_at_syllables_only_when_they_must(blank: Path) -> None:
    made = template(blank, rect=(0.4, 0.2, 0.2, 0.6))
    lines = render(made, ["Достопримечательность"]).boxes[0].lines
    assert len(lines) > 1 and all(line.endswith("-") for line in lines[:-1])
    assert "".join(line.rstrip("-") for line in lines) == "Достопримечательность"
    assert all(len(line.strip("-")) >= 3 for line in lines)
    wide = template(blank, rect=(0.1, 0.3, 0.8, 0.3))
    assert render(wide, ["Достопримечательность"]).boxes[0].lines == ("Достопримечательность",)
    with pytest.raises(TextDoesNotFit):
        render(made, ["щ" * 40])


def test_a_row_of_emoji_breaks_between_them(blank: Path) -> None:
    report = render(template(blank, rect=(0.4, 0.2, 0.2, 0.6)), ["😂" * 20]).boxes[0]
    assert len(report.lines) > 1 and "".join(report.lines) == "😂" * 20


def test_too_long_a_text_names_template_box_and_limit(blank: Path) -> None:
    text = "Очень длинная подпись, которой тут нечего делать. " * 12
    with pytest.raises(TextDoesNotFit) as caught:
        render(template(blank, rect=(0.3, 0.3, 0.3, 0.2), min_px=40), [text])
    error = caught.value
    assert (error.template, error.box, error.size_px) == ("blank", "line", 40)
    assert "template blank, box line: 599 characters do not fit" in str(error).replace("600", "599")
    assert 10 <= error.limit < 80
    shorter = text[: error.limit].rsplit(" ", 1)[0]
    assert render(template(blank, rect=(0.3, 0.3, 0.3, 0.2), min_px=40), [shorter])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.limit) == (str(error), error.limit)


@pytest.mark.parametrize("endless", ["ы" * 100_000, "слово " * 50_000, "😀" * 20_000])
def test_an_endless_text_is_refused_at_once(blank: Path, endless: str) -> None:
    with pytest.raises(TextDoesNotFit):
        render(template(blank), [endless])


def test_tricks_with_invisible_characters_leave_plain_text(blank: Path) -> None:
    tricky = "\u202eтекст\u200b на\u2066\u00adоборот\ufeff, и\u0301\u0335так\x07"
    assert (
        render(template(blank), [tricky]).boxes[0].lines
        == render(template(blank), ["текст наоборот, итак"]).boxes[0].lines
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [("سلام", "ARABIC"), ("שלום", "HEBREW"), ("你好", "CJK"), ("\ue123", r"U\+E123")],
)
def test_scripts_we_cannot_draw_are_named(blank: Path, text: str, named: str) -> None:
    with pytest.raises(UnsupportedCharacters, match=named):
        render(template(blank), [f"Привет {text}"])


@pytest.mark.parametrize("empty", ["", "  \n", "\u200b\u202e"])
def test_empty_text_is_an_error_unless_the_box_is_optional(blank: Path, empty: str) -> None:
    with pytest.raises(RenderError, match="box line: the text is empty"):
        render(template(blank), [empty])
    assert render(template(blank, optional=True), [empty]).boxes[0].ink is None


def test_wrong_number_of_texts(blank: Path) -> None:
    with pytest.raises(RenderError, match=r"takes 1 texts \(line\), got 2"):
        render(template(blank), ["раз", "два"])


@pytest.mark.parametrize(
    "emoji", ["😀", "👨‍👩‍👧‍👦", "🇷🇺", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "👩🏽‍💻", "❤️", "❤", "🫠", "🏳️‍🌈", "☕", "™️"]
)
def test_emoji_are_one_coloured_glyph(blank: Path, emoji: str) -> None:
    (word,) = text_layout.words_of(emoji, "bold")
    assert [run.font for run in word.runs] == ["emoji"]
    image = render(template(blank, color="#000000"), [emoji]).image
    colours = np.asarray(image.crop((400, 280, 880, 540))).reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) > 8


def test_signs_that_are_letters_first_stay_letters() -> None:
    for text in ("©", "5", "#1", "™", "100"):
        (word,) = text_layout.words_of(text, "bold")
        assert "emoji" not in [run.font for run in word.runs], text


def test_prefix_and_suffix_are_set_once(blank: Path) -> None:
    made = template(blank, prefix="— ", suffix=":")
    assert render(made, ["кот"]).boxes[0].lines == ("— кот:",)
    assert render(made, ["— кот:"]).boxes[0].lines == ("— кот:",)


def test_picture_for_telegram() -> None:
    rendered = render(TEMPLATES["moon"], ["Всё пройдёт", "зарплата"], max_side=900)
    with Image.open(io.BytesIO(rendered.jpeg)) as picture:
        assert (picture.format, picture.mode, max(picture.size)) == ("JPEG", "RGB", 900)
        assert picture.size == rendered.image.size
        assert not picture.getexif() and len(rendered.jpeg) < 10_000_000


def test_labels_follow_the_language() -> None:
    texts = ["один", "two"]
    russian = render(TEMPLATES["expectation_reality"], texts, language="ru").image
    english = render(TEMPLATES["expectation_reality"], texts, language="en").image
    changed = ImageChops.difference(russian, english).getbbox()
    assert changed is not None and changed[3] < 120


def test_same_texts_same_bytes() -> None:
    caption = TEMPLATES["dialogue"].example
    assert caption is not None
    first, second = (render(TEMPLATES["dialogue"], caption.ru).jpeg for _ in range(2))
    assert first == second


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("made", TEMPLATES.values(), ids=lambda t: t.id)
def test_examples_keep_to_their_boxes_on_the_real_picture(made: Template, language: str) -> None:
    assert made.example is not None
    texts = made.example.of(language)
    rendered = render(made, texts, language=language)
    for box, report, text in zip(made.boxes, rendered.boxes, texts, strict=True):
        assert len(text) <= box.max_chars
        assert report.ink is not None
        assert report.rect[0] <= report.ink[0] and report.ink[2] <= report.rect[2]
        assert report.rect[1] <= report.ink[1] and report.ink[3] <= report.rect[3]
        assert report.font_size_px >= box.min_px * max(rendered.image.size) // 1280


ORDINARY = [
    "когда",
    "просто",
    "опять",
    "работа",
    "дома",
    "и",
    "кот",
    "на",
    "весь",
    "день",
    "сказали",
    "что",
    "завтра",
    "будет",
    "отпуск",
    "а",
    "премию",
    "дадут",
    "потом",
    "если",
    "начальник",
    "вспомнит",
    "про",
    "нас",
    "в",
    "пятницу",
    "вечером",
]


@pytest.mark.parametrize("made", TEMPLATES.values(), ids=lambda t: t.id)
def test_max_chars_is_honest(made: Template) -> None:
    """Ordinary words up to a box's limit fit it: what generation is promised holds."""
    draw = random.Random(made.id)
    for _ in range(4):
        texts = []
        for box in made.boxes:
            words = [draw.choice(ORDINARY)]
            while len(" ".join(words)) <= box.max_chars:
                words.append(draw.choice(ORDINARY))
            texts.append(" ".join(words[:-1])[: box.max_chars] or words[0])
        render(made, texts)


@pytest.mark.parametrize("name", ["no_yes", "iceberg", "messenger", "documentary"])
def test_golden_pictures(name: str) -> None:
    """A change here is seen by eye first; then `python -m tests.memes.golden` keeps the new one."""
    made = TEMPLATES[name]
    assert made.example is not None
    image = render(made, made.example.ru).image.resize((320, 320), Image.Resampling.BOX)
    with Image.open(GOLDEN / f"{name}.png") as golden:
        difference = np.asarray(image, float) - np.asarray(golden.convert("RGB"), float)
    assert np.abs(difference).mean() < 1.5
    assert np.abs(difference).max() < 90
