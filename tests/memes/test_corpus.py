import re
from collections import Counter, defaultdict
from itertools import combinations, product
from pathlib import Path

import pytest

from publisher.memes.corpus import (
    LANGUAGES,
    LONGEST_BOX,
    THEMES,
    CorpusError,
    Example,
    caption_key,
    load_corpus,
)
from publisher.memes.render import render
from publisher.memes.templates import load_templates

TEMPLATES = load_templates()
LIMITS = {
    name: tuple(min(box.max_chars, LONGEST_BOX) for box in template.boxes)
    for name, template in TEMPLATES.items()
}
LINE = 60
FEWEST = {"ru": 43, "en": 16}
TOO_ALIKE = 0.6


@pytest.fixture(scope="module")
def corpus() -> tuple[Example, ...]:
    return load_corpus(limits=LIMITS)


def files(corpus: tuple[Example, ...]) -> dict[tuple[str, str], list[Example]]:
    grouped = defaultdict(list)
    for example in corpus:
        grouped[example.language, example.template].append(example)
    return grouped


def test_each_template_has_enough_captions_in_each_language(
    corpus: tuple[Example, ...],
) -> None:
    grouped = files(corpus)
    for language, template in product(LANGUAGES, TEMPLATES):
        assert len(grouped[language, template]) >= FEWEST[language], (language, template)


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_longest_captions_can_be_set(template: str, corpus: tuple[Example, ...]) -> None:
    for language in LANGUAGES:
        examples = files(corpus)[language, template]
        for box in range(len(LIMITS[template])):
            _, texts = max((len(example.texts[box]), example.texts) for example in examples)
            assert render(TEMPLATES[template], texts, language=language).jpeg


@pytest.mark.slow
def test_every_caption_can_be_set(corpus: tuple[Example, ...]) -> None:
    for example in corpus:
        assert render(TEMPLATES[example.template], example.texts, language=example.language).jpeg


def test_themes_are_spread(corpus: tuple[Example, ...]) -> None:
    for key, examples in files(corpus).items():
        themes = Counter(example.theme for example in examples)
        assert set(themes) == set(THEMES), key
        assert max(themes.values()) <= len(examples) / 4, key


def test_languages_keep_to_their_alphabets(corpus: tuple[Example, ...]) -> None:
    for example in corpus:
        text = " ".join(example.texts)
        cyrillic = len(re.findall("[а-яё]", text, re.IGNORECASE))
        latin = len(re.findall("[a-z]", text, re.IGNORECASE))
        if example.language == "ru":
            assert cyrillic > 4 * latin, example
        else:
            assert not cyrillic and latin, example


def test_no_word_mixes_alphabets(corpus: tuple[Example, ...]) -> None:
    for example in corpus:
        for word in re.findall(r"[^\W\d_]+", " ".join(example.texts)):
            mixed = re.search("[а-яё]", word, re.I) and re.search("[a-z]", word, re.I)
            assert not mixed, (word, example)


def test_typography(corpus: tuple[Example, ...]) -> None:
    for example in corpus:
        text = " ".join(example.texts)
        assert "  " not in text and "..." not in text and " - " not in text, example
        if example.language == "ru":
            assert not set("\"'`“”") & set(text), example


def grams(example: Example) -> set[str]:
    key = caption_key(example.texts)
    return {key[i : i + 4] for i in range(len(key) - 3)}


def test_no_near_duplicates_within_a_template(corpus: tuple[Example, ...]) -> None:
    for examples in files(corpus).values():
        bags = [(example, grams(example)) for example in examples]
        for (first, a), (second, b) in combinations(bags, 2):
            assert len(a & b) < TOO_ALIKE * min(len(a), len(b)), (first, second)


def test_no_caption_is_used_by_two_templates(corpus: tuple[Example, ...]) -> None:
    twice = Counter((example.language, caption_key(example.texts)) for example in corpus)
    assert max(twice.values()) == 1, twice.most_common(3)


def write(directory: Path, text: str, name: str = "no_yes") -> Path:
    folder = directory / "ru"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return directory


def test_reads_boxes_theme_and_line(tmp_path: Path) -> None:
    write(tmp_path, "## pets\n\nКот молчит | Кот орёт\n## food\nСуп | Суп с собой\n")
    assert load_corpus(tmp_path, {"no_yes": (LINE, LINE)}) == (
        Example("no_yes", "ru", "pets", ("Кот молчит", "Кот орёт"), 3),
        Example("no_yes", "ru", "food", ("Суп", "Суп с собой"), 5),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("## work\nОдин\n", r"no_yes\.txt:2: 1 boxes, expected 2"),
        ("## work\nОдин | два | три\n", r"no_yes\.txt:2: 3 boxes, expected 2"),
        ("## work\nОдин | \n", r"no_yes\.txt:2: box 2 is empty"),
        (f"## work\nОдин | {'д' * 61}\n", r"no_yes\.txt:2: box 2 has 61 characters, at most 60"),
        ("## space\nОдин | два\n", r"no_yes\.txt:1: unknown theme 'space'"),
        ("Один | два\n", r"no_yes\.txt:1: caption before the first"),
        ("## work\nЁж | два\n\nеж! | Два\n", r"no_yes\.txt:4: duplicate .* line 2"),
    ],
)
def test_names_file_line_and_fault(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(CorpusError, match=complaint):
        load_corpus(write(tmp_path, text), {"no_yes": (LINE, LINE)})


def test_first_caption_fixes_the_boxes_when_no_limits_are_given(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r":3: 1 boxes, expected 2"):
        load_corpus(write(tmp_path, "## work\nОдин | два\nТри\n"))


def test_refuses_a_file_of_an_unknown_template(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no template is called 'nope'"):
        load_corpus(write(tmp_path, "## work\nОдин\n", "nope"), {"no_yes": (LINE, LINE)})


def test_refuses_other_encodings_and_an_empty_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no captions"):
        load_corpus(tmp_path)
    write(tmp_path, "")
    (tmp_path / "ru" / "no_yes.txt").write_bytes("## work\nОдин | два".encode("cp1251"))
    with pytest.raises(CorpusError, match="not UTF-8"):
        load_corpus(tmp_path)
