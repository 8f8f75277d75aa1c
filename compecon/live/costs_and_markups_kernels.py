"""The scene of the figure on conduct: costs that explain observed prices, by who cares about whose profit.

A scene returns DONE, or FAILED when there is nothing to show.
"""

import math

from compecon._jit import kernel
from compecon._linalg import add_bilinear
from compecon.blp import demand_kernels as demand
from compecon.blp import supply_kernels as supply

FAILED, DONE = 0, 1

# Conduct: who sets prices together.
FIRMS, ALONE, ONE = 0.0, 1.0, 2.0
# Matrices among `squares`.
_JACOBIAN, _OWNERSHIP, _MATRIX = 0, 1, 2
_CENTS = 100.0


@kernel
def costs_and_markups(
    market, conduct, kappa, firms, prices, shares, delta, x2, base, x2dot, weights, traits, loadings, kappas,
    agents, people, squares, margins, eta, costs, lerner, path, profits, summary,
):  # fmt: skip
    """Costs of one of M markets, when H_jk is 1 for products whose prices are set together, else kappa.

    conduct : FIRMS, ALONE or ONE. firms : (J,); prices, shares, delta : (M, J); x2 : (M, J, K2); base : (J,);
    x2dot : (J, K2); weights : (M, I); traits : (M, I, C); loadings : (K2, C); kappas : (G,), at which `path` is drawn.
    agents : (2, I, J), people : (I,), squares : (3, J, J), margins : (J,), eta : (J, 1), workspace.
    costs : (5, J), cents: prices, costs, of these those not below 0 and those below, and the costs of FIRMS, kappa 0.
    The others: see `describe`, `draw_path` and `account`.
    """
    m = int(market)
    utilities, slopes, jacobian = agents[0], agents[1], squares[_JACOBIAN]
    add_bilinear(x2[m], delta[m], traits[m], loadings, utilities)
    add_bilinear(x2dot, base, traits[m], loadings, slopes)
    demand.choice_probabilities(utilities, people)
    demand.market_jacobian(utilities, people, slopes, weights[m], slopes, jacobian, margins)
    if explain(FIRMS, 0.0, firms, shares[m], squares, eta) == 0:
        return FAILED
    account(1, firms, shares[m], eta, profits)
    for j in range(firms.size):
        costs[4, j] = _CENTS * (prices[m, j] - eta[j, 0])
    if draw_path(conduct, firms, prices[m], shares[m], kappas, squares, eta, path) == 0:
        return FAILED
    if explain(conduct, kappa, firms, shares[m], squares, eta) == 0:
        return FAILED
    account(0, firms, shares[m], eta, profits)
    describe(prices[m], shares[m], jacobian, eta, costs, lerner, summary)
    summary[5] = 0.0
    for f in range(profits.shape[1]):
        summary[5] += profits[1, f]
    return DONE


@kernel
def explain(conduct, kappa, firms, shares, squares, eta):
    """Margins p - c into eta : (J, 1), in dollars; returns 0 when the conditions are singular, else 1."""
    ownership = squares[_OWNERSHIP]
    supply.ownership_of(firms, ownership)
    for j in range(firms.size):
        for k in range(firms.size):
            together = ownership[j, k] if conduct == FIRMS else 0.0
            if conduct == ONE or j == k:
                together = 1.0
            ownership[j, k] = max(together, kappa)
    return supply.bertrand_margins(shares, squares[_JACOBIAN], ownership, squares[_MATRIX], eta)


@kernel
def draw_path(conduct, firms, prices, shares, kappas, squares, eta, path):
    """path : (2, G), the mean and the lowest cost in cents at each of `kappas`; returns 0 where there is none."""
    for g in range(kappas.size):
        if explain(conduct, kappas[g], firms, shares, squares, eta) == 0:
            return 0
        path[0, g], path[1, g] = 0.0, math.inf
        for j in range(prices.size):
            cost = _CENTS * (prices[j] - eta[j, 0])
            path[0, g] += cost / prices.size
            path[1, g] = min(path[1, g], cost)
    return 1


@kernel
def account(row, firms, shares, eta, profits):
    """Profits of firms, cents a consumer; profits : (3, F), the firms' numbers, then two rows: now, and FIRMS, kappa 0.

    `row` 0 is for now.
    """
    for f in range(profits.shape[1]):
        profits[1 + row, f] = 0.0
        for j in range(firms.size):
            if firms[j] == profits[0, f]:
                profits[1 + row, f] += _CENTS * eta[j, 0] * shares[j]


@kernel
def describe(prices, shares, jacobian, eta, costs, lerner, summary):
    """Costs in cents, and Lerner indices (p - c) / p.

    lerner : (2, J), 1 / |own elasticity| and the index. summary[:5] : the mean index, that of 1 / |own elasticity|, the
    lowest cost in cents, how many are negative, and the margin in cents of the mean serving sold.
    """
    n, sold = prices.size, 0.0
    for place in range(5):
        summary[place] = 0.0
    summary[2] = math.inf
    for j in range(n):
        cost = _CENTS * (prices[j] - eta[j, 0])
        costs[0, j], costs[1, j] = _CENTS * prices[j], cost
        costs[2, j] = cost if cost >= 0.0 else math.nan
        costs[3, j] = math.nan if cost >= 0.0 else cost
        lerner[0, j] = -shares[j] / (prices[j] * jacobian[j, j])
        lerner[1, j] = eta[j, 0] / prices[j]
        summary[0] += lerner[1, j] / n
        summary[1] += lerner[0, j] / n
        summary[2] = min(summary[2], cost)
        summary[3] += 1.0 if cost < 0.0 else 0.0
        summary[4] += _CENTS * eta[j, 0] * shares[j]
        sold += shares[j]
    summary[4] /= sold
