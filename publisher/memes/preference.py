"""What this channel's readers like: a small model learned from posts and their outcomes.

A logistic regression on the caption's embedding and on its form (`publisher.memes.form`), each
number of the form as its quantile among the captions learned from, and that quantile's distance
from the middle, so that "neither long nor short" can be learned. Beside the weights for all
templates every template has its own, on the form and the embedding's main directions, drawn more
strongly to zero: what is liked on one picture is not liked on every (Daumé III 2007, "Frustratingly
Easy Domain Adaptation"). A template not learned from is judged by the weights for all.

What is learned is whether a caption does better than the median of its template: the template's own
popularity is no merit of the caption.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from publisher.memes.form import features
from publisher.sentences import joined, words

Embed = Callable[[Sequence[str]], np.ndarray]
VERSION = 2
FILE = "preference.npz"
"""In the daemon's state folder."""
FEWEST_ROWS = 80
FEWEST_NEW = 40
_GRID = 33
_FOLDS = 5
# Scales of the columns: how freely their weights move. Chosen by cross-validation on half of the
# templates of benchmarks/ranking.py.
_EMBEDDING = 2.0
_OWN_DIRECTIONS, _OWN_EMBEDDING, _OWN_FORM = 64, 0.18, 0.6
_MOST_STRENGTH = 0.1


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
    """`grid` (features, quantiles), `weights` (embedding dimensions + 2 x features), `bias`.

    `directions` (k, embedding dimensions) and `centre` give the main directions of the embeddings;
    `own` holds for each of `templates` its k + 2 x features + 1 weights.
    """

    grid: np.ndarray
    weights: np.ndarray
    bias: float
    rows: int
    auc: float
    directions: np.ndarray
    centre: np.ndarray
    templates: tuple[str, ...]
    own: np.ndarray

    def predict(
        self,
        templates: Sequence[str] | np.ndarray,
        captions: Sequence[Sequence[str]],
        vectors: np.ndarray,
    ) -> np.ndarray:
        """Probability, (n,), that each caption does better than the median of its template.

        `vectors` (n, d) are the embeddings of the captions' texts joined by spaces.
        """
        if vectors.shape[1] != len(self.centre):
            raise PreferenceError(
                words(
                    "learned on other embeddings ({learned} numbers, not {given}): train the "
                    "ranker again",
                    learned=len(self.centre),
                    given=vectors.shape[1],
                )
            )
        form = _form(_numbers(captions), self.grid)
        score = np.hstack([_EMBEDDING * vectors, form]) @ self.weights + self.bias
        own = _own(form, (vectors - self.centre) @ self.directions.T)
        for place, template in enumerate(self.templates):
            mask = np.array([name == template for name in templates], bool)
            score[mask] += own[mask] @ self.own[place]
        return np.asarray(1 / (1 + np.exp(-score)))

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
            directions=self.directions,
            centre=self.centre,
            templates=np.array(self.templates),
            own=self.own,
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
                raise PreferenceError(
                    words(
                        "{path} is of version {version}: train it again",
                        path=path,
                        version=int(data["version"]),
                    )
                )
            bias, rows, auc = map(float, data["numbers"])
            return Preference(
                data["grid"],
                data["weights"],
                bias,
                int(rows),
                auc,
                data["directions"],
                data["centre"],
                tuple(map(str, data["templates"])),
                data["own"],
            )
    except FileNotFoundError:
        raise PreferenceError(
            words("no preference model at {path}: train the ranker first", path=path)
        ) from None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise PreferenceError(
            words("{path} is damaged ({why}): train the ranker again", path=path, why=error)
        ) from error


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
    when there is a `current` model, its AUC on the rows since then is lower. So `rows` are to come
    in the order of the posts.
    """
    rows = [row for row in rows if np.isfinite(row.value)]
    if len(rows) < fewest:
        reason: str = words(
            "{count} posts with an outcome; {wanted} are needed", count=len(rows), wanted=fewest
        )
        return Training(None, float("nan"), (0.0, 1.0), len(rows), False, reason)
    groups = np.array([row.template for row in rows])
    values = np.array([row.value for row in rows])
    labels = _above_median(values, groups)
    captions = [row.texts for row in rows]
    vectors = embed([" ".join(texts) for texts in captions])
    if len(np.unique(labels[labels >= 0])) < 2:
        return Training(
            None, float("nan"), (0.0, 1.0), len(rows), False, words("all outcomes are equal")
        )
    fold = np.random.default_rng(seed).permutation(len(rows)) % _FOLDS
    scores = np.zeros(len(rows))
    for k in range(_FOLDS):
        part = np.flatnonzero(fold != k)
        held = np.flatnonzero(fold == k)
        model = fit_preference(
            groups[part], [captions[i] for i in part], vectors[part], labels[part], seed
        )
        scores[held] = model.predict(groups[held], [captions[i] for i in held], vectors[held])
    auc = pair_accuracy(scores, values, groups)
    low, high = _interval(scores, values, groups, seed)
    final = replace(
        fit_preference(groups, captions, vectors, labels, seed), rows=len(rows), auc=auc
    )
    promoted, reason = (
        low > 0.5,
        words(
            "AUC {auc:.3f} ({low:.3f}–{high:.3f}) on {count} posts",
            auc=auc,
            low=low,
            high=high,
            count=len(rows),
        ),
    )
    if not promoted:
        reason = joined(": ", [reason, words("not shown to be better than chance")])
    elif current is not None:
        promoted, compared = _better(current, scores, groups, captions, vectors, values)
        reason = joined("; ", [reason, compared])
    return Training(final, auc, (low, high), len(rows), promoted, reason)


def _better(
    current: Preference,
    scores: np.ndarray,
    groups: np.ndarray,
    captions: Sequence[Sequence[str]],
    vectors: np.ndarray,
    values: np.ndarray,
) -> tuple[bool, str]:
    """Whether the cross-validated `scores` order the posts that came after `current` was learned
    better than it does, and that in words: on its own posts it would flatter itself."""
    new = slice(current.rows, None)
    count = len(values[new])
    if count < FEWEST_NEW:
        return False, words(
            "{count} posts since the present model, {wanted} are needed: it stays",
            count=count,
            wanted=FEWEST_NEW,
        )
    old = pair_accuracy(
        current.predict(groups[new], captions[new], vectors[new]), values[new], groups[new]
    )
    mine = pair_accuracy(scores[new], values[new], groups[new])
    text = words(
        "on the {count} posts since the present model {mine:.3f}, and it {old:.3f}",
        count=count,
        mine=mine,
        old=old,
    )
    return mine > old, text if mine > old else joined(": ", [text, words("it stays")])


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
    templates: Sequence[str] | np.ndarray,
    captions: Sequence[Sequence[str]],
    vectors: np.ndarray,
    labels: np.ndarray,
    seed: int = 0,
) -> Preference:
    """Learn without judging the result; `labels` are 1 (liked), 0 (not) or -1 (left out)."""
    # Only training needs it, and the daemon at rest is to be small.
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    known = np.flatnonzero(labels >= 0)
    groups, vectors, labels = np.asarray(templates)[known], vectors[known], labels[known]
    numbers = _numbers([captions[int(i)] for i in known])
    grid = np.quantile(numbers, np.linspace(0, 1, _GRID), axis=0).T
    form = _form(numbers, grid)
    count = min(_OWN_DIRECTIONS, vectors.shape[1], len(labels) // 4)
    main = PCA(count, random_state=seed, svd_solver="randomized").fit(vectors)
    scale = float(np.sqrt(main.explained_variance_.mean())) or 1.0
    directions = (main.components_ / scale).astype(np.float32)
    centre = np.asarray(main.mean_, np.float32)
    own = _own(form, (vectors - centre) @ directions.T)
    names = [str(name) for name in np.unique(groups)]
    blocks = [np.where((groups == name)[:, None], own, 0) for name in names]
    matrix = np.hstack([_EMBEDDING * vectors, form, *blocks]).astype(np.float32)
    # Few rows need a strong prior: the numbers learned outnumber them.
    strength = float(np.clip(len(labels) / 4000, 0.02, _MOST_STRENGTH))
    learned = LogisticRegression(C=strength, max_iter=300).fit(matrix, labels)
    weights = learned.coef_[0].astype(np.float32)
    shared = vectors.shape[1] + form.shape[1]
    return Preference(
        grid,
        weights[:shared],
        float(learned.intercept_[0]),
        len(labels),
        float("nan"),
        directions,
        centre,
        tuple(names),
        weights[shared:].reshape(len(names), -1),
    )


def _numbers(captions: Sequence[Sequence[str]]) -> np.ndarray:
    return np.array([_counted(tuple(texts)) for texts in captions])


@lru_cache(maxsize=20_000)
def _counted(texts: tuple[str, ...]) -> np.ndarray:
    """Cross-validation asks for the same captions again and again."""
    return features(texts)


def _form(numbers: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Each number's quantile, and that quantile's distance from the middle: (n, 2 x features)."""
    quantile = np.column_stack(
        [
            (np.searchsorted(line, column, "left") + np.searchsorted(line, column, "right"))
            / (2 * grid.shape[1])
            for line, column in zip(grid, numbers.T, strict=True)
        ]
    )
    return np.hstack([quantile - 0.5, (2 * quantile - 1) ** 2])


def _own(form: np.ndarray, main: np.ndarray) -> np.ndarray:
    """The columns that each template weighs by itself: (n, k + 2 x features + 1)."""
    level = np.full((len(form), 1), _OWN_EMBEDDING)
    return np.hstack([_OWN_EMBEDDING * main, _OWN_FORM * form, level])


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
