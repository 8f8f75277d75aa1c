"""A demand system: one problem with one set of parameters. All that follows estimation starts from it."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from compecon.blp.demand_kernels import shares_of_markets
from compecon.blp.markets import Markets
from compecon.errors import ParameterError

if TYPE_CHECKING:
    from compecon.blp.problem import Problem


@dataclass(frozen=True, eq=False)
class Demand:
    """Parameters, mean utilities, prices and shares of one problem; arrays of products are sorted by market."""

    problem: "Problem"
    sigma: np.ndarray  # (K2, K2)
    pi: np.ndarray  # (K2, D)
    beta: np.ndarray  # (K1,)
    delta: np.ndarray  # (N,)
    prices: np.ndarray  # (N,)
    known_shares: np.ndarray | None = None  # (N,) observed ones

    @cached_property
    def shares(self):
        """(N,) the shares at `prices`: observed ones, or those that the system itself implies."""
        if self.known_shares is not None:
            return self.known_shares
        shares = np.empty(self.delta.size)
        Markets(self.problem).run(shares_of_markets, self, self.delta, self.problem.rebuild(self.prices)[1], shares)
        return shares

    @property
    def loadings(self):
        """(K2, K2 + D) [Sigma | Pi]."""
        return np.hstack([self.sigma, self.pi])

    @property
    def price_linear(self):
        """True when all columns of X1 and X2 are affine in prices: d utility / d prices does not depend on them."""
        columns = self.problem.sorted_products.columns
        return all(f.linear_in("prices", columns) for f in self.problem.product_formulations if f is not None)

    def characteristics(self, prices):
        """delta + (X1(prices) - X1) beta and X2(prices), at other `prices` : (N,)."""
        X1, X2 = self.problem.rebuild(prices)
        before, _ = self.problem.rebuild(self.prices)
        return self.delta + (X1 - before) @ self.beta, X2

    def derivatives(self, name, prices=None):
        """(d X1 / d name) beta : (N,) and d X2 / d name : (N, K2), at `prices` (N,) or at the system's own.

        Raises ParameterError when no formula uses the characteristic `name`.
        """
        linear, nonlinear = self.problem.product_formulations
        used = [f for f in (linear, nonlinear) if f is not None and f.uses(name)]
        if not used:
            names = sorted(set().union(*(f.variables for f in (linear, nonlinear) if f is not None)))
            raise ParameterError(f"no formula uses {name!r}; demand depends on {', '.join(names)}.")
        X1dot, X2dot = self.problem.slopes(name, self.prices if prices is None else prices)
        return X1dot @ self.beta, X2dot
