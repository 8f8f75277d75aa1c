"""The nested fixed point estimator: reference estimates, every start, covariances, other samples, what a fit gives."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from zurcher_fixtures import EXACT

from compecon import zurcher
from compecon.errors import ConvergenceWarning, ParameterError
from compecon.likelihood import delta_method
from compecon.zurcher.likelihood import ChoiceLikelihood, TransitionLikelihood

OPTIMIZERS = [
    ("bhhh-bfgs", None),
    ("bhhh", "secant"),
    ("bhhh", "unit"),
    ("newton", None),
    ("newton", "secant"),
    ("bfgs", None),
    ("bfgs", "secant"),
]
SAMPLES = [(1, 2, 3), (4,), (1, 2, 3, 4)]
STARTS = [(RC, theta11) for RC in range(9) for theta11 in range(6)]


@pytest.fixture(scope="module")
def fits(bus_data):
    """fits[groups, likelihood] at n = 90, discount 0.9999."""
    model = zurcher.ZurcherModel(90, 0.9999)
    return {
        (groups, likelihood): zurcher.nfxp(model, bus_data(groups, 90), likelihood)
        for groups in EXACT
        for likelihood in ("transitions", "partial", "joint")
    }


# Reference numbers


@pytest.mark.parametrize("likelihood", ["partial", "joint"])
@pytest.mark.parametrize("groups", EXACT)
def test_estimates_log_likelihood_and_standard_errors_are_the_reference(fits, groups, likelihood):
    fit, exact = fits[groups, likelihood], EXACT[groups][likelihood]
    assert fit.converged
    assert np.allclose(fit.theta, exact["theta"], rtol=1e-6, atol=0)
    assert fit.llf == pytest.approx(exact["llf"], abs=1e-8)
    for kind in ("opg", "hessian", "sandwich"):
        assert np.allclose(fit.standard_errors(kind), exact[kind], rtol=1e-4, atol=0)
    assert list(fit.params.index) == ["RC", "theta11", "theta30", "theta31"][: len(exact["theta"])]


@pytest.mark.parametrize("groups", EXACT)
def test_transitions_have_the_closed_form_of_a_multinomial(fits, groups, bus_data):
    fit, counts = fits[groups, "transitions"], bus_data(groups, 90).dx_counts
    shares, n_obs = counts / counts.sum(), counts.sum()
    assert np.array_equal(fit.theta, shares[:-1])
    assert np.allclose(fit.theta3, shares, rtol=1e-15)
    assert fit.llf == pytest.approx(EXACT[groups]["transitions_llf"], abs=1e-8)
    expected = (np.diag(shares) - np.outer(shares, shares))[:-1, :-1] / n_obs
    for kind in ("opg", "hessian", "sandwich"):
        assert np.allclose(fit.cov_params(kind), expected, rtol=1e-9)
    assert fit.converged and fit.maximum.n_iter == 0 and len(fit.trace) == 1
    assert np.abs(fit.maximum.gradient).max() <= 1e-8
    with pytest.raises(ParameterError, match="'transitions' fit has no RC and theta1"):
        fit.as_params()


@pytest.mark.parametrize("likelihood", ["partial", "joint"])
@pytest.mark.parametrize(("optimizer", "step"), OPTIMIZERS)
def test_every_optimizer_and_step_rule_reaches_the_reference(optimizer, step, likelihood, bus_data):
    fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90), likelihood, optimizer=optimizer, step=step)
    assert fit.converged
    assert np.allclose(fit.theta, EXACT[4,][likelihood]["theta"], rtol=1e-6)
    assert fit.llf == pytest.approx(EXACT[4,][likelihood]["llf"], abs=1e-8)


@pytest.mark.parametrize("discount", [0.9999, 0.0])
@pytest.mark.parametrize("n_states", [90, 175])
@pytest.mark.parametrize("groups", SAMPLES)
def test_the_default_optimizer_reaches_the_same_maximum_from_the_whole_grid_of_starts(
    groups, n_states, discount, bus_data
):
    data, model = bus_data(groups, n_states), zurcher.ZurcherModel(n_states, discount)
    best = zurcher.nfxp(model, data, optimizer="newton", tol=1e-9)
    for start in STARTS:
        fit = zurcher.nfxp(model, data, start=start)
        assert fit.converged
        assert np.allclose(fit.theta, best.theta, rtol=1e-6, atol=0)
        assert fit.llf == pytest.approx(best.llf, abs=1e-8)


@pytest.mark.parametrize("groups", SAMPLES)
def test_unit_step_bhhh_converges_where_its_matrix_is_off_by_a_factor_above_two(groups, bus_data):
    # At discount 0, groups 1-3, the eigenvalue is 2.08: whole steps overshoot even
    # where rounding errors hide the gain.
    fit = zurcher.nfxp(
        zurcher.ZurcherModel(90, 0.0), bus_data(groups, 90), optimizer="bhhh", step="unit", max_iter=600, tol=1e-5
    )
    assert fit.converged


def test_the_reported_gradient_and_path_are_those_of_the_natural_parameters(group_4_fit, bus_data):
    start = [3.0, 1.0]
    fit = zurcher.nfxp(group_4_fit.structure, bus_data((4,), 90), start=start)
    shares = TransitionLikelihood(fit.structure, fit.data).closed_form()
    assert np.allclose(fit.trace[["RC", "theta11", "theta30", "theta31"]].iloc[0], [*start, *shares], rtol=1e-12)
    assert np.allclose(fit.trace.iloc[-1, -4:], fit.theta, rtol=1e-14)
    _, scores = fit.model.loglike(fit.theta)
    assert np.allclose(fit.maximum.gradient, fit.model.weights @ scores, atol=1e-5)
    assert isinstance(fit.model, ChoiceLikelihood)
    assert (fit.maximum.path[:, 2:].sum(axis=1) < 1).all()


def test_another_discount_factor_gives_another_estimate_from_the_same_data(bus_data):
    fits = [zurcher.nfxp(zurcher.ZurcherModel(90, d), bus_data((4,), 90)) for d in (0.0, 0.9, 0.9999)]
    assert fits[0].theta[1] > fits[1].theta[1] > fits[2].theta[1]
    assert len({round(fit.llf, 3) for fit in fits}) == 3


@pytest.mark.parametrize("cost", ["quadratic", "cubic", "sqrt", "mixed", "hyperbolic"])
def test_every_cost_can_be_estimated_and_its_maximum_has_no_slope(cost, bus_data):
    model, data = zurcher.ZurcherModel(90, 0.9, cost), bus_data((1, 2, 3, 4), 90)
    fit = zurcher.nfxp(model, data, "partial", optimizer="newton")
    assert fit.converged
    assert (np.abs(fit.maximum.gradient) * fit.standard_errors("hessian") <= 1e-5).all()
    assert np.linalg.eigvalsh(fit.cov_params("hessian")).min() > 0
    assert fit.llf >= zurcher.nfxp(zurcher.ZurcherModel(90, 0.9), data, "partial").llf - (
        30 if cost == "hyperbolic" else 3
    )


def test_the_power_cost_that_rust_could_not_fit_has_its_maximum_at_a_negative_exponent(bus_data):
    # At an exponent of 0 the cost is constant, so the way from positive exponents ends on an endless ridge towards
    # theta11 log(x): Rust's "N.C." in Table VIII. Behind it, cost -|theta11| x^-|theta12| rises and saturates.
    model, data = zurcher.ZurcherModel(90, 0.9999, "power"), bus_data((4,), 90)
    with pytest.warns(ConvergenceWarning, match="newton: stopped at 300 iterations"):
        ridge = zurcher.nfxp(model, data, "partial", optimizer="newton", start=[5.0, 0.01, 0.5], max_iter=300)
    assert not ridge.converged
    assert 0 < ridge.params["theta12"] < 0.01 and ridge.params["theta11"] > 10
    beyond = zurcher.nfxp(model, data, "partial", optimizer="newton", start=[13.0, -5.0, -0.2])
    assert beyond.converged
    assert np.allclose(beyond.theta, [18.7704, -1.49621, -0.466689], rtol=1e-4)  # found here, in no table
    assert beyond.llf > ridge.llf + 0.03


# Covariances


@pytest.mark.parametrize("groups", EXACT)
def test_the_two_step_covariance_is_the_infinitesimal_jackknife_of_both_steps(fits, groups):
    """Give each cell a little more weight, estimate both steps again: the sum of squared moves is the covariance."""
    fit = fits[groups, "partial"]
    data, moves, extra = fit.data, [], 0.02
    for cell in range(data.n_cells):
        ends = []
        for change in (extra, -extra):
            count, dx_counts = data.cell_count.copy(), data.dx_counts.copy()
            count[cell] += change
            dx_counts[int(data.cell_dx[cell])] += change
            sample = dataclasses.replace(data, cell_count=count, dx_counts=dx_counts)
            ends.append(
                zurcher.nfxp(fit.structure, sample, "partial", optimizer="newton", start=fit.theta, tol=1e-9).theta
            )
        moves.append((ends[0] - ends[1]) / (2 * extra))
    moves = np.array(moves)
    jackknife = (moves * data.cell_count[:, None]).T @ moves
    assert np.allclose(fit.cov_params("two-step"), jackknife, rtol=1e-4)
    assert not np.allclose(fit.cov_params("sandwich"), jackknife, rtol=1e-4)


def test_the_two_step_covariance_is_close_to_that_of_the_joint_estimate(fits):
    two_step, joint = (
        fits[(4,), name].standard_errors(kind) for name, kind in (("partial", "two-step"), ("joint", "sandwich"))
    )
    assert np.allclose(two_step, joint[:2], rtol=2e-3)


def test_the_two_step_covariance_is_refused_where_there_was_one_step(fits, bus_data):
    with pytest.raises(ParameterError, match="kind='two-step' corrects a 'partial' fit; this is a 'joint' fit"):
        fits[(4,), "joint"].cov_params("two-step")
    given = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), bus_data((4,), 90), "partial", theta3=[0.4, 0.5, 0.1])
    with pytest.raises(ParameterError, match="theta3 was given, not estimated.*use 'sandwich'"):
        given.cov_params("two-step")


def test_clustering_by_bus_sums_the_scores_of_each_bus(fits):
    fit = fits[(4,), "joint"]
    scores = fit.model.loglike(fit.theta)[1][fit.data.obs_cell]
    sums = np.array([scores[fit.data.obs_bus == bus].sum(axis=0) for bus in range(fit.data.n_buses)])
    bread = fit.cov_params("hessian").to_numpy()
    assert np.allclose(fit.cov_params("cluster"), bread @ sums.T @ sums @ bread, rtol=1e-8)


@pytest.mark.parametrize("likelihood", ["transitions", "joint"])
@pytest.mark.parametrize("kind", ["opg", "hessian", "sandwich", "cluster"])
def test_the_implied_probability_has_its_delta_method_standard_error(fits, likelihood, kind):
    fit = fits[(1, 2, 3, 4), likelihood]
    table = fit.probabilities(kind)
    implied = delta_method(lambda theta: [1 - theta[-2:].sum()], fit.theta, fit.cov_params(kind).to_numpy())
    assert table["estimate"].to_numpy() == pytest.approx(fit.theta3)
    assert table["estimate"].sum() == pytest.approx(1)
    assert table.loc[2, "std err"] == pytest.approx(float(implied.bse[0]), rel=1e-6)
    assert np.allclose(table["std err"][:2], fit.standard_errors(kind)[-2:])
    assert table.index.name == "dx"


def test_the_probabilities_of_a_partial_fit_have_no_errors_of_their_own(fits, bus_data):
    table = fits[(4,), "partial"].probabilities()
    assert list(table.columns) == ["estimate"]
    assert np.allclose(table["estimate"], bus_data((4,), 90).dx_counts / 4292)


# A partial estimate with theta3 from elsewhere


def test_a_given_theta3_is_held_and_the_frequencies_are_the_default(fits, bus_data):
    data, model = bus_data((4,), 90), zurcher.ZurcherModel(90, 0.9999)
    shares = data.dx_counts / data.n_obs
    same = zurcher.nfxp(model, data, "partial", theta3=shares)
    assert np.allclose(same.theta, fits[(4,), "partial"].theta, rtol=1e-9)
    other = zurcher.nfxp(model, data, "partial", theta3=[0.2, 0.7, 0.05, 0.05])
    assert np.array_equal(other.theta3, other.as_params().theta3)
    assert np.allclose(other.theta3, [0.2, 0.7, 0.05, 0.05])
    assert other.converged and abs(other.theta[1] - same.theta[1]) > 0.01
    known = ChoiceLikelihood(model, data, other.theta3)
    assert other.llf == pytest.approx(known.weights @ known.loglike(other.theta)[0])


# Other samples and grids


def test_a_thousand_states_with_27_categories_two_of_them_empty_are_estimated(bus_data):
    data = bus_data((4,), 1000)
    fit = zurcher.nfxp(zurcher.ZurcherModel(1000, 0.9999), data)
    assert fit.converged
    assert fit.theta.size == 2 + 24
    assert (fit.theta3[data.dx_counts == 0] == 0).all()
    assert fit.theta3.sum() == pytest.approx(1)
    # The states are 11 times finer than at n = 90, and the cost a state 11 times lower.
    assert fit.params["RC"] == pytest.approx(10.075, abs=0.1)
    assert fit.params["theta11"] * 1000 / 90 == pytest.approx(2.293, abs=0.1)
    newton = zurcher.nfxp(zurcher.ZurcherModel(1000, 0.9999), data, optimizer="newton")
    assert np.allclose(fit.theta, newton.theta, rtol=1e-6)
    for kind in ("opg", "hessian", "sandwich", "cluster"):
        assert np.isfinite(fit.standard_errors(kind)).all()
    errors = fit.probabilities()["std err"]
    assert (errors[data.dx_counts == 0] == 0).all() and (errors[data.dx_counts > 0] > 0).all()


@pytest.mark.parametrize("groups", [(6,), (8,), (6, 8)])
def test_groups_with_two_categories_are_estimated(groups, bus_data):
    data = bus_data(groups, 90)
    assert data.n_categories == 2
    fit = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data)
    assert fit.converged
    assert list(fit.params.index) == ["RC", "theta11", "theta30"]
    newton = zurcher.nfxp(zurcher.ZurcherModel(90, 0.9999), data, optimizer="newton")
    assert np.allclose(fit.theta, newton.theta, rtol=1e-5)


# What a fit gives back


def test_a_fit_hands_over_to_the_model(group_4_fit):
    params = group_4_fit.as_params()
    assert (params.RC, params.theta1[0]) == tuple(group_4_fit.theta[:2])
    solution = group_4_fit.solve()
    assert solution.converged
    choice = np.where(
        group_4_fit.data.cell_d == 1,
        solution.choice_prob[:, 1][group_4_fit.data.cell_x.astype(int)],
        solution.choice_prob[:, 0][group_4_fit.data.cell_x.astype(int)],
    )
    llf = group_4_fit.data.cell_count @ np.log(choice * params.theta3[group_4_fit.data.cell_dx.astype(int)])
    assert llf == pytest.approx(group_4_fit.llf, abs=1e-8)


def test_the_summary_names_the_model_the_likelihood_and_the_groups(group_4_fit):
    text = str(group_4_fit.summary(kind="cluster"))
    assert text.startswith(
        "NFXP, joint likelihood: ZurcherModel(n_states=90, discount=0.9999, cost='linear'), groups [4]\n"
    )
    for fact in (
        "observations      4292",
        "log-likelihood    -3304.154836",
        "converged         yes",
        "standard errors: cluster",
    ):
        assert fact in text
    assert "RC" in text and "10.075" in text
    assert repr(group_4_fit).startswith(
        "NFXPEstimate(RC=10.075, theta11=2.29305, theta30=0.391915, theta31=0.595272; llf=-3304.1548, converged"
    )
    assert "<table" in group_4_fit._repr_html_()
    assert group_4_fit.nobs == 4292
    assert isinstance(group_4_fit.trace, pd.DataFrame)
