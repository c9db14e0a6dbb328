"""Which captions say again what was said before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from publisher.memes.corpus import caption_key
from publisher.memes.types import Caption

Embed = Callable[[Sequence[str]], np.ndarray]
SAME_TEMPLATE = 0.86
ANY_TEMPLATE = 0.93


@dataclass(frozen=True)
class Duplicate:
    """`caption` repeats `of` (a caption before it, or a posted one); `similarity` is 1 for equal
    texts, else the cosine of the embeddings."""

    caption: Caption
    of: Caption
    posted: bool
    similarity: float


@dataclass(frozen=True)
class Deduped:
    """What may be kept, in the order given, and what repeats something, with what it repeats."""

    kept: list[Caption]
    duplicates: list[Duplicate]


def dedupe(
    captions: Sequence[Caption],
    posted: Sequence[Caption],
    embed: Embed,
    *,
    same_template: float = SAME_TEMPLATE,
    any_template: float = ANY_TEMPLATE,
) -> Deduped:
    """Sort out captions that repeat a posted one or an earlier one of this list.

    Equal texts count whatever the template is, with case, ё, punctuation and spacing ignored.
    Otherwise the cosine of the captions' embeddings decides: at least `same_template` on one
    template, where the same joke is told in other words, `any_template` across templates. Give
    the better captions first: the first of a kind stays.
    """
    known = [*posted, *captions]
    if not captions:
        return Deduped([], [])
    keys = [caption_key(c.texts) for c in known]
    vectors = embed([" ".join(c.texts) for c in known])
    earlier = list(range(len(posted)))
    result = Deduped([], [])
    for index in range(len(posted), len(known)):
        match = _nearest(index, earlier, known, keys, vectors, same_template, any_template)
        if match is None:
            result.kept.append(known[index])
            earlier.append(index)
        else:
            other, similarity = match
            result.duplicates.append(
                Duplicate(known[index], known[other], other < len(posted), similarity)
            )
    return result


def _nearest(
    index: int,
    earlier: Sequence[int],
    known: Sequence[Caption],
    keys: Sequence[str],
    vectors: np.ndarray,
    same_template: float,
    any_template: float,
) -> tuple[int, float] | None:
    """The earlier caption most like this one, if it is too much like it."""
    best: tuple[int, float] | None = None
    similarities = vectors[list(earlier)] @ vectors[index]
    for other, similarity in zip(earlier, map(float, similarities), strict=True):
        if keys[other] == keys[index]:
            return other, 1.0
        same = known[other].template == known[index].template
        if similarity >= (same_template if same else any_template) and (
            best is None or similarity > best[1]
        ):
            best = other, similarity
    return best
