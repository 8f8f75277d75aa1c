"""Costs, markups, equilibrium prices and pass-through: against the reference, pyblp and first-order conditions."""

import dataclasses

import numpy as np
import pytest
from blp_demand_fixtures import COUNTS, ECONOMIES, Draws, cereal, draws_of, economy, one_market, oracle, ours_in, small

from compecon import datasets
from compecon.blp.construction import build_ownership
from compecon.blp.demand_system import Demand
from compecon.blp.formulation import Formulation
from compecon.blp.iteration import Iteration
from compecon.blp.problem import Problem
from compecon.blp.supply import solve_prices
from compecon.errors import CompEconWarning, ConvergenceError, ConvergenceWarning, DataError, ParameterError


def merged_cereal():
    """Firm ids of cereal once firm 1 owns firm 2."""
    return datasets.load_cereal()[0].firm_ids.replace(2, 1)


def test_the_merger_of_cereal_is_the_reference():
    # reference/nevo.json, arrays (pyblp 1.3.0): sums, and standard deviations or extremes
    results, merged = cereal(), merged_cereal()
    costs = results.compute_costs()
    assert costs.shape == (2256, 1) and costs.sum() == pytest.approx(185.8007894149983, rel=1e-8)
    assert costs.min() == pytest.approx(-0.01258130790185523, rel=1e-8)
    markups = results.compute_markups(costs=costs)
    assert markups.sum() == pytest.approx(820.8817532654014, rel=1e-8)
    assert results.compute_profits(costs=costs).sum() == pytest.approx(2.0032411256486116, rel=1e-8)
    hhi = results.compute_hhi()
    assert hhi.shape == (94, 1) and hhi.sum() == pytest.approx(320370.216962089, rel=1e-8)
    approximate = results.compute_approximate_prices(merged)
    assert approximate.sum() == pytest.approx(320.86013607379044, rel=1e-8)
    prices = results.compute_prices(merged, costs=costs)
    assert prices.shape == (2256, 1) and prices.sum() == pytest.approx(311.10058833443395, rel=1e-8)
    assert prices.std() == pytest.approx(0.031300829195919574, rel=1e-8)
    assert prices.max() == pytest.approx(0.3690086436678641, rel=1e-8)
    shares = results.compute_shares(prices)
    assert shares.sum() == pytest.approx(40.193784599248055, rel=1e-8)
    assert results.compute_hhi(merged, shares).sum() == pytest.approx(488708.5821471051, rel=1e-8)
    assert results.compute_markups(prices, costs).sum() == pytest.approx(937.7577061458122, rel=1e-8)
    assert results.compute_profits(prices, shares, costs).sum() == pytest.approx(2.169848651672535, rel=1e-8)


@pytest.mark.parametrize("name", ECONOMIES)
def test_supply_in_markets_of_all_sizes_is_pyblps(name):
    pytest.importorskip("pyblp")
    ours, theirs, data = small(name), oracle(name), economy(name)[1]
    merged = data.firm_ids.replace("b", "a")
    ownership = build_ownership(data, lambda f, g: 1.0 if f == g else 0.3)
    costs, prices = theirs.compute_costs(), 1.1 * data.prices.to_numpy()
    shares = theirs.compute_shares(prices)
    questions = [
        ("compute_costs", {}), ("compute_costs", {"firm_ids": merged}), ("compute_costs", {"ownership": ownership}),
        ("compute_markups", {}), ("compute_markups", {"prices": prices, "costs": costs}), ("compute_profits", {}),
        ("compute_profits", {"prices": prices, "shares": shares}), ("compute_hhi", {}),
        ("compute_hhi", {"firm_ids": merged, "shares": shares}), ("compute_passthrough", {}),
        ("compute_passthrough", {"firm_ids": merged}), ("compute_approximate_prices", {"firm_ids": merged}),
        ("compute_approximate_prices", {"ownership": ownership, "costs": costs}), ("compute_prices", {}),
        ("compute_prices", {"firm_ids": merged}), ("compute_prices", {"ownership": ownership, "costs": costs}),
        ("compute_prices", {"costs": 0.9 * costs, "prices": prices}),
    ]  # fmt: skip
    for method, options in questions:
        got, expected = getattr(ours, method)(**options), getattr(theirs, method)(**options)
        assert got.shape == expected.shape
        assert np.allclose(got, expected, rtol=1e-8, atol=1e-9, equal_nan=True), (method, options)


