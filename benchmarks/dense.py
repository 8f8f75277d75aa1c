"""The comparison: the same estimator with n x n matrices and LAPACK instead of the structured O(n) solve."""

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from compecon.likelihood.covariance import covariance
from compecon.likelihood.maximize import maximize
from compecon.zurcher import kernels
from compecon.zurcher.dense import bellman_dense, transition_matrix
from compecon.zurcher.likelihood import ChoiceLikelihood, TransitionLikelihood
from compecon.zurcher.simplex import LogOdds
from compecon.zurcher.solve import default_tol


class DenseLikelihood(ChoiceLikelihood):
    """`ChoiceLikelihood` whose fixed point and score both come from LU factors of I - Gamma'."""

    def loglike(self, theta):
        RC, theta1, theta3 = self.split(theta)
        gap, dgap = self._differentiate(RC, theta1, theta3)
        logl, scores, data = np.empty(self.data.n_cells), np.zeros((self.data.n_cells, theta.size)), self.data
        kernels.cell_scores(
            data.cell_x, data.cell_d, data.cell_dx, gap, dgap, theta3, self.free, self.implied, float(self.joint),
            logl, scores,
        )  # fmt: skip
        return logl, scores

    def _differentiate(self, RC, theta1, theta3):
        """gap (n,) and its derivatives (K, n) at the fixed point."""
        model, n = self.model, self.model.n_states
        cost, dcost = model.cost.value(model.states, theta1), model.cost.gradient(model.states, theta1)
        Pi = transition_matrix(theta3, n)
        ev, factors, logsum, keep = newton_by_lu(cost, Pi, RC, model.discount)
        costs = -(Pi @ (dcost * keep).T) - np.outer(Pi @ (1 - keep), dcost[:, 0])
        ahead = logsum[np.minimum(np.arange(n)[:, None] + self.index, n - 1)]
        base = logsum[np.minimum(np.arange(n) + self.implied, n - 1)]
        dGamma = np.column_stack((-(Pi @ (1 - keep)), costs, ahead - base[:, None]))
        dev = lu_solve(factors, dGamma, check_finite=False).T
        dgap = model.discount * (dev - dev[:, :1])
        dgap[0] += 1
        dgap[1 : 1 + len(dcost)] -= dcost - dcost[:, :1]
        gap = RC - (cost - cost[0]) + model.discount * (ev - ev[0])
        return gap, np.ascontiguousarray(dgap)


def newton_by_lu(cost, Pi, RC, discount):
    """Newton from EV = 0; returns EV and the last factors, logsum and probability to keep, which the score reuses."""
    identity, ev, tol = np.eye(cost.size), np.zeros(cost.size), default_tol(discount)
    while True:
        image, derivative, keep = bellman_dense(ev, cost, Pi, RC, discount)
        factors = lu_factor(identity - derivative, overwrite_a=True, check_finite=False)
        step = lu_solve(factors, image - ev, check_finite=False)
        ev = ev + step
        if not np.abs(step).max() > tol * max(1.0, np.abs(ev).max()):
            return ev, factors, np.logaddexp(-cost + discount * ev, -RC - cost[0] + discount * ev[0]), keep


def estimate_dense(model, data, start):
    """Joint estimates and OPG standard errors with the dense solver, in the way of `nfxp` from the same start."""
    dense = DenseLikelihood(model, data)
    working = LogOdds(dense)
    shares = TransitionLikelihood(model, data).closed_form()
    maximum = maximize(working, working.from_natural(np.concatenate((start, shares))))
    theta = working.to_natural(maximum.theta)
    return theta, np.sqrt(np.diag(covariance(dense, theta, "opg")))
