"""Chapter 16: its checkpoints, pyblp's numbers for the merger, and what its text says about iterations and rankings."""

import numpy as np
import pytest
from scipy import special

from compecon import datasets
from compecon.blp.examples import cereal_results
from compecon.exercises import chapter16
from compecon.exercises.catalogue import find_exercise

# reference/nevo.json (pyblp 1.3.0 at polished estimates): means over markets or products, firm 1 buying firm 2.
HHI_CHANGE, HHI_AFTER, PRICE_CHANGE = 1790.8336721810217, 5199.027469650054, 0.012159540168632068
SURPLUS_CHANGE, PROFIT_CHANGE = -0.004661551401789853, 7.385085373400858e-05


@pytest.fixture(scope="module")
def room():
    """(estimates, products, owners after, whose products are partners', costs, prices after)."""
    results, (products, _) = cereal_results(), datasets.load_cereal()
    merged, costs = products["firm_ids"].replace(2, 1), results.compute_costs()[:, 0]
    return results, products, merged, (merged == 1).to_numpy(), costs, results.compute_prices(merged, costs=costs)[:, 0]


def one_market(room, market):
    """(observed prices, costs, V, alpha, weights, H) of one market, and its prices after the merger."""
    results, products, merged, _, costs, full = room
    agents = datasets.load_cereal()[1]
    here, who = products["market_ids"] == market, agents["market_ids"] == market
    traits = agents.loc[who, ["weights", "nodes1", "income", "income_squared", "age", "child"]].to_numpy().T
    alpha = results.beta[0, 0] + results.sigma[1, 1] * traits[1] + results.pi[1] @ traits[2:]
    chosen, owner = results.compute_probabilities(market_id=market), merged[here].to_numpy()
    known = np.log(chosen / (1 - chosen.sum(axis=0))), alpha, traits[0], np.equal.outer(owner, owner).astype(float)
    return (products["prices"][here].to_numpy(), costs[here], *known), full[here]


def radius(step, p, h=1e-6):
    """The spectral radius of a map's derivative."""
    slopes = [(step(p + shift) - step(p - shift)) / (2 * h) for shift in h * np.eye(p.size)]
    return np.abs(np.linalg.eigvals(np.array(slopes).T)).max()


# Checkpoints and predictions


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("16.3", ([0.0], [0.0], [[0.0]], [-1.0], [1.0], [[1.0]]), [1 + special.lambertw(1 / np.e).real]),
        ("16.4", (np.eye(2)[::-1], np.ones(2), np.zeros(2), np.array([1, 2]), np.array([1, 2])), [0.0, 0.0]),
        ("16.5", (np.zeros((1, 1)), np.array([-1.0]), np.array([1.0])), np.log(2)),
    ],
)
def test_a_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    found = find_exercise(number).solution(*map(np.asarray, arguments))
    np.testing.assert_allclose(found, value, rtol=1e-11)


def test_the_others_raise_their_prices_on_average(room):
    _, products, _, partner, _, full = room
    rise = (full / products["prices"].to_numpy() - 1)[~partner]
    assert find_exercise("16.1").solution() == "rise" and rise.mean() == pytest.approx(0.0056, abs=5e-5)
    assert 0 < (rise < -1e-9).sum() < 0.1 * rise.size


def test_the_changes_of_the_hhi_of_prices_of_surplus_and_of_profits_are_pyblp_s(room):
    results, products, merged, _, costs, full = room
    shares = results.compute_shares(full)
    np.testing.assert_allclose(find_exercise("16.2").solution(), HHI_CHANGE, rtol=1e-8)
    np.testing.assert_allclose(results.compute_hhi(merged, shares).mean(), HHI_AFTER, rtol=1e-8)
    np.testing.assert_allclose((full - products["prices"]).mean(), PRICE_CHANGE, rtol=1e-7)
    surplus = results.compute_consumer_surpluses(full) - results.compute_consumer_surpluses()
    np.testing.assert_allclose(surplus.mean(), SURPLUS_CHANGE, rtol=1e-7)
    gain = results.compute_profits(full, shares, costs) - results.compute_profits(costs=costs)
    np.testing.assert_allclose(gain.mean(), PROFIT_CHANGE, rtol=1e-7)


