"""Chapter 1's exercises against SciPy's densities, the counts of the archive, and the checkpoints in the page."""

import numpy as np
import pytest
from exercise_fixtures import solution
from scipy import optimize, stats

from compecon.exercises.catalogue import find_exercise
from compecon.likelihood.examples import BinaryLogit, Normal


def test_the_right_prediction_is_what_a_double_does():
    y = np.random.default_rng(1).normal(2.5, 1, 2000)
    with np.errstate(over="ignore", under="ignore"):
        assert np.prod(stats.norm.pdf(y, 2.5, 1)) == 0
        assert np.prod(stats.norm.pdf(y / 10, 0.25, 0.1)) == np.inf
    # The geometric mean of the factors, as the answer says.
    assert np.exp(stats.norm.logpdf(y / 10, 0.25, 0.1).mean()) == pytest.approx(2.4, abs=0.1)
    assert find_exercise("1.1").solution() == "inf"


def test_the_expected_life_is_months_over_replacements():
    # Readings and replacements of group 4, as compecon/datasets/README.md lists them.
    assert solution("1.2") == 4329 / 33
    assert 131 < solution("1.2") < 132


def test_the_log_likelihood_of_spells_is_scipys_geometric_and_its_survival_function():
    months, replaced, p = np.array([3, 10, 1, 7]), np.array([1, 0, 1, 0]), 0.2
    expected = stats.geom.logpmf(months[replaced == 1], p).sum() + stats.geom.logsf(months[replaced == 0], p).sum()
    assert solution("1.3", p, months, replaced) == pytest.approx(expected, rel=1e-12)
    checkpoint = solution("1.3", 0.5, np.array([2, 3]), np.array([1, 0]))
    assert checkpoint == pytest.approx(-5 * np.log(2)) == pytest.approx(-3.466, abs=1e-3)


def test_the_gradient_of_the_logit_is_the_librarys():
    arguments = find_exercise("1.4").draw(np.random.default_rng(3))
    theta, y, X = arguments
    assert solution("1.4", *arguments) == pytest.approx(BinaryLogit(y, X).loglike(theta)[1].sum(axis=0), rel=1e-10)
    np.testing.assert_allclose(solution("1.4", np.zeros(1), np.array([1.0, 1, 0]), np.ones((3, 1))), [0.5])


def test_the_normal_log_likelihood_is_the_librarys_and_scipys():
    y, mu, sigma = find_exercise("1.5").draw(np.random.default_rng(3))
    assert solution("1.5", y, mu, sigma) == pytest.approx(Normal(y).loglike([mu, sigma])[0].sum(), rel=1e-12)
    assert solution("1.5", y, mu, sigma) == pytest.approx(stats.norm.logpdf(y, mu, sigma).sum(), rel=1e-12)
    assert solution("1.5", np.array([0.0]), 0.0, 1.0) == pytest.approx(-0.919, abs=1e-3)


def test_the_largest_hazard_leaves_a_sample_without_events_a_chance_of_5_percent():
    p = solution("1.6")
    assert stats.binom.pmf(0, 375 + 196, p) == pytest.approx(0.05)  # readings of groups 1 and 2
    assert p == pytest.approx(optimize.brentq(lambda p: (1 - p) ** 571 - 0.05, 0, 1), rel=1e-8)
    assert 1 / p == pytest.approx(191, abs=0.5)
