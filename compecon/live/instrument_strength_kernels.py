"""Scene of the figure on optimal instruments: a logit demand with an endogenous price, estimated again and again.

    log s - log s_0 = y = alpha p + xi,    p = pi h(z) + v,    E[xi | z, w] = 0

z is a cost shifter, w are instruments that say nothing about the price, xi and v are correlated. All variables have
mean zero. The price's strength pi multiplies h, so the cross products of h, v, xi, z and w give the estimates at every
strength at once.
"""

import math

from compecon._jit import kernel
from compecon._linalg import cross_products, lu_solve
from compecon.live.draws_kernels import normal_quantile, normals

FAILED, DONE, MORE = 0, 1, 2
ALPHA, ENDOGENEITY = -1.0, 0.7
# The estimators: least squares; two-stage least squares with all of z, w; the one optimal instrument h(z).
OLS, RAW, OPTIMAL = 0, 1, 2
MOST_EXTRAS = 30
# The columns of `table`: h(z), v, xi, then the instruments z, w.
_H, _V, _XI, _Z = 0, 1, 2, 3
COLUMNS = _Z + 1 + MOST_EXTRAS
# Entries of `state`: the settings of the simulation that `ordered` holds, and its samples so far.
_SAMPLES = 3
_MANY = 5.0  # extra instruments, from which on the limit for many is drawn
_SLICE = 100000.0  # draws that a call makes: a few milliseconds in a browser
_NORMAL_RANGE = 1.3489795003921634  # between the quartiles of a standard normal


@kernel
def instrument_strength(strength, n, extras, seed, progress, grid, state, ordered, held, f_total, median, spread,
                        coverage, limits, bound, histogram, shown, bars, summary, buffer, table, gram, square,
                        rhs):  # fmt: skip
    """Estimate alpha in R samples of n, a slice of them a call, and sum up those that are done.

    A change of strength alone goes on where the simulation was: it holds all strengths.

    grid : (S,), strengths, as the R^2 of the price on h(z). state : (4,), n, extras, seed, samples done. ordered :
    (3, S, R), the estimates, sorted. held : (3, S), how many 95% intervals hold alpha. f_total : (S,), sum of the first
    stages' F. median, spread, coverage : (3, S), of the estimates; spread is the range between the quartiles over that
    of a standard normal. limits : (2, S), what OLS tends to, and raw 2SLS where instruments grow with n (NaN where they
    are few). bound : (S,), the least asymptotic standard error. histogram : (4, M), left ends of bins, and each
    estimator's share over the width. shown : (3, 3), median, spread, coverage at `strength`. bars : (2, 3), two Monte
    Carlo errors below and above the coverages. summary : (6,), concentration parameter, mean F, three median errors,
    the largest Monte Carlo error of a coverage. buffer (n max,), table (n max, COLUMNS), gram, square, rhs workspace.
    """
    if state[0] != n or state[1] != extras or state[2] != seed:
        state[0], state[1], state[2], state[_SAMPLES] = n, extras, seed, 0.0
        for s in range(grid.size):
            f_total[s] = held[OLS, s] = held[RAW, s] = held[OPTIMAL, s] = 0.0
    size, width = int(n), _Z + 1 + int(extras)
    start, n_samples = int(state[_SAMPLES]), ordered.shape[2]
    stop = min(n_samples, start + max(int(_SLICE / (n * width)), 2))
    for r in range(start, stop):
        draw(seed, r, buffer[:size], table[:size, :width])
        cross_products(table[:size, :width], table[:size, :width], gram[:width, :width])
        if estimate(n, r, gram[:width, :width], square[: width - _Z, : width - _Z], rhs[: width - _Z], grid, ordered,
                    held, f_total) == 0:  # fmt: skip
            return FAILED
    state[_SAMPLES] = stop
    progress[0] = stop / n_samples
    sum_up(n, extras, stop, grid, ordered, held, median, spread, coverage, limits, bound)
    show(strength, n, stop, grid, ordered, f_total, median, spread, coverage, histogram, shown, bars, summary)
    return DONE if stop == n_samples else MORE


@kernel
def draw(seed, sample, buffer, table):
    """Fill table : (n, 4 + extras) with h(z), v, xi, z, w of one sample; the same draws for every n and extras.

    h(z) = (2 z + z^2 - 1) / sqrt(6) has variance 1, two thirds of it linear in z. buffer : (n,) workspace.
    """
    first = sample * (COLUMNS - 1.0)
    for column in range(_V, table.shape[1]):
        normals(seed, first + column, buffer)
        for i in range(buffer.size):
            table[i, column] = buffer[i]
    rest = math.sqrt(1.0 - ENDOGENEITY * ENDOGENEITY)
    for i in range(buffer.size):
        z = table[i, _Z]
        table[i, _H] = (2.0 * z + z * z - 1.0) / math.sqrt(6.0)
        table[i, _XI] = ENDOGENEITY * table[i, _V] + rest * table[i, _XI]


