"""Loading weights and making contexts with llama.cpp's C API, with errors in words."""

from __future__ import annotations

import ctypes
import functools
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from llama_cpp import llama_cpp as native
from llama_cpp._internals import LlamaBatch, LlamaContext, LlamaModel

from publisher.llm.errors import ModelError
from publisher.llm.gguf import Header
from publisher.llm.interrupt import HeldInterrupt
from publisher.sentences import words

OUTPUTS = 64
_CHUNK = 256
_WARNING = 3
_SPARE_BYTES = 300 << 20
_said: deque[str] = deque(maxlen=20)


@native.llama_log_callback
def _listen(level: int, text: bytes, _: Any) -> None:
    if _WARNING <= level <= 4:
        _said.append(text.decode("utf-8", "replace").strip())


class ContextError(ModelError):
    """The weights load, but this context cannot be had of them."""


def quiet() -> None:
    """Keep llama.cpp's messages off standard error; errors are kept for `ModelError` texts."""
    native.llama_log_set(_listen, ctypes.c_void_p(0))


def threads_here() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0))


def memory_needed(header: Header, n_ctx: int) -> int:
    """Bytes for weights, key-value cache (16-bit) and working buffers; a little generous."""
    layers = header.number("block_count", 32)
    heads = header.number("attention.head_count", 32)
    kv_heads = header.number("attention.head_count_kv", heads)
    width = header.number("embedding_length", 4096) // max(heads, 1)
    key = header.number("attention.key_length", width)
    value = header.number("attention.value_length", width)
    cache = 2 * n_ctx * layers * kv_heads * (key + value)
    return header.file_bytes + cache + _SPARE_BYTES


def memory_available() -> int:
    """Bytes this process could still take: the machine's, or its control group's if less."""
    free = int(psutil.virtual_memory().available)
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text().strip()
        cached = dict(
            line.split() for line in Path("/sys/fs/cgroup/memory.stat").read_text().splitlines()
        )
    except OSError:
        return free
    if limit == "max":
        return free
    return min(free, int(limit) - int(used) + int(cached.get("file", 0)))


@functools.lru_cache(maxsize=2)
def load_weights(path: str, file_bytes: int, modified_ns: int) -> LlamaModel:
    """The weights, cached; the size and time of the file are part of the key."""
    quiet()
    _said.clear()
    try:
        with HeldInterrupt():
            weights = LlamaModel(
                path_model=path, params=native.llama_model_default_params(), verbose=True
            )
    except ValueError:
        reason = "; ".join(line for line in _said if "error" in line) or words("no reason given")
        raise ModelError(
            words(
                "llama.cpp cannot load {path}: {reason}. Use a text model of an architecture that "
                "llama-cpp-python knows, or update llama-cpp-python",
                path=path,
                reason=reason,
            )
        ) from None
    if not native.llama_model_has_decoder(weights.model) or native.llama_model_is_diffusion(
        weights.model
    ):
        raise ModelError(
            words("{path} does not write text from left to right: use a decoder model", path=path)
        )
    return weights


def end_tokens(weights: LlamaModel) -> np.ndarray:
    """Ids of the tokens that end a text, ascending."""
    ids = range(weights.n_vocab())
    return np.array([i for i in ids if native.llama_vocab_is_eog(weights.vocab, i)], np.int64)


class Engine:
    """A context with a batch, many sequences in one unified key-value cache."""

    def __init__(self, weights: LlamaModel, *, n_ctx: int, n_threads: int, n_seq: int) -> None:
        quiet()
        self.weights, self.n_ctx, self.n_seq = weights, n_ctx, n_seq
        self.stop: Callable[[], bool] = lambda: False
        self._abort = native.ggml_abort_callback(lambda _: self.stop())
        params = native.llama_context_default_params()
        params.n_ctx, params.n_seq_max = n_ctx, n_seq + 1
        params.n_batch = params.n_ubatch = _CHUNK
        params.n_outputs_max = params.n_outputs_max_per_seq = max(OUTPUTS, n_seq + 1)
        params.n_threads = params.n_threads_batch = n_threads
        params.kv_unified = params.swa_full = params.no_perf = True
        params.abort_callback = self._abort
        _said.clear()
        try:
            with HeldInterrupt():
                self.context = LlamaContext(model=weights, params=params, verbose=True)
        except ValueError:
            reason = "; ".join(_said) or words("no reason given")
            raise ContextError(
                words(
                    "llama.cpp cannot keep {texts} texts in a context of {tokens} tokens: {reason}",
                    texts=n_seq,
                    tokens=n_ctx,
                    reason=reason,
                )
            ) from None
        if self.context.memory is None:
            raise ModelError(words("this is an embedding model: it cannot write text"))
        self.vocabulary = weights.n_vocab()
        self.ends = end_tokens(weights)
        self._batch = LlamaBatch(n_tokens=_CHUNK, embd=0, n_seq_max=1, verbose=True)

    def piece(self, token: int) -> bytes:
        return bytes(self.weights.detokenize([token]))

    def clear(self) -> None:
        self.context.kv_cache_clear()

    def fork(self, source: int, target: int) -> None:
        """Let sequence `target` begin as a copy of `source` (shares its cells, copies nothing)."""
        self.context.kv_cache_seq_cp(source, target, -1, -1)

    def drop(self, sequence: int) -> None:
        self.context.kv_cache_seq_rm(sequence, -1, -1)

    def decode(
        self, tokens: list[int], positions: list[int], sequences: list[int], wanted: list[bool]
    ) -> np.ndarray | None:
        """Decode at most 256 tokens; logits of the wanted ones, (wanted, vocabulary), not a copy.

        At most `OUTPUTS` or the number of sequences may be wanted. None when `stop` said so.
        """
        batch, count = self._batch.batch, len(tokens)
        batch.n_tokens = count
        for i in range(count):
            batch.token[i] = tokens[i]
            batch.pos[i] = positions[i]
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequences[i]
            batch.logits[i] = wanted[i]
        code = native.llama_decode(self.context.ctx, batch)
        if code == 2:
            return None
        if code != 0:
            what = words("the context is full") if code == 1 else f"code {code}"
            raise ModelError(
                words("llama.cpp could not decode {count} tokens: {what}", count=count, what=what)
            )
        pointer = native.llama_get_logits(self.context.ctx)
        return np.ctypeslib.as_array(pointer, shape=(sum(wanted), self.vocabulary))

    def prefill(self, tokens: list[int], sequence: int = 0) -> np.ndarray | None:
        """Decode a prompt from position 0; a copy of its last token's logits, None when stopped."""
        row: np.ndarray | None = None
        for start in range(0, len(tokens), _CHUNK):
            part = tokens[start : start + _CHUNK]
            last = start + len(part) == len(tokens)
            rows = self.decode(
                part,
                list(range(start, start + len(part))),
                [sequence] * len(part),
                [False] * (len(part) - 1) + [last],
            )
            if rows is None:
                return None
            row = rows[0].copy() if last else None
        return row
