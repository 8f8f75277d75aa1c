"""What the example models share: checks of outcomes, weights, clusters and parameters, and a base class."""

import operator

import numpy as np
import pandas as pd
from scipy import sparse

from compecon.errors import DataError, ParameterError


def as_outcome(y, model, counts=False):
    """Return `y` as (N,) float64 after checking it; with `counts`, each value must be 0, 1, 2, ...

    Raises DataError where `y` is empty, not one-dimensional, not numeric, not finite, or not a count.

    >>> as_outcome([0, 2], "Poisson", counts=True)
    array([0., 2.])
    """
    y = as_float(y, f"y of {model}")
    if y.ndim != 1 or y.size == 0:
        raise DataError(f"y of {model} has shape {y.shape}; pass a one-dimensional array with at least one row.")
    if counts and ((y < 0) | (y != np.floor(y))).any():
        row = int(np.argmax((y < 0) | (y != np.floor(y))))
        raise DataError(f"y[{row}] of {model} is {y[row]:g}; y must hold counts 0, 1, 2, ... Check the column.")
    return y


def as_float(values, what):
    """Return a float64 copy of `values`, all finite; `what` names them in the message.

    >>> as_float([1, 2], "y")
    array([1., 2.])
    """
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} cannot be read as numbers ({error}). Convert it first.") from None
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise DataError(f"{what} is {array[where]} at index {where}; all values must be finite. Drop or fill that row.")
    return array


def as_weights(weights, n_rows, model):
    """Return (N,) float64 weights, ones if `weights` is None: how many observations each row stands for.

    Raises DataError for another length, a negative weight, or weights that are all zero.

    >>> as_weights(None, 2, "Poisson")
    array([1., 1.])
    """
    if weights is None:
        return np.ones(n_rows)
    weights = as_float(weights, f"weights of {model}")
    if weights.shape != (n_rows,):
        raise DataError(f"weights of {model} have shape {weights.shape}, y has {n_rows} rows; pass one weight a row.")
    if (weights < 0).any() or not weights.any():
        found = f"weights[{np.argmin(weights)}] is {weights.min():g}" if weights.any() else "all weights are zero"
        raise DataError(f"{model}: {found}; a weight counts observations, so it is 0 or more and one is positive.")
    return weights


def as_clusters(clusters, n_rows, model):
    """Return (N,) cluster labels or None. Raises DataError for another length or a missing label.

    >>> as_clusters(["a", "b"], 2, "Poisson")
    array(['a', 'b'], dtype='<U1')
    """
    if clusters is None:
        return None
    clusters = np.asarray(clusters)
    if clusters.shape != (n_rows,):
        raise DataError(f"clusters of {model} have shape {clusters.shape}, y has {n_rows} rows; pass one label a row.")
    if pd.isna(clusters).any():
        row = int(np.argmax(pd.isna(clusters)))
        raise DataError(f"clusters[{row}] of {model} is missing; give each row a label or drop that row.")
    return clusters


def count_by_cluster(clusters, weights):
    """Return the (G, N) sparse array of observations of row i in cluster g, or None without clusters.

    >>> count_by_cluster(np.array(["a", "b", "a"]), np.array([1.0, 2.0, 3.0])).toarray()
    array([[1., 0., 3.],
           [0., 2., 0.]])
    """
    if clusters is None:
        return None
    codes, labels = pd.factorize(clusters)
    return sparse.csr_array((weights, (codes, np.arange(weights.size))), shape=(len(labels), weights.size))


def as_theta(theta, param_names, model):
    """Return `theta` as (K,) float64. Raises ParameterError for another length; any values are accepted.

    >>> as_theta(2, ("mean",), "Poisson")
    array([2.])
    """
    theta = np.atleast_1d(np.asarray(theta, dtype=float))
    if theta.shape != (len(param_names),):
        wanted = ", ".join(param_names)
        raise ParameterError(f"theta of {model} has shape {theta.shape}; pass {len(param_names)} values: {wanted}.")
    return theta


