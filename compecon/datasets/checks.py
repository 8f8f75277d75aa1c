"""Checks of a panel's columns, shared by the loaders and by the models that use a panel.

Each raises DataError and names the first row at fault by its bus and period.
"""

import numpy as np
import pandas as pd

from compecon.errors import DataError

# Whole numbers up to here are exact as doubles, so a column of floats can still hold them.
_LARGEST_WHOLE = 2**53


def check_columns(frame, columns):
    """Raise DataError unless `frame` is a DataFrame that has all `columns`, each once, and at least one row."""
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"the panel is a {type(frame).__name__}; give a pandas DataFrame, one row a bus and month.")
    names = list(frame.columns)
    missing = [name for name in columns if name not in names]
    if missing:
        raise DataError(f"the panel has no column {_quoted(missing)}; it has {_quoted(names)}. Rename or add.")
    repeated = [name for name in columns if names.count(name) > 1]
    if repeated:
        raise DataError(f"the panel has column {_quoted(repeated)} more than once; keep one of each.")
    if len(frame) == 0:
        raise DataError("the panel has no rows; give at least one bus with two months.")


def _quoted(names):
    """The first twelve names as text."""
    text = ", ".join(repr(name) for name in names[:12])
    return f"{text} and {len(names) - 12} more" if len(names) > 12 else text or "none"


def _row(frame, row):
    """Name a row of a frame whose columns may still hold anything."""
    bus_id, period = (frame[name].iloc[row] for name in ("bus_id", "period"))
    # A column with a missing value holds floats; write bus 3.0 as 3.
    bus_id, period = (f"{value:.10g}" if isinstance(value, float) else value for value in (bus_id, period))
    return f"row {frame.index[row]} of its index (bus {bus_id}, period {period})"


def to_numbers(frame, name):
    """Return a column as a 1-D int64 or float64 array: whole numbers become int64, so that sums are exact."""
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype) or column.dtype.kind == "c":
        readable = pd.to_numeric(column.astype(object), errors="coerce").notna().to_numpy()
        row = 0 if readable.all() else int(np.argmin(readable))
        raise DataError(
            f"column {name!r} does not hold numbers: {_row(frame, row)} has {column.iloc[row]!r}. "
            f"Give numbers (pandas.to_numeric converts text)."
        )
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub":
        return column.to_numpy().astype(np.int64)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = ~np.isfinite(values)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"column {name!r} has {bad.sum()} missing or infinite values, the first in {_row(frame, row)}. "
            "Drop these buses or fill the gaps."
        )
    is_whole = (values == np.floor(values)).all() and np.abs(values).max() <= _LARGEST_WHOLE
    return values.astype(np.int64) if is_whole else values


def to_integers(frame, name):
    """Return a column of whole numbers as a 1-D int64 array."""
    values = to_numbers(frame, name)
    if values.dtype.kind == "f":
        row = int(np.argmax((values != np.floor(values)) | (np.abs(values) > _LARGEST_WHOLE)))
        raise DataError(f"column {name!r} must hold whole numbers; {_row(frame, row)} has {values[row]:g}. Recode it.")
    return values


def check_replaced(bus_id, period, replaced):
    """Raise DataError unless the decisions are 0 (keep) or 1 (replace)."""
    bad = (replaced != 0) & (replaced != 1)
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"replaced = {replaced[row]:g} for bus {bus_id[row]}, period {period[row]}; "
            "it must be 0 (engine kept) or 1 (engine replaced at the end of the month)."
        )


def check_not_negative(bus_id, period, values, name):
    """Raise DataError if a reading is below zero."""
    if values.min() < 0:
        row = int(np.argmax(values < 0))
        raise DataError(
            f"{name} = {values[row]:,.10g} for bus {bus_id[row]}, period {period[row]}; miles cannot be negative. "
            "Correct the reading or drop the bus."
        )


def check_buses(group, bus_id):
    """Raise DataError if a bus number occurs in two groups: a number names one bus of the whole panel."""
    order = np.lexsort((group, bus_id))
    bus, belongs = bus_id[order], group[order]
    bad = (bus[1:] == bus[:-1]) & (belongs[1:] != belongs[:-1])
    if bad.any():
        at = int(np.argmax(bad))
        raise DataError(
            f"bus {bus[at]} is in groups {belongs[at]} and {belongs[at + 1]}; a bus number names one bus of the whole "
            "panel. Renumber, for example panel['bus_id'] += 10_000 * panel['group']."
        )


def check_sorted(bus_id, period):
    """Raise DataError unless the rows of a bus follow each other in the order of the periods."""
    same = bus_id[1:] == bus_id[:-1]
    back = same & (period[1:] < period[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    _, first = np.unique(bus_id[starts], return_index=True)
    returns = np.setdiff1d(np.arange(starts.size), first)
    if not back.any() and returns.size == 0:
        return
    row = int(np.argmax(back)) + 1 if back.any() else int(starts[returns[0]])
    raise DataError(
        f"the rows are not sorted: bus {bus_id[row]}, period {period[row]} follows bus {bus_id[row - 1]}, "
        f"period {period[row - 1]}. Sort with panel.sort_values(['group', 'bus_id', 'period'])."
    )


def check_periods(bus_id, period):
    """Raise DataError if a bus has a period twice or lacks one in between; the rows may come in any order."""
    order = np.lexsort((period, bus_id))
    bus, month = bus_id[order], period[order]
    step = np.where(bus[1:] == bus[:-1], np.diff(month), 1)
    if (step == 0).any():
        row = int(np.argmax(step == 0))
        raise DataError(f"bus {bus[row]} has period {month[row]} more than once; keep one row a bus and period.")
    if (step > 1).any():
        row = int(np.argmax(step > 1))
        raise DataError(
            f"bus {bus[row]} has no row between periods {month[row]} and {month[row + 1]}; periods must follow each "
            "other. Fill the gap, or give the part after it a bus number of its own."
        )


def check_falls(bus_id, period, mileage, replaced):
    """Raise DataError if mileage falls although the engine was kept. The rows must be sorted."""
    kept = (bus_id[1:] == bus_id[:-1]) & (replaced[:-1] == 0)
    bad = kept & (mileage[1:] < mileage[:-1])
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"mileage of bus {bus_id[row]} falls from {mileage[row]:,.10g} in period {period[row]} to "
            f"{mileage[row + 1]:,.10g} in period {period[row + 1]}, but replaced = 0 in period {period[row]}. "
            "It may fall only right after a replacement: set replaced = 1 in the old engine's last month."
        )
