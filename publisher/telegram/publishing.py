"""One post from the ledger to its channel, exactly once.

The order is the point: the file is read and uploaded (no effect), `sending` is made durable,
the request leaves with the post's own random_id, the answer is written down. Whatever happens
in between leaves a row from which `reconcile` knows what to do.
"""

from __future__ import annotations

import io
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from peewee import DatabaseError
from PIL import Image
from telethon import errors

from publisher.ledger import transitions
from publisher.ledger.alerts import cure_alert, in_trouble_since, raise_alert
from publisher.ledger.models import Channel, Meme, Post
from publisher.sentences import words
from publisher.telegram.account import TelegramAccount
from publisher.telegram.errors import Trouble, classify
from publisher.telegram.governor import AccountStopped, NotNow
from publisher.telegram.peers import find_peer, input_peer
from publisher.telegram.reading import Seen, read_history
from publisher.telegram.recognising import Print, print_of, print_of_meme, same_words
from publisher.telegram.sending import CAPTION_LIMIT, caption_units, send_uploaded_photo

log = logging.getLogger(__name__)
steps = logging.getLogger("publisher.steps")

REFUSALS_BEFORE_FAILED = 3
LOOKS_BEFORE_FAILED = 10
SURE_AFTER = timedelta(minutes=10)
CLOCK_DOUBT = timedelta(days=1)
HOPELESS_AFTER = timedelta(days=2)
LONGEST_STANDSTILL = timedelta(days=14)
HISTORY_DEPTH = 200


def backoff(attempts: int, seed: int) -> timedelta:
    """30 s, 1 min, 2 min … 15 min, each with up to half more; the jitter is the post's own."""
    seconds = min(30 * 2 ** max(attempts - 1, 0), 900)
    return timedelta(seconds=seconds * (1 + random.Random(f"{seed}:{attempts}").random() / 2))


