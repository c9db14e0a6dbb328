"""Bots: commands, inline buttons and their answers."""

from __future__ import annotations

import asyncio
from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import Message, User
from ..rpc import Call, handles
from .sending import find_repeated, sent

ANSWER_TIMEOUT = 15.0  # real seconds a client waits for a bot


@handles(fn.bots.SetBotCommandsRequest, users=False)
def set_bot_commands(call: Call, request: Any) -> bool:
    call.user.commands = list(request.commands)
    call.world.save(call.user)
    return True


@handles(fn.bots.ResetBotCommandsRequest, users=False)
def reset_bot_commands(call: Call, _: Any) -> bool:
    call.user.commands = []
    call.world.save(call.user)
    return True


@handles(fn.bots.GetBotCommandsRequest, users=False)
def get_bot_commands(call: Call, _: Any) -> Any:
    return list(call.user.commands)


@handles(fn.messages.GetBotCallbackAnswerRequest, bots=False)
async def get_bot_callback_answer(call: Call, request: Any) -> Any:
    peer = call.peer(request.peer)
    message = call.box(peer).messages.get(request.msg_id)
    if message is None or message.peer != peer:
        raise bad("MESSAGE_ID_INVALID")
    bot = _bot_of(call, message)
    if request.data is None or request.data not in _button_data(message):
        raise bad("DATA_INVALID")
    query_id, waiting = call.server.queries.ask(call.user, bot)
    call.server.press(bot, call.user, message, query_id, request.data)
    return await _answer(waiting)


async def _answer(waiting: asyncio.Future[Any]) -> Any:
    try:
        return await asyncio.wait_for(waiting, ANSWER_TIMEOUT)
    except TimeoutError:
        raise bad("BOT_RESPONSE_TIMEOUT") from None


def _bot_of(call: Call, message: Message) -> User:
    bot = call.world.users.get(message.via_bot or message.sender or message.real_author or 0)
    if bot is None or not bot.bot:
        raise bad("MESSAGE_ID_INVALID")
    return bot


def _button_data(message: Message) -> set[bytes]:
    rows = getattr(message.markup, "rows", ())
    return {b.type.data for row in rows for b in row.buttons if hasattr(b.type, "data")}


@handles(fn.messages.SetBotCallbackAnswerRequest, users=False)
def set_bot_callback_answer(call: Call, request: Any) -> bool:
    text = request.message or ""
    if len(text) > 200:
        raise bad("MESSAGE_TOO_LONG")
    answer = tl.messages.BotCallbackAnswer(
        request.cache_time,
        alert=request.alert or None,
        has_url=bool(request.url) or None,
        native_ui=True,
        message=request.message,
        url=request.url,
    )
    if not call.server.queries.answer(call.user, request.query_id, answer):
        raise bad("QUERY_ID_INVALID")
    return True


@handles(fn.messages.StartBotRequest, bots=False)
def start_bot(call: Call, request: Any) -> Any:
    bot = call.user_of(request.bot)
    if not bot.bot:
        raise bad("BOT_INVALID")
    repeated = find_repeated(call, request.random_id)
    if repeated:
        return repeated
    text = f"/start {request.start_param}".strip()
    message = call.world.create_private(call.user, bot, text=text, random_id=request.random_id)
    call.world.remember(call.user, request.random_id, message)
    return sent(call, [message])
