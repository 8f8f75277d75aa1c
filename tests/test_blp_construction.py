"""Ownership, instruments, ids and tables: pyblp's numbers, closed forms, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from compecon.blp.construction import (
    build_blp_instruments,
    build_differentiation_instruments,
    build_id_data,
    build_integration,
    build_matrix,
    build_ownership,
    data_to_dict,
)
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.errors import DataError, ParameterError

INTERACTIONS = [("local", False), ("local", True), ("quadratic", False), ("quadratic", True)]


def unbalanced(seed=0):
    """Markets of 1 to 9 products owned by 1 to 4 firms, rows shuffled; ids are strings."""
    state = np.random.RandomState(seed)
    sizes = [1, 2, 9, 4, 7, 1, 3]
    market = np.repeat([f"m{t}" for t in range(len(sizes))], sizes)
    N = market.size
    columns = {"market_ids": market, "firm_ids": state.choice(["f", "g", "h", "k"], N), "x": state.normal(size=N),
               "y": state.uniform(size=N), "prices": state.uniform(1, 2, size=N), "mushy": state.randint(2, size=N),
               "brand": state.choice(["a", "b", "c"], N)}
    order = state.permutation(N)
    return pd.DataFrame({name: values[order] for name, values in columns.items()})


@pytest.fixture(scope="module")
def pyblp():
    return pytest.importorskip("pyblp")


@pytest.fixture(scope="module", params=["cereal", "unbalanced"])
def case(request, pyblp):
    """A table and a formula of its characteristics."""
    if request.param == "cereal":
        return pd.read_csv(pyblp.data.NEVO_PRODUCTS_LOCATION), "0 + sugar + prices"
    return unbalanced(), "0 + x + y + mushy"


# Ownership


def profit_weight(f, g):
    return 1.0 if f == g else 0.25 if f < g else 0.125


@pytest.mark.parametrize("kappa", [None, "monopoly", "single", profit_weight], ids=str)
def test_ownership_is_pyblps(case, pyblp, kappa):
    ours, theirs = build_ownership(case[0], kappa), pyblp.build_ownership(case[0], kappa)
    assert ours.dtype == np.float64
    np.testing.assert_array_equal(ours, theirs)


def test_columns_of_ownership_are_a_market_s_products_in_the_order_of_the_rows():
    data = {"market_ids": ["b", "a", "b", "b"], "firm_ids": [1, 1, 2, 1]}
    nan = np.nan
    expected = [[1, 0, 1], [1, nan, nan], [0, 1, 0], [1, 0, 1]]
    np.testing.assert_array_equal(build_ownership(data), expected)
    np.testing.assert_array_equal(build_ownership(data, lambda f, g: 10 * f + g)[0], [11, 12, 11])


def test_special_ownership_needs_no_firms():
    data = {"market_ids": [0, 0, 1]}
    np.testing.assert_array_equal(build_ownership(data, "monopoly"), [[1, 1], [1, 1], [1, np.nan]])
    np.testing.assert_array_equal(build_ownership(data, "single"), [[1, 0], [0, 1], [1, np.nan]])
    with pytest.raises(DataError, match="no column 'firm_ids'"):
        build_ownership(data)
    with pytest.raises(DataError, match="no column 'firm_ids'"):
        build_ownership(data, profit_weight)


# Instruments


def test_blp_instruments_are_pyblps(case, pyblp):
    data, formula = case
    formula = formula.replace("0", "1")
    ours = build_blp_instruments(Formulation(formula), data)
    theirs = pyblp.build_blp_instruments(pyblp.Formulation(formula), data)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("version", "interact"), INTERACTIONS)
def test_differentiation_instruments_are_pyblps(case, pyblp, version, interact):
    data, formula = case
    ours = build_differentiation_instruments(Formulation(formula), data, version, interact)
    theirs = pyblp.build_differentiation_instruments(pyblp.Formulation(formula), data, version, interact)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("version", "interact"), INTERACTIONS)
def test_instruments_follow_their_rows(version, interact):
    data, formulation = unbalanced(), Formulation("0 + x + y")
    order = np.random.RandomState(1).permutation(len(data))
    for build, options in ((build_blp_instruments, ()), (build_differentiation_instruments, (version, interact))):
        moved = build(formulation, data.iloc[order], *options)
        np.testing.assert_allclose(moved, build(formulation, data, *options)[order], rtol=0, atol=1e-13)


def test_local_instruments_count_neighbours_within_one_standard_deviation_of_all_differences():
    data = {"market_ids": [0, 0, 0, 1, 1], "firm_ids": [1, 1, 2, 1, 1], "x": [0.0, 1.0, 5.0, 0.0, 2.0]}
    # Differences 1, 5, 4 and 2, each with both signs: sd = sqrt((1 + 25 + 16 + 4) / 4) = 3.39.
    local = build_differentiation_instruments(Formulation("0 + x"), data)
    np.testing.assert_array_equal(local, [[1, 0], [1, 0], [0, 0], [1, 0], [1, 0]])
    distance = build_differentiation_instruments(Formulation("0 + x"), data, interact=True)
    np.testing.assert_array_equal(distance, [[-1, 0], [1, 0], [0, 0], [-2, 0], [2, 0]])


@pytest.mark.parametrize("version", ["local", "quadratic"])
def test_products_alone_in_their_markets_have_instruments_of_zero(version):
    data = {"market_ids": [0, 1], "firm_ids": [0, 0], "x": [1.0, 2.0]}
    with np.errstate(all="raise"):
        instruments = build_differentiation_instruments(Formulation("0 + x"), data, version)
    assert instruments.tolist() == [[0, 0], [0, 0]]
    assert build_blp_instruments(Formulation("0 + x"), data).tolist() == [[0, 0], [0, 0]]


def test_instruments_refuse_what_they_cannot_use():
    data, formulation = unbalanced(), Formulation("0 + x")
    with pytest.raises(ParameterError, match="unknown version 'far'; choose one of 'local', 'quadratic'"):
        build_differentiation_instruments(formulation, data, "far")
    with pytest.raises(DataError, match="no column 'market_ids'"):
        build_blp_instruments(formulation, data.drop(columns="market_ids"))
    with pytest.raises(DataError, match="no column 'firm_ids'"):
        build_differentiation_instruments(formulation, data.drop(columns="firm_ids"))
    with pytest.raises(DataError, match="'firm_ids' is missing .*in 2 of 27 rows"):
        build_blp_instruments(formulation, data.assign(firm_ids=[None, None, *data["firm_ids"][2:]]))
    with pytest.raises(ParameterError, match="formulation = '0 [+] x'; it must be a Formulation"):
        build_blp_instruments("0 + x", data)
    with pytest.raises(DataError, match=r"'firm_ids' has shape \(26,\); it must be \(27,\)"):
        build_blp_instruments(formulation, dict(data) | {"firm_ids": data["firm_ids"][1:]})
    with pytest.raises(ParameterError, match="kappa_specification = 'duopoly'; it must be None, 'monopoly', 'single'"):
        build_ownership(data, "duopoly")


# Matrices


@pytest.mark.parametrize(("formula", "absorb"), [
    ("1 + prices + x:y", None), ("0 + prices + x", "C(brand)"), ("0 + prices + x", "C(brand) + C(market_ids)"),
])
def test_a_matrix_is_pyblps_fixed_effects_taken_out(pyblp, formula, absorb):
    data = unbalanced()
    ours = build_matrix(Formulation(formula, absorb=absorb), data)
    theirs = pyblp.build_matrix(pyblp.Formulation(formula, absorb=absorb), data)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 if absorb != "C(brand) + C(market_ids)" else 1e-8)


# Ids, nodes and records


@pytest.mark.parametrize("sizes", [(3, 7, 2), (1, 5, 5), (2, 10, 3)])
def test_ids_are_pyblps(pyblp, sizes):
    ours, theirs = build_id_data(*sizes), pyblp.build_id_data(*sizes)
    assert ours.dtype == theirs.dtype
    for name in ("market_ids", "firm_ids"):
        np.testing.assert_array_equal(ours[name], theirs[name])
        np.testing.assert_array_equal(getattr(ours, name), theirs[name])


@pytest.mark.parametrize(("sizes", "message"), [
    ((0, 3, 1), "T = 0"), ((1, 3, 0), "F = 0"), ((1, 2, 3), "J = 2; it must be an integer of at least 3"),
    ((1.0, 3, 1), r"T = 1\.0"),
])
def test_ids_need_at_least_one_product_a_firm(sizes, message):
    with pytest.raises(ParameterError, match=message):
        build_id_data(*sizes)


def test_nodes_and_weights_are_pyblps_as_a_record_array(pyblp):
    ours = build_integration(Integration("product", 3), 2)
    theirs = pyblp.build_integration(pyblp.Integration("product", 3), 2)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.nodes, theirs.nodes, rtol=0, atol=1e-12)
    np.testing.assert_allclose(ours.weights, theirs.weights, rtol=0, atol=1e-12)
    with pytest.raises(ParameterError, match="integration = 'product'; it must be an Integration"):
        build_integration("product", 2)


def record():
    data = np.recarray(2, [("market_ids", object, (1,)), ("nodes", float, (2,)), ("none", float, (0,)), ("x", float)])
    data["market_ids"], data["nodes"], data["x"] = [["a"], ["b"]], [[1, 2], [3, 4]], [5, 6]
    return data


@pytest.mark.parametrize("ignore_empty", [True, False])
def test_a_record_array_becomes_pyblps_dict_of_vectors(pyblp, ignore_empty):
    ours, theirs = data_to_dict(record(), ignore_empty), pyblp.data_to_dict(record(), ignore_empty)
    assert list(ours) == list(theirs)
    assert list(ours) == ["market_ids", "nodes0", "nodes1", *([] if ignore_empty else ["none"]), "x"]
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name])
    if ignore_empty:
        assert pd.DataFrame(ours)["nodes1"].tolist() == [2, 4]


def test_what_has_no_columns_is_refused():
    with pytest.raises(ParameterError, match="data is a dict; it must be a NumPy record array"):
        data_to_dict({"x": [1]})
    with pytest.raises(DataError, match="field 'x' has 3 dimensions"):
        data_to_dict(np.recarray(2, [("x", float, (2, 2))]))
    with pytest.raises(DataError, match="field 'x' can't be split: there already is a field 'x1'"):
        data_to_dict(np.recarray(2, [("x", float, (2,)), ("x1", float)]))