class Publisher:
    """Publishes and reconciles posts through one account.

    `media` is the folder that memes' files are named from; `worker` is `session:nonce`.
    """

    def __init__(
        self,
        account: TelegramAccount,
        media: Path,
        worker: str,
        clock: Callable[[], datetime],
    ) -> None:
        self.account, self.media, self.worker, self.clock = account, media, worker, clock

    async def publish(self, post: Post) -> str:
        """Claim and send one due post; the state it is in afterwards.

        `taken`: another worker has it, or it is not as it was loaded: replaced, dropped, held.
        """
        if not transitions.claim(post, self.worker, self.clock()):
            return "taken"
        steps.debug("claimed")
        try:
            return await self._send_claimed(post)
        except NotNow as wait:
            transitions.not_sent(post, "wait", str(wait), self._after(wait))
            return "planned"
        except AccountStopped as stop:
            transitions.not_sent(post, "account", str(stop), self.clock() + timedelta(minutes=5))
            return "planned"
        except DatabaseError:
            raise
        except Exception as fault:
            # A fault of ours with this post: it must not keep the others from their turn.
            log.exception("post %d", post.id)
            if Post.get_by_id(post.id).state == "claimed":
                return self._refused(post, "fault", repr(fault))
            return self._look_later(post, "fault", repr(fault))

    def _after(self, wait: NotNow) -> datetime:
        """When to ask again: what a wrong clock says of a long wait is looked at anew meanwhile."""
        return min(wait.until, self.clock() + transitions.LONGEST_BACKOFF)

    async def _send_claimed(self, post: Post) -> str:
        try:
            picture = self._picture(post)
        except ValueError as error:
            return self._refused(post, "picture", str(error))
        try:
            self.account.governor.may_send()
            peer = await find_peer(self.account, post.channel.handle, self.clock())
            uploaded = await self.account.upload(picture, "meme.jpg")
        except (NotNow, AccountStopped):
            raise
        except Exception as error:
            return self._before_sending(post, error)
        steps.debug("uploaded")
        if not transitions.begin_sending(post, self.worker, self.clock()):
            transitions.release(post, self.worker)
            return "taken"
        steps.debug("sending")
        return await self._send(post, input_peer(peer), uploaded)

    def _picture(self, post: Post) -> bytes:
        """The file's bytes. Raises ValueError when it or the caption cannot be sent."""
        if caption_units(post.caption) > CAPTION_LIMIT:
            raise ValueError(
                words(
                    "the caption has {units} UTF-16 units, Telegram takes {most}",
                    units=caption_units(post.caption),
                    most=CAPTION_LIMIT,
                )
            )
        path = self.media / post.meme.file
        try:
            data = path.read_bytes()
            Image.open(io.BytesIO(data)).verify()
        except FileNotFoundError as error:
            raise ValueError(words("{file}: the picture is gone", file=path)) from error
        except Exception as error:
            raise ValueError(
                words("{file}: not a picture any more: {why}", file=path, why=error)
            ) from error
        return data

    async def _send(self, post: Post, peer: Any, uploaded: Any) -> str:
        """From `sending`, send with the post's own random_id and write down what came of it."""
        try:
            message_id = await send_uploaded_photo(
                self.account, peer, uploaded, post.caption, post.random_id
            )
        except NotNow as wait:
            transitions.not_sent(post, "wait", str(wait), self._after(wait))
            return "planned"
        except AccountStopped as stop:
            transitions.not_sent(post, "account", str(stop), self.clock() + timedelta(minutes=5))
            return "planned"
        except LookupError as error:
            return self._look_later(post, "unclear", str(error))
        except Exception as error:
            return self._after_sending(post, classify(error))
        steps.debug("sent")
        transitions.published(post, message_id, self.clock())
        works_again(post.channel, self.clock())
        steps.debug("published")
        return "published"

    def _before_sending(self, post: Post, error: Exception) -> str:
        """Nothing was sent yet, so whatever went wrong may simply be tried again."""
        trouble = classify(error)
        if trouble.kind == "channel":
            return self._channel_closed(post, trouble)
        if trouble.kind == "refused":
            return self._refused(post, trouble.name, trouble.name)
        later = self.clock() + backoff(post.attempts + 1, post.random_id)
        transitions.not_sent(post, trouble.kind, trouble.name, later)
        return "planned"

    def _after_sending(self, post: Post, trouble: Trouble) -> str:
        if trouble.kind == "channel":
            return self._channel_closed(post, trouble)
        if trouble.kind == "refused":
            return self._refused(post, trouble.name, trouble.name)
        return self._look_later(post, trouble.kind, trouble.name)

    def _look_later(self, post: Post, kind: str, name: str) -> str:
        wait = timedelta(0) if kind == "there" else backoff(1, post.random_id)
        transitions.unclear(post, kind, name, self.clock() + wait)
        return "sending"

    def _refused(self, post: Post, kind: str, reason: str) -> str:
        """Bad in itself: a few tries, then set aside, so that the queue goes on."""
        now = self.clock()
        refusals = post.attempts + 1 if post.state == "planned" else post.attempts
        if refusals < REFUSALS_BEFORE_FAILED:
            Post.update(attempts=Post.attempts + 1).where(
                (Post.id == post.id) & (Post.state == "claimed")
            ).execute()
            transitions.not_sent(post, kind, reason, now + backoff(refusals, post.random_id))
            return "planned"
        return self._set_aside(post, kind, reason)

    def _set_aside(self, post: Post, kind: str, reason: str) -> str:
        transitions.failed(post, kind, reason)
        facts = {"post": post.id, "channel": post.channel.handle, "reason": reason}
        raise_alert(f"post:{post.id}", "post_failed", facts, self.clock())
        log.error("post %d set aside: %s", post.id, reason)
        return "failed"

    def _channel_closed(self, post: Post, trouble: Trouble) -> str:
        """Stop this channel alone, say so once; the cure job looks whether it opened again."""
        now, channel = self.clock(), post.channel
        transitions.not_sent(post, trouble.kind, trouble.name, now + timedelta(minutes=5))
        stop_channel(channel, trouble.name, now)
        return "planned"

    async def reconcile(self, post: Post) -> str:
        """Find out what became of a post in `sending`, and bring it to its end.

        First the channel's history is read; a post found there is published. Not found and still
        in time: sent again with the same random_id, which the server knows if it has it. Not
        found, too late and long enough ago that nothing can be under way: expired, or failed when
        the server said that it has it. What could not be looked for during two days after its
        time fails; days in which the account or the channel was stopped do not count, up to 14.
        A look that could not be made, for a wait or with no way there, ends nothing.
        """
        try:
            return await self._settle(post)
        except DatabaseError:
            raise
        except Exception as fault:
            log.exception("post %d", post.id)
            later = self.clock() + backoff(max(post.attempts, 3), post.random_id)
            return self._unsettled(post, "fault", repr(fault), later)

    async def _settle(self, post: Post) -> str:
        now = self.clock()
        try:
            found = await self.find_in_channel(post)
            if found:
                transitions.published(post, found.message_id, found.at)
                steps.debug("reconciled")
                return "published"
            if now >= post.expires_at:
                return self._too_late(post, now)
            if post.channel.state != "ok" or post.channel.paused:
                later = now + backoff(3, post.random_id)
                return self._unsettled(
                    post, "unclear", words("the channel is paused or stopped"), later
                )
            if post.error_kind == "there" and post.attempts >= LOOKS_BEFORE_FAILED:
                return self._not_shown(post)
            try:
                picture = self._picture(post)
            except ValueError as error:
                return self._cannot_resend(post, str(error), now)
            self.account.governor.may_send()
            peer = await find_peer(self.account, post.channel.handle, now)
            uploaded = await self.account.upload(picture, "meme.jpg")
        except NotNow as wait:
            return self._look_again(post, "wait", str(wait), self._after(wait))
        except OSError as error:
            return self._look_again(post, "unclear", str(error), now + backoff(3, post.random_id))
        except (AccountStopped, ValueError) as error:
            return self._unsettled(post, "unclear", str(error), now + backoff(3, post.random_id))
        except Exception as error:
            return self._after_looking(post, classify(error))
        Post.update(
            claimed_by=self.worker, sending_at=now, next_try_at=None, attempts=Post.attempts + 1
        ).where((Post.id == post.id) & (Post.state == "sending")).execute()
        post.attempts += 1
        steps.debug("resending")
        return await self._resend(post, input_peer(peer), uploaded)

    async def _resend(self, post: Post, peer: Any, uploaded: Any) -> str:
        """As `_send`, but a wait or a stop does not prove that the first try had no effect."""
        try:
            message_id = await send_uploaded_photo(
                self.account, peer, uploaded, post.caption, post.random_id
            )
        except NotNow as wait:
            return self._look_again(post, "wait", str(wait), self._after(wait))
        except (AccountStopped, LookupError) as error:
            later = self.clock() + backoff(post.attempts, post.random_id)
            return self._unsettled(post, "unclear", str(error), later)
        except Exception as error:
            return self._after_looking(post, classify(error))
        transitions.published(post, message_id, self.clock())
        works_again(post.channel, self.clock())
        steps.debug("reconciled")
        return "published"

    def _after_looking(self, post: Post, trouble: Trouble) -> str:
        now = self.clock()
        later = now + backoff(post.attempts, post.random_id)
        if trouble.kind == "channel":
            stop_channel(post.channel, trouble.name, now)
            later = now + transitions.CLOSED_BACKOFF
        return self._unsettled(post, trouble.kind, trouble.name, later)

    def _unsettled(self, post: Post, kind: str, reason: str, later: datetime) -> str:
        counts = time_that_counts(self.account.name, post.channel, self.clock())
        if counts < post.expires_at + HOPELESS_AFTER:
            return self._look_again(post, kind, reason, later)
        unseen = words("what became of it could not be seen: {why}", why=reason)
        return self._set_aside(post, kind, unseen)

    def _look_again(self, post: Post, kind: str, reason: str, later: datetime) -> str:
        transitions.unclear(post, what_is_known(post, kind), reason, later)
        return "sending"

    def _cannot_resend(self, post: Post, reason: str, now: datetime) -> str:
        if now - post.sending_at < SURE_AFTER:
            transitions.unclear(post, "picture", reason, post.sending_at + SURE_AFTER)
            return "sending"
        return self._set_aside(post, "picture", reason)

    def _not_shown(self, post: Post) -> str:
        reason = words("the server knows it, the channel's history does not show it")
        return self._set_aside(post, "there", reason)

    def _too_late(self, post: Post, now: datetime) -> str:
        if now - post.sending_at < SURE_AFTER:
            later = post.sending_at + SURE_AFTER
            known = what_is_known(post, "late")
            transitions.unclear(post, known, words("waiting to be sure"), later)
            return "sending"
        if post.error_kind == "there":
            return self._not_shown(post)
        transitions.expired(post, words("not in the channel's history, and too late to send again"))
        return "expired"

    async def find_in_channel(self, post: Post) -> Seen | None:
        """The message this post became, if the channel's recent history has it."""
        peer = await find_peer(self.account, post.channel.handle, self.clock())
        seen = await read_history(self.account, peer, limit=HISTORY_DEPTH)
        return await self.match(post, seen)

    async def match(
        self, post: Post, seen: list[Seen], prints: dict[int, Print | None] | None = None
    ) -> Seen | None:
        """The one of the channel's messages `seen` that this post became.

        It is a photo with the post's caption, not known as another post's message, and the same
        picture by perceptual hash (the server re-compresses pictures). Memes on one template
        look alike: what is more like another unsettled post's picture is that post's. Of equals
        it is the one that the account sent itself, then the nearest in time. Else the time only
        keeps old history out, since a clock of ours may have been wrong. Where the server
        gives no picture, its word that it has this random_id is enough for the only message that
        can be it. `prints` keeps what was downloaded, by message id.
        """
        prints = {} if prints is None else prints
        times = [t for t in (post.sending_at, post.due_at) if t]
        earliest = min(times) - CLOCK_DOUBT
        rows = list(
            Post.select(Post, Meme)
            .join(Meme)
            .where(
                (Post.channel == post.channel_id)
                & (Post.message_id.is_null(False) | Post.sending_at.is_null(False))
            )
        )
        taken = {row.message_id for row in rows if row.message_id}
        candidates = [
            s
            for s in seen
            if s.photo is not None
            and s.message_id not in taken
            and same_words(s.text, post.caption)
            and s.at >= earliest
        ]
        if not candidates:
            return None
        ours = print_of_meme(post.meme, self.media)
        others = [
            print_of_meme(row.meme, self.media)
            for row in rows
            if not row.message_id and row.id != post.id and same_words(row.caption, post.caption)
        ]
        rivals = [other for other in others if other]
        sent_at = post.sending_at or post.due_at
        ranked: list[tuple[tuple[float, bool, float], Seen]] = []
        for candidate in candidates:
            if candidate.message_id not in prints:
                prints[candidate.message_id] = await self.print_of_message(candidate)
            theirs = prints[candidate.message_id]
            if theirs is None:
                if post.error_kind == "there" and len(candidates) == 1 and not others:
                    return candidate
                continue
            nearest = min((d for r in rivals if (d := r.apart(theirs)) is not None), default=None)
            if ours is None:
                if nearest is None and len(candidates) == 1 and post.caption:
                    return candidate
                continue
            distance = ours.apart(theirs)
            if distance is not None and (nearest is None or distance <= nearest):
                elapsed = abs((candidate.at - sent_at).total_seconds())
                ranked.append(((distance, not candidate.outgoing, elapsed), candidate))
        return min(ranked, key=lambda pair: pair[0])[1] if ranked else None

    async def print_of_message(self, message: Seen) -> Print | None:
        """None when the server shows the message and refuses its picture."""
        try:
            return print_of(await self.account.download(message.photo))
        except errors.RPCError as error:
            if classify(error).kind != "refused":
                raise
            return None


