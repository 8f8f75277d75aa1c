"""White's information matrix test: closed forms, invariances, degrees of freedom, size and power."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from compecon.errors import ConvergenceError, ConvergenceWarning, IdentificationWarning, ParameterError
from compecon.likelihood import fit, information_matrix_test
from compecon.likelihood.examples import BinaryLogit, Geometric, Normal, Poisson


def closed_form(model, start):
    """Refit by the closed form: the start is not used."""
    return model.closed_form()


def n_r_squared(*columns):
    """n times the uncentred R^2 of regressing 1 on the columns, one row an observation."""
    Z = np.column_stack(columns)
    ones = np.ones(len(Z))
    return ones @ Z @ np.linalg.lstsq(Z, ones, rcond=None)[0]


@pytest.fixture(scope="module")
def counts():
    """Poisson cells, n = 92."""
    return Poisson([0, 1, 2, 3, 9], [30, 30, 20, 10, 2])


@pytest.fixture(scope="module")
def outcomes():
    """A skewed sample to which a normal is fitted."""
    return Normal(np.random.default_rng(8).gamma(4.0, size=200))


@dataclass(frozen=True, eq=False)
class Reparametrised:
    """A model in phi, where theta = map(phi); first derivatives (K, K) and second (K, K, K) by the chain rule."""

    model: object
    map: callable
    first: callable
    second: callable

    def __post_init__(self):
        object.__setattr__(self, "weights", self.model.weights)

    def loglike(self, phi):
        """Terms and scores in phi."""
        terms, scores = self.model.loglike(self.map(phi))
        return terms, scores @ self.first(phi)

    def hessian_obs(self, phi):
        """Second derivatives in phi."""
        theta, J = self.map(phi), self.first(phi)
        bend = np.einsum("nk,kab->nab", self.model.loglike(theta)[1], self.second(phi))
        return J.T @ self.model.hessian_obs(theta) @ J + bend


@dataclass(frozen=True, eq=False)
class Trinomial:
    """Categories 0, 1, 2 beside a Poisson count; parameters: the chances of 1 and 2, and the mean of the count."""

    category: np.ndarray
    count: np.ndarray
    param_names = ("p1", "p2", "mean")

    def __post_init__(self):
        object.__setattr__(self, "weights", np.ones(len(self.count)))

    def closed_form(self):
        """Frequencies and mean."""
        return np.array([np.mean(self.category == 1), np.mean(self.category == 2), self.count.mean()])

    def loglike(self, theta):
        """Terms and scores."""
        chance = np.array([1 - theta[0] - theta[1], theta[0], theta[1]])
        terms, last = Poisson(self.count).loglike(theta[2])
        rest = (self.category == 0) / chance[0]
        scores = np.column_stack([(self.category == k) / chance[k] - rest for k in (1, 2)])
        return terms + np.log(chance[self.category]), np.column_stack([scores, last])

    def hessian_obs(self, theta):
        """Second derivatives."""
        H = np.zeros((self.count.size, 3, 3))
        H[:, :2, :2] = -((self.category == 0) / (1 - theta[0] - theta[1]) ** 2)[:, None, None]
        for k in (0, 1):
            H[:, k, k] -= (self.category == k + 1) / theta[k] ** 2
        H[:, 2:, 2:] = Poisson(self.count).hessian_obs(theta[2])
        return H


def test_for_a_poisson_it_compares_variance_and_mean(counts):
    result = information_matrix_test(counts, counts.closed_form())
    y, m = np.repeat(counts.y, counts.weights.astype(int)), counts.closed_form()[0]
    assert result.statistic == pytest.approx(n_r_squared(y - m, (y - m) ** 2 - y), rel=1e-10)
    assert (result.df, result.distribution) == (1, "chi2(1)")
    assert result.pvalue == result.pvalue_chi2 == pytest.approx(stats.chi2.sf(result.statistic, 1))


def test_for_a_normal_it_tests_skewness_and_kurtosis_with_two_degrees_of_freedom(outcomes):
    theta = outcomes.closed_form()
    z = (outcomes.y - theta[0]) / theta[1]
    hermite = [z, z**2 - 1, z**3 - 3 * z, z**4 - 6 * z**2 + 3]
    result = information_matrix_test(outcomes, theta)
    assert result.df == 2  # of three indicators: the mean-mean one is a multiple of the score of sigma
    assert result.statistic == pytest.approx(n_r_squared(*hermite), rel=1e-10)


def test_an_estimate_says_the_same_as_its_model_and_theta(counts):
    estimate = fit(counts, [1.0])
    assert information_matrix_test(estimate).statistic == pytest.approx(
        information_matrix_test(counts, estimate.theta).statistic, rel=1e-12)


@pytest.mark.parametrize("law, y", [(Poisson, [0, 1, 2, 3, 9]), (Normal, [0.0, 0.7, 1.1, 3.0, 5.5])])
def test_cells_and_the_observations_they_stand_for_give_the_same_statistic(law, y):
    counts = [6, 9, 7, 3, 1]
    cells, rows = law(y, counts), law(np.repeat(y, counts))
    one, many = (information_matrix_test(model, cells.closed_form()) for model in (cells, rows))
    assert (one.statistic, one.df) == pytest.approx((many.statistic, many.df), rel=1e-9)


def test_the_statistic_is_the_same_in_another_parametrisation(outcomes):
    def turned(phi):  # theta = (a e^b, e^b): mean over sigma, and log sigma
        return np.array([phi[0], 1.0]) * np.exp(phi[1])

    def first(phi):
        return np.exp(phi[1]) * np.array([[1, phi[0]], [0, 1]])

    def second(phi):
        return np.exp(phi[1]) * np.array([[[0, 1], [1, phi[0]]], [[0, 0], [0, 1]]])

    mu, sigma = outcomes.closed_form()
    other = Reparametrised(outcomes, turned, first, second)
    one = information_matrix_test(outcomes, [mu, sigma])
    two = information_matrix_test(other, [mu / sigma, np.log(sigma)])
    assert (two.statistic, two.df) == pytest.approx((one.statistic, one.df), rel=1e-9)


@pytest.mark.parametrize("unit", [1e-10, 1e10])
def test_the_statistic_does_not_depend_on_the_unit_of_the_data(outcomes, unit):
    other = Normal(outcomes.y * unit)
    assert information_matrix_test(other, other.closed_form()).statistic == pytest.approx(
        information_matrix_test(outcomes, outcomes.closed_form()).statistic, rel=1e-9)


def test_indicators_that_are_zero_by_construction_are_not_counted():
    rng = np.random.default_rng(2)
    model = Trinomial(rng.choice(3, 300, p=[0.5, 0.3, 0.2]), rng.poisson(2.0, 300))
    result = information_matrix_test(model, model.closed_form())
    # Six indicators; the three among p1 and p2 are zero in every row: left are (p1, mean), (p2, mean), (mean, mean).
    assert result.df == 3
    p1, p2, m = model.closed_form()
    s1, s2, s3 = model.loglike([p1, p2, m])[1].T
    expected = n_r_squared(s1, s2, s3, s1 * s3, s2 * s3, (model.count - m) ** 2 - model.count)
    assert result.statistic == pytest.approx(expected, rel=1e-9)


def test_a_saturated_model_leaves_nothing_to_test():
    table = BinaryLogit([0, 1, 0, 1], [[1, 0], [1, 0], [1, 1], [1, 1]], weights=[30, 12, 18, 40])
    with pytest.raises(ParameterError, match="nothing is left to test"):
        information_matrix_test(table, [np.log(12 / 30), np.log(40 / 18) - np.log(12 / 30)])


def test_bootstrap_draws_depend_on_the_seed_alone_and_the_p_value_counts_them(counts):
    theta = counts.closed_form()
    first, again, other = (information_matrix_test(counts, theta, 39, seed, closed_form) for seed in (5, 5, 6))
    assert np.array_equal(first.draws, again.draws) and not np.array_equal(first.draws, other.draws)
    assert first.pvalue == (1 + (first.draws >= first.statistic).sum()) / 40
    assert first.distribution == "parametric bootstrap, 39 draws" and first.n_failed == 0
    longer = information_matrix_test(counts, theta, 45, 5, closed_form)
    assert np.array_equal(longer.draws[:39], first.draws), "a draw must not depend on how many follow it"


def test_the_default_refit_agrees_with_the_closed_form(counts):
    default, closed = (information_matrix_test(counts, counts.closed_form(), 9, 1, **options)
                       for options in ({}, {"refit": closed_form}))
    np.testing.assert_allclose(default.draws, closed.draws, rtol=1e-5)


def test_draws_without_an_estimate_are_counted_left_out_and_reported(counts):
    calls = []

    def sometimes(model, start):
        calls.append(start)
        if len(calls) % 4 == 0:
            raise ConvergenceError("no maximum")
        return SimpleNamespace(theta=model.closed_form(), converged=len(calls) % 4 != 1)

    with pytest.warns(ConvergenceWarning, match="10 of 20 bootstrap samples"):
        result = information_matrix_test(counts, counts.closed_form(), 20, 1, sometimes)
    assert (result.draws.size, result.n_failed) == (10, 10) and "10 more failed" in result.distribution
    assert result.pvalue == (1 + (result.draws >= result.statistic).sum()) / 11
    assert all(start == counts.closed_form() for start in calls)


def test_the_bootstrap_has_the_right_size_where_chi_squared_rejects_far_too_often():
    # For a normal the statistic does not depend on mu and sigma, so the bootstrap p-value is exactly uniform on
    # {1/20, ..., 1}: of 400 true models 40 are rejected at 10%, give or take 4 binomial standard errors, 24 (P < 1e-4).
    rng = np.random.default_rng(0)
    base, pvalues = Normal(np.arange(50.0)), []
    for _ in range(400):
        model = base.simulate([1.0, 2.0], rng)
        result = information_matrix_test(model, model.closed_form(), 19, int(rng.integers(2**31)), closed_form)
        pvalues.append((result.pvalue, result.pvalue_chi2))
    bootstrap, chi_squared = (np.array(pvalues) < 0.101).sum(axis=0)
    assert abs(bootstrap - 40) <= 24
    assert chi_squared > 120  # Chesher and Spady (1991): three times too often and more


def test_it_finds_geometric_data_fitted_by_a_poisson():
    rejected = 0
    for seed in range(20):
        truth = Geometric([1]).simulate([1 / 3], seed, n=150)
        model = Poisson(truth.y, truth.weights)
        rejected += information_matrix_test(model, model.closed_form(), 99, seed, closed_form).pvalue <= 0.05
    assert rejected >= 18  # variance three times the mean


def test_a_point_that_is_no_maximum_warns(counts):
    with pytest.warns(ConvergenceWarning, match="not a maximum"):
        result = information_matrix_test(counts, [1.3])
    y = np.repeat(counts.y, counts.weights.astype(int))  # the scores belong to the regression all the same
    assert result.statistic == pytest.approx(n_r_squared(y - 1.3, (y - 1.3) ** 2 - y), rel=1e-10)


def test_too_few_distinct_rows_warn_because_the_regression_fits_perfectly():
    model = Poisson([0, 1], [20, 10])
    with pytest.warns(IdentificationWarning, match="fits perfectly"):
        assert information_matrix_test(model, model.closed_form()).statistic == pytest.approx(30)


def test_collinear_scores_warn(counts):
    doubled = SimpleNamespace(  # the mean is a + b: only the sum is identified
        weights=counts.weights,
        loglike=lambda t: (counts.loglike(t[0] + t[1])[0], np.repeat(counts.loglike(t[0] + t[1])[1], 2, axis=1)),
        hessian_obs=lambda t: np.broadcast_to(counts.hessian_obs(t[0] + t[1]), (5, 2, 2)))
    m = counts.closed_form()[0]
    with pytest.warns(IdentificationWarning, match="scores have rank 1, not 2"):
        result = information_matrix_test(doubled, [m - 0.5, 0.5])
    assert result.df == 1
    assert result.statistic == pytest.approx(information_matrix_test(counts, [m]).statistic, rel=1e-9)


def test_a_doubtful_rank_warns(outcomes):
    with pytest.warns(IdentificationWarning, match="not clear-cut"):
        information_matrix_test(outcomes, outcomes.closed_form(), tol=0.05)


@pytest.mark.parametrize("arguments, error, message", [
    ({}, ParameterError, "needs theta with a model"),
    ({"theta": [-1.0]}, ParameterError, "not finite at theta"),
    ({"theta": "max", "bootstrap": 0}, ParameterError, "bootstrap = 0; pass the number of draws"),
    ({"theta": "max", "bootstrap": True}, ParameterError, "bootstrap = True"),
    ({"theta": "max", "bootstrap": 3, "refit": lambda model, start: [-1.0]}, ConvergenceError, "none of 3 bootstrap"),
])
def test_what_cannot_be_tested_is_refused_with_a_reason(counts, arguments, error, message):
    if arguments.get("theta") == "max":
        arguments = arguments | {"theta": counts.closed_form()}
    with pytest.raises(error, match=message):
        information_matrix_test(counts, **arguments)


def test_a_model_that_cannot_be_simulated_has_no_bootstrap():
    rng = np.random.default_rng(2)
    model = Trinomial(rng.choice(3, 300), rng.poisson(2.0, 300))
    with pytest.raises(ParameterError, match=r"Trinomial has no simulate\(theta, seed\)"):
        information_matrix_test(model, model.closed_form(), bootstrap=9)


def test_on_rusts_choices_the_bootstrap_takes_back_what_the_chi_squared_claims(bus_data):
    """With 33 replacements the statistic is far in the chi-squared tail and nothing unusual for the model itself."""
    from compecon import zurcher

    fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90), "partial")
    test = information_matrix_test(fit, bootstrap=99, seed=1)
    assert test.pvalue_chi2 < 1e-6
    assert test.pvalue > 0.05
    assert test.n_failed == 0
    assert test.pvalue == information_matrix_test(fit, bootstrap=99, seed=1).pvalue
