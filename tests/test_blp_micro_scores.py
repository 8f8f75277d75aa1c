"""Simulated micro data and scores: the tutorial's numbers, pyblp 1.3.0 as oracle, identities, and faulty data."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from blp_micro_fixtures import OURS, declare, differences, economy, solve

from compecon.blp.examples import PI as CEREAL_PI
from compecon.blp.examples import SIGMA as CEREAL_SIGMA
from compecon.blp.examples import cereal_problem
from compecon.blp.integration import Integration
from compecon.blp.micro import MicroDataset
from compecon.blp.optimization import Optimization
from compecon.blp.parameters import build_parameters
from compecon.datasets import load_cereal
from compecon.errors import CompEconWarning, DataError, ParameterError

# The numbers of pyblp 1.3.0 on its tutorial "Post-Estimation", from the project's reference/nevo.json: solve_1.theta,
# micro_data and scores.
THETA = [0.5580935703981281, 3.3124889094853236, -0.005783552014756944, 0.09341446996550538, 2.2919715881497615,
    1.2844320215031406, 588.3251148678878, -30.192014141771466, 11.054628152976711, -0.3849540843895703,
    0.0522342734108877, 0.7483722702685469, -1.3533932410986145]
HEAD = [[10, 24], [14, 0], [12, 0], [10, 21], [8, 10], [12, 0], [8, 18], [17, 0], [19, 5], [7, 0]]
TAIL = [[1, 23], [10, 4], [18, 0], [4, 0], [13, 2]]
MICRO_MEANS = [-0.028211236925942875, 0.0006357284727353427, 0.11167170964461455, -0.0002937136225008021,
    -0.002019885379489832, -0.036440673505380945, -0.0002528913269739057, -0.0068212036128230255,
    0.001718578633734933, 0.0549334414128539, -0.47755525350448125, -0.0029488420844323484,
    -0.02578924961287785]
MICRO_STDS = [0.23161745883885673, 0.012222069567268696, 1.633020419072614, 0.135113938802098, 0.1877564824115657,
    0.26500359234168547, 0.024357615700595515, 0.4632373572689964, 0.017843959156433522, 2.0994047812156476,
    4.369510413426314, 0.1443019916647727, 0.2647745712290666]
AGENT_MEANS = [-0.12164809747147401, 0.026370955625637894, 0.2986622120326914, -0.02294719601196266,
    -0.32301171997826517, -0.1414396169091915, -0.03975100408681661, -0.6986531764334499,
    0.009699029832296079, -0.6135596618110625, -1.0166352747579828, -0.12436448571918053,
    0.03678894611472104]

QUADRATURE = Integration("product", 5)


@pytest.fixture(scope="module")
def cereal():
    """Results at the tutorial's estimates."""
    problem = cereal_problem()
    sigma, pi = build_parameters(problem, CEREAL_SIGMA, CEREAL_PI).split(np.array(THETA))
    return problem.solve(sigma, pi, optimization=Optimization("return"), method="1s")


@pytest.fixture(scope="module")
def survey():
    return MicroDataset("Simulated micro data", 1000, lambda t, p, a: np.ones((a.size, 1 + p.size)),
                        market_ids=["C61Q1"])


def with_agents(simulated, agents, columns):
    """Simulated micro data with columns of the agents who were drawn, as in the tutorial."""
    data = pd.DataFrame({name: simulated[name].ravel() for name in simulated.dtype.names})
    numbered = agents.assign(agent_indices=agents.groupby("market_ids").cumcount())
    return data.merge(numbered[["market_ids", "agent_indices", *columns]], on=["market_ids", "agent_indices"])


# The tutorial


def test_the_tutorials_micro_data_are_drawn(cereal, survey):
    data = cereal.simulate_micro_data(survey, seed=0)
    assert data.dtype.names == ("micro_ids", "market_ids", "agent_indices", "choice_indices")
    pairs = np.hstack([data.agent_indices, data.choice_indices]).tolist()
    assert (pairs[:10], pairs[-5:]) == (HEAD, TAIL)
    assert np.mean(data.choice_indices == 0) == 0.464
    np.testing.assert_array_equal(data.micro_ids.ravel(), range(1000))


