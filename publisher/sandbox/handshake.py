"""Creation of an authorization key (https://core.telegram.org/mtproto/auth_key), server side."""

from __future__ import annotations

import os
import secrets
import struct
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha1

import rsa
from telethon.crypto import AES, AuthKey
from telethon.crypto.rsa import _compute_fingerprint, get_byte_array
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions as fn
from telethon.tl import types as tl
from telethon.tl.tlobject import TLObject

# The 2048-bit safe prime that Telegram's own servers use; clients know it as good.
DH_PRIME = int(
    "c71caeb9c6b1c9048e6c522f70f13f73980d40238e3e21c14934d037563d930f"
    "48198a0aa7c14058229493d22530f4dbfa336f6e0ac925139543aed44cce7c37"
    "20fd51f69458705ac68cd4fe6b6b13abdc9746512969328454f18faf8c595f64"
    "2477fe96bb2a941d5bcd1d4ac8cc49880708fa9b378e3c4f3a9060bee67cf9a4"
    "a4a695811051907e162753b56b0f6b410dba74d8a84b2a14b3144e0ef1284754"
    "fd17ed950d5965b4b9dd46582db1178d169c6bc465b0d6ff9ca3928fef5b9ae4"
    "e418fc15e83ebea0f87fa9ff5eed70050ded2849f47bf959d956850ce929851f"
    "0d8115f635b105ee2e4e15d04b2454bf6f4fadf034b10403119cd8e3b92fcc5b",
    16,
)
DH_G = 3


@cache
def process_key() -> rsa.PrivateKey:
    """One RSA key for each process: servers without a state directory share it."""
    return new_key()


def new_key() -> rsa.PrivateKey:
    """A fresh 2048-bit key; ten times faster than ``rsa.newkeys``, which tries every number."""
    exponent = 65537
    while True:
        p, q = _prime(1024), _prime(1024)
        totient = (p - 1) * (q - 1)
        if p != q and totient % exponent:
            return rsa.PrivateKey(p * q, exponent, pow(exponent, -1, totient), p, q)


def _prime(bits: int) -> int:
    window = 1 << 13
    top = 0b11 << (bits - 2)  # both leading bits set: the product of two has all its bits
    while True:
        start = secrets.randbits(bits) | top | 1
        sieve = bytearray(b"\1") * window  # position i stands for start + 2 i
        for small in _SMALL_PRIMES:
            first = (-start * pow(2, -1, small)) % small
            sieve[first::small] = bytes(len(range(first, window, small)))
        for index in range(window):
            if sieve[index] and rsa.prime.is_prime(candidate := start + 2 * index):
                return int(candidate)


_SMALL_PRIMES = [n for n in range(3, 8000, 2) if rsa.prime.is_prime(n)]


def public_pem(key: rsa.PrivateKey) -> str:
    return rsa.PublicKey(key.n, key.e).save_pkcs1().decode()


@dataclass(frozen=True)
class NewKey:
    """What a finished exchange leaves: the key and the first salt (signed 64-bit)."""

    key: bytes
    salt: int


class HandshakeError(Exception):
    """The client broke the protocol; close the connection."""


class Handshake:
    """One exchange on one connection. Feed it plain messages; `finished` is set at the end."""

    def __init__(self, key: rsa.PrivateKey) -> None:
        self._rsa = key
        self._fingerprint = _compute_fingerprint(key)
        self._nonce = self._server_nonce = self._new_nonce = 0
        self._exponent = int.from_bytes(os.urandom(256), "big")
        self._pq = b""
        self.finished: NewKey | None = None

    def answer(self, request: TLObject) -> TLObject:
        if isinstance(request, fn.ReqPqMultiRequest | fn.ReqPqRequest):
            return self._res_pq(request)
        if isinstance(request, fn.ReqDHParamsRequest):
            return self._dh_params(request)
        if isinstance(request, fn.SetClientDHParamsRequest):
            return self._dh_gen(request)
        raise HandshakeError(f"{type(request).__name__} outside an encrypted session")

    def _res_pq(self, request: fn.ReqPqMultiRequest | fn.ReqPqRequest) -> TLObject:
        self._nonce = request.nonce
        self._server_nonce = int.from_bytes(os.urandom(16), "little", signed=True)
        self._pq = get_byte_array(rsa.prime.getprime(26) * rsa.prime.getprime(26))
        return tl.ResPQ(self._nonce, self._server_nonce, self._pq, [self._fingerprint])

    def _dh_params(self, request: fn.ReqDHParamsRequest) -> TLObject:
        self._check(request)
        if request.public_key_fingerprint != self._fingerprint:
            raise HandshakeError("unknown RSA key fingerprint")
        cipher = int.from_bytes(request.encrypted_data, "big")
        padded = self._rsa.blinded_decrypt(cipher).to_bytes(256, "big")[1:]
        inner = BinaryReader(padded[20:]).tgread_object()
        if padded[:20] != sha1(bytes(inner)).digest() or inner.pq != self._pq:
            raise HandshakeError("p_q_inner_data does not match its hash")
        self._new_nonce = inner.new_nonce
        answer = bytes(
            tl.ServerDHInnerData(
                nonce=self._nonce,
                server_nonce=self._server_nonce,
                g=DH_G,
                dh_prime=get_byte_array(DH_PRIME),
                g_a=get_byte_array(pow(DH_G, self._exponent, DH_PRIME)),
                server_time=int(time.time()),
            )
        )
        data = sha1(answer).digest() + answer
        data += os.urandom(-len(data) % 16)
        return tl.ServerDHParamsOk(
            self._nonce, self._server_nonce, AES.encrypt_ige(data, *self._temporary_key())
        )

    def _dh_gen(self, request: fn.SetClientDHParamsRequest) -> TLObject:
        self._check(request)
        data = AES.decrypt_ige(request.encrypted_data, *self._temporary_key())
        inner = BinaryReader(data[20:]).tgread_object()
        if data[:20] != sha1(bytes(inner)).digest():
            raise HandshakeError("client_DH_inner_data does not match its hash")
        g_b = int.from_bytes(inner.g_b, "big")
        if not 1 << 1984 <= g_b <= DH_PRIME - (1 << 1984):
            raise HandshakeError("g_b out of range")
        key = AuthKey(get_byte_array(pow(g_b, self._exponent, DH_PRIME)))
        nonces = (self._nonce, self._server_nonce)
        if len(key.key) < 256:
            # Clients disagree on padding a short key; a retry costs less than a broken session.
            return tl.DhGenRetry(*nonces, key.calc_new_nonce_hash(self._new_nonce, 2))
        new_nonce = self._new_nonce.to_bytes(32, "little", signed=True)
        server_nonce = self._server_nonce.to_bytes(16, "little", signed=True)
        salt = bytes(a ^ b for a, b in zip(new_nonce[:8], server_nonce[:8], strict=True))
        self.finished = NewKey(key.key, struct.unpack("<q", salt)[0])
        return tl.DhGenOk(*nonces, key.calc_new_nonce_hash(self._new_nonce, 1))

    def _temporary_key(self) -> tuple[bytes, bytes]:
        return generate_key_data_from_nonce(self._server_nonce, self._new_nonce)

    def _check(self, request: TLObject) -> None:
        if (request.nonce, request.server_nonce) != (self._nonce, self._server_nonce):
            raise HandshakeError("nonces of another exchange")
