"""Memes for 30 fixed topics: a contact sheet, a table of what can be counted, first against chosen.

    .venv/bin/python -m benchmarks.quality [--model GGUF | --no-model] [--mode auto|frames|free]
        [--seed 1] [--count 2] [--topics 30] [--from 0] [--budget 45] [--out DIR]
    .venv/bin/python -m benchmarks.quality --judged DIR...

Shares are over captions: `form` no outward fault, `limits` every text within its box's limit,
`topic` the topic named, or a caption near it by embedding, `new` like none of the corpus and none
of the run before it, `screen` passed, `drawn` fitted its picture, `all` all of these.

`first` is what drawing gives, before anything is ranked or refused, as many as are chosen: the
model's first drafts in the free way; in the other, frames that suit the topic, drawn evenly and
filled by the seed. `mean` is
all that was written; `chosen` what was kept.

What reads as coherent and on the topic cannot be counted. So the run writes `blind.csv`: first and
chosen captions shuffled, without saying which is which. Put `y` (coherent and on its topic) or `n`
into its column `good`; `--judged DIR` then opens `key.csv` and prints the shares. The pictures are
on `quality-*.jpg`, the chosen ones in a row.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from publisher.embedding import embed
from publisher.memes.corpus import caption_key, load_corpus
from publisher.memes.form import faults
from publisher.memes.frames import fill_frame, suitable_frames
from publisher.memes.frames_clean import clean_topic
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


Row = dict[str, str]


def main() -> None:
    options = _options()
    if options.judged:
        judged(options.judged)
    else:
        run(options)


@dataclass
class Results:
    """What a run has so far."""

    judge: Judge
    rows: list[Row] = field(default_factory=list)
    blind: list[Row] = field(default_factory=list)
    pictures: list[tuple[Path | Image.Image, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    shares: dict[str, list[dict[str, bool]]] = field(
        default_factory=lambda: {"first": [], "mean": [], "chosen": []}
    )


def run(options: argparse.Namespace) -> None:
    """All topics; broken off with Ctrl-C, the topics so far."""
    began = time.monotonic()
    options.out.mkdir(parents=True, exist_ok=True)
    results = Results(Judge())
    try:
        for language, topic in TOPICS[options.start : options.start + options.topics]:
            _one_topic(topic, language, options, results)
    except KeyboardInterrupt:
        print("broken off")
    _write(options.out, results.rows, results.pictures, options.count)
    _write_blind(options.out, results.blind, options.seed)
    _table(results.shares)
    print(f"\nin all {time.monotonic() - began:.0f} s, ", end="")
    print(f"seconds a topic: median {np.median(results.seconds):.1f}, ", end="")
    print(f"most {max(results.seconds):.1f}")


def _one_topic(topic: str, language: str, options: argparse.Namespace, results: Results) -> None:
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
            cache=options.cache,
        )
    )
    print(f"{made.seconds:5.1f} s  {topic}  {'; '.join(made.notes)}", flush=True)
    groups = _groups(made, topic, language, options)
    found = {
        name: [results.judge.checks(topic, candidate) for candidate in candidates]
        for name, candidates in groups.items()
    }
    results.judge.remember(made.chosen)
    results.seconds.append(made.seconds)
    results.blind += _to_judge(topic, groups)
    for name, checks in found.items():
        results.shares[name] += checks
    for candidate in made.chosen:
        with Image.open(io.BytesIO(candidate.jpeg or b"")) as image:
            results.pictures.append((image.convert("RGB"), f"{topic}: {candidate.caption.source}"))
    results.rows += [_row(topic, candidate) for candidate in (*made.chosen, *made.refused)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--model", help="path of a GGUF; without it the embedded model")
    parser.add_argument("--no-model", action="store_true", help="the seed decides")
    parser.add_argument("--mode", default="auto", choices=("auto", "frames", "free"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2, help="memes a topic")
    parser.add_argument("--topics", type=int, default=len(TOPICS), help="how many")
    parser.add_argument("--from", dest="start", type=int, default=0, help="leave out so many")
    parser.add_argument(
        "--judged", type=Path, nargs="+", help="folders whose blind.csv is filled in"
    )
    parser.add_argument("--cache", help="a folder for the probe's answer")
    parser.add_argument("--budget", type=float, default=45.0, help="seconds a topic")
    parser.add_argument("--out", type=Path, default=Path("reports/quality"))
    return parser.parse_args()


def _groups(
    made: Made, topic: str, language: str, options: argparse.Namespace
) -> dict[str, list[Candidate]]:
    written = sorted((*made.chosen, *made.refused), key=lambda c: float(c.reasons["place"]))
    if written and written[0].caption.method == "free":
        first = written[: options.count]
    else:
        first = _draws(topic, language, options) if written else []
    return {"first": first, "mean": written, "chosen": list(made.chosen)}


def _draws(topic: str, language: str, options: argparse.Namespace) -> list[Candidate]:
    """The first frames of an even shuffle that give captions within their templates' limits."""
    limits = {name: tuple(b.max_chars for b in t.boxes) for name, t in load_templates().items()}
    frames = suitable_frames(clean_topic(topic, language), language)
    Random(f"{options.seed}|{topic}").shuffle(frames)
    filled = (
        fill_frame(frame, phrase, seed=options.seed, limits=limits) for frame, phrase, _ in frames
    )
    return [Candidate(caption) for caption in filled if caption][: options.count]