def whole_weights(weights, model):
    """Return the weights as integers. Raises DataError where one is not whole: such a sample cannot be redrawn.

    >>> whole_weights(np.array([2.0, 1.0]), "Poisson")
    array([2, 1])
    """
    if (weights != np.floor(weights)).any():
        row = int(np.argmax(weights != np.floor(weights)))
        raise DataError(f"weights[{row}] of {model} is {weights[row]:g}; simulate needs whole numbers of observations.")
    return weights.astype(np.int64)


def constant(y, weights):
    """Whether all observations (rows of positive weight) share one value.

    >>> constant(np.array([1.0, 1.0, 2.0]), np.array([1.0, 3.0, 0.0]))
    True
    """
    return bool(np.ptp(y[weights > 0]) == 0)


class Example:
    """Everything but the formulas: a subclass adds its fields, `inside`, `_terms`, `_second` and `information`."""

    def __post_init__(self):
        name = type(self).__name__
        y = as_outcome(self.y, name, counts=self._counts)
        weights = as_weights(self.weights, y.size, name)
        for field, value in (("y", y), ("weights", weights), ("clusters", as_clusters(self.clusters, y.size, name))):
            object.__setattr__(self, field, value)
        self._check()

    @property
    def nobs(self):
        """Number of observations, the sum of the weights."""
        return float(self.weights.sum())

    @property
    def cluster_counts(self):
        """(G, N) sparse array of observations of row i in cluster g; None without cluster labels."""
        return count_by_cluster(self.clusters, self.weights)

    def loglike(self, theta):
        """Return the (N,) terms l_i and their (N, K) scores; -inf and zeros outside the domain."""
        theta = as_theta(theta, self.param_names, type(self).__name__)
        if not (np.isfinite(theta).all() and self.inside(theta)):
            return np.full(self.y.size, -np.inf), np.zeros((self.y.size, theta.size))
        with np.errstate(all="ignore"):  # a trial step may be so far out that a square overflows: -inf is the answer
            return self._terms(theta)

    def hessian_obs(self, theta):
        """Return the (N, K, K) second derivatives of the terms l_i; NaN outside the domain."""
        theta = as_theta(theta, self.param_names, type(self).__name__)
        if not (np.isfinite(theta).all() and self.inside(theta)):
            return np.full((self.y.size, theta.size, theta.size), np.nan)
        with np.errstate(all="ignore"):
            return self._second(theta)

    def simulate(self, theta, seed=None, n=None):
        """Return a model with `n` (default `nobs`) independent draws from `theta`, without clusters; counts as cells.

        `seed` is an int or a numpy Generator. Raises ParameterError outside the domain, DataError where the sample
        size is not whole or the drawn sample has no maximum (all zero, say).
        """
        theta = self._require_inside(theta)
        n = int(whole_weights(self.weights, type(self).__name__).sum()) if n is None else operator.index(n)
        if n < 1:
            raise ParameterError(f"simulate of {type(self).__name__} was asked for n = {n}; n must be 1 or more.")
        draws = self._draw(theta, n, np.random.default_rng(seed))
        if not self._counts:
            return type(self)(draws)
        return type(self)(*np.unique(draws, return_counts=True))

    def _require_inside(self, theta):
        theta = as_theta(theta, self.param_names, type(self).__name__)
        if not (np.isfinite(theta).all() and self.inside(theta)):
            at = ", ".join(f"{name} = {value:g}" for name, value in zip(self.param_names, theta, strict=True))
            raise ParameterError(f"{type(self).__name__} has no distribution at {at}; {self._domain}.")
        return theta

    def _mean(self, values):
        return float(self.weights @ values / self.weights.sum())

    def __repr__(self):
        return f"{type(self).__name__}({self.nobs:g} observations in {self.y.size} rows; {', '.join(self.param_names)})"
