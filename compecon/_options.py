"""Checks of options that many functions share: each returns the value, or raises a ParameterError that says what to do."""

import numbers

from compecon.errors import ParameterError


def one_of(value, options, name):
    """`value`, if it is one of the strings `options`."""
    if not isinstance(value, str) or value not in options:
        raise ParameterError(f"unknown {name} {value!r}; choose one of {', '.join(map(repr, options))}.")
    return value


def positive_integer(value, name, least=1):
    """`value` as an int of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ParameterError(f"{name} = {value!r}; it must be an integer of at least {least}.")
    return int(value)


def positive(value, name):
    """`value` as a finite float above zero."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < float("inf"):
        raise ParameterError(f"{name} = {value!r}; it must be a finite number above 0.")
    return float(value)


def share(value, name):
    """`value` as a float strictly between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 < value < 1:
        raise ParameterError(f"{name} = {value!r}; it must lie strictly between 0 and 1.")
    return float(value)
