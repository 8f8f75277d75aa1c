"""Log odds for the mileage probabilities, so that no optimizer step leaves the simplex."""

from dataclasses import dataclass, field

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
    param_names: tuple[str, ...] = field(init=False)
    weights: np.ndarray = field(init=False)
    cluster_counts: object = field(init=False)
    first: int = field(init=False)

    def __post_init__(self):
        for name in ("param_names", "weights", "cluster_counts"):
            object.__setattr__(self, name, getattr(self.natural, name))
        object.__setattr__(self, "first", len(self.param_names) - self.natural.free.size)

    def to_natural(self, phi):
        """(RC, theta1, theta3) from (RC, theta1, q)."""
        theta = phi.copy()
        kernels.to_shares(phi[self.first :], theta[self.first :])
        return theta

    def from_natural(self, theta):
        """(RC, theta1, q) from (RC, theta1, theta3)."""
        shares = theta[self.first :]
        return np.concatenate((theta[: self.first], np.log(shares / (1 - shares.sum()))))

    def jacobian(self, theta):
        """d theta / d phi at the natural parameters `theta`, (K, K)."""
        shares, matrix = theta[self.first :], np.eye(theta.size)
        matrix[self.first :, self.first :] = np.diag(shares) - np.outer(shares, shares)
        return matrix

    def loglike(self, phi):
        """The terms of the natural likelihood, and their scores in (RC, theta1, q)."""
        theta = self.to_natural(phi)
        logl, scores = self.natural.loglike(theta)
        kernels.chain_scores(theta[self.first :], scores)
        return logl, scores

    def hessian_obs(self, phi):
        """The terms' second derivatives in (RC, theta1, q): J' H J, and each score times the shares' own curvature."""
        theta, first = self.to_natural(phi), self.first
        jacobian, shares = self.jacobian(theta), theta[first:]
        scores, natural = self.natural.second_derivatives(theta)
        hessian = jacobian.T @ natural @ jacobian
        apart = np.eye(shares.size) - shares
        # d2 p_j / dq_k dq_l
        second = shares[:, None, None] * (apart[:, :, None] * apart[:, None, :] - jacobian[first:, first:])
        hessian[:, first:, first:] += np.einsum("ij,jkl->ikl", scores[:, first:], second)
        return hessian
