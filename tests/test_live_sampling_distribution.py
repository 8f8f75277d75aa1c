"""The figure of chapter 2 against SciPy's distributions of sums, NumPy's draws, and `compecon.likelihood`."""

import itertools

import numpy as np
import pytest
from scipy import stats

from compecon.likelihood.covariance import covariance
from compecon.likelihood.examples import Geometric, Poisson
from compecon.live import SamplingDistribution
from compecon.live import sampling_distribution as page
from compecon.live import sampling_distribution_kernels as kernels
from compecon.live.sampling_distribution_kernels import DONE, LR, LR_ERROR, MEAN, MORE, SPREAD, WALD, WALD_ERROR

SETTINGS = [("geometric", 0.3, 10, 1600, 1), ("geometric", 0.9, 5, 400, 2), ("geometric", 0.1, 200, 100, 50),
            ("poisson", 0.1, 5, 400, 1), ("poisson", 0.9, 1000, 100, 3), ("poisson", 0.5, 20, 1600, 7)]
EXAMPLES = {"geometric": Geometric, "poisson": Poisson}
CRITICAL = stats.norm.ppf(0.975)


@pytest.fixture(scope="module")
def figure():
    return SamplingDistribution()


def outputs(figure, model, truth, n, samples, seed):
    figure.model, figure.truth, figure.n, figure.samples, figure.seed = model, truth, n, samples, seed
    return {name: np.copy(values) for name, values in figure.outputs().items()}


def drawn(model, truth, n, samples, seed):
    """(samples, n): the counts as NumPy and SciPy draw them."""
    uniforms = (np.random.Generator(np.random.Philox(key=[seed, r])).random(n) for r in range(samples))
    law = stats.geom(truth, loc=-1) if model == "geometric" else stats.poisson(truth)
    return np.array([law.ppf(u) for u in uniforms])


def estimates(model, n, total):
    """(estimate, standard error) in closed form; the standard error is 0 on the edge."""
    theta = n / (n + total) if model == "geometric" else total / n
    variance = theta**2 * (1 - theta) if model == "geometric" else theta
    return theta, np.sqrt(np.maximum(variance, 0) / n)


def lost(model, truth, n, total):
    """Twice the log-likelihood that the truth lacks, by SciPy's distributions of the sum, which is sufficient."""
    theta = estimates(model, n, total)[0]
    if model == "geometric":
        return 2 * (stats.nbinom.logpmf(total, n, theta) - stats.nbinom.logpmf(total, n, truth))
    return 2 * (stats.poisson.logpmf(total, n * theta) - stats.poisson.logpmf(total, n * truth))


# Exact coverage


@pytest.mark.parametrize("model", EXAMPLES)
@pytest.mark.parametrize("truth", page.TRUTHS)
def test_the_exact_coverage_is_the_sum_of_scipys_probabilities(figure, model, truth):
    exact = outputs(figure, model, truth, 5, 100, 1)["exact"]
    np.testing.assert_array_equal(exact[0], page.SIZES)
    for n, wald, ratio in exact.T:
        law = stats.nbinom(n, truth) if model == "geometric" else stats.poisson(n * truth)
        total = np.arange(law.isf(1e-12) + 1)
        theta, error = estimates(model, n, total)
        holds = np.abs(theta - truth) <= CRITICAL * error
        assert wald == pytest.approx(law.pmf(total) @ holds, abs=1e-9)
        assert ratio == pytest.approx(law.pmf(total) @ (lost(model, truth, n, total) <= CRITICAL**2), abs=1e-9)


def test_both_coverages_tend_to_95_percent_and_the_likelihood_ratios_is_nearer_in_small_samples(figure):
    exact = np.array([outputs(figure, model, truth, 5, 100, 1)["exact"]
                      for model, truth in itertools.product(EXAMPLES, page.TRUTHS)])
    assert np.abs(exact[:, 1:, -1] - 0.95).max() < 0.015
    short = np.abs(exact[:, 1:, :6] - 0.95).mean(axis=(0, 2))
    assert short[1] < short[0] / 3


# The samples


