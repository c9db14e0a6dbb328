"""One governor for each account owns every wait: pace, floods, stops. All of it is in the ledger,
so that a restart forgets nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from telethon.errors import FloodError

from publisher.ledger.alerts import cure_alert, raise_alert
from publisher.ledger.models import Account, Pace
from publisher.sentences import words
from publisher.settings.model import PaceSettings
from publisher.telegram.errors import AskedTwice, classify, telegram_name

log = logging.getLogger(__name__)
T = TypeVar("T")
CallKind = Literal["send", "resolve", "history", "download", "other"]
READS = ("history", "download")
PACED_AS: dict[str, str] = {"download": "other"}
ONLY_SENDS = ("PEER_FLOOD",)
"""A stop for one of these leaves an account its `READS`: what became of a send can be seen."""
SLOW_CURES = ("PEER_FLOOD", "FROZEN")
"""These do not pass by asking again, and the account answers meanwhile as if all were well."""
CONNECT, LONGEST_TO_CONNECT = "connect", timedelta(days=2)


class NotNow(Exception):
    """The call was not made; it may be made at `until`."""

    def __init__(self, until: datetime, reason: str) -> None:
        super().__init__(
            words("{reason}: not before {until:%Y-%m-%d %H:%M:%S} UTC", reason=reason, until=until)
        )
        self.until, self.reason = until, reason


class AccountStopped(Exception):
    """The account is stopped until it is cured; the call was not made or had no effect."""


class Governor:
    """Paces one account's calls and obeys what Telegram says to it.

    `clock` gives aware UTC; `sleep` waits seconds of that clock. A wait longer than
    `patience_seconds` is not slept: NotNow tells the caller when to come back.
    """

    def __init__(
        self,
        account: str,
        pace: PaceSettings,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        patience_seconds: float = 30.0,
    ) -> None:
        self.account, self.pace, self.clock, self.sleep = account, pace, clock, sleep
        self.patience = timedelta(seconds=patience_seconds)
        Account.get_or_create(name=account)

    async def call(self, kind: CallKind, request: Callable[[], Awaitable[T]]) -> T:
        """Make the call in its turn.

        Raises NotNow and AccountStopped, when nothing happened, and else the request's error. The
        answer in an AskedTwice is obeyed like any other; what became of the request it does not
        tell.
        """
        wait = self._reserve(kind)
        if wait > timedelta(0):
            await self.sleep(wait.total_seconds())
        try:
            answer = await request()
        except AskedTwice as error:
            with suppress(NotNow, AccountStopped):
                self._obey(error.answer)
            raise
        except Exception as error:
            self._obey(error)
            raise
        if kind == "send" and self._on_trial():
            self.cured()
        return answer

    def may_send(self) -> None:
        """Raises AccountStopped: what only prepares a send is not worth asking for then."""
        row = Account.get(Account.name == self.account)
        if row.state != "ok":
            raise AccountStopped(row.reason)

    def may_connect(self) -> None:
        """Raises NotNow while a FLOOD_WAIT that connecting met lasts."""
        row = Pace.get_or_none((Pace.account == self.account) & (Pace.kind == CONNECT))
        now = self.clock()
        # A longer wait than Telegram ever names was counted by a wrong clock.
        if row and now < row.next_at < now + LONGEST_TO_CONNECT:
            raise NotNow(row.next_at, words("connecting"))

    def not_connected(self, error: BaseException) -> None:
        """Remember a FLOOD_WAIT met in connecting, and raise NotNow for it."""
        seconds = getattr(error, "seconds", None)
        if not isinstance(error, FloodError) or seconds is None:
            return
        until = self.clock() + timedelta(seconds=seconds)
        Pace.delete().where((Pace.account == self.account) & (Pace.kind == CONNECT)).execute()
        Pace.create(account=self.account, kind=CONNECT, next_at=until)
        raise NotNow(until, telegram_name(error)) from error

    def _waiting(self, row: Account, now: datetime) -> datetime | None:
        """Until when the account is to be silent.

        No wait is longer than what Telegram said: if one is, the clock was set back meanwhile,
        and the wait is counted anew.
        """
        if not row.wait_until or row.wait_until <= now:
            return None
        told = re.search(r"\d+$", row.wait_reason)
        longest = now + timedelta(seconds=int(told[0])) if told else row.wait_until
        if row.wait_until <= longest:
            return row.wait_until
        Account.update(wait_until=longest).where(Account.name == self.account).execute()
        return longest

    def _reserve(self, kind: CallKind) -> timedelta:
        now = self.clock()
        row = Account.get(Account.name == self.account)
        if row.state != "ok" and not (kind in READS and row.reason.startswith(ONLY_SENDS)):
            raise AccountStopped(row.reason)
        until = self._waiting(row, now)
        if until:
            raise NotNow(until, row.wait_reason)
        paced_as = PACED_AS.get(kind, kind)
        gap = getattr(self.pace, f"{paced_as}_seconds")
        if row.widened_until and row.widened_until > now:
            gap *= self.pace.widen_factor
        if not gap:
            return timedelta(0)
        mine = {"account": self.account, "kind": paced_as}
        turn, new = Pace.get_or_create(**mine, defaults={"next_at": now})
        # A clock set back must not leave a wait of hours behind.
        start = now if new else min(max(turn.next_at, now), now + self.patience * 2)
        if start - now > self.patience:
            raise NotNow(start, words("pace"))
        Pace.update(next_at=start + timedelta(seconds=gap)).where(Pace.id == turn.id).execute()
        return start - now

    def _obey(self, error: Exception) -> None:
        try:
            trouble = classify(error)
        except TypeError:
            return
        now = self.clock()
        if trouble.kind == "wait":
            until = now + timedelta(seconds=trouble.seconds)
            widened = now + timedelta(hours=self.pace.widen_hours)
            Account.update(wait_until=until, wait_reason=trouble.name, widened_until=widened).where(
                Account.name == self.account
            ).execute()
            log.warning("%s: %s, silent until %s", self.account, trouble.name, until)
            raise NotNow(until, trouble.name) from error
        if trouble.kind == "account":
            self.stop(trouble.name)
            raise AccountStopped(trouble.name) from error

    def stop(self, reason: str) -> None:
        """Stop this account and tell the owner, once for each reason until a send succeeds."""
        now = self.clock()
        Account.update(state="stopped", reason=reason, stopped_at=now).where(
            Account.name == self.account
        ).execute()
        facts = {"account": self.account, "reason": reason}
        if raise_alert(f"account:{self.account}:{reason}", "account_stopped", facts, now):
            log.error("account %s stopped: %s", self.account, reason)

    def try_again(self) -> None:
        """Let the account work; only a send that succeeds cures it, for an account may answer as
        if all were well and be refused every send.

        Until then the owner is not told again when it is stopped for the same.
        """
        Account.update(state="ok").where(Account.name == self.account).execute()

    def signed_in(self) -> None:
        """What stopped for want of being signed in tries again."""
        row = Account.get(Account.name == self.account)
        if row.state != "ok" and not row.reason.startswith(SLOW_CURES):
            self.try_again()

    def _on_trial(self) -> bool:
        row = Account.get(Account.name == self.account)
        return row.state == "ok" and row.stopped_at is not None

    def cured(self) -> None:
        """It works."""
        Account.update(state="ok", reason="", stopped_at=None).where(
            Account.name == self.account
        ).execute()
        cure_alert(f"account:{self.account}", self.clock())
