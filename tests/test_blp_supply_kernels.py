"""The kernels of supply, surplus and responses in one market: each against plain NumPy, and where it is singular."""

import numpy as np
import pytest

from compecon.blp import demand_kernels, supply_kernels
from compecon.blp.demand_kernels import DIVERSION, ELASTICITY, JACOBIAN

FIRMS = {1: [5.0], 2: [1.0, 1.0], 6: [2.0, 0.0, 2.0, 7.0, 0.0, 2.0]}


def plain_market(n_products, n_agents, outside=1.0, seed=0):
    """P (I, J), P_i0, w, a_ij (I, J), s, ds_j/dp_k (J, J) and -ds_0/dp_k; the outside good has exp V = `outside`."""
    rng = np.random.default_rng(seed)
    exps, alpha = np.exp(rng.normal(size=(n_agents, n_products))), -rng.uniform(0.5, 3.0, n_agents)
    weights = rng.random(n_agents)
    weights /= weights.sum()
    P = exps / (outside + exps.sum(axis=1, keepdims=True))
    slopes = np.tile(alpha[:, None], n_products)
    P0 = outside / (outside + exps.sum(axis=1))
    margins = (weights * P0) @ (P * slopes)
    jacobian = -(weights[:, None] * P).T @ (P * slopes)
    np.fill_diagonal(jacobian, 0.0)
    # Sums of like signs: exactly singular without an outside good
    jacobian[np.diag_indices(n_products)] = margins - jacobian.sum(axis=0)
    return P, P0, weights, slopes, weights @ P, jacobian, margins


def widened(matrix, extra=3):
    """The matrix with columns of NaN on its right, as a market has in a stack of larger ones."""
    return np.ascontiguousarray(np.pad(matrix, ((0, 0), (0, extra)), constant_values=np.nan))


def margins_of(shares, jacobian, H):
    """eta and the status of bertrand_margins."""
    out = np.empty((shares.size, 1))
    status = supply_kernels.bertrand_margins(shares, jacobian, H, np.empty((shares.size, shares.size)), out)
    return out[:, 0], status


@pytest.mark.parametrize("n", FIRMS)
def test_ownership_is_who_shares_a_firm(n):
    firms, out = np.array(FIRMS[n]), np.full((n, n + 3), np.nan)
    supply_kernels.ownership_of(firms, out)
    np.testing.assert_array_equal(out, widened(1.0 * (firms[:, None] == firms)))


@pytest.mark.parametrize("n", FIRMS)
def test_margins_solve_the_first_order_conditions(n):
    *_, shares, jacobian, _ = plain_market(n, 9)
    firms = np.array(FIRMS[n])
    for H in (1.0 * (firms[:, None] == firms), np.eye(n), np.ones((n, n)), np.full((n, n), 0.3) + 0.7 * np.eye(n)):
        expected = np.linalg.solve(H * -jacobian.T, shares)
        for wider in (lambda matrix: matrix, widened):
            eta, status = margins_of(shares, wider(jacobian), wider(H))
            assert status == 1
            np.testing.assert_allclose(eta, expected, rtol=1e-12)


def test_margins_hold_where_shares_are_1e_12_and_1e_200():
    # eta_j = s_j / -(ds_j/dp_j) of firms with one product
    shares = np.array([1e-12, 0.5, 1e-200])
    jacobian = -2.0 * (np.diag(shares) - np.outer(shares, shares))
    eta, status = margins_of(shares, jacobian, np.eye(3))
    assert status == 1
    np.testing.assert_allclose(eta, 0.5 / (1.0 - shares), rtol=1e-12)


@pytest.mark.parametrize(("n_products", "n_agents"), [(1, 1), (2, 1), (3, 5), (24, 20), (80, 50)])
def test_margins_of_a_monopolist_without_an_outside_good_are_nan_and_reported(n_products, n_agents):
    # Each row sums to zero but for rounding: without looking at the pivots, numbers of 1e15 would come out
    for seed in range(10):
        *_, shares, jacobian, _ = plain_market(n_products, n_agents, outside=0.0, seed=seed)
        eta, status = margins_of(shares, jacobian, np.ones((n_products, n_products)))
        assert status == 0 and np.isnan(eta).all()
        *_, shares, jacobian, _ = plain_market(n_products, n_agents, outside=1e-9, seed=seed)
        assert margins_of(shares, jacobian, np.ones((n_products, n_products)))[1] == 1


@pytest.mark.parametrize("spoiled", [0.0, np.nan, np.inf])
def test_a_row_of_zeros_or_an_unknown_response_is_reported_too(spoiled):
    *_, shares, jacobian, _ = plain_market(4, 5)
    for place in range(4):
        wrong, H = jacobian.copy(), np.ones((4, 4))
        wrong[:, place] = spoiled
        eta, status = margins_of(shares, wrong, H)
        assert status == 0 and np.isnan(eta).all()


