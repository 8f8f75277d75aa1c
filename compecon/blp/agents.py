"""Simulated consumers: from agent data, an integration rule, or both, to rows sorted by market."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from compecon.blp.columns import column, field_names, matrix, numeric
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.blp.printed import named
from compecon.errors import CompEconWarning, DataError, ParameterError

# Weights printed with seven digits, as in many files, still pass.
_WEIGHTS_TOL = 1e-6


@dataclass(frozen=True, eq=False)
class Agents:
    """Consumer types: taste draws nu_i ("nodes"), demographics d_i and weights w_i, in rows sorted by market.

    Attributes
    ----------
    starts : (T + 1,) int64; market t has rows starts[t]:starts[t + 1]
    weights : (I,) float, summing to one in each market
    nodes : (I, K2) float
    demographics : (I, D) float
    traits : (I, K2 + D) float, [nodes | demographics]; the two above are views of it
    names : tuple of D str, the demographics' labels
    """

    starts: np.ndarray
    weights: np.ndarray
    nodes: np.ndarray
    demographics: np.ndarray
    traits: np.ndarray
    names: tuple


def build_agents(products, K2, agent_formulation=None, agent_data=None, integration=None):
    """The agents of the markets of `products`.

    Parameters
    ----------
    products : Products; its (T,) `unique_market_ids` are used
    K2 : int, number of nonlinear characteristics; 0 is the plain logit, with one agent a market
    agent_formulation : Formulation of the demographics, optional
    agent_data : table, optional
        Column `market_ids`; the formulation's columns; without an integration also `weights` and `nodes0`, `nodes1`,
        .. (or one matrix `nodes`), of which the first K2 are used.
    integration : Integration, optional
        Replaces the weights and nodes of `agent_data`. A market then needs at least as many rows of demographics as
        the rule has nodes; rows beyond are left out.

    Returns
    -------
    Agents

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from compecon.blp.integration import Integration
    >>> agents = build_agents(SimpleNamespace(unique_market_ids=np.array(["a", "b"])), 2,
    ...                       integration=Integration("product", 3))
    >>> agents.starts.tolist(), agents.traits.shape
    ([0, 9, 18], (18, 2))
    """
    _check_sources(K2, agent_formulation, agent_data, integration)
    markets, demographics, names = products.unique_market_ids, None, ()
    if agent_data is not None:
        order, counts = _match_markets(agent_data, markets)
    if agent_formulation is not None:
        demographics, names = agent_formulation.build(agent_data)[order], agent_formulation.labels(agent_data)
    if K2 == 0:
        nodes, weights, counts = np.empty((markets.size, 0)), np.ones(markets.size), np.ones(markets.size, np.int64)
    elif integration is None:
        nodes, weights = _given_draws(agent_data, K2, order)
        _check_weights(weights, markets, counts)
    else:
        _, nodes, weights = integration.build_many(K2, markets)
        built = weights.size // markets.size
        if demographics is not None:
            demographics = _leading_rows(demographics, built, markets, counts)
        counts = np.full(markets.size, built)
    traits = np.ascontiguousarray(nodes if demographics is None else np.hstack([nodes, demographics]))
    return Agents(np.append(0, np.cumsum(counts)), weights, traits[:, :K2], traits[:, K2:], traits, tuple(names))


def _check_sources(K2, agent_formulation, agent_data, integration):
    """That what was given has the right types and suffices."""
    if K2 == 0 and not (agent_formulation is None and agent_data is None and integration is None):
        raise ParameterError("there are agents, but no X2 for them to disagree about. Add a formulation of X2, or "
                             "leave out agent_formulation, agent_data and integration.")
    for value, kind, name in ((agent_formulation, Formulation, "agent_formulation"),
                              (integration, Integration, "integration")):
        if value is not None and not isinstance(value, kind):
            raise ParameterError(f"{name} = {value!r}; it must be of type {kind.__name__}, or None.")
    if agent_formulation is not None and agent_formulation.absorb is not None:
        raise ParameterError("agent_formulation absorbs fixed effects; demographics have none. Leave out absorb.")
    if agent_data is None and agent_formulation is not None:
        raise ParameterError("agent_formulation describes columns of agent_data, which is missing. Give it.")
    if agent_data is None and integration is None and K2 > 0:
        raise ParameterError("X2 needs agents: give agent_data, or an integration such as Integration('product', 5).")


def _match_markets(agent_data, markets):
    """`order` : (I,) sorts the rows of `agent_data` by market, in file order within one; and (T,) numbers of rows."""
    if {"availability", "availability0"} & set(field_names(agent_data)):
        raise DataError("agent_data has a field 'availability', but every agent faces all products of the market here. "
                        "Remove it.")
    ids = column(agent_data, "market_ids")
    codes = pd.Index(markets).get_indexer(ids)
    if (codes < 0).any():
        raise DataError(f"agent_data has agents in markets without products: {named(pd.unique(ids[codes < 0]))}. "
                        f"Remove them, or write the ids as in product_data: {named(markets)}.")
    counts = np.bincount(codes, minlength=markets.size)
    if (counts == 0).any():
        raise DataError(f"agent_data has no agents for these markets of product_data: {named(markets[counts == 0])}. "
                        f"Add some, or write the ids as in product_data.")
    return np.argsort(codes, kind="stable"), counts


def _given_draws(agent_data, K2, order):
    """Nodes (I, K2) and weights (I,) of `agent_data`, in the rows' `order`."""
    nodes, labels = matrix(agent_data, "nodes")
    if len(labels) < K2:
        raise DataError(f"agent_data has {len(labels)} columns nodes0, nodes1, .., but X2 has {K2}, and each needs "
                        f"one. Add them (any number will do where sigma is zero), or give an integration.")
    if "weights" not in field_names(agent_data):
        raise DataError("agent_data has no column 'weights'. Add it, or give an integration.")
    return nodes[order, :K2], numeric(agent_data, "weights")[order]


def _check_weights(weights, markets, counts):
    """Refuse negative weights; warn of those that do not sum to one in a market."""
    first = np.cumsum(counts) - counts
    sums = np.add.reduceat(weights, first)
    bad = (np.minimum.reduceat(weights, first) < 0) | (sums == 0)
    if bad.any():
        raise DataError(f"weights in agent_data are negative, or all zero, in markets {named(markets[bad])}. They are "
                        f"shares of consumers, positive numbers that sum to one in each market.")
    off = np.abs(sums - 1) > _WEIGHTS_TOL
    if off.any():
        found = [f"{market}: {total:.6g}" for market, total in zip(markets[off], sums[off], strict=True)]
        warnings.warn(f"weights in agent_data do not sum to one in some markets ({named(found)}). They are used as "
                      "they are; divide them by their sums, unless they are importance weights.",
                      CompEconWarning, stacklevel=4)


def _leading_rows(demographics, built, markets, counts):
    """The first `built` rows of each market."""
    few = counts < built
    if few.any():
        raise DataError(f"the integration has {built} nodes a market, but agent_data has fewer rows in markets "
                        f"{named(markets[few])}: {named(counts[few])}. Use a smaller rule, or bring more demographics.")
    return demographics[((np.cumsum(counts) - counts)[:, None] + np.arange(built)).ravel()]
