"""What can stand on the agenda, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import suggested

if TYPE_CHECKING:
    from .server import LoopbackTelegram


def source_post(server: LoopbackTelegram, channel_id: int, text: str, views: int) -> None:
    server.world.post_as(server.world.channels[channel_id], text, final_views=views)


ACTIONS: dict[str, Callable[..., Any]] = {
    "publish_suggestion": suggested.publish,
    "settle_suggestion": suggested.settle,
    "source_post": source_post,
    "partner_reads": lambda server, *args: server.partners.reads(*args),
    "partner_decides": lambda server, *args: server.partners.decides(*args),
    "partner_decides_offer": lambda server, *args: server.partners.decides_offer(*args),
    "partner_publishes": lambda server, *args: server.partners.publishes(*args),
}
