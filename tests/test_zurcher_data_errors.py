"""What `discretize` refuses, naming the option, the bus and the period, and what it warns about."""

import numpy as np
import pandas as pd
import pytest
from zurcher_fixtures import history

from compecon.datasets import load_bus_panel
from compecon.errors import CompEconWarning, DataError, ParameterError
from compecon.zurcher.data import discretize


@pytest.fixture(scope="module")
def panel():
    return load_bus_panel()


@pytest.mark.parametrize(("options", "message"), [
    ({"increments": "rusty"}, r"increments = 'rusty'; choose one of 'rust', 'model'"),
    ({"increments": None}, r"increments = None; choose one of"),
    ({"n_states": 1}, r"n_states = 1; it must be an integer from 2 to 1,000,000"),
    ({"n_states": 1_000_001}, r"n_states = 1000001"),
    ({"n_states": 90.0}, r"n_states = 90\.0"),
    ({"n_states": True}, r"n_states = True"),
    ({"max_mileage": 0}, r"max_mileage = 0; it must be a positive number of miles"),
    ({"max_mileage": np.nan}, r"max_mileage = nan"),
    ({"max_mileage": np.inf}, r"max_mileage = inf"),
    ({"max_mileage": "far"}, r"max_mileage = 'far'"),
    ({"groups": [4, 9]}, r"the panel has no group 9; it has 1, 2, 3, 4, 5, 6, 7, 8"),
    ({"groups": ["4"]}, r"the panel has no group '4'"),
    ({"groups": []}, r"groups is empty; give a list of some of 1, 2, .*None for all"),
    ({"groups": "4"}, r"groups = '4'; give a list"),
    ({"groups": 4.0}, r"groups = 4\.0; give a list"),
])
def test_an_option_outside_its_domain_is_an_error_that_lists_what_is_valid(panel, options, message):
    with pytest.raises(ParameterError, match=message):
        discretize(panel, **options)


@pytest.mark.parametrize(("row", "column", "value", "message"), [
    (1, "mileage", np.nan, r"column 'mileage' has 1 missing .*row 1 .*bus 1, period 2"),
    (1, "group", np.nan, r"column 'group' has 1 missing"),
    (1, "mileage", -5, r"mileage = -5 for bus 1, period 2"),
    (1, "replaced", 2, r"replaced = 2 for bus 1, period 2"),
    (1, "period", 1, r"bus 1 has period 1 more than once"),
    (2, "period", 5, r"bus 1 has no row between periods 2 and 5"),
    (2, "mileage", 1_000, r"mileage of bus 1 falls from 2,000 in period 2 to 1,000 in period 3, but replaced = 0"),
    (2, "mileage", 450_001, r"mileage of bus 1 reaches 450,001 in period 3, .*max_mileage = 450,000\. Raise"),
    (2, "group", 2, r"bus 1 is in groups 1 and 2"),
])
def test_a_wrong_entry_is_an_error_that_names_the_bus_and_the_period(row, column, value, message):
    panel = history([1_000, 2_000, 3_000]).astype(float)
    panel.loc[row, column] = value
    with pytest.raises(DataError, match=message):
        discretize(panel, groups=None)


def test_missing_columns_no_rows_and_single_months_are_errors():
    panel = history([1_000, 2_000])
    with pytest.raises(DataError, match="no column 'mileage', 'replaced'; it has 'group', 'bus_id', 'period'"):
        discretize(panel[["group", "bus_id", "period"]])
    with pytest.raises(DataError, match="no rows"):
        discretize(panel.iloc[:0], groups=None)
    with pytest.raises(DataError, match="all 2 buses have a single month"):
        discretize(pd.concat([history([1_000]), history([2_000], bus_id=2)]), groups=None)


def test_buses_in_the_last_state_are_a_warning_with_the_number_of_observations(panel):
    two = pd.concat([history([440_000, 448_000, 450_000]), history([1_000, 2_000], bus_id=2)])
    with pytest.warns(CompEconWarning, match="2 of 3 observations, from 1 buses, lie in the last state") as caught:
        assert discretize(two, groups=None).observations()["x"].max() == 89
    assert caught[0].filename == __file__, "the warning points at the caller's line"
