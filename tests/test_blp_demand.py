"""Elasticities, diversion and shares, against the reference, pyblp, definitions and finite differences."""

import dataclasses
import math

import numpy as np
import pytest
from blp_demand_fixtures import COUNTS, ECONOMIES, Draws, cereal, draws_of, economy, one_market, oracle, ours_in, small

from compecon.blp import demand_kernels as kernels
from compecon.blp.formulation import Formulation
from compecon.blp.markets import Markets
from compecon.blp.optimization import Optimization
from compecon.blp.problem import Problem
from compecon.errors import CompEconWarning, ParameterError

# The cereal problem at its estimates: reference/nevo.json, arrays (pyblp 1.3.0), as sum and standard deviation over all
# products or markets.
CEREAL = [
    ("compute_elasticities", {}, (2256, 24), -3189.4515625337845, 0.7771924147954404),
    ("compute_elasticities", {"name": "sugar"}, (2256, 24), -241.41883721731242, 0.2149501341755474),
    ("compute_demand_jacobians", {}, (2256, 24), -497.6304143173855, 0.17775691920553002),
    ("compute_diversion_ratios", {}, (2256, 24), 2256.0, 0.07970854454114353),
    ("compute_long_run_diversion_ratios", {}, (2256, 24), 2256.0, 0.07388826119439304),
    ("compute_aggregate_elasticities", {}, (94, 1), -56.09360040470746, 0.09141250832033752),
    ("compute_mean_own_elasticities", {}, (94, 1), -340.1018983578965, 0.2997871700418788),
]


@pytest.mark.parametrize(("name", "options", "shape", "total", "std"), CEREAL)
def test_demand_for_cereal_is_the_reference(name, options, shape, total, std):
    values = getattr(cereal(), name)(**options)
    assert values.shape == shape
    assert values.sum() == pytest.approx(total, rel=1e-8) and values.std() == pytest.approx(std, rel=1e-8)


def test_the_first_market_of_cereal_is_the_reference():
    # reference/nevo.json, arrays, C01Q1: the first row's first columns
    results = cereal()
    expected = [-2.3451959276345753, 0.008115837779278092, 0.12442871437468093, 0.05493131587063955]
    assert results.compute_elasticities(market_id="C01Q1")[0, :4] == pytest.approx(expected, rel=1e-8)
    expected = [0.3990205256231451, 0.002184905059877152, 0.028889948962886366]
    assert results.compute_diversion_ratios(market_id="C01Q1")[0, :3] == pytest.approx(expected, rel=1e-8)
    own = results.extract_diagonals(results.compute_elasticities())
    assert own.shape == (2256, 1) and own.sum() == pytest.approx(-8162.445560589517, rel=1e-8)


QUESTIONS = [
    ("compute_elasticities", {}), ("compute_elasticities", {"name": None}), ("compute_elasticities", {"name": "x"}),
    ("compute_demand_jacobians", {}), ("compute_demand_jacobians", {"name": "x"}),
    ("compute_diversion_ratios", {"name": None}), ("compute_long_run_diversion_ratios", {}),
    ("compute_aggregate_elasticities", {}), ("compute_aggregate_elasticities", {"factor": 0.5, "name": "x"}),
    ("compute_aggregate_elasticities", {"name": None}), ("compute_probabilities", {}), ("compute_shares", {}),
]  # fmt: skip


@pytest.mark.parametrize("name", ECONOMIES)
def test_demand_in_markets_of_all_sizes_is_pyblps(name):
    pytest.importorskip("pyblp")
    ours, theirs = small(name), oracle(name)
    for method, options in QUESTIONS:
        got, expected = getattr(ours, method)(**options), getattr(theirs, method)(**options)
        assert got.shape == expected.shape
        assert np.allclose(got, expected, rtol=1e-8, atol=1e-10, equal_nan=True), (method, options)
    prices = economy(name)[1].prices.to_numpy() * 1.1
    delta = ours.delta - 0.3
    for given in ({"prices": prices}, {"delta": delta}, {"prices": prices, "delta": delta}):
        assert np.allclose(ours.compute_shares(**given), theirs.compute_shares(**given), rtol=1e-8)
        got, expected = ours.compute_probabilities(**given), theirs.compute_probabilities(**given)
        assert np.allclose(got, expected, rtol=1e-8, equal_nan=True)
    matrices = ours.compute_elasticities()
    assert np.allclose(ours.extract_diagonals(matrices), theirs.extract_diagonals(matrices))
    assert np.allclose(ours.extract_diagonal_means(matrices), theirs.extract_diagonal_means(matrices))
    assert np.allclose(ours.compute_mean_own_elasticities(), theirs.extract_diagonal_means(matrices))