@pytest.mark.parametrize("n", FIRMS)
def test_concentration_adds_up_the_squares_of_firms(n):
    firms, shares = np.array(FIRMS[n]), np.random.default_rng(1).random(n) / n
    owned = np.array([shares[firms == firm].sum() for firm in np.unique(firms)])
    expected = 1e4 * np.sum((owned / shares.sum()) ** 2)
    assert supply_kernels.hhi(firms, shares) == pytest.approx(expected, rel=1e-12)


def test_a_monopolist_has_10000_and_firms_of_one_share_10000_by_their_number():
    assert supply_kernels.hhi(np.zeros(5), np.full(5, 0.1)) == pytest.approx(10_000, rel=1e-14)
    assert supply_kernels.hhi(np.arange(5.0), np.full(5, 0.1)) == pytest.approx(2_000, rel=1e-14)


@pytest.mark.parametrize("efficiency", [0.0, 0.1])
def test_pressure_is_diversion_times_the_margins_gained_less_the_costs_saved(efficiency):
    rng, n = np.random.default_rng(2), 6
    diversion, prices, costs = rng.random((n, n)), rng.uniform(1, 2, n), rng.random(n)
    before, after = np.eye(n), 1.0 * (np.array([0, 0, 1, 1, 2, 0])[:, None] == [0, 0, 1, 1, 2, 0])
    gained = after > before
    expected = (diversion * gained) @ (prices - costs) - efficiency * costs * gained.any(axis=1)
    for wider in (lambda matrix: matrix, widened):
        out = np.empty(n)
        stacks = wider(diversion), prices, costs, wider(before), wider(after)
        supply_kernels.pricing_pressure(*stacks, efficiency, out)
        np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-15)
    assert out[4] == 0.0 and (out[:4] > 0).all()


def test_pressure_is_unknown_where_costs_are():
    out = np.empty(2)
    supply_kernels.pricing_pressure(np.ones((2, 2)), np.ones(2), np.full(2, np.nan), np.eye(2), np.eye(2), 0.0, out)
    assert np.isnan(out).all()


@pytest.mark.parametrize(("n_agents", "n_products"), [(1, 1), (7, 3), (20, 24)])
@pytest.mark.parametrize("scale", [0.1, 5.0, 500.0])
def test_surplus_is_the_log_sum_in_money(n_agents, n_products, scale):
    rng = np.random.default_rng(3)
    utilities, alpha = scale * rng.normal(size=(n_agents, n_products)), -rng.uniform(0.5, 3.0, n_agents)
    expected = np.logaddexp.reduce(utilities, axis=1, initial=0.0) / -alpha
    out = np.empty(n_agents)
    supply_kernels.agent_surpluses(utilities, np.tile(alpha[:, None], n_products), out)
    np.testing.assert_allclose(out, expected, rtol=1e-12)


def test_surplus_at_the_extremes_and_of_agents_who_like_higher_prices():
    utilities = np.array([[800.0, 800.0], [-40.0, -41.0], [-np.inf, -np.inf], [-np.inf, 1.0], [np.nan, 1.0],
                          [1.0, np.nan], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    alpha, out = np.array([-2.0, -1.0, -1.0, -1.0, -1.0, -1.0, 0.0, 1.0, np.nan]), np.empty(9)
    supply_kernels.agent_surpluses(utilities, np.tile(alpha[:, None], 2), out)
    expected = [(800 + np.log(2)) / 2, np.exp(-40.0) + np.exp(-41.0), 0.0, np.log1p(np.exp(1.0)), *[np.nan] * 5]
    np.testing.assert_allclose(out, expected, rtol=1e-12)


@pytest.mark.parametrize("extra", [0, 3])
@pytest.mark.parametrize("n_products", [1, 5])
def test_responses_of_shares_as_derivatives_elasticities_and_diversion(n_products, extra):
    P, P0, weights, slopes, shares, jacobian, margins = plain_market(n_products, 8)
    matrix, ours, x = np.empty_like(jacobian), np.empty(n_products), 1.0 + np.arange(n_products)
    demand_kernels.market_jacobian(P, P0, slopes, weights, slopes.copy(), matrix, ours)
    np.testing.assert_allclose(matrix, jacobian, rtol=1e-12)
    np.testing.assert_allclose(ours, margins, rtol=1e-12)
    diversion = -jacobian.T / np.diag(jacobian)[:, None]
    np.fill_diagonal(diversion, margins / np.diag(jacobian))
    twins = {JACOBIAN: jacobian, ELASTICITY: jacobian * x / shares[:, None], DIVERSION: diversion}
    for kind, expected in twins.items():
        out = np.zeros((n_products, n_products + extra))
        demand_kernels.response_rows(matrix, ours, shares, x, kind, out)
        np.testing.assert_allclose(out, widened(expected, extra), rtol=1e-12)
    np.testing.assert_allclose(out[:, :n_products].sum(axis=1), 1.0, rtol=1e-12)
