"""Micro data: simulated from an estimated model, and the scores of observed ones."""

import warnings

import numpy as np
import pandas as pd

from compecon.blp import micro_system as system
from compecon.blp.columns import column, matrix, numeric, records, refuse_rows
from compecon.blp.integration import Integration
from compecon.blp.printed import named
from compecon.errors import CompEconWarning, DataError, ParameterError

# Weights printed with seven digits, as in many files, still pass.
_WEIGHTS_TOL = 1e-6


class MicroMethods:
    """What results say about micro data; needs `problem`, `demand()`, `parameters_` and `xi_by_theta_jacobian`."""

    def simulate_micro_data(self, dataset, seed=None):
        """Draw the observations of a survey from the estimated model.

            P(i, j, t) = w_it P_ijt c_ijt / sum_{t, i, j} w_it P_ijt c_ijt

        Parameters
        ----------
        dataset : MicroDataset
        seed : int, optional

        Returns
        -------
        record array of N_d observations, fields of one column
            `micro_ids` 0, 1, ..; `market_ids`; `agent_indices` and `choice_indices`, positions of the agent and of the
            choice within the market. Choice 0 is the outside good, unless the dataset's weights leave it out; then
            it is the first product.

        Notes
        -----
        The cells (agent, choice) of all markets form one line, markets sorted and agents before choices, and each draw
        is a uniform number on it: the same draws as pyblp's. Only one market is held in memory at a time.

        Examples
        --------
        >>> from compecon import blp, datasets
        >>> products, agents = datasets.load_cereal()
        >>> formulations = blp.Formulation("0 + prices", absorb="C(product_ids)"), blp.Formulation("1 + prices")
        >>> problem = blp.Problem(formulations, products, blp.Formulation("0 + income"), agents)
        >>> results = problem.solve(np.diag([0.5, 2]), [[2], [0]], optimization=blp.Optimization("return"))
        >>> buyers = blp.MicroDataset("Buyers", 500, lambda t, p, a: np.ones((a.size, p.size)), market_ids=["C61Q1"])
        >>> data = results.simulate_micro_data(buyers, seed=0)
        >>> data.size, data.dtype.names
        (500, ('micro_ids', 'market_ids', 'agent_indices', 'choice_indices'))
        """
        problem, point = self.problem, system.point_of(self.demand())

        def lines():
            for t, weights, _ in system.blocks(problem, dataset):
                yield t, weights.shape[1], np.cumsum(weights * point.choices(problem, t, weights.shape[1]))

        ends = np.cumsum([line[-1] for _, _, line in lines()])
        if not ends[-1] > 0:
            raise DataError(f"micro dataset {dataset.name!r} samples nobody: all weights are zero, or delta is NaN.")
        draws = np.random.RandomState(seed).random_sample(dataset.observations)
        where = np.searchsorted(ends / ends[-1], draws, side="right")
        found = np.empty((3, draws.size), np.int64)
        for number, (t, width, line) in enumerate(lines()):
            own, start = where == number, ends[number - 1] if number else 0.0
            cells = np.searchsorted((start + line) / ends[-1], draws[own], side="right")
            found[:, own] = np.full(cells.size, t), cells // width, cells % width
        sizes = [np.diff(rows.starts).max() for rows in (problem.sorted_agents, problem.sorted_products)]
        agent, choice = (next(k for k in (np.uint8, np.uint32, np.uint64) if size <= np.iinfo(k).max) for size in sizes)
        ids, markets = np.arange(draws.size).astype(object), problem.unique_market_ids[found[0]].astype(object)
        found = {"agent_indices": found[1].astype(agent), "choice_indices": found[2].astype(choice)}
        return records({"micro_ids": ids, "market_ids": markets} | found)

    def compute_micro_values(self, micro_moments):
        """The model's values of micro moments, (MM,), at the estimates; the moments need not be those matched."""
        moments, point = system.MicroSystem(self.problem, micro_moments), system.point_of(self.demand())
        return moments.values(self.problem, point)

    def compute_micro_scores(self, dataset, micro_data, integration=None):
        """The derivatives by theta of each observation's log-likelihood, given that it was sampled:

            d log [sum_n w_n P_nj c_nj / sum_{t, i, k} w_it P_ikt c_ikt] / d theta

        for choice j of a consumer with known demographics and tastes nu_n of weight w_n. Delta responds to theta.

        Parameters
        ----------
        dataset : MicroDataset
        micro_data : table, one row an observation
            `market_ids`; `choice_indices`, counted as `simulate_micro_data` does; the demographics' columns.
        integration : Integration, optional
            Over tastes with a sigma. None: `micro_data` has several rows for each of its `micro_ids`, with `weights`
            that sum to one over them and `nodes0`, `nodes1`, ..

        Returns
        -------
        list of P arrays (n_obs,), one for each element of theta; rows as in `micro_data`, or in the order of sorted
        `micro_ids`

        Raises
        ------
        DataError
            For missing columns or values, markets outside the dataset and impossible choices; with market and row.

        Notes
        -----
        The denominator covers all markets of the dataset, whether or not observations come from each; pyblp's
        covers those with observations. A choice of probability zero has no score: NaN, and a warning.
        """
        choices = numeric(micro_data, "choice_indices")
        first, code, consumers = _read(self.problem, self.parameters_, dataset, micro_data, integration)
        tables = _score_tables(self, dataset, consumers)
        n_choices = np.array([len(table) for table in tables])[code]
        bad = (choices % 1 != 0) | (choices < 0) | (choices >= n_choices) | (choices != choices[first][code])
        last = n_choices[np.argmax(bad)] - 1
        refuse_rows(bad, f"choice_indices in micro_data are not whole numbers from 0 to {last}, or not the same for "
                    "all rows of one of micro_ids", micro_data,
                    "They count the market's choices as the columns of the dataset's weights do.")
        scores = np.array([table[choice] for table, choice in zip(tables, choices[first].astype(int), strict=True)])
        lost = np.isnan(scores).any(axis=1)
        if lost.any():
            warnings.warn(f"{lost.sum()} of {lost.size} observations have no score (NaN), the first of them number "
                          f"{np.argmax(lost)}: its choice has probability zero in the model, or no weight in micro "
                          f"dataset {dataset.name!r}.", CompEconWarning, stacklevel=2)
        return list(scores.T.copy())

    def compute_agent_scores(self, dataset, micro_data=None, integration=None):
        """The scores of `compute_micro_scores` for every choice: of the problem's agents, or of those in `micro_data`.

        Matched by their average in micro data (`MicroPart` with the scores as values), they are the optimal micro
        moments (Conlon and Gortmaker 2023).

        Returns
        -------
        list of P dicts from market id to an array (I, 1 + J), or (I, J) where the dataset leaves the outside good out;
        NaN where a choice cannot be sampled
        """
        problem, agents, parameters = self.problem, self.problem.sorted_agents, self.parameters_
        if micro_data is not None:
            _, _, consumers = _read(problem, parameters, dataset, micro_data, integration)
        else:
            own = [(t, [i]) for t in system.markets_of(problem, dataset) for i in range(*agents.starts[t : t + 2])]
            draws = [(agents.nodes[i], np.ones(1)) for _, i in own]
            draws = draws if integration is None else _draws(parameters, integration, len(own))
            consumers = [(t, agents.demographics[i], *draw) for (t, i), draw in zip(own, draws, strict=True)]
        by_market = {}
        for consumer, table in zip(consumers, _score_tables(self, dataset, consumers), strict=True):
            by_market.setdefault(consumer[0], []).append(table)
        stacked = {problem.unique_market_ids[t]: np.moveaxis(by_market[t], -1, 0).copy() for t in sorted(by_market)}
        return [{market: table[p] for market, table in stacked.items()} for p in range(parameters.rows.size)]