def test_the_tutorials_scores_are_found(cereal, survey):
    demographics = ["income", "income_squared", "age", "child"]
    data = with_agents(cereal.simulate_micro_data(survey, seed=0), load_cereal()[1], demographics)
    micro = cereal.compute_micro_scores(survey, data, integration=QUADRATURE)
    agent = cereal.compute_agent_scores(survey, integration=QUADRATURE)
    assert [score.shape for score in micro] == 13 * [(1000,)]
    assert [list(score) for score in agent] == 13 * [["C61Q1"]]
    assert {score["C61Q1"].shape for score in agent} == {(20, 25)}
    np.testing.assert_allclose([score.mean() for score in micro], MICRO_MEANS, rtol=1e-8)
    np.testing.assert_allclose([score.std() for score in micro], MICRO_STDS, rtol=1e-8)
    np.testing.assert_allclose([score["C61Q1"].mean() for score in agent], AGENT_MEANS, rtol=1e-8)


# Against pyblp, where markets differ


@pytest.fixture(scope="module")
def ours():
    return solve()


@pytest.fixture(scope="module")
def theirs():
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    return solve(pyblp)


def surveys_of(lib):
    return declare(lib)[0]


@pytest.fixture(scope="module", params=[0, 1], ids=["buyers in some markets", "everyone everywhere"])
def pair(request, ours, theirs):
    """Our survey, pyblp's, and data from it with demographics."""
    pyblp = pytest.importorskip("pyblp")
    mine, yours = surveys_of(OURS)[request.param], surveys_of(pyblp)[request.param]
    return mine, yours, with_agents(ours.simulate_micro_data(mine, seed=4), economy()[1], ["income", "kids"])


def test_draws_are_pyblps(ours, theirs, pair):
    mine, yours, _ = pair
    if yours.market_ids is not None:
        # pyblp runs through a set here, in an order that differs from session to session.
        yours.market_ids = dict.fromkeys(sorted(yours.market_ids)).keys()
    found, expected = ours.simulate_micro_data(mine, seed=7), theirs.simulate_micro_data(yours, seed=7)
    assert found.dtype == expected.dtype
    for name in expected.dtype.names:
        np.testing.assert_array_equal(found[name], expected[name])


RULES = [("product", 3, {}), ("monte_carlo", 4, {"seed": 1}), ("halton", 4, {"seed": 2})]


@pytest.mark.parametrize("rule", RULES, ids=[rule[0] for rule in RULES])
def test_micro_scores_are_pyblps(ours, theirs, pair, rule):
    pyblp = pytest.importorskip("pyblp")
    mine, yours, data = pair
    found = ours.compute_micro_scores(mine, data, Integration(*rule))
    expected = theirs.compute_micro_scores(yours, data, pyblp.Integration(*rule))
    assert len(found) == len(expected) == 7
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("rule", [None, *RULES], ids=["own nodes", *(rule[0] for rule in RULES)])
def test_agent_scores_are_pyblps(ours, theirs, pair, rule):
    pyblp = pytest.importorskip("pyblp")
    mine, yours, data = pair
    rules = (None, None) if rule is None else (Integration(*rule), pyblp.Integration(*rule))
    # Where the problem's own agents are drawn for, pyblp draws in the order of agent_data, we market by market. With
    # choice_indices, pyblp gives the score of that choice alone.
    people = None if rule is None or rule[0] == "product" else data.drop(columns="choice_indices")
    found = ours.compute_agent_scores(mine, people, rules[0])
    expected = theirs.compute_agent_scores(yours, people, rules[1])
    for score, other in zip(found, expected, strict=True):
        assert list(score) == sorted(other)
        for market in other:
            np.testing.assert_allclose(score[market], other[market], rtol=1e-8, atol=1e-10)


def own_draws(data, n_nodes=3):
    """Each observation with three draws of its own."""
    draw = np.random.RandomState(0)
    rows = data.loc[data.index.repeat(3)].sort_values("micro_ids", kind="stable").reset_index(drop=True)
    weights = draw.uniform(1, 2, (len(data), 3))
    rows["weights"] = (weights / weights.sum(axis=1, keepdims=True)).ravel()
    return rows.assign(**{f"nodes{k}": draw.normal(size=len(rows)) for k in range(n_nodes)})


@pytest.mark.parametrize("n_nodes", [2, 3, 4], ids=["one for each sigma", "one for each taste", "more than needed"])
def test_scores_with_nodes_in_the_data_are_pyblps(ours, theirs, pair, n_nodes):
    mine, yours, data = pair
    rows = own_draws(data, n_nodes)
    found = ours.compute_micro_scores(mine, rows)
    np.testing.assert_allclose(found, theirs.compute_micro_scores(yours, rows), rtol=1e-8, atol=1e-10)
    shuffled = ours.compute_micro_scores(mine, rows.sample(frac=1, random_state=0))
    np.testing.assert_allclose(shuffled, found, rtol=1e-11, atol=1e-12)


