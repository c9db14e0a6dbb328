"""What is asked of `make_memes` and what it answers, and one request under way."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from publisher.embedding import EmbeddingError, embed
from publisher.memes.templates import Template
from publisher.memes.types import Caption
from publisher.sentences import words

Progress = Callable[[str], None]
Mode = Literal["auto", "free", "frames"]

_SAY = {
    "ru": {
        "model": "открываю модель {name}",
        "probe": "проверяю модель {name}: умеет ли она писать сама (ответ запоминается)",
        "frames": "подбираю заготовки: {topic}",
        "free": "модель пишет подписи: {topic}",
        "rank": "выбираю из {n} вариантов",
        "render": "рисую: {template}",
    },
    "en": {
        "model": "opening the model {name}",
        "probe": "probing the model {name}: can it write by itself (the answer is kept)",
        "frames": "filling frames: {topic}",
        "free": "the model writes captions: {topic}",
        "rank": "choosing among {n} candidates",
        "render": "drawing: {template}",
    },
}
LANGUAGES = tuple(_SAY)


@dataclass(frozen=True)
class MakeRequest:
    """What to make. `avoid`: (template, texts) of the captions posted before."""

    topic: str
    language: str = "ru"
    count: int = 8
    seed: int = 1
    model_path: str | None = None
    mode: Mode = "auto"
    template: str | None = None
    budget_s: float = 45.0  # for writing and weighing; opening and probing the model come before
    avoid: tuple[tuple[str, tuple[str, ...]], ...] = ()
    threads: int = 0  # 0: as many as there are cores
    template_dirs: tuple[str, ...] = ()
    use_model: bool = True  # False: no language model at all, the seed decides
    embedding_path: str | None = None
    blocklist: tuple[str, ...] = ()  # the owner's words: topics and captions with them are refused
    cache: str | None = None  # a folder in which is kept what a model can; else this process knows
    preference: str | None = None  # the file of what the channel's readers like, if learned
    probe_s: float = 60.0  # at most for probing an unknown model; not judged by then: frames


@dataclass(frozen=True)
class Candidate:
    """A caption with everything that led to it; `refused` says why it was not chosen.

    The texts of a draft that is no caption are as many as the model wrote.
    """

    caption: Caption
    jpeg: bytes | None = None
    score: float = 0.0
    reasons: dict[str, float | str] = field(default_factory=dict)
    phash: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Made:
    """`chosen` is empty when there is no meme to be had: `notes` then say why."""

    chosen: tuple[Candidate, ...]
    refused: tuple[Candidate, ...]
    notes: tuple[str, ...]
    seconds: float


@dataclass
class Work:
    """One request under way: its topic (cleaned), templates, clock, notes and embeddings."""

    request: MakeRequest
    topic: str
    templates: dict[str, Template]
    tell: Progress
    began: float = field(default_factory=time.monotonic)
    notes: list[str] = field(default_factory=list)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    embedding: str | None = None  # the encoder's folder, or the built-in one

    def say(self, what: str, **values: object) -> None:
        self.tell(_SAY[self.request.language][what].format(**values))

    def left(self) -> float:
        """Seconds of the budget."""
        return self.request.budget_s - (time.monotonic() - self.began)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """One row of length 1 for each text, (n, d); each text is embedded once a request."""
        missing = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        try:
            rows = embed(missing, self.embedding) if missing else ()
        except EmbeddingError as error:
            if self.embedding is None:
                raise
            self.notes.append(words("the built-in encoder is used: {why}", why=error))
            self.embedding = None
            self.vectors.clear()
            return self.embed(texts)
        self.vectors.update(zip(missing, rows, strict=True))
        return np.array([self.vectors[text] for text in texts])
