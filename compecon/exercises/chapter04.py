"""Exercises of chapter 4: climbing."""

import numpy as np

from compecon.exercises.exercise import Exercise, Mistake

# 4.2: the steps that divide an error by ten

KURTOSIS = 6.0


def _steps(factor):
    return np.log(10) / -np.log(factor)


# 4.3: the first length that climbs


def accepted(lengths, gains, slope, c):
    """The solution of exercise 4.3."""
    return lengths[np.argmax(gains >= c * lengths * slope)]


def _draw_search(rng):
    """A whole step outside the domain, one that falls, one that gains too little, one that is taken, a better one."""
    slope, c = rng.uniform(1, 9), rng.uniform(0.05, 0.2)
    lengths = 0.5 ** np.arange(7)
    share = np.array([np.nan, -0.8, 0.0, 0.0, 0.0, 0.0, 0.0])
    first = rng.integers(3, 5)
    share[2:first] = c * rng.uniform(0.2, 0.8, first - 2)
    share[first:] = c + (1 - c) * np.linspace(0.1, 0.9, 7 - first)
    gains = share * lengths * slope
    gains[first + 1] = gains[first] * 1.3
    return lengths, gains, slope, c


def _any_rise(lengths, gains, slope, c):
    return lengths[np.argmax(gains > 0)]


def _largest_gain(lengths, gains, slope, c):
    return lengths[np.nanargmax(gains)]


def _length_forgotten(lengths, gains, slope, c):
    climbs = gains >= c * slope
    return lengths[np.argmax(climbs)] if climbs.any() else np.nan


def _shortest(lengths, gains, slope, c):
    return lengths[gains >= c * lengths * slope][-1]


# 4.4: the BFGS update


def bfgs_update(A, move, change):
    """The solution of exercise 4.4."""
    if change @ move <= 0:
        return A
    image = A @ move
    return A - np.outer(image, image) / (move @ image) + np.outer(change, change) / (change @ move)


def _draw_update(rng):
    """A move and a change of the gradient, now with positive and now with negative curvature."""
    root = rng.normal(0, 1, (3, 3))
    A, move = root @ root.T + np.eye(3), rng.normal(0, 1, 3)
    change = rng.normal(0, 1, 3)
    sign = 1.0 if rng.uniform() < 0.6 else -1.0
    return A, move, sign * np.sign(change @ move) * change


def _unguarded(A, move, change):
    image = A @ move
    return A - np.outer(image, image) / (move @ image) + np.outer(change, change) / (change @ move)


def _of_the_inverse(A, move, change):
    return bfgs_update(A, change, move)


def _no_removal(A, move, change):
    return A + np.outer(change, change) / (change @ move) if change @ move > 0 else A


def _sign_of_the_change(A, move, change):
    return bfgs_update(A, move, -change)


# 4.5: a distance without units


def distance(scores):
    """The solution of exercise 4.5."""
    gradient = scores.sum(axis=0)
    return np.sqrt(gradient @ np.linalg.solve(scores.T @ scores, gradient))


def _draw_scores(rng):
    return (rng.normal(0.2, 1, (30, 3)) * [1.0, 40.0, 0.05],)


def _step_length(scores):
    step = np.linalg.solve(scores.T @ scores, scores.sum(axis=0))
    return np.abs(step).max()


def _one_at_a_time(scores):
    return np.sqrt((scores.sum(axis=0) ** 2 / (scores**2).sum(axis=0)).sum())


