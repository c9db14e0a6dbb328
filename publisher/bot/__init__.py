"""The public bot and the owner's console."""

from publisher.bot.service import Bot, serve_bot

__all__ = ["Bot", "serve_bot"]
