"""The figure on diversion says what the estimates' own compute_* methods and the closed forms of the logit say."""

import itertools

import numpy as np
import pytest

from compecon.live import Diversion
from compecon.live.diversion import HIGHEST, LOWEST, MARKETS
from compecon.live.diversion_kernels import ITSELF, LOGIT, MOVED, REMOVED, SMALL

# Market, product whose price moves, product whose share is watched, percent.
STATES = [
    ("C01Q1", 14, 6, 50), ("C01Q1", 1, 24, 1), ("C01Q1", 22, 14, 100), ("C61Q2", 24, 1, -20), ("C61Q2", 10, 11, -1),
    ("C31Q1", 3, 7, 7), ("C31Q1", 14, 15, 99), ("C08Q1", 9, 18, 10), ("C08Q1", 20, 2, 100), ("C08Q1", 24, 23, -13),
]  # fmt: skip


class Answer:
    """The same by the library's public methods, in the order of the data."""

    def __init__(self, cereal, cereal_products, market, product, other, change):
        self.cereal, self.market, self.p, self.q = cereal, market, product - 1, other - 1
        here = cereal_products[cereal_products.market_ids == market]
        self.prices, self.shares, self.factor = here.prices.to_numpy(), here.shares.to_numpy(), change / 100
        self.elasticities = self.ask("elasticities")

    def ask(self, what, **arguments):
        return getattr(self.cereal, f"compute_{what}")(market_id=self.market, **arguments)

    def shares_at(self, percent):
        """All shares when p's price is changed by so many percent."""
        moved = self.prices.copy()
        moved[self.p] *= 1 + percent / 100
        return self.ask("shares", prices=moved)[:, 0]

    def flow(self, ratios):
        """A row of ratios with the outside good on the diagonal, as the figure orders it."""
        row = ratios[self.p].copy()
        outside, row[self.p] = row[self.p], 0.0
        return np.append(row, outside)

    def moved_flow(self):
        after = self.shares_at(100 * self.factor)
        lost = self.shares[self.p] - after[self.p]
        row = (after - self.shares) / lost
        row[self.p] = 0.0
        return np.append(row, (self.shares.sum() - after.sum()) / lost)


@pytest.fixture(scope="module")
def figure():
    return Diversion()


def move(figure, market, product, other, change):
    figure.market, figure.product, figure.other, figure.change = market, product, other, change
    return figure.outputs()


@pytest.fixture(params=STATES, ids=lambda state: "-".join(map(str, state)))
def both(request, figure, cereal, cereal_products):
    """The figure's outputs and read-outs in a state, and the library's answer."""
    return move(figure, *request.param), figure.read(), Answer(cereal, cereal_products, *request.param)


def test_elasticities_are_those_of_compute_elasticities(both):
    outputs, readouts, answer = both
    expected, p, q = answer.elasticities, answer.p, answer.q
    np.testing.assert_allclose(outputs["elasticities"], expected, rtol=1e-10)
    assert readouts["own"] == pytest.approx(expected[p, p], rel=1e-10)
    # Row: whose share. Column: whose price.
    assert readouts["cross"] == pytest.approx(expected[q, p], rel=1e-10)
    assert readouts["back"] == pytest.approx(expected[p, q], rel=1e-10)
    assert readouts["mean_own"] == pytest.approx(np.diag(expected).mean(), rel=1e-10)


def test_areas_are_in_proportion_to_cross_elasticities(both):
    outputs, _, answer = both
    areas = outputs["dots"].reshape(24, 24) ** 2
    cross = answer.elasticities * (1 - np.eye(24))
    np.testing.assert_allclose(areas / areas.max(), cross / cross.max(), rtol=1e-9)
    rows, columns = outputs["rows_of"].reshape(24, 24), outputs["columns_of"].reshape(24, 24)
    assert np.array_equal(rows[:, 0], np.arange(1, 25)) and np.array_equal(columns[0], np.arange(1, 25))
    assert (rows == rows[:, :1]).all() and (columns == columns[:1]).all()


def test_own_elasticities_are_drawn_once(both):
    outputs, _, answer = both
    own = np.diag(answer.elasticities).copy()
    np.testing.assert_allclose(outputs["own"][0], own, rtol=1e-10)
    own[answer.p] = np.nan
    np.testing.assert_allclose(outputs["own"][1], own, rtol=1e-10)


def test_the_flow_of_a_small_change_is_that_of_compute_diversion_ratios(both):
    outputs, _, answer = both
    expected = answer.flow(answer.ask("diversion_ratios"))
    np.testing.assert_allclose(outputs["flows"][SMALL], expected, rtol=1e-10)


def test_the_flow_of_removal_is_that_of_compute_long_run_diversion_ratios(both):
    outputs, _, answer = both
    expected = answer.flow(answer.ask("long_run_diversion_ratios"))
    np.testing.assert_allclose(outputs["flows"][REMOVED], expected, rtol=1e-10)


