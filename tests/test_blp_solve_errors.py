"""What a student reads who asks for an estimate with bad options, bad data, or bad luck."""

import warnings

import numpy as np
import pytest
from blp_solve_fixtures import PI, SIGMA, economy, problem, stand

from compecon import blp
from compecon.blp.examples import cereal_results
from compecon.errors import CompEconWarning, ConvergenceWarning, DataError, IdentificationWarning, ParameterError

STAY = blp.Optimization("return")
QUIET = pytest.mark.filterwarnings("ignore::compecon.errors.CompEconWarning")


def instruments(*columns):
    """The economy's products with other excluded instruments."""
    products = economy()[0]
    kept = products[[name for name in products if not name.startswith("demand_instruments")]]
    return kept.assign(**{f"demand_instruments{k}": column for k, column in enumerate(columns)})


def changed(matrix, place, value):
    out = np.array(matrix)
    out[place] = value
    return out


# Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "3s"}, "unknown method '3s'; choose one of '1s', '2s'"),
        ({"method": 2}, "unknown method 2"),
        ({"W_type": "hac"}, "unknown W_type 'hac'; choose one of 'robust', 'unadjusted', 'clustered'"),
        ({"se_type": None}, "unknown se_type None"),
        ({"optimization": "bfgs"}, r"optimization = 'bfgs'; it must be a blp.Optimization\(...\)"),
        ({"iteration": "newton"}, r"iteration = 'newton'; it must be a blp.Iteration\(...\)"),
        ({"micro_moments": [1]}, "micro_moments = .1.; it must be a list of MicroMoment objects"),
        ({"W": np.eye(3)}, "W must be a symmetric positive semi-definite 15 x 15 matrix of numbers"),
        ({"W": "identity"}, "W must be a symmetric positive semi-definite 15 x 15 matrix of numbers"),
        ({"W": np.full((15, 15), np.nan)}, "W must be a symmetric"),
        ({"W": -np.eye(15)}, "W must be a symmetric positive semi-definite"),
        ({"W": changed(np.eye(15), (0, 1), 0.1)}, "W must be a symmetric"),
        ({"optimization": blp.Optimization("bfgs"), "sigma_bounds": (0 * SIGMA, 9 * SIGMA)}, "'bfgs' takes no bounds"),
    ],
)
def test_a_bad_option_of_solve_is_named(options, message):
    with pytest.raises(ParameterError, match=message):
        problem().solve(SIGMA, PI, **options)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: blp.Optimization("bfsg"), "unknown method 'bfsg'; choose one of 'bfgs', .* 'return'"),
        (lambda: blp.Optimization("return", {"gtol": 1e-5}), "'return' takes no options"),
        (lambda: blp.Optimization("bfgs", ["gtol"]), "method_options = .*; it must be a dict like {'gtol': 1e-8}"),
        (lambda: blp.Optimization("bfgs", {"gtol": -1.0}), "gtol = -1.0; it must be a finite number above 0"),
        (lambda: blp.Optimization("bfgs", {"maxiter": 0.5}), "maxiter = 0.5; it must be an integer"),
        (lambda: blp.Optimization("gauss-newton", {"max_iter": 9}), "'max_iter'; choose one of 'gtol', 'maxiter'"),
        (lambda: blp.Iteration("fast"), "unknown method 'fast'; choose one of 'simple', 'squarem', 'newton'"),
        (lambda: blp.Iteration("newton", {"tol": 1e-9}), "unknown option 'tol' of Iteration; choose 'atol' or"),
        (lambda: blp.Iteration("newton", [1e-9]), "method_options = .*; it must be a dict like {'atol': 1e-14}"),
        (lambda: blp.Iteration("newton", {"atol": 0}), "atol = 0; it must be a finite number above 0"),
        (lambda: blp.Iteration("newton", {"max_evaluations": 2.5}), "max_evaluations = 2.5; it must be an integer"),
    ],
)
def test_a_bad_configuration_is_refused_where_it_is_made(build, message):
    with pytest.raises(ParameterError, match=message):
        build()


def test_weights_between_instruments_and_micro_moments_are_refused():
    W = np.eye(16) + changed(changed(np.zeros((16, 16)), (0, 15), 0.1), (15, 0), 0.1)
    with pytest.raises(ParameterError, match="W must be block diagonal"):
        problem().solve(SIGMA, PI, W=W, micro_moments=income_of_buyers())


def income_of_buyers():
    """One micro moment."""
    survey = blp.MicroDataset("survey", 200, lambda t, p, a: np.ones((a.size, 1 + p.size)))
    part = blp.MicroPart("income", survey, lambda t, p, a: a.income * np.r_[0.0, np.ones(p.size)])
    return blp.MicroMoment("income of buyers", 0.2, part)


