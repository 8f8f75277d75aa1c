"""From a bus panel in miles to the counts of states, decisions and increments that the likelihood needs."""

import numbers
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from compecon.datasets import checks
from compecon.errors import CompEconWarning, DataError, ParameterError
from compecon.zurcher import data_kernels as kernels

INCREMENTS = ("rust", "model")
_COLUMNS = ("group", "bus_id", "period", "mileage", "replaced")
_LARGEST_N_STATES = 1_000_000
# Below it mileage * n_states is exact in 64 bits.
_MOST_MILES = 10**12
# A mileage that was computed as a multiple of the bin width may miss the edge by rounding errors.
_EDGE_TOLERANCE = 1e-9


@dataclass(frozen=True, eq=False)
class BusData:
    """A bus panel on a grid of mileage states, as counts: what `discretize` returns.

    An observation is a bus in a month t >= 2: its state x, its decision d (0 keep, 1 replace) and the increment dx
    that led to the state. The likelihood needs no more than how often each (x, d, dx) occurs: a *cell*.

    Attributes
    ----------
    n_states : int
    max_mileage : int or float, miles at the upper edge of the last state
    increments : 'rust' or 'model', the convention after a replacement
    groups : tuple of int, the groups used
    cell_x, cell_d, cell_dx, cell_count : (n_cells,) float
        The distinct (x, d, dx), sorted, with x and dx 0-based; and how many observations each has.
    bus_cells : (n_buses, n_cells) scipy.sparse.csr_array of float, observations by bus and cell
    bus_ids, bus_groups : (n_buses,) int, of the buses with at least one observation, sorted by group and bus
    dx_counts : (n_categories,) float, how often the increment is 0, 1, ...; a count in the middle may be 0
    obs_bus, obs_period, obs_cell : (n_obs,) int
        Each observation's row in `bus_ids`, its period, and its cell; sorted by bus and period.
    """

    n_states: int
    max_mileage: float
    increments: str
    groups: tuple[int, ...]
    cell_x: np.ndarray
    cell_d: np.ndarray
    cell_dx: np.ndarray
    cell_count: np.ndarray
    bus_cells: sparse.csr_array
    bus_ids: np.ndarray
    bus_groups: np.ndarray
    dx_counts: np.ndarray
    obs_bus: np.ndarray
    obs_period: np.ndarray
    obs_cell: np.ndarray

    @property
    def n_obs(self):
        """Number of observations: months of all buses, without each bus's first."""
        return self.obs_cell.size

    @property
    def n_cells(self):
        """Number of distinct (x, d, dx)."""
        return self.cell_x.size

    @property
    def n_buses(self):
        """Number of buses with an observation."""
        return self.bus_ids.size

    @property
    def n_categories(self):
        """Number J of increments 0, 1, ..., J - 1: one more than the largest in the sample."""
        return self.dx_counts.size

    @property
    def n_replacements(self):
        """Number of observations in which the engine is replaced."""
        return int(self.cell_count @ self.cell_d)

    @property
    def bin_width(self):
        """Miles a state."""
        return self.max_mileage / self.n_states

    def cells(self):
        """DataFrame of the distinct (x, d, dx) and their counts, one row a cell, all int."""
        columns = {"x": self.cell_x, "d": self.cell_d, "dx": self.cell_dx, "count": self.cell_count}
        return pd.DataFrame({name: values.astype(np.int64) for name, values in columns.items()})

    def observations(self):
        """DataFrame of group, bus_id, period, x, d, dx, one row an observation, all int; first months are left out."""
        group, bus_id = self.bus_groups[self.obs_bus], self.bus_ids[self.obs_bus]
        keys = pd.DataFrame({"group": group, "bus_id": bus_id, "period": self.obs_period})
        return keys.join(self.cells().drop(columns="count").iloc[self.obs_cell].reset_index(drop=True))

    def hazard(self):
        """DataFrame by state x, where it occurs: count, replacements, and their share, the empirical hazard."""
        cells = self.cells()
        table = cells.assign(replacements=cells["count"] * cells["d"]).groupby("x")[["count", "replacements"]].sum()
        return table.assign(share=table["replacements"] / table["count"])

    def _facts(self):
        """The rows of the table."""
        counts = [f"{count:.0f}" for count in self.dx_counts[:12]] + ["..."] * (self.n_categories > 12)
        return {
            "groups": ", ".join(map(str, self.groups)), "buses": self.n_buses, "observations": self.n_obs,
            "replacements": self.n_replacements, "states": self.n_states, "miles a state": f"{self.bin_width:.8g}",
            "cells": self.n_cells, "increment counts": ", ".join(counts), "increments": self.increments,
        }

    def __repr__(self):
        return (
            f"BusData({self.n_buses} buses, {self.n_obs} observations, {self.n_replacements} replacements, "
            f"n_states={self.n_states}, {self.n_categories} increments, {self.n_cells} cells)"
        )

    def _repr_html_(self):
        # Every value is a number or one of our own words, so there is nothing to escape.
        rows = "".join(f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in self._facts().items())
        return f"<table><caption>BusData</caption><tbody>{rows}</tbody></table>"


