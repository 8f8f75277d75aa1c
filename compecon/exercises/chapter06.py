"""Exercises of chapter 6: Harold Zurcher's problem."""

import numpy as np

from compecon import zurcher
from compecon.exercises.exercise import Exercise, Mistake

_PARAMS = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])


def _patient():
    """The chapter's model and parameters, solved."""
    return zurcher.ZurcherModel(n_states=90, discount=0.9999).solve(_PARAMS)


# 6.2: the myopic owner's choice in state 80, at RC = 8 and theta11 = 70


def _myopic(theta11=70.0, state=80):
    """The probability to replace at discount factor 0."""
    return 1 / (1 + np.exp(8 - 1e-3 * theta11 * state))


# 6.3: mean-zero extreme value shocks from uniform draws


def shocks(u):
    """The solution of exercise 6.3."""
    return -np.log(-np.log(u)) - np.euler_gamma


def _draw_uniforms(rng):
    return (rng.uniform(0.001, 0.999, (30, 2)),)


# 6.4: the Bellman operator


def bellman(ev, cost, RC, p, discount):
    """The solution of exercise 6.4."""
    v_keep = -cost + discount * ev
    v_replace = -RC - cost[0] + discount * ev[0]
    return _expected(np.logaddexp(v_keep, v_replace), p)


def _expected(logsum, p):
    """The mean over next month's states, in which the last state holds what would pass it."""
    states = np.minimum(np.arange(logsum.size)[:, None] + np.arange(p.size), logsum.size - 1)
    return logsum[states] @ p


def _rolled(logsum, p):
    """The planted bug: np.roll sends a bus from the last state to a new engine."""
    return sum(share * np.roll(logsum, -j) for j, share in enumerate(p))


def _never_renewed(ev, cost, RC, p, discount, expected=_expected):
    """The planted bug: a replaced engine keeps the old one's future."""
    return expected(np.logaddexp(-cost + discount * ev, -RC - cost[0] + discount * ev), p)


def _wrapped(ev, cost, RC, p, discount):
    return _rolled(np.logaddexp(-cost + discount * ev, -RC - cost[0] + discount * ev[0]), p)


def _best_value(ev, cost, RC, p, discount):
    return _expected(np.maximum(-cost + discount * ev, -RC - cost[0] + discount * ev[0]), p)


def _draw_problem(rng):
    n_states = int(rng.integers(12, 20))
    # c(0) is not zero, so that leaving it out shows.
    cost = 0.3 + np.cumsum(rng.uniform(0, 0.4, n_states))
    ev = -np.cumsum(rng.uniform(0, 1, n_states)) - rng.uniform(5, 50)
    return ev, cost, rng.uniform(2, 6), rng.dirichlet(np.ones(3)), rng.uniform(0.8, 0.99)


# 6.6: months left to an engine in state 40


def _months_left(states=(40,), extra=0.0):
    """Expected months until the replacement from these states, solved backwards from the last."""
    keep, p = _patient().choice_prob[:, 0], _PARAMS.theta3
    n_states = keep.size
    left = np.zeros(n_states)
    for x in range(n_states - 1, -1, -1):
        moves = np.minimum(x + np.arange(p.size), n_states - 1)
        stays = p[moves == x].sum()
        left[x] = keep[x] * (1 + p[moves > x] @ left[moves[moves > x]]) / (1 - keep[x] * stays)
    return left[list(states)].mean() + extra


def _new_engine():
    return 1 + _PARAMS.theta3 @ [_months_left([j]) for j in range(3)]


