"""Rust's model solved: reference values, the structured kernels against dense twins, hard corners, error messages."""

import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zurcher_fixtures import FIXED_POINT, choices_twin, dense_transitions, fixed_point_twin, gamma_prime

from compecon import zurcher
from compecon.errors import CompEconError, ConvergenceError, ConvergenceWarning, ParameterError
from compecon.zurcher import kernels
from compecon.zurcher.dense import bellman_dense, newton_dense, transition_matrix
from compecon.zurcher.solve import default_tol

METHODS = ("newton", "contraction", "poly", "dense")
SIZES = [(2, 1), (2, 2), (2, 6), (3, 5), (5, 6), (6, 6), (7, 3), (40, 1), (40, 4), (90, 6)]  # n, J
EPS = np.finfo(float).eps


@pytest.fixture
def rust():
    """Rust's group 4, as in the reference."""
    params = zurcher.Params(FIXED_POINT["RC"], [FIXED_POINT["theta11"]], FIXED_POINT["theta3"])
    return zurcher.ZurcherModel(90, 0.9999), params


def draw(n, n_categories, seed=0):
    """A random policy, mileage distribution, cost and value function."""
    rng = np.random.default_rng([seed, n, n_categories])
    replace = rng.uniform(0, 1, n) ** 4
    return {
        "keep": 1 - replace, "replace": replace, "p": rng.dirichlet(np.ones(n_categories)),
        "cost": np.cumsum(rng.exponential(0.1, n)), "ev": -np.cumsum(rng.exponential(0.2, n)), "rhs": rng.normal(size=n),
    }  # fmt: skip


def solve_newton(keep, replace, p, discount, rhs):
    """(I - Gamma')^-1 rhs by the structured kernels; also 1 / T(x, x), and (1 - discount) T^-1 1."""
    pivot, unit, out = np.empty((3, keep.size))
    kernels.factor(replace, p, discount, pivot)
    kernels.solve_factored(keep, p, discount, pivot, rhs, unit, out)
    return out, pivot, unit


def bellman_gap(solution):
    """max|Gamma(EV) - EV| in long doubles, from the textbook formula and nothing of the library."""
    model, real = solution.model, np.longdouble
    ev, p = solution.ev.astype(real), solution.params.theta3.astype(real)
    cost = np.asarray(model.cost.value(model.states, solution.params.theta1)).astype(real)
    _, _, logsum = choices_twin(ev, cost, real(solution.params.RC), real(model.discount))
    ahead = [p[j] * logsum[np.minimum(np.arange(ev.size) + j, ev.size - 1)] for j in range(p.size)]
    return float(np.abs(np.sum(ahead, axis=0) - ev).max())


def assert_solves(solution):
    """Finite, converged, and a fixed point as exactly as Newton's last step promises.

    After a last step s the residual is at most max(keep replace) (2 s)^2 / 2 <= s^2 / 2, and rounding errors of a few
    eps |EV| come on top.
    """
    scale = max(1.0, np.abs(solution.ev).max())
    assert np.isfinite(solution.ev).all()
    assert solution.converged
    assert solution.residual <= default_tol(solution.model.discount)
    assert bellman_gap(solution) <= 16 * EPS * scale + 0.5 * (solution.residual * scale) ** 2
    assert solution.choice_prob.min() >= 0
    assert np.allclose(solution.choice_prob.sum(axis=1), 1, rtol=0, atol=4 * EPS)


# Reference values


@pytest.mark.parametrize("method", METHODS)
def test_every_method_meets_the_forty_digit_fixed_point(rust, method):
    model, params = rust
    solution = model.solve(params, method=method)
    for x, value in FIXED_POINT["ev"].items():
        assert solution.ev[x] == pytest.approx(value, rel=1e-11)
    for x, value in FIXED_POINT["replace"].items():
        assert solution.choice_prob[x, 1] == pytest.approx(value, rel=1e-9)
    assert solution.converged


