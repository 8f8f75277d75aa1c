"""The log-likelihood of a bus panel, with exact scores and Hessians, as `LikelihoodModel`s.

    transitions   sum log theta3[dx]                     parameters theta3
    partial       sum log P(d | x), theta3 given         parameters RC, theta1
    joint         both sums                              parameters RC, theta1, theta3

Rows are the cells (x, d, dx) of `BusData`, weighted by their counts, so a panel of any length costs the same.
"""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from compecon.zurcher import kernels
from compecon.zurcher.model import Params
from compecon.zurcher.simulate import resample
from compecon.zurcher.solve import NEWTON_STEPS, default_tol


class NestedValues(NamedTuple):
    """What one evaluation of the nested problem leaves: log-likelihoods, scores, and the derivatives behind them.

    Attributes
    ----------
    gap : (n,) float, v_keep - v_replace
    dgap, dlogsum : (K, n) float, derivatives of gap and logsum in the parameters
    work : (7, n) float, keep, replace and the factors of the linear system
    logl : (C,) float; NaN where there is no solution
    scores : (C, K) float
    """

    gap: np.ndarray
    dgap: np.ndarray
    dlogsum: np.ndarray
    work: np.ndarray
    logl: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True, eq=False)
class _Cells:
    """What the likelihoods share: the data's cells as rows, and which mileage probabilities are parameters.

    Attributes
    ----------
    free : (J_free,) float
        Categories of dx whose probabilities are parameters: those observed, but for the last of them.
    index : (J_free,) int
        The same categories, to index with.
    implied : int
        The last observed category; its probability is one minus the sum of the others.
    """

    model: object
    data: object
    free: np.ndarray = field(init=False)
    index: np.ndarray = field(init=False)
    implied: int = field(init=False)
    param_names: tuple[str, ...] = field(init=False)

    def __post_init__(self):
        *free, implied = np.flatnonzero(self.data.dx_counts).tolist()
        self._set(free, implied, tuple(f"theta3{j}" for j in free))

    def _set(self, free, implied, param_names):
        object.__setattr__(self, "free", np.array(free, dtype=float))
        object.__setattr__(self, "index", np.array(free, dtype=np.intp))
        object.__setattr__(self, "implied", implied)
        object.__setattr__(self, "param_names", param_names)

    @property
    def weights(self):
        """(C,) float: the observations of each cell."""
        return self.data.cell_count

    @property
    def cluster_counts(self):
        """Observations by bus and cell: clusters are buses."""
        return self.data.bus_cells

    def probabilities(self, values):
        """(J,) float: theta3 with its free entries set to `values`, the implied one to the rest, empty ones to 0."""
        theta3 = np.zeros(self.data.dx_counts.size)
        theta3[self.index] = values
        theta3[self.implied] = 1.0 - values.sum()
        return theta3


@dataclass(frozen=True, eq=False)
class TransitionLikelihood(_Cells):
    """log p(dx): a multinomial distribution of the monthly mileage, whose maximum is the observed shares."""

    def loglike(self, theta):
        """log theta3[dx] of each cell, and 1/p_j in the cell's own category (-1/p in all for the implied one)."""
        p = self.probabilities(np.asarray(theta, dtype=float))
        category = self.data.cell_dx.astype(int)
        with np.errstate(divide="ignore", invalid="ignore"):
            logl = np.log(p[category])
            scores = (category[:, None] == self.free) / p[self.index]
            scores -= (category == self.implied)[:, None] / p[self.implied]
        return logl, scores

    def hessian_obs(self, theta):
        """Minus the product of each cell's scores: log p_j is the log of a linear function."""
        _, scores = self.loglike(theta)
        return -scores[:, :, None] * scores[:, None, :]

    def closed_form(self):
        """The observed shares of the free categories, the exact maximum."""
        return self.data.dx_counts[self.index] / self.data.dx_counts.sum()


