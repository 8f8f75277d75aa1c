"""Chapter 3's exercises against closed forms, the library, the figure, and the checkpoints in the book."""

import numpy as np
import pytest
from scipy import stats

from compecon import live
from compecon.exercises import chapter03
from compecon.exercises.catalogue import find_exercise
from compecon.likelihood import examples
from compecon.likelihood.covariance import covariance
from compecon.live.information_equality import asymptotic_coverage


@pytest.mark.parametrize(
    ("number", "arguments", "value"),
    [
        ("3.3", (np.array([[1.0], [-1.0]]), np.full((2, 1, 1), -2.0), np.ones(2)), [[0.125]]),
        ("3.4", (np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([[-4.0]]), np.array([0, 0, 1, 1])), [[0.5]]),
        ("3.5", (np.array([0.0, 1.0]), 0.0), [1, 2, 1]),
    ],
)
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=1e-12)


def test_the_function_to_be_debugged_is_blind_to_clusters_at_its_checkpoint():
    scores, hessian = np.array([[1.0], [1.0], [-1.0], [-1.0]]), np.array([[-4.0]])
    blind = find_exercise("3.4").mistakes[0].answer
    for clusters in (np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])):
        np.testing.assert_allclose(blind(scores, hessian, clusters), 0.25)


def test_the_coverage_is_the_one_that_the_figure_draws():
    coverage = find_exercise("3.2").solution()
    assert coverage == pytest.approx(asymptotic_coverage(6)[1], rel=1e-12)
    assert 0.7 < coverage < 0.8
    # 2 Phi(1.96 / root 2.5) - 1 from a printed normal table: Phi(1.24) = 0.8925.
    assert coverage == pytest.approx(2 * 0.8925 - 1, abs=5e-4)


def test_the_sandwiches_are_the_librarys():
    rng = np.random.default_rng(5)
    y, weights, clusters = rng.normal(1, 2, 60), rng.integers(1, 5, 60).astype(float), rng.integers(0, 9, 60)
    weighted, plain = examples.Normal(y, weights), examples.Normal(y, clusters=clusters)
    for model, kind in ((weighted, "sandwich"), (plain, "cluster")):
        theta = model.closed_form()
        _, scores = model.loglike(theta)
        hessian = model.hessian_obs(theta)
        if kind == "sandwich":
            found = chapter03.sandwich(scores, hessian, weights)
        else:
            found = chapter03.clustered(scores, hessian.sum(axis=0), clusters)
        np.testing.assert_allclose(found, covariance(model, theta, kind), rtol=1e-10)


def test_the_informations_are_those_of_scipys_cauchy():
    y, theta, step = np.array([-3.0, 0.2, 0.9, 7.0]), 0.4, 1e-4

    def terms(place):
        return stats.cauchy.logpdf(y, loc=place)

    scores = (terms(theta + step) - terms(theta - step)) / (2 * step)
    second = (terms(theta + step) - 2 * terms(theta) + terms(theta - step)) / step**2
    np.testing.assert_allclose(chapter03.informations(y, theta), [scores @ scores, -second.sum(), 2], rtol=1e-6)


def test_the_fisher_information_of_the_cauchy_is_one_half():
    y = stats.cauchy.ppf((np.arange(200_000) + 0.5) / 200_000)
    np.testing.assert_allclose(chapter03.informations(y, 0.0) / y.size, [0.5, 0.5, 0.5], rtol=1e-6)


def test_with_two_humps_opg_is_the_largest_standard_error():
    found = live.InformationEquality(kurtosis=1.6, n=2000).read()
    assert max(("opg", "hessian", "sandwich"), key=found.get) == find_exercise("3.1").solution()


def test_the_standard_errors_of_mu_agree_in_symmetric_data_of_kurtosis_6():
    model = examples.Normal(stats.laplace.ppf((np.arange(20_000) + 0.5) / 20_000))
    errors = [covariance(model, model.closed_form(), kind) for kind in ("opg", "hessian", "sandwich")]
    mu, sigma = (np.sqrt([error[k, k] for error in errors]) for k in range(2))
    np.testing.assert_allclose(mu, mu[0], rtol=1e-9)
    assert sigma[0] < 0.9 * sigma[1] < 0.8 * sigma[2]
    assert find_exercise("3.6").solution() == "agree"
