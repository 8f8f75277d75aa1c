"""Micro moments: declarations, values, derivatives, covariances, on markets that all differ; pyblp is the oracle."""

from types import SimpleNamespace

import numpy as np
import pytest
from blp_micro_fixtures import build_problem, declare, differences, economy, inversion_at, solve

from compecon.blp import options
from compecon.blp.micro import MicroDataset, MicroMoment, MicroPart
from compecon.blp.micro_kernels import add_weighted_sums
from compecon.blp.micro_system import MicroSystem
from compecon.errors import DataError, ParameterError


def flat(t, p, a):
    """Sampling weights of a survey of everyone."""
    return np.ones((a.size, 1 + p.size))


SURVEY = MicroDataset("survey", 1000, flat)


@pytest.fixture(scope="module")
def problem():
    return build_problem()


@pytest.fixture(scope="module")
def at(problem):
    parameters, inversion = inversion_at(problem)
    return SimpleNamespace(parameters=parameters, theta=parameters.theta, inversion=inversion)


# Against pyblp


@pytest.fixture(scope="module")
def ours():
    return solve(moments=declare()[1])


@pytest.fixture(scope="module")
def theirs():
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    return solve(pyblp, declare(pyblp)[1])


@pytest.mark.parametrize("name", ["objective", "gradient", "micro_values", "micro", "micro_covariances", "updated_W",
                                  "beta", "beta_se", "sigma_se", "pi_se"])
def test_an_estimate_with_micro_moments_is_pyblps(ours, theirs, name):
    expected = np.asarray(getattr(theirs, name))
    assert np.shape(getattr(ours, name)) == expected.shape
    known = np.isfinite(expected) & (expected != 0)
    np.testing.assert_allclose(np.asarray(getattr(ours, name))[known], expected[known], rtol=1e-8, atol=1e-10)


def test_micro_values_after_estimation_are_pyblps(ours, theirs):
    pyblp = pytest.importorskip("pyblp")
    found, expected = ours.compute_micro_values(declare()[1]), theirs.compute_micro_values(declare(pyblp)[1])
    assert found.shape == expected.shape == (3,)
    np.testing.assert_allclose(found, expected, rtol=1e-8)


# Against closed forms and differences


def test_derivatives_of_moments_are_those_of_central_differences(problem, at):
    system = MicroSystem(problem, declare()[1])
    values, gap, slope = system.evaluate(problem, at.parameters, at.theta, at.inversion)
    np.testing.assert_array_equal(gap, system.observed - values)
    expected = differences(lambda *point: system.evaluate(problem, *point)[1], problem).T
    assert np.abs(expected).min() > 1e-5
    np.testing.assert_allclose(slope, expected, rtol=1e-6, atol=1e-9)


def test_averages_over_everyone_are_sums_of_observed_shares(problem, at):
    products, _ = economy()
    bought = MicroPart("bought", SURVEY, lambda t, p, a: np.ones((a.size, 1)) * np.append(0, p.prices.ravel()))
    values, _, slope = MicroSystem(problem, [MicroMoment("spent", 0, bought)]).evaluate(
        problem, at.parameters, at.theta, at.inversion)
    assert values[0] == pytest.approx((products.prices * products.shares).sum() / 6, rel=1e-12)
    np.testing.assert_allclose(slope, 0, atol=1e-12)


def test_the_covariance_of_a_yes_or_no_is_binomial(problem, at):
    yes = MicroPart("yes", SURVEY, lambda t, p, a: np.ones((a.size, 1)) * np.append(0, np.ones(p.size)))
    system = MicroSystem(problem, [MicroMoment("yes", 0.5, yes)])
    share = system.evaluate(problem, at.parameters, at.theta, at.inversion)[0][0]
    variance = system.covariances(problem, at.parameters, at)
    np.testing.assert_allclose(variance, [[share * (1 - share) / 1000]], rtol=1e-12)


def test_parts_of_different_surveys_do_not_covary(problem, at):
    other = MicroDataset("other", 50, flat)
    values = lambda t, p, a: np.repeat(a.income, 1 + p.size, axis=1)  # noqa: E731
    moments = [MicroMoment(d.name, 1, MicroPart(d.name, d, values)) for d in (SURVEY, other)]
    covariances = MicroSystem(problem, moments).covariances(problem, at.parameters, at)
    assert covariances[0, 1] == covariances[1, 0] == 0
    assert covariances[1, 1] == pytest.approx(20 * covariances[0, 0], rel=1e-12)


def test_values_where_nobody_is_sampled_do_not_matter(problem, at):
    no_outside = MicroDataset("a", 9, lambda t, p, a: np.hstack([np.zeros((a.size, 1)), np.ones((a.size, p.size))]))
    buyers = MicroDataset("b", 9, lambda t, p, a: np.ones((a.size, p.size)))
    income = lambda t, p, a: np.hstack([np.full((a.size, 1), np.nan), np.repeat(a.income, p.size, axis=1)])  # noqa: E731
    moments = [MicroMoment("a", 1, MicroPart("a", no_outside, income)),
               MicroMoment("b", 1, MicroPart("b", buyers, lambda t, p, a: income(t, p, a)[:, 1:]))]
    system = MicroSystem(problem, moments)
    values, _, slope = system.evaluate(problem, at.parameters, at.theta, at.inversion)
    assert values[0] == values[1]
    np.testing.assert_allclose(slope[0], slope[1], rtol=1e-13)
    covariances = system.covariances(problem, at.parameters, at)
    assert covariances[0, 0] == pytest.approx(covariances[1, 1], rel=1e-13)


