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
    wanted = f"a {shape[0]} x {shape[1]} matrix of numbers: {labels}"
    if values is None and 0 not in shape:
        raise ParameterError(f"{name} is missing; give its starting values, {wanted}. What is zero stays zero.")
    try:
        matrix = np.array([] if values is None else values, dtype=np.float64, ndmin=2)
    except (TypeError, ValueError):
        raise ParameterError(f"{name} = {values!r}; it must be {wanted}.") from None
    if 0 in shape and matrix.size:
        missing = "agent_formulation" if shape[0] else "second formulation (X2)"
        raise ParameterError(f"{name} is given, but the problem has no {missing}. Leave it out.")
    if 0 not in shape and matrix.shape != shape:
        raise ParameterError(f"{name} is {' x '.join(map(str, matrix.shape))}; it must be {wanted}.")
    return matrix.reshape(shape)


def _bounds(pair, matrix, name):
    if not isinstance(pair, (tuple, list, type(None))) or len(pair or (0, 0)) != 2:
        raise ParameterError(f"{name}_bounds must be a pair (lower, upper) of matrices shaped like {name}.")
    sides = (np.full(matrix.shape, np.nan) if side is None else side for side in pair or (None, None))
    lower, upper = (_matrix(side, matrix.shape, f"{name}_bounds", f"shaped like {name}") for side in sides)
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
        For a missing matrix or one too many, a wrong shape, values that are not finite, an upper triangle of Sigma that
        is not zero, or bounds that exclude the starting value.
    """
    x2, demographics = problem.x2_names, problem.demographic_names
    n = len(x2)
    sigma = _matrix(sigma, (n, n), "sigma", f"rows and columns {', '.join(x2)}")
    pi = _matrix(pi, (n, len(demographics)), "pi", f"rows {', '.join(x2)}; columns {', '.join(demographics)}")
    initial = np.hstack([sigma, pi])
    if not np.isfinite(initial).all():
        raise ParameterError("sigma and pi must start at finite numbers; NaN or infinity stands in them.")
    if np.triu(sigma, 1).any():
        raise ParameterError("sigma is a Cholesky root: its upper triangle must be zero. Fill the lower one.")
    bounds = _bounds(sigma_bounds, sigma, "sigma"), _bounds(pi_bounds, pi, "pi")
    lower, upper = (np.hstack(sides) for sides in zip(*bounds, strict=True))
    rows, columns = np.nonzero((initial != 0) & (lower != upper))
    is_pi = columns >= n
    order = np.lexsort((columns, rows, is_pi))
    rows, columns = rows[order], columns[order]
    names = (*x2, *demographics)
    labels = tuple(f"{x2[k]} x {names[c]}" for k, c in zip(rows, columns, strict=True))
    return Parameters(initial, lower[rows, columns], upper[rows, columns], rows, columns, labels)