# Identities


@pytest.mark.parametrize("name", ECONOMIES)
def test_prices_under_unchanged_ownership_are_the_observed_ones(name):
    results, data = small(name), economy(name)[1]
    prices = results.compute_prices(costs=results.compute_costs())[:, 0]
    assert np.abs(prices - data.prices).max() < 1e-12
    assert np.abs(cereal().compute_prices()[:, 0] - datasets.load_cereal()[0].prices).max() < 1e-12


@pytest.mark.parametrize("name", ECONOMIES)
def test_new_prices_meet_the_first_order_conditions_of_the_new_firms(name):
    results, data = small(name), economy(name)[1]
    merged, costs = data.firm_ids.replace("b", "a").to_numpy(), results.compute_costs()
    prices = results.compute_prices(merged, costs=costs)[:, 0]

    def profit(prices, rows):
        shares = results.compute_shares(prices)[:, 0]
        return ((prices - costs[:, 0]) * shares)[rows].sum()

    step = 1e-5
    for k in range(prices.size):
        mine = ((data.market_ids == data.market_ids[k]) & (merged == merged[k])).to_numpy()
        move = step * (np.arange(prices.size) == k)
        assert abs(profit(prices + move, mine) - profit(prices - move, mine)) / (2 * step) < 1e-9


def test_the_costs_of_a_simulated_equilibrium_are_recovered():
    results, data = small("linear"), economy("linear")[1]
    demand, rng = results.demand(), np.random.default_rng(3)
    costs = rng.uniform(0.2, 1.0, len(data))
    prices = results.compute_prices(costs=costs, prices=costs)
    problem = results.problem
    moved = problem.to_market_order(prices)[:, 0]
    delta, shares = demand.characteristics(moved)[0], problem.to_market_order(results.compute_shares(prices))[:, 0]
    there = Draws([dataclasses.replace(demand, prices=moved, delta=delta, known_shares=shares)], stacked=False)
    assert there.compute_costs()[:, 0] == pytest.approx(costs, rel=1e-10)


@pytest.mark.parametrize("name", ["linear", "log", "interaction"])
def test_pass_through_is_the_central_difference_of_prices_by_costs(name):
    results, data = small(name), economy(name)[1]
    costs, rows = results.compute_costs(), np.flatnonzero(data.market_ids == "m5")
    matrix, step = results.compute_passthrough(market_id="m5"), 1e-4
    for k, row in enumerate(rows):
        move = step * (np.arange(len(data)) == row)[:, None]
        ends = [results.compute_prices(costs=costs + sign * move, iteration=Iteration("simple", {"atol": 1e-15}))
                for sign in (1, -1)]
        assert np.allclose((ends[0] - ends[1])[rows, 0] / (2 * step), matrix[:, k], rtol=1e-5, atol=1e-6)


def test_logit_margins_have_their_closed_forms():
    # One product a firm: 1 / (|alpha| (1 - s_j)); one firm for all: 1 / (|alpha| s_0) (Anderson and de Palma 1992)
    results, data = small("logit"), economy("logit")[1]
    alpha, there = -results.beta[1, 0], (data.market_ids == "m7").to_numpy()
    prices, shares = data.loc[there, ["prices", "shares"]].to_numpy().T
    single = build_ownership(data, "single")[there, :5]
    costs = results.compute_costs(ownership=single, market_id="m7")[:, 0]
    assert prices - costs == pytest.approx(1 / (alpha * (1 - shares)), rel=1e-10)
    costs = results.compute_costs(firm_ids=np.ones(5), market_id="m7")[:, 0]
    assert prices - costs == pytest.approx(1 / (alpha * (1 - shares.sum())), rel=1e-10)


def test_ownership_matrices_and_firm_ids_say_the_same():
    results, data = small("linear"), economy("linear")[1]
    merged = data.firm_ids.replace("b", "a")
    ownership = build_ownership(data.assign(firm_ids=merged))
    for method in ("compute_costs", "compute_prices", "compute_passthrough", "compute_approximate_prices"):
        by_ids, by_matrix = getattr(results, method)(merged), getattr(results, method)(ownership=ownership)
        assert np.array_equal(by_ids, by_matrix, equal_nan=True)


