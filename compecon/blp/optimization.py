"""How theta is searched: scipy's optimizers on objective and gradient, and Gauss-Newton on the moments themselves."""

from dataclasses import dataclass, field

import numpy as np
import scipy.optimize

from compecon._options import one_of, positive, positive_integer
from compecon.blp.gauss_newton import minimize_squares, projected_gradient
from compecon.errors import ParameterError

_UNBOUNDED = ("bfgs", "cg", "trust-exact")
_BOUNDED = ("l-bfgs-b", "slsqp", "tnc", "trust-constr", "gauss-newton")
METHODS = (*_UNBOUNDED, *_BOUNDED, "nelder-mead", "return")
_DEFAULTS = {"bfgs": {"gtol": 1e-5}, "l-bfgs-b": {"ftol": 0, "gtol": 1e-8}, "gauss-newton": {"gtol": 1e-8}}
_LAST_STEPS = 20


@dataclass(frozen=True)
class Optimization:
    """An optimizer of the GMM objective q = N g'Wg and its options.

    Parameters
    ----------
    method : str
        'bfgs', 'cg', 'l-bfgs-b', 'slsqp', 'tnc', 'trust-constr' and 'nelder-mead' (no gradient) are those of
        scipy.optimize.minimize; 'trust-exact' is too, with the Gauss-Newton Hessian 2 N G'WG. 'gauss-newton' knows that
        q is a sum of squares, whose derivatives are at hand, and learns the rest of its curvature: it needs the fewest
        evaluations. 'return' evaluates at the starting values and stays there. 'l-bfgs-b', 'slsqp', 'tnc',
        'trust-constr' and 'gauss-newton' respect bounds.
    method_options : dict
        Passed to scipy. `gtol` is the tolerance on the largest element of the gradient of q (1e-8 for 'l-bfgs-b' and
        'gauss-newton', 1e-5 for 'bfgs', scipy's own for the others), `maxiter` the limit of iterations.

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
            one_of(name, ("gtol", "maxiter"), "option of 'gauss-newton'")
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

        `objective(theta)` returns an `Evaluation`; `converged` says that the projected gradient met gtol (or rounding,
        see `minimize_squares`) where there is one, and what scipy reports elsewhere.
        """
        if self.method == "return" or theta.size == 0:
            return theta, True, 0
        if self.method == "gauss-newton":
            return self._minimize_squares(objective, theta, lower, upper, self.method_options.get("maxiter", 1000))
        found = self._minimize(objective, theta, lower, upper)
        if self.method == "bfgs" and found.status == 2:  # "precision loss" in the line search: Newton's steps go on
            return self._minimize_squares(objective, found.x, lower, upper, _LAST_STEPS, found.nit)
        converged = bool(found.success)
        if "gtol" in self.method_options:
            gradient = projected_gradient(objective(found.x).gradient, found.x, lower, upper)
            converged = bool(np.abs(gradient).max() <= self.method_options["gtol"])
        return found.x, converged, int(found.nit)

    def _minimize_squares(self, objective, theta, lower, upper, max_iter, n_iter=0):
        with np.errstate(all="ignore"):
            theta, converged, n_steps = minimize_squares(
                objective, theta, self.method_options["gtol"], max_iter, lower, upper, units=1.0
            )
        return theta, converged, n_iter + n_steps

    def _minimize(self, objective, theta, lower, upper):
        keywords = {"method": self.method, "options": self.method_options}
        if self.supports_bounds and np.isfinite([lower, upper]).any():
            keywords["bounds"] = list(zip(lower, upper, strict=True))
        if self.method == "trust-exact":
            keywords["hess"] = lambda x: objective(x).gauss_newton_hessian
        if self.method == "nelder-mead":
            return scipy.optimize.minimize(lambda x: objective(x).value, theta, **keywords)
        with np.errstate(all="ignore"):
            return scipy.optimize.minimize(lambda x: objective(x).value_and_gradient, theta, jac=True, **keywords)
