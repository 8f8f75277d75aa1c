"""Agents from data, from an integration rule, or from both: as pyblp makes them, and what is refused or warned of."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from compecon.blp.agents import build_agents
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.errors import CompEconWarning, DataError, ParameterError

MARKETS = SimpleNamespace(unique_market_ids=np.array(["a", "b", "c"]))
INCOME = Formulation("0 + income + age")


def agent_table(sizes=(3, 4, 2), seed=0):
    """Agents of markets a, b, c in shuffled rows, with three nodes, weights and two demographics."""
    state = np.random.RandomState(seed)
    market = np.repeat(["a", "b", "c"], sizes)
    table = pd.DataFrame({"market_ids": market, "weights": state.uniform(1, 2, market.size)})
    table["weights"] /= table.groupby("market_ids")["weights"].transform("sum")
    for name in ("nodes0", "nodes1", "nodes2", "income", "age"):
        table[name] = state.normal(size=market.size)
    return table.sample(frac=1, random_state=state).reset_index(drop=True)


def product_table():
    """Two products in each market; enough for pyblp to set up a problem."""
    state = np.random.RandomState(1)
    columns = {name: state.uniform(size=6) for name in ("prices", "x", "demand_instruments0")}
    return pd.DataFrame({"market_ids": ["c", "a", "b", "b", "a", "c"], "shares": 0.1, **columns})


def assert_agents(ours, table, nodes):
    """`ours` holds the rows of `table` and `nodes`, given in market order."""
    np.testing.assert_array_equal(ours.starts, np.append(0, np.cumsum(table.groupby("market_ids").size())))
    np.testing.assert_array_equal(ours.weights, table["weights"])
    np.testing.assert_array_equal(ours.nodes, nodes)
    np.testing.assert_array_equal(ours.demographics, table[["income", "age"]])
    np.testing.assert_array_equal(ours.traits, np.c_[ours.nodes, ours.demographics])


# As pyblp


@pytest.mark.parametrize("integration", [
    None, ("product", 2), ("monte_carlo", 3, {"seed": 2}), ("halton", 1, {"seed": 2}),
], ids=str)
@pytest.mark.parametrize("demographics", [True, False])
def test_agents_are_pyblps_sorted_by_market(integration, demographics):
    pyblp = pytest.importorskip("pyblp")
    table = agent_table((4, 5, 4))
    formula = "0 + income + income:age" if demographics else None
    ours = build_agents(MARKETS, 2, Formulation(formula) if formula else None, table,
                        Integration(*integration) if integration else None)
    theirs = pyblp.Problem((pyblp.Formulation("0 + prices"), pyblp.Formulation("1 + x")), product_table(),
                           pyblp.Formulation(formula) if formula else None, table,
                           pyblp.Integration(*integration) if integration else None).agents
    order = np.argsort(theirs.market_ids.ravel().astype(str), kind="stable")
    assert np.repeat(["a", "b", "c"], np.diff(ours.starts)).tolist() == theirs.market_ids[order].ravel().tolist()
    for name in ("weights", "nodes", "demographics"):
        mine, other = getattr(ours, name), theirs[name][order]
        assert (mine if mine.ndim == 2 else mine[:, None]).shape == other.shape
        np.testing.assert_allclose(mine.ravel(), other.ravel(), rtol=0, atol=1e-12)


def test_the_cereal_problem_s_agents_are_pyblps():
    pyblp = pytest.importorskip("pyblp")
    table = pd.read_csv(pyblp.data.NEVO_AGENTS_LOCATION)
    products = SimpleNamespace(unique_market_ids=np.unique(table["market_ids"].to_numpy(object)))
    agents = build_agents(products, 4, Formulation("0 + income + income_squared + age + child"), table)
    assert agents.traits.shape == (1880, 8)
    assert agents.names == ("income", "income_squared", "age", "child")
    assert np.unique(np.diff(agents.starts)).tolist() == [20]
    ordered = table.sort_values("market_ids", kind="stable")
    np.testing.assert_array_equal(
        agents.traits, ordered[[*(f"nodes{k}" for k in range(4)), "income", "income_squared", "age", "child"]])
    np.testing.assert_array_equal(agents.weights, ordered["weights"])


# From data


def test_rows_are_sorted_by_market_and_keep_the_file_s_order_within_one():
    table = agent_table()
    agents = build_agents(MARKETS, 3, INCOME, table)
    ordered = table.sort_values("market_ids", kind="stable")
    assert_agents(agents, ordered, ordered[["nodes0", "nodes1", "nodes2"]])
    assert agents.names == ("income", "age")
    assert agents.starts.dtype == np.int64
    assert agents.traits.flags.c_contiguous and agents.traits.dtype == np.float64


def test_nodes_in_surplus_are_left_out():
    table = agent_table()
    agents = build_agents(MARKETS, 2, None, table)
    np.testing.assert_array_equal(agents.traits, table.sort_values("market_ids", kind="stable")[["nodes0", "nodes1"]])
    assert agents.names == ()
    assert agents.demographics.shape == (9, 0)


def test_tables_of_any_kind_and_one_matrix_of_nodes_give_the_same_agents():
    table = agent_table()
    expected = build_agents(MARKETS, 3, INCOME, table)
    as_dict = {name: table[name].to_numpy() for name in table}
    nodes = table[["nodes0", "nodes1", "nodes2"]].to_numpy()
    as_matrix = {name: column for name, column in as_dict.items() if not name.startswith("nodes")} | {"nodes": nodes}
    for data in (as_dict, as_matrix, table.to_records(index=False), table.set_index("income", drop=False)):
        np.testing.assert_array_equal(build_agents(MARKETS, 3, INCOME, data).traits, expected.traits)


def test_a_demographic_of_categories_has_a_name_for_each_of_its_columns():
    table = agent_table().assign(region=list("nsnsnwwns"))
    agents = build_agents(MARKETS, 1, Formulation("0 + income + C(region)"), table)
    assert agents.demographics.shape == (9, 4)
    assert len(agents.names) == 4


# From an integration


def test_an_integration_alone_gives_every_market_its_nodes():
    rule = Integration("monte_carlo", 5, {"seed": 0})
    agents = build_agents(MARKETS, 2, integration=rule)
    np.testing.assert_array_equal(agents.nodes, np.random.RandomState(0).normal(size=(15, 2)))
    assert agents.starts.tolist() == [0, 5, 10, 15]
    assert agents.weights.tolist() == [0.2] * 15


def test_an_integration_replaces_nodes_and_weights_and_takes_each_market_s_first_demographics():
    table, rule = agent_table(), Integration("monte_carlo", 2, {"seed": 0})
    agents = build_agents(MARKETS, 2, INCOME, table, rule)
    leading = table.sort_values("market_ids", kind="stable").groupby("market_ids").head(2).assign(weights=0.5)
    assert_agents(agents, leading, np.random.RandomState(0).normal(size=(6, 2)))
    bare = table[["market_ids", "income", "age"]]
    np.testing.assert_array_equal(build_agents(MARKETS, 2, INCOME, bare, rule).traits, agents.traits)


def test_an_integration_with_more_nodes_than_a_market_has_demographics_is_refused():
    message = "has 3 nodes a market, but agent_data has fewer rows in markets 'c'"
    with pytest.raises(DataError, match=message):
        build_agents(MARKETS, 1, INCOME, agent_table(), Integration("product", 3))


# Plain logit


def test_without_nonlinear_characteristics_a_market_has_one_agent_without_traits():
    agents = build_agents(MARKETS, 0)
    assert agents.starts.tolist() == [0, 1, 2, 3]
    assert agents.weights.tolist() == [1, 1, 1]
    assert agents.traits.shape == (3, 0)
    with pytest.raises(ParameterError, match="no X2 for them to disagree about"):
        build_agents(MARKETS, 0, agent_data=agent_table())


# What is refused


@pytest.mark.parametrize(("arguments", "message"), [
    ((2,), "X2 needs agents: give agent_data, or an integration"),
    ((2, INCOME, None, Integration("product", 2)), "describes columns of agent_data, which is missing"),
    ((2, "0 + income", agent_table()), "agent_formulation = '0 [+] income'; it must be of type Formulation"),
    ((2, None, agent_table(), "product"), "integration = 'product'; it must be of type Integration"),
    ((2, Formulation("0 + income", absorb="C(age)"), agent_table()), "demographics have none. Leave out absorb"),
])
def test_sources_that_do_not_suffice_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        build_agents(MARKETS, *arguments)


@pytest.mark.parametrize("missing", ["market_ids", "weights", "age", "nodes1"])
def test_a_missing_column_is_named(missing):
    with pytest.raises(DataError, match=missing):
        build_agents(MARKETS, 3, INCOME, agent_table().drop(columns=missing))


def test_too_few_nodes_are_counted():
    table = agent_table()
    with pytest.raises(DataError, match="has 3 columns nodes0, nodes1, .., but X2 has 4, and each needs one"):
        build_agents(MARKETS, 4, None, table)
    with pytest.raises(DataError, match="has 0 columns nodes0, .*or give an integration"):
        build_agents(MARKETS, 1, None, table.drop(columns=["nodes0", "nodes1", "nodes2"]))


@pytest.mark.parametrize(("column", "value"), [("weights", np.nan), ("nodes1", np.inf), ("income", np.nan)])
def test_a_number_that_is_missing_or_infinite_is_named_with_its_market(column, value):
    table = agent_table()
    row = table.index[table["market_ids"] == "b"][0]
    table.loc[row, column] = value
    with pytest.raises(DataError, match=rf"{column}.* is missing or infinite in 1 of 9 rows, .*row {row} \(market b\)"):
        build_agents(MARKETS, 2, INCOME, table)


def test_markets_of_products_and_agents_must_be_the_same():
    table = agent_table()
    with pytest.raises(DataError, match="no agents for these markets of product_data: 'b'. Add"):
        build_agents(MARKETS, 2, None, table[table["market_ids"] != "b"])
    stray = table.assign(market_ids=table["market_ids"].replace("c", "d"))
    with pytest.raises(DataError, match="markets without products: 'd'. Remove .* as in product_data: 'a', 'b', 'c'"):
        build_agents(MARKETS, 2, None, stray)
    numbered = SimpleNamespace(unique_market_ids=np.array([1, 2, 3]))
    as_text = table.assign(market_ids=table["market_ids"].map({"a": "1", "b": "2", "c": "3"}))
    with pytest.raises(DataError, match="markets without products"):
        build_agents(numbered, 2, None, as_text)


def test_negative_or_vanishing_weights_are_refused_by_market():
    table = agent_table()
    negative = table["weights"].where(table.index != table.index[table["market_ids"] == "c"][0], -0.1)
    with pytest.raises(DataError, match="negative, or all zero, in markets 'c'"):
        build_agents(MARKETS, 2, None, table.assign(weights=negative))
    with pytest.raises(DataError, match="negative, or all zero, in markets 'a'"):
        build_agents(MARKETS, 2, None, table.assign(weights=table["weights"].where(table["market_ids"] != "a", 0)))


def test_agent_specific_choice_sets_are_refused():
    with pytest.raises(DataError, match="'availability', but every agent faces all products"):
        build_agents(MARKETS, 2, None, agent_table().assign(availability0=1.0, availability1=1.0))


def test_weights_that_do_not_sum_to_one_are_used_with_a_warning_that_has_the_sums():
    table = agent_table()
    table.loc[table["market_ids"] != "b", "weights"] *= 1.05
    with pytest.warns(CompEconWarning, match=re.escape("do not sum to one in some markets ('a: 1.05', 'c: 1.05')")):
        agents = build_agents(MARKETS, 2, None, table)
    np.testing.assert_array_equal(agents.weights, table.sort_values("market_ids", kind="stable")["weights"])


def test_weights_rounded_to_seven_digits_pass_in_silence():
    build_agents(MARKETS, 2, None, agent_table().round({"weights": 7}))
