import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from publisher.embedding import EmbeddingError, embed


def test_rows_are_unit_float32_and_near_texts_are_near() -> None:
    vectors = embed(["Кот спит на диване", "Кошка дремлет на софе", "Курс доллара вырос"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, 512)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_languages_share_one_space() -> None:
    ru, en, other = embed(["Кот спит на диване", "The cat sleeps on the sofa", "Stock prices fall"])
    assert ru @ en > ru @ other + 0.2


def test_order_and_batching_do_not_matter() -> None:
    texts = [f"заголовок номер {i} о погоде и кофе" for i in range(300)]
    together = embed(texts)
    alone = np.vstack([embed([text]) for text in (texts[0], texts[17], texts[299])])
    assert np.allclose(together[[0, 17, 299]], alone, atol=1e-4)


def test_empty_inputs() -> None:
    assert embed([]).shape == (0, 512)
    vectors = embed(["", "  \n", "кофе"])
    assert not vectors[:2].any()
    assert vectors[2].any()


def test_endless_text_is_cut() -> None:
    assert embed(["я" * 3_000_000]).shape == (1, 512)


def test_a_path_puts_another_model_in_its_place(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "кофе": 1, "чай": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    weights = np.eye(3, 7, dtype=np.float32)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=weights)]).save(
        str(tmp_path / "model")
    )
    vectors = embed(["кофе", "чай", "кофе чай"], str(tmp_path / "model"))
    assert vectors.shape == (3, 7)
    assert vectors[0] @ vectors[1] == pytest.approx(0)
    assert vectors[0] @ vectors[2] == pytest.approx(2**-0.5, abs=1e-5)


@pytest.mark.parametrize("content", [None, {}, {"modules.json": "not json"}, {"config.json": "{}"}])
def test_a_folder_that_is_no_model_is_a_clear_error(
    tmp_path: Path, content: dict[str, str] | None
) -> None:
    folder = tmp_path / "model"
    if content is not None:
        folder.mkdir()
        for name, text in content.items():
            (folder / name).write_text(text)
    with pytest.raises(EmbeddingError, match="model"):
        embed(["кофе"], str(folder))


def test_importing_the_module_stays_cheap() -> None:
    code = "import sys, publisher.embedding; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
