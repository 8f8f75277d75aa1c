"""Scenes of the figure on the fixed point: three methods, iterate by iterate, and the operations that each takes.

Operations are counted in the loops of compecon.zurcher.kernels, for n states and J increments. A multiplication with
the addition next to it is one operation, as is a multiplication, an addition or a division alone; comparisons are
free. An exponential or a logarithm counts as eight: a Newton step then takes 1.6, 1.9 and 2.2 times as many as a sweep
at J = 3, 6 and 10, and 1.5, 1.9 and 2.3 times as long by the clock.

    choose          n (9 + 8 + 8)  the gap 4, the probabilities 3, the value 2; an exponential and a logarithm
    expect          n J
    factor          3 n
    solve_factored  n 4 J          4 for each of J - 2 increments; 6 for the nearest; 2 for the rank-one term
    a sweep         n (J + 26)     choose, expect, and the change
    a Newton step   n (5 J + 30)   choose, expect, the residual, factor, solve_factored, and adding the step
    a dense one     n^3/3 + 6 n^2  LU; I - Gamma' 3 n^2, Pi times two vectors 2 n^2, substitution n^2 (zurcher/dense.py)
"""

import math

from compecon._jit import kernel
from compecon.live.zurcher_kernels import DONE, FAILED, MORE, moves_of, upkeep
from compecon.zurcher import kernels as zurcher

# What is drawn for an error of nothing but rounding: a logarithm has no place for zero, and this is below the panels.
_FLOOR, _EPS = 1e-18, 2.220446049250313e-16
# States updated in one call (one or two milliseconds in a browser), and in all, before the other sweeps are predicted.
_SLICE, _CAP = 5e4, 3e7
# Sweeps at which the contraction's error is kept: each, then every so many per cent.
_SPACING = 1.07


@kernel
def sweep_operations(n, n_moves):
    """Operations of one sweep."""
    return n * (n_moves + 26.0)


@kernel
def newton_operations(n, n_moves):
    """Operations of one structured Newton step."""
    return n * (5.0 * n_moves + 30.0)


@kernel
def dense_operations(n):
    """Operations of one Newton step with an n x n matrix."""
    return n * n * (n / 3.0 + 6.0)


@kernel
def distance(ev, fixed):
    """max|EV - EV*| / max(1, max|EV*|)."""
    largest, scale = 0.0, 1.0
    for x in range(ev.size):
        largest, scale = max(largest, abs(ev[x] - fixed[x])), max(scale, abs(fixed[x]))
    return largest / scale


@kernel
def follow(n_sweeps, fixed, cost, p, RC, discount, ev, path, steps, work):
    """Sweeps from EV = 0, `n_sweeps` of them, then Newton steps until `newton` would stop; one call an iteration.

    path : (3, M), number of the iteration, operations so far, error; NaN beyond the last. An error below
    eps / (1 - discount), which rounding alone can make, is _FLOOR. Returns the iterations, or 0 if M were too few.
    """
    tol, rounding, n_iter, operations = zurcher.tolerance(discount), _EPS / (1.0 - discount), 0, 0.0
    for x in range(ev.size):
        ev[x] = 0.0
    for k in range(path.shape[1]):
        if n_iter > 0:
            path[0, k] = path[1, k] = path[2, k] = math.nan
            continue
        if k < n_sweeps:
            zurcher.contract(ev, cost, p, RC, discount, tol, 0.0, 1, steps, work)
            operations += sweep_operations(ev.size, p.size)
        else:
            zurcher.newton(ev, cost, p, RC, discount, tol, 1, steps, work)
            operations += newton_operations(ev.size, p.size)
            if not steps[0] > tol:
                n_iter = k + 1
        error = distance(ev, fixed)
        path[0, k], path[1, k], path[2, k] = k + 1.0, operations, error if error > rounding else _FLOOR
    return n_iter


