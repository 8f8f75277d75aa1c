"""The optimizers' step: scores or a Hessian in, a direction and its predicted gain out; and how far to go along it."""

import math

from compecon._jit import kernel
from compecon._linalg import cholesky_solve

_SUFFICIENT = 1e-4  # Armijo: the least share of the gain that the slope promises
# The log-likelihood is a sum with rounding errors of about this relative size; a smaller fall is no fall.
_NOISE = 1e-12
_FLAT = 0.2  # the secant search ends where the slope is down to this share of its start
# What a secant search remembers: the next length to try, its bracket, the slopes, and the best length that climbs.
LENGTH, LOW, LOW_SLOPE, HIGH, START_SLOPE, BEST, BEST_LLF, SEARCH_SIZE = range(8)


@kernel
def outer_product(scores, weights, gradient, opg):
    """gradient = sum_i w_i s_i and opg = sum_i w_i s_i s_i'; scores : (N, K), opg : (K, K)."""
    n_rows, n_params = scores.shape
    for a in range(n_params):
        gradient[a] = 0.0
        for b in range(n_params):
            opg[a, b] = 0.0
    for i in range(n_rows):
        for a in range(n_params):
            weighted = weights[i] * scores[i, a]
            gradient[a] += weighted
            for b in range(a + 1):
                opg[a, b] += weighted * scores[i, b]
    for a in range(n_params):
        for b in range(a):
            opg[b, a] = opg[a, b]


@kernel
def curvature_total(weights, hessian, out):
    """out = sum_i w_i H_i; weights : (N,), hessian : (N, K, K), out : (K, K)."""
    n_rows, n_params = hessian.shape[0], hessian.shape[1]
    for a in range(n_params):
        for b in range(n_params):
            out[a, b] = 0.0
    for i in range(n_rows):
        for a in range(n_params):
            for b in range(n_params):
                out[a, b] += weights[i] * hessian[i, a, b]


@kernel
def ascent(metric, gradient, direction, factor):
    """direction = (metric + ridge |diag|)^-1 gradient, with the least ridge that makes it an ascent; return the ridge.

    `metric` is minus a Hessian or an approximation to it: the outer product for BHHH, the exact one for Newton. Far
    from the maximum it may be singular or indefinite; the ridge then turns the step towards the gradient. A ridge
    above 1 gives steepest ascent in the metric's units. -1 means that the metric is useless (not finite). factor :
    (K + 1, K) workspace.
    """
    ridge = 0.0
    while ridge <= 1e12:
        if cholesky_solve(metric, ridge, gradient, factor, direction) == 1:
            return ridge
        ridge = 1e-10 if ridge == 0.0 else 10.0 * ridge
    return -1.0


@kernel
def bhhh(scores, weights, gradient, opg, direction, factor):
    """One step of BHHH from scores and weights: fills gradient, opg and direction, and returns the ridge of `ascent`.

    The gain that the step predicts is direction' gradient.
    """
    outer_product(scores, weights, gradient, opg)
    return ascent(opg, gradient, direction, factor)


@kernel
def bfgs_update(matrix, move, change, image, updated):
    """The BFGS update of an approximation A to minus the Hessian, from a move and minus the gradient's change.

    updated = A - (A m)(A m)' / (m' A m) + c c' / (c' m); it maps m to c. Where the path shows no curvature,
    c' m <= 1e-10 m' A m, A is kept. image : (K,) workspace.
    """
    n = move.size
    curvature, size = 0.0, 0.0
    for a in range(n):
        image[a] = 0.0
        for b in range(n):
            image[a] += matrix[a, b] * move[b]
        curvature += change[a] * move[a]
        size += image[a] * move[a]
    for a in range(n):
        for b in range(n):
            updated[a, b] = matrix[a, b]
            if curvature > 1e-10 * size:
                updated[a, b] += change[a] * change[b] / curvature - image[a] * image[b] / size


