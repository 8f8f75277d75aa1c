"""Exercises of chapter 7: solving the fixed point."""

from functools import cache

import numpy as np

from compecon import zurcher
from compecon.exercises.exercise import Exercise, Mistake
from compecon.zurcher.dense import transition_matrix

_PARAMS = zurcher.Params(RC=10.075, theta1=[2.293], theta3=[0.3919, 0.5953, 0.0128])


# 7.2: sweeps for ten digits


def _sweeps(discount=0.9999, digits=10, log=np.log):
    return digits * log(10) / -np.log(discount)


# 7.3: successive approximations and their changes


def changes(ev, cost, RC, p, discount, n_sweeps):
    """The solution of exercise 7.3."""
    return _changes(ev, cost, RC, p, discount, n_sweeps, lambda new, old: np.abs(new - old).max())


def _changes(ev, cost, RC, p, discount, n_sweeps, measure):
    """What `measure` says of each sweep's result and what it began with."""
    found = np.zeros(n_sweeps)
    for k in range(n_sweeps):
        update = _bellman(ev, cost, RC, p, discount)
        found[k] = measure(update, ev)
        ev = update
    return found


def _bellman(ev, cost, RC, p, discount):
    logsum = np.logaddexp(-cost + discount * ev, -RC - cost[0] + discount * ev[0])
    moved = np.minimum(np.arange(ev.size)[:, None] + np.arange(p.size), ev.size - 1)
    return logsum[moved] @ p


def _always_from_the_start(ev, cost, RC, p, discount, n_sweeps):
    """Forgets to hand the result of a sweep to the next one."""
    return np.full(n_sweeps, changes(ev, cost, RC, p, discount, 1)[0])


def _draw_problem(rng):
    n_states = int(rng.integers(12, 20))
    cost = 0.3 + np.cumsum(rng.uniform(0, 0.4, n_states))
    # Some changes are negative and some positive, so that a missing absolute value shows.
    ev = rng.normal(0, 3, n_states)
    return ev, cost, rng.uniform(2, 6), rng.dirichlet(np.ones(3)), rng.uniform(0.8, 0.99), 8


# 7.4: a cache


@cache
def _new_engine(discount, RC):
    params = zurcher.Params(RC, _PARAMS.theta1, _PARAMS.theta3)
    return zurcher.ZurcherModel(90, discount).solve(params).ev[0]


def values(requests):
    """The solution of exercise 7.4."""
    return _remembered(requests, lambda discount, RC: (discount, RC))


def _remembered(requests, key):
    """EV(0) for each request; solved once for each key."""
    known = {}
    for discount, RC in requests:
        known.setdefault(key(discount, RC), _new_engine(float(discount), float(RC)))
    return np.array([known[key(discount, RC)] for discount, RC in requests])


def _draw_requests(rng):
    discounts, prices = rng.choice([0.9, 0.95, 0.99, 0.994, 0.999], 4, replace=False), rng.integers(5, 12, 2)
    pairs = np.array([(discount, RC) for discount in discounts for RC in (prices[0], prices[1] + 8.0)])
    return (rng.permutation(np.concatenate([pairs, pairs[:3]])),)


# 7.5: a log-sum


def logsum(values):
    """The solution of exercise 7.5."""
    larger = values.max(axis=1)
    return larger + np.log(np.exp(values - larger[:, None]).sum(axis=1))


def _globally_centred(values):
    return values.max() + np.log(np.exp(values - values.max()).sum(axis=1))


def _not_put_back(values):
    return np.log(np.exp(values - values.max(axis=1, keepdims=True)).sum(axis=1))


def _draw_values(rng):
    base = -np.linspace(1300, 2600, 25)
    values = base[:, None] + rng.normal(0, 3, (25, 2))
    # Two rows far apart, so that centring on the smaller value overflows.
    values[[3, 11], [0, 1]] += 800.0
    return (values,)


# 7.6: V for EV


def _hazards(state=60):
    """The right probability to replace in the state, and that of a program which puts the log-sum for EV."""
    model = zurcher.ZurcherModel(90, 0.9999)
    solution, cost = model.solve(_PARAMS), model.costs(_PARAMS.theta1)
    v_replace = -_PARAMS.RC - cost[0] + model.discount * solution.ev[0]
    slip = np.logaddexp(-cost + model.discount * solution.ev, v_replace)
    gap = _PARAMS.RC - (cost - cost[0]) + model.discount * (slip - slip[0])
    return solution.choice_prob[state, 1], 1 / (1 + np.exp(gap[state]))


def _ratio(state=60):
    right, slip = _hazards(state)
    return slip / right


def _difference():
    right, slip = _hazards()
    return slip - right


def _of_keeping():
    right, slip = _hazards()
    return (1 - slip) / (1 - right)


# 7.7: the value of a policy


def policy_value(keep, cost, RC, Pi, discount, shocks=1.0, renewed=True):
    """The solution of exercise 7.7; for its mistakes, `shocks` multiplies the mean of the chosen shock, and without
    `renewed` a bus goes on as it was."""
    replace = 1 - keep
    entropy = -keep * np.log(keep) - replace * np.log(replace)
    month = keep * -cost + replace * (-RC - cost[0]) + shocks * entropy
    first = np.eye(keep.size)[0] if renewed else np.zeros(keep.size)
    future = discount * Pi @ (np.diag(keep) + np.outer(replace, first) + (not renewed) * np.diag(replace))
    return np.linalg.solve(np.eye(keep.size) - future, Pi @ month)


