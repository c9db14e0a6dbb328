"""The server's side of two-step verification (https://core.telegram.org/api/srp)."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from typing import Any

from telethon.password import compute_hash
from telethon.tl import types as tl

from .handshake import DH_PRIME

G = 3
ALGORITHM = tl.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow


def _pad(number: int) -> bytes:
    return number.to_bytes(256, "big")


def _hash(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


class Challenge:
    """One question and its answer; every question has its own salts and its own B."""

    def __init__(self, password: str) -> None:
        self._algorithm = ALGORITHM(os.urandom(8), os.urandom(16), G, _pad(DH_PRIME))
        self._verifier = pow(
            G, int.from_bytes(compute_hash(self._algorithm, password), "big"), DH_PRIME
        )
        self._secret = secrets.randbits(2048)
        self._k = int.from_bytes(_hash(_pad(DH_PRIME), _pad(G)), "big")
        self._b = (self._k * self._verifier + pow(G, self._secret, DH_PRIME)) % DH_PRIME
        self._id = secrets.randbits(62)

    def question(self) -> Any:
        return _password(
            has_password=True, current_algo=self._algorithm, srp_B=_pad(self._b), srp_id=self._id
        )

    @staticmethod
    def none() -> Any:
        return _password()

    def verify(self, answer: Any) -> bool:
        if not isinstance(answer, tl.InputCheckPasswordSRP) or answer.srp_id != self._id:
            return False
        a = int.from_bytes(answer.A, "big")
        if not 0 < a < DH_PRIME:
            return False
        u = int.from_bytes(_hash(_pad(a), _pad(self._b)), "big")
        shared = pow(a * pow(self._verifier, u, DH_PRIME) % DH_PRIME, self._secret, DH_PRIME)
        key = _hash(_pad(shared))
        mixed = bytes(x ^ y for x, y in zip(_hash(_pad(DH_PRIME)), _hash(_pad(G)), strict=True))
        proof = _hash(
            mixed,
            _hash(self._algorithm.salt1),
            _hash(self._algorithm.salt2),
            _pad(a),
            _pad(self._b),
            key,
        )
        return secrets.compare_digest(proof, answer.M1)


def _password(**fields: Any) -> Any:
    return tl.account.Password(
        new_algo=ALGORITHM(os.urandom(8), os.urandom(16), G, _pad(DH_PRIME)),
        new_secure_algo=tl.SecurePasswordKdfAlgoUnknown(),
        secure_random=os.urandom(256),
        **fields,
    )
