"""The observed hazard of replacement in bins of mileage, to set beside a model's."""

import numpy as np

# With fewer months the share of replacements in a bin says little.
_FEWEST_MONTHS = 50


def binned_hazard(data, n_bins=12):
    """The observed share of months with a replacement, in bins of equal numbers of states.

    Bins at the end are joined until they hold 50 months.

    Parameters
    ----------
    data : BusData
    n_bins : int

    Returns
    -------
    DataFrame
        One row a bin with observations: x (mean state of its months), count (months), replacements, share, and error,
        the standard error of a binomial share, sqrt(share (1 - share) / count).

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> from compecon.zurcher.hazard import binned_hazard
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
    >>> binned_hazard(data)["replacements"].tolist()
    [0, 0, 0, 2, 4, 4, 7, 9, 4, 3]
    """
    hazard = data.hazard()
    later_months = hazard["count"][::-1].cumsum()[::-1]
    last = hazard.index[later_months >= min(_FEWEST_MONTHS, data.n_obs)].max() * n_bins // data.n_states
    bins = np.minimum(hazard.index * n_bins // data.n_states, last)
    totals = hazard.assign(x=hazard.index * hazard["count"]).groupby(bins).sum().rename_axis("bin")
    share = totals["replacements"] / totals["count"]
    error = np.sqrt(share * (1 - share) / totals["count"])
    bins = totals.assign(x=totals["x"] / totals["count"], share=share, error=error)
    return bins[["x", "count", "replacements", "share", "error"]]
