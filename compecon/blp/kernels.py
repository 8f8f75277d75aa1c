"""The inner problem of a market: choice probabilities, shares, and the mean utilities that explain them.

Consumer i of a market, weight w_i, has utility V_ij = delta_j + mu_ij for product j and 0 for the outside good.
Utilities are held around a centre c, as E_ij = exp(c_j + mu_ij - m_i) and O_i = exp(-m_i) with m_i the agent's largest
utility, so that none is too large; with f_j = exp(delta_j - c_j), P_ij = E_ij f_j / (O_i + sum_k E_ik f_k).
`trace` : (M,) receives the residuals max_j |log S_j - log s_j| of the first M sweeps, which are evaluations of shares.
"""

import math
from typing import NamedTuple

import numpy as np

from compecon._jit import inlined, kernel
from compecon._linalg import add_bilinear, factor_m_matrix, largest_size, solve_m_matrix, solve_m_vector, weighted_gram

# Farther than this from the centre, E is computed anew: within it, what underflowed in E stays below 1e-280.
_REACH = 60.0
_LARGEST_STEP = 100.0  # a share this far below its target says only that delta is far too low
_SMALLEST_RATIO = math.exp(-_LARGEST_STEP)
_NEWTON_REACH = 1.0  # Newton's method starts this close to the observed log shares, or once the contraction is slow

SIMPLE, SQUAREM, NEWTON = 0, 1, 2


class Space(NamedTuple):
    """Workspace of one market with I agents and J products; each field is a view of one flat array."""

    mu: np.ndarray  # (I, J)
    exps: np.ndarray  # (I, J)  E
    probabilities: np.ndarray  # (I, J)
    outside: np.ndarray  # (I,)  O
    denominators: np.ndarray  # (I,)  O_i + sum_k E_ik f_k
    matrix: np.ndarray  # (J, J)
    centre: np.ndarray  # (J,)
    factors: np.ndarray  # (J,)  f
    shares: np.ndarray  # (J,)
    gap: np.ndarray  # (J,)
    margins: np.ndarray  # (J,)
    trial: np.ndarray  # (J,)
    kept: np.ndarray  # (J,)
    step: np.ndarray  # (J,)


@kernel
def space_size(n_agents, n_products):
    """Length of the flat array that `carve` needs."""
    return 3 * n_agents * n_products + 2 * n_agents + n_products * n_products + 8 * n_products


@inlined
def carve(flat, n_agents, n_products):
    """The fields of a Space, cut from `flat`."""
    a, square = 3 * n_agents * n_products, n_products * n_products
    b, c = a + 2 * n_agents, a + 2 * n_agents + square
    by_both = flat[:a].reshape(3, n_agents, n_products)
    by_agent = flat[a:b].reshape(2, n_agents)
    matrix = flat[b:c].reshape(n_products, n_products)
    by_product = flat[c : c + 8 * n_products].reshape(8, n_products)
    return Space(by_both[0], by_both[1], by_both[2], by_agent[0], by_agent[1], matrix, by_product[0], by_product[1],
                 by_product[2], by_product[3], by_product[4], by_product[5], by_product[6], by_product[7])  # fmt: skip


@kernel
def set_centre(delta, space):
    """Put the centre at delta: E_ij = exp(delta_j + mu_ij - m_i) and O_i = exp(-m_i), m_i = max(0, max_j V_ij)."""
    for i in range(space.mu.shape[0]):
        mu, row, largest = space.mu[i], space.exps[i], 0.0
        for j in range(delta.size):
            space.centre[j] = delta[j]
            largest = max(largest, delta[j] + mu[j])
        for j in range(delta.size):
            row[j] = math.exp(delta[j] + mu[j] - largest)
        space.outside[i] = math.exp(-largest)


@kernel
def log_share_gap(target, delta, weights, space):
    """gap_j = log S_j - log s_j, the contraction's step; returns its largest size, NaN if one is NaN.

    s_j = f_j sum_i w_i E_ij / D_i with D_i = O_i + sum_k E_ik f_k. Writes f, D, s and gap.
    """
    shares, factors, reach = space.shares, space.factors, 0.0
    for j in range(delta.size):
        reach = max(reach, abs(delta[j] - space.centre[j]))
    if reach > _REACH:
        set_centre(delta, space)
    shares[:] = 0.0
    for j in range(delta.size):
        factors[j] = math.exp(delta[j] - space.centre[j])
    for i in range(weights.size):
        row, total = space.exps[i], space.outside[i]
        for j in range(delta.size):
            total += row[j] * factors[j]
        space.denominators[i] = total
        level = weights[i] / total
        for j in range(delta.size):
            shares[j] += level * row[j]
    for j in range(delta.size):
        shares[j] *= factors[j]
        low = shares[j] < _SMALLEST_RATIO * target[j]
        space.gap[j] = _LARGEST_STEP if low else math.log(target[j] / shares[j])
    return largest_size(space.gap)


