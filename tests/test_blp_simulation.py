"""Simulated economies: pyblp's from the same seed, first-order conditions in closed form, and parameters recovered."""

import warnings

import numpy as np
import pandas as pd
import pytest

from compecon.blp.construction import build_id_data, data_to_dict
from compecon.blp.formulation import Formulation
from compecon.blp.integration import Integration
from compecon.blp.optimization import Optimization
from compecon.blp.problem import Problem
from compecon.blp.simulation import Simulation
from compecon.errors import CompEconWarning, ConvergenceWarning, DataError, ParameterError

THREE = ("1 + prices + x", "0 + x", "0 + x + z")


def formulas(*texts, blp=None):
    """Formulations, ours or pyblp's; None stays."""
    make = Formulation if blp is None else blp.Formulation
    return tuple(text if text is None else make(text) for text in texts)


def tutorial(seed=0, T=50, sigma=0.5, **options):
    """The economy of pyblp's simulation tutorial, one random coefficient more."""
    ids, rule = build_id_data(T=T, J=20, F=10), Integration("product", 5)
    return Simulation(formulas(*THREE), ids, [1, -2, 2], sigma, gamma=[1, 4], integration=rule, seed=seed, **options)


def uneven(seed=0):
    """Products and agents of eleven markets, 1 to 9 products and 2 to 12 agents each, rows shuffled."""
    rng = np.random.default_rng(seed)
    sizes, agents = rng.integers(1, 10, 11), rng.integers(2, 13, 11)
    N, I = sizes.sum(), agents.sum()  # noqa: E741
    names = np.array([f"m{k}" for k in range(11)])
    products = {
        "market_ids": np.repeat(names, sizes), "firm_ids": rng.choice(["a", "b", "c"], N), "x": rng.uniform(size=N),
        "xi": 0.3 * rng.normal(size=N), "costs": rng.uniform(0.5, 1.5, N),
    }  # fmt: skip
    people = {"market_ids": np.repeat(names, agents), "weights": np.repeat(1 / agents, agents)}
    people |= {f"nodes{k}": rng.normal(size=I) for k in range(2)} | {"income": rng.normal(size=I)}
    return (pd.DataFrame(table).sample(frac=1, random_state=seed) for table in (products, people))


def assert_same_economy(ours, theirs, costs=None):
    """Prices, shares, mean utilities and costs, shapes included."""
    a, b = ours.replace_endogenous(costs), theirs.replace_endogenous(costs)
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("delta", "costs")]
    pairs += [(a.product_data[name], b.product_data[name]) for name in ("prices", "shares")]
    for mine, other in pairs:
        assert mine.shape == other.shape
        np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(a.fp_converged, b.fp_converged)
    return a, b


