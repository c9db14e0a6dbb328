"""What this channel's readers like: a small model learned from posts and their outcomes.

A logistic regression on the caption's embedding and on its form (`publisher.memes.form`), each
number of the form as its quantile among the captions learned from, and that quantile's distance
from the middle, so that "neither long nor short" can be learned. What is learned is whether a
caption does better than the median of its template: the template's own popularity is no merit of
the caption.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from publisher.memes import form

Embed = Callable[[Sequence[str]], np.ndarray]
VERSION = 1
FEWEST_ROWS = 80
_GRID = 33
_FOLDS = 5


class PreferenceError(Exception):
    """A preference model's file cannot be used; the text says why."""


@dataclass(frozen=True)
class Row:
    """One post's caption and its outcome (any number: more is better)."""

    template: str
    texts: tuple[str, ...]
    value: float


@dataclass(frozen=True)
class Preference:
    """`grid` (features, quantiles), `weights` (embedding dimensions + 2 x features), `bias`."""

    grid: np.ndarray
    weights: np.ndarray
    bias: float
    rows: int
    auc: float

    def predict(self, captions: Sequence[Sequence[str]], vectors: np.ndarray) -> np.ndarray:
        """Probability, (n,), that each caption does better than the median of its template.

        `vectors` (n, d) are the embeddings of the captions' texts joined by spaces.
        """
        matrix = _matrix(_numbers(captions), vectors, self.grid)
        if matrix.shape[1] != len(self.weights):
            raise PreferenceError(
                f"learned on other embeddings ({len(self.weights)} numbers, not {matrix.shape[1]}):"
                " train the ranker again"
            )
        return np.asarray(1 / (1 + np.exp(-(matrix @ self.weights + self.bias))))

    def save(self, path: Path) -> None:
        """Write the model as .npz, whole or not at all."""
        part = path.with_suffix(".part.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            part,
            version=VERSION,
            grid=self.grid,
            weights=self.weights,
            numbers=np.array([self.bias, self.rows, self.auc]),
        )
        part.replace(path)


@dataclass(frozen=True)
class Training:
    """What came of learning: `auc` within templates on rows not learned from, with a 95 % interval.

    `promoted` says whether `model` is better than chance, and than the model it would replace;
    `reason` says it in words. `model` is None when there was too little to learn from.
    """

    model: Preference | None
    auc: float
    interval: tuple[float, float]
    rows: int
    promoted: bool
    reason: str


def load_preference(path: Path) -> Preference:
    """Read a saved model. Raises PreferenceError: missing, damaged, or of another version."""
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["version"]) != VERSION:
                raise PreferenceError(f"{path} is of version {data['version']}: train it again")
            bias, rows, auc = map(float, data["numbers"])
            return Preference(data["grid"], data["weights"], bias, int(rows), auc)
    except FileNotFoundError:
        raise PreferenceError(f"no preference model at {path}: train the ranker first") from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise PreferenceError(f"{path} is damaged ({error}): train the ranker again") from error


def train_preference(
    rows: Sequence[Row],
    embed: Embed,
    *,
    current: Preference | None = None,
    seed: int = 0,
    fewest: int = FEWEST_ROWS,
) -> Training:
    """Learn from `rows` and judge it by 5-fold cross-validation, pairs within templates.

    Promoted only when the lower end of the AUC's interval (bootstrap over rows) is above 0.5 and,
    when there is a `current` model, its AUC on the same rows is lower.
    """
    rows = [row for row in rows if np.isfinite(row.value)]
    if len(rows) < fewest:
        reason = f"{len(rows)} posts with an outcome; {fewest} are needed"
        return Training(None, float("nan"), (0.0, 1.0), len(rows), False, reason)
    groups = np.array([row.template for row in rows])
    values = np.array([row.value for row in rows])
    labels = _above_median(values, groups)
    captions = [row.texts for row in rows]
    vectors = embed([" ".join(texts) for texts in captions])
    if len(np.unique(labels[labels >= 0])) < 2:
        return Training(None, float("nan"), (0.0, 1.0), len(rows), False, "all outcomes are equal")
    fold = np.random.default_rng(seed).permutation(len(rows)) % _FOLDS
    scores = np.zeros(len(rows))
    for k in range(_FOLDS):
        part = np.flatnonzero(fold != k)
        held = np.flatnonzero(fold == k)
        model = fit_preference([captions[i] for i in part], vectors[part], labels[part])
        scores[held] = model.predict([captions[i] for i in held], vectors[held])
    auc = pair_accuracy(scores, values, groups)
    low, high = _interval(scores, values, groups, seed)
    final = fit_preference(captions, vectors, labels)
    final = Preference(final.grid, final.weights, final.bias, len(rows), auc)
    promoted, reason = low > 0.5, f"AUC {auc:.3f} ({low:.3f}–{high:.3f}) on {len(rows)} posts"
    if not promoted:
        reason += ": not shown to be better than chance"
    elif current is not None:
        old = pair_accuracy(current.predict(captions, vectors), values, groups)
        promoted = auc > old
        reason += f"; the present model has {old:.3f}" + ("" if promoted else " and stays")
    return Training(final, auc, (low, high), len(rows), promoted, reason)


