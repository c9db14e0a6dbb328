"""Keep a stock of generated memes on the best topics."""

from __future__ import annotations

import logging
import random
from datetime import datetime, timedelta
from typing import Any

from jobs.services import Services
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Meme, Topic
from publisher.memes import preference
from publisher.memes.make import Candidate, Made, MakeRequest, make_memes
from publisher.sentences import joined, words
from publisher.workers import WorkerDied, WorkerHung

log = logging.getLogger(__name__)
RECENT = timedelta(days=60)
Texts = tuple[tuple[str, tuple[str, ...]], ...]
"""(template, texts of its boxes) of memes."""
ACCIDENTS_PER_RUN = 2


class GenerationFailed(Exception):
    """The child died, hung or raised; says on which topics, and what was made all the same."""


async def generate(services: Services, now: datetime) -> str:
    """Retire what went stale, then make memes on the best unused topics until the stock is full.

    A topic on which the child died, hung or raised is set aside with the reason, so that it does
    not keep the others from their turn. Raises GenerationFailed at the end of such a run.
    """
    rule = services.settings.memes
    stale = (Meme.origin == "generated") & (Meme.state == "ready")
    stale &= Meme.created_at < now - timedelta(days=rule.stale_days)
    retired = Meme.update(state="retired", refusal="stale").where(stale).execute()
    made = 0
    accidents: list[str] = []
    for language in sorted({c.language for c in services.settings.channels}):
        made += await fill_stock(services, language, now, accidents)
    note = [words("made {made}, retired {retired}", made=made, retired=retired)]
    if not made and not retired:
        note = []
    if accidents:
        raise GenerationFailed(joined("; ", [*accidents, *note]))
    return joined("; ", note)


async def fill_stock(services: Services, language: str, now: datetime, accidents: list[str]) -> int:
    """How many memes were made; an accident of the child is added to `accidents`."""
    missing = services.settings.memes.stock - stock(language)
    made = 0
    for topic in best_topics(services, language, now):
        if made >= missing or len(accidents) >= ACCIDENTS_PER_RUN:
            break
        request = request_for(services, topic.title, language, now)
        try:
            result = await make(services, request, now)
        except Exception as accident:  # else this topic would stand before all others for ever
            if not isinstance(accident, WorkerDied | WorkerHung):
                log.exception("no memes on «%s»", topic.title)
            accidents.append(joined(": ", [f"«{topic.title}»", accident]))
            note: str = words("set aside: {why}", why=accident)
        else:
            keep(services, result, topic, language, now)
            made += len(result.chosen)
            note = "; ".join(result.notes)
        Topic.update(used_at=now, note=note[:500]).where(Topic.id == topic.id).execute()
    return made


def stock(language: str) -> int:
    ready = (Meme.origin == "generated") & (Meme.state == "ready") & (Meme.language == language)
    return Meme.select().where(ready).count()


def best_topics(services: Services, language: str, now: datetime) -> list[Topic]:
    """The best topics nobody joked about yet, and behind them evergreen ones from config.toml."""
    rule = services.settings.memes
    fresh = list(
        Topic.select()
        .where(
            Topic.ok
            & Topic.used_at.is_null()
            & (Topic.language == language)
            & (Topic.found_at >= now - timedelta(days=rule.stale_days))
        )
        .order_by(Topic.score.desc(), Topic.id)
        .limit(rule.topics_per_run)
    )
    return fresh + evergreen(services, language, now, rule.topics_per_run - len(fresh))


def evergreen(services: Services, language: str, now: datetime, count: int) -> list[Topic]:
    titles = list(services.settings.memes.evergreen)
    if count <= 0 or not titles or language != services.settings.language:
        return []
    random.Random(f"{services.settings.experiment.seed}|{now:%Y-%m-%dT%H}").shuffle(titles)
    return [
        Topic.create(
            title=title,
            language=language,
            score=0.0,
            ok=True,
            reason="evergreen",
            found_at=now,
        )
        for title in titles[:count]
    ]


def request_for(
    services: Services,
    title: str,
    language: str,
    now: datetime,
    avoid: Texts | None = None,
) -> MakeRequest:
    """What to make on a topic; `avoid`: texts not to repeat, else those posted of late."""
    settings = services.settings
    taste = settings.state / preference.FILE
    seed = random.Random(f"{settings.experiment.seed}|{title}|{now.isoformat()}").getrandbits(31)
    return MakeRequest(
        topic=title,
        language=language,
        count=settings.memes.per_topic,
        seed=seed,
        model_path=str(settings.path(settings.model.path)) if settings.model.path else None,
        mode=settings.model.mode,
        template=None,
        budget_s=settings.model.budget_seconds,
        avoid=posted_texts(language, now) if avoid is None else avoid,
        threads=settings.model.threads,
        template_dirs=tuple(str(settings.path(folder)) for folder in settings.memes.templates),
        embedding_path=(
            str(settings.path(settings.topics.embedding)) if settings.topics.embedding else None
        ),
        blocklist=settings.topics.blocklist,
        cache=str(settings.state / "models"),
        preference=str(taste) if taste.exists() else None,
    )


def posted_texts(language: str, now: datetime) -> Texts:
    """Texts of the channel's memes; those made for a person's wish are not among them."""
    recent = Meme.select(Meme.template, Meme.texts).where(
        (Meme.language == language)
        & Meme.state.not_in(("refused", "bot"))
        & (Meme.created_at >= now - RECENT)
    )
    return tuple((meme.template, tuple(meme.texts)) for meme in recent if meme.texts)


async def make(services: Services, request: MakeRequest, now: datetime) -> Made:
    """Run the generation in the child. Raises WorkerDied, WorkerHung; the owner is told."""
    try:
        limit = services.settings.model.budget_seconds * 3 + 60
        made = await services.workers.run(make_memes, request, timeout_seconds=limit)
    except (WorkerDied, WorkerHung) as error:
        raise_alert("worker", "worker_died", {"reason": str(error)}, now)
        raise
    cure_alert("worker", now)
    return made


def keep(services: Services, made: Made, topic: Topic, language: str, now: datetime) -> None:
    """Write down the chosen ones with their pictures, and the refused ones with their reasons."""
    for candidate in made.chosen:
        assert candidate.jpeg is not None
        file, digest = services.keep_picture(candidate.jpeg, "generated")
        kept = {"topic": topic, "file": file, "sha256": digest, "state": "ready"}
        write_down(candidate, language, now, **kept)
    for candidate in made.refused:
        kept = {"topic": topic, "file": "", "sha256": "", "state": "refused"}
        write_down(candidate, language, now, **kept, refusal=candidate.refused)


def write_down(candidate: Candidate, language: str, now: datetime, **rest: Any) -> Meme:
    """A generated meme's row, with everything that led to it; `rest` are further columns."""
    caption = candidate.caption
    fields = {"reasons": candidate.reasons, **rest}
    return Meme.create(
        origin="generated",
        template=caption.template,
        texts=list(caption.texts),
        language=language,
        method=caption.method,
        provenance=caption.source,
        model=caption.model,
        prompt=caption.prompt,
        seed=caption.seed,
        phash=candidate.phash,
        licence="see template",
        score=candidate.score,
        created_at=now,
        **fields,
    )
