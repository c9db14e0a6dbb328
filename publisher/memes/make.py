"""A topic in, memes out: clean, screen, write, screen, rank, render, and say why for each."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

from publisher.memes.choosing import choose
from publisher.memes.frames_clean import TopicError, clean_topic
from publisher.memes.frames_topic import only_known_words
from publisher.memes.request import LANGUAGES, Candidate, Made, MakeRequest, Progress, Work
from publisher.memes.templates import Template, load_templates
from publisher.memes.writing import open_for, way, write
from publisher.screen import screen_topic
from publisher.sentences import Twofold, sentence_of, words

__all__ = ["Candidate", "Made", "MakeRequest", "Progress", "make_memes"]


def make_memes(request: MakeRequest, progress: Progress | None = None) -> Made:
    """Up to `request.count` memes, the best first. Never raises for what a topic or a model does.

    Raises ValueError for a request that is wrong in itself: count, language or template unknown.
    """
    began = time.monotonic()
    templates = _templates(request)
    try:
        topic = clean_topic(request.topic, request.language)
        refusal = _screen(topic, request)
    except TopicError as error:
        topic, refusal = "", _refused(error.code, sentence_of(error))
    if refusal:
        return Made((), (), (refusal,), time.monotonic() - began)
    work = Work(
        request, topic, templates, progress or (lambda _: None), embedding=request.embedding_path
    )
    model = open_for(work)
    mode = way(work, model)
    work.began = time.monotonic()
    candidates = write(work, model, mode)
    chosen, refused = choose(work, candidates, model)
    if not chosen:
        work.notes.append(
            words("no meme for this topic: {count} candidates, none was usable", count=len(refused))
        )
    elif len(chosen) < request.count:
        work.notes.append(
            words(
                "{count} of {wanted} memes: no more were good enough",
                count=len(chosen),
                wanted=request.count,
            )
        )
    return Made(tuple(chosen), tuple(refused), tuple(work.notes), time.monotonic() - began)


def _screen(topic: str, request: MakeRequest) -> str:
    """Why no joke is made of the topic, or "". Bare everyday words are not doubted: «дедлайн»."""
    verdict = screen_topic(topic, request.language, request.blocklist)
    everyday = verdict.reason == "doubt" and not verdict.terms
    if verdict.ok or (everyday and only_known_words(topic, request.language)):
        return ""
    return _refused(verdict.reason, Twofold(verdict.explain("en"), verdict.explain("ru")))


def _refused(code: str, why: str) -> str:
    return words("topic refused ({code}): {why}", code=code, why=why)


def _templates(request: MakeRequest) -> dict[str, Template]:
    if request.language not in LANGUAGES:
        raise ValueError(
            words(
                "language {language!r}: only {known} are known",
                language=request.language,
                known=", ".join(LANGUAGES),
            )
        )
    if not 1 <= request.count <= 50:
        raise ValueError(
            words("count {count}: 1 to 50 memes can be made at once", count=request.count)
        )
    templates = _load_templates(request.template_dirs)
    if request.template is None:
        return templates
    if request.template not in templates:
        raise ValueError(
            words(
                "no template «{template}»; there are: {known}",
                template=request.template,
                known=", ".join(templates),
            )
        )
    return {request.template: templates[request.template]}


@lru_cache(maxsize=4)
def _load_templates(dirs: tuple[str, ...]) -> dict[str, Template]:
    return load_templates(*(Path(path) for path in dirs))
