"""The figure on testing against `compecon.likelihood`, SciPy and closed forms."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize, stats

from compecon.errors import ConvergenceError, ParameterError
from compecon.likelihood import examples, lm_test, lr_test, wald_test
from compecon.likelihood.covariance import covariance
from compecon.live import ThreeTests
from compecon.live import three_tests as page
from compecon.live import three_tests_kernels as kernels
from compecon.live.draws_kernels import uniforms

TRANSFORMS = {"mean": lambda m: m, "log": np.log, "reciprocal": lambda m: 1 / m}
STATES = list(itertools.product(page.SIZES, page.SCALES, (1.0, 2.0, 2.95, 4.0), (1, 17, 30)))


@pytest.fixture(scope="module")
def figure():
    return ThreeTests()


def outputs(figure, n=10, scale="mean", null=3.0, seed=17):
    figure.n, figure.scale, figure.null, figure.seed = n, scale, null, seed
    return figure.outputs()


def by_the_library(y, scale, null):
    """LR, Wald and LM by `compecon.likelihood`, Wald on the transformed parameter by the delta method."""
    model = examples.Poisson(y)
    theta = model.closed_form()
    llf = [float(model.loglike([mean])[0].sum()) for mean in (null, theta[0])]
    estimate = SimpleNamespace(model=model, theta=theta, cov_params=lambda kind: covariance(model, theta, kind))
    transform = TRANSFORMS[scale]
    wald = wald_test(estimate, transform, transform(null), kind="hessian")
    return [lr_test(*llf, df=1), wald, lm_test(model, [null], df=1, kind="information")]


@pytest.mark.parametrize(("n", "scale", "null", "seed"), STATES)
def test_the_statistics_and_p_values_are_the_librarys(figure, n, scale, null, seed):
    found = outputs(figure, n, scale, null, seed)
    tests = by_the_library(found["y"][:n], scale, null)
    # Wald's transform is differentiated numerically there.
    np.testing.assert_allclose(found["statistics"], [test.statistic for test in tests], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found["pvalues"], [test.pvalue for test in tests], rtol=1e-5)
    g = int(np.argmin(abs(found["nulls"] - null)))
    assert found["nulls"][g] == pytest.approx(null)
    np.testing.assert_allclose(found["by_null"][:, g], found["pvalues"], rtol=1e-10)


def test_the_statistics_are_the_closed_forms_of_the_poisson(figure):
    found = outputs(figure)
    assert found["estimate"][0] == 2
    closed = [20 * (2 * np.log(2 / 3) + 1), 10 / 2, 10 / 3]
    np.testing.assert_allclose(found["statistics"], closed, rtol=1e-12)
    log = outputs(figure, scale="log")["statistics"].copy()
    reciprocal = outputs(figure, scale="reciprocal")["statistics"].copy()
    np.testing.assert_allclose(log, [closed[0], 20 * np.log(2 / 3) ** 2, closed[2]], rtol=1e-12)
    np.testing.assert_allclose(reciprocal, [closed[0], 80 / 36, closed[2]], rtol=1e-12)


@pytest.mark.parametrize("n", page.SIZES)
def test_the_sample_is_scipys_poisson_of_the_numbered_uniforms(figure, n):
    for seed in (1, 12, 30):
        found, draws = outputs(figure, n, seed=seed), np.empty(n)
        uniforms(float(seed), float(n), draws)
        np.testing.assert_array_equal(found["y"][:n], stats.poisson.ppf(draws, page.TRUTH))
        assert np.isnan(found["y"][n:]).all()
        assert found["estimate"][0] == found["y"][:n].mean()


# The picture


@pytest.mark.parametrize("scale", page.SCALES)
@pytest.mark.parametrize("null", [1.3, 3.0, 4.0])
def test_the_curve_is_the_log_likelihood_and_the_parabolas_touch_it(figure, scale, null):
    found = outputs(figure, 20, scale, null)
    model, transform = examples.Poisson(found["y"][:20]), TRANSFORMS[scale]
    back = {"mean": lambda p: p, "log": np.exp, "reciprocal": lambda p: 1 / p}[scale]
    top = model.closed_form()[0]

    def height(place):
        return float((model.loglike([back(place)])[0] - model.loglike([top])[0]).sum())

    np.testing.assert_allclose(found["curve"], [height(place) for place in found["place"]], rtol=1e-9, atol=1e-10)
    (best, here), (zero, bottom) = found["points"]
    np.testing.assert_allclose([best, here], transform(np.array([top, null])), rtol=1e-12)
    assert zero == 0 and bottom == pytest.approx(height(here), rel=1e-10)
    for line, at in (("at_top", best), ("at_null", here)):
        parabola = np.polynomial.Polynomial.fit(found["place"], found[line], 2)
        assert parabola(at) == pytest.approx(height(at), abs=1e-8)
        slope = (height(at + 1e-5) - height(at - 1e-5)) / 2e-5
        assert parabola.deriv()(at) == pytest.approx(slope, abs=1e-3)
    # At the estimate the curvature is the curve's own.
    bend = (height(best + 1e-3) + height(best - 1e-3)) / 1e-6
    top_parabola = np.polynomial.Polynomial.fit(found["place"], found["at_top"], 2)
    assert top_parabola.deriv(2)(best) == pytest.approx(bend, rel=1e-4)


@pytest.mark.parametrize("scale", page.SCALES)
@pytest.mark.parametrize(("n", "null"), [(5, 1.1), (20, 3.2), (100, 4.0)])
def test_each_statistic_is_twice_the_height_that_is_drawn(figure, scale, n, null):
    found = outputs(figure, n, scale, null)
    (_, low, high), (_, wald_low, wald_high), (peak, lm_low, lm_high) = found["spans"]
    drawn = 2 * np.array([high - low, wald_high - wald_low, lm_high - lm_low])
    np.testing.assert_allclose(drawn, found["statistics"], rtol=1e-9, atol=1e-12)
    here, bottom = found["points"][:, 1]
    at_top, at_null = (np.polynomial.Polynomial.fit(found["place"], found[line], 2) for line in ("at_top", "at_null"))
    assert high == wald_high == 0 and low == lm_low == bottom
    assert at_top(here) == pytest.approx(wald_low, rel=1e-8)
    assert at_null(peak) == pytest.approx(lm_high, rel=1e-7, abs=1e-8)
    assert at_null.deriv()(peak) == pytest.approx(0, abs=1e-6)


def test_the_picture_holds_all_heights_and_the_null(figure):
    for n, scale, null, seed in STATES:
        found = outputs(figure, n, scale, null, seed)
        assert found["height"][0] < found["spans"][:, 1].min() and found["height"][1] > found["spans"][:, 2].max()
        assert found["window"][0] < found["spans"][:2, 0].min() < found["spans"][:2, 0].max() < found["window"][1]
        assert (found["window"] == page.WINDOWS[list(page.SCALES).index(scale)]).all()


# The tail of the chi-squared, and the sizes


def test_the_tail_is_scipys():
    x = np.concatenate([np.logspace(-10, 3, 500), [2.999999, 3.0, 3.000001]])
    np.testing.assert_allclose([kernels.chi2_tail(value) for value in x], stats.chi2.sf(x, 1), rtol=1e-12)
    assert kernels.chi2_tail(0.0) == 1 and kernels.chi2_tail(np.inf) == 0 and np.isnan(kernels.chi2_tail(np.nan))


def rejected(n, scale, null):
    """Which totals of n counts the three tests reject at 5%, as (3, T) of bools, by formulas in NumPy."""
    totals = np.arange(1, int(n * null + 12 * np.sqrt(n * null)) + 30)
    mean = totals / n
    slope = {"mean": np.ones_like(mean), "log": 1 / mean, "reciprocal": -1 / mean**2}[scale]
    walk = TRANSFORMS[scale](mean) - TRANSFORMS[scale](null)
    lr = 2 * n * (mean * np.log(mean / null) - mean + null)
    found = np.array([lr, n / mean * (walk / slope) ** 2, n * (mean - null) ** 2 / null])
    # No event at all.
    zero = [2 * n * null, np.inf if scale == "mean" else 0, n * null]
    return np.column_stack([zero, found]) > stats.chi2.ppf(0.95, 1)


@pytest.mark.parametrize("n", page.SIZES)
@pytest.mark.parametrize("scale", page.SCALES)
def test_the_sizes_are_sums_of_scipys_probabilities(figure, n, scale):
    found = outputs(figure, n, scale)
    for g in range(0, found["nulls"].size, 7):
        null = found["nulls"][g]
        rejects = rejected(n, scale, null)
        chances = stats.poisson.pmf(np.arange(rejects.shape[1]), n * null)
        np.testing.assert_allclose(found["size"][:, g], rejects @ chances, atol=1e-10)


def test_moving_the_null_leaves_the_sizes_and_writing_it_otherwise_leaves_lr_and_lm(figure):
    sizes = [outputs(figure, 10, scale)["size"].copy() for scale in page.SCALES]
    for other in sizes[1:]:
        np.testing.assert_allclose(other[[0, 2]], sizes[0][[0, 2]], atol=1e-12)
        assert abs(other[1] - sizes[0][1]).max() > 0.01
    np.testing.assert_array_equal(outputs(figure, 10, "reciprocal", null=1.5)["size"], sizes[2])


def test_in_a_large_sample_the_three_are_close_and_their_sizes_near_5_percent(figure):
    small, large = outputs(figure, 5)["size"].copy(), outputs(figure, 100)["size"].copy()
    assert abs(large - 0.05).max() < 0.01 < abs(small - 0.05).max()


# What the book says of it


def test_the_ends_of_the_intervals_are_where_the_p_values_are_5_percent(figure):
    found = outputs(figure, 20)
    mean = found["estimate"][0]
    low, high = mean - 1.959964 * np.sqrt(mean / 20), mean + 1.959964 * np.sqrt(mean / 20)
    inside = found["by_null"][kernels.WALD] > 0.05
    np.testing.assert_array_equal(inside, (found["nulls"] > low) & (found["nulls"] < high))
    end = optimize.brentq(lambda m: 40 * (mean * np.log(mean / m) - mean + m) - 3.841459, mean, 9)
    assert (found["by_null"][kernels.LR] > 0.05)[found["nulls"] > mean].sum() == (
        (found["nulls"] > mean) & (found["nulls"] < end)).sum()


def test_every_state_of_the_sliders_has_finite_read_outs(figure):
    for n, seed in itertools.product(page.SIZES, range(1, 31)):
        figure.n, figure.seed = n, seed
        assert np.isfinite(list(figure.read().values())).all()


def test_a_sample_of_zeros_is_said_to_have_no_maximum():
    figure = ThreeTests()
    figure._engine.arrays["truth"][0] = 1e-9
    with pytest.raises(ConvergenceError, match="All counts of this sample are zero"):
        figure.outputs()


def test_a_null_outside_its_slider_cannot_be_set(figure):
    with pytest.raises(ParameterError, match=r"null = 0.5; it must lie between 1 and 4"):
        figure.null = 0.5
