"""Micro moments in estimation: their values, how these respond to theta, and their sampling covariances."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg

from compecon._linalg import add_bilinear
from compecon.blp.columns import records
from compecon.blp.demand_kernels import choice_probabilities
from compecon.blp.micro import MicroDataset, MicroMoment
from compecon.blp.micro_kernels import add_weighted_sums
from compecon.blp.printed import named
from compecon.errors import DataError, ParameterError


class Point(NamedTuple):
    """Where choice probabilities, and with the last three fields their derivatives, are evaluated; sorted by market."""

    x2: np.ndarray  # (N, K2)
    delta: np.ndarray  # (N,)
    loadings: np.ndarray  # (K2, K2 + D)
    rows: np.ndarray | None = None  # (P,) places of theta in the loadings
    columns: np.ndarray | None = None  # (P,)
    jacobian: np.ndarray | None = None  # (N, P) d delta / d theta

    def choices(self, problem, t, width, traits=None):
        """P_ij in market number t, of its agents or of others with `traits` : (I, K2 + D); `width` is 1 + J or J."""
        products, agents = rows_of(problem, t)
        traits = problem.sorted_agents.traits[agents] if traits is None else traits
        inside, outside = np.empty((len(traits), products.stop - products.start)), np.empty(len(traits))
        add_bilinear(self.x2[products], self.delta[products], traits, self.loadings, inside)
        choice_probabilities(inside, outside)
        return inside if width == inside.shape[1] else np.column_stack([outside, inside])


def point_of(demand, *derivatives):
    """The Point of a Demand."""
    return Point(demand.problem.rebuild(demand.prices)[1], demand.delta, demand.loadings, *derivatives)


def rows_of(problem, t):
    """The rows of market number t: slices of the products and of the agents."""
    return tuple(slice(*part.starts[t : t + 2]) for part in (problem.sorted_products, problem.sorted_agents))


def markets_of(problem, dataset):
    """Numbers of the markets of a dataset, in order."""
    if not isinstance(dataset, MicroDataset):
        raise ParameterError(f"dataset = {dataset!r}; it must be a MicroDataset.")
    if dataset.market_ids is None:
        return list(range(problem.T))
    numbers = {market: t for t, market in enumerate(problem.unique_market_ids.tolist())}
    unknown = sorted(map(str, dataset.market_ids - numbers.keys()))
    if unknown:
        raise DataError(f"market_ids of micro dataset {dataset.name!r} are not all in product_data: {named(unknown)}. "
                        f"There they are {named(problem.unique_market_ids)}.")
    return sorted(numbers[market] for market in dataset.market_ids)


def product_records(problem, t):
    """The products of market number t, as users' functions see them."""
    products, rows = problem.sorted_products, rows_of(problem, t)[0]
    names = ("firm_ids", "product_ids", "clustering_ids", "shares", "prices", "X1", "X2", "ZD")
    known = {name: getattr(products, name) for name in names if getattr(products, name) is not None}
    market = np.full(products.shares[rows].size, problem.unique_market_ids[t], object)
    return records({"market_ids": market} | {name: values[rows] for name, values in (products.columns | known).items()})


def agent_records(problem, t, weights, traits):
    """Consumers in market number t, as users' functions see them."""
    nodes, demographics = np.split(traits, [problem.K2], axis=1)
    market = np.full(len(weights), problem.unique_market_ids[t], object)
    return records(dict(zip(problem.demographic_names, demographics.T, strict=True))
                   | {"market_ids": market, "weights": weights, "nodes": nodes, "demographics": demographics})


def sampling_weights(dataset, market, products, agents):
    """c of one market, (I, 1 + J) or (I, J), checked."""
    shapes = (agents.size, 1 + products.size), (agents.size, products.size)
    what = f"compute_weights of micro dataset {dataset.name!r}"
    weights = _call(dataset.compute_weights, what, shapes, market, products, agents)
    # Not `weights < 0`: a NaN must be refused too.
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise DataError(f"{what} returned negative, missing or infinite weights in market {market!r}.")
    return weights


def _call(function, what, shapes, *args):
    """What a user's function of (market, products, agents) returns, in one of the `shapes`."""
    try:
        cells = np.array(function(*args), dtype=np.float64, order="C")
    except Exception as error:
        raise DataError(f"{what} failed in market {args[0]!r}: {type(error).__name__}: {error}") from error
    if cells.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise DataError(f"{what} returned shape {cells.shape} in market {args[0]!r}; it must be {wanted}.")
    return cells


def blocks(problem, dataset, parts=()):
    """For each market of a dataset: its number; w_i c_ij, with the shape of c; a stack of ones and the parts' v_ij."""
    for t in markets_of(problem, dataset):
        market, (_, rows) = problem.unique_market_ids[t], rows_of(problem, t)
        weights, traits = problem.sorted_agents.weights[rows], problem.sorted_agents.traits[rows]
        args = market, product_records(problem, t), agent_records(problem, t, weights, traits)
        sampled = sampling_weights(dataset, *args)
        values = [np.ones_like(sampled)]
        for part in parts:
            what = f"compute_values of micro part {part.name!r}"
            values.append(np.where(sampled > 0, _call(part.compute_values, what, [sampled.shape], *args), 0.0))
            if not np.isfinite(values[-1]).all():
                raise DataError(f"{what} returned missing or infinite values in market {market!r}.")
        yield t, weights[:, None] * sampled, np.array(values)


