"""Products: read once, sorted by market, and refused with the market or column that is at fault."""

import re

import numpy as np
import pandas as pd
import pytest

from compecon.blp.formulation import Formulation
from compecon.blp.products import build_products, check_collinearity, collinear_columns
from compecon.datasets import load_cereal
from compecon.errors import DataError, IdentificationWarning, ParameterError

CEREAL = (Formulation("0 + prices", absorb="C(product_ids)"), Formulation("1 + prices + sugar + mushy"))


@pytest.fixture(scope="module")
def cereal():
    return load_cereal().products


@pytest.fixture
def small():
    """Two markets of 3 and 2 products, not in order."""
    return pd.DataFrame({
        "market_ids": ["b", "a", "b", "a", "b"], "product_ids": ["x", "x", "y", "z", "z"], "firm_ids": [2, 2, 1, 1, 2],
        "shares": [0.1, 0.2, 0.3, 0.4, 0.2], "prices": [1.0, 2.0, 3.0, 4.0, 5.0], "size": [5, 6, 7, 9, 8],
        "demand_instruments0": [0.5, 0.1, 0.9, 0.3, 0.2], "demand_instruments1": [1, 0, 0, 1, 1],
    })  # fmt: skip


def build(data, X1="1 + prices + size", X2=None):
    return build_products((Formulation(X1), X2 and Formulation(X2)), data)


# What is read


@pytest.mark.parametrize("formulas", [
    ("0 + prices", "C(product_ids)", "1 + prices + sugar + mushy"),
    ("1 + prices + log(sugar + 1) + prices:sugar + mushy", None, "log(prices)*mushy"),
    ("prices + sugar + C(mushy):sugar", "C(market_ids) + product_ids", "0 + C(mushy) + prices"),
])  # fmt: skip
def test_matrices_ids_and_instruments_are_pyblps(formulas, cereal):
    pyblp = pytest.importorskip("pyblp")
    X1, absorb, X2 = formulas
    shuffled = cereal.sample(frac=0.7, random_state=0).assign(clustering_ids=lambda data: data["city_ids"])
    theirs = pyblp.primitives.Products(
        (pyblp.Formulation(X1, absorb), pyblp.Formulation(X2), None), shuffled, instruments=True
    )
    ours = build_products((Formulation(X1, absorb), Formulation(X2)), shuffled)
    order = np.argsort(shuffled["market_ids"].to_numpy(), kind="stable")
    np.testing.assert_array_equal(ours.order, order)
    for name in ("X1", "X2", "ZD"):
        np.testing.assert_allclose(getattr(ours, name), theirs[name][order], rtol=1e-14)
        assert len(ours.labels[name]) == theirs[name].shape[1]
    for name in ("shares", "prices", "firm_ids", "clustering_ids", "product_ids"):
        np.testing.assert_array_equal(getattr(ours, name), theirs[name][order].ravel())
    assert len(ours.fixed_effects) == theirs.demand_ids.shape[1] if absorb else ours.fixed_effects == []
    for codes, ids in zip(ours.fixed_effects, theirs.demand_ids[order].T, strict=True):
        np.testing.assert_array_equal(pd.factorize(codes)[0], pd.factorize(ids)[0])


def test_the_cereal_data_have_their_dimensions(cereal):
    products = build_products(CEREAL, cereal)
    assert products.unique_market_ids.size == 94
    assert (products.X1.shape, products.X2.shape, products.ZD.shape) == ((2256, 1), (2256, 4), (2256, 20))
    assert (np.diff(products.starts) == 24).all()
    assert products.labels["X2"] == ("1", "prices", "sugar", "mushy")
    assert products.labels["ZD"] == tuple(f"demand_instruments{k}" for k in range(20))
    assert sorted(products.columns) == ["mushy", "prices", "sugar"]
    assert all(matrix.flags["C_CONTIGUOUS"] and matrix.dtype == np.float64
               for matrix in (products.X1, products.X2, products.ZD))  # fmt: skip


def test_rows_are_sorted_by_market_and_keep_their_order_within(small):
    products = build(small, X2="0 + size")
    assert products.order.tolist() == [1, 3, 0, 2, 4]
    assert products.starts.tolist() == [0, 2, 5]
    assert products.product_ids.tolist() == ["x", "z", "x", "y", "z"]
    assert products.prices.tolist() == [2, 4, 1, 3, 5]
    for sizes in (products.X1[:, 2], products.X2[:, 0], products.columns["size"]):
        assert sizes.tolist() == [6, 9, 5, 7, 8]
    assert products.clustering_ids is None


