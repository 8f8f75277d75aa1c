"""Exercises of chapter 10: using the estimates."""

from functools import cache

import numpy as np

from compecon import datasets, zurcher
from compecon.exercises.exercise import Exercise, Mistake


@cache
def _fit(discount=0.9999):
    """Group 4 in 180 states of 5,000 miles."""
    data = zurcher.discretize(datasets.load_bus_panel(), [4], n_states=180, max_mileage=900_000)
    return zurcher.nfxp(zurcher.ZurcherModel(180, discount), data)


# 10.2: the elasticity of demand


def _elasticity(discount=0.0, relative=True):
    """d log demand / d log price at today's price; `relative=False`: at a price of one unit."""
    up, down = zurcher.demand_curve(_fit(discount), [1.01, 0.99], relative=relative).demand
    return np.log(up / down) / np.log(1.01 / 0.99)


def _slope():
    """Engines a year and bus for each unit of RC."""
    fit = _fit(0.0)
    up, down = zurcher.demand_curve(fit, [1.01, 0.99], relative=True).demand
    return (up - down) / (0.02 * fit.as_params().RC)


# 10.3: the life of an engine


def months_in_state(keep, Pi):
    """The solution of exercise 10.3."""
    return np.linalg.solve(np.eye(keep.size) - (keep[:, None] * Pi).T, Pi[0])


def _draw_chain(rng):
    keep = rng.uniform(0.3, 0.95, 5)
    return keep, rng.dirichlet(np.ones(5), 5)


def _from_state_zero(keep, Pi):
    """The engine is counted in state 0 before its first month."""
    return np.linalg.solve(np.eye(keep.size) - (keep[:, None] * Pi).T, np.eye(keep.size)[0])


# 10.4: a standard error by the delta method


def standard_error(J, V):
    """The solution of exercise 10.4."""
    return np.sqrt(J @ V @ J)


def _draw_estimates(rng):
    J, root = rng.normal(size=3), rng.normal(size=(3, 3))
    return J, root @ root.T + 0.1 * np.eye(3)


# 10.5: upkeep that explains a hazard


def upkeep(keep, Pi, discount):
    """The solution of exercise 10.5."""
    L, W = np.log(keep / (1 - keep)), -Pi @ np.log(1 - keep)
    return L[0] - L + discount * (W - W[0])


def _draw_hazard(rng):
    keep = np.sort(rng.uniform(0.5, 0.99, 6))[::-1].copy()
    return keep, rng.dirichlet(np.ones(6), 6), float(rng.uniform(0.3, 0.95))


def _upkeep_of(keep, values, discount):
    """c(x) from the log odds and other expected `values` than the right ones."""
    L = np.log(keep / (1 - keep))
    return L[0] - L + discount * (values - values[0])


# 10.6: costs in dollars


def _dollars(state=40, scale=1e-3):
    params = _fit().as_params()
    return 7513 / params.RC * scale * params.theta1[0] * state


