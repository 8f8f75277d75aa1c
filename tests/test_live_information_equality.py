"""The figure of chapter 3 against `compecon.likelihood`, moments and limits in closed form, and NumPy's own draws."""

import itertools

import numpy as np
import pytest
from scipy import integrate, special, stats

from compecon.likelihood.covariance import covariance
from compecon.likelihood.examples import Normal
from compecon.live import InformationEquality
from compecon.live import information_equality as page
from compecon.live import information_kernels as kernels
from compecon.live.information_kernels import DONE, HESSIAN, MORE, OPG, SANDWICH, SIGMA

SETTINGS = [(20, 9, 1), (20, 1.4, 50), (200, 3, 7), (500, 2.2, 2), (2000, 6, 1)]


@pytest.fixture(scope="module")
def figure():
    return InformationEquality()


def outputs(figure, n, kurtosis, seed=1):
    figure.n, figure.kurtosis, figure.seed = n, kurtosis, seed
    return {name: np.copy(values) for name, values in figure.outputs().items()}


def sample(n, kurtosis, seed, number):
    """One of the figure's samples, drawn by NumPy: quantiles of Philox's words, and the mixture of two normals."""
    raw = np.random.Philox(key=[seed, 2 * number]).random_raw(n)
    z = special.ndtri(((raw >> np.uint64(12)) + 0.5) * 2.0**-52)
    picks = np.random.Generator(np.random.Philox(key=[seed, 2 * number + 1])).random(n)
    share, *moments = kernels.components(float(kurtosis))
    mean, sd = np.where((picks < share)[:, None], moments[:2], moments[2:]).T
    return mean + sd * z


# The outcomes


@pytest.mark.parametrize("kurtosis", page.KURTOSES)
def test_the_outcomes_have_mean_0_variance_1_and_the_kurtosis_that_was_asked_for(kurtosis):
    share, mean, sd, other_mean, other_sd = kernels.components(float(kurtosis))
    assert 0 < share <= 0.5 and sd > 0 and other_sd > 0

    def moment(power):
        one, other = stats.norm(mean, sd).moment(power), stats.norm(other_mean, other_sd).moment(power)
        return float(share * one + (1 - share) * other)

    assert [moment(power) for power in (1, 2, 3, 4)] == pytest.approx([0, 1, 0, kurtosis], abs=1e-12)


@pytest.mark.parametrize("kurtosis", [1.4, 3, 9])
def test_the_density_of_the_outcomes_has_those_moments_and_is_normal_at_3(figure, kurtosis):
    x, density, model = outputs(figure, 20, kurtosis)["population"]
    np.testing.assert_allclose(model, stats.norm.pdf(x), rtol=1e-13)
    share, mean, sd, other_mean, other_sd = kernels.components(float(kurtosis))
    expected = share * stats.norm.pdf(x, mean, sd) + (1 - share) * stats.norm.pdf(x, other_mean, other_sd)
    np.testing.assert_allclose(density, expected, rtol=1e-12)
    assert integrate.simpson(density, x=x) == pytest.approx(1, abs=5e-3)
    if kurtosis == 3:
        np.testing.assert_allclose(density, model, rtol=1e-13)


def test_the_last_sample_is_the_one_that_numpy_draws(figure):
    for n, kurtosis, seed in SETTINGS:
        found = outputs(figure, n, kurtosis, seed)
        np.testing.assert_allclose(found["y"][:n], sample(n, kurtosis, seed, page.SAMPLES - 1), rtol=1e-13, atol=1e-14)


# Estimates and standard errors


@pytest.mark.parametrize("n, kurtosis, seed", SETTINGS)
def test_the_estimates_and_standard_errors_are_the_librarys(figure, n, kurtosis, seed):
    fits = outputs(figure, n, kurtosis, seed)["fits"]
    for number in [*range(10), page.SAMPLES - 1]:
        model = Normal(sample(n, kurtosis, seed, number))
        theta = model.closed_form()
        assert fits[SIGMA, number] == pytest.approx(theta[1], rel=1e-12)
        for row, kind in ((OPG, "opg"), (HESSIAN, "hessian"), (SANDWICH, "sandwich")):
            expected = np.sqrt(covariance(model, theta, kind)[1, 1])
            assert fits[row, number] == pytest.approx(expected, rel=1e-10), (kind, number)


@pytest.mark.parametrize("n, kurtosis, seed", SETTINGS)
def test_the_standard_errors_are_those_of_the_samples_moments(figure, n, kurtosis, seed):
    fits = outputs(figure, n, kurtosis, seed)["fits"]
    for number in (0, 250, 499):
        y = sample(n, kurtosis, seed, number)
        sd, skewness, fourth = y.std(), stats.skew(y), stats.kurtosis(y, fisher=False)
        expected = [sd, sd / np.sqrt(n * (fourth - 1 - skewness**2)), sd / np.sqrt(2 * n),
                    sd * np.sqrt((fourth - 1) / (4 * n))]
        np.testing.assert_allclose(fits[:, number], expected, rtol=1e-9)


