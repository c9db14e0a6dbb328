"""Tokens a second: many texts side by side against one after another, same model, same run.

    python -m benchmarks.captions [--model FILE.gguf] [--rounds 4]

One after another is llama-cpp-python's `Llama.create_completion`, which keeps the prompt's cache
between calls. The runs are short and take turns; the best of each counts, since other programs on
the machine can only slow a run down.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

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
    best: dict[str, float] = {}
    for _ in range(args.rounds):
        for name, speed in (
            ("one after another", alone(llama)),
            ("16 side by side", together(model, 16)),
            ("32 side by side", together(model, 32)),
            ("32, with a grammar", together(model, 32, GRAMMAR)),
        ):
            best[name] = max(best.get(name, 0.0), speed)
    base = best["one after another"]
    print(f"{model.name}, {threads_here()} threads, best of {args.rounds} rounds taking turns")
    for name, speed in best.items():
        print(f"{name:20} {speed:7.1f} tokens/s   {speed / base:5.2f} x")


def alone(llama: object) -> float:
    """Tokens a second of `ALONE` texts, one `create_completion` each."""
    began, tokens = time.monotonic(), 0
    for seed in range(ALONE):
        done = llama.create_completion(  # type: ignore[attr-defined]
            PROMPT, max_tokens=TOKENS, temperature=0.8, min_p=0.05, top_p=1.0, top_k=0, seed=seed
        )
        tokens += done["usage"]["completion_tokens"]
    return tokens / (time.monotonic() - began)


def together(model: Model, count: int, grammar: str | None = None) -> float:
    """Tokens a second of `count` texts in one `complete` call, the prompt's time included."""
    began = time.monotonic()
    done = model.complete(PROMPT, n=count, max_tokens=TOKENS, grammar=grammar)
    return sum(text.tokens for text in done) / (time.monotonic() - began)


if __name__ == "__main__":
    main()
