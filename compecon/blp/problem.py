"""The problem: data, formulations and integration, checked once; from it everything is estimated."""

from dataclasses import dataclass

import numpy as np

from compecon.blp import tables
from compecon.blp.absorb import FixedEffects
from compecon.blp.agents import build_agents
from compecon.blp.diagnostics import first_stage
from compecon.blp.formulation import Formulation
from compecon.blp.gmm import build_linear_part
from compecon.blp.multistart import multistart
from compecon.blp.printed import Printed
from compecon.blp.products import build_products, check_collinearity
from compecon.blp.resampling import bootstrap
from compecon.blp.solve import solve
from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Problem(Printed):
    """A random-coefficients logit demand problem (Berry, Levinsohn and Pakes 1995).

    Consumer i's utility of product j is V_ij = X1_j beta + xi_j + X2_j (Sigma nu_i + Pi d_i), plus an extreme value
    shock; the outside good's is the shock alone. Unknown are beta, Sigma and Pi.

    Parameters
    ----------
    product_formulations : Formulation, or (Formulation, Formulation)
        X1, with linear parameters beta, and X2, with random coefficients. X1 alone is the plain logit.
    product_data : DataFrame, or a mapping of columns, or a record array, one row a product
        `market_ids`, `shares` (in (0, 1), of the whole market), `prices`, the formulas' columns,
        `demand_instruments0`, `demand_instruments1`, ..; `firm_ids` for anything about supply, `clustering_ids` for
        clustered standard errors, `product_ids`.
    agent_formulation : Formulation, optional
        The demographics d.
    agent_data : as product_data, one row an agent, optional
        `market_ids`, `weights` (summing to 1 in each market), `nodes0`, `nodes1`, .. (the draws nu), demographics.
    integration : Integration, optional
        Builds nodes and weights where agent_data has none.

    Attributes
    ----------
    T, N, F, I : int
        Markets, products in all markets, firms, agents.
    K1, K2, D, MD, ED : int
        Columns of X1, X2 and the demographics; instruments; absorbed fixed effects.
    unique_market_ids : (T,) array
        Sorted; the order of all results by market.

    Raises
    ------
    DataError
        When data are missing, not finite, or impossible (shares that sum to 1 or more); the message names the market or
        the column.
    ParameterError
        For formulations of the wrong number or kind.

    Examples
    --------
    >>> from compecon import blp, datasets
    >>> products, agents = datasets.load_cereal()
    >>> blp.Problem(
    ...     (blp.Formulation("0 + prices", absorb="C(product_ids)"), blp.Formulation("1 + prices + sugar + mushy")),
    ...     products, blp.Formulation("0 + income + income_squared + age + child"), agents,
    ... )
    Dimensions:
    =================================================
     T    N     F    I     K1    K2    D    MD    ED
    ---  ----  ---  ----  ----  ----  ---  ----  ----
    94   2256   5   1880   1     4     4    20    1
    =================================================
    <BLANKLINE>
    Formulations:
    ===================================================================
           Column Indices:           0           1           2      3
    -----------------------------  ------  --------------  -----  -----
     X1: Linear Characteristics    prices
    X2: Nonlinear Characteristics    1         prices      sugar  mushy
           d: Demographics         income  income_squared   age   child
    ===================================================================
    """

    def __init__(self, product_formulations, product_data, agent_formulation=None, agent_data=None, integration=None):
        linear, nonlinear = _two_formulations(product_formulations)
        products = build_products((linear, nonlinear), product_data)
        agents = build_agents(products, products.X2.shape[1], agent_formulation, agent_data, integration)
        self._assemble((linear, nonlinear), agent_formulation, products, agents, products.ZD)

    def _assemble(self, formulations, agent_formulation, products, agents, instruments):
        """Hold the parts; absorb the fixed effects from X1 and the instruments : (N, MD)."""
        vars(self).update(
            product_formulations=formulations, agent_formulation=agent_formulation, sorted_products=products,
            sorted_agents=agents, instruments=instruments, fixed_effects=FixedEffects(products.fixed_effects),
            known_slopes={},
        )  # fmt: skip
        vars(self).update(linear_part=self.reweighted(None))
        labels = products.labels["ZD"] if instruments is products.ZD else None
        check_collinearity(self.linear_part.X1, self.x1_names, "X1", products.X1)
        check_collinearity(self.linear_part.Z, labels, "the instruments", instruments)

    def with_instruments(self, instruments):
        """The same problem with other instruments : (N, MD), rows sorted by market, not absorbed."""
        return self._with(self.sorted_products, instruments)

    def with_products(self, products):
        """The same problem and agents with other products, and their instruments."""
        return self._with(products, products.ZD)

    def _with(self, products, instruments):
        other = object.__new__(Problem)
        other._assemble(self.product_formulations, self.agent_formulation, products, self.sorted_agents, instruments)
        return other

    def reweighted(self, weights):
        """X1 and the instruments absorbed, with rows that count `weights` : (N,) times (None: once)."""
        products = self.sorted_products
        return build_linear_part(
            self.fixed_effects.residualize(products.X1, weights),
            self.fixed_effects.residualize(self.instruments, weights),
            weights,
        )

    def rebuild(self, prices):
        """X1 and X2 at other `prices` : (N,), both sorted by market."""
        products = self.sorted_products
        columns = products.columns | {"prices": prices}
        linear, nonlinear = self.product_formulations
        if not linear.uses("prices") or prices is products.prices:
            X1 = products.X1
        else:
            X1 = linear.build(columns)
        if nonlinear is None or not nonlinear.uses("prices") or prices is products.prices:
            return X1, products.X2
        return X1, nonlinear.build(columns)

    def slopes(self, name, prices):
        """d X1 / d name : (N, K1) and d X2 / d name : (N, K2) at `prices` : (N,), both sorted by market.

        Those at the observed prices are kept: each draw of a bootstrap asks for them.
        """
        products = self.sorted_products
        if prices is products.prices and name in self.known_slopes:
            return self.known_slopes[name]
        columns, n = products.columns | {"prices": prices}, products.shares.size
        found = tuple(
            f.derivative(columns, name) if f is not None and f.uses(name) else np.zeros((n, width))
            for f, width in zip(self.product_formulations, (self.K1, self.K2), strict=True)
        )
        if prices is products.prices:
            self.known_slopes[name] = found
        return found

    def to_file_order(self, values):
        """Rows sorted by market -> rows as in product_data."""
        out = np.empty_like(values)
        out[self.sorted_products.order] = values
        return out

    def to_market_order(self, values):
        """Rows as in product_data -> rows sorted by market."""
        return np.asarray(values)[self.sorted_products.order]

    solve = solve
    multistart = multistart
    bootstrap = bootstrap
    first_stage = first_stage

    @property
    def unique_market_ids(self):
        """(T,) market ids, sorted."""
        return self.sorted_products.unique_market_ids

    @property
    def x1_names(self):
        """Labels of X1's columns."""
        return tuple(self.sorted_products.labels["X1"])

    @property
    def x2_names(self):
        """Labels of X2's columns."""
        return tuple(self.sorted_products.labels["X2"])

    @property
    def demographic_names(self):
        """Labels of the demographics."""
        return tuple(self.sorted_agents.names)

    @property
    def F(self):
        """Number of firms; 0 without firm_ids."""
        firms = self.sorted_products.firm_ids
        return 0 if firms is None else np.unique(firms).size

    T = property(lambda self: self.unique_market_ids.size)
    N = property(lambda self: self.sorted_products.shares.size)
    I = property(lambda self: self.sorted_agents.weights.size)  # noqa: E741
    K1 = property(lambda self: self.sorted_products.X1.shape[1])
    K2 = property(lambda self: self.sorted_products.X2.shape[1])
    D = property(lambda self: len(self.demographic_names))
    MD = property(lambda self: self.instruments.shape[1])
    ED = property(lambda self: len(self.sorted_products.fixed_effects))

    def _tables(self):
        sizes = {name: getattr(self, name) for name in ("T", "N", "F", "I", "K1", "K2", "D", "MD", "ED")}
        if self.K2 == 0:
            sizes = {name: size for name, size in sizes.items() if name not in ("I", "K2", "D")}
        rows = [("X1: Linear Characteristics", self.x1_names)]
        rows += [("X2: Nonlinear Characteristics", self.x2_names)] if self.K2 else []
        rows += [("d: Demographics", self.demographic_names)] if self.D else []
        return tables.dimensions_table(sizes), tables.formulations_table(rows)


def _two_formulations(formulations):
    if isinstance(formulations, Formulation):
        formulations = (formulations,)
    if not isinstance(formulations, (tuple, list)) or not 1 <= len(formulations) <= 3:
        raise ParameterError(
            f"product_formulations = {formulations!r}; give one Formulation (X1: the plain logit) or a pair (X1, X2)."
        )
    if len(formulations) == 3 and formulations[2] is not None:
        raise ParameterError(
            "a third formulation asks for supply estimation, which compecon.blp does not do. Leave it out; "
            "compute_costs recovers marginal costs after demand is estimated."
        )
    linear, nonlinear = (*formulations, None)[:2]
    if not isinstance(linear, Formulation) or not (nonlinear is None or isinstance(nonlinear, Formulation)):
        raise ParameterError("product_formulations must be Formulation objects; X1's, the first, cannot be None.")
    if nonlinear is not None and nonlinear.absorb is not None:
        raise ParameterError("absorb belongs to the first formulation (X1); X2 is never absorbed.")
    return linear, nonlinear
