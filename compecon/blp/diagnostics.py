"""Diagnostics of instruments: the first stage before estimation; rank and overidentification after it."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pyhdfe
from scipy.special import chdtrc

from compecon.blp.gmm import root_of
from compecon.blp.printed import Printed
from compecon.blp.tables import Table, summary_table
from compecon.errors import DataError, ParameterError

# Columns are scaled to length 1 before; absorbing leaves noise of about 1e-12 of what the fixed effects explain.
_RANK_TOL = 1e-10


@dataclass(frozen=True, eq=False, repr=False)
class FirstStage(Printed):
    """How well the excluded instruments predict each endogenous column of X1; see `first_stage`.

    Attributes
    ----------
    names : tuple of E str, the endogenous columns
    n_excluded : int, excluded instruments
    rank : int, how many of them are independent of each other, of the exogenous columns and of the fixed effects
    df : (int, int), degrees of freedom of F: the rank, and N less all parameters of the regression
    partial_r2, f, robust_f : (E,) float
    """

    names: tuple
    n_excluded: int
    rank: int
    df: tuple
    partial_r2: np.ndarray
    f: np.ndarray
    robust_f: np.ndarray

    def table(self):
        """A Table with a row for each endogenous column."""
        header = ("Endogenous:", "Instruments", "Rank", "Partial\nR2", "F", "Robust\nF", "Degrees of\nFreedom")
        numbers = np.column_stack([self.partial_r2, self.f, self.robust_f]).tolist()
        rows = [
            (name, self.n_excluded, self.rank, *row, f"{self.df[0]}, {self.df[1]}")
            for name, row in zip(self.names, numbers, strict=True)
        ]
        return Table("First Stage", header, tuple(rows), labels=(0,))


def first_stage(problem):
    """Regress each column of X1 made from prices on the instruments:

        x = Z pi + W gamma + fixed effects + v,    F of pi = 0,    partial R2 = 1 - RSS / RSS without Z

    with Z the excluded instruments and W the exogenous columns of X1.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    FirstStage

    Raises
    ------
    ParameterError
        When no column of X1 is made from prices.
    DataError
        When no excluded instrument is left, or no degree of freedom.

    Notes
    -----
    Instruments that are combinations of others or of the fixed effects count once or not at all. The robust F is Wald's
    with the heteroskedasticity-robust covariance times N / df (HC1), over the rank. Degrees of freedom are exact for
    one and two fixed effects; for more, the effects' number is an upper bound (Abowd, Creecy and Kramarz 2002, pair
    by pair). With several endogenous columns a large F of each does not show that they are identified apart. The first
    stage says nothing about the instruments for Sigma and Pi: `moment_diagnostics` does, after estimation.

    Examples
    --------
    >>> from compecon.blp.diagnostics import first_stage
    >>> from compecon.blp.examples import cereal_problem
    >>> stage = first_stage(cereal_problem())
    >>> stage.names, stage.n_excluded, stage.rank, stage.df
    (('prices',), 20, 20, (20, 2212))
    """
    products, part = problem.sorted_products, problem.linear_part
    endogenous = problem.product_formulations[0].depends(products.columns, "prices")
    if not endogenous.any():
        raise ParameterError("no column of X1 is made from prices, so that there is no first stage. Add prices to X1.")
    n_excluded = problem.MD - int((~endogenous).sum())
    exogenous = _basis(part.X1[:, ~endogenous], products.X1[:, ~endogenous])
    Z, x = part.Z[:, :n_excluded], part.X1[:, endogenous]
    Z, x = Z - exogenous @ (exogenous.T @ Z), x - exogenous @ (exogenous.T @ x)
    Z = _basis(Z, problem.instruments[:, :n_excluded])
    rank, df = Z.shape[1], problem.N - _n_absorbed(problem.fixed_effects) - exogenous.shape[1] - Z.shape[1]
    if rank == 0 or df < 1:
        raise DataError(
            f"{n_excluded} excluded instruments of rank {rank} leave {df} degrees of freedom; there is no first stage. "
            "Give instruments (demand_instruments0, ..) that the fixed effects do not explain, fewer than products."
        )
    coefficients = Z.T @ x
    residuals = x - Z @ coefficients
    explained, left = np.sum(coefficients**2, axis=0), np.sum(residuals**2, axis=0)
    meat = [(Z * e[:, None] ** 2).T @ Z for e in residuals.T]
    robust = [b @ np.linalg.lstsq(S, b, rcond=None)[0] for b, S in zip(coefficients.T, meat, strict=True)]
    return FirstStage(
        names=tuple(np.array(problem.x1_names)[endogenous].tolist()), n_excluded=n_excluded, rank=rank, df=(rank, df),
        partial_r2=explained / (explained + left), f=explained / rank / (left / df),
        robust_f=np.array(robust) / rank * df / problem.N,
    )  # fmt: skip


def _basis(columns, raw):
    """Orthonormal basis (N, rank) of `columns`, which are `raw` less what others explain; noise of that is no rank."""
    lengths = np.linalg.norm(raw, axis=0)
    directions, sizes, _ = np.linalg.svd(columns / np.where(lengths > 0, lengths, 1), full_matrices=False)
    return directions[:, sizes > _RANK_TOL]


def _n_absorbed(fixed_effects):
    """Rank of the dummies of all fixed effects."""
    if not fixed_effects.codes:
        return 0
    return int(pyhdfe.create(np.column_stack(fixed_effects.codes), drop_singletons=False).degrees)


@dataclass(frozen=True, eq=False, repr=False)
class MomentDiagnostics(Printed):
    """Whether the moments identify the parameters, and whether they agree; see `moment_diagnostics`.

    Attributes
    ----------
    n_moments, n_parameters, rank : int
    singular_values : (P + K1,) float, descending, of the scaled Jacobian
    weakest : str, the parameter that moves most in the direction that moves the moments least
    j : float, Hansen's J
    df : int, moments less parameters
    p_value : float, or None where J has no known distribution
    """

    n_moments: int
    n_parameters: int
    rank: int
    singular_values: np.ndarray
    weakest: str
    j: float
    df: int
    p_value: float | None

    def table(self):
        """A Table of one row, with a note where J is no test."""
        values = {
            "Moments": self.n_moments, "Parameters": self.n_parameters, "Jacobian\nRank": self.rank,
            "Singular Value\nMin": self.singular_values[-1], "Singular Value\nMax": self.singular_values[0],
            "Weakest\nDirection": self.weakest, "Hansen's\nJ": self.j, "Degrees of\nFreedom": self.df,
            "J's\np-value": self.p_value,
        }  # fmt: skip
        note = "" if self.df > 0 else "As many moments as parameters, or fewer: J tests nothing."
        if self.df > 0 and self.p_value is None:
            note = "W is not efficient, so that J is not chi-squared: estimate with method='2s' to test."
        return dataclasses.replace(summary_table("Moment Diagnostics", values), notes=(note,) if note else ())


def moment_diagnostics(results):
    """The rank of the moments' Jacobian G = dg / d(theta, beta), and Hansen's test of more moments than parameters:

        J = N g'W g ~ chi-squared with M - P - K1 degrees of freedom, if W is the inverse of the moments' covariance

    Parameters
    ----------
    results : ProblemResults

    Returns
    -------
    MomentDiagnostics

    Raises
    ------
    DataError
        When the moments have no derivatives at the results' theta.

    Notes
    -----
    The singular values are those of C'G with CC' = W and each column scaled to length 1, so that they do not depend on
    the units of instruments or parameters: one near zero says that some direction of the parameters hardly moves
    the moments. W is taken to be efficient where an earlier step updated it (method='2s'); else there is no p-value.

    Examples
    --------
    >>> from compecon.blp.diagnostics import moment_diagnostics
    >>> from compecon.blp.examples import cereal_logit
    >>> diagnostics = moment_diagnostics(cereal_logit())
    >>> diagnostics.rank, diagnostics.df, diagnostics.p_value
    (1, 19, None)
    """
    G, W = results.moments_jacobian, results.W
    if not np.isfinite(G).all():
        raise DataError("the moments have no derivatives at these values of sigma and pi. Estimate from other ones.")
    scaled = root_of(W).T @ G
    lengths = np.linalg.norm(scaled, axis=0)
    _, sizes, directions = np.linalg.svd(scaled / np.where(lengths > 0, lengths, 1))
    sizes = np.pad(sizes, (0, G.shape[1] - sizes.size))
    df, j = G.shape[0] - G.shape[1], float(results.objective)
    efficient = results.step == 2 or results.last_results is not None
    return MomentDiagnostics(
        *G.shape, int((sizes > _RANK_TOL * sizes[0]).sum()), sizes,
        [*results.theta_labels, *results.beta_labels][int(np.argmax(np.abs(directions[-1])))],
        j, df, float(chdtrc(df, j)) if efficient and df > 0 else None,
    )  # fmt: skip
