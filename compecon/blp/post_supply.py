"""The part of `PostEstimation` about firms: costs, markups, equilibrium prices, mergers."""

from compecon.blp import mergers, supply
from compecon.blp.iteration import Iteration
from compecon.errors import ParameterError


class SupplyMethods:
    """Costs, profits, prices and mergers; see `PostEstimation` for shapes.

    Firms set the prices of their products knowing those of others (Bertrand-Nash). `firm_ids` : (N,), any type, or a
    stack of matrices `ownership` : (N, max J) says who earns what; by default the data's firm_ids. `costs` default to
    those that `compute_costs` finds; with a merger in `firm_ids`, to those before it.
    """

    def compute_costs(self, firm_ids=None, ownership=None, market_id=None):
        """Marginal costs under which observed prices are an equilibrium.

            c = p - eta,    eta = (H * -(ds/dp)')^-1 s

        Parameters
        ----------
        firm_ids : (N,) any type, optional
        ownership : (N, max J) float, optional, H stacked; see `build_ownership`
        market_id : optional, one market

        Returns
        -------
        (N, 1) float

        Raises
        ------
        DataError
            When it is not known who owns what.
        ConvergenceError
            When the conditions are singular in some market.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_costs().mean())
        0.08236
        """
        return self._compute(supply.marginal_costs, market_id, (firm_ids, ownership))

    def compute_markups(self, prices=None, costs=None, market_id=None):
        """Lerner indices (p_j - c_j) / p_j : (N, 1); prices, costs : (N, 1) or (N,).

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_markups().mean())
        0.36387
        """
        return self._compute(supply.markups, market_id, prices=prices, costs=costs)

    def compute_profits(self, prices=None, shares=None, costs=None, market_id=None):
        """Profits (p_j - c_j) s_j of products, population normalised to one : (N, 1); arguments (N, 1) or (N,).

        Shares at other prices have to be given with them.

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_profits().sum())
        2.00324
        """
        return self._compute(supply.profits, market_id, prices=prices, shares=shares, costs=costs)

    def compute_hhi(self, firm_ids=None, shares=None, market_id=None):
        """Herfindahl-Hirschman indices of inside sales, 10,000 for a monopoly.

            HHI = 10,000 sum_f (s_f / sum_j s_j)^2,    s_f the sum of firm f's shares

        Parameters
        ----------
        firm_ids : (N,) any type, optional
        shares : (N, 1) or (N,) float, optional
        market_id : optional, one market

        Returns
        -------
        (T, 1) float

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_hhi().mean())
        3408.19380
        """
        return self._compute(supply.hhi, market_id, firm_ids, shares=shares)

    def compute_passthrough(self, firm_ids=None, ownership=None, market_id=None):
        """How equilibrium prices move with marginal costs, dp_j/dc_k in row j, stacked : (N, max J).

            dp/dc = -(dF/dp)^-1 (H * -(ds/dp)'),    F = s - (H * -(ds/dp)') (p - c)

        at observed prices, with the margins that `firm_ids` or `ownership` imply (Miller, Remer and Sheu 2013).

        Examples
        --------
        >>> from compecon.blp.examples import cereal_results
        >>> float(cereal_results().compute_passthrough(market_id="C01Q1")[0, 0])
        1.00251
        """
        return self._compute(supply.passthrough, market_id, (firm_ids, ownership))

    def compute_approximate_prices(self, firm_ids=None, ownership=None, costs=None, market_id=None):
        """Prices after a merger if shares and their derivatives stayed as they are (Hausman, Leonard and Zona 1994).

            p = c + eta(H after the merger)

        Parameters
        ----------
        firm_ids, ownership : after the merger, as in `compute_costs`
        costs : (N, 1) or (N,) float, optional
        market_id : optional, one market

        Returns
        -------
        (N, 1) float
        """
        return self._compute(supply.approximate_prices, market_id, (firm_ids, ownership), costs=costs)

    def compute_prices(self, firm_ids=None, ownership=None, costs=None, prices=None, iteration=None, market_id=None):
        """Bertrand-Nash prices, after a merger, a divestiture or a change of costs.

            p <- c + zeta(p),    zeta = Lambda^-1 [(H * Gamma') (p - c) - s]

        with Lambda_jj = sum_i w_i a_ij P_ij and Gamma_jk = sum_i w_i a_ik P_ij P_ik (Morrow and Skerlos 2011).

        Parameters
        ----------
        firm_ids, ownership : as in `compute_costs`
        costs : (N, 1) or (N,) float, optional; lower ones are a merger's cost savings
        prices : (N, 1) or (N,) float, optional, where to start; by default observed prices
        iteration : Iteration('simple', {..}), optional
            Its `atol` bounds abs(Lambda * change), its `max_evaluations` the rounds; without one 1e-12 and 5,000.
        market_id : optional, one market

        Returns
        -------
        (N, 1) float; NaN in markets where no equilibrium was found, of which a ConvergenceWarning tells

        Notes
        -----
        Where formulas are linear in prices, all rounds of all markets run in one kernel; otherwise a round rebuilds the
        formulas' columns. A product of share below 1e-4 has to meet the tolerance relative to its share.

        Examples
        --------
        Firm 1 buys firm 2: the mean change of prices, first as it is, then with costs of the two that fall by 5%, then
        with brand F2B05 divested to firm 3.

        >>> from compecon import datasets
        >>> from compecon.blp.examples import cereal_results
        >>> results, (products, _) = cereal_results(), datasets.load_cereal()
        >>> merged = products.firm_ids.replace(2, 1)
        >>> costs = results.compute_costs()[:, 0]
        >>> float((results.compute_prices(merged, costs=costs)[:, 0] - products.prices).mean())
        0.01216
        >>> saved = costs * (1 - 0.05 * (merged == 1))
        >>> float((results.compute_prices(merged, costs=saved)[:, 0] - products.prices).mean())
        0.00983
        >>> divested = merged.mask(products.product_ids == "F2B05", 3)
        >>> float((results.compute_prices(divested, costs=costs)[:, 0] - products.prices).mean())
        0.00913
        """
        if iteration is not None and (not isinstance(iteration, Iteration) or iteration.method != "simple"):
            raise ParameterError(f"iteration = {iteration!r}; prices are iterated by Iteration('simple', {{..}}).")
        limits = () if iteration is None else (iteration.atol, iteration.max_evaluations)
        owners = firm_ids, ownership
        return self._compute(supply.equilibrium_prices, market_id, owners, limits, costs=costs, prices=prices)

    def compute_upp(self, merger_ids, firm_ids=None, costs=None, efficiency=0.0, market_id=None):
        """Upward pricing pressure of a merger (Farrell and Shapiro 2010).

            UPP_j = sum_k D_jk (p_k - c_k) - efficiency c_j,   k over the partners' products

        Parameters
        ----------
        merger_ids : (N,) any type, firm ids after the merger; who shares one there, but not in `firm_ids`, are partners
        firm_ids : (N,) any type, optional, those before
        costs : (N, 1) or (N,) float, optional
        efficiency : float, the fall of the partners' marginal costs, as a share of them
        market_id : optional, one market

        Returns
        -------
        (N, 1) float, in units of prices; zero for products of firms that do not merge

        Examples
        --------
        >>> from compecon import datasets
        >>> from compecon.blp.examples import cereal_results
        >>> results, (products, _) = cereal_results(), datasets.load_cereal()
        >>> merged = products.firm_ids.replace(2, 1)
        >>> float(results.compute_upp(merged).max())
        0.06226
        """
        return self._compute(mergers.pricing_pressure, market_id, merger_ids, firm_ids, float(efficiency), costs=costs)

    def compute_guppi(self, merger_ids, firm_ids=None, costs=None, market_id=None):
        """Gross upward pricing pressure indices, UPP without efficiencies by price (Salop and Moresi 2009).

            GUPPI_j = sum_k D_jk (p_k - c_k) / p_j,   k over the partners' products

        Parameters and shapes are those of `compute_upp`.
        """
        return self._compute(mergers.gross_pricing_pressure_index, market_id, merger_ids, firm_ids, costs=costs)

    def compute_compensating_cost_reductions(self, merger_ids, firm_ids=None, market_id=None):
        """The fall of marginal costs that would leave all prices as they are after a merger (Werden 1996).

            c_j - c'_j = eta_j(merger_ids) - eta_j(firm_ids)

        Divide by `compute_costs` for percentages of marginal cost.

        Parameters
        ----------
        merger_ids, firm_ids, market_id : as in `compute_upp`

        Returns
        -------
        (N, 1) float, in units of prices; zero for products of firms that do not merge

        Examples
        --------
        >>> from compecon import datasets
        >>> from compecon.blp.examples import cereal_results
        >>> results, (products, _) = cereal_results(), datasets.load_cereal()
        >>> merged = products.firm_ids.replace(2, 1)
        >>> costs = results.compute_costs() - results.compute_compensating_cost_reductions(merged)
        >>> bool(abs(results.compute_prices(merged, costs=costs)[:, 0] - products.prices).max() < 1e-9)
        True
        """
        return self._compute(mergers.compensating_cost_reductions, market_id, merger_ids, firm_ids)
