"""A topic in, memes out: clean, screen, write, screen, rank, render, and say why for each."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np

from publisher.embedding import embed
from publisher.llm import Model, ModelError, open_model
from publisher.memes.corpus import Example, load_corpus
from publisher.memes.dedupe import dedupe
from publisher.memes.frames import Rank, fill_frames, normal_texts
from publisher.memes.frames_clean import TopicError, clean_topic
from publisher.memes.frames_topic import only_known_words
from publisher.memes.free import choose_examples, generate_free
from publisher.memes.phash import picture_hash
from publisher.memes.rank import Scored, rank
from publisher.memes.render import RenderError, TextDoesNotFit, render
from publisher.memes.templates import Template, load_templates
from publisher.memes.types import Caption
from publisher.screen import screen_caption, screen_topic

Progress = Callable[[str], None]
Mode = Literal["auto", "free", "frames"]

CAN_WRITE_PARAMETERS = 1_000_000_000
"""An instruct model of this size or more is tried for free captions in mode "auto"."""

FRAME_ORDER = 0.6  # what the best cut frame gains over the last, on the ranker's scale of 0 … 1
RANK_SECONDS = 8.0  # with less of the budget left the model does not weigh the captions
WEIGHED = 32  # captions at most that it weighs
REMEMBERED = 300  # posts whose likeness is looked at
FILL_SECONDS = 6.0
FILL_GAIN = 3.0  # nats that the topic must add to a fill's log-likelihood
_FILL_GRAMMAR = 'root ::= " " word ( " " word )? "\\n"\nword ::= [а-яё]{3,14}'
FREE_EXAMPLES = 8
FREE_DRAFTS = 3  # for each caption wanted

_SAY = {
    "ru": {
        "model": "открываю модель {name}",
        "frames": "подбираю заготовки: {topic}",
        "free": "модель пишет подписи: {topic}",
        "rank": "выбираю из {n} вариантов",
        "render": "рисую: {template}",
    },
    "en": {
        "model": "opening the model {name}",
        "frames": "filling frames: {topic}",
        "free": "the model writes captions: {topic}",
        "rank": "choosing among {n} candidates",
        "render": "drawing: {template}",
    },
}


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
    budget_s: float = 45.0
    avoid: tuple[tuple[str, tuple[str, ...]], ...] = ()
    threads: int = 2
    template_dirs: tuple[str, ...] = ()
    use_model: bool = True  # False: no language model at all, the seed decides
    embedding_path: str | None = None
    blocklist: tuple[str, ...] = ()  # the owner's words: topics and captions with them are refused


@dataclass(frozen=True)
class Candidate:
    """A caption with everything that led to it; `refused` says why it was not chosen."""

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


def make_memes(request: MakeRequest, progress: Progress | None = None) -> Made:
    """Up to `request.count` memes, the best first. Never raises for what a topic or a model does.

    Raises ValueError for a request that is wrong in itself: count, language or template unknown.
    """
    began = time.monotonic()
    templates = _templates(request)
    work = _Work(request, templates, progress or (lambda _: None), began)
    try:
        topic = clean_topic(request.topic, request.language)
        refusal = _screen(topic, request)
    except TopicError as error:
        topic, refusal = "", f"topic refused ({error.code}): {error}"
    if refusal:
        return Made((), (), (refusal,), time.monotonic() - began)
    model = work.model()
    candidates = work.rank(topic, work.screen(work.write(topic, model)), model)
    chosen, refused = work.draw(candidates)
    if not chosen:
        work.notes.append(f"no meme for this topic: {len(refused)} candidates, none was usable")
    elif len(chosen) < request.count:
        work.notes.append(f"{len(chosen)} of {request.count} memes: no more were good enough")
    seconds = time.monotonic() - began
    return Made(tuple(chosen), tuple(refused), tuple(work.notes), seconds)


def _screen(topic: str, request: MakeRequest) -> str:
    """Why no joke is made of the topic, or "". Bare everyday words are not doubted: «дедлайн»."""
    verdict = screen_topic(topic, request.language, request.blocklist)
    everyday = verdict.reason == "doubt" and not verdict.terms
    if verdict.ok or (everyday and only_known_words(topic, request.language)):
        return ""
    return f"topic refused ({verdict.reason}): {verdict.explain('en')}"


def _templates(request: MakeRequest) -> dict[str, Template]:
    if request.language not in _SAY:
        raise ValueError(f"language {request.language!r}: only {', '.join(_SAY)} are known")
    if not 1 <= request.count <= 50:
        raise ValueError(f"count {request.count}: 1 to 50 memes can be made at once")
    templates = _load_templates(request.template_dirs)
    if request.template is None:
        return templates
    if request.template not in templates:
        raise ValueError(f"template {request.template!r} is not there: {', '.join(templates)}")
    return {request.template: templates[request.template]}


@lru_cache(maxsize=1)
def _corpus() -> tuple[Example, ...]:
    return load_corpus()


@lru_cache(maxsize=4)
def _load_templates(dirs: tuple[str, ...]) -> dict[str, Template]:
    return load_templates(*(Path(path) for path in dirs))


@dataclass
class _Work:
    """One request under way."""

    request: MakeRequest
    templates: dict[str, Template]
    tell: Progress
    began: float
    notes: list[str] = field(default_factory=list)
    refused: list[Candidate] = field(default_factory=list)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)  # id of a caption → when it was written

    def say(self, what: str, **values: object) -> None:
        self.tell(_SAY[self.request.language][what].format(**values))

    def left(self) -> float:
        return self.request.budget_s - (time.monotonic() - self.began)

    # Writing

    def write(self, topic: str, model: Model | None) -> list[Caption]:
        """Captions of both ways, as the mode and the model allow."""
        mode = self._mode(model)
        captions: list[Caption] = []
        if mode == "free" and model is not None:
            self.say("free", topic=topic)
            captions += self._write_free(model, topic)
        if mode == "frames" or self.request.mode == "auto":
            self.say("frames", topic=topic)
            captions += self._fill(model, topic)
        self.places = {id(caption): place for place, caption in enumerate(captions)}
        return captions

    def model(self) -> Model | None:
        if not self.request.use_model:
            return None
        path = self.request.model_path
        self.say("model", name=Path(path).name if path else "gemma3-270m")
        try:
            return open_model(Path(path) if path else None, n_threads=self.request.threads)
        except ModelError as error:
            self.notes.append(f"no language model, the seed decides: {error}")
            return None

    def _mode(self, model: Model | None) -> Mode:
        if model is None and self.request.mode == "free":
            self.notes.append("free captions need a model: frames are used")
        if model is None or self.request.mode == "frames":
            return "frames"
        if self.request.mode == "free":
            return "free"
        able = model.kind == "instruct" and (model.parameters or 0) >= CAN_WRITE_PARAMETERS
        return "free" if able else "frames"

    def _fill(self, model: Model | None, topic: str) -> list[Caption]:
        return fill_frames(
            topic,
            self.request.language,
            count=self.request.count * 3 + 8,
            seed=self.request.seed,
            rank=self._ranker(model) if model else None,
            fill=_Filler(model, self.left) if model else None,
            model=model.name if model else "",
            templates=list(self.templates),
            avoid=self.request.avoid,
            limits={
                name: tuple(box.max_chars for box in template.boxes)
                for name, template in self.templates.items()
            },
        )

    def _ranker(self, model: Model) -> Rank:
        def weigh(prompt: str, continuations: list[str]) -> list[float]:
            if self.left() < RANK_SECONDS * 2:
                return [0.0] * len(continuations)
            return [total for total, _ in model.loglikelihood(prompt, continuations)]

        return weigh

    def _write_free(self, model: Model, topic: str) -> list[Caption]:
        """Several captions for each of a few templates, within half of the time that is left."""
        request, rng = self.request, Random(f"{self.request.seed}|{topic}")
        ids = list(self.templates)
        rng.shuffle(ids)
        ids = ids[: max(3, min(len(ids), request.count))]
        deadline = time.monotonic() + self.left() * 0.7
        captions: list[Caption] = []
        for at, template_id in enumerate(ids):
            left = deadline - time.monotonic()
            if left <= 1:
                self.notes.append(f"time is short: {at} of {len(ids)} templates written for")
                break
            examples = choose_examples(
                topic, _corpus(), template_id, FREE_EXAMPLES, self._embed, request.language
            )
            try:
                captions += generate_free(
                    model,
                    topic,
                    request.language,
                    self.templates[template_id],
                    examples,
                    count=max(4, -(-FREE_DRAFTS * request.count // len(ids))),
                    seed=request.seed * 1000 + at * 100,
                    budget_s=left / (len(ids) - at),
                )
            except (ModelError, ValueError) as error:
                self.notes.append(f"free captions for {template_id} failed: {error}")
        if not captions:
            self.notes.append(f"{model.name} wrote nothing usable")
        return captions

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        missing = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        if missing:
            rows = embed(missing, self.request.embedding_path)
            self.vectors.update(zip(missing, rows, strict=True))
        return np.array([self.vectors[text] for text in texts])

    # Choosing

    def screen(self, captions: list[Caption]) -> list[Caption]:
        """Those that are new and harmless; the others are kept with the reason."""
        posted = {(template, normal_texts(texts)) for template, texts in self.request.avoid}
        kept = []
        for caption in captions:
            key = (caption.template, normal_texts(caption.texts))
            reason = "posted before or twice among the candidates" if key in posted else ""
            posted.add(key)
            verdict = screen_caption(caption.texts, caption.language, self.request.blocklist)
            if not verdict.ok:
                reason = reason or f"screened ({verdict.reason}): {verdict.explain('en')}"
            if reason:
                self.refuse(caption, reason)
            else:
                kept.append(caption)
        return kept

    def rank(self, topic: str, captions: list[Caption], model: Model | None) -> list[Candidate]:
        """The best first. What says the same as a better one, or as a post, is refused."""
        self.say("rank", n=len(captions))
        scored = []
        for item in self._scores(topic, captions, model):
            # Frames come best cut first; their order is a reason of its own.
            bonus = FRAME_ORDER * (1 - self.places[id(item.caption)] / len(self.places))
            cut = bonus if item.caption.method == "frame" else 0.0
            reasons = {name: _plain(value) for name, value in item.reasons.items()}
            reasons |= {"rank": item.score, "frame_order": cut, **self._record(item.caption)}
            scored.append(Candidate(item.caption, score=item.score + cut, reasons=reasons))
        scored.sort(key=lambda candidate: -candidate.score)
        posted = [
            Caption(template, texts, self.request.language, "human")
            for template, texts in self.request.avoid[-REMEMBERED:]
        ]
        checked = dedupe([candidate.caption for candidate in scored], posted, self._embed)
        repeats = {id(found.caption): found for found in checked.duplicates}
        for candidate in scored:
            if found := repeats.get(id(candidate.caption)):
                said = "a post" if found.posted else "a better candidate"
                reason = f"says the same as {said}: {' / '.join(found.of.texts)}"
                self.refused.append(_refused(candidate, reason))
        return [candidate for candidate in scored if id(candidate.caption) not in repeats]

    def _scores(self, topic: str, captions: list[Caption], model: Model | None) -> list[Scored]:
        avoid = [texts for _, texts in self.request.avoid[-REMEMBERED:]]
        weigh = self._affordable(captions, model)
        if model and weigh < min(len(captions), WEIGHED):
            self.notes.append(f"time is short: the model weighed {weigh} of {len(captions)}")
        try:
            heavy = model if weigh else None
            return rank(topic, captions, model=heavy, embed=self._embed, avoid=avoid, weigh=weigh)
        except ModelError as error:
            self.notes.append(f"ranked without the model: {error}")
            return rank(topic, captions, embed=self._embed, avoid=avoid)

    def _affordable(self, captions: list[Caption], model: Model | None) -> int:
        """How many captions the model can weigh (twice each) in the time that is left."""
        if model is None or not captions or self.left() < RANK_SECONDS:
            return 0
        began = time.monotonic()
        model.loglikelihood("Подпись:", [" " + " / ".join(captions[0].texts)])
        each = 2 * (time.monotonic() - began)
        return min(WEIGHED, int((self.left() - RANK_SECONDS / 2) / max(each, 0.01)))

    def draw(self, candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
        """Render the best, each template in turn, until there are enough."""
        chosen: list[Candidate] = []
        used: dict[str, int] = {}
        waiting = list(candidates)
        while waiting and len(chosen) < self.request.count:
            best = min(
                range(len(waiting)),
                key=lambda i: (used.get(waiting[i].caption.template, 0), -waiting[i].score),
            )
            candidate = self._drawn(waiting.pop(best))
            if candidate.refused:
                self.refused.append(candidate)
            else:
                used[candidate.caption.template] = used.get(candidate.caption.template, 0) + 1
                chosen.append(candidate)
        self.refused += [_refused(candidate, "others ranked higher") for candidate in waiting]
        return chosen, self.refused

    def _drawn(self, candidate: Candidate) -> Candidate:
        caption = candidate.caption
        self.say("render", template=caption.template)
        template = self.templates.get(caption.template)
        if template is None:
            return _refused(candidate, f"template {caption.template} is not there")
        try:
            picture = render(template, caption.texts, language=caption.language)
        except TextDoesNotFit as error:
            return _refused(candidate, f"does not fit: {error}")
        except RenderError as error:
            return _refused(candidate, f"cannot be drawn: {error}")
        phash = picture_hash(picture.jpeg)
        return dataclasses.replace(candidate, jpeg=picture.jpeg, phash=phash)

    def _record(self, caption: Caption) -> dict[str, float | str]:
        return {
            "place": self.places[id(caption)],
            "method": caption.method,
            "source": caption.source,
            "model": caption.model,
            "prompt": caption.prompt,
            "seed": caption.seed,
        }

    def refuse(self, caption: Caption, reason: str) -> None:
        self.refused.append(Candidate(caption, reasons=self._record(caption), refused=reason))


def _refused(candidate: Candidate, reason: str) -> Candidate:
    return dataclasses.replace(candidate, refused=reason)


def _plain(value: float | str | list[str]) -> float | str:
    return "; ".join(value) if isinstance(value, list) else value


class _Filler:
    """Short phrases from the model under a grammar, kept when the topic makes them likelier."""

    def __init__(self, model: Model, left: Callable[[], float]) -> None:
        self.model, self.left = model, left
        self.known: dict[str, list[str]] = {}

    def __call__(self, prompt: str, neutral: str, words: int) -> list[str]:
        if prompt not in self.known and self.left() > FILL_SECONDS * 2:
            self.known[prompt] = self._ask(prompt, neutral, words)
        return self.known.get(prompt, [])

    def _ask(self, prompt: str, neutral: str, words: int) -> list[str]:
        written = self.model.complete(
            prompt,
            n=16,
            max_tokens=8 * words,
            stop=["\n"],
            grammar=_FILL_GRAMMAR,
            temperature=0.7,
            budget_s=FILL_SECONDS,
        )
        found = sorted({done.text.strip() for done in written if done.finish == "stop"})
        told = self.model.loglikelihood(prompt, [" " + text for text in found])
        untold = self.model.loglikelihood(neutral, [" " + text for text in found])
        gains = [a - b for (a, _), (b, _) in zip(told, untold, strict=True)]
        return [text for text, gain in zip(found, gains, strict=True) if gain >= FILL_GAIN]
