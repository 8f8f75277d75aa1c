"""Exercises of chapter 1: the likelihood."""

from functools import cache

import numpy as np

from compecon import datasets
from compecon.exercises.exercise import Exercise, Mistake

_ALL, _RUST, _UNSEEN = tuple(range(1, 9)), (4,), (1, 2)


@cache
def _months(groups):
    """(months, replacements, buses) of some groups."""
    panel = datasets.load_bus_panel()
    panel = panel[panel["group"].isin(groups)]
    return len(panel), int(panel["replaced"].sum()), panel["bus_id"].nunique()


@cache
def _spells(groups):
    """(months, replaced) of each engine of some groups."""
    panel = datasets.load_bus_panel()
    panel = panel[panel["group"].isin(groups)]
    engine = panel["replaced"].groupby(panel["bus_id"]).cumsum() - panel["replaced"]
    spells = panel["replaced"].groupby([panel["bus_id"], engine.rename("engine")])
    return spells.size().to_numpy(), spells.sum().to_numpy()


def _expected_life(groups=_RUST):
    months, replacements, _ = _months(groups)
    return months / replacements


def _mean_of_finished():
    months, replaced = _spells(_RUST)
    return months[replaced == 1].mean()


# 1.3: engines that are still running


def spell_loglike(p, months, replaced):
    """The solution of exercise 1.3."""
    return replaced.sum() * np.log(p) + (months - replaced).sum() * np.log1p(-p)


def _draw_spells(rng):
    months = rng.integers(1, 120, 30)
    replaced = (rng.random(30) < 0.5).astype(int)
    replaced[:2] = 0, 1
    return float(rng.uniform(0.01, 0.3)), months, replaced


# 1.4: the score of the logit


def logit_gradient(theta, y, X):
    """The solution of exercise 1.4."""
    return X.T @ (y - _chance(theta, X))


def _chance(theta, X):
    return 1 / (1 + np.exp(-X @ theta))


def _draw_logit(rng):
    X = np.column_stack([np.ones(50), rng.normal(size=(50, 2))])
    return rng.normal(size=3), (rng.random(50) < 0.4).astype(float), X


# 1.5: the constant that is none


def normal_loglike(y, mu, sigma):
    """The solution of exercise 1.5."""
    z = (y - mu) / sigma
    return np.sum(-np.log(sigma) - 0.5 * np.log(2 * np.pi) - 0.5 * z**2)


def _draw_normal(rng):
    sigma = float(rng.uniform(1.5, 4))
    return rng.normal(1, sigma, 40), float(rng.normal()), sigma


# 1.6: nothing was seen


def _largest_hazard(tail=0.05, months=None):
    return 1 - tail ** (1 / (months or _months(_UNSEEN)[0]))


