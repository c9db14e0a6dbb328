"""A world written down in JSON: who exists when the server starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .records import Channel, User

if TYPE_CHECKING:
    from .server import LoopbackTelegram


class WorldFileError(ValueError):
    """The file cannot be read or says something impossible; the message tells where."""


def load_world(server: LoopbackTelegram, path: Path) -> None:
    """Adds the users, bots, channels, groups and partners of a world file.

    ``{"users": [{"name", "username", "phone", "code"}], "bots": [{"name", "username", "token"}],
    "channels": [{"title", "username", "creator", "members", "reactions", "monoforum",
    "admins": [usernames], "posts": [texts]}], "groups": [...], "partners": [{"bot", "channel",
    "manner", "language"}]}``. Raises `WorldFileError`.
    """
    try:
        world = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorldFileError(f"{path}: {error}") from error
    known = {"users", "bots", "channels", "groups", "partners"}
    if not isinstance(world, dict) or set(world) - known:
        raise WorldFileError(f"{path}: expected an object with {', '.join(sorted(known))}")
    adders = {
        "users": _add_user,
        "bots": _add_bot,
        "channels": _add_channel,
        "groups": _add_group,
        "partners": _add_partner,
    }
    for section, add in adders.items():
        for number, entry in enumerate(world.get(section, [])):
            try:
                add(server, dict(entry))
            except (KeyError, TypeError, ValueError) as error:
                raise WorldFileError(f"{path}: {section}[{number}]: {error!r}") from error
    server.commit()


def _add_user(server: LoopbackTelegram, entry: dict[str, Any]) -> None:
    server.world.add_user(entry.pop("name"), **entry)


def _add_bot(server: LoopbackTelegram, entry: dict[str, Any]) -> None:
    server.world.add_bot(entry.pop("name"), **entry)


def _add_group(server: LoopbackTelegram, entry: dict[str, Any]) -> None:
    _add_channel(server, entry | {"megagroup": True})


def _add_channel(server: LoopbackTelegram, entry: dict[str, Any]) -> None:
    admins, posts = entry.pop("admins", []), entry.pop("posts", [])
    members = entry.pop("joined", [])
    creator = _user(server, entry.pop("creator"))
    channel = server.world.add_channel(entry.pop("title"), creator=creator, **entry)
    for name in admins:
        server.world.add_admin(channel, _user(server, name))
    for name in members:
        server.world.join(channel, _user(server, name))
    for text in posts:
        server.world.post_as(channel, text)


def _add_partner(server: LoopbackTelegram, entry: dict[str, Any]) -> None:
    channel = server.world.by_username(entry.pop("channel"))
    if not isinstance(channel, Channel):
        raise ValueError("no such channel")
    group = server.world.by_username(entry.pop("group", "")) if "group" in entry else None
    bot = _user(server, entry.pop("bot"))
    manner = entry.pop("manner", "polite")
    server.partners.add(
        bot, channel, manner, group=group if isinstance(group, Channel) else None, **entry
    )


def _user(server: LoopbackTelegram, name: str) -> User:
    found = server.world.by_username(name)
    if not isinstance(found, User):
        raise ValueError(f"no user {name!r}")
    return found
