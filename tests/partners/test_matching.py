from __future__ import annotations

import random
from functools import cache

import pytest

from benchmarks.matching import CHANGES, Drawn, altered
from publisher.memes.corpus import load_corpus
from publisher.memes.render import render
from publisher.memes.templates import load_templates
from publisher.partners.matching import coarse_hash, match, near


@cache
def two_memes(template: str) -> tuple[Drawn, Drawn]:
    found = [e for e in load_corpus() if e.template == template and e.language == "ru"][:2]
    first, second = (
        Drawn(template, e.texts, render(load_templates()[template], e.texts, language="ru").jpeg)
        for e in found
    )
    return first, second


@pytest.mark.parametrize("change", ["untouched", "watermark", "crop + border + size + JPEG"])
@pytest.mark.parametrize("template", ["rocket", "two_buttons"])
def test_our_meme_is_known_again_and_its_twin_is_not(template: str, change: str) -> None:
    first, second = two_memes(template)
    rng = random.Random(4)
    changed = altered(first.jpeg, CHANGES[change], rng)
    assert match(first.jpeg, changed).same
    assert near(coarse_hash(first.jpeg), coarse_hash(changed))
    assert not match(second.jpeg, changed).same


def test_another_template_is_another_picture() -> None:
    assert not match(two_memes("rocket")[0].jpeg, two_memes("two_buttons")[0].jpeg).same


def test_what_is_no_picture_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a readable picture"):
        match(b"no picture", two_memes("rocket")[0].jpeg)
