"""Where an evaluation of the BLP objective spends its time: the parts of one market's, and what they add up to.

Each part is repeated inside a compiled loop, because a call from Python costs more than the part itself.
"""

from unittest import mock

import numpy as np
from numba import njit

from benchmarks.zurcher import best_time
from compecon.blp import kernels, threads
from compecon.blp.examples import cereal_results
from compecon.blp.iteration import Iteration
from compecon.blp.objective import Objective

PARTS = (
    "utilities (add_bilinear)",
    "exponentials (set_centre)",
    "a sweep (log_share_gap)",
    "share_jacobian, factored",
    "newton_direction",
    "theta_response",
    "solve_m_matrix, a column a parameter",
)


@njit(error_model="numpy")
def _repeat(part, n, target, x2, weights, traits, loadings, delta, x, levels, xbar, jacobian, flat):
    space = kernels.carve(flat, weights.size, delta.size)
    zero = np.zeros(delta.size)
    kernels.add_bilinear(x2, zero, traits, loadings, space.mu)
    kernels.set_centre(delta, space)
    kernels.log_share_gap(target, delta, weights, space)
    kernels.share_jacobian(weights, space)
    for _ in range(n):
        if part == 0:
            kernels.add_bilinear(x2, zero, traits, loadings, space.mu)
        elif part == 1:
            kernels.set_centre(delta, space)
        elif part == 2:
            kernels.log_share_gap(target, delta, weights, space)
        elif part == 3:
            kernels.share_jacobian(weights, space)
        elif part == 4:
            kernels.newton_direction(target, space)
        elif part == 5:
            kernels.theta_response(x, levels, space, weights, xbar, jacobian)
        else:
            kernels.solve_m_matrix(space.matrix, jacobian)


def parts(results, repeats=2000):
    """Microseconds of each of PARTS in the first market, at the estimates."""
    problem, demand, parameters = results.problem, results.demand(), results.parameters_
    products, agents = problem.sorted_products, problem.sorted_agents
    J, n, P = products.starts[1], agents.starts[1], results.theta.size
    x = np.ascontiguousarray(products.X2[:J, parameters.rows])
    levels = np.ascontiguousarray(agents.traits[:n, parameters.columns])
    arrays = (
        products.shares[:J], products.X2[:J], agents.weights[:n], agents.traits[:n],
        np.ascontiguousarray(demand.loadings), demand.delta[:J], x, levels, np.zeros(P), np.zeros((J, P)),
        np.zeros(kernels.space_size(n, J)),
    )  # fmt: skip
    calls = [lambda part=part: _repeat(part, repeats, *arrays) for part in range(len(PARTS))]
    return np.array([1e6 * best_time(call, 0.2) / repeats for call in calls])


def profile():
    """Rows (name, microseconds a call, calls), and microseconds of one evaluation: of the parts, and as measured.

    The evaluation is one at the end of a search: delta is predicted well, and one Newton step is left. The parts are
    added up over all markets on one core; measured is the whole, first on one core, then on those that there are.
    """
    results = cereal_results()
    problem, ahead = results.problem, results.theta * (1 + 1e-4)
    objective = Objective(problem, results.parameters_, problem.linear_part, results.W, Iteration("newton"))
    last = objective(results.theta)
    sweeps = objective(ahead, last).inversion.sweeps.mean()
    # Each step has a factored Jacobian, a direction and a sweep; so has the polish at the end, but for the sweep.
    rows = list(zip(PARTS, parts(results), (1, 1, sweeps, sweeps, sweeps, 1, 1), strict=True))
    total = problem.T * sum(microseconds * calls for _, microseconds, calls in rows)
    with mock.patch.object(threads, "_n_cores", lambda: 1):
        alone = best_time(lambda: objective(ahead, last), 0.5)
    return rows, (total, 1e6 * alone, 1e6 * best_time(lambda: objective(ahead, last), 0.5))
