"""Kernels of Rust's (1987) model: the Bellman operator, its structured Newton step, and the fixed point's derivatives.

States are x = 0..n-1; from x the mileage moves to y = min(x + j, n - 1) with probability p[j], j = 0..J-1. With

    gap(x)    = v_keep(x) - v_replace = RC - (c(x) - c(0)) + discount (EV(x) - EV(0)),
    keep(x)   = 1 / (1 + exp(-gap(x))),      replace(x) = 1 - keep(x),
    logsum(x) = log(exp(v_keep(x)) + exp(v_replace)),

the Bellman equation in expected values is EV(x) = sum_j p_j logsum(min(x + j, n - 1)).
"""

import math

from compecon._jit import kernel


@kernel
def expect(values, p, out):
    """out(x) = sum_j p_j values(min(x + j, n - 1)): the expectation over next month's mileage."""
    n, n_categories = values.size, p.size
    last = n - 1
    inner = max(n - n_categories + 1, 0)
    for x in range(inner):
        total = 0.0
        for j in range(n_categories):
            total += p[j] * values[x + j]
        out[x] = total
    for x in range(inner, n):
        total = 0.0
        for j in range(n_categories):
            total += p[j] * values[min(x + j, last)]
        out[x] = total


@kernel
def log_one_plus(odds):
    """log(1 + odds) for odds in [0, 1], to 4e-16 relative: 2 artanh(s) = 2 (s + s^3/3 + ...), s = odds / (2 + odds).

    s is at most 1/3, so sixteen terms suffice. Plain arithmetic runs several states at a time, which a log call cannot.
    """
    s = odds / (2.0 + odds)
    series = 0.0
    for k in range(15, -1, -1):
        series = 1.0 / (2 * k + 1) + s * s * series
    return 2.0 * s * series


@kernel
def tolerance(discount):
    """The relative accuracy to ask of a fixed point: 1e-12, or what doubles allow near discount 1."""
    return max(1e-12, 4.0 * 2.220446049250313e-16 / (1.0 - discount))


@kernel
def choose(ev, cost, RC, discount, keep, replace, logsum):
    """Choice probabilities and logsum at `ev`; each state is centred on its own better choice.

    v_keep is formed by itself, not as v_replace + gap: at a large RC that sum would cancel, and its error of eps RC,
    grown by 1/(1 - discount), keep Newton's method from its tolerance.
    """
    v_replace = -RC - cost[0] + discount * ev[0]
    for x in range(ev.size):
        gap = RC - (cost[x] - cost[0]) + discount * (ev[x] - ev[0])
        keep[x], replace[x] = math.exp(-abs(gap)), gap
    for x in range(ev.size):
        odds, prefers_keeping = keep[x], replace[x] >= 0.0
        larger = 1.0 / (1.0 + odds)
        keep[x] = larger if prefers_keeping else odds * larger
        replace[x] = odds * larger if prefers_keeping else larger
        logsum[x] = log_one_plus(odds) + (discount * ev[x] - cost[x] if prefers_keeping else v_replace)


@kernel
def factor(replace, p, discount, pivot):
    """pivot(x) = 1 / T(x, x) for T = I - discount Pi diag(keep), the triangular part of I - Gamma' = T - v e0'.

    The diagonal is written (1 - discount) + discount (1 - p_0 keep), a sum of positive terms, so that nothing cancels
    near discount 1.
    """
    last = replace.size - 1
    moving = 0.0
    for j in range(1, p.size):
        moving += p[j]
    for x in range(last):
        pivot[x] = 1.0 / ((1.0 - discount) + discount * (moving + p[0] * replace[x]))
    pivot[last] = 1.0 / ((1.0 - discount) + discount * replace[last])


@kernel
def solve_factored(keep, p, discount, pivot, rhs, unit, out):
    """out = (I - Gamma')^-1 rhs in O(n J): back substitution for z = T^-1 rhs, then Sherman-Morrison.

    Since T 1 = (1 - discount) 1 + v, the rank-one term needs only unit = (1 - discount) T^-1 1, which lies in (0, 1]:
    (I - Gamma')^-1 rhs = z + (1 - unit) z_0 / unit_0. Both recursions run side by side, so the second is almost free.
    """
    n, n_categories = keep.size, p.size
    last = n - 1
    near = discount * p[1] if n_categories > 1 else 0.0
    solved, ones = rhs[last] * pivot[last], (1.0 - discount) * pivot[last]
    out[last], unit[last] = solved, ones
    for x in range(last - 1, -1, -1):
        total, total_ones = rhs[x], 1.0 - discount
        for j in range(n_categories - 1, 1, -1):
            y = min(x + j, last)
            flow = discount * p[j] * keep[y]
            total += flow * out[y]
            total_ones += flow * unit[y]
        # Only this multiply-add waits for the state before it, whose values stay in registers.
        flow = near * keep[x + 1] * pivot[x]
        solved = flow * solved + total * pivot[x]
        ones = flow * ones + total_ones * pivot[x]
        out[x], unit[x] = solved, ones
    renewal = out[0] / unit[0]
    for x in range(n):
        out[x] += (1.0 - unit[x]) * renewal


