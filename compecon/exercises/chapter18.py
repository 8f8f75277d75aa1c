"""Exercises of chapter 18: optimal instruments."""

from functools import cache

import numpy as np

from compecon import blp
from compecon.blp.examples import cereal_results
from compecon.exercises.exercise import Exercise, Mistake

_FREE = (np.full((4, 4), -np.inf), np.full((4, 4), np.inf))


@cache
def _first():
    return cereal_results()


@cache
def _problem():
    return _first().compute_optimal_instruments().to_problem()


def _solved(problem, point):
    return problem.solve(point.sigma, point.pi, optimization=blp.Optimization("gauss-newton"), method="1s")


@cache
def _rounds():
    """The estimates of beta, from the first step on, until they settle; and the last results."""
    results = [_first()]
    while len(results) < 3 or abs(results[-1].beta - results[-2].beta)[0, 0] > 1e-3:
        results.append(_solved(results[-1].compute_optimal_instruments().to_problem(), results[-1]))
    return results


@cache
def _at(problem, point):
    stay = blp.Optimization("return")
    return problem.solve(point.sigma, point.pi, optimization=stay, method="1s", sigma_bounds=_FREE)


def _at_first(problem):
    return _at(problem, _first())


def _error(results, n=None):
    """The standard error of beta prices."""
    return np.sqrt(results.parameter_covariances[-1, -1] / (results.problem.N if n is None else n))


# 18.3: the optimal estimator


def optimal_iv(y, X, expected_X, omega):
    """The solution of exercise 18.3."""
    H = expected_X / omega[:, None]
    return np.linalg.solve(H.T @ X, H.T @ y)


def _draw_linear(rng):
    n = 60
    Z, v = rng.normal(size=(2, n, 2))
    omega, expected_X = np.exp(Z[:, 0]), np.column_stack([Z[:, 0] + 0.5 * Z[:, 1] ** 2, 1 + Z[:, 1]])
    X = expected_X + v
    return X @ [-1.0, 0.5] + np.sqrt(omega) * (v[:, 0] + rng.normal(size=n)), X, expected_X, omega


# 18.4: the standard error of one instrument


def standard_error(y, p, h):
    """The solution of exercise 18.4."""
    estimate, fitted = (h @ y) / (h @ p), h * (h @ p) / (h @ h)
    return np.sqrt(np.mean((y - estimate * p) ** 2) / (fitted @ fitted))


def _of_the_second_stage(y, p, h):
    estimate, fitted = (h @ y) / (h @ p), h * (h @ p) / (h @ h)
    return np.sqrt(np.mean((y - estimate * fitted) ** 2) / (fitted @ fitted))


def _of_the_instrument(y, p, h):
    return np.sqrt(np.mean((y - (h @ y) / (h @ p) * p) ** 2) / (h @ h))


def _as_if_exogenous(y, p, h):
    estimate = (h @ y) / (h @ p)
    return np.sqrt(np.mean((y - estimate * p) ** 2) / (p @ p))


def _draw_prices(rng):
    h, v, e = rng.normal(size=(3, 80))
    p = 0.6 * h + v
    return -p + 0.7 * v + 0.7 * e, p, h