@pytest.mark.parametrize("name", ECONOMIES)
def test_derivatives_by_prices_are_the_central_differences_of_shares(name):
    results = small(name)
    prices, jacobian, step = economy(name)[1].prices.to_numpy(), results.compute_demand_jacobians(), 1e-5
    markets = Markets(results.problem)
    for k in range(prices.size):
        move = step * (np.arange(prices.size) == k)
        change = (results.compute_shares(prices + move) - results.compute_shares(prices - move)) / (2 * step)
        row = np.flatnonzero(markets.rows == k)[0]
        mates = markets.rows[markets.market == markets.market[row]]
        assert np.allclose(change[mates, 0], jacobian[mates, markets.places[row]], rtol=1e-6, atol=1e-9)
        others = np.setdiff1d(markets.rows, mates)
        assert np.abs(change[others]).max(initial=0) < 1e-12


@pytest.mark.parametrize("name", ECONOMIES)
def test_diversion_is_what_others_gain_of_what_a_product_loses_and_its_rows_sum_to_one(name):
    results = small(name)
    ratios, jacobian = results.compute_diversion_ratios(), results.compute_demand_jacobians()
    assert np.nansum(ratios, axis=1) == pytest.approx(1, abs=1e-12)
    assert np.nansum(results.compute_long_run_diversion_ratios(), axis=1) == pytest.approx(1, abs=1e-12)
    markets = Markets(results.problem)
    for t, J in enumerate(markets.sizes):
        rows = markets.rows[markets.market == t]
        responses = jacobian[rows, :J]
        expected = -responses.T / np.diag(responses)[:, None]
        np.fill_diagonal(expected, responses.sum(axis=0) / np.diag(responses))
        assert np.allclose(ratios[rows, :J], expected, rtol=1e-10)
        assert np.isnan(ratios[rows, J:]).all()


@pytest.mark.parametrize("name", ["linear", "logit"])
def test_diversion_is_pyblps_where_a_price_means_the_same_for_all_products(name):
    pytest.importorskip("pyblp")
    assert np.allclose(small(name).compute_diversion_ratios(), oracle(name).compute_diversion_ratios(), equal_nan=True)


def test_logit_elasticities_have_their_closed_form():
    # e_jj = alpha p_j (1 - s_j), e_jk = -alpha p_k s_k
    results, data = small("logit"), economy("logit")[1]
    alpha, (p, s) = results.beta[1, 0], data.loc[data.market_ids == "m7", ["prices", "shares"]].to_numpy().T
    expected = np.tile(-alpha * p * s, (p.size, 1))
    np.fill_diagonal(expected, alpha * p * (1 - s))
    assert np.allclose(results.compute_elasticities(market_id="m7"), expected, rtol=1e-10)
    assert np.allclose(results.compute_long_run_diversion_ratios(market_id="m7")[0, 1:], s[1:] / (1 - s[0]))


def test_a_product_that_leaves_sends_its_buyers_where_shares_without_it_say():
    results, data = small("linear"), economy("linear")[1]
    there = (data.market_ids == "m5").to_numpy()
    ratios, shares = results.compute_long_run_diversion_ratios(market_id="m5"), data.shares[there].to_numpy()
    for j, row in enumerate(ratios):
        delta = results.delta[there, 0].copy()
        delta[j] = -1e3
        without = results.compute_shares(delta=delta, market_id="m5")[:, 0]
        expected = (without - shares) / shares[j]
        expected[j] = (shares.sum() - without.sum()) / shares[j]
        assert np.allclose(row, expected, rtol=1e-8)


# One market, rows in any order