def weighted_sums(problem, cells, point, n_sums=1):
    """sum_tij P_ij w_i c_ij v_mij : (M,), and its derivatives by theta : (M, P); `cells` as from `blocks`."""
    totals, slopes = np.zeros(n_sums), np.zeros((n_sums, point.rows.size))
    for t, weights, values in cells:
        products, agents = rows_of(problem, t)
        x, traits = point.x2[products], problem.sorted_agents.traits[agents]
        add_weighted_sums(
            point.choices(problem, t, weights.shape[1]), x, traits, point.rows, point.columns,
            point.jacobian[products], weights, values, np.empty(point.loadings.shape), np.empty(len(x)), totals, slopes,
        )  # fmt: skip
    return totals, slopes


class MicroSystem:
    """The micro moments of one problem. The users' functions do not depend on theta: they are called once a market.

    Raises
    ------
    DataError, ParameterError
        For weights or values of a wrong shape or not finite, unknown markets, and names that stand for two things.
    """

    def __init__(self, problem, moments):
        self.moments = tuple(moments) if isinstance(moments, Sequence) else (moments,)
        if not self.moments or not all(isinstance(moment, MicroMoment) for moment in self.moments):
            raise ParameterError(f"micro_moments = {moments!r}; it must be a list of MicroMoment objects.")
        parts = list(dict.fromkeys(part for moment in self.moments for part in moment.parts))
        datasets = list(dict.fromkeys(part.dataset for part in parts))
        for noun, declared in (("moment", self.moments), ("part", parts), ("dataset", datasets)):
            names = [one.name for one in declared]
            if len(set(names)) < len(names):
                name = max(names, key=names.count)
                raise ParameterError(f"{names.count(name)} micro {noun}s have the name {name!r}; give each its own.")
        parts.sort(key=lambda part: datasets.index(part.dataset))
        self.observed = np.array([moment.value for moment in self.moments])
        self._places = [[parts.index(part) for part in moment.parts] for moment in self.moments]
        self._cells = []
        for dataset in datasets:
            cells = list(blocks(problem, dataset, [part for part in parts if part.dataset is dataset]))
            if not any(weights.any() for _, weights, _ in cells):
                raise DataError(f"compute_weights of micro dataset {dataset.name!r} gives weight to nobody.")
            self._cells.append((dataset, cells))

    def evaluate(self, problem, parameters, theta, inversion):
        """Values (MM,), observed less values (MM,), and the derivatives of that by theta (MM, P), through delta too."""
        point = _point(problem, parameters, theta, inversion)
        averages, slopes = [], []
        for _, cells in self._cells:
            totals, by_theta = weighted_sums(problem, cells, point, len(cells[0][2]))
            # At a hopeless theta nobody is left, and the objective takes the NaN as it is.
            with np.errstate(divide="ignore", invalid="ignore"):
                averages.append(totals[1:] / totals[0])
                slopes.append((by_theta[1:] - averages[-1][:, None] * by_theta[0]) / totals[0])
        values, gradients = self._moments_at(np.concatenate(averages))
        return values, self.observed - values, -gradients @ np.concatenate(slopes)

    def covariances(self, problem, parameters, at):
        """(MM, MM) f' C f, with C = (E[vv'] - E[v] E[v]') / N_d for the parts of one dataset; `at` is an Evaluation."""
        seconds = self._second_moments(problem, _point(problem, parameters, at.theta, at.inversion))
        C = [(second - np.outer(second[0], second[0]))[1:, 1:] / dataset.observations
             for second, (dataset, _) in zip(seconds, self._cells, strict=True)]
        _, gradients = self._moments_at(np.concatenate([second[0, 1:] for second in seconds]))
        return gradients @ scipy.linalg.block_diag(*C) @ gradients.T

    def values(self, problem, point):
        """(MM,) values alone."""
        seconds = self._second_moments(problem, point)
        return self._moments_at(np.concatenate([second[0, 1:] for second in seconds]))[0]

    def _moments_at(self, averages):
        """The moments as functions of the parts' averages (PM,): values (MM,), derivatives (MM, PM)."""
        values, gradients = np.empty(len(self.moments)), np.zeros((len(self.moments), averages.size))
        for m, (moment, places) in enumerate(zip(self.moments, self._places, strict=True)):
            value, gradient = (np.ravel(f(averages[places])) for f in (moment.compute_value, moment.compute_gradient))
            if (value.size, gradient.size) != (1, len(places)):
                raise DataError(f"compute_value and compute_gradient of micro moment {moment.name!r} return "
                                f"{value.size} and {gradient.size} numbers; they must return 1 and {len(places)}.")
            values[m], gradients[m, places] = value[0], gradient
        return values, gradients

    def _second_moments(self, problem, point):
        """For each dataset E[uu'], where u stacks one and the parts' v; the first row is E[u]."""
        seconds = []
        for _, cells in self._cells:
            total = 0.0
            for t, weights, values in cells:
                u = values.reshape(len(values), -1)
                total = total + u * (weights * point.choices(problem, t, weights.shape[1])).ravel() @ u.T
            seconds.append(total / total[0, 0])
        return seconds


def _point(problem, parameters, theta, inversion):
    return Point(problem.sorted_products.X2, inversion.delta, parameters.loadings(theta), parameters.rows,
                 parameters.columns, inversion.jacobian)
