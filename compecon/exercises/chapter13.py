"""Exercises of chapter 13: estimating by GMM."""

from functools import cache

import numpy as np
from scipy import stats

from compecon import blp
from compecon.blp.examples import PI, SIGMA, cereal_problem, cereal_results
from compecon.exercises.exercise import Exercise, Mistake


@cache
def _one_step():
    return cereal_results()


@cache
def _two_step():
    return cereal_problem().solve(SIGMA, PI)


@cache
def false_stop():
    """BFGS with a tolerance of 1 on the gradient, which calls itself converged (exercise 13.6)."""
    return cereal_problem().solve(SIGMA, PI, method="1s", optimization=blp.Optimization("bfgs", {"gtol": 1}))


def _draw_moments(rng):
    root = rng.normal(size=(6, 6))
    return rng.normal(size=(6, 3)), root @ root.T / 6 + np.eye(6), rng.normal(size=6)


# 13.2: the gradient


def gradient(G, W, g, N):
    """The solution of exercise 13.2."""
    return 2 * N * G.T @ W @ g


def _draw_with_size(rng):
    return *_draw_moments(rng), int(rng.integers(50, 500))


# 13.3: a Gauss-Newton step


def gauss_newton_step(G, W, g):
    """The solution of exercise 13.3."""
    return -np.linalg.solve(G.T @ W @ G, G.T @ W @ g)


# 13.4: standard errors


def standard_errors(G, W, S, N):
    """The solution of exercise 13.4."""
    return np.sqrt(np.diag(_sandwich(G, W, S)) / N)


def _sandwich(G, W, S):
    B = np.linalg.solve(G.T @ W @ G, G.T @ W)
    return B @ S @ B.T


def _without_weights(G, W, S, N):
    bread = np.linalg.inv(G.T @ W @ G)
    return np.sqrt(np.diag(bread @ G.T @ S @ G @ bread) / N)


def _draw_covariances(rng):
    (G, W, _), (_, S, _) = _draw_moments(rng), _draw_moments(rng)
    return G, W, S, int(rng.integers(50, 500))


# 13.5: Hansen's test


def _p_value(objective, df):
    return stats.chi2.sf(objective, df)


# 13.6: what a Newton step would gain


def predicted_gain(run):
    """The solution of exercise 13.6."""
    slope = run.gradient[:, 0]
    return slope @ np.linalg.solve(run.hessian, slope) / 2


def _times_hessian():
    slope = false_stop().gradient[:, 0]
    return slope @ false_stop().hessian @ slope / 2


