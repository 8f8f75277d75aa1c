"""Plots of demand and mergers draw what they are given, name products and markets, and leave global settings alone."""

import dataclasses

import matplotlib
import numpy as np
import pandas as pd
import pytest

matplotlib.use("Agg")

from blp_demand_fixtures import Draws, cereal, draws_of, one_market
from matplotlib import pyplot as plt

from compecon import blp, plotting
from compecon.datasets import load_cereal
from compecon.errors import ParameterError


@pytest.fixture(autouse=True)
def closed_figures():
    before = dict(matplotlib.rcParams)
    yield
    assert dict(matplotlib.rcParams) == before
    plt.close("all")


@pytest.fixture(scope="module")
def products():
    """The product table, its rows in an order of markets that is not the sorted one."""
    return load_cereal().products


def names_of(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def colourbar(ax):
    """The Axes of the colourbar beside a heat map."""
    return ax.figure.axes[-1]


def point(demand):
    """Point results of one demand system."""
    return Draws([demand], stacked=False)


@pytest.mark.parametrize("market_id", ["C01Q1", "C37Q2"])
def test_a_heat_map_shows_the_matrix_of_its_market_under_the_names_of_its_products(products, market_id):
    rows = (products["market_ids"] == market_id).to_numpy()
    for plot, compute in ((plotting.plot_elasticities, cereal().compute_elasticities),
                          (plotting.plot_diversion_ratios, cereal().compute_diversion_ratios)):  # fmt: skip
        ax = plot(cereal(), market_id)
        np.testing.assert_allclose(ax.images[0].get_array(), compute()[rows], rtol=1e-12)
        assert names_of(ax.xaxis) == names_of(ax.yaxis) == products.loc[rows, "product_ids"].tolist()
        assert market_id in ax.get_title()


def test_markets_with_other_products_have_their_own_names():
    data = {
        "market_ids": list("babab"), "product_ids": ["x", "z", "w", "x", "y"], "prices": np.ones(5),
        "shares": [0.1, 0.2, 0.3, 0.3, 0.1], "demand_instruments0": [1.0, 2.0, 3.0, 5.0, 4.0],
    }  # fmt: skip
    results = blp.Problem(blp.Formulation("0 + prices"), data).solve(method="1s")
    assert names_of(plotting.plot_diversion_ratios(results, "a").yaxis) == ["z", "x"]
    assert names_of(plotting.plot_diversion_ratios(results, "b").xaxis) == ["x", "w", "y"]


def test_own_elasticities_stand_on_the_diagonal_in_numbers():
    ax = plotting.plot_elasticities(cereal(), "C01Q1")
    written = [(text.get_position(), text.get_text()) for text in ax.texts]
    # reference/nevo.json, arrays, own_elasticities, C01Q1.
    assert written[:5] == [((j, j), own) for j, own in enumerate(["-2.3", "-4.7", "-3.6", "-4.0", "-5.0"])]
    assert len(written) == 24


def test_what_goes_to_the_outside_good_stands_on_the_diagonal_of_diversion_ratios():
    ax = plotting.plot_diversion_ratios(cereal(), "C01Q1")
    assert ax.texts[0].get_text() == "40%"  # reference/nevo.json: 0.39902
    assert "outside good" in colourbar(ax).get_ylabel()


@pytest.mark.parametrize("name", ["prices", "sugar"])
def test_colours_of_elasticities_change_at_zero_and_use_both_scales_whole(name):
    ax = plotting.plot_elasticities(cereal(), "C01Q1", name)
    image = ax.images[0]
    values = image.get_array()
    assert image.norm(0.0) == pytest.approx(0.5)
    assert (image.norm(values.min()), image.norm(values.max())) == pytest.approx((0, 1))
    ticks = colourbar(ax).get_yticks()
    assert (ticks < 0).any() and (ticks > 0).any() and 0 in ticks
    assert ax.get_xlabel() == {"prices": "price of", "sugar": "sugar of"}[name]


def test_numbers_on_the_diagonal_can_be_read_on_their_colours():
    def light(colour):
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for plot in (plotting.plot_elasticities, plotting.plot_diversion_ratios):
        ax = plot(cereal(), "C01Q1")
        image = ax.images[0]
        for j, text in enumerate(ax.texts):
            behind = light(image.cmap(image.norm(image.get_array()[j, j])))
            front = light(matplotlib.colors.to_rgb(text.get_color()))
            # WCAG's formula of contrast, and its bound for text.
            assert (max(front, behind) + 0.05) / (min(front, behind) + 0.05) >= 4.5


def test_a_market_of_many_products_shows_fewer_names_and_no_numbers():
    many = point(one_market(np.linspace(-6, -4, 100), np.ones(100)))
    ax = plotting.plot_elasticities(many, 0.0)
    assert ax.images[0].get_array().shape == (100, 100)
    assert 20 <= len(ax.get_xticks()) <= 40 and len(ax.texts) == 0


def test_without_product_ids_products_are_numbered():
    demand = one_market([-1.0, -2.0], [1.0, 1.0])
    bare = dataclasses.replace(demand.problem.sorted_products, product_ids=None)
    object.__setattr__(demand.problem, "sorted_products", bare)
    assert names_of(plotting.plot_diversion_ratios(point(demand), 0.0).xaxis) == ["1", "2"]


def test_one_product_alone_has_a_heat_map():
    results = point(one_market([-1.0], [1.0]))
    share = 1 / (1 + np.exp(1.0))
    image = plotting.plot_elasticities(results, 0.0).images[0]
    assert float(image.get_array()[0, 0]) == pytest.approx(-(1 - share))
    assert plotting.plot_diversion_ratios(results, 0.0).texts[0].get_text() == "100%"


def test_draws_of_a_bootstrap_are_plotted_one_by_one():
    with pytest.raises(ParameterError, match="a matrix for each draw"):
        plotting.plot_elasticities(draws_of(cereal(), 2), "C01Q1")


def heights(ax):
    """Counts of the two distributions, as the filled bars show them."""
    return [[bar.get_height() for bar in bars] for bars in ax.containers[:2]]


def test_a_merger_is_two_distributions_in_the_same_bins_with_their_means():
    before, after = np.array([1.0, 1.0, 2.0]), np.array([[1.0], [3.0], [3.0]])
    ax = plotting.plot_merger(before, after, "HHI", bins=4)
    assert heights(ax) == [[2, 0, 1, 0], [1, 0, 0, 2]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["before, mean 1.333", "after, mean 2.333"]
    assert [line.get_xdata()[0] for line in ax.get_lines()] == pytest.approx([4 / 3, 7 / 3])
    assert ax.get_xlabel() == "HHI" and ax.get_title() == "Before and after the merger"


def test_values_of_a_merger_that_are_not_finite_are_left_out_in_pairs_and_counted():
    ax = plotting.plot_merger([1.0, np.nan, 2.0, 2.0], [2.0, 3.0, np.inf, 4.0], bins=3)
    assert heights(ax) == [[1, 1, 0], [0, 1, 1]]
    assert ax.get_title().endswith("(2 left out: not finite)")


def test_a_merger_without_counterparts_or_values_is_refused():
    with pytest.raises(ParameterError, match="2 values before and 3 after"):
        plotting.plot_merger([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ParameterError, match="nothing to draw"):
        plotting.plot_merger([np.nan], [1.0])


def bands(ax):
    """The ends of the vertical lines : (n, 2)."""
    return np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])


def test_bands_stand_in_the_order_of_the_estimates_under_their_names():
    table = pd.DataFrame({"low": [2.0, 0.0, 1.0], "middle": [2.5, 0.2, 1.1], "high": [3.0, 1.0, 1.2]}, ["a", "b", "c"])
    ax = plotting.plot_bands(table["low"], table["middle"], table["high"], "elasticity")
    assert names_of(ax.xaxis) == ["b", "c", "a"]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), [0.2, 1.1, 2.5])
    np.testing.assert_array_equal(bands(ax), [[0.0, 1.0], [1.0, 1.2], [2.0, 3.0]])
    assert ax.get_ylabel() == "elasticity"