def test_instruments_are_followed_by_the_columns_of_x1_without_prices(small):
    products = build(small, "1 + prices + size + log(prices) + C(firm_ids):prices + C(firm_ids):size")
    assert products.labels["ZD"] == ("demand_instruments0", "demand_instruments1", "1", "size", "firm_ids[2]*size")
    sorted_rows = small.iloc[products.order]
    np.testing.assert_array_equal(products.ZD[:, 1], sorted_rows["demand_instruments1"])
    np.testing.assert_array_equal(products.ZD[:, 4], sorted_rows["size"] * (sorted_rows["firm_ids"] == 2))


def test_a_matrix_of_instruments_is_read_as_its_columns(small):
    table = {name: small[name].to_numpy() for name in small if not name.startswith("demand")}
    table["demand_instruments"] = small[["demand_instruments0", "demand_instruments1"]].to_numpy()
    records = np.rec.fromarrays(
        list(table.values()), dtype=[(name, values.dtype, values.shape[1:]) for name, values in table.items()]
    )
    for data in (table, records):
        np.testing.assert_array_equal(build(data).ZD, build(small).ZD)
        assert build(data).labels == build(small).labels


def test_without_instruments_only_exogenous_columns_are_left(small):
    bare = small.drop(columns=["demand_instruments0", "demand_instruments1"])
    assert build(bare).labels["ZD"] == ("1", "size")
    assert build(bare, "0 + prices").ZD.shape == (5, 0)


def test_prices_are_kept_also_when_no_formula_uses_them(small):
    products = build(small, "0 + size")
    assert products.columns["prices"].tolist() == products.prices.tolist() == [2, 4, 1, 3, 5]


@pytest.mark.parametrize("ids", [[20, 10, 20, 10, 20], [2.5, 1.5, 2.5, 1.5, 2.5], list("babab"),
                                 pd.array([2, 1, 2, 1, 2], dtype="Int64"),
                                 pd.to_datetime(["2020-04-01", "2020-01-01"] * 2 + ["2020-04-01"])])  # fmt: skip
def test_market_ids_of_any_sortable_type_keep_it(ids, small):
    products = build(small.assign(market_ids=ids))
    assert products.order.tolist() == [1, 3, 0, 2, 4]
    expected = np.unique(np.asarray(pd.Series(ids)))
    np.testing.assert_array_equal(products.unique_market_ids, expected)


# What is refused


@pytest.mark.parametrize("name", ["market_ids", "shares", "prices", "size"])
def test_a_missing_column_is_named_beside_those_that_are_there(name, small):
    present = ", ".join(other for other in small if other != name)
    with pytest.raises(DataError, match=re.escape(f"no column '{name}'. They have {present}. Add or rename it.")):
        build(small.drop(columns=name))


def test_data_without_rows_or_that_are_no_table_are_refused(small):
    with pytest.raises(DataError, match="the product data have no rows; give one row a product and market"):
        build(small.iloc[:0])
    with pytest.raises(DataError, match="no rows"):
        build({})
    with pytest.raises(DataError, match="the data are a ndarray; give a DataFrame, a dict of columns or a rec"):
        build(small.to_numpy())


@pytest.mark.parametrize("name", ["shares", "prices", "size", "demand_instruments1"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None])
def test_values_that_are_not_finite_are_named_with_column_row_and_market(name, value, small):
    bad = small.astype({name: object})
    bad.loc[[3, 4], name] = value
    message = f"'{name}' is missing or infinite in 2 of 5 rows, the first of them row 3 (market a). Fill in"
    with pytest.raises(DataError, match=re.escape(message)):
        build(bad)


@pytest.mark.parametrize("name", ["shares", "prices", "demand_instruments0"])
def test_text_where_numbers_belong_is_shown(name, small):
    bad = small.astype({name: object})
    bad.loc[2, name] = "1,5"
    message = f"'{name}' holds no numbers (but '1,5') in 1 of 5 rows, the first of them row 2 (market b). Convert them."
    with pytest.raises(DataError, match=re.escape(message)):
        build(bad)


@pytest.mark.parametrize("name", ["market_ids", "firm_ids", "product_ids"])
def test_missing_ids_are_refused(name, small):
    bad = small.astype({name: object})
    bad.loc[4, name] = None
    with pytest.raises(DataError, match=f"'{name}' is missing in 1 of 5 rows, the first of them row 4"):
        build(bad)


