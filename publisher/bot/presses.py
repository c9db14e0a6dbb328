"""What the buttons under a meme do."""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime

from peewee import fn

from publisher.bot import buttons
from publisher.bot.admission import Buckets
from publisher.bot.desk import Asker, Desk
from publisher.ledger.models import Meme, Vote, Wish
from publisher.wording import say

ANSWERS = {"queued": "bot_taken", "sent": "bot_taken"}
TAPS_MINUTE, TAPS = 30.0, 10.0


class Presses:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.taps = Buckets(TAPS_MINUTE, burst=TAPS)

    def press(self, asker: Asker, query_id: int, raw: bytes, now: datetime) -> None:
        """Answer a press. Data that no button of ours has is answered with nothing."""
        found = buttons.parse(raw)
        if not found:
            return self.desk.sender.answer_press(query_id)
        action, numbers = found
        more = action in (buttons.AGAIN, buttons.OTHER)
        wait = self.taps.wait(asker.person, now)
        if more and not wait:
            wait = self.desk.people.wait(asker.person, now)
        self.taps.take(asker.person, now)
        if wait:
            text = say("bot_too_fast", asker.speaks, seconds=math.ceil(wait))
            return self.desk.sender.answer_press(query_id, text)
        if more:
            self.desk.people.take(asker.person, now)
        answer = self._act(asker, action, numbers[0], now)
        self.desk.sender.answer_press(query_id, say(answer, asker.speaks) if answer else "")

    def _act(self, asker: Asker, action: str, meme_id: int, now: datetime) -> str:
        meme = Meme.get_or_none(Meme.id == meme_id)
        if meme is None or not meme.wished or not self._shown(meme, asker.place.chat):
            return "bot_gone"
        if action in (buttons.AGAIN, buttons.OTHER):
            other_than = meme.template if action == buttons.OTHER else ""
            topic = str(meme.reasons.get("topic", ""))
            end = self.desk.order(asker, topic, meme.language, now, other_than)
            return ANSWERS.get(end, "")
        if action in (buttons.LIKE, buttons.DISLIKE):
            self.vote(meme, asker.person, 1 if action == buttons.LIKE else -1, now)
            return "bot_thanks"
        if action == buttons.OFFER:
            if meme.state == "bot":
                Meme.update(state="offered").where(
                    (Meme.id == meme.id) & (Meme.state == "bot")
                ).execute()
            return "bot_offered"
        return ""

    def _shown(self, meme: Meme, chat: int) -> bool:
        """Whether the meme was sent to this chat: a client can make up what a button carries."""
        return Wish.select().where((Wish.meme == meme) & (Wish.chat == chat)).exists()

    def vote(self, meme: Meme, person: int, value: int, now: datetime) -> None:
        """One vote a person; the sums stay with the meme, the votes go after a day."""
        voter = self._hash(person)
        known = Vote.get_or_none((Vote.meme == meme) & (Vote.voter == voter))
        if known:
            Vote.update(value=value, at=now).where(Vote.id == known.id).execute()
        else:
            Vote.create(meme=meme, voter=voter, value=value, at=now)
        likes = Vote.select(fn.COUNT(Vote.id)).where((Vote.meme == meme) & (Vote.value > 0))
        all_votes = Vote.select(fn.COUNT(Vote.id)).where(Vote.meme == meme)
        up, every = likes.scalar(), all_votes.scalar()
        reasons = {**meme.reasons, "bot_likes": up, "bot_dislikes": every - up}
        Meme.update(reasons=reasons).where(Meme.id == meme.id).execute()

    def _hash(self, person: int) -> str:
        token = self.desk.services.secrets.bot_token
        key = token.get_secret_value().encode() if token else b"no token"
        return hmac.new(key, str(person).encode(), hashlib.sha256).hexdigest()[:32]