def test_at_the_saving_of_16_6_the_total_is_what_it_was_and_consumers_would_need_more_than_twice_as_much(room):
    results, _, merged, partner, costs, _ = room
    saving = find_exercise("16.6").solution()
    lower = costs * (1 - saving / 100 * partner)
    prices = results.compute_prices(merged, costs=lower)
    after = results.compute_consumer_surpluses(prices).sum()
    after += ((prices[:, 0] - lower) * results.compute_shares(prices)[:, 0]).sum()
    before = results.compute_consumer_surpluses().sum() + results.compute_profits(costs=costs).sum()
    assert after == pytest.approx(before, rel=1e-9)
    assert 2 * saving < chapter16._saving_that_keeps(firms=0.0)


# Solutions against the library


@pytest.mark.parametrize("market", ["C01Q1", "C27Q1", "C36Q2"])
def test_the_prices_of_16_3_are_the_librarys(room, market):
    known, full = one_market(room, market)
    np.testing.assert_allclose(chapter16.merger_prices(*known), full, rtol=0, atol=1e-14)


def test_where_zeta_arrives_eta_does_not(room):
    (p0, c, V, alpha, w, H), full = one_market(room, "C27Q1")

    def choices(p):
        terms = np.exp(V + alpha * (p - p0)[:, None])
        return terms / (1 + terms.sum(axis=0))

    def zeta(p):
        return chapter16._iterate(p, c, lambda q: V + alpha * (q - p0)[:, None], alpha, w, H, most=1)

    def eta(p):
        P = choices(p)
        jacobian = np.diag(P @ (w * alpha)) - (w * alpha * P) @ P.T
        return c + np.linalg.solve(-H * jacobian.T, P @ w)

    q = p0
    for _ in range(60):
        q = eta(q)
    np.testing.assert_allclose(eta(full), full, rtol=0, atol=1e-10)
    assert np.abs(q - full).max() > 0.01
    assert radius(zeta, full) < 0.3 and radius(eta, full) > 1.1


def test_pressure_and_surplus_are_the_librarys(room):
    results, products, merged, _, costs, _ = room
    market = "C01Q1"
    here = (products["market_ids"] == market).to_numpy()
    (_, _, utility, alpha, w, _), _ = one_market(room, market)
    D = results.compute_diversion_ratios(market_id=market)
    owners = products["firm_ids"].to_numpy()[here], merged.to_numpy()[here]
    known = products["prices"].to_numpy()[here], costs[here], *owners
    np.testing.assert_allclose(chapter16.pressure(D, *known), results.compute_upp(merged)[here, 0], rtol=1e-12)
    expected = results.compute_consumer_surpluses(market_id=market)[0, 0]
    assert chapter16.consumer_surplus(utility, alpha, w) == pytest.approx(expected, rel=1e-9)


# What the text says


def test_the_index_and_the_prices_rank_some_mergers_differently(room):
    results, products, _, _, costs, _ = room
    index, rise = {}, {}
    for a, b in ((1, 3), (2, 4), (3, 4), (2, 6)):
        owners = products["firm_ids"].replace(b, a)
        after = results.compute_prices(owners, costs=costs)[:, 0]
        rise[a, b] = (after / products["prices"] - 1)[owners == a].mean()
        index[a, b] = (results.compute_hhi(owners) - results.compute_hhi()).mean()
    assert rise[2, 4] > rise[1, 3] and index[2, 4] < index[1, 3]
    assert rise[3, 4] > rise[2, 6] and index[3, 4] < index[2, 6]


def test_the_approximation_overstates_most_changes_but_not_the_largest(room):
    results, products, merged, partner, costs, full = room
    short = results.compute_approximate_prices(merged, costs=costs)[:, 0]
    assert 0.9 < np.mean(short[partner] > full[partner]) < 1
    largest = np.argmax(full / products["prices"])
    assert partner[largest] and short[largest] < full[largest]


def test_with_one_product_each_the_compensating_reduction_is_pressure_with_the_margin_after_it(room):
    results, products, *_ = room
    market = products["market_ids"] == "C01Q1"
    alone = np.arange(len(products))
    together = alone.copy()
    j, k = np.flatnonzero(market)[:2]
    together[k] = together[j]
    reduction = results.compute_compensating_cost_reductions(together, firm_ids=alone)[:, 0]
    costs = results.compute_costs(firm_ids=alone)[:, 0] - reduction
    D = results.compute_diversion_ratios(market_id="C01Q1")
    expected = D[0, 1] * (products["prices"][k] - costs[k]), D[1, 0] * (products["prices"][j] - costs[j])
    np.testing.assert_allclose(reduction[[j, k]], expected, rtol=1e-10)
