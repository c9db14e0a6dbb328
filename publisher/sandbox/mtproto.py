"""MTProto 2.0 on one connection: decryption, sessions, service messages, replies.

What is a query is handed to the `Answerer`; everything else of
https://core.telegram.org/mtproto/service_messages is settled here. Message ids are made from
real time, whatever the world's clock says: clients check them against their own.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import struct
import time
from hashlib import sha256
from typing import Protocol

from telethon.crypto import AES
from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import functions as fn
from telethon.tl import types as tl
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.tlobject import TLObject, TLRequest

from . import transport
from .handshake import Handshake, HandshakeError
from .keys import Keys, KeyState, Query, Session

log = logging.getLogger(__name__)

RPC_RESULT = 0xF35C6D01
REMEMBERED_QUERIES = 2000
REMEMBERED_BYTES = 64 * 1024  # of one answer
TOO_OLD, TOO_NEW = 300, 30  # seconds a client's message id may differ from our clock
ACK_AFTER = 0.5  # seconds; an answer within them is acknowledgement enough
GZIP_ABOVE = 512
CONTAINER_BYTES = 512 * 1024


class Answerer(Protocol):
    """What a connection needs of the server."""

    keys: Keys

    async def answer(
        self, connection: Connection, session: Session, msg_id: int, request: TLRequest
    ) -> bytes | None: ...


class Connection:
    """One TCP connection of one client."""

    def __init__(
        self, server: Answerer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._server = server
        self._stream = transport.Stream(reader, writer)
        self._writer = writer
        self._codec: transport.Codec | None = None
        self._handshake: Handshake | None = None
        self._key: KeyState | None = None
        self._key_id = 0
        self._outbox: list[tuple[Session, bytes, bool, bool]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ping_timer: asyncio.TimerHandle | None = None
        self._newest: Session | None = None

    async def serve(self) -> None:
        """Reads packets until the client goes; never raises for what a client sends."""
        try:
            self._codec = await transport.accept(self._stream)
            while True:
                self._packet(await self._codec.read(self._stream))
                await self._writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except (transport.TransportError, HandshakeError, struct.error, BufferError) as error:
            log.warning("closing a connection: %s", error)
        except Exception:
            log.exception("closing a connection")
        finally:
            self.close()

    def close(self, abort: bool = False) -> None:
        if self._ping_timer:
            self._ping_timer.cancel()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        if abort:
            self._writer.transport.abort()
        else:
            self._writer.close()

    @property
    def closed(self) -> bool:
        return self._writer.is_closing()

    # Incoming

    def _packet(self, data: bytes) -> None:
        key_id = struct.unpack_from("<Q", data)[0]
        if key_id == 0:
            self._plain(data)
            return
        self._key, self._key_id = self._server.keys.find(key_id), key_id
        if self._key is None:
            self._write(struct.pack("<i", -404))
            self.close()
            return
        self._encrypted(data)

    def _plain(self, data: bytes) -> None:
        length = struct.unpack_from("<i", data, 16)[0]
        try:
            request = BinaryReader(data[20 : 20 + length]).tgread_object()
        except TypeNotFoundError as error:
            raise HandshakeError(str(error)) from error
        if isinstance(request, tl.MsgsAck):
            return
        if isinstance(request, fn.ReqPqMultiRequest | fn.ReqPqRequest):
            self._handshake = self._server.keys.new_handshake()
        if self._handshake is None:
            raise HandshakeError(f"{type(request).__name__} outside an encrypted session")
        body = bytes(self._handshake.answer(request))
        if self._handshake.finished:
            self._server.keys.add(self._handshake.finished)
            self._handshake = None
        msg_id = int(time.time() * (1 << 32)) & ~3 | 1
        self._write(struct.pack("<qqi", 0, msg_id, len(body)) + body)

    def _encrypted(self, data: bytes) -> None:
        assert self._key is not None
        msg_key = data[8:24]
        key = self._key.key
        plain = AES.decrypt_ige(data[24:], *MTProtoState._calc_key(key, msg_key, True))
        if sha256(key[88:120] + plain).digest()[8:24] != msg_key:
            raise transport.TransportError("msg_key does not match the message")
        salt, session_id, msg_id, seq, length = struct.unpack_from("<qqqii", plain)
        session, created = self._server.keys.session(self._key_id, session_id)
        self._attach(session, created)
        error = _bad_msg_id(msg_id)
        if error:
            self._send(session, tl.BadMsgNotification(msg_id, seq, error), content=False)
            return
        if salt != self._key.salt:
            notice = tl.BadServerSalt(msg_id, seq, 48, self._key.salt)
            self._send(session, notice, content=False)
            return
        if created:
            unique = struct.unpack("<q", os.urandom(8))[0]
            self._send(session, tl.NewSessionCreated(msg_id, unique, self._key.salt))
        self._body(session, msg_id, plain[32 : 32 + length])

    def _attach(self, session: Session, created: bool) -> None:
        """Updates go to the newest session here: a client that reconnects begins a new one, and
        may yet send a packet it had sealed for the old one, which it can no longer read."""
        if self._newest is not None and self._newest is not session:
            if not created:
                return
            if self._newest.connection is self:
                self._newest.connection = None
        self._newest = session
        session.connection = self

    def _body(self, session: Session, msg_id: int, body: bytes) -> None:
        constructor = struct.unpack_from("<I", body)[0]
        if constructor == MessageContainer.CONSTRUCTOR_ID:
            position = 8
            for _ in range(struct.unpack_from("<i", body, 4)[0]):
                inner_id, _, length = struct.unpack_from("<qii", body, position)
                position += 16
                self._body(session, inner_id, body[position : position + length])
                position += length
            return
        if constructor == GzipPacked.CONSTRUCTOR_ID:
            self._body(session, msg_id, GzipPacked.read(BinaryReader(body)))
            return
        try:
            obj = BinaryReader(body).tgread_object()
        except TypeNotFoundError as error:
            name = f"INPUT_METHOD_INVALID_{error.invalid_constructor_id}"
            log.warning("unknown constructor %08x", error.invalid_constructor_id)
            self._send_raw(session, rpc_error(msg_id, 400, name), reply=True)
            return
        self._message(session, msg_id, obj)

    def _message(self, session: Session, msg_id: int, obj: TLObject) -> None:
        if isinstance(obj, tl.MsgsAck | tl.MsgsStateInfo | tl.MsgsAllInfo | tl.HttpWait):
            return
        service = self._service_answer(session, msg_id, obj)
        if service is not None:
            self._send(session, service, content=False, reply=True)
            return
        known = session.queries.get(msg_id)
        if known:  # asked again: never executed twice
            if known.answer is not None:
                self._send_raw(session, known.answer, reply=True)
            return
        query = session.queries[msg_id] = Query()
        while len(session.queries) > REMEMBERED_QUERIES:
            session.queries.popitem(last=False)
        task = asyncio.create_task(self._query(session, msg_id, query, obj))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _service_answer(self, session: Session, msg_id: int, obj: TLObject) -> TLObject | None:
        match obj:
            case fn.PingRequest():
                return tl.Pong(msg_id, obj.ping_id)
            case fn.PingDelayDisconnectRequest():
                if self._ping_timer:
                    self._ping_timer.cancel()
                loop = asyncio.get_running_loop()
                self._ping_timer = loop.call_later(obj.disconnect_delay, self.close)
                return tl.Pong(msg_id, obj.ping_id)
            case fn.GetFutureSaltsRequest():
                assert self._key is not None
                now = int(time.time())
                salt = tl.FutureSalt(now, now + 86400, self._key.salt)
                return tl.FutureSalts(msg_id, now, [salt])
            case tl.MsgsStateReq():
                known = "".join(chr(4 if i in session.queries else 1) for i in obj.msg_ids)
                return tl.MsgsStateInfo(msg_id, known)
            case tl.MsgResendReq():
                for wanted in obj.msg_ids:
                    query = session.queries.get(wanted)
                    if query and query.answer is not None:
                        self._send_raw(session, query.answer, reply=True)
                known = "".join(chr(4 if i in session.queries else 1) for i in obj.msg_ids)
                return tl.MsgsStateInfo(msg_id, known)
            case fn.DestroySessionRequest():
                dropped = self._server.keys.drop_session(self._key_id, obj.session_id)
                kind = tl.DestroySessionOk if dropped else tl.DestroySessionNone
                return kind(obj.session_id)
            case fn.DestroyAuthKeyRequest():
                self._server.keys.drop(self._key_id)
                return tl.DestroyAuthKeyOk()
            case fn.RpcDropAnswerRequest():
                return tl.RpcAnswerUnknown()
        return None

    async def _query(self, session: Session, msg_id: int, query: Query, obj: TLRequest) -> None:
        while isinstance(obj, fn.InvokeAfterMsgRequest | fn.InvokeAfterMsgsRequest):
            after = [obj.msg_id] if isinstance(obj, fn.InvokeAfterMsgRequest) else obj.msg_ids
            for other in after:
                if (awaited := session.queries.get(other)) is not None:
                    await awaited.done.wait()
            obj = obj.query
        ack = asyncio.get_running_loop().call_later(
            ACK_AFTER, self._send, session, tl.MsgsAck([msg_id]), False
        )
        try:
            query.answer = await self._server.answer(self, session, msg_id, obj)
        finally:
            ack.cancel()
            query.done.set()
        if query.answer is not None:
            self._send_raw(session, query.answer, reply=True)
        if query.answer is None or len(query.answer) > REMEMBERED_BYTES:
            # It had no effect, or was a large read: may be executed when asked again.
            session.queries.pop(msg_id, None)

    # Outgoing

    def push(self, session: Session, update: TLObject) -> None:
        """Sends an update that nobody asked for."""
        try:
            self._send(session, update)
        except Exception:  # a bad update must not undo the call that caused it
            log.exception("cannot push %s", type(update).__name__)

    def _send(
        self, session: Session, obj: TLObject, content: bool = True, reply: bool = False
    ) -> None:
        self._send_raw(session, bytes(obj), content, reply)

    def _send_raw(
        self, session: Session, body: bytes, content: bool = True, reply: bool = False
    ) -> None:
        if self.closed:
            return
        if not self._outbox:
            asyncio.get_running_loop().call_soon(self._flush)
        self._outbox.append((session, body, content, reply))

    def _flush(self) -> None:
        outbox, self._outbox = self._outbox, []
        batch: list[tuple[bytes, bool, bool]] = []
        size = 0
        for i, (session, body, content, reply) in enumerate(outbox):
            batch.append((body, content, reply))
            size += len(body)
            last = i + 1 == len(outbox) or outbox[i + 1][0] is not session
            if last or size > CONTAINER_BYTES or len(batch) == 50:
                self._write_batch(session, batch)
                batch, size = [], 0

    def _write_batch(self, session: Session, batch: list[tuple[bytes, bool, bool]]) -> None:
        messages = [
            struct.pack("<qii", session.next_msg_id(reply), session.next_seq(content), len(body))
            + body
            for body, content, reply in batch
        ]
        data = messages[0]
        if len(messages) > 1:
            inner = struct.pack("<Ii", MessageContainer.CONSTRUCTOR_ID, len(messages))
            inner += b"".join(messages)
            head = struct.pack(
                "<qii", session.next_msg_id(True), session.next_seq(False), len(inner)
            )
            data = head + inner
        self._write_encrypted(session, data)

    def _write_encrypted(self, session: Session, data: bytes) -> None:
        if self._key is None or self.closed:
            return
        data = struct.pack("<qq", self._key.salt, session.id) + data
        data += os.urandom(-(len(data) + 12) % 16 + 12)
        key = self._key.key
        msg_key = sha256(key[96:128] + data).digest()[8:24]
        aes = MTProtoState._calc_key(key, msg_key, False)
        self._write(struct.pack("<Q", self._key_id) + msg_key + AES.encrypt_ige(data, *aes))

    def _write(self, data: bytes) -> None:
        if self._codec is not None and not self.closed:
            self._codec.write(self._stream, data)


def _bad_msg_id(msg_id: int) -> int:
    """The error code of bad_msg_notification for a client's message id, 0 if it is good."""
    if msg_id % 4:
        return 18
    age = time.time() - (msg_id >> 32)
    if age > TOO_OLD:
        return 16
    return 17 if -age > TOO_NEW else 0


def rpc_error(msg_id: int, code: int, name: str) -> bytes:
    return struct.pack("<Iq", RPC_RESULT, msg_id) + bytes(tl.RpcError(code, name))


def rpc_result(msg_id: int, body: bytes, compress: bool = True) -> bytes:
    """An rpc_result around a serialised answer, gzipped when that makes it smaller."""
    if compress and len(body) > GZIP_ABOVE:
        packed = struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(
            gzip.compress(body, compresslevel=5)
        )
        body = min(body, packed, key=len)
    return struct.pack("<Iq", RPC_RESULT, msg_id) + body
