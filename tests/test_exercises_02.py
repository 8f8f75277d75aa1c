"""Chapter 2's exercises against the figure, `compecon.likelihood`, closed forms, and the checkpoints in the page."""

import numpy as np
import pytest
from exercise_fixtures import solution
from scipy import stats

from compecon import datasets
from compecon.exercises.catalogue import find_exercise
from compecon.likelihood import delta_method, lr_test
from compecon.likelihood.examples import BinaryLogit
from compecon.live import SamplingDistribution


def test_the_right_prediction_on_rare_events_is_the_exact_coverage_of_the_figure():
    exact = SamplingDistribution(model="poisson", truth=0.1, n=10).read()["wald_exact"]
    assert exact == pytest.approx(0.63, abs=0.005) and solution("2.1") == "below"
    # More than a third of the samples are all zeros.
    assert stats.poisson.pmf(0, 1) > 1 / 3


def test_the_number_of_samples_gives_the_error_that_was_asked_for():
    R = solution("2.2")
    assert stats.binom(round(R), 0.95).std() / R == pytest.approx(0.001, rel=1e-6)
    assert np.sqrt(0.95 * 0.05 / (R / 10)) == pytest.approx(0.0032, abs=5e-5)


def test_the_standard_error_of_a_life_is_the_delta_methods():
    replaced = datasets.load_bus_panel()["replaced"]
    months, p = 15_568, 124 / 15_568  # the counts of compecon/datasets/README.md
    assert (len(replaced), replaced.sum()) == (months, 124)
    found = delta_method(lambda theta: 1 / theta, [p], [[p * (1 - p) / months]]).bse[0]
    assert solution("2.3") == pytest.approx(found, rel=1e-8) and 11 < found < 12


def test_coverage_meets_its_checkpoint_and_a_normal_samples_share():
    np.testing.assert_allclose(solution("2.4", np.array([0.0, 1, 3, 0]), np.ones(4), 0.0), [0.75, 0.217], atol=1e-3)
    z = np.random.default_rng(1).normal(size=100_000)
    share, error = solution("2.4", 5 + z, np.ones(z.size), 5.0)
    assert share == pytest.approx(0.95, abs=4 * error) and error == pytest.approx(0.00069, abs=1e-5)


def test_the_error_of_a_ratio_is_the_delta_methods():
    assert solution("2.5", 1.0, 1.0, np.ones((2, 2))) == 0
    for seed in range(3):
        a, b, V = find_exercise("2.5").draw(np.random.default_rng(seed))
        found = delta_method(lambda theta: theta[0] / theta[1], [a, b], V).bse[0]
        assert solution("2.5", a, b, V) == pytest.approx(found, rel=1e-7)


def test_at_the_ends_of_the_interval_the_likelihood_ratio_test_rejects_at_5_percent():
    months, replacements = 3360, 27  # group 3, as compecon/datasets/README.md lists it
    model = BinaryLogit([0, 1], [[1.0], [1.0]], weights=[months - replacements, replacements])

    def loglike(p):
        return model.weights @ model.loglike([np.log(p / (1 - p))])[0]

    ends = solution("2.6")
    for p in ends:
        assert lr_test(loglike(p), loglike(replacements / months), df=1).pvalue == pytest.approx(0.05, rel=1e-6)
    assert 1 / ends == pytest.approx([186, 87], abs=0.5) and ends[0] < replacements / months < ends[1]


def test_four_times_as_many_uniform_draws_quarter_the_spread_of_their_largest():
    few, many = (stats.beta(n, 1).std() for n in (100, 400))
    assert few / many == pytest.approx(4, rel=0.02) and solution("2.7") == "quarter"
