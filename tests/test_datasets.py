"""The shipped tables, the checks of a user's own panel, and the tool that builds the bus panel."""

import gzip
import hashlib
import tomllib
from importlib import metadata, resources
from pathlib import Path

import build_bus_panel
import numpy as np
import pandas as pd
import pytest

from compecon.blp import data as blp_data
from compecon.datasets import load_bus_panel, load_cereal, read_bus_panel, validate_bus_panel
from compecon.errors import CompEconError, DataError

COLUMNS = ["group", "bus_id", "period", "month", "odometer", "mileage", "replaced"]
# group: buses, readings a bus, replacements, first month
GROUPS = {
    1: (15, 25, 0, "1983-05-01"), 2: (4, 49, 0, "1981-07-01"), 3: (48, 70, 27, "1979-08-01"),
    4: (37, 117, 33, "1975-09-01"), 5: (12, 126, 11, "1974-12-01"), 6: (10, 126, 7, "1974-12-01"),
    7: (18, 126, 27, "1974-12-01"), 8: (18, 126, 19, "1974-12-01"),
}


@pytest.fixture(scope="module")
def panel():
    return load_bus_panel()


@pytest.fixture
def small():
    """Two buses; bus 1 gets a new engine after period 2, at odometer 30,500."""
    return pd.DataFrame({
        "group": 1,
        "bus_id": [1, 1, 1, 1, 2, 2],
        "period": [1, 2, 3, 4, 1, 2],
        "month": ["1985-01-01", "1985-02-01", "1985-03-01", "1985-04-01", "1985-01-01", "1985-02-01"],
        "odometer": [10_000, 30_000, 33_000, 35_000, 500, 2_500],
        "mileage": [10_000, 30_000, 2_500, 4_500, 500, 2_500],
        "replaced": [0, 1, 0, 0, 0, 0],
    })


def with_value(frame, row, column, value):
    frame = frame.astype({column: object}) if isinstance(value, str) else frame.copy()
    frame.loc[row, column] = value
    return frame


# The shipped file


def test_the_panel_has_all_162_buses_in_the_documented_columns(panel):
    assert list(panel.columns) == COLUMNS
    assert panel.shape == (15_568, 7)
    assert panel["bus_id"].nunique() == 162
    assert panel["replaced"].sum() == 124
    assert all(panel[name].dtype == np.int64 for name in COLUMNS if name != "month")
    assert panel["month"].dtype == "datetime64[ns]"


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_the_buses_months_and_replacements_of_the_archive(panel, group):
    buses, readings, replacements, begin = GROUPS[group]
    part = panel[panel["group"] == group]
    assert part["bus_id"].nunique() == buses
    assert (part.groupby("bus_id").size() == readings).all()
    assert part["replaced"].sum() == replacements
    assert (part.loc[part["period"] == 1, "month"] == pd.Timestamp(begin)).all()


def test_no_bus_number_occurs_in_two_groups(panel):
    assert (panel.groupby("bus_id")["group"].nunique() == 1).all()


def test_the_panel_has_the_readings_that_were_checked_against_published_estimates():
    path = resources.files("compecon.datasets") / "bus_panel.csv.gz"
    digest = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    assert digest == "42b7cf74156aa5a2de88caac616b6e88323f3505b0c34489d88e1622b0836614"


def test_months_are_consecutive_first_days(panel):
    assert (panel["month"].dt.day == 1).all()
    index = panel["month"].dt.year * 12 + panel["month"].dt.month - panel["period"]
    assert (index.groupby(panel["bus_id"]).nunique() == 1).all()


def test_loading_twice_gives_two_independent_frames(panel):
    other = load_bus_panel()
    other.loc[0, "mileage"] = -1
    assert load_bus_panel().equals(panel)


def test_the_shipped_panel_passes_its_own_checks_unchanged(panel):
    pd.testing.assert_frame_equal(validate_bus_panel(panel), panel)


# A user's own panel


def test_a_csv_file_comes_back_as_the_frame_that_was_written(panel, tmp_path):
    path = tmp_path / "buses.csv.gz"
    panel.to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_bus_panel(path), panel)


