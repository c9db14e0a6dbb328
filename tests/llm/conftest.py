from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from publisher.llm import Model, open_model


@pytest.fixture(scope="session")
def model() -> Model:
    """The embedded model itself: 237 MB, opens in a second or two."""
    return open_model(n_seq=16)


def gguf(
    metadata: Mapping[str, str | int], tensor: tuple[str, tuple[int, ...]] = ("w", (8, 4))
) -> bytes:
    """A small GGUF with one 32-bit float tensor of zeros."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    out = b"GGUF" + struct.pack("<IQQ", 3, 1, len(metadata))
    for key, value in metadata.items():
        if isinstance(value, str):
            out += text(key) + struct.pack("<I", 8) + text(value)
        else:
            out += text(key) + struct.pack("<II", 4, value)
    name, shape = tensor
    out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
    out += struct.pack("<IQ", 0, 0)
    out += b"\0" * (-len(out) % 32)
    size = 4
    for axis in shape:
        size *= axis
    return out + b"\0" * size


@pytest.fixture
def gguf_file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(data: bytes) -> Path:
        path = tmp_path / "model.gguf"
        path.write_bytes(data)
        return path

    return write