def test_market_ids_of_mixed_types_are_refused(small):
    with pytest.raises(DataError, match="'market_ids' mixes text and numbers, which cannot be sorted"):
        build(small.assign(market_ids=["b", 1, "b", 1, "b"]))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
def test_a_share_outside_0_and_1_is_named(share, small):
    message = "'shares' lies outside (0, 1) in 1 of 5 rows, the first of them row 3 (market a). Divide sales by"
    with pytest.raises(DataError, match=re.escape(message)):
        build(small.assign(shares=[0.1, 0.2, 0.3, share, 0.2]))


def test_shares_that_leave_nothing_outside_are_refused_with_their_sum(small):
    message = "shares in market 'b' sum to 1.04; inside shares must sum to less than 1. Check the market size."
    with pytest.raises(DataError, match=re.escape(message)):
        build(small.assign(shares=[0.5, 0.2, 0.34, 0.4, 0.2]))
    with pytest.raises(DataError, match=re.escape("market 'a' sum to 1 (as do those of 1 more markets)")):
        build(small.assign(shares=[0.5, 0.5, 0.34, 0.5, 0.2]))


def test_a_product_that_is_twice_in_a_market_is_named(small):
    message = "'product_ids' repeats a product of its market (x) in 1 of 5 rows, the first of them row 4 (market b)."
    with pytest.raises(DataError, match=re.escape(message)):
        build(small.assign(product_ids=["x", "x", "y", "z", "x"]))


def test_instruments_are_numbered_without_a_gap(small):
    with pytest.raises(DataError, match="no column 'demand_instruments0'"):
        build(small.drop(columns="demand_instruments0"))
    with pytest.raises(DataError, match="no column 'demand_instruments1'"):
        build(small.rename(columns={"demand_instruments1": "demand_instruments2"}))


@pytest.mark.parametrize("formulas", [("0 + prices + shares", None), ("0 + prices", "1 + log(shares)")])
def test_shares_are_no_characteristic(formulas, small):
    with pytest.raises(ParameterError, match="shares are what the model explains; they cannot be a characteristic"):
        build(small, *formulas)


# Collinearity


def test_columns_that_combine_those_before_them_are_found():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(50, 4)) * [1.0, 1e-6, 1e6, 1.0]
    columns = np.column_stack([base[:, :2], base[:, 0] + 3 * base[:, 1], base[:, 2:], base.sum(axis=1), np.zeros(50)])
    assert collinear_columns(columns) == [2, 5, 6]
    assert collinear_columns(base) == []
    # Nearly collinear columns spoil a projection that is done once.
    assert collinear_columns(np.column_stack([np.ones(50), 1 + 1e-8 * base[:, 0], np.full(50, 2.0)])) == [2]
    assert collinear_columns(base[:3]) == [3]
    assert collinear_columns(np.empty((5, 0))) == []


def test_the_columns_found_are_those_that_pyblp_finds(cereal):
    algebra = pytest.importorskip("pyblp.utilities.algebra")
    for extra in ("demand_instruments3 + demand_instruments4", "I(demand_instruments7 - demand_instruments0)", "sugar"):
        ZD = build_products((Formulation(f"prices + {extra}"), None), cereal).ZD
        theirs, _ = algebra.precisely_identify_collinearity(ZD)
        assert collinear_columns(ZD) == np.flatnonzero(theirs).tolist()


def test_small_columns_pass_when_the_raw_ones_are_given_and_absorbed_ones_do_not():
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(40, 2)) * [1e-12, 1.0]
    assert collinear_columns(raw) == [0]
    assert collinear_columns(raw, raw) == []
    left = np.column_stack([raw[:, 0], 1e-15 * rng.normal(size=40)])
    assert collinear_columns(left, raw) == [1]


def test_a_warning_names_the_columns():
    x = np.arange(6.0)
    columns = np.column_stack([np.ones(6), x, 2 * x - 1, x**2])
    with pytest.warns(IdentificationWarning, match="^X1: twice are linear combinations of the columns before them"):
        check_collinearity(columns, ("1", "x", "twice", "square"), "X1")
    with pytest.warns(IdentificationWarning, match="^the instruments: column 2 are"):
        check_collinearity(columns, None, "the instruments")
    check_collinearity(columns[:, [0, 1, 3]], None, "X1")
