"""How the inner fixed point is iterated."""

from dataclasses import dataclass, field

from compecon._options import one_of, positive, positive_integer
from compecon.blp import kernels
from compecon.errors import ParameterError

_METHODS = {"simple": kernels.SIMPLE, "squarem": kernels.SQUAREM, "newton": kernels.NEWTON}


@dataclass(frozen=True)
class Iteration:
    """The method that solves s(delta) = S in each market, its tolerance and its limit.

    Parameters
    ----------
    method : 'newton' | 'squarem' | 'simple'
        'simple' is the contraction delta <- delta + log S - log s(delta) of Berry, Levinsohn and Pakes (1995);
        'squarem' accelerates it (Varadhan and Roland 2008); 'newton' (the default of `Problem.solve`) takes Newton
        steps where they bring the shares closer, and steps of the contraction elsewhere.
    method_options : dict
        `atol`, the tolerance on the largest change of delta (1e-14, or four units in the last digit of the largest
        delta if that is more); `max_evaluations` of the shares in a market (5,000).

    Raises
    ------
    ParameterError
        For an unknown method or option, or a value outside its domain.

    Examples
    --------
    >>> from compecon import blp
    >>> blp.Iteration("squarem", {"atol": 1e-12})
    Iteration(method='squarem', method_options={'atol': 1e-12})
    """

    method: str
    method_options: dict = field(default_factory=dict)

    def __post_init__(self):
        one_of(self.method, list(_METHODS), "method")
        known = {"atol": positive, "max_evaluations": positive_integer}
        chosen = {} if self.method_options is None else self.method_options
        if not isinstance(chosen, dict):
            raise ParameterError(f"method_options = {chosen!r}; it must be a dict like {{'atol': 1e-14}}, or None.")
        for name, value in chosen.items():
            if name not in known:
                raise ParameterError(f"unknown option {name!r} of Iteration; choose 'atol' or 'max_evaluations'.")
            known[name](value, name)
        object.__setattr__(self, "method_options", dict(chosen))

    @property
    def code(self):
        """The method's number in the kernels."""
        return _METHODS[self.method]

    @property
    def atol(self):
        """Tolerance on the largest change of delta."""
        return float(self.method_options.get("atol", 1e-14))

    @property
    def max_evaluations(self):
        """Most evaluations of the shares in one market."""
        return int(self.method_options.get("max_evaluations", 5000))
