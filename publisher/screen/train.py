"""Train the second opinion: `python -m publisher.screen.train`.

Reads the training parts of `labelled/headlines.jsonl` and `labelled/words.jsonl` (bare topics of
a word or two), chooses the thresholds on out-of-fold predictions for the headlines (five folds),
fits on both and writes `second_opinion.npz`. The held-out parts are not read; `python -m
benchmarks.screen` measures on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from publisher.screen.lexical import Reading, read
from publisher.screen.second_opinion import GAMMA, WEIGHTS, Thresholds, features
from publisher.screen.topics import decide

LABELLED = Path(__file__).parent / "labelled"
STRENGTH = 3.0
TARGET_RECALL = 0.98
CRUEL = 5.0
"""So many harmless topics refused are as bad as one tragedy let through."""
HARMLESS = 6.0
"""So many harmless headlines come with one tragedy in a day's news."""
_WEAK = tuple(step / 100 for step in range(5, 51))
_FIGURATIVE = (0.7, 0.8, 0.9, 0.95)
_PLAIN = tuple(step / 100 for step in range(20, 71, 2))


@dataclass(frozen=True)
class Example:
    """One labelled text. `kind` says what it is about, or "plain" or "trap"."""

    text: str
    language: str
    label: str
    kind: str
    part: str

    @property
    def bad(self) -> bool:
        return self.label != "harmless"


def examples(name: str, part: str | None = None) -> list[Example]:
    """The labelled set `name` ("headlines", "words" or "captions"), or one part of it: "train" or
    "held_out"."""
    return [e for e in _lines(LABELLED / f"{name}.jsonl") if part in (None, e.part)]


def _lines(path: Path) -> Iterator[Example]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield Example(**json.loads(line))


def choose_thresholds(
    readings: Sequence[Reading], probabilities: np.ndarray, bad: np.ndarray, direct: np.ndarray
) -> tuple[Thresholds, float, float, float]:
    """The thresholds with the least loss while recall on `direct` tragedies (those that say what
    happened) is TARGET_RECALL or more, or the greatest there is; with them the recall on direct
    ones, on all bad ones, and the share of harmless ones passed. The loss is that of a day's
    news: the share of harmless texts refused, HARMLESS times, and of bad ones passed, CRUEL times.
    """

    def rates(thresholds: Thresholds) -> tuple[float, float, float]:
        refused = np.array(
            [
                not decide(reading, float(p), thresholds).ok
                for reading, p in zip(readings, probabilities, strict=True)
            ]
        )
        return (
            float(refused[direct].mean()),
            float(refused[bad].mean()),
            float((~refused[~bad]).mean()),
        )

    grid = [
        Thresholds(weak, figurative, plain)
        for weak, figurative, plain in product(_WEAK, _FIGURATIVE, _PLAIN)
        if weak <= plain <= figurative
    ]
    found = [(thresholds, rates(thresholds)) for thresholds in grid]
    best, (on_direct, on_bad, passed) = max(
        found,
        key=lambda one: (min(one[1][0], TARGET_RECALL), HARMLESS * one[1][2] + CRUEL * one[1][1]),
    )
    return best, on_direct, on_bad, passed


def main() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.svm import SVC

    headlines = examples("headlines", "train")
    train = headlines + examples("words", "train")
    bad = np.array([example.bad for example in train])
    matrix = features([example.text for example in train])
    machine = SVC(C=STRENGTH, gamma=GAMMA, class_weight="balanced")
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    distance = cross_val_predict(machine, matrix, bad, cv=folds, method="decision_function")
    scaling = LogisticRegression(C=1e6).fit(distance[:, None], bad)
    probabilities = scaling.predict_proba(distance[:, None])[:, 1]
    print(f"{len(train)} examples, out-of-fold AUC {roc_auc_score(bad, probabilities):.3f}")

    there = slice(len(headlines))
    direct = bad[there] & np.array([example.kind != "trap" for example in headlines])
    readings = [read(example.text) for example in headlines]
    thresholds, on_direct, on_bad, passed = choose_thresholds(
        readings, probabilities[there], bad[there], direct
    )
    print(
        f"{thresholds}: out of fold, recall on direct tragedies {on_direct:.3f}, "
        f"on all {on_bad:.3f}, harmless passed {passed:.3f}"
    )

    machine.fit(matrix, bad)
    np.savez_compressed(
        WEIGHTS,
        support=machine.support_vectors_.astype(np.float16),
        weights=machine.dual_coef_[0].astype(np.float32),
        scalars=np.array([machine.intercept_[0], scaling.coef_[0, 0], scaling.intercept_[0]]),
        thresholds=np.array([thresholds.weak, thresholds.figurative, thresholds.plain]),
    )
    print(f"wrote {WEIGHTS.name}, {WEIGHTS.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
