"""Rust's (1987) panel of bus engines, and panels of your own in the same columns."""

from importlib import resources

import numpy as np
import pandas as pd

from compecon.datasets import checks
from compecon.errors import DataError

COLUMNS = ("group", "bus_id", "period", "month", "odometer", "mileage", "replaced")
_OPTIONAL = "month"

# Odometer and mileage may have been rounded to whole miles one by one.
_ROUNDING_MILES = 1


def load_bus_panel():
    """Load the odometer readings of the Madison Metropolitan Bus Company, December 1974 to July 1985.

    Returns
    -------
    DataFrame, 15,568 rows, one a bus and month, sorted by group, bus and period, with the columns

    - group : int, 1 to 8, model and vintage of the bus
    - bus_id : int, the company's number of the bus; unique across groups
    - period : int, 1, 2, ... within a bus
    - month : datetime64[ns], first day of the month; exact as a count of months, good to about two as a date
    - odometer : int, miles at the month's reading
    - mileage : int, miles since the present engine was put in
    - replaced : int, 1 if the engine is replaced after this reading: the next mileage is that of the new engine

    Notes
    -----
    A replacement is dated by its odometer: it is the last reading that is not above the odometer at replacement.
    Source and licence: `compecon/datasets/README.md`.

    Examples
    --------
    >>> from compecon.datasets import load_bus_panel
    >>> panel = load_bus_panel()
    >>> panel.shape, int(panel["bus_id"].nunique()), int(panel["replaced"].sum())
    ((15568, 7), 162, 124)
    """
    with resources.as_file(resources.files("compecon.datasets") / "bus_panel.csv.gz") as path:
        frame = pd.read_csv(path)
    return frame.assign(month=_to_months(frame))


def read_bus_panel(path):
    """Read and check a panel of your own from a CSV file with the columns of `load_bus_panel` (`month` may be absent).

    Parameters
    ----------
    path : str or path-like
        A CSV file with a header; it may be compressed (.gz, .zip, .bz2, .xz).

    Returns
    -------
    DataFrame as `validate_bus_panel` returns it.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    DataError
        When the file is not a table, or the table fails a check of `validate_bus_panel`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from compecon.datasets import load_bus_panel, read_bus_panel
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "my_buses.csv"
    ...     load_bus_panel().query("group == 2").to_csv(path, index=False)
    ...     read_bus_panel(path).shape
    (196, 7)
    """
    try:
        frame = pd.read_csv(path)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is not a table of comma-separated values in UTF-8: {error}.") from None
    return validate_bus_panel(frame)


def validate_bus_panel(frame):
    """Return a clean copy of a bus panel, or say what is wrong with it.

    Parameters
    ----------
    frame : DataFrame
        With the columns of `load_bus_panel`, sorted by bus and period; `month` may be absent. Other columns are
        left out of the copy. Periods must follow each other within a bus but need not start at 1.

    Returns
    -------
    DataFrame with a fresh index, columns in the order of `load_bus_panel`. Whole numbers are int64; odometers and
    mileages with fractions of a mile are float64.

    Raises
    ------
    DataError
        For missing columns, no rows, NaN, text; a bus number in two groups; unsorted rows, a period twice or left
        out, months that do not follow the periods; negative or falling odometers, negative mileage, replaced other
        than 0 and 1; mileage that does not grow with the odometer, or falls other than right after a replacement.

    Examples
    --------
    >>> from compecon.datasets import load_bus_panel, validate_bus_panel
    >>> panel = load_bus_panel()
    >>> validate_bus_panel(panel).equals(panel)
    True
    >>> validate_bus_panel(panel.assign(replaced=0))
    Traceback (most recent call last):
    compecon.errors.DataError: mileage of bus 4338 falls from 220,657 in period 56 to 3,351 in period 57, but ...
    """
    checks.check_columns(frame, [name for name in COLUMNS if name != _OPTIONAL])
    columns = {name: checks.to_integers(frame, name) for name in ("group", "bus_id", "period")}
    columns |= {name: checks.to_numbers(frame, name) for name in ("odometer", "mileage", "replaced")}
    bus_id, period = columns["bus_id"], columns["period"]
    checks.check_buses(columns["group"], bus_id)
    checks.check_periods(bus_id, period)
    checks.check_sorted(bus_id, period)
    checks.check_replaced(bus_id, period, columns["replaced"])
    for name in ("odometer", "mileage"):
        checks.check_not_negative(bus_id, period, columns[name], name)
    _check_odometers(bus_id, period, columns["odometer"])
    checks.check_falls(bus_id, period, columns["mileage"], columns["replaced"])
    _check_mileage(bus_id, period, columns["odometer"], columns["mileage"], columns["replaced"])
    if _OPTIONAL in frame.columns:
        columns[_OPTIONAL] = _to_months(frame)
        _check_months(bus_id, period, columns[_OPTIONAL])
    return pd.DataFrame({name: columns[name] for name in COLUMNS if name in columns})


