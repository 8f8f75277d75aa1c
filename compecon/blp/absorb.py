"""Fixed effects taken out of columns: the residuals of a (weighted) regression on the effects' dummies."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import lsmr

from compecon.errors import ConvergenceError, ParameterError

_MAX_ITER = 100_000


class FixedEffects:
    """Fixed effects to absorb: M x = x - D b, where b minimises sum_i w_i (x_i - D_i b)^2 and D holds the dummies.

    Parameters
    ----------
    codes : list of (N,) int arrays with values 0, 1, ..; one array an effect, none leaves columns as they are

    Attributes
    ----------
    groups : tuple of int, the number of groups of each effect

    Notes
    -----
    One effect: group means are subtracted. Several: LSMR (Fong and Saunders 2011) on dummies scaled to length 1. It
    needs no effect to be left out, and few steps even where few rows connect the groups; residuals are exact to about
    1e-13 of a column's largest value.

    Examples
    --------
    >>> effects = FixedEffects([np.array([0, 0, 1, 1])])
    >>> columns = np.array([[1.0], [3.0], [5.0], [9.0]])
    >>> effects.residualize(columns).ravel()
    array([-1.,  1., -2.,  2.])
    >>> effects.residualize(columns, weights=np.array([3.0, 1.0, 1.0, 0.0])).ravel()
    array([-0.5,  1.5,  0. ,  0. ])
    """

    def __init__(self, codes):
        self.codes = list(codes)
        self.groups = tuple(int(np.max(effect)) + 1 for effect in self.codes)

    def residualize(self, columns, weights=None):
        """M `columns`.

        Parameters
        ----------
        columns : (N, K) float
        weights : (N,) float, optional
            How often a row counts. A row of weight 0 is not in the sample: its residual is 0.

        Returns
        -------
        (N, K) float, a new array; `columns` as they are where there is no effect

        Raises
        ------
        ParameterError
            For weights of the wrong number, negative, not finite, or all 0.
        ConvergenceError
            When LSMR reaches its limit of steps.
        """
        columns = np.array(columns, dtype=np.float64)
        weights = np.ones(len(columns)) if weights is None else np.asarray(weights, dtype=np.float64)
        if weights.shape != columns.shape[:1] or not (np.isfinite(weights) & (weights >= 0)).all() or not weights.any():
            raise ParameterError(f"weights must be {len(columns)} finite numbers, one a row, none below 0, not all 0.")
        sample = weights > 0
        if self.codes:
            effects = [effect[sample] for effect in self.codes]
            subtract = _subtract_means if len(effects) == 1 else _subtract_fit
            columns[sample] = subtract(effects, columns[sample], weights[sample])
            columns[~sample] = 0.0
        return columns


def _subtract_means(effects, columns, weights):
    """`columns` : (N, K) less their group means."""
    (effect,) = effects
    # A group without rows in the sample has no mean, and no row asks for it.
    totals = np.maximum(np.bincount(effect, weights), np.finfo(float).tiny)
    for column in columns.T:
        column -= (np.bincount(effect, weights * column) / totals)[effect]
    return columns


def _subtract_fit(effects, columns, weights):
    """`columns` : (N, K) less what the dummies of all effects fit."""
    root, rows = np.sqrt(weights), np.arange(weights.size)
    lengths = [np.sqrt(np.bincount(effect, weights))[effect] for effect in effects]
    dummies = [sparse.csr_array((root / n, (rows, effect))) for n, effect in zip(lengths, effects, strict=True)]
    design = sparse.hstack(dummies, format="csr")
    for column in columns.T:
        # The tolerances lie at rounding: LSMR goes on until it cannot improve.
        b, reason, *_ = lsmr(design, root * column, atol=1e-15, btol=1e-15, conlim=0, maxiter=_MAX_ITER)
        if reason == 7:
            raise ConvergenceError(f"fixed effects were not absorbed in {_MAX_ITER} steps. Absorb fewer of them.")
        column -= design @ b / root
    return columns
