"""Scenes of the figure on GMM: the objective over one sigma with beta concentrated out, and a search for its minimum.

A scene returns DONE, MORE when it wants to be called again, or FAILED when there is nothing to show. A `setting` is the
rule of integration, the set of instruments, and the tolerance of the contraction, where EXACT asks for Newton's method.
Every inner problem starts at the plain logit's mean utilities, so that the objective is a function of sigma alone.

`data` : shares, logit : (T, J), x2 : (T, J, 1), traits : (rules T, I, 1), weights : (rules, I), moments : (sets, N, R)
and linear : (sets, N, K1), with weighted moments r = moments'delta, q = r'r, and beta = linear'delta.
`work` : pairs, by_agent, square, by_product of a market's Space; columns : (N, 2), delta and its slope; by_trait :
(2, I, 1), loadings in its first entry, and levels; row : (3, J); slopes : (J, 1); products : (R, 2), coefficients :
(K1, 2), r and beta, and their slopes.
"""

import math

from compecon._jit import kernel
from compecon._linalg import add_bilinear, cross_products
from compecon.blp import kernels as blp
from compecon.likelihood import kernels as likelihood
from compecon.live.contraction_kernels import workspace

FAILED, DONE, MORE = 0, 1, 2
GAUSS_NEWTON, BFGS, DIFFERENCES = 0.0, 1.0, 2.0  # as controls are; an int would be compiled for apart
EXACT = 0.0
# What the search says.
SEARCHING, CONVERGED, STUCK, TOO_SLOW = 0.0, 1.0, 2.0, 3.0

EVERYWHERE = 99.0  # the sigma of the least objective, where it is 0 for all

GTOL, H = 1e-5, 1e-3  # what the slope must fall to, as in `blp.Optimization("bfgs")`; the step of a finite difference
LONGEST, SHORTEST = 3.0, 1e-6  # of the steps in sigma that are tried
SMALL_ROWS, STATE_SIZE = 9, 5
_SWEEPS, _MOST, _NEWTON_TOL, _SMALLEST_DRAWN = 2000, 30, 1e-13, 1e-12
_SIGMA, _VALUE, _SLOPE, _CURVATURE, _COUNT = range(STATE_SIZE)  # of a state
_PRICES = 1  # the column of X1


@kernel
def profiled_exact(first, nodes, instruments, grid, exact, best, window, state, small, shares, logit, x2, traits,
                   weights, moments, linear, pairs, by_agent, square, by_product, columns, by_trait, row, slopes,
                   products, coefficients):  # fmt: skip
    """The objective and its slope with inner problems solved exactly, on the grid; then the least objective.

    grid : (G,) of sigma. exact : (2, G). best : (3,), the sigma of the least objective (or EVERYWHERE), the objective
    there, and the next place of the grid. window : (2,), the objectives to show.
    """
    data = (shares, logit, x2, traits, weights, moments, linear)
    work = (pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products, coefficients)
    setting = (int(nodes), int(instruments), EXACT)
    start = 0 if first > 0.0 else int(best[2])
    stop = min(start + 8, grid.size)
    for g in range(start, stop):
        exact[0, g], exact[1, g], _ = evaluate(grid[g], setting, data, work)
    best[2] = stop
    if stop < grid.size:
        return MORE
    least = 0
    for g in range(grid.size):
        # Of two sides that differ by rounding alone, the positive one.
        if exact[0, g] <= (1.0 + 1e-9) * exact[0, least]:
            least = g
    begin(GAUSS_NEWTON, grid[least], setting, data, work, state)
    n_iter = 0
    while abs(state[_SLOPE]) > GTOL and n_iter < _MOST:
        n_iter = n_iter + 1 if descend(GAUSS_NEWTON, setting, data, work, state, small) == 1 else _MOST
    centre = evaluate(0.0, setting, data, work)[0]
    best[0], best[1] = state[_SIGMA] if centre > 0.0 else EVERYWHERE, state[_VALUE]
    window[1] = max(1.6 * centre, 1.0)
    window[0] = -0.03 * window[1]
    return DONE


