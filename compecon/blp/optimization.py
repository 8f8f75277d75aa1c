"""How theta is searched: scipy's optimizers on objective and gradient, and Gauss-Newton on the moments themselves."""

from dataclasses import dataclass, field

import numpy as np
import scipy.optimize

from compecon._options import one_of, positive, positive_integer
from compecon.blp.gauss_newton import CurvatureMemory
from compecon.errors import ParameterError

_UNBOUNDED = ("bfgs", "cg", "trust-exact")
_BOUNDED = ("l-bfgs-b", "slsqp", "tnc", "trust-constr", "gauss-newton")
METHODS = (*_UNBOUNDED, *_BOUNDED, "nelder-mead", "return")
_DEFAULTS = {"bfgs": {"gtol": 1e-5}, "l-bfgs-b": {"ftol": 0, "gtol": 1e-8}, "gauss-newton": {"gtol": 1e-8}}
# Where a step lowers q by less than this share, the gradient says more than q.
_SMALL_GAIN = 1e-10
_MOST_STEPS = 50


@dataclass(frozen=True)
class Optimization:
    """An optimizer of the GMM objective q = N g'Wg and its options.

    Parameters
    ----------
    method : str
        'bfgs', 'cg', 'l-bfgs-b', 'slsqp', 'tnc', 'trust-constr' and 'nelder-mead' (no gradient) are those of
        scipy.optimize.minimize; 'trust-exact' is too, with the Gauss-Newton Hessian 2 N G'WG. 'gauss-newton' is
        scipy.optimize.least_squares on the weighted moments, whose Jacobian is known: it needs the fewest evaluations.
        It and 'bfgs' end with Newton's steps where q is too flat for scipy's tests. 'return' evaluates at the starting
        values and stays there. 'l-bfgs-b', 'slsqp', 'tnc', 'trust-constr' and 'gauss-newton' respect bounds.
    method_options : dict
        Passed to scipy. `gtol` is the tolerance on the largest element of the gradient of q (1e-8 for 'l-bfgs-b' and
        'gauss-newton', 1e-5 for 'bfgs', scipy's own for the others). 'gauss-newton' also knows `ftol`, `xtol` and
        `maxiter`.

    Raises
    ------
    ParameterError
        For an unknown method, options for 'return', or unknown ones for 'gauss-newton'.

    Examples
    --------
    >>> from compecon import blp
    >>> blp.Optimization("bfgs", {"gtol": 1e-5})
    Optimization(method='bfgs', method_options={'gtol': 1e-05})
    """

    method: str
    method_options: dict = field(default_factory=dict)

    def __post_init__(self):
        one_of(self.method, METHODS, "method")
        chosen = {} if self.method_options is None else self.method_options
        if not isinstance(chosen, dict):
            raise ParameterError(f"method_options = {chosen!r}; it must be a dict like {{'gtol': 1e-8}}, or None.")
        if self.method == "return" and chosen:
            raise ParameterError("the method 'return' takes no options.")
        for name in chosen if self.method == "gauss-newton" else ():
            one_of(name, ("gtol", "ftol", "xtol", "maxiter"), "option of 'gauss-newton'")
        for name, check in (("gtol", positive), ("maxiter", positive_integer)):
            if name in chosen:
                check(chosen[name], name)
        object.__setattr__(self, "method_options", _DEFAULTS.get(self.method, {}) | chosen)

    @property
    def supports_bounds(self):
        """True when the method keeps theta within bounds."""
        return self.method in _BOUNDED

    def search(self, objective, theta, lower, upper):
        """Minimise from `theta`; returns (theta, converged, iterations).

        `objective(theta)` returns an `Evaluation`; `converged` says that the projected gradient met gtol where there is
        one, and what scipy reports elsewhere.
        """
        if self.method == "return" or theta.size == 0:
            return theta, True, 0
        if self.method == "gauss-newton":
            found, step = self._least_squares(objective, theta, lower, upper)
        else:
            found, step = self._minimize(objective, theta, lower, upper)
        theta, n_iter, converged = found.x, found.nit, bool(found.success)
        if step is not None:
            theta, n_steps = self._polish(objective, theta, lower, upper, step)
            n_iter += n_steps
        if "gtol" in self.method_options:
            gradient = projected_gradient(objective(theta).gradient, theta, lower, upper)
            converged = bool(np.abs(gradient).max() <= self.method_options["gtol"])
        return theta, converged, n_iter

    def _least_squares(self, objective, theta, lower, upper):
        chosen = {"ftol": _SMALL_GAIN, "xtol": 1e-15, "x_scale": "jac"} | self.method_options
        chosen["max_nfev"] = chosen.pop("maxiter", None)
        bounds = lower, upper
        # trf stays inside the bounds, and creeps towards one that binds; dogbox steps on it.
        chosen["method"] = "dogbox" if np.isfinite(bounds).any() else "trf"
        # The gradient of q is twice that of the half sum of squares which least_squares minimises.
        chosen["gtol"] /= 2
        memory = CurvatureMemory(objective, theta)

        def jacobian(x):
            memory.learn(objective(x))
            return objective(x).residuals_jacobian

        def step(at, free):
            hessian = memory.learn(at) * np.outer(memory.scale, memory.scale)
            return np.linalg.lstsq(hessian[np.ix_(free, free)], at.gradient[free])[0]

        with np.errstate(all="ignore"):
            found = scipy.optimize.least_squares(lambda x: objective(x).residuals, theta, jacobian, bounds, **chosen)
        found.nit = found.njev
        return found, step if found.status > 0 else None

    def _minimize(self, objective, theta, lower, upper):
        keywords = {"method": self.method, "options": self.method_options}
        if self.supports_bounds and np.isfinite([lower, upper]).any():
            keywords["bounds"] = list(zip(lower, upper, strict=True))
        if self.method == "trust-exact":
            keywords["hess"] = lambda x: objective(x).gauss_newton_hessian
        if self.method == "nelder-mead":
            return scipy.optimize.minimize(lambda x: objective(x).value, theta, **keywords), None
        with np.errstate(all="ignore"):
            found = scipy.optimize.minimize(lambda x: objective(x).value_and_gradient, theta, jac=True, **keywords)
        stuck = self.method == "bfgs" and found.status == 2  # "precision loss"
        return found, (lambda at, free: found.hess_inv @ at.gradient) if stuck else None

    def _polish(self, objective, theta, lower, upper, step):
        """Newton's steps while the gradient falls, where q is too flat to tell points apart; theta and their number.

        step(evaluation, free) : the step of the parameters that are not at a bound.
        """

        def gradient(theta):
            return projected_gradient(objective(theta).gradient, theta, lower, upper)

        here = gradient(theta)
        for n_steps in range(_MOST_STEPS):
            if np.abs(here).max() <= self.method_options["gtol"]:
                break
            at, change = objective(theta), here.copy()
            free = here == at.gradient  # the others go to their bounds
            change[free] = step(at, free)
            moved = np.clip(theta - change, lower, upper)
            there = gradient(moved)
            if not np.abs(there).max() < np.abs(here).max():
                break
            theta, here = moved, there
        return theta, n_steps


def projected_gradient(gradient, theta, lower, upper):
    """The gradient, each element cut to the distance from the bound at which descent would end."""
    return np.clip(gradient, theta - upper, theta - lower)
