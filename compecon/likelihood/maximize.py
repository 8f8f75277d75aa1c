"""Maximising a log-likelihood: BHHH, Newton, BFGS and the switch from BHHH to BFGS, in one loop.

All four go along the direction M^-1 g for a matrix M that stands for minus the Hessian; they differ in M alone. BHHH
takes the outer product of the scores, Newton the exact second derivatives, BFGS an approximation built from the path.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from compecon._options import one_of, positive, positive_integer, vector
from compecon.errors import ConvergenceWarning, ParameterError
from compecon.likelihood import kernels
from compecon.likelihood.linesearch import evaluate, secant_step, unit_step

_STEPS = {"unit": unit_step, "secant": secant_step}


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where an optimizer stopped, and its path.

    Attributes
    ----------
    theta : (K,) float
    llf : float
    gradient : (K,) float
    residual : float
        sqrt(g' B^-1 g), with B the outer product of the scores: the distance to the maximum in standard errors,
        whatever the units of the parameters.
    converged : bool
        Whether `residual <= tol` and B is not singular.
    n_iter, n_evaluations : int
    path : (n_iter + 1, K) float
        Every accepted point, the start included.
    """

    method: str
    param_names: tuple[str, ...]
    theta: np.ndarray
    llf: float
    gradient: np.ndarray
    residual: float
    converged: bool
    n_iter: int
    n_evaluations: int
    message: str
    path: np.ndarray
    history: np.ndarray

    @property
    def trace(self):
        """DataFrame with one row an iteration: llf, residual, step length, ridge, evaluations, and the parameters."""
        columns = ["llf", "residual", "step", "ridge", "evaluations"]
        frame = pd.DataFrame(self.history, columns=columns, index=pd.RangeIndex(len(self.history), name="iteration"))
        frame["evaluations"] = frame["evaluations"].astype(int)
        return frame.join(pd.DataFrame(self.path, columns=list(self.param_names), index=frame.index))

    def __repr__(self):
        state = "converged" if self.converged else "NOT converged"
        numbers = f"llf={self.llf:.6f}, n_iter={self.n_iter}, residual={self.residual:.1e}"
        return f"Maximum({self.method}, {state}, {numbers})"


def bhhh(model, start, **options):
    """Berndt, Hall, Hall and Hausman (1974): M is the outer product of the scores; options as in `maximize`."""
    return maximize(model, start, "bhhh", **options)


def newton(model, start, **options):
    """Newton's method: M is minus the exact Hessian; options as in `maximize`."""
    return maximize(model, start, "newton", **options)


def bfgs(model, start, **options):
    """BFGS from the diagonal of the outer product; options as in `maximize`."""
    return maximize(model, start, "bfgs", **options)


def bhhh_bfgs(model, start, **options):
    """BHHH to within a standard error of the maximum, then BFGS from its outer product; options as in `maximize`."""
    return maximize(model, start, "bhhh-bfgs", **options)


def maximize(model, start, method="bhhh-bfgs", step=None, tol=1e-7, max_iter=500):
    """Maximise the log-likelihood of `model` from `start`.

    Parameters
    ----------
    model : LikelihoodModel
    start : (K,) float
    method : {'bhhh', 'newton', 'bfgs', 'bhhh-bfgs'}
    step : {'unit', 'secant'}, optional
        'unit': the whole step, halved until it climbs. 'secant': a search for a zero of the slope along the
        direction, Rust's own remedy for BHHH's poor step length. By default 'secant' for BHHH and 'unit' for the
        others.
    tol : float
        On `residual`, in standard errors.
    max_iter : int

    Returns
    -------
    Maximum

    Raises
    ------
    ParameterError
        Unknown names, a start of the wrong length, or one where the log-likelihood is not finite.

    Warns
    -----
    ConvergenceWarning
        When the tolerance was not met.

    Examples
    --------
    >>> from compecon.likelihood import examples, newton
    >>> newton(examples.Poisson([2, 0, 3, 1]), [1.0]).theta.round(6).tolist()
    [1.5]
    """
    metric, own_step = _METHODS[one_of(method, _METHODS, "option")]
    search = _STEPS[one_of(step or own_step, _STEPS, "option")]
    tol, max_iter = positive(tol, "tol"), positive_integer(max_iter, "max_iter")
    point = evaluate(model, _check_start(model, start))
    if not point.usable:
        raise ParameterError(
            f"the log-likelihood is {point.llf} at the start {point.theta.tolist()}; begin inside the model's domain."
        )
    maximum = _climb(model, point, method, metric, search, tol, max_iter)
    if not maximum.converged:
        warnings.warn(f"{method}: {maximum.message}", ConvergenceWarning, stacklevel=3)
    return maximum


