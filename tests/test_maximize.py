"""Optimizers, step rules, covariances and what an estimate prints, on models whose answers are known."""

import re
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import linalg, stats

from compecon._linalg import cholesky_solve
from compecon.errors import ConvergenceError, ConvergenceWarning, ParameterError
from compecon.likelihood import bfgs, bhhh, bhhh_bfgs, examples, fit, kernels, newton
from compecon.likelihood.covariance import covariance
from compecon.likelihood.linesearch import evaluate, secant_step, unit_step
from compecon.likelihood.maximize import maximize, total_hessian

METHODS = ("bhhh", "newton", "bfgs", "bhhh-bfgs")
STEPS = ("unit", "secant")
RNG = np.random.default_rng(0)
X = np.column_stack([np.ones(400), RNG.normal(size=400), RNG.integers(0, 2, 400)])
Y = (RNG.uniform(size=400) < 1 / (1 + np.exp(-X @ [0.3, -0.8, 0.5]))).astype(float)
MODELS = {
    "normal": (examples.Normal(RNG.normal(2.0, 3.0, 300)), [0.0, 1.0]),
    "normal far off": (examples.Normal(RNG.normal(2.0, 3.0, 300)), [30.0, 40.0]),
    "geometric": (examples.Geometric(RNG.geometric(0.3, 300) - 1), [0.9]),
    "poisson": (examples.Poisson(RNG.poisson(4.0, 300)), [0.5]),
    "weighted poisson": (examples.Poisson([0, 1, 2, 5], weights=[10, 20, 30, 4]), [20.0]),
    # Log odds -1 and 3 between the two rows: three parameters would not be identified, two are.
    "logit": (
        examples.BinaryLogit([0, 1, 0, 1], [[1, 0], [1, 0], [1, 1], [1, 1]], weights=[30, 10, 5, 40]),
        [0.0, 0.0],
    ),
}


def bfgs_update(matrix, move, change):
    """The kernel, with its output and workspace."""
    updated = np.empty_like(matrix)
    kernels.bfgs_update(matrix, move, change, np.empty(move.size), updated)
    return updated


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


# The matrices behind the directions


def test_the_bfgs_update_meets_the_secant_equation_and_is_the_inverse_of_the_textbook_one():
    rng = np.random.default_rng(4)
    matrix = np.diag([1.0, 5.0, 0.2, 2.0])
    for _ in range(20):
        move, change = rng.normal(size=(2, 4))
        change *= np.sign(change @ move)
        updated = bfgs_update(matrix, move, change)
        assert np.allclose(updated @ move, change, rtol=1e-9)
        assert np.allclose(updated, updated.T)
        rho, eye = 1 / (change @ move), np.eye(4)
        left = eye - rho * np.outer(move, change)
        inverse = left @ np.linalg.inv(matrix) @ left.T + rho * np.outer(move, move)
        assert np.allclose(updated @ inverse, eye, atol=1e-7)
        assert (np.linalg.eigvalsh(updated) > 0).all()
    assert np.array_equal(bfgs_update(matrix, move, -change), matrix)


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


@pytest.mark.parametrize("size", [1, 2, 5, 12])
def test_cholesky_solve_is_scipys_whatever_the_units(size):
    rng = np.random.default_rng(size)
    for _ in range(10):
        root = rng.normal(size=(size, size + 2))
        units = 10.0 ** rng.uniform(-8, 8, size)
        matrix = (root @ root.T + 0.1 * np.eye(size)) * np.outer(units, units)
        rhs, out, factor = rng.normal(size=size) * units, np.empty(size), np.empty((size + 1, size))
        assert cholesky_solve(matrix, 0.0, rhs, factor, out) == 1
        plain = matrix / np.outer(units, units)
        assert np.allclose(out * units, linalg.solve(plain, rhs / units, assume_a="pos"), rtol=1e-9)
        assert cholesky_solve(matrix, 0.5, rhs, factor, out) == 1
        plain += 0.5 * np.diag(np.diag(plain))
        assert np.allclose(out * units, linalg.solve(plain, rhs / units, assume_a="pos"), rtol=1e-9)


@pytest.mark.parametrize(
    "matrix",
    [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]], [[-1.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]],
     [[np.nan, 0.0], [0.0, 1.0]], [[1.0, np.nan], [np.nan, 1.0]], [[np.inf, 0.0], [0.0, 1.0]]],
)  # fmt: skip
def test_cholesky_solve_refuses_what_is_not_positive_definite_and_leaves_out_alone(matrix):
    out = np.full(2, 7.0)
    assert cholesky_solve(np.array(matrix), 0.0, np.ones(2), np.empty((3, 2)), out) == 0
    assert (out == 7.0).all()


