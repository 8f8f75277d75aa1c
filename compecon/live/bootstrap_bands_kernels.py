"""Scene of the bootstrap figure: engine lives of buses, four ways to draw again, four intervals, and their coverage.

A bus has ENGINES engines. The months y that one runs before the month of its end are geometric with mean m (1 + h) on
half of the buses and m (1 - h) on the others, so that lives on one bus are alike. The model knows one p for all.
"""

import math

from compecon._jit import kernel
from compecon.live.draws_kernels import geometric_quantile, normal_quantile, normals, uniforms

FAILED, DONE, MORE = 0, 1, 2
ENGINES = 4
LIFE = 50.0  # months, the true mean life of an engine: 1 + m
# How draws are made, what is asked, and how draws become an interval: the places of the figure's choices.
NORMAL, MODEL, LIVES, BUSES = 0.0, 1.0, 2.0, 3.0
MEAN_LIFE, HAZARD, BEYOND = 0.0, 1.0, 2.0
BY_SPREAD, PERCENTILE, BASIC, STUDENTIZED = 0, 1, 2, 3

_STREAMS = 1000.0  # of a sample: 0 makes it, b + 1 its draw b, and the last all draws of parameters
_SLICE = 100000.0  # random numbers that a call uses: about three milliseconds in a browser


@kernel
def bootstrap_bands(
    buses, spread, way, output, interval, level, draws, seed, first, progress, count, lives, totals, random, stars,
    ratios, estimates, bounds, histogram, shown, coverage, summary,
):  # fmt: skip
    """Draw S samples of `buses` buses, bootstrap each, and sum up those that are done, a slice of them a call.

    Controls: spread, h; way, output, interval, see above; level, percent; draws of each sample. lives, totals, random,
    stars, ratios : workspace. estimates : (S,). bounds : (4, 2, S), by kind of interval, lower and upper end.
    histogram : (3, M), middles of bins, and densities of the first sample's bootstrapped deviations from its estimate
    and of all estimates' deviations from the truth, both over the true standard deviation. shown : (6, L), of the
    first samples: number, estimate, ends of the interval where it holds the truth, and where it misses it. coverage :
    (6, 4), number, share, two standard errors below and above it, and the shares that lie below and above the truth, by
    kind of interval. summary : (10,), estimate, standard error by the bootstrap and ends of the first sample; spread of
    the estimates, coverage and mean length of the chosen interval; the truth; the level and a half of what it leaves.
    """
    if first == 1.0:
        count[0] = 0.0
    size, n_draws, truth = int(buses), int(draws), answer(1.0 / LIFE, output)
    used = random_numbers(size, way)
    start = int(count[0])
    stop = min(estimates.size, start + max(int(_SLICE / (draws * (used + 20.0))), 1))
    scale = true_deviation(buses, spread, output)
    for s in range(start, stop):
        draw_sample(seed, s, size, spread, random, lives, totals)
        mean, error = estimate(lives[: size * ENGINES], totals[:size], way)
        estimates[s] = answer(1.0 / (1.0 + mean), output)
        for b in range(n_draws):
            again(seed, s, b, n_draws, size, way, mean, output, lives, totals, random, stars, ratios)
        if s == 0:
            fill(histogram, 1, stars[:n_draws], estimates[0], scale)
        intervals(estimates[s], error * slope(mean, output), 0.01 * level, stars[:n_draws], ratios[:n_draws],
                  bounds[:, :, s])  # fmt: skip
        if s == 0:
            summary[1] = deviation(stars[:n_draws])
    count[0] = stop
    progress[0] = count[0] / estimates.size
    summary[8], summary[9] = 0.01 * level, 0.5 * (1.0 - 0.01 * level)
    fill(histogram, 2, estimates[:stop], truth, scale)
    sum_up(stop, int(interval), truth, estimates, bounds, shown, coverage, summary)
    return DONE if stop == estimates.size else MORE


