"""The scene of the figure on substitution: where a product's buyers go when its price moves, little or much.

A scene returns DONE, or FAILED when there is nothing to show.
"""

import math

from compecon._jit import kernel
from compecon._linalg import add_bilinear
from compecon.blp import demand_kernels as demand

FAILED, DONE = 0, 1

_LARGEST_DOT = 7.0  # pixels
# What stands for the diversion of a product to itself.
ITSELF = -1.0
# Rows of `flows`.
SMALL, MOVED, REMOVED, LOGIT = 0, 1, 2, 3
# Rows of `agents` and `columns`.
_UTILITIES, _SLOPES, _CHOSEN, _PULL = 0, 1, 2, 3
_MARGINS, _SHARES = 0, 1


@kernel
def diversion(
    market, product, other, change, prices, shares, delta, x2, base, x2dot, weights, traits, loadings, percents,
    agents, people, columns, square, elasticities, dots, own, curves, here, flows, bars, summary,
):  # fmt: skip
    """All about one price of one of M markets, at observed prices and with that price changed by `change` percent.

    prices, shares, delta : (M, J); x2 : (M, J, K2); base : (J,); x2dot : (J, K2); weights : (M, I); traits : (M, I, C);
    loadings : (K2, C); percents : (G,), the changes at which the demand curve is drawn.
    agents : (4, I, J), people : (2, I), columns : (2, J), square : (J, J), workspace.
    elasticities : (J, J). dots : (J * J,), radii whose squares are in proportion to cross elasticities, row by row.
    own : (2, J), own elasticities, and those of other products than `product`. The others: see `draw_curves`,
    `fill_flows` and `read_off`.
    """
    m, p = int(market), int(product) - 1
    I, J = weights.shape[1], prices.shape[1]  # noqa: E741
    chosen = agents[_CHOSEN]
    add_bilinear(x2[m], delta[m], traits[m], loadings, agents[_UTILITIES])
    add_bilinear(x2dot, base, traits[m], loadings, agents[_SLOPES])
    for i in range(I):
        for j in range(J):
            chosen[i, j] = agents[_UTILITIES, i, j]
    demand.choice_probabilities(chosen, people[0])
    demand.market_jacobian(chosen, people[0], agents[_SLOPES], weights[m], agents[_PULL], square, columns[_MARGINS])
    demand.response_rows(square, columns[_MARGINS], shares[m], prices[m], demand.ELASTICITY, elasticities)
    draw_matrix(elasticities, p, dots, own)
    draw_curves(p, change, prices[m], shares[m], elasticities[p, p], weights[m], agents, percents, curves, here)
    fill_flows(p, change, prices[m], shares[m], weights[m], agents, people, flows, bars)
    read_off(p, int(other) - 1, elasticities, flows, summary)
    summary[8] = of_all_prices(change, prices[m], shares[m], weights[m], agents, people[0], columns)
    return DONE if abs(summary[0]) < math.inf else FAILED


@kernel
def draw_matrix(elasticities, p, dots, own):
    """The radii of cross elasticities, and own elasticities: of all products, and of all but p."""
    n, largest = own.shape[1], 0.0
    for j in range(n):
        for k in range(n):
            if j != k:
                largest = max(largest, elasticities[j, k])
    for j in range(n):
        for k in range(n):
            part = 0.0 if j == k else max(elasticities[j, k], 0.0) / largest
            dots[j * n + k] = _LARGEST_DOT * math.sqrt(part)
        own[0, j] = elasticities[j, j]
        own[1, j] = math.nan if j == p else own[0, j]


@kernel
def tilted(chosen, gain):
    """The probability of a choice whose utility has risen by `gain`, when it was `chosen` before: P e^x / (...)."""
    return chosen / (chosen + (1.0 - chosen) * math.exp(-gain))


@kernel
def share_at(p, percent, price, weights, agents):
    """Product p's share when its price alone is changed by so many percent."""
    total = 0.0
    for i in range(weights.size):
        gain = agents[_SLOPES, i, p] * 0.01 * percent * price
        total += weights[i] * tilted(agents[_CHOSEN, i, p], gain)
    return total


