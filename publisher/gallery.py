"""All memes of a run on one page: what was made, what it gathered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment

from jobs.services import Services
from publisher.ledger.models import Meme, Post, Snapshot, Topic

PAGE = Environment(autoescape=True).from_string(
    """<!doctype html><html lang="{{ language }}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>MemeGen</title>
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1280px; padding: 1rem; }
.note { border: 2px solid #d97706; border-radius: .5rem; padding: .6rem 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 1rem; }
figure { margin: 0; } img { width: 100%; border-radius: .5rem; }
figcaption { font-size: .85rem; opacity: .85; }
</style>
<h1>{{ "Мемы" if language == "ru" else "Memes" }}</h1>
{% if simulated %}<p class="note">{{ simulated }}</p>{% endif %}
<main>{% for meme in memes %}
<figure><img loading="lazy" src="{{ meme.src }}" alt="{{ meme.text }}">
<figcaption><b>{{ meme.origin }}</b> · {{ meme.template }} · {{ meme.method }}
{% if meme.topic %}<br>{{ meme.topic }}{% endif %}
{% if meme.numbers %}<br>{{ meme.numbers }}{% endif %}</figcaption></figure>{% endfor %}
</main></html>"""
)


WORDS = {
    "ru": {
        "generated": "модель",
        "human": "человек",
        "numbers": "просмотров {}, за {}, против {}",
    },
    "en": {"generated": "generated", "human": "human", "numbers": "views {}, for {}, against {}"},
}


def write_gallery(services: Services, out: Path) -> Path:
    """`gallery.html` in `out`, pictures by relative address; generated memes first."""
    memes = (
        Meme.select(Meme, Topic)
        .left_outer_join(Topic)
        .where((Meme.file != "") & (Meme.state != "refused"))
        .order_by(Meme.origin, Meme.created_at, Meme.id)
    )
    path = out / "gallery.html"
    path.write_text(
        PAGE.render(
            language=services.settings.language,
            simulated=services.not_real,
            memes=[_figure(services, meme, out) for meme in memes],
        ),
        encoding="utf-8",
    )
    return path


def _figure(services: Services, meme: Meme, out: Path) -> dict[str, Any]:
    last = (
        Snapshot.select(Snapshot)
        .join(Post)
        .where(Post.meme == meme)
        .order_by(Snapshot.age_hours.desc())
        .first()
    )
    words = WORDS[services.settings.language]
    return {
        "src": (services.media / meme.file).relative_to(out).as_posix(),
        "text": " / ".join(meme.texts),
        "origin": words[meme.origin],
        "template": meme.template,
        "method": meme.method,
        "topic": meme.topic.title if meme.topic else "",
        "numbers": words["numbers"].format(last.views, last.likes, last.dislikes) if last else "",
    }
