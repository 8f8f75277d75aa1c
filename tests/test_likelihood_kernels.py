"""The kernels that the pages share with `compecon.likelihood`, against NumPy twins."""

import itertools
import math

import numpy as np
import pytest

from compecon._linalg import cholesky_solve
from compecon.likelihood import example_kernels, kernels


def columns_of_the_inverse(matrix):
    """The inverse column by column, as Python wrote it before there was a kernel; None where there is none."""
    size = len(matrix)
    inverse, factor = np.empty((size, size)), np.empty((size + 1, size))
    if all(cholesky_solve(matrix, 0.0, unit, factor, column) for unit, column in zip(np.eye(size), inverse)):
        return (inverse + inverse.T) / 2
    return None


def inverse(matrix):
    """The kernel's status and output."""
    size = len(matrix)
    out = np.empty((size, size))
    return kernels.inverse(matrix, np.empty((size + 1, size)), np.empty(size), out), out


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
def test_the_inverse_is_numpys_and_exactly_symmetric_whatever_the_units(size):
    rng = np.random.default_rng(size)
    for _ in range(10):
        root, units = rng.normal(size=(size, size + 2)), 10.0 ** rng.uniform(-6, 6, size)
        plain = root @ root.T + 0.1 * np.eye(size)
        matrix = plain * np.outer(units, units)
        kept = matrix.copy()
        status, out = inverse(matrix)
        assert status == 1 and np.array_equal(matrix, kept)
        assert np.array_equal(out, columns_of_the_inverse(matrix)) and np.array_equal(out, out.T)
        np.testing.assert_allclose(out * np.outer(units, units), np.linalg.inv(plain), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("matrix", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[np.nan]], [[0.0]], [[-1.0]]])
def test_what_is_not_positive_definite_has_no_inverse(matrix):
    assert inverse(np.array(matrix))[0] == 0 and columns_of_the_inverse(np.array(matrix)) is None


@pytest.mark.parametrize("n_rows, n_params", [(0, 2), (1, 1), (7, 3), (500, 5)])
def test_the_total_curvature_is_the_weighted_sum(n_rows, n_params):
    rng = np.random.default_rng(n_rows)
    weights, hessian = rng.uniform(0, 9, n_rows), rng.normal(size=(n_rows, n_params, n_params))
    total = np.full((n_params, n_params), np.nan)
    kernels.curvature_total(weights, hessian, total)
    np.testing.assert_allclose(total, np.einsum("i,ijk->jk", weights, hessian), rtol=1e-12, atol=1e-11)


def may_climb(gain, slope, length, llf, trial_slope):
    """Armijo's condition; or, where the gain is within rounding errors of none, Hager and Zhang's on the slope."""
    return gain >= 1e-4 * length * slope or (gain >= -1e-12 * max(1, abs(llf)) and trial_slope >= -0.9998 * slope)


def test_the_rule_of_the_line_search_is_armijos_and_on_the_slope_where_rounding_hides_the_gain():
    gains = [-1.0, -1.1e-9, -0.9e-9, -1.1e-12, -0.9e-12, 0.0, 0.99e-4, 1.01e-4, 1.0, -math.inf, math.nan]
    slopes, trial_slopes = [1.0, 1e-9], [-1.0, -0.9999, -0.9997, 0.5]
    for point in itertools.product(gains, slopes, [1.0, 0.25], [-1000.0, 0.0], trial_slopes):
        assert kernels.climbs(*point) == may_climb(*point), point
    assert kernels.climbs(1e-4, 1.0, 1.0, 0.0, -9.0) == 1 and kernels.climbs(0.99e-4, 1.0, 1.0, 0.0, -9.0) == 0
    assert kernels.climbs(-1e-12, 1.0, 1.0, 0.0, 0.0) == 1 and kernels.climbs(-1.01e-12, 1.0, 1.0, 0.0, 0.0) == 0


def test_the_normal_terms_and_their_derivatives_are_those_of_the_formulas():
    # mpmath's derivatives of the density are in test_likelihood_examples.py.
    y, mu, sigma = np.random.default_rng(1).normal(3, 2, 50), 2.5, 1.7
    logl, scores, hessian = np.empty(50), np.empty((50, 2)), np.empty((50, 2, 2))
    example_kernels.normal_terms(y, mu, sigma, logl, scores)
    example_kernels.normal_curvature(y, mu, sigma, hessian)
    z = (y - mu) / sigma
    np.testing.assert_allclose(logl, -np.log(sigma) - 0.5 * np.log(2 * np.pi) - 0.5 * z**2, rtol=1e-14)
    np.testing.assert_allclose(scores, np.column_stack([z, z**2 - 1]) / sigma, rtol=1e-13, atol=1e-15)
    rows = np.array([[-np.ones_like(z), -2 * z], [-2 * z, 1 - 3 * z**2]]) / sigma**2
    np.testing.assert_allclose(hessian, np.moveaxis(rows, 2, 0), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("n_rows", [2, 7, 1000])
def test_the_normal_maximum_is_numpys_weighted_mean_and_standard_deviation(n_rows):
    rng = np.random.default_rng(n_rows)
    y, weights, theta = rng.normal(3, 2, n_rows), rng.integers(1, 5, n_rows).astype(float), np.empty(2)
    example_kernels.normal_maximum(y, weights, theta)
    rows = np.repeat(y, weights.astype(int))
    np.testing.assert_allclose(theta, [rows.mean(), rows.std()], rtol=1e-13)
