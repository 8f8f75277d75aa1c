"""Formulas: pyblp's matrices and labels, derivatives to the last digits, and data that cannot be used."""

import pickle
import re

import mpmath
import numpy as np
import pandas as pd
import pytest

from compecon.blp.formulation import Formulation
from compecon.errors import DataError, ParameterError

N = 24


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    rows = np.arange(N)
    return pd.DataFrame({
        "market_ids": np.repeat(["m1", "m2", "m3"], N // 3), "prices": rng.uniform(0.1, 1, N),
        "sugar": rng.uniform(1, 9, N), "mushy": rows % 2, "brand": np.array(["a", "b", "c"])[rows % 3],
        "city": rows // 6 + 1, "organic": rows % 4 == 0, "size": (rows % 3) / 2,
    })  # fmt: skip


def plain(label):
    """pyblp's labels since numpy 2 say mushy[np.int64(1)]; before, mushy[1]."""
    return re.sub(r"np\.\w+\(([^)]*)\)", r"\1", str(label))


# pyblp calls a column brand*city[2] although brand is not in it.
MISLABELLED = re.compile(r"brand\*")

# pyblp's matrices

FORMULAS = [
    "0 + prices", "prices", "1 + prices + sugar + mushy", "1", "0 + prices + 1", "prices - 1", "prices + 0",
    "-1 + prices", "0 + sugar + prices", "prices + prices", "prices - sugar", "prices:prices",
    "0 + prices:sugar + sugar", "prices*sugar", "sugar*prices", "prices*sugar - prices", "prices/sugar",
    "prices*sugar*mushy", "(prices + sugar)*mushy", "(prices + sugar):mushy", "(prices + sugar)/mushy",
    "prices:sugar:mushy + mushy:sugar", "sugar:prices + prices", "0 + log(prices)", "0 + exp(-prices)",
    "0 + I(prices**2)", "0 + I(prices**0.5)", "I(1/prices)", "0 + I(prices*sugar)", "0 + I(2*prices - sugar/3)",
    "log(prices)*sugar", "log(prices + 1)", "log(I(prices + 1))", "I(prices) + prices", "0 + log(prices):sugar",
    "0 + exp(-prices):log(sugar)", "0 + I(prices**2):sugar", "0 + I(prices + 1):I(sugar + 1)",
    "I((prices)) + log( prices )", "C(mushy)", "0 + C(mushy)", "brand", "0 + brand", "organic", "0 + C(size)",
    "C(brand) + C(city)", "C(brand)*C(city)", "0 + C(brand):C(city)", "0 + C(brand):prices", "C(brand):prices",
    "C(brand)*prices", "0 + prices + C(brand)", "prices:C(city) + sugar", "prices:C(brand):sugar",
    "0 + C(brand) + C(brand):prices + C(brand):C(city)", "0 + C(city):C(brand) + C(brand)",
    "0 + C(mushy):log(prices)", "mushy + C(mushy):sugar",
]  # fmt: skip


@pytest.mark.parametrize("absorb", [None, "C(organic)"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_the_matrix_and_its_labels_are_pyblps(formula, absorb, data):
    pyblp = pytest.importorskip("pyblp")
    absorb = None if formula == "1" else absorb
    matrix, columns, _ = pyblp.Formulation(formula, absorb)._build_matrix(data)
    ours = Formulation(formula, absorb)
    np.testing.assert_allclose(ours.build(data), matrix, rtol=1e-14, atol=0)
    if not MISLABELLED.search(str(columns)):
        assert list(ours.labels(data)) == [plain(column) for column in columns]
    if not {"C", "brand", "organic"} & set(re.findall(r"\w+", formula)):
        assert ours.names == ours.labels(data)


@pytest.mark.parametrize("formula", ["prices*sugar + log(sugar)", "0 + C(brand):prices", "1"])
def test_the_repr_is_the_formula_written_out_as_pyblp_prints_it(formula):
    pyblp = pytest.importorskip("pyblp")
    absorb = None if formula == "1" else "C(brand) + C(city)"
    assert repr(Formulation(formula, absorb)) == str(pyblp.Formulation(formula, absorb))


def test_dummies_of_a_redundant_interaction_are_coded_as_pyblp_codes_them(data):
    pyblp = pytest.importorskip("pyblp")
    matrix, columns, _ = pyblp.Formulation("C(mushy):C(brand)")._build_matrix(data)
    ours = Formulation("C(mushy):C(brand)")
    np.testing.assert_array_equal(ours.build(data), matrix)
    # pyblp calls these two columns brand['b']*mushy, although mushy is not in them.
    assert ours.labels(data)[1:3] == ("brand['b']", "brand['c']")
    assert list(ours.labels(data)[3:]) == [plain(column) for column in columns[3:]]


def test_sums_and_products_within_i_keep_the_order_in_which_they_are_written(data):
    formulation = Formulation("0 + I(sugar*prices) + I(sugar + prices) + sugar:I(prices + 1)")
    assert formulation.labels(data) == ("sugar*prices", "sugar + prices", "(prices + 1)*sugar")


def test_variables_uses_and_depends_say_which_columns_enter_where(data):
    formulation = Formulation("log(prices) + C(brand):prices + sugar", absorb="C(city)")
    assert formulation.variables == ("brand", "prices", "sugar")
    assert formulation.uses("prices") and formulation.uses("brand")
    assert not formulation.uses("city") and not formulation.uses("log")
    assert formulation.labels(data)[0] == "log(prices)"
    assert formulation.depends(data, "prices").tolist() == [True, True, True, True, False]
    assert formulation.depends(data, "brand").tolist() == [False, True, True, True, False]


# Derivatives

FUNCTIONS = {
    "log(prices)": lambda p, s: mpmath.log(p),
    "exp(-prices)": lambda p, s: mpmath.exp(-p),
    "sqrt(prices)": lambda p, s: mpmath.sqrt(p),
    "sqrt(prices*sugar)": lambda p, s: mpmath.sqrt(p * s),
    "I(prices**2)": lambda p, s: p**2,
    "I(prices**3 - 2*prices)": lambda p, s: p**3 - 2 * p,
    "I(prices**-1.5)": lambda p, s: p ** mpmath.mpf(-1.5),
    "I(2**prices)": lambda p, s: 2**p,
    "I(prices**prices)": lambda p, s: p**p,
    "I(prices*sugar)": lambda p, s: p * s,
    "I(sugar/prices)": lambda p, s: s / p,
    "I((prices - sugar)/(prices + sugar))": lambda p, s: (p - s) / (p + s),
    "I(-prices*exp(log(1 + prices*sugar)))": lambda p, s: -p * (1 + p * s),
    "prices:sugar": lambda p, s: p * s,
    "prices:log(prices):sugar": lambda p, s: p * mpmath.log(p) * s,
    "sugar": lambda p, s: s,
    "I(sugar**0.3)": lambda p, s: s ** mpmath.mpf(0.3),
}


@pytest.mark.parametrize("name", ["prices", "sugar"])
@pytest.mark.parametrize("term", FUNCTIONS)
def test_derivatives_agree_with_differences_of_40_digits(term, name, data):
    formulation, function = Formulation(f"0 + {term}"), FUNCTIONS[term]
    with mpmath.workdps(40):
        points = [(mpmath.mpf(p), mpmath.mpf(s)) for p, s in zip(data["prices"], data["sugar"], strict=True)]
        exact = [mpmath.diff(function, point, (1, 0) if name == "prices" else (0, 1)) for point in points]
        value = [function(*point) for point in points]
    np.testing.assert_allclose(formulation.build(data)[:, 0], np.array(value, float), rtol=1e-14)
    np.testing.assert_allclose(formulation.derivative(data, name)[:, 0], np.array(exact, float), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("formula", [
    "0 + prices", "1 + prices + sugar", "prices*sugar", "log(prices):sugar + exp(-prices)", "I(prices**2)*mushy",
    "I(prices/(1 + sugar))", "0 + I(3.0*prices)",
])  # fmt: skip
@pytest.mark.parametrize("name", ["prices", "sugar"])
def test_derivatives_agree_with_pyblps_symbolic_ones(formula, name, data):
    pyblp = pytest.importorskip("pyblp")
    _, columns, underlying = pyblp.Formulation(formula)._build_matrix(data)
    theirs = [np.broadcast_to(column.evaluate_derivative(name, underlying), N) for column in columns]
    ours = Formulation(formula).derivative(data, name)
    np.testing.assert_allclose(ours, np.column_stack(theirs), rtol=1e-13)


def test_dummies_times_prices_have_the_dummies_as_derivatives(data):
    formulation = Formulation("0 + C(brand) + C(city):log(prices)")
    city = pd.get_dummies(data["city"]).to_numpy(float)
    expected = np.hstack([np.zeros((N, 3)), city / data[["prices"]].to_numpy()])
    np.testing.assert_allclose(formulation.derivative(data, "prices"), expected, rtol=1e-15)


def test_a_derivative_holds_at_points_where_a_difference_would_not():
    x = np.array([0.0, -2.0, 1e-200, 1e150])
    np.testing.assert_array_equal(Formulation("0 + I(x**2)").derivative({"x": x}, "x")[:, 0], 2 * x)
    np.testing.assert_array_equal(Formulation("0 + I(x**3)").derivative({"x": x[:2]}, "x")[:, 0], [0, 12])


@pytest.mark.parametrize(("formula", "linear"), [
    ("0 + prices", True), ("1 + prices + sugar", True), ("prices*sugar", True), ("C(brand)*prices", True),
    ("sugar", True), ("0 + I(prices*sugar/3 - 0.1*prices + 2)", True), ("0 + prices:log(sugar)", True),
    ("0 + I((prices - 1)/sugar)", True),
    ("0 + log(prices)", False), ("0 + I(prices**2)", False), ("prices + exp(prices)", False), ("sqrt(prices)", False),
    ("I(sugar/prices)", False), ("prices:I(prices + 1)", False), ("0 + C(brand):log(prices)", False),
    ("0 + exp(900*prices)", False), ("0 + I(prices/prices)", False),
])  # fmt: skip
def test_linear_in_tells_columns_affine_in_prices_from_others(formula, linear, data):
    assert Formulation(formula).linear_in("prices", data) is linear


def test_linear_in_is_not_fooled_by_prices_of_zero():
    assert not Formulation("0 + I(prices**2)").linear_in("prices", {"prices": np.zeros(3)})


@pytest.mark.parametrize("formula", ["0 + C(mushy)", "0 + C(mushy):prices", "mushy + C(mushy):prices"])
def test_a_column_of_categories_has_no_derivative(formula, data):
    with pytest.raises(ParameterError, match=r"no derivative by 'mushy', which is C\(mushy\) in it"):
        Formulation(formula).derivative(data, "mushy")
    with pytest.raises(ParameterError, match="no derivative"):
        Formulation(formula).linear_in("mushy", data)


def test_a_derivative_by_a_column_that_the_data_lack_is_refused_and_by_an_unused_one_is_zero(data):
    formulation = Formulation("1 + prices")
    with pytest.raises(DataError, match=r"no column 'sugr'\. They have market_ids, prices, sugar, mushy"):
        formulation.derivative(data, "sugr")
    np.testing.assert_array_equal(formulation.derivative(data, "sugar"), np.zeros((N, 2)))


# Absorbed effects


@pytest.mark.parametrize("absorb", ["C(city)", "brand", "C(brand) + C(city)", "C(brand):C(city)", "brand*C(city)",
                                    "C(brand) + C(city) - 1", "0 + C(organic):brand:C(mushy)"])  # fmt: skip
def test_absorbed_codes_group_the_rows_as_pyblp_does(absorb, data):
    pyblp = pytest.importorskip("pyblp")
    theirs = pyblp.Formulation("prices", absorb.removeprefix("0 + "))._build_ids(data)
    ours = Formulation("prices", absorb).absorbed_codes(data)
    assert len(ours) == theirs.shape[1]
    for codes, ids in zip(ours, theirs.T, strict=True):
        expected = pd.factorize(pd.Series(list(map(str, ids))))[0]
        np.testing.assert_array_equal(pd.factorize(codes)[0], expected)
        assert set(codes) == set(range(expected.max() + 1))


def test_nothing_absorbed_gives_no_codes(data):
    assert Formulation("prices").absorbed_codes(data) == []


def test_a_bare_column_of_numbers_is_not_absorbed_in_silence(data):
    with pytest.raises(ParameterError, match=r"absorb = 'city': a column of numbers is absorbed as C\(column\)"):
        Formulation("prices", absorb="city").absorbed_codes(data)


@pytest.mark.parametrize("absorb", ["1", "0", "", "log(prices)", "I(a*b)", "C(a):log(prices)", "C(a + b)"])
def test_only_categories_are_absorbed(absorb):
    with pytest.raises(ParameterError, match=re.escape(f"absorb = {absorb!r}")):
        Formulation("prices", absorb=absorb)


# Data


def test_a_mapping_a_frame_and_a_record_array_give_the_same_matrix(data):
    formulation = Formulation("1 + log(prices) + C(brand)*sugar", absorb="C(city)")
    records = np.rec.fromarrays([data[name].to_numpy()[:, None] for name in data], names=list(data))
    tables = [{name: data[name].tolist() for name in data}, {name: data[name].to_numpy() for name in data}, records]
    for table in tables:
        np.testing.assert_array_equal(formulation.build(table), formulation.build(data))
        assert formulation.labels(table) == formulation.labels(data)
        np.testing.assert_array_equal(formulation.absorbed_codes(table)[0], formulation.absorbed_codes(data)[0])


def test_pandas_own_types_of_numbers_and_categories_are_read(data):
    other = data.astype({"sugar": "Float64", "mushy": "Int64", "brand": "category", "prices": object})
    formulation = Formulation("1 + prices + sugar + mushy + brand")
    np.testing.assert_array_equal(formulation.build(other), formulation.build(data))


@pytest.mark.parametrize(("change", "formula", "message"), [
    ({"sugar": np.nan}, "sugar", "'sugar' is missing or infinite"),
    ({"prices": np.inf}, "C(brand):prices", "'prices' is missing or infinite"),
    ({"prices": 0.0}, "log(prices)", "'log(prices)' is not finite"),
    ({"prices": -1.0}, "0 + sugar + sqrt(prices)", "'sqrt(prices)' is not finite"),
    ({"brand": None}, "C(brand)", "'brand' is missing"),
    ({"mushy": pd.NA}, "mushy", "'mushy' is missing or infinite"),
    ({"sugar": "much"}, "I(2*sugar)", "'sugar' holds no numbers (but 'much')"),
])  # fmt: skip
def test_values_that_cannot_be_used_are_named_with_their_column_row_and_market(change, formula, message, data):
    bad = data.astype({"mushy": "Int64", "sugar": object} if set(change) & {"mushy", "sugar"} else {})
    for name, value in change.items():
        bad.loc[[10, 20], name] = value
    with pytest.raises(DataError, match=re.escape(f"{message} in 2 of 24 rows, the first of them row 10 (market m2).")):
        Formulation(formula).build(bad)


def test_an_infinite_derivative_is_refused():
    with pytest.raises(DataError, match=re.escape("the derivative by 'x' of 'log(x)' is not finite in 1 of 2 rows")):
        Formulation("0 + log(x)").derivative({"x": np.array([1.0, 0.0])}, "x")


def test_missing_columns_and_columns_of_the_wrong_length_are_named():
    with pytest.raises(DataError, match=r"no column 'sugar'\. They have prices\. Add or rename it"):
        Formulation("prices + sugar").build({"prices": [1.0, 2.0]})
    with pytest.raises(DataError, match=r"column 'sugar' has shape \(3,\); it must be \(2,\)"):
        Formulation("prices + sugar").build({"prices": [1.0, 2.0], "sugar": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="the data are a list"):
        Formulation("prices").build([1.0, 2.0])


def test_a_formulation_survives_pickling_and_equals_its_copy(data):
    formulation = Formulation("1 + log(prices)*C(brand)", absorb="C(city)")
    copy = pickle.loads(pickle.dumps(formulation))
    assert copy == formulation and hash(copy) == hash(formulation)
    assert copy != Formulation("1 + log(prices)*C(brand)")
    np.testing.assert_array_equal(copy.build(data), formulation.build(data))
    with pytest.raises(AttributeError):
        copy.formula = "0 + prices"
