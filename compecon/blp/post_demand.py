"""The part of `PostEstimation` about demand and consumers."""

import numpy as np

from compecon.blp import demand
from compecon.blp.demand_kernels import DIVERSION, ELASTICITY, JACOBIAN
from compecon.blp.welfare import consumer_surpluses
from compecon.errors import DataError, ParameterError


class DemandMethods:
    """Elasticities, diversion, shares and surplus; see `PostEstimation` for shapes."""

    def compute_elasticities(self, name="prices", market_id=None):
        """Elasticities of shares by a characteristic, stacked.

            e_jk = (x_k / s_j) ds_j/dx_k,    ds_j/dx_k = sum_i w_i P_ij a_ik (1[j=k] - P_ik)

        with a_ik the derivative of agent i's utility of k.

        Parameters
        ----------
        name : str or None
            A column of the data that the formulas use; None is mean utility, delta.
        market_id : optional, one market

        Returns
        -------
        (N, max J) float
            Row j, column k; a row has as many columns as its market has products, then NaN.

        Raises
        ------
        ParameterError
            When no formula uses `name`, or as categories only.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> results = cereal_results()
        >>> results.compute_elasticities(market_id="C01Q1")[:2, :2].round(4)
        array([[-2.3452,  0.0081],
               [ 0.0081, -4.6637]])
        """
        return self._compute(demand.stacked_responses, market_id, name, ELASTICITY)

    def compute_demand_jacobians(self, name="prices", market_id=None):
        """Derivatives of shares, ds_j/dx_k in row j, stacked as in `compute_elasticities`.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_demand_jacobians(market_id="C01Q1")[0, 0])
        -0.40396
        """
        return self._compute(demand.stacked_responses, market_id, name, JACOBIAN)

    def compute_diversion_ratios(self, name="prices", market_id=None):
        """Of what product j loses when its characteristic worsens, the part that product k gains, stacked.

            D_jk = -(ds_k/dx_j) / (ds_j/dx_j)

        and on the diagonal D_j0, to the outside good, so that rows sum to one (Conlon and Mortimer 2021).

        Parameters
        ----------
        name, market_id : as in `compute_elasticities`

        Returns
        -------
        (N, max J) float

        Raises
        ------
        ParameterError
            Also when a share does not respond to its own characteristic.

        Notes
        -----
        Responses are read down the columns of the Jacobian, as the equation says. pyblp 1.3 reads along its rows, which
        is the same where a_ij is the same for all products, but not for `log(prices)`, say.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> ratios = cereal_results().compute_diversion_ratios(market_id="C01Q1")
        >>> ratios[0, :3].round(4)
        array([0.399 , 0.0022, 0.0289])
        >>> float(ratios.sum(axis=1).min().round(12))
        1.0
        """
        return self._compute(demand.stacked_responses, market_id, name, DIVERSION)

    def compute_long_run_diversion_ratios(self, market_id=None):
        """Of product j's buyers, the part that would choose k if j left the market, stacked; delta stays as it is.

            D_jk = (s_k without j - s_k) / s_j,  on the diagonal that of the outside good

        Parameters
        ----------
        market_id : optional, one market

        Returns
        -------
        (N, max J) float; rows sum to one

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> cereal_results().compute_long_run_diversion_ratios(market_id="C01Q1")[0, :3].round(4)
        array([0.3931, 0.0025, 0.0304])
        """
        return self._compute(demand.long_run_diversion_ratios, market_id)

    def compute_aggregate_elasticities(self, factor=0.1, name="prices", market_id=None):
        """Response of all inside sales to a proportional change of all products, such as a sales tax.

            E = sum_j [s_j((1 + factor) x) - s_j] / factor

        It is not divided by the inside share: its unit is the market's size. Divide by sum_j s_j for an elasticity.

        Parameters
        ----------
        factor : float, not zero
        name, market_id : as in `compute_elasticities`

        Returns
        -------
        (T, 1) float

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_aggregate_elasticities().mean())
        -0.59674
        """
        if not np.isfinite(factor) or factor == 0:
            raise ParameterError(f"factor = {factor!r}; it must be a finite number other than 0, such as 0.1.")
        return self._compute(demand.aggregate_elasticities, market_id, float(factor), name)

    def compute_mean_own_elasticities(self, name="prices", market_id=None):
        """Each market's mean own elasticity : (T, 1), as `extract_diagonal_means(compute_elasticities(name))`.

        Of each draw of a bootstrap only these T numbers are kept: thousands of draws fit in memory.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> cereal_results().compute_mean_own_elasticities()[:2].ravel().round(4)
        array([-4.2114, -3.965 ])
        """
        return self._compute(demand.mean_own_responses, market_id, name, ELASTICITY)

    def extract_diagonals(self, matrices, market_id=None):
        """Diagonals of stacked matrices, such as own elasticities.

        Parameters
        ----------
        matrices : (N, max J) float, from `compute_elasticities`, say
        market_id : optional, the market whose matrix this is

        Returns
        -------
        (N, 1) float
        """
        markets = self._markets(market_id)
        diagonals = self._diagonals(matrices, markets)
        out = np.empty_like(diagonals)
        out[..., markets.rows] = diagonals
        return out[..., None]

    def extract_diagonal_means(self, matrices, market_id=None):
        """Mean of each matrix's diagonal, such as mean own elasticities : (T, 1); as `extract_diagonals` otherwise."""
        markets = self._markets(market_id)
        sums = np.add.reduceat(self._diagonals(matrices, markets), markets.starts, axis=-1)
        return (sums / markets.sizes)[..., None]

    def _diagonals(self, matrices, markets):
        """(.., n) diagonals, products sorted."""
        matrices, shape = np.asarray(matrices, dtype=np.float64), (markets.rows.size, markets.width)
        if matrices.shape[-2:] != shape or matrices.ndim > 2 + self._stacked:
            raise ParameterError(f"matrices have shape {matrices.shape}; the last two dimensions must be {shape}.")
        return matrices[..., markets.rows, markets.places]

    def compute_probabilities(self, prices=None, delta=None, market_id=None):
        """Choice probabilities of agents, P_ij = exp(V_ij) / (1 + sum_k exp V_ik), stacked.

        Parameters
        ----------
        prices, delta, market_id : as in `compute_shares`

        Returns
        -------
        (N, max I) float; row j has one column for each agent of its market, then NaN
        """
        return self._compute(demand.probabilities, market_id, prices=prices, delta=delta)

    def compute_shares(self, prices=None, delta=None, market_id=None):
        """Market shares at other prices.

            s_j = sum_i w_i exp(V_ij) / (1 + sum_k exp V_ik)

        Parameters
        ----------
        prices : (N, 1) or (N,) float, optional; mean utility becomes delta + (X1(prices) - X1) beta
        delta : (N, 1) or (N,) float, optional, mean utility at `prices`; prices then matter for tastes only
        market_id : optional, one market

        Returns
        -------
        (N, 1) float

        Examples
        --------
        >>> from compecon import datasets
        >>> from compecon.blp.examples import cereal_results
        >>> products, _ = datasets.load_cereal()
        >>> float(cereal_results().compute_shares(1.1 * products.prices).sum() / products.shares.sum())
        0.87458
        """
        return self._compute(demand.market_shares, market_id, prices=prices, delta=delta)

    def compute_consumer_surpluses(
        self, prices=None, keep_all=False, eliminate_product_ids=None, product_ids_index=0, market_id=None
    ):
        """Expected surplus of consumers in units of prices, up to a constant (Small and Rosen 1981).

            CS = sum_i w_i log(1 + sum_j exp V_ij) / (-alpha_i),   alpha_i = d V_ij / d p_j

        Parameters
        ----------
        prices : (N, 1) or (N,) float, optional
        keep_all : bool, each agent's surplus instead of the mean
        eliminate_product_ids : sequence, optional, `product_ids` that no consumer can choose
        product_ids_index : int, the column of `product_ids` that is meant, where it has several
        market_id : optional, one market

        Returns
        -------
        (T, 1) float, population normalised to one; with `keep_all` (T, max I), then NaN

        Raises
        ------
        ParameterError
            When prices matter more for one product than for another, or alpha_i >= 0 for some agent: income effects and
            consumers who like higher prices have no such surplus.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_consumer_surpluses().mean())
        0.03425
        """
        eliminated = None
        if eliminate_product_ids is not None:
            if isinstance(eliminate_product_ids, str):
                raise ParameterError(f"eliminate_product_ids = {eliminate_product_ids!r}; it must be a list of ids.")
            ids = self.problem.sorted_products.product_ids
            if ids is None:
                raise DataError("product_data has no product_ids, by which to eliminate products. Add the column.")
            eliminated = np.isin(ids.reshape(len(ids), -1)[:, product_ids_index], list(eliminate_product_ids))
        return self._compute(consumer_surpluses, market_id, keep_all, eliminated, prices=prices)
