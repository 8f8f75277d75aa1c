"""Scenes of the figure on the nested fixed point estimator: Rust's likelihood, and the climb to its maximum.

The likelihood is the partial one, theta = (RC, theta11), theta3 at the observed shares. A scene packs the sample, the
discount factor, the data and the workspace as `problem`, and `evaluate` finds there what it needs for a point. Vectors
of two and 2 x 2 matrices are kept in the rows of one array, `small`, functions of the state in those of another,
`states`; their layouts stand at their rows' names. terms : (C,), scores : (C, 2), hessian : (C, 2, 2), for the cells
of the largest sample.
"""

import math

from compecon._jit import kernel
from compecon.likelihood import kernels as likelihood
from compecon.zurcher import kernels as zurcher

FAILED, DONE, MORE = 0, 1, 2
_NO_STEP, _ARRIVED, _STEPPED = 0, 1, 2
# Places among the options of the controls.
_BHHH, _NEWTON = 0.0, 1.0
_UNIT, _SECANT = 0.0, 1.0

TOLERANCE, _MAX_TRIALS = 1e-7, 40  # those of `compecon.likelihood.maximize`, whose loop `step` is
# The hidden climb to the maximum starts here; the surface reaches so many times the maximum's theta11.
_START_RC, _START_THETA11, _MOST_HIDDEN, _REACH = 8.0, 2.0, 100, 5.0
# Rows of `small`: vectors; then matrices, two rows each; then the three rows of a factor.
_THETA, _GRADIENT, _DIRECTION, _TRIAL, _SPARE, _OPG, _METRIC, _FACTOR, SMALL_ROWS = 0, 1, 2, 3, 4, 5, 7, 9, 12
# Rows of `states`, after the seven that `zurcher.newton` works in, the second of which is the hazard.
_HAZARD, _EV, _COST, _GAP, _DDGAP, _DGAP, _DLOGSUM, STATE_ROWS = 1, 7, 8, 9, 10, 11, 13, 15
# Entries of `best`, `state` and `summary`.
_BEST_RC, _BEST_THETA11, _BEST_LLF, _ROW = range(4)
_GROUP, _DISCOUNT, _STEPS = range(3)
LLF, BELOW, RESIDUAL, ERROR_RC, ERROR_THETA11, STEPS, CONVERGED, SUMMARY_SIZE = range(8)


@kernel
def nfxp_surface(first, group, discount, cells, starts, shares, dcost, ddcost, bounds, window, best, surface, progress,
                 states, steps, terms, scores, hessian, search, small):  # fmt: skip
    """Find the maximum, and then the log-likelihood around it, one row of the surface a call.

    cells : (4, all C), rows x, d, dx and count; sample g begins at starts[g]. shares : (3, J), theta3 by sample.
    dcost : (1, n), ddcost : (1, 1, n), derivatives of the cost, which is linear in theta11. bounds : (2, 2), limits of
    RC and theta11. window : (2, 2), the ranges that the surface spans: that of RC is given. best : (4,), RC, theta11
    and log-likelihood of the maximum, and the next row. surface : (L, M), L values of theta11, M of RC.
    """
    problem = (group, discount, cells, starts, shares, dcost, states, steps, terms, scores)
    point = small[_THETA]
    if first > 0.0:
        fill(surface, 0, math.nan)
        progress[0], best[_ROW] = 0.0, 0.0
        point[0], point[1] = _START_RC, _START_THETA11
        for _ in range(_MOST_HIDDEN):
            if step(problem, ddcost, hessian, _NEWTON, _UNIT, bounds, search, small) != _STEPPED:
                break
        llf, residual, ridge = evaluate(problem, point, small)
        if not (residual <= TOLERANCE and ridge == 0.0):
            return FAILED
        best[_BEST_RC], best[_BEST_THETA11], best[_BEST_LLF] = point[0], point[1], llf
        window[1, 0], window[1, 1] = 0.0, _REACH * point[1]
        return MORE
    row, n_rows, n_columns = int(best[_ROW]), surface.shape[0], surface.shape[1]
    point[1] = between(window[1], row, n_rows)
    for column in range(n_columns):
        point[0] = between(window[0], column, n_columns)
        surface[row, column] = evaluate(problem, point, small)[0]
    best[_ROW] += 1.0
    progress[0] = best[_ROW] / n_rows
    return DONE if best[_ROW] == n_rows else MORE


@kernel
def between(ends, place, size):
    """Number `place` of `size` even points from ends[0] to ends[1]."""
    return ends[0] + (ends[1] - ends[0]) * place / (size - 1.0)


@kernel
def fill(matrix, start, value):
    """Set the columns from `start` on."""
    for i in range(matrix.shape[0]):
        for j in range(start, matrix.shape[1]):
            matrix[i, j] = value


