"""What the tests of `compecon.zurcher` share: reference numbers, a small fleet, checks, plain NumPy twins.

The twins are written for clarity, with n x n matrices, and accept complex parameters: the imaginary part of
f(x + ih) / h is f'(x) to machine precision (the complex step), so they give derivatives without any algebra.
"""

import numpy as np
import pandas as pd

from compecon import zurcher
from compecon.zurcher.solve import default_tol

EPS = np.finfo(float).eps

# Copied from the project's reference numbers (zurcher.json, "exact" and "fixed_point"): computed to 40 digits with
# mpmath, independently of this library. n_states = 90, discount = 0.9999, linear cost.
EXACT = {
    (4,): {
        "partial": {
            "theta": [10.07494220319881, 2.293092977453504],
            "llf": -163.5842836568025,
            "opg": [1.5815292327365, 0.63827816664559],
            "hessian": [1.3512625170445, 0.55384427288786],
            "sandwich": [1.1547883070263, 0.48318153505259],
        },
        "joint": {
            "theta": [10.07497848285661, 2.29304985012145, 0.391915419257741, 0.5952717376074816],
            "llf": -3304.154835520101,
            "opg": [1.5816081699936, 0.63883867379765, 0.0074554508441727, 0.0074959496109687],
            "hessian": [1.3513231721265, 0.55399503296857, 0.0074518142111005, 0.0074924008558268],
            "sandwich": [1.1549628850774, 0.4830519493265, 0.0074523865193248, 0.0074928985665148],
        },
        "transitions_llf": -3140.570557093825,
    },
    (1, 2, 3, 4): {
        "partial": {
            "theta": [9.755719604406422, 2.627613617510759],
            "llf": -300.2501711443495,
            "opg": [1.2265427375195, 0.61732095195074],
            "hessian": [0.90147550481565, 0.47157408906309],
            "sandwich": [0.66258956534314, 0.3703108838928],
        },
        "joint": {
            "theta": [9.755800031332963, 2.627522513171026, 0.3488734560288991, 0.6393594527813473],
            "llf": -6055.250352785491,
            "opg": [1.226605560592, 0.61750839020772, 0.005279113124566, 0.0053185464786976],
            "hessian": [0.90153365846825, 0.47165005189774, 0.005277923247857, 0.0053174215911064],
            "sandwich": [0.66267050624869, 0.3702714822645, 0.005278598555178, 0.0053180152833663],
        },
        "transitions_llf": -5755.000229580883,
    },
}
FIXED_POINT = {
    "RC": 10.075,
    "theta11": 2.293,
    "theta3": [1682 / 4292, 2555 / 4292, 55 / 4292],
    "ev": {
        0: -1278.6341207599154579, 1: -1278.8379256928652536, 10: -1280.5087384409683973, 30: -1283.2071420971568874,
        45: -1284.4501245956302359, 60: -1285.2411230408855521, 77: -1285.7944021184268682, 89: -1285.9598800703988274,
    },
    "replace": {
        0: 0.0000421177151402746461, 1: 0.0000517557922433164243, 10: 0.000280785196747077308, 30: 0.004348155264836863,
        45: 0.0154223841168700746, 60: 0.0345202700116433886, 77: 0.060718107761762613, 89: 0.0727026621047860262,
    },
}  # fmt: skip

# Group 4's estimates, rounded; and a small fleet for simulations
RUST = zurcher.Params(10.0749, [2.293], [1682 / 4292, 2555 / 4292, 55 / 4292])
MODEL = zurcher.ZurcherModel(30, 0.95)
TRUTH = zurcher.Params(6.0, [60.0], [0.3, 0.5, 0.2])


def history(mileage, replaced=None, bus_id=1, group=1):
    """The panel of one bus."""
    replaced = [0] * len(mileage) if replaced is None else replaced
    period = np.arange(1, len(mileage) + 1)
    return pd.DataFrame({"group": group, "bus_id": bus_id, "period": period, "mileage": mileage, "replaced": replaced})


def dense_transitions(p, n):
    """Pi as an (n, n) array, of p's own type (real, complex or long double)."""
    p = np.asarray(p)
    Pi = np.zeros((n, n), p.dtype)
    for x in range(n):
        for j in range(p.size):
            Pi[x, min(x + j, n - 1)] += p[j]
    return Pi


def choices_twin(ev, cost, RC, discount):
    """keep, replace, logsum as textbooks write them, recentred on the larger value of each state."""
    v_keep, v_replace = -cost + discount * ev, -RC - cost[0] + discount * ev[0]
    top = np.where(v_keep.real >= v_replace.real, v_keep, v_replace)
    total = np.exp(v_keep - top) + np.exp(v_replace - top)
    return np.exp(v_keep - top) / total, np.exp(v_replace - top) / total, top + np.log(total)


def gamma_prime(keep, replace, Pi, discount):
    """The Frechet derivative of the Bellman operator, (n, n)."""
    derivative = discount * Pi * keep
    derivative[:, 0] += discount * (Pi @ replace)
    return derivative


