"""Exercises of chapter 19: micro moments."""

from functools import cache

import numpy as np
import pandas as pd
from scipy import stats
from scipy.linalg import block_diag

from compecon import blp
from compecon.blp.examples import cereal_results
from compecon.datasets import load_cereal
from compecon.exercises.exercise import Exercise, Mistake

_CLIMB = {"optimization": blp.Optimization("gauss-newton"), "method": "1s"}
_DEMOGRAPHICS = ["income", "income_squared", "age", "child"]


def _survey(results):
    """The survey of market C61Q1 that the page draws, and its 1,000 interviews."""
    dataset = blp.MicroDataset("survey", 1000, lambda t, p, a: np.ones((a.size, 1 + p.size)), market_ids=["C61Q1"])
    found = pd.DataFrame(blp.data_to_dict(results.simulate_micro_data(dataset, seed=0)))
    agents = load_cereal().agents.assign(agent_indices=lambda table: table.groupby("market_ids").cumcount())
    keys = ["market_ids", "agent_indices"]
    return dataset, found.merge(agents[keys + _DEMOGRAPHICS], on=keys).drop(columns="agent_indices")


@cache
def _third():
    """The estimates with optimal instruments and score moments."""
    first, rule = cereal_results(), blp.Integration("product", 5)
    dataset, survey = _survey(first)
    seen = first.compute_micro_scores(dataset, survey, integration=rule)
    possible = first.compute_agent_scores(dataset, integration=rule)
    moments = [blp.MicroMoment(label, s.mean(), blp.MicroPart(label, dataset, lambda t, p, a, v=v: v[t]))
               for label, s, v in zip(first.theta_labels, seen, possible, strict=True)]
    problem = first.compute_optimal_instruments().to_problem()
    return problem.solve(first.sigma, first.pi, micro_moments=moments, **_CLIMB)


def _survey_share(place):
    """The share of a parameter's variance that comes from the sampling of interviews."""
    G, W, S = _third().moments_jacobian, _third().W, _third().moments_covariances
    influence = np.linalg.solve(G.T @ W @ G, G.T @ W)[place, 14:]
    return influence @ S[14:, 14:] @ influence / _third().parameter_covariances[place, place]


# 19.3: the model's average


def average(P, w, c, v):
    """The solution of exercise 19.3."""
    sampled = w[:, None] * P * c
    return (sampled * v).sum() / sampled.sum()


def _draw_market(rng):
    P, w = rng.dirichlet(np.ones(5), 7), rng.uniform(0.5, 1, 7)
    c = rng.uniform(0.2, 1, (7, 5)) * np.array([0, 1, 1, 1, 1])
    return P, w / w.sum(), c, rng.normal(1, 1, (7, 5))


# 19.4: stacking


def stacked(S_D, C, n, n_d):
    """The solution of exercise 19.4."""
    return block_diag(S_D, n / n_d * C)


def _draw_covariances(rng):
    one, other = rng.normal(size=(3, 6)), rng.normal(size=(2, 5))
    return one @ one.T, other @ other.T, int(rng.integers(1000, 3000)), int(rng.integers(50, 900))


# 19.6: the score that integrates


def score(P, x, nu, w, j):
    """The solution of exercise 19.6."""
    change = P[:, j] * (x[j] - P @ x) * nu
    return (w @ change) / (w @ P[:, j])


def _draw_tastes(rng):
    w = rng.uniform(0.5, 1, 8)
    P = rng.dirichlet(np.ones(5), 8)[:, 1:]
    return P, rng.uniform(1, 3, 4), rng.normal(size=8), w / w.sum(), int(rng.integers(0, 4))


