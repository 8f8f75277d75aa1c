"""How far to go along an ascent direction: the unit step with halving, and the secant search on the slope."""

import math
from dataclasses import dataclass

import numpy as np

from compecon.likelihood import kernels


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

    The slope at length t is phi(t) = direction' gradient(theta + t direction). The search, by the kernels, ends at a
    point that climbs and whose slope is at most a fifth of that at the start.
    """
    slope, search, best = float(direction @ point.gradient), np.empty(kernels.SEARCH_SIZE), None
    kernels.secant_start(search, slope)
    for trials in range(1, max_trials + 1):
        length = float(search[kernels.LENGTH])
        trial = evaluate(model, point.theta + length * direction)
        trial_slope = float(direction @ trial.gradient) if trial.usable else math.nan
        climbs = int(_climbs(point, trial, direction, slope, length))
        verdict = kernels.secant_next(search, climbs, trial.llf, trial_slope)
        if search[kernels.BEST] == length:
            best = trial
        if verdict == 1:
            return trial, length, trials
        if verdict == 0:
            break
    return best, float(search[kernels.BEST]), trials
