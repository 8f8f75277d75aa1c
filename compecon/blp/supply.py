"""Supply: multi-product firms in Bertrand-Nash competition. Functions of a `Demand` and of `Markets`.

Whoever sets the price of j earns the share H_jk of the profit of k. Failures are reported as in demand.py.
"""

import numpy as np
from scipy.linalg import lapack

from compecon.blp import supply_kernels as kernels
from compecon.blp.demand import log_choices, responses, slopes, utilities
from compecon.blp.demand_kernels import JACOBIAN, prices_of_markets
from compecon.errors import DataError, ParameterError


def conduct(markets, firm_ids=None, ownership=None):
    """H : (N, max J) sorted, from a caller's ids or stack of matrices, or from the data's firm_ids."""
    H, width = np.zeros((markets.problem.N, markets.width)), markets.width
    if ownership is None:
        codes = markets.firms(firm_ids)
        for here in markets.blocks():
            kernels.ownership_of(codes[here], H[here])
        return H
    if firm_ids is not None:
        raise ParameterError("firm_ids and ownership are both given; each says who owns what. Give one.")
    H[markets.block] = markets.checked(ownership, "ownership", width)[markets.rows].reshape(-1, width)
    missing = ((np.arange(width) < markets.sizes[markets.market][:, None]) & ~np.isfinite(H[markets.block])).any(axis=1)
    if missing.any():
        where = markets.ids[markets.market[missing]][0]
        raise DataError(f"ownership in market {where!r} is missing or infinite; fill in a column for each product.")
    return H


def solve(matrix, rhs):
    """The solution X of A X = B; NaN when A is singular to working precision."""
    *_, solution, _, _, _, info = lapack.dgesvx(matrix, rhs)
    return solution if info == 0 else np.full(rhs.shape, np.nan)


def margins(demand, markets, H):
    """eta = (H * -(ds/dp)')^-1 s : (N,) sorted; and ds_j/dp_k : (N, max J); 'singular' marks markets."""
    jacobian, eta = responses(demand, markets, "prices", JACOBIAN), np.full((demand.delta.size, 1), np.nan)
    regular = [kernels.bertrand_margins(demand.shares[here], jacobian[here], H[here], np.empty((J, J)), eta[here])
               for here, J in zip(markets.blocks(), markets.sizes, strict=True)]
    return eta[:, 0], jacobian, {"singular": 1 - np.array(regular)}


def costs_or(demand, markets, costs, owners=()):
    """`costs` : (N,) sorted if they are given, else p - eta; `owners` : firm_ids and ownership, the data's without."""
    if costs is not None:
        return costs, {}
    eta, _, failures = margins(demand, markets, conduct(markets, *owners))
    return demand.prices - eta, failures


def marginal_costs(demand, markets, owners):
    """c = p - eta : (n, 1)."""
    costs, failures = costs_or(demand, markets, None, owners)
    return markets.write(costs), failures


def markups(demand, markets, prices=None, costs=None):
    """(p - c) / p : (n, 1)."""
    prices = demand.prices if prices is None else prices
    costs, failures = costs_or(demand, markets, costs)
    return markets.write((prices - costs) / prices), failures


def profits(demand, markets, prices=None, shares=None, costs=None):
    """(p - c) s : (n, 1)."""
    prices, shares = demand.prices if prices is None else prices, demand.shares if shares is None else shares
    costs, failures = costs_or(demand, markets, costs)
    return markets.write((prices - costs) * shares), failures


def hhi(demand, markets, firm_ids, shares=None):
    """1e4 sum_f (s_f / sum_j s_j)^2 : (T, 1)."""
    shares, firms = demand.shares if shares is None else shares, markets.firms(firm_ids)
    return np.array([[kernels.hhi(firms[here], shares[here])] for here in markets.blocks()]), {}


def approximate_prices(demand, markets, owners, costs=None):
    """c + eta under other ownership, at observed shares and their derivatives : (n, 1)."""
    costs, failures = costs_or(demand, markets, costs)
    eta, _, others = margins(demand, markets, conduct(markets, *owners))
    return markets.write(costs + eta), {"singular": np.maximum(failures.get("singular", 0), others["singular"])}


