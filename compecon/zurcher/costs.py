"""Monthly operating cost c(x, theta1) as a function of the mileage state, in units of the taste shock's scale."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Cost:
    """A cost function with its exact derivatives, all evaluated at once on the states x = 0, 1, ..., n-1.

    Parameters
    ----------
    name : str
        What `summary()` and `repr` call it.
    param_names : tuple of str
        One name for each element of theta1 (K1 of them).
    value : callable (x, theta1) -> (n,)
    gradient : callable (x, theta1) -> (K1, n)
    hessian : callable (x, theta1) -> (K1, K1, n)
    start : tuple of float
        Where an estimation begins when it is not told otherwise.

    Examples
    --------
    A cost that saturates, c(x) = theta11 (1 - exp(-theta12 x)):

    >>> import numpy as np
    >>> from compecon import zurcher
    >>> def value(x, t): return t[0] * (1 - np.exp(-t[1] * x))
    >>> def gradient(x, t): return np.array([1 - np.exp(-t[1] * x), t[0] * x * np.exp(-t[1] * x)])
    >>> def hessian(x, t):
    ...     cross = x * np.exp(-t[1] * x)
    ...     return np.array([[0 * x, cross], [cross, -t[0] * x * cross]])
    >>> cost = zurcher.Cost("saturating", ("theta11", "theta12"), value, gradient, hessian, start=(0.1, 0.01))
    >>> zurcher.ZurcherModel(n_states=90, discount=0.99, cost=cost)
    ZurcherModel(n_states=90, discount=0.99, cost='saturating')
    """

    name: str
    param_names: tuple[str, ...]
    value: Callable
    gradient: Callable
    hessian: Callable
    start: tuple[float, ...]

    def __post_init__(self):
        object.__setattr__(self, "param_names", tuple(self.param_names))
        object.__setattr__(self, "start", tuple(float(value) for value in self.start))
        if len(self.start) != len(self.param_names) or not self.param_names:
            raise ParameterError(
                f"cost {self.name!r} names {len(self.param_names)} parameters {self.param_names} and has "
                f"{len(self.start)} starting values; give one starting value for each parameter."
            )

    def check(self, n_states, theta1, tol=1e-5):
        """Compare shapes and derivatives with central differences at `theta1`; raise ParameterError where they part."""
        x, theta1 = np.arange(float(n_states)), np.asarray(theta1, dtype=float)
        pairs = (("gradient", self.gradient, self.value), ("hessian", self.hessian, self.gradient))
        for label, derivative, function in pairs:
            given = np.asarray(derivative(x, theta1), dtype=float)
            steps = 1e-6 * np.maximum(1.0, np.abs(theta1))
            numeric = np.array([
                (np.asarray(function(x, theta1 + e)) - np.asarray(function(x, theta1 - e))) / (2 * h)
                for e, h in zip(np.diag(steps), steps)
            ])
            if given.shape != numeric.shape:
                raise ParameterError(
                    f"the {label} of cost {self.name!r} has shape {given.shape}; with {theta1.size} parameters "
                    f"and {n_states} states it must be {numeric.shape}."
                )
            gap, size = (np.abs(a).reshape(theta1.size, -1).max(axis=1) for a in (given - numeric, numeric))
            # A difference over 2h carries the rounding error of what it subtracts, over h.
            rounding = 100 * np.finfo(float).eps * np.abs(np.asarray(function(x, theta1))).max() / steps
            if not (gap <= tol * size + rounding).all():
                k = int(np.argmax(gap / (tol * size + rounding + 1e-300)))
                raise ParameterError(
                    f"the {label} of cost {self.name!r} in {self.param_names[k]} differs from a central difference "
                    f"by {gap[k]:.2g} at theta1 = {theta1.tolist()}; correct the derivative."
                )


def _linear_in_parameters(name, basis, start):
    """A cost theta1 @ basis(x), with basis(x) of shape (K1, n)."""
    names = tuple(f"theta1{k}" for k in range(1, len(start) + 1))
    return Cost(
        name,
        names,
        value=lambda x, theta1: theta1 @ basis(x),
        gradient=lambda x, theta1: basis(x),
        hessian=lambda x, theta1: np.zeros((len(names), len(names), x.size)),
        start=start,
    )


def _power():
    """c = theta11 (x+1)^theta12, the one cost of Rust's Table VIII that is not linear in its parameters."""

    # An optimizer may try exponents that overflow; the solver refuses the infinite costs.
    quiet = np.errstate(over="ignore", invalid="ignore")

    @quiet
    def value(x, theta1):
        return theta1[0] * (x + 1) ** theta1[1]

    @quiet
    def gradient(x, theta1):
        curve = (x + 1) ** theta1[1]
        return np.array([curve, theta1[0] * curve * np.log(x + 1)])

    @quiet
    def hessian(x, theta1):
        cross = (x + 1) ** theta1[1] * np.log(x + 1)
        return np.array([[np.zeros(x.size), cross], [cross, theta1[0] * cross * np.log(x + 1)]])

    return Cost("power", ("theta11", "theta12"), value, gradient, hessian, start=(0.01, 0.5))


# Rust's Table VIII. The polynomials count states from 0; the others from 1, the only way to meet his values.
COSTS = {
    cost.name: cost
    for cost in (
        _linear_in_parameters("linear", lambda x: 1e-3 * x[None, :], (2.0,)),
        _linear_in_parameters("quadratic", lambda x: np.array([1e-3 * x, 1e-5 * x**2]), (2.0, 0.0)),
        _linear_in_parameters("cubic", lambda x: np.array([1e-3 * x, 1e-5 * x**2, 1e-7 * x**3]), (2.0, 0.0, 0.0)),
        _linear_in_parameters("sqrt", lambda x: np.array([1e-2 * np.sqrt(x + 1)]), (2.0,)),
        _linear_in_parameters("hyperbolic", lambda x: np.array([1e-1 / (x.size - x)]), (1.0,)),
        _linear_in_parameters(
            "mixed", lambda x: np.array([1e-1 / (x.size - x), 1e-2 * np.sqrt(x + 1)]), (0.0, 2.0)
        ),
        _power(),
    )
}


def find_cost(cost):
    """Return a `Cost`: `cost` itself, or the one of that name."""
    if isinstance(cost, Cost):
        return cost
    if not isinstance(cost, str) or cost not in COSTS:
        raise ParameterError(f"unknown cost {cost!r}; choose one of {', '.join(COSTS)}, or pass a zurcher.Cost.")
    return COSTS[cost]