def test_one_micro_moment_needs_no_list():
    one = stand(blp, problem(), micro_moments=income_of_buyers())
    listed = stand(blp, problem(), micro_moments=[income_of_buyers()])
    assert one.micro.shape == (1, 1) and one.objective == listed.objective
    assert stand(blp, problem(), micro_moments=None).micro.shape == (0, 1)


def test_a_third_formulation_is_supply_which_is_not_estimated():
    three = (blp.Formulation("1 + prices"), blp.Formulation("1"), blp.Formulation("1 + x"))
    with pytest.raises(ParameterError, match="third formulation asks for supply estimation.*compute_costs"):
        blp.Problem(three, economy()[0], integration=blp.Integration("product", 3))


@pytest.mark.parametrize("formulations", ["1 + prices", (), (None, blp.Formulation("1")), [blp.Formulation("1"), "1"]])
def test_formulations_are_formulations(formulations):
    with pytest.raises(ParameterError, match="Formulation"):
        blp.Problem(formulations, economy()[0])


# Data


@pytest.mark.parametrize("kind", ["W_type", "se_type"])
def test_clustering_needs_a_column(kind):
    built = problem(products=economy()[0].drop(columns="clustering_ids"))
    with pytest.raises(DataError, match=f"{kind}='clustered' needs a column clustering_ids"):
        built.solve(SIGMA, PI, **{kind: "clustered"})


def test_fewer_clusters_than_moments_cannot_weight_them():
    built = problem(products=economy()[0].assign(clustering_ids=np.arange(47) % 5))
    with pytest.raises(DataError, match="covariance matrix of the moments is singular.*clusters"):
        built.solve(SIGMA, PI, W_type="clustered", optimization=STAY)


def test_fewer_instruments_than_linear_parameters_are_an_error():
    with (
        pytest.warns(IdentificationWarning, match="11 parameters but only 3 moments"),
        pytest.raises(DataError, match="3 instruments do not identify the 4 linear parameters"),
    ):
        problem(products=instruments()).solve(SIGMA, PI)


def test_fewer_instruments_than_parameters_are_a_warning_and_have_no_standard_errors():
    products = economy()[0]
    built = problem(products=instruments(products.demand_instruments0, products.demand_instruments1))
    with pytest.warns(IdentificationWarning) as caught:
        results = stand(blp, built)
    said = [str(one.message) for one in caught]
    assert any("11 parameters but only 5 moments: the model is not identified" in message for message in said)
    assert any("there are no standard errors" in message for message in said)
    assert np.isnan(results.beta_se).all()


@pytest.mark.parametrize("noise", [0.0, 3e-8])
@pytest.mark.filterwarnings("ignore:the instruments:compecon.errors.IdentificationWarning")  # the problem's own
def test_collinear_instruments_are_an_error(noise):
    columns = [economy()[0][f"demand_instruments{k}"] for k in range(12)]
    both = columns[0] + columns[1] + noise * np.random.default_rng(0).normal(size=47)
    with pytest.raises(DataError, match="instruments' matrix Z'Z/N is singular"):
        problem(products=instruments(*columns, both)).solve(SIGMA, PI)


@pytest.mark.parametrize("W", [np.zeros((15, 15)), np.ones((15, 15))])
def test_weights_that_leave_out_what_identifies_beta_are_an_error(W):
    with pytest.raises(DataError, match="do not identify the 4 linear parameters.*look for zeros in W"):
        problem().solve(SIGMA, PI, W=W)


# Searches that fail


@QUIET
@pytest.mark.parametrize("name", ["bfgs", "l-bfgs-b", "gauss-newton", "nelder-mead", "slsqp"])
def test_a_search_cut_short_is_marked_and_said(name):
    with pytest.warns(ConvergenceWarning, match=f"{name} stopped after [123] iterations with a gradient of"):
        results = problem().solve(SIGMA, PI, method="1s", optimization=blp.Optimization(name, {"maxiter": 2}))
    assert not results.converged and not results.optimizer_converged
    assert repr(results).startswith("NOT CONVERGED") and "Not converged" in results._repr_html_()


@QUIET
def test_a_first_step_that_failed_is_marked():
    with pytest.warns(ConvergenceWarning, match="gauss-newton stopped"):
        results = problem().solve(SIGMA, PI, optimization=blp.Optimization("gauss-newton", {"maxiter": 2}))
    assert not results.last_results.converged