# Identities


@pytest.fixture(scope="module")
def buyers():
    return surveys_of(OURS)[0]


@pytest.fixture(scope="module")
def data(ours, buyers):
    return with_agents(ours.simulate_micro_data(buyers, seed=4), economy()[1], ["income", "kids"])


def test_scores_are_derivatives_of_the_log_likelihood(ours, buyers, data):
    rule, few = Integration("product", 3), data.iloc[::40]
    (nodes, weights), people = rule.build(2), economy()[1].sort_values("market_ids", kind="stable")
    problem = ours.problem

    columns = ["nodes0", "nodes1", "nodes2", "income", "kids"]

    def probabilities(parameters, theta, inversion, market, traits):
        rows = np.flatnonzero(economy()[0].market_ids == market)
        place = np.isin(problem.sorted_products.order, rows)
        V = inversion.delta[place] + traits @ parameters.loadings(theta).T @ problem.sorted_products.X2[place].T
        return np.exp(V) / (1 + np.exp(V).sum(axis=1, keepdims=True))

    def log_likelihoods(parameters, theta, inversion):
        total = 0.0
        for market in buyers.market_ids:
            here = people[people.market_ids == market]
            P = probabilities(parameters, theta, inversion, market, here[columns].to_numpy())
            total += ((here.weights * (1 + here.income)).to_numpy() @ P).sum()
        out = []
        for row in few.itertuples():
            traits = np.column_stack([nodes, np.zeros(9), np.full(9, row.income), np.full(9, row.kids)])
            P = probabilities(parameters, theta, inversion, row.market_ids, traits)
            out.append(np.log((1 + row.income) * weights @ P[:, row.choice_indices] / total))
        return np.array(out)

    expected = differences(log_likelihoods, problem)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(ours.compute_micro_scores(buyers, few, rule), expected, rtol=1e-6, atol=1e-8)


def test_scores_of_those_sampled_average_to_zero(ours):
    for survey in surveys_of(OURS):
        scores, mean, mass = ours.compute_agent_scores(survey), np.zeros(7), 0.0
        problem, agents = ours.problem, economy()[1]
        for market in scores[0]:
            here = agents[agents.market_ids == market]
            t = list(problem.unique_market_ids).index(market)
            rows = slice(*problem.sorted_products.starts[t : t + 2])
            traits = here[["nodes0", "nodes1", "nodes2", "income", "kids"]].to_numpy()
            V = ours.demand().delta[rows] + traits @ ours.demand().loadings.T @ problem.sorted_products.X2[rows].T
            P = np.exp(np.column_stack([np.zeros(len(V)), V]))
            P /= P.sum(axis=1, keepdims=True)
            c = 1 + here.income if survey.name == "buyers" else 0.5 + here.nodes0**2
            cells = (here.weights * c).to_numpy()[:, None] * P[:, -scores[0][market].shape[1] :]
            mass += cells.sum()
            mean += [np.sum(cells * score[market]) for score in scores]
        np.testing.assert_allclose(mean / mass, 0, atol=1e-12)


def test_one_agent_explains_the_shares_whatever_theta_is(ours):
    alone = MicroDataset("one agent", 10, lambda t, p, a: np.ones((a.size, 1 + p.size)), market_ids=["m2"])
    for score in ours.compute_agent_scores(alone):
        assert score["m2"].shape == (1, 6)
        np.testing.assert_allclose(score["m2"], 0, atol=1e-12)


def test_a_part_of_the_data_has_the_same_scores(ours, buyers, data):
    """pyblp leaves the other markets of the survey out of the denominator, and these scores change with the part."""
    whole = np.array(ours.compute_micro_scores(buyers, data, Integration("product", 3)))
    here = (data.market_ids == "m5").to_numpy()
    part = ours.compute_micro_scores(buyers, data[here], Integration("product", 3))
    np.testing.assert_array_equal(whole[:, here], part)


def test_tables_of_all_kinds_are_read(ours, buyers, data):
    expected = ours.compute_micro_scores(buyers, data, Integration("product", 2))
    for table in (data.to_dict("list"), data.to_records(index=False)):
        np.testing.assert_array_equal(ours.compute_micro_scores(buyers, table, Integration("product", 2)), expected)


# Faulty data


def changed(**columns):
    return lambda data: data.assign(**columns)


def at_row(column, value, row=3):
    def change(data):
        data = data.astype({column: object})
        data.loc[row, column] = value
        return data.infer_objects()

    return change


