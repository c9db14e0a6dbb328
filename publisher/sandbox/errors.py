"""What a handler raises to make the server answer with an RPC error."""

from __future__ import annotations


class RpcFailure(Exception):
    """An RPC error as Telegram words it, e.g. ``RpcFailure(400, "PEER_ID_INVALID")``."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


def bad(name: str) -> RpcFailure:
    return RpcFailure(400, name)


def forbidden(name: str) -> RpcFailure:
    return RpcFailure(403, name)


def flood_wait(seconds: int) -> RpcFailure:
    return RpcFailure(420, f"FLOOD_WAIT_{seconds}")