def test_newton_is_at_the_reference_to_twelve_digits(rust):
    model, params = rust
    solution = model.solve(params)
    for x, value in FIXED_POINT["ev"].items():
        # eps / (1 - discount), what rounding the discount factor itself does
        assert solution.ev[x] == pytest.approx(value, rel=EPS / (1 - model.discount))


@pytest.mark.parametrize("cost", list(zurcher.COSTS))
@pytest.mark.parametrize("discount", [0.0, 0.7, 0.999])
def test_all_methods_agree_for_every_cost(cost, discount):
    model = zurcher.ZurcherModel(60, discount, cost)
    params = zurcher.Params(6.0, zurcher.COSTS[cost].start, [0.1, 0.4, 0.3, 0.2])
    reference = model.solve(params, method="dense").ev
    for method in ("newton", "contraction", "poly"):
        ev = model.solve(params, method=method).ev
        assert np.abs(ev - reference).max() <= 5e-12 * max(1, np.abs(reference).max())


def test_discount_zero_is_the_static_logit():
    model = zurcher.ZurcherModel(30, 0.0, "quadratic")
    params = zurcher.Params(3.0, [100.0, 20.0], [0.2, 0.5, 0.3])
    solution = model.solve(params)
    x = np.arange(30)
    cost = 1e-3 * 100 * x + 1e-5 * 20 * x**2
    assert np.allclose(solution.choice_prob[:, 1], 1 / (1 + np.exp(3.0 - cost)), rtol=1e-14)
    logsum = np.log(np.exp(-cost) + np.exp(-3.0))
    assert np.allclose(solution.ev, dense_transitions(params.theta3, 30) @ logsum, rtol=1e-14)


def test_free_replacement_and_no_costs_give_the_value_of_two_shocks():
    solution = zurcher.ZurcherModel(12, 0.95).solve(zurcher.Params(0.0, [0.0], [0.3, 0.7]))
    assert np.allclose(solution.ev, np.log(2) / 0.05, rtol=1e-14)
    assert np.allclose(solution.choice_prob, 0.5, rtol=1e-14)


def test_the_same_parameters_at_another_discount_factor_give_another_answer(rust):
    model, params = rust
    answers = [zurcher.ZurcherModel(90, d).solve(params).choice_prob[60, 1] for d in (0.0, 0.9, 0.9999)]
    assert answers[0] < 0.5 * answers[1] < 0.25 * answers[2]
    assert model.solve(params).choice_prob[60, 1] == answers[2]


# Kernels against twins


@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_expect_is_a_product_with_the_dense_transition_matrix(n, n_categories):
    policy, out = draw(n, n_categories), np.empty(n)
    kernels.expect(policy["ev"], policy["p"], out)
    assert np.allclose(out, dense_transitions(policy["p"], n) @ policy["ev"], rtol=1e-13, atol=1e-13)
    assert np.array_equal(transition_matrix(policy["p"], n), dense_transitions(policy["p"], n))


@pytest.mark.parametrize(("RC", "discount"), [(0.0, 0.0), (3.0, 0.9), (800.0, 0.9999), (-5.0, 0.5)])
def test_choose_is_the_textbook_logit(RC, discount):
    policy, (keep, replace, logsum) = draw(50, 3), np.empty((3, 50))
    kernels.choose(policy["ev"], policy["cost"], RC, discount, keep, replace, logsum)
    twin = choices_twin(policy["ev"], policy["cost"], RC, discount)
    for value, expected in zip((keep, replace, logsum), twin, strict=True):
        assert np.allclose(value, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.9999, 0.999999])
@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_the_structured_newton_step_is_the_dense_solve(n, n_categories, discount):
    for seed in range(5):
        policy = draw(n, n_categories, seed)
        out, _, _ = solve_newton(policy["keep"], policy["replace"], policy["p"], discount, policy["rhs"])
        derivative = gamma_prime(policy["keep"], policy["replace"], dense_transitions(policy["p"], n), discount)
        expected = np.linalg.solve(np.eye(n) - derivative, policy["rhs"])
        # The dense matrix has a condition number of about 1/(1 - discount); the structured solve has none.
        assert np.abs(out - expected).max() <= max(1e-12, 100 * EPS / (1 - discount)) * np.abs(expected).max()