@pytest.mark.parametrize("optimization", [STAY, blp.Optimization("gauss-newton")])
@QUIET
def test_fixed_points_that_failed_are_marked_and_the_markets_named(optimization):
    iteration = blp.Iteration("simple", {"max_evaluations": 1})
    message = r"inner fixed point failed in 12 of 12 markets \('m0', .* and 7 more\)"
    with pytest.warns(ConvergenceWarning, match=message):
        results = problem().solve(SIGMA, PI, method="1s", optimization=optimization, iteration=iteration)
    assert not results.fp_converged.any() and results.fp_converged.shape == (12, 1)
    assert not results.converged
    assert repr(results).startswith("NOT CONVERGED")


def test_one_failed_fixed_point_is_enough():
    """Newton's method takes fewer evaluations in easy markets: a limit between fails in some."""
    counts = stand(blp, problem()).contraction_evaluations
    limit = int(np.median(counts))
    assert counts.min() < limit < counts.max()
    with pytest.warns(ConvergenceWarning, match="inner fixed point failed in"):
        results = stand(blp, problem(), iteration=blp.Iteration("newton", {"max_evaluations": limit}))
    np.testing.assert_array_equal(~results.fp_converged, counts > limit)
    assert not results.converged


@QUIET
def test_starting_values_that_come_back_are_no_estimate():
    loose = blp.Optimization("gauss-newton", {"gtol": 1e6})
    with pytest.warns(ConvergenceWarning, match="theta never left its starting values"):
        results = problem().solve(SIGMA, PI, method="1s", optimization=loose)
    np.testing.assert_array_equal(results.sigma, SIGMA)


def test_estimates_as_starting_values_may_come_back():
    first = cereal_results()
    again = first.problem.solve(first.sigma, first.pi, method="1s")
    np.testing.assert_array_equal(again.theta, first.theta)
    assert again.converged


@QUIET
def test_tastes_without_variation_make_the_hessian_flat_and_name_the_direction():
    built = problem(agents=economy()[1].assign(nodes2=0.0))
    with pytest.warns(IdentificationWarning, match="flat.*mostly 'x x x'"):
        results = built.solve(SIGMA, PI, method="1s")
    assert np.isnan(results.sigma_se).all()


@QUIET
def test_a_saddle_is_told_from_a_minimum():
    short = blp.Optimization("bfgs", {"maxiter": 1})
    with pytest.warns(IdentificationWarning, match="Hessian of the objective is indefinite: this is no minimum"):
        results = problem().solve(SIGMA, PI, method="1s", optimization=short)
    assert results.reduced_hessian_eigenvalues[0] < 0


@pytest.mark.parametrize("scale", [1e8, 1e200])
def test_hopeless_starting_values_end_in_words_and_not_in_silence(scale):
    with pytest.warns(CompEconWarning) as caught:
        results = problem().solve(scale * SIGMA, PI, method="1s")
    said = " ".join(str(one.message) for one in caught)
    assert not results.converged and repr(results).startswith("NOT CONVERGED")
    assert not results.optimizer_converged  # although the gradient says 0
    with pytest.raises(DataError, match="no derivatives at these values of sigma and pi"):
        results.moment_diagnostics()
    assert "fixed point failed in" in said and "there are no standard errors (NaN)" in said


# Demand that slopes upward


def test_agents_who_like_higher_prices_are_counted():
    """Sigma of 1 on prices and nodes of +-1, beta known from the results: count by hand."""
    built = problem()
    strong = changed(SIGMA, (1, 1), 6.0)
    with pytest.warns(CompEconWarning, match="of 120 agents in .* markets .* like higher prices") as caught:
        results = stand(blp, built, strong)
    agents = economy()[1]
    tastes = results.beta[1, 0] + 6.0 * agents.nodes1 + 0.3 * agents.income + 0.2 * agents.age
    assert str(caught[0].message).startswith(f"{int((tastes >= 0).sum())} of 120 agents")
    assert f"in {agents.market_ids[tastes >= 0].nunique()} markets" in str(caught[0].message)


def test_a_logit_that_likes_higher_prices_says_so():
    market = np.repeat(np.arange(20), 2)
    prices = np.tile([1.0, 2.0], 20) + market / 40
    rows = {"market_ids": market, "prices": prices, "shares": 0.1 * prices, "demand_instruments0": prices}
    with pytest.warns(CompEconWarning, match="20 of 20 agents in 20 markets"):
        results = blp.Problem(blp.Formulation("1 + prices"), rows).solve(method="1s")
    assert results.beta[1, 0] > 0


def test_a_good_estimate_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cereal_results().converged
