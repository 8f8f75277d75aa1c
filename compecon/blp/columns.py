"""Columns of a table (a DataFrame, a mapping of columns, or a record array), each checked where it is read."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from compecon.errors import DataError


def field_names(data):
    """The names of a table's columns."""
    names = getattr(getattr(data, "dtype", None), "names", None)
    if names is None and not isinstance(data, (pd.DataFrame, Mapping)):
        raise DataError(f"the data are a {type(data).__name__}; give a DataFrame, a dict of columns or a record array.")
    return list(data if names is None else names)


def n_rows(data):
    """The number of a table's rows."""
    names = field_names(data)
    return len(np.atleast_1d(data[names[0]])) if names else 0


def column(data, name):
    """Column `name` of a table : (N,), of whatever type."""
    names = field_names(data)
    if name not in names:
        raise DataError(f"the data have no column {name!r}. They have {', '.join(map(str, names))}. Add or rename it.")
    values = np.asarray(data[name])
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.shape != (n_rows(data),):
        raise DataError(f"column {name!r} has shape {values.shape}; it must be ({n_rows(data)},), one value a row.")
    # A pandas column of integers comes as objects when one is missing.
    kind = pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else ""
    return np.asarray(pd.to_numeric(values)) if kind in ("integer", "floating", "mixed-integer-float") else values


def numeric(data, name):
    """Column `name` of a table : (N,) float64, all finite."""
    return _finite(column(data, name), name, data)


def identifiers(data, name):
    """Column `name` of a table : (N,), any type, none missing; None if the table lacks it."""
    if name not in field_names(data):
        return None
    values = column(data, name)
    refuse_rows(pd.isna(values), f"{name!r} is missing", data)
    return values


def matrix(data, name):
    """Field `name` of a table, or its columns name0, name1, .. : (N, K) float64, all finite; and their K labels."""
    fields = field_names(data)
    if name in fields:
        columns = np.asarray(data[name]).reshape(n_rows(data), -1).T
    else:
        ends = [str(field)[len(name) :] for field in fields if str(field).startswith(name)]
        # A gap in the numbers shows as a missing column.
        columns = [column(data, f"{name}{k}") for k in range(sum(end.isdecimal() for end in ends))]
    labels = tuple(f"{name}{k}" for k in range(len(columns)))
    checked = [_finite(values, label, data) for values, label in zip(columns, labels, strict=True)]
    return np.array(checked).T.reshape(n_rows(data), len(labels)), labels


def refuse_rows(bad, what, data, remedy="Fill in or drop these rows."):
    """Raise a DataError that says what is wrong with the rows `bad` : (N,) bool, how many they are, and the first."""
    if np.any(bad):
        row = int(np.argmax(bad))
        market = f" (market {column(data, 'market_ids')[row]!s})" if "market_ids" in field_names(data) else ""
        raise DataError(f"{what} in {np.sum(bad)} of {len(bad)} rows, the first of them row {row}{market}. {remedy}")


def _finite(values, name, data):
    if values.dtype.kind not in "iuf":
        is_text = [not isinstance(value, (int, float)) for value in values]
        refuse_rows(is_text, f"{name!r} holds no numbers (but {values[np.argmax(is_text)]!r})", data, "Convert them.")
    values = values.astype(np.float64)
    refuse_rows(~np.isfinite(values), f"{name!r} is missing or infinite", data)
    return values


def records(columns):
    """A record array of the columns (n,) or (n, k) that are not empty; every field is two-dimensional."""
    columns = {name: np.reshape(column, (len(column), -1)) for name, column in columns.items() if np.size(column)}
    fields = [(name, column.dtype, column.shape[1:]) for name, column in columns.items()]
    out = np.recarray(len(next(iter(columns.values()))), fields)
    for name, column in columns.items():
        out[name] = column
    return out
