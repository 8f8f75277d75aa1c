"""A small simulated economy for the tests of estimation: markets of all sizes, rows in no order; ours or pyblp's."""

import functools

import numpy as np
import pandas as pd

from compecon import blp

SIGMA = np.array([[0.5, 0.0, 0.0], [0.0, 0.8, 0.0], [0.0, 0.0, 0.6]])
PI = np.array([[0.4, 0.0], [0.3, 0.2], [0.0, 0.3]])
LINEAR, NONLINEAR, DEMOGRAPHICS = "1 + prices + x + w", "1 + prices + x", "0 + income + age"
COUNTS = tuple((2 + (3 * t) % 5, 6 + (7 * t) % 9) for t in range(12))  # products and agents of each market


@functools.cache
def economy(seed=0, counts=COUNTS):
    """Product and agent data; rows are shuffled, market ids do not sort as they are numbered."""
    rng = np.random.default_rng(seed)
    products, agents = [], []
    for t, (J, n) in enumerate(counts):
        x, w, z, xi = rng.uniform(0, 2, J), rng.normal(size=J), rng.uniform(0, 1, (J, 8)), 0.3 * rng.normal(size=J)
        prices = 1 + 0.5 * z[:, 0] + 0.5 * z[:, 1] * z[:, 2] + 0.2 * x + 0.3 * xi + 0.1 * rng.uniform(size=J)
        nodes, income, age = rng.normal(size=(n, 3)), rng.normal(size=n), rng.uniform(-1, 1, n)
        weights = rng.uniform(0.5, 1.5, n)
        delta = 0.5 - 2.5 * prices + 0.8 * x + 0.3 * w + xi
        tastes = nodes @ SIGMA.T + np.column_stack([income, age]) @ PI.T
        V = np.exp(delta + tastes @ np.array([np.ones(J), prices, x]))
        shares = (weights / weights.sum()) @ (V / (1 + V.sum(axis=1, keepdims=True)))
        market = f"m{(7 * t) % len(counts)}"
        products.append(pd.DataFrame({"market_ids": market, "shares": shares, "prices": prices, "x": x, "w": w}))
        products[-1] = products[-1].assign(
            firm_ids=np.arange(J) % 2, brand=[f"b{j}" for j in range(J)], region=f"r{t % 3}",
            clustering_ids=[f"{t}-{j // 2}" for j in range(J)],
        )
        products[-1][[f"demand_instruments{k}" for k in range(12)]] = np.hstack([z, z[:, :4] * x[:, None]])
        agents.append(pd.DataFrame({"market_ids": market, "weights": weights / weights.sum(), "income": income}))
        agents[-1][["age", "nodes0", "nodes1", "nodes2"]] = np.column_stack([age, nodes])
    products, agents = (pd.concat(parts).sample(frac=1, random_state=seed) for parts in (products, agents))
    return products.reset_index(drop=True), agents.reset_index(drop=True)


def problem(library=blp, linear=LINEAR, absorb=None, nonlinear=NONLINEAR, demographics=DEMOGRAPHICS, integration=None,
            seed=0, products=None, agents=None, counts=COUNTS):
    """The economy's problem in `library` (compecon.blp or pyblp); formulas, data and integration can be others."""
    known = economy(seed, counts)
    products, agents = known[0] if products is None else products, known[1] if agents is None else agents
    formulations = [library.Formulation(linear, absorb) if absorb else library.Formulation(linear)]
    if nonlinear is None:
        return library.Problem(formulations[0], products)
    formulations = (formulations[0], library.Formulation(nonlinear))
    demographics = library.Formulation(demographics) if demographics else None
    rule = library.Integration(*integration) if integration else None
    if rule is not None and demographics is None:
        return library.Problem(formulations, products, integration=rule)
    return library.Problem(formulations, products, demographics, agents, rule)


def unbounded(shape):
    """Bounds that bind nowhere: by itself pyblp bounds the diagonal of sigma at 0."""
    return np.full(shape, -np.inf), np.full(shape, np.inf)


def stand(library, built, sigma=SIGMA, pi=PI, **options):
    """Results at sigma and pi, without a search."""
    if sigma is not None:
        options |= {"sigma_bounds": unbounded(np.shape(sigma))}
    options = {"method": "1s", "optimization": library.Optimization("return")} | options
    return built.solve(sigma, pi, **options) if sigma is not None else built.solve(**options)