def test_bands_of_many_markets_and_of_plain_columns_have_no_names():
    columns = np.arange(94.0)[:, None]
    ax = plotting.plot_bands(columns - 1, pd.Series(columns[:, 0], index=[f"C{t}" for t in range(94)]), columns + 1)
    assert len(bands(ax)) == 94 and len(ax.get_xticks()) == 0
    assert len(plotting.plot_bands([0.0], [1.0], [2.0]).get_xticks()) == 0


def test_bands_that_do_not_fit_together_are_refused():
    with pytest.raises(ParameterError, match="1 lower ends, 2 estimates and 2 upper ends"):
        plotting.plot_bands([0.0], [1.0, 1.0], [2.0, 2.0])
    with pytest.raises(ParameterError, match="1 bands have their lower end above"):
        plotting.plot_bands([0.0, 3.0], [1.0, 1.0], [2.0, 2.0])


def test_each_plot_goes_into_the_axes_that_it_is_given():
    for plot in (
        lambda ax: plotting.plot_elasticities(cereal(), "C01Q1", ax=ax),
        lambda ax: plotting.plot_diversion_ratios(cereal(), "C01Q1", ax=ax),
        lambda ax: plotting.plot_merger([1.0], [2.0], ax=ax),
        lambda ax: plotting.plot_bands([0.0], [1.0], [2.0], ax=ax),
    ):
        ax = plt.subplots()[1]
        assert plot(ax) is ax