@kernel
def newton_paths(RC, theta11, discount, n_states, sizes, increments, switching, fixed, newton, poly, needs, summary,
                 work):  # fmt: skip
    """The fixed point, and the ways of Newton's method and of the polyalgorithm to it.

    sizes, increments : as in zurchers_choice. switching : (2,), the polyalgorithm's largest number of sweeps, and how
    near the ratio of changes comes to the discount factor when it leaves them. fixed : (max n,), EV*. newton : (4, M),
    its path and the operations with a dense matrix; poly : (3, M), see `follow`. needs : (3, 2), iterations and
    million operations of the contraction, Newton's method and the polyalgorithm; here the last two. summary[:4] :
    the tolerance, the polyalgorithm's sweeps, what a Newton step takes in sweeps, and a dense one in Newton steps.
    """
    n, tol = int(n_states), zurcher.tolerance(discount)
    p, ev, cost, steps, inner = moves_of(n_states, sizes, increments), work[7, :n], work[8, :n], work[9], work[:7, :n]
    goal = fixed[:n]
    upkeep(theta11, cost)
    for x in range(n):
        goal[x], ev[x] = 0.0, 0.0
    n_iter = zurcher.newton(goal, cost, p, RC, discount, tol, newton.shape[1], steps, inner)
    n_sweeps = zurcher.contract(ev, cost, p, RC, discount, tol, switching[1], int(switching[0]), steps, inner)
    needs[1, 0] = follow(0, goal, cost, p, RC, discount, ev, newton, steps, inner)
    needs[2, 0] = follow(n_sweeps, goal, cost, p, RC, discount, ev, poly, steps, inner)
    if needs[1, 0] != n_iter or needs[2, 0] == 0.0 or not distance(ev, goal) <= tol:
        return FAILED
    for k in range(newton.shape[1]):
        newton[3, k] = newton[0, k] * dense_operations(float(n))
    needs[1, 1] = 1e-6 * newton[1, int(needs[1, 0]) - 1]
    needs[2, 1] = 1e-6 * poly[1, int(needs[2, 0]) - 1]
    summary[0], summary[1] = tol, n_sweeps
    summary[2] = newton_operations(n, p.size) / sweep_operations(n, p.size)
    summary[3] = dense_operations(float(n)) / newton_operations(n, p.size)
    return DONE


@kernel
def mark(number, discount, start, operations, point):
    """point : (4,), number of the sweep, operations so far, error (not set here), start discount^number."""
    point[0], point[1] = number, number * operations
    point[3] = max(start * math.exp(number * math.log(discount)), _FLOOR)


@kernel
def begin(discount, operations, fixed, ev, sweeps, place):
    """Before the first sweep: where the path will have its points; no error is known yet."""
    for x in range(ev.size):
        ev[x] = 0.0
    place[0], place[1], place[2] = 0.0, 0.0, distance(ev, fixed)
    number = 0.0
    for i in range(sweeps.shape[1]):
        number = max(number + 1.0, math.floor(_SPACING * number))
        mark(number, discount, place[2], operations, sweeps[:, i])
        sweeps[2, i] = math.nan


@kernel
def sweep(budget, operations, cost, p, RC, discount, fixed, ev, sweeps, place, steps, work):
    """At most `budget` sweeps on, with an error at each point passed. Returns the bound on what is left, steps[-1]."""
    tol, bound = zurcher.tolerance(discount), math.inf
    while budget > 0 and bound > tol:
        point = sweeps[:, int(place[1])]
        wanted = min(int(point[0] - place[0]), budget, steps.size)
        done = zurcher.contract(ev, cost, p, RC, discount, tol, 0.0, wanted, steps, work)
        bound, budget = steps[done - 1], budget - done
        place[0] += done
        if not bound > tol or place[0] == point[0]:
            mark(place[0], discount, place[2], operations, point)
            point[2] = distance(ev, fixed)
            place[1] += 1.0
    return bound


@kernel
def contraction_path(RC, theta11, discount, n_states, sizes, increments, fixed, ev, sweeps, needs, summary, place,
                     progress, work, first):  # fmt: skip
    """Successive approximations from EV = 0 until `contract` would stop, or _CAP states were updated.

    fixed : as newton_paths leaves it. sweeps : (4, S), number of the sweep, operations so far, error (NaN where it is
    not yet known, or never will be), and the first error times discount^number. needs[0] : sweeps and million
    operations to the tolerance; those not yet done are predicted, each to reduce the error by `discount`, which is
    the rate in the limit. summary[4:] : per cent of the sweeps that were done; all operations in those of Newton's
    method. ev : (max n,), the last iterate; place : (3,), sweeps done, points known, the error before the first.
    """
    n, tol = int(n_states), zurcher.tolerance(discount)
    p, cost, steps, inner = moves_of(n_states, sizes, increments), work[8, :n], work[9], work[:7, :n]
    operations = sweep_operations(float(n), p.size)
    upkeep(theta11, cost)
    if first > 0.0:
        begin(discount, operations, fixed[:n], ev[:n], sweeps, place)
    bound = sweep(int(_SLICE / n), operations, cost, p, RC, discount, fixed[:n], ev[:n], sweeps, place, steps, inner)
    if not bound < math.inf:
        return FAILED
    to_come = 0.0
    if bound > tol:
        to_come = math.ceil(max(math.log(tol / distance(ev[:n], fixed[:n])) / math.log(discount), 1.0))
    needs[0, 0] = place[0] + to_come
    needs[0, 1] = 1e-6 * needs[0, 0] * operations
    summary[4], summary[5] = 100.0 * place[0] / needs[0, 0], needs[0, 1] / needs[1, 1]
    progress[0] = place[0] / min(needs[0, 0], _CAP / n)
    return MORE if to_come > 0.0 and place[0] * n < _CAP else DONE
