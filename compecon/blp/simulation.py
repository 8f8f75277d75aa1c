"""Simulation: from known parameters and costs to Bertrand-Nash prices and shares, and to data for estimation."""

import dataclasses
import functools
import warnings
from dataclasses import dataclass

import numpy as np

from compecon._options import one_of, positive, vector
from compecon.blp import supply, tables
from compecon.blp.columns import column, field_names, records
from compecon.blp.construction import build_blp_instruments, build_matrix
from compecon.blp.demand import market_shares, utilities
from compecon.blp.demand_system import Demand
from compecon.blp.formulation import Formulation
from compecon.blp.markets import Markets
from compecon.blp.parameters import build_parameters
from compecon.blp.post_estimation import PostEstimation
from compecon.blp.printed import Printed, named
from compecon.blp.problem import Problem
from compecon.blp.products import build_products
from compecon.errors import ConvergenceWarning, DataError, ParameterError


class Simulation(Printed):
    """An economy with known parameters, whose prices and shares `replace_endogenous` finds.

        utility   V_ij = X1_j beta + xi_j + X2_j (Sigma nu_i + Pi d_i)
        cost      c_j = X3_j gamma + omega_j,  or its exponential

    Parameters
    ----------
    product_formulations : Formulation or sequence of up to three, of X1, X2 and X3, without fixed effects to absorb
        X2 may be None. X3 describes costs; without it, give costs to `replace_endogenous`.
    product_data : table with `market_ids` and `firm_ids`, one row a product
        Other columns that the formulas use are drawn where they are missing. `demand_instruments0`, .. are kept;
        where there are none, those of Berry, Levinsohn and Pakes (1995) are made from X1, with the cost shifters.
    beta, sigma, pi, gamma : (K1,), (K2, K2), (K2, D), (K3,), the true parameters
    agent_formulation, agent_data, integration : as for Problem
    xi, omega : (N,) unobserved demand and cost
        Without X3 give xi; with it give both or neither. Then they are drawn, normal with `xi_variance`,
        `omega_variance` and `correlation`.
    costs_type : {'linear', 'log'}
    seed : int or numpy RandomState, optional
        Draws, in this order: missing columns, uniform on (0, 1) (shares, prices, then each formula's, sorted by name);
        xi and omega.

    Attributes
    ----------
    product_data : record array, completed; prices and shares in it stand for nothing yet
    drawn : tuple of str, the columns that were drawn
    xi, omega, costs : (N, 1), or None; rows as in product_data
    problem : Problem with this product_data, for its dimensions

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> from compecon import blp
    >>> simulation = blp.Simulation(
    ...     (blp.Formulation("1 + prices + x"), blp.Formulation("0 + x"), blp.Formulation("0 + x + z")),
    ...     blp.build_id_data(T=50, J=20, F=10), beta=[1, -2, 2], sigma=3, gamma=[1, 4], xi_variance=0.25,
    ...     omega_variance=0.25, integration=blp.Integration("product", 5), seed=0,
    ... )
    >>> simulation.drawn
    ('shares', 'prices', 'x', 'z')
    >>> results = simulation.replace_endogenous()
    >>> results.product_data.prices[:2]
    array([[2.5996],
           [3.6343]])
    >>> estimates = results.to_problem().solve(sigma=2, optimization=blp.Optimization("bfgs"))
    >>> estimates.sigma, estimates.sigma_se
    (array([[3.081]]), array([[0.268]]))
    """

    def __init__(
        self, product_formulations, product_data, beta, sigma=None, pi=None, gamma=None, agent_formulation=None,
        agent_data=None, integration=None, xi=None, omega=None, xi_variance=1, omega_variance=1, correlation=0.9,
        costs_type="linear", seed=None,
    ):  # fmt: skip
        self.product_formulations = linear, nonlinear, supply_side = _three_formulations(product_formulations)
        state = seed if isinstance(seed, np.random.RandomState) else np.random.RandomState(seed)
        data, self.drawn = _completed(product_data, self.product_formulations, state)
        self.product_data = records(data)
        self.problem = Problem((linear, nonlinear), data, agent_formulation, agent_data, integration)
        parameters = build_parameters(self.problem, sigma, pi)
        self.sigma, self.pi = parameters.split(parameters.theta)
        self.beta, self.gamma = _coefficients(beta, linear, data, "beta"), None
        variances = positive(xi_variance, "xi_variance"), positive(omega_variance, "omega_variance")
        if not -1 <= correlation <= 1:
            raise ParameterError(f"correlation = {correlation!r}; it must lie between -1 and 1.")
        if xi is None and omega is None and supply_side is not None:
            spread = np.diag(variances) + (1 - np.eye(2)) * correlation * np.sqrt(np.prod(variances))
            xi, omega = state.multivariate_normal([0, 0], spread, self.problem.N).T
        if xi is None or (omega is None) != (supply_side is None):
            raise ParameterError("give xi alone where there is no X3 (costs); with X3 give xi and omega, or neither.")
        self.xi, self.omega, self.costs = self._column(xi, "xi"), None, None
        if supply_side is not None:
            self.gamma, self.omega = _coefficients(gamma, supply_side, data, "gamma"), self._column(omega, "omega")
            level = (supply_side.build(data) @ self.gamma)[:, None] + self.omega
            self.costs = np.exp(level) if one_of(costs_type, ("linear", "log"), "costs_type") == "log" else level

    def _column(self, values, name):
        return vector(Markets(self.problem).checked(values, name), name)[:, None]

    def replace_endogenous(self, costs=None, prices=None):
        """Prices that maximise each firm's profit given the others', p = c + zeta(p), and the shares they bring.

        Parameters
        ----------
        costs : (N,) or (N, 1), needed where no X3 gives them
        prices : (N,) or (N, 1), where the search starts; the costs by default

        Returns
        -------
        SimulationResults

        Raises
        ------
        ParameterError

        Warns
        -----
        ConvergenceWarning
            Where prices of some markets were not found; they and the shares are NaN there.
        """
        costs = self.costs if costs is None else costs
        if costs is None:
            raise ParameterError("costs are missing: give them, or a third formulation (X3) and gamma.")
        problem, products, markets = self.problem, self.problem.sorted_products, Markets(self.problem)
        costs = markets.read(self._column(costs, "costs"), "costs")
        start = costs if prices is None else markets.read(self._column(prices, "prices"), "prices")
        delta = products.X1 @ self.beta + problem.to_market_order(self.xi)[:, 0]
        demand = Demand(problem, self.sigma, self.pi, self.beta, delta, products.prices, products.shares)
        prices, converged = supply.solve_prices(demand, markets, supply.conduct(markets), costs, start)
        # Prices below costs solve the first-order conditions of demand that rises in prices, and maximise nothing.
        converged = (converged == 1) & ~np.logical_or.reduceat(prices < costs, products.starts[:-1])
        prices[~np.repeat(converged, markets.sizes)] = np.nan
        failed = problem.unique_market_ids[~converged]
        if failed.size:
            warnings.warn(
                f"no equilibrium prices were found in {failed.size} of {problem.T} markets ({named(failed)}); prices "
                "and shares are NaN there. Check that demand falls in prices, or start elsewhere (prices=).",
                ConvergenceWarning, stacklevel=2,
            )  # fmt: skip
        delta, found = utilities(demand, prices)[0], {"prices": markets.write(prices)}
        found["shares"], _ = market_shares(demand, markets, prices)
        data = records({name: self.product_data[name] for name in self.product_data.dtype.names} | found)
        return SimulationResults(self, data, markets.write(delta), markets.write(costs), converged)

    def _tables(self):
        names, drawn = self.problem.x2_names, f"Drawn: {', '.join(self.drawn)}." if self.drawn else "Nothing was drawn."
        shown = [tables.beta_table(self.beta, None, self.problem.x1_names, "robust")]
        if names:
            labels = names, self.problem.demographic_names, "robust"
            shown.insert(0, tables.nonlinear_table(self.sigma, self.pi, None, None, *labels))
        shown = [dataclasses.replace(table, title=table.title.replace("Estimates", "True Values")) for table in shown]
        if self.gamma is not None:
            names = self.product_formulations[2].labels(self.product_data)
            shown.append(tables.Table("Gamma True Values", names, (self.gamma.tolist(),)))
        return [*self.problem._tables(), *shown[:-1], dataclasses.replace(shown[-1], notes=(drawn,))]