@pytest.mark.parametrize("method", [
    "compute_elasticities", "compute_demand_jacobians", "compute_diversion_ratios", "compute_long_run_diversion_ratios",
    "compute_probabilities", "compute_shares",
])  # fmt: skip
def test_one_market_is_its_block_of_all(method):
    results, data = small("linear"), economy("linear")[1]
    everything = getattr(results, method)()
    for t, (J, n_agents) in enumerate(COUNTS):
        alone = getattr(results, method)(market_id=f"m{9 - t}")
        width = {"compute_probabilities": n_agents, "compute_shares": 1}.get(method, J)
        assert alone.shape == (J, width)
        assert np.array_equal(alone, everything[data.market_ids == f"m{9 - t}", :width])
    one = results.compute_aggregate_elasticities(market_id="m7")
    assert one.shape == (1, 1) and one[0, 0] == results.compute_aggregate_elasticities()[4, 0]
    assert results.extract_diagonals(results.compute_elasticities(market_id="m7"), market_id="m7").shape == (5, 1)


def test_results_follow_the_rows_of_the_data_whatever_their_order():
    (linear, nonlinear), products, agents, sigma, pi = economy("interaction")
    shuffled = products.sample(frac=1, random_state=5)
    problem = Problem((Formulation(linear), Formulation(nonlinear)), shuffled, Formulation("0 + income"), agents)
    other = problem.solve(sigma, pi, optimization=Optimization("return"), method="1s")
    results = small("interaction")
    own, moved = (r.extract_diagonals(r.compute_elasticities())[:, 0] for r in (results, other))
    assert np.allclose(moved, own[shuffled.index], rtol=1e-9)
    prices = 1.2 * products.prices
    moved = other.compute_shares(prices[shuffled.index])
    assert np.allclose(moved, results.compute_shares(prices)[shuffled.index], rtol=1e-9)


# Draws


def test_draws_are_stacked_first_and_arguments_may_differ_between_them():
    results = small("linear")
    draws = draws_of(results)
    elasticities = draws.compute_elasticities()
    assert elasticities.shape == (3, 23 + 1, 8)
    assert np.allclose(elasticities[0], results.compute_elasticities(), rtol=1e-12, equal_nan=True)
    for d in range(3):
        alone = Draws([draws.demands[d]])
        assert np.array_equal(elasticities[d], alone.compute_elasticities()[0], equal_nan=True)
    means = draws.extract_diagonal_means(elasticities)
    assert means.shape == (3, 7, 1) and np.allclose(means, draws.compute_mean_own_elasticities(), rtol=1e-14)
    assert draws.extract_diagonals(elasticities).shape == (3, 24, 1)
    prices = economy("linear")[1].prices.to_numpy()
    one, three = draws.compute_shares(1.1 * prices), draws.compute_shares(np.outer([1.0, 1.1, 1.2], prices))
    assert one.shape == three.shape == (3, 24, 1)
    assert np.array_equal(one[1], three[1]) and not np.allclose(one[2], three[2])
    assert np.array_equal(three, draws.compute_shares(np.outer([1.0, 1.1, 1.2], prices)[:, :, None]))


def test_prices_that_are_not_known_give_shares_that_are_not_known_in_their_market_alone():
    results, data = small("log"), economy("log")[1]
    prices = data.prices.where(data.market_ids != "m5")
    shares = results.compute_shares(prices)[:, 0]
    assert np.array_equal(np.isnan(shares), data.market_ids == "m5")
    assert np.allclose(shares[data.market_ids != "m5"], data.shares[data.market_ids != "m5"])


# Extremes, and the kernels against numpy


def test_choice_probabilities_hold_at_utilities_of_800():
    utilities = np.array([[800.0, 799.0], [-800.0, -801.0], [0.0, -800.0], [800.0, 800.0]])
    outside = np.empty(4)
    kernels.choice_probabilities(utilities, outside)
    e = math.e
    expected = np.array([[e / (1 + e), 1 / (1 + e)], [0, 0], [0.5, 0], [0.5, 0.5]])
    assert np.allclose(utilities, expected, rtol=1e-14, atol=1e-300)
    assert np.allclose(outside, [0, 1, 0.5, 0], rtol=1e-14, atol=1e-300)


def test_the_own_response_of_a_product_that_nearly_everybody_buys_keeps_its_digits():
    # One product: ds/dp = alpha s (1 - s) = alpha exp(-V) / (1 + exp(-V))^2
    results = Draws([one_market([36.0], [1.0])])
    expected = -math.exp(-36) / (1 + math.exp(-36)) ** 2
    assert results.compute_demand_jacobians()[0, 0, 0] == pytest.approx(expected, rel=1e-13)


