"""A language model that writes many texts at once and weighs texts, for prompts of a page."""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from llama_cpp import llama_cpp as native
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from publisher.llm.batch import Clock, Completion, Order, Run, session, weigh
from publisher.llm.errors import ModelError
from publisher.llm.files import embedded_model_path
from publisher.llm.gguf import Header, read_header
from publisher.llm.native import (
    ContextError,
    Engine,
    load_weights,
    memory_available,
    memory_needed,
    threads_here,
)
from publisher.llm.plain import PlainEngine
from publisher.llm.sampling import Sampling
from publisher.sentences import words

log = logging.getLogger(__name__)


class ChatPrompt(str):
    """A prompt in which the chat template's control tokens count as such."""


class Model:
    """An open GGUF. One call at a time: calls from other threads wait."""

    def __init__(self, path: Path, header: Header, engine: Engine | PlainEngine) -> None:
        self.path, self.name, self.size = path, header.name, header.file_bytes
        self.kind: Literal["base", "instruct"] = "instruct" if header.chat_template else "base"
        self.architecture, self.parameters = header.architecture, header.parameters
        self.n_ctx, self.n_seq = engine.n_ctx, engine.n_seq
        self._template = header.chat_template
        self._engine, self._weights = engine, engine.weights
        self._lock = threading.Lock()

    def complete(
        self,
        prompt: str,
        *,
        n: int = 1,
        seeds: Sequence[int] | None = None,
        max_tokens: int = 48,
        stop: Sequence[str] = (),
        grammar: str | None = None,
        temperature: float = 0.8,
        top_p: float = 1.0,
        min_p: float = 0.05,
        budget_s: float | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Completion]:
        """Write `n` continuations of one prompt, decoded side by side.

        `seeds` (default 0 … n-1): one for each text. The same call gives the same texts. A text's
        own seed decides its draws whatever its neighbours are, but the size of a batch changes the
        last bits of the logits, so a text can differ between batches of different sizes (5 of 32 in
        one measurement). `grammar` is GBNF with a rule `root`. `stop` strings end a text and are
        cut off. When `budget_s` seconds are over or `cancelled()` is true (asked about every 20 ms,
        also in the middle of decoding) texts end where they are; what had not begun is empty.

        Raises ModelError: the prompt with `max_tokens` does not fit the context, or the grammar
        does not parse. ValueError: arguments out of range.
        """
        seeds = list(range(n)) if seeds is None else list(seeds)
        if n < 1 or len(seeds) != n or max_tokens < 1:
            raise ValueError(f"n = {n}, {len(seeds)} seeds, max_tokens = {max_tokens}")
        stops = tuple(text for text in stop if text)
        order = Order(Sampling(temperature, min_p, top_p), max_tokens, stops, grammar)
        tokens = self._fitting(prompt, max_tokens)
        if not tokens:
            raise ModelError(words("an empty prompt: give the model something to go on"))
        slots = min(n, self.n_seq, (self.n_ctx - len(tokens)) // max_tokens)
        clock = Clock(budget_s, cancelled)
        with self._lock, session(self._engine, clock):
            return Run(self._engine, clock, order).write(tokens, seeds, slots)

    def loglikelihood(
        self, prompt: str, continuations: Sequence[str], *, budget_s: float | None = None
    ) -> list[tuple[float, int]]:
        """(sum of natural log probabilities, number of tokens) of each continuation, in order.

        An empty continuation is (0.0, 0). Where prompt and continuation melt into one token, that
        token counts as the continuation's. Raises ModelError: a text does not fit the context, or
        `budget_s` seconds were not enough.
        """
        wholes = [self._fitting(type(prompt)(prompt + text), 0) for text in continuations]
        head = self._fitting(prompt, 0)
        shared = len(head)
        for text, whole in zip(continuations, wholes, strict=True):
            if text:
                shared = min(shared, _common(head, whole))
        if shared == 0:
            start = native.llama_vocab_bos(self._weights.vocab)
            if start < 0:
                raise ModelError(
                    words("{name} has no begin-of-text token: give a prompt", name=self.name)
                )
            wholes, head, shared = [[start, *whole] for whole in wholes], [start, *head], 1
        tails = [w[shared:] if text else [] for w, text in zip(wholes, continuations, strict=True)]
        with self._lock, session(self._engine, Clock(budget_s, None)):
            return weigh(self._engine, head[:shared], tails)

    def chat(self, messages: Sequence[dict[str, str]]) -> ChatPrompt:
        """`messages` ({"role", "content"}) in the model's own chat template, ready to be answered.

        Contents are data: control tokens spelled out in them are taken out. A template without a
        system role gets the system text at the head of the first user message. Raises ModelError
        for a base model, or when the template fails.
        """
        if not self._template:
            raise ModelError(
                words("{name} is a base model: it has no chat template", name=self.name)
            )
        clean = [{"role": m["role"], "content": self.neutral(m["content"])} for m in messages]
        try:
            form = Jinja2ChatFormatter(self._template, eos_token="", bos_token="")
            try:
                return ChatPrompt(form(messages=clean).prompt)  # type: ignore[arg-type]
            except ValueError:
                folded = _without_system(clean)
                return ChatPrompt(form(messages=folded).prompt)  # type: ignore[arg-type]
        except Exception as error:
            raise ModelError(
                words("the chat template of {name} fails: {why}", name=self.name, why=error)
            ) from error

    def neutral(self, text: str) -> str:
        """`text` without the model's control tokens spelled out, such as "<|im_end|>"."""
        for name in self._control_names:
            while name in text:
                text = text.replace(name, " ")
        return text

    def tokenize(self, text: str) -> list[int]:
        """Token ids, with the model's begin-of-text token in front where it wants one."""
        special = isinstance(text, ChatPrompt)
        return list(
            self._weights.tokenize(text.encode("utf-8", "replace"), add_bos=True, special=special)
        )

    @functools.cached_property
    def _control_names(self) -> list[str]:
        weights = self._weights
        names = {
            weights.token_get_text(token)
            for token in range(weights.n_vocab())
            if native.llama_vocab_is_control(weights.vocab, token)
        }
        return sorted((name for name in names if len(name) > 2), key=len, reverse=True)

    def _fitting(self, text: str, room: int) -> list[int]:
        tokens = self.tokenize(text)
        if len(tokens) + room > self.n_ctx:
            raise ModelError(
                words(
                    "{count} tokens and {room} to write do not fit a context of {context}: shorten "
                    "the prompt or raise n_ctx",
                    count=len(tokens),
                    room=room,
                    context=self.n_ctx,
                )
            )
        return tokens


def open_model(
    path: Path | None = None,
    *,
    n_ctx: int = 2048,
    n_threads: int | None = None,
    n_seq: int = 32,
    cache: Path | None = None,
    batched: bool = True,
) -> Model:
    """Open a GGUF, or the embedded model when `path` is None (joined into `cache` at first use).

    Weights and contexts are kept for the life of the process and shared between equal calls.
    A model of which llama.cpp cannot keep many sequences falls back to one after another through
    the high-level API; `batched=False` asks for that.

    Raises ModelError, in words for the owner: file missing, truncated, no GGUF, of an architecture
    unknown to llama.cpp or without text generation, or too big for the memory that is free.
    """
    path = Path(path) if path is not None else embedded_model_path(cache)
    length = read_header(path).number("context_length", n_ctx)
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    return _open(key, min(n_ctx, length), n_threads or threads_here(), n_seq, batched)


@functools.lru_cache(maxsize=3)
def _open(
    key: tuple[str, int, int], n_ctx: int, n_threads: int, n_seq: int, batched: bool
) -> Model:
    path = Path(key[0])
    header = read_header(path)
    needed, free = memory_needed(header, n_ctx), memory_available()
    if needed > free:
        raise ModelError(
            words(
                "{path} needs about {needed:.1f} GB of memory and {free:.1f} GB are free: use a "
                "smaller model or quantisation, or a shorter context",
                path=path,
                needed=needed / 1e9,
                free=free / 1e9,
            )
        )
    weights = load_weights(*key)
    if batched:
        try:
            engine = Engine(weights, n_ctx=n_ctx, n_threads=n_threads, n_seq=n_seq)
            return Model(path, header, engine)
        except ContextError as error:
            log.warning("%s: %s; it writes one text after another instead", path, error)
    del weights
    load_weights.cache_clear()
    return Model(path, header, PlainEngine(path, n_ctx=n_ctx, n_threads=n_threads))


def _common(first: list[int], second: list[int]) -> int:
    """Length of the common head of two token lists, leaving the second at least one token."""
    count = 0
    for a, b in zip(first, second[:-1], strict=False):
        if a != b:
            break
        count += 1
    return count


def _without_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    system = "\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [dict(m) for m in messages if m["role"] != "system"]
    if system and rest:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest
