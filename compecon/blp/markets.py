"""The markets that a question is about, all or one, and how what is known about their products is laid out.

Inside, arrays of products are (N, ..) and sorted by market. Outside, rows are in the order of `product_data`. Matrices
of markets are stacked: a product's row has one column for each product of its market, in that order, then NaN.
"""

import numpy as np
import pandas as pd

from compecon.blp.demand_kernels import workspace_size
from compecon.blp.printed import named
from compecon.blp.threads import over_markets
from compecon.errors import DataError, ParameterError


class Markets:
    """All markets of a problem, or the one with a given id; ParameterError when there is none.

    Attributes
    ----------
    problem, first, last : the problem, and the numbers of its markets: first..last - 1
    ids, sizes, starts : (T,) arrays: ids, numbers of products, and where each market begins in `block`
    width : int, the largest of `sizes`
    block : slice, where their n products stand among the N sorted ones
    market, places : (n,) int64, the market of each sorted product from 0, and its place there from 0
    rows : (n,) int64, the row of each sorted product in what the caller sees
    """

    def __init__(self, problem, market_id=None):
        products, ids = problem.sorted_products, problem.unique_market_ids
        found = [t for t, known in enumerate(ids.tolist()) if market_id is None or known == market_id]
        if not found:
            raise ParameterError(f"unknown market_id {market_id!r}; choose one of {named(ids)}.")
        self.problem, self.first, self.last = problem, found[0], found[-1] + 1
        bounds = products.starts[self.first : self.last + 1]
        self.ids, self.sizes, self.starts = ids[self.first : self.last], np.diff(bounds), bounds[:-1] - bounds[0]
        self.width = int(self.sizes.max())
        self.block = slice(bounds[0], bounds[-1])
        self.market = np.repeat(np.arange(len(found)), self.sizes)
        self.places = np.arange(self.market.size) - self.starts[self.market]
        self.rows = products.order if market_id is None else self.places

    def checked(self, values, name, width=1):
        """A caller's column as (n,), or stack of `width` columns."""
        values, n = np.asarray(values), self.rows.size
        if values.shape not in ([(n,), (n, 1)] if width == 1 else [(n, width)]):
            raise ParameterError(f"{name} has shape {values.shape}; it must be ({n}, {width}), a row a product.")
        return values.reshape(-1) if width == 1 else values

    def read(self, values, name):
        """A caller's column as (N,) sorted floats; observed prices fill the places of other markets' products."""
        out = self.problem.sorted_products.prices.copy()
        out[self.block] = self.checked(values, name)[self.rows]
        return out

    def write(self, values):
        """(N,) or (N, M) sorted values as a caller's (n, 1) or (n, M)."""
        out = np.empty((self.rows.size, *(values.shape[1:] or (1,))))
        out[self.rows] = values[self.block].reshape(out.shape)
        return out

    def blocks(self):
        """For each market, the slice of the sorted products that are in it."""
        bounds = self.problem.sorted_products.starts[self.first : self.last + 1].tolist()
        return [slice(a, b) for a, b in zip(bounds[:-1], bounds[1:], strict=True)]

    def sums(self, values):
        """(N,) sorted values added up in each market : (T, 1)."""
        return np.add.reduceat(values[self.block], self.starts)[:, None]

    def firms(self, firm_ids=None):
        """(N,) codes, one for each firm of each market, from a caller's ids or those of the data."""
        ids = self.problem.sorted_products.firm_ids
        if firm_ids is None and ids is None:
            raise DataError("product_data has no firm_ids, so that it is not known who sets which price. Add the "
                            "column, or pass firm_ids= or ownership= here.")
        firm = pd.factorize(ids[self.block] if firm_ids is None else self.checked(firm_ids, "firm_ids")[self.rows])[0]
        if (firm < 0).any():
            raise DataError(f"firm_ids are missing for {np.sum(firm < 0)} products. Fill them in.")
        codes = np.zeros(self.problem.N)
        codes[self.block] = pd.factorize(self.market * np.int64(firm.size) + firm)[0]
        return codes

    def run(self, kernel, demand, *arrays):
        """Call `kernel` on these markets, in threads when they are many; its results go into some of `arrays`."""
        products, agents = self.problem.sorted_products, self.problem.sorted_agents
        loadings = np.ascontiguousarray(demand.loadings)
        size = workspace_size(np.diff(agents.starts).max(), np.diff(products.starts).max())

        def call(first, last):
            flat = np.empty(size)
            kernel(first, last, products.starts, agents.starts, agents.weights, agents.traits, loadings, *arrays, flat)

        if self.last - self.first == self.problem.T:
            over_markets(products, agents, call)
        else:
            call(self.first, self.last)

    def each(self, demand, *terms):
        """For each market: a slice of the sorted products, weights (I,), and, a term, base_j + x_j' L t_i : (I, J).

        terms : pairs of base : (N,) and x : (N, K2), such as delta and X2.
        """
        products, agents = self.problem.sorted_products, self.problem.sorted_agents
        for t in range(self.first, self.last):
            here, those = (slice(*part.starts[t : t + 2]) for part in (products, agents))
            tastes = agents.traits[those] @ demand.loadings.T
            yield here, agents.weights[those], *(base[here] + tastes @ x[here].T for base, x in terms)
