"""Optimizers and line searches on models whose maxima are known: reaching them, and saying so honestly."""

from dataclasses import dataclass

import numpy as np
import pytest
from likelihood_fixtures import METHODS, MODELS, OnlyTheSum, bfgs_update

from compecon.errors import ConvergenceError, ConvergenceWarning, ParameterError
from compecon.likelihood import bfgs, bhhh, bhhh_bfgs, examples, newton
from compecon.likelihood.covariance import covariance
from compecon.likelihood.linesearch import evaluate, secant_step, unit_step
from compecon.likelihood.maximize import maximize, total_hessian

STEPS = ("unit", "secant")


def closed_form(model):
    return (
        np.array([np.log(1 / 3), np.log(8) + np.log(3)])
        if isinstance(model, examples.BinaryLogit)
        else model.closed_form()
    )


@dataclass(frozen=True, eq=False)
class Quadratic:
    """n observations of l_i = -(theta - c)' A (theta - c) / 2 + e_i' (theta - c), with sum e = 0; curvature A for each.

    BHHH's matrix is sum e_i e_i' at the maximum, whatever A: how far it misleads is ours to choose.
    """

    curvature: np.ndarray
    noise: np.ndarray
    centre: np.ndarray
    cluster_counts = None

    @property
    def param_names(self):
        return tuple(f"b{k}" for k in range(self.centre.size))

    @property
    def weights(self):
        return np.ones(len(self.noise))

    def loglike(self, theta):
        move = np.asarray(theta) - self.centre
        return self.noise @ move - 0.5 * move @ self.curvature @ move, self.noise - self.curvature @ move

    def hessian_obs(self, theta):
        return np.broadcast_to(-self.curvature, (len(self.noise), *self.curvature.shape))


def misled(share):
    """One parameter, -H = share * OPG at the maximum."""
    noise = np.tile([1.0, -1.0], 5000)[:, None]
    return Quadratic(np.array([[share]]), noise, np.array([0.3]))


# Reaching the maximum


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_every_optimizer_reaches_the_closed_form(name, method, step):
    model, start = MODELS[name]
    maximum = maximize(model, start, method=method, step=step)
    expected = closed_form(model)
    assert maximum.converged
    assert maximum.residual <= 1e-7
    # 1e-7 in standard errors by the outer product, which differ from the true ones by a factor below 10 here
    assert np.abs(maximum.theta - expected).max() <= 1e-6 * np.sqrt(np.diag(covariance(model, expected))).max()
    assert maximum.llf == pytest.approx(model.weights @ model.loglike(expected)[0], abs=1e-9)
    assert np.allclose(maximum.gradient, model.weights @ model.loglike(maximum.theta)[1])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("step", STEPS)
def test_the_log_likelihood_never_falls_along_the_path(method, step):
    for model, start in MODELS.values():
        maximum = maximize(model, start, method=method, step=step)
        llf = [model.weights @ model.loglike(theta)[0] for theta in maximum.path]
        assert (np.diff(llf) >= -1e-11 * abs(llf[-1])).all()
        assert np.allclose(llf, maximum.trace["llf"], rtol=1e-13)


def test_the_named_optimizers_are_maximize_with_their_own_step_rule():
    model, start = MODELS["logit"]
    for optimizer, method, step in (
        (bhhh, "bhhh", "secant"),
        (newton, "newton", "unit"),
        (bfgs, "bfgs", "unit"),
        (bhhh_bfgs, "bhhh-bfgs", "unit"),
    ):
        assert np.array_equal(optimizer(model, start).path, maximize(model, start, method=method).path)
        assert np.array_equal(optimizer(model, start).path, maximize(model, start, method=method, step=step).path)


def test_newton_reaches_a_quadratics_maximum_in_one_step():
    model = Quadratic(np.array([[2.0, 0.5], [0.5, 1.0]]), np.vstack([np.eye(2), -np.eye(2)]), np.array([1.0, -2.0]))
    maximum = newton(model, [10.0, 10.0])
    assert maximum.n_iter == 1
    assert np.allclose(maximum.theta, [1.0, -2.0], atol=1e-14)