def _climb(model, point, method, metric, search, tol, max_iter):
    """The loop that all methods share."""
    path, history = [point.theta], []
    factor, direction = np.empty((point.theta.size + 1, point.theta.size)), np.empty(point.theta.size)
    before, matrix, length, n_evaluations = None, None, 0.0, 1
    while True:
        converged = bool(point.residual <= tol) and not point.singular
        matrix = metric(model, point, before, matrix)
        ridge = kernels.ascent(matrix, point.gradient, direction, factor)
        history.append((point.llf, point.residual, length, ridge, n_evaluations))
        if converged or len(path) > max_iter or ridge < 0:
            break
        trial, length, trials = search(model, point, direction)
        n_evaluations += trials
        if trial is None:
            break
        before, point = point, trial
        path.append(point.theta)
    message = _explain(point, converged, tol, len(path) - 1, max_iter)
    return Maximum(
        method, tuple(model.param_names), point.theta, point.llf, point.gradient, point.residual, converged,
        len(path) - 1, n_evaluations, message, np.array(path), np.array(history),
    )  # fmt: skip


def _explain(point, converged, tol, n_iter, max_iter):
    """One sentence on why the loop ended."""
    distance = f"{point.residual:.1e} standard errors from the maximum"
    if converged:
        return f"converged, {distance}."
    if point.singular and point.residual <= tol:
        return "the scores are collinear here: some direction of the parameters is not identified by the data."
    if n_iter >= max_iter:
        return f"stopped at {max_iter} iterations, {distance}; raise max_iter."
    return f"no step along the direction raises the log-likelihood, {distance}; try another start or method."


def _bhhh_metric(model, point, before, matrix):
    return point.opg


def _newton_metric(model, point, before, matrix):
    return -total_hessian(model, point.theta)


def _bfgs_metric(model, point, before, matrix):
    if before is None:
        return np.diag(np.diag(point.opg))
    return _bfgs_update(matrix, point, before)


def _switch_metric(model, point, before, matrix):
    # residual^2 is twice the predicted gain; below one, the quadratic picture that BFGS draws from is a good one.
    if before is None or before.residual > 1:
        return point.opg
    return _bfgs_update(matrix, point, before)


def _bfgs_update(matrix, point, before):
    """The BFGS matrix after the step from `before` to `point`."""
    updated, image = np.empty_like(matrix), np.empty(point.theta.size)
    kernels.bfgs_update(matrix, point.theta - before.theta, before.gradient - point.gradient, image, updated)
    return updated


# The matrix M, and the step rule that suits it.
_METHODS = {
    "bhhh": (_bhhh_metric, "secant"),
    "newton": (_newton_metric, "unit"),
    "bfgs": (_bfgs_metric, "unit"),
    "bhhh-bfgs": (_switch_metric, "unit"),
}


def total_hessian(model, theta):
    """(K, K): the sum of the terms' second derivatives, each as often as it was observed."""
    weights = np.require(model.weights, np.float64, ["C", "W"])
    hessian = np.require(model.hessian_obs(theta), np.float64, ["C", "W"])
    n_params = len(model.param_names)
    if hessian.shape != (weights.size, n_params, n_params):
        raise ParameterError(
            f"hessian_obs of {type(model).__name__} has shape {hessian.shape}; it must hold one "
            f"{n_params} x {n_params} matrix for each of the {weights.size} weights."
        )
    total = np.empty((n_params, n_params))
    kernels.curvature_total(weights, hessian, total)
    return total


def _check_start(model, start):
    theta = vector(start, "start")
    if theta.size != len(model.param_names):
        raise ParameterError(
            f"start = {theta.tolist()}; it must hold {len(model.param_names)} values, "
            f"for {', '.join(model.param_names)}."
        )
    return theta
