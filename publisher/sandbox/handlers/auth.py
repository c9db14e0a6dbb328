"""Signing in and out, and what a client asks before that."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from telethon.tl import functions as fn
from telethon.tl import types as tl

from ..errors import RpcFailure, bad
from ..records import User
from ..rpc import Call, handles
from ..srp import Challenge

CODE_LIFE = timedelta(minutes=10)
CODE_ATTEMPTS = 5


@handles(fn.help.GetConfigRequest, anonymous=True)
def get_config(call: Call, _: Any) -> Any:
    host, port = call.server.address
    now = call.world.now()
    return tl.Config(
        now,
        now + timedelta(hours=1),
        test_mode=False,
        this_dc=call.server.dc_id,
        dc_options=[tl.DcOption(call.server.dc_id, host, port)],
        dc_txt_domain_name="",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=1024,
        message_length_max=4096,
        webfile_dc_id=call.server.dc_id,
    )


@handles(fn.help.GetNearestDcRequest, anonymous=True)
def get_nearest_dc(call: Call, _: Any) -> Any:
    return tl.NearestDc("RU", call.server.dc_id, call.server.dc_id)


@handles(fn.help.GetAppConfigRequest, anonymous=True)
def get_app_config(call: Call, _: Any) -> Any:
    values = {
        "caption_length_limit_default": 1024,
        "reactions_user_max_default": 1,
        "stars_suggested_post_amount_min": 5,
        "stars_suggested_post_amount_max": 100_000,
        "stars_suggested_post_age_min": 86_400,
        "stars_suggested_post_future_min": 300,
        "stars_suggested_post_future_max": 2_678_400,
    }
    numbers = [tl.JsonObjectValue(k, tl.JsonNumber(float(v))) for k, v in values.items()]
    return tl.help.AppConfig(1, tl.JsonObject(numbers))


@handles(fn.auth.SendCodeRequest, fn.auth.ResendCodeRequest, anonymous=True)
def send_code(call: Call, request: Any) -> Any:
    if isinstance(request, fn.auth.SendCodeRequest) and not request.api_hash:
        raise bad("API_ID_INVALID")
    user = _user_of_phone(call, request.phone_number)
    digest = hashlib.sha256(f"{user.id} {call.session.key_id}".encode()).hexdigest()[:18]
    call.server.codes[digest] = (user.id, call.world.now(), CODE_ATTEMPTS)
    return tl.auth.SentCode(tl.auth.SentCodeTypeApp(len(user.code or "12345")), digest, timeout=60)


def _user_of_phone(call: Call, phone: str) -> User:
    digits = "".join(c for c in phone if c.isdigit())
    if not 7 <= len(digits) <= 15:
        raise bad("PHONE_NUMBER_INVALID")
    user = call.world.user_by_phone(digits)
    if user is None:
        # Signing up is closed, as it is for third-party clients.
        raise bad("PHONE_NUMBER_UNOCCUPIED")
    if user.id in call.server.banned_phones:
        raise bad("PHONE_NUMBER_BANNED")
    return user


@handles(fn.auth.SignInRequest, anonymous=True)
def sign_in(call: Call, request: Any) -> Any:
    user = _user_of_phone(call, request.phone_number)
    if not request.phone_code:
        raise bad("PHONE_CODE_EMPTY")
    user_id, sent_at, left = call.server.codes.get(request.phone_code_hash, (0, None, 0))
    if user_id != user.id or sent_at is None:
        raise bad("PHONE_CODE_EXPIRED")
    if left <= 0 or call.world.now() - sent_at > CODE_LIFE:
        del call.server.codes[request.phone_code_hash]
        raise bad("PHONE_CODE_EXPIRED")
    if request.phone_code != user.code:
        call.server.codes[request.phone_code_hash] = (user_id, sent_at, left - 1)
        raise bad("PHONE_CODE_INVALID")
    del call.server.codes[request.phone_code_hash]
    if user.password:
        call.server.half_signed[call.session.key_id] = user.id
        raise RpcFailure(401, "SESSION_PASSWORD_NEEDED")
    return _signed_in(call, user)


@handles(fn.account.GetPasswordRequest, anonymous=True)
def get_password(call: Call, _: Any) -> Any:
    user = _half_signed(call)
    if user is None or not user.password:
        return Challenge.none()
    challenge = call.server.challenges[call.session.key_id] = Challenge(user.password)
    return challenge.question()


@handles(fn.auth.CheckPasswordRequest, anonymous=True)
def check_password(call: Call, request: Any) -> Any:
    user = _half_signed(call)
    challenge = call.server.challenges.pop(call.session.key_id, None)
    if user is None or challenge is None:
        raise bad("SRP_ID_INVALID")
    if not challenge.verify(request.password):
        raise bad("PASSWORD_HASH_INVALID")
    return _signed_in(call, user)


def _half_signed(call: Call) -> User | None:
    user_id = call.server.half_signed.get(call.session.key_id)
    return call.world.users.get(user_id or 0) or call.user_or_none


@handles(fn.auth.ImportBotAuthorizationRequest, anonymous=True)
def import_bot(call: Call, request: Any) -> Any:
    user = call.world.user_by_token(request.bot_auth_token)
    if user is None:
        raise bad("ACCESS_TOKEN_INVALID")
    return _signed_in(call, user)


def _signed_in(call: Call, user: User) -> Any:
    call.server.half_signed.pop(call.session.key_id, None)
    call.key.user_id = user.id
    call.server.keys.save(call.key)
    date = call.world.now().isoformat()
    call.world.journal.add("signed_in", f"user:{user.id}", date, sender=user.id)
    return tl.auth.Authorization(call.view().user(user.id))


@handles(fn.auth.LogOutRequest)
def log_out(call: Call, _: Any) -> Any:
    call.key.user_id = None
    call.server.keys.save(call.key)
    return tl.auth.LoggedOut()


@handles(fn.account.UpdateStatusRequest)
def update_status(call: Call, _: Any) -> bool:
    return True
