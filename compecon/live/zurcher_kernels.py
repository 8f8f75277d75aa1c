"""Scenes of the figures on Zurcher's model: what they draw, computed by the library's kernels from what they are told.

A scene returns DONE, MORE when it wants to be called again, or FAILED when there is nothing to show.
"""

import math

from compecon._jit import kernel
from compecon.live.draws_kernels import uniforms
from compecon.zurcher import kernels as zurcher
from compecon.zurcher.population_kernels import histories, stationary

FAILED, DONE, MORE = 0, 1, 2

# Mileages span 450,000 miles, whatever the number of states; costs are stated for the 90 states of Rust's Table IX.
_MILES, _STATES = 450.0, 90.0


@kernel
def moves_of(n_states, sizes, increments):
    """p : (J,), the row of `increments` for n_states states, without the zeros that fill it up. See zurchers_choice."""
    row, n_moves = 0, increments.shape[1]
    while row < sizes.size - 1 and sizes[row] != n_states:
        row += 1
    while n_moves > 1 and increments[row, n_moves - 1] == 0.0:
        n_moves -= 1
    return increments[row, :n_moves]


@kernel
def upkeep(theta11, cost):
    """cost(x) = theta11 / 1000 for each 5,000 miles, in as many states as `cost` has room for."""
    for x in range(cost.size):
        cost[x] = theta11 * _STATES / cost.size * (1e-3 * x)


@kernel
def zurchers_choice(RC, theta11, discount, n_states, bus, sizes, increments, mileage, value, hazard, history, paths,
                    summary, work):  # fmt: skip
    """Solve the model, then drive one bus through it.

    increments : (R, J), row r for sizes[r] states. mileage, value, hazard : (max n,), thousand miles, EV relative to a
    new engine, probability to replace; NaN beyond n_states. history : (3, T), month, mileage, and mileage where the
    engine is replaced, else NaN. summary : (3,), the long run's months between replacements, this bus's replacements,
    its mileage a month in thousands. paths : (5, T), work : (10, max n) workspace.
    """
    n = int(n_states)
    p, ev, cost, steps, inner = moves_of(n_states, sizes, increments), work[7, :n], work[8, :n], work[9], work[:7, :n]
    upkeep(theta11, cost)
    for x in range(n):
        ev[x] = 0.0
    n_iter = zurcher.newton(ev, cost, p, RC, discount, zurcher.tolerance(discount), steps.size, steps, inner)
    if not steps[n_iter - 1] <= zurcher.tolerance(discount) or stationary(inner[0], inner[1], p, inner[3]) == 0:
        return FAILED
    rate = 0.0
    for x in range(value.size):
        mileage[x] = (x + 0.5) * _MILES / n if x < n else math.nan
        value[x] = ev[x] - ev[0] if x < n else math.nan
        hazard[x] = inner[1, x] if x < n else math.nan
        if x < n:
            rate += inner[3, x] * inner[1, x]
    summary[0] = 1.0 / rate
    drive(inner[1], p, bus, _MILES / n, inner[4], history, paths, summary)
    return DONE


@kernel
def drive(replace, p, bus, width, cumulative, history, paths, summary):
    """One bus's history, drawn with its number as seed; states are `width` thousand miles wide."""
    choices, moves, x, d, dx = paths[0:1], paths[1:2], paths[2:3], paths[3:4], paths[4:5]
    uniforms(bus, 0.0, choices[0])
    uniforms(bus, 1.0, moves[0])
    total = 0.0
    for j in range(p.size):
        total += p[j]
        cumulative[j] = total
    history[0, 0] = 0.0
    histories(replace, cumulative[: p.size], choices, moves, history[0], x, d, dx)
    summary[1] = summary[2] = 0.0
    months = x.shape[1]
    for t in range(months):
        history[0, t] = t + 1.0
        history[1, t] = (x[0, t] + 0.5) * width
        history[2, t] = history[1, t] if d[0, t] > 0.0 else math.nan
        summary[1] += d[0, t]
        summary[2] += max(dx[0, t], 0.0) * width / (months - 1.0)
