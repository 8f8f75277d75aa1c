"""Bus panels on a grid: the counts that Rust's estimates rest on, what must not change them, what is printed."""

import dataclasses
import time

import numpy as np
import pandas as pd
import pytest
from zurcher_fixtures import history

from compecon.datasets import load_bus_panel
from compecon.zurcher.data import BusData, discretize

# group: observations, replacements, increment counts at n = 90 (Rust 1987, Tables IV and V, and the archive)
GROUPS = {
    1: (360, 0, [71, 284, 5]), 2: (192, 0, [75, 115, 2]), 3: (3312, 27, [1017, 2261, 34]),
    4: (4292, 33, [1682, 2555, 55]), 5: (1500, 11, [733, 760, 7]), 6: (1250, 7, [773, 477]),
    7: (2250, 27, [1350, 894, 6]), 8: (2250, 19, [1624, 626]),
}
# groups: observations, increment counts at n = 90 and n = 175, cells at n = 90
SAMPLES = {
    (1, 2, 3): (3864, [1163, 2660, 41], [362, 1729, 1723, 49, 1], 159),
    (4,): (4292, [1682, 2555, 55], [511, 2473, 1231, 68, 6, 3], 215),
    (1, 2, 3, 4): (8156, [2845, 5215, 96], [873, 4202, 2954, 117, 7, 3], 241),
}


@pytest.fixture(scope="module")
def panel():
    return load_bus_panel()


# Rust's numbers


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_has_the_observations_replacements_and_increments_of_the_archive(panel, group):
    n_obs, n_replacements, dx_counts = GROUPS[group]
    data = discretize(panel, groups=[group])
    assert (data.n_obs, data.n_replacements) == (n_obs, n_replacements)
    assert data.dx_counts.tolist() == dx_counts
    assert data.groups == (group,)


@pytest.mark.parametrize("groups", SAMPLES)
def test_rusts_samples_have_his_observations_increments_and_our_cells(panel, groups):
    n_obs, counts_90, counts_175, n_cells = SAMPLES[groups]
    data = discretize(panel, groups=groups, n_states=90)
    assert data.n_obs == n_obs
    assert data.dx_counts.tolist() == counts_90
    assert data.n_cells == n_cells
    assert discretize(panel, groups=groups, n_states=175).dx_counts.tolist() == counts_175


def test_the_default_sample_is_groups_one_to_four_and_none_is_all_groups(panel):
    assert discretize(panel).groups == (1, 2, 3, 4)
    everything = discretize(panel, groups=None)
    assert everything.groups == tuple(range(1, 9))
    assert (everything.n_buses, everything.n_obs, everything.n_replacements) == (162, 15_568 - 162, 124)


def test_the_models_convention_moves_all_replacements_of_group_four_one_increment_down(panel):
    rust, model = (discretize(panel, groups=[4], increments=name) for name in ("rust", "model"))
    assert model.dx_counts.tolist() == [1682 + 33, 2555 - 33, 55]
    after = rust.observations()["dx"] - model.observations()["dx"]
    assert after.sum() == 33
    assert set(after) == {0, 1}


def test_a_bin_of_2571_miles_gives_other_counts_than_rusts_450000_over_175(panel):
    data = discretize(panel, groups=[4], n_states=175, max_mileage=2571 * 175)
    assert data.dx_counts.tolist() == [510, 2474, 1230, 69, 6, 3]


def test_an_increment_that_never_occurs_has_count_zero_in_the_middle(panel):
    counts = discretize(panel, groups=[4], n_states=1000).dx_counts
    assert counts.size == 27
    assert (counts == 0).sum() == 2
    assert counts[-1] > 0


# States and increments


def test_states_are_half_open_on_the_left_so_that_an_edge_belongs_to_the_state_below():
    miles = [0, 1, 5_000, 5_001, 10_000, 10_001, 445_000]
    assert discretize(history(miles), groups=None).observations()["x"].tolist() == [0, 0, 1, 1, 2, 88]


