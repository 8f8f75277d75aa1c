"""Pictures of results. Each function takes a result and returns the Axes; pass `ax` to draw into your own figure."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import PowerNorm, TwoSlopeNorm
from matplotlib.ticker import MaxNLocator, PercentFormatter

from compecon.errors import DataError, ParameterError
from compecon.zurcher.hazard import binned_hazard

# Distinct in grey and for colour-blind readers, on light and dark pages.
BLUE, ORANGE, GREY = "#3a7ca5", "#e07a1f", "#8d99ae"
# As many names fit along an axis; numbers fit into the cells of a matrix up to the second size.
_MOST_NAMES, _MOST_CELLS = 40, 30


def _axes(ax, width=6.4, height=3.6):
    """`ax`, or the Axes of a new figure."""
    if ax is None:
        ax = plt.subplots(figsize=(width, height), layout="constrained")[1]
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def plot_value(solution, ax=None, **style):
    """EV(x) of a `Solution`, measured from a new engine: what the mileage of a bus costs its owner."""
    ax = _axes(ax)
    ax.plot(solution.ev - solution.ev[0], **{"color": BLUE, **style})
    ax.set(xlabel="mileage state x", ylabel="EV(x) - EV(0)", title="Expected value of a bus")
    return ax


def plot_hazard(solution, data=None, n_bins=12, ax=None, **style):
    """The probability to replace by state; with `data` also the observed share, in bins of equal numbers of states.

    The bars are one standard error of a binomial share to each side; the dots' areas are in proportion to the months
    observed. Bins at the end are joined until they hold 50 months.
    """
    ax = _axes(ax)
    ax.plot(solution.choice_prob[:, 1], **{"color": BLUE, "label": "model", **style})
    if data is not None:
        bins = binned_hazard(data, n_bins)
        ax.errorbar(bins["x"], bins["share"], bins["error"], fmt="none", ecolor=GREY, lw=1)
        size = 4 + 60 * bins["count"] / bins["count"].max()
        ax.scatter(bins["x"], bins["share"], s=size, color=ORANGE, label="observed", zorder=3)
        ax.legend(frameon=False)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set(xlabel="mileage state x", ylabel="P(replace | x)", title="Hazard of replacement, per month")
    return ax


def plot_histories(panel, bus_ids, ax=None):
    """Mileage since the last engine, month by month, for some buses of a panel; dots are replacements."""
    ax = _axes(ax)
    known = set(panel["bus_id"])
    for bus_id in bus_ids:
        if bus_id not in known:
            raise DataError(f"the panel has no bus {bus_id!r}; see panel['bus_id'].unique() for those it has.")
        bus = panel[panel["bus_id"] == bus_id]
        (line,) = ax.plot(bus["period"], bus["mileage"] / 1000, lw=1.3, label=f"bus {bus_id}")
        replaced = bus[bus["replaced"] == 1]
        ax.plot(replaced["period"], replaced["mileage"] / 1000, "o", color=line.get_color())
    ax.set(xlabel="month", ylabel="thousand miles since the last engine", title="Bus histories")
    ax.legend(frameon=False)
    return ax


def plot_surface(surface, levels=(0.05, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50), ax=None):
    """Contours of a `LikelihoodSurface`, each so many log-points below its top, and the optimizer's path over them."""
    ax = _axes(ax, height=4.6)
    fall = np.nanmax(surface.llf) - surface.llf
    contours = ax.contour(surface.x, surface.y, fall, levels=levels, colors=GREY, linewidths=0.8)
    ax.clabel(contours, fmt=lambda value: f"-{value:g}", fontsize=8)
    ax.plot(*surface.path.T, "o-", color=BLUE, ms=4, lw=1.2, label="path of the optimizer")
    ax.plot(*surface.path[-1], "*", color=ORANGE, ms=14, label="maximum")
    ax.set(xlim=(surface.x.min(), surface.x.max()), ylim=(surface.y.min(), surface.y.max()))
    ax.set(xlabel=surface.names[0], ylabel=surface.names[1], title="Log-likelihood below its maximum")
    ax.legend(frameon=False)
    return ax


def plot_demand(curve, ax=None):
    """A `DemandCurve` with its band."""
    ax = _axes(ax)
    ax.fill_between(curve.RC, curve.lower, curve.upper, color=BLUE, alpha=0.2, lw=0, label=f"{curve.level:.0%} band")
    ax.plot(curve.RC, curve.demand, color=BLUE, label="expected")
    ax.set(xlabel="replacement cost RC", ylabel="engines a year", title=f"Demand for engines, {curve.n_buses} buses")
    ax.set_ylim(bottom=0)
    ax.legend(frameon=False)
    return ax