def test_the_month_may_be_absent(small):
    clean = validate_bus_panel(small.drop(columns="month"))
    assert list(clean.columns) == [name for name in COLUMNS if name != "month"]


def test_a_valid_frame_is_copied_and_cleaned_and_not_changed(small):
    untidy = small.assign(note="x", replaced=small["replaced"] == 1, period=small["period"].astype(float))
    untidy.index = [7, 8, 9, 10, 11, 12]
    before = untidy.copy()
    clean = validate_bus_panel(untidy[["note", *reversed(COLUMNS)]])
    pd.testing.assert_frame_equal(untidy, before)
    pd.testing.assert_frame_equal(clean, validate_bus_panel(small))
    assert list(clean.columns) == COLUMNS
    assert list(clean.index) == list(range(6))


def test_nullable_columns_and_fractions_of_a_mile_are_accepted(small):
    nullable = small.convert_dtypes()
    pd.testing.assert_frame_equal(validate_bus_panel(nullable), validate_bus_panel(small))
    fractions = small.assign(odometer=small["odometer"] + 0.25, mileage=small["mileage"] + 0.25)
    assert validate_bus_panel(fractions)["mileage"].dtype == np.float64


def test_long_bus_numbers_keep_every_digit(small):
    long = small.assign(bus_id=small["bus_id"] + 2**60)
    assert validate_bus_panel(long)["bus_id"].tolist() == [2**60 + 1] * 4 + [2**60 + 2] * 2


def test_a_history_that_starts_later_than_period_one_is_accepted(panel):
    late = panel[panel["period"] > 12]
    assert len(validate_bus_panel(late)) == len(late)


def test_buses_may_come_in_any_order(panel):
    backwards = panel.sort_values(["bus_id", "period"], ascending=[False, True])
    assert len(validate_bus_panel(backwards)) == len(panel)


def test_an_empty_or_unreadable_file_is_an_error_of_this_library(tmp_path):
    path = tmp_path / "buses.csv"
    path.write_text("")
    with pytest.raises(DataError, match="buses.csv is not a table"):
        read_bus_panel(path)
    path.write_bytes(b"group,bus_id\n\xff\xfe\xfa,1\n")
    with pytest.raises(DataError, match="buses.csv is not a table"):
        read_bus_panel(path)
    with pytest.raises(FileNotFoundError):
        read_bus_panel(tmp_path / "none.csv")


@pytest.mark.parametrize(("row", "column", "value", "message"), [
    (2, "mileage", np.nan, r"column 'mileage' has 1 missing or infinite values, the first in row 2 .*bus 1, period 3"),
    (2, "odometer", np.inf, r"column 'odometer' has 1 missing or infinite values.*bus 1, period 3"),
    (4, "bus_id", np.nan, r"column 'bus_id' has 1 missing.*row 4"),
    (2, "mileage", "n/a", r"'mileage' does not hold numbers: row 2 .*bus 1, period 3.* has 'n/a'.*to_numeric"),
    (2, "mileage", "2500", r"'mileage' does not hold numbers"),
    (2, "bus_id", 1.5, r"column 'bus_id' must hold whole numbers; row 2 .*1\.5"),
    (2, "period", 2, r"bus 1 has period 2 more than once"),
    (3, "period", 6, r"bus 1 has no row between periods 3 and 6"),
    (2, "group", 2, r"bus 1 is in groups 1 and 2;.*Renumber"),
    (1, "replaced", 2, r"replaced = 2 for bus 1, period 2; it must be 0 .* or 1"),
    (1, "replaced", 0.5, r"replaced = 0\.5 for bus 1, period 2"),
    (1, "replaced", 0, r"mileage of bus 1 falls from 30,000 in period 2 to 2,500 in period 3, but replaced = 0 in"),
    (3, "odometer", 32_000, r"odometer of bus 1 falls from 33,000 in period 3 to 32,000 in period 4"),
    (4, "mileage", -1, r"mileage = -1 for bus 2, period 1; miles cannot be negative"),
    (4, "odometer", -1, r"odometer = -1 for bus 2, period 1"),
    (3, "mileage", 4_600, r"bus 1 drove 2,000 miles from period 3 to 4 .* mileage grew by 2,100"),
    (2, "mileage", 3_100, r"bus 1 got a new engine after period 2 and drove 3,000 miles .* mileage there is 3,100"),
    (1, "month", "1985-05-01", r"bus 1 goes from 1985-01 in period 1 to 1985-05 in period 2; months must advance"),
    (5, "month", "soon", r"month of bus 2, period 2 is 'soon', not a date"),
])
def test_a_wrong_entry_is_an_error_that_names_bus_period_and_what_was_found(small, row, column, value, message):
    with pytest.raises(DataError, match=message):
        validate_bus_panel(with_value(small, row, column, value) if not isinstance(value, float)
                           else with_value(small.astype({column: float}), row, column, value))