def test_the_flow_of_this_change_is_the_ratio_of_differences_of_compute_shares(both):
    outputs, readouts, answer = both
    expected = answer.moved_flow()
    np.testing.assert_allclose(outputs["flows"][MOVED], expected, rtol=1e-7, atol=1e-9)
    assert readouts["to_other"] == pytest.approx(expected[answer.q], rel=1e-7)
    assert readouts["outside"] == pytest.approx(expected[-1], rel=1e-7)


def test_the_flow_of_the_logit_goes_by_shares(both):
    outputs, readouts, answer = both
    shares, p = answer.shares, answer.p
    expected = np.append(np.where(np.arange(24) == p, 0, shares), 1 - shares.sum()) / (1 - shares[p])
    np.testing.assert_allclose(outputs["flows"][LOGIT], expected, rtol=1e-12)
    assert readouts["to_other_logit"] == pytest.approx(shares[answer.q] / (1 - shares[p]), rel=1e-12)


def test_flows_sum_to_one_and_are_drawn_without_the_product_itself(both):
    outputs, _, answer = both
    np.testing.assert_allclose(outputs["flows"].sum(axis=1), 1, rtol=1e-12)
    expected = outputs["flows"].copy()
    expected[:, answer.p] = np.nan
    np.testing.assert_array_equal(outputs["bars"], expected)


def test_the_model_curve_is_that_of_compute_shares(both):
    outputs, readouts, answer = both
    kept = [100 * answer.shares_at(percent)[answer.p] / answer.shares[answer.p] for percent in outputs["percents"]]
    np.testing.assert_allclose(outputs["curves"][0], kept, rtol=1e-9)
    here = 100 * answer.shares_at(100 * answer.factor)[answer.p] / answer.shares[answer.p]
    assert readouts["kept"] == pytest.approx(here, rel=1e-9)


def test_the_other_curves_are_a_logit_and_a_power_with_the_same_own_elasticity(both):
    outputs, readouts, answer = both
    own, share = answer.elasticities[answer.p, answer.p], answer.shares[answer.p]
    factor = np.append(outputs["percents"], 100 * answer.factor) / 100
    # exp(delta) of a logit with this share, and a price coefficient that gives this elasticity: e = a p (1 - s).
    odds = share / (1 - share) * np.exp(own / (1 - share) * factor)
    logit, power = 100 * odds / (1 + odds) / share, 100 * (1 + factor) ** own
    np.testing.assert_allclose(np.append(outputs["curves"][1], readouts["kept_logit"]), logit, rtol=1e-9)
    np.testing.assert_allclose(np.append(outputs["curves"][2], outputs["here"][2]), power, rtol=1e-9)


def test_the_elasticity_of_all_sales_is_the_aggregate_elasticity_by_inside_share(both):
    _, readouts, answer = both
    expected = answer.ask("aggregate_elasticities", factor=answer.factor)[0, 0] / answer.shares.sum()
    assert readouts["aggregate"] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("market", MARKETS)
def test_no_change_is_a_small_change(figure, cereal, cereal_products, market):
    outputs = move(figure, market, 14, 6, 0)
    np.testing.assert_array_equal(outputs["flows"][MOVED], outputs["flows"][SMALL])
    np.testing.assert_allclose(outputs["here"], 100, rtol=1e-12)
    answer = Answer(cereal, cereal_products, market, 14, 6, 0)
    weighted = answer.elasticities.sum(axis=1) @ answer.shares / answer.shares.sum()
    assert figure.read()["aggregate"] == pytest.approx(weighted, rel=1e-10)


def test_a_large_rise_lies_between_a_small_one_and_removal(figure):
    small, moved, removed = (move(figure, "C01Q1", 1, 2, 100)["flows"][row, -1] for row in (SMALL, MOVED, REMOVED))
    assert min(small, removed) <= moved <= max(small, removed)


def test_a_product_does_not_divert_to_itself(figure):
    move(figure, "C01Q1", 7, 7, 10)
    readouts = figure.read()
    assert readouts["to_other"] == readouts["to_other_logit"] == ITSELF
    assert readouts["cross"] == readouts["back"] == readouts["own"]
    assert ">itself<" in figure._repr_mimebundle_()[0]["text/html"]


def test_every_state_has_finite_read_outs_and_stays_on_the_axes(figure):
    _, demand, flows, own = figure.panels
    for market, product, change in itertools.product(MARKETS, range(1, 25), (LOWEST, -1, 0, 1, HIGHEST)):
        outputs = move(figure, market, product, 25 - product, change)
        assert np.isfinite(list(figure.read().values())).all()
        for values, axis in ((outputs["curves"], demand.y), (outputs["here"], demand.y), (outputs["bars"], flows.y),
                             (outputs["own"], own.y), (outputs["summary"][7:], own.y)):
            known = values[~np.isnan(values)]
            assert known.min() > axis.range[0] and known.max() < axis.range[1]
