"""Panels drawn from the model: for Monte Carlo studies, and for the parametric bootstrap."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from compecon._options import positive, positive_integer
from compecon.errors import ParameterError
from compecon.zurcher import population_kernels as kernels
from compecon.zurcher.data import count_observations

_FIRST_MONTH = "1975-01"


@dataclass(frozen=True, eq=False)
class Histories:
    """Simulated states, decisions and increments; (n_buses, n_periods) float arrays, dx = -1 in the first month."""

    x: np.ndarray
    d: np.ndarray
    dx: np.ndarray


def simulate(model, params, n_buses, n_periods, seed, start=0, max_mileage=450_000):
    """Simulate a bus panel.

    Parameters
    ----------
    model : ZurcherModel
    params : Params
    n_buses, n_periods : int
        Number of buses, and of months for each.
    seed : int or numpy Generator
        The same seed gives the same panel.
    start : int or (n_buses,) int
        State in the first month; a new engine by default.
    max_mileage : number of miles at the upper edge of the last state

    Returns
    -------
    DataFrame
        In the columns of `datasets.load_bus_panel`, mileages at the middle of their states and all buses in group 1.
        Use `discretize(..., increments="model")` on it: a new engine starts in state 0 here.

    Raises
    ------
    ParameterError
        When a size is not a positive integer, or a start is not a state.
    ConvergenceError
        When the model could not be solved at `params`.

    Examples
    --------
    >>> from compecon import zurcher
    >>> model = zurcher.ZurcherModel(n_states=90, discount=0.99)
    >>> params = zurcher.Params(RC=8.0, theta1=[2.0], theta3=[0.4, 0.6])
    >>> panel = zurcher.simulate(model, params, n_buses=50, n_periods=120, seed=1)
    >>> zurcher.discretize(panel, groups=None, increments="model").n_obs
    5950
    """
    n_buses, n_periods = positive_integer(n_buses, "n_buses"), positive_integer(n_periods, "n_periods")
    max_mileage = positive(max_mileage, "max_mileage")
    paths = draw_histories(model, params, _check_states(model, start, n_buses), n_periods, seed)
    width = max_mileage / model.n_states
    mileage = (paths.x + 0.5) * width
    taken_out = np.where(paths.d > 0, mileage, 0.0)
    # Miles on engines taken out before month t.
    earlier = np.cumsum(taken_out, axis=1) - taken_out
    months = pd.period_range(_FIRST_MONTH, periods=n_periods, freq="M").to_timestamp()
    return pd.DataFrame({
        "group": 1,
        "bus_id": np.repeat(np.arange(1, n_buses + 1), n_periods),
        "period": np.tile(np.arange(1, n_periods + 1), n_buses),
        "month": np.tile(months.to_numpy(), n_buses),
        "odometer": (earlier + mileage).ravel(),
        "mileage": mileage.ravel(),
        "replaced": paths.d.astype(np.int64).ravel(),
    })  # fmt: skip


def draw_histories(model, params, start, n_periods, seed):
    """`Histories` of one bus for each entry of `start`, all of `n_periods` months."""
    solution = model.solve(params)
    solution.require_convergence()
    rng = np.random.default_rng(seed)
    shape = (start.size, n_periods)
    x, d, dx = np.empty((3, *shape))
    kernels.histories(
        np.ascontiguousarray(solution.choice_prob[:, 1]), np.cumsum(params.theta3),
        rng.random(shape), rng.random(shape), start, x, d, dx,
    )  # fmt: skip
    return Histories(x, d, dx)


def resample(model, params, data, seed):
    """`BusData` with the buses, months and first states of `data`, and all else drawn from the model at `params`.

    This is one draw of the parametric bootstrap. Increments follow the model's convention, whatever that of `data`.
    """
    first = np.flatnonzero(np.concatenate(([True], np.diff(data.obs_bus) != 0)))
    n_months = np.bincount(data.obs_bus)
    state, increment = data.cell_x[data.obs_cell[first]], data.cell_dx[data.obs_cell[first]]
    # An engine replaced in the month before the first observation leaves no trace of its last state.
    before = np.where(state >= increment, state - increment, state)
    paths = draw_histories(model, params, before, int(n_months.max()) + 1, seed)
    seen = np.arange(n_months.max()) < n_months[:, None]
    x, d, dx = (values[:, 1:][seen].astype(np.int64) for values in (paths.x, paths.d, paths.dx))
    observed = {
        "bus_id": data.bus_ids[data.obs_bus], "group": data.bus_groups[data.obs_bus], "period": data.obs_period,
    }  # fmt: skip
    return replace(data, increments="model", **count_observations(x, d, dx, observed))


def _check_states(model, start, n_buses):
    """`start` as n_buses floats, refused unless all are states."""
    states = np.asarray(start, dtype=float)
    states = np.broadcast_to(states, (n_buses,)) if states.ndim == 0 else states
    whole = states.shape == (n_buses,) and np.isin(states, model.states).all()
    if not whole:
        raise ParameterError(
            f"start = {start!r}; it must be a state from 0 to {model.n_states - 1}, or {n_buses} of them, one a bus."
        )
    return np.ascontiguousarray(states)