@kernel
def share_jacobian(weights, space):
    """ds_j/ddelta_k = -a_jk, a_jk = sum_i w_i P_ij P_ik, with row sums m_j = sum_i w_i P_ij P_i0; factored.

    Reads what log_share_gap left, writes P. Returns 0 when the matrix is singular (nobody is near the outside good).
    """
    probabilities, margins = space.probabilities, space.margins
    margins[:] = 0.0
    for i in range(weights.size):
        inverse = 1.0 / space.denominators[i]
        outside = weights[i] * space.outside[i] * inverse
        for j in range(margins.size):
            probabilities[i, j] = space.exps[i, j] * space.factors[j] * inverse
            margins[j] += outside * probabilities[i, j]
    weighted_gram(weights, probabilities, space.matrix)
    return factor_m_matrix(space.matrix, margins)


@inlined
def tolerance(tol, delta):
    """`tol`, or what rounding leaves of the largest |delta|, if that is more."""
    return max(tol, 4.0 * 2.220446049250313e-16 * largest_size(delta))


@inlined
def newton_direction(target, space):
    """step = A^-1 (S - s), by the factors that share_jacobian left, cut to a sensible length; 0 if not finite."""
    step = space.step
    for j in range(target.size):
        step[j] = target[j] - space.shares[j]
    solve_m_vector(space.matrix, step)
    largest = largest_size(step)
    if largest > _LARGEST_STEP:
        for j in range(target.size):
            step[j] *= _LARGEST_STEP / largest
    return 1 if largest < math.inf else 0


@kernel
def try_step(target, delta, weights, space, length):
    """Shares at trial = delta + length step; returns the residual, and the slope (s - S)'step of the surplus there."""
    for j in range(delta.size):
        space.trial[j] = delta[j] + length * space.step[j]
    size, slope = log_share_gap(target, space.trial, weights, space), 0.0
    for j in range(delta.size):
        slope += (space.shares[j] - target[j]) * space.step[j]
    return size, slope


@inlined
def record(trace, sweeps, size):
    """Note the residual of the last of so many sweeps, if there is room."""
    if sweeps <= trace.size:
        trace[sweeps - 1] = size


@kernel
def solve_newton(target, delta, weights, space, tol, max_iter, trace):
    """Newton's method made global, from `delta`, which it overwrites; returns sweeps and residual.

    s(delta) - S is the gradient of the convex function sum_i w_i log(1 + sum_j exp V_ij) - S'delta (the surplus), so
    Newton's step points downhill: it is shortened until the slope along it is no longer uphill, or the residual
    halves. The factors of one step serve the next while they gain a factor of ten a step. Far from the solution, while
    it halves the residual, and where no other step helps, a step of the contraction is taken.
    """
    size = log_share_gap(target, delta, weights, space)
    sweeps, factored, reach = 1, False, _NEWTON_REACH
    record(trace, sweeps, size)
    while size > tolerance(tol, delta) and sweeps < max_iter:
        near = size <= reach
        old, took, factored = factored and near, False, False
        for j in range(delta.size):
            space.kept[j] = space.gap[j]
        if near and not old:
            share_jacobian(weights, space)
        length = 1.0 if near and newton_direction(target, space) == 1 else 0.0
        while length > 1e-12 and not took:
            trial, slope = try_step(target, delta, weights, space, length)
            sweeps += 1
            record(trace, sweeps, trial)
            took = trial < (1.0 if old else 0.5) * size or (not old and slope <= 0.0)
            length *= 0.0 if old else 0.3
        if took:
            factored, reach = trial < 0.1 * size, _NEWTON_REACH
        else:
            for j in range(delta.size):
                space.step[j] = space.kept[j]
            trial, slope = try_step(target, delta, weights, space, 1.0)
            sweeps += 1
            record(trace, sweeps, trial)
            reach = _NEWTON_REACH if trial < 0.5 * size else math.inf
        size = trial
        for j in range(delta.size):
            delta[j] = space.trial[j]
    return sweeps, size


