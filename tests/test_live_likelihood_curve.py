"""The figure of chapter 1 against `compecon.likelihood`, SciPy's densities and NumPy's products and draws."""

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, special, stats

from compecon.likelihood.examples import Normal, Poisson
from compecon.likelihood.maximize import total_hessian
from compecon.live import LikelihoodCurve
from compecon.live import likelihood_curve as page
from compecon.live.draws_kernels import geometric_quantile, poisson_quantile
from compecon.live.likelihood_curve_kernels import NEVER
from compecon.live.markup import spoken

SETTINGS = [*itertools.product(("normal", "poisson"), (2, 20, 500, 2000), (0.1, 1.5, 4.0), (1,)),
            ("normal", 300, 2.5, 7), ("poisson", 300, 2.5, 7)]


@pytest.fixture(scope="module")
def figure():
    return LikelihoodCurve()


def outputs(figure, model, n, theta, seed):
    figure.model, figure.n, figure.theta, figure.seed = model, n, theta, seed
    return {name: np.copy(values) for name, values in figure.outputs().items()}


def sample(model, n, seed):
    """The sample as NumPy and SciPy draw it from the same words."""
    stream = np.random.Philox(key=[seed, int(model == "poisson")])
    if model == "poisson":
        return stats.poisson.ppf(np.random.Generator(stream).random(n), page.TRUTH)
    return page.TRUTH + special.ndtri(((stream.random_raw(n) >> np.uint64(12)) + 0.5) * 2.0**-52)


def density(model, y, theta):
    """SciPy's."""
    return stats.norm.pdf(y, theta) if model == "normal" else stats.poisson.pmf(y, theta)


def library(model, y):
    """(terms, score, second derivative) of `compecon.likelihood` as functions of theta, sigma held at 1."""

    def point(theta):
        return [theta, 1.0] if model == "normal" else [theta]

    known = Normal(y) if model == "normal" else Poisson(y)
    return (lambda theta: known.loglike(point(theta))[0],
            lambda theta: known.weights @ known.loglike(point(theta))[1][:, 0],
            lambda theta: total_hessian(known, point(theta))[0, 0])


