from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from publisher.embedding import embed
from publisher.llm import open_model
from publisher.memes.form import NAMES, faults, features
from publisher.memes.preference import (
    PreferenceError,
    Row,
    load_preference,
    pair_accuracy,
    train_preference,
)
from publisher.memes.rank import rank
from publisher.memes.types import Caption


def caption(*texts: str) -> Caption:
    return Caption("no_yes", texts, "ru", "free")


ON_TOPIC = caption("платить ипотеку", "делать вид, что ипотеки нет")
OFF_TOPIC = caption("кормить рыбок", "смотреть, как рыбки кормят друг друга")
BROKEN = caption("ипотека и и", "платить за")


def noise(texts: Sequence[str]) -> np.ndarray:
    random = np.random.default_rng([len(text) for text in texts])
    rows = random.normal(size=(len(texts), 8)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_topic_form_and_novelty_order_captions_with_reasons() -> None:
    ranked = rank("ипотека", [BROKEN, OFF_TOPIC, ON_TOPIC], embed=embed)
    assert ranked[0].caption == ON_TOPIC
    worst = next(s for s in ranked if s.caption == BROKEN)
    assert worst.reasons["faults"] == [
        "text 1 breaks off at “и”",
        "text 2 breaks off at “за”",
    ]
    json.dumps([s.reasons for s in ranked])


def test_what_was_posted_loses_its_novelty() -> None:
    ranked = rank("ипотека", [ON_TOPIC, OFF_TOPIC], embed=embed, avoid=[ON_TOPIC.texts])
    again = next(s for s in ranked if s.caption == ON_TOPIC)
    assert again.reasons["novelty"] == 0
    assert again.reasons["nearest"] == " ".join(ON_TOPIC.texts)
    assert next(s for s in ranked if s.caption == OFF_TOPIC).reasons["novelty"] > 0  # type: ignore[operator]


def test_the_model_tells_what_belongs_to_the_topic() -> None:
    model = open_model(n_seq=16)
    ranked = rank("ипотека", [OFF_TOPIC, ON_TOPIC, BROKEN], model=model, weigh=2)
    assert ranked[0].caption == ON_TOPIC
    assert ranked[0].reasons["gain"] > ranked[1].reasons["gain"]  # type: ignore[operator]
    assert ranked[2].caption == BROKEN and "fit" not in ranked[2].reasons


def test_nothing_to_rank_and_no_topic() -> None:
    assert rank("кот", []) == []
    with pytest.raises(ValueError, match="no letters"):
        rank("!!!", [ON_TOPIC], embed=embed)


def test_form_counts_and_faults() -> None:
    assert features(("а", "бв")).shape == (len(NAMES),)
    assert np.isfinite(features(("",))).all()
    assert faults(("спать", "спать днём")) == []
    assert faults(("Спать", "спать!")) == ["two texts are the same"]
    assert faults(("привет кoт",)) == ["text 1 mixes alphabets in a word"]
    assert faults(("он сказал (и ушёл",)) == ["text 1 has an unclosed bracket or quote"]
    assert faults(("...",)) == ["text 1 has no words"]


def rows(count: int, *, liked: bool) -> list[Row]:
    """Posts whose outcome follows length when `liked`, else only chance."""
    random = np.random.default_rng(1)
    made = []
    for i in range(count):
        length = int(random.integers(2, 15))
        value = length / 15 if liked else random.random()
        made.append(Row(f"t{i % 3}", (" ".join(["слово"] * length),), value + i % 3))
    return made


def test_a_real_preference_is_learned_and_promoted(tmp_path: Path) -> None:
    training = train_preference(rows(150, liked=True), noise)
    assert training.promoted and training.auc > 0.75 and training.interval[0] > 0.5
    model = training.model
    assert model is not None
    model.save(tmp_path / "var" / "preference.npz")
    again = load_preference(tmp_path / "var" / "preference.npz")
    texts = [("слово " * 14,), ("слово",)]
    vectors = noise([t[0] for t in texts])
    predicted = again.predict(["t0", "t0"], texts, vectors)
    assert predicted == pytest.approx(model.predict(["t0", "t0"], texts, vectors))
    assert predicted[0] > predicted[1]
    unseen = again.predict(["another", "another"], texts, vectors)
    assert unseen[0] > unseen[1]
    ranked = rank(
        "слово",
        [Caption("t0", (text[0].strip(),), "ru", "human") for text in texts],
        embed=noise,
        preference=again,
    )
    assert {"preference"} <= set(ranked[0].reasons)


def test_a_template_has_a_taste_of_its_own() -> None:
    """Long captions are liked on one template, short ones on another."""
    random = np.random.default_rng(2)
    data = []
    for i in range(400):
        length = int(random.integers(2, 15))
        value = length if i % 2 else -length
        data.append(Row(f"t{i % 2}", (" ".join(["слово"] * length),), float(value)))
    training = train_preference(data, noise)
    assert training.model is not None and training.auc > 0.85
    texts = [("слово " * 14,), ("слово слово",)]
    vectors = noise([text[0] for text in texts])
    long, short = training.model.predict(["t1", "t1"], texts, vectors)
    assert long > short
    long, short = training.model.predict(["t0", "t0"], texts, vectors)
    assert long < short


def test_chance_is_not_promoted() -> None:
    training = train_preference(rows(150, liked=False), noise)
    assert not training.promoted
    assert "not shown to be better than chance" in training.reason


def test_a_model_in_office_goes_only_for_a_better_one() -> None:
    data = rows(200, liked=True)
    current = train_preference(data[:150], noise).model
    assert current is not None
    early = train_preference(data[:160], noise, current=current)
    assert not early.promoted and "10 posts since the present model" in early.reason
    wrong = replace(current, weights=-current.weights, own=-current.own)
    assert train_preference(data, noise, current=wrong).promoted
    chance = train_preference(
        [*rows(150, liked=False), *data[150:]], noise, current=replace(current, rows=150)
    )
    assert not chance.promoted


def test_too_little_to_learn_from() -> None:
    assert train_preference(rows(20, liked=True), noise).reason == (
        "20 posts with an outcome; 80 are needed"
    )
    equal = [Row("t", ("слово",), 0.5)] * 100
    assert train_preference(equal, noise).reason == "all outcomes are equal"


def test_preference_files_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(PreferenceError, match="train the ranker first"):
        load_preference(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(PreferenceError, match="damaged"):
        load_preference(tmp_path / "bad.npz")
    model = train_preference(rows(150, liked=True), noise).model
    assert model is not None
    with pytest.raises(PreferenceError, match="other embeddings"):
        model.predict(["t0"], [("слово",)], np.zeros((1, 3)))


def test_pair_accuracy_counts_pairs_within_groups() -> None:
    values, groups = np.array([1.0, 0, 1, 0]), np.array(["a", "a", "b", "b"])
    assert pair_accuracy(np.array([9.0, 8, 1, 0]), values, groups) == 1
    assert pair_accuracy(np.array([1.0, 1, 0, 1]), values, groups) == 0.25
    assert np.isnan(pair_accuracy(np.array([1.0]), np.array([1.0]), np.array(["a"])))