@pytest.mark.parametrize("options", [
    {},
    {"costs_type": "log", "gamma": [0.1, 0.3], "xi_variance": 0.3, "omega_variance": 0.2, "correlation": 0.5},
])  # fmt: skip
def test_one_seed_gives_pyblp_s_characteristics_errors_prices_shares_and_instruments(options):
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    options = {"beta": [1, -2, 2], "sigma": 0.5, "gamma": [1, 4], "seed": 3} | options
    ours = Simulation(formulas(*THREE), build_id_data(20, 12, 5), integration=Integration("product", 5), **options)
    ids, rule = pyblp.build_id_data(20, 12, 5), pyblp.Integration("product", 5)
    theirs = pyblp.Simulation(formulas(*THREE, blp=pyblp), ids, integration=rule, **options)
    for name in ("xi", "omega"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for name in ("x", "z", "firm_ids", "market_ids"):
        np.testing.assert_array_equal(ours.product_data[name], theirs.product_data[name])
    a, b = assert_same_economy(ours, theirs)
    problem, other = a.to_problem(), b.to_problem(formulas(*THREE[:2], blp=pyblp))
    assert problem.MD == other.MD
    np.testing.assert_allclose(problem.to_file_order(problem.instruments), other.products.ZD, rtol=1e-12)


@pytest.mark.parametrize(("X1", "X2", "beta"), [
    ("1 + prices + x", "1 + prices", [1, -3, 1]),
    ("1 + x", "1 + I(prices**2) + prices:x", [1, 1]),
    ("1 + log(prices) + x", "1 + x", [1, -4, 1]),
])  # fmt: skip
def test_uneven_markets_with_given_xi_and_costs_have_pyblp_s_prices(X1, X2, beta):
    pyblp = pytest.importorskip("pyblp")
    pyblp.options.verbose = False
    products, agents = uneven()
    K2 = X2.count("+") + 1
    agents["nodes2"] = 0.0
    # The middle taste is for prices where beta has none: its mean is the response to income, which is always 1 there.
    if K2 == 3:
        agents["income"] = 1.0
    pi = np.array([0.2, -2.0, 0.1])[:K2, None] if K2 == 3 else np.array([0.2, 0.1])[:, None]
    sigma, given = 0.3 * np.eye(K2), {"xi": products["xi"], "beta": beta, "pi": pi, "agent_data": agents}
    ours = Simulation(formulas(X1, X2), products, sigma=sigma, agent_formulation=Formulation("0 + income"), **given)
    theirs = pyblp.Simulation(
        formulas(X1, X2, blp=pyblp), products, sigma=sigma, agent_formulation=pyblp.Formulation("0 + income"), **given
    )
    assert_same_economy(ours, theirs, products["costs"])


def test_a_logit_of_single_product_firms_has_the_markup_one_over_alpha_times_one_minus_share():
    ids = build_id_data(T=6, J=5, F=5)
    rng = np.random.default_rng(0)
    costs, xi = rng.uniform(1, 2, 30), rng.normal(size=30)
    results = Simulation(Formulation("1 + prices"), ids, [1, -3], xi=xi).replace_endogenous(costs)
    prices, shares = results.product_data.prices[:, 0], results.product_data.shares[:, 0]
    np.testing.assert_allclose(prices - costs, 1 / (3 * (1 - shares)), rtol=1e-11)
    utility = 1 - 3 * prices + xi
    inside = np.exp(utility).reshape(6, 5).sum(axis=1).repeat(5)
    np.testing.assert_allclose(shares, np.exp(utility) / (1 + inside), rtol=1e-13)
    np.testing.assert_allclose(results.delta[:, 0], utility, rtol=1e-13)


def test_post_estimation_at_the_true_parameters_recovers_the_costs_and_the_prices():
    results = tutorial().replace_endogenous()
    np.testing.assert_allclose(results.compute_costs(), results.costs, atol=1e-11)
    prices = results.compute_prices(firm_ids=results.product_data.firm_ids, costs=results.costs)
    np.testing.assert_allclose(prices, results.product_data.prices, rtol=1e-11)
    np.testing.assert_allclose(results.compute_shares(), results.product_data.shares, rtol=1e-13)
    assert results.converged and results.fp_converged.shape == (50,)


def test_where_the_search_for_prices_starts_does_not_matter():
    simulation = tutorial(T=5)
    a, b = simulation.replace_endogenous(), simulation.replace_endogenous(prices=np.full((100, 1), 9.0))
    np.testing.assert_allclose(a.product_data.prices, b.product_data.prices, rtol=1e-11)


def test_estimates_from_simulated_data_recover_the_parameters_within_their_standard_errors():
    """Thirty economies: z = (estimate - truth) / standard error has mean 0 and variance 1 but for the sample's size.

    The bounds are three standard errors: of the mean of 30 standard normals, 0.55, and of their variance, 0.77.
    """
    z, optimization = [], Optimization("gauss-newton", {"gtol": 1e-5})
    for seed in range(30):
        results = tutorial(seed, T=40, sigma=3.0, xi_variance=0.25, omega_variance=0.25).replace_endogenous()
        first = results.to_problem().solve(sigma=2.0, optimization=optimization)
        problem = first.compute_optimal_instruments().to_problem()
        estimates = problem.solve(sigma=first.sigma, optimization=optimization)
        gaps = np.append(estimates.beta[:, 0] - [1, -2, 2], abs(estimates.sigma[0, 0]) - 3)
        z.append(gaps / np.append(estimates.beta_se[:, 0], estimates.sigma_se[0, 0]))
    assert np.abs(np.mean(z, axis=0)).max() < 0.55
    assert np.abs(np.var(z, axis=0) - 1).max() < 0.77


def test_the_product_data_serve_any_other_problem():
    results = tutorial(T=20).replace_endogenous()
    frame = pd.DataFrame(data_to_dict(results.product_data))
    assert {"market_ids", "firm_ids", "prices", "shares", "x", "z", "demand_instruments0"} <= set(frame)
    logit = results.to_problem(Formulation("1 + prices + x"))
    assert (logit.K2, logit.MD, logit.N) == (0, 5, 400)
    again = Problem(Formulation("1 + prices + x"), frame)
    np.testing.assert_array_equal(again.instruments, logit.instruments)
    assert results.to_problem() is results.problem


def test_random_agents_of_an_unseeded_integration_are_the_same_when_prices_are_made_and_after():
    rule = Integration("monte_carlo", 20)
    ids = build_id_data(T=4, J=6, F=2)
    results = Simulation(formulas(*THREE), ids, [1, -2, 2], 1.5, gamma=[1, 4], integration=rule).replace_endogenous()
    np.testing.assert_allclose(results.compute_costs(), results.costs, atol=1e-11)


def test_instruments_in_the_data_are_kept_and_what_the_data_have_is_not_drawn():
    products, _ = uneven()
    products["demand_instruments0"] = np.arange(len(products))
    simulation = Simulation(Formulation("1 + prices + x"), products, [1, -3, 1], xi=products["xi"])
    assert simulation.drawn == ("shares", "prices")
    problem = simulation.replace_endogenous(products["costs"]).to_problem()
    assert problem.MD == 3
    np.testing.assert_array_equal(problem.to_file_order(problem.instruments)[:, 0], np.arange(len(products)))


def test_sums_over_a_firm_s_other_products_are_no_instruments_where_it_has_none():
    """Rivals' x is left, and the constant and x of X1; with unequal markets the number of rivals too."""
    ids = pd.DataFrame({"market_ids": np.repeat(np.arange(6), 3), "firm_ids": np.tile(np.arange(3), 6)})
    for rows, names in ((ids, ["rivals", "1", "x"]), (ids[1:], ["number", "rivals", "1", "x"])):
        simulation = Simulation(Formulation("1 + prices + x"), rows, [1, -3, 1], xi=np.zeros(len(rows)), seed=0)
        assert simulation.problem.MD == len(names)
        x, market = simulation.product_data.x[:, 0], rows["market_ids"]
        rivals = pd.Series(x).groupby(market.to_numpy()).transform("sum") - x
        np.testing.assert_allclose(simulation.problem.instruments[:, names.index("rivals")], rivals, rtol=1e-12)


def test_the_same_seed_gives_the_same_economy_and_another_seed_another():
    first, again, other = (tutorial(seed, T=3).product_data for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x, again.x)
    assert (first.x != other.x).all()
    state = tutorial(np.random.RandomState(1), T=3).product_data
    np.testing.assert_array_equal(first.x, state.x)


def test_markets_without_equilibrium_are_named_and_have_no_prices():
    ids = build_id_data(T=3, J=4, F=2)
    income = pd.DataFrame({"market_ids": [0, 1, 2], "weights": 1.0, "nodes0": 0.0, "income": [0.0, 4.0, 0.0]})
    simulation = Simulation(
        formulas("1 + prices", "0 + prices"), ids, [1, -2], 0, [[1]], xi=np.zeros(12),
        agent_formulation=Formulation("0 + income"), agent_data=income,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match=r"1 of 3 markets \('1'\)"):
        results = simulation.replace_endogenous(np.ones(12))
    assert results.fp_converged.tolist() == [True, False, True] and not results.converged
    assert np.isnan(results.product_data.prices[4:8]).all() and np.isnan(results.product_data.shares[4:8]).all()
    assert np.isfinite(results.product_data.prices[[0, 11]]).all()
    assert "Failed\n" in repr(results) and repr(results).split()[-2] == "1"
    with pytest.raises(DataError, match="'shares' is missing .* 4 of 12 rows"):
        results.to_problem()


def test_the_printed_simulation_shows_dimensions_the_truth_and_what_was_drawn():
    text = repr(tutorial(T=3))
    assert "Nonlinear Coefficient True Values" in text and "Beta True Values" in text and "Gamma True Values" in text
    assert text.endswith("Drawn: shares, prices, x, z.")
    assert "+4.000000E+00" in text and "(" not in text.split("True Values", 1)[1]
    assert "<caption>Beta True Values</caption>" in tutorial(T=3)._repr_html_()


IDS = {"market_ids": [0, 0], "firm_ids": [0, 1]}
LOGIT = Formulation("1 + prices")


@pytest.mark.parametrize(("arguments", "options", "words"), [
    ((LOGIT, IDS, [1, -1]), {}, "give xi alone where there is no X3"),
    ((LOGIT, IDS, [1, -1]), {"xi": [0, 0], "omega": [0, 0]}, "give xi alone"),
    ((LOGIT, IDS, [1]), {"xi": [0, 0]}, "beta has 1 values; it must have 2: 1, prices"),
    ((LOGIT, IDS, [1, -1]), {"xi": [0, 0, 0]}, "xi has shape"),
    ((LOGIT, IDS, [1, -1]), {"xi": [0, np.nan]}, "xi = .* finite"),
    ((formulas("1 + prices", None, "0 + z"), IDS, [1, -1]), {}, "gamma has 0 values; it must have 1: z"),
    ((formulas("1 + prices", None, "0 + z"), IDS, [1, -1]), {"gamma": 1, "correlation": 2}, "correlation = 2"),
    ((formulas("1 + prices", None, "0 + z"), IDS, [1, -1]), {"gamma": 1, "costs_type": "cubic"}, "costs_type 'cubic'"),
    ((formulas("1 + prices", None, "0 + shares"), IDS, [1, -1]), {"gamma": 1}, "depend on prices or shares"),
    ((Formulation("0 + prices", absorb="C(firm_ids)"), IDS, [-1]), {"xi": [0, 0]}, "absorbs no fixed effects"),
    (("1 + prices", IDS, [1, -1]), {"xi": [0, 0]}, "up to three Formulation objects"),
])  # fmt: skip
def test_parameters_that_do_not_fit_are_refused_by_name(arguments, options, words):
    with pytest.raises(ParameterError, match=words):
        Simulation(*arguments, **options)


def test_missing_owners_and_missing_costs_are_asked_for():
    with pytest.raises(DataError, match="no firm_ids"):
        Simulation(LOGIT, {"market_ids": [0, 0]}, [1, -1], xi=[0, 0])
    with pytest.raises(ParameterError, match="costs are missing"):
        Simulation(LOGIT, IDS, [1, -1], xi=[0, 0]).replace_endogenous()


def test_an_economy_without_any_instrument_can_be_simulated():
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompEconWarning)
        results = Simulation(Formulation("0 + prices"), IDS, [-1], xi=[0, 0]).replace_endogenous([1, 1])
    assert results.problem.MD == 0
