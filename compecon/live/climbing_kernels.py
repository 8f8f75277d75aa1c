"""Scenes of the figure on optimizers: a sample of chosen kurtosis, its log-likelihood, and four ways up to the maximum.

The model is the normal one of `compecon.likelihood.examples`, theta = (mu, sigma). Vectors of two and 2 x 2 matrices
are kept in the rows of one array, `small`, whose layout stands at its rows' names below.
"""

import math

from compecon._jit import kernel
from compecon.likelihood import example_kernels as normal
from compecon.likelihood import kernels as likelihood
from compecon.live.draws_kernels import normal_quantile

FAILED, DONE, MORE = 0, 1, 2
# Ways to climb; all but the first halve a step until it climbs.
BHHH_UNIT, BHHH, NEWTON, BFGS = 0, 1, 2, 3
# What stands for the number of iterations where a way has not arrived.
TOO_SLOW, LEFT, STUCK = -1.0, -2.0, -3.0

_TOLERANCE, _MAX_TRIALS = 1e-7, 40  # those of `compecon.likelihood.maximize`, whose loop `climb` is
_NEAR = 0.5  # standard errors
_WIDEST_POWER, _BISECTIONS, _GRID = 8.0, 60, 2.0**30
# Rows of `small`: vectors at the point, at the trial, and between; matrices, two rows each; the factor's three.
_THETA, _GRADIENT, _DIRECTION, _TRIAL, _TRIAL_GRADIENT, _TRIAL_DIRECTION, _MOVE, _CHANGE, _IMAGE = range(9)
_OPG, _TRIAL_OPG, _METRIC, _UPDATED, _FACTOR, SMALL_ROWS = 9, 11, 13, 15, 17, 20


@kernel
def climbing_sample(kurtosis, y, weights, histogram, fitted, maximum, near, terms, scores, hessian, small):
    """Make the sample, its histogram and its maximum, and tell what BHHH makes of a step near it.

    y, weights : (N,). histogram : (2, M), middles of bins, and the sample's share in each over its width. fitted :
    (2, L), outcomes, and the normal density at the maximum. maximum : (3,), mu, sigma and the log-likelihood. near :
    (2,), the eigenvalue of B^-1 (-H) that belongs to sigma, and |1 - eigenvalue|, the share of an error in sigma that
    a unit step of BHHH leaves.
    """
    sample_of_kurtosis(kurtosis, y)
    for i in range(y.size):
        weights[i] = 1.0
    theta, matrix = small[_THETA], small[_METRIC : _METRIC + 2]
    normal.normal_maximum(y, weights, theta)
    maximum[0], maximum[1] = theta[0], theta[1]
    maximum[2] = value_at(y, weights, theta[0], theta[1], terms, scores)
    likelihood.outer_product(scores, weights, small[_GRADIENT], small[_OPG : _OPG + 2])
    normal.normal_curvature(y, theta[0], theta[1], hessian)
    likelihood.curvature_total(weights, hessian, matrix)
    # A symmetric sample: both matrices are diagonal at the maximum.
    near[0] = -matrix[1, 1] / small[_OPG + 1, 1]
    near[1] = abs(1.0 - near[0])
    describe(y, theta, histogram, fitted)
    return DONE


@kernel
def climbing_surface(y, weights, mu_grid, sigma_grid, surface, terms, scores):
    """The log-likelihood on a grid; mu_grid : (G,), sigma_grid : (S,), surface : (S, G).

    It depends on the sample by its mean and standard deviation alone, and so not on the kurtosis.
    """
    for s in range(sigma_grid.size):
        for m in range(mu_grid.size):
            surface[s, m] = value_at(y, weights, mu_grid[m], sigma_grid[s], terms, scores)
    return DONE


