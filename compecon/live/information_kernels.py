"""Scene of the figure on the information matrix equality: the normal model fitted again and again to what may not be
normal, and three standard errors of its sigma beside the spread of the estimates.
"""

import math

from compecon._jit import kernel
from compecon.likelihood import example_kernels as normal
from compecon.likelihood import kernels as likelihood
from compecon.live.draws_kernels import normal_quantile, normals, uniforms

FAILED, DONE, MORE = 0, 1, 2
# Rows of `fits`: an estimate of sigma and its standard errors.
SIGMA, OPG, HESSIAN, SANDWICH = 0, 1, 2, 3

_SLICE = 40000.0  # observations that a call fits: about three milliseconds in a browser
_WILD = 0.1  # the share of observations that make the heavy tails
# Rows of `small`: vectors, then matrices of two rows each, then the factor's three.
_THETA, _GRADIENT, _UNIT, _MEAT, _CURVATURE, _BREAD, _INVERSE, _FACTOR, SMALL_ROWS = 0, 1, 2, 3, 5, 7, 9, 11, 14


@kernel
def information_equality(n, kurtosis, seed, first, progress, population, fits, count, standard_errors, scaled, coverage,
                         histogram, claims, y, picks, weights, terms, scores, hessian, small):  # fmt: skip
    """Fit the model to R samples of n outcomes, a slice of them a call, and sum up those that are done.

    population : (3, L), outcomes, their density, and the normal one. fits : (4, R), estimate of sigma and its standard
    errors by OPG, Hessian and sandwich. count : (1,), the samples done. standard_errors : (4,), the estimates' standard
    deviation over the samples and the means of their three standard errors; scaled : the same times the root of n.
    coverage : (3,), the shares of the 95% intervals that hold the true sigma, 1. histogram : (2, M), root n (estimate -
    1), middles of bins, and the samples' share in each over its width. claims : (4, L), the same scale, and the normal
    density with each mean standard error. y, picks, weights, terms : (n max,), scores, hessian, small workspace.
    """
    size = int(n)
    if first == 1.0:
        count[0] = 0.0
        describe_population(kurtosis, population)
        for i in range(weights.size):
            weights[i] = 1.0
    start, n_samples = int(count[0]), fits.shape[1]
    stop = min(n_samples, start + max(int(_SLICE / n), 2))
    for r in range(start, stop):
        draw(seed, r, kurtosis, picks[:size], y[:size])
        if fit(y[:size], weights[:size], terms[:size], scores[:size], hessian[:size], small, fits, r) == 0:
            return FAILED
    count[0] = stop
    progress[0] = count[0] / n_samples
    sum_up(n, fits[:, :stop], standard_errors, scaled, coverage)
    describe_estimates(n, fits[SIGMA, :stop], scaled, histogram, claims)
    return DONE if stop == n_samples else MORE


@kernel
def components(kurtosis):
    """(share, mean, sd, other mean, other sd) of a mixture of two normals with mean 0, variance 1 and that kurtosis.

    Below 3, halves at +-m with m^4 = (3 - kurtosis) / 2; above, a share q of wild observations, with variance
    1 + e sqrt((1 - q) / q) beside 1 - e sqrt(q / (1 - q)), e^2 = kurtosis / 3 - 1.
    """
    if kurtosis < 3.0:
        square = math.sqrt((3.0 - kurtosis) / 2.0)
        mean, sd = math.sqrt(square), math.sqrt(1.0 - square)
        return 0.5, mean, sd, -mean, sd
    excess, odds = math.sqrt(kurtosis / 3.0 - 1.0), math.sqrt(_WILD / (1.0 - _WILD))
    return _WILD, 0.0, math.sqrt(1.0 + excess / odds), 0.0, math.sqrt(1.0 - excess * odds)


@kernel
def draw(seed, sample, kurtosis, picks, y):
    """The outcomes y : (n,) of one sample, the same draws for every kurtosis; picks : (n,) workspace."""
    share, mean, sd, other_mean, other_sd = components(kurtosis)
    normals(seed, 2.0 * sample, y)
    uniforms(seed, 2.0 * sample + 1.0, picks)
    for i in range(y.size):
        y[i] = mean + sd * y[i] if picks[i] < share else other_mean + other_sd * y[i]


