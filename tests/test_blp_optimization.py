"""Optimizers: all find the same minimum, within bounds, in any units, to the last digit that rounding leaves."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.optimize
from blp_solve_fixtures import PI, SIGMA, economy, problem

from compecon import blp
from compecon.blp.examples import PI as CEREAL_PI
from compecon.blp.examples import SIGMA as CEREAL_SIGMA
from compecon.blp.examples import cereal_problem
from compecon.blp.gauss_newton import minimize_squares

# In so small an economy some agents come to like higher prices.
UPWARD = pytest.mark.filterwarnings("ignore:.*like higher prices")
OTHERS = ("bfgs", "l-bfgs-b", "slsqp", "tnc", "trust-constr", "trust-exact", "nelder-mead", "cg")


@pytest.fixture(scope="module")
def cereal():
    """The cereal problem."""
    return cereal_problem()


@pytest.mark.parametrize("name", OTHERS)
def test_all_optimizers_find_the_same_minimum(name):
    """Three parameters in a small economy, known up to the tolerance of the crudest optimizer."""
    sigma, economy_ = np.diag([0.0, 0.8, 0.6]), problem(demographics=None, seed=6)
    best = economy_.solve(sigma, method="1s")
    found = economy_.solve(sigma, method="1s", optimization=blp.Optimization(name))
    assert best.converged and found.converged and best.objective <= found.objective * (1 + 1e-9)
    np.testing.assert_allclose(np.abs(found.theta), np.abs(best.theta), rtol=2e-3)


def test_bfgs_goes_on_where_its_line_search_fails(cereal):
    """A gradient of 1e-9 asks for steps that lower the objective by less than its rounding."""
    exact = blp.Optimization("bfgs", {"gtol": 1e-9})
    results = cereal.solve(CEREAL_SIGMA, CEREAL_PI, method="1s", optimization=exact)
    assert results.converged and results.projected_gradient_norm <= 1e-9


def test_linear_residuals_are_minimised_in_one_step_bounds_included():
    """Against scipy.optimize.lsq_linear; the unbounded minimum lies outside two of the bounds."""
    A, b = np.random.default_rng(0).normal(size=(9, 4)), np.random.default_rng(1).normal(size=9)
    free = np.linalg.lstsq(A, b)[0]
    lower, upper = np.where(np.arange(4) < 2, free + 0.3, -9.0), np.full(4, 9.0)

    def evaluation(theta):
        r = A @ theta - b
        return SimpleNamespace(theta=theta, residuals=r, residuals_jacobian=A, value=r @ r, gradient=2 * A.T @ r)

    theta, converged, n_iter = minimize_squares(evaluation, free + 1.0, 1e-10, lower=lower, upper=upper)
    known = scipy.optimize.lsq_linear(A, b, (lower, upper), tol=1e-14).x
    np.testing.assert_allclose(theta, known, rtol=1e-8)
    assert converged and n_iter == 1 and (theta[:2] == lower[:2]).all()


@pytest.mark.parametrize("name", ["gauss-newton", "l-bfgs-b", "slsqp", "trust-constr"])
def test_bounds_are_respected_and_descent_stops_at_them(cereal, name):
    """Without bounds the sigma of sugar is negative, that of the constant above 0.4 (the first polished estimates)."""
    lower, upper = np.diag([0.0, 0.0, 0.01, 0.0]), np.diag([0.4, 10.0, 1.0, 1.0])
    options = {"gtol": 1e-4} if name == "l-bfgs-b" else {}
    results = cereal.solve(
        CEREAL_SIGMA, CEREAL_PI, method="1s", sigma_bounds=(lower, upper), optimization=blp.Optimization(name, options)
    )
    assert (results.sigma >= lower).all() and (results.sigma <= upper).all()
    np.testing.assert_allclose(np.diag(results.sigma)[[0, 2]], [0.4, 0.01], rtol=1e-4)
    assert results.converged and results.projected_gradient_norm < 1e-2
    assert results.gradient[0, 0] < -0.1 and results.gradient[2, 0] > 0.1
    np.testing.assert_allclose(results.objective, 6.0867435788951, rtol=1e-5)  # four optimizers agree


@UPWARD
def test_equal_bounds_fix_a_parameter():
    bounds = np.diag([0.5, -9.0, -9.0]), np.diag([0.5, 9.0, 9.0])
    fixed = problem().solve(SIGMA, PI, method="1s", sigma_bounds=bounds)
    assert fixed.sigma[0, 0] == 0.5 and "1 x 1" not in fixed.theta_labels
    assert np.isnan(fixed.sigma_se[0, 0]) and np.isfinite(fixed.sigma_se[1, 1])
    assert fixed.theta.size == 6 and fixed.inside_bounds.all() and fixed.converged


@UPWARD
def test_units_of_the_data_do_not_matter():
    """Prices in billionths: the gradient in sigma's units is a billion times larger, and gtol below its rounding."""
    products = economy()[0]
    small, large = np.diag([1.0, 1e-9, 1.0]), products.assign(prices=1e9 * products.prices)
    one = problem().solve(SIGMA, PI, method="1s")
    other = problem(products=large).solve(small @ SIGMA, small @ PI, method="1s")
    assert one.converged and other.converged
    np.testing.assert_allclose(other.sigma, small @ one.sigma, rtol=1e-6)
    np.testing.assert_allclose(other.objective, one.objective, rtol=1e-10)


@pytest.mark.parametrize("scale", [0.3, 1.5])
def test_a_taste_without_spread_is_found_from_either_side(scale):
    """At sigma = 0 the residuals' slope vanishes: plain Gauss-Newton crawls there, a memory of curvature does not."""
    built = problem(demographics=None, integration=("product", 3), seed=6)
    for sign in (1.0, -1.0):
        found = built.solve(np.diag([0.0, sign * 0.1 * scale, sign * 0.5 * scale]), method="1s")
        assert found.converged and found.objective_evaluations < 30
        np.testing.assert_allclose(found.theta[0], 0.0, atol=1e-6)
        elsewhere = 2 * found.sigma + np.diag([0.0, 0.1, 0.0])
        bfgs = built.solve(elsewhere, method="1s", optimization=blp.Optimization("bfgs"))
        np.testing.assert_allclose(found.objective, bfgs.objective, rtol=1e-9)
