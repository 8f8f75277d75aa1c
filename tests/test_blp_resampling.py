"""The ordinary bootstrap against data with really repeated rows, closed forms, and its own repetition elsewhere."""

import functools
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from blp_demand_fixtures import THETA, cereal

from compecon.blp.examples import PI, SIGMA, cereal_logit, cereal_problem
from compecon.blp.formulation import Formulation
from compecon.blp.gauss_newton import minimize_squares
from compecon.blp.integration import Integration
from compecon.blp.iteration import Iteration
from compecon.blp.micro import MicroDataset, MicroMoment, MicroPart
from compecon.blp.objective import Objective, Search
from compecon.blp.optimization import Optimization
from compecon.blp.parameters import build_parameters
from compecon.blp.problem import Problem
from compecon.errors import CompEconWarning, ConvergenceError, ParameterError

TIGHT = Optimization("gauss-newton", {"gtol": 1e-9})


@functools.cache
def market_data(T=40, J=6, seed=0):
    """Products of T markets, simulated: tastes for x with standard deviation 1, prices that xi moves, a few regions."""
    rng = np.random.default_rng(seed)
    n = T * J
    data = {"market_ids": np.repeat(np.arange(T), J), "brand": np.tile(np.arange(J), T), "x": rng.normal(size=n)}
    xi, cost = 0.5 * rng.normal(size=n), rng.uniform(size=n)
    data |= {"prices": 1 + cost + 0.3 * xi, "demand_instruments0": cost, "demand_instruments1": cost**2}
    data |= {"demand_instruments2": data["x"] ** 2, "demand_instruments3": data["x"] * cost}
    data["demand_instruments4"] = np.repeat(np.add.reduceat(data["x"], np.arange(0, n, J)), J)
    nodes, weights = np.polynomial.hermite_e.hermegauss(9)
    delta = data["x"] - 2 * data["prices"] + xi
    exps = np.exp(delta[:, None] + data["x"][:, None] * nodes).reshape(T, J, 9)
    data["shares"] = (exps / (1 + exps.sum(axis=1, keepdims=True)) @ (weights / weights.sum())).ravel()
    return pd.DataFrame(data)


def random_coefficients(data, absorb=None):
    """The problem behind `market_data`."""
    formulations = Formulation("0 + prices + x" if absorb else "1 + prices + x", absorb=absorb), Formulation("0 + x")
    return Problem(formulations, data, integration=Integration("product", 9))


def repeated(data, counts):
    """Market t counts[t] times over, each time under a new id."""
    ids = [(t, f"{t}-{copy}") for t, count in enumerate(counts) for copy in range(count)]
    return pd.concat([data[data.market_ids == t].assign(market_ids=name) for t, name in ids], ignore_index=True)


def counts_of(seed, draws, n):
    """(draws, n) how often each of n units is drawn: stream b of the seed draws n integers below n."""
    streams = np.random.default_rng(seed).spawn(draws)
    return np.array([np.bincount(stream.integers(n, size=n), minlength=n) for stream in streams])


@pytest.mark.parametrize("absorb", [None, "C(brand)"])
@pytest.mark.parametrize("method", ["1s", "2s"])
def test_drawing_markets_is_estimating_on_really_repeated_markets(method, absorb):
    data = market_data()
    results = random_coefficients(data, absorb).solve([[0.8]], method=method, optimization=TIGHT)
    resampled = results.resample(draws=3, seed=7, optimization=TIGHT)
    assert resampled.n_failed == 0
    for d, counts in enumerate(counts_of(7, 3, 40)):
        again = random_coefficients(repeated(data, counts), absorb).solve([[0.8]], method=method, optimization=TIGHT)
        np.testing.assert_allclose(resampled.bootstrapped_parameters[d], again.parameters[:, 0], rtol=1e-6)


def test_drawing_products_is_weighted_two_stage_least_squares_in_the_logit():
    data = market_data()
    problem = Problem(Formulation("0 + prices + x", absorb="C(brand)"), data)
    resampled = problem.bootstrap(draws=4, seed=3, resample="products", method="1s")
    inside = data.groupby("market_ids").shares.transform("sum")
    y = np.log(data.shares / (1 - inside)).to_numpy()
    dummies = np.eye(6)[data.brand]
    X = np.column_stack([data.prices, data.x, dummies])
    Z = np.column_stack([data[[f"demand_instruments{k}" for k in range(5)]], data.x, dummies])
    for d, counts in enumerate(counts_of(3, 4, len(data))):
        root = np.sqrt(counts)[:, None]
        fitted = root * Z @ np.linalg.lstsq(root * Z, root * X, rcond=None)[0]
        beta = np.linalg.lstsq(fitted, root[:, 0] * y, rcond=None)[0][:2]
        np.testing.assert_allclose(resampled.bootstrapped_beta[d, :, 0], beta, rtol=1e-9)