EXERCISES = (
    Exercise(
        "19.1",
        "predict",
        lambda: "falls",
        options={
            "falls": "Right. Someone who bought nothing says only that; a buyer also says what. That incomes of buyers "
            "differ from everyone's is seen as well: the agents' table has everyone's.",
            "rises": "You may think that only non-buyers show who does not buy. But the incomes of all consumers are "
            "known from the agents' table, and the incomes of buyers beside them tell the same.",
            "stays": "An interview with a buyer and one with a non-buyer are not equally informative: a non-buyer names"
            " no product.",
        },
    ),
    Exercise(
        "19.2",
        "compute",
        lambda: stats.chi2.isf(0.01, 13),
        (
            Mistake("That counts all moments. Each estimated parameter uses up one: 27 - 14.",
                    lambda: stats.chi2.isf(0.01, 27)),
            Mistake("You take 14: the parameters, or 27 - 13 without beta. What is left to test is 27 - 14.",
                    lambda: stats.chi2.isf(0.01, 14)),
            Mistake("You halve the level. J is large when moments disagree, and never too small: one tail.",
                    lambda: stats.chi2.isf(0.005, 13)),
            Mistake("That is the 5% level. At 1% J must be larger.", lambda: stats.chi2.isf(0.05, 13)),
            Mistake("That is the lower tail: J is large when the moments disagree.",
                    lambda: stats.chi2.isf(0.99, 13)),
        ),
    ),
    Exercise(
        "19.3",
        "implement",
        average,
        (
            Mistake("You do not divide by the probability of being sampled: sum w P c.",
                    lambda P, w, c, v: (w[:, None] * P * c * v).sum()),
            Mistake("You leave out the sampling weights c: not everybody can be in the survey.",
                    lambda P, w, c, v: average(P, w, np.ones_like(c), v)),
            Mistake("You leave out the agents' weights w.", lambda P, w, c, v: average(P, np.ones_like(w), c, v)),
            Mistake("You average over agents the averages of each. Those who are sampled more count more.",
                    lambda P, w, c, v: w @ ((P * c * v).sum(axis=1) / (P * c).sum(axis=1))),
            Mistake("You leave out the choice probabilities P.", lambda P, w, c, v: average(np.ones_like(P), w, c, v)),
        ),
        draw=_draw_market,
    ),
    Exercise(
        "19.4",
        "implement",
        stacked,
        (
            Mistake("You stack C / N_d beside S_D, which is not divided by N: multiply the survey's block by N.",
                    lambda S_D, C, n, n_d: block_diag(S_D, C / n_d)),
            Mistake("N and N_d are swapped: a larger survey must have the smaller block.",
                    lambda S_D, C, n, n_d: block_diag(S_D, n_d / n * C)),
            Mistake("You leave the sizes out: the survey would count like N interviews.",
                    lambda S_D, C, n, n_d: block_diag(S_D, C)),
            Mistake("You scale both blocks. S_D is on the scale of N already.",
                    lambda S_D, C, n, n_d: n / n_d * block_diag(S_D, C)),
            Mistake("N_d is missing: the survey's block is N C / N_d.", lambda S_D, C, n, n_d: block_diag(S_D, n * C)),
            Mistake("Those are the variances of the moments. Both blocks are scaled by N.",
                    lambda S_D, C, n, n_d: block_diag(S_D / n, C / n_d)),
        ),
        draw=_draw_covariances,
    ),
    Exercise(
        "19.5",
        "compute",
        lambda: _survey_share(12),
        (
            Mistake("That is the share of the aggregate moments: the survey's are the last 13 columns.",
                    lambda: 1 - _survey_share(12)),
            Mistake("That is a ratio of standard errors. Shares of a variance add up to one; their roots do not.",
                    lambda: np.sqrt(_survey_share(12))),
            Mistake("That is mushy x income. Positions count from 0: mushy x age is number 12.",
                    lambda: _survey_share(11)),
            Mistake("That is beta. mushy x age is the last element of theta, number 12.", lambda: _survey_share(13)),
        ),
    ),
    Exercise(
        "19.6",
        "implement",
        score,
        (
            Mistake("You average the scores of the nodes with their prior weights. The choice says which tastes are "
                    "likely: weight by w P.",
                    lambda P, x, nu, w, j: w @ ((x[j] - P @ x) * nu)),
            Mistake("You leave out what a larger sigma does to the other products: subtract sum_k P_nk x_k.",
                    lambda P, x, nu, w, j: (w * P[:, j] * x[j]) @ nu / (w @ P[:, j])),
            Mistake("That is the derivative of the probability. Divide by it: the score is of the log.",
                    lambda P, x, nu, w, j: (w * P[:, j] * (x[j] - P @ x)) @ nu),
            Mistake("nu is missing: sigma moves utility by x nu.",
                    lambda P, x, nu, w, j: score(P, x, np.ones_like(nu), w, j)),
            Mistake("Your mean of x holds product j alone. Subtract sum_k P_nk x_k, over all of them.",
                    lambda P, x, nu, w, j: (w * P[:, j] * (1 - P[:, j]) * x[j]) @ nu / (w @ P[:, j])),
            Mistake("You leave out the weights of the nodes.",
                    lambda P, x, nu, w, j: score(P, x, nu, np.ones_like(w), j)),
            Mistake("j counts from 0: you take the product before it.",
                    lambda P, x, nu, w, j: score(P, x, nu, w, j - 1)),
        ),
        draw=_draw_tastes,
    ),
)
