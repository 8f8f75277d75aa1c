"""Linear parameters, moments and their covariances: what GMM adds to the inner problem.

With xi = delta - X1 beta, moments g = Z'xi / N and objective q = N g'W g. X1 and Z are absorbed (residuals from the
fixed effects); then Z'delta needs no absorbing of delta.
"""

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from compecon._linalg import cross_products
from compecon.blp.moment_kernels import row_products
from compecon.errors import DataError

# A moment of which less than this share of the variance is left beside the others is a combination of them.
_SINGULAR = 1e-14


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Instruments and linear characteristics, absorbed, each row with a weight (1; a bootstrap's counts otherwise)."""

    X1: np.ndarray  # (N, K1)
    Z: np.ndarray  # (N, MD)
    weights: np.ndarray  # (N,)
    weighted_Z: np.ndarray  # (N, MD) weights times Z
    n: float  # sum of the weights
    A: np.ndarray  # (MD, K1) Z'X1 / N
    ZZ: np.ndarray  # (MD, MD) Z'Z / N

    def moments_of(self, columns):
        """(MD, M) Z'columns / N."""
        return products(self.weighted_Z, columns) / self.n


def products(left, right):
    """(M, P) left'right, summed in a fixed order of the rows, so that no number of threads changes a bit."""
    out = np.empty((left.shape[1], right.shape[1]))
    cross_products(np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    return out


def product(tall, small):
    """(N, P) tall @ small, summed likewise."""
    out = np.zeros((tall.shape[0], small.shape[1]))
    row_products(np.ascontiguousarray(tall), np.ascontiguousarray(small), out)
    return out


def build_linear_part(X1, Z, weights=None):
    """Gather the products that every evaluation needs; `weights` : (N,) or None for ones."""
    weights = np.ones(Z.shape[0]) if weights is None else weights
    weighted = np.ascontiguousarray(weights[:, None] * Z)
    n = float(weights.sum())
    return LinearPart(X1, Z, weights, weighted, n, products(weighted, X1) / n, products(weighted, Z) / n)


def invert(matrix, what, remedy):
    """Inverse of a symmetric positive definite matrix, or a DataError that names it."""
    scale = 1 / np.sqrt(np.where(np.diag(matrix) > 0, np.diag(matrix), 1))
    try:
        factor = scipy.linalg.cho_factor(matrix * np.outer(scale, scale))
        if (np.diag(factor[0]) ** 2 < _SINGULAR).any():
            raise np.linalg.LinAlgError
    except (np.linalg.LinAlgError, ValueError):
        raise DataError(f"{what} is singular or not finite. {remedy}") from None
    inverse = scipy.linalg.cho_solve(factor, np.diag(scale)) * scale[:, None]
    return (inverse + inverse.T) / 2


def root_of(W):
    """C with CC' = W: the Cholesky root, or a symmetric one where W is only semi-definite."""
    try:
        return np.linalg.cholesky(W)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(W)
        return vectors * np.sqrt(np.clip(values, 0, None))


def moment_covariances(xi, part, kind, clusters=None, center=True):
    """S, the covariance of the moments: (1/N) sum_n w_n g_n g_n', g_n = Z_n xi_n, less their mean if `center`.

    'unadjusted': var(xi) Z'Z/N. 'clustered': the g_n are summed within each cluster first. No degrees-of-freedom
    correction. xi : (N,); returns (MD, MD).
    """
    if kind == "unadjusted":
        mean = np.sum(part.weights * xi) / part.n
        return part.ZZ * (np.sum(part.weights * (xi - mean) ** 2) / part.n)
    g = part.Z * xi[:, None]
    if center:
        g = g - np.sum(part.weights[:, None] * g, axis=0) / part.n
    weighted = part.weights[:, None] * g
    if kind == "clustered":
        _, codes = np.unique(clusters, return_inverse=True)
        weighted = g = np.array([np.bincount(codes, column) for column in weighted.T]).T.copy()
    return products(weighted, g) / part.n


def parameter_covariances(W, S, G, kind):
    """V = B S B' with B = (G'WG)^-1 G'W, or (G'WG)^-1 when `kind` is 'unadjusted'.

    Standard errors are sqrt(V_pp / N). G : (M, P + K1), d moments / d parameters. NaN where G'WG is singular. With
    W = CC' and C'G = QR, B is R^-1 Q'C': G'WG, whose condition number is the square of R's, is never formed.
    """
    root = root_of(W)
    weighted = root.T @ G
    lengths = np.linalg.norm(weighted, axis=0)
    basis, triangle = np.linalg.qr(weighted / np.where(lengths > 0, lengths, 1))
    if G.shape[0] < G.shape[1] or not np.abs(np.diag(triangle)).min() > _SINGULAR**0.5:
        return np.full((G.shape[1],) * 2, np.nan)
    half = scipy.linalg.solve_triangular(triangle, np.eye(lengths.size)) / lengths[:, None]
    projected = root @ basis
    V = half @ half.T if kind == "unadjusted" else half @ (projected.T @ S @ projected) @ half.T
    return (V + V.T) / 2
