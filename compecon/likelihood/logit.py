"""The binary logit as a likelihood model, and the two ways in which its data can fail to identify it."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import linalg, optimize
from scipy.special import expit

from compecon.errors import DataError, IdentificationWarning
from compecon.likelihood.cells import Example, as_float, whole_weights


def as_design(X, names, weights):
    """Return the (N, K) float64 regressors and their K names, after checking shape, values and rank.

    Raises DataError where rows and weights differ in number, a value is not finite, or (among the rows of positive
    weight) a column is a linear combination of others.

    >>> as_design([[1, 0], [1, 5]], ["constant", "age"], np.ones(2))[1]
    ('constant', 'age')
    """
    if names is None and isinstance(X, pd.DataFrame):
        names = X.columns
    X = as_float(X, "X of BinaryLogit")
    if X.ndim != 2 or X.shape[0] != weights.size or X.shape[1] == 0:
        raise DataError(f"X of BinaryLogit has shape {X.shape}, y has {weights.size} rows; pass shape (N, K).")
    names = tuple(f"x{k}" for k in range(X.shape[1])) if names is None else tuple(str(name) for name in names)
    if len(names) != X.shape[1] or len(set(names)) < len(names):
        raise DataError(f"names of BinaryLogit are {names}, X has {X.shape[1]} columns; pass one distinct name each.")
    used = X[weights > 0]
    scale = np.linalg.norm(used, axis=0)
    _, triangle, order = linalg.qr(used / np.where(scale > 0, scale, 1), mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > 1e-10).sum())
    if rank < X.shape[1]:
        surplus = ", ".join(names[k] for k in order[rank:])
        raise DataError(f"X of BinaryLogit has {X.shape[1]} columns but rank {rank}: {surplus} can be written as a "
                        "combination of the other columns. Drop it, or add rows that tell the columns apart.")
    return X, names


def warn_if_separated(y, X, names, weights):
    r"""Warn where some b has (2 y_i - 1) x_i'b >= 0 in every row and > 0 in one: no finite maximum exists.

    The linear program $\max_b \sum_i (2 y_i - 1) x_i'b$ subject to these signs and $|b_k| \le 1$ has value zero
    if and only if there is no such b (Albert and Anderson, 1984).

    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_if_separated(np.array([0, 1]), np.array([[-1.0], [1.0]]), ("x0",), np.ones(2))
    >>> caught[0].category.__name__
    'IdentificationWarning'
    """
    signed = ((2 * y - 1)[:, None] * X)[weights > 0]
    signed = signed / np.linalg.norm(signed, axis=0)
    solution = optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    if solution.status == 0 and -solution.fun > 1e-7:
        moving = ", ".join(name for name, b in zip(names, solution.x, strict=True) if abs(b) > 1e-7)
        warnings.warn(
            f"BinaryLogit: a combination of {moving} separates the ones from the zeros, so the likelihood rises as "
            "coefficients go to infinity and no finite maximum exists. Drop or coarsen a column, or add rows.",
            IdentificationWarning, stacklevel=5)


@dataclass(frozen=True, eq=False, repr=False)
class BinaryLogit(Example):
    r"""Outcomes 0 or 1 with a logit probability $P_i = 1 / (1 + e^{-x_i'\theta})$:

    $$\ell_i = y_i \log P_i + (1 - y_i)\log(1 - P_i), \qquad s_i = (y_i - P_i)\, x_i, \qquad
    H_i = -P_i (1 - P_i)\, x_i x_i' .$$

    The log-likelihood is concave. It has no closed-form maximum in general, and none at all where a combination of
    the columns separates the ones from the zeros (Albert and Anderson, 1984): an IdentificationWarning says so.

    Parameters
    ----------
    y : (N,) of 0 and 1
    X : (N, K) float or DataFrame, regressors; include a column of ones for a constant
    names : K str or None (the columns of a DataFrame, else x0, x1, ...)
    weights : (N,) float or None, observations of each row (ones)
    clusters : (N,) labels or None

    Raises
    ------
    DataError : NaN, y other than 0 and 1, lengths that differ, collinear columns

    >>> model = BinaryLogit([0, 1, 0, 1], [[1, 0], [1, 0], [1, 1], [1, 1]], weights=[3, 1, 1, 3])
    >>> _, scores = model.loglike([-np.log(3), 2 * np.log(3)])  # log odds 1:3, then 3:1
    >>> bool(np.allclose(model.weights @ scores, 0))
    True
    """

    y: np.ndarray
    X: np.ndarray
    names: tuple[str, ...] | None = None
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    _counts: ClassVar[bool] = True
    _domain: ClassVar[str] = "every coefficient must be finite"

    def _check(self):
        if self.y.max() > 1:
            row = int(np.argmax(self.y > 1))
            raise DataError(f"y[{row}] of BinaryLogit is {self.y[row]:g}; y must be 0 or 1. Recode the outcome.")
        X, names = as_design(self.X, self.names, self.weights)
        object.__setattr__(self, "X", X)
        object.__setattr__(self, "names", names)
        warn_if_separated(self.y, X, names, self.weights)

    @property
    def param_names(self):
        """Names of the columns of X."""
        return self.names

    def inside(self, theta):
        """Every finite vector is in the domain."""
        return True

    def _terms(self, theta):
        sign = 2 * self.y - 1
        index = sign * (self.X @ theta)
        # log P = -log(1 + e^-v) without forming P: exact also where P rounds to 0 or 1.
        return -np.logaddexp(0, -index), (sign * expit(-index))[:, None] * self.X

    def _second(self, theta):
        index = self.X @ theta
        return -(expit(index) * expit(-index))[:, None, None] * self.X[:, :, None] * self.X[:, None, :]

    def information(self, theta):
        """Return the (K, K) information of one observation, given X: the weighted mean of P (1 - P) x x'."""
        return -np.tensordot(self.weights / self.weights.sum(), self._second(self._require_inside(theta)), axes=1)

    def simulate(self, theta, seed=None):
        """Return a model with the same X and new outcomes drawn from `theta`, without clusters; rows are cells.

        Raises ParameterError where theta is not finite, DataError where a weight is not whole.
        """
        theta = self._require_inside(theta)
        trials = whole_weights(self.weights, "BinaryLogit")
        ones = np.random.default_rng(seed).binomial(trials, expit(self.X @ theta))
        weights = np.concatenate([trials - ones, ones])
        y, X = np.repeat([0, 1], self.y.size), np.vstack([self.X, self.X])
        return BinaryLogit(y[weights > 0], X[weights > 0], self.names, weights[weights > 0])
