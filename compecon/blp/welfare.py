"""Consumer surplus in money. Functions of a `Demand` and of `Markets`; failures are reported as in demand.py."""

import numpy as np

from compecon.blp.demand import slopes, utilities
from compecon.blp.supply_kernels import agent_surpluses
from compecon.errors import ParameterError


def consumer_surpluses(demand, markets, keep_all=False, eliminated=None, prices=None):
    """sum_i w_i log(1 + sum_j exp V_ij) / (-alpha_i) : (T, 1), or each agent's, stacked (T, max I).

    eliminated : (N,) bool, sorted products taken out of choice sets. 'income' counts agents with alpha_i >= 0.
    """
    _refuse_income_effects(demand, markets)
    delta, x2 = utilities(demand, prices)
    delta = delta if eliminated is None else np.where(eliminated, -np.inf, delta)
    rows, upward = [], []
    for _, weights, utility, slope in markets.each(demand, (delta, x2), slopes(demand)):
        surplus = np.empty(weights.size)
        agent_surpluses(utility, slope, surplus)
        rows.append(surplus if keep_all else [np.sum(weights * surplus)])
        upward.append(np.sum(~(slope[:, 0] < 0.0)))
    out = np.full((len(rows), max(map(len, rows))), np.nan)
    for t, row in enumerate(rows):
        out[t, : len(row)] = row
    return out, {"income": np.array(upward)}


def _refuse_income_effects(demand, markets):
    """ParameterError naming the columns through which a price matters more for one product than for another."""
    columns = demand.problem.sorted_products.columns | {"prices": demand.prices}
    varying = []
    for formulation in filter(None, demand.problem.product_formulations):
        slope = formulation.derivative(columns, "prices")[markets.block]
        apart = np.abs(slope - slope[markets.starts][markets.market]).max(axis=0)
        varying += np.array(formulation.labels(columns))[apart > 1e-12 * np.abs(slope).max(axis=0)].tolist()
    if varying or not demand.price_linear:
        raise ParameterError(f"consumer surplus needs a marginal utility of income that is the same for all products, "
                             f"but prices enter through {', '.join(varying) or 'a function that is not linear'}. Let "
                             f"them enter linearly and by themselves.")
