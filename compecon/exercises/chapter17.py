"""Exercises of chapter 17: the bootstrap."""

from functools import cache

import numpy as np

from compecon.blp.bootstrap import BootstrappedResults
from compecon.blp.examples import cereal_results
from compecon.exercises.exercise import Exercise, Mistake

# 17.3: a band for the mean own elasticity


@cache
def _elasticities(scaled=True):
    """(100, 94) mean own elasticities by draw and market; parameters drawn from N(estimate, V) unless `scaled`."""
    results = cereal_results()
    drawn = results.bootstrap(draws=100, seed=0)
    if not scaled:
        estimates, V = results.parameters[:, 0], results.parameter_covariances
        theta, beta = np.split(np.random.RandomState(0).multivariate_normal(estimates, V, 100), [-1], axis=1)
        drawn = BootstrappedResults(results, theta, beta[:, :, None])
    return drawn.compute_mean_own_elasticities()[:, :, 0]


def _band(low=5, high=95):
    return np.percentile(_elasticities().mean(axis=1), [low, high])


# 17.4: the basic interval


def basic_interval(estimate, draws, level):
    """The solution of exercise 17.4."""
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return np.array([2 * estimate - high, 2 * estimate - low])


def _draw_draws(rng):
    return rng.normal(2, 1), rng.gamma(2, 1.5, 301), rng.choice([0.5, 0.8, 0.9, 0.95])


# 17.5: a sample of buses


def cluster_mean(y, bus, picks):
    """The solution of exercise 17.5."""
    return np.concatenate([y[bus == pick] for pick in picks]).mean()


def _draw_buses(rng):
    bus = np.repeat(np.arange(12), rng.integers(1, 8, 12))
    return rng.normal(bus, 2.0), bus, rng.integers(0, 12, 12)


# 17.7: recentred moments


def _estimate(y, X, Z, W, picks, centre):
    """The minimum of (g* - centre)' W (g* - centre), g* the moments of the rows that were picked."""
    y_star, X_star, Z_star = y[picks], X[picks], Z[picks]
    G, moments = Z_star.T @ X_star / y.size, Z_star.T @ y_star / y.size - centre
    return np.linalg.solve(G.T @ W @ G, G.T @ W @ moments)


def recentred_estimate(y, X, Z, W, beta, picks):
    """The solution of exercise 17.7."""
    return _estimate(y, X, Z, W, picks, Z.T @ (y - X @ beta) / y.size)


def _centre_added(y, X, Z, W, beta, picks):
    return _estimate(y, X, Z, W, picks, -Z.T @ (y - X @ beta) / y.size)


def _draw_instruments(rng):
    n = 60
    Z, error = rng.normal(size=(n, 4)), rng.normal(size=n)
    X = np.column_stack([Z @ [1.0, 0.5, 0.2, 0.1] + error + rng.normal(size=n), Z[:, 3] + rng.normal(size=n)])
    y, W = X @ [1.0, -0.5] + error, np.linalg.inv(Z.T @ Z / n)
    G, moments = Z.T @ X / n, Z.T @ y / n
    return y, X, Z, W, np.linalg.solve(G.T @ W @ G, G.T @ W @ moments), rng.integers(0, n, n)