def test_whom_nearly_all_leave_for_is_right_when_all_others_underflow():
    # Once the first is gone, the second is chosen exp(-1) times as often as the outside good
    results = Draws([one_market([900.0, -1.0], [1.0, 2.0])])
    ratios = results.compute_long_run_diversion_ratios()[0]
    second = math.exp(-1) / (1 + math.exp(-1))
    assert ratios[0] == pytest.approx([1 - second, second], rel=1e-12)


def test_shares_and_responses_agree_with_numpy():
    results = small("linear")
    demand, markets = results.demand(), Markets(results.problem)
    products, agents = results.problem.sorted_products, results.problem.sorted_agents
    base, slopes = demand.derivatives("prices")
    jacobian, shares = results.compute_demand_jacobians(), results.compute_shares()[:, 0]
    for t, J in enumerate(markets.sizes):
        rows = slice(*products.starts[t : t + 2])
        tastes = agents.traits[agents.starts[t] : agents.starts[t + 1]] @ demand.loadings.T
        weights = agents.weights[agents.starts[t] : agents.starts[t + 1]]
        exps = np.exp(demand.delta[rows] + tastes @ products.X2[rows].T)
        P = exps / (1 + exps.sum(axis=1, keepdims=True))
        alpha = base[rows] + tastes @ slopes[rows].T
        weighted = (weights[:, None] * alpha * P).T
        expected = np.diag(weighted.sum(axis=1)) - P.T @ weighted.T
        seen = markets.rows[rows]
        assert np.allclose(shares[seen], weights @ P, rtol=1e-12)
        assert np.allclose(jacobian[seen, :J], expected, rtol=1e-12, atol=1e-15)


# Errors


def test_errors_name_what_is_wrong_and_what_there_is():
    results = small("linear")
    with pytest.raises(ParameterError, match="no formula uses 'sugar'; demand depends on prices, x"):
        results.compute_elasticities("sugar")
    with pytest.raises(ParameterError, match="no formula uses 'sugar'"):
        results.compute_aggregate_elasticities(name="sugar")
    with pytest.raises(ParameterError, match="unknown market_id 'm1'; choose one of 'm3'"):
        results.compute_elasticities(market_id="m1")
    with pytest.raises(ParameterError, match=r"prices has shape \(3,\); it must be \(24, 1\)"):
        results.compute_shares([1.0, 2.0, 3.0])
    with pytest.raises(ParameterError, match=r"delta has shape \(24, 2\)"):
        results.compute_shares(delta=np.zeros((24, 2)))
    with pytest.raises(ParameterError, match="factor = 0"):
        results.compute_aggregate_elasticities(factor=0)
    with pytest.raises(ParameterError, match=r"matrices have shape \(24, 1\); .* must be \(24, 8\)"):
        results.extract_diagonals(results.compute_shares())


def test_a_column_of_categories_has_no_elasticity():
    products, agents = economy("linear")[1:3]
    problem = Problem((Formulation("0 + prices + C(x)"), Formulation("1")), products.round({"x": 0}), None, agents)
    results = problem.solve(np.eye(1), optimization=Optimization("return"), method="1s")
    for method in (results.compute_elasticities, results.compute_diversion_ratios):
        with pytest.raises(ParameterError, match="no derivative by 'x'"):
            method("x")
    with pytest.raises(ParameterError, match="no derivative by 'x'"):
        results.compute_aggregate_elasticities(name="x")


def test_diversion_by_something_that_nobody_minds_is_refused_or_nan_with_one_warning():
    base = small("logit").demand()
    indifferent = dataclasses.replace(base, beta=base.beta * [1, 1, 0])
    with pytest.raises(ParameterError, match="24 products do not respond .* in 7 of 7 markets"):
        Draws([indifferent], stacked=False).compute_diversion_ratios("x")
    with pytest.warns(CompEconWarning, match="in 1 of 2 draws, in 7 of 7 markets .* Their results are NaN") as caught:
        ratios = Draws([base, indifferent]).compute_diversion_ratios("x")
    assert ours_in(caught) == 1
    assert np.isfinite(ratios[0, :, 0]).all() and not np.isfinite(ratios[1]).any()
