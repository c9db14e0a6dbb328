"""How much a meme costs over what any meme costs: `python -m benchmarks.render`.

For every template with its Russian example: time of `render` (fonts and picture warm, as in the
worker process) over the time of a bare Pillow copy of the same picture saved as the same JPEG.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from publisher.memes.pictures import jpeg
from publisher.memes.render import render
from publisher.memes.templates import Template, load_templates, picture_of

ROUNDS = 7


def seconds(work: Callable[[], object]) -> float:
    """Best of ROUNDS after one warm-up: the least disturbed by neighbours."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def measured(template: Template) -> tuple[float, float]:
    """Seconds of the render and of the bare copy and save."""
    assert template.example is not None
    texts = template.example.ru
    picture = picture_of(template)
    return seconds(lambda: render(template, texts)), seconds(lambda: jpeg(picture.copy()))


def main() -> None:
    rows = {name: measured(template) for name, template in load_templates().items()}
    print(f"{'template':22} {'render':>9} {'bare':>9} {'ratio':>7}")
    for name, (ours, bare) in rows.items():
        print(f"{name:22} {ours * 1000:6.1f} ms {bare * 1000:6.1f} ms {ours / bare:6.2f}×")
    ours_all = [ours for ours, _ in rows.values()]
    ratios = [ours / bare for ours, bare in rows.values()]
    median = statistics.median(ours_all) * 1000
    print(f"median {median:.0f} ms, {statistics.median(ratios):.2f}× bare")
    print(f"slowest {max(ours_all) * 1000:.0f} ms, {max(ratios):.2f}× bare")


if __name__ == "__main__":
    main()