@pytest.mark.parametrize("change, message", [
    (lambda data: data.drop(columns="choice_indices"), "no column 'choice_indices'"),
    (lambda data: data.drop(columns="kids"), "'kids'"),
    (lambda data: data.drop(columns="market_ids"), "no column 'market_ids'"),
    (at_row("choice_indices", 6), r"choice_indices in micro_data are not whole numbers from 0 to \d.*row 3 \(market m"),
    (at_row("choice_indices", -1), r"choice_indices.* 1 of 300 rows, the first of them row 3 \(market m"),
    (at_row("choice_indices", 0.5), r"choice_indices.*row 3 \(market m"),
    (at_row("choice_indices", np.nan), r"'choice_indices' is missing.*row 3 \(market m"),
    (at_row("income", np.nan), r"'income' is missing or infinite.*row 3 \(market m"),
    (at_row("market_ids", "m2"), r"outside micro dataset 'buyers'.*row 3 \(market m2"),
    (at_row("market_ids", "m77"), r"outside micro dataset 'buyers'.*row 3 \(market m77"),
])
def test_faulty_micro_data_are_refused_with_market_and_row(ours, buyers, data, change, message):
    with pytest.raises(DataError, match=message):
        ours.compute_micro_scores(buyers, change(data), Integration("product", 2))


@pytest.mark.parametrize("change, message", [
    (lambda rows: rows.drop(columns="micro_ids"), "no column 'micro_ids'"),
    (lambda rows: rows.drop(columns="weights"), "no column 'weights'"),
    (lambda rows: rows.drop(columns=["nodes1", "nodes2"]), "1 columns nodes0, nodes1, .., but 2 tastes have a sigma"),
    (at_row("weights", -0.1), r"weights in micro_data are negative.*row 3 \(market m"),
    (at_row("nodes1", np.nan), r"'nodes1' is missing.*row 3 \(market m"),
    (changed(micro_ids=0), "micro_ids in micro_data stand in several markets"),
    (lambda rows: rows.assign(choice_indices=rows.index % 2), "not the same for all rows of one of micro_ids"),
])
def test_faulty_draws_in_the_data_are_refused(ours, buyers, data, change, message):
    with pytest.raises(DataError, match=message):
        ours.compute_micro_scores(buyers, change(own_draws(data[data.market_ids != "m5"])))


def test_weights_that_do_not_sum_to_one_are_told(ours, buyers, data):
    rows = own_draws(data)
    expected = ours.compute_micro_scores(buyers, rows)
    rows.loc[rows.micro_ids == 7, "weights"] *= 2
    with pytest.warns(CompEconWarning, match="do not sum to one for '7' of micro_ids"):
        found = ours.compute_micro_scores(buyers, rows)
    # A common factor cancels.
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_a_choice_that_cannot_be_sampled_has_no_score_and_a_warning(ours, data):
    def weights(t, p, a):
        out = np.ones((a.size, p.size))
        out[:, 0] = 0
        return out

    survey = MicroDataset("no first product", 300, weights, market_ids=["m1", "m3", "m4", "m5"])
    lost = (data.choice_indices == 0).to_numpy()
    assert 0 < lost.sum() < 300
    with pytest.warns(CompEconWarning, match=f"{lost.sum()} of 300 observations have no score"):
        scores = ours.compute_micro_scores(survey, data, Integration("product", 2))
    np.testing.assert_array_equal(np.isnan(scores), np.tile(lost, (7, 1)))


def test_a_survey_of_nobody_cannot_be_simulated(ours):
    nobody = MicroDataset("nobody", 10, lambda t, p, a: np.zeros((a.size, p.size)))
    with pytest.raises(DataError, match="micro dataset 'nobody' samples nobody"):
        ours.simulate_micro_data(nobody)


@pytest.mark.parametrize("arguments, message", [
    (("survey", Integration("product", 2)), "must be a MicroDataset"),
    ((None, "product"), "integration = 'product'"),
])
def test_wrong_arguments_are_named(ours, buyers, data, arguments, message):
    dataset, rule = arguments
    with pytest.raises(ParameterError, match=message):
        ours.compute_micro_scores(dataset or buyers, data, rule)


def test_a_model_without_random_tastes_takes_no_integration(ours, buyers, data):
    parameters = build_parameters(ours.problem, np.zeros((3, 3)), [[0.3, 0], [0, 0.4], [0, 0]])
    flat = dataclasses.replace(ours, parameters_=parameters, sigma=np.zeros((3, 3)))
    with pytest.raises(ParameterError, match=r"tastes with a sigma \(there are 0\)"):
        flat.compute_micro_scores(buyers, data, Integration("product", 2))
