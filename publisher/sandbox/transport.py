"""The server's side of MTProto's TCP transports.

The framing follows https://core.telegram.org/mtproto/mtproto-transports: full (Telethon's
default), abridged, intermediate, padded intermediate, and any of the last three wrapped in
the obfuscated transport.
"""

from __future__ import annotations

import asyncio
import os
import random
import struct
from collections.abc import Callable
from zlib import crc32

from telethon.crypto import AESModeCTR

MAX_PACKET = 4 * 1024 * 1024


class TransportError(Exception):
    """The bytes are no MTProto packet; the connection can only be closed."""


class Stream:
    """A socket whose first bytes were already looked at, with optional AES-CTR on both sides."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._peeked = b""
        self._decrypt: Callable[[bytes], bytes] | None = None
        self._encrypt: Callable[[bytes], bytes] | None = None

    async def peek(self, count: int) -> bytes:
        if len(self._peeked) < count:
            self._peeked += await self._reader.readexactly(count - len(self._peeked))
        return self._peeked[:count]

    async def read(self, count: int) -> bytes:
        head, self._peeked = self._peeked[:count], self._peeked[count:]
        if len(head) < count:
            rest = await self._reader.readexactly(count - len(head))
            head += self._decrypt(rest) if self._decrypt else rest
        return head

    def write(self, data: bytes) -> None:
        self._writer.write(self._encrypt(data) if self._encrypt else data)

    def cipher(self, decrypt: AESModeCTR, encrypt: AESModeCTR) -> None:
        self._decrypt, self._encrypt = decrypt.encrypt, encrypt.encrypt


class Full:
    def __init__(self) -> None:
        self._sent = 0

    async def read(self, stream: Stream) -> bytes:
        head = await stream.read(8)
        length, _ = struct.unpack("<ii", head)
        if not 12 <= length <= MAX_PACKET:
            raise TransportError(f"packet length {length}")
        body = await stream.read(length - 8)
        if struct.unpack("<I", body[-4:])[0] != crc32(head + body[:-4]):
            raise TransportError("wrong checksum")
        return body[:-4]

    def write(self, stream: Stream, data: bytes) -> None:
        packet = struct.pack("<ii", len(data) + 12, self._sent) + data
        self._sent += 1
        stream.write(packet + struct.pack("<I", crc32(packet)))


class Abridged:
    async def read(self, stream: Stream) -> bytes:
        length = (await stream.read(1))[0]
        if length >= 127:
            length = int.from_bytes(await stream.read(3), "little")
        if length * 4 > MAX_PACKET:
            raise TransportError(f"packet length {length * 4}")
        return await stream.read(length * 4)

    def write(self, stream: Stream, data: bytes) -> None:
        words = len(data) >> 2
        head = bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")
        stream.write(head + data)


class Intermediate:
    def __init__(self, padded: bool = False) -> None:
        self._padded = padded

    async def read(self, stream: Stream) -> bytes:
        length = int.from_bytes(await stream.read(4), "little")
        if length > MAX_PACKET:
            raise TransportError(f"packet length {length}")
        data = await stream.read(length)
        return data[: len(data) - len(data) % 4]

    def write(self, stream: Stream, data: bytes) -> None:
        if self._padded:
            data += os.urandom(random.randint(0, 3))
        stream.write(struct.pack("<I", len(data)) + data)


Codec = Full | Abridged | Intermediate


async def accept(stream: Stream) -> Codec:
    """Reads what the client sends first and answers which framing it speaks."""
    if (await stream.peek(1)) == b"\xef":
        await stream.read(1)
        return Abridged()
    start = await stream.peek(4)
    if start in (b"\xee" * 4, b"\xdd" * 4):
        await stream.read(4)
        return Intermediate(padded=start[0] == 0xDD)
    if (await stream.peek(8))[4:] == bytes(4):
        return Full()
    return await _deobfuscate(stream)


async def _deobfuscate(stream: Stream) -> Codec:
    header = await stream.read(64)
    backwards = header[55:7:-1]
    decrypt = AESModeCTR(header[8:40], header[40:56])
    encrypt = AESModeCTR(bytes(backwards[:32]), bytes(backwards[32:48]))
    tag = decrypt.encrypt(header)[56:60]
    stream.cipher(decrypt, encrypt)
    if tag == b"\xef" * 4:
        return Abridged()
    if tag in (b"\xee" * 4, b"\xdd" * 4):
        return Intermediate(padded=tag[0] == 0xDD)
    raise TransportError("unknown transport")
