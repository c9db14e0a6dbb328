"""How well stories are told apart, and how fast: `python -m benchmarks.trends [PAIRS] [--demo]`.

PAIRS is a JSON-lines file of labelled pairs of news items (`language`, `first` and `second` with
`title` and `text`, `same_story`). Prints the AUC of our similarity against each of its parts, and
precision and recall by threshold. `--demo` clusters the demo's news and compares with its
`story` labels; the last part times 10,000 items.
"""

from __future__ import annotations

import argparse
import json
import time
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import numpy as np

from publisher.embedding import embed
from publisher.trends import Item, cluster, find_topics
from publisher.trends.cluster import THRESHOLD
from publisher.trends.similarity import spelling_of, vectors

THRESHOLDS = (0.24, 0.28, 0.32, 0.36, 0.4, 0.45, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, nargs="?")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--items", type=int, default=0, help="time this many synthetic items")
    options = parser.parse_args()
    if options.pairs:
        real_pairs(options.pairs)
    if options.demo:
        demo_stories()
    if options.items:
        speed(options.items)


def real_pairs(path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    pairs = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    same = np.array([pair["same_story"] for pair in pairs])
    language = np.array([pair["language"] for pair in pairs])
    sides = [side for pair in pairs for side in (pair["first"], pair["second"])]
    titles, texts = [s["title"] for s in sides], [s["text"] for s in sides]
    both = [f"{title}. {text}" for title, text in zip(titles, texts, strict=True)]
    ours = vectors(titles, texts)
    spelling = spelling_of([text[:600] for text in both])
    measured = {
        "ours": np.array([ours.between(2 * i, [2 * i + 1])[0] for i in range(len(pairs))]),
        "embedding, title": dots(embed(titles)),
        "embedding, title + 300": dots(embed([text[:300] for text in both])),
        "n-grams, title + 600": np.asarray(spelling[0::2].multiply(spelling[1::2]).sum(1)).ravel(),
    }
    print(f"{len(pairs)} pairs, {same.sum()} of one story; AUC{'':12}all     ru     en")
    for name, similarity in measured.items():
        values = [
            roc_auc_score(same[m], similarity[m])
            for m in (language != "", language == "ru", language == "en")
        ]
        print(f"{name:40}" + "  ".join(f"{value:.3f}" for value in values))
    for threshold in THRESHOLDS:
        chosen = measured["ours"] >= threshold
        print(
            f"threshold {threshold:.2f}: precision {same[chosen].mean():.3f}, "
            f"recall {chosen[same].mean():.3f}"
        )


def dots(rows: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->i", rows[0::2], rows[1::2])


def demo_stories() -> None:
    began = datetime(2026, 1, 5, tzinfo=UTC)
    text = (files("publisher.sandbox") / "news" / "items.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    items = [
        Item(
            str(i),
            row["source"],
            row["title"],
            row["text"],
            row["language"],
            began + timedelta(hours=row["offset_hours"]),
            row.get("views"),
        )
        for i, row in enumerate(rows)
    ]
    story = {
        item.id: (row["story"], row["language"]) for item, row in zip(items, rows, strict=True)
    }
    close = [
        (a, b)
        for a, b in combinations(items, 2)
        if abs(a.published_at - b.published_at) <= timedelta(hours=48)
    ]
    print(f"demo news: {len(items)} items, {len(set(story.values()))} stories")
    for threshold in (*THRESHOLDS, THRESHOLD):
        groups = cluster(items, threshold=threshold)
        label = {item.id: i for i, group in enumerate(groups) for item in group.items}
        same = np.array([story[a.id] == story[b.id] for a, b in close])
        together = np.array([label[a.id] == label[b.id] for a, b in close])
        print(
            f"threshold {threshold:.2f}: {len(groups)} clusters, pairs: "
            f"precision {same[together].mean():.3f}, recall {together[same].mean():.3f}"
        )


def speed(n: int) -> None:
    now = datetime(2026, 1, 5, tzinfo=UTC)
    rng = np.random.default_rng(1)
    syllables = [consonant + vowel for consonant in "бвгдклмнпрст" for vowel in "аеиоуы"]
    words = ["".join(rng.choice(syllables, 3)) for _ in range(3000)]
    items = [
        Item(
            str(i),
            f"source{i % 20}",
            " ".join(rng.choice(words, 7)).capitalize(),
            " ".join(rng.choice(words, 30)),
            "ru",
            now - timedelta(minutes=float(i % 2800)),
        )
        for i in range(n)
    ]
    embed(["warm up"])
    began = time.perf_counter()
    found = find_topics(items, now)
    print(f"{n} items → {len(found.topics)} topics in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
