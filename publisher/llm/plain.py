"""The fallback: one text after another through llama-cpp-python's high-level `Llama`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from llama_cpp import Llama
from llama_cpp import llama_cpp as native

from publisher.llm.errors import ModelError
from publisher.llm.native import end_tokens
from publisher.sentences import words


class PlainEngine:
    """Stands in for `Engine` where llama.cpp cannot keep several sequences: one slot.

    Sequence 0 is the prompt; sequence 1 goes on from it, and dropping it rewinds to the prompt.
    """

    n_seq = 1

    def __init__(self, path: Path, *, n_ctx: int, n_threads: int) -> None:
        try:
            self._llama = Llama(
                str(path),
                n_ctx=n_ctx,
                n_threads=n_threads,
                n_threads_batch=n_threads,
                verbose=False,
            )
        except ValueError as error:
            raise ModelError(
                words("llama.cpp cannot open {path}: {why}", path=path, why=error)
            ) from error
        self.weights = self._llama._model
        self.n_ctx = n_ctx
        self.vocabulary = self.weights.n_vocab()
        self.ends = end_tokens(self.weights)
        self.stop: Callable[[], bool] = lambda: False

    def piece(self, token: int) -> bytes:
        return bytes(self.weights.detokenize([token]))

    def clear(self) -> None:
        self._llama.reset()

    def fork(self, source: int, target: int) -> None:
        """Nothing to do: positions tell where a text goes on."""

    def drop(self, sequence: int) -> None:
        """Nothing to do: the next text overwrites from the prompt's end."""

    def decode(
        self, tokens: list[int], positions: list[int], sequences: list[int], wanted: list[bool]
    ) -> np.ndarray | None:
        """As `Engine.decode`, token by token."""
        rows = []
        for token, position, want in zip(tokens, positions, wanted, strict=True):
            if self.stop():
                return None
            self._llama.n_tokens = position
            self._llama.eval([token])
            if want:
                rows.append(self._row())
        return np.array(rows)

    def prefill(self, tokens: list[int], sequence: int = 0) -> np.ndarray | None:
        """As `Engine.prefill`."""
        self._llama.reset()
        for start in range(0, len(tokens), self._llama.n_batch):
            if self.stop():
                return None
            self._llama.eval(tokens[start : start + self._llama.n_batch])
        return self._row()

    def _row(self) -> np.ndarray:
        pointer = native.llama_get_logits_ith(self._llama._ctx.ctx, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary,)).copy()
