"""Human memes by message: what the owner sends goes to the queue, or back with a reason.

An album is answered in one message when its last picture is in.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from jobs import ingest
from jobs.services import Services
from publisher.bot.desk import Asker
from publisher.bot.sender import Sender
from publisher.bot.talk import language_of
from publisher.ledger.models import Meme
from publisher.memes.phash import distance
from publisher.memes.pictures import MAX_BYTES, PictureError
from publisher.screen import screen_words
from publisher.sentences import in_language
from publisher.telegram.errors import classify
from publisher.telegram.governor import AccountStopped, NotNow
from publisher.wording import say

SAME = 12
"""Of 256 bits: recompression changes 0 to 4, another text on the same template 26 and more."""
ALBUM_SECONDS = 1.5
TYPES = ("image/jpeg", "image/png", "image/webp")


class Refused(ValueError):
    """The picture is not taken; the message is for its sender."""


@dataclass
class Inbox:
    services: Services
    sender: Sender
    albums: dict[int, list[tuple[Asker, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._turn = asyncio.Lock()  # one after the other: the queue is in the order of sending

    async def take(self, asker: Asker, message: Any) -> None:
        """One picture, or one of an album's."""
        album = message.grouped_id
        if not album:
            self._say(asker, [await self._line(asker, message)])
            return
        first = album not in self.albums
        self.albums.setdefault(album, []).append((asker, message))
        if first:
            await asyncio.sleep(ALBUM_SECONDS)
            parts = sorted(self.albums.pop(album), key=lambda part: part[1].id)
            lines = [await self._line(*part) for part in parts]
            self._say(parts[0][0], lines)

    def _say(self, asker: Asker, lines: list[str]) -> None:
        self.sender.text(asker.place, "\n".join(lines), f"inbox:{asker.key}")

    async def _line(self, asker: Asker, message: Any) -> str:
        try:
            async with self._turn:
                meme = await self._take(asker, message, self.services.clock())
        except Refused as error:
            return say("inbox_refused", asker.speaks, reason=str(error))
        except PictureError as error:
            reason = say(f"picture_{error.code}", asker.speaks)
            return say("inbox_refused", asker.speaks, reason=reason)
        ahead = Meme.select().where(
            (Meme.origin == "human")
            & (Meme.state == "ready")
            & (Meme.language == meme.language)
            & (Meme.id <= meme.id)
        )
        return say(
            "inbox_taken",
            asker.speaks,
            meme=meme.id,
            place=ahead.count(),
            lang=meme.language,
        )

    async def _take(self, asker: Asker, message: Any, now: datetime) -> Meme:
        data = await self._download(asker, message)
        note = self._note(asker, message.raw_text or "")
        with tempfile.TemporaryDirectory(prefix="inbox-") as folder:
            path = Path(folder) / f"telegram-{message.chat_id}-{message.id}.jpg"
            path.write_bytes(data)
            try:
                arrival = await asyncio.to_thread(ingest.examine, path, note)
                self._no_twin(asker, arrival)
                return ingest.take(self.services, arrival, now)
            except OSError as error:
                raise Refused(str(error)) from error

    def _note(self, asker: Asker, caption: str) -> ingest.Note:
        """The message's text is the meme's text: screened, and what its language is told by."""
        texts = tuple(line.strip() for line in caption.splitlines() if line.strip())
        if texts:
            blocklist = self.services.settings.topics.blocklist
            verdict = screen_words(texts, blocklist)
            if not verdict.ok:
                why = verdict.explain(asker.speaks)
                raise Refused(say("inbox_screened", asker.speaks, why=why))
        language = language_of(None, caption, self.services.settings.language)
        return ingest.Note(texts=texts, language=language)

    async def _download(self, asker: Asker, message: Any) -> bytes:
        file = message.file
        if file is None or not (message.photo or file.mime_type in TYPES):
            raise Refused(say("inbox_not_picture", asker.speaks))
        if (file.size or 0) > MAX_BYTES:
            raise Refused(say("inbox_too_big", asker.speaks, limit=MAX_BYTES // 1_000_000))
        try:
            return await self.sender.account.download(message)
        except (NotNow, AccountStopped) as wait:
            raise Refused(
                say("inbox_unreachable", asker.speaks, why=in_language(wait, asker.speaks))
            ) from wait
        except Exception as error:
            name = classify(error).name
            raise Refused(say("inbox_unreachable", asker.speaks, why=name)) from error

    def _no_twin(self, asker: Asker, arrival: ingest.Arrival) -> None:
        digest = hashlib.sha256(arrival.jpeg).hexdigest()
        for meme in Meme.select().where((Meme.origin == "human") & (Meme.phash != "")):
            if meme.sha256 == digest or distance(meme.phash, arrival.phash) <= SAME:
                date = f"{meme.created_at:%Y-%m-%d}"
                raise Refused(say("inbox_twin", asker.speaks, meme=meme.id, date=date))