EXERCISES = (
    Exercise(
        "6.1",
        "predict",
        lambda: "longer",
        options={
            "longer": "Right. A replacement is paid now and saves upkeep for many months. Less is to be saved, in "
            "every state, so the owner waits for a shock that is large enough.",
            "shorter": "The old engine has become cheaper to keep, now or later, and the new one costs what it "
            "did. Which of the two is wanted more than before?",
            "the same": "Upkeep beyond state 45 is lower now. Even in state 30 it counts, for a patient owner looks "
            "at the months to come.",
        },
    ),
    Exercise(
        "6.2",
        "compute",
        _myopic,
        (
            Mistake("That is the probability to keep. The question is about replacing.", lambda: 1 - _myopic()),
            Mistake(
                "Those are the odds exp(-gap). The probability is odds / (1 + odds).", lambda: np.exp(-(8 - 5.6))
            ),
            Mistake(
                "You count states from 1. State 80 has upkeep 10^-3 theta11 times 80.", lambda: _myopic(state=81)
            ),
            Mistake("theta11 counts in thousandths: c(x) = 10^-3 theta11 x.", lambda: _myopic(theta11=70_000.0)),
        ),
    ),
    Exercise(
        "6.3",
        "implement",
        shocks,
        (
            Mistake(
                "Their mean is Euler's constant, not zero. Move them down by np.euler_gamma.",
                lambda u: -np.log(-np.log(u)),
            ),
            Mistake(
                "You move them the wrong way: at location 0 the mean is +0.577, so subtract it.",
                lambda u: -np.log(-np.log(u)) + np.euler_gamma,
            ),
            Mistake(
                "That is the distribution for minima: its long tail lies to the left. Solve "
                "u = exp(-exp(-(e + gamma))) for e.",
                lambda u: np.log(-np.log(u)) + np.euler_gamma,
            ),
            Mistake(
                "That solves F(e) = 1 - u. It is a right draw, too, but the exercise asks for F(e) = u.",
                lambda u: shocks(1 - u),
            ),
            Mistake(
                "log(u / (1 - u)) is logistic: that is the difference of two extreme value shocks, not one of them.",
                lambda u: np.log(u / (1 - u)),
            ),
        ),
        draw=_draw_uniforms,
    ),
    Exercise(
        "6.4",
        "implement",
        bellman,
        (
            Mistake(
                "Both bugs are still there. Where does a bus stand after a replacement? And where does np.roll send a "
                "bus in the last state?",
                lambda *a: _never_renewed(*a, expected=_rolled),
            ),
            Mistake("After a replacement the bus is in state 0: its future is ev[0], not ev[x].", _never_renewed),
            Mistake(
                "np.roll wraps round: a bus in the last state wakes up with a new engine. It must stay in the "
                "last state.",
                _wrapped,
            ),
            Mistake(
                "RC is a cost: it enters the value of replacing with a minus.",
                lambda ev, cost, RC, p, discount: bellman(ev, cost, -RC, p, discount),
            ),
            Mistake(
                "That is the larger of the two values. Before the shocks are known the mean of the maximum is the "
                "log-sum, which is larger.",
                _best_value,
            ),
            Mistake(
                "You return the log-sum of the state in which the month ends. EV is its mean over next month's states.",
                lambda ev, cost, RC, p, discount: np.logaddexp(
                    -cost + discount * ev, -RC - cost[0] + discount * ev[0]
                ),
            ),
            Mistake(
                "The month's upkeep of a new engine, c(0), is missing in the value of replacing.",
                lambda ev, cost, RC, p, discount: bellman(ev, cost, RC - cost[0], p, discount),
            ),
            Mistake(
                "You pay c(x) with a new engine. Upkeep after a replacement is c(0).",
                lambda ev, cost, RC, p, discount: _expected(
                    np.logaddexp(-cost + discount * ev, -RC - cost + discount * ev[0]), p
                ),
            ),
        ),
        draw=_draw_problem,
    ),
    Exercise(
        "6.5",
        "predict",
        lambda: "steeper",
        options={
            "steeper": "Right. Costs count for more beside the shocks, so mileage decides more of the replacements: "
            "fewer engines go early, more of the oldest ones go.",
            "flatter": "Larger costs beside the same shocks: does mileage now matter more for the decision, or less?",
            "the same": "Only the ratio of the two costs is unchanged. The shocks are not doubled with them, and they "
            "are what makes replacements spread over mileages.",
        },
    ),
    Exercise(
        "6.6",
        "compute",
        _months_left,
        (
            Mistake(
                "That is one over the hazard in state 40. It would hold if the hazard stayed what it is; it rises.",
                lambda: 1 / _patient().choice_prob[40, 1],
            ),
            Mistake("That is the whole life of a new engine. Begin in state 40.", _new_engine),
            Mistake(
                "You count the month of the replacement too. An engine that goes this month has 0 months left.",
                lambda: _months_left(extra=1.0),
            ),
            Mistake(
                "That is state 39. States count from 0: take the entry with index 40.", lambda: _months_left([39])
            ),
        ),
    ),
    Exercise(
        "6.7",
        "compute",
        lambda: np.euler_gamma / (1 - 0.99),
        (
            Mistake("That is what one month adds. Every later month adds it too, discounted.", lambda: np.euler_gamma),
            Mistake(
                "You discount the first term. EV is a mean over next month's shocks, as seen from the start of "
                "that month.",
                lambda: 0.99 * np.euler_gamma / (1 - 0.99),
            ),
            Mistake(
                "You add the means of both shocks. Only the shock of the chosen decision is received: the maximum "
                "rises by one of them.",
                lambda: 2 * np.euler_gamma / (1 - 0.99),
            ),
            Mistake("A higher mean of the shocks raises the value: the sign is plus.", lambda: -np.euler_gamma / 0.01),
        ),
    ),
)
