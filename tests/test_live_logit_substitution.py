"""The figure on the plain logit shows the library's shares, elasticities, diversion, surplus and estimates."""

import itertools

import numpy as np
import pytest

from compecon import datasets
from compecon.blp.examples import cereal_logit
from compecon.errors import ParameterError
from compecon.live import LogitSubstitution
from compecon.live import logit_substitution as page

CASES = list(itertools.product(("C01Q1", "C31Q1"), (1, 6, 12, 24), (-50, 0, 20), page.ESTIMATES))
PRODUCTS, _ = datasets.load_cereal()


@pytest.fixture(scope="module")
def figure():
    """One figure for all tests: it remembers nothing."""
    return LogitSubstitution()


def outputs(figure, market="C01Q1", product=12, change=20, estimate="iv_effects"):
    figure.market, figure.product, figure.change, figure.estimate = market, product, change, estimate
    return figure.outputs()


def place(market, product):
    """Row in the data of a product, which the figure sorts by mushiness, then sugar, then name."""
    table = PRODUCTS[PRODUCTS["market_ids"] == market]
    return table.sort_values(["mushy", "sugar", "product_ids"]).index[product - 1]


def rows(market):
    """Rows of a market in the figure's order, and their places within the market in the file's order."""
    ordered = [place(market, k) for k in range(1, 25)]
    return ordered, [sorted(ordered).index(row) for row in ordered]


@pytest.mark.parametrize(("market", "product", "change", "estimate"), CASES)
def test_shares_and_surplus_are_the_librarys_at_the_new_price(figure, market, product, change, estimate):
    found = outputs(figure, market, product, change, estimate)
    reads, results = figure.read(), page.logits()[list(page.ESTIMATES).index(estimate)]
    row, (ordered, _) = place(market, product), rows(market)
    prices = PRODUCTS["prices"].to_numpy().copy()
    prices[row] *= 1 + change / 100
    shares = results.compute_shares(prices)[:, 0]
    before = PRODUCTS["shares"].to_numpy()
    assert reads["price"] == pytest.approx(100 * prices[row])
    assert reads["share"] == pytest.approx(100 * shares[row], rel=1e-9)
    relative = 100 * (shares / before - 1)[ordered]
    np.testing.assert_allclose(np.nansum(found["changes"][:2], axis=0)[:24], relative, atol=1e-9)
    outside = 100 * ((1 - shares[ordered].sum()) / (1 - before[ordered].sum()) - 1)
    assert found["changes"][2, 24] == pytest.approx(outside, abs=1e-9)
    # All rivals, and the outside good, alike.
    assert np.delete(relative, product - 1) == pytest.approx(np.full(23, reads["others"]), abs=1e-9)
    assert outside == pytest.approx(reads["others"], abs=1e-9)
    gains = results.compute_consumer_surpluses(prices) - results.compute_consumer_surpluses()
    at = list(results.problem.unique_market_ids).index(market)
    assert reads["surplus"] == pytest.approx(100 * gains[at, 0], abs=1e-9)


@pytest.mark.parametrize(("market", "product", "change", "estimate"), CASES)
def test_responses_are_the_closed_forms_of_the_logit(figure, market, product, change, estimate):
    found = outputs(figure, market, product, change, estimate)
    reads, alpha = figure.read(), found["chosen"][1]
    price, share = reads["price"] / 100, reads["share"] / 100
    assert reads["own"] == pytest.approx(alpha * price * (1 - share), rel=1e-9)
    assert reads["cross"] == pytest.approx(-alpha * price * share, rel=1e-9)
    before = PRODUCTS["shares"].to_numpy()[rows(market)[0]]
    expected = before / (1 - before[product - 1])
    for row in found["diversion"]:
        np.testing.assert_allclose(np.delete(row, product - 1), np.delete(expected, product - 1), rtol=1e-9)
        assert np.isnan(row[product - 1])
    assert reads["outside"] == pytest.approx((1 - before.sum()) / (1 - before[product - 1]), rel=1e-9)
    mushy = PRODUCTS["mushy"].to_numpy()[rows(market)[0]]
    alike = (mushy == mushy[product - 1]) & (np.arange(24) != product - 1)
    assert reads["alike"] == pytest.approx(expected[alike].sum(), rel=1e-9)


