"""The owner's commands. Who is an owner says config.toml, by Telegram id; nobody else is heard."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from peewee import fn

from jobs.alert import send_report
from jobs.report import partner_rows
from jobs.services import Services
from publisher.bot.approval import ApprovalDesk
from publisher.bot.desk import Asker, Desk
from publisher.bot.sender import Sender
from publisher.bot.why import find_post, why_text
from publisher.ledger import bans, wishes
from publisher.ledger.models import Channel, Partner
from publisher.ledger.suggestions import resume_partner
from publisher.local_time import moment
from publisher.state import state_of, state_text
from publisher.wording import say, word

Command = Callable[[Asker, str, datetime], Awaitable[str]]
CHUNK = 3500
PUBLIC = ("", "meme", "thanks")


@dataclass
class Console:
    """Each command answers with the text to say, empty when it has said all itself."""

    services: Services
    sender: Sender
    desk: Desk
    approvals: ApprovalDesk

    def __post_init__(self) -> None:
        self.commands: dict[str, Command] = {
            "start": self.help,
            "help": self.help,
            "status": self.status,
            "pause": self.pause,
            "resume": self.resume,
            "preview": self.preview,
            "report": self.report,
            "partners": self.partners,
            "why": self.why,
            "ban": self.ban,
            "unban": self.unban,
        }

    def answers(self, person: int, command: str) -> bool:
        """Whether this is the owner's, and no wish for a meme; an unknown command gets the help."""
        return person in self.services.settings.owner.ids and command not in PUBLIC

    async def run(self, asker: Asker, command: str, rest: str, now: datetime) -> None:
        text = await self.commands.get(command, self.help)(asker, rest, now)
        for number, part in enumerate(chunks(text)):
            self.sender.text(asker.place, part, f"{asker.key}:{number}")

    async def help(self, asker: Asker, rest: str, now: datetime) -> str:
        return say("console_help", asker.speaks)

    async def status(self, asker: Asker, rest: str, now: datetime) -> str:
        loudest = wishes.loudest(now - timedelta(days=1), 5)
        bot = say(
            "console_bot",
            asker.speaks,
            queue=len(self.desk.queue),
            answered=self.desk.answered,
            refused=self.desk.refused,
            seconds=round(self.desk.seconds, 1),
            loudest=", ".join(f"{person} × {count}" for person, count in loudest) or "—",
        )
        return state_text(state_of(self.services, now), asker.speaks) + "\n" + bot

    async def pause(self, asker: Asker, rest: str, now: datetime) -> str:
        return self._set_paused(asker, rest, True)

    async def resume(self, asker: Asker, rest: str, now: datetime) -> str:
        """A channel, all channels, or a partner that was stopped."""
        handle = rest.strip().removeprefix("@").lower()
        partner = Partner.get_or_none(fn.LOWER(Partner.handle) == handle) if handle else None
        if partner:
            resume_partner(partner, now)
            return say("console_resumed", asker.speaks, channels=f"@{partner.handle}")
        return self._set_paused(asker, rest, False)

    def _set_paused(self, asker: Asker, rest: str, paused: bool) -> str:
        rows = self._channels(rest)
        if not rows:
            return self._no_channel(asker, rest)
        Channel.update(paused=paused).where(Channel.id.in_([row.id for row in rows])).execute()
        names = ", ".join(f"@{row.handle}" for row in rows)
        return say("console_paused" if paused else "console_resumed", asker.speaks, channels=names)

    async def preview(self, asker: Asker, rest: str, now: datetime) -> str:
        rows = self._channels(rest)
        if not rows:
            return self._no_channel(asker, rest)
        lines = [self.approvals.preview(asker, row, now) for row in rows]
        return "\n".join(filter(None, lines))

    async def report(self, asker: Asker, rest: str, now: datetime) -> str:
        folders = sorted(self.services.settings.reports.glob("*-W*/report.html"), reverse=True)
        weeks = [path.parent.name for path in folders]
        week = rest.strip() or (weeks[0] if weeks else "")
        if not weeks:
            return say("console_no_reports", asker.speaks)
        if week not in weeks:
            known = ", ".join(weeks[:8])
            return say("console_no_report", asker.speaks, week=week, weeks=known)
        folder = self.services.settings.reports / week
        key = wishes.random_id_of("report", asker.key)
        await send_report(self.sender.account, asker.place.peer, folder, key)
        return head_of(folder / "report.md")

    async def partners(self, asker: Asker, rest: str, now: datetime) -> str:
        lines = [
            say(
                "console_partner",
                asker.speaks,
                last=row["last_answer"],
                **row | {"route": word("route", row["route"], asker.speaks)},
            )
            for row in partner_rows(now)
        ]
        return "\n".join(lines) or say("console_no_partners", asker.speaks)

    async def why(self, asker: Asker, rest: str, now: datetime) -> str:
        if not rest:
            return say("console_why_usage", asker.speaks)
        post = find_post(rest)
        if post is None:
            return say("console_no_post", asker.speaks, post=rest[:80])
        return why_text(post, asker.speaks, self.services.settings)

    async def ban(self, asker: Asker, rest: str, now: datetime) -> str:
        match = re.fullmatch(r"(\d{1,18})(?:\s+(\d{1,4}))?", rest)
        if not match:
            listed = ", ".join(str(row.person) for row in bans.banned(now)) or "—"
            return say("console_bans", asker.speaks, list=listed)
        until = now + timedelta(days=int(match[2])) if match[2] else None
        bans.ban(int(match[1]), now, until)
        zone = self.services.settings.zone
        text = (
            say("console_until", asker.speaks, until=moment(until, zone, asker.speaks))
            if until
            else say("console_forever", asker.speaks)
        )
        return say("console_banned", asker.speaks, person=match[1], until=text)

    async def unban(self, asker: Asker, rest: str, now: datetime) -> str:
        if rest.isdigit() and bans.lift(int(rest)):
            return say("console_unbanned", asker.speaks, person=rest)
        return await self.ban(asker, "", now)

    def _channels(self, rest: str) -> list[Channel]:
        wanted = rest.strip().removeprefix("@").lower()
        rows = Channel.select().where(Channel.state != "gone").order_by(Channel.handle)
        return [row for row in rows if wanted in ("", row.handle.lower())]

    def _no_channel(self, asker: Asker, rest: str) -> str:
        known = ", ".join(f"@{row.handle}" for row in self._channels("")) or "—"
        return say("console_no_channel", asker.speaks, channel=rest[:60] or "—", channels=known)


def chunks(text: str) -> list[str]:
    """A long text in parts that Telegram takes, cut between lines where that is possible."""
    parts, part = [], ""
    for line in text.splitlines():
        while len(line) > CHUNK:
            parts.append(part + line[:CHUNK])
            part, line = "", line[CHUNK:]
        if len(part) + len(line) + 1 > CHUNK:
            parts.append(part)
            part = ""
        part += line + "\n"
    return [p.strip("\n") for p in [*parts, part] if p.strip()]


def head_of(path: Path) -> str:
    """The report's beginning, as far as one message goes."""
    try:
        return chunks(path.read_text(encoding="utf-8"))[0]
    except (OSError, IndexError):
        return ""
