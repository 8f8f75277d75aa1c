"""What can be asked of a demand system: one mixin for estimates, bootstrapped estimates and simulations."""

import warnings

import numpy as np

from compecon.blp.markets import Markets
from compecon.blp.post_demand import DemandMethods
from compecon.blp.post_supply import SupplyMethods
from compecon.blp.printed import named
from compecon.errors import CompEconWarning, ConvergenceError, ConvergenceWarning, ParameterError

# For each kind of failure: the error of a point estimate (None: it only warns), and what to say.
_FAILURES = {
    "flat": (ParameterError,
             "the shares of {count} products do not respond to the products' own characteristic in {where}, so that "
             "ratios to this response are not defined. Ask about a characteristic that consumers value."),
    "singular": (ConvergenceError,
                 "first-order conditions of prices are singular in {where}: margins are not determined there. Look for "
                 "agents who do not mind prices or never choose the outside good, and for empty rows of ownership."),
    "unconverged": (None,
                    "no equilibrium prices were found in {where}; they are NaN there. Start elsewhere (prices=), allow "
                    "more rounds (iteration=), or look for agents who like higher prices."),
    "income": (ParameterError,
               "{count} agents in {where} do not dislike higher prices (alpha_i >= 0): their surplus is not defined in "
               "money."),
}  # fmt: skip


class PostEstimation(DemandMethods, SupplyMethods):
    """All `compute_*` and `extract_*` methods, for a class that has `problem` and `_demands()`.

    Rows of products are in the order of `product_data`, those of markets sorted by id. With `market_id`, all arguments
    and results are those of this market's products. Bootstrapped results have a leading axis of draws; arguments may
    have it, too.

    Where a quantity is not defined, a point estimate raises; a bootstrapped one is NaN for that draw and market, and
    one warning counts them.
    """

    _stacked = False

    def _map_draws(self, function):
        """`function(d, demand)` for each draw, in order; a subclass may run them in parallel."""
        return (function(d, demand) for d, demand in enumerate(self._demands()))

    def _markets(self, market_id):
        return Markets(self.problem, market_id)

    def _compute(self, function, market_id, *options, **columns):
        """function(demand, markets, *options, **columns) for each draw, stacked; columns are a caller's, or None."""
        markets, draws = self._markets(market_id), self.draws if self._stacked else 1
        given = {name: np.asarray(values) for name, values in columns.items() if values is not None}
        each = ((draws, markets.rows.size), (draws, markets.rows.size, 1)) if self._stacked else ()

        def one(d, demand):
            found = {name: markets.read(v[d] if v.shape in each else v, name) for name, v in given.items()}
            return function(demand, markets, *options, **found)

        out, failures = None, []
        for d, (values, failed) in enumerate(self._map_draws(one)):
            out = np.empty((draws, *values.shape)) if out is None else out
            out[d] = values
            failures.append(failed)
        self._report(failures, markets)
        return out if self._stacked else out[0]

    def _report(self, failures, markets):
        """Raise, or warn once, about each kind of failure."""
        for kind, (error, text) in _FAILURES.items():
            counts = np.array([failed[kind] for failed in failures if kind in failed]).reshape(-1, markets.sizes.size)
            if not counts.any():
                continue
            bad = counts.any(axis=0)
            where = f"{bad.sum()} of {bad.size} markets ({named(markets.ids[bad])})"
            if self._stacked:
                where = f"{counts.any(axis=1).sum()} of {self.draws} draws, in {where}"
            message = text.format(count=counts.sum(), where=where)
            if error is not None and not self._stacked:
                raise error(message)
            category, nan = (ConvergenceWarning, "") if error is None else (CompEconWarning, " Their results are NaN.")
            warnings.warn(message + nan, category, stacklevel=4)