@kernel
def solve_contraction(target, delta, weights, space, tol, max_iter, accelerate, trace):
    """delta <- delta + log S - log s(delta), or its SQUAREM cycles, from `delta`, overwritten; sweeps and residual.

    A cycle of SQUAREM goes from two steps r and q of the contraction to delta + 2 a r + a^2 (q - r) with
    a = |r| / |q - r| (Varadhan and Roland 2008, step length S3).
    """
    sweeps, second_step = 0, False
    while True:
        size = log_share_gap(target, delta, weights, space)
        sweeps += 1
        record(trace, sweeps, size)
        if not size > tolerance(tol, delta) or sweeps >= max_iter:
            return sweeps, size
        if second_step:
            first = second = 0.0
            for j in range(delta.size):
                first += space.kept[j] ** 2
                second += (space.gap[j] - space.kept[j]) ** 2
            a = math.sqrt(first / second) if second > 0.0 else 1.0
            for j in range(delta.size):
                r, q = space.kept[j], space.gap[j]
                delta[j] = space.trial[j] + 2.0 * a * r + a * a * (q - r)
        else:
            for j in range(delta.size):
                space.trial[j], space.kept[j] = delta[j], space.gap[j]
                delta[j] += space.gap[j]
        second_step = accelerate and not second_step


@inlined
def theta_response(x, levels, space, weights, xbar, out):
    """out_jp = ds_j/dtheta_p = sum_i w_i v_ip P_ij (x_jp - sum_k P_ik x_kp) at fixed delta.

    Parameter p multiplies characteristic x_jp by trait v_ip = levels_ip. x, out : (J, P); xbar : (P,) workspace.
    """
    out[:] = 0.0
    for i in range(weights.size):
        row, level = space.probabilities[i], levels[i]
        xbar[:] = 0.0
        for j in range(row.size):
            for p in range(xbar.size):
                xbar[p] += row[j] * x[j, p]
        for j in range(row.size):
            weight = weights[i] * row[j]
            for p in range(xbar.size):
                out[j, p] += weight * level[p] * (x[j, p] - xbar[p])


@inlined
def solve_market(target, x2, weights, traits, loadings, method, tol, max_iter, delta, space, trace):
    """Find delta with s(delta) = S, from the `delta` given, which it overwrites; returns sweeps and residual."""
    space.trial[:] = 0.0
    add_bilinear(x2, space.trial, traits, loadings, space.mu)
    set_centre(delta, space)
    if method == NEWTON:
        return solve_newton(target, delta, weights, space, tol, max_iter, trace)
    return solve_contraction(target, delta, weights, space, tol, max_iter, method == SQUAREM, trace)


@kernel
def solve_markets(
    first, last, product_starts, agent_starts, shares, x2, weights, traits, loadings, rows, columns,
    method, tol, max_iter, flat, delta, jacobian, report,
):  # fmt: skip
    """For markets first..last - 1: delta, and ddelta/dtheta = -(ds/ddelta)^-1 ds/dtheta into jacobian (N, P).

    report : (T, 3), for each market the sweeps, the residual, and 1 if it converged, else 0. With max_iter = 0 and
    shares that are not those at delta, only the derivatives there are computed.
    """
    n_params = rows.size
    for t in range(first, last):
        a, b, c, d = product_starts[t], product_starts[t + 1], agent_starts[t], agent_starts[t + 1]
        space = carve(flat, d - c, b - a)
        sweeps, size = solve_market(shares[a:b], x2[a:b], weights[c:d], traits[c:d], loadings, method, tol, max_iter,
                                    delta[a:b], space, flat[:0])  # fmt: skip
        report[t, 0], report[t, 1] = sweeps, size
        report[t, 2] = 1.0 if size <= tolerance(tol, delta[a:b]) else 0.0
        if n_params == 0:
            continue
        solvable = share_jacobian(weights[c:d], space)
        # One more Newton step with factors that are needed anyway: what is left of the error is rounding.
        if report[t, 2] == 1.0 and newton_direction(shares[a:b], space) == 1:
            for j in range(b - a):
                delta[a + j] += space.step[j]
        used = space_size(d - c, b - a)
        x = flat[used : used + (b - a) * n_params].reshape(b - a, n_params)
        levels = flat[used + x.size : used + x.size + (d - c) * n_params].reshape(d - c, n_params)
        xbar = flat[used + x.size + levels.size : used + x.size + levels.size + n_params]
        for p in range(n_params):
            for j in range(b - a):
                x[j, p] = x2[a + j, rows[p]]
            for i in range(d - c):
                levels[i, p] = -traits[c + i, columns[p]]
        theta_response(x, levels, space, weights[c:d], xbar, jacobian[a:b])
        solve_m_matrix(space.matrix, jacobian[a:b])
        if solvable == 0:
            jacobian[a:b] = math.nan
