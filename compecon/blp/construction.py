"""Building blocks for a problem: ids, ownership, instruments, nodes, and tables as records."""

import numpy as np
import pandas as pd

from compecon._options import one_of, positive_integer
from compecon.blp.absorb import FixedEffects
from compecon.blp.columns import identifiers, records
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.errors import DataError, ParameterError


def build_id_data(T, J, F):
    """Ids of a balanced panel: T markets of J products each, owned by F firms in runs of J / F as equal as can be.

    Parameters
    ----------
    T, J, F : int; J is at least F

    Returns
    -------
    record array of T J rows with fields `market_ids` and `firm_ids`, each (T J, 1)

    Examples
    --------
    >>> ids = build_id_data(T=2, J=3, F=2)
    >>> ids.market_ids.ravel().tolist(), ids.firm_ids.ravel().tolist()
    ([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 0, 1])
    """
    T, F = positive_integer(T, "T"), positive_integer(F, "F")
    J = positive_integer(J, "J", least=F)
    return records({"market_ids": np.repeat(np.arange(T), J).astype(object),
                    "firm_ids": np.tile(np.arange(J) * F // J, T).astype(object)})


def build_ownership(product_data, kappa_specification=None):
    """Ownership matrices H, stacked over markets: H_jk says how much j's owner cares for the profit of k.

        H_jk = kappa(f(j), f(k)),  by default 1 where f(j) = f(k) and 0 elsewhere

    Parameters
    ----------
    product_data : table with columns `market_ids` and `firm_ids`, (N,)
    kappa_specification : optional
        None, the default above; 'monopoly', all ones; 'single', each product on its own; or a function of two firm ids
        that returns a number. 'monopoly' and 'single' need no `firm_ids`.

    Returns
    -------
    (N, max J) float; row j has one column for each product of its market, in the order of the rows, then NaN

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> build_ownership({"market_ids": [0, 0, 0, 1], "firm_ids": ["a", "b", "a", "b"]})
    array([[ 1.,  0.,  1.],
           [ 0.,  1.,  0.],
           [ 1.,  0.,  1.],
           [ 1., nan, nan]])
    """
    market, kappa = _codes(product_data, "market_ids"), np.equal
    if kappa_specification is None:
        ids = _codes(product_data, "firm_ids")
    elif callable(kappa_specification):
        ids, kappa = _ids(product_data, "firm_ids"), np.vectorize(kappa_specification, [float])
    elif kappa_specification in ("monopoly", "single"):
        ids = np.zeros(market.size) if kappa_specification == "monopoly" else np.arange(market.size)
    else:
        raise ParameterError(f"kappa_specification = {kappa_specification!r}; it must be None, 'monopoly', 'single' or "
                             f"a function of two firm ids.")
    ownership = np.full((market.size, np.bincount(market).max()), np.nan)
    for rows in _rows_of(market):
        ownership[rows, : rows.size] = kappa(ids[rows, None], ids[rows])
    return ownership


def build_blp_instruments(formulation, product_data):
    """Sums of characteristics over a market's other products, by owner (Berry, Levinsohn and Pakes 1995).

        Z_jk = sum_{l != j, f(l) = f(j)} x_lk,    Z_j,K+k = sum_{f(l) != f(j)} x_lk

    Parameters
    ----------
    formulation : Formulation of the K characteristics; with '1' a count of products is among them
    product_data : table with columns `market_ids`, `firm_ids` and those of the formula, (N,)

    Returns
    -------
    (N, 2 K) float, first the K sums over the firm's other products, then the K over rivals'

    Raises
    ------
    DataError

    Examples
    --------
    >>> from compecon.blp.formulation import Formulation
    >>> data = {"market_ids": [0, 0, 0], "firm_ids": [1, 1, 2], "x": [1.0, 2.0, 4.0]}
    >>> build_blp_instruments(Formulation("0 + x"), data)
    array([[2., 4.],
           [1., 4.],
           [0., 3.]])
    """
    X = build_matrix(formulation, product_data)
    market, firm = _codes(product_data, "market_ids"), _codes(product_data, "firm_ids")
    frame = pd.DataFrame(X)
    other = frame.groupby([market, firm]).transform("sum").to_numpy() - X
    rival = frame.groupby(market).transform("sum").to_numpy() - X - other
    return np.hstack([other, rival])


def build_differentiation_instruments(formulation, product_data, version="local", interact=False):
    """How crowded a product's neighbourhood is (Gandhi and Houde 2019), from d_jlk = x_jk - x_lk within its market.

        local:      Z_jk = sum_{l != j} 1(abs(d_jlk) < SD_k),  with `interact`  Z_jkm = sum_l 1(abs(d_jlk) < SD_k) d_jlm
        quadratic:  Z_jk = sum_{l != j} d_jlk^2,              with `interact`  Z_jkm = sum_l d_jlk d_jlm, m >= k

    each once over the firm's other products and once over rivals'. SD_k is the standard deviation of d_jlk over all
    pairs of distinct products of a market, in all markets.

    Parameters
    ----------
    formulation : Formulation of the K characteristics, without a constant
    product_data : table with columns `market_ids`, `firm_ids` and those of the formula, (N,)
    version : {'local', 'quadratic'}
    interact : bool, products of different characteristics too

    Returns
    -------
    (N, 2 M) float, first the M sums over the firm's other products, then the M over rivals'; M = K, with `interact`
    K^2 (local) or K (K + 1) / 2 (quadratic), m fastest

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> from compecon.blp.formulation import Formulation
    >>> data = {"market_ids": [0, 0, 0], "firm_ids": [1, 1, 2], "x": [1.0, 2.0, 4.0]}
    >>> build_differentiation_instruments(Formulation("0 + x"), data, version="quadratic")
    array([[ 1.,  9.],
           [ 1.,  4.],
           [ 0., 13.]])
    """
    local = one_of(version, ("local", "quadratic"), "version") == "local"
    X, firm = build_matrix(formulation, product_data), _codes(product_data, "firm_ids")
    K, markets = X.shape[1], _rows_of(_codes(product_data, "market_ids"))
    pairs = [(k, m) for k in range(K) for m in (range(0 if local else k, K) if interact else [k])]
    reach = _spread(X, markets) if local else None
    other, rival = np.zeros((2, len(X), len(pairs)))
    for rows in markets:
        same = firm[rows, None] == firm[rows]
        gaps = [np.subtract.outer(x, x) for x in X[rows].T]
        for column, (k, m) in enumerate(pairs):
            term = gaps[k]
            if local:
                term = (np.abs(term) < reach[k]) & ~np.eye(rows.size, dtype=bool)
            if interact or not local:
                term = term * gaps[m]
            other[rows, column] = np.where(same, term, 0).sum(axis=1)
            rival[rows, column] = np.where(same, 0, term).sum(axis=1)
    return np.hstack([other, rival])


def _spread(X, markets):
    """(K,) root mean squares of x_jk - x_lk over pairs of distinct products; their mean is zero by symmetry."""
    squares = sum(np.array([np.sum(np.subtract.outer(x, x) ** 2) for x in X[rows].T]) for rows in markets)
    return np.sqrt(squares / max(1, sum(rows.size * (rows.size - 1) for rows in markets)))


def build_integration(integration, dimensions):
    """Nodes and weights of one integration rule, as a record array that can serve as columns of `agent_data`.

    Parameters
    ----------
    integration : Integration
    dimensions : int, number of columns of the nodes

    Returns
    -------
    record array of I rows with fields `weights`, (I, 1), and `nodes`, (I, dimensions)

    Examples
    --------
    >>> from compecon.blp.integration import Integration
    >>> rule = build_integration(Integration("product", 2), 2)
    >>> rule.weights.ravel(), rule.nodes.shape
    (array([0.25, 0.25, 0.25, 0.25]), (4, 2))
    """
    if not isinstance(integration, Integration):
        raise ParameterError(f"integration = {integration!r}; it must be an Integration.")
    nodes, weights = integration.build(dimensions)
    return records({"weights": weights, "nodes": nodes})


def build_matrix(formulation, data):
    """The (N, K) float matrix that `formulation` makes of the columns of `data`, in the order of the rows.

    Parameters
    ----------
    formulation : Formulation; what it absorbs is taken out of each column
    data : table with the formula's columns

    Returns
    -------
    (N, K) float

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> from compecon.blp.formulation import Formulation
    >>> build_matrix(Formulation("1 + x"), {"x": [2.0, 3.0]})
    array([[1., 2.],
           [1., 3.]])
    """
    if not isinstance(formulation, Formulation):
        raise ParameterError(f"formulation = {formulation!r}; it must be a Formulation.")
    return FixedEffects(formulation.absorbed_codes(data)).residualize(formulation.build(data), None)


def data_to_dict(data, ignore_empty=True):
    """A record array as a dict of vectors, which `pandas.DataFrame` takes; a matrix field becomes name0, name1, ..

    Parameters
    ----------
    data : record array
    ignore_empty : bool, leave out fields without columns

    Returns
    -------
    dict of str to (N,) arrays

    Raises
    ------
    DataError, ParameterError

    Examples
    --------
    >>> list(data_to_dict(build_id_data(T=1, J=2, F=1)))
    ['market_ids', 'firm_ids']
    """
    if not isinstance(data, np.recarray):
        raise ParameterError(f"data is a {type(data).__name__}; it must be a NumPy record array.")
    columns = {}
    for name in data.dtype.names:
        field = np.asarray(data[name])
        if field.ndim > 2:
            raise DataError(f"field {name!r} has {field.ndim} dimensions; at most two can become columns.")
        if field.size == 0 and ignore_empty:
            continue
        if field.ndim == 1 or field.shape[1] <= 1:
            columns[name] = field.ravel()
            continue
        for k, column in enumerate(field.T):
            if f"{name}{k}" in data.dtype.names:
                raise DataError(f"field {name!r} can't be split: there already is a field '{name}{k}'. Rename one.")
            columns[f"{name}{k}"] = column.copy()
    return columns


def _ids(product_data, name):
    """(N,) ids in column `name`, which are there."""
    ids = identifiers(product_data, name)
    if ids is None:
        raise DataError(f"product_data has no column {name!r}. Add it.")
    return ids


def _codes(product_data, name):
    """(N,) integers 0, 1, .. that stand for the ids in column `name`."""
    return pd.factorize(_ids(product_data, name))[0]


def _rows_of(market):
    """For each market its rows, in the order of the file."""
    return np.split(np.argsort(market, kind="stable"), np.cumsum(np.bincount(market))[:-1])
