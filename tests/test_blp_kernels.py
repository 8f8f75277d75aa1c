"""The inner problem of one market: each kernel against plain NumPy, mpmath or differences, and the extremes."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compecon._jit import kernel
from compecon._linalg import add_bilinear, factor_m_matrix, lu_solve, solve_m_matrix, solve_m_vector
from compecon.blp import kernels


def plain_probabilities(delta, mu):
    """(I, J) choice probabilities, shifted by each agent's largest utility."""
    utilities = delta + mu
    largest = np.maximum(0, utilities.max(axis=1, keepdims=True))
    exps = np.exp(utilities - largest)
    return exps / (np.exp(-largest) + exps.sum(axis=1, keepdims=True))


def market(seed, n_products, n_agents, scale=1.0):
    """x2 (J, 2), weights, traits (I, 3), loadings (2, 3), mu (I, J) and the shares of a random delta."""
    rng = np.random.default_rng(seed)
    x2, traits = rng.normal(size=(n_products, 2)), rng.normal(size=(n_agents, 3))
    loadings = scale * rng.normal(size=(2, 3))
    weights = rng.random(n_agents)
    weights /= weights.sum()
    mu = traits @ loadings.T @ x2.T
    delta = rng.normal(size=n_products) - 1 - mu.max(axis=0)
    return x2, weights, traits, loadings, mu, delta


def invert(shares, x2, weights, traits, loadings, method=kernels.NEWTON, places=((0, 0), (1, 2)), limit=5000):
    """delta, its Jacobian by the loadings at `places`, and the report of solve_markets."""
    n_products, n_agents = shares.size, weights.size
    rows, columns = (np.array(index, dtype=np.int64) for index in zip(*places, strict=True))
    delta = np.log(shares) - np.log1p(-shares.sum())
    jacobian, report = np.zeros((n_products, rows.size)), np.zeros((1, 3))
    size = kernels.space_size(n_agents, n_products) + (n_agents + n_products + 1) * rows.size
    kernels.solve_markets(
        0, 1, np.array([0, n_products]), np.array([0, n_agents]), shares, x2, weights, traits, loadings,
        rows, columns, method, 1e-14, limit, np.empty(size), delta, jacobian, report,
    )  # fmt: skip
    return delta, jacobian, report[0]


@kernel
def one_market(target, x2, weights, traits, loadings, method, tol, max_iter, delta, flat, trace):
    """What a page does: solve one market by the kernels of another file, and keep the residuals of its sweeps."""
    space = kernels.carve(flat, weights.size, target.size)
    return kernels.solve_market(target, x2, weights, traits, loadings, method, tol, max_iter, delta, space, trace)


def residuals(shares, delta, mu, weights, sweeps):
    """Largest |log S - log s| of each sweep of the contraction from `delta`."""
    out = []
    for _ in range(sweeps):
        gap = np.log(shares) - np.log(weights @ plain_probabilities(delta, mu))
        delta = delta + gap
        out.append(np.abs(gap).max())
    return out


def test_bilinear_utilities_are_the_matrix_product():
    x2, _, traits, loadings, mu, delta = market(0, 5, 7)
    out = np.empty((7, 5))
    add_bilinear(x2, delta, traits, loadings, out)
    np.testing.assert_allclose(out, delta + mu, rtol=1e-13)


