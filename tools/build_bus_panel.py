"""Build `compecon/datasets/bus_panel.csv.gz` from the archive of Rust's (1987) odometer readings.

One command, from the project's folder; it needs pandas and, unless `mec` is installed, a working pip:

    python tools/build_bus_panel.py

The archive comes with the PyPI package `mec` 0.231 as plain text files. If that package is not installed, the tool
installs it without its dependencies into a temporary folder, reads the files, and removes the folder. The package
is no dependency of the project, and its own loader is not used: it dates replacements differently.

The same archive gives the same bytes on every run: the file has no time stamp.
"""

import gzip
import io
import subprocess
import sys
import tempfile
from collections import Counter
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

VERSION = "0.231"
FOLDER = "mec/datasets/dynamicchoice_Rust"
TARGET = Path(__file__).resolve().parents[1] / "compecon" / "datasets" / "bus_panel.csv.gz"

# Group: (file, rows, buses). The archive's ninth file, d309, holds four buses that the paper does not use.
FILES = {
    1: ("g870.asc", 36, 15),
    2: ("rt50.asc", 60, 4),
    3: ("t8h203.asc", 81, 48),
    4: ("a530875.asc", 128, 37),
    5: ("a530874.asc", 137, 12),
    6: ("a452374.asc", 137, 10),
    7: ("a530872.asc", 137, 18),
    8: ("a452372.asc", 137, 18),
}

# Rows of a bus's column, counted from 0. The readings follow the header.
BUS, FIRST_REPLACEMENT, SECOND_REPLACEMENT, BEGIN_MONTH, BEGIN_YEAR, READINGS = 0, 5, 8, 9, 10, 11


def read_matrix(text, n_rows, n_buses):
    """Return the (n_rows, n_buses) int matrix that a file stacks column by column, one number a line."""
    numbers = np.array(text.split(), dtype=np.int64)
    if numbers.size != n_rows * n_buses:
        raise ValueError(f"found {numbers.size} numbers, expected {n_rows} x {n_buses} = {n_rows * n_buses}")
    return numbers.reshape(n_buses, n_rows).T


def last_reading(odometer, replaced_at):
    """Return which reading is the old engine's last: the last one that is not above the odometer at the replacement."""
    return np.flatnonzero(odometer <= replaced_at)[-1]


def months_off(column):
    """Return, for each replacement of a bus, how many months its header's month is later than the last reading.

    The readings count as monthly from the month in which they begin.
    """
    begin, found = 12 * column[BEGIN_YEAR] + column[BEGIN_MONTH], []
    for row in (FIRST_REPLACEMENT, SECOND_REPLACEMENT):
        month, year, replaced_at = column[row - 2:row + 1]
        if replaced_at:
            found.append(int(12 * year + month - begin - last_reading(column[READINGS:], replaced_at)))
    return found


def bus_history(column):
    """Return the readings of one bus as a frame of bus_id, period, month, odometer, mileage, replaced.

    A replacement is dated by its odometer, not by the header's month, which often disagrees (see `months_off`): the
    engine is replaced at the last reading that is not above it, and later mileage is measured from it.
    """
    odometer = column[READINGS:]
    mileage = odometer.copy()
    replaced = np.zeros_like(odometer)
    for replaced_at in column[[FIRST_REPLACEMENT, SECOND_REPLACEMENT]]:
        if replaced_at == 0:
            continue
        last = last_reading(odometer, replaced_at)
        replaced[last] = 1
        mileage[last + 1:] = odometer[last + 1:] - replaced_at
    begin = pd.Period(year=1900 + column[BEGIN_YEAR], month=column[BEGIN_MONTH], freq="M")
    return pd.DataFrame({
        "bus_id": column[BUS],
        "period": np.arange(1, odometer.size + 1),
        "month": pd.period_range(begin, periods=odometer.size, freq="M").to_timestamp(),
        "odometer": odometer,
        "mileage": mileage,
        "replaced": replaced,
    })


def build_panel(read_text):
    """Return the panel of all eight groups; `read_text(name)` gives the text of the archive's file of that name."""
    parts = []
    for group, (name, n_rows, n_buses) in FILES.items():
        matrix = read_matrix(read_text(name), n_rows, n_buses)
        buses = [bus_history(matrix[:, bus]) for bus in range(n_buses)]
        parts.append(pd.concat(buses).assign(group=group))
    columns = ["group", "bus_id", "period", "month", "odometer", "mileage", "replaced"]
    panel = pd.concat(parts)[columns].sort_values(["group", "bus_id", "period"], ignore_index=True)
    found = (len(panel), panel["bus_id"].nunique(), int(panel["replaced"].sum()))
    if found != (15_568, 162, 124):
        raise ValueError(f"readings, buses, replacements are {found}; this archive is not Rust's (15568, 162, 124)")
    return panel


def months_off_counts(read_text):
    """Return how many replacements of the archive are off by how many months, as a dict in order of the months."""
    off = []
    for name, n_rows, n_buses in FILES.values():
        for column in read_matrix(read_text(name), n_rows, n_buses).T:
            off += months_off(column)
    return dict(sorted(Counter(off).items()))


def archive_reader(path=None):
    """Return the function that `build_panel` needs, for the `mec` on `path` (default: this interpreter's).

    Raises `importlib.metadata.PackageNotFoundError` when `mec` is not there.
    """
    found = metadata.distributions(name="mec") if path is None else metadata.distributions(name="mec", path=[path])
    distribution = next(iter(found), None)
    if distribution is None:
        raise metadata.PackageNotFoundError("mec")
    if distribution.version != VERSION:
        raise ValueError(f"mec {distribution.version} is installed; the panel is built from {VERSION}")
    return lambda name: Path(distribution.locate_file(f"{FOLDER}/{name}")).read_text(encoding="ascii")


def to_csv(panel):
    """Return the panel as the text of the shipped file."""
    return panel.to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n")


def compress(text):
    """Return the gzipped text, without a file name or a time stamp in the header."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as file:
        file.write(text.encode("ascii"))
    return buffer.getvalue()


def write(read_text):
    """Write the panel's file, and say what is in it and by how many months the header's dates are off."""
    panel = build_panel(read_text)
    TARGET.write_bytes(compress(to_csv(panel)))
    print(f"wrote {TARGET.name}: {len(panel):,} readings of {panel['bus_id'].nunique()} buses")
    print("replacements by how many months the header's date is late:", months_off_counts(read_text))


def main():
    try:
        read_text = archive_reader()
    except metadata.PackageNotFoundError:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder]
            subprocess.run([*pip, f"mec=={VERSION}"], check=True)
            write(archive_reader(folder))
    else:
        write(read_text)


if __name__ == "__main__":
    main()