@kernel
def random_numbers(size, way):
    """How many uniform numbers a draw uses."""
    if way == NORMAL:
        return 1
    return size if way == BUSES else size * ENGINES


@kernel
def answer(p, output):
    """What is asked about the probability p that an engine ends in a month: mean life, percent a month, months beyond
    LIFE or 0.
    """
    if output == HAZARD:
        return 100.0 * p
    return 1.0 / p if output == MEAN_LIFE else max(0.0, 1.0 / p - LIFE)


@kernel
def slope(mean, output):
    """The size of the derivative of `answer` by the mean of y = 1 / p - 1; at the kink, that to its right."""
    return 100.0 / ((1.0 + mean) * (1.0 + mean)) if output == HAZARD else 1.0


@kernel
def true_deviation(buses, spread, output):
    """The standard deviation of the estimate in large samples: the delta method at the truth."""
    mean = LIFE - 1.0
    within = mean + mean * mean * (1.0 + spread * spread)
    between = mean * mean * spread * spread
    return slope(mean, output) * math.sqrt((within / ENGINES + between) / buses)


@kernel
def draw_sample(seed, s, size, spread, random, lives, totals):
    """Sample s: y of all engines into lives, bus by bus, and its sums by bus into totals."""
    uniforms(seed, _STREAMS * s, random[: size * (ENGINES + 1)])
    for g in range(size):
        sign = 1.0 if random[g] < 0.5 else -1.0
        p = 1.0 / (1.0 + (LIFE - 1.0) * (1.0 + sign * spread))
        totals[g] = 0.0
        for e in range(ENGINES):
            lives[g * ENGINES + e] = geometric_quantile(random[size + g * ENGINES + e], p)
            totals[g] += lives[g * ENGINES + e]


@kernel
def estimate(lives, totals, way):
    """The mean of y, whose 1 / (1 + mean) is the estimate of p, and its standard error as `way` believes it to be."""
    total, squares = 0.0, 0.0
    for g in range(totals.size):
        total += totals[g]
    mean = total / lives.size
    if way == LIVES:
        for i in range(lives.size):
            squares += (lives[i] - mean) * (lives[i] - mean)
    elif way == BUSES:
        for g in range(totals.size):
            squares += (totals[g] - ENGINES * mean) * (totals[g] - ENGINES * mean)
    else:
        squares = lives.size * mean * (1.0 + mean)
    return mean, math.sqrt(squares) / lives.size


@kernel
def again(seed, s, b, n_draws, size, way, mean, output, lives, totals, random, stars, ratios):
    """Draw b of sample s: the answer into stars[b], and (it - estimate) / its standard error into ratios[b].

    A draw whose standard error is zero, such as one of a single bus, gets the ratio 0.
    """
    n, used = size * ENGINES, random_numbers(size, way)
    p = 1.0 / (1.0 + mean)
    drawn = squares = 0.0
    if way == NORMAL:
        if b == 0:
            normals(seed, _STREAMS * s + _STREAMS - 1.0, random[:n_draws])
        # The inverse of the information is p^2 (1 - p). A p at or below zero is five standard errors away or more.
        drawn = 1.0 / max(p + p * math.sqrt((1.0 - p) / n) * random[b], 1e-3 * p) - 1.0
    else:
        uniforms(seed, _STREAMS * s + b + 1.0, random[:used])
        for i in range(used):
            if way == MODEL:
                value = geometric_quantile(random[i], p)
            else:
                value = totals[int(random[i] * size)] if way == BUSES else lives[int(random[i] * n)]
            drawn += value / n
            squares += value * value
    if way == NORMAL or way == MODEL:
        variance = drawn * (1.0 + drawn) / n
    else:
        # The sum of squares about the mean, of n lives or of `size` totals, as in `estimate`.
        variance = (squares - n * drawn * (n * drawn) / used) / n / n
    error = slope(drawn, output) * math.sqrt(max(variance, 0.0))
    stars[b] = answer(1.0 / (1.0 + drawn), output)
    ratios[b] = (stars[b] - answer(p, output)) / error if error > 0.0 else 0.0


