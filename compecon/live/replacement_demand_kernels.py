"""Scene of the figure on demand for engines: a fleet before and after the price of an engine changes.

A scene returns DONE, MORE when it wants to be called again, or FAILED when there is nothing to show. A fleet is packed
as `fleet`: (RC and theta11 today, theta3, discount factor, steps, states), where `long_run` finds what it needs.
"""

import math

from compecon._jit import kernel
from compecon.zurcher import kernels as zurcher
from compecon.zurcher.population_kernels import stationary, turnover

FAILED, DONE, MORE = 0, 1, 2

_STEP = 1e-3  # of the price, for elasticities
# Rows of `states`: those that `zurcher.newton` works in, the first two of which are the choice probabilities; more.
_KEEP, _REPLACE, _EV, _COST, _SHARE, _NEXT, STATE_ROWS = 0, 1, 7, 8, 9, 10, 11
# Entries of `summary`.
DEMAND, CHANGE, LOWER, UPPER, ELASTICITY, FIRST_YEAR, LIFETIME, LLF, RC, THETA11, TODAY, SUMMARY_SIZE = range(12)


@kernel
def replacement_demand(price, discount, discounts, estimates, llf, prices, curves, scale, curve, tangent, point, shares,
                       hazard, path, summary, steps, states):  # fmt: skip
    """Solve the estimated model at today's price and at `price` percent of it; pass the fleet from one to the other.

    estimates : (D, 2 + J), RC, theta11 and theta3 at each of discounts : (D,), with llf : (D,). prices : (M,), percent
    of today's; curves : (D, 3, M), demand and the ends of its band. scale : (1,), months of a year times buses.
    curve : (3, M), that of this discount factor; tangent : (M,), the line through today's demand, NaN below zero.
    point : (2,), price and demand. shares : (2, n), of the fleet by state, before and in the long run. hazard : (n,),
    today's. path : (T,), engines a year by month after the change. steps, states : (STATE_ROWS, n), workspace.
    """
    row = 0
    while row < discounts.size - 1 and discounts[row] != discount:
        row += 1
    fleet = (estimates[row, :2], estimates[row, 2:], discount, steps, states)
    slope, summary[ELASTICITY] = elasticity(1.0, fleet), elasticity(price / 100.0, fleet)
    today = long_run(1.0, fleet)
    for x in range(hazard.size):
        hazard[x], shares[0, x] = states[_REPLACE, x], states[_SHARE, x]
    rate = long_run(price / 100.0, fleet)
    if not abs(slope + summary[ELASTICITY] + today + rate) < math.inf:
        return FAILED
    for x in range(hazard.size):
        shares[1, x], states[_SHARE, x] = states[_SHARE, x], shares[0, x]
    turnover(states[_KEEP], states[_REPLACE], estimates[row, 2:], states[_SHARE], states[_NEXT], path)
    tell(scale[0], today, rate, path, summary)
    point[0], point[1] = price, summary[DEMAND]
    summary[LLF], summary[RC], summary[THETA11] = llf[row], estimates[row, 0], estimates[row, 1]
    for m in range(prices.size):
        for k in range(3):
            curve[k, m] = curves[row, k, m]
        tangent[m] = summary[TODAY] * (1.0 + slope * (prices[m] / 100.0 - 1.0))
        if tangent[m] < 0.0:
            tangent[m] = math.nan
        if prices[m] == price:
            summary[LOWER], summary[UPPER] = curve[1, m], curve[2, m]
    return DONE


@kernel
def long_run(ratio, fleet):
    """Replacements a bus and month in the long run where an engine costs `ratio` of today's price; NaN if unsolved.

    Leaves the choice probabilities and the fleet's shares in `states`.
    """
    theta, p, discount, steps, states = fleet
    ev, cost, share, tol = states[_EV], states[_COST], states[_SHARE], zurcher.tolerance(discount)
    for x in range(ev.size):
        ev[x], cost[x] = 0.0, theta[1] * (1e-3 * x)
    n_iter = zurcher.newton(ev, cost, p, ratio * theta[0], discount, tol, steps.size, steps, states[:_EV])
    if not steps[n_iter - 1] <= tol or stationary(states[_KEEP], states[_REPLACE], p, share) == 0:
        return math.nan
    rate = 0.0
    for x in range(ev.size):
        rate += share[x] * states[_REPLACE, x]
    return rate


@kernel
def elasticity(ratio, fleet):
    """d log demand / d log price, by a central difference of a thousandth of the price."""
    up, down = long_run(ratio * (1.0 + _STEP), fleet), long_run(ratio * (1.0 - _STEP), fleet)
    return (up - down) / (2.0 * _STEP * long_run(ratio, fleet))


@kernel
def tell(scale, today, rate, path, summary):
    """Rates a bus and month as engines a year: today's, the long run's, the first year's, and all months of `path`."""
    summary[FIRST_YEAR] = 0.0
    for t in range(path.size):
        summary[FIRST_YEAR] += scale / 12.0 * path[t] if t < 12 else 0.0
        path[t] *= scale
    summary[TODAY], summary[DEMAND], summary[LIFETIME] = scale * today, scale * rate, 1.0 / rate
    summary[CHANGE] = 100.0 * (rate / today - 1.0)
