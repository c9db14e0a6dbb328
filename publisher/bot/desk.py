"""Wishes from the door to the answer: who is let in, who is next, what they get.

Everything durable about a wish is in the ledger (`publisher.ledger.wishes`); the queue in memory
is made anew from there after a restart.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jobs.generate import Texts, posted_texts, request_for
from jobs.services import Services
from publisher.bot import buttons, memes
from publisher.bot.admission import Buckets, FairQueue, Noise
from publisher.bot.notices import Notices, place_of
from publisher.bot.outbox import ASIDE, TOO_LATE
from publisher.bot.sender import Place, Sender
from publisher.ledger import wishes
from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.database import relaxed
from publisher.ledger.models import Meme, Wish, database
from publisher.memes.frames_clean import TopicError, clean_topic
from publisher.memes.make import Made, make_memes
from publisher.screen import screen_words
from publisher.wording import say
from publisher.workers import WorkerDied, WorkerHung

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
PRIOR_SECONDS = 15.0
"""What a meme is taken to cost before the first was made."""
BURST = 4
"""Requests a person may make at once: /start, two topics, and one more."""
TOO_LOUD = 3.0
"""Turned away so often of late, one gives way in a full queue to who was not."""
WHY_NOT = {
    **dict.fromkeys(("death", "disaster", "illness", "children", "suicide", "terror"), "bot_grave"),
    **dict.fromkeys(("slur", "obscenity", "sexual", "insult", "threat"), "bot_rude"),
    **dict.fromkeys(("personal_data", "link"), "bot_personal"),
    "unreadable": "bot_unclear",
}
"""What is said to a topic that the screen's rules refuse, by their reason."""
PLACES_EVERY = timedelta(seconds=5)
TEXTS_FOR = timedelta(minutes=10)
READY_FOR = timedelta(minutes=1)


@dataclass(frozen=True)
class Asker:
    """Who asks, where, in which language they are spoken to; `key` names the message or press."""

    person: int
    place: Place
    speaks: str
    key: str


