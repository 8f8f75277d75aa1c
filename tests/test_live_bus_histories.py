"""The figure of chapter 8 against `zurcher.discretize`, over all groups, grids and conventions."""

import itertools

import numpy as np
import pandas as pd
import pytest

from compecon import datasets, zurcher
from compecon.live import BusHistories
from compecon.live import bus_histories as page
from compecon.live.markup import spoken
from compecon.zurcher.hazard import binned_hazard

PANEL = datasets.load_bus_panel()
CASES = list(itertools.product(page.GROUPS, page.STATES, ("rust", "model")))


@pytest.fixture(scope="module")
def figure():
    return BusHistories()


def outputs(figure, **values):
    for name, value in {"timing": "odometer", "increments": "rust", **values}.items():
        setattr(figure, name, value)
    return figure.outputs()


def counts(found, row, number):
    """A row of shares as counts of `number` months, without what lies beyond the largest increment."""
    shares = found["shares"][row]
    return np.nan_to_num(shares[: np.flatnonzero(~np.isnan(shares))[-1] + 1]) * number


@pytest.mark.parametrize("groups, n_states, increments", CASES)
def test_counts_and_cells_are_those_of_discretize(figure, groups, n_states, increments):
    found = outputs(figure, groups=groups, n_states=n_states, increments=increments)
    data = zurcher.discretize(PANEL, page.GROUPS[groups], n_states, increments=increments)
    rust = zurcher.discretize(PANEL, page.GROUPS[groups], n_states)
    read = figure.read()
    assert read["observations"] == data.n_obs and read["replacements"] == data.n_replacements
    assert read["categories"] == data.n_categories and read["cells"] == data.n_cells
    np.testing.assert_allclose(counts(found, 1, data.n_obs), data.dx_counts, rtol=1e-12)
    np.testing.assert_allclose(counts(found, 2, data.n_obs), rust.dx_counts, rtol=1e-12)
    assert read["changed"] == (data.observations()["dx"] != rust.observations()["dx"]).sum()
    assert read["impossible"] == 0


@pytest.mark.parametrize("groups, n_states", list(itertools.product(page.GROUPS, page.STATES)))
def test_the_hazard_is_that_of_binned_hazard(figure, groups, n_states):
    found = outputs(figure, groups=groups, n_states=n_states)["hazard"]
    expected = binned_hazard(zurcher.discretize(PANEL, page.GROUPS[groups], n_states), page.BINS)
    filled = ~np.isnan(found[1])
    assert filled.sum() == len(expected)
    np.testing.assert_allclose(found[0][filled], (expected["x"] + 0.5) * 450 / n_states, rtol=1e-12)
    np.testing.assert_allclose(found[1][filled], expected["share"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found[2][filled], expected["share"] - expected["error"], rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found[3][filled], expected["share"] + expected["error"], rtol=1e-9, atol=1e-15)
    np.testing.assert_array_equal(found[4:], found[:2])


@pytest.mark.parametrize("groups", page.GROUPS)
def test_the_bus_shown_is_counted_round_in_the_groups_chosen(figure, groups):
    buses = PANEL[PANEL["group"].isin(page.GROUPS[groups])]["bus_id"].unique()
    for place in (1, 2, len(buses), min(len(buses) + 1, 162), 162):
        outputs(figure, groups=groups, n_states=90, bus=place)
        assert figure.read()["bus_id"] == buses[(place - 1) % len(buses)]


@pytest.mark.parametrize("n_states", page.STATES)
def test_the_history_is_the_buss(figure, n_states):
    found = outputs(figure, groups="4", n_states=n_states, bus=3)["history"]
    bus = PANEL[PANEL["bus_id"] == 5299]
    months = len(bus)
    np.testing.assert_array_equal(found[0][:months], bus["period"])
    np.testing.assert_allclose(found[1][:months], bus["mileage"] / 1e3, rtol=1e-14)
    states = np.maximum(np.ceil(bus["mileage"] * n_states / 450_000), 1) - 1
    np.testing.assert_allclose(found[2][:months], (states + 0.5) * 450 / n_states, rtol=1e-12)
    replaced = np.where(bus["replaced"] == 1, bus["mileage"] / 1e3, np.nan)
    np.testing.assert_allclose(found[3][:months], replaced, rtol=1e-14)
    assert np.isnan(found[:, months:]).all()


def dated_late(groups, n_states, increments):
    """A panel's observations where each decision stands one month later, by pandas."""
    panel = PANEL[PANEL["group"].isin(page.GROUPS[groups])].copy()
    panel["x"] = np.maximum(-(-panel["mileage"] * n_states // 450_000), 1) - 1
    by_bus = panel.groupby("bus_id")
    panel["d"] = by_bus["replaced"].shift(1, fill_value=0)
    before = panel.groupby("bus_id")[["x", "d"]].shift(1)
    restart = -1 if increments == "rust" else 0
    panel["dx"] = panel["x"] - before["x"].where(before["d"] != 1, restart)
    panel["rust"] = panel["x"] - before["x"].where(by_bus["replaced"].shift(1) != 1, -1)
    return panel[panel["period"] > 1]


@pytest.mark.parametrize("groups, n_states, increments", CASES[::3])
def test_a_month_late_decisions_meet_the_new_engine(figure, groups, n_states, increments):
    found = outputs(figure, groups=groups, n_states=n_states, increments=increments, timing="late")
    late, read = dated_late(groups, n_states, increments), figure.read()
    negative = late["dx"] < 0
    assert read["impossible"] == negative.sum() == read["replacements"] == late["d"].sum()
    assert read["changed"] == ((late["dx"] != late["rust"]) | (late["d"] != late["replaced"])).sum()
    assert read["cells"] == len(late[~negative][["x", "d", "dx"]].drop_duplicates())
    possible = np.bincount(late.loc[~negative, "dx"].astype(int))
    np.testing.assert_allclose(counts(found, 1, possible.sum()), possible, rtol=1e-12)
    if late["d"].any():
        mean = (late.loc[late["d"] == 1, "x"].mean() + 0.5) * 450 / n_states
        assert read["mean_mileage"] == pytest.approx(mean, rel=1e-12)
        assert mean < 15 + 450 / n_states
    bins = pd.Series(found["hazard"][1])
    assert bins[1:].fillna(0).eq(0).all()
    # Rust's hazard stays what it is.
    rust = binned_hazard(zurcher.discretize(PANEL, page.GROUPS[groups], n_states), page.BINS)["share"]
    np.testing.assert_allclose(found["hazard"][5][~np.isnan(found["hazard"][5])], rust, rtol=1e-12, atol=1e-15)


def test_the_numbers_that_the_chapter_knows(figure):
    outputs(figure, groups="4", n_states=90)
    assert [figure.read()[key] for key in ("observations", "replacements", "cells")] == [4292, 33, 215]
    found = outputs(figure, groups="1-4", n_states=175)
    np.testing.assert_allclose(counts(found, 1, 8156), [873, 4202, 2954, 117, 7, 3], rtol=1e-12)


def test_groups_without_a_replacement_say_so(figure):
    found = outputs(figure, groups="2", n_states=90)
    assert spoken(figure.readouts[3], found) == "none replaced"
    assert figure.read()["mean_mileage"] == -1


def test_the_finest_grid_leaves_room_for_more_increments(figure):
    for timing, increments in itertools.product(("odometer", "late"), ("rust", "model")):
        outputs(figure, groups="1-8", n_states=max(page.STATES), timing=timing, increments=increments)
        assert figure.read()["categories"] < figure.outputs()["shares"].shape[1] - 2
