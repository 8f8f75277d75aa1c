"""Exercises of chapter 8: buses as data."""

import numpy as np

from compecon import datasets, zurcher
from compecon.exercises.exercise import Exercise, Mistake


def _group_4(increments="rust"):
    return zurcher.discretize(datasets.load_bus_panel(), groups=[4], n_states=90, increments=increments)


def _panel_4():
    panel = datasets.load_bus_panel()
    return panel[panel["group"] == 4]


def _shares(counts):
    return counts / counts.sum()


def _shares_with_first_months():
    """Counts the reading of the first month as one more increment, from an odometer of zero."""
    counts = _group_4().dx_counts.copy()
    first = _panel_4().query("period == 1")["mileage"]
    for category in np.minimum(np.ceil(first * 90 / 450_000).astype(int), 2):
        counts[category] += 1
    return _shares(counts)


# 8.3: from miles to states


def states(mileage, n_states, max_mileage):
    """The solution of exercise 8.3."""
    bins = np.ceil(mileage * n_states / max_mileage)
    return np.maximum(bins, 1) - 1


def _draw_mileage(rng):
    n_states = int(rng.choice([45, 90, 175]))
    mileage = rng.integers(0, 450_000, 40)
    # Edges and zero are where the mistakes show; 2571 * 175 is just inside a state of 2571.43 miles.
    edges = np.array([0, 450_000 // n_states * 3, 450_000, 90_000, 2_572 * 60])
    return np.concatenate([mileage, edges]), n_states, 450_000


# 8.4: from states to increments


def increments(x, d):
    """The solution of exercise 8.4."""
    before = np.where(d[:-1] == 1, -1, x[:-1])
    return x[1:] - before


def _draw_history(rng):
    n_months = 60
    d = (rng.random(n_months) < 0.1).astype(int)
    # A replacement and the month after it are what the exercise is about: at least one, never the last month.
    d[[20, -1]] = 1, 0
    x, moves = np.zeros(n_months, dtype=int), rng.integers(0, 3, n_months)
    for month in range(1, n_months):
        x[month] = moves[month] if d[month - 1] else x[month - 1] + moves[month]
    return x, d


# 8.5: the hazard


def hazard(x, d, n_bins):
    """The solution of exercise 8.5."""
    edges = np.linspace(0, 90, n_bins + 1)
    months = np.histogram(x, edges)[0]
    return np.histogram(x[d == 1], edges)[0] / months


def _draw_decisions(rng):
    x = np.concatenate([np.arange(90), rng.integers(0, 90, 400)])
    return x, (rng.random(x.size) < 0.02 + x / 300).astype(int), 9


def _share_of_replacements(x, d, n_bins):
    found = np.histogram(x[d == 1], np.linspace(0, 90, n_bins + 1))[0]
    return found / found.sum()


def _mean_of_state_shares(x, d, n_bins):
    shares = np.array([d[x == state].mean() for state in range(90)])
    return shares.reshape(n_bins, -1).mean(axis=1)


EXERCISES = (
    Exercise(
        "8.1",
        "predict",
        lambda: "the same",
        options={
            "more": "There are more states, and how wide is one? An increment counts the states that a month passes.",
            "fewer": "Divide the miles of the grid by its states, before and after. Has a month's driving fewer edges "
            "to pass?",
            "the same": "Right. A state is 5,000 miles wide on both grids, so every month has the increment that it "
            "had. Narrower states, not more of them, bring more increments.",
        },
    ),
    Exercise(
        "8.2",
        "compute",
        lambda: 33 / _group_4().n_obs,
        (
            Mistake(
                "You divide by all 4329 readings. The first month of each bus has no month before it and is dropped.",
                lambda: 33 / len(_panel_4()),
            ),
            Mistake("You divide by the number of buses. The question is about months.", lambda: 33 / 37),
            Mistake(
                "That is the mean number of months for one replacement: turn it over.",
                lambda: _group_4().n_obs / 33,
            ),
            Mistake("That is in percent. Give a share between 0 and 1.", lambda: 3300 / _group_4().n_obs),
        ),
    ),
    Exercise(
        "8.3",
        "implement",
        states,
        (
            Mistake(
                "Both bugs are still there: // rounds down where a mileage on an edge belongs below it, and the width "
                "is cut to whole miles.",
                lambda m, n, top: m // (top // n),
            ),
            Mistake(
                "Your states count from 1. In this book x = 0, 1, ..., n-1: subtract one, and keep mileage 0 "
                "in state 0.",
                lambda m, n, top: np.maximum(np.ceil(m * n / top), 1),
            ),
            Mistake(
                "You round down. A mileage on an edge, such as 5000 of 5000, belongs to the state below it: use ceil.",
                lambda m, n, top: np.minimum(np.floor(m * n / top), n - 1),
            ),
            Mistake(
                "You round down. A mileage on an edge, such as 5000 of 5000, belongs to the state below it: use ceil.",
                lambda m, n, top: np.floor(m * n / top),
            ),
            Mistake("Mileage 0 gets state -1. It belongs to state 0.", lambda m, n, top: np.ceil(m * n / top) - 1),
            Mistake(
                "You cut the width of a state to whole miles. With 175 states it is 2571.43 miles, and the rest "
                "adds up.",
                lambda m, n, top: np.maximum(np.ceil(m / (top // n)), 1) - 1,
            ),
        ),
        draw=_draw_mileage,
    ),
    Exercise(
        "8.4",
        "implement",
        increments,
        (
            Mistake(
                "You subtract the old engine's state after a replacement, so the increment is negative. Start the new "
                "engine's count afresh.",
                lambda x, d: x[1:] - x[:-1],
            ),
            Mistake(
                "That is the model's convention: after a replacement dx = x. Rust counts states from 1 "
                "there: dx = x + 1.",
                lambda x, d: x[1:] - np.where(d[:-1] == 1, 0, x[:-1]),
            ),
            Mistake(
                "You look at the decision of the same month. The increment to month t follows the decision of t - 1.",
                lambda x, d: x[1:] - np.where(d[1:] == 1, -1, x[:-1]),
            ),
        ),
        draw=_draw_history,
    ),
    Exercise(
        "8.5",
        "implement",
        hazard,
        (
            Mistake(
                "You divide by the number of replacements: that is where replacements happen, not how likely one is. "
                "Divide by the months that buses spent in the bin.",
                _share_of_replacements,
            ),
            Mistake(
                "You average the shares of single states. A state seen once then counts as much as one seen a hundred "
                "times. Divide the bin's replacements by the bin's months.",
                _mean_of_state_shares,
            ),
            Mistake("Keep and replace are swapped.", lambda x, d, n: 1 - hazard(x, d, n)),
            Mistake(
                "You count replacements. Divide them by the months in the bin.",
                lambda x, d, n: np.histogram(x[d == 1], np.linspace(0, 90, n + 1))[0],
            ),
        ),
        draw=_draw_decisions,
    ),
    Exercise(
        "8.6",
        "compute",
        lambda: _shares(_group_4("model").dx_counts),
        (
            Mistake(
                "Those are the shares under Rust's convention. Ask discretize for increments='model'.",
                lambda: _shares(_group_4().dx_counts),
            ),
            Mistake("Those are counts. Divide by their sum.", lambda: _group_4("model").dx_counts),
            Mistake("The first months are among them. They have no increment.", _shares_with_first_months),
        ),
    ),
)
