import numpy as np
import pytest

from experiments.blocks import block_test
from experiments.signflip import sign_flip


def paired(d: np.ndarray) -> tuple[list[float], list[str], list[str]]:
    shares, arms, blocks = [], [], []
    for index, value in enumerate(d):
        shares += [0.5 + value, 0.5]
        arms += ["generated", "human"]
        blocks += [str(index)] * 2
    return shares, arms, blocks


def test_one_to_one_blocks_are_the_sign_flip_test():
    d = np.random.default_rng(2).normal(0.08, 0.2, 30)
    found = block_test(*paired(d), vectors=9999)
    plain = sign_flip(d)
    assert found.effect == pytest.approx(plain.effect)
    assert found.p_value == pytest.approx(plain.p_value, abs=0.01)
    assert found.interval == pytest.approx(plain.interval, abs=0.01)


def test_effect_is_the_mean_of_block_differences():
    found = block_test(
        [0.9, 0.5, 0.7, 0.2, 0.4, 0.9],
        ["generated", "human", "human", "human", "generated", "human"],
        ["a", "a", "a", "b", "b", "c"],
        vectors=99,
    )
    assert found.effect == pytest.approx(((0.9 - 0.6) + (0.4 - 0.2)) / 2)
    assert (found.blocks, found.posts, found.left_out) == (2, 5, ("c",))


def test_level_holds_with_unequal_spreads_where_the_plain_test_fails():
    rng = np.random.default_rng(1)
    arms = np.tile(["generated", "human", "human", "human"], 40)
    blocks = np.repeat([str(i) for i in range(40)], 4)
    spread = np.where(arms == "generated", 0.28, 0.08)
    rejected = sum(
        block_test(
            (0.6 + spread * rng.standard_normal(160)).tolist(), arms.tolist(), blocks.tolist(),
            seed=run, vectors=199,
        ).p_value
        <= 0.05
        for run in range(300)
    )  # fmt: skip
    assert rejected / 300 < 0.09


def test_interval_inverts_the_test():
    rng = np.random.default_rng(4)
    arms = np.tile(["generated", "generated", "human"], 20)
    blocks = np.repeat([str(i) for i in range(20)], 3)
    y = rng.normal(0.5, 0.1, 60) + 0.1 * (arms == "generated")
    found = block_test(y.tolist(), arms.tolist(), blocks.tolist(), vectors=999)
    for end, outward in zip(found.interval, (-1, 1), strict=True):
        for step, rejects in ((1e-6, True), (-1e-6, False)):
            shifted = y - (end + outward * step) * (arms == "generated")
            p = block_test(shifted.tolist(), arms.tolist(), blocks.tolist(), vectors=999).p_value
            assert (p <= 0.05) == rejects


def test_nothing_to_compare_is_said():
    with pytest.raises(ValueError, match="both arms"):
        block_test([0.5], ["human"], ["a"])
