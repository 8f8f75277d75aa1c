"""How the integral over tastes becomes a weighted sum: nodes and weights for nu ~ N(0, I)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from compecon._options import one_of, positive_integer
from compecon.errors import ParameterError

# Each specification's options with their defaults: the keyword arguments of its function below.
_OPTIONS = {
    "product": {},
    "monte_carlo": {"seed": None},
    "halton": {"seed": None, "discard": 1000, "scramble": True},
    "sobol": {"seed": None},
    "lhs": {"seed": None},
    "mlhs": {"seed": None},
}


@dataclass(frozen=True, repr=False)
class Integration:
    """A rule that turns E[f(nu)], nu ~ N(0, I), into a sum over nodes:

        E[f(nu)] ~ sum_i w_i f(nu_i),    sum_i w_i = 1

    Parameters
    ----------
    specification : str
        'product': Gauss-Hermite nodes in each dimension and all their combinations, exact for polynomials of degree
        up to 2 size - 1 in each; the last dimension varies fastest. Every market gets the same nodes.
        'monte_carlo': pseudo-random draws.
        'halton', 'sobol': low-discrepancy sequences; each market gets its own stretch of the sequence.
        'lhs', 'mlhs': Latin hypercube samples, and modified ones, drawn anew for each market.
    size : int
        'product': nodes in each dimension, so size ** dimensions in all. Others: nodes in all.
    specification_options : dict, optional
        'seed' (all but 'product'): int; None gives other nodes at each call.
        'discard' ('halton', 1000): points left out at the start of the sequence, whose dimensions are correlated.
        'scramble' ('halton', True): permute the digits at random. Without it `discard` is at least 1, because the
        first point is 0, where the normal quantile is infinite.

    Raises
    ------
    ParameterError

    Notes
    -----
    With the same seed the nodes are pyblp's, except for 'sobol', which pyblp does not have: scipy's sequence, always
    scrambled. It is best at sizes that are powers of two, where each market's stretch is itself balanced.
    Draws run on from market to market in one stream, in the order of the sorted market ids.
    Uniform points become normal ones by the normal quantile function.

    Examples
    --------
    The fourth moment of a normal variable is 3; three nodes get it exactly.

    >>> from compecon.blp.integration import Integration
    >>> nodes, weights = Integration("product", 3).build(1)
    >>> float(weights @ nodes[:, 0] ** 4)
    3.0
    >>> nodes, weights = Integration("halton", 1000, {"seed": 0}).build(2)
    >>> nodes.shape, float(weights.sum())
    ((1000, 2), 1.0)
    """

    specification: str
    size: int
    specification_options: dict | None = None

    def __post_init__(self):
        defaults = _OPTIONS[one_of(self.specification, _OPTIONS, "specification")]
        given = self.specification_options if self.specification_options is not None else {}
        if not isinstance(given, dict):
            raise ParameterError(f"specification_options = {given!r}; it must be a dict like {{'seed': 0}}, or None.")
        unknown = [name for name in given if name not in defaults]
        if unknown:
            valid = f"choose one of {', '.join(map(repr, defaults))}" if defaults else "it has none"
            raise ParameterError(f"unknown option {unknown[0]!r} of the specification {self.specification!r}; {valid}.")
        options = defaults | given
        if options.get("seed") is not None:
            options["seed"] = positive_integer(options["seed"], "seed", least=0)
        if not isinstance(options.get("scramble", True), bool):
            raise ParameterError(f"scramble = {options['scramble']!r}; it must be True or False.")
        if "discard" in options:
            least = 0 if options["scramble"] else 1
            options["discard"] = positive_integer(options["discard"], "discard", least)
        object.__setattr__(self, "size", positive_integer(self.size, "size"))
        object.__setattr__(self, "specification_options", options)

    def __repr__(self):
        options = f", {self.specification_options}" if self.specification_options else ""
        return f"Integration({self.specification!r}, {self.size}{options})"

    def build(self, dimensions):
        """One set of nodes, (I, dimensions), and their weights, (I,), which sum to one."""
        return self.build_many(dimensions, [0])[1:]

    def build_many(self, dimensions, market_ids):
        """A set for each of (T,) market ids, stacked: ids (T I,), nodes (T I, dimensions), weights (T I,)."""
        sets, dimensions = len(market_ids), positive_integer(dimensions, "dimensions")
        if self.specification == "product":
            nodes, weights = _product(dimensions, self.size)
            nodes, weights = np.tile(nodes, (sets, 1)), np.tile(weights, sets)
        else:
            nodes = _DRAWS[self.specification](dimensions, self.size, sets, **self.specification_options)
            weights = np.full(len(nodes), 1 / self.size)
        return np.repeat(market_ids, len(nodes) // sets), nodes, weights


def _product(dimensions, size):
    """Gauss-Hermite nodes (size ** dimensions, dimensions) and weights; the last dimension varies fastest."""
    line, weight = np.polynomial.hermite_e.hermegauss(size)
    nodes = np.stack(np.meshgrid(*[line] * dimensions, indexing="ij"), axis=-1).reshape(-1, dimensions)
    weights = np.ones(1)
    for _ in range(dimensions):
        weights = np.kron(weights, weight / weight.sum())
    return nodes, weights


def _monte_carlo(dimensions, size, sets, seed):
    return np.random.RandomState(seed).normal(size=(sets * size, dimensions))


def _sobol(dimensions, size, sets, seed):
    from scipy.stats import qmc  # takes a third of a second, which only this rule should cost

    sequence = qmc.Sobol(dimensions, bits=30, seed=np.random.default_rng(seed))
    points = sequence.random_base2((sets * size - 1).bit_length())[: sets * size]
    # Coordinates are multiples of 2^-30, zero included: the middle of each cell keeps the quantile finite.
    return ndtri(points + 2.0**-31)


def _latin_hypercube(dimensions, size, sets, seed, shifts=None):
    state = np.random.RandomState(seed)
    cells = [state.permutation(np.arange(size) + state.uniform(size=shifts or size)) for _ in range(sets * dimensions)]
    return ndtri(np.reshape(cells, (sets, dimensions, size)).swapaxes(1, 2).reshape(-1, dimensions) / size)


def _modified_latin_hypercube(dimensions, size, sets, seed):
    return _latin_hypercube(dimensions, size, sets, seed, shifts=1)


def _halton(dimensions, size, sets, seed, discard, scramble):
    """Point n's coordinate in base b mirrors n's digits d_0, d_1, .. at the point: sum_k d_k b^-(k+1)."""
    state = np.random.RandomState(seed)
    digits_of = state.permutation if scramble else np.arange
    points = np.empty((sets, size, dimensions))
    bases = [(base, int(np.ceil(54 / np.log2(base))) - 1) for base in _primes(dimensions)]
    for first, block in zip(discard + size * np.arange(sets), points, strict=True):
        index = np.arange(first, first + size)
        # As many digits as a double resolves: scrambling gives the zeros beyond n's last digit values, too.
        for (base, places), column in zip(bases, block.T, strict=True):
            tables = np.array([digits_of(base) for _ in range(places)])
            digits = index // base ** np.arange(places)[:, None] % base
            steps = np.divide.accumulate([1.0] + [base] * places)[1:, None]
            column[:] = (np.take_along_axis(tables, digits, axis=1) * steps).sum(axis=0)
    return ndtri(points.reshape(-1, dimensions))


def _primes(count):
    """The first `count` primes."""
    primes, candidate = [], 2
    while len(primes) < count:
        if all(candidate % prime for prime in primes):
            primes.append(candidate)
        candidate += 1
    return primes


_DRAWS = {"monte_carlo": _monte_carlo, "halton": _halton, "sobol": _sobol, "lhs": _latin_hypercube,
          "mlhs": _modified_latin_hypercube}
