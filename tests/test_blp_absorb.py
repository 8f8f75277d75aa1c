"""Absorbed fixed effects are residuals of (weighted) least squares on dummies, to rounding."""

import pickle

import numpy as np
import pytest

from compecon.blp.absorb import FixedEffects
from compecon.errors import ConvergenceError, ParameterError


def dense(codes, columns, weights):
    """The residuals, by an orthogonal factorisation of all dummies."""
    dummies = np.hstack([np.eye(effect.max() + 1)[effect] for effect in codes])
    root = np.sqrt(weights)[:, None]
    fit, *_ = np.linalg.lstsq(root * dummies, root * columns, rcond=1e-12)
    return columns - dummies @ fit


def panels():
    """Names and codes of effects: rows in (nearly) all pairs of groups, in few, in one chain, nested, and more."""
    rng = np.random.default_rng(1)
    market, product = np.repeat(np.arange(20), 12), np.tile(np.arange(12), 20)
    some = rng.random(240) < 0.4
    few = [np.unique(rng.integers(0, 80, 200), return_inverse=True)[1] for _ in range(2)]
    chain = [np.repeat(np.arange(60), 2), np.repeat(np.arange(61), [1, *[2] * 59, 1])]
    return {
        "one": [market], "balanced": [market, product], "unbalanced": [market[some], product[some]], "few": few,
        "chain": chain, "nested": [market, market // 4], "three": [market, product, rng.integers(0, 5, 240)],
        "one group": [market, np.zeros(240, int)], "same": [market, market],
        "apart": [market, 2 * (market // 10) + product % 2],
    }  # fmt: skip


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("panel", panels())
def test_residuals_are_those_of_dense_least_squares(panel, weighted):
    codes, rng = panels()[panel], np.random.default_rng(2)
    scales = np.array([1.0, 1e-6, 1e6, 1.0])
    columns = scales * (rng.normal(size=(codes[0].size, 4)) + [0.0, 5.0, 0.0, 100.0])
    weights = rng.exponential(size=codes[0].size) if weighted else None
    ours = FixedEffects(codes).residualize(columns, weights)
    theirs = dense(codes, columns, np.ones(len(columns)) if weights is None else weights)
    np.testing.assert_allclose(ours / scales, theirs / scales, atol=1e-10, rtol=0)


@pytest.mark.parametrize("panel", panels())
def test_weights_that_are_counts_repeat_and_drop_rows(panel):
    codes, rng = panels()[panel], np.random.default_rng(3)
    columns, counts = rng.normal(size=(codes[0].size, 3)), rng.integers(0, 4, codes[0].size)
    ours = FixedEffects(codes).residualize(columns, counts)
    repeated = [np.unique(np.repeat(effect, counts), return_inverse=True)[1] for effect in codes]
    theirs = FixedEffects(repeated).residualize(np.repeat(columns, counts, axis=0))
    np.testing.assert_allclose(np.repeat(ours, counts, axis=0), theirs, atol=1e-12, rtol=0)
    assert (ours[counts == 0] == 0).all()


@pytest.mark.parametrize("panel", ["one", "balanced", "three"])
def test_markets_drawn_with_replacement_are_weights_by_market(panel):
    codes, rng = panels()[panel], np.random.default_rng(4)
    drawn = np.bincount(rng.integers(0, 20, 20), minlength=20)
    assert (drawn == 0).any()
    columns, counts = rng.normal(size=(240, 2)), drawn[panels()["one"][0]]
    ours = FixedEffects(codes).residualize(columns, counts)
    np.testing.assert_allclose(ours[counts > 0], dense(codes, columns, counts)[counts > 0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("panel", ["one", "unbalanced", "three"])
def test_residuals_agree_with_pyhdfe(panel):
    pyhdfe = pytest.importorskip("pyhdfe")
    codes = panels()[panel]
    columns = np.random.default_rng(5).normal(size=(codes[0].size, 3))
    algorithm = pyhdfe.create(np.column_stack(codes), drop_singletons=False, compute_degrees=False)
    np.testing.assert_allclose(FixedEffects(codes).residualize(columns), algorithm.residualize(columns), atol=1e-8)


def test_residualizing_twice_changes_nothing_and_weights_of_one_are_no_weights():
    columns = np.random.default_rng(6).normal(size=(240, 2))
    for codes in panels().values():
        effects, values = FixedEffects(codes), columns[: codes[0].size]
        once = effects.residualize(values)
        np.testing.assert_allclose(effects.residualize(once), once, atol=1e-13)
        np.testing.assert_array_equal(effects.residualize(values, np.ones(len(values))), once)


def test_a_column_of_ones_and_dummies_leave_rounding_errors_only():
    market, product = panels()["unbalanced"]
    columns = np.column_stack([np.ones(market.size), market == 3, product == 5, np.zeros(market.size)])
    assert np.abs(FixedEffects([market, product]).residualize(columns)).max() < 1e-14


def test_the_columns_given_are_left_as_they_are():
    columns = np.arange(6.0).reshape(3, 2)
    for effects in (FixedEffects([]), FixedEffects([np.array([0, 0, 1])])):
        residuals = effects.residualize(columns)
        assert residuals is not columns
        assert (columns == np.arange(6.0).reshape(3, 2)).all()
    np.testing.assert_array_equal(FixedEffects([]).residualize(columns), columns)


def test_effects_count_their_groups_and_survive_pickling():
    effects = FixedEffects(panels()["unbalanced"])
    assert effects.groups == (20, 12)
    columns = np.random.default_rng(7).normal(size=(len(effects.codes[0]), 2))
    copy = pickle.loads(pickle.dumps(effects))
    np.testing.assert_array_equal(copy.residualize(columns), effects.residualize(columns))


@pytest.mark.parametrize("weights", [[1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, 1.0], [0.0, 0.0, 0.0]])
def test_weights_that_are_no_counts_are_refused(weights):
    with pytest.raises(ParameterError, match="weights must be 3 finite numbers, one a row, none below 0, not all 0"):
        FixedEffects([np.array([0, 0, 1])]).residualize(np.ones((3, 1)), weights)


def test_a_limit_of_steps_that_is_reached_is_an_error(monkeypatch):
    monkeypatch.setattr("compecon.blp.absorb._MAX_ITER", 2)
    with pytest.raises(ConvergenceError, match="not absorbed in 2 steps"):
        FixedEffects(panels()["chain"]).residualize(np.random.default_rng(8).normal(size=(120, 1)))