def test_one_market_is_its_block_of_all_and_takes_arguments_of_its_size():
    results, data = small("linear"), economy("linear")[1]
    merged, costs = data.firm_ids.replace("b", "a"), results.compute_costs()
    ownership = build_ownership(data.assign(firm_ids=merged))
    everything = results.compute_prices(merged, costs=costs)
    for t, (J, _) in enumerate(COUNTS):
        here = (data.market_ids == f"m{9 - t}").to_numpy()
        alone = results.compute_prices(merged[here], costs=costs[here], market_id=f"m{9 - t}")
        assert np.array_equal(alone, everything[here])
        assert np.array_equal(results.compute_costs(market_id=f"m{9 - t}"), costs[here])
        alone = results.compute_prices(ownership=ownership[here, :J], costs=costs[here], market_id=f"m{9 - t}")
        assert np.array_equal(alone, everything[here])
        passed = results.compute_passthrough(market_id=f"m{9 - t}")
        assert passed.shape == (J, J) and np.array_equal(passed, results.compute_passthrough()[here, :J])
        hhi = results.compute_hhi(merged[here], market_id=f"m{9 - t}")
        assert hhi.shape == (1, 1) and hhi[0, 0] == results.compute_hhi(merged)[6 - t, 0]


def test_draws_have_their_own_costs_and_prices():
    results, data = small("linear"), economy("linear")[1]
    draws, merged = draws_of(results), data.firm_ids.replace("b", "a")
    costs = draws.compute_costs()
    assert costs.shape == (3, 24, 1) and np.allclose(costs[0], results.compute_costs(), rtol=1e-12)
    assert (costs[1] > costs[0]).all(), "firms of less tolerant consumers have lower margins"
    prices = draws.compute_prices(merged, costs=costs)
    assert np.allclose(prices[0], results.compute_prices(merged), rtol=1e-12)
    assert np.array_equal(prices, draws.compute_prices(merged))
    assert draws.compute_hhi().shape == (3, 7, 1) and draws.compute_passthrough().shape == (3, 24, 8)


# Small and large


def test_a_product_of_share_1e_13_has_its_own_price_not_the_one_that_the_search_started_from():
    # Two kinds of consumers, alpha = -1.5 and -0.5: p = c + sum_i exp(V_i) / sum_i -alpha_i exp(V_i), if 1 - P_i = 1
    products = {"market_ids": [0], "shares": [0.1], "prices": [2.0], "firm_ids": [1], "demand_instruments0": [1.0]}
    agents = {"market_ids": [0, 0], "weights": [0.5, 0.5], "nodes0": [-1.0, 1.0]}
    problem = Problem((Formulation("0 + prices"), Formulation("0 + prices")), products, None, agents)
    alpha, known = np.array([-1.5, -0.5]), [np.array([x]) for x in (-32.0, 2.0, 0.1)]
    demand = Demand(problem, np.array([[0.5]]), np.zeros((1, 0)), np.array([-1.0]), *known)
    price = Draws([demand], stacked=False).compute_prices(costs=[1.0], prices=[8.0])[0, 0]
    exps = np.exp(-32 - 1.0 * (price - 2) + (alpha + 1) * price)
    assert exps.max() < 1e-12
    assert price == pytest.approx(1 + exps.sum() / (-alpha @ exps), abs=1e-7)


def test_costs_hold_at_shares_of_1e_12_and_for_a_firm_with_everything():
    results = Draws([one_market([-28.0, 0.0, 28.0], [1.0, 2.0, 3.0])], stacked=False)
    shares = results.compute_shares()[:, 0]
    outside = 1 / (1 + np.exp([-28.0, 0.0, 28.0]).sum())
    expected = 1 / np.array([1 - shares[0], 1 - shares[1], outside * (2 + np.exp(-28.0))])
    assert np.array([1.0, 2.0, 3.0]) - results.compute_costs()[:, 0] == pytest.approx(expected, rel=1e-9)
    monopoly = Draws([one_market([-20.0, 0.0, 5.0], [1.0, 2.0, 3.0], firm_ids=[1, 1, 1])], stacked=False)
    outside = 1 / (1 + np.exp([-20.0, 0.0, 5.0]).sum())
    assert np.array([1.0, 2.0, 3.0]) - monopoly.compute_costs()[:, 0] == pytest.approx(1 / outside, rel=1e-9)


