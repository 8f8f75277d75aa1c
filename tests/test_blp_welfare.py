"""Consumer surplus: against the reference, pyblp, closed forms and Roy's identity."""

import dataclasses

import numpy as np
import pytest
from blp_demand_fixtures import COUNTS, Draws, cereal, draws_of, economy, one_market, oracle, ours_in, small

from compecon import datasets
from compecon.blp.formulation import Formulation
from compecon.blp.problem import Problem
from compecon.errors import CompEconWarning, DataError, ParameterError


def test_the_surplus_of_cereal_before_and_after_the_merger_is_the_reference():
    # reference/nevo.json, arrays, consumer_surpluses and changed_consumer_surpluses (pyblp 1.3.0)
    results = cereal()
    before = results.compute_consumer_surpluses()
    assert before.shape == (94, 1) and before.sum() == pytest.approx(3.2191901118496724, rel=1e-8)
    assert before.std() == pytest.approx(0.013049109142651373, rel=1e-8)
    prices = results.compute_prices(datasets.load_cereal()[0].firm_ids.replace(2, 1))
    after = results.compute_consumer_surpluses(prices)
    assert after.sum() == pytest.approx(2.7810042800814263, rel=1e-8) and (after < before).all()


@pytest.mark.parametrize("name", ["linear", "logit"])
def test_surplus_in_markets_of_all_sizes_is_pyblps(name):
    pytest.importorskip("pyblp")
    ours, theirs, prices = small(name), oracle(name), 1.1 * economy(name)[1].prices.to_numpy()
    one = {"market_id": "m7"}
    for options in ({}, {"prices": prices}, {"keep_all": True}, one, one | {"keep_all": True}):
        got, expected = (results.compute_consumer_surpluses(**options) for results in (ours, theirs))
        assert got.shape == expected.shape and np.allclose(got, expected, rtol=1e-10, equal_nan=True)


def test_surplus_without_some_products_is_pyblps():
    pyblp = pytest.importorskip("pyblp")
    (linear, _), products, *_ = economy("logit")
    theirs = pyblp.Problem(pyblp.Formulation(linear), products).solve(method="1s")
    gone = ["p0", "p3"]
    got = small("logit").compute_consumer_surpluses(eliminate_product_ids=gone)
    assert np.allclose(got, theirs.compute_consumer_surpluses(eliminate_product_ids=gone), rtol=1e-10)
    assert got[0] < small("logit").compute_consumer_surpluses()[0]


def test_the_surplus_of_a_logit_market_has_its_closed_form():
    # log(1 + sum exp V) = -log s_0
    results, data = small("logit"), economy("logit")[1]
    outside = 1 - data.groupby("market_ids").shares.sum().to_numpy()
    assert results.compute_consumer_surpluses()[:, 0] == pytest.approx(np.log(outside) / results.beta[1, 0], rel=1e-10)


def test_a_higher_price_costs_consumers_what_they_buy():
    # Roy's identity: dCS/dp_j = -s_j
    results, data, step = small("linear"), economy("linear")[1], 1e-5
    prices, rows = data.prices.to_numpy(), np.flatnonzero(data.market_ids == "m5")
    for row in rows:
        move = step * (np.arange(24) == row)
        ends = [results.compute_consumer_surpluses(prices + sign * move)[2, 0] for sign in (1, -1)]
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(-data.shares[row], rel=1e-6)


def test_surplus_holds_at_utilities_of_800_and_of_minus_30():
    rich = Draws([one_market([800.0, 800.0], [1.0, 2.0], alpha=-2.0)], stacked=False)
    assert rich.compute_consumer_surpluses()[0, 0] == pytest.approx((800 + np.log(2)) / 2, rel=1e-14)
    poor = Draws([one_market([-30.0], [1.0])], stacked=False)
    assert poor.compute_consumer_surpluses()[0, 0] == pytest.approx(np.log1p(np.exp(-30.0)), rel=1e-14)


def test_each_agents_surplus_is_kept_and_draws_are_stacked():
    results = small("linear")
    kept = results.compute_consumer_surpluses(keep_all=True)
    assert kept.shape == (7, 20)
    assert [int(np.isfinite(row).sum()) for row in kept] == [agents for _, agents in COUNTS[::-1]]
    draws = draws_of(results)
    surplus = draws.compute_consumer_surpluses()
    assert surplus.shape == (3, 7, 1) and np.allclose(surplus[0], results.compute_consumer_surpluses(), rtol=1e-12)
    assert draws.compute_consumer_surpluses(keep_all=True, market_id="m7").shape == (3, 1, 20)


def test_agents_who_like_higher_prices_raise_or_are_nan_with_one_warning_that_counts_them():
    base = small("linear").demand()
    # A spread of the taste for prices so wide that it changes sign
    wide = dataclasses.replace(base, sigma=base.sigma * [[1], [20], [1]])
    tastes = base.problem.sorted_agents.traits @ wide.loadings.T
    alpha = base.beta[1] + tastes[:, 1]
    starts = base.problem.sorted_agents.starts
    counts = np.add.reduceat(alpha >= 0, starts[:-1], dtype=int)
    assert 0 < counts.sum() < alpha.size and (counts == 0).any()
    with pytest.raises(ParameterError, match=f"{counts.sum()} agents in {(counts > 0).sum()} of 7 markets"):
        Draws([wide], stacked=False).compute_consumer_surpluses()
    match = f"{2 * counts.sum()} agents in 2 of 3 draws, in {(counts > 0).sum()} of 7 markets"
    with pytest.warns(CompEconWarning, match=match) as caught:
        surplus = Draws([base, wide, wide]).compute_consumer_surpluses()
    assert ours_in(caught) == 1 and np.isfinite(surplus[0]).all()
    assert np.array_equal(np.isnan(surplus[1, :, 0]), counts > 0)
    sober = base.problem.unique_market_ids[counts == 0][0]
    assert np.isfinite(Draws([wide], stacked=False).compute_consumer_surpluses(market_id=sober)).all()


@pytest.mark.parametrize(("name", "column"), [("log", r"log\(prices\)"), ("square", r"prices\*\*2"),
                                              ("interaction", r"prices\*x")])
def test_prices_that_mean_more_for_one_product_than_another_are_refused_by_name(name, column):
    with pytest.raises(ParameterError, match=f"prices enter through {column}. Let them enter linearly"):
        small(name).compute_consumer_surpluses()
    with pytest.raises(ParameterError, match="prices enter through"):
        # One product alone: its price still matters in another way than money does
        small(name if name != "interaction" else "log").compute_consumer_surpluses(market_id="m9")


def test_what_cannot_be_eliminated_is_said():
    results, data = small("logit"), economy("logit")[1]
    with pytest.raises(ParameterError, match="eliminate_product_ids = 'p0'; it must be a list"):
        results.compute_consumer_surpluses(eliminate_product_ids="p0")
    anonymous = Problem(Formulation("1 + prices"), data.drop(columns="product_ids")).solve(method="1s")
    with pytest.raises(DataError, match="product_data has no product_ids"):
        anonymous.compute_consumer_surpluses(eliminate_product_ids=["p0"])
