"""Kernels for what a policy does to a fleet: simulated histories and the stationary distribution of mileage."""

from compecon._jit import kernel


@kernel
def histories(replace, cumulative, choice_draws, mileage_draws, start, x, d, dx):
    """Simulate every bus (row) month by month (column) from uniform draws; fills x, d, dx of the same shape.

    In month t the engine is replaced (d = 1) where the draw is below replace[x]; then the mileage grows by the smallest
    j with draw < cumulative[j], from state 0 after a replacement. dx[b, t] is the increment that led to x[b, t]; in
    the first month it is -1.
    """
    last = replace.size - 1
    for b in range(x.shape[0]):
        state, increment = int(start[b]), -1
        for t in range(x.shape[1]):
            x[b, t] = state
            dx[b, t] = increment
            d[b, t] = 1.0 if choice_draws[b, t] < replace[state] else 0.0
            j = 0
            while j < cumulative.size - 1 and mileage_draws[b, t] >= cumulative[j]:
                j += 1
            origin = 0 if d[b, t] > 0.0 else state
            state = min(origin + j, last)
            increment = state - origin


@kernel
def stationary(keep, replace, p, share):
    """Stationary distribution of the mileage state under a policy, in one forward pass of O(n J).

    The inflow to x comes from kept engines at lower states and, p_x a replacement, from new engines. Per
    replacement, share(x) (1 - p_0 keep(x)) = sum_{j>=1} p_j keep(x-j) share(x-j) + p_x; the last state keeps what would
    pass it. Dividing by the sum gives a distribution. Returns 1, or 0 where the last state is never left.
    """
    n, n_categories = share.size, p.size
    last = n - 1
    moving = 0.0
    for j in range(1, n_categories):
        moving += p[j]
    total = 0.0
    for x in range(last):
        share[x] = p[x] if x < n_categories else 0.0
        for j in range(1, min(n_categories, x + 1)):
            share[x] += p[j] * keep[x - j] * share[x - j]
        share[x] /= moving + p[0] * replace[x]
        total += share[x]
    inflow = 0.0
    for j in range(last, n_categories):
        inflow += p[j]
    for x in range(max(0, n - n_categories), last):
        for j in range(last - x, n_categories):
            inflow += p[j] * keep[x] * share[x]
    share[last] = inflow / replace[last] if inflow > 0.0 else 0.0
    total += share[last]
    if not total < 1e300:
        return 0
    for x in range(n):
        share[x] /= total
    return 1


@kernel
def turnover(keep, replace, p, share, following, path):
    """Let a fleet live for path.size months from `share`, its spread over states, which changes in place.

    path[t] : the share of buses whose engine is replaced in month t. following : (n,), workspace.
    """
    last = share.size - 1
    for t in range(path.size):
        renewed = 0.0
        for x in range(share.size):
            renewed += share[x] * replace[x]
            following[x] = 0.0
        for j in range(p.size):
            following[min(j, last)] += renewed * p[j]
            for x in range(share.size):
                following[min(x + j, last)] += share[x] * keep[x] * p[j]
        path[t] = renewed
        for x in range(share.size):
            share[x] = following[x]