@dataclass(frozen=True, eq=False)
class ChoiceLikelihood(_Cells):
    """log P(d | x), and log p(dx) with it when `theta3` is None (joint); else theta3 is held fixed (partial)."""

    theta3: np.ndarray | None = None

    def __post_init__(self):
        super().__post_init__()
        names, free = ("RC", *self.model.cost.param_names), self.free if self.joint else ()
        self._set(free, self.implied, names + self.param_names if self.joint else names)

    @property
    def joint(self):
        """Whether theta3 is estimated too."""
        return self.theta3 is None

    def split(self, theta):
        """RC, theta1, theta3 (all J probabilities) from a parameter vector."""
        first = theta.size - self.free.size
        theta3 = self.probabilities(theta[first:]) if self.joint else self.theta3
        return float(theta[0]), theta[1:first], theta3

    def simulate(self, theta, seed):
        """The same likelihood on a panel drawn from the model at `theta`, for parametric bootstraps; see `resample`."""
        data = resample(self.model, Params(*self.split(np.asarray(theta, dtype=float))), self.data, seed)
        return replace(self, data=data)

    def loglike(self, theta):
        """The (C,) log-likelihoods of the cells and their (C, K) scores; NaN where the model has no solution."""
        values = self.evaluate(theta)
        return values.logl, values.scores

    def evaluate(self, theta):
        """Solve the fixed point at `theta`, differentiate it, and put both into the cells: a `NestedValues`."""
        theta, data, model = np.asarray(theta, dtype=float), self.data, self.model
        RC, theta1, theta3 = self.split(theta)
        cost, dcost = _copy(model.cost.value(model.states, theta1)), _copy(model.cost.gradient(model.states, theta1))
        n_states, n_cells, n_params = model.n_states, data.n_cells, theta.size
        values = NestedValues(
            np.empty(n_states), np.empty((n_params, n_states)), np.empty((n_params, n_states)),
            np.empty((7, n_states)), np.empty(n_cells), np.zeros((n_cells, n_params)),
        )  # fmt: skip
        solved = kernels.evaluate(
            data.cell_x, data.cell_d, data.cell_dx, RC, cost, dcost, theta3, self.free, self.implied, model.discount,
            float(self.joint), default_tol(model.discount), np.empty(NEWTON_STEPS), np.zeros(n_states),
            values.work, values.gap, values.dgap, values.dlogsum, values.logl, values.scores,
        )  # fmt: skip
        if not solved:
            values.logl[:] = np.nan
        return values

    def hessian_obs(self, theta):
        """The exact (C, K, K) second derivatives of the cells' log-likelihoods; NaN where the model has no solution."""
        return self.second_derivatives(theta)[1]

    def second_derivatives(self, theta):
        """The (C, K) scores and the (C, K, K) second derivatives, from one solution of the model."""
        theta, data = np.asarray(theta, dtype=float), self.data
        theta1, theta3 = self.split(theta)[1:]
        values = self.evaluate(theta)
        hessian = np.zeros((data.n_cells, theta.size, theta.size))
        if np.isnan(values.logl).all():
            return values.scores, np.full_like(hessian, np.nan)
        ddcost = _copy(self.model.cost.hessian(self.model.states, theta1))
        ddgap = np.empty(self.model.n_states)
        for a in range(theta.size):
            for b in range(a + 1):
                kernels.differentiate_twice(
                    a, b, ddcost, theta3, self.free, self.implied, self.model.discount,
                    values.dgap, values.dlogsum, ddgap, values.work,
                )  # fmt: skip
                kernels.cell_curvature(data.cell_x, data.cell_d, values.gap, values.dgap, ddgap, a, b, hessian)
        if self.joint:
            block = slice(1 + theta1.size, None)
            hessian[:, block, block] += TransitionLikelihood(self.model, data).hessian_obs(theta[block])
        return values.scores, hessian


def _copy(values):
    """A cost's array as the kernels want it: a read-only or strided one would make numba compile another version."""
    return np.array(values, dtype=np.float64, order="C")