def test_a_replacement_that_is_dated_a_month_early_is_an_error(panel):
    early = panel.assign(replaced=panel.groupby("bus_id")["replaced"].shift(-1, fill_value=0))
    with pytest.raises(DataError, match="but replaced = 0 in period"):
        validate_bus_panel(early)


def test_a_missing_column_is_named_with_the_columns_that_are_there(small):
    with pytest.raises(DataError, match="no column 'mileage'; it has 'group', 'bus_id', .*'odometer', 'miles'"):
        validate_bus_panel(small.rename(columns={"mileage": "miles"}))


def test_a_column_that_occurs_twice_is_an_error(small):
    with pytest.raises(DataError, match="has column 'mileage' more than once"):
        validate_bus_panel(pd.concat([small, small[["mileage"]]], axis=1))


def test_unsorted_rows_are_an_error_that_tells_how_to_sort(small):
    with pytest.raises(DataError, match=r"bus 1, period 2 follows bus 1, period 3\. Sort with panel\.sort_values"):
        validate_bus_panel(small.iloc[[0, 2, 1, 3, 4, 5]])
    with pytest.raises(DataError, match="not sorted: bus 1, period 3 follows bus 2, period 2"):
        validate_bus_panel(small.iloc[[0, 1, 4, 5, 2, 3]])


def test_no_rows_or_no_frame_is_an_error(small):
    with pytest.raises(DataError, match="no rows"):
        validate_bus_panel(small.iloc[:0])
    with pytest.raises(CompEconError, match="is a dict; give a pandas DataFrame"):
        validate_bus_panel({"group": [1]})


def test_months_written_as_numbers_are_refused(small):
    with pytest.raises(DataError, match="holds numbers, first 198501"):
        validate_bus_panel(small.assign(month=[198501, 198502, 198503, 198504, 198501, 198502]))


# The tool


def test_the_tool_dates_a_replacement_by_its_odometer_and_not_by_the_header_month():
    readings = [1000, 3000, 5000, 5000, 8000, 9000, 12_000]
    #         bus, bought,  month year odometer of 1st and 2nd replacement,  readings begin
    header = [77, 1, 75, 2, 75, 5000, 6, 75, 8500, 3, 75]
    bus = build_bus_panel.bus_history(np.array(header + readings))
    assert list(bus["replaced"]) == [0, 0, 0, 1, 1, 0, 0]
    assert list(bus["mileage"]) == [1000, 3000, 5000, 5000, 3000, 500, 3500]
    assert list(bus["odometer"]) == readings
    assert str(bus["month"].iloc[0].date()) == "1975-03-01"
    # The odometer says June and July; the header said February and June.
    assert build_bus_panel.months_off(np.array(header + readings)) == [-4, -1]


def test_the_tool_reads_columns_that_are_stacked_with_dos_line_ends_and_blanks():
    assert build_bus_panel.read_matrix("1 \r\n2  \r\n3\r\n4\r\n5\r\n6\r\n", 3, 2).tolist() == [[1, 4], [2, 5], [3, 6]]
    with pytest.raises(ValueError, match="found 5 numbers, expected 3 x 2"):
        build_bus_panel.read_matrix("1 2 3 4 5", 3, 2)


