"""Speed of one analysis, beside scipy on the same data in the same run.

`python -m benchmarks.analysis [--pairs 10000] [--vectors 9999]`. Ratios are scipy's time over ours
(greater than one: ours is faster); peak memory is what the step allocated above what stood before.
"""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import click
import numpy as np
from scipy.stats import permutation_test

from experiments.analysis import analyse
from experiments.model import Model, post_rows
from experiments.signflip import sign_flip


def measure(step: Callable[[], Any]) -> tuple[Any, float, float]:
    """(result, seconds, peak MiB): timed first, then run again for its memory."""
    start = time.perf_counter()
    result = step()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return result, seconds, peak


@click.command()
@click.option("--pairs", default=10000, show_default=True)
@click.option("--vectors", default=9999, show_default=True)
def main(pairs: int, vectors: int) -> None:
    """Time the sign-flip test with its interval, scipy's test, and a whole analysis."""
    d = np.random.default_rng(1).normal(0.004, 0.3, pairs)

    def scipy_test() -> float:
        # batch: without it scipy asks for pairs × vectors numbers at once.
        return float(
            permutation_test(
                (d,), lambda x, axis: x.sum(axis=axis), permutation_type="samples",
                n_resamples=vectors, batch=500, vectorized=True, rng=np.random.default_rng(2),
            ).pvalue
        )  # fmt: skip

    ours, our_time, our_peak = measure(lambda: sign_flip(d, vectors=vectors))
    theirs, their_time, their_peak = measure(scipy_test)
    model = Model(channels=5, weeks=8, pairs_per_week=max(1, pairs // 40))
    rows = list(post_rows(model, seed=3))
    whole, whole_time, whole_peak = measure(lambda: analyse(rows, B=vectors))
    click.echo(f"{pairs} pairs, {vectors} sign vectors")
    click.echo(f"{'':42}{'seconds':>9}{'MiB':>8}   p")
    for name, seconds, peak, p in (
        ("sign_flip: p, interval and lower bound", our_time, our_peak, ours.p_value),
        ("scipy.stats.permutation_test: p alone", their_time, their_peak, theirs),
        ("analyse: everything, from rows", whole_time, whole_peak, whole.facts["p_value"]),
    ):
        click.echo(f"{name:42}{seconds:9.2f}{peak:8.0f}   {p:.4f}")
    click.echo(f"scipy / sign_flip: {their_time / our_time:.1f}")
    click.echo(f"scipy / analyse:   {their_time / whole_time:.1f}")


if __name__ == "__main__":
    main()