def test_pivot_and_unit_are_the_parts_of_the_triangle_that_their_docstrings_name():
    policy = draw(9, 4)
    _, pivot, unit = solve_newton(policy["keep"], policy["replace"], policy["p"], 0.9, policy["rhs"])
    T = np.eye(9) - 0.9 * dense_transitions(policy["p"], 9) * policy["keep"]
    assert np.allclose(T, np.triu(T))
    assert np.allclose(1 / pivot, np.diag(T), rtol=1e-13)
    assert np.allclose(unit, 0.1 * np.linalg.solve(T, np.ones(9)), rtol=1e-12)
    assert (unit > 0).all() and (unit <= 1 + 1e-15).all()


def test_the_newton_step_loses_no_digit_at_discount_one_minus_1e_6_to_a_difference_near_one():
    mpmath = pytest.importorskip("mpmath")
    policy, discount = draw(12, 3), 0.999999
    replace = policy["replace"] * 1e-6
    out, _, _ = solve_newton(1 - replace, replace, policy["p"], discount, policy["rhs"])
    with mpmath.workdps(40):
        p = [mpmath.mpf(float(value)) for value in policy["p"]]
        p[-1] = 1 - sum(p[:-1])
        matrix = mpmath.eye(12)
        for x in range(12):
            for j, probability in enumerate(p):
                y = min(x + j, 11)
                matrix[x, y] -= mpmath.mpf(discount) * probability * (1 - mpmath.mpf(float(replace[y])))
                matrix[x, 0] -= mpmath.mpf(discount) * probability * mpmath.mpf(float(replace[y]))
        exact = mpmath.lu_solve(matrix, mpmath.matrix([mpmath.mpf(float(value)) for value in policy["rhs"]]))
        exact = np.array([float(value) for value in exact])
    assert np.abs(out - exact).max() <= 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize(("n", "n_categories"), SIZES)
def test_newton_takes_the_steps_of_its_dense_twin(n, n_categories):
    policy, work, steps = draw(n, n_categories), np.empty((7, n)), np.empty(50)
    ev = np.zeros(n)
    n_iter = kernels.newton(ev, policy["cost"], policy["p"], 4.0, 0.99, 1e-12, 50, steps, work)
    Pi = transition_matrix(policy["p"], n)
    expected, expected_steps = newton_dense(np.zeros(n), policy["cost"], Pi, 4.0, 0.99, 1e-12, 50)
    assert n_iter == expected_steps.size
    assert np.allclose(ev, expected, rtol=1e-12)
    assert np.allclose(steps[:n_iter], expected_steps, rtol=1e-6, atol=1e-12)


def test_contract_repeats_the_bellman_operator_and_stops_at_the_ratio_it_is_told():
    policy, work, steps = draw(25, 3), np.empty((7, 25)), np.empty(40)
    ev = np.zeros(25)
    assert kernels.contract(ev, policy["cost"], policy["p"], 4.0, 0.95, 0.0, 0.0, 40, steps, work) == 40
    twin, changes = np.zeros(25), []
    Pi = dense_transitions(policy["p"], 25)
    for _ in range(40):
        update = Pi @ choices_twin(twin, policy["cost"], 4.0, 0.95)[2]
        changes.append(np.abs(update - twin).max())
        assert steps[len(changes) - 1] == pytest.approx(
            0.95 / 0.05 * changes[-1] / max(1, np.abs(update).max()), rel=1e-10
        )
        twin = update
    assert np.allclose(ev, twin, rtol=1e-12)
    ratios = np.abs(np.divide(changes[1:], changes[:-1]) - 0.95)
    n_sweeps = kernels.contract(np.zeros(25), policy["cost"], policy["p"], 4.0, 0.95, 0.0, 0.02, 40, steps, work)
    assert n_sweeps == 2 + int(np.argmax(ratios <= 0.02))


