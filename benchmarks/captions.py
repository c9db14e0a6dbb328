"""Tokens a second: many texts side by side against one after another, same model, same run.

    python -m benchmarks.captions [--model FILE.gguf] [--rounds 4]

One after another is llama-cpp-python's `Llama.create_completion`, which keeps the prompt's cache
between calls. The runs are short and take turns; the best of each counts, since other programs on
the machine can only slow a run down. Tokens a second of processor time are shown beside: they
compare the two ways also where the cores are shared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
ALONE = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, help="a GGUF; default: the embedded model")
    parser.add_argument("--rounds", type=int, default=4)
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
    wall, cpu = dict.fromkeys(ways, 0.0), dict.fromkeys(ways, 0.0)
    for _ in range(args.rounds):
        for name, write in ways.items():
            began, used = time.monotonic(), time.process_time()
            tokens = write()
            wall[name] = max(wall[name], tokens / (time.monotonic() - began))
            cpu[name] = max(cpu[name], tokens / (time.process_time() - used))
    print(f"{model.name}, {threads_here()} threads, best of {args.rounds} rounds taking turns")
    print(f"{'':20} tokens/s   ratio   tokens/processor s   ratio")
    first = next(iter(ways))
    for name in ways:
        print(
            f"{name:20} {wall[name]:8.1f} {wall[name] / wall[first]:7.2f}"
            f" {cpu[name]:20.1f} {cpu[name] / cpu[first]:7.2f}"
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
