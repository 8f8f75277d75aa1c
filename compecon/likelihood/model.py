"""What the optimizers, covariances and tests of `compecon.likelihood` need to know about a model."""

from typing import Protocol

import numpy as np


class LikelihoodModel(Protocol):
    r"""A model whose log-likelihood is a weighted sum of terms with known first and second derivatives,

    $$\ell(\theta) = \sum_{i=1}^{N} w_i\, \ell_i(\theta).$$

    A row i is one observation (w_i = 1) or a cell of w_i identical observations; both give the same
    likelihood, gradient, outer product and Hessian.

    Attributes
    ----------
    param_names : tuple of str, length K
    weights : (N,) float, the number of observations that each row stands for
    cluster_counts : (G, N) scipy sparse array or None
        Observations of row i that belong to cluster g; its column sums are `weights`. None: no clusters known.
    """

    param_names: tuple[str, ...]
    weights: np.ndarray
    cluster_counts: object

    def loglike(self, theta) -> tuple[np.ndarray, np.ndarray]:
        """Return the (N,) terms l_i and their (N, K) scores. Outside the domain: terms of -inf or NaN."""

    def hessian_obs(self, theta) -> np.ndarray:
        """Return the (N, K, K) second derivatives of the terms l_i."""