@kernel
def newton(ev, cost, p, RC, discount, tol, max_iter, steps, work):
    """Newton-Kantorovich from `ev`, in place; steps[k] = max|step k| / max(1, max|EV|). Returns the number of steps.

    The operator is convex and T an M-matrix, so after the first step the iterates rise monotonically to the
    fixed point, whatever the start (Newton's method is policy iteration here). On return the first three rows of work
    (7, n) hold keep, replace and logsum at `ev`.
    """
    keep, replace, logsum, residual = work[0], work[1], work[2], work[3]
    pivot, unit, step = work[4], work[5], work[6]
    n_iter = 0
    for it in range(max_iter):
        choose(ev, cost, RC, discount, keep, replace, logsum)
        expect(logsum, p, residual)
        for x in range(ev.size):
            residual[x] -= ev[x]
        factor(replace, p, discount, pivot)
        solve_factored(keep, p, discount, pivot, residual, unit, step)
        largest, scale = 0.0, 1.0
        for x in range(ev.size):
            ev[x] += step[x]
            largest = max(largest, abs(step[x]))
            scale = max(scale, abs(ev[x]))
        steps[it] = largest / scale
        n_iter = it + 1
        # Not `steps[it] <= tol`: a NaN must end the loop too.
        if not steps[it] > tol:
            break
    choose(ev, cost, RC, discount, keep, replace, logsum)
    return n_iter


@kernel
def contract(ev, cost, p, RC, discount, tol, switch, max_iter, steps, work):
    """Successive approximations EV <- Gamma(EV), in place; returns the number of sweeps.

    steps[k] bounds the relative distance to the fixed point, discount/(1-discount) max|change| / max(1, max|EV|).
    With switch > 0 it also ends when the ratio of successive changes is within `switch` of the discount
    factor: what is left is then nearly a constant, which one Newton step removes. On return the first three rows of
    work (at least 4, n) hold keep, replace and logsum at `ev`.
    """
    keep, replace, logsum, update = work[0], work[1], work[2], work[3]
    bound = discount / (1.0 - discount)
    before, n_iter = math.inf, 0
    for it in range(max_iter):
        choose(ev, cost, RC, discount, keep, replace, logsum)
        expect(logsum, p, update)
        largest, scale = 0.0, 1.0
        for x in range(ev.size):
            largest = max(largest, abs(update[x] - ev[x]))
            scale = max(scale, abs(update[x]))
            ev[x] = update[x]
        steps[it] = bound * largest / scale
        n_iter = it + 1
        if not steps[it] > tol or (switch > 0.0 and abs(largest / before - discount) <= switch):
            break
        before = largest
    choose(ev, cost, RC, discount, keep, replace, logsum)
    return n_iter


@kernel
def differentiate(dcost, p, free, implied, discount, dgap, dlogsum, work):
    """First derivatives of gap(x) and logsum(x) in RC, theta1 and the free mileage probabilities.

    Implicit function theorem: dEV = (I - Gamma')^-1 dGamma, one O(n J) solve a parameter. `free` lists the
    categories whose probabilities are parameters; that of category `implied` is one minus their sum.
    dcost : (K1, n); dgap, dlogsum : (1 + K1 + free.size, n). work is as `newton` leaves it, and is left as
    `differentiate_twice` wants it.
    """
    keep, replace, logsum, rhs = work[0], work[1], work[2], work[3]
    pivot, unit, dev = work[4], work[5], work[6]
    n, n_costs = keep.size, dcost.shape[0]
    last = n - 1
    factor(replace, p, discount, pivot)
    for k in range(dgap.shape[0]):
        if k <= n_costs:
            for x in range(n):
                if k == 0:
                    dlogsum[k, x] = -replace[x]
                else:
                    dlogsum[k, x] = -(dcost[k - 1, x] * keep[x] + dcost[k - 1, 0] * replace[x])
            expect(dlogsum[k], p, rhs)
        else:
            j, base = int(free[k - n_costs - 1]), int(implied)
            for x in range(n):
                dlogsum[k, x] = 0.0
                rhs[x] = logsum[min(x + j, last)] - logsum[min(x + base, last)]
        solve_factored(keep, p, discount, pivot, rhs, unit, dev)
        for x in range(n):
            dlogsum[k, x] += discount * (keep[x] * dev[x] + replace[x] * dev[0])
            dgap[k, x] = discount * (dev[x] - dev[0])
            if k == 0:
                dgap[k, x] += 1.0
            elif k <= n_costs:
                dgap[k, x] -= dcost[k - 1, x] - dcost[k - 1, 0]