def equilibrium_prices(demand, markets, owners, limits, costs=None, prices=None):
    """Bertrand-Nash prices : (n, 1), NaN in markets that failed; 'unconverged' marks these."""
    costs, failures = costs_or(demand, markets, costs)
    prices, converged = solve_prices(demand, markets, conduct(markets, *owners), costs, prices, *limits)
    return markets.write(prices), failures | {"unconverged": 1 - converged[markets.first : markets.last]}


def solve_prices(demand, markets, H, costs, start=None, tol=1e-12, max_rounds=5000):
    """The fixed point p = c + zeta(p) : (N,) sorted, NaN where it fails; and (T,) int64, 1 where it converged."""
    start = demand.prices if start is None else np.where(np.isnan(start), demand.prices, start)
    prices, report, starts = start.copy(), np.zeros(markets.problem.T), markets.problem.sorted_products.starts
    calls, rounds = (1, max_rounds) if demand.price_linear else (max_rounds, 1)
    for _ in range(calls):
        at = prices.copy()
        try:
            known = *utilities(demand, at), *slopes(demand, "prices", at)
            markets.run(prices_of_markets, demand, *known, at, costs, H, tol, rounds, prices, report)
            bad = ~np.isfinite(prices)
        except DataError:
            # A formula such as log(prices), after a step to a negative price.
            bad = at <= 0.0
            if not bad.any():
                raise
        # Failed markets go back to where the formulas are defined.
        failed = np.logical_or.reduceat(bad, starts[:-1])
        report[failed] = -1.0
        prices = np.where(np.repeat(failed, np.diff(starts)), start, prices)
        if (report[markets.first : markets.last] != 0.0).all():
            break
    return np.where(np.repeat(report == 1.0, np.diff(starts)), prices, np.nan), (report == 1.0).astype(np.int64)


def passthrough(demand, markets, owners):
    """dp/dc of Bertrand-Nash prices at the observed ones, with margins as ownership H implies: stacked.

    The conditions F_j = s_j + sum_k H_jk m_k ds_k/dp_j = 0, m = p - c, give dp/dc = (dF/dp)^-1 (H * (ds/dp)'). With
    u_ij = sum_k H_jk m_k P_ik,

        dF_j/dp_l = ds_j/dp_l + H_jl ds_l/dp_j + sum_i w_i P_ij {1[j=l] (a'_ij + a_ij^2) (H_jj m_j - u_ij)
                    + a_ij a_il P_il (2 u_ij - H_jj m_j - H_jl m_l)}
    """
    H = conduct(markets, *owners)
    eta, jacobian, failures = margins(demand, markets, H)
    out = np.full(jacobian.shape, np.nan)
    terms = utilities(demand), slopes(demand), _second_slopes(demand)
    for here, weights, utility, slope, bend in markets.each(demand, *terms):
        J, chosen = utility.shape[1], np.exp(log_choices(utility))
        gains, dsdp, pull = H[here, :J] * eta[here], jacobian[here, :J], slope * chosen
        own, shared, weighted = np.diag(gains), chosen @ gains.T, weights[:, None] * pull
        change = dsdp + H[here, :J] * dsdp.T + (2 * weighted * shared).T @ pull
        change -= (own[:, None] + gains) * (weighted.T @ pull)
        change[np.diag_indices(J)] += weights @ (chosen * (bend + slope**2) * (own - shared))
        out[here, :J] = solve(change, H[here, :J] * dsdp.T)
    failures["singular"] = np.isnan(out[markets.block][markets.starts, 0]).astype(np.int64)
    return markets.write(out), failures


def _second_slopes(demand):
    """The second derivatives of X1 beta (N,) and of X2 (N, K2) by prices, from first ones at four prices nearby."""
    if demand.price_linear:
        return np.zeros(demand.delta.size), np.zeros((demand.delta.size, demand.problem.K2))
    h = 1e-3 * np.abs(demand.prices)
    below2, below, above, above2 = (slopes(demand, "prices", demand.prices + step * h) for step in (-2, -1, 1, 2))
    nearby = zip(below2, below, above, above2, strict=True)
    return tuple(((8 * (b - a) - (b2 - a2)).T / (12 * h)).T for a2, a, b, b2 in nearby)