def test_bellman_is_the_dense_operator_and_its_frechet_derivative_that_of_a_complex_step():
    policy = draw(8, 3)
    model = zurcher.ZurcherModel(8, 0.97)
    params = zurcher.Params(2.0, [300.0], policy["p"])
    cost, Pi = model.costs(params.theta1), transition_matrix(policy["p"], 8)
    image, derivative, _ = bellman_dense(policy["ev"], cost, Pi, 2.0, 0.97)
    assert np.allclose(model.bellman(policy["ev"], params), image, rtol=1e-13)
    for y in range(8):
        shifted = policy["ev"].astype(complex)
        shifted[y] += 1e-30j
        column = (Pi @ choices_twin(shifted, cost, 2.0, 0.97)[2]).imag / 1e-30
        assert np.allclose(derivative[:, y], column, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("n_categories", [2, 3, 5])
def test_the_fixed_points_derivatives_are_those_of_a_complex_step(n_categories):
    n, discount = 20, 0.98
    p = np.random.default_rng(n_categories).dirichlet(np.ones(n_categories))
    model = zurcher.ZurcherModel(n, discount, "power")
    theta1 = np.array([0.05, 0.9])
    cost, dcost = model.costs(theta1), np.ascontiguousarray(model.cost.gradient(model.states, theta1))
    ev = model.solve(zurcher.Params(3.0, theta1, p)).ev
    free, n_params = np.arange(n_categories - 1.0), 3 + n_categories - 1
    dgap, dlogsum = np.empty((2, n_params, n))
    work = np.empty((7, n))
    kernels.choose(ev, cost, 3.0, discount, work[0], work[1], work[2])
    kernels.differentiate(dcost, p, free, n_categories - 1, discount, dgap, dlogsum, work)
    for k in range(n_params):
        point = np.concatenate(([3.0], theta1, p[:-1])).astype(complex)
        point[k] += 1e-30j
        shifted = model.cost.value(model.states, point[1:3])
        complex_p = np.append(point[3:], 1 - point[3:].sum())
        values = fixed_point_twin(shifted, complex_p, point[0], discount)
        gap = point[0] - (shifted - shifted[0]) + discount * (values - values[0])
        logsum = choices_twin(values, shifted, point[0], discount)[2]
        assert np.allclose(dgap[k], gap.imag / 1e-30, rtol=1e-9, atol=1e-10)
        assert np.allclose(dlogsum[k], logsum.imag / 1e-30, rtol=1e-9, atol=1e-10)


# Properties over the whole domain


@settings(max_examples=150, deadline=None)
@given(
    discount=st.one_of(st.floats(0, 0.999999), st.sampled_from([0.0, 0.99, 0.9999, 0.99999, 0.999999])),
    RC=st.one_of(st.floats(0, 1e4), st.floats(0, 20), st.sampled_from([0.0, 1e4])),
    theta11=st.one_of(st.floats(0, 20), st.floats(-50, 1e7), st.sampled_from([0.0, 1e-6, 1e7])),
    n=st.one_of(st.integers(2, 12), st.integers(2, 2000)),
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda values: sum(values) > 1e-3),
    method=st.sampled_from(["newton", "newton", "poly"]),
)
@example(discount=0.9999, RC=10.0, theta11=1e-3, n=90, shares=[1.0], method="newton")
@example(discount=0.95, RC=1e4, theta11=2.0, n=5, shares=[0.87, 0.03, 0.1], method="newton")
@example(discount=0.999999, RC=1e4, theta11=1e-6, n=20, shares=[0.2, 0.3, 0.5], method="poly")
@example(discount=0.999999, RC=1e4, theta11=1e7, n=2000, shares=[0.0, 0.0, 0.0, 1.0], method="newton")
@example(discount=0.9, RC=0.0, theta11=0.0, n=2, shares=[0.1] * 6, method="poly")
def test_the_solver_is_right_from_discount_0_to_0_999999_and_rc_0_to_10000(discount, RC, theta11, n, shares, method):
    params = zurcher.Params(RC, [theta11], np.array(shares) / sum(shares))
    assert_solves(zurcher.ZurcherModel(n, discount).solve(params, method=method))