EXERCISES = (
    Exercise(
        "17.1",
        "predict",
        lambda: "buses",
        options={
            "buses": "Right. Only whole buses carry along that engines of one bus live alike. The others treat 240 "
            "lives as so many independent ones.",
            "engines": "Drawn one by one, engines lose their buses. Their spread is right, but not that of their mean, "
            "to which alike lives add: coverage is about 70%.",
            "model": "The model has one hazard for all. Its data have too little spread, and independent lives: "
            "coverage is below a half.",
            "parameters": "The normal distribution has the model's variance, so it repeats the model's error: coverage "
            "is below a half.",
        },
    ),
    Exercise(
        "17.2",
        "predict",
        lambda: "80%",
        options={
            "80%": "Right. A tenth of the draws lies below the band and a tenth above it. A band of 90% takes "
            "q=[5, 95].",
            "90%": "A tenth lies below and another tenth above. How much is left between?",
            "95%": "Five percent outside means 2.5 on each side. Here it is ten on each.",
        },
    ),
    Exercise(
        "17.3",
        "compute",
        _band,
        (
            Mistake("That is the band at q=[10, 90], which holds 80% of the draws.", lambda: _band(10, 90)),
            Mistake("That is a band of 95%: 2.5% lie on each side of it.", lambda: _band(2.5, 97.5)),
            Mistake(
                "You pool draws and markets: that is how markets differ, too. Average over markets first.",
                lambda: np.percentile(_elasticities(), [5, 95]),
            ),
            Mistake(
                "You average the bands of the markets. A mean's band is narrower: markets do not all err at once.",
                lambda: np.percentile(_elasticities(), [5, 95], axis=0).mean(axis=1),
            ),
            Mistake(
                "You draw from N(estimate, V). V is the variance of root N times the error: divide it by N.",
                lambda: np.percentile(_elasticities(scaled=False).mean(axis=1), [5, 95]),
            ),
            Mistake(
                "You average over draws, axis 0. That is how markets differ. Average over markets, axis 1.",
                lambda: np.percentile(_elasticities().mean(axis=0), [5, 95]),
            ),
            Mistake("The ends are swapped: the lower one comes first.", lambda: _band(95, 5)),
        ),
    ),
    Exercise(
        "17.4",
        "implement",
        basic_interval,
        (
            Mistake(
                "That is the percentile interval. The basic one reflects it: draws - estimate stands for estimate - "
                "truth.",
                lambda estimate, draws, level: np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]),
            ),
            Mistake(
                "The ends are swapped: the lower end uses the upper quantile.",
                lambda estimate, draws, level: basic_interval(estimate, draws, level)[::-1],
            ),
            Mistake(
                "Each tail gets half of 1 - level, not all of it.",
                lambda estimate, draws, level: basic_interval(estimate, draws, 2 * level - 1),
            ),
            Mistake(
                "You reflect at the mean of the draws. Reflect at the estimate.",
                lambda estimate, draws, level: basic_interval(draws.mean(), draws, level),
            ),
            Mistake(
                "Those are deviations. Subtract the quantiles of draws - estimate from the estimate.",
                lambda estimate, draws, level: basic_interval(estimate, draws, level) - estimate,
            ),
        ),
        draw=_draw_draws,
    ),
    Exercise(
        "17.5",
        "implement",
        cluster_mean,
        (
            Mistake(
                "That is the student's function: np.isin asks whether a bus was drawn, not how often. Drawn twice, it "
                "must count twice.",
                lambda y, bus, picks: y[np.isin(bus, picks)].mean(),
            ),
            Mistake(
                "You take rows by the numbers of buses. picks are buses, each with all its rows.",
                lambda y, bus, picks: y[picks].mean(),
            ),
            Mistake(
                "That is the mean of the buses' means. A bus with more rows weighs more in the mean of all rows.",
                lambda y, bus, picks: np.mean([y[bus == pick].mean() for pick in picks]),
            ),
            Mistake("You ignore picks: that is the mean of the sample itself.", lambda y, bus, picks: y.mean()),
            Mistake(
                "You divide by the rows of the sample. Buses differ in length, so a drawn sample has its own number.",
                lambda y, bus, picks: sum(y[bus == pick].sum() for pick in picks) / y.size,
            ),
        ),
        draw=_draw_buses,
    ),
    Exercise(
        "17.6",
        "compute",
        lambda: 0.05 * 0.95 / 0.01**2,
        (
            Mistake("That is for the 10% quantile: a band of 90% has 5% on each side.", lambda: 0.1 * 0.9 / 0.01**2),
            Mistake(
                "The variance of a share is a (1 - a) / B, with both factors.",
                lambda: 0.05 / 0.01**2,
            ),
            Mistake(
                "You set the variance to 0.01. The standard deviation is to be 0.01, so square it.",
                lambda: 0.05 * 0.95 / 0.01,
            ),
            Mistake(
                "That makes two standard deviations one point. The question is about one.",
                lambda: 4 * 0.05 * 0.95 / 0.01**2,
            ),
        ),
    ),
    Exercise(
        "17.7",
        "implement",
        recentred_estimate,
        (
            Mistake(
                "You leave the centre out: the moments of the sample are not zero at its own estimate.",
                lambda y, X, Z, W, beta, picks: _estimate(y, X, Z, W, picks, 0.0),
            ),
            Mistake("You add the centre. Subtract it, so that the mean of the moments is zero.", _centre_added),
            Mistake(
                "You subtract the drawn sample's own moments at beta, so every draw gives beta again. Subtract the "
                "full sample's.",
                lambda y, X, Z, W, beta, picks: beta,
            ),
            Mistake(
                "Your centre is a sum over rows and the moments are means. Divide it by N.",
                lambda y, X, Z, W, beta, picks: _estimate(y, X, Z, W, picks, Z.T @ (y - X @ beta)),
            ),
        ),
        draw=_draw_instruments,
    ),
)
