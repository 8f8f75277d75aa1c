"""The delta method: covariance of a differentiable function of estimates."""

from dataclasses import dataclass

import numpy as np

from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False)
class DeltaResult:
    """A function of estimates with its delta-method covariance.

    Attributes
    ----------
    values : (Q,) float, g(theta)
    cov : (Q, Q) float, J V J'
    jacobian : (Q, K) float, J
    """

    values: np.ndarray
    cov: np.ndarray
    jacobian: np.ndarray

    @property
    def bse(self):
        """(Q,) standard errors, the square roots of the diagonal of `cov`."""
        return np.sqrt(np.maximum(np.diag(self.cov), 0))  # a zero variance may round to -1e-20

    def __repr__(self):
        pairs = ", ".join(f"{value:.4g} ({se:.2g})" for value, se in zip(self.values[:4], self.bse[:4], strict=True))
        return f"DeltaResult({pairs}{', ...' if self.values.size > 4 else ''})"


def delta_method(function, theta, cov, jacobian=None):
    r"""Return g(theta) and its covariance to first order,

    $$\widehat{\mathrm{Var}}\,[g(\hat\theta)] = J V J', \qquad J = \partial g(\hat\theta) / \partial\theta' .$$

    Parameters
    ----------
    function : callable, (K,) -> number or (Q,), differentiable at theta
    theta : (K,) float, the estimates
    cov : (K, K) float array or DataFrame, their covariance V
    jacobian : callable, (K,) -> (Q, K) (or (K,) where Q is 1), or None for central differences

    Returns
    -------
    DeltaResult with `values` (Q,), `cov` (Q, Q), `bse` (Q,), `jacobian` (Q, K)

    Raises
    ------
    ParameterError : shapes that do not fit, values that are not finite, a covariance with negative variances

    Notes
    -----
    The step for parameter k is eps^(1/3) max(abs(theta_k), min(se_k, 1)): it follows the size of the parameter, and
    where that is zero, its standard error. If `function` is undefined so close to theta, pass `jacobian`.
    Source: Greene, Econometric Analysis (2018), appendix D.

    >>> result = delta_method(np.exp, [0.0], [[0.04]])
    >>> result.values, result.bse.round(6)
    (array([1.]), array([0.2]))
    """
    theta = np.atleast_1d(np.asarray(theta, dtype=float))
    cov = _checked_cov(cov, theta)
    values = _evaluate(function, theta, "at theta")
    if jacobian is None:
        J = _central_differences(function, theta, _steps(theta, cov), values.size)
    else:
        J = np.asarray(jacobian(theta), dtype=float)
        J = J[None, :] if J.ndim == 1 and values.size == 1 else J
        if J.shape != (values.size, theta.size) or not np.isfinite(J).all():
            raise ParameterError(f"jacobian returned shape {J.shape} or values that are not finite; "
                                 f"return a finite ({values.size}, {theta.size}) array.")
    return DeltaResult(values, J @ cov @ J.T, J)


def _checked_cov(cov, theta):
    cov = np.asarray(cov, dtype=float)
    if cov.shape != (theta.size, theta.size):
        raise ParameterError(f"cov has shape {cov.shape}, theta has {theta.size} values; pass a square array to match.")
    if not (np.isfinite(theta).all() and np.isfinite(cov).all()):
        raise ParameterError("theta or cov holds NaN or infinity: the model is not identified there, or the estimation "
                             "failed. Look at the estimate first.")
    scale = np.sqrt(np.abs(np.diag(cov)))
    scale[scale == 0] = 1
    smallest = np.linalg.eigvalsh((cov + cov.T) / 2 / np.outer(scale, scale)).min()
    if smallest < -1e-8:
        raise ParameterError(f"cov has a negative eigenvalue ({smallest:.2g} in correlation units), so it is no "
                             "covariance. Was it inverted, or computed away from the maximum?")
    return cov


def _steps(theta, cov):
    scale = np.maximum(np.abs(theta), np.minimum(np.sqrt(np.abs(np.diag(cov))), 1))
    return np.finfo(float).eps ** (1 / 3) * np.where(scale > 0, scale, 1)


def _evaluate(function, theta, where):
    values = np.atleast_1d(np.asarray(function(theta.copy()), dtype=float))
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ParameterError(f"function returned {values} {where}; it must return finite values, one-dimensional. "
                             "If theta is close to the edge of its domain, pass jacobian=.")
    return values


def _central_differences(function, theta, steps, n_values):
    J = np.empty((n_values, theta.size))
    for k, step in enumerate(steps):
        up, down = theta.copy(), theta.copy()
        up[k] += step
        down[k] -= step
        J[:, k] = _evaluate(function, up, f"at theta[{k}] + {step:.1e}")
        J[:, k] -= _evaluate(function, down, f"at theta[{k}] - {step:.1e}")
        J[:, k] /= up[k] - down[k]  # the step that was made, after rounding
    return J
