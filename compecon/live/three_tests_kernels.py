"""Scene of the figure on testing: one null, three statistics, and how often each rejects a null that is true.

The model is the Poisson of `compecon.likelihood.examples`. But for a constant, its log-likelihood depends on a sample
by size and mean alone: one row with the mean for its outcome stands for all. `row` holds that row's workspace: outcome,
log factorial (left at zero, it cancels) and term, each (1,), score (1, 1), and second derivative (1, 1, 1).
"""

import math

from compecon._jit import kernel
from compecon.likelihood import example_kernels as examples
from compecon.live.draws_kernels import normal_quantile, poisson_quantile, uniforms

FAILED, DONE, MORE = 0, 1, 2
# The scales on which the parameter is written: m, log m, 1 / m.
MEAN, LOG, RECIPROCAL = 0.0, 1.0, 2.0
# Rows of what is kept for each test.
LR, WALD, LM = 0, 1, 2
LEVEL = 0.05

_TERMS, _NEGLIGIBLE, _TINY = 100, 1e-13, 1e-300
_SIDE = 0.012  # of the window's width, between the heights that are drawn at the null


@kernel
def three_tests_sample(n, seed, truth, y, estimate):
    """y : (n max,), n Poisson counts of mean truth[0], the rest NaN. estimate : (1,), their mean."""
    size, total = int(n), 0.0
    uniforms(seed, n, y[:size])
    for i in range(y.size):
        y[i] = poisson_quantile(y[i], truth[0]) if i < size else math.nan
        total += y[i] if i < size else 0.0
    estimate[0] = total / n
    return DONE if total > 0.0 else FAILED


@kernel
def three_tests(n, null, scale, estimate, windows, window, height, place, curve, at_top, at_null, points, spans,
                statistics, pvalues, nulls, by_null, outcome, log_factorial, term, score, second):  # fmt: skip
    """The statistics of the null, what they measure on the log-likelihood, and the p-values of all nulls.

    windows : (3, 2), the places shown on each scale; window, height : (2,), the ranges of the picture. place : (L,),
    curve, at_top, at_null : (L,), the log-likelihood below its maximum, and its parabolas at the estimate and at the
    null. points : (2, 2), the places of estimate and null, and their heights. spans : (3, 3), one row a test: the
    place, and the two ends of half its statistic. statistics, pvalues : (3,). by_null : (3, G), the p-values of the
    null means nulls : (G,).
    """
    row, mean = (outcome, log_factorial, term, score, second), estimate[0]
    three_statistics(n, mean, null, scale, statistics, row)
    for test in range(pvalues.size):
        pvalues[test] = chi2_tail(statistics[test])
    draw(n, mean, null, scale, windows[int(scale)], place, (curve, at_top, at_null), points, spans, statistics, row)
    window[0], window[1] = windows[int(scale), 0], windows[int(scale), 1]
    height[0] = 1.15 * min(-2.0, -statistics[LR] / 2.0, -statistics[WALD] / 2.0)
    height[1] = max(0.08 * -height[0], 1.15 * spans[LM, 2])
    for g in range(nulls.size):
        three_statistics(n, mean, nulls[g], scale, by_null[:, g], row)
        for test in range(pvalues.size):
            by_null[test, g] = chi2_tail(by_null[test, g])
    return DONE


@kernel
def draw(n, mean, null, scale, window, place, lines, points, spans, statistics, row):
    """The curve and its two parabolas over the window, and the three heights. See `three_tests`."""
    curve, at_top, at_null = lines
    top, here, width = on_scale(scale, mean), on_scale(scale, null), window[1] - window[0]
    bottom, slope = -statistics[LR] / 2.0, slope_at(n, mean, null, scale, row)
    top_bend, null_bend = information(n, mean, scale, row), information(n, null, scale, row)
    best = log_likelihood(n, mean, mean, row)
    for j in range(place.size):
        place[j] = window[0] + width * j / (place.size - 1.0)
        curve[j] = log_likelihood(n, mean, from_scale(scale, place[j]), row) - best
        at_top[j] = -0.5 * top_bend * (place[j] - top) ** 2
        at_null[j] = bottom + slope * (place[j] - here) - 0.5 * null_bend * (place[j] - here) ** 2
    points[0, 0], points[1, 0], points[0, 1], points[1, 1] = top, 0.0, here, bottom
    spans[LR, 0], spans[LR, 1], spans[LR, 2] = here - _SIDE * width, bottom, 0.0
    spans[WALD, 0], spans[WALD, 1], spans[WALD, 2] = here + _SIDE * width, -statistics[WALD] / 2.0, 0.0
    spans[LM, 0], spans[LM, 1] = here + slope / null_bend, bottom
    spans[LM, 2] = bottom + statistics[LM] / 2.0