@dataclass
class Desk:
    services: Services
    sender: Sender
    signature: str
    seconds: float = PRIOR_SECONDS
    busy: set[int] = field(default_factory=set)
    working_since: datetime | None = None
    answered: int = 0
    refused: int = 0
    on_work: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        rule = self.services.settings.bot
        self.rule = rule
        self.deadline = timedelta(minutes=rule.deadline_minutes)
        self.queue: FairQueue[Wish] = FairQueue(rule.queue, rule.per_person)
        self.people = Buckets(rule.per_person_minute, burst=max(rule.per_person_minute, BURST))
        self.chats = Buckets(rule.per_chat_minute, burst=max(rule.per_chat_minute, BURST))
        self.scolds = Buckets(1, burst=1)
        self.noise = Noise()
        self.notices = Notices(self.sender, round(rule.deadline_minutes))
        self.stock = memes.Stock()
        self._places_told: datetime | None = None
        self._texts: dict[str, tuple[datetime, Texts]] = {}

    # At the door

    def ask(self, asker: Asker, text: str, now: datetime) -> str:
        """A topic from a person; what became of it: `queued`, `sent`, or the reason why not.

        Nothing here waits: under a flood most calls end at the first or second line.
        """
        if not self.may_pass(asker, now):
            return "too_fast"
        topic, refusal = self.read_topic(text, asker.speaks)
        if refusal:
            self.refuse(asker, refusal, limit=self.rule.topic_chars)
            return refusal
        return self.order(asker, topic, meme_language(topic, asker.speaks), now)

    def may_pass(self, asker: Asker, now: datetime) -> bool:
        """Take a token of the person and, in a group, of the group; who has none is told once a
        minute."""
        group = asker.place.chat if asker.place.chat != asker.person else None
        wait = self.people.wait(asker.person, now)
        if not wait and group is not None:
            wait = self.chats.wait(group, now)
        if not wait:
            if group is not None:
                self.chats.take(group, now)
            return self.people.take(asker.person, now)
        self.noise.add(asker.person, now)
        if self.scolds.take(asker.person, now):
            self.refuse(asker, "bot_too_fast", seconds=math.ceil(wait))
        return False

    def read_topic(self, text: str, language: str) -> tuple[str, str]:
        """(topic, "") or ("", why not): what is sure at once; the rest is screened in the child."""
        if len(text) > self.rule.topic_chars * 2:
            return "", "bot_too_long"
        try:
            topic = clean_topic(text, language)
        except TopicError as error:
            codes = {"order": "bot_order", "empty": "bot_no_topic"}
            return "", codes.get(error.code, "bot_unclear")
        if len(topic) > self.rule.topic_chars:
            return "", "bot_too_long"
        verdict = screen_words(topic, self.services.settings.topics.blocklist)
        return (topic, "") if verdict.ok else ("", WHY_NOT.get(verdict.reason, "bot_refused"))

    def order(
        self, asker: Asker, topic: str, language: str, now: datetime, other_than: str = ""
    ) -> str:
        """A screened topic: answered from what is at hand, queued, or refused with the reason."""
        if wishes.asked_since(asker.person, now - DAY) >= self.rule.per_person_day:
            return self.refuse(asker, "bot_day", count=self.rule.per_person_day)
        seen = wishes.seen_memes(asker.person)
        ready = memes.on_topic(memes.topic_key(topic, language), seen, other_than)
        if ready and asker.person not in self.busy:
            wish = self.new_wish(asker, topic, language, other_than, now)
            if wish:
                self.send(wish, ready)
            return "sent"
        waiting = self.queue.waiting(asker.person)
        if waiting >= self.rule.per_person:
            return self.refuse(asker, "bot_waiting_already", count=waiting)
        if self.queue.full and not waiting:
            self.make_room(asker.person, now)
        if self.queue.full:
            return self.degrade(asker, language, "bot_full", seen, now)
        if self.wait_for(len(self.queue) + 1, now) > self.deadline.total_seconds() * 0.9:
            return self.degrade(asker, language, "bot_too_late", seen, now)
        wish = self.new_wish(asker, topic, language, other_than, now)
        if wish:
            place = self.queue.add(asker.person, wish) or len(self.queue)
            self.notices.begin(wish, self.queued_text(place, wish.speaks, now))
            self.on_work()
        return "queued"

    def make_room(self, person: int, now: datetime) -> None:
        """In a full queue who has two, or else who shouts, gives way to who does neither."""
        own = self.noise.level(person, now)
        last = self.queue.give_way(lambda p: self.noise.level(p, now), TOO_LOUD + 2 * own)
        if last:
            self.end(last, "refused", "bot_full", now)

    def new_wish(
        self, asker: Asker, topic: str, language: str, other_than: str, now: datetime
    ) -> Wish | None:
        place = asker.place
        return wishes.add_wish(
            asker.key,
            now,
            person=asker.person,
            chat=place.chat,
            access_hash=place.access_hash,
            reply_to=place.reply_to,
            topic=topic,
            language=language,
            speaks=asker.speaks,
            other_than=other_than,
        )

    def refuse(self, asker: Asker, code: str, **facts: object) -> str:
        facts.setdefault("minutes", round(self.rule.deadline_minutes))
        self.refused += 1
        text = say(code, asker.speaks, **facts)
        self.sender.text(asker.place, text, asker.key, urgency=ASIDE, droppable=True)
        return code

    def degrade(
        self, asker: Asker, language: str, reason: str, seen: set[int], now: datetime
    ) -> str:
        """Too many people: a meme that is there already, or at least the reason."""
        meme = self.stock.any_of(language, seen, asker.key, now)
        if meme is None:
            return self.refuse(asker, reason)
        self.refused += 1
        self.sender.photo(
            asker.place,
            meme,
            wishes.random_id_of("degraded", asker.key),
            say("bot_degraded", asker.speaks),
            None,
            until=now + READY_FOR,
            urgency=ASIDE,
            droppable=True,
            on_sent=lambda _: None,
            on_failed=lambda _: None,
        )
        return "degraded"

    # The estimate

    def wait_for(self, place: int, now: datetime) -> float:
        """Seconds until the one at `place` has an answer."""
        under_way = 0.0
        if self.working_since:
            spent = (now - self.working_since).total_seconds()
            under_way = max(self.seconds - spent, self.seconds * 0.2)
        return under_way + place * self.seconds

    def queued_text(self, place: int, speaks: str, now: datetime) -> str:
        seconds = self.wait_for(place, now)
        minutes = math.ceil(seconds / 60)
        wait = say("bot_wait_short" if seconds < 50 else "bot_wait", speaks, minutes=minutes)
        return say("bot_queued", speaks, place=place, wait=wait)

    # Work

    def resume(self, now: datetime) -> int:
        """Take up what a restart left; too old ones are told so."""
        taken = 0
        for wish in wishes.open_wishes():
            if now - wish.asked_at >= self.deadline:
                self.end(wish, "expired", "bot_expired", now)
            elif wish.state == "sending" and wish.meme:
                self.send(wish, wish.meme)
                taken += 1
            else:
                if wish.state != "waiting":
                    Wish.update(state="waiting").where(Wish.id == wish.id).execute()
                place = self.queue.add(wish.person, wish)
                if place is None:
                    self.end(wish, "expired", "bot_full", now)
                    continue
                if wish.notice_id is None:
                    self.notices.begin(wish, self.queued_text(place, wish.speaks, now))
                taken += 1
        return taken

    async def work(self) -> bool:
        """Make the next meme in turn; everybody waiting for the same topic shares it. False when
        there was nothing to do."""
        now = self.services.clock()
        self.expire(now)
        found = self.queue.pop(self.busy)
        if found is None:
            return False
        person, first = found
        key = memes.topic_key(first.topic, first.language)
        ready = memes.on_topic(key, wishes.seen_memes(person), first.other_than)
        if ready:
            self.send(first, ready)
            return True

        def same(other: Wish) -> bool:
            return memes.topic_key(other.topic, other.language) == key

        group = [first, *(w for _, w in self.queue.take_all(same, self.busy | {person}))]
        for wish in group:
            wishes.begin(wish)
            self.busy.add(wish.person)
            self.notices.progress(wish, say("bot_working", wish.speaks))
        self.tell_places(now)
        self.working_since = now
        made = None
        try:
            made = await self.make(first, now)
        except Exception:
            log.exception("making memes failed; who waited for them is told so")
        finally:
            self.working_since = None
        try:
            self.hand_out(group, made)
        except Exception:
            log.exception("memes were made and could not be kept; who waited is told so")
            for wish in group:
                self.end(wish, "failed", "bot_failed", self.services.clock())
        return True

    async def make(self, wish: Wish, now: datetime) -> Made | None:
        """Generate in the child; None when the child failed. With many waiting, only what one
        person needs, and without the model."""
        rule, services = self.rule, self.services
        hurry = len(self.queue) >= rule.hurry_after
        request = replace(
            request_for(services, wish.topic, wish.language, now, self.avoid(wish, now)),
            count=1 if hurry else rule.variants,
            budget_s=rule.budget_seconds,
            use_model=rule.model and not hurry,
        )
        began = services.clock()
        try:
            made = await services.workers.run(
                make_memes, request, timeout_seconds=rule.budget_seconds * 2 + 60
            )
        except (WorkerDied, WorkerHung) as error:
            raise_alert("worker", "worker_died", {"reason": str(error)}, now)
            return None
        cure_alert("worker", now)
        spent = max((services.clock() - began).total_seconds(), made.seconds)
        self.seconds += 0.3 * (spent - self.seconds)
        return made

    def avoid(self, wish: Wish, now: datetime) -> Texts:
        """What the channel posted, looked up now and then, and what this topic got already."""
        found = self._texts.get(wish.language)
        if found is None or now - found[0] > TEXTS_FOR:
            found = self._texts[wish.language] = (now, posted_texts(wish.language, now))
        return found[1] + memes.texts_on(memes.topic_key(wish.topic, wish.language))

    def hand_out(self, group: list[Wish], made: Made | None) -> None:
        now = self.services.clock()
        first = group[0]
        if made is None or not made.chosen:
            refused = made is not None and any("refused" in note for note in made.notes)
            code = "bot_failed" if made is None else "bot_refused" if refused else "bot_nothing"
            for wish in group:
                self.end(wish, "failed" if made is None else "refused", code, now)
            return
        with relaxed(), database.atomic():  # one commit for all of them
            kept = memes.keep_made(self.services, made, first.topic, first.language, now)
            for wish in group:
                self.send(wish, fitting(kept, wish))

    def expire(self, now: datetime) -> None:
        """Who cannot be served in time is told so now."""
        last = now - self.deadline + timedelta(seconds=min(self.seconds, 60))
        for wish in self.queue.remove(lambda w: w.asked_at <= last):
            self.end(wish, "expired", "bot_expired", now)

    def tell_places(self, now: datetime) -> None:
        if self._places_told and now - self._places_told < PLACES_EVERY:
            return
        self._places_told = now
        for place, wish in enumerate(self.queue.in_order(), 1):
            if place > 20:
                return
            self.notices.progress(wish, self.queued_text(place, wish.speaks, now))

    # The answer

    def send(self, wish: Wish, meme: Meme) -> None:
        """Durable first, then on its way; sent again under the same random_id after a restart.
        A notice that has not left by now would say what is past."""
        self.busy.add(wish.person)
        wishes.begin_sending(wish, meme)
        self.notices.withdraw(wish)

        def on_sent(message_id: int | None) -> None:
            wishes.answered(wish, message_id, self.services.clock())
            self.busy.discard(wish.person)
            self.answered += 1
            self.notices.settle(wish, say("bot_done", wish.speaks))
            self.on_work()

        def on_failed(reason: str) -> None:
            log.info("wish %d not delivered: %s", wish.id, reason)
            wishes.ended(wish, "failed", reason, self.services.clock())
            self.busy.discard(wish.person)
            self.notices.no_meme(wish, "bot_expired" if reason == TOO_LATE else "bot_failed")
            self.on_work()

        self.sender.photo(
            place_of(wish),
            meme,
            wish.random_id,
            self.signature,
            buttons.under_meme(meme.id, wish.speaks, offer=bool(self.services.settings.owner.ids)),
            until=wish.asked_at + self.deadline,
            on_sent=on_sent,
            on_failed=on_failed,
        )

    def end(self, wish: Wish, state: str, code: str, now: datetime) -> None:
        self.busy.discard(wish.person)
        wishes.ended(wish, state, code, now)
        self.notices.no_meme(wish, code)


def meme_language(topic: str, speaks: str) -> str:
    """Cyrillic topics get Russian memes; others the person's own language."""
    return "ru" if any("а" <= c <= "я" or c == "ё" for c in topic.lower()) else speaks


def fitting(kept: list[Meme], wish: Wish) -> Meme:
    """The first meme new to this person, in another template when that was asked for."""
    seen = wishes.seen_memes(wish.person)
    new = [meme for meme in kept if meme.id not in seen] or kept
    return next((meme for meme in new if meme.template != wish.other_than), new[0])
