"""Four small likelihood models whose answers are known: normal, geometric, Poisson, binary logit.

Rows may be cells: `weights[i]` is how many observations row i stands for. A cell that spans several clusters is split
into one row for each cluster. Outside the parameter domain the terms are -inf and the scores zero.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln

from compecon.errors import DataError
from compecon.likelihood import example_kernels as kernels
from compecon.likelihood.cells import Example, constant
from compecon.likelihood.logit import BinaryLogit

__all__ = ["BinaryLogit", "Geometric", "Normal", "Poisson"]


@dataclass(frozen=True, eq=False, repr=False)
class Normal(Example):
    r"""Independent normal outcomes with mean mu and standard deviation sigma > 0, z = (y - mu) / sigma:

    $$\ell_i = -\log\sigma - \tfrac12\log 2\pi - \tfrac12 z_i^2, \qquad
    s_i = \frac1\sigma (z_i,\; z_i^2 - 1), \qquad I = \mathrm{diag}(1, 2)/\sigma^2 .$$

    The maximum is the mean and the standard deviation with divisor n (not n - 1).

    Parameters
    ----------
    y : (N,) float, outcomes, any unit
    weights : (N,) float or None, observations of each row (ones)
    clusters : (N,) labels or None

    Raises
    ------
    DataError : NaN, lengths that differ, or all observations equal (the likelihood then rises without bound)

    >>> model = Normal([1.0, 2.0, 3.0, 6.0])
    >>> model.closed_form().round(4)
    array([3.    , 1.8708])
    """

    y: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    param_names: ClassVar[tuple[str, ...]] = ("mu", "sigma")
    _counts: ClassVar[bool] = False
    _domain: ClassVar[str] = "sigma must be positive"

    def _check(self):
        if constant(self.y, self.weights):
            raise DataError(f"all observations of Normal are {self.y[self.weights > 0][0]:g}: the likelihood rises "
                            "without bound as sigma goes to 0. Pass outcomes that vary.")

    def inside(self, theta):
        """Whether sigma > 0."""
        return theta[1] > 0

    def _terms(self, theta):
        logl, scores = np.empty(self.y.size), np.empty((self.y.size, 2))
        kernels.normal_terms(self.y, *theta, logl, scores)
        return logl, scores

    def _second(self, theta):
        hessian = np.empty((self.y.size, 2, 2))
        kernels.normal_curvature(self.y, *theta, hessian)
        return hessian

    def closed_form(self):
        """Return the (2,) maximum: mean and standard deviation with divisor n."""
        theta = np.empty(2)
        kernels.normal_maximum(self.y, self.weights, theta)
        return theta

    def information(self, theta):
        """Return the (2, 2) expected information of one observation, diag(1, 2) / sigma^2."""
        return np.diag([1.0, 2.0]) / self._require_inside(theta)[1] ** 2

    def _draw(self, theta, n, rng):
        return rng.normal(theta[0], theta[1], n)


@dataclass(frozen=True, eq=False, repr=False)
class Geometric(Example):
    r"""Failures before the first success, y in {0, 1, 2, ...}, with success probability 0 < p < 1:

    $$\ell_i = \log p + y_i \log(1 - p), \qquad s_i = \frac1p - \frac{y_i}{1 - p}, \qquad
    I = \frac{1}{p^2 (1 - p)}, \qquad \hat p = \frac{1}{1 + \bar y} .$$

    Where the data count trials (1, 2, ..., as `numpy.random.Generator.geometric` does), subtract 1 first.

    Parameters
    ----------
    y : (N,) counts of failures
    weights : (N,) float or None, observations of each row (ones)
    clusters : (N,) labels or None

    Raises
    ------
    DataError : NaN, values that are no counts, lengths that differ, or all zero (no maximum below p = 1)

    >>> Geometric([0, 1, 3], weights=[2, 1, 1]).closed_form()
    array([0.5])
    """

    y: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    param_names: ClassVar[tuple[str, ...]] = ("p",)
    _counts: ClassVar[bool] = True
    _domain: ClassVar[str] = "p must lie strictly between 0 and 1"

    def _check(self):
        if not self.y[self.weights > 0].any():
            raise DataError("all observations of Geometric are 0: the likelihood rises up to p = 1, so no maximum "
                            "exists inside (0, 1). Pass a sample with a positive count.")

    def inside(self, theta):
        """Whether 0 < p < 1."""
        return 0 < theta[0] < 1

    def _terms(self, theta):
        p = theta[0]
        return np.log(p) + self.y * np.log1p(-p), (1 / p - self.y / (1 - p))[:, None]

    def _second(self, theta):
        p = theta[0]
        return (-1 / p**2 - self.y / (1 - p) ** 2)[:, None, None]

    def closed_form(self):
        """Return the (1,) maximum 1 / (1 + mean of y)."""
        return np.array([1 / (1 + self._mean(self.y))])

    def information(self, theta):
        """Return the (1, 1) expected information of one observation, 1 / (p^2 (1 - p))."""
        p = self._require_inside(theta)[0]
        return np.array([[1 / (p**2 * (1 - p))]])

    def _draw(self, theta, n, rng):
        return rng.geometric(theta[0], n) - 1  # numpy counts trials, this model counts failures


@dataclass(frozen=True, eq=False, repr=False)
class Poisson(Example):
    r"""Poisson counts with mean m > 0:

    $$\ell_i = y_i \log m - m - \log y_i!, \qquad s_i = \frac{y_i}{m} - 1, \qquad I = \frac1m, \qquad
    \hat m = \bar y .$$

    Parameters
    ----------
    y : (N,) counts
    weights : (N,) float or None, observations of each row (ones)
    clusters : (N,) labels or None

    Raises
    ------
    DataError : NaN, values that are no counts, lengths that differ, or all zero (no maximum above m = 0)

    >>> Poisson([0, 1, 5]).closed_form()
    array([2.])
    """

    y: np.ndarray
    weights: np.ndarray | None = None
    clusters: np.ndarray | None = None
    param_names: ClassVar[tuple[str, ...]] = ("mean",)
    _counts: ClassVar[bool] = True
    _domain: ClassVar[str] = "mean must be positive"

    def _check(self):
        if not self.y[self.weights > 0].any():
            raise DataError("all observations of Poisson are 0: the likelihood rises as the mean goes to 0, so no "
                            "maximum exists above 0. Pass a sample with a positive count.")

    def inside(self, theta):
        """Whether mean > 0."""
        return theta[0] > 0

    def _terms(self, theta):
        logl, scores = np.empty(self.y.size), np.empty((self.y.size, 1))
        kernels.poisson_terms(self.y, gammaln(self.y + 1), theta[0], logl, scores)
        return logl, scores

    def _second(self, theta):
        hessian = np.empty((self.y.size, 1, 1))
        kernels.poisson_curvature(self.y, theta[0], hessian)
        return hessian

    def closed_form(self):
        """Return the (1,) maximum, the mean of y."""
        return np.array([self._mean(self.y)])

    def information(self, theta):
        """Return the (1, 1) expected information of one observation, 1 / mean."""
        return np.array([[1 / self._require_inside(theta)[0]]])

    def _draw(self, theta, n, rng):
        return rng.poisson(theta[0], n)
