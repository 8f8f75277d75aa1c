"""Micro moments as they are declared: a survey, the averages taken from it, and the functions of them to match."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from compecon._options import positive_integer
from compecon.blp.printed import named
from compecon.blp.tables import format_number
from compecon.errors import ParameterError


@dataclass(frozen=True, eq=False, repr=False)
class MicroDataset:
    """A survey of consumers and their choices, with the probability of being sampled:

        P(consumer i, choice j, market t | sampled) = w_it P_ijt c_ijt / sum_{t, i, j} w_it P_ijt c_ijt

    Parameters
    ----------
    name : str, one a dataset
    observations : int, N_d
    compute_weights : callable (t, products, agents) -> (I, 1 + J) or (I, J) float
        Sampling weights c_ij >= 0 of market t, the first column the outside good's; (I, J) leaves those who buy nothing
        out of the survey. `products` and `agents` are record arrays of the market's J products and I agents: their
        `size`, and two-dimensional fields by attribute or name: `products.prices` (J, 1), `products.X2` (J, K2),
        `agents.nodes` (I, K2), `agents.demographics` (I, D), and each demographic by itself, as `agents.income` (I, 1).
    eliminated_product_ids_index : None
        Keeps pyblp's order of arguments. Second choices are not supported.
    market_ids : sequence, optional
        The markets where the survey was held; None: everywhere.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> from compecon.blp.micro import MicroDataset
    >>> MicroDataset("Survey", 500, lambda t, p, a: np.ones((a.size, p.size)), market_ids=["C61Q1"])
    Survey: 500 Observations in Market 'C61Q1'
    """

    name: str
    observations: int
    compute_weights: Callable
    eliminated_product_ids_index: None = None
    market_ids: frozenset | None = None

    def __post_init__(self):
        _check(self, "dataset", compute_weights=self.compute_weights)
        object.__setattr__(self, "observations", positive_integer(self.observations, "observations"))
        if self.eliminated_product_ids_index is not None:
            raise ParameterError("eliminated_product_ids_index asks for second choices; they are not supported.")
        if self.market_ids is not None:
            given = list(self.market_ids) if isinstance(self.market_ids, (set, frozenset)) else self.market_ids
            given = np.ravel(np.asarray(given, dtype=object)).tolist()
            if not given or len(set(given)) < len(given):
                raise ParameterError(f"market_ids of micro dataset {self.name!r} are not distinct: {named(given)}.")
            object.__setattr__(self, "market_ids", frozenset(given))

    @property
    def n_markets(self):
        """Number of markets, None for all."""
        return None if self.market_ids is None else len(self.market_ids)

    def __repr__(self):
        markets = {None: "All Markets", 1: f"Market '{next(iter(self.market_ids or ' '))}'"}
        where = markets.get(self.n_markets, f"{self.n_markets} Markets")
        return f"{self.name}: {self.observations} Observations in {where}"


@dataclass(frozen=True, eq=False, repr=False)
class MicroPart:
    """The model's average of v_ij over the consumers and choices of a survey: sum w P c v / sum w P c.

    Parameters
    ----------
    name : str, one a part
    dataset : MicroDataset
    compute_values : callable (t, products, agents) -> float array with the shape of the dataset's weights
        v_ij of market t; the arguments are those of `MicroDataset.compute_weights`.

    Examples
    --------
    >>> from compecon.blp.micro import MicroDataset, MicroPart
    >>> survey = MicroDataset("Buyers", 500, lambda t, p, a: np.ones((a.size, p.size)))
    >>> MicroPart("Income x price", survey, lambda t, p, a: a.income * p.prices.T)
    Income x price on Buyers: 500 Observations in All Markets
    """

    name: str
    dataset: MicroDataset
    compute_values: Callable

    def __post_init__(self):
        _check(self, "part", compute_values=self.compute_values)
        if not isinstance(self.dataset, MicroDataset):
            raise ParameterError(f"dataset of micro part {self.name!r} = {self.dataset!r}; it must be a MicroDataset.")

    def __repr__(self):
        return f"{self.name} on {self.dataset}"


@dataclass(frozen=True, eq=False, repr=False)
class MicroMoment:
    """A statistic of surveys to match: the observed value less the model's f(v_1, .., v_P), v_p the parts' averages.

    Parameters
    ----------
    name : str, one a moment
    value : float, observed
    parts : MicroPart, or sequence of them
    compute_value, compute_gradient : callable ((P,) parts' averages) -> float, and -> (P,) its derivatives
        f. Needed for several parts; one part alone is itself the moment.

    Examples
    --------
    The mean income of those who buy, over the mean income of all.

    >>> from compecon.blp.micro import MicroDataset, MicroMoment, MicroPart
    >>> buyers = MicroDataset("Buyers", 500, lambda t, p, a: np.ones((a.size, p.size)))
    >>> all_ = MicroDataset("All", 900, lambda t, p, a: np.ones((a.size, 1 + p.size)))
    >>> parts = [MicroPart("Buyers' income", buyers, lambda t, p, a: np.repeat(a.income, p.size, axis=1)),
    ...          MicroPart("Income", all_, lambda t, p, a: np.repeat(a.income, 1 + p.size, axis=1))]
    >>> moment = MicroMoment("Ratio", 1.2, parts, lambda v: v[0] / v[1], lambda v: [1 / v[1], -v[0] / v[1] ** 2])
    >>> moment.parts[0]
    Buyers' income on Buyers: 500 Observations in All Markets
    """

    name: str
    value: float
    parts: tuple
    compute_value: Callable | None = None
    compute_gradient: Callable | None = None

    def __post_init__(self):
        value = np.ravel(self.value)
        if value.size != 1 or value.dtype.kind not in "fiu" or not np.isfinite(value[0]):
            raise ParameterError(f"value of micro moment {self.name!r} = {self.value!r}; it must be a finite number.")
        object.__setattr__(self, "value", float(value[0]))
        parts = tuple(self.parts) if isinstance(self.parts, Sequence) else (self.parts,)
        if not parts or not all(isinstance(part, MicroPart) for part in parts) or len(set(parts)) < len(parts):
            raise ParameterError(f"parts of micro moment {self.name!r} must be a MicroPart, or several different ones.")
        object.__setattr__(self, "parts", parts)
        if len(parts) == 1 and self.compute_value is self.compute_gradient is None:
            object.__setattr__(self, "compute_value", lambda averages: averages[0])
            object.__setattr__(self, "compute_gradient", np.ones_like)
        _check(self, "moment", compute_value=self.compute_value, compute_gradient=self.compute_gradient)

    def __repr__(self):
        return f"{self.name}: {format_number(self.value)} ({'; '.join(map(str, self.parts))})"


def _check(declared, noun, **functions):
    """That the name is one, and the functions can be called."""
    if not isinstance(declared.name, str) or not declared.name:
        raise ParameterError(f"name = {declared.name!r}; the name of a micro {noun} must be a string.")
    for name, function in functions.items():
        if not callable(function):
            raise ParameterError(f"{name} of micro {noun} {declared.name!r} = {function!r}; it must be a function.")
