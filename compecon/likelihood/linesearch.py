"""How far to go along an ascent direction: the unit step with halving, and the secant search on the slope."""

import math
from dataclasses import dataclass

import numpy as np

from compecon.likelihood import kernels

_FLAT = 0.2  # the secant search ends where the slope is down to this share of its start


@dataclass(frozen=True, eq=False)
class Point:
    """The log-likelihood at one parameter vector, its gradient g, the outer product of scores B, and sqrt(g' B^-1 g).

    `ridge` is what B needed to be inverted: 0 where it is positive definite, -1 where it is not finite.
    """

    theta: np.ndarray
    llf: float
    gradient: np.ndarray
    opg: np.ndarray
    residual: float
    ridge: float

    @property
    def usable(self):
        """Whether the value and the derivatives are finite: False outside the model's domain."""
        return math.isfinite(self.llf) and self.ridge >= 0

    @property
    def singular(self):
        """Whether the scores do not span all directions of the parameters."""
        return self.ridge != 0


def evaluate(model, theta):
    """Evaluate `model` at `theta`: a `Point`, unusable where the log-likelihood is not finite."""
    logl, scores = model.loglike(theta)
    n_params = theta.size
    gradient, direction, opg = np.empty(n_params), np.zeros(n_params), np.empty((n_params, n_params))
    ridge = kernels.bhhh(scores, model.weights, gradient, opg, direction, np.empty((n_params + 1, n_params)))
    gain = float(direction @ gradient)
    residual = math.sqrt(gain) if gain >= 0 else math.nan
    return Point(theta, float(model.weights @ logl), gradient, opg, residual, ridge)


def _climbs(point, trial, direction, slope, length):
    """Whether `trial` can be used and gains enough over `point`, by the rule of the kernel."""
    if not trial.usable:
        return False
    trial_slope = float(direction @ trial.gradient)
    return kernels.climbs(trial.llf - point.llf, slope, length, point.llf, trial_slope) == 1


def unit_step(model, point, direction, max_trials=40):
    """Try the whole step, its half, quarter, ...; return (trial, length, evaluations), trial None if none climbs."""
    slope = float(direction @ point.gradient)
    length = 1.0
    for trials in range(1, max_trials + 1):
        trial = evaluate(model, point.theta + length * direction)
        if _climbs(point, trial, direction, slope, length):
            return trial, length, trials
        length /= 2
    return None, 0.0, max_trials


def secant_step(model, point, direction, max_trials=40):
    """Search along `direction` for a zero of the slope by safeguarded secants; same result as `unit_step`.

    The slope at length t is phi(t) = direction' gradient(theta + t direction). From the unit step on, a secant through
    the two ends of the bracket (or through the last two lengths, as long as the slope stays positive) gives the next
    length. It ends at a point that climbs and whose slope is at most a fifth of that at the start.
    """
    slope = float(direction @ point.gradient)
    low, low_slope = 0.0, slope
    high, high_slope = np.inf, np.nan
    length, best = 1.0, (None, 0.0)
    for trials in range(1, max_trials + 1):
        trial = evaluate(model, point.theta + length * direction)
        trial_slope = float(direction @ trial.gradient)
        climbs = _climbs(point, trial, direction, slope, length)
        if climbs and (best[0] is None or trial.llf >= best[0].llf):
            best = (trial, length)
        if climbs and abs(trial_slope) <= _FLAT * slope:
            return trial, length, trials
        if climbs and trial_slope > 0:
            growth = _extrapolate(low, low_slope, length, trial_slope)
            low, low_slope, length = length, trial_slope, growth
            if length >= high:
                length = (low + high) / 2
            continue
        high, high_slope = length, trial_slope if trial.usable and trial_slope < 0 else np.nan
        length = _interpolate(low, low_slope, high, high_slope)
        if best[0] is not None and high - low <= 0.1 * high:
            break
    return best[0], best[1], trials


def _extrapolate(before, before_slope, length, slope):
    """Where the slope would vanish on the secant, between 1.5 and 4 times the present length."""
    fall = before_slope - slope
    target = length + slope * (length - before) / fall if fall > 0 else np.inf
    return min(max(target, 1.5 * length), 4.0 * length)


def _interpolate(low, low_slope, high, high_slope):
    """The secant's zero inside the bracket, kept off its ends; the middle where the upper slope is not known."""
    width = high - low
    if not np.isfinite(high_slope):
        return low + width / 2
    share = low_slope / (low_slope - high_slope)
    return low + width * min(max(share, 0.1), 0.9)
