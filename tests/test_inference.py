"""LR, Wald and LM tests and the delta method against published formulas and scipy's tests of a 2 x 2 table."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from compecon.errors import ParameterError
from compecon.likelihood import fit
from compecon.likelihood.delta import DeltaResult, delta_method
from compecon.likelihood.examples import BinaryLogit, Normal, Poisson
from compecon.likelihood.inference import TestResult, lm_test, lr_test, wald_test

TABLE = np.array([[30, 12], [18, 40]])  # rows: x = 0, 1; columns: y = 0, 1


@pytest.fixture(scope="module")
def counts():
    """A Poisson sample in cells: n = 40, mean 1.975."""
    return Poisson([0, 1, 2, 3, 6], [7, 12, 8, 9, 4])


@pytest.fixture(scope="module")
def outcomes():
    """A small normal sample."""
    return Normal(np.random.default_rng(4).normal(0.5, 2.0, 30))


@pytest.fixture(scope="module")
def table():
    """The saturated logit of TABLE, its estimate and the estimate without x."""
    y, x = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    full = BinaryLogit(y, np.column_stack([np.ones(4), x]), ["constant", "x"], TABLE.ravel())
    short = BinaryLogit(y, np.ones((4, 1)), ["constant"], TABLE.ravel())
    return full, fit(full, [0.0, 0.0], tol=1e-12), fit(short, [0.0], tol=1e-12)


def exact(model, theta=None):
    """An estimate at the closed form, without an optimizer."""
    theta = model.closed_form() if theta is None else np.asarray(theta, dtype=float)
    cov = np.linalg.inv(-np.tensordot(model.weights, model.hessian_obs(theta), axes=1))
    llf = float(model.weights @ model.loglike(theta)[0])
    return SimpleNamespace(model=model, theta=theta, llf=llf, nobs=model.nobs, cov_params=lambda kind: cov)


def test_the_three_tests_of_a_poisson_mean_are_the_textbook_formulas(counts):
    n, mean, null = 40, 1.975, 1.5
    y = np.repeat(counts.y, counts.weights.astype(int))
    lr = lr_test(float(counts.weights @ counts.loglike([null])[0]), exact(counts), df=1)
    assert lr.statistic == pytest.approx(2 * n * (mean * np.log(mean / null) - (mean - null)), rel=1e-12)
    assert wald_test(exact(counts), "mean", null, "hessian").statistic == pytest.approx(n * (mean - null) ** 2 / mean)
    gap = n * (mean - null)
    assert lm_test(counts, null, 1, "information").statistic == pytest.approx(gap**2 / (n * null))
    assert lm_test(counts, null, 1, "hessian").statistic == pytest.approx(gap**2 / (n * mean))
    assert lm_test(counts, null, 1, "opg").statistic == pytest.approx(gap**2 / ((y - null) ** 2).sum())
    assert lr.pvalue == pytest.approx(stats.chi2.sf(lr.statistic, 1)) and lr.distribution == "chi2(1)"


def test_the_three_tests_of_a_normal_mean_are_functions_of_t_and_keep_their_order(outcomes):
    n, null = 30, 0.0
    t2 = stats.ttest_1samp(outcomes.y, null).statistic ** 2 / (n - 1)
    restricted = np.array([null, np.sqrt(np.mean((outcomes.y - null) ** 2))])
    lr = lr_test(exact(outcomes, restricted), exact(outcomes), df=1).statistic
    wald = wald_test(exact(outcomes), "mu", null, "hessian").statistic
    lm = lm_test(outcomes, restricted, 1, "information").statistic
    assert (wald, lr, lm) == pytest.approx((n * t2, n * np.log1p(t2), n * t2 / (1 + t2)), rel=1e-10)
    assert wald > lr > lm > 0  # Berndt and Savin (1977)


def test_in_a_2_by_2_table_lr_is_the_g_test_and_lm_is_pearsons(table):
    full, estimate, short = table
    g = stats.chi2_contingency(TABLE, correction=False, lambda_="log-likelihood")
    pearson = stats.chi2_contingency(TABLE, correction=False)
    lr = lr_test(short, estimate)
    assert (lr.statistic, lr.pvalue, lr.df) == pytest.approx((g.statistic, g.pvalue, 1), rel=1e-10)
    for kind in ("hessian", "information"):  # a logit's Hessian does not depend on the outcomes
        lm = lm_test(full, [short.theta[0], 0], 1, kind)
        assert (lm.statistic, lm.pvalue) == pytest.approx((pearson.statistic, pearson.pvalue), rel=1e-10)


@pytest.mark.parametrize("kind", ["opg", "hessian", "sandwich"])
def test_in_a_2_by_2_table_wald_is_the_squared_log_odds_ratio_over_woolfs_variance(table, kind):
    _, estimate, _ = table
    log_odds = np.log(30 * 40 / (12 * 18))
    assert estimate.theta[1] == pytest.approx(log_odds, rel=1e-10)
    woolf = log_odds**2 / (1 / TABLE).sum()  # all covariances agree in a saturated model
    assert wald_test(estimate, "x", 0, kind).statistic == pytest.approx(woolf, rel=1e-9)


def test_lm_in_opg_form_is_n_times_the_uncentred_r_squared_over_the_observations(table):
    full, _, short = table
    theta = np.array([short.theta[0], 0])
    S = np.repeat(full.loglike(theta)[1], TABLE.ravel(), axis=0)
    ones = np.ones(len(S))
    fitted = S @ np.linalg.lstsq(S, ones, rcond=None)[0]
    assert lm_test(full, theta, 1).statistic == pytest.approx(len(S) * (fitted @ fitted) / (ones @ ones), rel=1e-10)


def test_wald_takes_names_a_matrix_or_a_function_for_the_same_null(outcomes):
    estimate = exact(outcomes)
    both = wald_test(estimate, ["sigma", "mu"], [2.0, 0.5])
    assert both.df == 2
    for R in (np.array([[0, 1.0], [1.0, 0]]), lambda theta: theta[::-1], np.array([[1.0, 1.0], [1.0, 0]])):
        r = [2.5, 0.5] if not callable(R) and R[0, 0] else [2.0, 0.5]
        assert wald_test(estimate, R, r).statistic == pytest.approx(both.statistic, rel=1e-8)
    assert wald_test(estimate, [0.0, 1.0], 2.0).statistic == pytest.approx(
        (estimate.theta[1] - 2) ** 2 / estimate.cov_params("")[1, 1])


def test_a_nonlinear_wald_test_uses_the_delta_method_and_depends_on_how_the_null_is_written(outcomes):
    estimate = exact(outcomes)
    mu, sigma = estimate.theta
    V = estimate.cov_params("")
    gradient = np.array([1 / sigma, -mu / sigma**2])
    ratio = wald_test(estimate, lambda theta: theta[0] / theta[1], 0.5)
    assert ratio.statistic == pytest.approx((mu / sigma - 0.5) ** 2 / (gradient @ V @ gradient), rel=1e-7)
    given = wald_test(estimate, lambda theta: theta[0] / theta[1], 0.5, jacobian=lambda theta: gradient)
    assert ratio.statistic == pytest.approx(given.statistic, rel=1e-7)
    assert abs(wald_test(estimate, lambda theta: theta[0] - 0.5 * theta[1]).statistic - given.statistic) > 1e-3


def test_delta_method_of_a_ratio_and_a_product_is_the_textbook_variance():
    theta, V = np.array([3.0, -2.0]), np.array([[0.4, 0.1], [0.1, 0.2]])
    result = delta_method(lambda t: [t[0] / t[1], t[0] * t[1]], theta, pd.DataFrame(V))
    J = np.array([[1 / -2.0, -3 / 4.0], [-2.0, 3.0]])
    np.testing.assert_allclose(result.values, [-1.5, -6])
    np.testing.assert_allclose(result.jacobian, J, rtol=1e-9)
    np.testing.assert_allclose(result.cov, J @ V @ J.T, rtol=1e-8)
    np.testing.assert_allclose(result.bse, np.sqrt(np.diag(J @ V @ J.T)), rtol=1e-8)
    assert repr(result).startswith("DeltaResult(-1.5 (")


@pytest.mark.parametrize("x, se", [(2e6, 1e5), (1.0, 1e8), (0.0, 0.3), (1e-12, 0.1), (4e-4, 1e-4), (-5.0, 0.0)])
def test_numerical_derivatives_are_accurate_for_large_small_and_zero_parameters(x, se):
    unit = max(abs(x), min(se, 1.0))
    result = delta_method(lambda t: np.exp(t / unit), [x], [[se**2]])
    assert result.jacobian[0, 0] == pytest.approx(np.exp(x / unit) / unit, rel=1e-9)


def test_results_print_their_facts_and_escape_names():
    result = TestResult("<b>", 3.84, 1, 0.05, "chi2(1)")
    assert result.summary().splitlines() == [
        "<b>", "statistic     3.8400", "df            1", "p-value       0.05", "distribution  chi2(1)"]
    assert "<b>" not in result._repr_html_() and "&lt;b&gt;" in result._repr_html_()
    assert result.pvalue_chi2 == pytest.approx(0.0500435212)
    with pytest.raises(AttributeError):
        result.df = 2


@pytest.mark.parametrize("call, message", [
    (lambda e: lr_test(-10.0, -9.0), "needs df"),
    (lambda e: lr_test(e, e.llf), "needs df"),
    (lambda e: lr_test(e, e), "lr_test: df = 0; the number of restrictions"),
    (lambda e: lr_test(-10.0, -9.0, df=1.5), "df = 1.5"),
    (lambda e: lr_test(-9.0, -10.0, df=1), "restricted log-likelihood -9 exceeds the unrestricted -10"),
    (lambda e: lr_test(-np.inf, -10.0, df=1), "log-likelihoods -inf and -10"),
    (lambda e: lr_test(exact(Normal([1, 2])), e, df=1), "compares 2 with 30 observations"),
    (lambda e: wald_test(e, "rc"), "no parameter is called 'rc'; the names are mu, sigma"),
    (lambda e: wald_test(e, np.eye(3)), r"R has shape \(3, 3\); pass a finite array of shape \(q, 2\)"),
    (lambda e: wald_test(e, []), r"R has shape \(1, 0\)"),
    (lambda e: wald_test(e, "mu", [1, 2]), r"r has shape \(2,\) for 1 restrictions"),
    (lambda e: wald_test(e, "mu", np.nan), "r has shape"),
    (lambda e: wald_test(e, ["mu", "mu"]), "covariance of the restrictions .* is singular"),
    (lambda e: wald_test(e, lambda t: [t[0], 2 * t[0] + 1]), "is singular or not positive definite"),
    (lambda e: wald_test(e, lambda t: (t[0] - e.theta[0]) ** 2, jacobian=lambda t: [0, 0]), "finite and positive"),
    (lambda e: lm_test(e.model, [0, 1], 1, "outer"), "'outer' is not available .* opg, hessian, information"),
    (lambda e: lm_test(e.model, [0, -1], 1), "not finite at theta"),
    (lambda e: lm_test(e.model, [0, 1], 3), "df = 3 exceeds the 2 parameters"),
    (lambda e: lm_test(e.model, [0, 1], 0), "lm_test: df = 0"),
    (lambda e: lm_test(e.model, [0, 20], 1, "hessian"), "hessian matrix at the restricted estimate"),
    (lambda e: lm_test(Normal([1, 2]), [1.5, 0.5], 1), "the opg matrix at the restricted estimate"),
    (lambda e: delta_method(np.exp, [1, 2], [[1]]), r"cov has shape \(1, 1\), theta has 2"),
    (lambda e: delta_method(np.exp, [np.nan], [[1]]), "theta or cov holds NaN"),
    (lambda e: delta_method(np.exp, [1], [[-1]]), "negative eigenvalue"),
    (lambda e: delta_method(np.exp, [1, 2], [[1, 2], [2, 1]]), "negative eigenvalue"),
    (lambda e: delta_method(lambda t: np.where(t > 1, np.nan, t), [1.0], [[1]]), r"at theta\[0\] \+ .* pass jacobian="),
    (lambda e: delta_method(lambda t: t * np.inf, [1.0], [[1]]), "returned .inf. at theta;"),
    (lambda e: delta_method(np.exp, [1.0, 2.0], np.eye(2), lambda t: [1, 2]), r"jacobian returned shape \(2,\)"),
])
def test_what_cannot_be_tested_is_refused_with_a_reason(outcomes, call, message):
    with pytest.raises(ParameterError, match=message):
        call(exact(outcomes))


def test_a_rounding_difference_between_equal_likelihoods_is_no_error():
    assert lr_test(-1000.0 + 1e-11, -1000.0, df=1).statistic == 0
    assert isinstance(delta_method(np.exp, 0.0, [[1.0]]), DeltaResult)
