"""theta: its order, its labels, its bounds, and what is refused as starting values."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from blp_solve_fixtures import PI, SIGMA, problem

from compecon.blp.gauss_newton import projected_gradient
from compecon.blp.parameters import build_parameters
from compecon.errors import ParameterError

NAMES = SimpleNamespace(x2_names=("1", "prices", "x"), demographic_names=("income", "age"))
LOWER = np.array([[1.0, 0.0, 0.0], [2.0, 3.0, 0.0], [0.0, 4.0, 0.0]])
CROSS = np.array([[0.0, 5.0], [6.0, 7.0], [0.0, 0.0]])
OPEN = np.full((3, 3), np.inf)


def test_theta_runs_through_the_lower_triangle_of_sigma_row_by_row_then_through_pi():
    parameters = build_parameters(NAMES, LOWER, CROSS)
    np.testing.assert_array_equal(parameters.theta, [1, 2, 3, 4, 5, 6, 7])
    assert parameters.labels == (
        "1 x 1", "prices x 1", "prices x prices", "x x prices", "1 x age", "prices x income", "prices x age"
    )  # fmt: skip
    assert not parameters.bounded


def test_loadings_put_theta_back():
    parameters = build_parameters(NAMES, LOWER, CROSS)
    np.testing.assert_array_equal(parameters.loadings(parameters.theta), np.hstack([LOWER, CROSS]))
    sigma, pi = parameters.split(10 * parameters.theta)
    np.testing.assert_array_equal(sigma, 10 * LOWER)
    np.testing.assert_array_equal(pi, 10 * CROSS)


def test_split_fills_what_is_not_estimated():
    sigma, pi = build_parameters(NAMES, LOWER, CROSS).split(np.ones(7), fill=np.nan)
    np.testing.assert_array_equal(np.isnan(sigma), LOWER == 0)
    np.testing.assert_array_equal(np.isnan(pi), CROSS == 0)


def test_equal_bounds_take_a_parameter_out_and_keep_its_value():
    lower, upper = -OPEN.copy(), OPEN.copy()
    lower[1, 0] = upper[1, 0] = 2.0
    parameters = build_parameters(NAMES, LOWER, CROSS, (lower, upper))
    assert "prices x 1" not in parameters.labels and parameters.theta.size == 6
    assert parameters.loadings(np.zeros(6))[1, 0] == 2.0


def test_bounds_follow_their_parameters():
    lower, upper = np.where(CROSS != 0, CROSS - 1, 0), np.where(CROSS != 0, CROSS + 2, 0)
    parameters = build_parameters(NAMES, LOWER, CROSS, pi_bounds=(lower, upper))
    np.testing.assert_array_equal(parameters.lower, [-np.inf] * 4 + [4, 5, 6])
    np.testing.assert_array_equal(parameters.upper, [np.inf] * 4 + [7, 8, 9])
    assert parameters.bounded


@pytest.mark.parametrize("nothing", [None, np.full((3, 3), np.nan)])
def test_none_and_nan_bound_nothing(nothing):
    """A missing side once became a bound of zero."""
    parameters = build_parameters(NAMES, LOWER, CROSS, (nothing, LOWER + 1))
    np.testing.assert_array_equal(parameters.lower, -np.inf)
    np.testing.assert_array_equal(parameters.upper[:4], [2, 3, 4, 5])


def test_tables_of_pandas_and_nested_lists_are_matrices_too():
    known = build_parameters(NAMES, LOWER, CROSS)
    for matrix in (np.ndarray.tolist, pd.DataFrame, lambda values: values.astype(int)):
        sigma, pi = matrix(LOWER), matrix(CROSS)
        np.testing.assert_array_equal(build_parameters(NAMES, sigma, pi).initial, known.initial)


def test_a_number_is_a_matrix_of_one():
    one = SimpleNamespace(x2_names=("prices",), demographic_names=())
    assert build_parameters(one, 0.5, None).theta == [0.5]


@pytest.mark.parametrize(
    ("sigma", "pi", "message"),
    [
        (None, CROSS, "sigma is missing; give its starting values, a 3 x 3 .* rows and columns 1, prices, x"),
        (LOWER, None, "pi is missing; give its starting values, a 3 x 2 .* rows 1, prices, x; columns income, age"),
        (np.eye(2), CROSS, "sigma is 2 x 2; it must be a 3 x 3 matrix"),
        ([1, 2, 3], CROSS, "sigma is 1 x 3; it must be a 3 x 3"),
        (np.ones((3, 3, 3)), CROSS, "sigma is 3 x 3 x 3; it must be a 3 x 3"),
        ("abc", CROSS, "sigma = 'abc'; it must be a 3 x 3"),
        ([[1], [1, 2], [3]], CROSS, "sigma = .*; it must be a 3 x 3"),
        (LOWER, CROSS[:, :1], "pi is 3 x 1; it must be a 3 x 2"),
        (LOWER, CROSS.T, "pi is 2 x 3; it must be a 3 x 2"),
        (LOWER * np.nan, CROSS, "must start at finite numbers"),
        (LOWER, CROSS + np.inf, "must start at finite numbers"),
        (LOWER.T, CROSS, "upper triangle must be zero"),
    ],
)
def test_starting_values_that_do_not_fit_are_refused(sigma, pi, message):
    with pytest.raises(ParameterError, match=message):
        build_parameters(NAMES, sigma, pi)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (LOWER, r"sigma_bounds must be a pair \(lower, upper\)"),
        ((LOWER,), r"sigma_bounds must be a pair"),
        ((0, 1), "sigma_bounds is 1 x 1; it must be a 3 x 3"),
        ((LOWER + 1, LOWER + 2), r"sigma\[0, 0\] starts at 1, outside its bounds \[2, 3\]"),
        ((OPEN, -OPEN), r"sigma\[0, 0\] starts at 1, outside its bounds \[inf, -inf\]"),
    ],
)
def test_bounds_that_do_not_fit_are_refused(bounds, message):
    with pytest.raises(ParameterError, match=message):
        build_parameters(NAMES, LOWER, CROSS, bounds)


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        ({"nonlinear": None}, (SIGMA, None), r"sigma is given, but the problem has no second formulation \(X2\)"),
        ({"nonlinear": None}, (None, PI), r"pi is given, but the problem has no second formulation \(X2\)"),
        ({"demographics": None}, (SIGMA, PI), "pi is given, but the problem has no agent_formulation"),
    ],
)
def test_parameters_of_what_the_problem_lacks_are_refused(options, given, message):
    with pytest.raises(ParameterError, match=message):
        problem(**options).solve(*given)


def test_empty_matrices_are_nothing():
    assert problem(nonlinear=None).solve(np.zeros((0, 0)), np.zeros((0, 0)), method="1s").theta.size == 0
    assert build_parameters(problem(demographics=None), SIGMA, np.zeros((3, 0))).theta.size == 3


def test_the_projected_gradient_is_cut_where_descent_meets_a_bound():
    gradient, theta = np.array([5.0, 5.0, -5.0, -5.0, 5.0]), np.array([0.0, 0.3, 0.0, 1.0, 9.0])
    lower, upper = np.array([0.0, 0.0, 0.0, 0.0, -np.inf]), np.array([1.0, 1.0, 1.0, 1.0, np.inf])
    np.testing.assert_allclose(projected_gradient(gradient, theta, lower, upper), [0.0, 0.3, -1.0, 0.0, 5.0])