@kernel
def profiled_curve(first, nodes, instruments, tolerance, grid, curve, place, progress, shares, logit, x2, traits,
                   weights, moments, linear, pairs, by_agent, square, by_product, columns, by_trait, row, slopes,
                   products, coefficients):  # fmt: skip
    """The objective at the reader's tolerance, its slope by the formula and by differences, on the grid.

    curve : (3, G), NaN where it is not known yet. place : (1,), the next place of the grid.
    """
    data = (shares, logit, x2, traits, weights, moments, linear)
    work = (pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products, coefficients)
    setting = (int(nodes), int(instruments), tolerance)
    if first > 0.0:
        place[0] = 0.0
        curve[:] = math.nan
    start = int(place[0])
    stop = start + 1
    for g in range(start, stop):
        curve[2, g] = difference(grid[g], setting, data, work)
        curve[0, g], curve[1, g], _ = evaluate(grid[g], setting, data, work)
    place[0] = stop
    progress[0] = stop / grid.size
    return DONE if stop == grid.size else MORE


@kernel
def profiled_hand(sigma, nodes, instruments, tolerance, hand, shares, logit, x2, traits, weights, moments, linear,
                  pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products,
                  coefficients):  # fmt: skip
    """hand : (4,), at the reader's sigma: objective, slope by the formula and by differences, price coefficient."""
    data = (shares, logit, x2, traits, weights, moments, linear)
    work = (pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products, coefficients)
    setting = (int(nodes), int(instruments), tolerance)
    hand[2] = difference(sigma, setting, data, work)
    hand[0], hand[1], _ = evaluate(sigma, setting, data, work)
    hand[3] = coefficients[_PRICES, 0]
    return DONE


@kernel
def profiled_search(first, start, method, nodes, instruments, tolerance, path, report, search, small, shares, logit, x2,
                    traits, weights, moments, linear, pairs, by_agent, square, by_product, columns, by_trait, row,
                    slopes, products, coefficients):  # fmt: skip
    """One iteration of the search from `start`, a call each.

    path : (3, L + 1), sigma, objective and size of the slope as the search sees them, NaN beyond its end. report :
    (5,), what the search says, its evaluations and iterations, and the exact slope and objective at its last point.
    search : (5,), its state.
    """
    data = (shares, logit, x2, traits, weights, moments, linear)
    work = (pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products, coefficients)
    setting, n = (int(nodes), int(instruments), tolerance), int(report[2])
    if first > 0.0:
        path[:] = math.nan
        n = 0
        begin(method, start, setting, data, work, search)
        report[0] = SEARCHING
    elif descend(method, setting, data, work, search, small) == 1:
        n += 1
    else:
        report[0] = STUCK
    path[0, n], path[1, n] = search[_SIGMA], search[_VALUE]
    path[2, n] = max(abs(search[_SLOPE]), _SMALLEST_DRAWN)
    if abs(search[_SLOPE]) <= GTOL:
        report[0] = CONVERGED
    elif n + 1 == path.shape[1]:
        report[0] = TOO_SLOW
    report[1], report[2] = search[_COUNT], n
    report[4], report[3], _ = evaluate(search[_SIGMA], (setting[0], setting[1], EXACT), data, work)
    return MORE if report[0] == SEARCHING else DONE


@kernel
def begin(method, sigma, setting, data, work, state):
    """The state at a search's start; BFGS knows nothing of the curvature yet."""
    state[_SIGMA] = sigma
    state[_VALUE], state[_SLOPE], state[_CURVATURE] = measure(method, sigma, setting, data, work)
    state[_COUNT] = 3.0 if method == DIFFERENCES else 1.0
    if method != GAUSS_NEWTON:
        state[_CURVATURE] = 1.0


