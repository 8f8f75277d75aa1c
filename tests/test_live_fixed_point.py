"""The figure on the fixed point: its paths and counts are those of `ZurcherModel.solve`, of dense Newton."""

import warnings

import numpy as np
import pytest
from counting_fixtures import Counted, CountedMath, counted, eight, plain

from compecon import _linalg, live, zurcher
from compecon.errors import ConvergenceWarning
from compecon.live import fixed_point_kernels as scenes
from compecon.live.engine import DONE, MORE
from compecon.live.fixed_point import DISCOUNTS
from compecon.live.zurchers_choice import SIZES, observed_increments
from compecon.zurcher import kernels
from compecon.zurcher.dense import newton_dense, transition_matrix
from compecon.zurcher.solve import default_tol

# One where the polyalgorithm sweeps twice and one where it sweeps twenty times; no costs at all; little patience.
SETTINGS = [
    {"discount": 0.9999}, {"discount": 0.9997, "n_states": 175, "RC": 20, "theta11": 10},
    {"discount": 0.995, "n_states": 350, "RC": 3, "theta11": 10}, {"discount": 0.95, "RC": 0, "theta11": 0},
    {"discount": 0.5, "n_states": 350, "RC": 3, "theta11": 2.29}, {"discount": 0.999, "RC": 0, "theta11": 10},
    {"discount": 0.7, "n_states": 175, "RC": 20, "theta11": 0},
]  # fmt: skip


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def opened(request):
    """The figure at a setting, its arrays, and the same model and parameters for the library."""
    figure = live.FixedPoint(**request.param)
    return figure, figure.outputs(), *library(figure)


def library(figure):
    """The model and the parameters that a figure shows; theta11 is stated for 90 states."""
    n = figure.n_states
    shares = np.trim_zeros(observed_increments()[SIZES.index(n)], "b")
    return zurcher.ZurcherModel(n, figure.discount), zurcher.Params(figure.RC, [figure.theta11 * 90 / n], shares)


def distance(ev, fixed):
    """The error as the figure defines it."""
    return np.abs(ev - fixed).max() / max(1, np.abs(fixed).max())


