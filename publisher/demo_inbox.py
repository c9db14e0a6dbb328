"""The demo's human memes: captions of our corpus, drawn, put into the inbox like an owner would."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from jobs.services import Services
from publisher.memes.corpus import load_corpus
from publisher.memes.render import RenderError, render
from publisher.memes.templates import load_templates

SPARE = 1.3


def draw_human_memes(folder: str, language: str, count: int, seed: int) -> int:
    """Draw `count` memes of the corpus into `folder`, each with its note; how many were drawn."""
    templates = load_templates()
    examples = [e for e in load_corpus() if e.language == language and e.template in templates]
    random.Random(seed).shuffle(examples)
    place, drawn = Path(folder), 0
    place.mkdir(parents=True, exist_ok=True)
    for example in examples:
        if drawn == count:
            break
        try:
            picture = render(templates[example.template], example.texts, language=language)
        except RenderError:
            continue
        name = f"{drawn:03d}-{example.template}"
        (place / f"{name}.jpg").write_bytes(picture.jpeg)
        (place / f"{name}.toml").write_text(note(example.template, example.texts, language))
        drawn += 1
    return drawn


def note(template: str, texts: tuple[str, ...], language: str) -> str:
    """A `name.toml` as the inbox reads it."""
    quoted = ", ".join('"' + t.replace("\\", "\\\\").replace('"', '\\"') + '"' for t in texts)
    return (
        f'template = "{template}"\ntexts = [{quoted}]\nlanguage = "{language}"\n'
        'licence = "corpus of this project"\n'
    )


async def fill_inbox(services: Services, weeks: int, tell: Callable[[str], None]) -> None:
    """Enough human memes for half of all slots, and some for partners."""
    settings = services.settings
    folder = settings.path(settings.inbox.folder)
    for language in sorted({c.language for c in settings.channels}):
        slots = sum(
            len(c.times) * len(c.weekdays) for c in settings.channels if c.language == language
        )
        count = int((slots * (weeks + 1) / 2 + 8 * weeks) * SPARE)
        drawn = await services.workers.run(
            draw_human_memes, str(folder), language, count, settings.experiment.seed
        )
        tell(f"{folder}: {drawn} человеческих мемов / human memes ({language})")