@kernel
def three_tests_size(n, scale, nulls, size, trial, outcome, log_factorial, term, score, second):
    """size : (3, G), the chance that each test rejects at 5%, if nulls[g] is true; a sum over the total of n counts."""
    row = (outcome, log_factorial, term, score, second)
    critical = normal_quantile(1.0 - LEVEL / 2.0) ** 2
    for g in range(nulls.size):
        size[LR, g] = size[WALD, g] = size[LM, g] = 0.0
        total, expected = 0.0, n * nulls[g]
        chance = math.exp(-expected)
        while total < expected or chance > _NEGLIGIBLE:
            if chance > _NEGLIGIBLE:
                three_statistics(n, total / n, nulls[g], scale, trial, row)
                for test in range(trial.size):
                    size[test, g] += chance if trial[test] > critical else 0.0
            total += 1.0
            chance *= expected / total
    return DONE


@kernel
def three_statistics(n, mean, null, scale, out, row):
    """out : (3,), LR, Wald and LM of the null mean, in a sample of n with that mean; Wald on the scale.

    With no event at all, mean = 0, Wald's is its limit: infinite on the scale of the mean, zero on the others.
    """
    slope = slope_at(n, mean, null, scale, row)
    out[LR] = 2.0 * (log_likelihood(n, mean, mean, row) - log_likelihood(n, mean, null, row))
    out[LM] = slope * slope / information(n, null, scale, row)
    if mean == 0.0:
        out[WALD] = math.inf if scale == MEAN else 0.0
    else:
        walk = on_scale(scale, mean) - on_scale(scale, null)
        out[WALD] = information(n, mean, scale, row) * walk * walk


@kernel
def log_likelihood(n, mean, at, row):
    """n times the term of an outcome `mean` at the parameter `at`, the factorials left out; its limit 0 at 0."""
    outcome, log_factorial, term, score, _ = row
    if at == 0.0:
        return 0.0
    outcome[0] = mean
    examples.poisson_terms(outcome, log_factorial, at, term, score)
    return n * term[0]


@kernel
def slope_at(n, mean, at, scale, row):
    """The derivative of the log-likelihood at the mean `at`, by the parameter on the scale."""
    log_likelihood(n, mean, at, row)
    return n * row[3][0, 0] / stretch(scale, at)


@kernel
def information(n, at, scale, row):
    """The expected information of n outcomes at the mean `at`, for the parameter on the scale.

    Second derivatives are linear in the outcome: their expectation is the one of the expected outcome.
    """
    outcome, second, stretched = row[0], row[4], stretch(scale, at)
    outcome[0] = at
    examples.poisson_curvature(outcome, at, second)
    return -n * second[0, 0, 0] / (stretched * stretched)


@kernel
def on_scale(scale, mean):
    """m, log m or 1 / m."""
    if scale == MEAN:
        return mean
    return math.log(mean) if scale == LOG else 1.0 / mean


@kernel
def from_scale(scale, place):
    """The mean that a place on the scale stands for."""
    if scale == MEAN:
        return place
    return math.exp(place) if scale == LOG else 1.0 / place


@kernel
def stretch(scale, mean):
    """The derivative of the place on the scale by the mean."""
    if scale == MEAN:
        return 1.0
    return 1.0 / mean if scale == LOG else -1.0 / (mean * mean)


@kernel
def chi2_tail(x):
    """P(X > x) of a chi-squared X with one degree of freedom, x >= 0, to about 1e-14.

    The incomplete gamma function of 1/2 at x / 2: its series below 3/2, its continued fraction above (Lentz's method).
    """
    t = x / 2.0
    if not 0.0 < t < math.inf:
        return 1.0 if t == 0.0 else 0.0 if t > 0.0 else math.nan
    front = math.exp(-t) * math.sqrt(t / math.pi)
    if t < 1.5:
        part, total = 2.0, 2.0
        for k in range(1, _TERMS):
            part *= t / (0.5 + k)
            total += part
        return 1.0 - front * total
    b = t + 0.5
    c, d = 1.0 / _TINY, 1.0 / b
    fraction = d
    for k in range(1, _TERMS):
        a = -k * (k - 0.5)
        b += 2.0
        d, c = 1.0 / (a * d + b), b + a / c
        fraction *= d * c
    return front * fraction