EXERCISES = (
    Exercise(
        "18.1",
        "predict",
        lambda: "falls",
        options={
            "falls": "Right, and it is bad news: the estimates gather at least squares, not at alpha. The spread tells "
            "how estimates agree with each other, not with the truth.",
            "rises": "Each extra instrument adds to the fitted price's variance, by fitting the price's own error. More"
            " variance of the fitted price means less spread, around the wrong place.",
            "stays": "Noise instruments are not ignored: the first stage fits v with them, and the fitted price gets "
            "more variance and a correlation with xi.",
        },
    ),
    Exercise(
        "18.2",
        "compute",
        lambda: 1 / np.sqrt(500 * 0.1 / 0.9),
        (
            Mistake("You use R^2 for pi^2. From R^2 = pi^2 / (1 + pi^2), pi^2 = R^2 / (1 - R^2).",
                    lambda: 1 / np.sqrt(500 * 0.1)),
            Mistake("That is the variance. Take its root.", lambda: 1 / (500 * 0.1 / 0.9)),
            Mistake("That is the standard error of one observation. Divide the variance by N = 500.",
                    lambda: 1 / np.sqrt(0.1 / 0.9)),
            Mistake("That is what the instrument z attains. h(z) has the third that is not linear, too.",
                    lambda: 1 / np.sqrt(500 * 0.1 / 0.9 * 2 / 3)),
        ),
    ),
    Exercise(
        "18.3",
        "implement",
        optimal_iv,
        (
            Mistake("You multiply by omega. Noisy observations get less weight: divide.",
                    lambda y, X, D, omega: optimal_iv(y, X, D, 1 / omega)),
            Mistake("You leave omega out. The instrument is consistent, but not optimal.",
                    lambda y, X, D, omega: optimal_iv(y, X, D, np.ones_like(omega))),
            Mistake("You divide by the standard deviation of xi. The weight is the inverse of its variance.",
                    lambda y, X, D, omega: optimal_iv(y, X, D, np.sqrt(omega))),
            Mistake("That is weighted least squares: X itself is endogenous, its expectation is the instrument.",
                    lambda y, X, D, omega: optimal_iv(y, X, X, omega)),
            Mistake("You regress y on E[X | Z]. The instruments multiply y - X theta: solve H'X theta = H'y.",
                    lambda y, X, D, omega: optimal_iv(y, D, D, omega)),
            Mistake("That is least squares: X is correlated with xi, and its expectation is the instrument.",
                    lambda y, X, D, omega: optimal_iv(y, X, X, np.ones_like(omega))),
            Mistake("You regress y on E[X | Z], without omega. Solve H'X theta = H'y, H = E[X | Z] / omega.",
                    lambda y, X, D, omega: optimal_iv(y, D, D, np.ones_like(omega))),
        ),
        draw=_draw_linear,
    ),
    Exercise(
        "18.4",
        "implement",
        standard_error,
        (
            Mistake("Your residual has the fitted price in it. xi = y - alpha p, with the price that people paid.",
                    _of_the_second_stage),
            Mistake("That is the formula of least squares: only the fitted part of the price counts.",
                    _as_if_exogenous),
            Mistake("You divide by h'h. What counts is the variation of the fitted price, fitted @ fitted.",
                    _of_the_instrument),
            Mistake("That is the variance. Take its root.", lambda y, p, h: standard_error(y, p, h) ** 2),
            Mistake("That is the standard error of one observation, too large by the root of N.",
                    lambda y, p, h: standard_error(y, p, h) * np.sqrt(y.size)),
            Mistake("You divide by N - 1. The book makes no correction for degrees of freedom.",
                    lambda y, p, h: standard_error(y, p, h) * np.sqrt(y.size / (y.size - 1))),
        ),
        draw=_draw_prices,
    ),
    Exercise(
        "18.5",
        "compute",
        lambda: _error(_at_first(_problem())),
        (
            Mistake("That is at the second estimate. The question holds theta at the first one.",
                    lambda: _error(_rounds()[1])),
            Mistake("Those are the original instruments. Solve the problem from to_problem().",
                    lambda: _error(_first())),
            Mistake("Those are the original instruments, and at the second estimate.",
                    lambda: _error(_at(_first().problem, _rounds()[1]))),
            Mistake("You take V for V / N.", lambda: _error(_at_first(_problem()), 1)),
            Mistake("That is the variance. Take its root.", lambda: _error(_at_first(_problem())) ** 2),
        ),
    ),
    Exercise(
        "18.6",
        "compute",
        lambda: _rounds()[-1].beta[0, 0],
        (
            Mistake("That is the second estimate, before any repetition.", lambda: _rounds()[1].beta[0, 0]),
            Mistake("That is one repetition only. Go on until beta settles.", lambda: _rounds()[2].beta[0, 0]),
            Mistake("That is the second repetition of three. Go on until beta settles.",
                    lambda: _rounds()[3].beta[0, 0]),
            Mistake("That is where the page's loop ends. Go on until beta changes by less than 0.001.",
                    lambda: _rounds()[4].beta[0, 0]),
            Mistake("That is the first estimate, with the original instruments.", lambda: _first().beta[0, 0]),
        ),
    ),
)
