"""Inline mode: a person types ``@bot query``, the bot offers results, one is sent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import bad
from ..records import PEER_KINDS, Media, Message, Peer, User
from ..rpc import Call, handles
from ..view import View
from .bots import ANSWER_TIMEOUT
from .files import stored_media
from .sending import (
    MAX_CAPTION,
    MAX_TEXT,
    checked_markup,
    checked_text,
    deliver,
    edit,
    find_repeated,
    sent,
    writable_peer,
)

if TYPE_CHECKING:
    from ..server import LoopbackTelegram

MAX_RESULTS = 50
REMEMBERED = 1000


@dataclass(frozen=True)
class Offer:
    """One result as the bot gave it, its media looked up and its message checked."""

    given: Any
    media: Media | None


@dataclass(frozen=True)
class Offers:
    bot_id: int
    offers: dict[str, Offer]
    request: Any


@handles(fn.messages.GetInlineBotResultsRequest, bots=False)
async def get_inline_results(call: Call, request: Any) -> Any:
    bot = call.user_of(request.bot)
    if not bot.bot:
        raise bad("BOT_INVALID")
    if not bot.inline:
        raise bad("BOT_INLINE_DISABLED")
    user = call.user
    query_id, waiting = call.server.queries.ask(user, bot)
    call.server.push_to(
        bot,
        lambda view: tl.UpdateBotInlineQuery(query_id, user.id, request.query, request.offset),
        user,
    )
    try:
        offers: Offers = await asyncio.wait_for(waiting, ANSWER_TIMEOUT)
    except TimeoutError:
        raise bad("BOT_RESPONSE_TIMEOUT") from None
    known = call.server.inline_offers
    known[query_id] = offers
    while len(known) > REMEMBERED:
        del known[next(iter(known))]
    view = call.view()
    results = [_result(view, offer) for offer in offers.offers.values()]
    return tl.messages.BotResults(
        query_id,
        results,
        offers.request.cache_time,
        view.users,
        gallery=offers.request.gallery,
        next_offset=offers.request.next_offset,
        switch_pm=offers.request.switch_pm,
    )


def _result(view: View, offer: Offer) -> Any:
    given = offer.given
    message = _message(given.send_message)
    if offer.media is None:
        fields = {"title": given.title, "description": given.description, "url": given.url}
        return tl.BotInlineResult(given.id, given.type, message, **fields)
    photo = view.photo(offer.media) if offer.media.kind == "photo" else None
    document = view.document(offer.media) if offer.media.kind == "document" else None
    return tl.BotInlineMediaResult(given.id, given.type, message, photo, document)


def _message(given: Any) -> Any:
    fields = {"entities": given.entities, "reply_markup": given.reply_markup}
    if isinstance(given, tl.InputBotInlineMessageText):
        return tl.BotInlineMessageText(given.message, **fields)
    return tl.BotInlineMessageMediaAuto(given.message, **fields)


@handles(fn.messages.SetInlineBotResultsRequest, users=False)
def set_inline_results(call: Call, request: Any) -> bool:
    if len(request.results) > MAX_RESULTS:
        raise bad("RESULTS_TOO_MUCH")
    offers: dict[str, Offer] = {}
    for given in request.results:
        if not given.id or given.id in offers:
            raise bad("RESULT_ID_DUPLICATE" if given.id else "RESULT_ID_INVALID")
        offers[given.id] = Offer(given, _checked_media(call, given))
    answer = Offers(call.user.id, offers, request)
    if not call.server.queries.answer(call.user, request.query_id, answer):
        raise bad("QUERY_ID_INVALID")
    return True


def _checked_media(call: Call, given: Any) -> Media | None:
    message = given.send_message
    match given:
        case tl.InputBotInlineResultPhoto():
            media: Media | None = stored_media(call, given.photo)
        case tl.InputBotInlineResultDocument():
            media = stored_media(call, given.document)
        case tl.InputBotInlineResult():
            media = None
        case _:
            raise bad("RESULT_TYPE_INVALID")
    if not isinstance(message, tl.InputBotInlineMessageText | tl.InputBotInlineMessageMediaAuto):
        raise bad("SEND_MESSAGE_TYPE_INVALID")
    checked_markup(call.user, message.reply_markup)
    if isinstance(message, tl.InputBotInlineMessageText):
        if not checked_text(message.message, message.entities, MAX_TEXT, "MESSAGE_TOO_LONG"):
            raise bad("MESSAGE_EMPTY")
        return None
    checked_text(message.message, message.entities, MAX_CAPTION, "MEDIA_CAPTION_TOO_LONG")
    return media


@handles(fn.messages.SendInlineBotResultRequest, bots=False)
def send_inline_result(call: Call, request: Any) -> Any:
    peer = writable_peer(call, request.peer)
    repeated = find_repeated(call, request.random_id)
    if repeated:
        return repeated
    offers = call.server.inline_offers.get(request.query_id)
    if offers is None:
        raise bad("QUERY_ID_INVALID")
    offer = offers.offers.get(request.id)
    if offer is None:
        raise bad("RESULT_ID_INVALID")
    written = offer.given.send_message
    bot: User = call.world.users[offers.bot_id]
    message = deliver(
        call,
        peer,
        request,
        written.message,
        offer.media,
        entities=written.entities,
        markup=checked_markup(bot, written.reply_markup),
        via_bot=bot.id,
    )
    user, given_id = call.user, request.id
    call.server.push_to(bot, lambda view: tl.UpdateBotInlineSend(user.id, "", given_id), user)
    return sent(call, [message])


def inline_message_id(server: LoopbackTelegram, bot: User, message: Message) -> Any:
    """By what a bot knows a message that was sent through it, wherever it lies."""
    box = message.box
    secret = server.world.access_hash(bot.id, f"inline {box.kind} {box.id}", message.id)
    return tl.InputBotInlineMessageID64(server.dc_id, box.id, message.id, secret)


@handles(fn.messages.EditInlineBotMessageRequest, users=False)
def edit_inline_message(call: Call, request: Any) -> bool:
    edit(call, _sent_through(call, request.id), request)
    return True


def _sent_through(call: Call, given: Any) -> Message:
    owner = getattr(given, "owner_id", 0)
    boxes = (call.world.boxes.get(Peer(kind, owner)) for kind in PEER_KINDS)
    for message in (box.messages.get(given.id) for box in boxes if box is not None):
        if message is not None and message.via_bot == call.user.id:
            known = inline_message_id(call.server, call.user, message)
            if known.access_hash == given.access_hash:
                return message
    raise bad("MESSAGE_ID_INVALID")
