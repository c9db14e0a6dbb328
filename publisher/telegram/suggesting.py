"""One meme to one partner, exactly once, by the partner's route.

    bot             the partner's suggestion bot
    chat            an admin or a group
    suggested_post  Telegram's native route: the channel's direct messages

The order of steps is that of `publishing`: upload, `sending` made durable, the request with the
suggestion's own random_id, the answer written down; what stays unclear is looked up in the
conversation and otherwise sent again with the same random_id.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from PIL import Image
from telethon.tl import functions, types

from publisher.ledger import suggestions as ledger
from publisher.ledger.models import Partner, Peer, Suggestion
from publisher.sentences import joined, words
from publisher.settings.model import PartnerSettings
from publisher.telegram.account import TelegramAccount
from publisher.telegram.errors import Trouble, classify
from publisher.telegram.governor import AccountStopped, NotNow
from publisher.telegram.peers import find_peer, input_channel, input_peer
from publisher.telegram.publishing import REFUSALS_BEFORE_FAILED, SURE_AFTER, backoff
from publisher.telegram.reading import Seen, read_history
from publisher.telegram.recognising import print_of, print_of_meme
from publisher.telegram.sending import (
    CAPTION_LIMIT,
    caption_units,
    send_text,
    send_uploaded_photo,
)

log = logging.getLogger(__name__)

CLOSED = (
    "USER_BLOCKED",
    "YOU_BLOCKED_USER",
    "USER_IS_BLOCKED",
    "INPUT_USER_DEACTIVATED",
    "PEER_ID_INVALID",
    "PRIVACY_PREMIUM_REQUIRED",
    "USER_PRIVACY_RESTRICTED",
    "BOT_INVALID",
)
HISTORY_DEPTH, CROWD_DEPTH = 100, 2000


class CostsStars(Exception):
    """The partner takes more stars for a message than the owner allows."""

    def __init__(self, stars: int, allowed: int) -> None:
        super().__init__(
            words(
                "a message costs {stars} stars, max_stars allows {most}", stars=stars, most=allowed
            )
        )
        self.stars = stars


class NoInbox(Exception):
    """The partner's channel has no direct messages."""


@dataclass(frozen=True)
class Inbox:
    """Where offers go, and what a message there costs in stars."""

    peer: Peer
    stars: int = 0


