"""Exercises of chapter 7 against the library, closed forms, and the checkpoints printed in the chapter."""

import numpy as np
import pytest
from exercise_fixtures import solution
from scipy import special

from compecon import zurcher
from compecon.exercises.chapter07 import changes, logsum, policy_value, values
from compecon.zurcher.dense import transition_matrix

PARAMS = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])


def test_ten_times_the_states_take_as_many_sweeps():
    sweeps = [zurcher.ZurcherModel(n, 0.99).solve(PARAMS, "contraction").n_iter for n in (90, 900)]
    assert sweeps[1] / sweeps[0] == pytest.approx(1, abs=0.05)
    assert solution("7.1") == "the same"


def test_the_sweeps_for_ten_digits():
    assert 0.9999 ** solution("7.2") == pytest.approx(1e-10, rel=1e-9)
    # The checkpoint.
    assert 200_000 < solution("7.2") < 250_000


def test_the_changes_are_those_of_the_librarys_operator():
    model = zurcher.ZurcherModel(90, 0.99)
    iterates = [np.zeros(90)]
    for _ in range(5):
        iterates.append(model.bellman(iterates[-1], PARAMS))
    expected = [np.abs(new - old).max() for old, new in zip(iterates, iterates[1:])]
    found = changes(iterates[0], model.costs(PARAMS.theta1), PARAMS.RC, PARAMS.theta3, 0.99, 5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_checkpoint_of_the_changes():
    # Nothing costs anything: the value is a constant, and its change shrinks by the discount factor exactly.
    found = changes(np.zeros(4), np.zeros(4), 0.0, np.array([0.5, 0.5]), 0.9, 3)
    np.testing.assert_allclose(found, np.log(2) * 0.9 ** np.arange(3))


def test_the_values_are_the_librarys_for_each_request():
    requests = np.array([[0.9, 10.075], [0.99, 10.075], [0.9, 10.075]])
    expected = [zurcher.ZurcherModel(90, discount).solve(PARAMS).ev[0] for discount in requests[:, 0]]
    np.testing.assert_allclose(values(requests), expected, rtol=1e-12)
    # The checkpoint: the first and the last are equal, the second is not.
    assert values(requests)[0] == values(requests)[2] != values(requests)[1]


def test_the_logsum_is_scipys():
    v = np.array([[-1300.0, -1300.0], [-2600.0, -2605.0]])
    np.testing.assert_allclose(logsum(v), special.logsumexp(v, axis=1), rtol=1e-14)
    # The checkpoint.
    assert logsum(v)[0] == pytest.approx(-1300 + np.log(2), rel=1e-14)


def test_v_for_ev_makes_replacements_look_likelier():
    model = zurcher.ZurcherModel(90, 0.9999)
    found = model.solve(PARAMS)
    W = special.logsumexp([0.9999 * found.ev - 2.293e-3 * model.states,
                           np.full(90, 0.9999 * found.ev[0] - PARAMS.RC)], axis=0)
    np.testing.assert_allclose(transition_matrix(PARAMS.theta3, 90) @ W, found.ev, rtol=1e-12)
    gap = PARAMS.RC - 2.293e-3 * 60 + 0.9999 * (W[60] - W[0])
    assert solution("7.6") == pytest.approx(1 / (1 + np.exp(gap)) / found.choice_prob[60, 1], rel=1e-9)
    # The checkpoint.
    assert 1.05 < solution("7.6") < 1.15


def test_the_value_of_a_policy_is_a_newton_step_and_ev_at_the_best_policy():
    model = zurcher.ZurcherModel(90, 0.99)
    Pi, cost = transition_matrix(PARAMS.theta3, 90), model.costs(PARAMS.theta1)
    best = model.solve(PARAMS)
    # The checkpoint.
    np.testing.assert_allclose(policy_value(best.choice_prob[:, 0], cost, PARAMS.RC, Pi, 0.99), best.ev, rtol=1e-11)
    with pytest.warns(match="stopped after 3"):
        third = model.solve(PARAMS, max_iter=3)
    with pytest.warns(match="stopped after 4"):
        fourth = model.solve(PARAMS, max_iter=4)
    np.testing.assert_allclose(
        policy_value(third.choice_prob[:, 0], cost, PARAMS.RC, Pi, 0.99), fourth.ev, rtol=1e-11
    )
