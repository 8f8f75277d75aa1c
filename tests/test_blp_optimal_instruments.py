"""Optimal instruments against pyblp, against the tutorial's numbers, and in a second estimation."""

import warnings

import numpy as np
import pytest
from blp_demand_fixtures import ECONOMIES, cereal, economy, oracle, small

from compecon.blp.formulation import Formulation
from compecon.blp.inner import invert_shares
from compecon.blp.iteration import Iteration
from compecon.blp.optimization import Optimization
from compecon.blp.problem import Problem
from compecon.errors import ConvergenceWarning, IdentificationWarning, ParameterError

ARRAYS = (
    "demand_instruments", "inverse_covariance_matrix", "expected_xi_by_theta_jacobian", "expected_prices",
    "expected_shares",
)  # fmt: skip
REQUESTS = {
    "approximate": {},
    "normal": {"method": "normal", "draws": 3, "seed": 1},
    "empirical": {"method": "empirical", "draws": 3, "seed": 1},
}


@pytest.fixture(autouse=True)
def sizes_not_made_for_estimation():
    """The small economies have few rows and many instruments: what solve says about them is beside the point."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentificationWarning)
        yield


def assert_close(ours, theirs, rtol=1e-8):
    """Equal shapes, and equal columns relative to the largest element of each."""
    assert ours.shape == theirs.shape
    scale = np.abs(theirs).max(axis=0, initial=0)
    np.testing.assert_allclose(ours / np.where(scale > 0, scale, 1), theirs / np.where(scale > 0, scale, 1), atol=rtol)


def assert_same(ours, theirs):
    """All arrays of the two results, and the instruments of the problems made from them."""
    for name in ARRAYS:
        assert_close(getattr(ours, name), getattr(theirs, name))
    problem, other = ours.to_problem(), theirs.to_problem()
    assert problem.MD == other.MD
    assert_close(problem.to_file_order(problem.linear_part.Z), other.products.ZD)


@pytest.mark.parametrize("method", REQUESTS)
@pytest.mark.parametrize("name", ECONOMIES)
def test_instruments_are_pyblp_s_in_markets_of_all_sizes_and_with_functions_of_prices(name, method):
    pytest.importorskip("pyblp")
    request = REQUESTS[method]
    ours = small(name).compute_optimal_instruments(**request)
    assert_same(ours, oracle(name).compute_optimal_instruments(**request))
    assert ours.draws == request.get("draws", 1)


def test_given_expected_prices_are_used_in_the_order_of_the_file():
    pytest.importorskip("pyblp")
    prices = economy("log")[1]["prices"].to_numpy() ** 2
    ours = small("log").compute_optimal_instruments(expected_prices=prices)
    assert_same(ours, oracle("log").compute_optimal_instruments(expected_prices=prices))
    np.testing.assert_array_equal(ours.expected_prices[:, 0], prices)


def test_exogenous_characteristics_stay_instruments_when_two_fixed_effects_are_absorbed():
    pyblp = pytest.importorskip("pyblp")
    _, products, agents, sigma, pi = economy("linear")
    results = []
    for blp, optimization in ((pyblp, pyblp.Optimization), (None, Optimization)):
        formulation, problem = (blp.Formulation, blp.Problem) if blp else (Formulation, Problem)
        absorbed = formulation("0 + prices + x", absorb="C(firm_ids) + C(product_ids)")
        made = problem((absorbed, formulation("1 + prices + x")), products, formulation("0 + income"), agents)
        results.append(made.solve(sigma, pi, optimization=optimization("return"), method="1s"))
    theirs, ours = (one.compute_optimal_instruments() for one in results)
    assert_same(ours, theirs)
    assert ours.to_problem().MD == results[1].theta.size + 2


def test_the_tutorial_s_instruments_have_the_published_means_and_spreads():
    # reference/nevo.json, optimal_instruments: pyblp 1.3.0 at its polished estimates.
    means = [0.058356569127681925, -0.0011298597447127097, -0.045314110378461316, -0.01986178568338784,
             -0.48905735609346956, -0.1647098358146065, -0.06078193561455568, -1.0225753275848963,
             0.009381532953809725, -1.8008331877739114, -1.3601339285891705, -0.17310583385310752, 0.13643735465908513]
    spreads = [0.3561370132262425, 0.04556140529547106, 3.942874197352281, 0.2715125295885307, 0.2802493160826082,
               0.32788531152306294, 0.03600091504808458, 0.6727948157372236, 0.020496341726415002, 2.7282239135821835,
               3.7367379391606006, 0.37498973185623324, 0.2718570374423587]  # fmt: skip
    instruments = cereal().compute_optimal_instruments().demand_instruments
    assert instruments.shape == (2256, 13)
    np.testing.assert_allclose(instruments.mean(axis=0), means, rtol=1e-8)
    np.testing.assert_allclose(instruments.std(axis=0), spreads, rtol=1e-8)


def test_the_second_estimation_with_them_is_exactly_identified_and_finds_the_reference_estimates():
    problem = cereal().compute_optimal_instruments().to_problem()
    assert (problem.MD, problem.ED, problem.K1) == (14, 1, 1)
    with warnings.catch_warnings():
        # Some agents of these data like higher prices.
        warnings.simplefilter("ignore")
        optimization = Optimization("gauss-newton")
        results = problem.solve(cereal().sigma, cereal().pi, optimization=optimization, method="1s")
    assert results.objective < 1e-15
    # reference/nevo.json, solve_2.
    assert results.sigma[1, 1] == pytest.approx(3.002222399667996, rel=1e-6)
    assert results.pi[1, 0] == pytest.approx(98.39880322427126, rel=1e-6)
    assert results.beta[0, 0] == pytest.approx(-31.4033418, rel=1e-6)


def test_several_draws_are_averaged_and_a_random_state_goes_on_where_it_was():
    results, state = small("linear"), np.random.RandomState(5)
    single = [results.compute_optimal_instruments("normal", seed=state) for _ in range(3)]
    together = results.compute_optimal_instruments("normal", draws=3, seed=np.random.RandomState(5))
    for name in ("demand_instruments", "expected_shares"):
        mean = np.mean([getattr(one, name) for one in single], axis=0)
        np.testing.assert_allclose(getattr(together, name), mean, rtol=1e-12)
    assert np.ptp([one.expected_shares[0, 0] for one in single]) > 0


def test_the_approximate_method_takes_no_draws_however_many_are_asked_for():
    assert small("linear").compute_optimal_instruments(draws=5).draws == 1


def test_the_derivatives_agree_with_differences_of_the_inversion():
    """At fixed shares, prices and X2: how delta answers theta, from the shares inverted at theta + h and theta - h."""
    results = small("linear")
    found = results.compute_optimal_instruments(expected_prices=economy("linear")[1]["prices"] * 1.2)
    _, products, agents, *_ = economy("linear")
    moved = products.assign(prices=products["prices"] * 1.2, shares=found.expected_shares[:, 0])
    formulations = results.problem.product_formulations
    problem = Problem(formulations, moved, Formulation("0 + income"), agents)
    for p, step in enumerate(1e-5 * np.eye(results.theta.size)):
        ahead, behind = (
            invert_shares(problem, results.parameters_, results.theta + sign * step, Iteration("newton")).delta
            for sign in (1, -1)
        )
        slope = problem.to_file_order((ahead - behind) / 2e-5)
        np.testing.assert_allclose(found.expected_xi_by_theta_jacobian[:, p], slope, rtol=1e-5, atol=1e-6)


def test_where_nobody_is_near_the_outside_good_the_estimated_derivatives_stand_in_with_a_warning():
    results, prices = small("linear"), economy("linear")[1]["prices"].to_numpy(copy=True)
    far = (economy("linear")[1]["market_ids"] == "m5").to_numpy()
    prices[far] = -1e4
    with pytest.warns(ConvergenceWarning, match=r"1 of 7 markets \('m5'\)"):
        found = results.compute_optimal_instruments(expected_prices=prices)
    assert np.isfinite(found.demand_instruments).all()
    np.testing.assert_array_equal(found.expected_xi_by_theta_jacobian[far], results.xi_by_theta_jacobian[far])


def test_the_table_says_how_many_draws_and_nothing_about_time():
    found = small("linear").compute_optimal_instruments("empirical", draws=2, seed=0)
    assert repr(found).splitlines()[0] == "Optimal Instrument Results Summary:"
    assert repr(found).split()[-2] == "2" and "Time" not in repr(found)
    assert "<td>2</td>" in found._repr_html_()


@pytest.mark.parametrize(("options", "words"), [
    ({"method": "bootstrap"}, "unknown method 'bootstrap'"),
    ({"method": "normal", "draws": 0}, "draws = 0"),
    ({"expected_prices": np.ones(3)}, "expected_prices has shape"),
    ({"expected_prices": np.full(24, np.nan)}, "(?s)expected_prices = .*finite numbers"),
])  # fmt: skip
def test_impossible_requests_are_refused_by_name(options, words):
    with pytest.raises(ParameterError, match=words):
        small("linear").compute_optimal_instruments(**options)
