"""Chapter 4's exercises against closed forms, the library's kernels and figure, and the checkpoints in the book."""

import numpy as np
import pytest

from compecon import live
from compecon.exercises import chapter04
from compecon.exercises.catalogue import find_exercise
from compecon.likelihood import examples, kernels
from compecon.likelihood.linesearch import evaluate, unit_step
from compecon.likelihood.maximize import total_hessian


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("4.3", (np.array([1, 0.5, 0.25]), np.array([np.nan, 0.01, 0.4]), 2.0, 0.1), 0.25),
        ("4.4", (np.eye(2), np.array([1.0, 0.0]), np.array([4.0, 0.0])), [[4, 0], [0, 1]]),
        ("4.5", (np.array([[1.0], [3.0]]),), np.sqrt(1.6)),
    ],
)
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_the_steps_to_a_tenth_are_those_of_the_figures_path():
    steps = find_exercise("4.2").solution()
    assert 4 < steps < 5 and 0.6**steps == pytest.approx(0.1)
    figure = live.Climbing(kurtosis=6)
    distance = figure.outputs()["distance"][0]
    late = distance[np.isfinite(distance) & (distance < 1e-3)]
    assert -np.log(10) / np.log(late[-1] / late[-2]) == pytest.approx(steps, rel=1e-3)


def test_at_a_kurtosis_of_2_4_unit_steps_come_from_both_sides_in_turn():
    path = live.Climbing(kurtosis=2.4).outputs()["sigma_path"][0]
    late = path[np.isfinite(path)][-8:-2] - 1
    assert (late[1:] * late[:-1] < 0).all()
    assert find_exercise("4.1").solution() == "in turn"


def test_the_accepted_length_is_the_librarys_halving():
    model, rng = examples.Normal(np.array([-1.0, 0.3, 0.5, 4.0])), np.random.default_rng(2)
    lengths, seen = 0.5 ** np.arange(12.0), set()
    for _ in range(20):
        point = evaluate(model, np.array([rng.normal(), rng.uniform(0.3, 4)]))
        direction = np.linalg.solve(point.opg, point.gradient) * rng.uniform(1, 30)
        trials = [evaluate(model, point.theta + t * direction) for t in lengths]
        gains = np.array([trial.llf - point.llf if trial.usable else np.nan for trial in trials])
        found = chapter04.accepted(lengths, gains, direction @ point.gradient, 1e-4)
        assert found == unit_step(model, point, direction)[1]
        seen.add(float(found))
    assert len(seen) > 2


def test_the_update_is_the_librarys_maps_move_to_change_and_stays_positive_definite():
    rng = np.random.default_rng(3)
    for sign in (1, 1, 1, -1):
        root, move, change = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=3)
        A = root @ root.T + np.eye(3)
        change *= sign * np.sign(change @ move)
        found, updated = chapter04.bfgs_update(A, move, change), np.empty((3, 3))
        kernels.bfgs_update(A, move, change, np.empty(3), updated)
        np.testing.assert_allclose(found, updated, rtol=1e-12)
        assert np.linalg.eigvalsh(found).min() > 0
        if sign > 0:
            np.testing.assert_allclose(found @ move, change, rtol=1e-10)


def test_the_distance_is_the_librarys_residual_and_has_no_units():
    y = np.array([-1.0, 0.3, 0.5, 4.0])
    for unit in (1, 100):
        model, theta = examples.Normal(unit * y), unit * np.array([0.5, 1.5])
        found = chapter04.distance(model.loglike(theta)[1])
        assert found == pytest.approx(evaluate(model, theta).residual, rel=1e-12)
        assert found == pytest.approx(chapter04.distance(examples.Normal(y).loglike([0.5, 1.5])[1]), rel=1e-12)


def test_the_second_derivative_in_sigma_changes_sign_at_the_answer():
    model = examples.Normal(np.array([-1.0, 0.3, 0.5, 4.0]))
    mu, sigma = model.closed_form()
    multiple = find_exercise("4.6").solution()
    below, at, above = (total_hessian(model, [mu, sigma * multiple * f])[1, 1] for f in (0.99, 1, 1.01))
    assert below < 0 < above and abs(at) < 1e-12
