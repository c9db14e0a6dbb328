"""Posts and offers shown to the owner with buttons.

Which arm a post belongs to is not shown: who knows it cannot judge evenly.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from jobs.approve import approve
from jobs.assign import channel_language, next_meme
from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.bot import buttons
from publisher.bot.desk import Asker
from publisher.bot.outbox import FIRST
from publisher.bot.sender import Place, Sender
from publisher.ledger import approvals
from publisher.ledger.models import Approval, Channel, Meme, Post, Slot
from publisher.ledger.wishes import random_id_of
from publisher.local_time import local_time, moment
from publisher.wording import say

log = logging.getLogger(__name__)

KEEP, REPLACE, DROP, TAKE, NO = "k", "r", "x", "y", "n"
ACTIONS = {KEEP, REPLACE, DROP, TAKE, NO}
SHOWN_FOR = timedelta(hours=6)
SHOWN_AGAIN = timedelta(minutes=5)


@dataclass
class ApprovalDesk:
    services: Services
    sender: Sender
    resting: dict[str, datetime] = field(default_factory=dict)
    """What is on its way to the owners, or did not arrive, and from when on it is shown anew."""

    async def care(self, now: datetime) -> None:
        """Begin and settle approvals, and show the owners what is new. Shown is what arrived."""
        approve(self.services, now)
        self.resting = {what: at for what, at in self.resting.items() if at > now}
        for approval in approvals.untold():
            if f"post {approval.id}" not in self.resting:
                await self._show(approval)
        for meme in Meme.select().where(Meme.state == "offered"):
            if f"offer {meme.id}" not in self.resting:
                await self._show_offer(meme)

    async def _owners(self) -> list[Place]:
        places = []
        for owner in self.services.settings.owner.ids:
            with one_of_many(f"owner {owner}"):
                peer: Any = await self.sender.account.find_user(owner)
                places.append(Place(owner, getattr(peer, "access_hash", 0) or 0))
        return places

    def _ends(
        self, what: str, until: datetime, told: Callable[[], None]
    ) -> tuple[Callable[[int | None], None], Callable[[str], None]]:
        """`on_sent` and `on_failed` of something shown, until when it is under way."""
        self.resting[what] = until

        def on_sent(_: int | None) -> None:
            told()
            self.resting.pop(what, None)

        def on_failed(reason: str) -> None:
            log.warning("%s is not shown to an owner: %s", what, reason)
            self.resting[what] = self.services.clock() + SHOWN_AGAIN

        return on_sent, on_failed

    async def _show(self, approval: Approval) -> None:
        post = approval.post
        language = self.services.settings.language
        text = say(
            "approval_ask",
            language,
            channel=post.channel.handle,
            at=local_time(post.due_at, self.services.settings.zone),
            deadline=self._moment(approval.deadline_at, language),
            default=say(f"approval_{approval.default}", language),
        )
        until = max(post.due_at, approval.deadline_at)
        for place in await self._owners():
            key = _key(approval, post.meme_id, place)
            ends = self._ends(f"post {approval.id}", until, lambda: self._told(approval))
            self._photo(place, post, key, text, until, *ends)

    def _moment(self, at: datetime, language: str) -> str:
        return moment(at, self.services.settings.zone, language)

    def _told(self, approval: Approval) -> None:
        Approval.update(told_at=self.services.clock()).where(
            (Approval.id == approval.id) & Approval.told_at.is_null()
        ).execute()

    async def _show_offer(self, meme: Meme) -> None:
        language = self.services.settings.language
        text = say("offer_ask", language, topic=str(meme.reasons.get("topic", ""))[:200])
        rows = [
            [
                (say("button_take", language), buttons.data(TAKE, meme.id)),
                (say("button_no", language), buttons.data(NO, meme.id)),
            ]
        ]
        until = self.services.clock() + SHOWN_FOR
        for place in await self._owners():
            on_sent, on_failed = self._ends(
                f"offer {meme.id}", until, lambda: self._considered(meme)
            )
            self.sender.photo(
                place,
                meme,
                random_id_of("offer", meme.id, meme.created_at, place.chat),
                text,
                buttons.markup(rows),
                until=until,
                on_sent=on_sent,
                on_failed=on_failed,
            )

    def _considered(self, meme: Meme) -> None:
        Meme.update(state="considered").where(
            (Meme.id == meme.id) & (Meme.state == "offered")
        ).execute()

    def preview(self, asker: Asker, channel: Channel, now: datetime) -> str:
        """Show the channel's next post; or the words to say when there is none to show."""
        post = (
            Post.select(Post, Channel, Meme)
            .join(Channel)
            .switch(Post)
            .join(Meme)
            .where((Post.channel == channel) & (Post.state == "planned") & (Post.expires_at > now))
            .order_by(Post.due_at)
            .first()
        )
        if post is None:
            slot = (
                Slot.select()
                .where((Slot.channel == channel) & (Slot.state == "planned") & (Slot.at > now))
                .order_by(Slot.at)
                .first()
            )
            code = "console_preview_none" if slot else "console_preview_empty"
            at = self._moment(slot.at, asker.speaks) if slot else ""
            return say(code, asker.speaks, channel=channel.handle, at=at)
        at = self._moment(post.due_at, asker.speaks)
        text = say("console_preview", asker.speaks, channel=channel.handle, at=at)
        key = random_id_of("preview", asker.key, post.id)
        self._photo(asker.place, post, key, text, now + SHOWN_FOR)
        return ""

    def _photo(
        self,
        place: Place,
        post: Post,
        key: int,
        text: str,
        until: datetime,
        on_sent: Callable[[int | None], None] = lambda _: None,
        on_failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        language = self.services.settings.language
        rows = [
            [
                (say(f"button_{name}", language), buttons.data(action, post.id, post.meme_id))
                for name, action in (("keep", KEEP), ("replace", REPLACE), ("drop", DROP))
            ]
        ]
        self.sender.photo(
            place,
            post.meme,
            key,
            text,
            buttons.markup(rows),
            until=until,
            urgency=FIRST,
            on_sent=on_sent,
            on_failed=on_failed,
        )

    # What the owner presses

    def press(
        self, asker: Asker, message_id: int, action: str, numbers: tuple[int, ...], now: datetime
    ) -> str:
        """The words for the pressed button; the shown message is edited to what was decided."""
        if action in (TAKE, NO):
            return self._decide_offer(asker, message_id, action, numbers[0])
        post = Post.get_or_none(Post.id == numbers[0])
        if post is None or len(numbers) < 2 or post.meme_id != numbers[1]:
            return say("approval_late", asker.speaks)
        approval = approvals.ask(post, post.due_at, "publish", now)
        at = self._moment(post.due_at, asker.speaks)
        facts = {"channel": post.channel.handle, "at": at}
        if action == REPLACE:
            return self._replace(asker, message_id, approval, post, now)
        end = approvals.keep(approval, now) if action == KEEP else approvals.drop(approval, now)
        if end == "late" and action == KEEP and approval.state in ("kept", "default_kept"):
            end = "kept"
        text = say(f"approval_{end}", asker.speaks, **facts)
        if end != "late":
            self.sender.edit(asker.place, message_id, text, must=True)
        return text

    def _replace(
        self, asker: Asker, message_id: int, approval: Approval, post: Post, now: datetime
    ) -> str:
        meme = next_meme(approval.arm, channel_language(self.services, post.channel), now)
        if meme is None:
            return say("approval_no_other", asker.speaks)
        end = approvals.replace(approval, meme, now)
        if end != "replaced":
            return say("approval_late", asker.speaks)
        text = say("approval_replaced", asker.speaks)
        self.sender.edit(asker.place, message_id, text, must=True)
        fresh = Post.get_by_id(post.id)
        at = self._moment(post.due_at, asker.speaks)
        caption = say("console_preview", asker.speaks, channel=post.channel.handle, at=at)
        key = _key(approval, meme.id, asker.place)
        self._photo(asker.place, fresh, key, caption, max(post.due_at, approval.deadline_at))
        return text

    def _decide_offer(self, asker: Asker, message_id: int, action: str, meme_id: int) -> str:
        """Into the generated stock, marked as picked by a person, or out of the way."""
        meme = Meme.get_or_none((Meme.id == meme_id) & Meme.state.in_(("offered", "considered")))
        if meme is None:
            return say("bot_gone", asker.speaks)
        if action == TAKE:
            reasons = {**meme.reasons, "offered": 1}
            Meme.update(state="ready", reasons=reasons).where(Meme.id == meme_id).execute()
        else:
            Meme.update(state="bot").where(Meme.id == meme_id).execute()
        text = say("offer_taken" if action == TAKE else "offer_refused", asker.speaks)
        self.sender.edit(asker.place, message_id, text, must=True)
        return text


def _key(approval: Approval, meme_id: int, place: Place) -> int:
    """One showing of a meme to an owner; asked anew, as after a restore, it is another one."""
    return random_id_of("approval", approval.id, approval.asked_at, meme_id, place.chat)