EXERCISES = (
    Exercise(
        "13.1",
        "predict",
        lambda: "zero",
        options={
            "zero": "Right. With symmetric nodes q(sigma) = q(-sigma), so its slope at 0 is 0: the search is done "
            "before it began, at a maximum. No tolerance on the slope alone can tell.",
            "positive": "It would have to leave 0 first. Which way does the slope point there, if the curve is the "
            "same on both sides?",
            "negative": "It would have to leave 0 first. Which way does the slope point there, if the curve is the "
            "same on both sides?",
        },
    ),
    Exercise(
        "13.2",
        "implement",
        gradient,
        (
            Mistake(
                "N is missing: that is the gradient of g'Wg. The objective is N g'Wg, and so is its tolerance.",
                lambda G, W, g, N: 2 * G.T @ W @ g,
            ),
            Mistake("The factor 2 of the derivative of a square is missing.", lambda G, W, g, N: N * G.T @ W @ g),
            Mistake("The weights W are missing.", lambda G, W, g, N: 2 * N * G.T @ g),
            Mistake(
                "You divide by N. The objective is N g'Wg: its gradient is multiplied by N.",
                lambda G, W, g, N: 2 * G.T @ W @ g / N,
            ),
            Mistake(
                "That is downhill. The gradient points uphill; the optimizer turns it round.",
                lambda G, W, g, N: -gradient(G, W, g, N),
            ),
        ),
        draw=_draw_with_size,
    ),
    Exercise(
        "13.3",
        "implement",
        gauss_newton_step,
        (
            Mistake("Your step goes uphill: the sign is wrong.", lambda G, W, g: -gauss_newton_step(G, W, g)),
            Mistake(
                "That is steepest descent. Solve with G'WG, so that the step has the parameters' units.",
                lambda G, W, g: -G.T @ W @ g,
            ),
            Mistake(
                "Your step is twice too long: the gradient has a factor 2, and so has the Hessian, 2 G'WG.",
                lambda G, W, g: 2 * gauss_newton_step(G, W, g),
            ),
            Mistake(
                "The weights W are missing.",
                lambda G, W, g: gauss_newton_step(G, np.eye(g.size), g),
            ),
            Mistake(
                "The weights W are missing in the Hessian: solve with G'WG, not with G'G.",
                lambda G, W, g: -np.linalg.solve(G.T @ G, G.T @ W @ g),
            ),
            Mistake(
                "The weights W are missing in the gradient: solve for G'Wg, not for G'g.",
                lambda G, W, g: -np.linalg.solve(G.T @ W @ G, G.T @ g),
            ),
        ),
        draw=_draw_moments,
    ),
    Exercise(
        "13.4",
        "implement",
        standard_errors,
        (
            Mistake(
                "Those are the roots of V, the variance of sqrt(N) times the estimate. Divide V by N.",
                lambda G, W, S, N: standard_errors(G, W, S, 1),
            ),
            Mistake(
                "You divide by N after the root. The variance is V / N, the standard error its root.",
                lambda G, W, S, N: standard_errors(G, W, S, N * N),
            ),
            Mistake(
                "That holds for the efficient W = S^-1 alone. With another W the sandwich is needed.",
                lambda G, W, S, N: np.sqrt(np.diag(np.linalg.inv(G.T @ np.linalg.solve(S, G))) / N),
            ),
            Mistake(
                "You leave S out: (G'WG)^-1 is right only when W is the inverse of S.",
                lambda G, W, S, N: np.sqrt(np.diag(np.linalg.inv(G.T @ W @ G)) / N),
            ),
            Mistake("Those are variances. Take the square root.", lambda G, W, S, N: standard_errors(G, W, S, N) ** 2),
            Mistake(
                "The middle of the sandwich is G'WSWG. You have G'SG there, which leaves W out twice.",
                _without_weights,
            ),
        ),
        draw=_draw_covariances,
    ),
    Exercise(
        "13.5",
        "compute",
        lambda: _p_value(_two_step().objective, 6),
        (
            Mistake(
                "Degrees of freedom are moments less parameters, and 14 parameters have used up 14 of the 20.",
                lambda: _p_value(_two_step().objective, 20),
            ),
            Mistake(
                "You have not counted beta among the parameters.",
                lambda: _p_value(_two_step().objective, 7),
            ),
            Mistake(
                "You take the number of parameters, 14. Degrees of freedom are the moments less those, 20 - 14.",
                lambda: _p_value(_two_step().objective, 14),
            ),
            Mistake(
                "That is the first step's objective. It is chi-squared only with the efficient W of the second.",
                lambda: _p_value(_one_step().objective, 6),
            ),
            Mistake(
                "That is the distribution function. The p-value is its complement.",
                lambda: 1 - _p_value(_two_step().objective, 6),
            ),
        ),
    ),
    Exercise(
        "13.6",
        "compute",
        lambda: predicted_gain(false_stop()),
        (
            Mistake(
                "The half is missing: q(theta + p) = q + g'p + p'Hp / 2 at p = -H^-1 g.",
                lambda: 2 * predicted_gain(false_stop()),
            ),
            Mistake("The question is how far q falls, a positive number.", lambda: -predicted_gain(false_stop())),
            Mistake(
                "That is half the gradient's squared length, which depends on the parameters' units. Weigh it by H^-1.",
                lambda: float(np.sum(false_stop().gradient ** 2)) / 2,
            ),
            Mistake(
                "That is how far q is from its minimum. The question is what a Newton step expects.",
                lambda: false_stop().objective - _one_step().objective,
            ),
            Mistake("You multiply by H. Solve with it: the step is -H^-1 times the gradient.", _times_hessian),
        ),
    ),
)
