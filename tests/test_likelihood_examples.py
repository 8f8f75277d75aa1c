"""The example models against mpmath's derivatives of their densities, closed forms, and their own identities."""

import itertools
import warnings
from dataclasses import replace

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from compecon.errors import DataError, IdentificationWarning, ParameterError
from compecon.likelihood import fit
from compecon.likelihood.examples import BinaryLogit, Geometric, Normal, Poisson

COUNTS = [0, 1, 4, 2, 7, 1]
WEIGHTS = [3, 5, 1, 2, 1, 4]
X = np.array([[1, 0.3], [1, -1.2], [1, 2.0], [1, 0.7], [1, -0.4], [1, 1.1]])
MODELS = {
    "normal": (Normal([0.3, -1.2, 2.5, 0.9, 4.0, 1.1], WEIGHTS), [0.7, 1.6]),
    "geometric": (Geometric(COUNTS, WEIGHTS), [0.3]),
    "poisson": (Poisson(COUNTS, WEIGHTS), [1.7]),
    "logit": (BinaryLogit([0, 1, 1, 0, 1, 0], X, weights=WEIGHTS), [0.4, -0.9]),
}
CLOSED = ["normal", "geometric", "poisson"]


def density(name, i, theta):
    """Log density of row i in mpmath, written from the textbook and not from the code."""
    y = MODELS[name][0].y[i]
    if name == "normal":
        return mpmath.log(mpmath.npdf(y, theta[0], theta[1]))
    if name == "geometric":
        return mpmath.log(theta[0] * (1 - theta[0]) ** int(y))
    if name == "poisson":
        return mpmath.log(theta[0] ** int(y) * mpmath.exp(-theta[0]) / mpmath.factorial(int(y)))
    success = 1 / (1 + mpmath.exp(-(theta[0] * X[i, 0] + theta[1] * X[i, 1])))
    return mpmath.log(success if y else 1 - success)


def expanded(model):
    """The same sample with one row an observation."""
    counts = model.weights.astype(int)
    fields = {"y": np.repeat(model.y, counts), "weights": None, "clusters": None}
    return replace(model, **fields, **({"X": np.repeat(model.X, counts, axis=0)} if hasattr(model, "X") else {}))


