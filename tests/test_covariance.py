"""Covariances of estimates: each kind is its formula, and one that does not exist is an error."""

import numpy as np
import pytest
from likelihood_fixtures import MODELS, X, Y, clustered_logit

from compecon.errors import ConvergenceError, ParameterError
from compecon.likelihood import examples
from compecon.likelihood.covariance import covariance


@pytest.fixture(scope="module")
def logit():
    return clustered_logit()


def test_every_covariance_is_its_formula(logit):
    model, estimate = logit
    P = 1 / (1 + np.exp(-X @ estimate.theta))
    scores = (Y - P)[:, None] * X
    information = X.T @ (X * (P * (1 - P))[:, None])
    bread = np.linalg.inv(information)
    sums = scores.reshape(40, 10, 3).sum(axis=1)
    expected = {
        "opg": np.linalg.inv(scores.T @ scores), "hessian": bread,
        "sandwich": bread @ scores.T @ scores @ bread, "cluster": bread @ sums.T @ sums @ bread,
    }  # fmt: skip
    for kind, matrix in expected.items():
        table = estimate.cov_params(kind=kind)
        assert np.allclose(table, matrix, rtol=1e-9)
        assert list(table.columns) == list(table.index) == ["constant", "income", "urban"]
        assert np.allclose(estimate.standard_errors(kind), np.sqrt(np.diag(matrix)), rtol=1e-9)
    assert np.array_equal(estimate.bse, estimate.standard_errors("opg"))


def test_clusters_of_one_row_each_give_the_sandwich(logit):
    _, estimate = logit
    alone = examples.BinaryLogit(Y, X, clusters=np.arange(400))
    assert np.allclose(
        covariance(alone, estimate.theta, "cluster"), covariance(alone, estimate.theta, "sandwich"), rtol=1e-12
    )


def test_cells_and_observations_have_the_same_covariances():
    cells = examples.Poisson([0, 1, 2, 5], weights=[10, 20, 30, 4])
    rows = examples.Poisson(np.repeat([0, 1, 2, 5], [10, 20, 30, 4]))
    for kind in ("opg", "hessian", "sandwich"):
        assert np.allclose(
            covariance(cells, cells.closed_form(), kind), covariance(rows, rows.closed_form(), kind), rtol=1e-12
        )


def test_a_covariance_that_does_not_exist_is_an_error(logit):
    model, estimate = logit
    with pytest.raises(
        ParameterError, match="unknown covariance 'white'; choose one of 'opg', 'hessian', 'sandwich', 'cluster'"
    ):
        estimate.cov_params(kind="white")
    with pytest.raises(ParameterError, match="needs clusters, and this model was given none"):
        covariance(examples.BinaryLogit(Y, X), estimate.theta, "cluster")
    with pytest.raises(ConvergenceError, match="observed information is not positive definite.*sigma"):
        covariance(MODELS["normal"][0], [2.0, 60.0], "hessian")
