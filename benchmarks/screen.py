"""Precision and recall of the screen: `python -m benchmarks.screen [--part train] [--errors]`.

Measured on the held-out part of the labelled sets, which neither training nor the choice of
thresholds reads. "Grave" headlines and "bad" captions are the positives. A trap is a headline or
caption that looks like the other class: a figure of speech, a tragedy without a tragic word, an
obscenity in disguise. A twin is one of two headlines in the same words that only understanding
tells apart; "told" counts the tragedies that say what happened against all harmless lines but
twins.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from publisher.screen import Verdict, screen_captions, screen_topics
from publisher.screen.train import TWIN, Example, examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", default="held_out", choices=("held_out", "train"))
    parser.add_argument("--errors", action="store_true", help="list what was judged wrongly")
    options = parser.parse_args()
    measure("headlines", options.part, screen_topics, options.errors)
    measure("words", options.part, screen_topics, options.errors)
    measure("captions", options.part, screen_captions, options.errors)


def measure(
    name: str, part: str, screen: Callable[[Sequence[str]], list[Verdict]], errors: bool
) -> None:
    judged = examples(name, part)
    screen([judged[0].text])
    began = time.perf_counter()
    verdicts = screen([example.text for example in judged])
    seconds = time.perf_counter() - began
    pairs = list(zip(judged, verdicts, strict=True))
    print(f"\n{name}, {part}: {len(pairs)} examples, {1000 * seconds / len(pairs):.2f} ms each")
    print(f"{'':28}{'bad':>6}{'recall':>9}{'harmless':>10}{'passed':>9}{'precision':>11}")
    row("all", pairs)
    for language in ("ru", "en"):
        row(language, [p for p in pairs if p[0].language == language])
    single = [p for p in pairs if p[0].kind != TWIN]
    row("told", [p for p in single if not (p[0].bad and is_trap(p[0]))])
    row("traps", [p for p in single if is_trap(p[0])])
    row("without traps", [p for p in single if not is_trap(p[0])])
    row("twins", [p for p in pairs if p[0].kind == TWIN])
    kinds = sorted((p for p in pairs if p[0].bad), key=lambda p: p[0].kind)
    for kind, group in groupby(kinds, key=lambda p: p[0].kind):
        row(f"  {kind}", list(group))
    if errors:
        for example, verdict in pairs:
            if example.bad == verdict.ok:
                print(
                    f"  {example.label:9}{example.kind:21}{example.text} → {verdict.reason} "
                    f"{verdict.score:.2f} {', '.join(verdict.terms)}"
                )


def is_trap(example: Example) -> bool:
    return example.kind in ("trap", "obscenity_disguised")


def row(name: str, pairs: Sequence[tuple[Example, Verdict]]) -> None:
    caught = count(e.bad and not v.ok for e, v in pairs)
    refused = count(not v.ok for _, v in pairs)
    bad = count(e.bad for e, _ in pairs)
    passed = count(not e.bad and v.ok for e, v in pairs)
    harmless = len(pairs) - bad
    print(
        f"{name:28}{bad:6}{share(caught, bad):>9}{harmless:10}{share(passed, harmless):>9}"
        f"{share(caught, refused):>11}"
    )


def count(values: Iterable[bool]) -> int:
    return sum(values)


def share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


if __name__ == "__main__":
    main()