@kernel
def fit(y, weights, terms, scores, hessian, small, fits, r):
    """The maximum of the normal likelihood and the three standard errors of sigma, into fits[:, r]; 0 if none exists.

    With B the outer product of the scores and H the Hessian, the covariances are B^-1, (-H)^-1 and H^-1 B H^-1.
    """
    theta, meat, curvature = small[_THETA], small[_MEAT : _MEAT + 2], small[_CURVATURE : _CURVATURE + 2]
    bread, inverse, factor = small[_BREAD : _BREAD + 2], small[_INVERSE : _INVERSE + 2], small[_FACTOR:SMALL_ROWS]
    normal.normal_maximum(y, weights, theta)
    normal.normal_terms(y, theta[0], theta[1], terms, scores)
    normal.normal_curvature(y, theta[0], theta[1], hessian)
    likelihood.outer_product(scores, weights, small[_GRADIENT], meat)
    likelihood.curvature_total(weights, hessian, curvature)
    sandwich = 0.0
    for a in range(2):
        for b in range(2):
            curvature[a, b] = -curvature[a, b]
    if likelihood.inverse(meat, factor, small[_UNIT], inverse) == 0:
        return 0
    if likelihood.inverse(curvature, factor, small[_UNIT], bread) == 0:
        return 0
    for a in range(2):
        for b in range(2):
            sandwich += bread[1, a] * meat[a, b] * bread[b, 1]
    fits[SIGMA, r], fits[OPG, r] = theta[1], math.sqrt(inverse[1, 1])
    fits[HESSIAN, r], fits[SANDWICH, r] = math.sqrt(bread[1, 1]), math.sqrt(sandwich)
    return 1


@kernel
def sum_up(n, fits, standard_errors, scaled, coverage):
    """Spread of the estimates, means of the standard errors, and coverage, over the samples of fits : (4, R)."""
    n_samples, critical = fits.shape[1], normal_quantile(0.975)
    mean, squares = 0.0, 0.0
    for r in range(n_samples):
        mean += fits[SIGMA, r] / n_samples
    for r in range(n_samples):
        squares += (fits[SIGMA, r] - mean) * (fits[SIGMA, r] - mean)
    standard_errors[SIGMA] = math.sqrt(squares / n_samples)
    for kind in range(OPG, SANDWICH + 1):
        standard_errors[kind] = coverage[kind - 1] = 0.0
        for r in range(n_samples):
            standard_errors[kind] += fits[kind, r] / n_samples
            if abs(fits[SIGMA, r] - 1.0) <= critical * fits[kind, r]:
                coverage[kind - 1] += 1.0 / n_samples
    for kind in range(SANDWICH + 1):
        scaled[kind] = math.sqrt(n) * standard_errors[kind]


@kernel
def describe_estimates(n, estimates, scaled, histogram, claims):
    """The histogram of root n (estimate - 1), and the normal densities that the standard errors claim for it."""
    n_bins, root = histogram.shape[1], math.sqrt(n)
    width = histogram[0, 1] - histogram[0, 0]
    for j in range(n_bins):
        histogram[1, j] = 0.0
    for r in range(estimates.size):
        place = (root * (estimates[r] - 1.0) - histogram[0, 0]) / width + 0.5
        if 0.0 <= place < n_bins:
            histogram[1, int(place)] += 1.0 / (estimates.size * width)
    for kind in range(OPG, SANDWICH + 1):
        for j in range(claims.shape[1]):
            claims[kind, j] = density(claims[0, j], 0.0, scaled[kind])


@kernel
def describe_population(kurtosis, population):
    """The outcomes' density and the normal one of the same mean and variance, at population[0]."""
    share, mean, sd, other_mean, other_sd = components(kurtosis)
    for j in range(population.shape[1]):
        outcome = population[0, j]
        other = density(outcome, other_mean, other_sd)
        population[1, j] = share * density(outcome, mean, sd) + (1.0 - share) * other
        population[2, j] = density(outcome, 0.0, 1.0)


@kernel
def density(x, mean, sd):
    """The normal density."""
    z = (x - mean) / sd
    return math.exp(-0.5 * z * z) / (sd * math.sqrt(2.0 * math.pi))