# Failures


def test_an_equilibrium_that_is_not_found_is_nan_with_one_warning_that_names_its_market():
    results, data = small("linear"), economy("linear")[1]
    one_round = Iteration("simple", {"max_evaluations": 1})
    costs = results.compute_costs().copy()
    costs[data.market_ids == "m5"] += 0.1
    with pytest.warns(ConvergenceWarning, match=r"in 1 of 7 markets \('m5'\); they are NaN there") as caught:
        prices = results.compute_prices(costs=costs, iteration=one_round)
    assert ours_in(caught) == 1
    assert np.array_equal(np.isnan(prices[:, 0]), data.market_ids == "m5")
    with pytest.warns(ConvergenceWarning, match="in 3 of 3 draws, in 1 of 7 markets") as caught:
        draws_of(results).compute_prices(costs=draws_of(results).compute_costs() + (costs - results.compute_costs()),
                                         iteration=one_round)
    assert ours_in(caught) == 1


def test_what_an_earlier_question_left_unknown_stays_unknown_in_its_market_alone():
    results, data = small("linear"), economy("linear")[1]
    draws, here = draws_of(results), (data.market_ids == "m5").to_numpy()
    costs, prices = draws.compute_costs(), np.tile(data.prices.to_numpy()[:, None], (3, 1, 1))
    prices[1, here] = np.nan
    assert np.isfinite(draws.compute_prices(costs=costs, prices=prices)).all()
    costs[1, here] = np.nan
    with pytest.warns(ConvergenceWarning, match=r"in 1 of 3 draws, in 1 of 7 markets \('m5'\)"):
        found = draws.compute_prices(costs=costs)
    assert np.isnan(found[1, here]).all() and np.isnan(found).sum() == here.sum()
    assert np.isnan(draws.compute_markups(found, costs)).sum() == here.sum()
    assert np.isnan(draws.compute_consumer_surpluses(found)).sum() == 1


def test_a_price_that_a_formula_cannot_take_fails_its_market_and_no_other():
    # log(prices): from a cost far below zero the first step leads to a negative price
    results, data = small("log"), economy("log")[1]
    costs = results.compute_costs().copy()
    costs[data.market_ids == "m5"] = -100.0
    with pytest.warns(ConvergenceWarning, match=r"in 1 of 7 markets \('m5'\)"):
        prices = results.compute_prices(costs=costs)[:, 0]
    elsewhere = (data.market_ids != "m5").to_numpy()
    assert np.array_equal(np.isnan(prices), ~elsewhere)
    assert np.allclose(prices[elsewhere], data.prices[elsewhere], rtol=1e-10)


def test_the_tolerance_and_the_limit_of_an_iteration_are_kept():
    results, data = small("linear"), economy("linear")[1]
    merged, costs = data.firm_ids.replace("b", "a"), results.compute_costs()
    loose = results.compute_prices(merged, costs=costs, iteration=Iteration("simple", {"atol": 1e-3}))
    tight = results.compute_prices(merged, costs=costs, iteration=Iteration("simple", {"atol": 1e-15}))
    exact = results.compute_prices(merged, costs=costs)
    assert 1e-6 < np.abs(loose - exact).max() < 0.1 and np.abs(tight - exact).max() < 1e-9
    one = Iteration("simple", {"atol": 1e-11, "max_evaluations": 1})
    assert np.abs(results.compute_prices(merged, costs=costs, prices=exact, iteration=one) - exact).max() < 1e-10
    for iteration in (Iteration("squarem"), "simple"):
        with pytest.raises(ParameterError, match="prices are iterated by Iteration"):
            results.compute_prices(iteration=iteration)