def plot_elasticities(results, market_id, name="prices", ax=None):
    """Heat map of one market's elasticities: row j, column k is what a change of k's characteristic does to j's share.

    Own elasticities, on the diagonal, are written out. Colours change at zero, and each side has a scale of its own,
    because cross elasticities are much smaller.

    Parameters
    ----------
    results : anything with `compute_elasticities`, such as `blp.ProblemResults`; of a bootstrap, one `draw(d)`
    market_id : one of `results.problem.unique_market_ids`
    name : str, the characteristic

    Examples
    --------
    >>> from compecon import plotting
    >>> from compecon.blp.examples import cereal_results
    >>> plotting.plot_elasticities(cereal_results(), "C01Q1").get_xlabel()
    'price of'
    """
    matrix = _matrix(results.compute_elasticities(name, market_id=market_id))
    low, high = min(matrix.min(), 0.0), max(matrix.max(), 0.0)
    widest = max(-low, high) or 1.0
    norm = TwoSlopeNorm(0.0, low if low < 0 else -widest, high if high > 0 else widest)
    label = "elasticity (each side of zero has a scale of its own)"
    ax, bar = _heat_map(matrix, norm, "PuOr", "{:z.1f}", label, results, market_id, ax)
    locator = MaxNLocator(4)
    ticks = {*locator.tick_values(norm.vmin, 0.0), *locator.tick_values(0.0, norm.vmax)}
    _tick(bar, sorted(ticks), lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))
    of_what = {"prices": "price of", None: "mean utility of"}.get(name, f"{name} of")
    ax.set(xlabel=of_what, ylabel="share of", title=f"Elasticities in market {market_id}")
    return ax


def plot_diversion_ratios(results, market_id, name="prices", ax=None):
    """Heat map of one market's diversion ratios: of the buyers that j loses, the part that goes to k.

    The diagonal, written out, is what goes to the outside good. Shades follow the square root, so that small ratios can
    be told apart.

    Parameters
    ----------
    results, market_id, name : as for `plot_elasticities`

    Examples
    --------
    >>> from compecon import plotting
    >>> from compecon.blp.examples import cereal_results
    >>> plotting.plot_diversion_ratios(cereal_results(), "C01Q1").get_ylabel()
    'lost by'
    """
    matrix = _matrix(results.compute_diversion_ratios(name, market_id=market_id))
    norm = PowerNorm(0.5, min(matrix.min(), 0.0), max(matrix.max(), 0.0) or 1.0)
    label = "part of the row's loss (diagonal: to the outside good)"
    ax, bar = _heat_map(matrix, norm, "Blues", "{:z.0%}", label, results, market_id, ax)
    _tick(bar, (0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1), PercentFormatter(1.0, decimals=0))
    ax.set(xlabel="gained by", ylabel="lost by", title=f"Diversion ratios in market {market_id}")
    return ax


def _matrix(values):
    if values.ndim != 2:
        raise ParameterError("bootstrapped results have a matrix for each draw; plot one of them: results.draw(0).")
    return values