def _score_tables(results, dataset, consumers):
    """For each consumer d log [sum_n w_n P_nj c_nj / denominator] / d theta : (choices, P); twins share one array."""
    problem, places = results.problem, (results.parameters_.rows, results.parameters_.columns)
    point = system.point_of(results.demand(), *places, problem.to_market_order(results.xi_by_theta_jacobian))
    total, slope = system.weighted_sums(problem, system.blocks(problem, dataset), point)
    goods = {t: system.product_records(problem, t) for t in {consumer[0] for consumer in consumers}}
    tables = {}
    for t, demographics, nodes, weights in consumers:
        key = t, demographics.tobytes(), id(nodes)
        if key not in tables:
            traits = np.hstack([nodes, np.broadcast_to(demographics, (len(nodes), problem.D))])
            people = system.agent_records(problem, t, weights, traits)
            sampled = system.sampling_weights(dataset, problem.unique_market_ids[t], goods[t], people)
            value, change = _likelihoods(point, problem, t, traits, weights[:, None] * sampled)
            with np.errstate(divide="ignore", invalid="ignore"):
                tables[key] = change / value[:, None] - slope[0] / total[0]
            tables[key][~np.isfinite(tables[key])] = np.nan
    return [tables[t, demographics.tobytes(), id(nodes)] for t, demographics, nodes, _ in consumers]


