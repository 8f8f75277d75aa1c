"""Scene of the figure on Rust's buses: miles to states, months to increments and decisions, and what conventions move.

Rows of `month`, one column a month of a bus: its state, the decision as dated by the odometer and as asked for, the
increment as asked for and in Rust's convention.
"""

import math

from compecon._jit import kernel
from compecon.zurcher import data_kernels as data

DONE = 1
# Thousand miles at the upper edge of the last state.
_MILES = 450.0
_STATE, _REPLACED, _DATED, _INCREMENT, _RUST, MONTH_ROWS = 0, 1, 2, 3, 4, 5
# With fewer months the share of replacements in a bin says little: as in compecon.zurcher.hazard.
_FEWEST_MONTHS = 50.0
# Entries of `summary`.
_BUS, _OBSERVATIONS, _REPLACEMENTS, _MEAN_MILEAGE, _CATEGORIES, _IMPOSSIBLE, _CHANGED, _CELLS, SUMMARY = range(9)
_NONE = -1.0


@kernel
def bus_histories(groups, n_states, bus, increments, timing, mileage, starts, bus_groups, bus_ids, members, history,
                  shares, hazard, by_state, seen, month, summary):  # fmt: skip
    """Put the buses of some groups on a grid, count, and show one of them.

    members : (G, 8), 1 for the groups that belong to choice `groups`. increments : 0 Rust's, 1 the model's. timing :
    0 by the odometer, 1 a month late. mileage : (N,), buses one after the other from starts[b]. history : (4, T),
    month, thousand miles, those of the state's middle, and those at a replacement, else NaN. shares : (3, J), the
    increment, its share, and Rust's. hazard : (6, B), of bins: mean thousand miles, share of replacements, one
    standard error below and above, and Rust's share; NaN where there is none. by_state : (3, max n), months,
    replacements as dated, and by the odometer. seen : (max n, 2 J) workspace.
    """
    n, n_chosen, place = int(n_states), 0, 0
    clear(shares, by_state, seen, summary)
    for b in range(bus_ids.size):
        n_chosen += int(members[int(groups), int(bus_groups[b]) - 1])
    shown = (int(bus) - 1) % n_chosen
    for b in range(bus_ids.size):
        if members[int(groups), int(bus_groups[b]) - 1] > 0.0:
            miles = mileage[int(starts[b]) : int(starts[b + 1])]
            rows = month[:, : miles.size]
            read(miles, n, increments - 1.0, timing, rows)
            tally(rows, shares, by_state, seen, summary)
            if place == shown:
                summary[_BUS] = bus_ids[b]
                show(miles, rows, _MILES / n, history)
            place += 1
    finish(n, shares, by_state, summary)
    bin_hazard(by_state[0, :n], by_state[1, :n], hazard[:4])
    bin_hazard(by_state[0, :n], by_state[2, :n], hazard[4:])
    return DONE


@kernel
def clear(shares, by_state, seen, summary):
    """Set all counts to zero."""
    for j in range(shares.shape[1]):
        shares[1, j] = shares[2, j] = 0.0
    for x in range(by_state.shape[1]):
        by_state[0, x] = by_state[1, x] = by_state[2, x] = 0.0
        for j in range(seen.shape[1]):
            seen[x, j] = 0.0
    for k in range(summary.size):
        summary[k] = 0.0


@kernel
def read(miles, n, restart, timing, month):
    """A bus's months: states, decisions and increments. The engine was replaced where the next mileage is smaller."""
    data.states(miles, n, 1e3 * _MILES, month[_STATE])
    last = miles.size - 1
    for t in range(miles.size):
        month[_REPLACED, t] = 1.0 if t < last and miles[t + 1] < miles[t] else 0.0
    for t in range(miles.size):
        late = month[_REPLACED, t - 1] if t > 0 else 0.0
        month[_DATED, t] = late if timing > 0.0 else month[_REPLACED, t]
    data.increments(month[_STATE], month[_DATED], restart, month[_INCREMENT])
    data.increments(month[_STATE], month[_REPLACED], -1.0, month[_RUST])


@kernel
def tally(month, shares, by_state, seen, summary):
    """Count the months of a bus, all but its first."""
    for t in range(1, month.shape[1]):
        x, d, replaced = int(month[_STATE, t]), month[_DATED, t], month[_REPLACED, t]
        dx, rust = int(month[_INCREMENT, t]), int(month[_RUST, t])
        summary[_OBSERVATIONS] += 1.0
        by_state[0, x] += 1.0
        by_state[1, x] += d
        by_state[2, x] += replaced
        shares[2, rust] += 1.0
        if d != replaced or dx != rust:
            summary[_CHANGED] += 1.0
        if dx < 0:
            summary[_IMPOSSIBLE] += 1.0
        else:
            shares[1, dx] += 1.0
            cell = 2 * dx + int(d)
            summary[_CELLS] += 1.0 - seen[x, cell]
            seen[x, cell] = 1.0


@kernel
def show(miles, month, width, history):
    """One bus's history; states are `width` thousand miles wide."""
    for t in range(history.shape[1]):
        for k in range(4):
            history[k, t] = math.nan
        if t < miles.size:
            history[0, t] = t + 1.0
            history[1, t] = miles[t] / 1e3
            history[2, t] = (month[_STATE, t] + 0.5) * width
            if month[_DATED, t] > 0.0:
                history[3, t] = miles[t] / 1e3


@kernel
def finish(n, shares, by_state, summary):
    """Counts to shares, NaN beyond the largest increment, and what the read-outs say."""
    possible, total, mileage = summary[_OBSERVATIONS] - summary[_IMPOSSIBLE], 0.0, 0.0
    for j in range(shares.shape[1] - 1, -1, -1):
        for k in range(1, 3):
            if shares[k, j] > 0.0:
                summary[_CATEGORIES] = max(summary[_CATEGORIES], j + 1.0 if k == 1 else 0.0)
            shares[k, j] = shares[k, j] / (possible if k == 1 else summary[_OBSERVATIONS])
            if shares[k, j] == 0.0:
                shares[k, j] = math.nan
    for x in range(n):
        total += by_state[1, x]
        mileage += by_state[1, x] * (x + 0.5) * _MILES / n
    summary[_REPLACEMENTS] = total
    summary[_MEAN_MILEAGE] = mileage / total if total > 0.0 else _NONE


@kernel
def bin_hazard(months, replacements, bins):
    """Shares of replacements in bins of equal numbers of states, joined at the end until they hold 50 months.

    months, replacements : (n,), by state. bins : (2, B) or (4, B), mean thousand miles of a bin's months, share, and
    where there is room the share less and plus one standard error, sqrt(share (1 - share) / months).
    """
    n, n_bins = months.size, bins.shape[1]
    total, last, x = 0.0, 0, n - 1
    for y in range(n):
        total += months[y]
    fewest, later = min(_FEWEST_MONTHS, total), months[n - 1]
    while later < fewest:
        x -= 1
        later += months[x]
    last = x * n_bins // n
    x = 0
    for k in range(n_bins):
        count, mileage, replaced = 0.0, 0.0, 0.0
        while x < n and (x * n_bins // n == k or k == last):
            count += months[x]
            mileage += months[x] * (x + 0.5) * _MILES / n
            replaced += replacements[x]
            x += 1
        share = replaced / count if count > 0.0 else math.nan
        bins[0, k], bins[1, k] = mileage / count if count > 0.0 else math.nan, share
        if bins.shape[0] == 4:
            error = math.sqrt(share * (1.0 - share) / count) if count > 0.0 else math.nan
            bins[2, k], bins[3, k] = share - error, share + error
