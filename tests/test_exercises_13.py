"""Chapter 13: its checkpoints, its claims, and its solutions against pyblp's numbers and finite differences."""

import warnings

import numpy as np
import pytest
from scipy import stats

from compecon import blp, datasets, live
from compecon.blp.examples import PI, SIGMA, cereal_problem, cereal_results
from compecon.errors import CompEconWarning
from compecon.exercises import chapter13 as chapter
from compecon.exercises.catalogue import find_exercise

# pyblp 1.3.0 on the cereal problem with its original instruments, polished to a gradient below 1e-9.
OBJECTIVE, BETA, BETA_SE = 4.561514164803142, -62.729896155281224, 14.80321435412756
SIGMA_PRICES, SIGMA_PRICES_SE, AT_START = 3.3124889094853236, 1.3401833863432173, 29.353343126175286


@pytest.fixture(scope="module")
def results():
    return cereal_results()


@pytest.fixture(scope="module")
def absorbed():
    """X1 and Z of the cereal data, less each product's mean."""
    products, _ = datasets.load_cereal()
    columns = products[["prices", *(f"demand_instruments{k}" for k in range(20))]]
    less_means = (columns - columns.groupby(products["product_ids"]).transform("mean")).to_numpy()
    return less_means[:, :1], less_means[:, 1:]


def test_the_searches_of_the_chapter_end_at_pyblps_estimates(results):
    bfgs = cereal_results(blp.Optimization("bfgs"))
    for run in (results, bfgs):
        assert run.converged and run.objective == pytest.approx(OBJECTIVE, abs=1e-9)
        assert run.beta[0, 0] == pytest.approx(BETA, rel=1e-6)
        assert run.sigma[1, 1] == pytest.approx(SIGMA_PRICES, rel=1e-6)
    assert 3 * results.objective_evaluations < bfgs.objective_evaluations


def test_the_gradient_is_pyblps_objectives(absorbed):
    X, Z = absorbed
    start = cereal_problem().solve(SIGMA, PI, method="1s", optimization=blp.Optimization("return"))
    N, W, A, b = len(X), np.linalg.inv(Z.T @ Z / len(X)), Z.T @ X / len(X), Z.T @ start.delta[:, 0] / len(X)
    g = b - A @ np.linalg.solve(A.T @ W @ A, A.T @ W @ b)
    assert N * g @ W @ g == pytest.approx(AT_START, rel=1e-10)
    found = chapter.gradient(Z.T @ start.xi_by_theta_jacobian / N, W, g, N)
    np.testing.assert_allclose(found, start.gradient[:, 0], rtol=1e-9)
    assert found[:2] == pytest.approx([9.844961722749918, 0.31698259169092696], rel=1e-8)


def test_the_standard_errors_are_pyblps(results, absorbed):
    X, Z = absorbed
    N, u = len(X), Z * results.xi
    G = np.hstack([Z.T @ results.xi_by_theta_jacobian / N, -Z.T @ X / N])
    found = chapter.standard_errors(G, np.linalg.inv(Z.T @ Z / N), np.cov(u.T, ddof=0), N)
    assert found[[1, -1]] == pytest.approx([SIGMA_PRICES_SE, BETA_SE], rel=1e-6)


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("13.2", (np.ones((1, 1)), np.ones((1, 1)), np.ones(1), 10), [20]),
        ("13.3", (np.array([[2.0]]), np.array([[1.0]]), np.array([3.0])), [-1.5]),
        ("13.4", (np.array([[2.0]]), np.array([[1.0]]), np.array([[4.0]]), 100), [0.1]),
    ],
)
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_a_gauss_newton_step_is_a_least_squares_step():
    rng = np.random.default_rng(0)
    G, W, g = chapter._draw_moments(rng)
    root = np.linalg.cholesky(W).T
    expected = -np.linalg.lstsq(root @ G, root @ g, rcond=None)[0]
    np.testing.assert_allclose(chapter.gauss_newton_step(G, W, g), expected, rtol=1e-9)


def test_hansens_p_value_is_the_librarys_and_has_six_degrees_of_freedom():
    diagnostics = chapter._two_step().moment_diagnostics()
    assert diagnostics.df == 6
    assert find_exercise("13.5").solution() == pytest.approx(diagnostics.p_value, rel=1e-12)
    assert diagnostics.p_value == pytest.approx(1 - stats.gamma(3, scale=2).cdf(diagnostics.j), rel=1e-9)
    assert diagnostics.p_value > 0.3


def test_a_search_that_calls_itself_converged_is_not_and_the_first_check_says_so(results):
    false = chapter.false_stop()
    assert false.converged and np.abs(false.gradient).max() < 0.4
    gap = false.objective - OBJECTIVE
    assert find_exercise("13.6").solution() == pytest.approx(gap, rel=0.05) and gap > 10
    assert chapter.predicted_gain(results) < 1e-12


def test_the_right_prediction_is_what_the_figure_finds():
    read = live.ProfiledObjective(start=0).read()
    assert read["end"] == 0 and read["evaluations"] == 1 and abs(read["best"]) > 3
    assert find_exercise("13.1").solution() == "zero"


def test_the_looser_the_inner_tolerance_the_farther_the_search_ends_from_the_minimum():
    ends = []
    for tolerance in (1e-12, 1e-4, 0.01, 0.3):
        read = live.ProfiledObjective(start=5, method="differences", tolerance=tolerance).read()
        assert read["says"] == 1
        ends.append(abs(read["end"] - read["best"]))
    assert ends == sorted(ends) and ends[-1] > 1


def test_with_prices_x_income_fixed_below_its_estimate_a_second_minimum_waits():
    two, free = chapter._two_step(), np.full((4, 4), np.inf)
    found = []
    for steps in ((-0.5, -0.75), (-0.75,)):
        sigma, pi = two.sigma, two.pi.copy()
        for k in steps:
            low, high = -free, free.copy()
            pi[1, 0] = low[1, 0] = high[1, 0] = two.pi[1, 0] + k * two.pi_se[1, 0]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", CompEconWarning)
                run = cereal_problem().solve(sigma, pi, pi_bounds=(low, high), W=two.W, method="1s")
            sigma, pi = run.sigma, run.pi.copy()
        assert run.converged and run.reduced_hessian_eigenvalues[0] > 0
        found.append(run.objective - two.objective)
    assert 0 < found[0] < 1 and found[1] > 20
