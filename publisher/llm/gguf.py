"""What a GGUF file says of itself, read without the native library.

llama.cpp can abort the whole process on a damaged file, so a file is read here first: magic,
version, metadata, and every tensor's extent against the file's size. Layout:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from publisher.llm.errors import ModelError
from publisher.sentences import words

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q",
            12: "d"}  # fmt: skip
_STRING, _ARRAY = 8, 9
_MAX_STRING = 64 << 20
_MAX_COUNT = 1 << 24
_DEFAULT_ALIGNMENT = 32

# ggml tensor type -> (elements in a block, bytes of a block)
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17),
}  # fmt: skip


@dataclass(frozen=True)
class Header:
    """Metadata (arrays are left out), and sizes in bytes."""

    metadata: dict[str, Any]
    tensors: int
    parameters: int
    file_bytes: int

    @property
    def architecture(self) -> str:
        return str(self.metadata.get("general.architecture", ""))

    @property
    def name(self) -> str:
        return str(self.metadata.get("general.name", "") or self.architecture)

    @property
    def chat_template(self) -> str:
        return str(self.metadata.get("tokenizer.chat_template", ""))

    def number(self, key: str, default: int) -> int:
        """The architecture's own whole number, such as `block_count`; `default` if not there."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        return value if isinstance(value, int) else default


def read_header(path: Path) -> Header:
    """Read and check a GGUF's header.

    Raises ModelError: no such file, not a GGUF, a version unknown here, a header cut short or
    nonsensical, or a file smaller than its tensors need (a download that broke off).
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(file, path, size)
    except FileNotFoundError:
        raise ModelError(
            words(
                "no model file at {path}: correct the path, or leave it out to use the embedded "
                "model",
                path=path,
            )
        ) from None
    except OSError as error:
        raise ModelError(
            words(
                "cannot read the model file {path}: {why}", path=path, why=error.strerror or error
            )
        ) from error
    except (struct.error, EOFError):
        raise ModelError(
            words(
                "{path} ends inside its header ({size} bytes): it is truncated, download it again",
                path=path,
                size=size,
            )
        ) from None


def _read(file: BinaryIO, path: Path, size: int) -> Header:
    magic = file.read(4)
    if magic != b"GGUF":
        raise ModelError(
            words(
                "{path} is not a GGUF file (it begins with {magic!r}): llama.cpp models end in "
                ".gguf",
                path=path,
                magic=magic,
            )
        )
    version, tensors, pairs = struct.unpack("<IQQ", _take(file, 20))
    if version not in (2, 3):
        raise ModelError(
            words(
                "{path} is GGUF version {version}; versions 2 and 3 are known: convert it",
                path=path,
                version=version,
            )
        )
    if tensors > _MAX_COUNT or pairs > _MAX_COUNT:
        raise _damaged(path, f"tensors = {tensors}")
    metadata: dict[str, Any] = {}
    for _ in range(pairs):
        key = _string(file, path)
        (kind,) = struct.unpack("<I", _take(file, 4))
        value = _value(file, path, kind)
        if value is not None:
            metadata[key] = value
    parameters, end = 0, 0
    for _ in range(tensors):
        name = _string(file, path)
        (axes,) = struct.unpack("<I", _take(file, 4))
        if axes > 8:
            raise ModelError(
                words(
                    "{path} has a damaged tensor {name!r}: download it again", path=path, name=name
                )
            )
        shape = struct.unpack(f"<{axes}Q", _take(file, 8 * axes))
        kind, offset = struct.unpack("<IQ", _take(file, 12))
        elements = math.prod(shape)
        block, width = _BLOCKS.get(kind, (1, 0))
        parameters += elements
        end = max(end, offset + elements // block * width)
    alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or not 0 < alignment <= 1 << 20:
        raise _damaged(path, f"alignment = {alignment!r}")
    start = -(-file.tell() // alignment) * alignment
    if start + end > size:
        raise ModelError(
            words(
                "{path} is truncated: {size} bytes of the {whole} its header announces; download "
                "it again",
                path=path,
                size=size,
                whole=start + end,
            )
        )
    header = Header(metadata, tensors, parameters, size)
    if not header.architecture:
        raise ModelError(
            words("{path} names no architecture: it is not a language model", path=path)
        )
    return header


def _take(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


def _string(file: BinaryIO, path: Path) -> str:
    (length,) = struct.unpack("<Q", _take(file, 8))
    if length > _MAX_STRING:
        raise _damaged(path, f"string = {length}")
    return _take(file, length).decode("utf-8", "replace")


def _value(file: BinaryIO, path: Path, kind: int) -> Any:
    """One metadata value; None for an array, which is only walked over."""
    if kind == _STRING:
        return _string(file, path)
    if kind in _SCALARS:
        form = "<" + _SCALARS[kind]
        return struct.unpack(form, _take(file, struct.calcsize(form)))[0]
    if kind != _ARRAY:
        raise _damaged(path, f"type = {kind}")
    inner, length = struct.unpack("<IQ", _take(file, 12))
    if length > _MAX_COUNT or inner == _ARRAY:
        raise _damaged(path, f"array = {length}")
    if inner in _SCALARS:
        _take(file, length * struct.calcsize("<" + _SCALARS[inner]))
        return None
    for _ in range(length):
        _value(file, path, inner)
    return None


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(
        words("{path} has a damaged header ({what}): download it again", path=path, what=what)
    )
