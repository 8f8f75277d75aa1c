"""Exercises of chapter 6 against closed forms, the library, and the checkpoints printed in the chapter."""

from dataclasses import replace

import numpy as np
import pytest
from exercise_fixtures import solution
from scipy import stats

from compecon import zurcher
from compecon.exercises.chapter06 import bellman, shocks

MODEL = zurcher.ZurcherModel(n_states=90, discount=0.9999)
PARAMS = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])


def test_engines_last_longer_where_upkeep_stops_rising():
    linear = zurcher.COSTS["linear"]
    capped = replace(linear, name="capped", value=lambda x, theta1: linear.value(np.minimum(x, 45), theta1))
    models = (replace(MODEL, cost=capped), MODEL)
    lives = [1 / zurcher.replacement_rate(model, PARAMS) for model in models]
    assert lives[0] > 5 * lives[1]
    # What the message to "longer" says: less is to be saved in every state.
    saved = [model.costs(PARAMS.theta1) - model.discount * (model.solve(PARAMS).ev - model.solve(PARAMS).ev[0])
             for model in models]
    assert (saved[0][1:] < saved[1][1:]).all()
    # What the exercise says: most replacements come later than state 45.
    share = zurcher.stationary_distribution(MODEL, PARAMS) * MODEL.solve(PARAMS).choice_prob[:, 1]
    assert share[46:].sum() > 0.5 * share.sum()
    assert solution("6.1") == "longer"


def test_the_myopic_probability_is_the_models_at_discount_0():
    params = zurcher.Params(RC=8, theta1=[70], theta3=PARAMS.theta3)
    assert solution("6.2") == pytest.approx(replace(MODEL, discount=0).solve(params).choice_prob[80, 1], rel=1e-12)
    # The checkpoint.
    assert 0.05 < solution("6.2") < 0.1


def test_the_shocks_are_scipys_gumbel_with_mean_zero():
    u = np.linspace(0.01, 0.99, 50)
    np.testing.assert_allclose(shocks(u), stats.gumbel_r(loc=-np.euler_gamma).ppf(u), rtol=1e-10)
    assert stats.gumbel_r(loc=-np.euler_gamma).mean() == pytest.approx(0, abs=1e-12)
    # The checkpoint: the median.
    assert shocks(np.array([0.5]))[0] == pytest.approx(-0.2107, abs=5e-5)


def test_the_bellman_operator_is_the_librarys():
    ev = -np.linspace(500, 510, 90)
    found = bellman(ev, MODEL.costs(PARAMS.theta1), PARAMS.RC, PARAMS.theta3, MODEL.discount)
    np.testing.assert_allclose(found, MODEL.bellman(ev, PARAMS), rtol=1e-13)


def test_the_checkpoint_of_the_bellman_operator():
    # Nothing costs anything: both values are equal, and a month is worth log 2.
    found = bellman(np.zeros(4), np.zeros(4), 0.0, np.array([0.5, 0.5]), 0.9)
    np.testing.assert_allclose(found, np.log(2))


def test_doubled_costs_make_the_hazard_steeper():
    hazards = [MODEL.solve(zurcher.Params(k * PARAMS.RC, k * PARAMS.theta1, PARAMS.theta3)).choice_prob[:, 1]
               for k in (1, 2)]
    assert hazards[1][20] < hazards[0][20] / 100 and hazards[1][89] > hazards[0][89]
    assert (np.diff(np.log(hazards[1])) > np.diff(np.log(hazards[0])))[:60].all()
    assert solution("6.5") == "steeper"


def test_the_months_left_are_those_of_the_linear_equations_and_of_simulated_buses():
    keep = MODEL.solve(PARAMS).choice_prob[:, 0]
    Pi = zurcher.dense.transition_matrix(PARAMS.theta3, 90)
    left = np.linalg.solve(np.eye(90) - keep[:, None] * Pi, keep)
    assert solution("6.6") == pytest.approx(left[40], rel=1e-10)
    # The checkpoint, and a mean over simulated engines within four standard errors.
    assert 30 < left[40] < 40
    panel = zurcher.simulate(MODEL, PARAMS, n_buses=4000, n_periods=600, seed=3, start=40)
    first = panel[panel["replaced"] == 1].groupby("bus_id")["period"].min() - 1
    assert len(first) == 4000
    assert first.mean() == pytest.approx(left[40], abs=4 * first.std() / np.sqrt(4000))


def test_the_constant_of_ev_is_what_a_higher_mean_of_the_shocks_adds():
    model = replace(MODEL, discount=0.99)
    ev = model.solve(PARAMS).ev
    # With shocks of mean gamma every application of the operator adds gamma.
    raised = ev + solution("6.7")
    np.testing.assert_allclose(model.bellman(raised, PARAMS) + np.euler_gamma, raised, rtol=1e-12)
    assert solution("6.7") == pytest.approx(57.7216, rel=1e-5)