@dataclass(frozen=True, eq=False, repr=False)
class SimulationResults(Printed, PostEstimation):
    """An economy in equilibrium, with every `compute_*` method of estimation results at the true parameters.

    Attributes
    ----------
    simulation : Simulation
    product_data : record array with the prices and shares, from which a Problem can be made
    delta, costs : (N, 1), rows as in product_data
    fp_converged : (T,) bool, whether prices were found
    """

    simulation: Simulation
    product_data: np.recarray
    delta: np.ndarray
    costs: np.ndarray
    fp_converged: np.ndarray

    @property
    def converged(self):
        """True when prices were found in every market."""
        return bool(self.fp_converged.all())

    @functools.cached_property
    def problem(self):
        """The problem that an econometrician faces who knows the model and the agents, but not the parameters."""
        before = self.simulation.problem
        return before.with_products(build_products(before.product_formulations, self.product_data))

    def to_problem(self, product_formulations=None, agent_formulation=None, agent_data=None, integration=None):
        """A problem with the simulated product data: of the true model and its own agents, or of the arguments.

        Where product_formulations are given, the other arguments are those of Problem, too.
        """
        if product_formulations is None:
            return self.problem
        return Problem(product_formulations, self.product_data, agent_formulation, agent_data, integration)

    def demand(self):
        """The demand system at the true parameters."""
        true, products = self.simulation, self.problem.sorted_products
        delta = self.problem.to_market_order(self.delta)[:, 0]
        return Demand(self.problem, true.sigma, true.pi, true.beta, delta, products.prices, products.shares)

    def _demands(self):
        return [self.demand()]

    def table(self):
        """A Table of one row."""
        facts = {"Markets": self.fp_converged.size, "Fixed Points\nFailed": int((~self.fp_converged).sum())}
        return tables.summary_table("Simulation Results Summary", facts)