def _likelihoods(point, problem, t, traits, sampled):
    """l_j = sum_n a_nj P_nj : (choices,) and dl_j / dtheta = sum_n a_nj P_nj (dV_nj - sum_k P_nk dV_nk) : (choices, P).

    dV_nj / dtheta_p = x_jp v_np + d delta_j / dtheta_p, with the characteristic x and the trait v that p multiplies.
    """
    rows, _ = system.rows_of(problem, t)
    x, v, slopes = point.x2[rows][:, point.rows], traits[:, point.columns], point.jacobian[rows]
    P = point.choices(problem, t, 1 + len(x), traits)
    mass = sampled * P[:, -sampled.shape[1] :]
    value = mass.sum(axis=0)
    change = -mass.T @ (v * (P[:, 1:] @ x) + P[:, 1:] @ slopes)
    change[-len(x) :] += x * (mass[:, -len(x) :].T @ v) + value[-len(x) :, None] * slopes
    return value, change


def _read(problem, parameters, dataset, data, integration):
    """Observations in a table of micro data: the first row of each, the observation of each row, and the consumers.

    A consumer is (market number, demographics (n, D) or (1, D), nodes (n, K2), weights (n,)).
    """
    markets = pd.Index(problem.unique_market_ids).get_indexer(column(data, "market_ids"))
    known = np.isin(markets, system.markets_of(problem, dataset))
    refuse_rows(~known, f"market_ids in micro_data are outside micro dataset {dataset.name!r}", data,
                "Drop these rows, or declare their markets.")
    demographics, formulation = np.empty((markets.size, 0)), problem.agent_formulation
    if formulation is not None:
        demographics = formulation.build(data)
        if tuple(formulation.labels(data)) != problem.demographic_names:
            raise DataError(f"demographics in micro_data are {named(formulation.labels(data))}; in agent_data they are "
                            f"{named(problem.demographic_names)}. Write categories as columns of zeros and ones.")
    own = _own_draws(parameters, data) if integration is None else None
    ids = np.arange(markets.size) if own is None else own[0]
    _, first, code, counts = np.unique(ids, return_index=True, return_inverse=True, return_counts=True)
    refuse_rows(markets != markets[first][code], "micro_ids in micro_data stand in several markets", data)
    groups = np.split(np.argsort(code, kind="stable"), np.cumsum(counts)[:-1])
    if own is None:
        draws = _draws(parameters, integration, ids.size)
    else:
        _, nodes, weights = own
        draws = [(nodes[rows], weights[rows]) for rows in groups]
        off = np.abs(np.bincount(code, weights) - 1) > _WEIGHTS_TOL
        if off.any():
            warnings.warn(f"weights in micro_data do not sum to one for {named(ids[first][off])} of micro_ids. They "
                          "are used as they are; divide by the sums, unless they are importance weights.",
                          CompEconWarning, stacklevel=3)
    return first, code, [(markets[r[0]], demographics[r], *draw) for r, draw in zip(groups, draws, strict=True)]


def _tastes(parameters):
    """(K2,) bool: the tastes that a sigma multiplies."""
    return parameters.initial[:, : len(parameters.initial)].any(axis=0)


def _spread(nodes, used):
    """Nodes as (n, K2); where there are fewer columns, they belong to the tastes `used`."""
    full, kept = np.zeros((len(nodes), used.size)), used if nodes.shape[1] < used.size else np.ones(used.size, bool)
    full[:, kept] = nodes[:, : kept.sum()]
    return full


def _draws(parameters, integration, n):
    """(nodes, weights) for each of n observations, one pair for all where the rule does not draw."""
    used = _tastes(parameters)
    if not isinstance(integration, Integration) or not used.any():
        raise ParameterError(f"integration = {integration!r}; it must be an Integration over the tastes with a sigma "
                             f"(there are {used.sum()}), or None.")
    sets = 1 if integration.specification == "product" else n
    _, nodes, weights = integration.build_many(int(used.sum()), np.arange(sets))
    pairs = zip(_spread(nodes, used).reshape(sets, -1, used.size), weights.reshape(sets, -1), strict=True)
    return list(pairs) * (n // sets)


def _own_draws(parameters, data):
    """micro_ids (n,), nodes (n, K2) and weights (n,) that micro data bring."""
    (nodes, labels), used = matrix(data, "nodes"), _tastes(parameters)
    if len(labels) < used.sum():
        raise DataError(f"micro_data has {len(labels)} columns nodes0, nodes1, .., but {used.sum()} tastes have a "
                        "sigma. Add them, with micro_ids and weights, or give an Integration.")
    weights = numeric(data, "weights")
    refuse_rows(weights < 0, "weights in micro_data are negative", data)
    return column(data, "micro_ids"), _spread(nodes, used), weights