def pair_accuracy(scores: np.ndarray, values: np.ndarray, groups: np.ndarray) -> float:
    """Share of pairs within a group, of different value, that `scores` puts in order (ties 1/2).

    With two values this is the AUC within groups, weighted by their numbers of pairs.
    """
    right, pairs = 0.0, 0
    for group in np.unique(groups):
        mask = groups == group
        score, value = scores[mask], values[mask]
        better = value[:, None] > value[None, :]
        gap = score[:, None] - score[None, :]
        right += float(((gap > 0) & better).sum() + 0.5 * ((gap == 0) & better).sum())
        pairs += int(better.sum())
    return right / pairs if pairs else float("nan")


def fit_preference(
    captions: Sequence[Sequence[str]], vectors: np.ndarray, labels: np.ndarray
) -> Preference:
    """Learn without judging the result; `labels` are 1 (liked), 0 (not) or -1 (left out)."""
    known = labels >= 0
    captions = [texts for texts, keep in zip(captions, known, strict=True) if keep]
    vectors, labels = vectors[known], labels[known]
    numbers = _numbers(captions)
    grid = np.quantile(numbers, np.linspace(0, 1, _GRID), axis=0).T
    matrix = _matrix(numbers, vectors, grid)
    # Few rows need a strong prior: the numbers learned (d + 2 x features) may outnumber them.
    strength = float(np.clip(len(labels) / 4000, 0.02, 1.0))
    # Only training needs it, and the daemon at rest is to be small.
    from sklearn.linear_model import LogisticRegression

    learned = LogisticRegression(C=strength, max_iter=500).fit(matrix, labels)
    return Preference(
        grid,
        learned.coef_[0].astype(np.float32),
        float(learned.intercept_[0]),
        len(labels),
        float("nan"),
    )


def _numbers(captions: Sequence[Sequence[str]]) -> np.ndarray:
    return np.array([form.features(texts) for texts in captions])


def _matrix(numbers: np.ndarray, vectors: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Embeddings, quantiles, and the quantiles' distance from the middle, side by side."""
    quantile = np.column_stack(
        [
            (np.searchsorted(line, column, "left") + np.searchsorted(line, column, "right"))
            / (2 * grid.shape[1])
            for line, column in zip(grid, numbers.T, strict=True)
        ]
    )
    return np.hstack([vectors, quantile - 0.5, (2 * quantile - 1) ** 2])


def _above_median(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """1 above the median of the group, 0 below, -1 at it."""
    gap = np.zeros(len(values))
    for group in np.unique(groups):
        mask = groups == group
        gap[mask] = values[mask] - np.median(values[mask])
    return np.select([gap > 0, gap < 0], [1, 0], default=-1)


def _interval(
    scores: np.ndarray, values: np.ndarray, groups: np.ndarray, seed: int
) -> tuple[float, float]:
    """95 % percentile interval of `pair_accuracy` over 300 bootstrap samples of rows."""
    random = np.random.default_rng(seed)
    drawn = [
        pair_accuracy(scores[pick], values[pick], groups[pick])
        for pick in (random.integers(0, len(scores), len(scores)) for _ in range(300))
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)
