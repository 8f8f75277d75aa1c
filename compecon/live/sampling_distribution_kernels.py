"""Scene of the figure on large samples: many samples of counts, their estimates, and the intervals around them.

The models are the geometric and the Poisson of `compecon.likelihood.examples`. Both know a sample by its size and its
sum, so that the estimate, its standard error and the likelihood ratio are functions of these two numbers.
"""

import math

from compecon._jit import kernel
from compecon.live.draws_kernels import geometric_quantile, normal_quantile, poisson_quantile, uniforms

FAILED, DONE, MORE = 0, 1, 2
GEOMETRIC, POISSON = 0.0, 1.0
# What `summary` holds: of the standardised estimates, and of the coverage of both intervals.
MEAN, SPREAD, WALD, LR, WALD_ERROR, LR_ERROR, WALD_EXACT, LR_EXACT, SUMMARY_SIZE = 0, 1, 2, 3, 4, 5, 6, 7, 8
# What `sums` holds: sums over the samples of z, z^2, and of the intervals of either kind that hold the truth.
SUMS_SIZE = 4

_SLICE = 40000.0  # draws a call: about three milliseconds in a browser
_LEVEL = 0.95
_NEGLIGIBLE = 1e-18


@kernel
def exact_coverage(model, truth, exact):
    """The probability that an interval holds the truth, summed over all sums that a sample may have.

    exact : (3, S), sample sizes, and the coverage of the Wald and of the likelihood ratio interval.
    """
    for j in range(exact.shape[1]):
        n = exact[0, j]
        centre = float(int(n * mean(model, truth)))
        # Chances relative to that of the centre, by their ratios: up from there, and down.
        all_up, wald_up, lr_up = outwards(model, n, truth, centre, 1.0)
        all_down, wald_down, lr_down = outwards(model, n, truth, centre, -1.0)
        whole = all_up + all_down
        exact[1, j], exact[2, j] = (wald_up + wald_down) / whole, (lr_up + lr_down) / whole
    return DONE


@kernel
def outwards(model, n, truth, centre, direction):
    """Relative chances of all sums from the centre on, or of all below it; in all, and where an interval holds."""
    chance, total, whole, wald, lr = 1.0, centre, 0.0, 0.0, 0.0
    while chance > _NEGLIGIBLE and total >= 0.0:
        if direction > 0.0 or total < centre:
            whole += chance
            wald += chance * wald_holds(model, n, total, truth)
            lr += chance * lr_holds(model, n, total, truth)
        if direction > 0.0:
            chance *= ratio(model, n, truth, total)
        elif total > 0.0:
            chance /= ratio(model, n, truth, total - 1.0)
        total += direction
    return whole, wald, lr


@kernel
def ratio(model, n, truth, total):
    """The chance of the sum total + 1 over that of total: negative binomial, or Poisson with mean n truth."""
    if model == GEOMETRIC:
        return (n + total) / (total + 1.0) * (1.0 - truth)
    return n * truth / (total + 1.0)


@kernel
def sampling_distribution(model, n, truth, samples, seed, first, progress, y, count, sums, tally, histogram, exact,
                          held, missed, window, wald_bar, lr_bar, summary):  # fmt: skip
    """Draw samples of n counts, a slice of them a call, and sum up those that are done.

    tally : (M,), the samples in each bin of histogram : (2, M), middles of bins of the standardised estimates, and the
    share in each over its width. held, missed : (3, I), the number, lower and upper end of the first Wald intervals,
    those that hold the truth and those that do not; NaN in the other. window : (2,), the range shown of them.
    wald_bar, lr_bar : (2,), the coverage less and plus two Monte Carlo standard errors.
    """
    size, error = int(n), 1.0 / math.sqrt(n * information(model, truth))
    if first == 1.0:
        begin(truth, error, count, sums, tally, held, missed, window)
    start = int(count[0])
    stop = min(int(samples), start + max(int(_SLICE / n), 2))
    for r in range(start, stop):
        total = draw(model, truth, seed, r, y[:size])
        z = (estimate(model, n, total) - truth) / error
        sums[0] += z
        sums[1] += z * z
        sums[2] += wald_holds(model, n, total, truth)
        sums[3] += lr_holds(model, n, total, truth)
        low, high = edge(model, n, total - 0.5, truth, error), edge(model, n, total + 0.5, truth, error)
        spread_out(low, high, histogram, tally)
        if r < held.shape[1]:
            show_interval(model, n, total, truth, r, held, missed)
    count[0] = stop
    progress[0] = count[0] / samples
    sum_up(n, stop, sums, tally, histogram, exact, wald_bar, lr_bar, summary)
    return DONE if stop == int(samples) else MORE