def fixed_point_twin(cost, p, RC, discount):
    """EV by Newton's method with n x n matrices; complex arguments give a complex EV."""
    Pi = dense_transitions(p, cost.size)
    ev = np.zeros(cost.size, np.result_type(cost, Pi, type(RC)))
    for _ in range(60):
        keep, replace, logsum = choices_twin(ev, cost, RC, discount)
        step = np.linalg.solve(np.eye(cost.size) - gamma_prime(keep, replace, Pi, discount), Pi @ logsum - ev)
        ev = ev + step
        # A step that small leaves an error of its square; the imaginary part needs one step more.
        if np.abs(step).max() <= 1e-9 * max(1.0, np.abs(ev).max()):
            keep, replace, logsum = choices_twin(ev, cost, RC, discount)
            residual = Pi @ logsum - ev
            return ev + np.linalg.solve(np.eye(cost.size) - gamma_prime(keep, replace, Pi, discount), residual)
    raise AssertionError("the dense twin did not converge")


def dense_chain(model, params):
    """The (n, n) matrix of moves under the optimal policy, and the probability to replace."""
    solution = model.solve(params)
    keep, replace = solution.choice_prob.T
    Pi = dense_transitions(params.theta3, model.n_states)
    return keep[:, None] * Pi + replace[:, None] * Pi[0], replace


def bellman_gap(solution):
    """max|Gamma(EV) - EV| in long doubles, from the textbook formula and nothing of the library."""
    model, real = solution.model, np.longdouble
    ev, p = solution.ev.astype(real), solution.params.theta3.astype(real)
    cost = np.asarray(model.cost.value(model.states, solution.params.theta1)).astype(real)
    _, _, logsum = choices_twin(ev, cost, real(solution.params.RC), real(model.discount))
    ahead = [p[j] * logsum[np.minimum(np.arange(ev.size) + j, ev.size - 1)] for j in range(p.size)]
    return float(np.abs(np.sum(ahead, axis=0) - ev).max())


def assert_solves(solution):
    """Finite, converged, and a fixed point as exactly as Newton's last step promises.

    After a last step s the residual is at most max(keep replace) (2 s)^2 / 2 <= s^2 / 2, and rounding errors of a few
    eps |EV| come on top.
    """
    scale = max(1.0, np.abs(solution.ev).max())
    assert np.isfinite(solution.ev).all()
    assert solution.converged
    assert solution.residual <= default_tol(solution.model.discount)
    assert bellman_gap(solution) <= 16 * EPS * scale + 0.5 * (solution.residual * scale) ** 2
    assert solution.choice_prob.min() >= 0
    assert np.allclose(solution.choice_prob.sum(axis=1), 1, rtol=0, atol=4 * EPS)


class LikelihoodTwin:
    """The three likelihoods by brute force: dense fixed point, one term an observation, derivatives by complex step."""

    def __init__(self, model, data, likelihood, theta3=None):
        table = data.observations()
        self.model, self.likelihood, self.theta3 = model, likelihood, theta3
        self.x, self.d, self.dx = (table[name].to_numpy() for name in ("x", "d", "dx"))
        self.categories = np.unique(self.dx)
        self.n_costs = len(model.cost.param_names)

    def _theta3(self, free):
        p = np.zeros(self.categories[-1] + 1, free.dtype)
        p[self.categories[:-1]] = free
        p[self.categories[-1]] = 1 - free.sum()
        return p

    def loglike(self, theta):
        """(n_obs,) terms, real or complex."""
        theta, first = np.asarray(theta), 0 if self.likelihood == "transitions" else 1 + self.n_costs
        terms = np.zeros(self.x.size, theta.dtype)
        p = self.theta3 if self.likelihood == "partial" else self._theta3(theta[first:])
        if self.likelihood != "transitions":
            cost = self.model.cost.value(self.model.states, theta[1:first]).astype(theta.dtype)
            ev = fixed_point_twin(cost, p, theta[0], self.model.discount)
            keep, replace, _ = choices_twin(ev, cost, theta[0], self.model.discount)
            terms += np.log(np.where(self.d == 1, replace[self.x], keep[self.x]))
        if self.likelihood != "partial":
            terms += np.log(p[self.dx])
        return terms

    def scores(self, theta):
        """(n_obs, K), by complex step."""
        columns = []
        for k in range(len(theta)):
            shifted = np.array(theta, dtype=complex)
            shifted[k] += 1e-30j
            columns.append(self.loglike(shifted).imag / 1e-30)
        return np.array(columns).T

    def hessians(self, theta, steps):
        """(n_obs, K, K), by central differences of the complex-step scores."""
        theta, blocks = np.asarray(theta, dtype=float), []
        for k, step in enumerate(steps):
            move = np.zeros(theta.size)
            move[k] = step
            blocks.append((self.scores(theta + move) - self.scores(theta - move)) / (2 * step))
        return np.moveaxis(np.array(blocks), 0, 2)