def what_is_known(post: Post, kind: str) -> str:
    """What the server said of a random_id stays true, whatever kept us from looking since."""
    return "there" if post.error_kind == "there" else kind


def time_that_counts(account: str, channel: Channel, now: datetime) -> datetime:
    """Now, or when the trouble began that keeps the account or this channel from working, or did
    until two days ago: it stands still for what waits to be looked for, 14 days at most, and
    goes on in a channel that left the config."""
    keys = [f"account:{account}"]
    if channel.state != "gone":
        keys.append(f"channel:{channel.handle}")
    since = in_trouble_since(*keys, over_since=now - HOPELESS_AFTER)
    return max(min(since, now), now - LONGEST_STANDSTILL) if since else now


def works_again(channel: Channel, now: datetime) -> None:
    """A send succeeded: whatever stopped the channel is over, and would be news again."""
    cure_alert(f"channel:{channel.handle}", now)
    Channel.update(reason="").where((Channel.id == channel.id) & (Channel.state == "ok")).execute()


def stop_channel(channel: Channel, reason: str, now: datetime) -> None:
    """Stop one channel that may post and tell the owner, once for each reason until a send
    succeeds. One that left the config, or waits to be compared, stays what it is."""
    Channel.update(state="stopped", reason=reason).where(
        (Channel.id == channel.id) & (Channel.state == "ok")
    ).execute()
    if Channel.get_by_id(channel.id).state != "stopped":
        return
    facts = {"channel": channel.handle, "reason": reason}
    if raise_alert(f"channel:{channel.handle}:{reason}", "channel_stopped", facts, now):
        log.error("channel %s stopped: %s", channel.handle, reason)
