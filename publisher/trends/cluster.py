"""Items about one story put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from publisher.embedding import embed as built_in_embed
from publisher.trends.items import Cluster, Item
from publisher.trends.similarity import Embed, Vectors, vectors

WINDOW = timedelta(hours=48)
THRESHOLD = 0.36
"""Chosen on labelled pairs of real news: see `benchmarks/trends.py` and docs/trends.md."""

_NEIGHBOURS = 24
_COMPARED = 12
"""An item is compared with this many of a cluster's newest items at most."""
_BLOCK = 512


def cluster(
    items: Sequence[Item],
    *,
    window: timedelta = WINDOW,
    threshold: float = THRESHOLD,
    embed: Embed = built_in_embed,
) -> list[Cluster]:
    """Group `items` into stories, in order of their first item.

    Items are read by time (then source and id). Each joins the earlier cluster of its language to
    which it is on average most similar, if by `threshold` or more and if that cluster's newest
    item is at most `window` older; else it opens its own. So the answer depends on the set of
    items alone, and later items never change how earlier ones were grouped.
    """
    ordered = sorted(items, key=lambda item: (item.published_at, item.source, item.id))
    if not ordered:
        return []
    known = vectors([item.title for item in ordered], [item.lead for item in ordered], embed)
    groups: list[list[int]] = []
    group_of: list[int] = []
    near = _earlier_neighbours(known.meaning)
    for index, item in enumerate(ordered):
        candidates = {
            group_of[other]
            for other in near[index]
            if ordered[other].language == item.language
            and item.published_at - ordered[groups[group_of[other]][-1]].published_at <= window
        }
        chosen = _best_group(known, index, {g: groups[g] for g in sorted(candidates)}, threshold)
        if chosen is None:
            chosen = len(groups)
            groups.append([])
        groups[chosen].append(index)
        group_of.append(chosen)
    return [Cluster(tuple(ordered[i] for i in group)) for group in groups]


def _best_group(
    known: Vectors, index: int, groups: dict[int, list[int]], threshold: float
) -> int | None:
    if not groups:
        return None
    compared = [members[-_COMPARED:] for members in groups.values()]
    similarities = known.between(index, [member for members in compared for member in members])
    starts = np.cumsum([0, *map(len, compared[:-1])])
    means = np.add.reduceat(similarities, starts) / [len(members) for members in compared]
    best = int(means.argmax())
    return list(groups)[best] if means[best] >= threshold else None


def _earlier_neighbours(meaning: np.ndarray) -> list[np.ndarray]:
    """For each row the indices of the earlier rows nearest to it in meaning."""
    found: list[np.ndarray] = []
    for start in range(0, len(meaning), _BLOCK):
        stop = min(start + _BLOCK, len(meaning))
        scores = meaning[start:stop] @ meaning[:stop].T
        for row, index in enumerate(range(start, stop)):
            earlier = scores[row, :index]
            if index > _NEIGHBOURS:
                found.append(np.argpartition(-earlier, _NEIGHBOURS)[:_NEIGHBOURS])
            else:
                found.append(np.arange(index))
    return found