@kernel
def descend(method, setting, data, work, state, small):
    """One step, halved until the objective falls enough: 1, or 0 where none does. small : (SMALL_ROWS, 1) workspace."""
    metric, updated, direction = small[0:1], small[1:2], small[2]
    metric[0, 0], small[3, 0] = state[_CURVATURE], -state[_SLOPE]
    if likelihood.ascent(metric, small[3], direction, small[4:6]) < 0.0:
        return 0
    step = max(-LONGEST, min(LONGEST, direction[0]))
    length = 1.0
    while length == 1.0 or abs(length * step) >= SHORTEST:
        sigma = state[_SIGMA] + length * step
        value, slope, curvature = measure(method, sigma, setting, data, work)
        state[_COUNT] += 3.0 if method == DIFFERENCES else 1.0
        gain = state[_VALUE] - value
        if likelihood.climbs(gain, -state[_SLOPE] * step, length, state[_VALUE], -slope * step) == 1:
            if method != GAUSS_NEWTON:
                small[6, 0], small[7, 0] = sigma - state[_SIGMA], slope - state[_SLOPE]
                likelihood.bfgs_update(metric, small[6], small[7], small[8], updated)
                curvature = updated[0, 0]
            state[_SIGMA], state[_VALUE], state[_SLOPE], state[_CURVATURE] = sigma, value, slope, curvature
            return 1
        length /= 2.0
    return 0


@kernel
def measure(method, sigma, setting, data, work):
    """The objective, its slope as the method finds it, and the Gauss-Newton curvature."""
    by_difference = difference(sigma, setting, data, work) if method == DIFFERENCES else 0.0
    value, slope, curvature = evaluate(sigma, setting, data, work)
    return value, by_difference if method == DIFFERENCES else slope, curvature


@kernel
def difference(sigma, setting, data, work):
    """The central difference of the objective."""
    ahead, behind = evaluate(sigma + H, setting, data, work)[0], evaluate(sigma - H, setting, data, work)[0]
    return (ahead - behind) / (2.0 * H)


@kernel
def evaluate(sigma, setting, data, work):
    """q, dq / dsigma by the formula, and the Gauss-Newton curvature 2 (dr / dsigma)'(dr / dsigma); beta in `work`."""
    rule, instruments, tolerance = setting
    shares, logit, x2, traits, weights, moments, linear = data
    pairs, by_agent, square, by_product, columns, by_trait, row, slopes, products, coefficients = work
    space, (n_markets, n_products) = workspace(pairs, by_agent, square, by_product), shares.shape
    loadings, levels, zeros, delta, trace = by_trait[0, :1], by_trait[1], row[0], row[1], row[2, :0]
    loadings[0, 0] = sigma
    for t in range(n_markets):
        draws = traits[rule * n_markets + t]
        for j in range(n_products):
            zeros[j], delta[j] = 0.0, logit[t, j]
        for i in range(draws.shape[0]):
            levels[i, 0] = -draws[i, 0]
        add_bilinear(x2[t], zeros, draws, loadings, space.mu)
        blp.set_centre(delta, space)
        if tolerance == EXACT:
            blp.solve_newton(shares[t], delta, weights[rule], space, _NEWTON_TOL, _SWEEPS, trace)
        else:
            blp.solve_contraction(shares[t], delta, weights[rule], space, tolerance, _SWEEPS, False, trace)
        blp.share_jacobian(weights[rule], space)
        blp.theta_response(x2[t], levels, space, weights[rule], coefficients[0, :1], slopes)
        blp.solve_m_matrix(space.matrix, slopes)
        for j in range(n_products):
            columns[t * n_products + j, 0], columns[t * n_products + j, 1] = delta[j], slopes[j, 0]
    cross_products(moments[instruments], columns, products)
    cross_products(linear[instruments], columns, coefficients)
    value = gradient = curvature = 0.0
    for m in range(products.shape[0]):
        value += products[m, 0] * products[m, 0]
        gradient += 2.0 * products[m, 0] * products[m, 1]
        curvature += 2.0 * products[m, 1] * products[m, 1]
    return value, gradient, curvature