def test_an_indefinite_matrix_gets_the_ridge_that_makes_its_direction_climb():
    rng = np.random.default_rng(5)
    for _ in range(50):
        root = rng.normal(size=(4, 4))
        matrix, gradient = root + root.T, rng.normal(size=4)
        direction, factor = np.empty(4), np.empty((5, 4))
        ridge = kernels.ascent(matrix, gradient, direction, factor)
        definite = np.linalg.eigvalsh(matrix).min() > 0
        assert (ridge == 0) == definite
        assert direction @ gradient > 0
        assert np.allclose(
            (matrix + ridge * np.diag(np.abs(np.diag(matrix)))) @ direction, gradient, rtol=1e-6, atol=1e-6
        )
    assert kernels.ascent(np.full((4, 4), np.nan), gradient, direction, factor) == -1


def test_newton_climbs_out_of_a_region_where_the_hessian_is_indefinite():
    model = MODELS["normal"][0]
    start = [20.0, 60.0]
    assert np.linalg.eigvalsh(total_hessian(model, np.array(start))).max() > 0
    maximum = newton(model, start)
    assert maximum.converged and maximum.trace["ridge"].iloc[0] > 0
    assert np.allclose(maximum.theta, model.closed_form(), rtol=1e-6)


def test_the_outer_product_kernel_is_weighted_matrix_algebra():
    rng = np.random.default_rng(6)
    scores, weights = rng.normal(size=(30, 4)), rng.integers(1, 9, 30).astype(float)
    gradient, opg = np.empty(4), np.empty((4, 4))
    kernels.outer_product(scores, weights, gradient, opg)
    assert np.allclose(gradient, weights @ scores, rtol=1e-12)
    assert np.allclose(opg, scores.T @ np.diag(weights) @ scores, rtol=1e-12)


# Honest flags


@dataclass(frozen=True, eq=False)
class OnlyTheSum:
    """A Poisson model whose mean is a + b: a and b are not identified."""

    poisson: examples.Poisson
    param_names = ("a", "b")
    cluster_counts = None

    @property
    def weights(self):
        return self.poisson.weights

    def loglike(self, theta):
        logl, scores = self.poisson.loglike([np.sum(theta)])
        return logl, np.repeat(scores, 2, axis=1)

    def hessian_obs(self, theta):
        return np.broadcast_to(self.poisson.hessian_obs([np.sum(theta)]), (self.poisson.y.size, 2, 2))


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
    with pytest.warns(ConvergenceWarning):
        assert not newton(model, start, tol=0.0, max_iter=40).converged
    with pytest.warns(ConvergenceWarning):
        assert not newton(model, start, tol=np.nan, max_iter=40).converged
    at_the_start = newton(model, model.closed_form())
    assert at_the_start.converged and at_the_start.n_iter == 0 and at_the_start.n_evaluations == 1


