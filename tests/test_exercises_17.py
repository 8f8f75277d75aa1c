"""Chapter 17: its checkpoints, pyblp's draws and bands, and what its text says about maxima, moments and coverage."""

import warnings

import numpy as np
import pytest

from compecon import live
from compecon.blp.examples import cereal_results
from compecon.exercises.catalogue import find_exercise

# reference/nevo.json (pyblp 1.3.0), 100 draws with seed 0: 10% and 90% quantiles of mean own elasticities.
BANDS = {"C01Q1": (-4.314980391736141, -3.8759553426931537), "C04Q1": (-3.313123654962908, -2.971735355586341)}
FIRST_BETA = -39.59509387869851


@pytest.fixture(scope="module")
def bootstrapped():
    return cereal_results().bootstrap(draws=100, seed=0)


@pytest.fixture(scope="module")
def elasticities(bootstrapped):
    return bootstrapped.compute_mean_own_elasticities()[:, :, 0]


# Checkpoints and predictions


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("17.4", (1, np.arange(5), 0.5), [-1, 1]),
        ("17.5", (np.array([1, 2, 6]), np.array([0, 0, 1]), [1, 1]), 6),
        ("17.5", (np.array([1, 2, 6]), np.array([0, 0, 1]), [0, 1]), 3),
    ],
)
def test_a_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-14)


def test_drawing_buses_covers_best_by_far_when_buses_differ():
    found = {way: live.BootstrapBands(way=way, buses=60, spread=0.9).read()["coverage"]
             for way in ("normal", "model", "lives", "buses")}  # fmt: skip
    assert find_exercise("17.1").solution() == "buses"
    assert found["buses"] > 0.83 and found["lives"] == pytest.approx(0.7, abs=0.05)
    assert max(found["normal"], found["model"]) < 0.5


def test_the_band_of_all_markets_holds_the_estimate_and_its_draws_are_pyblp_s(bootstrapped, elasticities):
    band, markets = find_exercise("17.3").solution(), list(bootstrapped.problem.unique_market_ids)
    np.testing.assert_allclose(bootstrapped.bootstrapped_beta[0, 0, 0], FIRST_BETA, rtol=1e-6)
    for market, expected in BANDS.items():
        found = np.percentile(elasticities[:, markets.index(market)], [10, 90])
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert band[0] < -3.618105 < band[1]
    assert np.mean((band[0] <= elasticities.mean(axis=1)) & (elasticities.mean(axis=1) <= band[1])) == 0.9


def test_between_the_deciles_lie_80_percent(elasticities):
    low, high = np.percentile(elasticities, [10, 90], axis=0)
    assert np.mean((low <= elasticities) & (elasticities <= high)) == pytest.approx(0.8, abs=1e-12)
    assert find_exercise("17.2").solution() == "80%"


def test_so_many_draws_make_the_standard_deviation_of_the_level_one_point():
    draws = round(find_exercise("17.6").solution())
    below = np.random.default_rng(0).binomial(draws, 0.05, 200_000) / draws
    assert draws < 500 and below.std() == pytest.approx(0.01, rel=0.01)


# Recentred moments


def overidentified(rng, n=200):
    """y, X, Z of a valid linear model with six instruments and one parameter."""
    Z, error = rng.normal(size=(n, 6)), rng.normal(size=n)
    x = Z @ np.full(6, 0.4) + 0.5 * error + rng.normal(size=n)
    return x + error, x[:, None], Z


def test_with_each_row_once_a_recentred_draw_gives_beta_and_draws_lie_around_the_estimate():
    y, X, Z = overidentified(np.random.default_rng(1))
    W, order = np.linalg.inv(Z.T @ Z), np.random.default_rng(2).permutation(y.size)
    solution, rng = find_exercise("17.7").solution, np.random.default_rng(3)
    np.testing.assert_allclose(solution(y, X, Z, W, np.array([0.7]), order), 0.7, rtol=1e-12)
    G, g = Z.T @ X, Z.T @ y
    beta = np.linalg.solve(G.T @ W @ G, G.T @ W @ g)
    draws = [solution(y, X, Z, W, beta, rng.integers(y.size, size=y.size))[0] for _ in range(2000)]
    assert np.mean(draws) == pytest.approx(beta[0], abs=0.3 * np.std(draws))


def j_statistic(y, x, Z, centre=0.0):
    """(J, beta) of two-step GMM."""
    G, g, W = Z.T @ x / y.size, Z.T @ y / y.size - centre, np.linalg.inv(Z.T @ Z)
    for _ in range(2):
        beta = (G @ W @ g) / (G @ W @ G)
        J = y.size * (g - G * beta) @ W @ (g - G * beta)
        W = np.linalg.inv(np.cov((Z * (y - x * beta)[:, None]).T, bias=True))
    return J, beta


def test_without_recentring_j_lies_around_itself_plus_its_degrees_of_freedom():
    y, X, Z = overidentified(np.random.default_rng(49))
    x = X[:, 0]
    J, beta = j_statistic(y, x, Z)
    picks = np.random.default_rng(0).integers(y.size, size=(999, y.size))
    centre = Z.T @ (y - x * beta) / y.size
    plain, recentred = (np.array([j_statistic(y[i], x[i], Z[i], c)[0] for i in picks]) for c in (0.0, centre))
    assert J > 11.07  # the 5% critical value with five degrees of freedom
    assert plain.mean() == pytest.approx(J + 5, rel=0.1) and recentred.mean() == pytest.approx(5, rel=0.1)
    assert np.mean(plain >= J) > 0.7 and np.mean(recentred >= J) < 0.1


# What the text says


def test_the_bootstrapped_maximum_is_the_maximum_with_the_probability_in_the_text():
    rng = np.random.default_rng(0)
    y = rng.uniform(size=100)
    share = np.mean(rng.choice(y, size=(20_000, 100)).max(axis=1) == y.max())
    assert share == pytest.approx(1 - 0.99**100, abs=0.01)
    assert 1 - 0.99**100 == pytest.approx(1 - np.exp(-1), abs=0.003)


def test_in_21_of_100_draws_some_agent_likes_higher_prices(bootstrapped):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        undefined = np.isnan(bootstrapped.compute_consumer_surpluses())
    assert undefined.any(axis=(1, 2)).sum() == 21


def test_draws_of_parameters_leave_the_observed_shares_and_samples_of_markets_keep_them(bootstrapped):
    results, market = cereal_results(), "C61Q2"
    observed = results.compute_shares(market_id=market)
    resampled = results.resample(draws=3, seed=0)
    assert np.abs(bootstrapped.compute_shares(market_id=market) - observed).max() > 0.05
    np.testing.assert_allclose(resampled.compute_shares(market_id=market), np.broadcast_to(observed, (3, 24, 1)),
                               rtol=1e-9)  # fmt: skip
