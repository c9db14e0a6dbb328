"""Let what was stopped try again where it answers as it should. Only a send that succeeds shows
that it works, and makes the next stop news for the owner: a channel or an account may answer as if
all were well and be refused every send.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from jobs.services import Services
from jobs.trouble import one_of_many
from publisher.ledger.models import Account, Channel
from publisher.telegram.account import TelegramAccount
from publisher.telegram.governor import SLOW_CURES
from publisher.telegram.peers import resolve
from publisher.telegram.reading import post_rights


async def cure(services: Services, now: datetime) -> str:
    """Try stopped accounts and channels; what answers as it should resumes."""
    cured = []
    for account in filter(None, (services.user, services.bot)):
        row = Account.get(Account.name == account.name)
        if row.state != "ok" and await account_answers(account, row, now):
            account.governor.try_again()
            cured.append(account.name)
    for channel in Channel.select().where(Channel.state == "stopped"):
        with one_of_many(channel.handle):
            peer = await resolve(services.account, channel.handle, now)
            if (await post_rights(services.account, peer)).may_post:
                mine = (Channel.id == channel.id) & (Channel.state == "stopped")
                Channel.update(state="ok").where(mine).execute()
                cured.append(channel.handle)
    return ", ".join(cured)


async def account_answers(account: TelegramAccount, row: Account, now: datetime) -> bool:
    """Whether the account is known to the server again; after a spam limit, a day later."""
    slow = row.reason.startswith(SLOW_CURES)
    if slow and row.stopped_at and now - row.stopped_at < timedelta(hours=24):
        return False
    try:
        return await account.me() is not None
    except Exception:
        return False
