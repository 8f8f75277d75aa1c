"""White's information matrix test: do the two estimates of the information agree, as they must in a true model?"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats
from tqdm import tqdm

from compecon.errors import (
    CompEconError,
    CompEconWarning,
    ConvergenceError,
    ConvergenceWarning,
    IdentificationWarning,
    ParameterError,
)
from compecon.likelihood.inference import TestResult
from compecon.likelihood.results import fit

NAME = "Information matrix test"


def information_matrix_test(model, theta=None, bootstrap=None, seed=None, refit=fit, progress=False, tol=1e-10):
    r"""White's (1982) information matrix test in the n R^2 form of Chesher (1983) and Lancaster (1984).

    In a correctly specified model the indicators $d_i = \mathrm{vech}(s_i s_i' + H_i)$ have mean zero at the true
    parameters. With $Z$ holding the rows $(s_i', d_i')$ and $W$ the weights,

    $$IM = n R^2 = \iota' W Z \, (Z' W Z)^{-} Z' W \iota ,$$

    the uncentred R^2 of regressing 1 on Z at the maximum: chi2(df) in a true model, as n grows.

    Parameters
    ----------
    model : LikelihoodModel, or an Estimate (its model and theta are used)
    theta : (K,) float, the maximum; None with an Estimate
    bootstrap : int or None, number of samples drawn from the estimated model by `model.simulate(theta, seed)`;
        the p-value is then (1 + #{draw >= statistic}) / (draws + 1) instead of the chi-squared one
    seed : int or numpy Generator; one independent child stream for each draw
    refit : callable, (model, start) -> Estimate or (K,) array, how a drawn sample is estimated
    progress : bool, show a progress bar
    tol : float, an indicator counts where it adds more than this to what the others span, relative to its parts;
        above the rounding of the derivatives (1e-15 here), below what is small but real (5e-8 in Rust's model)

    Returns
    -------
    TestResult; with a bootstrap also `draws` and `n_failed` (samples without a maximum: left out and reported)

    Raises
    ------
    ParameterError : no finite likelihood at theta, no indicator left to test, a bad `bootstrap`, no `simulate`
    ConvergenceError : not one bootstrap sample could be estimated

    Notes
    -----
    df is the rank that d adds to s, found numerically: many indicators are identically zero (two probabilities of a
    multinomial) or combinations of scores (the mean-mean element of a normal), and must not be counted. The result
    is the same for cells and for the observations they stand for, and in any parametrisation. The n R^2 form rejects
    true models far too often even in samples of hundreds (Chesher and Spady, 1991); the bootstrap repairs that
    (Horowitz, 1994). It warns (IdentificationWarning) where scores are collinear, the rank is not clear-cut or the
    regression fits perfectly, and (ConvergenceWarning) where theta is not a maximum.

    >>> from compecon.likelihood.examples import Poisson
    >>> model = Poisson([0, 1, 2, 3, 9], weights=[30, 30, 20, 10, 2])
    >>> information_matrix_test(model, model.closed_form())
    TestResult(Information matrix test: 2.941, chi2(1), p-value 0.08637)
    """
    if theta is None:
        if not hasattr(model, "theta"):
            raise ParameterError("information_matrix_test needs theta with a model; pass the maximum, or an Estimate.")
        model, theta = model.model, model.theta
    theta = np.atleast_1d(np.asarray(theta, dtype=float))
    sample = _regress_one(model, theta, tol)
    _warn_about(sample, len(theta), tol)
    if sample.df == 0:
        raise ParameterError(f"{NAME}: every indicator of {type(model).__name__} is zero or a combination of the "
                             "scores, so nothing is left to test; the model is saturated in this direction.")
    if bootstrap is None:
        pvalue = float(stats.chi2.sf(sample.statistic, sample.df))
        return TestResult(NAME, sample.statistic, sample.df, pvalue, f"chi2({sample.df})")
    draws, n_failed = _bootstrap(model, theta, bootstrap, seed, refit, progress, tol)
    # Ties are common with counts and must count as "at least as large", also after rounding.
    pvalue = (1 + int((draws >= sample.statistic * (1 - 1e-10)).sum())) / (draws.size + 1)
    note = f"parametric bootstrap, {draws.size} draws" + (f", {n_failed} more failed" if n_failed else "")
    return TestResult(NAME, sample.statistic, sample.df, pvalue, note, draws, n_failed)


@dataclass(frozen=True)
class _Regression:
    statistic: float
    df: int           # rank that the indicators add to the scores
    score_rank: int
    gain: float       # what the scores alone explain: zero at a maximum
    nobs: float
    spread: np.ndarray  # singular values of the indicators, net of the scores


def _regress_one(model, theta, tol):
    """Regress 1 on scores and indicators by two orthogonal bases; rows are weighted by the root of their weight."""
    terms, scores = model.loglike(theta)
    hessian = model.hessian_obs(theta)
    if not (np.isfinite(terms).all() and np.isfinite(scores).all() and np.isfinite(hessian).all()):
        raise ParameterError(f"{NAME}: the likelihood of {type(model).__name__} or a derivative is not finite at "
                             f"theta = {theta}; pass a maximum inside the parameter domain.")
    root = np.sqrt(model.weights)
    left, right = np.triu_indices(scores.shape[1])
    outer = root[:, None] * scores[:, left] * scores[:, right]
    curvature = root[:, None] * hessian[:, left, right]
    # Scaled by its two parts, not by their sum: where they cancel, rounding stays small and is no regressor.
    size = np.linalg.norm(outer, axis=0) + np.linalg.norm(curvature, axis=0)
    indicators = (outer + curvature) / np.where(size > 0, size, 1)
    score_size = np.linalg.norm(root[:, None] * scores, axis=0)
    score_basis, _ = _basis(root[:, None] * scores / np.where(score_size > 0, score_size, 1), tol)
    for _ in range(2):  # once leaves rounding of the size of what was taken out
        indicators = indicators - score_basis @ (score_basis.T @ indicators)
    basis, spread = _basis(indicators, tol)
    gain = float(np.sum((score_basis.T @ root) ** 2))
    statistic = gain + float(np.sum((basis.T @ root) ** 2))
    return _Regression(statistic, basis.shape[1], score_basis.shape[1], gain, float(model.weights.sum()), spread)


def _basis(columns, tol):
    """Return an orthonormal basis of the span of `columns`, without directions below `tol`, and the singular values."""
    left, values, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, values > tol], values


def _warn_about(result, n_params, tol):
    found = []
    if result.score_rank < n_params:
        found.append(f"the scores have rank {result.score_rank}, not {n_params}: some parameters are not identified")
    doubtful = result.spread[(result.spread > tol / 100) & (result.spread < tol * 100)]
    if doubtful.size:
        found.append(f"singular values {doubtful} of the indicators lie close to tol = {tol:g}, so df is not clear-cut")
    if result.df and result.statistic > result.nobs * (1 - 1e-8):
        found.append("the regression fits perfectly, because the sample has too few distinct rows; n R^2 is n by "
                     "construction")
    for message in found:
        warnings.warn(f"{NAME}: {message}.", IdentificationWarning, stacklevel=3)
    if _off_maximum(result):
        warnings.warn(f"{NAME}: theta is not a maximum (the scores explain {result.gain:.2g} of the statistic). "
                      "Estimate again with a tighter tolerance.", ConvergenceWarning, stacklevel=3)


def _off_maximum(result):
    return not result.gain <= 1e-4  # in units of the statistic: below that it changes no digit shown


def _bootstrap(model, theta, n_draws, seed, refit, progress, tol):
    """Return the statistics of samples drawn from the model at theta, and how many samples could not be used."""
    if not isinstance(n_draws, (int, np.integer)) or isinstance(n_draws, bool) or n_draws < 1:
        raise ParameterError(f"bootstrap = {n_draws!r}; pass the number of draws, such as 199, or None.")
    if not hasattr(model, "simulate"):
        raise ParameterError(f"{type(model).__name__} has no simulate(theta, seed), which the parametric bootstrap "
                             "draws from. Use bootstrap=None, or give the model that method.")
    streams = np.random.default_rng(seed).spawn(int(n_draws))  # by SeedSequence.spawn: independent of the order
    drawn = [_draw(model, theta, rng, refit, tol) for rng in tqdm(streams, disable=not progress)]
    draws = np.array([value for value in drawn if value is not None])
    n_failed = int(n_draws) - draws.size
    if draws.size == 0:
        raise ConvergenceError(f"{NAME}: none of {n_draws} bootstrap samples could be estimated; try `refit` on "
                               "model.simulate(theta, 0) to see why.")
    if n_failed > 0.1 * n_draws:
        warnings.warn(f"{NAME}: {n_failed} of {n_draws} bootstrap samples could not be estimated and are left out; "
                      "the p-value describes the others only.", ConvergenceWarning, stacklevel=3)
    return draws, n_failed


def _draw(model, theta, rng, refit, tol):
    """Return the statistic of one sample; None where it has no maximum or the optimizer did not reach it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompEconWarning)
        try:
            sample = model.simulate(theta, rng)
            estimate = refit(sample, theta)
            result = _regress_one(sample, np.atleast_1d(getattr(estimate, "theta", estimate)), tol)
        except (CompEconError, CompEconWarning, ArithmeticError, np.linalg.LinAlgError):
            return None
    return None if _off_maximum(result) or not getattr(estimate, "converged", True) else result.statistic