@settings(max_examples=60, deadline=None)
@given(
    cost=st.sampled_from(["quadratic", "cubic", "sqrt", "hyperbolic", "mixed", "power"]),
    theta1=st.lists(st.floats(0, 1e5), min_size=3, max_size=3),
    RC=st.floats(0, 1e4),
    discount=st.floats(0, 0.999999),
)
def test_every_cost_is_solved_or_refused_however_large_it_is(cost, theta1, RC, discount):
    model = zurcher.ZurcherModel(50, discount, cost)
    params = zurcher.Params(RC, theta1[: len(model.cost.param_names)], [0.3, 0.5, 0.2])
    try:
        solution = model.solve(params)
    except ParameterError as error:
        assert "not finite" in str(error)
    else:
        assert_solves(solution)


def test_a_hundred_thousand_states_are_solved_to_the_same_accuracy():
    model = zurcher.ZurcherModel(100_000, 0.9999)
    solution = model.solve(zurcher.Params(10.0, [2e-3], [0.1, 0.2, 0.3, 0.2, 0.1, 0.1]))
    assert_solves(solution)
    assert np.ptp(solution.choice_prob[:, 1]) > 0.01


def test_probabilities_that_underflow_leave_a_finite_right_answer():
    solution = zurcher.ZurcherModel(200, 0.999).solve(zurcher.Params(5.0, [1e6], [0.5, 0.5]))
    assert_solves(solution)
    assert solution.choice_prob[-1, 0] == 0.0
    assert solution.choice_prob[-1, 1] == 1.0


def test_newton_from_above_and_below_and_from_far_away_reaches_one_answer(rust):
    model, params = rust
    reference = model.solve(params).ev
    rng = np.random.default_rng(3)
    for start in (np.full(90, 1e5), np.full(90, -1e5), rng.normal(0, 1e4, 90)):
        for method in ("newton", "poly"):
            solution = model.solve(params, method=method, ev0=start)
            assert solution.converged
            assert np.allclose(solution.ev, reference, rtol=1e-11)


def test_the_start_is_not_written_to(rust):
    model, params = rust
    start = np.zeros(90)
    for method in METHODS[:1] + METHODS[2:]:
        model.solve(params, method=method, ev0=start)
        assert not start.any()


# Honest flags, trace, texts


@pytest.mark.parametrize(
    ("method", "max_iter", "n_iter"), [("newton", 3, 3), ("contraction", 50, 50), ("dense", 2, 2), ("poly", 1, None)]
)
def test_too_few_iterations_are_marked_and_warned_about(rust, method, max_iter, n_iter):
    model, params = rust
    with pytest.warns(
        ConvergenceWarning, match=f"method '{method}' stopped after .* above its tolerance .*; raise max_iter"
    ):
        solution = model.solve(params, method=method, max_iter=max_iter)
    assert not solution.converged
    assert solution.residual > solution.tol
    assert n_iter is None or solution.n_iter == n_iter
    assert "NOT converged" in repr(solution)
    with pytest.raises(ConvergenceError, match="could not be solved at Params.RC=10.075"):
        solution.require_convergence()


@pytest.mark.parametrize("method", METHODS)
def test_converged_means_within_tolerance_even_at_the_last_iteration_that_is_allowed(method):
    model, params = zurcher.ZurcherModel(30, 0.9), zurcher.Params(5.0, [20.0], [0.4, 0.6])
    n_iter = model.solve(params, method=method).n_iter
    n_iter -= model.solve(params, method=method).n_sweeps if method == "poly" else 0
    solution = model.solve(params, method=method, max_iter=n_iter)
    assert solution.converged and solution.residual <= solution.tol
    with pytest.warns(ConvergenceWarning):
        assert not model.solve(params, method=method, max_iter=n_iter - 1).converged


