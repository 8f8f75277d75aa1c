"""Exercises of chapter 10: the checkpoints of the page, and solutions against other ways to the same numbers."""

import numpy as np
import pytest
from zurcher_fixtures import MODEL, TRUTH, dense_chain

from compecon import datasets, zurcher
from compecon.exercises import chapter10, check
from compecon.exercises.catalogue import find_exercise


def test_the_checkpoints_of_the_page_hold():
    assert chapter10.months_in_state(np.array([0.9]), np.eye(1)) == pytest.approx([10])
    assert chapter10.standard_error(np.array([1, -1]), np.array([[4, 3], [3, 4]])) == pytest.approx(1.414, abs=5e-4)
    Pi = np.random.default_rng(1).dirichlet(np.ones(2), 2)
    assert chapter10.upkeep(np.array([0.9, 0.5]), Pi, 0.0) == pytest.approx([0, 2.197], abs=5e-4)
    assert 1.9 < find_exercise("10.2").solution() / chapter10._elasticity(0.9999) < 2.3
    assert 50 < find_exercise("10.6").solution() < 100


def test_demand_in_the_first_year_is_lower_than_in_the_long_run_when_the_price_doubles():
    fit = chapter10._fit()
    params = fit.as_params()
    dear = zurcher.Params(2 * params.RC, params.theta1, params.theta3)
    start = zurcher.stationary_distribution(fit.structure, params)
    first_year = zurcher.demand_path(fit.structure, dear, start, 12).sum()
    assert first_year < 12 * zurcher.replacement_rate(fit.structure, dear)
    assert check("10.1", "lower").passed and not check("10.1", "higher").passed


def test_the_life_of_an_engine_is_that_of_simulated_engines():
    chain, replaced = dense_chain(MODEL, TRUTH)
    months = chapter10.months_in_state(1 - replaced, zurcher.dense.transition_matrix(TRUTH.theta3, 30))
    panel = zurcher.simulate(MODEL, TRUTH, n_buses=400, n_periods=400, seed=3)
    # About 8,000 engines: the share of replacements has a standard error of some one per cent.
    assert 1 / months.sum() == pytest.approx(panel["replaced"].mean(), rel=0.05)
    np.testing.assert_allclose(months / months.sum() @ chain, months / months.sum(), atol=1e-12)


def test_the_models_own_upkeep_explains_its_hazard():
    _, replaced = dense_chain(MODEL, TRUTH)
    Pi = zurcher.dense.transition_matrix(TRUTH.theta3, 30)
    np.testing.assert_allclose(chapter10.upkeep(1 - replaced, Pi, MODEL.discount), MODEL.costs(TRUTH.theta1), atol=1e-9)


def test_dollars_are_those_of_rusts_table_iii():
    # Rust (1987), Table III, group 4: 150 + 2870 + 4343 + 150 dollars; RC and theta11 of Table IX are near.
    assert sum((150, 2870, 4343, 150)) == 7513
    assert find_exercise("10.6").solution() == pytest.approx(7513 / 10.075 * 2.293e-3 * 40, rel=0.02)
    assert datasets.load_bus_panel()["group"].eq(4).any()