@pytest.mark.parametrize("outside", [0.3, 1e-14])
def test_m_matrix_solutions_keep_their_digits_when_row_sums_vanish(outside):
    """Against 40 digits: the plain matrix, formed by subtraction, has lost them."""
    rng = np.random.default_rng(1)
    off = rng.random((6, 6))
    off = np.triu(off, 1)
    margins = outside * rng.random(6)
    rhs = rng.normal(size=(6, 2))
    factor, ours = off.copy(), rhs.copy()
    assert factor_m_matrix(factor, margins.copy()) == 1
    solve_m_matrix(factor, ours)
    alone = rhs[:, 0].copy()
    solve_m_vector(factor, alone)
    np.testing.assert_allclose(alone, ours[:, 0], rtol=1e-13)
    with mpmath.workdps(40):
        full = mpmath.matrix(off + off.T)
        exact = mpmath.matrix(6, 6)
        for j in range(6):
            for k in range(6):
                exact[j, k] = mpmath.mpf(margins[j]) + sum(full[j, i] for i in range(6)) if j == k else -full[j, k]
        for c in range(2):
            solution = mpmath.lu_solve(exact, mpmath.matrix(rhs[:, c]))
            np.testing.assert_allclose(ours[:, c], [float(v) for v in solution], rtol=3e-14)


def test_a_singular_m_matrix_is_reported():
    assert factor_m_matrix(np.triu(np.ones((3, 3)), 1), np.zeros(3)) == 0


def test_lu_solves_what_needs_pivoting_and_reports_what_is_singular():
    rng = np.random.default_rng(2)
    matrix = rng.normal(size=(7, 7))
    matrix[0, 0] = 0.0
    rhs = rng.normal(size=(7, 3))
    ours = rhs.copy()
    assert lu_solve(matrix.copy(), ours) == 1
    np.testing.assert_allclose(ours, np.linalg.solve(matrix, rhs), rtol=1e-12)
    assert lu_solve(np.ones((2, 2)), np.ones((2, 1))) == 0
    assert lu_solve(np.full((2, 2), np.nan), np.ones((2, 1))) == 0


@pytest.mark.parametrize("method", [kernels.SIMPLE, kernels.SQUAREM, kernels.NEWTON])
@pytest.mark.parametrize(("n_products", "n_agents"), [(1, 1), (1, 9), (6, 1), (5, 8), (24, 21)])
def test_every_method_finds_the_delta_behind_the_shares(method, n_products, n_agents):
    x2, weights, traits, loadings, mu, delta = market(3, n_products, n_agents, 0.7)
    shares = weights @ plain_probabilities(delta, mu)
    found, _, (_, residual, converged) = invert(shares, x2, weights, traits, loadings, method)
    assert converged == 1 and residual <= 1e-13
    np.testing.assert_allclose(weights @ plain_probabilities(found, mu), shares, rtol=2e-13)
    np.testing.assert_allclose(found, delta, atol=1e-9)


def test_the_response_of_delta_agrees_with_differences():
    x2, weights, traits, loadings, mu, delta = market(4, 6, 9)
    shares = weights @ plain_probabilities(delta, mu)
    _, jacobian, _ = invert(shares, x2, weights, traits, loadings)
    for p, place in enumerate([(0, 0), (1, 2)]):
        ahead, behind = loadings.copy(), loadings.copy()
        ahead[place] += 1e-5
        behind[place] -= 1e-5
        difference = invert(shares, x2, weights, traits, ahead)[0] - invert(shares, x2, weights, traits, behind)[0]
        np.testing.assert_allclose(jacobian[:, p], difference / 2e-5, atol=1e-8)


def test_the_response_of_delta_solves_the_implicit_function_equation():
    x2, weights, traits, loadings, mu, delta = market(5, 6, 9)
    P = plain_probabilities(delta, mu)
    shares = weights @ P
    _, jacobian, _ = invert(shares, x2, weights, traits, loadings)
    by_delta = np.diag(shares) - (weights[:, None] * P).T @ P
    for p, (k, c) in enumerate([(0, 0), (1, 2)]):
        mean = P @ x2[:, k]
        by_theta = ((weights * traits[:, c])[:, None] * P * (x2[:, k] - mean[:, None])).sum(axis=0)
        np.testing.assert_allclose(jacobian[:, p], -np.linalg.solve(by_delta, by_theta), rtol=1e-9)