def _to_judge(topic: str, groups: dict[str, list[Candidate]]) -> list[Row]:
    """First and chosen captions of a topic, one that is both only once."""
    found: dict[tuple[str, str], Row] = {}
    for name in ("first", "chosen"):
        for candidate in groups[name]:
            texts = " | ".join(candidate.caption.texts)
            key = (candidate.caption.template, texts)
            row = {
                "topic": topic,
                "template": key[0],
                "texts": texts,
                "good": "",
                "group": name,
                "method": candidate.caption.method,
            }
            if key in found:
                row["group"] = f"{found[key]['group']} {name}"
            found[key] = row
    return list(found.values())


def _write_blind(out: Path, rows: list[Row], seed: int) -> None:
    Random(seed).shuffle(rows)
    for name, columns in (
        ("blind.csv", ("number", "topic", "template", "texts", "good")),
        ("key.csv", ("number", "group", "method")),
    ):
        with (out / name).open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, fieldnames=columns, extrasaction="ignore")
            table.writeheader()
            table.writerows({"number": str(n), **row} for n, row in enumerate(rows, 1))


def judged(folders: Iterable[Path]) -> None:
    """Print the shares of captions judged good, with 95 % Wilson intervals, first and chosen."""
    counts: dict[str, list[bool]] = {}
    for folder in folders:
        key = {row["number"]: row for row in _read(folder / "key.csv")}
        for row in _read(folder / "blind.csv"):
            if row["good"] not in ("y", "n"):
                raise SystemExit(f"{folder}/blind.csv: {row['number']} is not judged (y or n)")
            known = key[row["number"]]
            for group in known["group"].split():
                for name in (group, f"{group}, {known['method']}"):
                    counts.setdefault(name, []).append(row["good"] == "y")
    for name, good in sorted(counts.items()):
        share, n = float(np.mean(good)), len(good)
        middle = (share + 1.92 / n) / (1 + 3.84 / n)
        half = 1.96 * np.sqrt(share * (1 - share) / n + 0.96 / n**2) / (1 + 3.84 / n)
        between = f"({middle - half:.2f}–{middle + half:.2f})"
        print(f"{name:16} {sum(good):4} of {n:4}  {share:.2f}  {between}")


def _read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


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
        if len(caption.texts) != len(template.boxes):  # a draft that is no caption
            return dict.fromkeys(CHECKS, False)
        whole = " ".join(caption.texts)
        own = self._vector(whole)
        near = np.array([own @ self._vector(text) for text in self.chosen])
        found = {
            "form": not candidate.refused.startswith("no caption") and not faults(caption.texts),
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
    main()
