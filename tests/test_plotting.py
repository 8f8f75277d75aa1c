"""Plots return their Axes, draw what they are given, and leave global settings alone."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from compecon import plotting, zurcher
from compecon.errors import DataError, ParameterError


@pytest.fixture(autouse=True)
def closed_figures():
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


def test_the_value_is_measured_from_a_new_engine(group_4_fit):
    solution = group_4_fit.solve()
    line = plotting.plot_value(solution).get_lines()[0]
    np.testing.assert_array_equal(line.get_ydata(), solution.ev - solution.ev[0])


def test_the_hazard_shows_model_and_data(group_4_fit, bus_data):
    solution, data = group_4_fit.solve(), bus_data((4,), 90)
    ax = plotting.plot_hazard(solution, data)
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), solution.choice_prob[:, 1])
    dots = ax.collections[-1].get_offsets()
    assert len(dots) > 5
    assert 0 <= dots[:, 1].min() and dots[:, 1].max() < 0.2


def test_the_observed_hazard_averages_to_the_share_of_replacements(group_4_fit, bus_data):
    data = bus_data((4,), 90)
    dots = plotting.plot_hazard(group_4_fit.solve(), data, n_bins=1).collections[-1].get_offsets()
    assert dots[0, 1] == pytest.approx(data.n_replacements / data.n_obs)


def test_histories_mark_each_replacement(bus_panel):
    ax = plotting.plot_histories(bus_panel, [5297, 5298])
    marked = sum(line.get_xdata().size for line in ax.get_lines() if line.get_marker() == "o")
    assert marked == bus_panel.query("bus_id in (5297, 5298)")["replaced"].sum()


def test_histories_of_an_unknown_bus_say_so(bus_panel):
    with pytest.raises(DataError, match="no bus 1"):
        plotting.plot_histories(bus_panel, [1])


def test_a_surface_peaks_at_the_estimate_and_shows_the_path(group_4_fit):
    RC, slope = group_4_fit.theta[:2]
    surface = zurcher.likelihood_surface(group_4_fit, [RC - 1, RC, RC + 1], [slope - 0.3, slope, slope + 0.3])
    assert np.unravel_index(surface.llf.argmax(), (3, 3)) == (1, 1)
    assert surface.llf.max() == pytest.approx(group_4_fit.llf, abs=1e-9)
    path = plotting.plot_surface(surface, levels=(0.5, 2)).get_lines()[0]
    assert path.get_xdata().size == group_4_fit.maximum.n_iter + 1


def test_a_surface_refuses_unknown_parameters(group_4_fit):
    with pytest.raises(ParameterError, match="theta11"):
        zurcher.likelihood_surface(group_4_fit, [1.0], [1.0], names=("RC", "slope"))
    with pytest.raises(ParameterError, match="finite"):
        zurcher.likelihood_surface(group_4_fit, [np.nan], [1.0])


def test_demand_is_drawn_with_its_band(group_4_fit):
    curve = zurcher.demand_curve(group_4_fit, np.linspace(4, 12, 5), n_buses=37)
    ax = plotting.plot_demand(curve)
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), curve.demand)


def test_a_plot_goes_into_the_axes_that_it_is_given(group_4_fit):
    ax = plt.subplots()[1]
    assert plotting.plot_value(group_4_fit.solve(), ax=ax) is ax