class Suggester:
    """Offers and reconciles suggestions through one account; see `Publisher`."""

    def __init__(
        self,
        account: TelegramAccount,
        media: Path,
        worker: str,
        clock: Callable[[], datetime],
        horizon: timedelta,
    ) -> None:
        self.account, self.media, self.worker = account, media, worker
        self.clock, self.horizon = clock, horizon

    async def offer(self, row: Suggestion, settings: PartnerSettings) -> str:
        """Claim and send one due suggestion; the state it is in afterwards, or `taken`."""
        if not ledger.claim(row, self.worker, self.clock()):
            return "taken"
        try:
            picture = self._picture(row)
            inbox = await self.open_inbox(row.partner, settings)
            uploaded = await self.account.upload(picture, "meme.jpg")
        except NotNow as wait:
            return self._later(row, "wait", str(wait), wait.until)
        except AccountStopped as stop:
            return self._later(row, "account", str(stop), self.clock() + timedelta(minutes=5))
        except (CostsStars, NoInbox) as reason:
            return self._shut(row, str(reason))
        except ValueError as error:
            ledger.failed(row, "picture", str(error))
            return "failed"
        except Exception as error:
            return self._refused(row, classify(error))
        if not ledger.begin_sending(row, self.worker, self.clock()):
            return "taken"
        row.attempts += 1
        return await self._send(row, inbox, uploaded)

    async def reconcile(self, row: Suggestion, settings: PartnerSettings) -> str:
        """Bring a suggestion in `sending` to its end: found there, or sent with its random_id."""
        now = self.clock()
        try:
            inbox = await self.open_inbox(row.partner, settings)
            found = await self._find(row, inbox)
            if found:
                ledger.sent(row, found.message_id, self.horizon, found.at)
                return "sent"
            uploaded = await self.account.upload(self._picture(row), "meme.jpg")
        except NotNow as wait:
            ledger.unclear(row, "wait", str(wait), wait.until)
            return "sending"
        except (CostsStars, NoInbox, ValueError) as reason:
            return self._give_up_unclear(row, str(reason))
        except Exception as error:
            name = str(error) if isinstance(error, AccountStopped) else classify(error).name
            ledger.unclear(row, "unclear", name, now + backoff(3, row.random_id))
            return "sending"
        Suggestion.update(
            claimed_by=self.worker,
            sending_at=now,
            next_try_at=None,
            attempts=Suggestion.attempts + 1,
        ).where((Suggestion.id == row.id) & (Suggestion.state == "sending")).execute()
        row.attempts += 1
        return await self._send(row, inbox, uploaded, again=True)

    async def open_inbox(self, partner: Partner, settings: PartnerSettings) -> Inbox:
        """The place to write to; on the first time a bot is started and a group is joined.

        Raises CostsStars, NoInbox, and what the account raises.
        """
        inbox = await find_inbox(self.account, settings, self.clock())
        if inbox.stars > settings.max_stars:
            raise CostsStars(inbox.stars, settings.max_stars)
        if partner.begun_at is None:
            await self._begin(partner, settings, inbox.peer)
            Partner.update(begun_at=self.clock()).where(Partner.id == partner.id).execute()
        return inbox

    async def _begin(self, partner: Partner, settings: PartnerSettings, peer: Peer) -> None:
        if settings.route == "bot":
            number = steady_id(f"start|{partner.handle}")
            await ignore_repeat(send_text(self.account, input_peer(peer), "/start", number))
        elif peer.kind == "channel" and settings.route == "chat":
            await join(self.account, peer)

    async def _send(
        self, row: Suggestion, inbox: Inbox, uploaded: Any, *, again: bool = False
    ) -> str:
        """From `sending`, send with the row's own random_id and write down what came of it.

        A refusal proves that nothing happened only on a first try.
        """
        offer = types.SuggestedPost() if row.route == "suggested_post" else None
        try:
            message_id = await send_uploaded_photo(
                self.account,
                input_peer(inbox.peer),
                uploaded,
                row.caption,
                row.random_id,
                suggested_post=offer,
                allow_paid_stars=inbox.stars or None,
            )
        except NotNow as wait:
            return self._after(row, "wait", str(wait), wait.until, again)
        except AccountStopped as stop:
            later = self.clock() + timedelta(minutes=5)
            return self._after(row, "account", str(stop), later, again)
        except LookupError as error:
            ledger.unclear(row, "unclear", str(error), self.clock())
            return "sending"
        except Exception as error:
            trouble = classify(error)
            if trouble.kind in ("channel", "refused") and not again:
                return self._refused(row, trouble)
            pause = timedelta(0) if trouble.kind == "there" else backoff(1, row.random_id)
            ledger.unclear(row, trouble.kind, trouble.name, self.clock() + pause)
            return "sending"
        ledger.sent(row, message_id, self.horizon, self.clock())
        return "sent"

    def _after(self, row: Suggestion, kind: str, reason: str, until: datetime, again: bool) -> str:
        if again:
            ledger.unclear(row, kind, reason, until)
            return "sending"
        return self._later(row, kind, reason, until)

    def _later(self, row: Suggestion, kind: str, reason: str, until: datetime) -> str:
        ledger.not_sent(row, kind, reason, until)
        return "planned"

    def _refused(self, row: Suggestion, trouble: Trouble) -> str:
        """The server said no: to this partner for ever, or to this try."""
        if trouble.name.startswith("ALLOW_PAYMENT_REQUIRED"):
            return self._shut(row, trouble.name)
        if trouble.kind == "channel" or trouble.name in CLOSED:
            return self._shut(row, trouble.name)
        if trouble.kind == "refused" and row.attempts >= REFUSALS_BEFORE_FAILED:
            ledger.failed(row, trouble.kind, trouble.name)
            return "failed"
        Suggestion.update(attempts=Suggestion.attempts + 1).where(
            (Suggestion.id == row.id) & (Suggestion.state == "claimed")
        ).execute()
        later = self.clock() + backoff(row.attempts + 1, row.random_id)
        return self._later(row, trouble.kind, trouble.name, later)

    def _shut(self, row: Suggestion, reason: str) -> str:
        """This partner's door is closed to us: the offer is dropped and the owner told."""
        ledger.failed(row, "closed", reason)
        ledger.stop_partner(row.partner, reason, self.clock())
        return "failed"

    def _give_up_unclear(self, row: Suggestion, reason: str) -> str:
        """It cannot be sent again, and the conversation shows it not."""
        now = self.clock()
        if now - (row.sending_at or now) < SURE_AFTER:
            ledger.unclear(row, "unclear", reason, now + SURE_AFTER)
            return "sending"
        ledger.failed(row, "unclear", reason)
        return "failed"

    def _picture(self, row: Suggestion) -> bytes:
        """The file's bytes. Raises ValueError when it or the caption cannot be sent."""
        if caption_units(row.caption) > CAPTION_LIMIT:
            raise ValueError(
                words(
                    "the caption has {units} UTF-16 units, Telegram takes {most}",
                    units=caption_units(row.caption),
                    most=CAPTION_LIMIT,
                )
            )
        path = self.media / row.meme.file
        try:
            data = path.read_bytes()
            Image.open(io.BytesIO(data)).verify()
        except Exception as error:
            raise ValueError(
                joined(": ", [path, words("cannot be read: {why}", why=error)])
            ) from error
        return data

    async def _find(self, row: Suggestion, inbox: Inbox) -> Seen | None:
        """Our message in the conversation: a photo of ours with this caption and this picture."""
        earliest = (row.sending_at or row.created_at) - SURE_AFTER
        taken = {
            s.message_id
            for s in Suggestion.select(Suggestion.message_id).where(
                (Suggestion.partner == row.partner_id) & Suggestion.message_id.is_null(False)
            )
        }
        mine = print_of_meme(row.meme, self.media)
        if mine is None:
            return None
        found: list[tuple[float, Seen]] = []
        for seen in await read_history(self.account, inbox.peer, limit=HISTORY_DEPTH):
            ours = seen.outgoing and seen.photo is not None and seen.text == row.caption
            if not ours or seen.message_id in taken or seen.at < earliest:
                continue
            apart = mine.apart(print_of(await self.account.download(seen.photo)))
            if apart is not None:
                found.append((apart, seen))
        return min(found, key=lambda one: one[0])[1] if found else None