def test_the_spread_over_samples_of_products_is_near_the_robust_standard_error():
    results = cereal_logit()
    resampled = results.resample(draws=800, seed=0, resample="products")
    # With 2,256 rows the two differ little; a standard deviation of 800 draws has a standard error of 2.5% of itself.
    np.testing.assert_allclose(resampled.standard_errors, results.beta_se, rtol=0.1)
    lower, upper = resampled.intervals(0.9)[0]
    normal = results.beta[0, 0] + 1.6449 * np.array([-1, 1]) * results.beta_se[0, 0]
    np.testing.assert_allclose([lower, upper], normal, atol=0.25 * results.beta_se[0, 0])


def test_the_default_search_finds_the_minimum_in_every_sample_of_cereal_markets():
    results = cereal()
    resampled = results.resample(draws=12, seed=0)
    assert resampled.n_failed == 0 and resampled.draws == 12
    problem, parameters = results.problem, results.parameters_
    sizes = np.diff(problem.sorted_products.starts)
    for d, counts in enumerate(counts_of(0, 12, 94)):
        part = problem.reweighted(np.repeat(counts, sizes).astype(float))
        search = Search(Objective(problem, parameters, part, np.linalg.inv(part.ZZ), Iteration("newton")))
        at = search(resampled.bootstrapped_theta[d])
        step = np.linalg.lstsq(at.residuals_jacobian, at.residuals, rcond=None)[0]
        # What a Gauss-Newton step would still gain, in units in which one standard error is about one.
        assert np.linalg.norm(at.residuals_jacobian @ step) < 0.01


def test_shares_are_inverted_in_whole_markets_so_that_draws_explain_the_observed_shares():
    results = random_coefficients(market_data()).solve([[0.8]], method="1s", optimization=TIGHT)
    resampled = results.resample(draws=3, seed=0, resample="products")
    shares = market_data().shares.to_numpy()[:, None]
    assert resampled.bootstrapped_shares.shape == (3, 240, 1)
    np.testing.assert_allclose(resampled.bootstrapped_shares, np.broadcast_to(shares, (3, 240, 1)), rtol=1e-12)
    elasticities = resampled.compute_elasticities()
    assert elasticities.shape == (3, 240, 6) and not np.allclose(elasticities[0], elasticities[1])


@pytest.mark.parametrize("backend, workers", [("threading", 2), ("threading", 4), ("loky", 2)])
def test_threads_and_processes_give_the_same_bits(backend, workers):
    results = cereal()
    alone = results.resample(draws=5, seed=1)
    with joblib.parallel_config(backend=backend, n_jobs=workers):
        shared = results.resample(draws=5, seed=1)
        own = shared.compute_mean_own_elasticities()
    assert np.array_equal(alone.bootstrapped_parameters, shared.bootstrapped_parameters)
    assert np.array_equal(alone.mean_utilities, shared.mean_utilities)
    assert np.array_equal(alone.compute_mean_own_elasticities(), own)


def test_a_sample_depends_on_its_number_and_the_seed_alone():
    results = cereal_logit()
    few, many = (results.resample(draws=draws, seed=4).bootstrapped_beta for draws in (5, 20))
    assert np.array_equal(few, many[:5])
    assert not np.array_equal(few, results.resample(draws=5, seed=5).bootstrapped_beta)
    states = [results.resample(draws=5, seed=np.random.RandomState(4)).bootstrapped_beta for _ in range(2)]
    assert np.array_equal(*states)


def test_samples_that_fail_are_left_out_counted_and_reported_once():
    data = market_data().assign(rare=lambda table: (table.market_ids < 2) * (1.0 + table.brand))
    problem = Problem(Formulation("1 + prices + rare"), data)
    with pytest.warns(CompEconWarning, match="times the instruments .* are singular.* left out") as caught:
        resampled = problem.bootstrap(draws=60, seed=0, method="1s")
    without = (counts_of(0, 60, 40)[:, :2] == 0).all(axis=1)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert resampled.n_failed == without.sum() > 0 and resampled.draws == 60 - without.sum()
    assert np.array_equal(resampled.converged, ~without)
    assert sum(resampled.failures.values()) == resampled.n_failed
    assert np.isfinite(resampled.bootstrapped_beta).all()


