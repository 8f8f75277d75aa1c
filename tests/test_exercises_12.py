"""Chapter 12: its checkpoints, and its solutions against closed forms, finite differences and the library."""

import numpy as np
import pytest

from compecon import blp, datasets
from compecon.blp.examples import cereal_results
from compecon.exercises import chapter12 as chapter
from compecon.exercises.catalogue import find_exercise


@pytest.fixture(scope="module")
def results():
    return cereal_results()


def sweeps(S, mu, weights):
    """How many sweeps the contraction takes from the plain logit's mean utilities to 1e-12."""
    delta, n = np.log(S / (1 - S.sum())), 1
    while np.abs(step := np.log(S / chapter.stable_shares(delta, mu, weights))).max() > 1e-12:
        delta, n = delta + step, n + 1
    return n


def tastes(results, market_id):
    """mu : (I, J) of a market at the estimates, from the tables."""
    products, agents = datasets.load_cereal()
    here, them = (table[table["market_ids"] == market_id] for table in (products, agents))
    x2 = np.column_stack([np.ones(len(here)), here[["prices", "sugar", "mushy"]]])
    nu, d = them[[f"nodes{k}" for k in range(4)]], them[["income", "income_squared", "age", "child"]]
    return here["shares"].to_numpy(), (nu.to_numpy() @ results.sigma.T + d.to_numpy() @ results.pi.T) @ x2.T


def test_a_smaller_outside_good_does_take_more_sweeps(results):
    S, mu = tastes(results, "C03Q2")
    weights = np.full(20, 1 / 20)
    assert f"{1 - S.sum():.0%}" == "66%"
    before = sweeps(S, mu, weights)
    markets = results.problem.unique_market_ids.tolist()
    simple = results.problem.solve(
        results.sigma, results.pi, method="1s", optimization=blp.Optimization("return"),
        iteration=blp.Iteration("simple", {"atol": 1e-12}),
    ).contraction_evaluations[markets.index("C03Q2"), 0]  # fmt: skip
    assert before == simple
    assert sweeps(2 * S, mu, weights) > 2 * before
    assert find_exercise("12.1").solution() == "more"


def test_diversion_by_hand():
    # 0.5 (0.12 + 0.01), 0.5 (0.03 + 0.05) and 0.5 (0.06 + 0.03) over 0.5 (0.21 + 0.09)
    np.testing.assert_allclose(find_exercise("12.2").solution(), [13 / 30, 8 / 30], rtol=1e-12)
    assert 1 - find_exercise("12.2").solution().sum() == pytest.approx(0.3)


def test_stable_shares_at_the_checkpoints():
    one = np.ones(1)
    assert chapter.stable_shares(np.array([-800.0]), np.array([[800.0]]), one) == 0.5
    assert chapter.stable_shares(np.array([0.0]), np.array([[800.0]]), one) == 1
    with np.errstate(all="ignore"):
        assert np.isnan(chapter._overflowing(np.array([0.0]), np.array([[800.0]]), one))


def test_stable_shares_are_the_librarys(results):
    S, mu = tastes(results, "C01Q1")
    products, _ = datasets.load_cereal()
    delta = results.delta[products["market_ids"] == "C01Q1", 0]
    np.testing.assert_allclose(chapter.stable_shares(delta, mu, np.full(20, 1 / 20)), S, rtol=1e-12)


def test_the_jacobian_is_the_derivative_of_shares():
    rng = np.random.default_rng(1)
    delta, mu, weights = rng.normal(size=3), rng.normal(size=(5, 3)), rng.dirichlet(np.ones(5))
    odds = np.exp(delta + mu)
    found = chapter.share_jacobian(odds / (1 + odds.sum(axis=1, keepdims=True)), weights)
    steps = 1e-5 * np.eye(3)
    slopes = [chapter.stable_shares(delta + h, mu, weights) - chapter.stable_shares(delta - h, mu, weights)
              for h in steps]  # fmt: skip
    np.testing.assert_allclose(found, np.array(slopes).T / 2e-5, atol=1e-10)


def test_the_jacobian_of_one_agent_is_the_logits():
    P, weights = np.array([[0.2, 0.3]]), np.ones(1)
    np.testing.assert_allclose(chapter.share_jacobian(P, weights), [[0.16, -0.06], [-0.06, 0.21]])
    np.testing.assert_allclose(chapter._logit_jacobian(P, weights), [[0.16, -0.06], [-0.06, 0.21]])


def test_the_rate_is_what_the_contractions_last_sweeps_leave(results):
    S, mu = tastes(results, "C01Q1")
    weights, delta = np.full(20, 1 / 20), np.log(S / (1 - S.sum()))
    sizes = []
    for _ in range(40):
        step = np.log(S / chapter.stable_shares(delta, mu, weights))
        delta, sizes = delta + step, [*sizes, np.abs(step).max()]
    assert find_exercise("12.5").solution() == pytest.approx(sizes[-1] / sizes[-2], rel=1e-4)
    assert S.sum() < chapter.rate() < chapter.map_derivative().sum(axis=1).max() < 1


def test_the_slope_of_delta_is_the_librarys(results):
    products, agents = datasets.load_cereal()
    here, them = products["market_ids"] == "C01Q1", agents["market_ids"] == "C01Q1"
    price, nu = products["prices"][here].to_numpy(), agents["nodes1"][them].to_numpy()
    P, weights = chapter.cereal_market()
    expected = results.xi_by_theta_jacobian[here, results.theta_labels.index("prices x prices")]
    np.testing.assert_allclose(chapter.delta_slope(P, weights, price, nu), expected, rtol=1e-9)


def test_the_students_newton_step_is_slow_and_the_right_one_is_not(results):
    S, mu = tastes(results, "C01Q1")
    weights = np.full(20, 1 / 20)

    def steps(jacobian):
        delta = np.log(S / (1 - S.sum()))
        for _ in range(5):
            delta = delta + np.log(S / chapter.stable_shares(delta, mu, weights))
        for n in range(100):
            odds = np.exp(delta + mu)
            P = odds / (1 + odds.sum(axis=1, keepdims=True))
            if np.abs(np.log(S / (weights @ P))).max() <= 1e-13:
                return n
            delta = delta + np.linalg.solve(jacobian(P, weights), S - weights @ P)
        return None

    assert steps(chapter.share_jacobian) == 5
    assert steps(chapter._logit_jacobian) > 6 * 5
