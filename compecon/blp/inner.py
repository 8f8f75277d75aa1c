"""The inner problem in all markets: mean utilities that explain the shares, and how they respond to theta."""

from dataclasses import dataclass

import numpy as np

from compecon.blp import kernels
from compecon.blp.moment_kernels import add_product
from compecon.blp.threads import over_markets

# A first-order prediction of delta that moves it by more is not trusted.
_LARGEST_PREDICTION = 20.0


@dataclass(frozen=True, eq=False)
class Inversion:
    """Solution of s(delta, theta) = S in every market."""

    delta: np.ndarray  # (N,)
    jacobian: np.ndarray  # (N, P) d delta / d theta = -(ds / d delta)^-1 ds / d theta
    sweeps: np.ndarray  # (T,) evaluations of the shares
    residual: np.ndarray  # (T,) largest |log S - log s|
    converged: np.ndarray  # (T,) bool


def logit_delta(products):
    """(N,) log S_j - log S_0: the mean utilities if all consumers were alike."""
    inside = np.add.reduceat(products.shares, products.starts[:-1])
    return np.log(products.shares) - np.repeat(np.log1p(-inside), np.diff(products.starts))


def starting_delta(problem, theta, last):
    """From the last evaluation, delta + (d delta / d theta)(theta - theta_last); from none, the logit's."""
    if last is None:
        return logit_delta(problem.sorted_products)
    known = last.inversion
    delta = known.delta.copy()
    if theta.size == known.jacobian.shape[1]:
        add_product(known.jacobian, theta - last.theta, delta)
        if not np.abs(delta - known.delta).max() <= _LARGEST_PREDICTION:
            delta = known.delta.copy()
    return delta


def invert_shares(problem, parameters, theta, iteration, last=None):
    """Solve every market's inner problem at `theta`, starting from an earlier evaluation `last`."""
    products, agents = problem.sorted_products, problem.sorted_agents
    delta = starting_delta(problem, theta, last)
    jacobian = np.zeros((delta.size, theta.size))
    report = np.zeros((products.starts.size - 1, 3))
    if problem.K2 == 0:
        report[:, 2] = 1
    else:
        solve_markets(products, agents, parameters, theta, iteration, delta, jacobian, report)
    return Inversion(delta, jacobian, report[:, 0].astype(int), report[:, 1], report[:, 2] == 1)


def solve_markets(products, agents, parameters, theta, iteration, delta, jacobian, report):
    """`kernels.solve_markets` for all markets, in threads; writes delta, jacobian and report."""
    n_agents, n_products = np.diff(agents.starts).max(), np.diff(products.starts).max()
    size = kernels.space_size(n_agents, n_products) + (n_agents + n_products + 1) * theta.size
    loadings = parameters.loadings(theta)

    def call(first, last):
        kernels.solve_markets(
            first, last, products.starts, agents.starts, products.shares, products.X2, agents.weights, agents.traits,
            loadings, parameters.rows, parameters.columns, iteration.code, iteration.atol, iteration.max_evaluations,
            np.empty(size), delta, jacobian, report,
        )  # fmt: skip

    over_markets(products, agents, call)
