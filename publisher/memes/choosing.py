"""From candidates to the best: screened, ranked, without repeats, drawn."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from publisher.llm import Model, ModelError
from publisher.memes.dedupe import dedupe
from publisher.memes.frames import normal_texts
from publisher.memes.phash import picture_hash
from publisher.memes.preference import Preference, PreferenceError, load_preference
from publisher.memes.rank import Scored, rank
from publisher.memes.render import RenderError, TextDoesNotFit, render
from publisher.memes.request import Candidate, Work
from publisher.memes.types import Caption
from publisher.memes.writing import RANK_SECONDS
from publisher.screen import screen_captions
from publisher.sentences import words

FRAME_CUT = 0.5  # what a frame cut to the topic gains over one for any, on the ranker's 0 … 1
FRAME_ORDER = 0.2  # what the first frame filled gains over the last
FREE_SURE = 0.4  # what a free caption gains by a mean log-likelihood a token of -0.5 over one of -2
WEIGHED = 32  # captions at most that the model weighs
REMEMBERED = 300  # posts whose likeness is looked at


def choose(
    work: Work, candidates: Sequence[Candidate], model: Model | None
) -> tuple[list[Candidate], list[Candidate]]:
    """The best of `candidates`, drawn, the best first; and all others, each with its reason."""
    screened = _screened(work, _new(work, candidates))
    refused = [candidate for candidate in screened if candidate.refused]
    kept = [candidate for candidate in screened if not candidate.refused]
    ranked = _ranked(work, kept, len(candidates), model)
    chosen, rest = _draw(work, _without_repeats(work, ranked))
    return chosen, refused + rest


def _new(work: Work, candidates: Sequence[Candidate]) -> list[Candidate]:
    posted = {(template, normal_texts(texts)) for template, texts in work.request.avoid}
    found = []
    for candidate in candidates:
        key = (candidate.caption.template, normal_texts(candidate.caption.texts))
        if key in posted and not candidate.refused:
            candidate = replace(candidate, refused="posted before or twice among the candidates")
        if not candidate.refused:
            posted.add(key)
        found.append(candidate)
    return found


def _screened(work: Work, candidates: Sequence[Candidate]) -> list[Candidate]:
    texts = [candidate.caption.texts for candidate in candidates]
    return [
        candidate
        if candidate.refused or verdict.ok
        else replace(candidate, refused=f"screened ({verdict.reason}): {verdict.explain('en')}")
        for candidate, verdict in zip(
            candidates, screen_captions(texts, work.request.blocklist), strict=True
        )
    ]


def _ranked(
    work: Work, candidates: list[Candidate], written: int, model: Model | None
) -> list[Candidate]:
    """With their scores and the parts of these, the best first."""
    work.say("rank", n=len(candidates))
    by_caption = {id(candidate.caption): candidate for candidate in candidates}
    ranked = []
    for item in _scores(work, [candidate.caption for candidate in candidates], model):
        candidate = by_caption[id(item.caption)]
        parts = {name: _plain(value) for name, value in item.reasons.items()}
        bonus = _bonus(candidate, written)
        reasons = {**parts, "rank": item.score, "bonus": bonus, **candidate.reasons}
        ranked.append(replace(candidate, score=item.score + bonus, reasons=reasons))
    return sorted(ranked, key=lambda candidate: -candidate.score)


def _bonus(candidate: Candidate, written: int) -> float:
    """What is known of a caption beyond its texts: how closely a frame was cut to the topic, how
    sure a model was of what it wrote."""
    if candidate.caption.method == "free":
        return FREE_SURE * float(np.clip((float(candidate.reasons["likely"]) + 2) / 1.5, 0, 1))
    cut = min(max(float(candidate.reasons["cut"]) - 1, 0), 1)
    return FRAME_CUT * cut + FRAME_ORDER * (1 - float(candidate.reasons["place"]) / written)


def _scores(work: Work, captions: list[Caption], model: Model | None) -> list[Scored]:
    avoid = [texts for _, texts in work.request.avoid[-REMEMBERED:]]
    if any(caption.method == "free" for caption in captions):
        model = None  # it weighed its own while writing, and is too slow for the others
    weigh = _affordable(work, captions, model)
    if model and weigh < min(len(captions), WEIGHED):
        work.notes.append(
            words(
                "time is short: the model weighed {count} of {all}", count=weigh, all=len(captions)
            )
        )
    liked = _preference(work, captions)
    try:
        heavy = model if weigh else None
        return rank(
            work.topic,
            captions,
            model=heavy,
            embed=work.embed,
            preference=liked,
            avoid=avoid,
            weigh=weigh,
        )
    except ModelError as error:
        work.notes.append(words("ranked without the model: {why}", why=error))
        return rank(work.topic, captions, embed=work.embed, preference=liked, avoid=avoid)


def _preference(work: Work, captions: list[Caption]) -> Preference | None:
    """What the channel's readers like, if it was learned and fits the embeddings."""
    if work.request.preference is None or not captions:
        return None
    try:
        preference = load_preference(Path(work.request.preference))
        first = captions[0]
        preference.predict([first.template], [first.texts], work.embed([" ".join(first.texts)]))
    except PreferenceError as error:
        work.notes.append(words("ranked without the readers' taste: {why}", why=error))
        return None
    return preference