@kernel
def intervals(centre, error, level, stars, ratios, out):
    """The four intervals into out : (4, 2), at the share `level`; sorts the draws."""
    tail = 0.5 * (1.0 - level)
    sort(stars)
    sort(ratios)
    half = normal_quantile(1.0 - tail) * deviation(stars)
    low, high = quantile(stars, tail), quantile(stars, 1.0 - tail)
    out[BY_SPREAD, 0], out[BY_SPREAD, 1] = centre - half, centre + half
    out[PERCENTILE, 0], out[PERCENTILE, 1] = low, high
    out[BASIC, 0], out[BASIC, 1] = 2.0 * centre - high, 2.0 * centre - low
    out[STUDENTIZED, 0] = centre - error * quantile(ratios, 1.0 - tail)
    out[STUDENTIZED, 1] = centre - error * quantile(ratios, tail)


@kernel
def sort(values):
    """Sort `values`, by Shell's method."""
    gap = values.size // 2
    while gap > 0:
        for i in range(gap, values.size):
            value, place = values[i], i
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
        gap //= 2


@kernel
def quantile(ordered, share):
    """The quantile of sorted values, by linear interpolation as `numpy.quantile` has it."""
    place = share * (ordered.size - 1)
    below = min(int(place), ordered.size - 2)
    return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])


@kernel
def deviation(values):
    """The standard deviation, with divisor n - 1; 0 of one value."""
    mean = squares = 0.0
    for i in range(values.size):
        mean += values[i] / values.size
    for i in range(values.size):
        squares += (values[i] - mean) * (values[i] - mean)
    return math.sqrt(squares / max(values.size - 1, 1))


@kernel
def fill(histogram, row, values, centre, scale):
    """The density of (value - centre) / scale into that row; histogram[0] holds the middles of the bins."""
    n_bins, width = histogram.shape[1], histogram[0, 1] - histogram[0, 0]
    for j in range(n_bins):
        histogram[row, j] = 0.0
    for i in range(values.size):
        place = ((values[i] - centre) / scale - histogram[0, 0]) / width + 0.5
        if 0.0 <= place < n_bins:
            histogram[row, int(place)] += 1.0 / (values.size * width)


@kernel
def sum_up(done, interval, truth, estimates, bounds, shown, coverage, summary):
    """What is drawn and read out of the samples 0..done - 1."""
    length = 0.0
    for kind in range(4):
        low = high = 0.0
        for s in range(done):
            low += 1.0 if bounds[kind, 1, s] < truth else 0.0
            high += 1.0 if bounds[kind, 0, s] > truth else 0.0
        share = (done - low - high) / done
        coverage[4, kind], coverage[5, kind] = low / done, high / done
        error = math.sqrt(share * (1.0 - share) / done)
        coverage[1, kind], coverage[2, kind], coverage[3, kind] = share, share - 2.0 * error, share + 2.0 * error
    for s in range(done):
        length += (bounds[interval, 1, s] - bounds[interval, 0, s]) / done
    for s in range(shown.shape[1]):
        lower, upper = bounds[interval, 0, s], bounds[interval, 1, s]
        known, holds = s < done, lower <= truth <= upper
        shown[1, s] = estimates[s] if known else math.nan
        shown[2, s] = lower if known and holds else math.nan
        shown[3, s] = upper if known and holds else math.nan
        shown[4, s] = lower if known and not holds else math.nan
        shown[5, s] = upper if known and not holds else math.nan
    summary[0], summary[2], summary[3] = estimates[0], bounds[interval, 0, 0], bounds[interval, 1, 0]
    summary[4], summary[5], summary[6] = deviation(estimates[:done]), coverage[1, interval], length
    summary[7] = truth