def steady_id(name: str) -> int:
    """A random_id that is the same each time: a repeat of the send is known to the server."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1 or 1


async def ignore_repeat(sending: Any) -> int | None:
    """Await a send; None when the server had it already."""
    try:
        return int(await sending)
    except (NotNow, AccountStopped, LookupError):
        raise
    except Exception as error:
        if classify(error).kind == "there":
            return None
        raise


async def find_inbox(account: TelegramAccount, settings: PartnerSettings, now: datetime) -> Inbox:
    """The inbox of a partner; for the native route asked afresh, for its price may change."""
    if settings.route != "suggested_post":
        assert settings.inbox is not None
        return Inbox(await find_peer(account, settings.inbox, now))
    channel = await find_peer(account, settings.handle, now)
    found = await account.call(
        "other", functions.channels.GetChannelsRequest([input_channel(channel)])
    )
    chats = {c.id: c for c in found.chats}
    linked = getattr(chats.get(channel.tg_id), "linked_monoforum_id", None)
    if linked is None:
        raise NoInbox(words("@{partner} takes no direct messages", partner=settings.handle))
    if linked not in chats:
        full = await account.call(
            "other", functions.channels.GetFullChannelRequest(input_channel(channel))
        )
        chats |= {c.id: c for c in full.chats}
    if linked not in chats:
        raise NoInbox(
            words(
                "@{partner}: the server does not show its direct messages", partner=settings.handle
            )
        )
    return Inbox(_keep(account, settings.handle, chats[linked], now), _price(chats[linked]))


def _price(chat: Any) -> int:
    return int(getattr(chat, "send_paid_messages_stars", None) or 0)


def _keep(account: TelegramAccount, handle: str, chat: Any, now: datetime) -> Peer:
    """The direct messages have no username: kept under the channel's own, marked."""
    key = f"{handle.lower()}/direct"
    mine = (Peer.account == account.name) & (Peer.handle == key)
    known = Peer.get_or_none(mine)
    if known and known.tg_id == chat.id and known.access_hash == chat.access_hash:
        return known
    Peer.delete().where(mine).execute()
    return Peer.create(
        account=account.name,
        handle=key,
        kind="channel",
        tg_id=chat.id,
        access_hash=chat.access_hash or 0,
        title=chat.title,
        resolved_at=now,
    )


async def join(account: TelegramAccount, channel: Peer) -> None:
    """Join a channel or group; no effect when a member already."""
    try:
        await account.call("send", functions.channels.JoinChannelRequest(input_channel(channel)))
    except (NotNow, AccountStopped):
        raise
    except Exception as error:
        if classify(error).name != "USER_ALREADY_PARTICIPANT":
            raise


@dataclass(frozen=True)
class Button:
    """`data` for an inline button, None for a keyboard's, whose text is sent; `url` leads away."""

    text: str
    data: bytes | None = None
    url: str = ""