def test_the_switch_is_bhhh_until_the_predicted_gain_is_below_one_and_bfgs_from_its_matrix_afterwards():
    model, start = MODELS["logit"]
    maximum = bhhh_bfgs(model, start)
    rebuilt = []
    points = [evaluate(model, theta) for theta in maximum.path]
    matrix = None
    for k, point in enumerate(points[:-1]):
        if k == 0 or points[k - 1].residual > 1:
            matrix = point.opg
        else:
            before = points[k - 1]
            matrix = bfgs_update(matrix, point.theta - before.theta, before.gradient - point.gradient)
        rebuilt.append(np.linalg.solve(matrix, point.gradient))
    moves = np.diff(maximum.path, axis=0) / maximum.trace["step"].to_numpy()[1:, None]
    assert np.allclose(moves, rebuilt, rtol=1e-7, atol=1e-12)
    assert points[0].residual > 1 > points[-2].residual


def test_newton_climbs_out_of_a_region_where_the_hessian_is_indefinite():
    model = MODELS["normal"][0]
    start = [20.0, 60.0]
    assert np.linalg.eigvalsh(total_hessian(model, np.array(start))).max() > 0
    maximum = newton(model, start)
    assert maximum.converged and maximum.trace["ridge"].iloc[0] > 0
    assert np.allclose(maximum.theta, model.closed_form(), rtol=1e-6)


def test_the_total_hessian_takes_integers_views_and_read_only_arrays_and_refuses_another_shape():
    rng = np.random.default_rng(8)
    whole = rng.integers(-5, 5, (6, 2, 2))
    expected = np.tensordot(np.arange(6), whole, axes=1)

    @dataclass(frozen=True, eq=False)
    class Given:
        weights: np.ndarray
        second: np.ndarray
        param_names = ("a", "b")

        def hessian_obs(self, theta):
            return self.second

    strided = np.asfortranarray(whole.astype(float))
    for weights in (np.arange(6), np.arange(12.0)[::2] / 2, np.broadcast_to(np.arange(6.0), (1, 6))[0]):
        for second in (whole, strided, whole.astype(np.float32), np.repeat(whole, 2, axis=2)[:, :, ::2]):
            assert np.array_equal(total_hessian(Given(weights, second), [0.0, 0.0]), expected)
    same = np.broadcast_to(whole[1], (6, 2, 2))
    assert np.array_equal(total_hessian(Given(np.arange(6), same), [0.0, 0.0]), 15.0 * whole[1])
    for second in (whole[:5], whole[:, :, :1], whole[0]):
        with pytest.raises(ParameterError, match="hessian_obs of Given has shape .*; it must hold one 2 x 2 matrix"):
            total_hessian(Given(np.arange(6), second), [0.0, 0.0])


# Line searches


@pytest.mark.parametrize("share", [0.6, 0.9, 1.4, 1.8])
def test_unit_step_bhhh_contracts_at_one_minus_the_information_ratio(share):
    # theta' - c = (1 - OPG^-1 (-H)) (theta - c) near the maximum, and -H / OPG = share.
    model = misled(share)
    path = bhhh(model, [0.3 + 1e-3], step="unit").path[:, 0] - 0.3
    assert np.allclose(path[1:5] / path[:4], 1 - share, atol=1e-5)


def test_unit_step_bhhh_needs_halving_above_a_ratio_of_two_and_the_secant_search_does_not_mind():
    model = misled(2.5)
    unit, secant = bhhh(model, [0.31], step="unit"), bhhh(model, [0.31], step="secant")
    assert (unit.trace["step"][1:] < 1).any()
    assert unit.converged and secant.converged
    assert secant.n_iter <= 3  # a secant on a straight slope finds its zero
    assert secant.n_iter < unit.n_iter


def test_the_secant_search_lengthens_a_step_that_is_too_short():
    model = misled(0.05)
    point = evaluate(model, np.array([0.3 + 1e-3]))
    direction = point.gradient / point.opg[0]
    trial, length, evaluations = secant_step(model, point, direction)
    assert 16 <= length <= 24  # the slope falls to a fifth of its start between these, and to zero at 20
    assert abs(trial.gradient @ direction) <= 0.2 * (point.gradient @ direction)
    assert evaluations <= 6
    assert unit_step(model, point, direction)[1:] == (1.0, 1)
    assert bhhh(model, [0.301]).n_iter < 0.1 * bhhh(model, [0.301], step="unit", max_iter=2000).n_iter


def test_the_unit_step_halves_until_it_climbs_and_gives_up_downhill():
    model = misled(1.0)
    point = evaluate(model, np.array([0.31]))
    trial, length, evaluations = unit_step(model, point, 10 * point.gradient / point.opg[0])
    assert (length, evaluations) == (0.125, 4)
    assert trial.llf > point.llf
    far = evaluate(model, np.array([1.3]))
    assert unit_step(model, far, -far.gradient / far.opg[0])[0] is None