def test_a_search_that_stops_early_is_a_failure_and_none_left_is_an_error():
    with pytest.raises(ConvergenceError, match="4 of 4 samples .*4 times the search of theta did not converge"):
        cereal().resample(draws=4, seed=0, optimization=Optimization("bfgs", {"maxiter": 1}))


def test_a_weighting_matrix_that_was_given_stays():
    problem = random_coefficients(market_data())
    W = problem.solve([[0.8]], method="1s", optimization=TIGHT).updated_W
    results = problem.solve([[0.8]], method="1s", W=W, optimization=TIGHT)
    resampled = results.resample(draws=2, seed=7, optimization=TIGHT)
    again = random_coefficients(repeated(market_data(), counts_of(7, 2, 40)[0]))
    expected = again.solve([[0.8]], method="1s", W=W, optimization=TIGHT)
    np.testing.assert_allclose(resampled.bootstrapped_parameters[0], expected.parameters[:, 0], rtol=1e-6)


def test_bounds_hold_in_every_sample():
    problem = random_coefficients(market_data())
    bounded = Optimization("l-bfgs-b", {"gtol": 1e-6})
    results = problem.solve([[0.8]], sigma_bounds=([[0.5]], [[0.9]]), method="1s", optimization=bounded)
    sigma = results.resample(draws=10, seed=0).bootstrapped_sigma
    assert (sigma <= 0.9).all() and (sigma == 0.9).any()


def test_the_table_says_how_many_failed_and_what_was_drawn():
    resampled = cereal_logit().resample(draws=10, seed=0, resample="products")
    summary, estimates = str(resampled).split("\n\n")
    assert summary.splitlines()[5].split() == ["10", "0", "products"]
    assert "prices" in estimates and "Bootstrap" in estimates
    with pytest.raises(ParameterError, match="level"):
        resampled.intervals(95)


def test_what_cannot_be_resampled_is_refused():
    results = cereal_logit()
    with pytest.raises(ParameterError, match="unknown resample 'firms'.*'markets', 'products'"):
        results.resample(resample="firms")
    with pytest.raises(ParameterError, match="draws = 1"):
        results.resample(draws=1)
    problem = random_coefficients(market_data())
    survey = MicroDataset("survey", 100, lambda t, p, a: np.ones((a.size, p.size)))
    moment = MicroMoment("x", 0.1, MicroPart("x", survey, lambda t, p, a: np.tile(p.X2[:, 0], (a.size, 1))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CompEconWarning)
        matched = problem.solve([[0.8]], method="1s", micro_moments=[moment], optimization=Optimization("return"))
    with pytest.raises(ParameterError, match="micro data"):
        matched.resample(draws=2)


def test_the_search_takes_few_evaluations_to_the_reference_estimates():
    problem = cereal_problem()
    W, parameters = np.linalg.inv(problem.linear_part.ZZ), build_parameters(problem, SIGMA, PI)
    search = Search(Objective(problem, parameters, problem.linear_part, W, Iteration("newton")))
    theta, converged, n_iter = minimize_squares(search, parameters.theta, 1e-6)
    np.testing.assert_allclose(theta, THETA, rtol=1e-4)
    # pyblp's BFGS takes 56 (blp.md, section 4).
    assert converged and search.n_evaluations <= 56 / 3 and n_iter < search.n_evaluations


class Squares:
    """An evaluation of r = (10 (t1 - t0^2), 1 - t0, level + t0 t1): with `level`, r stays large at the minimum."""

    def __init__(self, theta, level):
        self.theta, (a, b) = theta, theta
        self.residuals = np.array([10 * (b - a * a), 1 - a, level + a * b])
        self.residuals_jacobian = np.array([[-20 * a, 10.0], [-1.0, 0.0], [b, a]])
        self.value = self.residuals @ self.residuals
        self.gradient = 2 * self.residuals_jacobian.T @ self.residuals


@pytest.mark.parametrize("level", [0.0, 5.0, 50.0])
def test_the_search_converges_where_residuals_stay_large(level):
    theta, converged, n_iter = minimize_squares(lambda t: Squares(t, level), np.array([-1.2, 1.0]), 1e-5)
    assert converged and n_iter < 25
    assert not minimize_squares(lambda t: Squares(t, level), np.array([-1.2, 1.0]), 1e-5, max_iter=2)[1]
    at = Squares(theta, level)
    assert np.abs(at.gradient).max() < 1e-3
    steps = 1e-3 * np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    assert all(Squares(theta + step, level).value > at.value for step in steps)
