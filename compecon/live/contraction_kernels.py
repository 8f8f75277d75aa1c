"""Scene of the figure on BLP's inner problem: one market's mean utilities by three methods, and its diversion.

A scene returns DONE, MORE when it wants to be called again, or FAILED when there is nothing to show.
"""

import math

from compecon._jit import inlined, kernel
from compecon._linalg import add_bilinear
from compecon.blp import demand_kernels as demand
from compecon.blp import kernels as blp
from compecon.blp.kernels import Space

FAILED, DONE, MORE = 0, 1, 2

_SMALLEST_DRAWN = 1e-16
_PRICES = 1  # the column of X2


@kernel
def contraction(market, product, sigma_one, sigma_prices, sigma_sugar, sigma_mushy, demographics, shares, logit, x2,
                traits, weights, firms, pi, base, x2dot, tolerance, loadings, delta, errors, ends, observed,
                predicted, diversion, elasticities, bars, summary, pairs, by_agent, square, by_product):  # fmt: skip
    """Solve s(delta) = S three times from the logit's delta, and see who substitutes for whom at the solution.

    Market m has shares[m], logit[m] : (J,), x2[m] : (J, 4), traits[m] : (I, 8), weights[m] : (I,); firms : (J,);
    pi : (4, 4) at demographics = 1; base, x2dot : (J,), (J, 4), the slopes of X1 beta and X2 by prices; tolerance :
    (1,), on the largest |log S - log s|.
    loadings : (2, 4, 8), the reader's [Sigma | Pi] and zeros. delta : (3, J), errors : (3, sweeps), of the contraction,
    SQUAREM and Newton; ends : (4, 3), their sweeps, the last error, and where it is drawn, if they have arrived, and if
    not. observed, predicted : (J,), S and the shares at the logit's delta.
    diversion, elasticities : (2, J, J), the model's and the plain logit's. bars : (4, J + 1), diversion to products of
    the same firm, to others, to the outside good (last), and all of them in the plain logit. summary : see `read_off`.
    pairs : (3, I, J), by_agent : (2, I), square : (J, J), by_product : (8, J), workspace.
    """
    m, own = int(market), int(product) - 1
    sigma = (sigma_one, sigma_prices, sigma_sugar, sigma_mushy)
    for k in range(4):
        for c in range(4):
            loadings[0, k, c] = sigma[k] if c == k else 0.0
            loadings[0, k, 4 + c] = demographics * pi[k, c]
    space = workspace(pairs, by_agent, square, by_product)
    solve_three_times(shares[m], logit[m], x2[m], traits[m], weights[m], loadings[0], tolerance[0], space, delta,
                      errors, ends, predicted)  # fmt: skip
    for j in range(firms.size):
        observed[j] = shares[m, j]
    if math.isnan(ends[2, 2]):
        return FAILED
    respond(shares[m], delta[2], x2[m], traits[m], weights[m], loadings[0], base, x2dot, space, diversion[0],
            elasticities[0])  # fmt: skip
    respond(shares[m], logit[m], x2[m], traits[m], weights[m], loadings[1], base, x2dot, space, diversion[1],
            elasticities[1])  # fmt: skip
    read_off(own, firms, diversion, elasticities, bars, summary)
    summary[8] = rate(errors[0], int(ends[0, 0]), shares[m])
    return DONE


@inlined
def workspace(pairs, by_agent, square, by_product):
    """The fields of a Space from four arrays: `carve` reshapes one, which needs Python's exceptions."""
    return Space(pairs[0], pairs[1], pairs[2], by_agent[0], by_agent[1], square, by_product[0], by_product[1],
                 by_product[2], by_product[3], by_product[4], by_product[5], by_product[6], by_product[7])  # fmt: skip


@kernel
def solve_three_times(shares, logit, x2, traits, weights, loadings, tolerance, space, delta, errors, ends,
                      predicted):  # fmt: skip
    """The paths to delta of the plain contraction, SQUAREM and Newton; NaN beyond their ends."""
    for j in range(shares.size):
        predicted[j] = 0.0
    add_bilinear(x2, predicted, traits, loadings, space.mu)
    for method in range(3):
        path = errors[method]
        for n in range(path.size):
            path[n] = math.nan
        for j in range(shares.size):
            delta[method, j] = logit[j]
        blp.set_centre(logit, space)
        if method == 2:
            sweeps, size = blp.solve_newton(shares, delta[method], weights, space, tolerance, path.size, path)
        else:
            sweeps, size = blp.solve_contraction(shares, delta[method], weights, space, tolerance, path.size,
                                                 method == 1, path)  # fmt: skip
        ends[0, method], ends[1, method] = sweeps, size
        # An error of zero has no place on a logarithmic axis.
        drawn, arrived = max(size, _SMALLEST_DRAWN), size <= blp.tolerance(tolerance, delta[method])
        path[min(sweeps, path.size) - 1] = drawn
        ends[2, method], ends[3, method] = drawn if arrived else math.nan, math.nan if arrived else drawn
    blp.log_share_gap(shares, logit, weights, space)
    for j in range(shares.size):
        predicted[j] = space.shares[j]


@kernel
def respond(shares, delta, x2, traits, weights, loadings, base, x2dot, space, diversion, elasticities):
    """Diversion ratios, on the diagonal those to the outside good, and elasticities, by prices : (J, J) each."""
    probabilities, outside, slopes = space.probabilities, space.outside, space.exps
    add_bilinear(x2, delta, traits, loadings, probabilities)
    demand.choice_probabilities(probabilities, outside)
    add_bilinear(x2dot, base, traits, loadings, slopes)
    demand.market_jacobian(probabilities, outside, slopes, weights, slopes, space.matrix, space.margins)
    prices = x2[:, _PRICES]
    demand.response_rows(space.matrix, space.margins, shares, prices, demand.DIVERSION, diversion)
    demand.response_rows(space.matrix, space.margins, shares, prices, demand.ELASTICITY, elasticities)


@kernel
def read_off(own, firms, diversion, elasticities, bars, summary):
    """The rows of product `own` into bars, and their sums.

    summary, the model's, then the plain logit's: diversion to the outside good, to other products of the firm, the
    number of the closest substitute, the own elasticity; from [8], the rate of the contraction.
    """
    n = firms.size
    for model in range(2):
        row, same_firm, closest = diversion[model, own], 0.0, 1 if own == 0 else 0
        for k in range(n):
            if k != own and row[k] > row[closest]:
                closest = k
            if k != own and firms[k] == firms[own]:
                same_firm += row[k]
        summary[model], summary[2 + model] = row[own], same_firm
        summary[4 + model], summary[6 + model] = closest + 1.0, elasticities[model, own, own]
    for k in range(n + 1):
        for row in range(4):
            bars[row, k] = math.nan
        if k < n and k != own:
            bars[0 if firms[k] == firms[own] else 1, k] = diversion[0, own, k]
            bars[3, k] = diversion[1, own, k]
    bars[2, n], bars[3, n] = summary[0], summary[1]


@kernel
def rate(path, sweeps, shares):
    """By what a sweep of the contraction multiplies the error in the end; in the plain logit, 1 - S_0."""
    if sweeps > 2:
        return path[sweeps - 1] / path[sweeps - 2]
    inside = 0.0
    for j in range(shares.size):
        inside += shares[j]
    return inside