@kernel
def differentiate_twice(a, b, ddcost, p, free, implied, discount, dgap, dlogsum, ddgap, work):
    """Second derivative of gap(x) in parameters a and b, after `differentiate` with the same `work`.

    Differentiating EV = Gamma(EV, theta) twice leaves the same matrix on the left, so this is one more solve.
    ddcost : (K1, K1, n); ddgap : (n,), overwritten.
    """
    keep, replace, curve, rhs, pivot, unit, ddev = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
    n, last, n_costs = keep.size, keep.size - 1, ddcost.shape[0]
    costs = 1 <= a <= n_costs and 1 <= b <= n_costs
    for x in range(n):
        curve[x] = keep[x] * replace[x] * dgap[a, x] * dgap[b, x]
        if costs:
            curve[x] -= keep[x] * ddcost[a - 1, b - 1, x] + replace[x] * ddcost[a - 1, b - 1, 0]
    expect(curve, p, rhs)
    for turn in range(2):  # not over pairs: numba compiles an IndexError into that, which a browser cannot raise
        first, second = (a, b) if turn == 0 else (b, a)
        if first > n_costs:
            j, base = int(free[first - n_costs - 1]), int(implied)
            for x in range(n):
                rhs[x] += dlogsum[second, min(x + j, last)] - dlogsum[second, min(x + base, last)]
    solve_factored(keep, p, discount, pivot, rhs, unit, ddev)
    for x in range(n):
        ddgap[x] = discount * (ddev[x] - ddev[0])
        if costs:
            ddgap[x] -= ddcost[a - 1, b - 1, x] - ddcost[a - 1, b - 1, 0]


@kernel
def cell_scores(cell_x, cell_d, cell_dx, gap, dgap, p, free, implied, transitions, logl, scores):
    """Log-likelihood of each cell (x, d, dx) and its score; transitions = 0 leaves log p(dx) out.

    log keep = -log(1 + exp(-gap)) and log replace = -log(1 + exp(gap)); log p(dx) has score 1/p_j in its own
    category and, for the implied one, -1/p in all free ones. scores : (C, K).
    """
    n_params = dgap.shape[0]
    n_choice = n_params - free.size
    for i in range(cell_x.size):
        x, dx = int(cell_x[i]), int(cell_dx[i])
        # With this sign both choices read alike: log P = -log(1 + exp(-sign gap)).
        sign = 1.0 - 2.0 * cell_d[i]
        odds = math.exp(-abs(gap[x]))
        logl[i] = min(sign * gap[x], 0.0) - log_one_plus(odds)
        other = odds / (1.0 + odds) if sign * gap[x] >= 0.0 else 1.0 / (1.0 + odds)
        for k in range(n_params):
            scores[i, k] = sign * other * dgap[k, x]
        if transitions > 0.0:
            logl[i] += math.log(p[dx])
            for k in range(free.size):
                if dx == int(implied):
                    scores[i, n_choice + k] -= 1.0 / p[dx]
                elif dx == int(free[k]):
                    scores[i, n_choice + k] += 1.0 / p[dx]


@kernel
def evaluate(
    cell_x, cell_d, cell_dx, RC, cost, dcost, p, free, implied, discount, transitions,
    tol, steps, ev, work, gap, dgap, dlogsum, logl, scores,
):  # fmt: skip
    """One evaluation of the nested problem: from parameters and cells to log-likelihoods and scores.

    `ev` is the start of Newton's method and gets the fixed point; the other outputs are as the kernels above leave
    them. Returns 1, or 0 where the fixed point was not found within steps.size steps.
    """
    n_iter = newton(ev, cost, p, RC, discount, tol, steps.size, steps, work)
    if not steps[n_iter - 1] <= tol:
        return 0
    for x in range(ev.size):
        gap[x] = RC - (cost[x] - cost[0]) + discount * (ev[x] - ev[0])
    differentiate(dcost, p, free, implied, discount, dgap, dlogsum, work)
    cell_scores(cell_x, cell_d, cell_dx, gap, dgap, p, free, implied, transitions, logl, scores)
    return 1


@kernel
def cell_curvature(cell_x, cell_d, gap, dgap, ddgap, a, b, hessian):
    """Second derivative of each cell's log choice probability in parameters a and b, into hessian[:, a, b]."""
    for i in range(cell_x.size):
        x = int(cell_x[i])
        sign = 1.0 - 2.0 * cell_d[i]
        odds = math.exp(-abs(gap[x]))
        other = odds / (1.0 + odds) if sign * gap[x] >= 0.0 else 1.0 / (1.0 + odds)
        value = sign * other * ddgap[x] - odds / (1.0 + odds) ** 2 * dgap[a, x] * dgap[b, x]
        hessian[i, a, b] = hessian[i, b, a] = value