def stopped(model, params, method, max_iter):
    """EV after `max_iter` iterations, whether or not they are enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.solve(params, method=method, max_iter=max_iter).ev


def known(path):
    """The columns of a path that are filled."""
    return path[:, np.isfinite(path[2])]


# Counts


def test_every_method_stops_where_the_library_stops(opened):
    figure, arrays, model, params = opened
    found = figure.read()
    for key, method in (("sweeps", "contraction"), ("steps", "newton"), ("iterations", "poly")):
        assert found[key] == model.solve(params, method=method).n_iter
    assert found["switch"] == model.solve(params, method="poly").n_sweeps
    assert found["done"] == 100
    assert arrays["summary"][0] == default_tol(model.discount)


def test_both_kinds_of_switch_are_among_the_settings():
    shown = (library(live.FixedPoint(**setting)) for setting in SETTINGS)
    assert {2, 20} <= {model.solve(params, method="poly").n_sweeps for model, params in shown}


@pytest.mark.parametrize("n_states", [175, 350])
def test_a_contraction_that_was_cut_is_predicted_to_within_its_rounding_errors(n_states):
    figure = live.FixedPoint(discount=0.9999, n_states=n_states)
    arrays, found, (model, params) = figure.outputs(), figure.read(), library(figure)
    expected = model.solve(params, method="contraction").n_iter
    # Near the end a sweep changes EV by a few units in its last digit, which puts off the end by about 1%.
    assert found["sweeps"] == pytest.approx(expected, rel=0.02)
    done = arrays["place"][0]
    assert found["done"] == pytest.approx(100 * done / found["sweeps"]) and 30 < found["done"] < 70
    assert done * n_states == pytest.approx(scenes._CAP, rel=0.01)
    path = known(arrays["sweeps"])
    assert path[2, -1] > default_tol(0.9999) and path[0, -1] <= done < 1.08 * path[0, -1]


def test_the_fast_paths_and_a_prediction_are_there_after_the_first_call():
    figure = live.FixedPoint(discount=0.9999)
    numbers, engine = figure.numbers(), figure._engine
    assert engine.call("newton_paths", numbers, 1.0) == DONE
    newton = engine.arrays["newton"].copy()
    assert engine.call("contraction_path", numbers, 1.0) == MORE
    early = engine.arrays["needs"][0, 0]
    assert 0 < engine.arrays["progress"][0] < 0.01
    while engine.call("contraction_path", numbers, 0.0) == MORE:
        pass
    assert early == pytest.approx(engine.arrays["needs"][0, 0], rel=0.02)
    assert engine.arrays["progress"][0] == 1
    np.testing.assert_array_equal(engine.arrays["newton"], newton)


def test_a_figure_that_has_moved_shows_what_a_fresh_one_shows():
    moved = live.FixedPoint(discount=0.999, n_states=350, RC=3)
    moved.outputs()
    moved.discount, moved.n_states, moved.RC = 0.98, 90, 12
    fresh = live.FixedPoint(discount=0.98, RC=12)
    assert moved.read() == fresh.read()
    for name in ("newton", "poly", "sweeps"):
        np.testing.assert_array_equal(moved.outputs()[name], fresh.outputs()[name])


# Errors


def test_newtons_path_is_that_of_dense_newton(opened):
    figure, arrays, model, params = opened
    Pi = transition_matrix(params.theta3, model.n_states)
    problem = (model.costs(params.theta1), Pi, params.RC, model.discount, 0.0)
    fixed = newton_dense(np.zeros(model.n_states), *problem, 30)[0]
    path = known(arrays["newton"])
    for k, error in zip(path[0], path[2], strict=True):
        ev = newton_dense(np.zeros(model.n_states), *problem, int(k))[0]
        # What a general n x n solve loses to rounding; the structured one loses less.
        lost = 0.1 * np.finfo(float).eps / (1 - model.discount) ** 2
        assert error == pytest.approx(distance(ev, fixed), abs=max(1e-11, lost))
    assert path[2, -1] == 1e-18
    assert distance(arrays["fixed"][: model.n_states], fixed) < default_tol(model.discount)


def test_the_polyalgorithms_path_is_that_of_solve(opened):
    figure, arrays, model, params = opened
    fixed, path = model.solve(params).ev, known(arrays["poly"])
    n_sweeps, n_iter = int(arrays["summary"][1]), path.shape[1]
    evs = [stopped(model, params, "contraction", k) for k in range(1, n_sweeps + 1)]
    evs += [stopped(model, params, "poly", k) for k in range(1, n_iter - n_sweeps + 1)]
    errors = np.array([distance(ev, fixed) for ev in evs])
    expected = np.where(errors > np.finfo(float).eps / (1 - model.discount), errors, 1e-18)
    np.testing.assert_allclose(path[2], expected, rtol=1e-12)
    np.testing.assert_array_equal(path[0], np.arange(1, n_iter + 1))


def test_the_contractions_path_is_that_of_a_dense_bellman_operator(opened):
    figure, arrays, model, params = opened
    n, discount = model.n_states, model.discount
    cost, Pi, fixed = model.costs(params.theta1), transition_matrix(params.theta3, n), model.solve(params).ev
    path, ev, errors = known(arrays["sweeps"]), np.zeros(n), {}
    for k in range(1, 1001):
        ev = Pi @ np.logaddexp(discount * ev - cost, discount * ev[0] - cost[0] - params.RC)
        errors[k] = distance(ev, fixed)
    early = path[:, path[0] <= 1000]
    np.testing.assert_allclose(early[2], [errors[k] for k in early[0]], rtol=1e-9, atol=default_tol(discount))
    np.testing.assert_array_equal(early[0, :20], np.arange(1, early.shape[1] + 1)[:20])


def test_the_contractions_path_ends_at_the_tolerance_with_the_iterate_of_solve(opened):
    figure, arrays, model, params = opened
    solution, path = model.solve(params, method="contraction"), known(arrays["sweeps"])
    np.testing.assert_array_equal(arrays["ev"][: model.n_states], solution.ev)
    assert path[0, -1] == solution.n_iter
    assert path[2, -1] == pytest.approx(distance(solution.ev, model.solve(params).ev), rel=1e-9)
    assert path[2, -1] < 2 * default_tol(model.discount)


def test_the_dashed_line_is_the_first_error_times_a_power_of_the_discount_factor(opened):
    figure, arrays, model, params = opened
    number, _, error, theory = arrays["sweeps"]
    start = distance(np.zeros(model.n_states), model.solve(params).ev)
    np.testing.assert_allclose(theory, np.maximum(start * model.discount**number, 1e-18), rtol=1e-9)
    # The sup norm contracts by `discount` at least.
    seen = np.isfinite(error)
    assert (error[seen] <= theory[seen] + default_tol(model.discount)).all()


def test_the_path_has_points_beyond_where_any_contraction_is_cut():
    number = live.FixedPoint(discount=0.5).outputs()["sweeps"][0]
    assert (np.diff(number) > 0).all() and number[-1] > scenes._CAP / 90


# Operations


@pytest.fixture
def counting(monkeypatch):
    """The kernels as plain Python on counted numbers."""
    for name in ("choose", "expect", "factor", "solve_factored", "newton", "contract"):
        monkeypatch.setattr(kernels, name, plain(getattr(kernels, name)))
    monkeypatch.setattr(kernels, "log_one_plus", eight(np.log1p))
    monkeypatch.setattr(kernels, "math", CountedMath)


def operations(method, n, p, max_iter):
    """What the kernel `method` counts in `max_iter` iterations from EV = 0, where keeping is the better choice."""
    ev, work = counted(np.zeros(n)), np.array([counted(np.zeros(n)) for _ in range(7)])
    RC, discount = Counted(10, constant=True), Counted(0.9, constant=True)
    rule = (0.0, max_iter) if method is kernels.contract else (max_iter,)
    Counted.total = 0.0
    method(ev, counted(1e-3 * np.arange(n)), counted(p), RC, discount, 0.0, *rule, counted(np.zeros(max_iter)), work)
    return Counted.total


@pytest.mark.parametrize("p", [[0.4, 0.6], [0.3, 0.6, 0.1], [0.1, 0.2, 0.3, 0.2, 0.1, 0.1]], ids=len)
def test_operations_a_state_are_those_counted_in_the_kernels_themselves(counting, p):
    for method, claimed in ((kernels.contract, scenes.sweep_operations), (kernels.newton, scenes.newton_operations)):
        # Differences remove the last call of `choose`, and what happens once an iteration whatever the states.
        small, large = (operations(method, n, p, 3) - operations(method, n, p, 2) for n in (20, 50))
        assert (large - small) / 30 == plain(claimed)(1.0, float(len(p)))


def test_a_dense_steps_operations_are_those_of_lu_and_of_five_passes_over_the_matrix():
    n = 30
    matrix = np.array([counted(row) for row in np.eye(n) + 0.01])
    Counted.total = 0.0
    plain(_linalg.lu_solve)(matrix, counted(np.ones(n))[:, None])
    assert Counted.total + 5 * n**2 == pytest.approx(scenes.dense_operations(float(n)), rel=0.03)


def test_operations_are_iterations_times_what_each_costs(opened):
    figure, arrays, model, params = opened
    found, n, J = figure.read(), model.n_states, params.theta3.size
    sweep, step = n * (J + 26), n * (5 * J + 30)
    n_sweeps = found["switch"]
    assert found["contraction"] == pytest.approx(1e-6 * found["sweeps"] * sweep)
    assert found["newton"] == pytest.approx(1e-6 * found["steps"] * step)
    assert found["poly"] == pytest.approx(1e-6 * (n_sweeps * sweep + (found["iterations"] - n_sweeps) * step))
    assert found["ratio"] == pytest.approx(found["contraction"] / found["newton"])
    assert found["step"] == pytest.approx(step / sweep)
    assert found["dense"] == pytest.approx((n**3 / 3 + 6 * n**2) / step)
    number, cost = arrays["poly"][:2]
    expected = np.minimum(number, n_sweeps) * sweep + np.maximum(number - n_sweeps, 0) * step
    np.testing.assert_allclose(cost, expected)
    np.testing.assert_allclose(arrays["newton"][1], arrays["newton"][0] * step)
    np.testing.assert_allclose(arrays["newton"][3], arrays["newton"][1] * found["dense"])
    np.testing.assert_allclose(arrays["sweeps"][1], arrays["sweeps"][0] * sweep)


# The whole range


def test_every_state_has_its_paths_its_finite_numbers_and_a_place_in_the_panels():
    figure = live.FixedPoint()
    engine, arrays = figure._engine, figure._engine.arrays
    grid = np.array(np.meshgrid(DISCOUNTS[::5], SIZES[1:], [0, 3, 10.07, 20], [0, 0.5, 2.29, 10])).reshape(4, -1).T
    for discount, n, RC, theta11 in grid:
        numbers = {"discount": discount, "n_states": n, "RC": RC, "theta11": theta11}
        assert engine.call("newton_paths", numbers, 1.0) == DONE
        status = engine.call("contraction_path", numbers, 1.0)
        while status == MORE and discount <= 0.99:
            status = engine.call("contraction_path", numbers, 0.0)
        assert status == DONE or discount > 0.99
        assert np.isfinite(arrays["needs"]).all() and np.isfinite(arrays["summary"]).all()
        # What the caption says of Newton's method, and the panels' ranges.
        assert 2 <= arrays["needs"][1, 0] <= 10
        for path in (arrays["newton"], arrays["poly"], arrays["sweeps"]):
            errors = known(path)[2]
            assert (errors > 0).all() and errors.max() < 10
        assert 1e3 < arrays["sweeps"][1, 0] and arrays["needs"][0].tolist() < [1e6, 1e4]


def test_the_discount_factors_are_dense_and_end_at_rusts():
    assert list(DISCOUNTS) == sorted(set(DISCOUNTS)) and DISCOUNTS[0] == 0.5 and DISCOUNTS[-1] == 0.9999
    left = 1 - np.array(DISCOUNTS)
    assert (left[1:] / left[:-1] >= 0.499).all()
