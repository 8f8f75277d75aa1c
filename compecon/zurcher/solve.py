"""Solving the Bellman equation: successive approximations, Newton-Kantorovich, the polyalgorithm, the dense Newton."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from compecon._options import one_of, positive_integer
from compecon.errors import ConvergenceError, ConvergenceWarning, ParameterError
from compecon.zurcher import kernels
from compecon.zurcher.dense import newton_dense, transition_matrix

# Sweeps are cheap and many are needed near discount 1; Newton converges within a few dozen steps or not at all.
NEWTON_STEPS = 200
_MAX_ITER = {"newton": NEWTON_STEPS, "contraction": 1_000_000, "poly": NEWTON_STEPS, "dense": NEWTON_STEPS}
# Rust's polyalgorithm: at most 20 sweeps, left when the error ratio is within 0.02 of the discount factor.
POLY_SWEEPS, POLY_SWITCH = 20, 0.02


@dataclass(frozen=True, eq=False)
class Solution:
    """A fixed point of the Bellman operator, and how it was found.

    Attributes
    ----------
    ev : (n,) float
        Expected value of a bus in each state before its next month, Euler's constant left out.
    choice_prob : (n, 2) float
        Probability to keep and to replace, by state.
    converged : bool
        Whether `residual <= tol`; False for NaN.
    n_iter : int
        Sweeps and Newton steps.
    residual : float
        Newton: sup norm of the last step over max(1, abs EV). Contraction: the bound discount/(1-discount) times the
        last relative change, so that both mean a distance to the fixed point.
    steps : (n_iter,) float
        The same measure at every iteration.
    n_sweeps : int
        How many of the iterations were successive approximations; they come first.
    """

    model: object
    params: object
    method: str
    ev: np.ndarray
    choice_prob: np.ndarray
    converged: bool
    n_iter: int
    residual: float
    tol: float
    steps: np.ndarray
    n_sweeps: int

    def require_convergence(self):
        """Raise ConvergenceError unless the solution converged: for results that would be wrong without it."""
        if not self.converged:
            raise ConvergenceError(
                f"the model could not be solved at {self.params!r} (relative step {self.residual:.1e} after "
                f"{self.n_iter} iterations); check the parameters, or use another method."
            )

    @property
    def trace(self):
        """DataFrame with one row an iteration: what it was, and its `step` (see `residual`)."""
        kinds = np.where(np.arange(self.n_iter) < self.n_sweeps, "contraction", "newton")
        index = pd.RangeIndex(1, self.n_iter + 1, name="iteration")
        return pd.DataFrame({"kind": kinds, "step": self.steps}, index=index)

    def __repr__(self):
        state = "converged" if self.converged else "NOT converged"
        return f"Solution({self.method}, {state}, n_iter={self.n_iter}, residual={self.residual:.1e})"


def default_tol(discount):
    """The relative accuracy asked for: 1e-12, or what doubles allow near discount 1, 4 eps / (1 - discount)."""
    return kernels.tolerance(discount)


def solve(model, params, method="newton", ev0=None, tol=None, max_iter=None):
    """Solve EV = Gamma(EV) for `model` at `params`.

    Parameters
    ----------
    model : ZurcherModel
    params : Params
    method : {'newton', 'contraction', 'poly', 'dense'}
        'newton': Newton-Kantorovich steps of O(n J) each, globally convergent. 'contraction': successive
        approximations. 'poly': Rust's polyalgorithm, at most 20 sweeps and then Newton. 'dense': Newton with
        an n x n matrix, as in textbooks.
    ev0 : (n,) float, optional
        Where to start; zero by default.
    tol : float, optional
        Relative accuracy; `max(1e-12, 4 eps / (1 - discount))` by default.
    max_iter : int, optional

    Returns
    -------
    Solution

    Raises
    ------
    ParameterError
        Unknown method, theta1 of the wrong length, costs that are not finite, a tolerance below the default's floor.

    Warns
    -----
    ConvergenceWarning
        When the tolerance was not met; the result then says `converged=False`.

    Examples
    --------
    >>> from compecon import zurcher
    >>> model = zurcher.ZurcherModel(n_states=90, discount=0.9999)
    >>> params = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    >>> model.solve(params, method="contraction").n_iter > 200_000
    True
    """
    cost, p = model.costs(params.theta1), params.theta3
    floor = default_tol(model.discount)
    tol = floor if tol is None else _check_tol(tol, floor)
    max_iter = _check_max_iter(method, max_iter)
    ev = np.zeros(model.n_states) if ev0 is None else _check_start(model, ev0)
    work = np.empty((7, ev.size))
    steps, n_sweeps = _iterate(method, ev, cost, p, params.RC, model.discount, tol, max_iter, work)
    residual = float(steps[-1])
    converged = bool(residual <= tol)
    if not converged:
        warnings.warn(
            f"method {method!r} stopped after {steps.size} iterations at {residual:.1e}, above its tolerance "
            f"{tol:.1e}; raise max_iter, or use method='newton'.",
            ConvergenceWarning,
            stacklevel=3,
        )
    return Solution(model, params, method, ev, work[:2].copy().T, converged, steps.size, residual, tol, steps, n_sweeps)


def _iterate(method, ev, cost, p, RC, discount, tol, max_iter, work):
    """Run `method` on `ev` in place, with keep and replace in work; return the steps and how many were sweeps."""
    problem = (ev, cost, p, RC, discount, tol)
    if method == "dense":
        ev[:], steps = newton_dense(ev, cost, transition_matrix(p, ev.size), RC, discount, tol, max_iter)
        kernels.choose(ev, cost, RC, discount, work[0], work[1], work[2])
        return steps, 0
    steps, n_sweeps, n_steps = np.empty(max_iter + POLY_SWEEPS), 0, 0
    if method == "contraction":
        n_sweeps = kernels.contract(*problem, 0.0, max_iter, steps, work)
    elif method == "poly":
        n_sweeps = kernels.contract(*problem, POLY_SWITCH, POLY_SWEEPS, steps, work)
    if method != "contraction":
        n_steps = kernels.newton(*problem, max_iter, steps[n_sweeps:], work)
    return steps[: n_sweeps + n_steps].copy(), n_sweeps


def bellman(model, ev, params):
    """Gamma(ev) for `model` at `params`; ev and the result are (n,) arrays."""
    ev, cost = _check_start(model, ev), model.costs(params.theta1)
    keep, replace, logsum, image = np.empty((4, model.n_states))
    kernels.choose(ev, cost, params.RC, model.discount, keep, replace, logsum)
    kernels.expect(logsum, params.theta3, image)
    return image


def _check_start(model, ev0):
    """A fresh float copy of `ev0`, refused unless it holds n finite values."""
    ev = np.array(ev0, dtype=np.float64)
    if ev.shape != (model.n_states,) or not np.isfinite(ev).all():
        raise ParameterError(f"ev must hold {model.n_states} finite values, one a state; it has shape {ev.shape}.")
    return ev


def _check_tol(tol, floor):
    """Refuse a tolerance that doubles cannot meet: the flag would say 'not converged' at the exact answer."""
    if not tol >= floor:
        raise ParameterError(f"tol = {tol!r} cannot be met at this discount factor; ask for {floor:.1e} or more.")
    return float(tol)


def _check_max_iter(method, max_iter):
    """The method's own limit unless one is given; also where a misspelt method is caught."""
    default = _MAX_ITER[one_of(method, _MAX_ITER, "method")]
    return default if max_iter is None else positive_integer(max_iter, "max_iter")
