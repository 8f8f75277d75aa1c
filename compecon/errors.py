"""Errors and warnings that `compecon` raises, in one small family.

Each message says what is wrong, where, what was found and what to do about it.
"""


class CompEconError(Exception):
    """Base class: `except CompEconError` catches everything that this library raises itself."""


class DataError(CompEconError, ValueError):
    """The data cannot be used as they are (missing columns, NaN, values outside the grid, ...)."""


class ParameterError(CompEconError, ValueError):
    """A parameter or an option is outside its domain, or is misspelt."""


class ConvergenceError(CompEconError, ArithmeticError):
    """An inner problem that the result depends on could not be solved."""


class CompEconWarning(UserWarning):
    """Base class of this library's warnings."""


class ConvergenceWarning(CompEconWarning):
    """An iteration stopped before it reached its tolerance; the result is marked `converged=False`."""


class IdentificationWarning(CompEconWarning):
    """The data say (almost) nothing about some direction of the parameter space."""
