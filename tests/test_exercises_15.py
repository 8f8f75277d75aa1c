"""Exercises of chapter 15 against pyblp's numbers, closed forms and what the library and the figure find."""

import numpy as np
import pytest
from exercise_fixtures import solution

from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal
from compecon.live import CostsAndMarkups

# pyblp 1.3.0 at polished estimates: over all products, and the first four of market C01Q1.
MEAN_COST, LOWEST_COST, MEAN_LERNER = 0.08235850594636449, -0.01258130790185523, 0.3638660253835999
C01Q1 = [0.035925204348376545, 0.08665348157491905, 0.08938190627196335, 0.09160827159495358]


@pytest.fixture(scope="module")
def results():
    return cereal_results()


@pytest.fixture(scope="module")
def market():
    """The data of market C01Q1."""
    products = load_cereal().products
    return products[products["market_ids"] == "C01Q1"]


def test_the_library_has_pyblps_numbers(results):
    costs = results.compute_costs()
    assert costs.mean() == pytest.approx(MEAN_COST, rel=1e-7) and costs.min() == pytest.approx(LOWEST_COST, rel=1e-6)
    assert results.compute_markups().mean() == pytest.approx(MEAN_LERNER, rel=1e-7)


def test_the_prediction_is_what_the_figure_shows():
    figure, paths = CostsAndMarkups(), {}
    for figure.conduct in ("firms", "one"):
        paths[figure.conduct] = figure.outputs()["costs"][1].copy()
    assert (paths["one"] < paths["firms"]).all() and solution("15.1") == "fall"


def test_the_markup_over_cost_follows_from_the_lerner_index(results):
    lerner = results.compute_markups()[:, 0]
    assert solution("15.2") == pytest.approx(np.median(lerner / (1 - lerner)), rel=1e-9)
    assert 0.45 < solution("15.2") < 0.55


def test_margins_meet_the_checkpoint_and_the_library(results, market):
    jacobian, shares = np.array([[-4.0, 1.0], [2.0, -5.0]]), np.array([0.2, 0.3])
    np.testing.assert_allclose(solution("15.3", shares, jacobian, np.eye(2)), [0.05, 0.06], rtol=1e-12)
    # By hand: 4 a - 2 b = 0.2 and -a + 5 b = 0.3.
    np.testing.assert_allclose(solution("15.3", shares, jacobian, np.ones((2, 2))), [4 / 45, 7 / 90], rtol=1e-12)
    ids = market["firm_ids"].to_numpy()
    margins = solution("15.3", market["shares"].to_numpy(), results.compute_demand_jacobians(market_id="C01Q1"),
                       np.equal.outer(ids, ids).astype(float))  # fmt: skip
    np.testing.assert_allclose(market["prices"].to_numpy()[:4] - margins[:4], C01Q1, rtol=1e-6)


def test_costs_from_elasticities_meet_the_checkpoint_and_the_library(results, market):
    prices, shares = np.array([2.0, 2.0]), np.array([0.2, 0.3])
    elasticities = np.array([[-4.0, 1.0], [1.0, -4.0]])
    np.testing.assert_allclose(solution("15.4", prices, shares, elasticities, np.array([1, 2])), [1.5, 1.5], rtol=1e-12)
    columns = (market[name].to_numpy() for name in ("prices", "shares"))
    found = solution("15.4", *columns, results.compute_elasticities(market_id="C01Q1"), market["firm_ids"].to_numpy())
    np.testing.assert_allclose(found[:4], C01Q1, rtol=1e-6)


def test_zeta_meets_the_checkpoint_and_is_the_margin_at_equilibrium(results, market):
    one = np.array([1.0])
    found = solution("15.5", 2 * one, one, np.array([[0.5]]), np.array([-4.0]), one, np.ones((1, 1)))
    np.testing.assert_allclose(found, [0.75], rtol=1e-12)
    agents = load_cereal().agents.query("market_ids == 'C01Q1'")
    nu, d = agents.filter(like="nodes").to_numpy(), agents[["income", "income_squared", "age", "child"]].to_numpy()
    alpha = results.beta[0, 0] + nu @ results.sigma[1] + d @ results.pi[1]
    prices, costs = market["prices"].to_numpy(), results.compute_costs(market_id="C01Q1")[:, 0]
    ids, P = market["firm_ids"].to_numpy(), results.compute_probabilities(market_id="C01Q1").T
    H = np.equal.outer(ids, ids).astype(float)
    found = solution("15.5", prices, costs, P, alpha, agents["weights"].to_numpy(), H)
    np.testing.assert_allclose(found, prices - costs, rtol=1e-9)


def test_the_critical_weight_is_where_the_figures_lowest_cost_changes_its_sign():
    figure, weight = CostsAndMarkups(), solution("15.6")
    assert 0.9 < weight < 1
    signs = []
    for figure.kappa in (weight - 1e-4, weight + 1e-4):
        signs.append(np.sign(figure.read()["lowest"]))
    assert signs == [1, -1]