def test_steps_out_of_the_domain_are_shortened():
    model = examples.Geometric([0, 0, 0, 1])
    point = evaluate(model, np.array([0.5]))
    for search in (unit_step, secant_step):
        trial, length, _ = search(model, point, np.array([4.0]) * np.sign(point.gradient))
        assert 0 < trial.theta[0] < 1
        assert length < 0.13


# Honest flags


@pytest.mark.parametrize("method", METHODS)
def test_an_unidentified_model_is_not_called_converged(method):
    model = OnlyTheSum(MODELS["poisson"][0])
    with pytest.warns(ConvergenceWarning, match="collinear here: some direction of the parameters is not identified"):
        maximum = maximize(model, [1.0, 1.0], method=method)
    assert not maximum.converged
    assert maximum.theta.sum() == pytest.approx(model.poisson.closed_form()[0], rel=1e-6)
    with pytest.raises(ConvergenceError, match="not positive definite.*do not identify a, b here"):
        covariance(model, maximum.theta)


@pytest.mark.parametrize("method", METHODS)
def test_too_few_iterations_are_marked_and_warned_about(method):
    model, start = MODELS["normal far off"]
    with pytest.warns(
        ConvergenceWarning,
        match=f"{method}: stopped at 2 iterations, .* standard errors from the maximum; raise max_iter",
    ):
        maximum = maximize(model, start, method=method, max_iter=2)
    assert not maximum.converged
    assert maximum.n_iter == 2
    assert "NOT converged" in repr(maximum)


def test_converged_means_residual_within_tol_and_never_iterations_within_max_iter():
    model, start = MODELS["normal"]
    full = newton(model, start)
    just_enough = newton(model, start, max_iter=full.n_iter)
    assert just_enough.converged and just_enough.n_iter == full.n_iter
    # Below what rounding allows: the answer is right, and still not called converged.
    with pytest.warns(ConvergenceWarning):
        assert not newton(model, start, tol=1e-300, max_iter=40).converged
    at_the_start = newton(model, model.closed_form())
    assert at_the_start.converged and at_the_start.n_iter == 0 and at_the_start.n_evaluations == 1


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        ([1.0], {}, r"start = \[1.0\]; it must hold 2 values, for mu, sigma"),
        ([1.0, np.nan], {}, "start = .*; it must be a list of finite numbers"),
        ([1.0, -2.0], {}, r"the log-likelihood is -inf at the start \[1.0, -2.0\]; begin inside the model's domain"),
        ([0.0, 1.0], {"method": "bhh"}, "unknown option 'bhh'; choose one of 'bhhh', 'newton', 'bfgs', 'bhhh-bfgs'"),
        ([0.0, 1.0], {"step": "wolfe"}, "unknown option 'wolfe'; choose one of 'unit', 'secant'"),
    ],
)
def test_a_wrong_start_or_option_is_named(start, options, message):
    with pytest.raises(ParameterError, match=message):
        maximize(MODELS["normal"][0], start, **options)


@pytest.mark.parametrize("method", METHODS)
def test_the_trace_has_a_row_for_the_start_and_each_iteration(method):
    model, start = MODELS["normal"]
    maximum = maximize(model, start, method=method)
    trace = maximum.trace
    assert list(trace.columns) == ["llf", "residual", "step", "ridge", "evaluations", "mu", "sigma"]
    assert trace.index.tolist() == list(range(maximum.n_iter + 1))
    assert trace[["mu", "sigma"]].iloc[0].tolist() == start
    assert trace[["mu", "sigma"]].iloc[-1].tolist() == maximum.theta.tolist()
    assert trace["residual"].iloc[-1] == maximum.residual
    assert trace["evaluations"].iloc[0] == 1 and trace["evaluations"].iloc[-1] == maximum.n_evaluations
    assert trace["evaluations"].is_monotonic_increasing
    assert f"Maximum({method}, converged, llf=" in repr(maximum)


def test_the_residual_is_the_distance_in_standard_errors_and_does_not_know_units():
    model = MODELS["poisson"][0]
    mean = model.closed_form()[0]
    error = np.sqrt(covariance(model, [mean])[0, 0])
    off = evaluate(model, np.array([mean + 0.01 * error]))
    ratio = covariance(model, [mean])[0, 0] / covariance(model, [mean], "hessian")[0, 0]
    assert off.residual == pytest.approx(0.01 * ratio, rel=0.01)
