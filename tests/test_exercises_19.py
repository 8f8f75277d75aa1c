"""Chapter 19's exercises: checkpoints printed in the page, and numbers from outside."""

import numpy as np
import pytest
from scipy import stats

from compecon.exercises import chapter19
from compecon.exercises.catalogue import find_exercise
from compecon.live import MicroSample

# reference/nevo.json, solve_3: optimal instruments and score moments.
OBJECTIVE, SIGMA_PRICES, BETA, BETA_SE = 107.21335630030224, 3.0910550444803344, -51.85431758683021, 2.1799212136619786


@pytest.mark.parametrize(("number", "arguments", "value"), [
    ("19.3", (np.array([[0.5, 0.25, 0.25]]), np.ones(1), np.array([[0, 1, 1]]), np.array([[9, 1, 2]])), 1.5),
    ("19.4", (np.array([[2.0]]), np.array([[3.0]]), 10, 5), np.diag([2.0, 6.0])),
    ("19.6", (np.array([[0.5], [0.25]]), np.ones(1), np.array([1.0, -1.0]), np.full(2, 0.5), 0), 1 / 12),
])  # fmt: skip
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_the_third_estimation_is_the_reference():
    results = chapter19._third()
    assert results.objective == pytest.approx(OBJECTIVE, rel=1e-7)
    assert results.sigma[1, 1] == pytest.approx(SIGMA_PRICES, rel=1e-7)
    assert results.beta[0, 0] == pytest.approx(BETA, rel=1e-7)
    assert results.beta_se[0, 0] == pytest.approx(BETA_SE, rel=1e-6)


def test_the_critical_value_is_that_of_a_table():
    # Chi-squared, 13 degrees of freedom: 27.688 at 1%, 22.362 at 5%.
    assert find_exercise("19.2").solution() == pytest.approx(27.688, abs=5e-4)
    assert stats.chi2.isf(0.05, 13) == pytest.approx(22.362, abs=5e-4)
    assert find_exercise("19.2").solution() < OBJECTIVE


def test_the_survey_and_the_shares_make_the_whole_variance():
    assert chapter19._survey_share(4) == pytest.approx(0.39, abs=0.005)
    results = chapter19._third()
    G, W, S = results.moments_jacobian, results.W, results.moments_covariances
    influence = np.linalg.inv(G.T @ W @ G) @ G.T @ W
    aggregate = influence[12, :14] @ S[:14, :14] @ influence[12, :14] / results.parameter_covariances[12, 12]
    assert find_exercise("19.5").solution() + aggregate == pytest.approx(1, rel=1e-6)


def test_the_stacked_covariance_is_what_the_library_weights_by():
    results = chapter19._third()
    S = results.moments_covariances
    expected = chapter19.stacked(S[:14, :14], 1000 * results.micro_covariances, results.problem.N, 1000)
    np.testing.assert_allclose(S, expected, rtol=1e-9, atol=1e-12 * np.abs(S).max())


def test_the_score_is_a_difference_of_logs():
    rng, sigma, h = np.random.default_rng(2), 0.7, 1e-6
    x, nu, delta, w = rng.normal(size=4), rng.normal(size=6), rng.normal(size=4), rng.dirichlet(np.ones(6))

    def probabilities(sigma):
        V = np.exp(delta + sigma * np.outer(nu, x))
        return V / (1 + V.sum(axis=1, keepdims=True))

    slope = (np.log(w @ probabilities(sigma + h)) - np.log(w @ probabilities(sigma - h))) / (2 * h)
    found = [chapter19.score(probabilities(sigma), x, nu, w, j) for j in range(4)]
    np.testing.assert_allclose(found, slope, rtol=1e-7)


def test_the_right_prediction_is_what_the_figure_shows():
    everyone, buyers = (MicroSample(moments="scores", sample=sample, parameter="1 x income").read()["now"]
                        for sample in ("all", "buyers"))
    assert buyers < 0.97 * everyone
    assert find_exercise("19.1").solution() == "falls"
