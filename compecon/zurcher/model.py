"""The model's primitives: `ZurcherModel` (what is fixed) and `Params` (what is estimated)."""

from dataclasses import dataclass, field

import numpy as np

from compecon._options import positive_integer
from compecon.errors import ParameterError
from compecon.zurcher.costs import Cost, find_cost
from compecon.zurcher.solve import bellman, solve

# Beyond it 4 eps / (1 - discount), the accuracy that doubles allow, is worse than 1e-7.
_LARGEST_DISCOUNT = 1 - 1e-8


@dataclass(frozen=True, eq=False)
class Params:
    """A point in Rust's parameter space.

    Parameters
    ----------
    RC : float
        Cost of a new engine, in units of the taste shock's scale.
    theta1 : (K1,) float
        Parameters of the cost function, in the order of `model.cost.param_names`.
    theta3 : (J,) float
        Probabilities that the mileage grows by 0, 1, ..., J-1 states in a month. They sum to one.

    Examples
    --------
    >>> from compecon import zurcher
    >>> zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    """

    RC: float
    theta1: np.ndarray
    theta3: np.ndarray

    def __post_init__(self):
        try:
            RC = float(self.RC)
            theta1 = np.array(self.theta1, dtype=np.float64, ndmin=1)
            theta3 = np.array(self.theta3, dtype=np.float64, ndmin=1)
        except (TypeError, ValueError) as error:
            raise ParameterError(f"RC must be a number, theta1 and theta3 lists of numbers: {error}.") from None
        _check_params(RC, theta1, theta3)
        theta3 /= theta3.sum()
        object.__setattr__(self, "RC", RC)
        object.__setattr__(self, "theta1", theta1)
        object.__setattr__(self, "theta3", theta3)

    def __repr__(self):
        return f"Params(RC={self.RC:g}, theta1={_short(self.theta1)}, theta3={_short(self.theta3)})"


def _short(values):
    """The first six values as a list of five significant digits."""
    more = ", ..." if values.size > 6 else ""
    return f"[{', '.join(f'{value:.5g}' for value in values[:6])}{more}]"


def _check_params(RC, theta1, theta3):
    """Raise ParameterError unless all are finite vectors and theta3 is a distribution."""
    for name, value in (("RC", RC), ("theta1", theta1), ("theta3", theta3)):
        if not np.isfinite(value).all():
            raise ParameterError(f"{name} = {value} is not finite; give finite numbers.")
    if theta1.ndim != 1 or theta3.ndim != 1:
        raise ParameterError(f"theta1 and theta3 are vectors; found {theta1.ndim} and {theta3.ndim} dimensions.")
    if theta3.size == 0 or theta3.min() < 0:
        raise ParameterError(f"theta3 = {_short(theta3)} holds no or negative probabilities; each must lie in [0, 1].")
    total = theta3.sum()
    if abs(total - 1) > 1e-8:
        raise ParameterError(
            f"theta3 = {_short(theta3)} sums to {total:.8g}; the J probabilities must sum to 1. "
            "Give the last one too, and divide by the sum if they are rounded."
        )


def _require_params(params):
    if not isinstance(params, Params):
        raise ParameterError(
            f"params is a {type(params).__name__}; pass zurcher.Params(RC, theta1, theta3). An estimate gives them by "
            "fit.as_params()."
        )


@dataclass(frozen=True, eq=False)
class ZurcherModel:
    """Rust's (1987) model of engine replacement, up to its parameters.

    Each month Zurcher sees the mileage state x of a bus and two EV1 shocks. He keeps the engine at cost c(x, theta1) or
    replaces it at cost RC + c(0, theta1); then the mileage grows by j states with probability theta3[j]. With Euler's
    constant left out, the expected value of a bus solves

        EV(x) = sum_j theta3[j] log( exp(-c(y) + discount EV(y)) + exp(-RC - c(0) + discount EV(0)) ),
        y = min(x + j, n_states - 1).

    Parameters
    ----------
    n_states : int, at least 2
    discount : float in [0, 1)
        Monthly discount factor.
    cost : str or Cost
        'linear', 'quadratic', 'cubic', 'sqrt', 'hyperbolic', 'mixed', 'power', or your own `zurcher.Cost`.

    Attributes
    ----------
    states : (n_states,) float
        0, 1, ..., n_states - 1, read-only: the argument that cost functions get.

    Raises
    ------
    ParameterError
        When an argument is outside its domain or the cost's name is unknown.

    Examples
    --------
    >>> from compecon import zurcher
    >>> model = zurcher.ZurcherModel(n_states=90, discount=0.9999, cost="linear")
    >>> params = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])
    >>> solution = model.solve(params)
    >>> solution.converged, solution.n_iter
    (True, 9)
    """

    n_states: int = 90
    discount: float = 0.9999
    cost: str | Cost = "linear"
    states: np.ndarray = field(init=False)

    def __post_init__(self):
        n_states = positive_integer(self.n_states, "n_states", least=2)
        try:
            discount = float(self.discount)
        except (TypeError, ValueError):
            raise ParameterError(f"discount = {self.discount!r} is not a number.") from None
        if not 0 <= discount <= _LARGEST_DISCOUNT:
            raise ParameterError(
                f"discount = {self.discount!r}; it must lie in [0, 1), and at most 1 - 1e-8: "
                "at 1 the sum of discounted costs has no limit."
            )
        object.__setattr__(self, "n_states", n_states)
        object.__setattr__(self, "discount", discount)
        object.__setattr__(self, "cost", find_cost(self.cost))
        states = np.arange(float(self.n_states))
        states.flags.writeable = False
        object.__setattr__(self, "states", states)

    def __repr__(self):
        return f"ZurcherModel(n_states={self.n_states}, discount={self.discount:g}, cost={self.cost.name!r})"

    def costs(self, theta1):
        """(n,) float: c(x, theta1) in every state. Raises ParameterError where it is not finite."""
        theta1 = np.array(theta1, dtype=np.float64, ndmin=1)
        if theta1.shape != (len(self.cost.param_names),):
            raise ParameterError(
                f"theta1 has shape {theta1.shape}; cost {self.cost.name!r} has the parameters {self.cost.param_names}."
            )
        values = np.array(self.cost.value(self.states, theta1), dtype=np.float64, order="C")
        if values.shape != (self.n_states,) or not np.isfinite(values).all():
            raise ParameterError(
                f"cost {self.cost.name!r} at theta1 = {theta1.tolist()} must give {self.n_states} finite values, one a "
                f"state; it gives shape {values.shape} with {np.sum(~np.isfinite(values))} that are not finite."
            )
        return values

    def bellman(self, ev, params):
        """Gamma(ev): one application of the Bellman operator to an (n,) array of expected values."""
        _require_params(params)
        return bellman(self, ev, params)

    def solve(self, params, method="newton", ev0=None, tol=None, max_iter=None):
        """Solve EV = Gamma(EV); see `compecon.zurcher.solve.solve` for the methods and the result."""
        _require_params(params)
        return solve(self, params, method=method, ev0=ev0, tol=tol, max_iter=max_iter)
