"""Take human memes from the inbox folder."""

from __future__ import annotations

import asyncio
import hashlib
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.services import Services
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Meme
from publisher.memes.phash import picture_hash
from publisher.memes.pictures import PictureError, normalise
from publisher.screen import screen_words
from publisher.sentences import Twofold, in_language, joined, words
from publisher.validation import wanted

PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


class Note(BaseModel):
    """What may stand in `name.toml` beside `name.jpg`; all of it is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    template: str = ""
    texts: tuple[str, ...] = ()
    language: str = ""
    licence: str = "owner's own"


@dataclass(frozen=True)
class Arrival:
    path: Path
    note: Note
    jpeg: bytes
    phash: str


async def ingest(services: Services, now: datetime) -> str:
    """Each picture becomes a meme in the queue, or goes to `refused/` with its reason beside it."""
    folder = services.settings.path(services.settings.inbox.folder)
    taken = refused = 0
    if folder.is_dir():
        for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES):
            try:
                arrival = await asyncio.to_thread(examine, path)
                take(services, arrival, now)
                taken += 1
            except (PictureError, ValueError, OSError) as error:
                refuse(services, path, in_language(error, services.settings.language))
                refused += 1
    warn_when_low(services, now)
    if not taken and not refused:
        return ""
    return words("taken {taken}, refused {refused}", taken=taken, refused=refused)


def examine(path: Path, note: Note | None = None) -> Arrival:
    """Raises ValueError with the reason to refuse the picture. `note`: instead of one beside it."""
    note = note or read_note(path.with_suffix(".toml"))
    data = normalise(path)
    verdict = screen_words(note.texts) if note.texts else None
    if verdict and not verdict.ok:
        raise ValueError(
            words(
                "screened out ({reason}): {why}",
                reason=verdict.reason,
                why=Twofold(verdict.explain("en"), verdict.explain("ru")),
            )
        )
    return Arrival(path, note, data, picture_hash(data))


def read_note(path: Path) -> Note:
    if not path.exists():
        return Note()
    try:
        return Note.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = words("not valid TOML: {why}", why=error)
        raise ValueError(joined(": ", [path.name, problem])) from error
    except ValidationError as error:
        faults = [
            joined(": ", [".".join(map(str, details["loc"])), wanted(details)])
            for details in error.errors()
        ]
        raise ValueError(joined(": ", [path.name, joined("; ", faults)])) from error


def take(services: Services, arrival: Arrival, now: datetime) -> Meme:
    digest = hashlib.sha256(arrival.jpeg).hexdigest()
    twin = Meme.get_or_none((Meme.sha256 == digest) & (Meme.origin == "human"))
    if twin:
        raise ValueError(
            words(
                "the same picture as meme {id} of {date:%Y-%m-%d}",
                id=twin.id,
                date=twin.created_at,
            )
        )
    file, digest = services.keep_picture(arrival.jpeg, "human")
    meme = Meme.create(
        origin="human",
        template=arrival.note.template,
        texts=list(arrival.note.texts),
        language=arrival.note.language or services.settings.language,
        method="human",
        provenance=arrival.path.name,
        file=file,
        sha256=digest,
        phash=arrival.phash,
        licence=arrival.note.licence,
        created_at=now,
    )
    if not services.dry_run:
        arrival.path.unlink()
        arrival.path.with_suffix(".toml").unlink(missing_ok=True)
    return meme


def refuse(services: Services, path: Path, reason: str) -> None:
    if services.dry_run:
        return
    refused = path.parent / "refused"
    refused.mkdir(exist_ok=True)
    for part in (path, path.with_suffix(".toml")):
        if part.exists():
            part.replace(refused / part.name)
    (refused / f"{path.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")


def warn_when_low(services: Services, now: datetime) -> None:
    """Tell the owner before the human arm runs dry: half of all slots are its."""
    settings = services.settings
    for language in sorted({c.language for c in settings.channels}):
        a_day = sum(
            len(c.times) * len(c.weekdays) / 7
            for c in settings.channels
            if c.language == language and not c.paused
        )
        ready = (
            Meme.select()
            .where((Meme.origin == "human") & (Meme.state == "ready") & (Meme.language == language))
            .count()
        )
        days = ready / (a_day / 2) if a_day else float("inf")
        key = f"inbox:{language}"
        if days <= settings.inbox.warn_days:
            facts = {
                "language": language,
                "days": f"{days:.1f}",
                "folder": str(settings.path(settings.inbox.folder)),
            }
            raise_alert(key, "inbox_low", facts, now)
        else:
            cure_alert(key, now)