@kernel
def climbs(gain, slope, length, llf, trial_slope):
    """1 if a step of `length` along a direction gains enough to be taken, else 0 (also where the gain is NaN).

    gain : log-likelihood after the step minus `llf` before it; slope, trial_slope : direction' gradient before and
    after. Armijo's condition is gain >= _SUFFICIENT length slope. Where rounding errors hide the gain, the slope tells:
    on a parabola the same condition is trial_slope >= -(1 - 2 _SUFFICIENT) slope (Hager and Zhang 2005, eq. 4.1).
    """
    if gain >= _SUFFICIENT * length * slope:
        return 1
    hidden = gain >= -_NOISE * max(1.0, abs(llf))
    return 1 if hidden and trial_slope >= -(1.0 - 2.0 * _SUFFICIENT) * slope else 0


@kernel
def secant_start(search, slope):
    """Begin a secant search at the whole step; `slope` is direction' gradient at the start. search : (SEARCH_SIZE,)."""
    search[LENGTH], search[LOW], search[HIGH], search[BEST] = 1.0, 0.0, math.inf, 0.0
    search[LOW_SLOPE] = search[START_SLOPE] = slope
    search[BEST_LLF] = -math.inf


@kernel
def secant_next(search, climbs, llf, slope):
    """Take in the trial at search[LENGTH]: 1 take it, 2 try the new search[LENGTH], 0 take search[BEST] (0: none).

    climbs : what the kernel of that name says; llf, slope : at the trial, the slope NaN where it is of no use. From the
    unit step on, a secant through the two ends of the bracket (or through the last two lengths, as long as the slope
    stays positive) gives the next length.
    """
    length = search[LENGTH]
    if climbs == 1 and llf >= search[BEST_LLF]:
        search[BEST], search[BEST_LLF] = length, llf
    if climbs == 1 and abs(slope) <= _FLAT * search[START_SLOPE]:
        return 1
    if climbs == 1 and slope > 0.0:
        search[LENGTH] = _beyond(search[LOW], search[LOW_SLOPE], length, slope)
        search[LOW], search[LOW_SLOPE] = length, slope
        if search[LENGTH] >= search[HIGH]:
            search[LENGTH] = (length + search[HIGH]) / 2.0
        return 2
    search[HIGH] = length
    search[LENGTH] = _between(search[LOW], search[LOW_SLOPE], length, slope)
    return 0 if search[BEST] > 0.0 and length - search[LOW] <= 0.1 * length else 2


@kernel
def _beyond(before, before_slope, length, slope):
    """Where the slope would vanish on the secant, between 1.5 and 4 times the present length."""
    fall = before_slope - slope
    target = length + slope * (length - before) / fall if fall > 0.0 else math.inf
    return min(max(target, 1.5 * length), 4.0 * length)


@kernel
def _between(low, low_slope, high, high_slope):
    """The secant's zero inside the bracket, kept off its ends; the middle where the upper slope is not negative."""
    # Not `high_slope >= 0`: a NaN must give the middle too.
    if not high_slope < 0.0:
        return low + (high - low) / 2.0
    share = low_slope / (low_slope - high_slope)
    return low + (high - low) * min(max(share, 0.1), 0.9)


@kernel
def inverse(matrix, factor, unit, out):
    """out = A^-1 for a symmetric positive definite A : (K, K), column by column from its Cholesky factor; return 1.

    0 means that A is not positive definite to working precision. factor : (K + 1, K) and unit : (K,) workspace.
    """
    n = unit.size
    for k in range(n):
        for a in range(n):
            unit[a] = 1.0 if a == k else 0.0
        # In place: the solver reads an entry of the right-hand side before it writes there.
        if cholesky_solve(matrix, 0.0, unit, factor, unit) == 0:
            return 0
        for a in range(n):
            out[k, a] = unit[a]
    # Symmetric but for rounding errors; now exactly.
    for a in range(n):
        for b in range(a):
            out[a, b] = out[b, a] = (out[a, b] + out[b, a]) / 2.0
    return 1
