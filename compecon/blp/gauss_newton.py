"""Gauss-Newton with a memory of curvature: a sum of squares q = r'r minimised in few evaluations, within bounds."""

import numpy as np
import scipy.optimize

# In standardised parameters; the first step may go far, and shrinks where it fails.
_RADIUS = 100.0
# Where a step should lower q by less than this share, rounding hides whether it does: a few are taken unseen.
_FLAT, _MOST_FLAT = 1e-10, 10
_SMALL_GRADIENT = 1e-10


class CurvatureMemory:
    """The Hessian of q in standardised parameters z = theta * |dr / dtheta at the start|.

    It is 2 (J'J + S) with J = dr/dz and S = sum_m r_m d2 r_m / dz2. Gauss-Newton leaves S out, and crawls where r stays
    large. S is learned here from how J changed: of all symmetric matrices with S step = (J_new - J_old)'r_new the one
    closest to the last, in a suitable norm (Dennis, Gay and Welsch 1981).
    """

    def __init__(self, start):
        scale = np.linalg.norm(start.residuals_jacobian, axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.S, self.last = np.zeros((scale.size, scale.size)), None

    def hessian(self, at):
        """2 (J'J + S) at an `Evaluation`, S updated since the last one."""
        z, r, J = at.theta * self.scale, at.residuals, at.residuals_jacobian / self.scale
        if self.last is not None:
            last_z, last_r, last_J = self.last
            self._update(z - last_z, J.T @ r - last_J.T @ last_r, (J - last_J).T @ r)
        self.last = z, r, J
        return 2 * (J.T @ J + self.S)

    def _update(self, step, change, bend):
        """change : of half the gradient, bend : (J_new - J_old)'r_new."""
        curvature, known = change @ step, step @ self.S @ step
        if curvature > 0:
            # Where r has shrunk, so has S.
            S = min(1.0, abs(step @ bend / known)) * self.S if known != 0 else self.S
            missing = bend - S @ step
            both = np.outer(missing, change)
            self.S = S + (both + both.T) / curvature - (step @ missing) * np.outer(change, change) / curvature**2


def minimize_squares(objective, theta, gtol, max_iter=100, lower=-np.inf, upper=np.inf, units=None):
    """Minimise q from `theta` by steps within a trust region and bounds; returns (theta, converged, iterations).

    objective(theta) is an `Evaluation`. It has converged when no element of the projected gradient, divided by `units`,
    exceeds gtol. By default these are |dr / dtheta| at the start: then theta moves by less than about gtol standard
    errors more, if W is efficient. In these units 1e-10 is always enough: below lies rounding.
    """
    at, radius, n_iter, flat = objective(theta), _RADIUS, 0, []
    memory = CurvatureMemory(at)
    hessian = memory.hessian(at)

    def size(at, units=memory.scale if units is None else units):
        return np.abs(projected_gradient(at.gradient, at.theta, lower, upper, units)).max()

    def met(at):
        return bool(size(at) <= gtol or size(at, memory.scale) <= _SMALL_GRADIENT)

    while not met(at) and n_iter < max_iter and len(flat) < _MOST_FLAT:
        gradient, n_iter = at.gradient / memory.scale, n_iter + 1
        low, high = (lower - at.theta) * memory.scale, (upper - at.theta) * memory.scale
        step = _step_within_bounds(hessian, gradient, radius, low, high)
        there = objective(np.clip(at.theta + step / memory.scale, lower, upper))
        gain, expected = at.value - there.value, -(gradient + hessian @ step / 2) @ step
        if expected < _FLAT * at.value:
            flat.append(there)
        elif gain < 0.25 * expected:
            radius = 0.1 * np.linalg.norm(step)
        elif gain > 0.5 * expected:
            radius = max(radius, 2 * np.linalg.norm(step))
        if there in flat or gain > 1e-4 * expected:
            at, hessian = there, memory.hessian(there)
    at = min([at, *flat], key=size)
    return at.theta, met(at), n_iter


def projected_gradient(gradient, theta, lower, upper, units=1.0):
    """gradient / units, each element cut to the distance, in these units, of the bound at which descent would end."""
    return np.clip(gradient / units, (theta - upper) * units, (theta - lower) * units)


def _step_within_bounds(hessian, gradient, radius, low, high):
    """Least g'p + p'Hp / 2 with |p| <= radius, low <= p <= high: what meets a bound stays there, the rest goes on."""
    step, free = np.zeros(gradient.size), ~((low >= 0) & (gradient > 0) | (high <= 0) & (gradient < 0))
    while free.any():
        slope = gradient + hessian[:, ~free] @ step[~free]
        step[free] = _step_within_radius(hessian[np.ix_(free, free)], slope[free], radius)
        outside = (step < low) | (step > high)
        step = np.clip(step, low, high)
        if not outside.any():
            break
        free &= ~outside
    return step


def _step_within_radius(hessian, gradient, radius):
    """Least g'p + p'Hp / 2 with |p| <= radius: p = -(H + shift)^-1 g with the least shift >= 0 that will do."""
    values, vectors = np.linalg.eigh(hessian)
    along = vectors.T @ gradient
    shift = max(0.0, 1e-12 * values[-1] - values[0])

    def excess(shift):
        return 1 / radius - 1 / np.linalg.norm(along / (values + shift))

    if excess(shift) > 0:
        shift = scipy.optimize.brentq(excess, shift, shift + np.linalg.norm(along) / radius)
    return -vectors @ (along / (values + shift))
