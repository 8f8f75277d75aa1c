"""Exercises of chapter 11: the checkpoints of the page, and solutions against other ways to the same numbers."""

import numpy as np
import pytest

from compecon import datasets
from compecon.blp.examples import cereal_logit
from compecon.exercises import chapter11, check
from compecon.exercises.catalogue import find_exercise


@pytest.fixture(scope="module")
def logit():
    return cereal_logit()


def test_the_checkpoints_of_the_page_hold():
    assert chapter11.mean_utilities(np.array([0.2]), np.array([1])) == pytest.approx([np.log(0.25)])
    ones = np.array([1.0, 1.0])
    assert chapter11.iv_standard_error(np.array([1.0, 2.0]), ones, ones[:, None]) == pytest.approx(0.354, abs=5e-4)
    assert chapter11.surplus_change(np.array([0.5]), np.array([0.2]), -10) == pytest.approx(-0.047, abs=5e-4)
    assert 0.3 < find_exercise("11.3").solution() < 0.4


def test_mean_utilities_are_the_librarys(logit):
    products, _ = datasets.load_cereal()
    found = chapter11.mean_utilities(products["shares"].to_numpy(), products["market_ids"].to_numpy())
    np.testing.assert_allclose(found, logit.delta[:, 0], atol=1e-12)


def test_the_cross_elasticity_is_a_column_of_the_librarys_matrix(logit):
    products, _ = datasets.load_cereal()
    market = products[products["market_ids"] == "C01Q1"]
    place = market["shares"].to_numpy().argmax()
    assert market["product_ids"].iloc[place] == "F2B19"
    column = np.delete(logit.compute_elasticities(market_id="C01Q1")[:, place], place)
    assert column == pytest.approx(np.full(23, find_exercise("11.3").solution()), rel=1e-9)


def test_diversion_to_the_outside_good_does_not_know_alpha(logit):
    shares = datasets.load_cereal().products.query("market_ids == 'C01Q1'")["shares"].to_numpy()
    diversion = np.diag(logit.compute_diversion_ratios(market_id="C01Q1"))
    assert diversion == pytest.approx((1 - shares.sum()) / (1 - shares), rel=1e-9)
    assert check("11.1", "same").passed and not check("11.1", "larger").passed


def test_the_standard_error_is_nearly_the_librarys_which_centres_moments(logit):
    products, _ = datasets.load_cereal()
    inside = products.groupby("market_ids")["shares"].transform("sum")
    y = np.log(products["shares"]) - np.log(1 - inside)

    def within(values):
        return (values - values.groupby(products["product_ids"]).transform("mean")).to_numpy()

    z = within(products.filter(like="demand_instruments"))
    found = chapter11.iv_standard_error(within(y), within(products["prices"]), z)
    assert found == pytest.approx(logit.beta_se[0, 0], rel=1e-6)


def test_the_surplus_is_the_librarys(logit):
    products, _ = datasets.load_cereal()
    market = (products["market_ids"] == "C01Q1").to_numpy()
    prices = products["prices"].to_numpy() * 1.2
    after = logit.compute_shares(prices)[market, 0]
    found = chapter11.surplus_change(products["shares"].to_numpy()[market], after, logit.beta[0, 0])
    gains = logit.compute_consumer_surpluses(prices) - logit.compute_consumer_surpluses()
    assert found == pytest.approx(gains[0, 0], rel=1e-9)


def test_market_effects_are_dummies_too(logit):
    products, _ = datasets.load_cereal()
    inside = products.groupby("market_ids")["shares"].transform("sum")
    dummies = [np.eye(products[name].nunique())[products[name].astype("category").cat.codes]
               for name in ("product_ids", "market_ids")]  # fmt: skip
    D = np.column_stack(dummies)
    columns = np.column_stack([
        np.log(products["shares"]) - np.log(1 - inside), products["prices"],
        products.filter(like="demand_instruments"),
    ])  # fmt: skip
    y, p, *z = (columns - D @ np.linalg.lstsq(D, columns, rcond=None)[0]).T
    fitted = np.array(z).T @ np.linalg.lstsq(np.array(z).T, p, rcond=None)[0]
    alpha = find_exercise("11.6").solution()
    assert alpha == pytest.approx(fitted @ y / (fitted @ p), rel=1e-7)
    assert abs(alpha - logit.beta[0, 0]) < 0.5 * logit.beta_se[0, 0]
