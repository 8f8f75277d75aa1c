"""The optimizers' step: scores or a Hessian in, a direction and its predicted gain out; and the test of a step."""

from compecon._jit import kernel
from compecon._linalg import cholesky_solve

_SUFFICIENT = 1e-4  # Armijo: the least share of the gain that the slope promises
# The log-likelihood is a sum with rounding errors of about this relative size; a smaller fall is no fall.
_NOISE = 1e-12


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
