"""Many sequences side by side over one shared prompt: writing them, and weighing them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from publisher.llm.errors import ModelError
from publisher.llm.interrupt import HeldInterrupt
from publisher.llm.native import OUTPUTS, Engine
from publisher.llm.plain import PlainEngine
from publisher.llm.sampling import Grammar, Sampling, draw, log_softmax_at
from publisher.sentences import words

Finish = Literal["stop", "length", "budget", "cancelled"]
_CHECK_SECONDS = 0.02


@dataclass(frozen=True)
class Completion:
    """A continuation of a prompt; `logprob` is natural, under the model's own distribution."""

    text: str
    tokens: int
    logprob: float
    finish: Finish
    seed: int = 0


class Clock:
    """Tells when a budget is spent or the caller gave up; cheap enough to ask at every node."""

    def __init__(self, budget_s: float | None, cancelled: Callable[[], bool] | None) -> None:
        self._end = None if budget_s is None else time.monotonic() + budget_s
        self._cancelled = cancelled
        self._next = 0.0
        self.reason: Finish | None = None

    def stopped(self) -> bool:
        now = time.monotonic()
        if self.reason is None and now >= self._next:
            self._next = now + _CHECK_SECONDS
            if self._cancelled is not None and self._cancelled():
                self.reason = "cancelled"
            elif self._end is not None and now >= self._end:
                self.reason = "budget"
        return self.reason is not None


@dataclass(frozen=True)
class Order:
    """How texts are to be written; `grammar` is GBNF, `stops` end a text and are cut off."""

    sampling: Sampling
    max_tokens: int
    stops: tuple[str, ...] = ()
    grammar: str | None = None


@dataclass
class _Sequence:
    """One text being written: its place in the answer, its slot in the cache, its seed."""

    place: int
    slot: int
    seed: int
    tokens: list[int]
    grammar: Grammar | None
    written: bytes = b""
    logprob: float = 0.0


@contextmanager
def session(engine: Engine | PlainEngine, clock: Clock) -> Iterator[None]:
    """An empty cache and the clock in force, for one call; Ctrl-C is raised when that has ended."""
    with HeldInterrupt() as interrupt:
        engine.clear()
        engine.stop = lambda: interrupt.came or clock.stopped()
        try:
            yield
        finally:
            engine.stop = lambda: False
            engine.clear()


class Run:
    """One `complete` call: sequences take free slots, and hand them on when they end."""

    def __init__(self, engine: Engine | PlainEngine, clock: Clock, order: Order) -> None:
        self._engine, self._clock, self._order = engine, clock, order
        self._done: dict[int, Completion] = {}

    def write(self, prompt: list[int], seeds: Sequence[int], slots: int) -> list[Completion]:
        """One completion for each seed, in order; `slots` sequences at a time."""
        engine, done, at = self._engine, self._done, len(prompt)
        waiting = list(enumerate(seeds))[::-1]
        free = list(range(slots, 0, -1))
        live: list[_Sequence] = []
        rows: Any = []
        first = engine.prefill(prompt)
        while first is not None and (live or waiting) and not self._clock.stopped():
            going = [s for s, row in zip(live, rows, strict=True) if self._step(s, row)]
            for ended in live:
                if ended.place in done:
                    engine.drop(ended.slot)
                    free.append(ended.slot)
            while waiting and free and not self._clock.stopped():
                begun = self._begin(*waiting.pop(), free[-1])
                if self._step(begun, first):
                    engine.fork(0, free.pop())
                    going.append(begun)
            live = going
            if live:
                rows = engine.decode(
                    [s.tokens[-1] for s in live],
                    [at + len(s.tokens) - 1 for s in live],
                    [s.slot for s in live],
                    [True] * len(live),
                )
            if rows is None:
                break
        reason = self._clock.reason or "budget"
        for sequence in live:
            self._end(sequence, reason)
        for place, seed in waiting:
            done[place] = Completion("", 0, 0.0, reason, seed)
        return [done[place] for place in range(len(seeds))]

    def _begin(self, place: int, seed: int, slot: int) -> _Sequence:
        text = self._order.grammar
        grammar = Grammar(self._engine.weights.vocab, text) if text else None
        return _Sequence(place, slot, seed, [], grammar)

    def _step(self, sequence: _Sequence, row: np.ndarray) -> bool:
        """Draw the next token; whether the sequence goes on (else it is done)."""
        ends, order = self._engine.ends, self._order
        luck = (sequence.seed, len(sequence.tokens))
        token = draw(row, luck, order.sampling, ends, sequence.grammar)
        if token is not None:
            sequence.logprob += log_softmax_at(row, token)
        if token is None or token in ends:
            self._end(sequence, "stop")
            return False
        sequence.tokens.append(token)
        if sequence.grammar is not None:
            sequence.grammar.accept(token)
        sequence.written += self._engine.piece(token)
        cuts = [at for stop in order.stops if (at := sequence.written.find(stop.encode())) >= 0]
        if cuts:
            sequence.written = sequence.written[: min(cuts)]
            self._end(sequence, "stop")
        elif len(sequence.tokens) == order.max_tokens:
            self._end(sequence, "length")
        return sequence.place not in self._done

    def _end(self, sequence: _Sequence, finish: Finish) -> None:
        if sequence.grammar is not None:
            sequence.grammar.close()
        self._done[sequence.place] = Completion(
            sequence.written.decode("utf-8", "ignore"),
            len(sequence.tokens),
            sequence.logprob,
            finish,
            sequence.seed,
        )


def weigh(
    engine: Engine | PlainEngine, head: list[int], tails: list[list[int]]
) -> list[tuple[float, int]]:
    """Sum each tail's log probabilities after `head`, in groups that fit slots and cache."""
    first, at = engine.prefill(head), len(head)
    if first is None:
        raise ModelError(words("the time to weigh texts is over"))
    sums = [log_softmax_at(first, tail[0]) if tail else 0.0 for tail in tails]
    todo = [i for i, tail in enumerate(tails) if len(tail) > 1]
    while todo:
        group: list[int] = []
        room = engine.n_ctx - at
        while todo and len(group) < engine.n_seq and len(tails[todo[0]]) - 1 <= room:
            room -= len(tails[todo[0]]) - 1
            group.append(todo.pop(0))
        if not group:
            raise ModelError(
                words(
                    "a text of {count} tokens does not fit the context", count=len(tails[todo[0]])
                )
            )
        for slot in range(1, len(group) + 1):
            engine.fork(0, slot)
        inputs = [
            (tails[i][k], at + k, slot, i, tails[i][k + 1])
            for slot, i in enumerate(group, 1)
            for k in range(len(tails[i]) - 1)
        ]
        for start in range(0, len(inputs), OUTPUTS):
            part = inputs[start : start + OUTPUTS]
            tokens, positions, slots, owners, targets = zip(*part, strict=True)
            rows = engine.decode(list(tokens), list(positions), list(slots), [True] * len(tokens))
            if rows is None:
                raise ModelError(words("the time to weigh texts is over"))
            for owner, target, row in zip(owners, targets, rows, strict=True):
                sums[owner] += log_softmax_at(row, target)
        for slot in range(1, len(group) + 1):
            engine.drop(slot)
    return [(total, len(tail)) for total, tail in zip(sums, tails, strict=True)]
