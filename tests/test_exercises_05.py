"""Chapter 5's exercises against closed forms, the library, the figure, and the checkpoints in the book."""

from types import SimpleNamespace

import numpy as np
import pytest

from compecon.exercises import chapter05
from compecon.exercises.catalogue import find_exercise
from compecon.likelihood import examples, information_matrix_test, lm_test, lr_test, wald_test


@pytest.mark.parametrize(
    ("number", "arguments", "value", "rtol"),
    [
        ("5.3", (np.array([1.0, 2.0]), np.eye(2), np.array([[1.0, 1.0]]), np.zeros(1)), 4.5, 1e-12),
        ("5.4", (-105.0, -102.0, 1, 3), np.exp(-3), 1e-12),  # a chi-squared(2) is an exponential of mean 2
        ("5.6", (2.0, np.array([1.0, 2.0, 3.0])), 0.75, 1e-12),
    ],
)
def test_an_implemented_solution_meets_the_checkpoint_in_the_book(number, arguments, value, rtol):
    np.testing.assert_allclose(find_exercise(number).solution(*arguments), value, rtol=rtol)


def test_the_three_statistics_are_the_librarys():
    # Any fifty counts of mean 2.4.
    model = examples.Poisson([2, 3], weights=[30, 20])
    llf = [float(model.weights @ model.loglike([mean])[0]) for mean in (2.0, 2.4)]
    estimate = SimpleNamespace(model=model, theta=np.array([2.4]), cov_params=lambda kind: np.array([[2.4 / 50]]))
    tests = lr_test(*llf, df=1), wald_test(estimate, "mean", 2.0), lm_test(model, [2.0], df=1, kind="information")
    found = find_exercise("5.2").solution()
    np.testing.assert_allclose(found, [test.statistic for test in tests], rtol=1e-9)
    assert found[1] < found[0] < found[2] and round(found[0], 2) == 3.76


def test_walds_interval_in_m_alone_reaches_below_zero():
    model = examples.Poisson([0, 1], weights=[4, 1])
    theta, bend = model.closed_form(), -float(model.weights @ model.hessian_obs(model.closed_form())[:, 0, 0])
    estimate = SimpleNamespace(model=model, theta=theta, cov_params=lambda kind: np.array([[1 / bend]]))
    llf = float(model.weights @ model.loglike(theta)[0])
    near_zero = 1e-4
    kept = {
        "wald in m": wald_test(estimate, "mean", -0.1).pvalue > 0.05,
        "wald in log m": wald_test(estimate, np.log, np.log(near_zero)).pvalue > 0.05,
        "lr": lr_test(float(model.weights @ model.loglike([near_zero])[0]), llf, df=1).pvalue > 0.05,
    }
    assert [name for name, inside in kept.items() if inside] == [find_exercise("5.1").solution()]


def test_walds_statistic_is_the_librarys():
    rng = np.random.default_rng(1)
    names = ("a", "b", "c")
    for _ in range(5):
        root, theta, R, r = rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(2, 3)), rng.normal(size=2)
        cov = root @ root.T + np.eye(3)
        model = SimpleNamespace(param_names=names)
        estimate = SimpleNamespace(model=model, theta=theta, cov_params=lambda kind, cov=cov: cov)
        assert chapter05.wald(theta, cov, R, r) == pytest.approx(wald_test(estimate, R, r).statistic, rel=1e-9)


def test_the_p_value_of_a_likelihood_ratio_is_the_librarys():
    assert chapter05.lr_pvalue(-50.0, -46.5, 2, 5) == pytest.approx(lr_test(-50.0, -46.5, df=3).pvalue, rel=1e-12)


def test_the_rejection_rate_is_that_of_simulated_counts_of_dispersion_2():
    rate = find_exercise("5.5").solution()
    assert 3 * 0.05 < rate < 4 * 0.05
    # Negative binomial counts with r = 3 and p = 1/2 have mean 3 and dispersion 1/p = 2.
    counts = np.random.default_rng(0).negative_binomial(3, 0.5, (20_000, 400))
    means = counts.mean(axis=1)
    lr = 2 * 400 * (means * np.log(means / 3) - (means - 3))
    # Four standard errors of a share of 20,000, and what 400 counts lie from the limit.
    assert np.mean(lr > 3.841459) == pytest.approx(rate, abs=0.0105 + 0.003)


def test_the_bootstraps_p_value_is_the_librarys():
    model = examples.Poisson([0, 1, 2, 3, 9], weights=[30, 30, 20, 10, 2])
    test = information_matrix_test(model, model.closed_form(), bootstrap=39, seed=3,
                                   refit=lambda drawn, start: drawn.closed_form())
    assert chapter05.bootstrap_pvalue(test.statistic * (1 - 1e-10), test.draws) == pytest.approx(test.pvalue)
