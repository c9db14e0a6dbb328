"""Does the preference model know a caption with many votes from one with few?

    python -m benchmarks.ranking CAPTIONS.jsonl [--baseline FOLDER] [--each 1200] [--cache FOLDER]

CAPTIONS.jsonl: one object a line with `template`, `boxes`, `votes`, `views`. A caption's worth is
votes a view, shrunk towards its template's rate by the template's median views; within each
template the best quarter are against the worst quarter. "Unseen": learned on the other templates.
"Seen": five folds over all, so that other captions of the template were learned from. The figure
is the mean over templates of the AUC within the template; 0.5 is random choice.

Compared: the shipped features (form and the built-in encoder), each alone, characters, and a plain
logistic regression on another encoder's embeddings (--baseline, for instance all-MiniLM-L6-v2).
The scales in publisher/memes/preference.py were chosen on every other template (A, by their names
in order); the rest (B) are shown apart. Embedding takes the time: --cache keeps it between runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from publisher.embedding import embed
from publisher.memes.preference import fit_preference

OURS = "embeddings + form (ours)"
Fit = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Data:
    """Captions; `liked` is 1 for the best quarter of its template, 0 for the worst."""

    texts: list[tuple[str, ...]]
    templates: np.ndarray
    liked: np.ndarray


def read(path: Path, each: int, seed: int) -> Data:
    """At most `each` captions of a template, half of them liked."""
    by_template: dict[str, list[dict]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["views"] > 0:
            by_template.setdefault(row["template"], []).append(row)
    random = np.random.default_rng(seed)
    texts, templates, liked = [], [], []
    for template, rows in sorted(by_template.items()):
        votes = np.array([row["votes"] for row in rows], float)
        views = np.array([row["views"] for row in rows], float)
        weight = np.median(views)
        order = np.argsort((votes + weight * votes.sum() / views.sum()) / (views + weight))
        quarter = len(rows) // 4
        for label, part in ((0, order[:quarter]), (1, order[-quarter:])):
            for index in random.permutation(part)[: each // 2]:
                texts.append(tuple(rows[index]["boxes"]))
                templates.append(template)
                liked.append(label)
    return Data(texts, np.array(templates), np.array(liked))


def embedding_and_form(data: Data, vectors: np.ndarray) -> Fit:
    """The shipped preference model."""

    def scores(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model = fit_preference(
            data.templates[train],
            [data.texts[i] for i in train],
            vectors[train],
            data.liked[train],
        )
        return model.predict(data.templates[test], [data.texts[i] for i in test], vectors[test])

    return scores


def embedding_only(data: Data, vectors: np.ndarray) -> Fit:
    """A plain logistic regression on embeddings."""

    def scores(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        model = LogisticRegression(max_iter=500).fit(vectors[train], data.liked[train])
        return model.decision_function(vectors[test])

    return scores


def characters(data: Data) -> Fit:
    """A logistic regression on 2-4-character TF-IDF."""
    joined = [" | ".join(texts).lower() for texts in data.texts]

    def scores(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        bag = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True)
        matrix = bag.fit_transform([joined[i] for i in train])
        model = LogisticRegression(C=0.3, solver="liblinear").fit(matrix, data.liked[train])
        return model.decision_function(bag.transform([joined[i] for i in test]))

    return scores


def auc_by_template(data: Data, scores: np.ndarray) -> list[float]:
    return [
        float(roc_auc_score(data.liked[mask], scores[mask]))
        for mask in (data.templates == name for name in np.unique(data.templates))
    ]


def unseen(data: Data, fit: Fit) -> list[float]:
    """Each template scored by a model of the others."""
    scores = np.zeros(len(data.liked))
    for name in np.unique(data.templates):
        held = data.templates == name
        scores[held] = fit(np.flatnonzero(~held), np.flatnonzero(held))
    return auc_by_template(data, scores)


def seen(data: Data, fit: Fit, seed: int, folds: int = 5) -> list[float]:
    scores = np.zeros(len(data.liked))
    fold = np.random.default_rng(seed).permutation(len(data.liked)) % folds
    for k in range(folds):
        scores[fold == k] = fit(np.flatnonzero(fold != k), np.flatnonzero(fold == k))
    return auc_by_template(data, scores)


def embedded(texts: Sequence[str], encoder: str | None, cache: Path | None) -> np.ndarray:
    """Embeddings, (n, d) float32, read from `cache` if these texts were embedded before."""
    key = hashlib.sha256("\n".join([encoder or "", *texts]).encode()).hexdigest()[:16]
    kept = cache / f"{key}.npy" if cache else None
    if kept and kept.exists():
        return np.load(kept).astype(np.float32)
    vectors = embed(texts, encoder)
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, vectors.astype(np.float16))
    return vectors


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("captions", type=Path)
    parser.add_argument(
        "--baseline", help="folder of a sentence-transformers model to compare with"
    )
    parser.add_argument("--each", type=int, default=1200, help="captions of a template, at most")
    parser.add_argument("--cache", type=Path, help="folder in which embeddings are kept")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    data = read(args.captions, args.each, args.seed)
    joined = [" ".join(texts).lower() for texts in data.texts]
    own = embedded(joined, None, args.cache)
    methods: dict[str, Fit] = {}
    if args.baseline:
        other = embedded(joined, args.baseline, args.cache)
        methods[f"{Path(args.baseline).name} embeddings"] = embedding_only(data, other)
    methods |= {
        "characters": characters(data),
        "built-in embeddings": embedding_only(data, own),
        OURS: embedding_and_form(data, own),
    }
    names = len(np.unique(data.templates))
    print(f"{len(joined)} captions of {names} templates, best against worst quarter of each")
    print(f"{'':28} unseen  (A, B)              seen  (A, B)       mean AUC within a template")
    results: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, fit in methods.items():
        began = time.monotonic()
        with threadpool_limits(1):  # threads that wait for each other make small fits slow
            results[name] = np.array(unseen(data, fit)), np.array(seen(data, fit, args.seed))
        columns = "   ".join(
            f"{found.mean():.3f}  ({found[::2].mean():.3f}, {found[1::2].mean():.3f})"
            for found in results[name]
        )
        print(f"{name:28} {columns}   {time.monotonic() - began:.0f} s", flush=True)
    if args.baseline:
        baseline, ours = next(iter(results.values())), results[OURS]
        for way, old, new in zip(("unseen", "seen"), baseline, ours, strict=True):
            gaps = new - old
            error = gaps.std(ddof=1) / np.sqrt(len(gaps))
            print(f"ours - baseline, {way}: {gaps.mean():+.3f} ±{error:.3f}, ", end="")
            print(f"better on {(gaps > 0).sum()} of {len(gaps)} templates")


if __name__ == "__main__":
    main()
