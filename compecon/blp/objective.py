"""The outer problem: the GMM objective of theta, with everything that one evaluation finds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compecon.blp.gmm import LinearPart, product, products, root_of
from compecon.blp.inner import Inversion, invert_shares
from compecon.blp.iteration import Iteration
from compecon.blp.parameters import Parameters
from compecon.errors import DataError

# What an optimizer is told where a market's utilities are not finite.
_HOPELESS = 1e20


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The objective at one theta: q = r'r with weighted moments r = sqrt(N) C'g, W = CC', beta concentrated out."""

    theta: np.ndarray  # (P,)
    inversion: Inversion
    beta: np.ndarray  # (K1,)
    micro_values: np.ndarray  # (MM,)
    micro_gap: np.ndarray  # (MM,) observed less expected values
    micro_slope: np.ndarray  # (MM, P) d micro_gap / dtheta
    weighted_moments: np.ndarray  # (M,) r
    weighted_jacobian: np.ndarray  # (M, P) dr / dtheta at fixed beta
    linear_basis: np.ndarray  # (M, K1) orthonormal, spans dr / dbeta

    @cached_property
    def value(self):
        """The objective q."""
        value = float(self.weighted_moments @ self.weighted_moments)
        return value if np.isfinite(value) else _HOPELESS

    @cached_property
    def gradient(self):
        """(P,) dq / dtheta = 2 (dr / dtheta)'r; beta's response drops out, because r is orthogonal to dr / dbeta."""
        gradient = 2 * self.weighted_jacobian.T @ self.weighted_moments
        return np.where(np.isfinite(gradient), gradient, 0.0)

    @property
    def finite(self):
        """Whether the moments and all their derivatives are numbers; elsewhere the gradient says 0."""
        return bool(np.isfinite(self.weighted_moments).all() and np.isfinite(self.weighted_jacobian).all())

    @property
    def value_and_gradient(self):
        """The pair that scipy.optimize.minimize takes."""
        return self.value, self.gradient

    @property
    def residuals(self):
        """(M,) r, finite."""
        return np.where(np.isfinite(self.weighted_moments), self.weighted_moments, _HOPELESS**0.5)

    @property
    def residuals_jacobian(self):
        """(M, P) dr / dtheta with beta at its optimum: the columns less their projection on dr / dbeta."""
        full = np.where(np.isfinite(self.weighted_jacobian), self.weighted_jacobian, 0.0)
        return full - self.linear_basis @ (self.linear_basis.T @ full)

    @property
    def gauss_newton_hessian(self):
        """(P, P) 2 (dr/dtheta)'(dr/dtheta), the Hessian of q without second derivatives of r."""
        return 2 * self.residuals_jacobian.T @ self.residuals_jacobian


@dataclass(frozen=True, eq=False)
class Objective:
    """A function of theta; `last`, an earlier evaluation, only starts the inner problem closer to its solution.

    Instruments are rotated by the root of W before they are summed over products: r then has its full precision
    however collinear the instruments are, and a line search sees differences of q down to 1e-15.
    """

    problem: object
    parameters: Parameters
    part: LinearPart
    W: np.ndarray
    iteration: Iteration
    micro: object = None

    @cached_property
    def _roots(self):
        """C for the moments of the instruments and for the micro moments, times sqrt(N)."""
        n = self.part.Z.shape[1]
        scale = np.sqrt(self.part.n)
        return scale * root_of(self.W[:n, :n]), scale * root_of(self.W[n:, n:])

    @cached_property
    def _instruments(self):
        """(N, MD) weighted Z C / sqrt(N), so that r = instruments'xi."""
        return product(self.part.weighted_Z, self._roots[0] / self.part.n)

    @cached_property
    def _linear(self):
        """QR of dr / dbeta."""
        (n_moments, n_betas), slopes = self.part.A.shape, products(self._instruments, self.part.X1)
        basis, triangle = np.linalg.qr(slopes)
        size = np.abs(np.diag(triangle)).min(initial=np.inf)
        if n_moments < n_betas or not size > 1e-12 * np.abs(triangle).max(initial=0.0):
            raise DataError(
                f"{n_moments} instruments do not identify the {n_betas} linear parameters (Z'X1, weighted by W, lacks "
                "rank). Add instruments (demand_instruments0, ..); drop X1 columns that are combinations of others or "
                "of the fixed effects; look for zeros in W."
            )
        return basis, triangle

    def __call__(self, theta, last=None):
        theta = np.array(theta, dtype=np.float64)
        inversion = invert_shares(self.problem, self.parameters, theta, self.iteration, last)
        sums = products(self._instruments, np.column_stack([inversion.delta, inversion.jacobian]))
        basis, triangle = self._linear
        beta = np.linalg.solve(triangle, basis.T @ sums[:, 0])
        r, slopes = sums[:, 0] - basis @ (triangle @ beta), sums[:, 1:]
        values, gap, slope = np.empty(0), np.empty(0), np.empty((0, theta.size))
        if self.micro is not None:
            values, gap, slope = self.micro.evaluate(self.problem, self.parameters, theta, inversion)
            root = self._roots[1].T
            r, slopes = np.concatenate([r, root @ gap]), np.vstack([slopes, root @ slope])
            basis = np.vstack([basis, np.zeros((gap.size, basis.shape[1]))])
        return Evaluation(theta, inversion, beta, values, gap, slope, r, slopes, basis)

    @property
    def _typical_effects(self):
        """(P,) root mean squares of characteristic times trait: the utility of a unit of theta."""
        tables = self.problem.sorted_products.X2, self.problem.sorted_agents.traits
        x, traits = (np.sqrt(np.mean(table**2, axis=0)) for table in tables)
        return x[self.parameters.rows] * traits[self.parameters.columns]

    def hessian(self, at):
        """(P, P) second derivatives by central differences of the gradient, around the evaluation `at`."""
        effects = self._typical_effects
        rows = []
        for p, length in enumerate(6e-6 * np.maximum(np.abs(at.theta), 1e-2 / np.where(effects > 0, effects, 1))):
            step = np.zeros(at.theta.size)
            step[p] = length
            ahead, behind = self(at.theta + step, at), self(at.theta - step, at)
            rows.append((ahead.gradient - behind.gradient) / (2 * length))
        hessian = np.array(rows).reshape(at.theta.size, at.theta.size)
        return (hessian + hessian.T) / 2


class Search:
    """The objective as an optimizer calls it: remembers the last evaluation, counts, and reports."""

    def __init__(self, objective, last=None, report=None):
        self.objective, self.last, self.report = objective, last, report
        # An evaluation by another objective only starts this one.
        self.n_evaluations, self.sweeps, self.mine = 0, 0, False

    def __call__(self, theta):
        # scipy asks for value and derivatives at one theta in separate calls.
        if not self.mine or not np.array_equal(theta, self.last.theta):
            self.last = self.objective(theta, self.last)
            self.n_evaluations, self.mine = self.n_evaluations + 1, True
            self.sweeps = self.sweeps + self.last.inversion.sweeps
            if self.report is not None:
                self.report(self.n_evaluations, self.last)
        return self.last