@kernel
def begin(truth, error, count, sums, tally, held, missed, window):
    """Forget the samples before."""
    count[0] = 0.0
    for k in range(sums.size):
        sums[k] = 0.0
    for j in range(tally.size):
        tally[j] = 0.0
    for i in range(held.shape[1]):
        for k in range(1, 3):
            held[k, i] = missed[k, i] = math.nan
    window[0], window[1] = truth - 5.0 * error, truth + 5.0 * error


@kernel
def draw(model, truth, seed, sample, y):
    """The sum of one sample; y : (n,) is filled with its counts. The same uniforms for both models and every truth."""
    uniforms(seed, float(sample), y)
    total = 0.0
    for i in range(y.size):
        y[i] = geometric_quantile(y[i], truth) if model == GEOMETRIC else poisson_quantile(y[i], truth)
        total += y[i]
    return total


@kernel
def mean(model, truth):
    """The mean of a count."""
    return (1.0 - truth) / truth if model == GEOMETRIC else truth


@kernel
def estimate(model, n, total):
    """The maximum of the likelihood of a sample of n with that sum; 1 or 0, on the edge, if the sum is 0."""
    return n / (n + total) if model == GEOMETRIC else total / n


@kernel
def information(model, theta):
    """The information of one observation; infinite on the edge."""
    return 1.0 / (theta * theta * (1.0 - theta)) if model == GEOMETRIC else 1.0 / theta


@kernel
def standard_error(model, n, theta):
    """That of the maximum theta, from the information there; 0 on the edge."""
    return 1.0 / math.sqrt(n * information(model, theta))


@kernel
def wald_holds(model, n, total, truth):
    """1.0 if the truth lies within 1.96 standard errors of the estimate, else 0.0."""
    theta, critical = estimate(model, n, total), normal_quantile(0.5 + _LEVEL / 2.0)
    return 1.0 if abs(theta - truth) <= critical * standard_error(model, n, theta) else 0.0


@kernel
def lr_holds(model, n, total, truth):
    """1.0 if twice the log-likelihood that the truth lacks is at most 3.84 = 1.96^2, else 0.0."""
    theta, critical = estimate(model, n, total), normal_quantile(0.5 + _LEVEL / 2.0)
    if model == GEOMETRIC:
        lost = n * math.log(theta / truth)
        if total > 0.0:
            lost += total * math.log((1.0 - theta) / (1.0 - truth))
    else:
        lost = n * (truth - theta)
        if total > 0.0:
            lost += total * math.log(theta / truth)
    return 1.0 if 2.0 * lost <= critical * critical else 0.0


@kernel
def edge(model, n, total, truth, error):
    """The standardised estimate that belongs to a sum, here half way between two whole numbers."""
    return (estimate(model, n, total) - truth) / error


@kernel
def spread_out(one, other, histogram, tally):
    """Add one sample to the bins, spread over what lies between the edges: estimates of counts come in steps."""
    low, high = min(one, other), max(one, other)
    width = histogram[0, 1] - histogram[0, 0]
    for j in range(tally.size):
        left = histogram[0, j] - 0.5 * width
        overlap = min(high, left + width) - max(low, left)
        if overlap > 0.0:
            tally[j] += overlap / (high - low)


@kernel
def show_interval(model, n, total, truth, sample, held, missed):
    """The Wald interval of a sample, among those that hold the truth or those that miss it."""
    theta = estimate(model, n, total)
    reach = normal_quantile(0.5 + _LEVEL / 2.0) * standard_error(model, n, theta)
    shown = held if wald_holds(model, n, total, truth) == 1.0 else missed
    shown[1, sample], shown[2, sample] = theta - reach, theta + reach


@kernel
def sum_up(n, done, sums, tally, histogram, exact, wald_bar, lr_bar, summary):
    """Moments, coverage with its Monte Carlo error, histogram, and the exact coverage at this sample size."""
    width = histogram[0, 1] - histogram[0, 0]
    for j in range(tally.size):
        histogram[1, j] = tally[j] / (done * width)
    summary[MEAN] = sums[0] / done
    summary[SPREAD] = math.sqrt(max(sums[1] / done - summary[MEAN] * summary[MEAN], 0.0))
    for k in range(2):
        share = sums[2 + k] / done
        error = math.sqrt(share * (1.0 - share) / done)
        summary[WALD + k], summary[WALD_ERROR + k] = share, error
        bar = wald_bar if k == 0 else lr_bar
        bar[0], bar[1] = share - 2.0 * error, share + 2.0 * error
    for j in range(exact.shape[1]):
        if exact[0, j] == n:
            summary[WALD_EXACT], summary[LR_EXACT] = exact[1, j], exact[2, j]