@kernel
def estimate(n, r, gram, square, rhs, grid, ordered, held, f_total):
    """The three estimators of sample r at every strength, from the cross products : (K, K); 0 if Z'Z is singular.

    square : (L, L), rhs : (L, 2) workspace for the projections of h and v on the L instruments.
    """
    n_raw = rhs.shape[0]
    for j in range(n_raw):
        rhs[j, 0], rhs[j, 1] = gram[_Z + j, _H], gram[_Z + j, _V]
        for k in range(n_raw):
            square[j, k] = gram[_Z + j, _Z + k]
    if lu_solve(square, rhs) == 0:
        return 0
    # Cross products of the fitted h and v with h, v and xi.
    hh, hv, vv, h_xi, v_xi = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(n_raw):
        hh += rhs[j, 0] * gram[_Z + j, _H]
        hv += rhs[j, 0] * gram[_Z + j, _V]
        vv += rhs[j, 1] * gram[_Z + j, _V]
        h_xi += rhs[j, 0] * gram[_Z + j, _XI]
        v_xi += rhs[j, 1] * gram[_Z + j, _XI]
    for s in range(grid.size):
        pi = slope(grid[s])
        pp = pi * pi * gram[_H, _H] + 2.0 * pi * gram[_H, _V] + gram[_V, _V]
        p_xi = pi * gram[_H, _XI] + gram[_V, _XI]
        fitted = pi * pi * hh + 2.0 * pi * hv + vv
        hp = pi * gram[_H, _H] + gram[_H, _V]
        f_total[s] += fitted / n_raw / ((pp - fitted) / (n - n_raw))
        keep(OLS, s, r, p_xi / pp, 1.0 / pp, n, pp, p_xi, gram[_XI, _XI], ordered, held)
        keep(RAW, s, r, (pi * h_xi + v_xi) / fitted, 1.0 / fitted, n, pp, p_xi, gram[_XI, _XI], ordered, held)
        keep(OPTIMAL, s, r, gram[_H, _XI] / hp, gram[_H, _H] / (hp * hp), n, pp, p_xi, gram[_XI, _XI], ordered, held)
    return 1


@kernel
def slope(strength):
    """The pi at which h(z) explains the share `strength` of the price's variance; v has variance 1."""
    return math.sqrt(strength / (1.0 - strength))


@kernel
def keep(kind, s, r, error, unit_variance, n, pp, p_xi, xi_xi, ordered, held):
    """Sort alpha + error in among the r estimates there are, and count whether its interval holds alpha.

    The standard error squared is unit_variance times the mean square of y - alpha^ p = xi - error p.
    """
    variance = unit_variance * (xi_xi - 2.0 * error * p_xi + error * error * pp) / n
    critical = normal_quantile(0.975)
    if error * error <= critical * critical * variance:
        held[kind, s] += 1.0
    place = r
    while place > 0 and ordered[kind, s, place - 1] > ALPHA + error:
        ordered[kind, s, place] = ordered[kind, s, place - 1]
        place -= 1
    ordered[kind, s, place] = ALPHA + error


@kernel
def quantile(values, count, share):
    """The quantile of values[:count], sorted: linear between neighbours, as NumPy's."""
    place = share * (count - 1)
    below = min(int(place), count - 2)
    return values[below] + (place - below) * (values[below + 1] - values[below])


@kernel
def sum_up(n, extras, count, grid, ordered, held, median, spread, coverage, limits, bound):
    """Medians, spreads and coverages of the first `count` samples, and what theory says, at every strength.

    Where the number L of raw instruments grows with n, L / n -> lambda, the error of 2SLS tends to cov(xi, v) lambda
    over the variance of the fitted price (Bekker 1994): pi^2 2/3 from z, and lambda times what z leaves unexplained.
    """
    for s in range(grid.size):
        for kind in range(3):
            values = ordered[kind, s]
            median[kind, s] = quantile(values, count, 0.5)
            spread[kind, s] = (quantile(values, count, 0.75) - quantile(values, count, 0.25)) / _NORMAL_RANGE
            coverage[kind, s] = held[kind, s] / count
        square, ratio = slope(grid[s]) * slope(grid[s]), (1.0 + extras) / n
        limits[0, s] = ALPHA + ENDOGENEITY / (1.0 + square)
        limits[1, s] = ALPHA + ENDOGENEITY * ratio / (square * 2.0 / 3.0 + ratio * (1.0 + square / 3.0))
        if extras < _MANY:
            limits[1, s] = math.nan
        bound[s] = 1.0 / math.sqrt(n * square)


@kernel
def show(strength, n, count, grid, ordered, f_total, median, spread, coverage, histogram, shown, bars, summary):
    """The histograms and the numbers at one strength."""
    here = 0
    for s in range(grid.size):
        if abs(grid[s] - strength) < abs(grid[here] - strength):
            here = s
    width, worst = histogram[0, 1] - histogram[0, 0], 0.0
    for kind in range(3):
        for j in range(histogram.shape[1]):
            histogram[1 + kind, j] = 0.0
        for r in range(count):
            place = (ordered[kind, here, r] - histogram[0, 0]) / width
            if 0.0 <= place < histogram.shape[1]:
                histogram[1 + kind, int(place)] += 1.0 / (count * width)
        share = coverage[kind, here]
        error = math.sqrt(share * (1.0 - share) / count)
        shown[0, kind], shown[1, kind], shown[2, kind] = median[kind, here], spread[kind, here], share
        bars[0, kind], bars[1, kind] = max(share - 2.0 * error, 0.0), min(share + 2.0 * error, 1.0)
        worst = max(worst, error)
        summary[2 + kind] = median[kind, here] - ALPHA
    summary[0] = n * slope(grid[here]) * slope(grid[here])
    summary[1] = f_total[here] / count
    summary[5] = worst