@kernel
def nfxp_point(RC, theta11, group, discount, cells, starts, shares, dcost, bins, bin_starts, window, best, path, before,
               state, here, peak, hazard, observed, summary, states, steps, terms, scores, small):  # fmt: skip
    """The model at the reader's point, which either is the end of the path or begins a new one.

    bins : (5, all bins), thousand miles, observed hazard, a standard error below and above it, and a dot's radius;
    sample g begins at bin_starts[g]. path, before : (2, T + 1), RC and theta11 along this climb and the one before it,
    NaN after their ends. state : (3,), the path's sample, discount factor and number of steps. here : (2,), the point,
    at the edge of the window if it lies beyond it. peak : (2,), the point if it is the maximum, else NaN. hazard :
    (n,). observed : (5, most bins), the sample's bins. summary : (7,), see the names of its entries.
    """
    problem = (group, discount, cells, starts, shares, dcost, states, steps, terms, scores)
    point, covariance = small[_THETA], small[_METRIC : _METRIC + 2]
    point[0], point[1] = RC, theta11
    llf, residual, ridge = evaluate(problem, point, small)
    if ridge < 0.0:
        return FAILED
    if likelihood.inverse(small[_OPG : _OPG + 2], small[_FACTOR:SMALL_ROWS], small[_SPARE], covariance) == 0:
        return FAILED
    follow(point, group, discount, path, before, state)
    arrived = residual <= TOLERANCE and ridge == 0.0
    for k in range(2):
        here[k] = min(max(point[k], window[k, 0]), window[k, 1])
        peak[k] = point[k] if arrived else math.nan
        summary[ERROR_RC + k] = math.sqrt(covariance[k, k])
    # Two climbs to one maximum end within rounding errors of each other.
    below = best[_BEST_LLF] - llf
    summary[LLF], summary[BELOW], summary[RESIDUAL] = llf, 0.0 if abs(below) < 1e-9 else below, residual
    summary[STEPS], summary[CONVERGED] = state[_STEPS], 1.0 if arrived else 0.0
    for x in range(hazard.size):
        hazard[x] = states[_HAZARD, x]
    begin, end = int(bin_starts[int(group)]), int(bin_starts[int(group) + 1])
    for i in range(observed.shape[0]):
        for j in range(observed.shape[1]):
            observed[i, j] = bins[i, begin + j] if begin + j < end else math.nan
    return DONE


@kernel
def follow(point, group, discount, path, before, state):
    """Leave the path as it is if it ends at the point; else begin it anew there."""
    last = int(state[_STEPS])
    if state[_GROUP] != group or state[_DISCOUNT] != discount:
        fill(before, 0, math.nan)
        state[_GROUP], state[_DISCOUNT], state[_STEPS] = group, discount, 0.0
        begin_path(point, path, before, state)
    elif path[0, last] != point[0] or path[1, last] != point[1]:
        begin_path(point, path, before, state)


@kernel
def begin_path(point, path, before, state):
    """Begin the path anew at the point; keep it as the one before if it has steps."""
    if state[_STEPS] > 0.0:
        for k in range(2):
            for t in range(path.shape[1]):
                before[k, t] = path[k, t]
    fill(path, 1, math.nan)
    path[0, 0], path[1, 0], state[_STEPS] = point[0], point[1], 0.0


@kernel
def nfxp_climb(first, method, rule, group, discount, cells, starts, shares, dcost, ddcost, bounds, path, before, state,
               target, states, steps, terms, scores, hessian, search, small):  # fmt: skip
    """One step from the end of the path, where the reader stands; target : (2,), where it leads.

    DONE at the maximum, where no step climbs, and when the path is full. A reader who asks again then gets a new path.
    """
    problem = (group, discount, cells, starts, shares, dcost, states, steps, terms, scores)
    point, last = small[_THETA], int(state[_STEPS])
    for k in range(2):
        point[k] = target[k] = path[k, last]
    if last + 1 == path.shape[1]:
        if first == 0.0:
            return DONE
        begin_path(point, path, before, state)
        last = 0
    if step(problem, ddcost, hessian, method, rule, bounds, search, small) != _STEPPED:
        return DONE
    for k in range(2):
        path[k, last + 1] = target[k] = point[k]
    state[_STEPS] = last + 1.0
    return MORE


@kernel
def nfxp_start(path, state, home, target):
    """target : (2,), the beginning of the path; if the path has no step yet, `home`."""
    for k in range(2):
        target[k] = path[k, 0] if state[_STEPS] > 0.0 else home[k]
    return DONE


