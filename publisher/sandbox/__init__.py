"""A Telegram on 127.0.0.1: a real MTProto server to which the stock Telethon client connects."""

from .server import LoopbackTelegram

__all__ = ["LoopbackTelegram"]