def _heat_map(matrix, norm, colours, text, label, results, market_id, ax):
    """Axes and colourbar of a square matrix of products: colours, the diagonal in numbers, ids of products as names."""
    ax = _axes(ax, 7.2, 6.2)
    image = ax.imshow(matrix, norm=norm, cmap=colours)
    bar = ax.figure.colorbar(image, ax=ax, label=label, shrink=0.85)
    n = len(matrix)
    if n <= _MOST_CELLS:
        for j, value in enumerate(matrix.diagonal()):
            # Luminance: below 0.18 white has the higher contrast, above it black has.
            light = np.dot((0.2126, 0.7152, 0.0722), np.array(image.cmap(norm(value))[:3]) ** 2.2)
            style = {"color": "white" if light < 0.18 else "black", "fontsize": min(9, 165 / n)}
            ax.text(j, j, text.format(value), ha="center", va="center", **style)
    names = _product_names(results.problem, market_id) or [str(j + 1) for j in range(n)]
    shown = range(0, n, -(-n // _MOST_NAMES))
    small = min(9, 250 / len(shown))
    ax.set_xticks(shown, [names[j] for j in shown], rotation=90, fontsize=small)
    ax.set_yticks(shown, [names[j] for j in shown], fontsize=small)
    return ax, bar


def _tick(bar, ticks, formatter):
    """Put those of `ticks` that lie on the scale."""
    bar.set_ticks([tick for tick in ticks if bar.norm.vmin <= tick <= bar.norm.vmax])
    bar.ax.yaxis.set_major_formatter(formatter)


def _product_names(problem, market_id):
    """The product_ids of a market as str, in the order of its matrix; None when the data have none."""
    products = problem.sorted_products
    if products.product_ids is None:
        return None
    t = list(problem.unique_market_ids).index(market_id)
    return [str(one) for one in products.product_ids[products.starts[t] : products.starts[t + 1]]]


def plot_merger(before, after, what="price", bins=40, ax=None):
    """Distributions of prices, markups, surplus or another quantity before and after a merger; lines are the means.

    Parameters
    ----------
    before, after : array-like of float, of one size, such as (N, 1) prices or (T, 1) indices of concentration
    what : str, the quantity and its unit, as the axis says it
    bins : int, the number of bins, the same for both

    Notes
    -----
    Where either is NaN, as are prices of markets without an equilibrium, both are left out; the title counts them.

    Examples
    --------
    >>> from compecon import datasets, plotting
    >>> from compecon.blp.examples import cereal_results
    >>> results, (products, _) = cereal_results(), datasets.load_cereal()
    >>> merged = products.firm_ids.replace(2, 1)
    >>> after = results.compute_hhi(merged, results.compute_shares(results.compute_prices(merged)))
    >>> ax = plotting.plot_merger(results.compute_hhi(), after, what="HHI")
    """
    before, after = (np.asarray(values, dtype=np.float64).ravel() for values in (before, after))
    if before.size != after.size:
        raise ParameterError(f"{before.size} values before and {after.size} after; each needs its counterpart.")
    both = np.isfinite(before) & np.isfinite(after)
    if not both.any():
        raise ParameterError("no value is finite both before and after; there is nothing to draw.")
    before, after, ax = before[both], after[both], _axes(ax)
    edges = np.histogram_bin_edges(np.concatenate([before, after]), bins)
    for values, colour, label in ((before, BLUE, "before"), (after, ORANGE, "after")):
        ax.hist(values, edges, color=colour, alpha=0.35, lw=0)
        ax.hist(values, edges, color=colour, histtype="step", lw=1.4)
        ax.axvline(values.mean(), color=colour, ls="--", lw=1.2, label=f"{label}, mean {values.mean():.4g}")
    left_out = f" ({(~both).sum()} left out: not finite)" if not both.all() else ""
    ax.set(xlabel=what, ylabel="count", title=f"Before and after the merger{left_out}")
    ax.legend(frameon=False)
    return ax


def plot_bands(lower, estimate, upper, what="estimate", ax=None):
    """Estimates with their bands, market by market, sorted by the estimate; names stand below where they fit.

    Parameters
    ----------
    lower, estimate, upper : array-like of float, of one size, such as percentiles over bootstrap draws
        Names are the index of `estimate`, if it is a Series.
    what : str, the quantity and its unit, as the axis says it

    Examples
    --------
    >>> import numpy as np
    >>> from compecon import plotting
    >>> from compecon.blp.examples import cereal_results
    >>> results = cereal_results()
    >>> draws = results.bootstrap(draws=20, seed=0).compute_mean_own_elasticities()
    >>> lower, upper = np.percentile(draws, [5, 95], axis=0)
    >>> ax = plotting.plot_bands(lower, results.compute_mean_own_elasticities(), upper, "mean own elasticity")
    """
    names = estimate.index if isinstance(estimate, pd.Series) else ()
    low, middle, high = (np.asarray(values, dtype=np.float64).ravel() for values in (lower, estimate, upper))
    if not low.size == middle.size == high.size:
        raise ParameterError(
            f"{low.size} lower ends, {middle.size} estimates and {high.size} upper ends; give as many of each."
        )
    if (low > high).any():
        raise ParameterError(f"{np.sum(low > high)} bands have their lower end above the upper one. Exchange the two.")
    ax, place, order = _axes(ax), np.arange(middle.size), np.argsort(middle)
    ax.vlines(place, low[order], high[order], color=BLUE, alpha=0.5, lw=min(4, 240 / middle.size), label="band")
    ax.plot(place, middle[order], ".", color=ORANGE, label="estimate", zorder=3)
    ax.set(xlabel="markets, in the order of their estimates", ylabel=what, xlim=(-0.6, middle.size - 0.4))
    if 0 < len(names) <= _MOST_NAMES:
        ax.set_xticks(place, [str(names[k]) for k in order], rotation=90, fontsize=min(9, 360 / len(names)))
    else:
        ax.set_xticks([])
    ax.legend(frameon=False, loc="upper left")
    return ax
