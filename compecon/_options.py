"""Checks of options that many functions share: each returns the value, or raises a ParameterError saying what to do."""

import numbers

import numpy as np

from compecon.errors import ParameterError


def vector(values, name):
    """`values` as a fresh (M,) float array, not empty and all finite; a number gives one element."""
    try:
        array = np.array(values, dtype=np.float64, ndmin=1)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} = {values!r}; it must be a list of numbers.") from None
    if array.ndim != 1 or array.size == 0 or not np.isfinite(array).all():
        raise ParameterError(f"{name} = {values!r}; it must be a list of finite numbers, at least one.")
    return array


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