def discretize(panel, groups=(1, 2, 3, 4), n_states=90, max_mileage=450_000, increments="rust"):
    """Put the mileage of a bus panel on a grid of states and count.

        x_t = ceil(mileage_t * n_states / max_mileage) - 1,      dx_t = x_t - x_{t-1},

    with x = 0 at mileage 0. So state x holds the mileages in (x, x+1] times the bin width.

    Parameters
    ----------
    panel : DataFrame
        With the columns group, bus_id, period, mileage (miles) and replaced, as `datasets.load_bus_panel` describes
        them. Rows may come in any order.
    groups : int, iterable of int, or None
        The groups to use. None: all groups of the panel.
    n_states : int, 2 to 1,000,000
    max_mileage : number of miles at the upper edge of the last state
    increments : 'rust' or 'model'
        What dx_t is after a replacement. 'rust': x_t + 1, as in Rust's own estimates. 'model': x_t, as in the model,
        where the new engine starts in state 0; use it for simulated panels.

    Returns
    -------
    BusData
        The first month of each bus only serves as x_{t-1} of the second. Buses with a single month are left out.

    Raises
    ------
    DataError
        When columns are missing or hold no numbers, no bus has two months, a period is missing or repeated, a bus
        number is in two groups, a mileage is negative, above `max_mileage`, or falls while the engine is kept.
    ParameterError
        For an unknown or empty group, or an option outside its domain.

    Warns
    -----
    CompEconWarning
        When buses reach the last state.

    Notes
    -----
    Whole miles are binned in integer arithmetic. Fractions within 1e-9 (relative) of an edge count as on it.

    Examples
    --------
    >>> from compecon.datasets import load_bus_panel
    >>> from compecon.zurcher.data import discretize
    >>> data = discretize(load_bus_panel(), groups=[4], n_states=90)
    >>> data
    BusData(37 buses, 4292 observations, 33 replacements, n_states=90, 3 increments, 215 cells)
    >>> data.dx_counts
    array([1682., 2555.,   55.])
    """
    max_mileage = _check_options(n_states, max_mileage, increments)
    groups, columns = _select(panel, groups)
    _check_rows(columns, max_mileage)
    state = _states(columns["mileage"], int(n_states), max_mileage)
    bus_id, replaced = columns["bus_id"], columns["replaced"]
    later = np.flatnonzero(bus_id[1:] == bus_id[:-1]) + 1
    if later.size == 0:
        raise DataError(f"all {bus_id.size} buses have a single month; an observation needs the month before it.")
    dx = np.empty_like(state)
    kernels.increments(state, replaced, 0 if increments == "model" else -1, dx)
    _warn_if_full(state[later], bus_id[later], int(n_states), max_mileage)
    observed = {name: values[later] for name, values in columns.items()}
    return BusData(
        n_states=int(n_states), max_mileage=max_mileage, increments=increments, groups=groups,
        **count_observations(state[later], observed["replaced"], dx[later], observed),
    )


