"""Choosing the next token from a row of logits: numpy for the draw, llama.cpp for the grammar.

A vocabulary has up to 262,144 tokens. llama.cpp's sampler chain copies all of them for every token
of every sequence, and its grammar would be asked about each; here only the few that can still be
drawn are looked at.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
from llama_cpp import llama_cpp as native

from publisher.llm.errors import ModelError
from publisher.sentences import words

_MOST_CANDIDATES = 1024
_MASK = (1 << 64) - 1
_TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)], align=True)
_TOKEN_DATA_POINTER = ctypes.POINTER(native.llama_token_data)


@dataclass(frozen=True)
class Sampling:
    """`temperature` 0 takes the likeliest; `min_p` is relative to the likeliest token."""

    temperature: float = 0.8
    min_p: float = 0.05
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or not 0 < self.min_p <= 1 or not 0 < self.top_p <= 1:
            raise ValueError(f"temperature >= 0 and 0 < min_p, top_p <= 1 are needed, not {self}")


class Grammar:
    """One sequence's place in a GBNF grammar."""

    def __init__(self, vocab: Any, text: str) -> None:
        self._sampler = native.llama_sampler_init_grammar(vocab, text.encode(), b"root")
        if not self._sampler:
            raise ModelError(words("the grammar does not parse: {grammar!r}", grammar=text[:200]))

    def allowed(self, tokens: np.ndarray) -> np.ndarray:
        """Which of `tokens` (int array) may come next, as a boolean array of the same shape."""
        rows = np.zeros(len(tokens), _TOKEN_DATA)
        rows["id"] = tokens
        data = native.llama_token_data_array(
            data=rows.ctypes.data_as(_TOKEN_DATA_POINTER), size=len(rows), selected=-1, sorted=False
        )
        native.llama_sampler_apply(self._sampler, ctypes.byref(data))
        return np.isfinite(rows["logit"])

    def accept(self, token: int) -> None:
        """Go on past `token`, which must be an allowed one: llama.cpp aborts on others."""
        native.llama_sampler_accept(self._sampler, token)

    def close(self) -> None:
        if self._sampler:
            native.llama_sampler_free(self._sampler)
            self._sampler = None


def draw(
    logits: np.ndarray,
    luck: tuple[int, int],
    sampling: Sampling,
    ends: np.ndarray,
    grammar: Grammar | None = None,
) -> int | None:
    """Draw a token from `logits` (float32, one a vocabulary entry); None when the grammar has none.

    `luck` is (seed, step). A token's share of luck depends on these and on the token alone
    (Gumbel-max trick), so that the last bits of the logits, which vary with the size of a batch,
    hardly ever change the draw. `ends` are the end-of-text tokens: always asked about, since a
    finished grammar allows no other. Raises ModelError for logits that are no numbers.
    """
    peak = _peak(logits)
    reach = -np.log(sampling.min_p) * max(sampling.temperature, 1e-6)
    tokens = np.flatnonzero(logits >= peak - reach)
    if grammar is not None:
        tokens = _within(grammar, logits, tokens, ends, reach)
        if len(tokens) == 0:
            return None
    scores = logits[tokens].astype(np.float64)
    if sampling.temperature == 0:
        return int(tokens[scores.argmax()])
    scores = (scores - scores.max()) / sampling.temperature
    if sampling.top_p < 1:
        order = np.argsort(-scores, kind="stable")
        cumulative = np.cumsum(np.exp(scores[order]))
        keep = order[: int(np.searchsorted(cumulative, sampling.top_p * cumulative[-1])) + 1]
        tokens, scores = tokens[keep], scores[keep]
    return int(tokens[(scores - np.log(-np.log(_uniform(tokens, *luck)))).argmax()])


def _uniform(tokens: np.ndarray, seed: int, step: int) -> np.ndarray:
    """A number in (0, 1) for each token, from SplitMix64's finaliser (Steele et al., 2014)."""
    x = _mix(np.array([seed & _MASK], np.uint64)) + np.uint64(step)
    x = _mix(_mix(x) + tokens.astype(np.uint64))
    return ((x >> np.uint64(11)).astype(np.float64) + 0.5) / float(1 << 53)


def _mix(x: np.ndarray) -> np.ndarray:
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _within(
    grammar: Grammar, logits: np.ndarray, tokens: np.ndarray, ends: np.ndarray, reach: float
) -> np.ndarray:
    """The tokens that the grammar allows, down to `reach` below the likeliest of them."""
    tokens = np.union1d(tokens, ends)
    tokens = tokens[grammar.allowed(tokens)]
    if len(tokens) == 0 or logits[tokens].max() < logits.max():
        likeliest = np.argpartition(logits, -_MOST_CANDIDATES)[-_MOST_CANDIDATES:]
        tokens = np.union1d(likeliest, ends)
        tokens = tokens[grammar.allowed(tokens)]
    if len(tokens) == 0:
        tokens = np.arange(len(logits))
        tokens = tokens[grammar.allowed(tokens)]
    if len(tokens) == 0:
        return tokens
    return tokens[logits[tokens] >= logits[tokens].max() - reach]


def _peak(logits: np.ndarray) -> float:
    peak = float(logits.max())
    if not np.isfinite(peak):
        raise ModelError(
            words("the model computes no numbers: the file is damaged, download it again")
        )
    return peak


def log_softmax_at(logits: np.ndarray, token: int) -> float:
    """Natural log of the probability of `token` under the model's own distribution.

    Raises ModelError for logits that are no numbers.
    """
    peak = _peak(logits)
    return float(logits[token] - peak - np.log(np.exp(logits - peak).sum(dtype=np.float64)))
