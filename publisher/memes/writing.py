"""Candidates for a topic: frames filled, captions written freely, each with its record."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random

from publisher.llm import Model, ModelError, open_model, way_to_captions
from publisher.memes.corpus import Example, load_corpus
from publisher.memes.frames import Rank, fill_frames, suitable_frames
from publisher.memes.free import Drafts, choose_examples, draft_captions
from publisher.memes.request import Candidate, Mode, Work
from publisher.sentences import recalled, words

RANK_SECONDS = 8.0  # with less of the budget left the model does not weigh the captions
FILL_SECONDS = 6.0
FILL_GAIN = 3.0  # nats that the topic must add to a fill's log-likelihood
_FILL_GRAMMAR = 'root ::= " " word ( " " word )? "\\n"\nword ::= [а-яё]{3,14}'
FREE_EXAMPLES = 5
FREE_DRAFTS = 10  # of each template, side by side
FREE_SHARE = 0.85  # of the budget that is left


def open_for(work: Work) -> Model | None:
    """The model that the request names, or None with a note why there is none."""
    if not work.request.use_model:
        return None
    path = work.request.model_path
    work.say("model", name=Path(path).name if path else "gemma3-270m")
    try:
        model = open_model(Path(path) if path else None, n_threads=work.request.threads)
        model.loglikelihood("А", [" б"])  # a damaged file shows only when it computes
        return model
    except ModelError as error:
        work.notes.append(words("no language model, the seed decides: {why}", why=error))
        return None


def way(work: Work, model: Model | None) -> Mode:
    """Which way the captions are to be written; in mode "auto" the model is probed once."""
    request = work.request
    if model is None and request.mode == "free":
        work.notes.append(words("free captions need a model: frames are used"))
    if model is None or request.mode == "frames":
        return "frames"
    if request.mode == "free":
        return "free"
    try:
        mode, reason = way_to_captions(
            model,
            Path(request.cache) if request.cache else None,
            budget_s=request.probe_s,
            tell=lambda: work.say("probe", name=model.name),
        )
    except ModelError as error:
        mode, reason = "frames", words("the probe failed: {why}", why=error)
    if reason.startswith(("too slow", "the probe failed")):
        work.notes.append(words("frames are used: {why}", why=recalled(reason)))
    return mode


def write(work: Work, model: Model | None, mode: Mode) -> list[Candidate]:
    """Captions in the order in which they were written; mode "auto" adds frames to free ones."""
    candidates: list[Candidate] = []
    if mode == "free" and model is not None:
        work.say("free", topic=work.topic)
        candidates += _write_free(work, model)
    if mode == "frames" or work.request.mode == "auto" or not _usable(candidates):
        work.say("frames", topic=work.topic)
        # A model that writes is too big to weigh every choice in a frame as well.
        candidates += _fill(work, None if mode == "free" else model)
    return [_recorded(candidate, place) for place, candidate in enumerate(candidates)]


def _usable(candidates: list[Candidate]) -> bool:
    return any(not candidate.refused for candidate in candidates)


def _recorded(candidate: Candidate, place: int) -> Candidate:
    caption = candidate.caption
    record: dict[str, float | str] = {
        "place": place,
        "method": caption.method,
        "source": caption.source,
        "model": caption.model,
        "prompt": caption.prompt,
        "seed": caption.seed,
    }
    return replace(candidate, reasons={**record, **candidate.reasons})


# Frames


def _fill(work: Work, model: Model | None) -> list[Candidate]:
    frames = suitable_frames(work.topic, work.request.language, list(work.templates))
    fits = {frame.id: fit for frame, _, fit in frames}
    captions = fill_frames(
        work.topic,
        work.request.language,
        count=work.request.count * 3 + 8,
        seed=work.request.seed,
        rank=_ranker(work, model) if model else None,
        fill=_Filler(model, work.left) if model else None,
        model=model.name if model else "",
        templates=list(work.templates),
        avoid=work.request.avoid,
        limits={
            name: tuple(box.max_chars for box in template.boxes)
            for name, template in work.templates.items()
        },
    )
    return [
        Candidate(caption, reasons={"cut": round(fits[caption.source], 2)}) for caption in captions
    ]


def _ranker(work: Work, model: Model) -> Rank:
    def weigh(prompt: str, continuations: list[str]) -> list[float]:
        if work.left() < RANK_SECONDS * 2:
            return [0.0] * len(continuations)
        return [total for total, _ in model.loglikelihood(prompt, continuations)]

    return weigh


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


# Free


@lru_cache(maxsize=1)
def _corpus() -> tuple[Example, ...]:
    return load_corpus()


def _write_free(work: Work, model: Model) -> list[Candidate]:
    """Many drafts for each of a few templates, within a part of the time that is left.

    Reading the prompt is what takes the time, so that one template with all its drafts comes after
    the other, as many as there is time for.
    """
    ids = _short_first(work)
    deadline = time.monotonic() + work.left() * FREE_SHARE
    candidates: list[Candidate] = []
    longest = 0.0
    for at, template_id in enumerate(ids):
        began = time.monotonic()
        if deadline - began < max(longest, 1.0):
            work.notes.append(
                words("the model had time for {count} templates of {all}", count=at, all=len(ids))
            )
            break
        try:
            drafts = _draft(work, model, template_id, at, deadline - began)
        except (ModelError, ValueError) as error:
            work.notes.append(
                words("free captions for {template} failed: {why}", template=template_id, why=error)
            )
            continue
        longest = max(longest, time.monotonic() - began)
        candidates += [
            Candidate(caption, reasons={"likely": round(likely, 3)})
            for caption, likely in zip(drafts.captions, drafts.likely, strict=True)
        ]
        candidates += [
            Candidate(draft.caption, refused=f"no caption: {draft.reason}")
            for draft in drafts.rejected
        ]
    if not _usable(candidates):
        work.notes.append(words("{model} wrote nothing usable", model=model.name))
    return candidates


def _short_first(work: Work) -> list[str]:
    """The templates to write for: by chance, rather those with little text, which is done faster
    and better."""
    random = Random(f"{work.request.seed}|{work.topic}")
    luck = {
        name: random.random() * sum(box.max_chars for box in template.boxes)
        for name, template in work.templates.items()
    }
    return sorted(luck, key=lambda name: luck[name])[: max(3, work.request.count)]


def _draft(work: Work, model: Model, template_id: str, at: int, budget_s: float) -> Drafts:
    request = work.request
    examples = choose_examples(
        work.topic, _corpus(), template_id, FREE_EXAMPLES, work.embed, request.language
    )
    return draft_captions(
        model,
        work.topic,
        request.language,
        work.templates[template_id],
        examples,
        count=FREE_DRAFTS,
        seed=request.seed * 1000 + at * 100,
        budget_s=budget_s,
    )