@pytest.mark.parametrize("model, n, theta, seed", SETTINGS)
def test_the_sample_is_the_one_that_numpy_draws_and_larger_ones_begin_with_it(figure, model, n, theta, seed):
    y = outputs(figure, model, n, theta, seed)["y"]
    np.testing.assert_allclose(y[:n], sample(model, n, seed), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(y[:n], sample(model, 2000, seed)[:n], rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("model, n, theta, seed", SETTINGS)
def test_the_log_likelihood_and_its_derivatives_are_the_librarys(figure, model, n, theta, seed):
    found, read = outputs(figure, model, n, theta, seed), figure.read()
    terms, score, curvature = library(model, found["y"][:n])
    assert read["llf"] == pytest.approx(terms(theta).sum(), rel=1e-12)
    assert read["score"] == pytest.approx(score(theta), rel=1e-10)
    assert read["curvature"] == pytest.approx(curvature(theta), rel=1e-12)
    expected = [terms(place).mean() for place in found["grid"]]
    np.testing.assert_allclose(found["mean_llf"], expected, rtol=1e-12)
    assert found["here"][0] == pytest.approx(terms(theta).mean(), rel=1e-12)
    step = found["grid"] - theta
    line = terms(theta).mean() + step * score(theta) / n
    np.testing.assert_allclose(found["tangent"], line, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found["parabola"], line + step**2 * curvature(theta) / n / 2, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("model, n, theta, seed", SETTINGS)
def test_the_product_is_the_one_that_numpy_multiplies_down_to_its_underflow(figure, model, n, theta, seed):
    found, read = outputs(figure, model, n, theta, seed), figure.read()
    running = np.cumprod(density(model, found["y"][:n], theta))
    assert read["product"] == pytest.approx(running[-1], rel=1e-9, abs=1e-300)
    # Where the last factors are decided by the smallest number there is, its rounding decides by one factor.
    zero = np.flatnonzero(running == 0)
    assert read["zero_after"] == (pytest.approx(zero[0] + 1, abs=1) if zero.size else NEVER)
    products = np.array([np.prod(density(model, found["y"][:n], place)) for place in found["grid"]])
    if products.max() > 1e-300:
        np.testing.assert_allclose(found["product"], products / products.max(), atol=1e-8)
    elif products.max() == 0:
        assert np.isnan(found["product"]).all()
    llf = np.array([library(model, found["y"][:n])[0](place).sum() for place in found["grid"]])
    np.testing.assert_allclose(found["relative"], np.exp(llf - llf.max()), atol=1e-9)


@pytest.mark.parametrize("model", ["normal", "poisson"])
def test_both_ways_give_one_curve_until_the_product_is_zero_everywhere(figure, model):
    alive = []
    for n in page.SIZES:
        found = outputs(figure, model, n, 2.5, 1)
        alive.append(not np.isnan(found["product"]).any())
        if n <= 300:
            np.testing.assert_allclose(found["product"], found["relative"], atol=1e-10)
        assert found["relative"].max() == 1 and np.isfinite(found["relative"]).all()
    died = page.SIZES[alive.index(False)]
    # exp(-745) is the smallest double; the log-likelihood per outcome is near its limit at the truth.
    level = page.expected(page.TRUTH)[int(model == "poisson")]
    assert died == pytest.approx(-745 / level, rel=0.07) and not any(alive[alive.index(False):])


@pytest.mark.parametrize("model, n, theta, seed", SETTINGS)
def test_the_pictures_of_the_data_are_numpys_histogram_and_scipys_densities(figure, model, n, theta, seed):
    found = outputs(figure, model, n, theta, seed)
    y, shown, hidden = found["y"][:n], ("bins", "curve"), ("counts", "mass")
    shown, hidden = (shown, hidden) if model == "normal" else (hidden, shown)
    middles, shares = found[shown[0]]
    width = middles[1] - middles[0]
    edges = np.append(middles - width / 2, middles[-1] + width / 2)
    np.testing.assert_allclose(shares, np.histogram(y, edges)[0] / n / width, atol=1e-12)
    np.testing.assert_allclose(found[shown[1]][1], density(model, found[shown[1]][0], theta), rtol=1e-9)
    assert np.isnan([found[name][1] for name in hidden[:1]]).all() and np.isnan(found[hidden[1]][1]).all()
    first = min(n, page.DRAWN)
    np.testing.assert_allclose(found["heights"][:, :first], [y[:first], density(model, y[:first], theta)], rtol=1e-9)
    assert np.isnan(found["heights"][:, first:]).all()


def test_the_maximum_is_the_mean_and_none_is_shown_on_the_hill_where_no_event_was_seen(figure):
    for model, n, seed in itertools.product(("normal", "poisson"), (1, 20, 1000), range(1, 51)):
        found = outputs(figure, model, n, 2.0, seed)
        y = found["y"][:n]
        assert found["peak"][0] == pytest.approx(y.mean(), rel=1e-13)
        if model == "poisson" and not y.any():
            assert found["peak"][0] == 0 and math.isnan(found["peak"][1])
            assert (np.diff(found["mean_llf"]) < 0).all()
        else:
            assert found["peak"][1] == pytest.approx(np.log(density(model, y, y.mean())).mean(), rel=1e-10)
            assert found["peak"][1] >= found["mean_llf"].max() - 1e-12
    # One of the samples of size 1 has no event.
    assert 0.0 in [outputs(figure, "poisson", 1, 2.0, seed)["peak"][0] for seed in range(1, 51)]


def test_the_limit_is_the_expected_log_density_and_highest_at_the_truth(figure):
    for theta in (0.1, 1.0, 2.5, 6.0):
        normal = integrate.quad(lambda y: stats.norm.pdf(y, page.TRUTH) * stats.norm.logpdf(y, theta), -8, 13)[0]
        counts = np.arange(80)
        poisson = stats.poisson.pmf(counts, page.TRUTH) @ stats.poisson.logpmf(counts, theta)
        np.testing.assert_allclose(page.expected(theta), [normal, poisson], rtol=1e-9)
    for row, model in enumerate(("normal", "poisson")):
        found = outputs(figure, model, 2000, 2.5, 3)
        np.testing.assert_array_equal(found["limit"], page.expected(found["grid"])[row])
        assert found["grid"][found["limit"].argmax()] == pytest.approx(page.TRUTH)
        # The mean of 2000 terms, four standard errors of it.
        spread = np.std(np.log(density(model, found["y"], 4.0))) / np.sqrt(2000)
        there = np.abs(found["grid"] - 4.0).argmin()
        assert found["mean_llf"][there] == pytest.approx(found["limit"][there], abs=4 * spread)


def test_an_underflow_is_said_in_words(figure):
    found = outputs(figure, "normal", 2000, 2.5, 1)
    assert spoken(figure.readouts[1], found) == "0: underflow"
    assert spoken(figure.readouts[2], found).endswith(" factors")
    assert spoken(figure.readouts[2], outputs(figure, "normal", 20, 2.5, 1)) == "not yet"


# The draws of counts


@pytest.mark.parametrize("mean", [0.01, 0.5, 2.5, 30.0, 200.0])
def test_the_poisson_quantile_is_scipys(mean):
    u = np.random.default_rng(1).random(2000)
    np.testing.assert_array_equal([poisson_quantile(v, mean) for v in u], stats.poisson.ppf(u, mean))
    assert poisson_quantile(0.0, mean) == 0
    last = poisson_quantile(1 - 2.0**-53, mean)
    assert stats.poisson.sf(last, mean) < 1e-15 and np.isfinite(last)


@pytest.mark.parametrize("p", [0.01, 0.3, 0.9])
def test_the_geometric_quantile_is_scipys_less_the_success(p):
    u = np.random.default_rng(1).random(2000)
    np.testing.assert_array_equal([geometric_quantile(v, p) for v in u], stats.geom.ppf(u, p) - 1)
    assert geometric_quantile(0.0, p) == 0 and np.isfinite(geometric_quantile(1 - 2.0**-53, p))
