"""What a merger would do, without solving for its prices: pricing pressure and the cost savings that offset it.

A merger is a column of firm ids after it, in which partners share an id. Functions of a `Demand` and of `Markets`.
"""

import numpy as np

from compecon.blp import supply_kernels as kernels
from compecon.blp.demand import flat, responses
from compecon.blp.demand_kernels import DIVERSION
from compecon.blp.supply import conduct, costs_or, margins


def pricing_pressure(demand, markets, merger_ids, firm_ids, efficiency=0.0, costs=None):
    """UPP_j = sum_k D_jk (p_k - c_k) - efficiency c_j, k over the products that j's firm gains : (n, 1)."""
    costs, failures = costs_or(demand, markets, costs, (firm_ids,))
    diversion = responses(demand, markets, "prices", DIVERSION)
    before, after, out = conduct(markets, firm_ids), conduct(markets, merger_ids), np.empty(demand.delta.size)
    for here in markets.blocks():
        known = demand.prices[here], costs[here], before[here], after[here]
        kernels.pricing_pressure(diversion[here], *known, efficiency, out[here])
    return markets.write(out), failures | flat(diversion, markets)


def gross_pricing_pressure_index(demand, markets, merger_ids, firm_ids, costs=None):
    """GUPPI_j = sum_k D_jk (p_k - c_k) / p_j : (n, 1)."""
    pressure, failures = pricing_pressure(demand, markets, merger_ids, firm_ids, costs=costs)
    return pressure / markets.write(demand.prices), failures


def compensating_cost_reductions(demand, markets, merger_ids, firm_ids):
    """eta(after) - eta(before) : (n, 1), what costs must fall by for the observed prices to stay an equilibrium."""
    after, before = (margins(demand, markets, conduct(markets, ids)) for ids in (merger_ids, firm_ids))
    return markets.write(after[0] - before[0]), {"singular": np.maximum(after[2]["singular"], before[2]["singular"])}
