"""The figure on demand for engines shows the library's estimates, curves, fleets and paths."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from compecon import zurcher
from compecon.errors import ParameterError
from compecon.live import ReplacementDemand
from compecon.live import replacement_demand as page

CASES = list(itertools.product((50, 75, 100, 140, 200), (0.0, 0.9, 0.98, 0.9999)))


@pytest.fixture(scope="module")
def figure():
    """One figure for all tests: it remembers nothing."""
    return ReplacementDemand()


def outputs(figure, price=60, discount=0.9999):
    figure.price, figure.discount = price, discount
    return figure.outputs()


def estimate(bus_panel, discount):
    """The public estimator on the same buses, in twice Rust's number of states, without a profile before it."""
    data = zurcher.discretize(bus_panel, groups=[4], n_states=180, max_mileage=900_000)
    return zurcher.nfxp(zurcher.ZurcherModel(180, discount), data)


@pytest.mark.parametrize(("price", "discount"), CASES)
def test_the_read_outs_are_what_the_library_finds(figure, bus_panel, price, discount):
    fit = estimate(bus_panel, discount)
    params, model = fit.as_params(), fit.structure
    after = replace(params, RC=params.RC * price / 100)
    figure.price, figure.discount = price, discount
    found = figure.read()
    table = zurcher.counterfactual(model, params, 37, RC=after.RC).loc["engines a year"]
    assert found["demand"] == pytest.approx(table["after"], rel=1e-6)
    assert found["change"] == pytest.approx(100 * (table["after"] / table["before"] - 1), abs=1e-4)
    assert found["lifetime"] == pytest.approx(1 / zurcher.replacement_rate(model, after), rel=1e-6)
    assert found["llf"] == pytest.approx(fit.llf, abs=1e-7)
    assert [found["RC"], found["theta11"]] == pytest.approx(fit.params[["RC", "theta11"]].tolist(), rel=1e-5)
    curve = zurcher.demand_curve(fit, [price / 100], 37, relative=True)
    assert [found["lower"], found["upper"]] == pytest.approx([curve.lower[0], curve.upper[0]], rel=1e-4)
    start = zurcher.stationary_distribution(model, params)
    path = zurcher.demand_path(model, after, start, 12, 37)
    assert found["first_year"] == pytest.approx(path.sum(), rel=1e-5)


@pytest.mark.parametrize(("price", "discount"), CASES)
def test_the_elasticity_is_the_slope_of_the_librarys_log_demand(figure, price, discount):
    figure.price, figure.discount = price, discount
    fit = page.fits()[page.DISCOUNTS.index(discount)]
    ratio = price / 100 * np.exp([-0.002, 0.002])
    demand = zurcher.demand_curve(fit, ratio, 37, relative=True).demand
    assert figure.read()["elasticity"] == pytest.approx(np.diff(np.log(demand))[0] / 0.004, abs=2e-4)


@pytest.mark.parametrize("discount", page.DISCOUNTS)
def test_the_pictures_are_the_librarys(figure, discount):
    found = outputs(figure, 140, discount)
    fit = page.fits()[page.DISCOUNTS.index(discount)]
    model, params = fit.structure, fit.as_params()
    after = replace(params, RC=1.4 * params.RC)
    before, then = (zurcher.stationary_distribution(model, point) for point in (params, after))
    np.testing.assert_allclose(found["shares"], [before, then], atol=1e-10)
    np.testing.assert_allclose(found["hazard"], model.solve(params).choice_prob[:, 1], rtol=1e-9)
    np.testing.assert_allclose(found["path"] / 12, zurcher.demand_path(model, after, before, 240, 37), rtol=1e-8)
    curve = zurcher.demand_curve(fit, np.array(page.PRICES) / 100, 37, relative=True)
    np.testing.assert_allclose(found["curve"], [curve.demand, curve.lower, curve.upper], rtol=1e-9)
    np.testing.assert_allclose(found["point"], [140, np.interp(140, page.PRICES, curve.demand)], rtol=1e-9)
    np.testing.assert_array_equal(found["patient"], page.estimated()["curves"][-1][0])


def test_the_straight_line_touches_the_curve_at_todays_price_and_ends_at_zero(figure):
    for discount in page.DISCOUNTS:
        found = outputs(figure, 60, discount)
        tangent, demand, prices = found["tangent"], found["curve"][0], found["prices"]
        gaps = demand - tangent
        assert gaps[prices == 100] == pytest.approx(0, abs=1e-9)
        # Demand is convex about there: the line lies below on both sides, or has ended.
        assert (gaps[(prices != 100) & ~np.isnan(tangent)] > 0).all()
        np.testing.assert_allclose(np.diff(tangent[:11], 2), 0, atol=1e-9)
        figure.price = 100
        assert np.isnan(tangent).any() == (figure.read()["elasticity"] < -1)


def test_todays_price_changes_nothing(figure):
    for discount in page.DISCOUNTS:
        found = outputs(figure, 100, discount)
        assert figure.read()["change"] == 0
        np.testing.assert_allclose(found["path"], figure.read()["demand"], rtol=1e-9)
        np.testing.assert_array_equal(*found["shares"])


def test_discount_factors_fit_alike_and_part_away_from_todays_price(figure):
    reads = {}
    for price in (50, 100):
        for discount in (0.0, 0.9999):
            figure.price, figure.discount = price, discount
            reads[price, discount] = figure.read()
    assert abs(reads[100, 0.0]["llf"] - reads[100, 0.9999]["llf"]) < 2
    assert abs(reads[100, 0.0]["demand"] - reads[100, 0.9999]["demand"]) < 0.05
    # Farther apart than either band reaches.
    assert reads[50, 0.0]["lower"] > reads[50, 0.9999]["upper"]


def test_a_price_outside_the_curve_cannot_be_set(figure):
    with pytest.raises(ParameterError, match="price = 40; it must lie between 50 and 200"):
        figure.price = 40