@pytest.mark.parametrize("market", page.MARKETS)
@pytest.mark.parametrize("estimate", page.ESTIMATES)
def test_responses_at_observed_prices_are_the_librarys(figure, market, estimate):
    outputs(figure, market, 12, 0, estimate)
    reads, results = figure.read(), page.logits()[list(page.ESTIMATES).index(estimate)]
    elasticities = results.compute_elasticities(market_id=market)
    diversion = results.compute_diversion_ratios(market_id=market)
    order = rows(market)[1]
    own = np.diag(elasticities)
    assert reads["own"] == pytest.approx(own[order[11]], rel=1e-9)
    assert reads["mean"] == pytest.approx(own.mean(), rel=1e-9)
    assert reads["inelastic"] == (own > -1).sum()
    assert reads["cross"] == pytest.approx(elasticities[order[0], order[11]], rel=1e-9)
    assert reads["outside"] == pytest.approx(diversion[order[11], order[11]], rel=1e-9)
    assert [reads["surplus"], reads["others"]] == pytest.approx([0, 0], abs=1e-12)


def test_the_estimates_are_those_of_twenty_lines_of_least_squares(figure):
    found = outputs(figure)
    table = PRODUCTS
    y = np.log(table["shares"]) - np.log(1 - table.groupby("market_ids")["shares"].transform("sum"))
    Z = table.filter(like="demand_instruments").to_numpy()
    plain = np.column_stack([np.ones(len(table)), table["prices"], table["sugar"], table["mushy"]])
    fitted = np.column_stack([Z, plain[:, [0, 2, 3]]])
    fitted = fitted @ np.linalg.lstsq(fitted, plain, rcond=None)[0]

    def within(values):
        return values - table.assign(v=values).groupby("product_ids")["v"].transform("mean")

    p, z = within(table["prices"]).to_numpy(), np.column_stack([within(column) for column in Z.T])
    p_hat = z @ np.linalg.lstsq(z, p, rcond=None)[0]
    expected = [
        np.linalg.lstsq(plain, y, rcond=None)[0][1], np.linalg.solve(fitted.T @ plain, fitted.T @ y)[1],
        p @ within(y) / (p @ p), p_hat @ within(y) / (p_hat @ p),
    ]  # fmt: skip
    assert found["alphas"] == pytest.approx(expected, rel=1e-8)
    results = cereal_logit()
    assert found["alphas"][3] == pytest.approx(results.beta[0, 0], rel=1e-10)
    half = 1.96 * results.beta_se[0, 0]
    assert found["interval"][:, 3] == pytest.approx([found["alphas"][3] - half, found["alphas"][3] + half])


def test_the_curves_pass_through_the_observed_share_and_the_dot_lies_on_the_one_in_use(figure):
    for estimate, which in zip(page.ESTIMATES, range(4), strict=True):
        found = outputs(figure, change=-30, estimate=estimate)
        curves, now = found["curves"], found["percents"] == -30
        np.testing.assert_array_equal(curves[4], curves[which])
        assert found["here"][0] == pytest.approx(curves[4][now][0]) and found["chosen"][0] == which + 1
        assert curves[:, found["percents"] == 0] == pytest.approx(100 * PRODUCTS["shares"][place("C01Q1", 12)])
        assert (np.diff(curves, axis=1) < 0).all()


def test_a_change_beyond_half_the_price_cannot_be_set(figure):
    with pytest.raises(ParameterError, match="change = 60; it must lie between -50 and 50"):
        figure.change = 60
