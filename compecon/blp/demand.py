"""Demand: shares at other prices, elasticities, diversion. Functions of a `Demand` and of `Markets`.

Each returns what the caller sees and a dict of what failed: for a kind of failure, the (T,) counts by market.
"""

import numpy as np
from scipy.special import log_softmax, softmax

from compecon.blp import demand_kernels as kernels


def utilities(demand, prices=None, delta=None):
    """delta (N,) and X2 (N, K2) at `prices`, or at the system's own; a given `delta` stays as it is."""
    if prices is None:
        return demand.delta if delta is None else delta, demand.problem.rebuild(demand.prices)[1]
    unknown = np.isnan(prices)
    moved, x2 = demand.characteristics(np.where(unknown, demand.prices, prices))
    return np.where(unknown, np.nan, moved if delta is None else delta), x2


def slopes(demand, name="prices", prices=None):
    """The derivatives of X1 beta (N,) and of X2 (N, K2) by `name`; by None, which is mean utility, ones and zeros."""
    if name is None:
        return np.ones(demand.delta.size), np.zeros((demand.delta.size, demand.problem.K2))
    return tuple(np.require(part, np.float64, "CW") for part in demand.derivatives(name, prices))


def values_of(demand, name):
    """The characteristic `name` itself : (N,)."""
    known = demand.problem.sorted_products.columns | {"prices": demand.prices, None: demand.delta}
    return np.require(known[name], np.float64, "CW")


def market_shares(demand, markets, prices=None, delta=None):
    """s_j = sum_i w_i P_ij : (n, 1)."""
    out = np.empty(demand.delta.size)
    markets.run(kernels.shares_of_markets, demand, *utilities(demand, prices, delta), out)
    return markets.write(out), {}


def responses(demand, markets, name, kind):
    """Of the `kind` that `kernels.jacobians_of_markets` says : (N, max J) sorted."""
    out, known = np.empty((demand.delta.size, markets.width)), (*utilities(demand), *slopes(demand, name))
    markets.run(kernels.jacobians_of_markets, demand, *known, kind, values_of(demand, name), out)
    return out


def stacked_responses(demand, markets, name, kind):
    """`responses` as the caller sees them."""
    out = responses(demand, markets, name, kind)
    return markets.write(out), flat(out, markets)


def flat(matrices, markets):
    """Counts of products whose own response is zero, so that ratios to it are not finite."""
    bad = ~np.isfinite(own_of(matrices, markets))
    return {"flat": np.add.reduceat(bad, markets.starts, dtype=np.int64)}


def own_of(matrices, markets):
    """(n,) diagonals of (N, max J) sorted matrices."""
    return matrices[markets.block][np.arange(markets.places.size), markets.places]


def mean_own_responses(demand, markets, name, kind):
    """Mean of each market's diagonal of `responses` : (T, 1)."""
    own = own_of(responses(demand, markets, name, kind), markets)
    return (np.add.reduceat(own, markets.starts) / markets.sizes)[:, None], {}


def long_run_diversion_ratios(demand, markets):
    """(s_k without j - s_k) / s_j = sum_i (w_i P_ij / s_j) Q_ijk, with Q_ijk the probability of k once j is gone.

    j's buyers, w_i P_ij / s_j, are found in logs: they have their mix even where s_j underflows.
    """
    out = np.full((demand.delta.size, markets.width), np.nan)
    for here, weights, utility in markets.each(demand, utilities(demand)):
        J = utility.shape[1]
        # The outside good takes the place that j leaves.
        others = np.where(np.eye(J, dtype=bool), 0.0, utility[:, None, :])
        buyers = np.log(np.maximum(weights, 1e-300))[:, None] + log_choices(utility)
        out[here, :J] = np.einsum("ij,ijk->jk", softmax(buyers, axis=0), softmax(others, axis=2))
    return markets.write(out), {}


def log_choices(utility):
    """log P_ij : (I, J)."""
    return log_softmax(np.insert(utility, 0, 0.0, axis=1), axis=1)[:, 1:]


def probabilities(demand, markets, prices=None, delta=None):
    """P_ij, stacked: a product's row has one column an agent of its market, then NaN."""
    agents = np.diff(demand.problem.sorted_agents.starts[markets.first : markets.last + 1])
    out = np.full((demand.delta.size, agents.max()), np.nan)
    for here, weights, utility in markets.each(demand, utilities(demand, prices, delta)):
        out[here, : weights.size] = np.exp(log_choices(utility)).T
    return markets.write(out), {}


def aggregate_elasticities(demand, markets, factor, name):
    """sum_j [s_j((1 + f) x) - s_j] / f : (T, 1)."""
    slopes(demand, name)  # refuses a name that no formula uses, and categories
    moved, (delta, x2), out = (1.0 + factor) * values_of(demand, name), utilities(demand), np.zeros(demand.delta.size)
    if name is None:
        delta = moved
    else:
        linear, nonlinear = demand.problem.product_formulations
        before = demand.problem.sorted_products.columns | {"prices": demand.prices}
        after = before | {name: moved}
        delta = delta + (linear.build(after) - linear.build(before)) @ demand.beta
        x2 = x2 if nonlinear is None else nonlinear.build(after)
    markets.run(kernels.shares_of_markets, demand, delta, x2, out)
    return markets.sums(out - demand.shares) / factor, {}
