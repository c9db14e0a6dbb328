"""How well replies are understood: the confusion matrix on the labelled set.

    .venv/bin/python -m benchmarks.replies

Two readings: rules with the embedding behind them, as shipped (no reply counts itself among its
neighbours), and the embedding alone, to see what it would add where no rule applies.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from publisher.embedding import embed
from publisher.partners.replies import (
    MEANINGS,
    YES,
    Meaning,
    Reading,
    examples,
    has_words,
    normalise,
    read_by_nearness,
    read_rules,
    traps,
)


def main() -> None:
    labelled = examples()
    truth: list[Meaning] = [e.meaning for e in labelled]
    began = time.perf_counter()
    by_rules = [read_rules(e.text) for e in labelled]
    seconds = time.perf_counter() - began
    vectors = embed([normalise(e.text) for e in labelled])
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1.0)
    by_nearness = [
        read_by_nearness(e.text, row, labelled)
        if has_words(e.text)
        else Reading("unknown", "no words", 0.0)
        for e, row in zip(labelled, similarity, strict=True)
    ]
    together = [
        near if rule.score == 0 else rule for rule, near in zip(by_rules, by_nearness, strict=True)
    ]
    print(f"{len(labelled)} replies, {seconds / len(labelled) * 1e6:.0f} µs each by rules")
    fooled = [text for text in traps() if read_rules(text).meaning in YES]
    print(f"{len(traps())} traps (a yes to something else or taken back): {len(fooled)} fooled")
    for name, readings in (("rules, then embedding", together), ("embedding alone", by_nearness)):
        report(name, truth, [r.meaning for r in readings])


def report(name: str, truth: Sequence[Meaning], said: Sequence[Meaning]) -> None:
    pairs = Counter(zip(truth, said, strict=True))
    right = sum(pairs[m, m] for m in MEANINGS)
    false_yes = sum(n for (t, s), n in pairs.items() if s in YES and t not in YES)
    print(f"\n{name}: {right}/{len(truth)} right, read as acceptance and is none: {false_yes}")
    print(f"{'':14s}" + "".join(f"{m[:8]:>9s}" for m in MEANINGS))
    for true in MEANINGS:
        print(f"{true:14s}" + "".join(f"{pairs[true, m] or '·':>9}" for m in MEANINGS))


if __name__ == "__main__":
    main()
