"""What the estimates say about a fleet: mileage in the long run, demand for engines, counterfactuals."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from compecon._options import one_of, positive_integer, share, vector
from compecon.errors import ParameterError
from compecon.likelihood.delta import delta_method
from compecon.zurcher import population_kernels as kernels
from compecon.zurcher.bootstrap import parametric_bootstrap
from compecon.zurcher.model import Params


def stationary_distribution(model, params):
    """Share of a large fleet in each mileage state, in the long run.

    pi(y) = sum_x pi(x) [keep(x) p(y|x) + replace(x) p(y|0)], solved forward in O(n J).

    Parameters
    ----------
    model : ZurcherModel
    params : Params

    Returns
    -------
    (n_states,) float, summing to one

    Notes
    -----
    Where replacement from the state in which mileage ends up is too rare for a double, the whole fleet is there.

    Examples
    --------
    >>> from compecon import zurcher
    >>> params = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    >>> pi = zurcher.stationary_distribution(zurcher.ZurcherModel(90, 0.9999), params)
    >>> round(float(pi.sum()), 12)
    1.0
    """
    return _long_run(model, params)[1]


def _long_run(model, params):
    """The `Solution` at `params`, and the fleet's (n,) distribution over states under it."""
    solution = model.solve(params)
    solution.require_convergence()
    keep, replaced = (np.ascontiguousarray(column) for column in solution.choice_prob.T)
    pi = np.empty(keep.size)
    if kernels.stationary(keep, replaced, params.theta3, pi) == 0:
        pi[:] = 0.0
        pi[0 if params.theta3[0] == 1 else -1] = 1.0
    return solution, pi


def replacement_rate(model, params):
    """Expected number of engines that a bus needs in a month, in the long run: sum_x pi(x) replace(x)."""
    solution, pi = _long_run(model, params)
    return float(pi @ solution.choice_prob[:, 1])


def demand_path(model, params, start, n_months, n_buses=1):
    """Engines that a fleet is expected to need month by month, from a given spread of its mileage: the short run.

        demand_t = n_buses sum_x pi_t(x) replace(x),    pi_{t+1}(y) = sum_x pi_t(x) [keep(x) p(y|x) + replace(x) p(y|0)]

    Parameters
    ----------
    model : ZurcherModel
    params : Params
    start : (n_states,) float, pi_1, the share of the fleet in each state in the first month; sums to one
    n_months, n_buses : int

    Returns
    -------
    (n_months,) float, engines a month

    Examples
    --------
    New buses need no engine at first:

    >>> import numpy as np
    >>> from compecon import zurcher
    >>> params = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    >>> model = zurcher.ZurcherModel(90, 0.9999)
    >>> path = zurcher.demand_path(model, params, np.eye(90)[0], 600, n_buses=37)
    >>> [round(float(12 * path[month]), 2) for month in (0, 60, 120, 599)]
    [0.02, 3.45, 4.89, 4.85]
    """
    solution, share = model.solve(params), vector(start, "start")
    solution.require_convergence()
    if share.shape != (model.n_states,) or share.min() < 0 or abs(share.sum() - 1) > 1e-8:
        raise ParameterError(
            f"start has shape {share.shape} and sums to {share.sum():.8g}; it must hold the shares of the fleet in "
            f"{model.n_states} states, not negative and summing to 1."
        )
    keep, replaced = (np.ascontiguousarray(column) for column in solution.choice_prob.T)
    path = np.empty(positive_integer(n_months, "n_months"))
    kernels.turnover(keep, replaced, params.theta3, share, np.empty_like(share), path)
    return positive_integer(n_buses, "n_buses") * path


@dataclass(frozen=True, eq=False)
class DemandCurve:
    """Engines demanded at each replacement cost, with a band.

    Attributes
    ----------
    RC : (M,) float, in units of the taste shock's scale
    demand : (M,) float, engines a year for `n_buses` buses
    lower, upper : (M,) float, ends of the pointwise band of probability `level`
    method : 'delta' or 'bootstrap'
    n_failed : int, bootstrap samples without an estimate, left out
    """

    RC: np.ndarray
    demand: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    level: float
    n_buses: int
    method: str
    n_failed: int

    def frame(self):
        """DataFrame with one row a replacement cost."""
        columns = {"RC": self.RC, "demand": self.demand, "lower": self.lower, "upper": self.upper}
        return pd.DataFrame(columns)

    def __repr__(self):
        reach = f"RC from {self.RC.min():g} to {self.RC.max():g}"
        return f"DemandCurve({reach}, {self.n_buses} buses, {self.level:.0%} band by {self.method})"

    def _repr_html_(self):
        return self.frame().to_html(index=False, border=0, float_format=lambda value: f"{value:.4g}")


