"""What an error from Telegram, or from the way there, means for a request."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Literal

from telethon import errors

from publisher.sentences import words

Kind = Literal["wait", "account", "channel", "there", "refused", "unclear"]

CHANNEL_TROUBLE = (
    errors.ChatWriteForbiddenError,
    errors.ChatAdminRequiredError,
    errors.ChannelPrivateError,
    errors.ChannelInvalidError,
    errors.ChatRestrictedError,
    errors.UserBannedInChannelError,
    errors.ChatSendMediaForbiddenError,
    errors.ChatSendPhotosForbiddenError,
    errors.ChatGuestSendForbiddenError,
    errors.UsernameNotOccupiedError,
    errors.UsernameInvalidError,
)
ACCOUNT_TROUBLE = (
    errors.PeerFloodError,
    errors.FrozenMethodInvalidError,
    errors.UnauthorizedError,
    errors.AuthKeyError,
    errors.AuthKeyNotFound,
)
WAY_TROUBLE = (
    OSError,
    asyncio.TimeoutError,
    EOFError,
    errors.BadMessageError,
    errors.InvalidBufferError,
    errors.InvalidChecksumError,
    errors.SecurityError,
    errors.TypeNotFoundError,
)
"""The server was not reached, or what it answered could not be read: try again later."""


class AskedTwice(ConnectionError):
    """A request that Telethon sent again after the connection broke was refused, with `answer`:
    the first one may have had its effect."""

    def __init__(self, answer: errors.RPCError) -> None:
        super().__init__(
            words(
                "the connection broke, and the request sent again was refused: {why}",
                why=telegram_name(answer),
            )
        )
        self.answer = answer


@dataclass(frozen=True)
class Trouble:
    """`kind` decides what is done; `name` is Telegram's own; `seconds` only for waits.

    wait      come back after `seconds`; nothing happened
    account   this account is stopped until a person or time cures it; nothing happened
    channel   this channel is closed to us; nothing happened
    there     the server already has this random_id
    refused   this very request is bad; nothing happened
    unclear   it may or may not have happened
    """

    kind: Kind
    name: str
    seconds: int = 0


def classify(error: BaseException) -> Trouble:
    """Raises TypeError for an error that is a fault of ours and not of the way or the server."""
    name = telegram_name(error)
    seconds = getattr(error, "seconds", None)
    if isinstance(error, errors.RandomIdDuplicateError):
        return Trouble("there", name)
    if isinstance(error, ACCOUNT_TROUBLE):
        return Trouble("account", name)
    if isinstance(error, errors.FloodError) and seconds is not None:
        return Trouble("wait", name, int(seconds))
    if isinstance(error, CHANNEL_TROUBLE):
        return Trouble("channel", name)
    if isinstance(error, errors.RPCError):
        server_side = isinstance(error, errors.ServerError | errors.TimedOutError)
        server_side = server_side or abs(error.code or 0) >= 500
        return Trouble("unclear" if server_side else "refused", name)
    if isinstance(error, AskedTwice):
        return Trouble("unclear", str(error))
    if isinstance(error, (*WAY_TROUBLE, asyncio.CancelledError)):
        return Trouble("unclear", name)
    if isinstance(error, ValueError) and "unsuccessful" in str(error):
        return Trouble("unclear", name)
    raise TypeError(f"not an error of Telegram's: {error!r}") from error


def telegram_name(error: BaseException) -> str:
    """Telegram's own name for RPC errors, like FLOOD_WAIT_30; the class's name otherwise."""
    if isinstance(error, errors.AuthKeyNotFound):
        return "AUTH_KEY_NOT_FOUND"
    if not isinstance(error, errors.RPCError):
        return f"{type(error).__name__}: {error}"[:200]
    if type(error).__module__.endswith("rpcbaseerrors"):
        return str(error.message)[:120]
    parts = re.findall(r"[A-Z0-9]+[a-z]*", type(error).__name__.removesuffix("Error"))
    name = "_".join(parts).upper()
    seconds = getattr(error, "seconds", None)
    return name if seconds is None else f"{name}_{seconds}"