def test_the_numbers_shown_sum_up_the_samples(figure):
    for n, kurtosis, seed in SETTINGS:
        found = outputs(figure, n, kurtosis, seed)
        fits, critical = found["fits"], stats.norm.ppf(0.975)
        assert found["count"] == page.SAMPLES and found["progress"] == 1
        expected = [fits[SIGMA].std(), *fits[1:].mean(axis=1)]
        np.testing.assert_allclose(found["standard_errors"], expected, rtol=1e-11)
        np.testing.assert_allclose(found["scaled"], np.sqrt(n) * found["standard_errors"], rtol=1e-14)
        held = np.abs(fits[SIGMA] - 1) <= critical * fits[1:]
        np.testing.assert_allclose(found["coverage"], held.mean(axis=1), atol=1e-12)
        middles, shares = found["histogram"]
        edges = np.append(middles - page.BIN / 2, middles[-1] + page.BIN / 2)
        counts = np.histogram(np.sqrt(n) * (fits[SIGMA] - 1), edges)[0]
        np.testing.assert_allclose(shares, counts / page.SAMPLES / page.BIN, atol=1e-12)
        claims = stats.norm.pdf(found["claims"][0], 0, found["scaled"][1:, None])
        np.testing.assert_allclose(found["claims"][1:], claims, rtol=1e-11)


# Limits for large samples


@pytest.mark.parametrize("kurtosis", [1.4, 2.6, 3, 9])
def test_the_limits_are_those_of_the_expected_outer_product_and_hessian(kurtosis):
    # Gauss and Hermite's rule is exact for the polynomials that scores and Hessian are.
    z, weights = np.polynomial.hermite_e.hermegauss(20)
    share, mean, sd, other_mean, other_sd = kernels.components(float(kurtosis))
    model = Normal(np.concatenate([mean + sd * z, other_mean + other_sd * z]),
                   np.concatenate([share * weights, (1 - share) * weights]) / np.sqrt(2 * np.pi))
    np.testing.assert_allclose(model.closed_form(), [0, 1], atol=1e-12)
    expected = [np.sqrt(covariance(model, [0, 1], kind)[1, 1]) for kind in ("opg", "hessian", "sandwich")]
    np.testing.assert_allclose(page.asymptotic(kurtosis), expected, rtol=1e-10)
    ratio = expected / expected[2]
    np.testing.assert_allclose(page.asymptotic_coverage(kurtosis),
                               stats.norm.cdf(1.959964 * ratio) - stats.norm.cdf(-1.959964 * ratio), atol=1e-7)


@pytest.mark.parametrize("kurtosis", [1.4, 2.4, 3, 4, 6])
def test_in_samples_of_2000_the_simulation_is_at_its_limits(figure, kurtosis):
    found = outputs(figure, 2000, kurtosis)
    limits = page.asymptotic(kurtosis)
    # The spread of 500 estimates that are about normal has a standard error of 1 / sqrt(1000); four of them.
    assert found["scaled"][0] == pytest.approx(limits[2], rel=4 / np.sqrt(2 * page.SAMPLES))
    # Means over 500 samples: off by less than 1% by chance, and by the sample kurtosis's bias of order 1 / n, which is
    # largest for heavy tails.
    np.testing.assert_allclose(found["scaled"][1:], limits, rtol=0.04)
    # Binomial errors, four of them, and 2% for what 2000 is short of infinity.
    share = page.asymptotic_coverage(kurtosis)
    assert (np.abs(found["coverage"] - share) <= 4 * np.sqrt(share * (1 - share) / page.SAMPLES) + 0.02).all()


def test_where_the_model_is_right_all_three_intervals_cover_95_percent(figure):
    shares = np.mean([outputs(figure, 1000, 3, seed)["coverage"] for seed in range(1, 5)], axis=0)
    # 2000 samples: a standard error of 0.5%; three of them, and 0.5% for what 1000 is short of infinity.
    np.testing.assert_allclose(shares, 0.95, atol=0.02)
    np.testing.assert_allclose(page.asymptotic_coverage(3), 0.95, atol=1e-12)


def test_where_the_model_is_wrong_opg_moves_against_the_spread_and_the_hessian_stays(figure):
    found = [outputs(figure, 2000, kurtosis)["scaled"] for kurtosis in (2, 3, 6)]
    spread, opg, hessian, sandwich = np.transpose(found)
    assert (np.diff(spread) > 0.2).all() and (np.diff(sandwich) > 0.15).all() and (np.diff(opg) < -0.2).all()
    np.testing.assert_allclose(hessian, np.sqrt(1 / 2), rtol=0.01)


# Work in slices, and every state that can be reached


def test_longer_work_comes_in_slices_that_begin_anew_when_a_control_moves():
    figure = InformationEquality(n=2000, kurtosis=9)
    engine, numbers = figure._engine, figure.numbers()
    statuses = [engine.call("information_equality", numbers, 1.0)]
    assert 2 <= engine.arrays["count"] < 100 and np.isfinite(engine.arrays["coverage"]).all()
    statuses += [engine.call("information_equality", numbers, 0.0) for _ in range(2)]
    assert statuses == [MORE] * 3 and 0 < engine.arrays["progress"] < 1
    other = InformationEquality(n=50, kurtosis=2, seed=3)
    assert engine.finish("information_equality", other.numbers()) == DONE
    for name, expected in other.outputs().items():
        if name in ("fits", "coverage", "standard_errors", "histogram", "claims", "population", "count", "progress"):
            assert np.array_equal(engine.arrays[name], expected), name


def test_a_small_move_of_the_kurtosis_moves_the_estimates_little():
    near, there = (outputs(InformationEquality(), 100, kurtosis)["fits"] for kurtosis in (2.99, 3.01))
    # The same draws on both sides of the seam between two humps and heavy tails.
    assert np.corrcoef(near[SIGMA], there[SIGMA])[0, 1] > 0.75


def test_every_state_has_standard_errors_and_finite_read_outs(figure):
    states = [*itertools.product((20,), page.KURTOSES, range(1, 51)),
              *itertools.product((50, 200, 2000), (1.4, 3, 9), (1, 50))]
    for figure.n, figure.kurtosis, figure.seed in states:
        read = figure.read()
        assert np.isfinite(list(read.values())).all() and min(read.values()) > 0