def count_observations(x, d, dx, observed):
    """Return the fields of BusData that are counts, given sorted observations."""
    n_categories = int(dx.max()) + 1
    # One integer for each (x, d, dx), in their order.
    key, obs_cell, count = np.unique((2 * x + d) * n_categories + dx, return_inverse=True, return_counts=True)
    new_bus = np.concatenate([[True], np.diff(observed["bus_id"]) != 0])
    obs_bus = np.cumsum(new_bus) - 1
    shape = (int(new_bus.sum()), key.size)
    bus_cells = sparse.coo_array((np.ones(x.size), (obs_bus, obs_cell)), shape=shape).tocsr()
    return {
        "cell_x": (key // (2 * n_categories)).astype(np.float64),
        "cell_d": (key // n_categories % 2).astype(np.float64),
        "cell_dx": (key % n_categories).astype(np.float64),
        "cell_count": count.astype(np.float64),
        "bus_cells": bus_cells,
        "bus_ids": observed["bus_id"][new_bus],
        "bus_groups": observed["group"][new_bus],
        "dx_counts": np.bincount(dx).astype(np.float64),
        "obs_bus": obs_bus,
        "obs_period": observed["period"],
        "obs_cell": obs_cell,
    }


def _states(mileage, n_states, max_mileage):
    """Return the 0-based states, int64."""
    if mileage.dtype.kind == "i" and isinstance(max_mileage, int):
        state = np.empty_like(mileage)
        kernels.states(mileage, n_states, max_mileage, state)
        return state
    ratio = mileage * (n_states / max_mileage)
    nearest = np.rint(ratio)
    on_edge = np.abs(ratio - nearest) <= _EDGE_TOLERANCE * nearest
    return np.maximum(np.where(on_edge, nearest, np.ceil(ratio)).astype(np.int64), 1) - 1


def _check_options(n_states, max_mileage, increments):
    """Return max_mileage as an int where it is whole. Raise ParameterError for an option outside its domain."""
    if type(n_states) is bool or not isinstance(n_states, numbers.Integral) or not 2 <= n_states <= _LARGEST_N_STATES:
        raise ParameterError(f"n_states = {n_states!r}; it must be an integer from 2 to {_LARGEST_N_STATES:,}.")
    if isinstance(max_mileage, bool) or not isinstance(max_mileage, numbers.Real) or not 0 < max_mileage <= _MOST_MILES:
        raise ParameterError(f"max_mileage = {max_mileage!r}; it must be a positive number of miles, at most 1e12.")
    if not isinstance(increments, str) or increments not in INCREMENTS:
        raise ParameterError(f"increments = {increments!r}; choose one of {', '.join(map(repr, INCREMENTS))}.")
    return int(max_mileage) if max_mileage == int(max_mileage) else float(max_mileage)


def _select(panel, groups):
    """Return the groups as a tuple, and the panel's columns for them, sorted by group, bus and period."""
    checks.check_columns(panel, _COLUMNS)
    group = checks.to_integers(panel, "group")
    available = tuple(int(value) for value in np.unique(group))
    groups = available if groups is None else _check_groups(groups, available)
    frame = panel.loc[np.isin(group, groups), list(_COLUMNS)]
    columns = {name: checks.to_integers(frame, name) for name in ("group", "bus_id", "period")}
    columns |= {name: checks.to_numbers(frame, name) for name in ("mileage", "replaced")}
    order = np.lexsort([columns[name] for name in ("period", "bus_id", "group")])
    return groups, {name: values[order] for name, values in columns.items()}


def _check_groups(groups, available):
    """Return the wanted groups as a sorted tuple. Raise ParameterError unless all are in the panel."""
    if isinstance(groups, numbers.Integral):
        groups = [groups]
    listed = ", ".join(map(str, available))
    if isinstance(groups, str) or not np.iterable(groups):
        raise ParameterError(f"groups = {groups!r}; give a list of some of {listed}, or None for all of them.")
    groups = [group.item() if isinstance(group, np.generic) else group for group in groups]
    if not groups:
        raise ParameterError(f"groups is empty; give a list of some of {listed}, or None for all of them.")
    unknown = [group for group in groups if group not in available]
    if unknown:
        raise ParameterError(f"the panel has no group {unknown[0]!r}; it has {listed}. None uses all of them.")
    return tuple(sorted({int(group) for group in groups}))


def _check_rows(columns, max_mileage):
    """Raise DataError unless the sorted rows are complete histories that fit on the grid."""
    bus_id, period, mileage = columns["bus_id"], columns["period"], columns["mileage"]
    checks.check_buses(columns["group"], bus_id)
    checks.check_periods(bus_id, period)
    checks.check_replaced(bus_id, period, columns["replaced"])
    checks.check_not_negative(bus_id, period, mileage, "mileage")
    checks.check_falls(bus_id, period, mileage, columns["replaced"])
    if mileage.max() > max_mileage:
        row = int(np.argmax(mileage))
        raise DataError(
            f"mileage of bus {bus_id[row]} reaches {mileage[row]:,.10g} in period {period[row]}, beyond the last "
            f"state, which ends at max_mileage = {max_mileage:,}. Raise max_mileage (and n_states, to keep the width)."
        )


def _warn_if_full(x, bus_id, n_states, max_mileage):
    """Warn when observations lie in the last state."""
    full = x == n_states - 1
    if full.any():
        warnings.warn(
            f"{full.sum()} of {x.size} observations, from {np.unique(bus_id[full]).size} buses, lie in the last state "
            f"(up to max_mileage = {max_mileage:,}): their increments are cut off there. Raise max_mileage.",
            CompEconWarning, stacklevel=3,
        )  # fmt: skip
