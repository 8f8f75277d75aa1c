"""Likelihood ratio, Wald and Lagrange multiplier tests: three ways to measure how far the data are from a null."""

from dataclasses import dataclass
from html import escape

import numpy as np
from scipy import linalg, stats

from compecon.errors import ParameterError
from compecon.likelihood.covariance import outer_product
from compecon.likelihood.delta import delta_method
from compecon.likelihood.maximize import total_hessian

LM_KINDS = ("opg", "hessian", "information")


@dataclass(frozen=True, eq=False, repr=False)
class TestResult:
    """A test statistic and how likely a larger one is under the null.

    Attributes
    ----------
    name : str
    statistic : float
    df : int, degrees of freedom, the number of restrictions tested
    pvalue : float, under `distribution`
    distribution : str, such as "chi2(2)"
    draws : (B,) float or None, the statistics of the bootstrap samples
    n_failed : int, bootstrap samples without a usable estimate

    >>> print(lr_test(-105.0, -102.0, df=2).summary())
    Likelihood ratio test
    statistic     6.0000
    df            2
    p-value       0.04979
    distribution  chi2(2)
    """

    __test__ = False  # pytest collects classes named Test*; this is not one of its tests

    name: str
    statistic: float
    df: int
    pvalue: float
    distribution: str
    draws: np.ndarray | None = None
    n_failed: int = 0

    @property
    def pvalue_chi2(self):
        """The p-value of the chi-squared distribution with `df` degrees of freedom, whatever `distribution` is."""
        return float(stats.chi2.sf(self.statistic, self.df))

    def _rows(self):
        return [("statistic", f"{self.statistic:.4f}"), ("df", f"{self.df}"),
                ("p-value", f"{self.pvalue:.4g}"), ("distribution", self.distribution)]

    def summary(self):
        """Return the result as text, one fact a line."""
        return "\n".join([self.name] + [f"{label:<14}{value}" for label, value in self._rows()])

    def __repr__(self):
        return f"TestResult({self.name}: {self.statistic:.4g}, {self.distribution}, p-value {self.pvalue:.4g})"

    def _repr_html_(self):
        rows = "".join(f"<tr><th>{label}</th><td>{escape(value)}</td></tr>" for label, value in self._rows())
        return f"<table><caption>{escape(self.name)}</caption>{rows}</table>"


def lr_test(restricted, unrestricted, df=None):
    r"""Likelihood ratio test of a model nested in another: $LR = 2(\ell_u - \ell_r)$, chi2(df) under the null.

    Parameters
    ----------
    restricted, unrestricted : Estimate, or the maximised log-likelihood as a float
    df : int or None, number of restrictions; None only for two Estimates: the difference of their parameter counts

    Raises
    ------
    ParameterError : df missing or below 1, other samples, or a restricted model that fits better than the
        unrestricted one

    >>> lr_test(-105.0, -102.0, df=2)
    TestResult(Likelihood ratio test: 6, chi2(2), p-value 0.04979)
    """
    sides = (restricted, unrestricted)
    llf_r, llf_u = (float(getattr(side, "llf", side)) for side in sides)
    estimates = all(hasattr(side, "llf") for side in sides)
    if estimates and restricted.nobs != unrestricted.nobs:
        raise ParameterError(f"lr_test compares {restricted.nobs:g} with {unrestricted.nobs:g} observations; "
                             "estimate both models on the same sample.")
    if df is None and not estimates:
        raise ParameterError("lr_test needs df where a log-likelihood is given as a number: pass the number of "
                             "restrictions.")
    df = _positive_df(len(unrestricted.theta) - len(restricted.theta) if df is None else df, "lr_test")
    if not (np.isfinite(llf_r) and np.isfinite(llf_u)):
        raise ParameterError(f"lr_test got log-likelihoods {llf_r:g} and {llf_u:g}; both must be finite.")
    statistic = 2 * (llf_u - llf_r)
    if statistic < -1e-8 * max(1.0, abs(llf_u)):  # below that it is rounding
        raise ParameterError(f"the restricted log-likelihood {llf_r:.10g} exceeds the unrestricted {llf_u:.10g}; the "
                             "arguments are swapped, the models are not nested, or an optimizer stopped too early.")
    return _chi2_result("Likelihood ratio test", max(statistic, 0.0), df)


def wald_test(estimate, R, r=0.0, kind="opg", jacobian=None):
    r"""Wald test of $R\theta = r$ or $g(\theta) = r$, chi2(q) under the null:

    $$W = (R\hat\theta - r)'\,(R V R')^{-1} (R\hat\theta - r), \qquad R = \partial g/\partial\theta'
    \text{ for a function.}$$

    Parameters
    ----------
    estimate : Estimate
    R : str or list of str (these parameters equal r), (q, K) array, or a function of theta that returns (q,)
    r : float or (q,) float
    kind : str, the covariance V, as in `estimate.cov_params(kind)`
    jacobian : callable or None, the derivative of a function R; None: central differences

    Raises
    ------
    ParameterError : an unknown name, shapes that do not fit, restrictions that repeat each other

    Notes
    -----
    W depends on how a nonlinear null is written (a / b = 1 or a = b); LR does not. Source: Gregory and Veall (1985).

    >>> from types import SimpleNamespace
    >>> from compecon.likelihood.examples import Poisson
    >>> estimate = SimpleNamespace(model=Poisson([1, 3]), theta=np.array([2.0]), cov_params=lambda kind: np.eye(1))
    >>> wald_test(estimate, "mean", r=1.0).statistic
    1.0
    """
    theta, cov = np.asarray(estimate.theta, dtype=float), estimate.cov_params(kind)
    if callable(R):
        tested = delta_method(R, theta, cov, jacobian)
    else:
        matrix = _restriction_matrix(R, estimate.model.param_names)
        tested = delta_method(lambda point: matrix @ point, theta, cov, lambda point: matrix)
    r = np.asarray(r, dtype=float)
    if r.shape not in ((), tested.values.shape) or not np.isfinite(r).all():
        raise ParameterError(f"r has shape {r.shape} for {tested.values.size} restrictions; pass one finite number, or "
                             "one for each restriction.")
    what = "the covariance of the restrictions (do some repeat each other?)"
    statistic = _quadratic_form(tested.values - r, tested.cov, what)
    return _chi2_result(f"Wald test ({kind})", statistic, int(tested.values.size))


