"""Scene of the figure on the likelihood: a sample of a model with one parameter, and what the sample says of it.

The models are those of `compecon.likelihood.examples`: the normal with standard deviation 1, and the Poisson. Both have
theta for their mean.
"""

import math

from compecon._jit import kernel
from compecon.likelihood import example_kernels as examples
from compecon.live.draws_kernels import normals, poisson_quantile, uniforms

FAILED, DONE, MORE = 0, 1, 2
NORMAL, POISSON = 0.0, 1.0
# What `summary` holds.
LLF, SCORE, CURVATURE, PRODUCT, ZERO_AFTER, SUMMARY_SIZE = 0, 1, 2, 3, 4, 5
# What `peak` holds: the maximum, and the mean log-likelihood there.
BEST, HEIGHT = 0, 1
NEVER = -1.0


@kernel
def likelihood_sample(model, n, seed, truth, log_factorials, y, log_factorial, bins, counts, grid, product, relative,
                      mean_llf, expected, limit, peak, terms, scores):  # fmt: skip
    """Draw n outcomes, and compute their likelihood along a grid of theta, once as a product and once by logarithms.

    bins, counts : (2, M), middles, and the sample's share in each over its width; NaN for the other model. grid :
    (G,), thetas. product, relative : (G,), the likelihood over the largest on the grid, as a product of densities (NaN
    if all are zero) and as the exponential of a difference of logarithms. mean_llf : (G,), the log-likelihood over n;
    limit : (G,), its expectation, a row of expected : (2, G). peak : (2,), the maximum and mean_llf there.
    """
    size, row = int(n), int(model)
    draw(model, seed, truth[0], log_factorials, y[:size], log_factorial[:size])
    tally(model == NORMAL, y[:size], bins)
    tally(model == POISSON, y[:size], counts)
    most, top = 0.0, -math.inf
    for g in range(grid.size):
        fill_terms(model, y[:size], log_factorial[:size], grid[g], terms[:size], scores[:size])
        mean_llf[g], product[g] = total(terms[:size]) / n, multiplied(terms[:size])[0]
        limit[g] = expected[row, g]
        most, top = max(most, product[g]), max(top, mean_llf[g])
    for g in range(grid.size):
        product[g] = product[g] / most
        relative[g] = math.exp(n * (mean_llf[g] - top))
    peak[BEST] = total(y[:size]) / n
    peak[HEIGHT] = math.nan
    if model == NORMAL or peak[BEST] > 0.0:
        fill_terms(model, y[:size], log_factorial[:size], peak[BEST], terms[:size], scores[:size])
        peak[HEIGHT] = total(terms[:size]) / n
    return DONE


@kernel
def likelihood_point(model, n, theta, y, log_factorials, log_factorial, curve, mass, heights, grid, tangent, parabola,
                     here, summary, terms, scores, hessian):  # fmt: skip
    """The density at theta over the data, and the log-likelihood there with its first two derivatives.

    curve, mass : (2, L), outcomes and their density or probability; NaN for the other model. heights : (2, M), the
    first M outcomes and their densities. tangent, parabola : (G,), the expansions of the mean log-likelihood around
    theta to first and second order. here : (1,), the mean log-likelihood at theta.
    """
    size = int(n)
    fill_terms(model, y[:size], log_factorial[:size], theta, terms[:size], scores[:size])
    if model == NORMAL:
        examples.normal_curvature(y[:size], theta, 1.0, hessian[:size])
    else:
        examples.poisson_curvature(y[:size], theta, hessian[:size])
    summary[LLF], summary[SCORE], summary[CURVATURE] = total(terms[:size]), 0.0, 0.0
    summary[PRODUCT], summary[ZERO_AFTER] = multiplied(terms[:size])
    for i in range(size):
        summary[SCORE] += scores[i, 0]
        summary[CURVATURE] += hessian[i, 0, 0]
    here[0] = summary[LLF] / n
    for g in range(grid.size):
        step = grid[g] - theta
        tangent[g] = here[0] + step * summary[SCORE] / n
        parabola[g] = tangent[g] + 0.5 * step * step * summary[CURVATURE] / n
    for i in range(heights.shape[1]):
        heights[0, i] = y[i] if i < size else math.nan
        heights[1, i] = math.exp(terms[i]) if i < size else math.nan
    fill_terms(NORMAL, curve[0], curve[0], theta, curve[1], scores)
    fill_terms(POISSON, mass[0], log_factorials, theta, mass[1], scores)
    exponentials(model == NORMAL, curve[1])
    exponentials(model == POISSON, mass[1])
    return DONE


@kernel
def draw(model, seed, truth, log_factorials, y, log_factorial):
    """n outcomes y : (n,) of the model at the true theta, and log y! of counts; the first of them whatever n is."""
    if model == NORMAL:
        normals(seed, NORMAL, y)
        for i in range(y.size):
            y[i] += truth
    else:
        uniforms(seed, POISSON, y)
        for i in range(y.size):
            y[i] = poisson_quantile(y[i], truth)
            log_factorial[i] = log_factorials[int(y[i])]


@kernel
def tally(wanted, y, histogram):
    """The share of y in bins around histogram[0], over their width, into histogram[1]; NaN if it is not wanted."""
    width = histogram[0, 1] - histogram[0, 0]
    for j in range(histogram.shape[1]):
        histogram[1, j] = 0.0 if wanted else math.nan
    for i in range(y.size):
        place = (y[i] - histogram[0, 0]) / width + 0.5
        if 0.0 <= place < histogram.shape[1]:
            histogram[1, int(place)] += 1.0 / (y.size * width)


@kernel
def fill_terms(model, y, log_factorial, theta, terms, scores):
    """The log-density of each outcome at theta, and its derivative."""
    if model == NORMAL:
        examples.normal_terms(y, theta, 1.0, terms, scores)
    else:
        examples.poisson_terms(y, log_factorial, theta, terms, scores)


@kernel
def total(terms):
    """The sum of the terms."""
    found = 0.0
    for i in range(terms.size):
        found += terms[i]
    return found


@kernel
def multiplied(terms):
    """(product of the densities, number of factors after which it is zero, or NEVER), multiplied one by one."""
    found = 1.0
    for i in range(terms.size):
        found *= math.exp(terms[i])
        if found == 0.0:
            return 0.0, i + 1.0
    return found, NEVER


@kernel
def exponentials(wanted, values):
    """values = exp(values), or NaN if they are not wanted."""
    for i in range(values.size):
        values[i] = math.exp(values[i]) if wanted else math.nan