EXERCISES = (
    Exercise(
        "10.1",
        "predict",
        lambda: "lower",
        options={
            "higher": "At the old price the fleet is young by the standards of the new one. Which of its engines would "
            "now be replaced?",
            "lower": "Right. Engines that would have been replaced at the old price are now kept for years. In the "
            "first year almost none is bought; then the fleet grows old, and demand rises to the new long run.",
            "same": "It would be, if the mileage of the fleet were at once that of the new long run. It takes years to "
            "get there.",
        },
    ),
    Exercise(
        "10.2",
        "compute",
        _elasticity,
        (
            Mistake("That is the elasticity of the text, at discount factor 0.9999. Use profile.fits[0].",
                    lambda: _elasticity(0.9999)),
            Mistake("That is the slope of demand in RC. An elasticity is the slope of its log in the log of the price.",
                    _slope),
            Mistake("You have the elasticity at a price of one unit. Today's price is the estimated RC: relative=True.",
                    lambda: _elasticity(relative=False)),
            Mistake("That is its inverse: by how many per cent the price moves for one per cent of demand.",
                    lambda: 1 / _elasticity()),
            Mistake("The sign is wrong: demand falls as the price rises.", lambda: -_elasticity()),
        ),
    ),
    Exercise(
        "10.3",
        "implement",
        months_in_state,
        (
            Mistake("Transpose: u is a row vector times the matrix. You solve for a function of the state instead.",
                    lambda keep, Pi: np.linalg.solve(np.eye(keep.size) - keep[:, None] * Pi, Pi[0])),
            Mistake("The probability to keep belongs to the state that is left, a row of Pi; you multiply columns.",
                    lambda keep, Pi: np.linalg.solve(np.eye(keep.size) - (Pi * keep).T, Pi[0])),
            Mistake("You start in state 0. The first month's driving comes first: a new engine's first state has the "
                    "probabilities Pi[0].", _from_state_zero),
            Mistake("You have the fleet's shares, which sum to one. The months sum to the life of an engine.",
                    lambda keep, Pi: months_in_state(keep, Pi) / months_in_state(keep, Pi).sum()),
            Mistake("Keep and replace are swapped: an engine lives on where it is kept.",
                    lambda keep, Pi: months_in_state(1 - keep, Pi)),
        ),
        draw=_draw_chain,
    ),
    Exercise(
        "10.4",
        "implement",
        standard_error,
        (
            Mistake("The covariances are missing, as in the student's code. Errors that move together may cancel: "
                    "J V J'.", lambda J, V: np.sqrt(J**2 @ np.diag(V))),
            Mistake("That is the variance. Take its square root.", lambda J, V: J @ V @ J),
            Mistake("You add up the standard errors, as if they always had one direction.",
                    lambda J, V: np.abs(J) @ np.sqrt(np.diag(V))),
            Mistake("You invert V. The delta method multiplies by the covariance itself.",
                    lambda J, V: np.sqrt(J @ np.linalg.inv(V) @ J)),
        ),
        draw=_draw_estimates,
    ),
    Exercise(
        "10.5",
        "implement",
        upkeep,
        (
            Mistake("That holds at discount 0. The future is missing: discount (W(x) - W(0)).",
                    lambda keep, Pi, discount: upkeep(keep, Pi, 0.0)),
            Mistake("Take the log of the probability to replace in W: its value is the same in every state.",
                    lambda keep, Pi, discount: _upkeep_of(keep, -Pi @ np.log(keep), discount)),
            Mistake("The expectation is missing: W averages the logs over next month's states by Pi.",
                    lambda keep, Pi, discount: _upkeep_of(keep, -np.log(1 - keep), discount)),
            Mistake("W lacks its minus: the log-sum is the value of replacing MINUS the log of its probability.",
                    lambda keep, Pi, discount: upkeep(keep, Pi, -discount)),
            Mistake("The sign of all is wrong: costs rise where keeping becomes less likely.",
                    lambda keep, Pi, discount: -upkeep(keep, Pi, discount)),
            Mistake("Subtract the value in state 0, so that c(0) = 0.",
                    lambda keep, Pi, discount: -np.log(keep / (1 - keep)) - discount * Pi @ np.log(1 - keep)),
        ),
        draw=_draw_hazard,
    ),
    Exercise(
        "10.6",
        "compute",
        _dollars,
        (
            Mistake("theta11 counts thousandths: c(x) = 0.001 theta11 x.", lambda: _dollars(scale=1.0)),
            Mistake("States are counted from 0: state 40 adds 40 steps of upkeep, not 41.", lambda: _dollars(41)),
            Mistake("That is upkeep in units of the shock. One unit is worth 7,513 / RC dollars.",
                    lambda: _dollars() * _fit().as_params().RC / 7513),
            Mistake("That is what one state adds. State 40 adds it 40 times.", lambda: _dollars(1)),
            Mistake("You multiply by the miles. theta11 is the upkeep of a state, 5,000 miles.",
                    lambda: _dollars(200_000)),
        ),
    ),
)  # fmt: skip