EXERCISES = (
    Exercise(
        "1.1",
        "predict",
        lambda: "inf",
        options={
            "inf": "Right. A density is no probability: with standard deviation 0.1 it is up to 4, and 2.4 in the "
            "geometric mean. The product of 2000 such factors is beyond 1.8e308, the largest double.",
            "0": "That would need densities below one. How high is the top of a normal density with standard deviation "
            "0.1, whose area is one?",
            "neither": "Ten times the height for every one of the 2000 factors: the product changes by 10 to the power "
            "2000. Both its old and its new value are outside a double's range.",
        },
    ),
    Exercise(
        "1.2",
        "compute",
        _expected_life,
        (
            Mistake("That is the hazard, per month. The expected life is its inverse.", lambda: 1 / _expected_life()),
            Mistake(
                "That is the mean of the finished lives. It leaves out the engines that were still running, and those "
                "are the long-lived ones.",
                _mean_of_finished,
            ),
            Mistake(
                "You count running engines as if they had ended with the records: months over engines, not over "
                "replacements.",
                lambda: _months(_RUST)[0] / len(_spells(_RUST)[0]),
            ),
            Mistake(
                "That is the expected number of months before the month of the replacement. Count that month too.",
                lambda: _expected_life() - 1,
            ),
            Mistake("That is of all buses. The question is about group 4.", lambda: _expected_life(_ALL)),
            Mistake(
                "You divide by the buses. Divide by the replacements.",
                lambda: _months(_RUST)[0] / _months(_RUST)[2],
            ),
            Mistake(
                "That is a median life, log(2) / p. The question is about the mean.",
                lambda: np.log(2) * _expected_life(),
            ),
        ),
    ),
    Exercise(
        "1.3",
        "implement",
        spell_loglike,
        (
            Mistake(
                "You count running engines as replaced. A running engine contributes (1 - p)^months and no p.",
                lambda p, months, replaced: spell_loglike(p, months, np.ones_like(replaced)),
            ),
            Mistake(
                "An engine replaced in month t was kept in t - 1 months: its p takes the place of one factor (1 - p).",
                lambda p, months, replaced: spell_loglike(p, months, replaced) + replaced.sum() * np.log1p(-p),
            ),
            Mistake(
                "An engine that still runs was kept in all its months, the last included: (1 - p)^months.",
                lambda p, months, replaced: spell_loglike(p, months, replaced) - (1 - replaced).sum() * np.log1p(-p),
            ),
            Mistake(
                "You leave out the running engines. That they survived is information.",
                lambda p, months, replaced: spell_loglike(p, months[replaced == 1], replaced[replaced == 1]),
            ),
            Mistake(
                "That is the likelihood, not its logarithm: it underflows with a few hundred months.",
                lambda p, months, replaced: np.exp(spell_loglike(p, months, replaced)),
            ),
            Mistake(
                "That is the mean over the engines. The log-likelihood is the sum.",
                lambda p, months, replaced: spell_loglike(p, months, replaced) / months.size,
            ),
            Mistake(
                "p and 1 - p are swapped: p is the chance of a replacement.",
                lambda p, months, replaced: spell_loglike(1 - p, months, replaced),
            ),
        ),
        draw=_draw_spells,
    ),
    Exercise(
        "1.4",
        "implement",
        logit_gradient,
        (
            Mistake(
                "The sign is wrong: a one where P is below one pulls theta towards its x. It is y - P, not P - y.",
                lambda theta, y, X: -logit_gradient(theta, y, X),
            ),
            Mistake(
                "That is the mean score. The gradient of the log-likelihood is the sum.",
                lambda theta, y, X: logit_gradient(theta, y, X) / y.size,
            ),
            Mistake(
                "Your P is that of a zero: P = 1 / (1 + exp(-x'theta)), with a minus sign.",
                lambda theta, y, X: logit_gradient(-theta, y, X),
            ),
            Mistake(
                "Those are the residuals of a linear model. Put x'theta through the logistic function first.",
                lambda theta, y, X: X.T @ (y - X @ theta),
            ),
            Mistake(
                "P (1 - P) belongs to the Hessian: in the score it cancels against the derivative of the logarithm.",
                lambda theta, y, X: X.T @ ((y - _chance(theta, X)) * _chance(theta, X) * (1 - _chance(theta, X))),
            ),
        ),
        draw=_draw_logit,
    ),
    Exercise(
        "1.5",
        "implement",
        normal_loglike,
        (
            Mistake(
                "log(sigma) is no constant: without it the function rises for ever as sigma grows, whatever the data.",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) + y.size * np.log(sigma),
            ),
            Mistake(
                "Those are the squares alone: -log(sigma) and -log(2 pi) / 2 belong to every observation.",
                lambda y, mu, sigma: -np.sum(((y - mu) / sigma) ** 2) / 2,
            ),
            Mistake(
                "You take sigma for the variance in log(sigma) / 2. It is the standard deviation: log(sigma).",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) + y.size * 0.5 * np.log(sigma),
            ),
            Mistake(
                "log(sigma) belongs to every observation: subtract it N times, not once.",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) + (y.size - 1) * np.log(sigma),
            ),
            Mistake(
                "You subtract log(sigma^2): that is twice too much.",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) - y.size * np.log(sigma),
            ),
            Mistake(
                "The maximum is right, but log(2 pi) / 2 for each observation is missing. Without it you cannot "
                "compare the normal with another family.",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) + y.size * 0.5 * np.log(2 * np.pi),
            ),
            Mistake(
                "That is the mean over the observations. The log-likelihood is the sum.",
                lambda y, mu, sigma: normal_loglike(y, mu, sigma) / y.size,
            ),
            Mistake("The sign is wrong: that is what a minimiser wants.", lambda *args: -normal_loglike(*args)),
        ),
        draw=_draw_normal,
    ),
    Exercise(
        "1.6",
        "compute",
        _largest_hazard,
        (
            Mistake(
                "That is the rule of three, 3 / M, which replaces -log(0.05) by 3. Solve (1 - p)^M = 0.05.",
                lambda: 3 / _months(_UNSEEN)[0],
            ),
            Mistake(
                "You take log(1 - p) for -p. That is close, but solve (1 - p)^M = 0.05 exactly.",
                lambda: -np.log(0.05) / _months(_UNSEEN)[0],
            ),
            Mistake("You solve (1 - p)^M = 0.95: that p makes the data likely.", lambda: _largest_hazard(0.95)),
            Mistake(
                "You count buses. Every month is a trial.",
                lambda: _largest_hazard(months=_months(_UNSEEN)[2]),
            ),
            Mistake("That is 1 - p, the chance to be kept in a month.", lambda: 1 - _largest_hazard()),
            Mistake("That is the life. Give the hazard, its inverse.", lambda: 1 / _largest_hazard()),
            Mistake("That is 5% shared among the months. Solve (1 - p)^M = 0.05.", lambda: 0.05 / _months(_UNSEEN)[0]),
        ),
    ),
)