def test_utility_of_800_against_a_delta_of_minus_800_is_a_share_of_one_half():
    x2, weights, traits, loadings = np.ones((1, 1)), np.ones(1), np.ones((1, 1)), np.full((1, 1), 800.0)
    delta, jacobian, (_, _, converged) = invert(np.array([0.5]), x2, weights, traits, loadings, places=((0, 0),))
    assert converged == 1
    assert delta[0] == pytest.approx(-800, abs=1e-10)
    assert jacobian[0, 0] == pytest.approx(-1, rel=1e-12)


@pytest.mark.parametrize("method", [kernels.SIMPLE, kernels.SQUAREM, kernels.NEWTON])
def test_the_trace_has_the_residual_of_each_sweep_as_far_as_it_reaches(method):
    x2, weights, traits, loadings, mu, delta = market(3, 24, 21, 0.7)
    shares = weights @ plain_probabilities(delta, mu)
    start, flat = np.log(shares) - np.log1p(-shares.sum()), np.empty(kernels.space_size(21, 24))
    found, known = [], (shares, x2, weights, traits, loadings, method, 1e-14, 5000)
    for size in (200, 5, 0):
        trace, found = np.full(size, np.nan), [*found, start.copy()]
        sweeps, residual = one_market(*known, found[-1], flat, trace)
        first = residuals(shares, start, mu, weights, 2)
        np.testing.assert_allclose(trace[:2], first[: trace[:2].size], rtol=1e-12)
        if method == kernels.SIMPLE:
            # What a step leaves is known to rounding errors of the shares only.
            kept = min(sweeps, size)
            np.testing.assert_allclose(trace[:kept], residuals(shares, start, mu, weights, kept), atol=1e-13)
        assert np.isfinite(trace[:sweeps]).all() and np.isnan(trace[sweeps:]).all()
        if size > sweeps:
            assert trace[sweeps - 1] == residual <= 1e-13 and (trace[: sweeps - 1] > 1e-14).all()
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])


def test_a_limit_on_evaluations_marks_the_market_unconverged():
    x2, weights, traits, loadings, mu, delta = market(6, 5, 8)
    shares = weights @ plain_probabilities(delta, mu)
    _, _, (sweeps, residual, converged) = invert(shares, x2, weights, traits, loadings, kernels.SIMPLE, limit=3)
    assert converged == 0 and residual > 1e-14 and sweeps <= 4


def test_nan_in_a_characteristic_is_never_converged():
    x2, weights, traits, loadings, mu, delta = market(7, 4, 5)
    shares = weights @ plain_probabilities(delta, mu)
    x2[0, 0] = np.nan
    for method in (kernels.SIMPLE, kernels.SQUAREM, kernels.NEWTON):
        assert invert(shares, x2, weights, traits, loadings, method)[2][2] == 0


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32), n_products=st.integers(1, 30), n_agents=st.integers(1, 40), power=st.floats(-1, 2.9)
)
def test_newton_solves_markets_with_utilities_of_any_size(seed, n_products, n_agents, power):
    """Tastes from 0.1 to 800, shares down to 1e-12: for shares that some delta explains, Newton finds one."""
    x2, weights, traits, loadings, mu, delta = market(seed, n_products, n_agents, 10.0**power)
    shares = weights @ plain_probabilities(delta, mu)
    if shares.min() < 1e-12 or 1 - shares.sum() < 1e-12:
        return
    found, _, (_, residual, converged) = invert(shares, x2, weights, traits, loadings)
    rounding = 4 * np.finfo(float).eps * (1 + np.abs(found).max() + np.abs(mu).max())
    # Utilities of 10,000 may leave a residual of a few times what rounding leaves of one; it is then marked.
    assert converged == (residual <= max(1e-14, 4 * np.finfo(float).eps * np.abs(found).max()))
    assert residual <= max(1e-14, rounding)
    np.testing.assert_allclose(weights @ plain_probabilities(found, mu), shares, rtol=10 * rounding + 1e-13)