@pytest.mark.parametrize("outside", [0, 1])
def test_the_kernel_agrees_with_sums_over_agents_products_and_parameters(outside):
    draw, (n_agents, n_products, K, C, M) = np.random.RandomState(0), (5, 4, 3, 5, 2)
    P = draw.dirichlet(np.ones(1 + n_products), n_agents)
    x, traits, jacobian = draw.normal(size=(4, K)), draw.normal(size=(5, C)), draw.normal(size=(4, 6))
    rows, columns = draw.randint(K, size=6), draw.randint(C, size=6)
    weights = draw.uniform(size=(n_agents, n_products + outside))
    values = draw.normal(size=(M, *weights.shape))
    V = np.zeros((n_agents, 1 + n_products, 6))
    V[:, 1:] = x[:, rows] * traits[:, None, columns] + jacobian
    dP = P[:, :, None] * (V - np.einsum("ij,ijp->ip", P, V)[:, None])
    cells = np.zeros((M, n_agents, 1 + n_products))
    cells[:, :, 1 - outside :] = weights * values
    totals, slopes = np.ones(M), np.ones((M, 6))
    add_weighted_sums(np.ascontiguousarray(P[:, 1 - outside :]), x, traits, rows, columns, jacobian, weights, values,
                      np.empty((K, C)), np.empty(4), totals, slopes)
    np.testing.assert_allclose(totals - 1, np.einsum("ij,mij->m", P, cells), rtol=1e-12)
    np.testing.assert_allclose(slopes - 1, np.einsum("ijp,mij->mp", dP, cells), rtol=1e-12, atol=1e-14)


def test_utilities_of_thousands_give_shares_of_one_and_zero():
    problem = build_problem()
    parameters, inversion = inversion_at(problem)
    huge = SimpleNamespace(delta=inversion.delta + 5000, jacobian=inversion.jacobian)
    yes = MicroPart("yes", SURVEY, lambda t, p, a: np.ones((a.size, 1)) * np.append(0, np.ones(p.size)))
    values, _, slope = MicroSystem(problem, [MicroMoment("yes", 0.5, yes)]).evaluate(
        problem, parameters, parameters.theta, huge)
    assert values[0] == pytest.approx(1, abs=1e-15)
    assert np.isfinite(slope).all()


# What users' functions see


def test_users_functions_see_columns_of_the_markets_products_and_agents(problem):
    products, agents = economy()
    seen = {}

    def look(t, p, a):
        seen[t] = p, a
        return flat(t, p, a)

    MicroSystem(problem, [MicroMoment("m", 0, MicroPart("m", MicroDataset("d", 1, look, market_ids="m4"), flat))])
    assert list(seen) == ["m4"]
    p, a = seen["m4"]
    here, people = products[products.market_ids == "m4"], agents[agents.market_ids == "m4"]
    assert (p.size, a.size) == (len(here), len(people))
    np.testing.assert_array_equal(p.prices, here[["prices"]])
    np.testing.assert_array_equal(p["x"], here[["x"]])
    np.testing.assert_array_equal(p.X2[:, 1:], here[["prices", "x"]])
    np.testing.assert_array_equal(p.market_ids, here[["market_ids"]])
    np.testing.assert_array_equal(a.weights, people[["weights"]])
    np.testing.assert_array_equal(a.nodes, people[["nodes0", "nodes1", "nodes2"]])
    np.testing.assert_array_equal(a.demographics, people[["income", "kids"]])
    np.testing.assert_array_equal(np.hstack([a.income, a["kids"]]), people[["income", "kids"]])


def test_users_functions_are_called_once_a_market(problem, at):
    calls = []
    part = MicroPart("p", SURVEY, lambda t, p, a: calls.append(t) or flat(t, p, a))
    moments = [MicroMoment("m", 1, part), MicroMoment("n", 1, [part], lambda v: v[0], lambda v: [1])]
    system = MicroSystem(problem, moments)
    for _ in range(2):
        system.evaluate(problem, at.parameters, at.theta, at.inversion)
    assert calls == ["m1", "m2", "m3", "m4", "m5", "m6"]


# Declarations


def test_declarations_print_as_pyblps(monkeypatch):
    pyblp = pytest.importorskip("pyblp")
    monkeypatch.setattr(options, "digits", 2)
    monkeypatch.setattr(pyblp.options, "digits", 2)
    for mine, yours in zip(declare(), declare(pyblp), strict=True):
        assert [str(one) for one in mine] == [str(one) for one in yours]
    parts = [part for moment in declare()[1] for part in moment.parts]
    assert [str(part) for part in parts] == [str(part) for moment in declare(pyblp)[1] for part in moment.parts]


