"""From many captions to the best, with the reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from publisher.llm import Model
from publisher.memes.corpus import caption_key
from publisher.memes.form import faults
from publisher.memes.frames_clean import topic_for_prompt
from publisher.memes.preference import Preference
from publisher.memes.types import Caption

Embed = Callable[[Sequence[str]], np.ndarray]
Reasons = dict[str, float | str | list[str]]
WEIGHTS = {
    "fit": 0.25,
    "fluency": 0.2,
    "similarity": 0.2,
    "form": 0.2,
    "novelty": 0.15,
    "preference": 0.25,
}
_PROMPTS = {
    "ru": ("Смешная подпись к мему. Тема: {topic}. Подпись:", "Смешная подпись к мему. Подпись:"),
    "en": ("A funny meme caption. Topic: {topic}. Caption:", "A funny meme caption. Caption:"),
}


@dataclass(frozen=True)
class Scored:
    """A caption's score in 0 … 1 and the parts it was made of.

    Each part is in 0 … 1 and missing when what it needs was not given: `fit` (how much likelier
    the model finds the caption given the topic; `gain` in nats a token), `fluency` (how likely it
    finds it at all), `similarity` (embedding, to the topic), `form` (no outward faults, which
    `faults` lists), `novelty` (against `avoid`; `nearest` says what it is like), `preference` (the
    channel's own readers).
    """

    caption: Caption
    score: float
    reasons: Reasons = field(default_factory=dict)


def rank(
    topic: str,
    captions: Sequence[Caption],
    *,
    model: Model | None = None,
    embed: Embed | None = None,
    preference: Preference | None = None,
    avoid: Sequence[Sequence[str]] = (),
    weigh: int = 32,
) -> list[Scored]:
    """Order captions of one topic and language from the best down.

    `avoid` are the texts of captions posted before or otherwise not to be repeated. With a
    `model`, only the `weigh` best by everything else are weighed by it, which takes the time, and
    the rest stay below them. `preference` needs `embed`.
    Raises ModelError (a caption does not fit the model) and ValueError (a topic without letters).
    """
    if not captions:
        return []
    parts: list[Reasons] = [{} for _ in captions]
    for part, caption in zip(parts, captions, strict=True):
        found = faults(caption.texts)
        part["form"] = 1 / (1 + len(found))
        if found:
            part["faults"] = list(found)
    if embed is not None:
        _by_embedding(topic_for_prompt(topic), captions, parts, embed, preference, avoid)
    cheap = np.array([_score(part) for part in parts])
    order = [int(i) for i in np.argsort(-cheap, kind="stable")]
    chosen, rest = order[:weigh], order[weigh:]
    if model is not None:
        _by_model(topic_for_prompt(topic), captions, parts, model, chosen)
        chosen.sort(key=lambda i: -_score(parts[i]))
    return [Scored(captions[i], _score(parts[i]), parts[i]) for i in (*chosen, *rest)]


def _score(reasons: Reasons) -> float:
    """The weighted mean of the parts that are there."""
    present = [name for name in WEIGHTS if name in reasons]
    total = sum(WEIGHTS[name] for name in present)
    return sum(WEIGHTS[name] * float(str(reasons[name])) for name in present) / total


def _by_embedding(
    topic: str,
    captions: Sequence[Caption],
    parts: list[Reasons],
    embed: Embed,
    preference: Preference | None,
    avoid: Sequence[Sequence[str]],
) -> None:
    texts = [" ".join(caption.texts) for caption in captions]
    old = [" ".join(other) for other in avoid]
    vectors = embed([topic, *texts, *old])
    own, others = vectors[1 : len(texts) + 1], vectors[len(texts) + 1 :]
    similar = own @ vectors[0]
    near = own @ others.T if old else np.zeros((len(texts), 1))
    keys = {caption_key(other) for other in avoid}
    for i, part in enumerate(parts):
        part["similarity"] = float(np.clip(similar[i] / 0.6, 0, 1))
        closest = float(near[i].max())
        part["novelty"] = float(np.clip((0.95 - closest) / 0.4, 0, 1))
        if caption_key(captions[i].texts) in keys:
            part["novelty"] = 0.0
        if old and closest > 0.55:
            part["nearest"] = old[int(near[i].argmax())]
    if preference is not None:
        liked = preference.predict(
            [caption.template for caption in captions],
            [caption.texts for caption in captions],
            own,
        )
        for part, value in zip(parts, liked, strict=True):
            part["preference"] = float(value)


def _by_model(
    topic: str,
    captions: Sequence[Caption],
    parts: list[Reasons],
    model: Model,
    chosen: Sequence[int],
) -> None:
    if not chosen:
        return
    given, without = _PROMPTS[captions[chosen[0]].language]
    texts = [" " + " / ".join(captions[i].texts) for i in chosen]
    with_topic = model.loglikelihood(given.format(topic=model.neutral(topic)), texts)
    alone = model.loglikelihood(without, texts)
    for i, (told, tokens), (untold, _) in zip(chosen, with_topic, alone, strict=True):
        gain, mean = (told - untold) / max(tokens, 1), told / max(tokens, 1)
        parts[i]["gain"] = round(gain, 3)
        parts[i]["fit"] = float(np.clip(gain, 0, 1))
        parts[i]["fluency"] = float(np.clip((mean + 6) / 4, 0, 1))
