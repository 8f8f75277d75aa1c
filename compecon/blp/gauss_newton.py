"""Gauss-Newton with a memory of curvature: a sum of squares q = r'r minimised in few evaluations."""

import numpy as np
import scipy.optimize

# In standardised parameters; the first step may go far, and shrinks where it fails.
_RADIUS = 100.0


class CurvatureMemory:
    """q and its derivatives in standardised parameters z = (theta - start) * |dr / dtheta at the start|.

    The Hessian of q is 2 (J'J + S) with J = dr/dz and S = sum_m r_m d2 r_m / dz2. Gauss-Newton leaves S out, and crawls
    where r stays large. S is learned here from how J changed: of all symmetric matrices with
    S step = (J_new - J_old)'r_new the one closest to the last, in a suitable norm (Dennis, Gay and Welsch 1981).
    """

    def __init__(self, objective, start):
        self.objective, self.start = objective, start
        scale = np.linalg.norm(objective(start).residuals_jacobian, axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.S, self.last = np.zeros((start.size, start.size)), None

    def theta(self, z):
        """The parameters themselves."""
        return self.start + z / self.scale

    def value_and_gradient(self, z):
        """q and dq/dz = 2 J'r."""
        at = self.objective(self.theta(z))
        return at.value, at.gradient / self.scale

    def hessian(self, z):
        """2 (J'J + S) at `z`."""
        return self.learn(self.objective(self.theta(z)))

    def learn(self, at):
        """2 (J'J + S) at an `Evaluation`, S updated after the last one that was learned from."""
        z, r, J = (at.theta - self.start) * self.scale, at.residuals, at.residuals_jacobian / self.scale
        if self.last is not None:
            last_z, last_r, last_J = self.last
            self._update(z - last_z, J.T @ r - last_J.T @ last_r, (J - last_J).T @ r)
        self.last = z, r, J
        return 2 * (J.T @ J + self.S)

    def _update(self, step, change, bend):
        """The update; change : of half the gradient, bend : (J_new - J_old)'r_new."""
        curvature, known = change @ step, step @ self.S @ step
        if curvature > 0:
            # Where r has shrunk, so has S.
            S = min(1.0, abs(step @ bend / known)) * self.S if known != 0 else self.S
            missing = bend - S @ step
            both = np.outer(missing, change)
            self.S = S + (both + both.T) / curvature - (step @ missing) * np.outer(change, change) / curvature**2


def minimize_squares(objective, theta, gtol, max_iter=100):
    """Minimise q from `theta` by steps within a trust region; returns (theta, converged, iterations).

    objective(theta) is an `Evaluation`. It has converged when |dq/dz| <= gtol: then theta moves by less than about gtol
    standard errors more, if W is efficient. There are no bounds.
    """
    memory = CurvatureMemory(objective, theta)
    options = {"gtol": gtol, "maxiter": max_iter, "initial_trust_radius": _RADIUS, "max_trust_radius": 1e3 * _RADIUS}
    with np.errstate(all="ignore"):
        found = scipy.optimize.minimize(
            memory.value_and_gradient, np.zeros(theta.size), jac=True, hess=memory.hessian, method="trust-exact",
            options=options,
        )  # fmt: skip
    return memory.theta(found.x), bool(np.linalg.norm(found.jac) <= gtol), found.nit