@pytest.mark.parametrize("method", METHODS)
def test_the_trace_has_one_row_an_iteration_and_ends_at_the_residual(rust, method):
    model, params = rust
    solution = model.solve(params, method=method)
    trace = solution.trace
    assert list(trace.columns) == ["kind", "step"]
    assert trace.index.tolist() == list(range(1, solution.n_iter + 1))
    assert trace["step"].iloc[-1] == solution.residual
    assert (trace["kind"] == "contraction").sum() == solution.n_sweeps
    assert (solution.n_sweeps > 0) == (method in ("contraction", "poly"))
    assert f"Solution({method}, converged, n_iter={solution.n_iter}" in repr(solution)


def test_contraction_steps_bound_the_true_distance_to_the_fixed_point():
    model, params = zurcher.ZurcherModel(40, 0.98), zurcher.Params(5.0, [20.0], [0.4, 0.6])
    exact = model.solve(params).ev
    for sweeps in (5, 50, 300):
        with pytest.warns(ConvergenceWarning):
            solution = model.solve(params, method="contraction", max_iter=sweeps)
        assert np.abs(solution.ev - exact).max() <= solution.residual * max(1, np.abs(solution.ev).max()) * (1 + 1e-9)


def test_newton_converges_quadratically(rust):
    model, params = rust
    steps = model.solve(params).steps
    assert steps.size <= 13
    assert steps[-1] <= 1e-11 < steps[-2]
    assert steps[-2] <= 100 * steps[-3] ** 1.5


def test_solve_takes_a_looser_tolerance_and_refuses_one_that_doubles_cannot_meet(rust):
    model, params = rust
    loose = model.solve(params, tol=1e-3)
    assert loose.converged and loose.n_iter < model.solve(params).n_iter
    for tol in (1e-13, 0.0, -1.0, np.nan):
        with pytest.raises(ParameterError, match="cannot be met at this discount factor; ask for 8.9e-12 or more"):
            model.solve(params, tol=tol)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "newtn"}, "unknown method 'newtn'; choose one of 'newton', 'contraction', 'poly', 'dense'"),
        ({"max_iter": 0}, "max_iter = 0; it must be a positive integer"),
        ({"max_iter": 2.5}, "max_iter = 2.5; it must be a positive integer"),
        ({"ev0": np.zeros(3)}, r"ev must hold 90 finite values, one a state; it has shape \(3,\)"),
        ({"ev0": np.full(90, np.nan)}, "ev must hold 90 finite values"),
    ],
)
def test_a_wrong_option_of_solve_is_named(rust, options, message):
    model, params = rust
    with pytest.raises(ParameterError, match=message):
        model.solve(params, **options)


def test_the_dense_solver_says_where_its_memory_ends():
    model = zurcher.ZurcherModel(6000, 0.9)
    with pytest.raises(ParameterError, match="n_states = 6000 .* limited to 5000. Use method='newton'"):
        model.solve(zurcher.Params(1.0, [1.0], [0.5, 0.5]), method="dense")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_states": 1}, "n_states = 1; it must be an integer of at least 2"),
        ({"n_states": 90.0}, "n_states = 90.0; it must be an integer"),
        ({"n_states": True}, "n_states = True"),
        ({"discount": 1}, r"discount = 1; it must lie in \[0, 1\)"),
        ({"discount": 1.0 - 1e-12}, r"it must lie in \[0, 1\), and at most 1 - 1e-8"),
        ({"discount": -0.1}, "discount = -0.1"),
        ({"discount": np.nan}, "discount = nan"),
        ({"discount": "high"}, "discount = 'high' is not a number"),
        (
            {"cost": "linaer"},
            "unknown cost 'linaer'; choose one of linear, quadratic, cubic, sqrt, hyperbolic, mixed, power",
        ),
        ({"cost": ["linear"]}, "unknown cost .*; choose one of linear"),
        ({"cost": None}, "unknown cost None"),
    ],
)
def test_a_wrong_model_is_refused_with_what_to_do(arguments, message):
    with pytest.raises(ParameterError, match=message):
        zurcher.ZurcherModel(**arguments)


