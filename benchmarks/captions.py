"""Tokens a second: many texts side by side against one after another, same model, same run.

    python -m benchmarks.captions [--model FILE.gguf] [--rounds 5]

One after another is llama-cpp-python's `Llama.create_completion`, 16 times, which keeps the
prompt's cache between calls; ours reads the prompt anew each time. The ways take turns, each round
all of them, so that what else the machine does falls on all alike. Shown are medians over the
rounds: tokens a second, the ratio to one after another in the same round (with the least and the
greatest), and tokens a second of processor time, which compare the ways also where cores are
shared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from publisher.llm import Model, open_model
from publisher.llm.native import threads_here

PROMPT = (
    "Смешные подписи к мемам.\n"
    "Тема: зарплата\nПодпись: зарплата пришла и сразу ушла по своим делам\n"
    "Тема: понедельник\nПодпись: понедельник начинается в воскресенье вечером\n"
    "Тема: кот\nПодпись: кот встал в пять утра, чтобы проверить миску\n"
    "Тема: ипотека\nПодпись:"
)
GRAMMAR = 'root ::= " " [А-Яа-яЁё] [А-Яа-яЁё ,.!?-]{20,90} "\\n"'
TOKENS = 24
ALONE = 16


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, help="a GGUF; default: the embedded model")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    model = open_model(args.model)

    from llama_cpp import Llama

    llama = Llama(
        str(model.path), n_ctx=model.n_ctx, n_threads=threads_here(),
        n_threads_batch=threads_here(), verbose=False,
    )  # fmt: skip
    ways: dict[str, Callable[[], int]] = {
        "one after another": lambda: alone(llama),
        "16 side by side": lambda: together(model, 16),
        "32 side by side": lambda: together(model, 32),
        "32, with a grammar": lambda: together(model, 32, GRAMMAR),
    }
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(args.rounds + 1):
        for name, write in ways.items():
            began, used = time.monotonic(), time.process_time()
            tokens = write()
            seconds, work = time.monotonic() - began, time.process_time() - used
            if round_number:  # the first warms up
                wall[name].append(tokens / seconds)
                cpu[name].append(tokens / work)
    print(f"{model.name}, {threads_here()} threads, medians of {args.rounds} rounds taking turns")
    print(f"{'':20} tokens/s   ratio (least–greatest)   tokens/processor s   ratio")
    first = next(iter(ways))
    for name in ways:
        ratios = np.array(wall[name]) / np.array(wall[first])
        work_ratios = np.array(cpu[name]) / np.array(cpu[first])
        between = f"({ratios.min():.2f}–{ratios.max():.2f})"
        print(
            f"{name:20} {np.median(wall[name]):8.1f} {np.median(ratios):7.2f} {between:>17}"
            f" {np.median(cpu[name]):20.1f} {np.median(work_ratios):7.2f}"
        )


def alone(llama: Any) -> int:
    """Write `ALONE` texts, one `create_completion` each; how many tokens."""
    tokens = 0
    for seed in range(ALONE):
        done = llama.create_completion(
            PROMPT, max_tokens=TOKENS, temperature=0.8, min_p=0.05, top_p=1.0, top_k=0, seed=seed
        )
        tokens += done["usage"]["completion_tokens"]
    return tokens


def together(model: Model, count: int, grammar: str | None = None) -> int:
    """Write `count` texts in one `complete` call, the prompt included; how many tokens."""
    return sum(
        d.tokens for d in model.complete(PROMPT, n=count, max_tokens=TOKENS, grammar=grammar)
    )


if __name__ == "__main__":
    main()