def test_conditions_that_are_singular_raise_or_are_nan_with_one_warning():
    results, data = small("linear"), economy("linear")[1]
    ownership = build_ownership(data)
    empty = (data.market_ids == "m7").to_numpy()
    ownership[empty] = np.where(np.isnan(ownership[empty]), np.nan, 0)
    with pytest.raises(ConvergenceError, match=r"singular in 1 of 7 markets \('m7'\)"):
        results.compute_costs(ownership=ownership)
    with pytest.raises(ConvergenceError, match="singular in 1 of 7"):
        results.compute_passthrough(ownership=ownership)
    with pytest.raises(ConvergenceError, match="singular in 1 of 1"):
        # Nobody is left with the outside good: a monopolist's prices have no bound
        Draws([one_market([800.0, 799.0], [1.0, 2.0], firm_ids=[1, 1])], stacked=False).compute_markups()
    base = results.demand()
    careless = dataclasses.replace(base, beta=0 * base.beta, sigma=0 * base.sigma, pi=0 * base.pi)
    with pytest.warns(CompEconWarning, match="in 1 of 2 draws, in 7 of 7 markets .* Their results are NaN") as caught:
        costs = Draws([base, careless]).compute_costs()
    assert ours_in(caught) == 1 and np.isfinite(costs[0]).all() and np.isnan(costs[1]).all()


def test_errors_say_what_is_missing():
    results, data = small("linear"), economy("linear")[1]
    anonymous = Problem(Formulation("1 + prices"), data.drop(columns="firm_ids")).solve(method="1s")
    for method in ("compute_costs", "compute_markups", "compute_hhi", "compute_prices", "compute_passthrough"):
        with pytest.raises(DataError, match="product_data has no firm_ids"):
            getattr(anonymous, method)()
    assert np.isfinite(anonymous.compute_costs(firm_ids=data.firm_ids)).all()
    ownership = build_ownership(data)
    assert np.isfinite(anonymous.compute_costs(ownership=ownership)).all()
    with pytest.raises(ParameterError, match="firm_ids and ownership are both given"):
        results.compute_costs(data.firm_ids, ownership)
    with pytest.raises(ParameterError, match=r"ownership has shape \(24, 7\); it must be \(24, 8\)"):
        results.compute_costs(ownership=ownership[:, :7])
    with pytest.raises(DataError, match="ownership in market 'm5' is missing"):
        results.compute_costs(ownership=np.where((data.market_ids == "m5").to_numpy()[:, None], np.nan, ownership))
    with pytest.raises(ParameterError, match=r"firm_ids has shape \(5,\)"):
        results.compute_costs(firm_ids=np.arange(5))
    with pytest.raises(DataError, match="firm_ids are missing for 3 products"):
        results.compute_costs(firm_ids=data.firm_ids.mask(np.arange(24) < 3))
    with pytest.raises(ParameterError, match=r"costs has shape \(2,\)"):
        results.compute_markups(costs=[1.0, 2.0])


def test_firms_in_different_markets_are_different_firms_and_ids_may_be_of_any_type():
    results, data = small("linear"), economy("linear")[1]
    assert np.array_equal(results.compute_costs(data.firm_ids), results.compute_costs())
    renamed = data.firm_ids + data.market_ids
    assert np.array_equal(results.compute_costs(renamed), results.compute_costs())
    numbers = data.firm_ids.map({"a": 3.5, "b": 1.0, "c": 2.0})
    assert np.array_equal(results.compute_hhi(numbers), results.compute_hhi())
    mixed = data.firm_ids.map({"a": 3.5, "b": "b", "c": 2})
    assert np.array_equal(results.compute_hhi(mixed.to_numpy(object)[:, None]), results.compute_hhi())


def test_solve_prices_tells_which_markets_converged():
    demand = small("linear").demand()
    markets = small("linear")._markets(None)
    ownership = np.zeros((24, 8))
    ownership[np.arange(24), markets.places] = 1.0
    prices, converged = solve_prices(demand, markets, ownership, 0.5 * demand.prices, max_rounds=1)
    assert prices.shape == (24,) and not converged.any() and np.isnan(prices).all()
    prices, converged = solve_prices(demand, markets, ownership, 0.5 * demand.prices)
    assert converged.tolist() == [1] * 7 and np.isfinite(prices).all()
