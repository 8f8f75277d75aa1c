"""Pictures of results. Each function takes a result and returns the Axes; pass `ax` to draw into your own figure."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.ticker import PercentFormatter

from compecon.errors import DataError

# Distinct in grey and for colour-blind readers, on light and dark pages.
BLUE, ORANGE, GREY = "#3a7ca5", "#e07a1f", "#8d99ae"
_FEWEST_MONTHS = 50


def _axes(ax, width=6.4, height=3.6):
    """`ax`, or the Axes of a new figure, which pyplot does not keep once it is garbage."""
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
    observed. Bins at the end are joined until they hold `_FEWEST_MONTHS`.
    """
    ax = _axes(ax)
    ax.plot(solution.choice_prob[:, 1], **{"color": BLUE, "label": "model", **style})
    if data is not None:
        hazard = data.hazard()
        later_months = hazard["count"][::-1].cumsum()[::-1]
        last = hazard.index[later_months >= min(_FEWEST_MONTHS, data.n_obs)].max() * n_bins // data.n_states
        bins = np.minimum(hazard.index * n_bins // data.n_states, last)
        totals = hazard.assign(x=hazard.index * hazard["count"]).groupby(bins).sum()
        centres = totals["x"] / totals["count"]
        share = totals["replacements"] / totals["count"]
        error = np.sqrt(share * (1 - share) / totals["count"])
        ax.errorbar(centres, share, error, fmt="none", ecolor=GREY, lw=1)
        size = 4 + 60 * totals["count"] / totals["count"].max()
        ax.scatter(centres, share, s=size, color=ORANGE, label="observed", zorder=3)
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