@dataclass(frozen=True)
class Heard:
    """Something said in a partner's inbox, in words or by a service action."""

    message_id: int
    at: datetime
    edited_at: datetime | None
    text: str
    reply_to: int | None
    buttons: tuple[Button, ...] = ()
    event: str = ""
    schedule_at: datetime | None = None


async def listen(
    account: TelegramAccount, inbox: Peer, *, after_id: int, since_id: int, offers: Collection[int]
) -> tuple[list[Heard], int]:
    """What was said after `after_id`, or changed since it was read, oldest first.

    Messages are read from `since_id` on (the oldest unsettled offer of ours), since bots edit
    what they said, but no further back than HISTORY_DEPTH; what is new up to CROWD_DEPTH. In a
    group only answers to our messages, `offers` among them, are meant for us. Also answers the
    highest id seen.
    """
    seen = await read_history(account, inbox, after_id=max(0, since_id - 1), limit=HISTORY_DEPTH)
    if len(seen) >= HISTORY_DEPTH and seen[-1].message_id > after_id + 1:
        unread = max(after_id, since_id - 1)
        seen = await read_history(account, inbox, after_id=unread, limit=CROWD_DEPTH)
    mine = {s.message_id for s in seen if s.outgoing} | set(offers)
    crowd = inbox.kind == "channel" and not inbox.handle.endswith("/direct")
    heard = []
    for one in sorted(seen, key=lambda s: s.message_id):
        said = hear(one)
        if said is None or (crowd and said.reply_to not in mine):
            continue
        if one.message_id > after_id or one.edited_at:
            heard.append(said)
    return heard, max((s.message_id for s in seen), default=after_id)


def hear(seen: Seen) -> Heard | None:
    """A message as the partner's word; None for our own, and for service messages of no import."""
    action = getattr(seen.message, "action", None)
    event, reason, schedule = suggested_event(action)
    own_offer = getattr(seen.message, "suggested_post", None)
    if seen.outgoing and not event:
        return None
    if action is not None and not event:
        return None
    if own_offer is not None and not event:
        event = "counter_offer"
    reply = getattr(seen.message, "reply_to", None)
    return Heard(
        message_id=seen.message_id,
        at=seen.at,
        edited_at=seen.edited_at,
        text=reason or seen.text,
        reply_to=getattr(reply, "reply_to_msg_id", None),
        buttons=buttons_of(seen.message),
        event=event,
        schedule_at=schedule,
    )


def suggested_event(action: Any) -> tuple[str, str, datetime | None]:
    """A suggested post's service action: its name, the words with it, the date promised."""
    if isinstance(action, types.MessageActionSuggestedPostApproval):
        if action.rejected:
            return "declined", action.reject_comment or "", None
        if action.balance_too_low:
            return "balance_too_low", "", None
        return "approved", "", action.schedule_date
    if isinstance(action, types.MessageActionSuggestedPostSuccess):
        return "paid_out", "", None
    if isinstance(action, types.MessageActionSuggestedPostRefund):
        return "refunded", "", None
    return "", "", None


def buttons_of(message: Any) -> tuple[Button, ...]:
    """A message's buttons, row by row; those that need a person (contacts, games) are left out."""
    markup = getattr(message, "reply_markup", None)
    found = []
    for row in getattr(markup, "rows", None) or ():
        for button in row.buttons:
            kind = getattr(button, "type", button)
            data, url = getattr(kind, "data", None), getattr(kind, "url", None) or ""
            if data is not None and getattr(kind, "requires_password", None):
                continue
            plain = isinstance(markup, types.ReplyKeyboardMarkup)
            if data is not None or url or plain:
                found.append(Button(button.text, data, url))
    return tuple(found)


async def press(account: TelegramAccount, inbox: Peer, message_id: int, data: bytes) -> str:
    """Press an inline button; the words the bot shows in answer, often none."""
    try:
        answer = await account.call(
            "send",
            functions.messages.GetBotCallbackAnswerRequest(
                peer=input_peer(inbox), msg_id=message_id, data=data
            ),
        )
    except (NotNow, AccountStopped):
        raise
    except Exception as error:
        # The bot got the press and was slow to say so.
        if classify(error).name.startswith("BOT_RESPONSE_TIMEOUT"):
            return ""
        raise
    return str(answer.message or "")


async def say_to(account: TelegramAccount, inbox: Peer, text: str, name: str) -> int | None:
    """Say something once: `name` tells this saying from every other; None if it was said."""
    return await ignore_repeat(send_text(account, input_peer(inbox), text, steady_id(name)))
