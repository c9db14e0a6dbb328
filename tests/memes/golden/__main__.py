"""Draw the golden pictures anew, after the change was looked at."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from publisher.memes.render import render
from publisher.memes.templates import load_templates

for path in sorted(Path(__file__).parent.glob("*.png")):
    template = load_templates()[path.stem]
    assert template.example is not None
    image = render(template, template.example.ru).image
    image.resize((320, 320), Image.Resampling.BOX).save(path)