@kernel
def sample_of_kurtosis(kurtosis, y):
    """y : (N,), N even: sign(z) |z|^p of the normal quantiles z at (i + 1/2) / N, scaled to mean 0 and variance 1.

    Its kurtosis rises from 1 at p = 0, two points, without end but for N; p is found by bisection. All values are
    multiples of 2^-30: unit steps of BHHH that overshoot magnify every difference, and browsers' exponentials differ
    from each other in the last bit.
    """
    low, high = 0.0, _WIDEST_POWER
    for _ in range(_BISECTIONS):
        power = (low + high) / 2.0
        square, fourth = 0.0, 0.0
        fill_powers(power, y)
        for i in range(y.size):
            square += y[i] * y[i]
            fourth += y[i] * y[i] * y[i] * y[i]
        if fourth * y.size < kurtosis * square * square:
            low = power
        else:
            high = power
    scale = math.sqrt(square / y.size)
    for i in range(y.size // 2):
        size = float(int(-y[i] / scale * _GRID + 0.5)) / _GRID
        y[i], y[y.size - 1 - i] = -size, size


@kernel
def fill_powers(power, y):
    """y_i = sign(z_i) |z_i|^power, the i-th from the top the negative of the i-th from the bottom."""
    n = y.size
    for i in range(n // 2):
        size = math.exp(power * math.log(-normal_quantile((i + 0.5) / n)))
        y[i], y[n - 1 - i] = -size, size


@kernel
def describe(y, theta, histogram, fitted):
    """The histogram of the sample in bins around histogram[0], and the normal density at theta."""
    n_bins = histogram.shape[1]
    width = histogram[0, 1] - histogram[0, 0]
    for j in range(n_bins):
        histogram[1, j] = 0.0
    for i in range(y.size):
        place = (y[i] - histogram[0, 0]) / width + 0.5
        if 0.0 <= place < n_bins:
            histogram[1, int(place)] += 1.0 / (y.size * width)
    for j in range(fitted.shape[1]):
        z = (fitted[0, j] - theta[0]) / theta[1]
        fitted[1, j] = math.exp(-0.5 * z * z) / (theta[1] * math.sqrt(2.0 * math.pi))


@kernel
def value_at(y, weights, mu, sigma, terms, scores):
    """The log-likelihood at (mu, sigma); fills terms : (N,) and scores : (N, 2)."""
    normal.normal_terms(y, mu, sigma, terms, scores)
    total = 0.0
    for i in range(y.size):
        total += weights[i] * terms[i]
    return total


@kernel
def climbing(mu, sigma, y, weights, mu_path, sigma_path, far, distance, iterations, seen, terms, scores, hessian,
             small):  # fmt: skip
    """The paths of the four ways from (mu, sigma).

    mu_path, sigma_path : (4, T + 1), one row a way; NaN after its last point. distance : the same, sqrt(g' B^-1 g), in
    standard errors. far : sigma_path where the distance is half a standard error or more, else NaN. iterations : (4,),
    or TOO_SLOW after T, LEFT where sigma <= 0, STUCK where no step climbs. seen : (1,), the share of the distance that
    a unit step of BHHH left, of those steps that began within half a standard error the one that began nearest to the
    maximum; else NaN.
    """
    for way in range(iterations.size):
        for t in range(mu_path.shape[1]):
            mu_path[way, t] = sigma_path[way, t] = distance[way, t] = far[way, t] = math.nan
        small[_THETA, 0], small[_THETA, 1] = mu, sigma
        path = (mu_path[way], sigma_path[way], distance[way])
        iterations[way] = climb(way, y, weights, path, terms, scores, hessian, small)
        for t in range(mu_path.shape[1]):
            if distance[way, t] >= _NEAR:
                far[way, t] = sigma_path[way, t]
    nearest = _NEAR
    seen[0] = math.nan
    for t in range(distance.shape[1] - 1):
        before, after = distance[BHHH_UNIT, t], distance[BHHH_UNIT, t + 1]
        if 0.0 < before < nearest and after >= 0.0:
            nearest, seen[0] = before, after / before
    return DONE


@kernel
def climb(way, y, weights, path, terms, scores, hessian, small):
    """One way's path from small[_THETA]; return its number of iterations, or why there is none."""
    mu_path, sigma_path, distance = path
    theta, gradient, direction = small[_THETA], small[_GRADIENT], small[_DIRECTION]
    opg, metric, factor = small[_OPG : _OPG + 2], small[_METRIC : _METRIC + 2], small[_FACTOR:SMALL_ROWS]
    llf, residual, ridge = evaluate(y, weights, theta, gradient, opg, direction, factor, terms, scores)
    for t in range(mu_path.size):
        mu_path[t], sigma_path[t], distance[t] = theta[0], theta[1], residual
        if residual <= _TOLERANCE and ridge == 0.0:
            return float(t)
        if t + 1 == mu_path.size:
            return TOO_SLOW
        fill_metric(way, t == 0, y, weights, hessian, small)
        if likelihood.ascent(metric, gradient, direction, factor) < 0.0:
            return STUCK
        llf, residual, ridge = step(way, y, weights, llf, terms, scores, small)
        if ridge < 0.0 and way == BHHH_UNIT:
            # Drawn, so that the reader sees where it went.
            mu_path[t + 1], sigma_path[t + 1] = small[_TRIAL, 0], small[_TRIAL, 1]
            return LEFT
        if ridge < 0.0:
            return STUCK
    return TOO_SLOW


@kernel
def evaluate(y, weights, theta, gradient, opg, direction, factor, terms, scores):
    """The log-likelihood at theta, the distance sqrt(g' B^-1 g) and the ridge of B, -1 where theta is of no use.

    Fills gradient g, opg B and direction B^-1 g.
    """
    if not theta[1] > 0.0:
        return -math.inf, math.nan, -1.0
    llf = value_at(y, weights, theta[0], theta[1], terms, scores)
    ridge = likelihood.bhhh(scores, weights, gradient, opg, direction, factor)
    if not abs(llf) < math.inf or ridge < 0.0:
        return -math.inf, math.nan, -1.0
    gain = direction[0] * gradient[0] + direction[1] * gradient[1]
    return llf, math.sqrt(gain) if gain >= 0.0 else math.nan, ridge


@kernel
def fill_metric(way, first, y, weights, hessian, small):
    """small[_METRIC] = the matrix that stands for minus the Hessian at the point; `first` at a path's start."""
    theta, metric = small[_THETA], small[_METRIC : _METRIC + 2]
    if way == NEWTON:
        normal.normal_curvature(y, theta[0], theta[1], hessian)
        likelihood.curvature_total(weights, hessian, metric)
        for a in range(2):
            for b in range(2):
                metric[a, b] = -metric[a, b]
    elif way == BFGS and not first:
        likelihood.bfgs_update(metric, small[_MOVE], small[_CHANGE], small[_IMAGE], small[_UPDATED : _UPDATED + 2])
        copy_rows(small, _UPDATED, _METRIC, 2)
    else:
        copy_rows(small, _OPG, _METRIC, 2)
        if way == BFGS:
            metric[0, 1] = metric[1, 0] = 0.0


@kernel
def step(way, y, weights, llf, terms, scores, small):
    """Go along the direction: the whole step, or for all ways but BHHH_UNIT the first of its halves that climbs.

    Returns what `evaluate` says of the new point, and makes it the point; the ridge is -1 where no step was taken.
    """
    theta, gradient, direction = small[_THETA], small[_GRADIENT], small[_DIRECTION]
    trial, trial_gradient, factor = small[_TRIAL], small[_TRIAL_GRADIENT], small[_FACTOR:SMALL_ROWS]
    opg, spare = small[_TRIAL_OPG : _TRIAL_OPG + 2], small[_TRIAL_DIRECTION]
    slope, length = direction[0] * gradient[0] + direction[1] * gradient[1], 1.0
    for _ in range(1 if way == BHHH_UNIT else _MAX_TRIALS):
        for k in range(2):
            trial[k] = theta[k] + length * direction[k]
        found, residual, ridge = evaluate(y, weights, trial, trial_gradient, opg, spare, factor, terms, scores)
        trial_slope = direction[0] * trial_gradient[0] + direction[1] * trial_gradient[1]
        climbed = likelihood.climbs(found - llf, slope, length, llf, trial_slope) == 1
        if ridge >= 0.0 and (way == BHHH_UNIT or climbed):
            for k in range(2):
                small[_MOVE, k] = trial[k] - theta[k]
                small[_CHANGE, k] = gradient[k] - trial_gradient[k]
            copy_rows(small, _TRIAL, _THETA, 2)
            copy_rows(small, _TRIAL_OPG, _OPG, 2)
            return found, residual, ridge
        length /= 2.0
    return llf, math.nan, -1.0


@kernel
def copy_rows(small, source, target, count):
    """Rows source, ..., source + count - 1 of `small` into the rows from `target` on."""
    for r in range(count):
        for k in range(small.shape[1]):
            small[target + r, k] = small[source + r, k]