def _draw_policy(rng):
    n_states = int(rng.integers(10, 16))
    cost = 0.3 + np.cumsum(rng.uniform(0, 0.4, n_states))
    keep = np.sort(rng.uniform(0.2, 0.98, n_states))[::-1]
    return keep, cost, rng.uniform(2, 6), transition_matrix(rng.dirichlet(np.ones(3)), n_states), rng.uniform(0.8, 0.99)


EXERCISES = (
    Exercise(
        "7.1",
        "predict",
        lambda: "the same",
        options={
            "tenfold": "That is the cost of a sweep: it visits ten times the states. How fast does the error shrink "
            "from one sweep to the next, and does the number of states appear in it?",
            "double": "The bound on the error after k sweeps holds discount^k and the first change. Which of the two "
            "knows how many states there are?",
            "the same": "Right. A sweep leaves at most the share discount of the largest error, however many states "
            "there are. Only the cost of a sweep grows with them.",
        },
    ),
    Exercise(
        "7.2",
        "compute",
        _sweeps,
        (
            Mistake("You mix logarithms: take the same one above and below.", lambda: _sweeps(log=np.log10)),
            Mistake(
                "That is 1 / (1 - discount): after so many sweeps the error is down to 1/e, not to 1e-10.",
                lambda: 1 / (1 - 0.9999),
            ),
            Mistake("That is for discount 0.999. The question has one nine more.", lambda: _sweeps(0.999)),
            Mistake("Both logarithms are negative: the number of sweeps is positive.", lambda: -_sweeps()),
        ),
    ),
    Exercise(
        "7.3",
        "implement",
        changes,
        (
            Mistake("Every sweep begins at the same ev. Hand the result on: ev = update.", _always_from_the_start),
            Mistake(
                "Take absolute values: a change of -3 is larger than one of +1.",
                lambda *a: _changes(*a, lambda new, old: (new - old).max()),
            ),
            Mistake(
                "That is the mean change. The theorem is in the sup norm: take the largest.",
                lambda *a: _changes(*a, lambda new, old: np.abs(new - old).mean()),
            ),
            Mistake(
                "You measure the value itself, not how much it has changed.",
                lambda *a: _changes(*a, lambda new, old: np.abs(new).max()),
            ),
            Mistake(
                "You use the Euclidean norm, in which this map need not contract. Take the largest absolute change.",
                lambda *a: _changes(*a, lambda new, old: np.sqrt(np.sum((new - old) ** 2))),
            ),
        ),
        draw=_draw_problem,
    ),
    Exercise(
        "7.4",
        "implement",
        values,
        (
            Mistake(
                "The cache looks at RC only: it returns another model's value when the discount factor has changed.",
                lambda requests: _remembered(requests, lambda discount, RC: RC),
            ),
            Mistake(
                "The cache looks at the discount factor only: it returns the value of another RC.",
                lambda requests: _remembered(requests, lambda discount, RC: discount),
            ),
            Mistake(
                "The key is rounded to two digits: 0.99 and 0.994 are one to it, and their values are far apart.",
                lambda requests: _remembered(requests, lambda discount, RC: (round(discount, 2), RC)),
            ),
            Mistake(
                "Every request gets the value of the first one. Look for the request among the keys.",
                lambda requests: _remembered(requests, lambda discount, RC: None),
            ),
        ),
        draw=_draw_requests,
    ),
    Exercise(
        "7.5",
        "implement",
        logsum,
        (
            Mistake(
                "One maximum for all states: far below it exp gives 0 and the log -inf. Centre each row on its own.",
                _globally_centred,
            ),
            Mistake(
                "Without centring exp(-1300) is 0 in a double, and its log is -inf.",
                lambda values: np.log(np.exp(values).sum(axis=1)),
            ),
            Mistake("You subtract the maximum and do not add it back.", _not_put_back),
            Mistake(
                "You centre on the smaller value: exp(800) is too large for a double. Centre on the larger one.",
                lambda values: values.min(axis=1) + np.log(np.exp(values - values.min(axis=1)[:, None]).sum(axis=1)),
            ),
            Mistake(
                "That is the maximum. It misses what choosing after the shocks is worth, up to log 2.",
                lambda values: values.max(axis=1),
            ),
        ),
        draw=_draw_values,
    ),
    Exercise(
        "7.6",
        "compute",
        _ratio,
        (
            Mistake("Turn it over: the wrong hazard over the right one.", lambda: 1 / _ratio()),
            Mistake("That is the difference of the two. The question is about their ratio.", _difference),
            Mistake("That is the ratio for keeping. Take the probability to replace.", _of_keeping),
            Mistake("That is state 59. States count from 0: take the entry with index 60.", lambda: _ratio(59)),
            Mistake("That is the right hazard itself. Divide the wrong one by it.", lambda: _hazards()[0]),
        ),
    ),
    Exercise(
        "7.7",
        "implement",
        policy_value,
        (
            Mistake(
                "You leave out the shocks. Whoever chooses receives the shock of the choice; its mean is "
                "-sum_d P_d log P_d.",
                lambda *a: policy_value(*a, shocks=0.0),
            ),
            Mistake(
                "The shocks have the wrong sign: the chosen one is positive on average, and log P is negative.",
                lambda *a: policy_value(*a, shocks=-1.0),
            ),
            Mistake(
                "After a replacement the bus goes on from state 0: that part of the future belongs into the first "
                "column.",
                lambda *a: policy_value(*a, renewed=False),
            ),
            Mistake("Keep and replace are swapped.", lambda keep, *a: policy_value(1 - keep, *a)),
        ),
        draw=_draw_policy,
    ),
)