def _to_months(frame):
    """Return the first day of each month as a datetime64[ns] array."""
    column = frame["month"]
    if pd.api.types.is_numeric_dtype(column.dtype):
        # pandas would read 198505 as nanoseconds since 1970.
        raise DataError(f"column 'month' holds numbers, first {column.iloc[0]}; write dates like 1985-05-01.")
    dates = pd.to_datetime(column, errors="coerce")
    bad = dates.isna().to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"month of bus {frame['bus_id'].iloc[row]}, period {frame['period'].iloc[row]} is {column.iloc[row]!r}, "
            "not a date; write dates like 1985-05-01, or leave the column out."
        )
    return dates.to_numpy().astype("datetime64[M]").astype("datetime64[ns]")


def _check_months(bus_id, period, month):
    """Raise DataError unless the months of a bus advance with its periods."""
    step = np.diff(month.astype("datetime64[M]").astype(np.int64))
    bad = (bus_id[1:] == bus_id[:-1]) & (step != 1)
    if bad.any():
        row = int(np.argmax(bad))
        before, after = month.astype("datetime64[M]")[row:row + 2]
        raise DataError(
            f"bus {bus_id[row]} goes from {before} in period {period[row]} to {after} in period {period[row + 1]}; "
            "months must advance one by one with the periods. Correct the dates, or leave the column out."
        )


def _check_odometers(bus_id, period, odometer):
    """Raise DataError if an odometer runs backwards."""
    bad = (bus_id[1:] == bus_id[:-1]) & (odometer[1:] < odometer[:-1])
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"odometer of bus {bus_id[row]} falls from {odometer[row]:,.10g} in period {period[row]} to "
            f"{odometer[row + 1]:,.10g} in period {period[row + 1]}; it counts all miles of the bus and never falls, "
            "not even at a replacement. Correct the reading."
        )


def _check_mileage(bus_id, period, odometer, mileage, replaced):
    """Raise DataError unless mileage grows with the odometer and restarts below it after a replacement."""
    same = bus_id[1:] == bus_id[:-1]
    driven, grown = np.diff(odometer), np.diff(mileage)
    renewed = same & (replaced[:-1] == 1) & (mileage[1:] > driven + _ROUNDING_MILES)
    if renewed.any():
        row = int(np.argmax(renewed))
        raise DataError(
            f"bus {bus_id[row]} got a new engine after period {period[row]} and drove {driven[row]:,.10g} miles by its "
            f"odometer until period {period[row + 1]}, but its mileage there is {mileage[row + 1]:,.10g}. "
            "Count mileage from the new engine, and set replaced = 1 in the last month of the old one."
        )
    kept = same & (replaced[:-1] == 0) & (np.abs(grown - driven) > _ROUNDING_MILES)
    if kept.any():
        row = int(np.argmax(kept))
        raise DataError(
            f"bus {bus_id[row]} drove {driven[row]:,.10g} miles from period {period[row]} to {period[row + 1]} by its "
            f"odometer, but its mileage grew by {grown[row]:,.10g} and the engine was kept; the two must agree. "
            "Correct either reading."
        )
