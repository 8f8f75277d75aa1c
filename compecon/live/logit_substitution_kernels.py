"""Scene of the figure on the plain logit: one price of a market moves, and all shares answer.

A scene returns DONE, MORE when it wants to be called again, or FAILED when there is nothing to show. The logit is the
library's model with a single agent: arrays of agents have one row.
"""

import math

from compecon._jit import kernel
from compecon.blp import demand_kernels as demand
from compecon.blp.supply_kernels import agent_surpluses

FAILED, DONE, MORE = 0, 1, 2

# Rows of `agents`, (4, 1, J); of `products`, (2, J); and of `one`, (3, 1).
_UTILITY, _CHANCE, _SLOPE, _PULL, AGENT_ROWS = range(5)
_MARGINS, _PRICES, PRODUCT_ROWS = range(3)
_OUTSIDE, _SURPLUS, _WEIGHT, ONE_ROWS = range(4)
# Entries of `summary`.
PRICE, SHARE, OTHERS, OWN, CROSS, OUTSIDE, ALIKE, SURPLUS, INELASTIC, MEAN, SUMMARY_SIZE = range(11)


@kernel
def logit_substitution(market, product, change, estimate, shares, prices, mushy, alphas, percents, curves, here,
                       changes, diversion, chosen, summary, agents, products, one, matrix):  # fmt: skip
    """Move the price of `product` in a market by `change` percent at one of four estimates of alpha.

    shares, prices : (M, J); mushy : (J,), 0 or 1; alphas : (4,). percents : (C,), changes of the price; curves :
    (5, C), the product's share under each alpha and, last, the chosen one, in percent; here : (1,), that share now.
    changes : (3, J + 1), of shares, in percent: the product's own, the others', the outside good's (last). diversion :
    (2, J), the part of its lost buyers that others gain, and s_k / (1 - s_j). chosen : (2,), number and value of the
    estimate. summary : see its entries' names. agents, products, one, matrix : (J, J), workspace.
    """
    own, which, known, paid = int(product) - 1, int(estimate), shares[int(market)], prices[int(market)]
    alpha = alphas[which]
    if not alpha < 0.0:
        return FAILED
    for e in range(alphas.size):
        for c in range(percents.size):
            choose(known, paid, own, percents[c], alphas[e], agents, products, one)
            curves[e, c] = 100.0 * agents[_CHANCE, 0, own]
            if e == which:
                curves[alphas.size, c] = curves[e, c]
    choose(known, paid, own, 0.0, alpha, agents, products, one)
    outside, surplus = one[_OUTSIDE, 0], one[_SURPLUS, 0]
    respond(agents, products, one, matrix)
    summary[MEAN], summary[INELASTIC] = 0.0, 0.0
    for j in range(known.size):
        elasticity = paid[j] / known[j] * matrix[j, j]
        summary[MEAN] += elasticity / known.size
        summary[INELASTIC] += 1.0 if elasticity > -1.0 else 0.0
    choose(known, paid, own, change, alpha, agents, products, one)
    respond(agents, products, one, matrix)
    compare(own, known, outside, mushy, agents, products, one, matrix, changes, diversion, summary)
    summary[PRICE], summary[SURPLUS] = 100.0 * products[_PRICES, own], 100.0 * (one[_SURPLUS, 0] - surplus)
    here[0], chosen[0], chosen[1] = summary[SHARE], which + 1.0, alpha
    return DONE


@kernel
def choose(shares, prices, own, change, alpha, agents, products, one):
    """Shares and surplus when one price has changed; mean utilities are log s_j - log s_0 at the observed ones.

    Leaves utilities, shares and slopes in `agents`, prices in `products`; the outside share and the surplus in `one`.
    """
    rest = 1.0
    for j in range(shares.size):
        rest -= shares[j]
    for j in range(shares.size):
        agents[_SLOPE, 0, j], products[_PRICES, j] = alpha, prices[j]
        agents[_UTILITY, 0, j] = math.log(shares[j]) - math.log(rest)
    products[_PRICES, own] *= 1.0 + change / 100.0
    agents[_UTILITY, 0, own] += alpha * (products[_PRICES, own] - prices[own])
    for j in range(shares.size):
        agents[_CHANCE, 0, j] = agents[_UTILITY, 0, j]
    demand.choice_probabilities(agents[_CHANCE], one[_OUTSIDE])
    agent_surpluses(agents[_UTILITY], agents[_SLOPE], one[_SURPLUS])


@kernel
def respond(agents, products, one, matrix):
    """matrix_jk = ds_j/dp_k where `choose` has left the market; -ds_0/dp_k beside it in `products`."""
    one[_WEIGHT, 0] = 1.0
    demand.market_jacobian(agents[_CHANCE], one[_OUTSIDE], agents[_SLOPE], one[_WEIGHT], agents[_PULL], matrix,
                           products[_MARGINS])  # fmt: skip


@kernel
def compare(own, before, outside, mushy, agents, products, one, matrix, changes, diversion, summary):
    """What the panels show of a change from the shares `before` and `outside` to the present ones; read-outs on it."""
    n, after, lost, price = before.size, agents[_CHANCE, 0], -matrix[own, own], products[_PRICES, own]
    for k in range(n + 1):
        changes[0, k] = changes[1, k] = changes[2, k] = math.nan
    summary[ALIKE] = 0.0
    for k in range(n):
        change = 100.0 * (after[k] / before[k] - 1.0)
        if k == own:
            changes[0, k], diversion[0, k], diversion[1, k] = change, math.nan, math.nan
            continue
        changes[1, k], summary[OTHERS] = change, change
        diversion[0, k], diversion[1, k] = matrix[k, own] / lost, before[k] / (1.0 - before[own])
        summary[CROSS] = price / after[k] * matrix[k, own]
        summary[ALIKE] += diversion[0, k] if mushy[k] == mushy[own] else 0.0
    changes[2, n] = 100.0 * (one[_OUTSIDE, 0] / outside - 1.0)
    summary[OUTSIDE], summary[SHARE] = -products[_MARGINS, own] / lost, 100.0 * after[own]
    summary[OWN] = -price / after[own] * lost