@kernel
def draw_curves(p, change, prices, shares, elasticity, weights, agents, percents, curves, here):
    """Product p's share by its price, percent of the observed share; three curves with one slope at observed prices.

    curves : (3, G), the model, a plain logit, a constant elasticity. here : (3,), the same at `change`.
    """
    for g in range(percents.size + 1):
        percent = percents[g] if g < percents.size else change
        model = share_at(p, percent, prices[p], weights, agents) / shares[p]
        gain = elasticity / (1.0 - shares[p]) * 0.01 * percent
        logit = tilted(shares[p], gain) / shares[p]
        constant = math.exp(elasticity * math.log(1.0 + 0.01 * percent))
        if g < percents.size:
            curves[0, g], curves[1, g], curves[2, g] = 100.0 * model, 100.0 * logit, 100.0 * constant
        else:
            here[0], here[1], here[2] = 100.0 * model, 100.0 * logit, 100.0 * constant


@kernel
def fill_flows(p, change, prices, shares, weights, agents, people, flows, bars):
    """Where the buyers go whom product p loses by a small change, by this change, and when it is removed.

    flows : (4, J + 1), parts that go to each product and, last, to the outside good; in row LOGIT those of a plain
    logit, whatever the change. bars : (4, J + 1), the same, NaN for p itself.
    Agent i's part is P_ik / (1 - P_ip) each time; what differs is how many i loses: `leavers`.
    """
    n, others, nobody = prices.size, agents[_PULL], people[0]
    for i in range(weights.size):
        for k in range(n):
            others[i, k] = -math.inf if k == p else agents[_UTILITIES, i, k]
    demand.choice_probabilities(others, nobody)
    for kind in range(LOGIT):
        leavers(kind, p, change, prices[p], weights, agents, people[1])
        demand.market_shares(others, people[1], flows[kind, :n])
        flows[kind, n] = 0.0
        for i in range(weights.size):
            flows[kind, n] += people[1, i] * nobody[i]
    outside = 1.0
    for k in range(n):
        outside -= shares[k]
        flows[LOGIT, k] = 0.0 if k == p else shares[k] / (1.0 - shares[p])
    flows[LOGIT, n] = outside / (1.0 - shares[p])
    for kind in range(flows.shape[0]):
        for k in range(n + 1):
            bars[kind, k] = math.nan if k == p else flows[kind, k]


@kernel
def leavers(kind, p, change, price, weights, agents, out):
    """Each agent's part of the buyers whom p loses into out : (I,); `change` 0 counts as a small one."""
    total = 0.0
    for i in range(weights.size):
        chosen, slope = agents[_CHOSEN, i, p], agents[_SLOPES, i, p]
        if kind == REMOVED:
            lost = chosen
        elif kind == SMALL or change == 0.0:
            lost = -slope * chosen * (1.0 - chosen)
        else:
            gain = slope * 0.01 * change * price
            lost = tilted(chosen, gain) * (1.0 - chosen) * (math.exp(-gain) - 1.0)
        out[i] = weights[i] * lost
        total += out[i]
    for i in range(weights.size):
        out[i] /= total


@kernel
def read_off(p, q, elasticities, flows, summary):
    """summary[:8] : the own elasticity; of q's share by p's price; of p's share by q's price; flows to q by a small
    change, by this one, on removal and in the logit, ITSELF where q is p; the mean own elasticity."""
    n = elasticities.shape[0]
    summary[0], summary[1], summary[2] = elasticities[p, p], elasticities[q, p], elasticities[p, q]
    for kind in range(4):
        summary[3 + kind] = ITSELF if p == q else flows[kind, q]
    summary[7] = 0.0
    for j in range(n):
        summary[7] += elasticities[j, j] / n


@kernel
def of_all_prices(change, prices, shares, weights, agents, nobody, columns):
    """The elasticity of all inside sales, when all prices change by so many percent; 0 counts as a small change."""
    n, moved, before, after = prices.size, agents[_PULL], 0.0, 0.0
    for j in range(n):
        before += shares[j]
    if change == 0.0:
        for k in range(n):
            after += prices[k] * columns[_MARGINS, k]
        return after / before
    for i in range(weights.size):
        for j in range(n):
            moved[i, j] = agents[_UTILITIES, i, j] + agents[_SLOPES, i, j] * 0.01 * change * prices[j]
    demand.choice_probabilities(moved, nobody)
    demand.market_shares(moved, weights, columns[_SHARES])
    for j in range(n):
        after += columns[_SHARES, j]
    return (after / before - 1.0) / (0.01 * change)
