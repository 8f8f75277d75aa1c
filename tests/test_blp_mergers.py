"""Pricing pressure, cost savings that offset a merger, divestitures: against definitions and equilibrium prices."""

import numpy as np
import pytest
from blp_demand_fixtures import ECONOMIES, Draws, cereal, draws_of, economy, one_market, small

from compecon import datasets
from compecon.errors import DataError, ParameterError


def by_hand(results, data, merged, costs):
    """sum_k D_jk (p_k - c_k) over the partners' products, one at a time."""
    ratios, prices = results.compute_diversion_ratios(), data.prices.to_numpy()
    out = np.zeros(len(data))
    for j in range(len(data)):
        mates = np.flatnonzero(data.market_ids == data.market_ids[j])
        for place, k in enumerate(mates):
            if merged[k] == merged[j] and data.firm_ids[k] != data.firm_ids[j]:
                out[j] += ratios[j, place] * (prices[k] - costs[k])
    return out


@pytest.mark.parametrize("name", ECONOMIES)
def test_upward_pricing_pressure_is_diversion_times_the_partners_margins(name):
    results, data = small(name), economy(name)[1]
    merged, costs = data.firm_ids.replace("b", "a"), results.compute_costs()[:, 0]
    expected = by_hand(results, data, merged, costs)
    assert (expected > 0).any() and (expected == 0).any()
    assert results.compute_upp(merged).shape == (24, 1)
    assert results.compute_upp(merged)[:, 0] == pytest.approx(expected, rel=1e-12)
    assert results.compute_guppi(merged)[:, 0] == pytest.approx(expected / data.prices, rel=1e-12)
    credit = np.where(expected > 0, 0.1 * costs, 0)
    assert results.compute_upp(merged, efficiency=0.1)[:, 0] == pytest.approx(expected - credit, rel=1e-12)
    assert results.compute_upp(merged, costs=0.5 * costs)[:, 0] == pytest.approx(
        by_hand(results, data, merged, 0.5 * costs), rel=1e-12)


def test_two_logit_products_that_merge_have_their_closed_forms():
    # D_12 = s_2 / (1 - s_1) and margins 1 / (1 - s_j) before, 1 / s_0 after (alpha = -1)
    results = Draws([one_market([0.5, -0.2, 0.1], [1.0, 2.0, 3.0])], stacked=False)
    exps = np.exp([0.5, -0.2, 0.1])
    s = exps / (1 + exps.sum())
    pressure = results.compute_upp([1, 1, 2])[:, 0]
    assert pressure == pytest.approx([s[1] / (1 - s[0]) / (1 - s[1]), s[0] / (1 - s[1]) / (1 - s[0]), 0], rel=1e-12)
    reductions = results.compute_compensating_cost_reductions([1, 1, 2])[:, 0]
    assert reductions == pytest.approx([1 / (1 - s[0] - s[1]) - 1 / (1 - s[j]) for j in (0, 1)] + [0], abs=1e-12)


@pytest.mark.parametrize("name", ECONOMIES)
def test_compensating_cost_reductions_leave_prices_as_they_are(name):
    results, data = small(name), economy(name)[1]
    merged = data.firm_ids.replace("b", "a")
    reductions = results.compute_compensating_cost_reductions(merged)
    partners = by_hand(results, data, merged, np.zeros(24)) > 0
    assert (reductions[partners, 0] > 0).all() and np.abs(reductions[~partners, 0]).max() < 1e-12
    prices = results.compute_prices(merged, costs=results.compute_costs() - reductions)[:, 0]
    assert np.abs(prices - data.prices).max() < 1e-10


def test_cost_savings_lower_prices_and_a_divestiture_undoes_its_part_of_a_merger():
    results, data = cereal(), datasets.load_cereal()[0]
    merged, costs = data.firm_ids.replace(2, 1), results.compute_costs()[:, 0]
    after = results.compute_prices(merged, costs=costs)
    saved = results.compute_prices(merged, costs=np.where(merged == 1, 0.95 * costs, costs))
    assert (saved < after)[merged == 1].mean() > 0.95 and saved.mean() < after.mean()
    everything_back = merged.mask(data.firm_ids == 2, 7)
    assert np.abs(results.compute_prices(everything_back, costs=costs)[:, 0] - data.prices).max() < 1e-12
    one_brand = merged.mask(data.product_ids == "F2B05", 3)
    assert data.prices.mean() < results.compute_prices(one_brand, costs=costs).mean() < after.mean()


def test_pressure_comes_from_the_firm_ids_given_and_is_gone_where_nobody_merges():
    results, data = small("linear"), economy("linear")[1]
    assert not results.compute_upp(data.firm_ids).any() and not results.compute_guppi(data.firm_ids).any()
    assert np.abs(results.compute_compensating_cost_reductions(data.firm_ids)).max() < 1e-12
    merged = data.firm_ids.replace("b", "a")
    assert not results.compute_upp(merged, firm_ids=merged).any()
    one = (data.market_ids == "m5").to_numpy()
    for method in ("compute_upp", "compute_guppi", "compute_compensating_cost_reductions"):
        alone = getattr(results, method)(merged[one], market_id="m5")
        assert np.allclose(alone, getattr(results, method)(merged)[one], rtol=1e-14)


def test_draws_are_stacked_and_a_data_set_without_firms_needs_both_ids():
    results, data = small("linear"), economy("linear")[1]
    merged, draws = data.firm_ids.replace("b", "a"), draws_of(small("linear"))
    for method in ("compute_upp", "compute_guppi", "compute_compensating_cost_reductions"):
        stacked = getattr(draws, method)(merged)
        assert stacked.shape == (3, 24, 1) and np.allclose(stacked[0], getattr(results, method)(merged), rtol=1e-10)
    with pytest.raises(ParameterError, match=r"firm_ids has shape \(2,\)"):
        results.compute_upp([1, 2])
    with pytest.raises(DataError, match="firm_ids are missing for 24 products"):
        results.compute_upp(np.full(24, np.nan))
