"""Covariance matrices of a maximum likelihood estimate.

With B = sum_i w_i s_i s_i' the outer product of the scores and H the Hessian of the log-likelihood at the estimate,

    opg        B^-1                    what BHHH leaves behind; valid if the model is right
    hessian    (-H)^-1                 the observed information; valid if the model is right
    sandwich   H^-1 B H^-1             valid for independent observations even if the model is wrong (White 1982)
    cluster    H^-1 B_c H^-1           B_c sums the scores within clusters before squaring

No degrees-of-freedom correction is applied to any of them.
"""

import numpy as np

from compecon._options import one_of
from compecon.errors import ConvergenceError, ParameterError
from compecon.likelihood import kernels
from compecon.likelihood.maximize import total_hessian

KINDS = ("opg", "hessian", "sandwich", "cluster")


def covariance(model, theta, kind="opg"):
    """The (K, K) covariance matrix of the estimate `theta` of `model`.

    Parameters
    ----------
    model : LikelihoodModel
    theta : (K,) float, the maximum
    kind : {'opg', 'hessian', 'sandwich', 'cluster'}

    Raises
    ------
    ParameterError
        Unknown kind, or no clusters known to the model.
    ConvergenceError
        The matrix to invert is not positive definite; the message names the parameters involved.

    Examples
    --------
    >>> from compecon.likelihood import examples
    >>> from compecon.likelihood.covariance import covariance
    >>> covariance(examples.Poisson([2, 0, 3, 1]), [1.5], kind="hessian").round(6).tolist()
    [[0.375]]
    """
    check_kind(kind)
    theta = np.asarray(theta, dtype=np.float64)
    _, scores = model.loglike(theta)
    if kind == "opg":
        return invert(outer_product(scores, model.weights), model.param_names, "outer product of the scores")
    bread = invert(-total_hessian(model, theta), model.param_names, "observed information")
    if kind == "hessian":
        return bread
    if kind == "sandwich":
        return bread @ outer_product(scores, model.weights) @ bread
    return bread @ _clustered_product(model, scores) @ bread


def check_kind(kind):
    """Raise ParameterError unless `kind` names a covariance: before an estimation rather than after it."""
    one_of(kind, KINDS, "covariance")


def outer_product(scores, weights):
    """sum_i w_i s_i s_i', (K, K), by the kernel of the optimizers."""
    n_params = scores.shape[1]
    gradient, product = np.empty(n_params), np.empty((n_params, n_params))
    kernels.outer_product(scores, weights, gradient, product)
    return product


def _clustered_product(model, scores):
    """sum_g S_g S_g' with S_g the summed score of cluster g."""
    if model.cluster_counts is None:
        raise ParameterError("kind='cluster' needs clusters, and this model was given none; pass them with the data.")
    sums = model.cluster_counts @ scores
    return sums.T @ sums


def invert(matrix, names, what):
    """Inverse of a positive definite matrix, by the kernel."""
    size, matrix = len(matrix), np.require(matrix, np.float64, ["C", "W"])
    inverse = np.empty((size, size))
    if kernels.inverse(matrix, np.empty((size + 1, size)), np.empty(size), inverse):
        return inverse
    worst = _suspects(matrix, names)
    raise ConvergenceError(
        f"the {what} is not positive definite, so the estimate has no covariance matrix: the data do not identify "
        f"{', '.join(worst)} here. Check that the optimizer converged; if so, drop or fix a parameter."
    )


def _suspects(matrix, names):
    """Names of the parameters that a matrix without an inverse says too little about."""
    diagonal = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (diagonal > 0).all()):
        return [name for name, value in zip(names, diagonal) if not value > 0] or list(names)
    scale = 1 / np.sqrt(diagonal)
    flattest = np.linalg.eigh(matrix * np.outer(scale, scale))[1][:, 0]
    return [name for name, weight in zip(names, flattest) if abs(weight) > 0.1]