@pytest.mark.parametrize("setting", SETTINGS)
def test_moments_and_coverage_are_those_of_the_samples_that_numpy_draws(figure, setting):
    found, (model, truth, n, samples, _) = outputs(figure, *setting), setting
    y = drawn(*setting)
    np.testing.assert_array_equal(found["y"][:n], y[-1])
    theta, error = estimates(model, n, y.sum(axis=1))
    z = (theta - truth) * np.sqrt(n * EXAMPLES[model]([1]).information([truth])[0, 0])
    wald, ratio = np.abs(theta - truth) <= CRITICAL * error, lost(model, truth, n, y.sum(axis=1)) <= CRITICAL**2
    expected = {MEAN: z.mean(), SPREAD: z.std(), WALD: wald.mean(), LR: ratio.mean(),
                WALD_ERROR: wald.std() / np.sqrt(samples), LR_ERROR: ratio.std() / np.sqrt(samples)}
    for place, value in expected.items():
        assert found["summary"][place] == pytest.approx(value, rel=1e-9, abs=1e-12), place
    here = page.SIZES.index(n)
    np.testing.assert_array_equal(found["summary"][[kernels.WALD_EXACT, kernels.LR_EXACT]], found["exact"][1:, here])
    for bar, share, spread in (("wald_bar", WALD, WALD_ERROR), ("lr_bar", LR, LR_ERROR)):
        expected = found["summary"][share] + np.array([-2, 2]) * found["summary"][spread]
        np.testing.assert_allclose(found[bar], expected, rtol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_intervals_and_ratios_are_the_librarys(figure, setting):
    found, (model, truth, n, _, _) = outputs(figure, *setting), setting
    for sample, y in enumerate(drawn(*setting)[: page.INTERVALS]):
        held, missed = found["held"][1:, sample], found["missed"][1:, sample]
        assert np.isnan(held).all() != np.isnan(missed).all()
        shown = missed if np.isnan(held).all() else held
        if not y.any():
            assert shown == pytest.approx([1, 1] if model == "geometric" else [0, 0])
            continue
        example = EXAMPLES[model](y)
        theta = example.closed_form()
        # The observed information at the maximum is the expected one there.
        reach = CRITICAL * np.sqrt(covariance(example, theta, "hessian")[0, 0])
        np.testing.assert_allclose(shown, [theta[0] - reach, theta[0] + reach], rtol=1e-10, atol=1e-14)
        assert (shown[0] <= truth <= shown[1]) == np.isnan(missed).all()
        ratio = 2 * (example.loglike(theta)[0].sum() - example.loglike([truth])[0].sum())
        assert ratio == pytest.approx(lost(model, truth, n, y.sum()), rel=1e-8, abs=1e-10)
        assert kernels.lr_holds(float(model == "poisson"), float(n), y.sum(), truth) == (ratio <= CRITICAL**2)
    error = 1 / np.sqrt(n * EXAMPLES[model]([1]).information([truth])[0, 0])
    np.testing.assert_allclose(found["window"], [truth - 5 * error, truth + 5 * error], rtol=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_histogram_spreads_each_estimate_over_its_step(figure, setting):
    found, (model, truth, n, samples, _) = outputs(figure, *setting), setting
    middles, density = found["histogram"]
    edges = np.append(middles - page.BIN / 2, middles[-1] + page.BIN / 2)
    error = 1 / np.sqrt(n * EXAMPLES[model]([1]).information([truth])[0, 0])
    expected = np.zeros(middles.size)
    for total in drawn(*setting).sum(axis=1):
        ends = sorted((estimates(model, n, total + half)[0] - truth) / error for half in (-0.5, 0.5))
        # The uniform distribution function of the step, at the edges of the bins.
        expected += np.diff(np.clip((edges - ends[0]) / (ends[1] - ends[0]), 0, 1))
    np.testing.assert_allclose(density, expected / samples / page.BIN, atol=1e-10)
    np.testing.assert_allclose(found["normal"][1], stats.norm.pdf(found["normal"][0]))


@pytest.mark.parametrize("model, truth, n", [("geometric", 0.3, 10), ("poisson", 0.1, 20), ("poisson", 0.7, 100)])
def test_simulated_coverage_is_the_exact_one_up_to_its_monte_carlo_error(figure, model, truth, n):
    found = [outputs(figure, model, truth, n, 1600, seed)["summary"] for seed in range(1, 11)]
    mean = np.mean(found, axis=0)
    # Ten runs of 1600 samples; four standard errors of their mean.
    for share, error, exact in ((WALD, WALD_ERROR, kernels.WALD_EXACT), (LR, LR_ERROR, kernels.LR_EXACT)):
        assert mean[share] == pytest.approx(mean[exact], abs=4 * mean[error] / np.sqrt(10))


def test_the_standardised_estimates_of_large_samples_are_about_standard_normal(figure):
    for model in EXAMPLES:
        found = outputs(figure, model, 0.5, 1000, 6400, 4)
        # Four standard errors of a mean and of a standard deviation of 6400 draws, and what 1000 is short of infinity.
        assert found["summary"][MEAN] == pytest.approx(0, abs=4 / 80 + 0.03)
        assert found["summary"][SPREAD] == pytest.approx(1, abs=4 / 113 + 0.01)
        middles, density = found["histogram"]
        # A bin's share has a standard error of at most sqrt(0.1 / 6400).
        assert np.abs(density - stats.norm.pdf(middles)).max() < (4 * np.sqrt(0.1 / 6400) + 0.005) / page.BIN


# Work in slices, and every state that can be reached


def test_longer_work_comes_in_slices_that_begin_anew_when_a_control_moves():
    figure = SamplingDistribution(n=1000, samples=1600)
    engine, numbers = figure._engine, figure.numbers()
    engine.finish("exact_coverage", numbers)
    statuses = [engine.call("sampling_distribution", numbers, 1.0)]
    assert 2 <= engine.arrays["count"] < 100 and np.isfinite(engine.arrays["summary"]).all()
    statuses += [engine.call("sampling_distribution", numbers, 0.0) for _ in range(2)]
    assert statuses == [MORE] * 3 and 0 < engine.arrays["progress"] < 1
    other = SamplingDistribution(model="poisson", n=50, samples=100, seed=3)
    engine.finish("exact_coverage", other.numbers())
    assert engine.finish("sampling_distribution", other.numbers()) == DONE
    for name, expected in other.outputs().items():
        if name in ("histogram", "held", "missed", "summary", "window", "count", "progress", "tally", "sums", "exact"):
            np.testing.assert_array_equal(engine.arrays[name], expected, name)


def test_every_state_has_finite_read_outs(figure):
    states = itertools.product(EXAMPLES, page.TRUTHS, page.SIZES, (100,), (1, 50))
    for setting in states:
        summary = outputs(figure, *setting)["summary"]
        assert np.isfinite(summary).all() and (summary[[WALD, LR]] > 0).all() and (summary[WALD:] <= 1).all()
