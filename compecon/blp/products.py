"""Products: the data read once, checked, and sorted by market."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from compecon.blp.columns import column, identifiers, matrix, n_rows, numeric, refuse_rows
from compecon.errors import DataError, IdentificationWarning, ParameterError

# A column of which less than this share is left beside the others is a combination of them, but for rounding.
_COLLINEAR_TOL = 1e-10


@dataclass(frozen=True, eq=False)
class Products:
    """Products of all markets, in rows sorted by market; within a market they keep the order of the file.

    Attributes
    ----------
    unique_market_ids : (T,) sorted, of the type they have in the data
    starts : (T + 1,) int64; market t has rows starts[t]:starts[t + 1]
    order : (N,) int64; array_sorted_by_market = array_as_in_the_file[order]
    shares : (N,) float, of the whole market
    prices : (N,) float
    firm_ids, clustering_ids, product_ids : (N,) of any type, or None
    X1, X2 : (N, K1), (N, K2) float, not absorbed
    ZD : (N, MD) float, not absorbed: `demand_instruments0`, .., then the columns of X1 in which prices do not appear
    fixed_effects : list of (N,) int64 codes, one for each absorbed effect
    columns : dict of (N,), the columns that the formulas use, and prices
    labels : dict of tuples of str, the columns' labels of 'X1', 'X2' and 'ZD'
    """

    unique_market_ids: np.ndarray
    starts: np.ndarray
    order: np.ndarray
    shares: np.ndarray
    prices: np.ndarray
    firm_ids: np.ndarray | None
    clustering_ids: np.ndarray | None
    product_ids: np.ndarray | None
    X1: np.ndarray
    X2: np.ndarray
    ZD: np.ndarray
    fixed_effects: list
    columns: dict
    labels: dict


def build_products(formulations, product_data):
    """Read and check product data.

    Parameters
    ----------
    formulations : (Formulation, Formulation or None), of X1 and X2
    product_data : DataFrame, mapping of columns, or record array, one row a product
        `market_ids`, `shares`, `prices`, the formulas' columns; optionally `demand_instruments0`, .. (or one matrix
        `demand_instruments`), `firm_ids`, `clustering_ids`, `product_ids`.

    Returns
    -------
    Products

    Raises
    ------
    DataError
        When a column is missing; holds text, NaN or infinity where numbers belong; a share lies outside (0, 1);
        the shares of a market sum to 1 or more; or a market has a product twice. The message names the column, the
        first row and its market, or the market.
    ParameterError
        When a formula uses shares.

    Examples
    --------
    >>> from compecon.blp.formulation import Formulation
    >>> data = {"market_ids": ["b", "a", "b"], "shares": [0.2, 0.5, 0.3], "prices": [1.0, 3.0, 2.0], "size": [4, 5, 6]}
    >>> products = build_products((Formulation("1 + prices + size"), None), data)
    >>> products.unique_market_ids, products.starts, products.order
    (array(['a', 'b'], dtype='<U1'), array([0, 1, 3]), array([1, 0, 2]))
    >>> products.X1
    array([[1., 3., 5.],
           [1., 1., 4.],
           [1., 2., 6.]])
    >>> products.labels["ZD"], products.ZD
    (('1', 'size'), array([[1., 5.],
           [1., 4.],
           [1., 6.]]))
    """
    used = [formulation for formulation in formulations if formulation is not None]
    if any(formulation.uses("shares") for formulation in used):
        raise ParameterError("shares are what the model explains; they cannot be a characteristic. Take them out.")
    unique, market = _markets(product_data)
    order = np.argsort(market, kind="stable")
    shares, prices = numeric(product_data, "shares"), numeric(product_data, "prices")
    _check_shares(shares, market, unique, product_data)
    ids = {name: identifiers(product_data, name) for name in ("firm_ids", "clustering_ids", "product_ids")}
    _check_distinct(ids["product_ids"], market, product_data)
    linear, nonlinear = formulations
    X1 = linear.build(product_data)[order]
    X2 = np.empty((order.size, 0)) if nonlinear is None else nonlinear.build(product_data)[order]
    instruments, names = matrix(product_data, "demand_instruments")
    exogenous = ~linear.depends(product_data, "prices")
    labels = {"X1": linear.labels(product_data), "X2": () if nonlinear is None else nonlinear.labels(product_data)}
    labels["ZD"] = (*names, *np.array(labels["X1"])[exogenous].tolist())
    variables = {"prices"}.union(*(formulation.variables for formulation in used))
    return Products(
        unique_market_ids=unique,
        starts=np.append(0, np.cumsum(np.bincount(market))),
        order=order,
        shares=shares[order],
        prices=prices[order],
        **{name: None if values is None else values[order] for name, values in ids.items()},
        X1=X1,
        X2=X2,
        ZD=np.hstack([instruments[order], X1[:, exogenous]]),
        fixed_effects=[codes[order] for codes in linear.absorbed_codes(product_data)],
        columns={name: column(product_data, name)[order] for name in sorted(variables)},
        labels=labels,
    )


def collinear_columns(matrix, raw=None):
    """Indices of the columns that are linear combinations of those before them.

    A column is one when less than 1e-10 of it is left after projection off the others (Gram-Schmidt, done twice).

    Parameters
    ----------
    matrix : (N, K) float
    raw : (N, K) float, optional
        The columns before fixed effects were absorbed: of a column that these explain, rounding errors are left, small
        beside the raw column but not beside themselves. Without it, columns of length below 1e-10 are taken for these.

    Examples
    --------
    >>> collinear_columns(np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0], [1.0, 2.0, 5.0]]))
    [1]
    """
    lengths = 1.0 + np.linalg.norm(matrix, axis=0) if raw is None else np.linalg.norm(raw, axis=0)
    basis, found = np.zeros(matrix.shape, order="F"), []
    for k, rest in enumerate(matrix.T):
        for _ in range(2):
            rest = rest - basis @ (basis.T @ rest)
        if np.linalg.norm(rest) <= _COLLINEAR_TOL * lengths[k]:
            found.append(k)
        else:
            basis[:, k] = rest / np.linalg.norm(rest)
    return found


def check_collinearity(matrix, labels, what, raw=None):
    """Warn (IdentificationWarning) of the columns that `collinear_columns` finds; `labels` may be None."""
    found = collinear_columns(matrix, raw)
    if found:
        names = ", ".join(str(labels[k]) if labels else f"column {k}" for k in found)
        warnings.warn(
            f"{what}: {names} are linear combinations of the columns before them, or of the absorbed fixed effects; "
            "the data cannot tell them apart. Drop them, or absorb fewer effects.",
            IdentificationWarning, stacklevel=4,
        )  # fmt: skip


def _markets(data):
    """(T,) sorted market ids, and each row's place among them, (N,)."""
    if n_rows(data) == 0:
        raise DataError("the product data have no rows; give one row a product and market.")
    column(data, "market_ids")
    try:
        return np.unique(identifiers(data, "market_ids"), return_inverse=True)
    except TypeError:
        raise DataError("'market_ids' mixes text and numbers, which cannot be sorted. Convert them to one.") from None


def _check_shares(shares, market, unique, data):
    """That shares lie in (0, 1) and leave something to the outside good."""
    refuse_rows(
        (shares <= 0) | (shares >= 1), "'shares' lies outside (0, 1)", data,
        "Divide sales by the size of the market, outside good included; drop products without sales.",
    )  # fmt: skip
    totals = np.bincount(market, shares)
    full = np.flatnonzero(totals >= 1)
    if full.size:
        others = f" (as do those of {full.size - 1} more markets)" if full.size > 1 else ""
        raise DataError(
            f"shares in market '{unique[full[0]]}' sum to {totals[full[0]]:.6g}{others}; inside shares must sum to "
            "less than 1. Check the market size."
        )


def _check_distinct(product_ids, market, data):
    """That no market has a product twice."""
    if product_ids is not None:
        repeated = pd.DataFrame({"market": market, "product": product_ids}).duplicated().to_numpy()
        first = product_ids[np.argmax(repeated)]
        refuse_rows(repeated, f"'product_ids' repeats a product of its market ({first})", data, "Merge such rows.")
