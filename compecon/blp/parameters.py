"""The nonlinear parameters theta: which entries of Sigma and Pi are estimated, in which order, within which bounds."""

from dataclasses import dataclass

import numpy as np

from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False)
class Parameters:
    """theta and its places in the loadings [Sigma | Pi].

    theta runs through the lower triangle of Sigma row by row, then through Pi row by row, leaving out what starts at
    zero and what its bounds fix.
    """

    initial: np.ndarray  # (K2, K2 + D) loadings
    lower: np.ndarray  # (P,)
    upper: np.ndarray  # (P,)
    rows: np.ndarray  # (P,) int64, place in the loadings
    columns: np.ndarray  # (P,) int64
    labels: tuple

    @property
    def theta(self):
        """(P,) starting values."""
        return self.initial[self.rows, self.columns]

    @property
    def bounded(self):
        """True when some bound is finite."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    def loadings(self, theta):
        """(K2, K2 + D) [Sigma | Pi] at `theta`."""
        loadings = self.initial.copy()
        loadings[self.rows, self.columns] = theta
        return loadings

    def split(self, theta, fill=None):
        """(Sigma, Pi) at `theta`; `fill` replaces the entries that are not estimated (NaN in standard errors)."""
        loadings = self.loadings(theta)
        if fill is not None:
            estimated = np.zeros(loadings.shape, bool)
            estimated[self.rows, self.columns] = True
            loadings[~estimated] = fill
        n = loadings.shape[0]
        return loadings[:, :n], loadings[:, n:]


def _matrix(values, shape, name, labels):
    if values is None:
        if shape[0] and shape[1] and name == "sigma":
            raise ParameterError(f"sigma is missing; give a {shape[0]} x {shape[1]} matrix of starting values.")
        return np.zeros(shape)
    try:
        matrix = np.array(values, dtype=np.float64, ndmin=2)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} = {values!r}; it must be a {shape[0]} x {shape[1]} matrix of numbers.") from None
    if matrix.size == 0 and 0 in shape:
        return np.zeros(shape)
    if matrix.shape != shape:
        raise ParameterError(f"{name} is {matrix.shape[0]} x {matrix.shape[1]}; it must be {shape[0]} x {shape[1]}: {labels}.")
    return matrix


def _bounds(pair, matrix, name):
    if pair is None:
        return np.full(matrix.shape, -np.inf), np.full(matrix.shape, np.inf)
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ParameterError(f"{name}_bounds must be a pair (lower, upper) of matrices shaped like {name}.")
    lower, upper = (_matrix(side, matrix.shape, f"{name}_bounds", f"shaped like {name}") for side in pair)
    lower, upper = np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)
    outside = np.argwhere((matrix < lower) | (matrix > upper))
    if outside.size:
        k, c = outside[0]
        raise ParameterError(
            f"{name}[{k}, {c}] starts at {matrix[k, c]:g}, outside its bounds [{lower[k, c]:g}, {upper[k, c]:g}]."
        )
    return lower, upper


def build_parameters(problem, sigma, pi, sigma_bounds=None, pi_bounds=None):
    """Check starting values and bounds against the problem's dimensions, and place theta.

    Raises
    ------
    ParameterError
        For a wrong shape, values that are not finite, an upper triangle of Sigma that is not zero, or bounds that
        exclude the starting value.
    """
    x2, demographics = problem.x2_names, problem.demographic_names
    n = len(x2)
    sigma = _matrix(sigma, (n, n), "sigma", f"a row and a column for each of {', '.join(x2)}")
    pi = _matrix(pi, (n, len(demographics)), "pi", f"rows {', '.join(x2)}; columns {', '.join(demographics)}")
    initial = np.hstack([sigma, pi])
    if not np.isfinite(initial).all():
        raise ParameterError("sigma and pi must start at finite numbers; NaN or infinity stands in them.")
    if np.triu(sigma, 1).any():
        raise ParameterError("sigma is a Cholesky root: its upper triangle must be zero. Put the value below the diagonal.")
    lower, upper = (
        np.hstack(sides) for sides in zip(_bounds(sigma_bounds, sigma, "sigma"), _bounds(pi_bounds, pi, "pi"), strict=True)
    )
    rows, columns = np.nonzero((initial != 0) & (lower != upper))
    is_pi = columns >= n
    order = np.lexsort((columns, rows, is_pi))
    rows, columns = rows[order], columns[order]
    names = (*x2, *demographics)
    labels = tuple(f"{x2[k]} x {names[c]}" for k, c in zip(rows, columns, strict=True))
    return Parameters(initial, lower[rows, columns], upper[rows, columns], rows, columns, labels)