@pytest.mark.parametrize("name", MODELS)
def test_terms_scores_and_hessian_are_the_density_and_its_derivatives(name):
    model, theta = MODELS[name]
    terms, scores = model.loglike(theta)
    hessian = model.hessian_obs(theta)
    K = len(theta)
    with mpmath.workdps(40):
        for i in range(model.y.size):
            def at(*point, i=i):
                return density(name, i, point)
            assert terms[i] == pytest.approx(float(at(*map(mpmath.mpf, theta))), rel=1e-13)
            for k in range(K):
                order = tuple(np.eye(K, dtype=int)[k].tolist())
                assert scores[i, k] == pytest.approx(float(mpmath.diff(at, theta, order)), rel=1e-12, abs=1e-13)
                for m in range(K):
                    order = tuple((np.eye(K, dtype=int)[k] + np.eye(K, dtype=int)[m]).tolist())
                    assert hessian[i, k, m] == pytest.approx(float(mpmath.diff(at, theta, order)), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("name", CLOSED)
def test_the_closed_form_is_the_maximum_that_the_optimizer_finds(name):
    model, _ = MODELS[name]
    theta = model.closed_form()
    np.testing.assert_allclose(model.weights @ model.loglike(theta)[1], 0, atol=1e-12)
    assert np.linalg.eigvalsh(np.tensordot(model.weights, model.hessian_obs(theta), axes=1)).max() < 0
    np.testing.assert_allclose(fit(model, MODELS[name][1]).theta, theta, rtol=1e-7)


def test_the_closed_forms_are_the_textbook_ones():
    y = np.repeat(COUNTS, WEIGHTS)
    assert MODELS["poisson"][0].closed_form() == pytest.approx(y.mean())
    assert MODELS["geometric"][0].closed_form() == pytest.approx(1 / (1 + y.mean()))
    normal = MODELS["normal"][0]
    values = np.repeat(normal.y, WEIGHTS)
    np.testing.assert_allclose(normal.closed_form(), [values.mean(), values.std()])


@pytest.mark.parametrize("name, law", [("poisson", stats.poisson(1.7)), ("geometric", stats.nbinom(1, 0.3))])
def test_the_information_of_a_count_is_minus_the_mean_hessian_and_the_mean_outer_product(name, law):
    _, theta = MODELS[name]
    support = type(MODELS[name][0])(np.arange(200))
    terms, scores = support.loglike(theta)
    chance = np.exp(terms)
    np.testing.assert_allclose(chance, law.pmf(np.arange(200)), rtol=1e-10)
    information = support.information(theta)
    np.testing.assert_allclose(-np.tensordot(chance, support.hessian_obs(theta), axes=1), information, rtol=1e-12)
    np.testing.assert_allclose((scores * chance[:, None]).T @ scores, information, rtol=1e-12)


def test_the_information_of_the_normal_is_minus_the_mean_hessian_and_the_mean_outer_product():
    nodes, chance = np.polynomial.hermite_e.hermegauss(20)
    chance = chance / chance.sum()
    model, theta = Normal(0.7 + 1.6 * nodes), [0.7, 1.6]
    scores, information = model.loglike(theta)[1], model.information(theta)
    np.testing.assert_allclose(-np.tensordot(chance, model.hessian_obs(theta), axes=1), information, atol=1e-12)
    np.testing.assert_allclose((scores * chance[:, None]).T @ scores, information, atol=1e-12)


def test_the_information_of_the_logit_is_the_mean_outer_product_over_both_outcomes():
    model, theta = MODELS["logit"]
    product = np.zeros((2, 2))
    for outcomes in ([0, 1, 1, 0, 1, 0], [1, 0, 0, 1, 0, 1]):  # each row is 0 once and 1 once
        terms, scores = replace(model, y=outcomes).loglike(theta)
        product += (scores * (model.weights * np.exp(terms))[:, None]).T @ scores / model.nobs
    np.testing.assert_allclose(model.information(theta), product, rtol=1e-13)


@pytest.mark.parametrize("name", MODELS)
def test_cells_and_the_observations_they_stand_for_give_the_same_sums(name):
    model, theta = MODELS[name]
    rows = expanded(model)
    assert rows.y.size == model.nobs == 16
    for one, many in zip(model.loglike(theta), rows.loglike(theta), strict=True):
        np.testing.assert_allclose(model.weights @ one, many.sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(
        np.tensordot(model.weights, model.hessian_obs(theta), axes=1), rows.hessian_obs(theta).sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("name, outside", [
    ("normal", [0, 0]), ("normal", [0, -1]), ("normal", [np.nan, 1]), ("normal", [0, np.inf]), ("geometric", [0]),
    ("geometric", [1]), ("geometric", [-0.2]), ("poisson", [0]), ("poisson", [-3]), ("logit", [np.inf, 0])])
def test_outside_the_domain_the_terms_are_minus_infinity_without_a_warning(name, outside):
    model, theta = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        terms, scores = model.loglike(outside)
        hessian = model.hessian_obs(outside)
    assert (terms == -np.inf).all() and scores.shape == (6, len(theta)) and not scores.any()
    assert hessian.shape == (6, len(theta), len(theta)) and np.isnan(hessian).all()
    with pytest.raises(ParameterError, match="has no distribution at"):
        model.information(outside)
    with pytest.raises(ParameterError, match="has no distribution at"):
        model.simulate(outside, 0)


def test_no_warning_and_no_loss_of_digits_far_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (MODELS["normal"][0].loglike([0, 1e-200])[0] == -np.inf).all()
        terms, scores = BinaryLogit([0, 1], [[1.0], [1.0]]).loglike([1e4])
        assert terms.tolist() == [-1e4, 0] and scores.ravel().tolist() == [-1, 0]
        # 1 - P = e^-50 is lost in 1 - P computed from P, not here.
        assert BinaryLogit([0, 1], [[1.0], [1.0]]).loglike([50.0])[1][1, 0] == pytest.approx(np.exp(-50), rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_a_simulated_model_has_the_same_size_and_depends_on_the_seed_alone(name):
    model, theta = MODELS[name]
    first, again, other = (model.simulate(theta, seed) for seed in (1, 1, 2))
    assert type(first) is type(model) and first.nobs == model.nobs and first.param_names == model.param_names
    assert np.array_equal(first.y, again.y) and np.array_equal(first.weights, again.weights)
    assert not (np.array_equal(first.y, other.y) and np.array_equal(first.weights, other.weights))
    rng = np.random.default_rng(1)
    assert np.array_equal(model.simulate(theta, rng).weights, first.weights)
    assert not np.array_equal(rng.random(2), np.random.default_rng(1).random(2)), "the generator must have moved on"


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_a_large_simulated_sample_average_to_zero_with_the_information_as_variance(name):
    model, theta = MODELS[name]
    n = 40_000
    if name == "logit":
        large = replace(model, weights=np.full(6, n // 6)).simulate(theta, 3)
    else:
        large = model.simulate(theta, 3, n=n)
    scores, weights = large.loglike(theta)[1], large.weights
    information = large.information(theta)
    standardised = (weights @ scores / large.nobs) / np.sqrt(np.diag(information) / large.nobs)
    assert np.abs(standardised).max() < 4.5  # standard normal under the model: P < 1e-5
    product = (scores * weights[:, None]).T @ scores / large.nobs
    np.testing.assert_allclose(product, information, atol=0.06 * information.max())


def test_a_simulated_logit_keeps_its_regressors():
    model, theta = MODELS["logit"]
    drawn = model.simulate(theta, 0)
    totals = pd.DataFrame({"x": drawn.X[:, 1], "w": drawn.weights}).groupby("x").w.sum()
    assert totals.to_dict() == dict(zip(X[:, 1], WEIGHTS, strict=True))


def test_cluster_counts_hold_each_observation_once():
    model = Poisson(COUNTS, WEIGHTS, clusters=["b", "a", "b", "c", "a", "b"])
    counts = model.cluster_counts.toarray()
    assert counts.shape == (3, 6) and (counts.sum(axis=0) == model.weights).all()
    assert counts.sum(axis=1).tolist() == [3 + 1 + 4, 5 + 1, 2]
    assert Poisson(COUNTS).cluster_counts is None


def test_a_model_does_not_change_when_the_callers_array_does():
    y = np.array([1.0, 2.0, 4.0])
    model = Poisson(y)
    y[0] = 100
    assert model.closed_form() == pytest.approx(7 / 3)


def test_names_come_from_the_columns_or_are_numbered():
    frame = pd.DataFrame({"constant": [1, 1, 1, 1], "age": [1, 2, 3, 4]})
    assert BinaryLogit([0, 1, 0, 1], frame).param_names == ("constant", "age")
    assert BinaryLogit([0, 1, 0, 1], frame.to_numpy()).param_names == ("x0", "x1")
    assert BinaryLogit([0, 1, 0, 1], frame, names=["a", "b"]).param_names == ("a", "b")
    assert repr(BinaryLogit([0, 1, 0, 1], frame)) == "BinaryLogit(4 observations in 4 rows; constant, age)"


@pytest.mark.parametrize("outcomes", list(itertools.product([0, 1], repeat=4)))
def test_separation_is_reported_exactly_where_a_threshold_separates(outcomes):
    x = np.array([-1.0, 0.5, 0.5, 2.0])  # with a constant: separated iff a threshold (weakly) splits ones from zeros
    ones, zeros = x[np.array(outcomes) == 1], x[np.array(outcomes) == 0]
    one_kind = ones.size in (0, 4)
    separated = one_kind or ones.min() >= zeros.max() or ones.max() <= zeros.min()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        BinaryLogit(outcomes, np.column_stack([np.ones(4), x]))
    assert bool(caught) == separated
    assert all(w.category is IdentificationWarning and w.filename == __file__ for w in caught)


@pytest.mark.parametrize("build, message", [
    (lambda: Poisson([]), "y of Poisson has shape"),
    (lambda: Poisson([[1, 2]]), r"shape \(1, 2\); pass a one-dimensional"),
    (lambda: Poisson([1, np.nan]), r"y of Poisson is nan at index \(1,\)"),
    (lambda: Poisson(["a", "b"]), "y of Poisson cannot be read as numbers"),
    (lambda: Poisson([2, -1]), r"y\[1\] of Poisson is -1; y must hold counts"),
    (lambda: Geometric([2, 0.5]), r"y\[1\] of Geometric is 0.5; y must hold counts"),
    (lambda: Poisson([0, 0]), "all observations of Poisson are 0"),
    (lambda: Geometric([0, 3], weights=[4, 0]), "all observations of Geometric are 0"),
    (lambda: Normal([2, 2, 5], weights=[1, 1, 0]), "all observations of Normal are 2"),
    (lambda: Normal([1, 2], weights=[1]), r"weights of Normal have shape \(1,\), y has 2 rows"),
    (lambda: Normal([1, 2], weights=[1, -1]), r"weights\[1\] is -1"),
    (lambda: Normal([1, 2], weights=[0, 0]), "all weights are zero"),
    (lambda: Normal([1, 2], clusters=["a"]), r"clusters of Normal have shape \(1,\)"),
    (lambda: Normal([1, 2], clusters=np.array(["a", None])), r"clusters\[1\] of Normal is missing"),
    (lambda: Poisson([1, 2], weights=[0.5, 1]).simulate([1.0], 0), r"weights\[0\] of Poisson is 0.5; simulate needs"),
    (lambda: BinaryLogit([0, 2], [[1], [1]]), r"y\[1\] of BinaryLogit is 2"),
    (lambda: BinaryLogit([0, 1], [[1], [1], [1]]), r"X of BinaryLogit has shape \(3, 1\), y has 2 rows"),
    (lambda: BinaryLogit([0, 1], [[1], [np.inf]]), r"X of BinaryLogit is inf at index \(1, 0\)"),
    (lambda: BinaryLogit([0, 1], [[1], [1]], names=["a", "b"]), "X has 1 columns; pass one distinct name"),
    (lambda: BinaryLogit([0, 1, 0], np.c_[np.ones(3), [1, 2, 3], [3, 5, 7]]), "3 columns but rank 2: x"),
    (lambda: BinaryLogit([0, 1, 0, 1], np.c_[np.ones(4), [1, 1, 1, 3]], weights=[1, 1, 1, 0]), "2 columns but rank 1"),
])
@pytest.mark.filterwarnings("ignore::compecon.errors.IdentificationWarning")
def test_unusable_data_are_refused_with_a_message_that_says_where(build, message):
    with pytest.raises(DataError, match=message):
        build()


def test_a_theta_of_the_wrong_length_is_refused_by_name():
    with pytest.raises(ParameterError, match=r"theta of Normal has shape \(1,\); pass 2 values: mu, sigma"):
        Normal([1, 2]).loglike([1.0])
    with pytest.raises(ParameterError, match="n must be 1 or more"):
        Normal([1, 2]).simulate([1.0, 1.0], 0, n=0)
