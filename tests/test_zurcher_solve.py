"""Rust's model solved: reference values, the whole domain and its hard corners, honest flags and texts."""

import warnings

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from zurcher_fixtures import EPS, FIXED_POINT, assert_solves, dense_transitions

from compecon import zurcher
from compecon.errors import CompEconError, ConvergenceError, ConvergenceWarning, ParameterError

METHODS = ("newton", "contraction", "poly", "dense")


@pytest.fixture
def rust():
    """Rust's group 4, as in the reference."""
    params = zurcher.Params(FIXED_POINT["RC"], [FIXED_POINT["theta11"]], FIXED_POINT["theta3"])
    return zurcher.ZurcherModel(90, 0.9999), params


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


def test_newtons_iterates_rise_to_the_fixed_point_after_the_first_step(rust):
    """The claim of `kernels.newton`: the operator is convex, so Newton's method is policy iteration."""
    model, params = rust
    fixed = model.solve(params).ev
    for ev0 in (np.zeros(90), np.full(90, 1e4), -1e4 * np.sqrt(np.arange(90.0))):
        before = None
        for n_steps in range(1, 9):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                ev = model.solve(params, ev0=ev0, max_iter=n_steps).ev
            rounding = 1e-11 * np.abs(ev).max()
            assert (ev <= fixed + rounding).all()
            assert before is None or (ev >= before - rounding).all()
            before = ev


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
        ({"max_iter": 0}, "max_iter = 0; it must be an integer of at least 1"),
        ({"max_iter": 2.5}, "max_iter = 2.5; it must be an integer of at least 1"),
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


def test_finite_costs_too_large_for_doubles_are_marked_not_silent():
    model, params = zurcher.ZurcherModel(50, 0.9), zurcher.Params(1e300, [1e308], [0.5, 0.5])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            solution = model.solve(params)
    except (CompEconError, ConvergenceWarning):
        return
    assert solution.converged and np.isfinite(solution.ev).all()