@pytest.mark.parametrize("n_states", [90, 175, 1000, 999_983])
def test_every_whole_mileage_gets_the_state_of_exact_arithmetic(n_states):
    miles = list(range(450_000 * (n_states - 1) // n_states + 1))
    data = discretize(history(miles), groups=None, n_states=n_states)
    exact = [max(-(-m * n_states // 450_000), 1) - 1 for m in miles]
    assert data.observations()["x"].tolist() == exact[1:]
    floats = discretize(history(np.array(miles, dtype=float)), groups=None, n_states=n_states, max_mileage=450_000.0)
    assert floats.observations()["x"].tolist() == exact[1:]


def test_computed_multiples_of_a_bin_width_stay_on_their_edge():
    width = 450_000 / 175
    summed = np.cumsum(np.full(174, width))
    assert (np.ceil(summed * 175 / 450_000) != np.arange(1, 175)).any(), "plain ceil is wrong somewhere"
    for miles in (summed, np.arange(1, 175) * width):
        data = discretize(history(miles), groups=None, n_states=175)
        assert data.observations()["x"].tolist() == list(range(1, 174))


def test_a_fraction_of_a_mile_past_an_edge_is_in_the_next_state():
    data = discretize(history([0.5, 5_000.0, 5_000.01]), groups=None)
    assert data.observations()["x"].tolist() == [0, 1]


@pytest.mark.parametrize(("increments", "after"), [("rust", 3), ("model", 2)])
def test_the_increment_after_a_replacement_counts_from_the_convention_s_new_engine(increments, after):
    one = history([52_000, 58_000, 12_000, 12_500], replaced=[0, 1, 0, 0])
    frame = discretize(one, groups=None, increments=increments).observations()
    assert frame["x"].tolist() == [11, 2, 2]
    assert frame["d"].tolist() == [1, 0, 0]
    assert frame["dx"].tolist() == [1, after, 0]


def test_a_replacement_in_the_first_month_only_shapes_the_first_increment():
    frame = discretize(history([52_000, 3_000], replaced=[1, 0]), groups=None, increments="model").observations()
    assert frame[["x", "d", "dx"]].to_numpy().tolist() == [[0, 0, 0]]


# The counts agree with each other


@pytest.fixture(scope="module", params=["rust", "model"])
def data(request, panel):
    return discretize(panel, increments=request.param)


def test_cells_are_distinct_sorted_and_add_up_to_the_observations(data):
    cells = data.cells()
    assert cells.equals(cells.sort_values(["x", "d", "dx"], ignore_index=True))
    assert not cells.duplicated(["x", "d", "dx"]).any()
    assert data.cell_count.sum() == data.n_obs
    assert (data.cell_count > 0).all()
    counted = data.observations().groupby(["x", "d", "dx"]).size().reset_index(name="count")
    pd.testing.assert_frame_equal(cells, counted, check_index_type=False)


def test_increment_counts_and_hazard_are_sums_of_the_cells(data):
    assert np.bincount(data.cell_dx.astype(int), data.cell_count).tolist() == data.dx_counts.tolist()
    hazard = data.hazard()
    assert hazard["count"].sum() == data.n_obs
    assert hazard["replacements"].sum() == data.n_replacements == 60
    assert hazard.loc[42, "share"] == hazard.loc[42, "replacements"] / hazard.loc[42, "count"]


def test_counts_by_bus_add_up_to_the_cells_and_to_each_bus_s_months(data, panel):
    assert data.bus_cells.shape == (data.n_buses, data.n_cells) == (104, data.n_cells)
    assert data.bus_cells.sum(axis=0).tolist() == data.cell_count.tolist()
    months = panel.groupby("bus_id").size()
    assert data.bus_cells.sum(axis=1).tolist() == (months[data.bus_ids] - 1).tolist()


def test_observations_are_the_panel_without_first_months(data, panel):
    expected = panel[panel["group"].isin([1, 2, 3, 4]) & (panel["period"] > 1)].reset_index(drop=True)
    frame = data.observations()
    pd.testing.assert_frame_equal(frame[["group", "bus_id", "period"]], expected[["group", "bus_id", "period"]])
    assert frame["d"].tolist() == expected["replaced"].tolist()


def test_arrays_are_contiguous_doubles_as_kernels_need_them(data):
    for name in ("cell_x", "cell_d", "cell_dx", "cell_count", "dx_counts"):
        array = getattr(data, name)
        assert array.dtype == np.float64 and array.flags.c_contiguous and array.flags.writeable
    assert data.bus_cells.dtype == np.float64


# What must not matter


def same(one, other):
    """Whether two BusData agree in every field."""
    def equal(a, b):
        return (a != b).nnz == 0 if hasattr(a, "nnz") else np.array_equal(a, b)
    return all(equal(getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(BusData))


def test_the_order_of_buses_and_rows_changes_nothing(panel):
    data = discretize(panel)
    assert same(data, discretize(panel.sort_values(["bus_id", "period"], ascending=[False, True])))
    assert same(data, discretize(panel.sample(frac=1, random_state=0)))
    assert same(data, discretize(panel, groups=[4, 2, 1, 3, 4]))
    assert not same(data, discretize(panel, groups=[4]))


def test_renumbering_buses_permutes_rows_of_bus_cells_and_nothing_else(panel):
    data, mirrored = discretize(panel), discretize(panel.assign(bus_id=-panel["bus_id"]))
    assert data.cells().equals(mirrored.cells())
    rows = [list(mirrored.bus_ids).index(-bus) for bus in data.bus_ids]
    assert (data.bus_cells != mirrored.bus_cells[rows]).nnz == 0


def test_types_of_columns_and_options_and_extra_columns_change_nothing(panel):
    data = discretize(panel, groups=[4])
    assert same(data, discretize(panel.astype({"mileage": float, "group": float, "replaced": bool}), groups=4))
    assert same(data, discretize(panel[["replaced", "mileage", "period", "bus_id", "group"]], groups=np.array([4])))
    assert same(data, discretize(panel.convert_dtypes(), groups={4}, n_states=np.int32(90), max_mileage=450_000.0))


def test_the_panel_is_not_changed(panel):
    before = panel.copy()
    discretize(panel)
    pd.testing.assert_frame_equal(panel, before)


def test_a_bus_with_a_single_month_is_left_out(panel):
    lonely = pd.concat([panel, history([10_000], bus_id=1, group=4)])
    assert same(discretize(lonely, groups=[4]), discretize(panel, groups=[4]))


def test_a_sample_without_replacements_is_allowed(panel):
    data = discretize(panel, groups=[1, 2])
    assert data.n_replacements == 0
    assert not data.cell_d.any()


def test_errors_in_groups_that_are_not_used_do_not_matter(panel):
    broken = panel.astype({"mileage": float})
    broken.loc[broken["group"] == 8, "mileage"] = np.nan
    assert same(discretize(broken), discretize(panel))


# What it prints


def test_the_repr_is_one_line_with_the_dimensions(panel):
    assert repr(discretize(panel, groups=[4])) == (
        "BusData(37 buses, 4292 observations, 33 replacements, n_states=90, 3 increments, 215 cells)"
    )


def test_the_html_is_a_table_that_does_not_grow_with_the_increments(panel):
    html = discretize(panel, groups=[4], n_states=1000)._repr_html_()
    assert html.startswith("<table>") and html.count("<tr>") == 9
    assert "<td>78, 40, 116, 266, 476, 676, 573, 406, 360, 346, 322, 279, ...</td>" in html
    assert "<td>1682, 2555, 55</td>" in discretize(panel, groups=[4])._repr_html_()


def test_bus_data_cannot_be_changed_by_accident(panel):
    data = discretize(panel, groups=[4])
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.n_states = 100
    assert data.bin_width == 5000


# Speed


def test_a_panel_of_a_million_rows_takes_seconds():
    n_buses, n_months = 10_000, 100
    miles = np.cumsum(np.random.default_rng(0).integers(0, 4_400, (n_buses, n_months)), axis=1)
    panel = pd.DataFrame({
        "group": 1, "bus_id": np.repeat(np.arange(n_buses), n_months), "period": np.tile(np.arange(n_months), n_buses),
        "mileage": miles.ravel(), "replaced": 0,
    })
    start = time.perf_counter()
    data = discretize(panel, groups=None)
    assert time.perf_counter() - start < 5
    assert data.n_obs == n_buses * (n_months - 1)
