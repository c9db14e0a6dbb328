"""Memes for 30 fixed topics: a contact sheet, a table of what can be counted, first against chosen.

    .venv/bin/python -m benchmarks.quality [--model GGUF | --no-model] [--mode auto|frames|free]
        [--seed 1] [--count 2] [--topics 30] [--budget 45] [--out DIR]

Shares are over captions: `form` no outward fault, `limits` every text within its box's limit,
`topic` the topic named, or a caption near it by embedding, `new` like none of the corpus and none
of the run before it, `screen` passed, `drawn` fitted its picture, `all` all of these. `first` is
the first caption written for a topic, before anything was chosen; `mean` all that were written;
`chosen` those that were kept. What reads as coherent and funny cannot be counted: look at the
sheets (`quality-*.jpg`), six topics each, the chosen ones in a row.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from publisher.embedding import embed
from publisher.memes.corpus import caption_key, load_corpus
from publisher.memes.form import faults
from publisher.memes.frames_topic import topic_phrases
from publisher.memes.inflect import parses
from publisher.memes.make import Candidate, Made, MakeRequest, make_memes
from publisher.memes.preview import contact_sheet
from publisher.memes.render import RenderError, render
from publisher.memes.templates import load_templates
from publisher.screen import screen_caption

TOPICS = (
    *(
        ("ru", topic)
        for topic in (
            "ипотека",
            "дедлайн",
            "понедельник",
            "повышение ключевой ставки",
            "мой кот",
            "работа из дома",
            "гололёд",
            "отпуск",
            "ремонт",
            "нейросети",
            "сессия",
            "пробки",
            "Мэрия запретила самокаты на тротуарах",
            "Синоптики обещают жару до конца недели",
            "Яйца подорожали на 20 %",
            "спортзал",
            "очередь в поликлинику",
            "мой кот и понедельник",
            "доставка еды",
            "хочу спать",
        )
    ),
    *(
        ("en", topic)
        for topic in (
            "mortgage",
            "Monday meetings",
            "my cat",
            "working from home",
            "AI",
            "gym membership",
            "Coffee prices hit record high",
            "exam week",
            "the printer",
            "City bans e-scooters on sidewalks",
        )
    ),
)
CHECKS = ("form", "limits", "topic", "new", "screen", "drawn", "all")
NEAR_TOPIC = 0.35
SAME = 0.95


def main() -> None:
    options = _options()
    options.out.mkdir(parents=True, exist_ok=True)
    judge = Judge()
    rows: list[dict[str, str]] = []
    shares: dict[str, list[dict[str, bool]]] = {"first": [], "mean": [], "chosen": []}
    pictures: list[tuple[Path | Image.Image, str]] = []
    seconds = []
    for language, topic in TOPICS[: options.topics]:
        made = make_memes(
            MakeRequest(
                topic,
                language=language,
                count=options.count,
                seed=options.seed,
                model_path=options.model,
                mode=options.mode,
                budget_s=options.budget,
                use_model=not options.no_model,
            )
        )
        seconds.append(made.seconds)
        print(f"{made.seconds:5.1f} s  {topic}  {'; '.join(made.notes)}", flush=True)
        for name, candidates in _groups(made).items():
            shares[name] += [judge.checks(topic, candidate) for candidate in candidates]
        judge.remember(made.chosen)
        for candidate in made.chosen:
            with Image.open(io.BytesIO(candidate.jpeg or b"")) as image:
                pictures.append((image.convert("RGB"), f"{topic}: {candidate.caption.source}"))
        rows += [_row(topic, candidate) for candidate in (*made.chosen, *made.refused)]
    _write(options.out, rows, pictures, options.count)
    _table(shares)
    print(f"\nseconds a topic: median {np.median(seconds):.1f}, most {max(seconds):.1f}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--model", help="path of a GGUF; without it the embedded model")
    parser.add_argument("--no-model", action="store_true", help="the seed decides")
    parser.add_argument("--mode", default="auto", choices=("auto", "frames", "free"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2, help="memes a topic")
    parser.add_argument("--topics", type=int, default=len(TOPICS))
    parser.add_argument("--budget", type=float, default=45.0, help="seconds a topic")
    parser.add_argument("--out", type=Path, default=Path("reports/quality"))
    return parser.parse_args()


def _groups(made: Made) -> dict[str, list[Candidate]]:
    written = sorted((*made.chosen, *made.refused), key=lambda c: float(c.reasons["place"]))
    return {"first": written[:1], "mean": written, "chosen": list(made.chosen)}


class Judge:
    """The countable properties of a caption, each by a rule that the choosing did not set."""

    def __init__(self) -> None:
        self.templates = load_templates()
        self.known = {caption_key(example.texts) for example in load_corpus()}
        self.chosen: list[str] = []
        self.vectors: dict[str, np.ndarray] = {}

    def remember(self, chosen: Sequence[Candidate]) -> None:
        self.known |= {caption_key(candidate.caption.texts) for candidate in chosen}
        self.chosen += [" ".join(candidate.caption.texts) for candidate in chosen]

    def checks(self, topic: str, candidate: Candidate) -> dict[str, bool]:
        caption = candidate.caption
        template = self.templates[caption.template]
        whole = " ".join(caption.texts)
        own = self._vector(whole)
        near = np.array([own @ self._vector(text) for text in self.chosen])
        found = {
            "form": not faults(caption.texts),
            "limits": all(
                len(text) <= box.max_chars
                for text, box in zip(caption.texts, template.boxes, strict=True)
            ),
            "topic": self._named(topic, whole, caption.language)
            or float(own @ self._vector(topic)) >= NEAR_TOPIC,
            "new": caption_key(caption.texts) not in self.known
            and (near.size == 0 or float(near.max()) < SAME),
            "screen": screen_caption(caption.texts, caption.language).ok,
            "drawn": candidate.jpeg is not None or self._drawn(candidate),
        }
        return {**found, "all": all(found.values())}

    def _vector(self, text: str) -> np.ndarray:
        if text not in self.vectors:
            self.vectors[text] = embed([text])[0]
        return self.vectors[text]

    def _named(self, topic: str, text: str, language: str) -> bool:
        heads = {phrase.head for phrase in topic_phrases(topic, language)}
        words = re.findall(r"[\w-]+", text.lower())
        lemmas = {parses(word)[0].normal_form for word in words} if language == "ru" else set(words)
        return bool(heads & lemmas) or topic.lower() in text.lower()

    def _drawn(self, candidate: Candidate) -> bool:
        caption = candidate.caption
        try:
            render(self.templates[caption.template], caption.texts, language=caption.language)
        except RenderError:
            return False
        return True


def _row(topic: str, candidate: Candidate) -> dict[str, str]:
    caption = candidate.caption
    return {
        "topic": topic,
        "chosen": "" if candidate.refused else "yes",
        "template": caption.template,
        "source": caption.source,
        "texts": " | ".join(caption.texts),
        "score": f"{candidate.score:.3f}",
        "refused": candidate.refused,
    }


def _write(
    out: Path,
    rows: list[dict[str, str]],
    pictures: list[tuple[Path | Image.Image, str]],
    count: int,
) -> None:
    with (out / "quality.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, fieldnames=list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    columns = max(count, 4)
    size = columns * 6
    for at in range(0, len(pictures), size):
        sheet = out / f"quality-{at // size + 1}.jpg"
        contact_sheet(pictures[at : at + size], sheet, columns=columns, cell=360)
        print(sheet)


def _table(shares: dict[str, list[dict[str, bool]]]) -> None:
    print(f"\n{'':8}{'n':>6}" + "".join(f"{check:>9}" for check in CHECKS))
    for name, found in shares.items():
        values = "".join(
            f"{np.mean([checks[check] for checks in found]) if found else 0:9.2f}"
            for check in CHECKS
        )
        print(f"{name:8}{len(found):6}{values}")


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"in all {time.monotonic() - started:.0f} s")
