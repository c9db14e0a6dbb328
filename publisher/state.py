"""How the channel stands: for `publisher status` and for the owner's console."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psutil
from peewee import fn

from jobs.services import Services
from publisher.blinding import blinded
from publisher.ledger.models import (
    Account,
    Alert,
    Block,
    Channel,
    JobRun,
    Meme,
    Post,
    Slot,
    Snapshot,
    Source,
)
from publisher.local_time import local_time, moment
from publisher.sentences import in_language, recalled
from publisher.wording import say_of, word


def state_of(services: Services, now: datetime) -> dict[str, Any]:
    """Everything a person asks for first; times are UTC ISO strings, `zone` is the owner's.

    The arm of what waits for approval is None: the owner is not to know it.
    """
    stock: Any = (
        Meme.select(Meme.origin, Meme.language, fn.COUNT(Meme.id))
        .where(Meme.state == "ready")
        .group_by(Meme.origin, Meme.language)
        .tuples()
    )
    return {
        "now": now.isoformat(),
        "zone": services.settings.zone,
        "next": [_slot(services, slot) for slot in _next_slots(now)],
        "last": [_post(p) for p in _last_posts()],
        "posts": _counts(Post),
        "unclear": Post.select().where(Post.state == "sending").count(),
        "memes": [
            {"origin": origin, "language": language, "ready": count}
            for origin, language, count in stock
        ],
        "pairs": {
            "planned": Block.select().count(),
            "assigned": Block.select().where(Block.coin.is_null(False)).count(),
        },
        "accounts": [
            {
                "name": a.name,
                "state": a.state,
                "reason": a.reason,
                "waits_until": a.wait_until.isoformat()
                if a.wait_until and a.wait_until > now
                else None,
            }
            for a in Account.select()
        ],
        "channels": [
            {"handle": c.handle, "state": c.state, "reason": c.reason, "paused": c.paused}
            for c in Channel.select()
        ],
        "sources_failing": [
            {"source": s.key, "error": s.error} for s in Source.select().where(Source.error != "")
        ],
        "alerts": [
            {"code": a.code, "facts": a.facts, "since": a.raised_at.isoformat()}
            for a in Alert.select()
            .where(Alert.cured_at.is_null() & (Alert.code != "report_ready"))
            .order_by(Alert.id)
        ],
        "jobs_failed_today": _failed_jobs(now),
        "memory_mb": round(psutil.Process().memory_info().rss / 2**20),
        "simulated": services.not_real,
    }


def _counts(model: Any) -> dict[str, int]:
    rows = model.select(model.state, fn.COUNT(model.id)).group_by(model.state).tuples()
    return {state: count for state, count in rows}


def _next_slots(now: datetime) -> list[Slot]:
    return list(
        Slot.select(Slot, Channel)
        .join(Channel)
        .where((Slot.at > now) & Slot.state.in_(("planned", "assigned")))
        .order_by(Slot.at)
        .limit(6)
    )


def _slot(services: Services, slot: Slot) -> dict[str, Any]:
    post = Post.get_or_none(Post.slot == slot)
    return {
        "post": post.id if post else None,
        "channel": slot.channel.handle,
        "at": slot.at.isoformat(),
        "arm": None if blinded(services.settings, slot) else slot.arm,
        "state": slot.state,
    }


def _last_posts() -> list[Post]:
    return list(
        Post.select(Post, Channel)
        .join(Channel)
        .where(Post.state.in_(("published", "failed", "expired")))
        .order_by(Post.due_at.desc())
        .limit(5)
    )


def _post(post: Post) -> dict[str, Any]:
    newest = (
        Snapshot.select().where(Snapshot.post == post).order_by(Snapshot.age_hours.desc()).first()
    )
    return {
        "post": post.id,
        "channel": post.channel.handle,
        "due": post.due_at.isoformat(),
        "state": post.state,
        "error": post.error,
        "views": newest.views if newest else None,
        "likes": newest.likes if newest else None,
        "dislikes": newest.dislikes if newest else None,
    }


def _failed_jobs(now: datetime) -> dict[str, int]:
    rows: Any = (
        JobRun.select(JobRun.job, fn.COUNT(JobRun.id))
        .where((JobRun.ok == False) & (JobRun.started_at > now - timedelta(days=1)))  # noqa: E712
        .group_by(JobRun.job)
        .tuples()
    )
    return {job: count for job, count in rows}


TITLES = {
    "ru": {
        "now": "Сейчас",
        "next": "Дальше",
        "last": "Недавно",
        "memes": "Мемы в запасе",
        "pairs": "Пары эксперимента",
        "accounts": "Аккаунты",
        "channels": "Каналы",
        "alerts": "Требует внимания",
        "nothing": "ничего",
        "failed": "Задачи с ошибками за сутки",
        "sources": "Источники с ошибками",
        "memory": "Память",
        "megabytes": "МБ",
    },
    "en": {
        "now": "Now",
        "next": "Next",
        "last": "Lately",
        "memes": "Memes in stock",
        "pairs": "Pairs of the experiment",
        "accounts": "Accounts",
        "channels": "Channels",
        "alerts": "Needs attention",
        "nothing": "nothing",
        "failed": "Jobs failed in a day",
        "sources": "Failing sources",
        "memory": "Memory",
        "megabytes": "MB",
    },
}


def state_text(state: dict[str, Any], language: str) -> str:
    """The same for a person."""
    t, now, zone = TITLES[language], datetime.fromisoformat(state["now"]), state["zone"]
    lines = [f"{t['now']}: {moment(now, zone, language)}", f"{t['next']}:"]
    lines += [_next_line(slot, zone, language) for slot in state["next"]] or [f"  {t['nothing']}"]
    lines.append(f"{t['last']}:")
    lines += [_last_line(post, zone, language) for post in state["last"]]
    stock = ", ".join(
        f"{word('arm', m['origin'], language)} ({m['language']}) {m['ready']}"
        for m in state["memes"]
    )
    lines.append(f"{t['memes']}: {stock or t['nothing']}")
    pairs = state["pairs"]
    lines.append(f"{t['pairs']}: {pairs['assigned']}/{pairs['planned']}")
    accounts = ", ".join(_account(account, zone, language) for account in state["accounts"])
    lines.append(f"{t['accounts']}: {accounts}")
    channels = ", ".join(
        f"@{c['handle']} {word('state', 'paused' if c['paused'] else c['state'], language)}"
        for c in state["channels"]
    )
    lines.append(f"{t['channels']}: {channels or t['nothing']}")
    if failed := ", ".join(f"{job} {count}" for job, count in state["jobs_failed_today"].items()):
        lines.append(f"{t['failed']}: {failed}")
    for source in state["sources_failing"]:
        lines.append(f"{t['sources']}: {source['source']}: {_said(source['error'], language)}")
    for a in state["alerts"]:
        lines.append(f"{t['alerts']}: {say_of(a['code'], language, a['facts'])}")
    lines.append(f"{t['memory']}: {state['memory_mb']} {t['megabytes']}")
    return "\n".join(lines)


def _next_line(slot: dict[str, Any], zone: str, language: str) -> str:
    number = f"#{slot['post']}  " if slot["post"] else ""
    arm = word("arm", slot["arm"], language) if slot["arm"] else "—"
    return f"  {_local(slot['at'], zone)}  {number}@{slot['channel']}  {arm}"


def _last_line(post: dict[str, Any], zone: str, language: str) -> str:
    parts = [word("state", post["state"], language)]
    if post["views"] is not None:
        parts.append(f"👁 {post['views']} 👍 {post['likes']} 👎 {post['dislikes']}")
    if post["error"]:
        parts.append(_said(post["error"], language))
    told = "  ".join(parts)
    return f"  {_local(post['due'], zone)}  #{post['post']}  @{post['channel']}  {told}"


def _account(account: dict[str, Any], zone: str, language: str) -> str:
    said = f"{word('account', account['name'], language)} "
    said += word("state", account["state"], language)
    if account["reason"]:
        said += f" ({_said(account['reason'], language)})"
    if account["waits_until"]:
        said += f" → {_local(account['waits_until'], zone)}"
    return said


def _local(at: str, zone: str) -> str:
    return local_time(datetime.fromisoformat(at), zone)


def _said(kept: str, language: str) -> str:
    return in_language(recalled(kept or ""), language)