def _affordable(work: Work, captions: list[Caption], model: Model | None) -> int:
    """How many captions the model can weigh (twice each) in the time that is left."""
    if model is None or not captions or work.left() < RANK_SECONDS:
        return 0
    began = time.monotonic()
    model.loglikelihood("Подпись:", [" " + " / ".join(captions[0].texts)])
    each = 2 * (time.monotonic() - began)
    return min(WEIGHED, int((work.left() - RANK_SECONDS / 2) / max(each, 0.01)))


def _without_repeats(work: Work, ranked: list[Candidate]) -> list[Candidate]:
    """What says the same as a better one, or as a post, gets its reason."""
    posted = [
        Caption(template, texts, work.request.language, "human")
        for template, texts in work.request.avoid[-REMEMBERED:]
    ]
    checked = dedupe([candidate.caption for candidate in ranked], posted, work.embed)
    repeats = {id(found.caption): found for found in checked.duplicates}
    found = []
    for candidate in ranked:
        if repeat := repeats.get(id(candidate.caption)):
            said = "a post" if repeat.posted else "a better candidate"
            reason = f"says the same as {said}: {' / '.join(repeat.of.texts)}"
            candidate = replace(candidate, refused=reason)
        found.append(candidate)
    return found


def _draw(work: Work, ranked: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Render the best, each template in turn, until there are enough."""
    chosen: list[Candidate] = []
    refused = [candidate for candidate in ranked if candidate.refused]
    waiting = [candidate for candidate in ranked if not candidate.refused]
    used: dict[str, int] = {}
    while waiting and len(chosen) < work.request.count:
        best = min(
            range(len(waiting)),
            key=lambda i: (used.get(waiting[i].caption.template, 0), -waiting[i].score),
        )
        candidate = _drawn(work, waiting.pop(best))
        if candidate.refused:
            refused.append(candidate)
        else:
            used[candidate.caption.template] = used.get(candidate.caption.template, 0) + 1
            chosen.append(candidate)
    refused += [replace(candidate, refused="others ranked higher") for candidate in waiting]
    return chosen, refused


def _drawn(work: Work, candidate: Candidate) -> Candidate:
    caption = candidate.caption
    work.say("render", template=caption.template)
    template = work.templates.get(caption.template)
    if template is None:
        return replace(candidate, refused=f"template {caption.template} is not there")
    try:
        picture = render(template, caption.texts, language=caption.language)
    except TextDoesNotFit as error:
        return replace(candidate, refused=f"does not fit: {error}")
    except RenderError as error:
        return replace(candidate, refused=f"cannot be drawn: {error}")
    return replace(candidate, jpeg=picture.jpeg, phash=picture_hash(picture.jpeg))


def _plain(value: float | str | list[str]) -> float | str:
    return "; ".join(value) if isinstance(value, list) else value