def lm_test(model, theta_restricted, df, kind="opg"):
    r"""Lagrange multiplier (score) test of `df` restrictions, from the restricted maximum alone:

    $$LM = g' A^{-1} g, \qquad g = \sum_i w_i s_i(\tilde\theta),$$

    with A the outer product sum_i w_i s_i s_i' ("opg"; LM is then n times the uncentred R^2 of regressing 1 on the
    scores), the observed information -sum_i w_i H_i ("hessian"), or the expected n I(theta) ("information").
    Under the null it is chi2(df).

    Parameters
    ----------
    model : LikelihoodModel, the unrestricted one
    theta_restricted : (K,) float, the maximum under the restrictions, written in the unrestricted parameters
    df : int, number of restrictions, at most K
    kind : "opg", "hessian" or "information" (needs `model.information`)

    Raises
    ------
    ParameterError : unknown kind, theta outside the domain, df not in 1..K, A singular or not positive definite

    >>> from compecon.likelihood.examples import Poisson
    >>> float(lm_test(Poisson([0, 1, 5]), [1.0], df=1, kind="information").statistic)  # n (mean - 1)^2 / 1
    3.0
    """
    if kind not in LM_KINDS or (kind == "information" and not hasattr(model, "information")):
        raise ParameterError(f"kind = {kind!r} is not available for {type(model).__name__} in lm_test; choose from "
                             f"{', '.join(LM_KINDS)} ('information' where the model has that method).")
    theta = np.atleast_1d(np.asarray(theta_restricted, dtype=float))
    terms, scores = model.loglike(theta)
    if not (np.isfinite(terms).all() and np.isfinite(scores).all()):
        raise ParameterError(f"the log-likelihood of {type(model).__name__} is not finite at theta = {theta}; "
                             "pass a point inside the parameter domain.")
    df = _positive_df(df, "lm_test")
    if df > scores.shape[1]:
        raise ParameterError(f"lm_test: df = {df} exceeds the {scores.shape[1]} parameters; pass the number of "
                             "restrictions.")
    weights = model.weights
    if kind == "opg":
        curvature = outer_product(scores, weights)
    elif kind == "hessian":
        curvature = -total_hessian(model, theta)
    else:
        curvature = weights.sum() * model.information(theta)
    what = f"the {kind} matrix at the restricted estimate"
    return _chi2_result(f"Lagrange multiplier test ({kind})", _quadratic_form(weights @ scores, curvature, what), df)


def _chi2_result(name, statistic, df):
    return TestResult(name, float(statistic), df, float(stats.chi2.sf(statistic, df)), f"chi2({df})")


def _positive_df(df, where):
    if df != int(df) or df < 1:
        raise ParameterError(f"{where}: df = {df}; the number of restrictions must be a whole number, 1 or more.")
    return int(df)


def _restriction_matrix(R, param_names):
    if isinstance(R, str):
        R = [R]
    names = list(param_names)
    if isinstance(R, (list, tuple)) and R and all(isinstance(name, str) for name in R):
        unknown = [name for name in R if name not in names]
        if unknown:
            raise ParameterError(f"wald_test: no parameter is called {unknown[0]!r}; the names are {', '.join(names)}.")
        return np.eye(len(names))[[names.index(name) for name in R]]
    matrix = np.atleast_2d(np.asarray(R, dtype=float))
    if matrix.ndim != 2 or matrix.shape[0] == 0 or matrix.shape[1] != len(names) or not np.isfinite(matrix).all():
        raise ParameterError(f"wald_test: R has shape {matrix.shape}; pass a finite array of shape (q, {len(names)}), "
                             "one column a parameter.")
    return matrix


def _quadratic_form(vector, matrix, what):
    """Return v' M^-1 v for a positive definite M, measured in correlation units so that scaling does not matter."""
    diagonal = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (diagonal > 0).all()):
        raise ParameterError(f"{what} has a diagonal of {diagonal}; it must be finite and positive.")
    scale = np.sqrt(diagonal)
    correlation = matrix / np.outer(scale, scale)
    smallest = np.linalg.eigvalsh(correlation).min()
    if smallest < 1e-12 * scale.size:
        raise ParameterError(f"{what} is singular or not positive definite (smallest eigenvalue {smallest:.1e} in "
                             "correlation units): the data do not identify all of what is tested.")
    return float((vector / scale) @ linalg.solve(correlation, vector / scale, assume_a="pos"))