def _three_formulations(formulations):
    formulations = (formulations,) if isinstance(formulations, Formulation) else tuple(formulations)
    if len(formulations) > 3 or not all(f is None or isinstance(f, Formulation) for f in formulations):
        raise ParameterError("product_formulations must be up to three Formulation objects: of X1, X2 or None, and X3.")
    if any(f is not None and f.absorb is not None for f in formulations):
        raise ParameterError("a simulation absorbs no fixed effects; write them as C(column), with a beta for each.")
    costs = (*formulations, None, None)[2]
    if costs is not None and (costs.uses("prices") or costs.uses("shares")):
        raise ParameterError(f"formula = {costs.formula!r}: costs that depend on prices or shares are not supported.")
    return (*formulations, None, None)[:3]


def _completed(product_data, formulations, state):
    """{name: column} with everything that the formulas use and instruments, and the names of what was drawn."""
    data = {name: np.asarray(product_data[name]) for name in field_names(product_data)}
    if "firm_ids" not in data:
        raise DataError("product_data has no firm_ids, so that it is not known who sets which price. Add the column.")
    _, market, sizes = np.unique(column(data, "market_ids"), return_inverse=True, return_counts=True)
    needed = ["shares", "prices"] + [name for f in formulations if f is not None for name in f.variables]
    drawn = tuple(dict.fromkeys(name for name in needed if name not in data))
    for name in drawn:
        data[name] = state.uniform(size=market.size) / (sizes[market] if name == "shares" else 1)
    if not any(name.startswith("demand_instruments") for name in data):
        data["demand_instruments"] = _instruments(formulations, data, sizes)
    return data, drawn


def _instruments(formulations, data, sizes):
    """Sums of X1's exogenous variables over other products, and the cost shifters that X1 does not have : (N, MD)."""
    used = [set() if f is None else set(f.variables) - {"prices"} for f in formulations]
    characteristics, shifters = sorted(used[0]), sorted(used[2] - used[0])
    blocks = [np.empty((sizes.sum(), 0))]
    # How many products there are tells markets apart only if it varies.
    if characteristics or np.ptp(sizes):
        formula = Formulation(" + ".join([str(int(np.ptp(sizes) > 0)), *characteristics]))
        sums = build_blp_instruments(formula, data)
        blocks.append(sums[:, np.ptp(sums, axis=0) > 0])
    if shifters:
        blocks.append(build_matrix(Formulation(" + ".join(["0", *shifters])), data))
    return np.hstack(blocks)


def _coefficients(values, formulation, data, what):
    names, values = formulation.labels(data), [] if values is None else np.ravel(values)
    if len(values) != len(names):
        raise ParameterError(f"{what} has {len(values)} values; it must have {len(names)}: {', '.join(names)}.")
    return vector(values, what)
