"""Economies for the tests of what follows estimation: cereal at its estimates, small ones with markets of all sizes."""

import dataclasses
import functools

import numpy as np
import pandas as pd

from compecon.blp import demand_kernels
from compecon.blp.demand_system import Demand
from compecon.blp.examples import cereal_problem
from compecon.blp.formulation import Formulation
from compecon.blp.markets import Markets
from compecon.blp.optimization import Optimization
from compecon.blp.post_estimation import PostEstimation
from compecon.blp.problem import Problem
from compecon.errors import CompEconWarning

# reference/nevo.json, solve_1: theta in the order of its labels.
THETA = [
    0.5580935703981281, 3.3124889094853236, -0.005783552014756944, 0.09341446996550538, 2.2919715881497615,
    1.2844320215031406, 588.3251148678878, -30.192014141771466, 11.054628152976711, -0.3849540843895703,
    0.0522342734108877, 0.7483722702685469, -1.3533932410986145,
]  # fmt: skip


@functools.cache
def cereal():
    """Results at the reference estimates of the cereal problem."""
    sigma, pi = np.diag(THETA[:4]), np.zeros((4, 4))
    pi[[0, 0, 1, 1, 1, 2, 2, 3, 3], [0, 2, 0, 1, 3, 0, 2, 0, 2]] = THETA[4:]
    return cereal_problem().solve(sigma, pi, optimization=Optimization("return"), method="1s")


# name: the formulas of X1 and X2, the coefficients behind the data, sigma. Prices lie in [0.5, 2.5].
ECONOMIES = {
    "linear": ("1 + prices + x", "1 + prices + x", [1.0, -3.0, 0.5], [0.5, 0.4, 0.6]),
    "log": ("1 + log(prices) + x", "1 + x", [0.5, -4.0, 0.5], [0.5, 0.6]),
    "square": ("1 + prices + I(prices**2) + x", "1 + prices", [1.0, -2.0, -0.3, 0.5], [0.5, 0.3]),
    "interaction": ("1 + prices + x", "1 + prices:x", [1.0, -3.0, 0.5], [0.5, 0.3]),
    "logit": ("1 + prices + x", None, [1.0, -3.0, 0.5], []),
}
COUNTS = [(1, 1), (2, 7), (5, 20), (3, 1), (8, 13), (4, 5), (1, 9)]  # products and agents of each market


@functools.cache
def economy(name, seed=0):
    """Formulas, product data, agent data, sigma and pi of a small economy; rows are shuffled."""
    linear, nonlinear, beta, spread = ECONOMIES[name]
    rng = np.random.default_rng(seed)
    products, agents = [], []
    pi = 0.2 * np.arange(len(spread))[:, None]
    for t, (J, n) in enumerate(COUNTS):
        x, prices = rng.uniform(0, 1, J), rng.uniform(0.5, 2.5, J)
        nodes, income, weights = rng.normal(size=(n, len(spread))), rng.normal(size=n), rng.uniform(0.5, 1.5, n)
        weights = weights / weights.sum()
        data = {"prices": prices, "x": x}
        delta = Formulation(linear).build(data) @ beta + 0.3 * rng.normal(size=J)
        utility = np.tile(delta, (n, 1))
        if nonlinear:
            tastes = nodes * spread + income[:, None] * pi[:, 0]
            utility += tastes @ Formulation(nonlinear).build(data).T
        shares = weights @ (np.exp(utility) / (1 + np.exp(utility).sum(axis=1, keepdims=True)))
        firms = rng.choice(["b", "a", "c"], J)
        products.append(pd.DataFrame({**data, "market_ids": f"m{9 - t}", "firm_ids": firms, "shares": shares}))
        products[-1]["product_ids"] = [f"p{j}" for j in range(J)]
        agents.append(pd.DataFrame({"market_ids": f"m{9 - t}", "weights": weights, "income": income}))
        agents[-1][[f"nodes{k}" for k in range(len(spread))]] = nodes
    products, agents = (pd.concat(parts).sample(frac=1, random_state=seed) for parts in (products, agents))
    products[[f"demand_instruments{k}" for k in range(9)]] = rng.normal(size=(len(products), 9))
    products["demand_instruments0"] = products["prices"]
    products["demand_instruments1"] = products["prices"] ** 2
    return (linear, nonlinear), products.reset_index(drop=True), agents.reset_index(drop=True), np.diag(spread), pi


@functools.cache
def small(name, seed=0):
    """Our results at that economy's sigma and pi."""
    (linear, nonlinear), products, agents, sigma, pi = economy(name, seed)
    if nonlinear is None:
        return Problem(Formulation(linear), products).solve(method="1s")
    problem = Problem((Formulation(linear), Formulation(nonlinear)), products, Formulation("0 + income"), agents)
    return problem.solve(sigma, pi, optimization=Optimization("return"), method="1s")


@functools.cache
def oracle(name, seed=0):
    """pyblp's results there."""
    import pyblp

    pyblp.options.verbose = False
    (linear, nonlinear), products, agents, sigma, pi = economy(name, seed)
    if nonlinear is None:
        return pyblp.Problem(pyblp.Formulation(linear), products).solve(method="1s")
    formulations = (pyblp.Formulation(linear), pyblp.Formulation(nonlinear))
    problem = pyblp.Problem(formulations, products, pyblp.Formulation("0 + income"), agents)
    return problem.solve(sigma, pi, optimization=pyblp.Optimization("return"), method="1s")


class Draws(PostEstimation):
    """Results reduced to what the mixin needs: bootstrapped ones, or a point."""

    def __init__(self, demands, stacked=True):
        self.problem, self.demands, self.draws, self._stacked = demands[0].problem, demands, len(demands), stacked

    def _demands(self):
        return self.demands


def with_shares(demand):
    """The demand system with the shares that it implies, which a bootstrap's have."""
    shares, x2 = np.empty(demand.delta.size), demand.problem.sorted_products.X2
    Markets(demand.problem).run(demand_kernels.shares_of_markets, demand, demand.delta, x2, shares)
    return dataclasses.replace(demand, known_shares=shares)


def draws_of(results, n=3):
    """Draws of `n` demand systems with other price coefficients; the first is that of `results`."""
    base = results.demand()
    return Draws([with_shares(dataclasses.replace(base, beta=base.beta * (1 + 0.01 * d))) for d in range(n)])


def one_market(delta, prices, alpha=-1.0, firm_ids=None, agents=1):
    """Demand in one market of identical agents, V_j = delta_j, d V_j / d p_j = alpha; rows are sorted."""
    J = len(delta)
    products = {
        "market_ids": np.zeros(J), "shares": np.full(J, 0.5 / J), "prices": np.asarray(prices, dtype=float),
        "firm_ids": np.arange(J) if firm_ids is None else firm_ids, "demand_instruments0": 1.0 + np.arange(J),
        "product_ids": np.arange(J),
    }  # fmt: skip
    nodes = {"market_ids": np.zeros(agents), "weights": np.full(agents, 1 / agents), "nodes0": np.zeros(agents)}
    problem = Problem((Formulation("0 + prices"), Formulation("1")), products, None, nodes)
    parameters = np.zeros((1, 1)), np.zeros((1, 0)), np.array([alpha])
    known = np.asarray(delta, dtype=float), products["prices"], products["shares"]
    return with_shares(Demand(problem, *parameters, *known))


def ours_in(caught):
    """How many of the warnings caught are compecon's; kernels run as Python add numpy's."""
    return sum(issubclass(one.category, CompEconWarning) for one in caught)