def test_the_tool_writes_the_same_bytes_every_time():
    assert build_bus_panel.compress("a,b\n1,2\n") == build_bus_panel.compress("a,b\n1,2\n")
    assert build_bus_panel.compress("a")[4:8] == bytes(4), "the time stamp in the gzip header is zero"


def test_the_shipped_file_is_what_the_tool_builds():
    try:
        read_text = build_bus_panel.archive_reader()
    except metadata.PackageNotFoundError:
        pytest.skip("the archive package mec is not installed")
    shipped = gzip.decompress((resources.files("compecon.datasets") / "bus_panel.csv.gz").read_bytes())
    assert build_bus_panel.to_csv(build_bus_panel.build_panel(read_text)).encode() == shipped
    # What chapter 8 says: 49 agree, 69 are off by one to three months, 5 by four to six, one by 17.
    off = {-17: 1, -2: 2, -1: 9, 0: 49, 1: 22, 2: 26, 3: 10, 4: 3, 5: 1, 6: 1}
    assert build_bus_panel.months_off_counts(read_text) == off


# The simulated cereal data


@pytest.fixture(scope="module")
def cereal():
    return load_cereal()


def test_the_cereal_files_are_pyblps_byte_for_byte():
    oracle = pytest.importorskip("pyblp").data
    for name in ("NEVO_PRODUCTS_LOCATION", "NEVO_AGENTS_LOCATION"):
        assert Path(getattr(blp_data, name)).read_bytes() == Path(getattr(oracle, name)).read_bytes(), name


def test_the_cereal_files_are_the_ones_the_readme_describes():
    text = (resources.files("compecon.datasets") / "README.md").read_text(encoding="utf-8")
    for location in (blp_data.NEVO_PRODUCTS_LOCATION, blp_data.NEVO_AGENTS_LOCATION):
        assert hashlib.sha256(Path(location).read_bytes()).hexdigest()[:8] in text, location
    assert "**These data are simulated.**" in text


def test_the_cereal_tables_are_what_their_locations_hold(cereal):
    pd.testing.assert_frame_equal(cereal.products, pd.read_csv(blp_data.NEVO_PRODUCTS_LOCATION), check_exact=True)
    pd.testing.assert_frame_equal(cereal.agents, pd.read_csv(blp_data.NEVO_AGENTS_LOCATION), check_exact=True)


def test_every_cereal_market_has_24_products_20_consumers_and_an_outside_good(cereal):
    products, agents = cereal
    assert (products.groupby("market_ids").size() == 24).all() and products["market_ids"].nunique() == 94
    assert (agents.groupby("market_ids").size() == 20).all() and (agents["weights"] == 1 / 20).all()
    assert list(products["market_ids"].unique()) == list(agents["market_ids"].unique())
    outside = 1 - products.groupby("market_ids")["shares"].sum()
    assert (outside.min(), outside.max()) == pytest.approx((0.30, 0.82), abs=0.01)
    assert products.groupby("firm_ids")["product_ids"].nunique().to_dict() == {1: 9, 2: 9, 3: 2, 4: 3, 6: 1}
    assert not products.isna().any(axis=None) and not agents.isna().any(axis=None)


def test_the_consumers_demographics_are_the_logarithms_the_readme_says_they_are(cereal):
    agents = cereal.agents
    age = np.exp(agents["age"] + 3.2258413)
    np.testing.assert_allclose(age, age.round(), rtol=1e-7)
    assert (age.min().round(), age.max().round()) == (1, 90)
    assert ((agents["child"] > 0) == (age.round() < 16)).all()
    square = (agents["income"] + 9.0569360) ** 2
    np.testing.assert_allclose(agents["income_squared"], square - square.mean(), atol=1e-6)
    assert abs(agents[["income", "income_squared", "age", "child"]].mean()).max() < 1e-13


def test_every_data_file_has_a_place_in_the_wheel(root):
    folder = root / "compecon" / "datasets"
    package_data = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    shipped = {path for pattern in package_data["compecon.datasets"] for path in folder.glob(pattern)}
    assert {path for path in folder.iterdir() if path.is_file() and path.suffix != ".py"} == shipped
