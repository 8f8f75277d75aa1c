"""Log odds for the mileage probabilities, so that no optimizer step leaves the simplex."""

from dataclasses import dataclass

import numpy as np

from compecon.zurcher import simplex_kernels as kernels


@dataclass(frozen=True, eq=False)
class LogOdds:
    """The joint likelihood in RC, theta1 and q_j = log(theta3_j / theta3_implied); a `LikelihoodModel` itself.

    theta3_j = exp(q_j) / (1 + sum_k exp(q_k)) lies inside the simplex for every q. The derivatives follow from the
    chain rule, with dp_j/dq_k = p_j (1[j=k] - p_k). At the maximum the covariance of theta3 by the delta method is
    the one that the natural parameters give directly, so only the optimizer sees this class.
    """

    natural: object

    @property
    def param_names(self):
        return self.natural.param_names

    @property
    def weights(self):
        return self.natural.weights

    @property
    def cluster_counts(self):
        return self.natural.cluster_counts

    @property
    def _first(self):
        return len(self.natural.param_names) - self.natural.free.size

    def to_natural(self, phi):
        """(RC, theta1, theta3) from (RC, theta1, q)."""
        theta = phi.copy()
        kernels.to_shares(phi[self._first :], theta[self._first :])
        return theta

    def from_natural(self, theta):
        """(RC, theta1, q) from (RC, theta1, theta3)."""
        shares = theta[self._first :]
        return np.concatenate((theta[: self._first], np.log(shares / (1 - shares.sum()))))

    def jacobian(self, theta):
        """d theta / d phi at the natural parameters `theta`, (K, K)."""
        shares, matrix = theta[self._first :], np.eye(theta.size)
        matrix[self._first :, self._first :] = np.diag(shares) - np.outer(shares, shares)
        return matrix

    def loglike(self, phi):
        theta = self.to_natural(phi)
        logl, scores = self.natural.loglike(theta)
        kernels.chain_scores(theta[self._first :], scores)
        return logl, scores

    def hessian_obs(self, phi):
        theta = self.to_natural(phi)
        jacobian, shares = self.jacobian(theta), theta[self._first :]
        hessian = np.einsum("iab,ac,bd->icd", self.natural.hessian_obs(theta), jacobian, jacobian, optimize=True)
        _, scores = self.natural.loglike(theta)
        apart = np.eye(shares.size) - shares
        # d2 p_j / dq_k dq_l
        second = shares[:, None, None] * (apart[:, :, None] * apart[:, None, :] - (np.diag(shares) - np.outer(shares, shares)))
        hessian[:, self._first :, self._first :] += np.einsum("ij,jkl->ikl", scores[:, self._first :], second)
        return hessian
