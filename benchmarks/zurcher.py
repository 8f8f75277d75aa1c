"""Rust's model: the structured solver against the dense one, and how it grows with the number of states."""

import time
import tracemalloc

import numpy as np

from benchmarks.dense import estimate_dense
from compecon import datasets, zurcher
from compecon.zurcher.dense import newton_dense, transition_matrix
from compecon.zurcher.solve import default_tol

DISCOUNT = 0.9999
THETA3 = np.array([0.3919, 0.5953, 0.0128])
SOLVE_FLOORS = {175: 60, 1000: 800}
ESTIMATE_FLOORS = {90: 15, 175: 20, 1000: 40}


def best_time(function, seconds=1.0):
    """Seconds of the fastest call of those that fit in about `seconds`, at least three, after one that is not timed."""
    function()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def make_solver(n_states):
    """A call of `model.solve` at group 4's estimates, with the cost's slope in miles held fixed as n grows."""
    model = zurcher.ZurcherModel(n_states, DISCOUNT)
    params = zurcher.Params(RC=10.075, theta1=[2.293 * 90 / n_states], theta3=THETA3)
    return model, params, lambda: model.solve(params)


def solve_ratios():
    """Rows (name, dense seconds, our seconds, floor) for one solution."""
    for n_states, floor in SOLVE_FLOORS.items():
        model, params, solve = make_solver(n_states)
        cost, Pi, tol = model.costs(params.theta1), transition_matrix(THETA3, n_states), default_tol(DISCOUNT)
        zero = np.zeros(n_states)
        dense = best_time(lambda: newton_dense(zero, cost, Pi, params.RC, DISCOUNT, tol, 100))
        yield f"solve, n = {n_states}", dense, best_time(solve), floor


def estimate_ratios():
    """Rows (name, dense seconds, our seconds, floor) for one joint estimation with standard errors, group 4."""
    panel = datasets.load_bus_panel()
    for n_states, floor in ESTIMATE_FLOORS.items():
        data = zurcher.discretize(panel, groups=[4], n_states=n_states)
        model = zurcher.ZurcherModel(n_states, DISCOUNT)
        fit = zurcher.nfxp(model, data)
        start = fit.maximum.path[0, :2]
        theta, errors = estimate_dense(model, data, start)
        np.testing.assert_allclose(fit.theta, theta, rtol=1e-6)
        np.testing.assert_allclose(fit.bse, errors, rtol=1e-4)
        ours = best_time(lambda: zurcher.nfxp(model, data).bse)
        yield f"nfxp, n = {n_states}", best_time(lambda: estimate_dense(model, data, start)), ours, floor


def growth():
    """(time ratio, memory ratio) of one solution at n = 100,000 against n = 1,000."""
    seconds, peaks = [], []
    for n_states in (1_000, 100_000):
        solve = make_solver(n_states)[2]
        seconds.append(best_time(solve))
        tracemalloc.start()
        solve()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return seconds[1] / seconds[0], peaks[1] / peaks[0]


def profile(n_states, repeats=300):
    """Microseconds of the parts of one Newton step at the solution: what bounds the solver."""
    model, params, solve = make_solver(n_states)
    solution, cost = solve(), model.costs(params.theta1)
    keep, replace, logsum, rhs, pivot, unit, step = np.empty((7, n_states))
    k = zurcher.kernels
    parts = {
        "choose (exp, logsum, probabilities)": lambda: k.choose(
            solution.ev, cost, params.RC, DISCOUNT, keep, replace, logsum
        ),
        "expect": lambda: k.expect(logsum, THETA3, rhs),
        "factor": lambda: k.factor(replace, THETA3, DISCOUNT, pivot),
        "solve_factored": lambda: k.solve_factored(keep, THETA3, DISCOUNT, pivot, rhs, unit, step),
    }
    for name, call in parts.items():
        yield name, 1e6 * best_time(lambda: [call() for _ in range(repeats)], 0.2) / repeats
    yield f"{solution.n_iter} steps and the call's overhead", 1e6 * best_time(solve, 0.2)