EXERCISES = (
    Exercise(
        "4.1",
        "predict",
        lambda: "in turn",
        options={
            "in turn": "Right. The factor 1 - 2/(kurtosis - 1) is -0.43 at a kurtosis of 2.4: each step overshoots and "
            "lands on the other side, with less than half the error.",
            "one side": "The error keeps its sign only where 1 - 2/(kurtosis - 1) is positive, above a kurtosis of 3.",
            "not at all": "The path moves away only where the factor's size exceeds one. At a kurtosis of 2.4 it is "
            "-0.43.",
        },
    ),
    Exercise(
        "4.2",
        "compute",
        lambda: _steps(1 - 2 / (KURTOSIS - 1)),
        (
            Mistake(
                "You took 2/(kurtosis - 1), which is the eigenvalue. What a step leaves is one minus it.",
                lambda: _steps(2 / (KURTOSIS - 1)),
            ),
            Mistake(
                "Those are the steps that divide an error by e. To divide by ten, multiply by log 10.",
                lambda: -1 / np.log(1 - 2 / (KURTOSIS - 1)),
            ),
            Mistake(
                "You took 6 for the excess over the normal's 3. Here kurtosis is the fourth moment: 3 for a normal.",
                lambda: _steps(1 - 2 / (KURTOSIS + 2)),
            ),
            Mistake(
                "The sign: the logarithm of a factor below one is negative, and so the steps are positive.",
                lambda: -_steps(1 - 2 / (KURTOSIS - 1)),
            ),
        ),
    ),
    Exercise(
        "4.3",
        "implement",
        accepted,
        (
            Mistake("Any rise will do for you. Armijo asks for a share c of what the slope promises.", _any_rise),
            Mistake("You take the largest gain. The rule takes the first length that gains enough.", _largest_gain),
            Mistake("The length is missing: a step of length t promises t times the slope.", _length_forgotten),
            Mistake(
                "You take the whole step. If c is missing, no length gains what the slope promises, and argmax is 0.",
                lambda lengths, gains, slope, c: lengths[0],
            ),
            Mistake(
                "That is the place of the length in the list, counted from 0. Return the length.",
                lambda lengths, gains, slope, c: float(np.argmax(gains >= c * lengths * slope)),
            ),
            Mistake("You take the last length that gains enough. The first one is the longest.", _shortest),
        ),
        draw=_draw_search,
    ),
    Exercise(
        "4.4",
        "implement",
        bfgs_update,
        (
            Mistake(
                "You update on any path. Where change @ move <= 0 the result is not positive definite: return A as it "
                "is.",
                _unguarded,
            ),
            Mistake(
                "Where change @ move <= 0 you forget what was learned. Return A as it is.",
                lambda A, m, d: bfgs_update(A, m, d) if d @ m > 0 else np.eye(m.size),
            ),
            Mistake(
                "That is the update of the inverse: move and change have swapped places. Here A stands for minus the "
                "Hessian.",
                _of_the_inverse,
            ),
            Mistake("What A said of the direction has to go: subtract (A m)(A m)' / (m' A m).", _no_removal),
            Mistake(
                "The sign of the change. It is the gradient before minus the gradient after.", _sign_of_the_change
            ),
        ),
        draw=_draw_update,
    ),
    Exercise(
        "4.5",
        "implement",
        distance,
        (
            Mistake(
                "That is the largest entry of the gradient. It changes with the units of the parameters.",
                lambda s: np.abs(s.sum(axis=0)).max(),
            ),
            Mistake("That is the length of a step, which has units too. Multiply by the gradient.", _step_length),
            Mistake("That is the square of the distance, twice the gain that the step predicts.",
                    lambda s: distance(s) ** 2),
            Mistake(
                "Your gradient is a mean and your outer product a sum: the distance shrinks as the sample grows.",
                lambda s: distance(s) / len(s),
            ),
            Mistake(
                "Your gradient and your outer product are means: the distance lacks the root of N.",
                lambda s: distance(s) / np.sqrt(len(s)),
            ),
            Mistake(
                "That is the length of the gradient. It changes with the units of the parameters.",
                lambda s: np.linalg.norm(s.sum(axis=0)),
            ),
            Mistake(
                "You centre the scores. B sums the squares of the scores as they are.",
                lambda s: np.sqrt(s.sum(0) @ np.linalg.solve(np.cov(s.T, bias=True) * len(s), s.sum(0))),
            ),
            Mistake(
                "You use the diagonal of B only. That leaves the units out, but takes the parameters one at a time.",
                _one_at_a_time,
            ),
        ),
        draw=_draw_scores,
    ),
    Exercise(
        "4.6",
        "compute",
        lambda: np.sqrt(3),
        (
            Mistake("That is the square. The question is how many times the estimate sigma is.", lambda: 3.0),
            Mistake(
                "Upside down: the log-likelihood bends upwards where sigma is too LARGE.", lambda: 1 / np.sqrt(3)
            ),
            Mistake("That is where the slope is zero: the maximum itself.", lambda: 1.0),
        ),
    ),
)