@kernel
def step(problem, ddcost, hessian, method, rule, bounds, search, small):
    """Move small[_THETA] along the method's direction, as far as the rule says; _ARRIVED if it is the maximum."""
    point, gradient, direction = small[_THETA], small[_GRADIENT], small[_DIRECTION]
    metric, trial = small[_OPG : _OPG + 2], small[_TRIAL]
    llf, residual, ridge = evaluate(problem, point, small)
    if residual <= TOLERANCE and ridge == 0.0:
        return _ARRIVED
    if method == _NEWTON:
        metric = small[_METRIC : _METRIC + 2]
        observed_information(problem, ddcost, hessian, metric)
    if ridge < 0.0 or likelihood.ascent(metric, gradient, direction, small[_FACTOR:SMALL_ROWS]) < 0.0:
        return _NO_STEP
    slope, verdict = direction[0] * gradient[0] + direction[1] * gradient[1], 2
    likelihood.secant_start(search, slope)
    for _ in range(_MAX_TRIALS):
        length, found, trial_slope, climbs = search[likelihood.LENGTH], math.nan, math.nan, 0
        for k in range(2):
            trial[k] = point[k] + length * direction[k]
        if inside(trial, bounds):
            found, residual, ridge = evaluate(problem, trial, small)
            if ridge >= 0.0:
                trial_slope = direction[0] * gradient[0] + direction[1] * gradient[1]
                climbs = likelihood.climbs(found - llf, slope, length, llf, trial_slope)
        verdict = next_trial(rule, search, climbs, found, trial_slope)
        if verdict != 2:
            break
    length = search[likelihood.LENGTH] if verdict == 1 else search[likelihood.BEST]
    for k in range(2):
        point[k] += length * direction[k]
    return _STEPPED if length > 0.0 else _NO_STEP


@kernel
def next_trial(rule, search, climbs, llf, slope):
    """What `secant_next` says under the secant rule; under the other, 1 if the trial climbs, else 2 for half of it."""
    if rule == _SECANT:
        return likelihood.secant_next(search, climbs, llf, slope)
    if climbs == 0:
        search[likelihood.LENGTH] /= 2.0
    return 1 if climbs == 1 else 2


@kernel
def inside(point, bounds):
    """Whether both controls can be set to the point."""
    return bounds[0, 0] <= point[0] <= bounds[0, 1] and bounds[1, 0] <= point[1] <= bounds[1, 1]


@kernel
def evaluate(problem, point, small):
    """The log-likelihood at a point, the distance sqrt(g' B^-1 g), and the ridge of B, -1 where the point is of no use.

    Fills gradient g and outer product B of `small`, and `states` and `scores`.
    """
    group, discount, cells, starts, shares, dcost, states, steps, terms, scores = problem
    begin, end = int(starts[int(group)]), int(starts[int(group) + 1])
    weights, cost, ev = cells[3, begin:end], states[_COST], states[_EV]
    # No free probabilities. Of the library's own types, also below: a literal 0 would compile everything once more.
    free, implied = steps[:0], shares.shape[1] - 1
    for x in range(ev.size):
        ev[x], cost[x] = 0.0, point[1] * dcost[0, x]
    solved = zurcher.evaluate(
        cells[0, begin:end], cells[1, begin:end], cells[2, begin:end], point[0], cost, dcost, shares[int(group)],
        free, implied, discount, 0.0, zurcher.tolerance(discount), steps, ev, states[:_EV], states[_GAP],
        states[_DGAP : _DGAP + 2], states[_DLOGSUM : _DLOGSUM + 2], terms[: weights.size], scores[: weights.size],
    )  # fmt: skip
    if solved == 0:
        return math.nan, math.nan, -1.0
    llf, gradient, scaled = 0.0, small[_GRADIENT], small[_SPARE]
    for i in range(weights.size):
        llf += weights[i] * terms[i]
    opg, factor = small[_OPG : _OPG + 2], small[_FACTOR:SMALL_ROWS]
    ridge = likelihood.bhhh(scores[: weights.size], weights, gradient, opg, scaled, factor)
    if not abs(llf) < math.inf or ridge < 0.0:
        return math.nan, math.nan, -1.0
    gain = scaled[0] * gradient[0] + scaled[1] * gradient[1]
    return llf, math.sqrt(gain) if gain >= 0.0 else math.nan, ridge


@kernel
def observed_information(problem, ddcost, hessian, out):
    """out : (2, 2), minus the Hessian at the point that was evaluated last."""
    group, discount, cells, starts, shares, dcost, states, steps, terms, scores = problem
    begin, end = int(starts[int(group)]), int(starts[int(group) + 1])
    by_cell, gap, ddgap, dgap = hessian[: end - begin], states[_GAP], states[_DDGAP], states[_DGAP : _DGAP + 2]
    free, implied = steps[:0], shares.shape[1] - 1
    for a in range(2):
        for b in range(a + 1):
            zurcher.differentiate_twice(
                a, b, ddcost, shares[int(group)], free, implied, discount, dgap, states[_DLOGSUM : _DLOGSUM + 2],
                ddgap, states[:_EV],
            )  # fmt: skip
            zurcher.cell_curvature(cells[0, begin:end], cells[1, begin:end], gap, dgap, ddgap, a, b, by_cell)
    likelihood.curvature_total(cells[3, begin:end], by_cell, out)
    for a in range(2):
        for b in range(2):
            out[a, b] = -out[a, b]