def test_the_tutorials_moment_prints_as_there(monkeypatch):
    # reference/tutorial.txt, cell 33.
    monkeypatch.setattr(options, "digits", 2)
    dataset = MicroDataset("Simulated micro data", 1_000, flat, market_ids=["C61Q1"])
    name = "Score for parameter #0"
    moment = MicroMoment(name, np.float64(-0.028211236925942875), MicroPart(name, dataset, flat))
    assert repr(moment) == ("Score for parameter #0: -2.8E-02 (Score for parameter #0 on Simulated micro data: "
                            "1000 Observations in Market 'C61Q1')")


PART = MicroPart("part", SURVEY, flat)


@pytest.mark.parametrize("declaration, message", [
    (lambda: MicroDataset(3, 10, flat), "name = 3"),
    (lambda: MicroDataset("d", 0, flat), "observations = 0"),
    (lambda: MicroDataset("d", 10.0, flat), "observations = 10.0"),
    (lambda: MicroDataset("d", 10, np.ones(3)), "compute_weights of micro dataset 'd'"),
    (lambda: MicroDataset("d", 10, flat, 0), "second choices"),
    (lambda: MicroDataset("d", 10, flat, market_ids=["a", "b", "a"]), "not distinct: 'a', 'b', 'a'"),
    (lambda: MicroDataset("d", 10, flat, market_ids=[]), "not distinct"),
    (lambda: MicroPart("p", "d", flat), "dataset of micro part 'p'"),
    (lambda: MicroPart("p", SURVEY, None), "compute_values of micro part 'p'"),
    (lambda: MicroMoment("m", np.nan, PART), "value of micro moment 'm' = nan"),
    (lambda: MicroMoment("m", [1, 2], PART), "finite number"),
    (lambda: MicroMoment("m", "one", PART), "finite number"),
    (lambda: MicroMoment("m", 1, []), "parts of micro moment 'm'"),
    (lambda: MicroMoment("m", 1, [PART, PART], lambda v: v[0], lambda v: v), "several different ones"),
    (lambda: MicroMoment("m", 1, [PART, MicroPart("q", SURVEY, flat)]), "compute_value of micro moment 'm' = None"),
    # pyblp takes the derivative of any function of one part to be 1.
    (lambda: MicroMoment("m", 1, PART, lambda v: v[0] ** 2), "compute_gradient of micro moment 'm' = None"),
])
def test_a_wrong_declaration_is_refused_by_name(declaration, message):
    with pytest.raises(ParameterError, match=message):
        declaration()


def moment(weights=flat, values=flat, functions=(), **keywords):
    """A moment with a flaw."""
    dataset = MicroDataset("d", 10, weights, **keywords)
    return [MicroMoment("m", 1, MicroPart("p", dataset, values), *functions)]


def failing(t, p, a):
    raise KeyError("wages")


@pytest.mark.parametrize("moments, message", [
    (moment(lambda t, p, a: np.ones((p.size, 2, 2))), "compute_weights of micro dataset 'd' returned shape"),
    (moment(lambda t, p, a: -flat(t, p, a)), "negative, missing or infinite weights in market 'm1'"),
    (moment(lambda t, p, a: np.nan * flat(t, p, a)), "negative, missing or infinite weights in market 'm1'"),
    (moment(lambda t, p, a: np.inf * flat(t, p, a)), "negative, missing or infinite weights in market 'm1'"),
    (moment(lambda t, p, a: 0 * flat(t, p, a)), "gives weight to nobody"),
    (moment(failing), "compute_weights of micro dataset 'd' failed in market 'm1': KeyError: 'wages'"),
    (moment(values=failing), "compute_values of micro part 'p' failed in market 'm1': KeyError"),
    (moment(values=lambda t, p, a: np.ones(p.size)), r"'p' returned shape \(2,\) in market 'm1'; it must be \(6, 3\)"),
    (moment(values=lambda t, p, a: np.nan * flat(t, p, a)), "missing or infinite values in market 'm1'"),
    (moment(market_ids=["m1", "m9"]), "not all in product_data: 'm9'"),
    (moment() + moment(), "2 micro moments have the name 'm'"),
    (moment() + [MicroMoment("n", 1, moment()[0].parts[0])], "2 micro parts have the name 'p'"),
    (moment() + [MicroMoment("n", 1, MicroPart("q", MicroDataset("d", 10, flat), flat))],
     "2 micro datasets have the name 'd'"),
    (["m"], "list of MicroMoment objects"),
    (SURVEY, "list of MicroMoment objects"),
])
def test_a_flaw_in_the_moments_is_named(problem, moments, message):
    with pytest.raises((DataError, ParameterError), match=message):
        MicroSystem(problem, moments)


@pytest.mark.parametrize("functions", [(lambda v: [v[0], 1], lambda v: [1]), (lambda v: v[0], lambda v: [1, 0])])
def test_functions_of_the_wrong_size_are_named(ours, functions):
    with pytest.raises(DataError, match="micro moment 'm' return . and . numbers; they must return 1 and 1"):
        ours.compute_micro_values(moment(functions=functions))