@pytest.mark.parametrize(
    ("RC", "theta1", "theta3", "message"),
    [
        (1.0, [1.0], [0.3, 0.6], "sums to 0.9; the J probabilities must sum to 1. Give the last one too"),
        (1.0, [1.0], [1.2, -0.2], "holds no or negative probabilities"),
        (1.0, [1.0], [], "holds no or negative probabilities"),
        (np.nan, [1.0], [1.0], "RC = nan is not finite"),
        (1.0, [np.inf], [1.0], "theta1 = .*inf.* is not finite"),
        (1.0, [1.0], [0.5, np.nan], "theta3 = .* is not finite"),
        ("ten", [1.0], [1.0], "RC must be a number, theta1 and theta3 lists of numbers"),
        (1.0, [[1.0], [2.0]], [1.0], "theta1 and theta3 are vectors; found 2 and 1 dimensions"),
        (1.0, [1.0], [[0.5, 0.5]], "theta1 and theta3 are vectors; found 1 and 2 dimensions"),
    ],
)
def test_wrong_parameters_are_refused_with_what_was_found(RC, theta1, theta3, message):
    with pytest.raises(ParameterError, match=message):
        zurcher.Params(RC, theta1, theta3)


def test_params_keep_their_own_copy_normalise_rounding_and_have_a_short_repr():
    theta3 = np.array([0.25, 0.75 + 3e-9])
    params = zurcher.Params(1, 2, theta3)
    assert params.theta3.sum() == pytest.approx(1, abs=1e-15)
    assert theta3[1] == 0.75 + 3e-9
    assert repr(params) == "Params(RC=1, theta1=[2], theta3=[0.25, 0.75])"
    assert repr(zurcher.Params(1, 2, np.full(8, 0.125))).endswith("0.125, 0.125, ...])")


def test_theta1_of_the_wrong_length_names_the_costs_parameters():
    model = zurcher.ZurcherModel(20, 0.9, "quadratic")
    with pytest.raises(
        ParameterError, match=r"theta1 has shape \(1,\); cost 'quadratic' has the parameters .*theta11.*theta12"
    ):
        model.solve(zurcher.Params(1.0, [1.0], [0.5, 0.5]))


def test_a_cost_that_overflows_is_an_error_before_anything_is_solved():
    model = zurcher.ZurcherModel(50, 0.9, "power")
    with pytest.raises(
        ParameterError, match="must give 50 finite values, one a state; it gives shape .50,. with [0-9]+ that are not"
    ):
        model.solve(zurcher.Params(1.0, [1.0, 400.0], [0.5, 0.5]))


def test_finite_costs_too_large_for_doubles_are_marked_not_silent():
    model, params = zurcher.ZurcherModel(50, 0.9), zurcher.Params(1e300, [1e308], [0.5, 0.5])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            solution = model.solve(params)
    except (CompEconError, ConvergenceWarning):
        return
    assert solution.converged and np.isfinite(solution.ev).all()


# Cost functions


@pytest.mark.parametrize("cost", list(zurcher.COSTS.values()), ids=list(zurcher.COSTS))
def test_the_derivatives_of_every_cost_pass_its_own_check(cost):
    theta1 = np.linspace(0.4, 0.9, len(cost.param_names))
    cost.check(60, theta1)
    x = np.arange(60.0)
    assert cost.gradient(x, theta1).shape == (theta1.size, 60)
    assert cost.hessian(x, theta1).shape == (theta1.size, theta1.size, 60)


