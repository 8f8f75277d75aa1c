"""Exercises of chapter 14 against pyblp's numbers, closed forms and what the library and the figure find."""

import numpy as np
import pytest
from exercise_fixtures import solution

from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal
from compecon.exercises.catalogue import find_exercise
from compecon.live import Diversion

# pyblp 1.3.0 at polished estimates, market C01Q1.
OWN_F1B04, CROSS, BACK = -2.3451959276345753, 0.008115837779278092, 0.1244287143746809
DIVERSION = [0.3990205256231451, 0.002184905059877152, 0.028889948962886366, 0.012954247773803601]
LONG_RUN = [0.39311307018931496, 0.002489590579772727, 0.03042919544563783, 0.012954201536269085]
MEAN_OWN, MEAN_AGGREGATE = -3.61810530167975, -0.5967404298373133


@pytest.fixture(scope="module")
def results():
    return cereal_results()


@pytest.fixture(scope="module")
def market():
    """Choice probabilities (I, J), slopes of agents and weights in market C01Q1, from the estimates' definition."""
    results, (_, agents) = cereal_results(), load_cereal()
    here = agents[agents["market_ids"] == "C01Q1"]
    nu, d = here[[f"nodes{c}" for c in range(4)]], here[["income", "income_squared", "age", "child"]]
    alpha = results.beta[0, 0] + nu.to_numpy() @ results.sigma[1] + d.to_numpy() @ results.pi[1]
    P = results.compute_probabilities(market_id="C01Q1").T
    return P, np.repeat(alpha[:, None], 24, axis=1), here["weights"].to_numpy()


def test_the_library_has_pyblps_numbers(results):
    elasticities = results.compute_elasticities(market_id="C01Q1")
    np.testing.assert_allclose(elasticities[0, :3], [OWN_F1B04, CROSS, BACK], rtol=1e-7)
    own = results.extract_diagonal_means(results.compute_elasticities())
    assert own.mean() == pytest.approx(MEAN_OWN, rel=1e-7)
    assert results.compute_aggregate_elasticities().mean() == pytest.approx(MEAN_AGGREGATE, rel=1e-7)


def test_the_prediction_is_what_the_figure_shows():
    figure, found = Diversion(market="C01Q1", product=14), []
    for change in (1, 10, 50, 100):
        figure.change = change
        found.append(figure.read()["outside"])
    assert (np.diff(found) < 0).all() and solution("14.1") == "falls"


def test_the_elasticity_of_all_sales_is_that_of_the_derivatives(results):
    elasticities = results.compute_elasticities(market_id="C01Q1")
    products = load_cereal().products
    shares = products.loc[products["market_ids"] == "C01Q1", "shares"].to_numpy()
    assert -2 < solution("14.2") < -1.8
    assert solution("14.2") == pytest.approx(shares @ elasticities.sum(axis=1) / shares.sum(), rel=5e-3)


def test_derivatives_meet_the_checkpoint_and_the_library(results, market):
    P, slopes = np.array([[0.2, 0.3]]), np.array([[-10.0, -10.0]])
    np.testing.assert_allclose(solution("14.3", P, slopes, np.ones(1)), [[-1.6, 0.6], [0.6, -2.1]], rtol=1e-12)
    expected = results.compute_demand_jacobians(market_id="C01Q1")
    np.testing.assert_allclose(solution("14.3", *market), expected, rtol=1e-9)


def test_derivatives_are_those_of_shares_where_slopes_differ_by_product():
    rng = np.random.default_rng(0)
    P, slopes, weights = find_exercise("14.3").draw(rng)
    V = np.log(P / (1 - P.sum(axis=1, keepdims=True)))

    def shares(prices):
        odds = np.exp(V + slopes * prices)
        return weights @ (odds / (1 + odds.sum(axis=1, keepdims=True)))

    steps = 1e-6 * np.eye(4)
    numeric = np.array([(shares(step) - shares(-step)) / 2e-6 for step in steps]).T
    np.testing.assert_allclose(solution("14.3", P, slopes, weights), numeric, rtol=1e-7)


def test_diversion_ratios_meet_the_checkpoint_and_pyblp(results):
    jacobian = np.array([[-4.0, 2.0], [1.0, -5.0]])
    np.testing.assert_allclose(solution("14.4", jacobian), [[0.75, 0.25], [0.4, 0.6]], rtol=1e-12)
    found = solution("14.4", results.compute_demand_jacobians(market_id="C01Q1"))
    np.testing.assert_allclose(found[0, :4], DIVERSION, rtol=1e-6)


def test_long_run_diversion_meets_the_checkpoint_and_pyblp(market):
    P = np.array([[0.2, 0.3]])
    np.testing.assert_allclose(solution("14.5", P, np.ones(1)), [[0.625, 0.375], [2 / 7, 5 / 7]], rtol=1e-12)
    np.testing.assert_allclose(solution("14.5", market[0], market[2])[0, :4], LONG_RUN, rtol=1e-6)


def test_diversion_from_elasticities_is_compute_diversion_ratios(results):
    products = load_cereal().products
    names = products.loc[products["market_ids"] == "C01Q1", "product_ids"].tolist()
    j, k = names.index("F2B19"), names.index("F1B13")
    assert solution("14.6") == pytest.approx(results.compute_diversion_ratios(market_id="C01Q1")[j, k], rel=1e-10)
    assert 0.05 < solution("14.6") < 0.07
