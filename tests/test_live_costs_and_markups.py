"""The figure on conduct says what compute_costs, compute_markups and compute_profits say."""

import itertools

import numpy as np
import pytest

from compecon.errors import ConvergenceError
from compecon.live import CostsAndMarkups
from compecon.live.costs_and_markups import CONDUCTS, MARKETS

STATES = list(itertools.product(MARKETS, CONDUCTS, (0, 0.37, 1)))
# pyblp 1.3.0 at polished estimates: costs of the first four products, firms as they are.
C01Q1 = [0.035925204348376545, 0.08665348157491905, 0.08938190627196335, 0.09160827159495358]


@pytest.fixture(scope="module")
def figure():
    return CostsAndMarkups()


def move(figure, market, conduct, kappa):
    figure.market, figure.conduct, figure.kappa = market, conduct, kappa
    return figure.outputs()


def implied(cereal, here, conduct, kappa):
    """The library's costs of one market under a matrix H of our own."""
    ids = {"firms": here.firm_ids.to_numpy(), "alone": np.arange(24), "one": np.zeros(24)}[conduct]
    H = np.where(np.equal.outer(ids, ids), 1.0, kappa)
    return cereal.compute_costs(ownership=H, market_id=here.market_ids.iloc[0])[:, 0]


@pytest.fixture(params=STATES, ids=lambda state: "-".join(map(str, state)))
def both(request, figure, cereal, cereal_products):
    """The figure's outputs and read-outs in a state, the market's data and the library's costs."""
    here = cereal_products[cereal_products.market_ids == request.param[0]]
    return move(figure, *request.param), figure.read(), here, implied(cereal, here, *request.param[1:])


def test_costs_are_those_of_compute_costs(both):
    outputs, readouts, here, costs = both
    np.testing.assert_allclose(outputs["costs"][:2], [100 * here.prices, 100 * costs], rtol=1e-9, atol=1e-9)
    below = costs < 0
    np.testing.assert_array_equal(np.isnan(outputs["costs"][2:4]), [below, ~below])
    np.testing.assert_array_equal(np.where(below, outputs["costs"][3], outputs["costs"][2]), outputs["costs"][1])
    assert readouts["lowest"] == pytest.approx(100 * costs.min(), rel=1e-9)
    assert readouts["negative"] == below.sum()


def test_the_comparison_is_with_firms_as_they_are_and_pyblp(both, cereal):
    outputs, _, here, _ = both
    market = here.market_ids.iloc[0]
    expected = cereal.compute_costs(market_id=market)[:, 0]
    np.testing.assert_allclose(outputs["costs"][4], 100 * expected, rtol=1e-9, atol=1e-9)
    if market == "C01Q1":
        np.testing.assert_allclose(outputs["costs"][4, :4], 100 * np.array(C01Q1), rtol=1e-6)


def test_lerner_indices_are_those_of_compute_markups_and_inverse_elasticities(both, cereal):
    outputs, readouts, here, costs = both
    market = here.market_ids.iloc[0]
    markups = cereal.compute_markups(costs=costs, market_id=market)[:, 0]
    inverse = -1 / np.diag(cereal.compute_elasticities(market_id=market))
    np.testing.assert_allclose(outputs["lerner"], [inverse, markups], rtol=1e-9)
    assert readouts["markup"] == pytest.approx(markups.mean(), rel=1e-9)
    assert readouts["inverse"] == pytest.approx(inverse.mean(), rel=1e-9)


def test_profits_are_those_of_compute_profits(both, cereal):
    outputs, readouts, here, costs = both
    market, firms = here.market_ids.iloc[0], (1, 2, 3, 4, 6)
    np.testing.assert_array_equal(outputs["profits"][0], firms)
    for row, known in ((1, costs), (2, None)):
        profits = 100 * cereal.compute_profits(costs=known, market_id=market)[:, 0]
        by_firm = [profits[here.firm_ids == firm].sum() for firm in firms]
        np.testing.assert_allclose(outputs["profits"][row], by_firm, rtol=1e-9)
    margin = 100 * np.average(here.prices - costs, weights=here.shares)
    assert readouts["margin"] == pytest.approx(margin, rel=1e-9)
    assert readouts["profit"] == pytest.approx(margin * here.shares.sum(), rel=1e-9)


@pytest.mark.parametrize("conduct", CONDUCTS)
def test_the_path_is_that_of_compute_costs_at_every_weight(figure, cereal, cereal_products, conduct):
    here = cereal_products[cereal_products.market_ids == "C08Q2"]
    outputs = move(figure, "C08Q2", conduct, 0.5)
    costs = np.array([100 * implied(cereal, here, conduct, kappa) for kappa in outputs["kappas"]])
    np.testing.assert_allclose(outputs["path"], [costs.mean(axis=1), costs.min(axis=1)], rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("market", MARKETS)
def test_single_products_lie_on_the_line_and_the_others_above_it(figure, market):
    inverse, markup = move(figure, market, "alone", 0)["lerner"].copy()
    np.testing.assert_allclose(markup, inverse, rtol=1e-12)
    firms = move(figure, market, "firms", 0)["lerner"][1].copy()
    one = move(figure, market, "one", 0)["lerner"][1].copy()
    # Firm 6 has one product.
    assert (firms[:23] > inverse[:23]).all() and firms[23] == pytest.approx(inverse[23]) and (one > firms).all()


def test_a_weight_of_one_is_one_owner(figure):
    expected = move(figure, "C48Q1", "one", 0)["costs"][1].copy()
    for conduct in CONDUCTS:
        np.testing.assert_allclose(move(figure, "C48Q1", conduct, 1)["costs"][1], expected, rtol=1e-12)


def test_every_state_has_finite_read_outs_and_stays_on_the_axes(figure):
    prices, markups, path, _ = figure.panels
    for market, conduct, kappa in itertools.product(MARKETS, CONDUCTS, np.linspace(0, 1, 11)):
        outputs = move(figure, market, conduct, kappa)
        assert np.isfinite(list(figure.read().values())).all()
        for values, axis in ((outputs["costs"], prices.y), (outputs["lerner"][0], markups.x),
                             (outputs["lerner"][1], markups.y), (outputs["path"], path.y)):
            known = values[~np.isnan(values)]
            assert known.min() > axis.range[0] and known.max() < axis.range[1]


def test_without_a_response_to_prices_there_is_nothing_to_show():
    figure = CostsAndMarkups()
    figure._engine.arrays["base"][:] = 0
    figure._engine.arrays["x2dot"][:] = 0
    with pytest.raises(ConvergenceError, match="no costs explain these prices"):
        figure.read()