def test_the_costs_are_those_of_rusts_table_viii():
    x = np.array([0.0, 1.0, 50.0, 89.0])
    grid = np.arange(90.0)
    rows = {
        ("linear", (2.0,)): 2e-3 * x,
        ("quadratic", (2.0, 3.0)): 2e-3 * x + 3e-5 * x**2,
        ("cubic", (2.0, 3.0, 4.0)): 2e-3 * x + 3e-5 * x**2 + 4e-7 * x**3,
        ("sqrt", (2.0,)): 2e-2 * np.sqrt(x + 1),
        ("hyperbolic", (2.0,)): 0.2 / (91 - (x + 1)),
        ("mixed", (2.0, 3.0)): 0.2 / (91 - (x + 1)) + 3e-2 * np.sqrt(x + 1),
        ("power", (2.0, 0.7)): 2.0 * (x + 1) ** 0.7,
    }
    for (name, theta1), expected in rows.items():
        values = zurcher.COSTS[name].value(grid, np.array(theta1))
        assert np.allclose(values[x.astype(int)], expected, rtol=1e-13), name


def saturating(gradient=None, hessian=None, value=None, start=(0.3, 0.05)):
    """A user's cost, theta11 (1 - exp(-theta12 x)), with parts to be replaced by wrong ones."""

    def own_value(x, t):
        return t[0] * (1 - np.exp(-t[1] * x))

    def own_gradient(x, t):
        return np.array([1 - np.exp(-t[1] * x), t[0] * x * np.exp(-t[1] * x)])

    def own_hessian(x, t):
        cross = x * np.exp(-t[1] * x)
        return np.array([[0 * x, cross], [cross, -t[0] * x * cross]])

    return zurcher.Cost(
        "saturating",
        ("theta11", "theta12"),
        value or own_value,
        gradient or own_gradient,
        hessian or own_hessian,
        start,
    )


def test_a_users_own_cost_is_estimated_end_to_end():
    model = zurcher.ZurcherModel(30, 0.95, saturating())
    truth = zurcher.Params(4.0, [2.0, 0.15], [0.3, 0.7])
    assert_solves(model.solve(truth))
    panel = zurcher.simulate(model, truth, n_buses=400, n_periods=200, seed=5)
    data = zurcher.discretize(panel, n_states=30, groups=None, increments="model")
    fit = zurcher.nfxp(model, data, start=[3.0, 1.0, 0.1])
    assert fit.converged
    assert list(fit.params.index) == ["RC", "theta11", "theta12", "theta30"]
    assert (np.abs(fit.params - [4.0, 2.0, 0.15, 0.3]) <= 4 * fit.bse).all()
    assert np.allclose(fit.bse, fit.standard_errors("hessian"), rtol=0.1)


def forgets_theta11(x, t):
    return np.array([1 - np.exp(-t[1] * x), x])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (
            {"gradient": forgets_theta11},
            "gradient .* in theta12 differs from a central difference .* correct the derivative",
        ),
        ({"gradient": lambda x, t: np.ones(x.size)}, r"gradient .* has shape \(100,\); .* it must be \(2, 100\)"),
        ({"hessian": lambda x, t: np.zeros((2, 2, x.size))}, "hessian of cost 'saturating' in theta1"),
        ({"hessian": lambda x, t: np.zeros((2, x.size))}, r"hessian .* has shape \(2, 100\); .* \(2, 2, 100\)"),
        ({"gradient": lambda x, t: np.full((2, x.size), np.nan)}, "differs from a central difference by nan"),
    ],
)
def test_a_users_wrong_derivative_is_caught_before_the_estimation(parts, message, bus_data):
    model = zurcher.ZurcherModel(175, 0.9, saturating(**parts))
    with pytest.raises(ParameterError, match=message):
        zurcher.nfxp(model, bus_data((4,), 175))


def test_a_users_cost_of_the_wrong_shape_and_a_wrong_number_of_starts_are_errors():
    scalar = zurcher.ZurcherModel(20, 0.9, saturating(value=lambda x, t: 1.0))
    with pytest.raises(ParameterError, match=r"must give 20 finite values, one a state; it gives shape \(1?,?\)"):
        scalar.solve(zurcher.Params(1.0, [1.0, 1.0], [0.5, 0.5]))
    with pytest.raises(ParameterError, match="names 2 parameters .* and has 1 starting values"):
        saturating(start=(1.0,))