@pytest.mark.parametrize(
    ("start", "options", "message"),
    [
        ([1.0], {}, r"start = \[1.0\]; it must hold 2 finite values, for \('mu', 'sigma'\)"),
        ([1.0, np.nan], {}, "it must hold 2 finite values"),
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


# Covariances


@pytest.fixture(scope="module")
def logit():
    """A logit with 40 clusters of 10 and its estimate."""
    model = examples.BinaryLogit(Y, X, names=["constant", "income", "urban"], clusters=np.repeat(np.arange(40), 10))
    return model, fit(model, [0.0, 0.0, 0.0])


def test_every_covariance_is_its_formula(logit):
    model, estimate = logit
    P = 1 / (1 + np.exp(-X @ estimate.theta))
    scores = (Y - P)[:, None] * X
    information = X.T @ (X * (P * (1 - P))[:, None])
    bread = np.linalg.inv(information)
    sums = scores.reshape(40, 10, 3).sum(axis=1)
    expected = {
        "opg": np.linalg.inv(scores.T @ scores), "hessian": bread,
        "sandwich": bread @ scores.T @ scores @ bread, "cluster": bread @ sums.T @ sums @ bread,
    }  # fmt: skip
    for kind, matrix in expected.items():
        table = estimate.cov_params(kind=kind)
        assert np.allclose(table, matrix, rtol=1e-9)
        assert list(table.columns) == list(table.index) == ["constant", "income", "urban"]
        assert np.allclose(estimate.standard_errors(kind), np.sqrt(np.diag(matrix)), rtol=1e-9)
    assert np.array_equal(estimate.bse, estimate.standard_errors("opg"))


def test_clusters_of_one_row_each_give_the_sandwich(logit):
    _, estimate = logit
    alone = examples.BinaryLogit(Y, X, clusters=np.arange(400))
    assert np.allclose(
        covariance(alone, estimate.theta, "cluster"), covariance(alone, estimate.theta, "sandwich"), rtol=1e-12
    )


def test_cells_and_observations_have_the_same_covariances():
    cells = examples.Poisson([0, 1, 2, 5], weights=[10, 20, 30, 4])
    rows = examples.Poisson(np.repeat([0, 1, 2, 5], [10, 20, 30, 4]))
    for kind in ("opg", "hessian", "sandwich"):
        assert np.allclose(
            covariance(cells, cells.closed_form(), kind), covariance(rows, rows.closed_form(), kind), rtol=1e-12
        )


def test_a_covariance_that_does_not_exist_is_an_error(logit):
    model, estimate = logit
    with pytest.raises(
        ParameterError, match="unknown covariance 'white'; choose one of 'opg', 'hessian', 'sandwich', 'cluster'"
    ):
        estimate.cov_params(kind="white")
    with pytest.raises(ParameterError, match="needs clusters, and this model was given none"):
        covariance(examples.BinaryLogit(Y, X), estimate.theta, "cluster")
    with pytest.raises(ConvergenceError, match="observed information is not positive definite.*sigma"):
        covariance(MODELS["normal"][0], [2.0, 60.0], "hessian")


# Estimate


def test_conf_int_is_estimate_plus_and_minus_normal_quantiles(logit):
    _, estimate = logit
    interval = estimate.conf_int(level=0.9, kind="hessian")
    reach = stats.norm.ppf(0.95) * estimate.standard_errors("hessian")
    assert np.allclose(interval["lower"], estimate.params - reach)
    assert np.allclose(interval["upper"], estimate.params + reach)
    assert list(estimate.conf_int().columns) == ["lower", "upper"]
    for level in (0, 1, 95, np.nan):
        with pytest.raises(ParameterError, match="level = .*; it must lie strictly between 0 and 1"):
            estimate.conf_int(level=level)


def test_an_estimate_knows_its_parameters_observations_and_path(logit):
    model, estimate = logit
    assert estimate.params.to_dict() == dict(zip(["constant", "income", "urban"], estimate.theta, strict=True))
    assert estimate.nobs == 400
    assert estimate.converged
    assert estimate.llf == pytest.approx(model.loglike(estimate.theta)[0].sum())
    assert np.array_equal(estimate.trace, estimate.maximum.trace)
    assert fit(MODELS["weighted poisson"][0], [1.0]).nobs == 64


def test_the_summary_says_method_observations_convergence_and_a_row_a_parameter(logit):
    _, estimate = logit
    text = str(estimate.summary(kind="sandwich"))
    assert text == repr(estimate.summary(kind="sandwich"))
    lines = text.splitlines()
    assert lines[0] == "BinaryLogit"
    assert "method            bhhh-bfgs" in lines
    assert "observations      400" in lines
    assert f"log-likelihood    {estimate.llf:.6f}" in lines
    assert "converged         yes" in lines
    assert lines[-1] == "standard errors: sandwich; intervals: 95%"
    header = next(line for line in lines if "std err" in line)
    assert header.split() == ["estimate", "std", "err", "lower", "upper"]
    row = next(line for line in lines if line.startswith("income")).split()
    expected = [
        estimate.params["income"],
        estimate.standard_errors("sandwich")["income"],
        *estimate.conf_int(kind="sandwich").loc["income"],
    ]
    assert np.allclose([float(value) for value in row[1:]], expected, rtol=1e-4)
    assert not re.search(r"\*|\d\d:\d\d|[Dd]ate|[Tt]ime", text)
    assert "intervals: 90%" in str(estimate.summary(level=0.9))


def test_a_summary_without_convergence_says_so_and_one_without_errors_says_why():
    with pytest.warns(ConvergenceWarning):
        estimate = fit(OnlyTheSum(MODELS["poisson"][0]), [1.0, 1.0])
    text = str(estimate.summary())
    assert "converged         NO: the scores are collinear" in text
    assert "no standard errors: the outer product of the scores is not positive definite" in text
    assert "NOT converged" in repr(estimate)


def test_names_from_data_are_escaped_in_html_and_the_repr_is_one_line(logit):
    model = examples.BinaryLogit(Y, X, names=["<script>alert(1)</script>", "a&b", "c"])
    estimate = fit(model, np.zeros(3))
    for page in (estimate._repr_html_(), estimate.summary()._repr_html_()):
        assert "<script>" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "a&amp;b" in page
        assert page.count("<table") == page.count("</table>") == 2
    short = repr(logit[1])
    assert short.startswith("Estimate(constant=") and short.endswith("converged)") and "\n" not in short
