"""The demo's one stranger: a person asks the bot for a meme and gets it, in the person's chat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from jobs.services import Services
from publisher.bot import Bot
from publisher.ledger.models import Wish
from publisher.sandbox import LoopbackTelegram
from publisher.sandbox import records as sandbox
from publisher.sandbox.demo_world import DemoWorld

TOPICS = {"ru": "кот и понедельник", "en": "my cat and Monday"}
PATIENCE_SECONDS = 90.0
ENDED = ("answered", "refused", "failed")


async def show_bot(
    services: Services,
    server: LoopbackTelegram,
    world: DemoWorld,
    out: Path,
    tell: Callable[[str], None],
) -> None:
    """Let the bot answer one wish; the chat as the person saw it is told and kept in bot.txt."""
    bot = Bot(services)
    await bot.start()
    language = services.settings.language
    person = server.world.add_user("Подписчик", lang_code=language)
    server.world.say(person, server.world.users[world.app_bot.id], TOPICS[language])
    patience = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < patience:
        await asyncio.sleep(0.1)  # the bot hears over a socket, in real time
        await bot.tick(services.clock())
        if Wish.select().where(Wish.state.in_(ENDED)).exists():
            break
    await bot.tick(services.clock())
    box = server.world.box(sandbox.Peer("user", person.id))
    chat = [line(message) for message in box.messages.values()]
    for said in chat:
        tell(said)
    (out / "bot.txt").write_text("\n".join(chat) + "\n", encoding="utf-8")


def line(message: sandbox.Message) -> str:
    """One message of the person's chat: who, what was said, whether there is a picture."""
    who = "→" if message.out else "←"
    said = " ".join(message.text.split())
    return f"{who} {said}{' [🖼]' if message.media else ''}"