def demand_curve(fit, RC, n_buses=1, level=0.95, method="delta", kind=None, draws=200, seed=0, relative=False):
    """Yearly demand for engines as a function of their price, other parameters as estimated.

        demand(RC) = 12 n_buses sum_x pi(x; RC) replace(x; RC)

    Parameters
    ----------
    fit : NFXPEstimate, 'partial' or 'joint'
    RC : (M,) float, the prices to try
        In units of the taste shock's scale; if `relative`, as multiples of the estimated RC. The band then lets that
        RC vary with the other estimates: the price in dollars is known, and what it is worth in the shock's units is
        not.
    n_buses : int
    level : float, probability of the pointwise band
    method : {'delta', 'bootstrap'}
        'delta': normal, from the covariance `kind` of the estimates. 'bootstrap': quantiles over samples drawn from
        the estimated model and estimated again.
    draws, seed : of the bootstrap

    Returns
    -------
    DemandCurve, its RC in units of the taste shock's scale

    Examples
    --------
    >>> from compecon import datasets, zurcher
    >>> data = zurcher.discretize(datasets.load_bus_panel(), groups=[4])
    >>> fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data)
    >>> zurcher.demand_curve(fit, [4.0], n_buses=37).demand.round(2).tolist()
    [15.98]
    """
    prices = vector(RC, "RC")
    level, method = share(level, "level"), one_of(method, ("delta", "bootstrap"), "method")
    scale, model, params = 12 * positive_integer(n_buses, "n_buses"), fit.structure, fit.as_params()

    def curve(point):
        unit = point.RC if relative else 1.0
        return scale * np.array([replacement_rate(model, replace(point, RC=price * unit)) for price in prices])

    RC, demand = prices * (params.RC if relative else 1.0), curve(params)
    if method == "bootstrap":
        sample = parametric_bootstrap(fit, draws, seed)
        curves = np.array([curve(point) for point in sample.params])
        lower, upper = np.quantile(curves, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return DemandCurve(RC, demand, lower, upper, level, n_buses, method, sample.n_failed)

    def curve_at(theta):
        return curve(Params(*fit.model.split(theta)))

    errors = delta_method(curve_at, fit.theta, fit.cov_params(kind).to_numpy()).bse
    reach = stats.norm.ppf(0.5 + level / 2) * errors
    return DemandCurve(RC, demand, np.maximum(demand - reach, 0.0), demand + reach, level, n_buses, method, 0)


def counterfactual(model, params, n_buses=1, **changes):
    """Compare the fleet before and after a change of price, cost or patience.

    Parameters
    ----------
    model : ZurcherModel
    params : Params
    n_buses : int
    **changes
        RC, theta1, theta3 (of `params`); discount, cost (of `model`).

    Returns
    -------
    DataFrame
        Columns 'before' and 'after'; rows: engines a year, mean state in the fleet, mean state at replacement, expected
        value of a new engine.

    Examples
    --------
    >>> from compecon import zurcher
    >>> params = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    >>> table = zurcher.counterfactual(zurcher.ZurcherModel(90, 0.9999), params, n_buses=37, RC=5.0)
    >>> table.loc["engines a year"].round(2).to_dict()
    {'before': 4.85, 'after': 10.95}
    """
    known = {"RC", "theta1", "theta3", "discount", "cost"}
    unknown = set(changes) - known
    if unknown or not changes:
        found = f"unknown change {sorted(unknown)[0]!r}" if unknown else "no change given"
        raise ParameterError(f"{found}; change one or more of {', '.join(sorted(known))}.")
    in_model = {name: value for name, value in changes.items() if name in ("discount", "cost")}
    in_params = {name: value for name, value in changes.items() if name not in in_model}
    n_buses = positive_integer(n_buses, "n_buses")
    after = _describe(replace(model, **in_model), replace(params, **in_params), n_buses)
    return pd.DataFrame({"before": _describe(model, params, n_buses), "after": after})


def _describe(model, params, n_buses):
    """Series of the outcomes that `counterfactual` compares."""
    solution, pi = _long_run(model, params)
    replaced = solution.choice_prob[:, 1]
    rate = pi @ replaced
    return pd.Series({
        "engines a year": 12 * n_buses * rate,
        "mean state": pi @ model.states,
        "mean state at replacement": (pi * replaced) @ model.states / rate if rate > 0 else np.inf,
        "value of a new engine": solution.ev[0],
    })  # fmt: skip
