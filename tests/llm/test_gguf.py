from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.llm import ModelError, open_model
from publisher.llm import model as model_module
from publisher.llm.gguf import read_header
from tests.llm.conftest import gguf

Write = Callable[[bytes], Path]
SMALL = gguf({"general.architecture": "llama", "general.name": "Small", "llama.block_count": 2})


def test_header_tells_name_and_sizes(gguf_file: Write) -> None:
    header = read_header(gguf_file(SMALL))
    assert (header.architecture, header.name, header.parameters) == ("llama", "Small", 32)
    assert header.number("block_count", 0) == 2
    assert header.chat_template == ""


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model file at .*gone\.gguf"):
        open_model(tmp_path / "gone.gguf")


def test_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read"):
        open_model(tmp_path)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 a zip archive", b"<html>404</html>"])
def test_other_files_are_refused(gguf_file: Write, data: bytes) -> None:
    with pytest.raises(ModelError, match="not a GGUF"):
        open_model(gguf_file(data))


def test_truncated_tensors_are_seen_before_loading(gguf_file: Write) -> None:
    with pytest.raises(ModelError, match=r"truncated: .* download it again"):
        open_model(gguf_file(SMALL[:-1]))


@pytest.mark.parametrize("length", [6, 24, 60, 100])
def test_truncated_header(gguf_file: Write, length: int) -> None:
    with pytest.raises(ModelError, match="truncated"):
        open_model(gguf_file(SMALL[:length]))


def test_unknown_architecture_says_which(gguf_file: Write) -> None:
    with pytest.raises(ModelError, match="unknown model architecture: 'teapot'"):
        open_model(gguf_file(gguf({"general.architecture": "teapot"})))


def test_known_architecture_without_its_parts(gguf_file: Write) -> None:
    with pytest.raises(ModelError, match="cannot load"):
        open_model(gguf_file(SMALL))


def test_old_version(gguf_file: Write) -> None:
    with pytest.raises(ModelError, match="version 1"):
        open_model(gguf_file(SMALL[:4] + b"\1\0\0\0" + SMALL[8:]))


def test_too_big_for_memory(gguf_file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "memory_available", lambda: 100 << 20)
    with pytest.raises(ModelError, match=r"GB of memory and 0\.1 GB are free: use a smaller"):
        open_model(gguf_file(SMALL), n_ctx=64)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, len(SMALL) - 1), byte=st.integers(0, 255))
def test_any_damaged_byte_gives_a_header_or_a_model_error(
    tmp_path: Path, at: int, byte: int
) -> None:
    path = tmp_path / "damaged.gguf"
    path.write_bytes(SMALL[:at] + bytes([byte]) + SMALL[at + 1 :])
    try:
        assert read_header(path).file_bytes == len(SMALL)
    except ModelError as error:
        assert str(path) in str(error)
