import numpy as np
import pytest

from experiments.model import Model, draw, post_rows
from experiments.power import plan, power_of
from experiments.signflip import sign_flip
from experiments.simulate import simulate


def test_the_model_has_the_moments_it_documents():
    model = Model(channels=4, weeks=5, effect=0.07, rho=0.2, reactions=60, tail=0.3)
    drawn = draw(model, 300, np.random.default_rng(0))
    assert drawn.differences.shape == (model.pairs, 300)
    assert drawn.differences.mean() == pytest.approx(0.07, abs=0.01)
    assert drawn.truth.mean() == pytest.approx(0.07, abs=0.003)
    shares = drawn.likes["human"] / drawn.reactions["human"]
    between = model.channel_sd**2 + model.hour_sd**2
    within = 0.65 * 0.35 * 0.2
    assert shares.var() == pytest.approx(between + within, rel=0.15)


def test_channel_effects_leave_the_mean_alone():
    drawn = draw(Model(channel_effect=0.1), 50, np.random.default_rng(0))
    assert drawn.truth.mean() == pytest.approx(0, abs=0.005)


def test_levels_and_power_come_out_as_published():
    null = simulate(Model(), runs=500, vectors=399, seed=5)
    assert 0.02 < null.one_look < 0.08 and null.boundary < 0.08
    assert null.always_valid <= 0.05 < null.peeking
    assert null.pooled > 0.2
    assert 0.92 < null.coverage < 0.98 and null.coverage_always > 0.95
    effect = simulate(
        Model(effect=0.055), runs=500, vectors=399, seed=6, pooled_critical=null.pooled_critical
    )
    assert effect.one_look > 0.7
    assert effect.one_look - effect.boundary < 0.05
    assert effect.rejected_by_look[-1] == effect.boundary
    assert effect.stop < 8


def test_the_same_seed_gives_the_same_outcome():
    model = Model(channels=1, weeks=2)
    assert simulate(model, runs=60, vectors=99) == simulate(model, runs=60, vectors=99)


def test_simulated_rows_are_a_sound_file():
    from experiments.data import read_posts

    rows = list(post_rows(Model(channels=2, weeks=2), seed=3))
    found = read_posts(rows)
    assert found.problems == [] and len(found.rows) == 2 * 28
    assert rows == list(post_rows(Model(channels=2, weeks=2), seed=3))


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"rho": 1.0}, {"weeks": 0}, {"effect": 2}])
def test_impossible_models_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Model(**wrong)


def test_planned_pairs_have_the_planned_power():
    found = plan(0.05, sigma=0.28, pairs_per_week=20)
    assert found.pairs == 247 and found.weeks == 13
    assert power_of(found.pairs, 0.05, 0.28) == pytest.approx(0.8, abs=0.003)
    rng = np.random.default_rng(9)
    d = rng.normal(0.05, 0.28, (2000, found.pairs))
    t = d.mean(1) / d.std(1, ddof=1) * found.pairs**0.5
    assert np.mean(np.abs(t) > 1.96) == pytest.approx(0.8, abs=0.03)


def test_fewer_pairs_than_can_reject_have_no_power_and_are_not_planned():
    assert sign_flip([0.9] * 5).p_value > 0.05 >= sign_flip([0.9] * 6).p_value
    assert power_of(5, 0.9, 0.1) == 0.0 and power_of(6, 0.9, 0.1) > 0.99
    assert plan(0.9, sigma=0.1).pairs == 6
    assert plan(0.9, sigma=0.1, alpha=0.01).pairs == 8


def test_an_effect_of_zero_cannot_be_planned():
    with pytest.raises(ValueError, match="effect"):
        plan(0.0)
