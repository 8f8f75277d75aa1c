"""What the tests of micro moments share: a small asymmetric economy, and the same declarations for us and for pyblp."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd

from compecon.blp.formulation import Formulation
from compecon.blp.inner import invert_shares
from compecon.blp.iteration import Iteration
from compecon.blp.micro import MicroDataset, MicroMoment, MicroPart
from compecon.blp.optimization import Optimization
from compecon.blp.parameters import build_parameters
from compecon.blp.problem import Problem

OURS = SimpleNamespace(Problem=Problem, Formulation=Formulation, Optimization=Optimization, MicroDataset=MicroDataset,
                       MicroPart=MicroPart, MicroMoment=MicroMoment)
# The third taste has no sigma; the second is correlated with the first.
SIGMA = np.array([[0.5, 0, 0], [0.2, 0.7, 0], [0, 0, 0]])
PI = np.array([[0.3, 0], [0, 0.4], [0.2, -0.1]])
SOME = ["m1", "m3", "m4", "m5"]


def economy():
    """Products and agents of six markets, 1 to 6 products and 1 to 9 agents in each, rows shuffled."""
    draw, products, agents = np.random.RandomState(3), [], []
    for t, (n_products, n_agents) in enumerate([(1, 7), (4, 5), (6, 9), (3, 4), (5, 1), (2, 6)]):
        x = draw.uniform(0, 2, n_products)
        prices = 1 + 0.5 * x + draw.uniform(0, 1, n_products)
        odds = np.exp(draw.normal(0, 1, n_products) - prices)
        for j in range(n_products):
            products.append((f"m{6 - t}", x[j], prices[j], odds[j] / (1 + odds.sum()), *draw.normal(size=12)))
        weights = draw.uniform(0.5, 1, n_agents)
        for weight in weights / weights.sum():
            agents.append((f"m{6 - t}", weight, *draw.normal(size=3), draw.lognormal(), draw.uniform()))
    instruments = [f"demand_instruments{k}" for k in range(12)]
    products = pd.DataFrame(products, columns=["market_ids", "x", "prices", "shares", *instruments])
    agents = pd.DataFrame(agents, columns=["market_ids", "weights", "nodes0", "nodes1", "nodes2", "income", "kids"])
    return (products.sample(frac=1, random_state=1, ignore_index=True),
            agents.sample(frac=1, random_state=2, ignore_index=True))


def build_problem(lib=OURS):
    """The economy as a problem of `lib`."""
    products, agents = economy()
    formula = lib.Formulation("1 + prices + x")
    return lib.Problem((formula, formula), products, lib.Formulation("0 + income + kids"), agents)


def declare(lib=OURS):
    """Two surveys whose weights differ among agents; three moments: an average, a ratio, a function of three parts."""
    buyers = lib.MicroDataset("buyers", 300, lambda t, p, a: np.repeat(1 + a.demographics[:, :1], p.size, axis=1),
                              market_ids=SOME)
    everyone = lib.MicroDataset("everyone", 500,
                                lambda t, p, a: np.repeat(0.5 + a.nodes[:, :1] ** 2, 1 + p.size, axis=1))
    spent = lib.MicroPart("income x price", buyers, lambda t, p, a: a.demographics[:, :1] * p.prices.reshape(1, -1))
    x = lib.MicroPart("x", buyers, lambda t, p, a: np.ones((a.size, 1)) * p.X2[:, 2].reshape(1, -1))
    kids = lib.MicroPart("kids, inside", everyone, lambda t, p, a: inside(a.demographics[:, 1:], p.size))
    bought = lib.MicroPart("inside", everyone, lambda t, p, a: inside(np.ones((a.size, 1)), p.size))
    moments = [
        lib.MicroMoment("average", 1.5, spent),
        lib.MicroMoment("ratio", 0.5, [kids, bought], lambda v: v[0] / v[1], lambda v: [1 / v[1], -v[0] / v[1] ** 2]),
        lib.MicroMoment("mix", 0.9, [x, bought, spent], lambda v: v[0] * v[2] - v[1] ** 2,
                        lambda v: [v[2], -2 * v[1], v[0]]),
    ]
    return (buyers, everyone), moments


def inside(column, n_products):
    """(I, 1 + J): zero for the outside good, else the agent's value."""
    return np.hstack([np.zeros((len(column), 1)), np.repeat(column, n_products, axis=1)])


def solve(lib=OURS, moments=()):
    """One evaluation at the starting values; beta is what this tiny sample says, upward-sloping demand included."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "1 of 32 agents")
        problem, at_start = build_problem(lib), lib.Optimization("return")
        return problem.solve(SIGMA, PI, optimization=at_start, method="1s", micro_moments=moments)


def inversion_at(problem, theta=None):
    """Parameters and Inversion at `theta` (None: the starting values)."""
    parameters = build_parameters(problem, SIGMA, PI)
    theta = parameters.theta if theta is None else theta
    return parameters, invert_shares(problem, parameters, theta, Iteration("newton"))


def differences(function, problem):
    """(P, ...) central differences of function(parameters, theta, inversion)."""
    parameters, _ = inversion_at(problem)
    out = []
    for p in range(parameters.theta.size):
        step = np.zeros(parameters.theta.size)
        step[p] = 1e-5
        ahead, behind = (function(parameters, at, inversion_at(problem, at)[1])
                         for at in (parameters.theta + step, parameters.theta - step))
        out.append((ahead - behind) / 2e-5)
    return np.array(out)
