"""Optimal instruments (Chamberlain 1987): what the exogenous data predict of the response of xi to the parameters."""

import dataclasses
import warnings
from dataclasses import dataclass

import numpy as np

from compecon._options import one_of, positive_integer, vector
from compecon.blp import tables
from compecon.blp.demand import market_shares
from compecon.blp.inner import solve_markets
from compecon.blp.iteration import Iteration
from compecon.blp.markets import Markets
from compecon.blp.printed import Printed, named
from compecon.errors import ConvergenceWarning

# One evaluation of the shares leaves no room for a step: delta stays, and only its derivatives are computed.
_AS_GIVEN = Iteration("simple", {"max_evaluations": 1})


@dataclass(frozen=True, eq=False, repr=False)
class OptimalInstrumentResults(Printed):
    """Optimal instruments for theta, and the expectations that they are made of; rows as in product_data.

    Attributes
    ----------
    demand_instruments : (N, P), E[d xi / d theta] / var(xi), a column for each element of theta
    expected_xi_by_theta_jacobian : (N, P), E[d xi / d theta]
    inverse_covariance_matrix : (1, 1), 1 / var(xi)
    expected_prices, expected_shares : (N, 1), where the derivatives are taken
    draws : int, number of draws of xi
    problem_results : ProblemResults, the estimates that they rest on
    """

    problem_results: object
    demand_instruments: np.ndarray
    inverse_covariance_matrix: np.ndarray
    expected_xi_by_theta_jacobian: np.ndarray
    expected_prices: np.ndarray
    expected_shares: np.ndarray
    draws: int

    def to_problem(self):
        """The problem with instruments [E[d xi / d theta] / var(xi), X1 at expected prices, exogenous X1].

        The middle block has the columns of X1 made from prices: xi responds to their beta by -X1. Fixed effects are
        absorbed from all instruments.

        Returns
        -------
        Problem with MD = P + K1
        """
        problem = self.problem_results.problem
        order, products = problem.to_market_order, problem.sorted_products
        endogenous = problem.product_formulations[0].depends(products.columns, "prices")
        X1, _ = problem.rebuild(order(self.expected_prices)[:, 0])
        return problem.with_instruments(
            np.hstack([order(self.demand_instruments), X1[:, endogenous], products.X1[:, ~endogenous]])
        )

    def table(self):
        """A Table of one row."""
        return tables.summary_table("Optimal Instrument Results Summary", {"Error Term\nDraws": self.draws})


class OptimalInstrumentMethods:
    """The method `compute_optimal_instruments` of ProblemResults."""

    def compute_optimal_instruments(self, method="approximate", draws=1, seed=None, expected_prices=None):
        """Instruments that are efficient when xi is independent of the exogenous data:

            Z = E[d xi / d theta | exogenous data] / var(xi),    d xi / d theta = -(ds / d delta)^-1 ds / d theta

        taken at expected prices p^ and mean utilities delta - xi + beta (p^ - p) + xi_r, where xi_r is a draw of xi.

        Parameters
        ----------
        method : {'approximate', 'normal', 'empirical'}
            The distribution of xi_r: zero; normal with the variance of the estimated xi; or drawn from them.
        draws : int
            How many xi_r to average over; one when method is 'approximate'.
        seed : int or numpy RandomState, optional
        expected_prices : (N,) or (N, 1) float, optional
            By default the prices fitted by the instruments: a linear regression of prices on all of them and the fixed
            effects.

        Returns
        -------
        OptimalInstrumentResults

        Raises
        ------
        ParameterError

        Notes
        -----
        Where the derivatives cannot be had (nobody is near the outside good), the estimated d xi / d theta stands in,
        with a warning; pyblp does the same.

        Examples
        --------
        >>> from compecon import blp
        >>> from compecon.blp.examples import cereal_results
        >>> results = cereal_results(blp.Optimization("bfgs", {"gtol": 1e-5}))
        >>> instruments = results.compute_optimal_instruments()
        >>> instruments
        Optimal Instrument Results Summary:
        ==========
        Error Term
          Draws
        ----------
            1
        ==========
        >>> instruments.to_problem().MD
        14
        """
        one_of(method, ("approximate", "normal", "empirical"), "method")
        draws = 1 if method == "approximate" else positive_integer(draws, "draws")
        demand, problem = self.demand(), self.problem
        if expected_prices is None:
            prices = _fitted_prices(problem)
        else:
            given = Markets(problem).checked(expected_prices, "expected_prices")
            prices = problem.to_market_order(vector(given, "expected_prices"))
        shares, jacobian = np.zeros((problem.N, 1)), np.zeros(self.xi_by_theta_jacobian.shape)
        reverted = np.zeros(problem.N, bool)
        for xi in _draws_of_xi(self.xi[:, 0], method, draws, seed):
            moved = demand.delta + problem.to_market_order(xi - self.xi[:, 0])
            drawn = dataclasses.replace(demand, delta=moved)
            shares += market_shares(drawn, Markets(problem), prices)[0] / draws
            response = _response(self, *drawn.characteristics(prices))
            failed = ~np.isfinite(response).all(axis=1)
            response[failed] = problem.to_market_order(self.xi_by_theta_jacobian)[failed]
            jacobian, reverted = jacobian + response / draws, reverted | failed
        _about_reverted(problem, reverted)
        expected, precision = problem.to_file_order(jacobian), np.array([[1 / np.var(self.xi)]])
        prices = problem.to_file_order(prices)[:, None]
        return OptimalInstrumentResults(self, expected * precision, precision, expected, prices, shares, draws)


def _draws_of_xi(xi, method, draws, seed):
    """The draws xi_r : (N,), one after another; the order of random numbers is pyblp's."""
    state = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
    for _ in range(draws):
        if method == "approximate":
            yield np.zeros(xi.size)
        elif method == "normal":
            yield state.normal(0, np.std(xi), xi.size)
        else:
            yield xi[state.choice(xi.size, xi.size)]


def _fitted_prices(problem):
    """Prices as the instruments and the fixed effects predict them : (N,), sorted by market."""
    Z, prices = problem.linear_part.Z, problem.sorted_products.prices
    within = problem.fixed_effects.residualize(prices[:, None])[:, 0]
    return prices - within + Z @ np.linalg.lstsq(Z, within, rcond=None)[0]


def _response(results, delta, X2):
    """d xi / d theta = -(ds / d delta)^-1 ds / d theta at `delta` : (N,) and `X2` : (N, K2); (N, P)."""
    problem, theta = results.problem, results.theta
    out = np.zeros((problem.N, theta.size))
    if theta.size:
        products = dataclasses.replace(problem.sorted_products, X2=np.ascontiguousarray(X2))
        report = np.zeros((problem.T, 3))
        solve_markets(products, problem.sorted_agents, results.parameters_, theta, _AS_GIVEN, delta, out, report)
    return out


def _about_reverted(problem, reverted):
    markets = problem.unique_market_ids[np.logical_or.reduceat(reverted, problem.sorted_products.starts[:-1])]
    if markets.size:
        text = f"in {markets.size} of {problem.T} markets ({named(markets)}); the estimated one stands in there."
        text = f"d xi / d theta cannot be computed at the expected prices {text} Check expected_prices."
        warnings.warn(text, ConvergenceWarning, stacklevel=3)
